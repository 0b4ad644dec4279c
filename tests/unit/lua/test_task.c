/* SPDX-License-Identifier: Apache-2.0 */
#include "history/hist.h"
#include "lab_role.h"

/* Runs the body; its w:log lines joined by "|" are what it did. */
static const char *logs(const char *body, int drain_ms, int stop_ms)
{
    static char all[4096];
    struct lab_role r = lab_role_run(body, "", drain_ms, stop_ms);
    if (r.e.kind != ERR_NONE) {
        test_fail(__FILE__, __LINE__, "%s\n%s", r.e.msg, r.trace);
    }
    all[0] = '\0';
    const struct event *ev;
    for (size_t i = 0; (ev = lab_role_event(&r, H_LOG, i)); i++) {
        size_t len, at = strlen(all);
        const char *text = event_bytes(ev, H_LOG_TEXT, &len);
        snprintf(all + at, sizeof all - at, "%s%.*s", i ? "|" : "", (int)len, text);
    }
    events_free(r.events);
    return all;
}

static const char *failure(const char *body)
{
    static char all[4096];
    struct lab_role r = lab_role_run(body, "", 0, 0);
    CHECK(r.e.kind != ERR_NONE);
    snprintf(all, sizeof all, "%s", r.e.msg);
    events_free(r.events);
    return all;
}

TEST(tasks_run_side_by_side_and_in_order_of_time)
{
    CHECK_STR(logs("w:spawn(function() w:sleep '40ms' w:log 'late' end)\n"
                   "w:spawn(function() w:sleep '10ms' w:log 'early' end)\n"
                   "w:log 'first'",
                   0, 0),
              "first|early|late");
}

TEST(join_gives_results_errors_and_cancellation)
{
    CHECK_STR(logs("local a = w:spawn(function() w:sleep '5ms' return 1, nil, 'x' end)\n"
                   "local b = w:spawn(function() w:sleep '50ms' error({ code = 7 }) end)\n"
                   "local c = w:spawn(function() w:sleep '1h' end)\n"
                   "w:log('%s', table.concat({ tostring(select(2, a:join())), tostring(select('#', "
                   "a:join())) }, ','))\n"
                   "local ok, e = b:join() w:log('%s %s', ok, e.code)\n"
                   "c:cancel() local ok2, why = c:join() w:log('%s %s', ok2, tostring(why))",
                   0, 0),
              "1,4|nil 7|nil cancelled");
}

TEST(a_failed_task_that_nobody_joins_ends_the_role)
{
    CHECK_HAS(failure("w:spawn(function() w:sleep '5ms' local x = nil; x() end)\nw:sleep '1h'"),
              "t.lua:4: attempt to call a nil value");
}

TEST(close_variables_may_wait_when_a_task_fails_and_when_it_is_cancelled)
{
    const char *body =
        "local function guard(name) return setmetatable({}, { __close = function()\n"
        "  w:sleep '5ms' w:log(name) end }) end\n"
        "local a = w:spawn(function() local g <close> = guard 'failed' w:sleep '1ms' error 'x' "
        "end)\n"
        "local b = w:spawn(function() local g <close> = guard 'cancelled' w:sleep '1h' end)\n"
        "a:join() b:cancel() b:join() w:log 'end'";
    CHECK_STR(logs(body, 0, 0), "failed|cancelled|end");
}

TEST(waits_inside_coroutines_of_the_author_go_through)
{
    const char *body =
        "local co = coroutine.wrap(function(a)\n"
        "  w:sleep '5ms' local b = coroutine.yield(a + 1) w:sleep '5ms' return b * 2 end)\n"
        "w:log('%d', co(1)) w:log('%d', co(21))\n"
        "local gen = coroutine.create(function() w:sleep '1ms' error 'inside' end)\n"
        "local ok, why = coroutine.resume(gen) w:log('%s %s', ok, why)";
    CHECK_HAS(logs(body, 0, 0), "2|42|false t.lua:");
}

TEST(a_coroutine_that_waits_cannot_be_resumed_by_another_task)
{
    const char *body =
        "local co = coroutine.create(function() w:sleep '30ms' w:log 'slept' end)\n"
        "local t = w:spawn(function() coroutine.resume(co) end)\n"
        "w:sleep '5ms' local ok, why = coroutine.resume(co) w:log('%s', why) t:join()";
    CHECK_STR(logs(body, 0, 0), "cannot resume a coroutine that waits in another task|slept");
}

TEST(waiting_where_it_is_impossible_is_a_clear_error)
{
    CHECK_HAS(failure("table.sort({ 1, 2 }, function() w:sleep '1ms' return true end)"),
              "cannot wait inside table.sort");
    CHECK_HAS(failure("coroutine.yield(1)"), "coroutine.yield outside of a coroutine");
}

TEST(drain_cancels_what_owns_no_consumer)
{
    CHECK_STR(logs("local ok, why = pcall(w.sleep, w, '1h') w:log('%s %s', ok, why)", 20, 0),
              "false cancelled");
}

TEST(pace_follows_the_plan)
{
    CHECK_STR(logs("local n = 0 local t0 = os.clock()\n"
                   "for i = 1, 50 do w:pace(w.params.rate) n = n + 1 end w:log('%d', n)",
                   0, 0),
              "50");
}

TEST(decisions_repeat_and_depend_on_their_keys)
{
    const char *body =
        "local a, b, same = 0, 0, true\n"
        "for i = 1, 1000 do\n"
        "  local x = w:chance(0.3, 'l', i) a = a + (x and 1 or 0)\n"
        "  same = same and x == w:chance(0.3, 'l', i)\n"
        "  local n = w:int(5, 9, 'l', i) assert(n >= 5 and n <= 9) b = b + (n == 9 and 1 or 0)\n"
        "end\n"
        "w:log('%s %s %s', same, a > 220 and a < 380, b > 120 and b < 280)\n"
        "w:log('%s', w:int(math.mininteger, math.maxinteger, 'x') ~= w:int(math.mininteger, "
        "math.maxinteger, 'y'))";
    CHECK_STR(logs(body, 0, 0), "true true true|true");
}

TEST(facts_are_in_the_history)
{
    struct lab_role r =
        lab_role_run("w:emit('effect', { n = 1, s = 'a\\0b', bad = '\\xff' })\n"
                     "w:reached 'seen' w:done 'sent' w:assert(w.params.n == 7, 'sane', { x = 1 })\n"
                     "w:assert(false, 'sane')\n"
                     "local t = w:table 'mem' t.x = 5 w:log('%d', w:table('mem').x)",
                     "", 0, 0);
    CHECK_INT(r.e.kind, ERR_NONE);
    size_t len;
    const struct event *ev = lab_role_event(&r, H_EMIT, 0);
    CHECK(ev);
    json_t *j = event_json(ev);
    CHECK(j);
    CHECK_HAS((const char *)event_bytes(ev, H_EMIT_FIELDS, &len), "\"s\":\"a\\u0000b\"");
    CHECK_HAS((const char *)event_bytes(ev, H_EMIT_FIELDS, &len), "base64");
    json_decref(j);
    CHECK_STR(event_str(lab_role_event(&r, H_REACHED, 0), H_REACHED_NAME), "seen");
    CHECK_STR(event_str(lab_role_event(&r, H_DONE, 0), H_DONE_NAME), "sent");
    CHECK_INT(event_int(lab_role_event(&r, H_ASSERT, 0), H_ASSERT_OK), 1);
    CHECK_INT(event_int(lab_role_event(&r, H_ASSERT, 1), H_ASSERT_OK), 0);
    CHECK_HAS(event_str(lab_role_event(&r, H_ASSERT, 1), H_ASSERT_WHERE), "t.lua:6");
    CHECK(lab_role_event(&r, H_READY, 0));
    events_free(r.events);
}

TEST(misuse_names_the_function_and_the_fix)
{
    CHECK_HAS(failure("w:sleep(5)"), "a duration needs a unit, write \"5s\" or \"5ms\"");
    CHECK_HAS(failure("w:pace(5)"), "a rate needs a unit of time, write \"5/s\"");
    CHECK_HAS(failure("w:reached 'sen'"), "did you mean `seen`?");
    CHECK_HAS(failure("w:chance(2, 'x')"), "write 0..1");
    CHECK_HAS(failure("w:slep '1s'"), "did you mean `sleep`?");
    CHECK_HAS(failure("w.role = 'x'"), "read-only");
    CHECK_HAS(failure("w:producer { transactionl = true }"),
              "producer: unknown option `transactionl` (did you mean `transactional`?)");
    CHECK_HAS(failure("w:consumer { topics = 't', isolation = 'comitted' }"), "isolation must be");
    CHECK_HAS(failure("w:consumer { group = 'g' }"), "needs `topics`");
    CHECK_HAS(failure("w:consumer { topics = 'x' }"), "declares no topic `x`");
    CHECK_HAS(failure("w:producer { conf = { ['lingr.ms'] = 5 } }"), "linger.ms");
    CHECK_HAS(failure("w:send('t', { valu = 1 })"),
              "a record has no field `valu` (did you mean `value`?)");
    CHECK_HAS(failure("w:send('t', { value = {} })"), "declare the topic with value = \"json\"");
    CHECK_HAS(failure("w:send('j', { value = print })"), "a function cannot be JSON");
}
