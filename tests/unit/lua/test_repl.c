/* SPDX-License-Identifier: Apache-2.0 */
/* The prompt without a terminal and without a cluster: what a line is, what is shown of it, what a
 * word may become, how calls are answered and runs are stopped. */
#include "base/buf.h"
#include "base/mem.h"
#include "lua/repl.h"
#include "test.h"

struct desk {
    struct loop *loop;
    struct repl *r;
    struct buf out;
    enum repl_end end;
    int ended;
    uint64_t call; /* the last one that was not answered at once */
    char verb[32];
    char args[256];
};

static void on_call(void *arg, uint64_t id, const char *verb, const json_t *args)
{
    struct desk *d = arg;
    struct err e;
    char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);
    snprintf(d->verb, sizeof d->verb, "%s", verb);
    snprintf(d->args, sizeof d->args, "%s", text);
    free(text);
    if (strcmp(verb, "ps") == 0) {
        err_set(&e, ERR_USAGE, 0, "nobody runs");
        repl_answer(d->r, id, NULL, &e);
    } else if (strcmp(verb, "load") == 0) {
        repl_answer(d->r, id,
                    json_pack("{s:s,s:[{s:s,s:i}],s:[{s:s,s:s,s:s}],s:[],s:[],s:i,s:i}", "name",
                              "eos", "roles", "name", "worker", "count", 3, "params", "name", "ids",
                              "value", "10", "type", "integer", "topics", "others", "faults", 2,
                              "properties", 1),
                    NULL);
    } else if (strcmp(verb, "fire") == 0) {
        repl_answer(d->r, id,
                    json_pack("{s:s,s:i,s:s,s:i}", "text", "worker.2#1: kill", "at_ms", 1500,
                              "role", "worker", "index", 2),
                    NULL);
    } else if (strcmp(verb, "source") == 0) {
        repl_answer(d->r, id, json_pack("{s:s,s:s}", "path", "eos.lua", "text", "-- text\n"), NULL);
    } else if (strcmp(verb, "write") == 0) {
        buf_puts(&d->out, json_string_value(json_object_get(args, "text")));
        repl_answer(d->r, id, json_true(), NULL);
    } else {
        d->call = id;
    }
}

static json_t *on_names(void *arg)
{
    return json_pack("{s:[s,s],s:[s]}", "instance", "worker", "worker.1", "group", "copy");
}

static void on_write(void *arg, const char *text, size_t len)
{
    buf_append(&((struct desk *)arg)->out, text, len);
}

static void on_done(void *arg, enum repl_end end)
{
    struct desk *d = arg;
    d->end = end;
    d->ended++;
    loop_stop(d->loop);
}

static const struct repl_ops ops = {
    .call = on_call, .names = on_names, .write = on_write, .done = on_done};

static void open_desk(struct desk *d, bool raw)
{
    struct err e;
    *d = (struct desk){.loop = loop_new()};
    d->r = repl_new(
        &(struct repl_opts){.loop = d->loop, .ops = &ops, .arg = d, .raw = raw, .columns = 60}, &e);
    CHECK(d->r);
}

static void on_closed(void *arg)
{
    loop_stop(((struct desk *)arg)->loop);
}

static void close_desk(struct desk *d)
{
    repl_close(d->r, 100, on_closed, d);
    loop_run(d->loop);
    repl_free(d->r);
    buf_free(&d->out);
    loop_free(d->loop);
}

/* Feeds lines; what runs is waited for. Returns what was written. */
static const char *feed(struct desk *d, const char *text)
{
    char *copy = xstrdup(text), *rest = copy;
    d->out.len = 0;
    buf_puts(&d->out, "");
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (repl_line(d->r, line) == REPL_RUNS) {
            loop_run(d->loop);
        }
    }
    free(copy);
    return d->out.data;
}

/* ---- lines ---- */

TEST(an_expression_is_shown_and_a_statement_is_not)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_STR(feed(&d, "1 + 1"), "2\n");
    CHECK_STR(feed(&d, "x = 5"), "");
    CHECK_STR(feed(&d, "x * 2, 'a'"), "10  \"a\"\n");
    CHECK_STR(feed(&d, "_, _2"), "10  \"a\"\n");
    CHECK_STR(feed(&d, "x;"), "");
    CHECK_STR(feed(&d, "nil"), "nil\n");
    CHECK_STR(feed(&d, "-- a comment"), "");
    close_desk(&d);
}

TEST(an_incomplete_chunk_asks_for_more_and_an_empty_line_leaves_it)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_INT(repl_line(d.r, "function f(a)"), REPL_MORE);
    CHECK_STR(repl_prompt(d.r), "  ..> ");
    CHECK_INT(repl_line(d.r, "return a + 1"), REPL_MORE);
    CHECK_STR(feed(&d, "end"), "");
    CHECK_STR(repl_prompt(d.r), "kaos> ");
    CHECK_STR(feed(&d, "f(1)"), "2\n");
    CHECK_STR(feed(&d, "20 +\n2"), "22\n");
    CHECK_INT(repl_line(d.r, "if x then"), REPL_MORE);
    CHECK_INT(repl_line(d.r, ""), REPL_WRONG);
    CHECK_HAS(d.out.data, "'end' expected");
    CHECK_INT(repl_line(d.r, "if x then"), REPL_MORE);
    CHECK(repl_reset(d.r));
    CHECK(!repl_reset(d.r));
    CHECK_STR(feed(&d, "7"), "7\n");
    close_desk(&d);
}

TEST(an_error_is_said_with_its_place_and_a_suggestion)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_STR(feed(&d, "prnt(1)"),
              "error: prompt:1:1: unknown name `prnt`, did you mean `print`?\n");
    CHECK_INT(d.end, REPL_FAILED);
    CHECK_STR(feed(&d, "error({ 1 })"), "error: { 1 }\n");
    CHECK_INT(repl_line(d.r, "x = = 1"), REPL_WRONG);
    CHECK_STR(feed(&d, ".relod"), "error: no command .relod (did you mean `reload`?); .help lists "
                                  "them\n");
    CHECK_STR(feed(&d, ".quit"), "");
    CHECK_INT(d.end, REPL_QUIT);
    close_desk(&d);
}

/* ---- printing ---- */

TEST(values_are_cut_at_depth_and_rows_and_cycles_are_marked)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_STR(feed(&d, "{ 1, a = { b = { c = {1} } } }"), "{ 1, a = { b = { c = {...} } } }\n");
    feed(&d, "t = { name = 't' } t.self = t");
    CHECK_STR(feed(&d, "t"), "{ name = \"t\", self = <cycle> }\n");
    CHECK_STR(feed(&d, "'a\\nb\\0'"), "\"a\\nb\\0\"\n");
    feed(&d, "long = {} for i = 1, 45 do long[i] = i end");
    CHECK_HAS(feed(&d, "long"), "  20\n... 25 more (.more)\n");
    CHECK_HAS(feed(&d, ".more"), "  40\n... 5 more (.more)\n");
    CHECK_STR(feed(&d, ".more"), "  41\n  42\n  43\n  44\n  45\n");
    CHECK_STR(feed(&d, ".more"), "error: nothing was cut\n");
    CHECK_STR(feed(&d, "setmetatable({}, { __index = error, __tostring = error })"), "{}\n");
    close_desk(&d);
}

TEST(a_list_of_records_is_a_box_that_fits)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_STR(feed(&d, "{ { a = 1, b = 'x' }, { a = 20, b = nil, c = true } }"),
              "+----+---+------+\n"
              "| a  | b | c    |\n"
              "+----+---+------+\n"
              "|  1 | x |      |\n"
              "| 20 |   | true |\n"
              "+----+---+------+\n");
    feed(&d, "wide = { { a = ('x'):rep(50), b = ('y'):rep(50) } }");
    char *copy = xstrdup(feed(&d, "wide")), *rest = copy;
    for (char *line; (line = strsep(&rest, "\n"));) {
        CHECK(strlen(line) <= 60);
    }
    free(copy);
    close_desk(&d);
}

TEST(without_a_terminal_values_are_raw)
{
    struct desk d;
    open_desk(&d, true);
    CHECK_STR(feed(&d, "'text', 2"), "text\t2\n");
    CHECK_STR(feed(&d, "{ { a = 1 }, { a = 2 } }"), "{ { a = 1 }, { a = 2 } }\n");
    CHECK_STR(feed(&d, "print('a', { 1 })"), "a\t{ 1 }\n");
    close_desk(&d);
}

/* ---- help ---- */

TEST(a_question_mark_explains_from_the_one_table)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_HAS(feed(&d, "send?"), "send(topic, record | message | value, key)");
    CHECK_HAS(feed(&d, "crash?"), "The role kills itself with SIGKILL");
    CHECK_HAS(feed(&d, "consumer.seek?"), "consumer:seek");
    CHECK_HAS(feed(&d, "nosuchthing?"), "no help for `nosuchthing`");
    CHECK_INT(d.end, REPL_FAILED);
    feed(&d, "function twice(n)\nreturn 2 * n\nend");
    CHECK_HAS(feed(&d, "twice??"), "function twice(n)\nreturn 2 * n\nend\n");
    CHECK_HAS(feed(&d, "?"), ".timeline");
    CHECK_HAS(feed(&d, ".help pause"), "Stops the process (SIGSTOP)");
    close_desk(&d);
}

/* ---- completion ---- */

static const char *complete(struct desk *d, const char *line)
{
    static char text[1024];
    struct repl_completion c;
    repl_complete(d->r, line, strlen(line), &c);
    size_t n = (size_t)snprintf(text, sizeof text, "%zu", c.start);
    for (size_t i = 0; i < c.n; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, " %s", c.items[i]);
    }
    repl_completion_free(&c);
    return text;
}

TEST(names_and_fields_are_completed_without_running_code)
{
    struct desk d;
    open_desk(&d, false);
    feed(&d, "thing = { alpha = 1, beta = { gamma = 2 } }");
    feed(&d, "ran = false trap = setmetatable({}, { __index = function() ran = true end })");
    CHECK_STR(complete(&d, "thi"), "0 thing");
    CHECK_STR(complete(&d, "x = thing.al"), "10 alpha");
    CHECK_STR(complete(&d, "thing.beta."), "11 gamma");
    CHECK_STR(complete(&d, "trap.x."), "7");
    CHECK_STR(feed(&d, "ran"), "false\n");
    CHECK_STR(complete(&d, "string.rep"), "7 rep");
    CHECK_STR(complete(&d, "retu"), "0 return");
    CHECK_STR(complete(&d, ""), "0");
    close_desk(&d);
}

TEST(places_are_completed_by_what_they_ask_for)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_STR(complete(&d, "kill \"worker."), "6 worker.1\"");
    CHECK_STR(complete(&d, "rebalance 'c"), "11 copy'");
    CHECK_STR(complete(&d, "crash(\"worker\", \"before_c"), "17 before_commit\"");
    CHECK_STR(complete(&d, "pause { ho"), "8 hold = ");
    CHECK_STR(complete(&d, "consumer { topics = 't', gr"), "25 group = ");
    CHECK_STR(complete(&d, "consumer { group = 'x', gr"), "24 groups");
    CHECK_STR(complete(&d, ".tim"), "1 time  timeline ");
    feed(&d, ".load eos.lua");
    CHECK_STR(repl_prompt(d.r), "kaos:eos> ");
    CHECK_STR(complete(&d, "up { i"), "5 ids = ");
    close_desk(&d);
}

/* ---- calls and interrupts ---- */

TEST(a_call_is_answered_at_once_or_later_or_never)
{
    struct desk d;
    open_desk(&d, false);
    feed(&d, ".load eos.lua");
    CHECK_STR(feed(&d, "ps()"), "error: nobody runs\n");
    CHECK_INT(repl_line(d.r, "(function() sleep '1500ms' return 'rested' end)()"), REPL_RUNS);
    while (d.call == 0) {
        loop_defer(d.loop, on_closed, &d);
        loop_run(d.loop);
    }
    CHECK_STR(d.verb, "sleep");
    CHECK_STR(d.args, "{\"ms\":1500}");
    CHECK(repl_busy(d.r));
    repl_answer(d.r, d.call, json_true(), NULL);
    loop_run(d.loop);
    CHECK_HAS(d.out.data, "\"rested\"\n");
    CHECK(!repl_busy(d.r));
    repl_answer(d.r, d.call, json_true(), NULL); /* nobody waits any more: fine */
    repl_answer(d.r, 4711, json_true(), NULL);
    close_desk(&d);
}

TEST(a_wait_is_cancelled_and_a_loop_interrupted)
{
    struct desk d;
    open_desk(&d, false);
    d.out.len = 0;
    CHECK_INT(repl_line(d.r, "sleep '1s'"), REPL_RUNS);
    while (d.call == 0) {
        loop_defer(d.loop, on_closed, &d);
        loop_run(d.loop);
    }
    repl_cancel(d.r);
    loop_run(d.loop);
    CHECK_STR(d.out.data, "cancelled\n");
    CHECK_INT(d.end, REPL_FAILED);
    CHECK_INT(repl_line(d.r, "while true do pcall(error) end"), REPL_RUNS);
    repl_interrupt(d.r);
    loop_run(d.loop);
    CHECK_HAS(d.out.data, "interrupted\n");
    CHECK(!repl_interrupted(d.r));
    CHECK_STR(feed(&d, "1"), "1\n");
    close_desk(&d);
}

TEST(a_task_in_the_background_says_when_it_fails)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_HAS(feed(&d, "spawn(function() error 'oops' end)"), "task (alive)\n");
    loop_defer(d.loop, on_closed, &d);
    loop_run(d.loop);
    CHECK_HAS(d.out.data, "a task failed: prompt:1:1: oops\n");
    close_desk(&d);
}

/* ---- faults and saving ---- */

TEST(a_fault_is_checked_before_it_is_fired)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_HAS(feed(&d, "kill 'w2'"), "no scenario is loaded; .load FILE");
    feed(&d, ".load eos.lua");
    CHECK_STR(feed(&d, "kill('w2', 'TERM')"), "worker.2#1: kill\n");
    CHECK_STR(d.args, "{\"kind\":\"kill\",\"signal\":\"TERM\",\"target\":\"w2\"}");
    CHECK_HAS(feed(&d, "kill()"), "kill: needs an instance, as in kill \"w2\"");
    CHECK_HAS(feed(&d, "kill('w2', 'TRM')"), "no `TRM` (did you mean `TERM`?)");
    CHECK_HAS(feed(&d, "pause 'w2'"), "pause: needs `hold`");
    CHECK_HAS(feed(&d, "pause('w2', 5)"), "write \"5s\" or \"5ms\"");
    CHECK_HAS(feed(&d, "crash('w2', 'before_comit')"), "did you mean `before_commit`?");
    CHECK_HAS(feed(&d, "kill { rol = 'w2' }"), "unknown field `rol` (did you mean `role`?)");
    CHECK_HAS(feed(&d, "kill { role = 'w2', every = '1s' }"), "`every` has no meaning");
    CHECK_HAS(feed(&d, "broker('kil')"), "did you mean `kill`?");
    close_desk(&d);
}

TEST(a_session_is_saved_as_a_scenario)
{
    struct desk d;
    open_desk(&d, false);
    CHECK_HAS(feed(&d, ".save x.lua"), "nothing to save");
    feed(&d, ".load eos.lua");
    feed(&d, "kill 'w2'");
    const char *text = feed(&d, ".save found.lua");
    CHECK_HAS(text, "kill { role = \"worker\", index = 2, at = \"1500ms\" },");
    CHECK_HAS(text, "if name ~= \"eos\" then return end");
    CHECK_HAS(text, "kaos run found.lua");
    CHECK_HAS(text, "\n\n-- text\n");
    CHECK_HAS(text, "found.lua: eos with 1 typed fault ");
    close_desk(&d);
}
