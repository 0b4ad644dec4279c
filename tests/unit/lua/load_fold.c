/* SPDX-License-Identifier: Apache-2.0 */
/* Invariants and id functions, as the checker calls them. */
#include "load_util.h"

#define SCENARIO(preds)                                                                            \
    "local limit = { n = 3 }\n"                                                                    \
    "scenario 't' { topics = { x = { value = 'json' }, y = {} }, roles = { a = function() end "    \
    "},\n"                                                                                         \
    "expect = { " preds " } }\n"

struct fixture {
    struct load *l;
    struct fold_ops ops;
    struct err e;
    struct fold_violation v;
};

static struct fixture open_folds(const char *text)
{
    struct fixture f = {.l = util_load(text)};
    struct plan *p = load_plan(f.l, 0, NULL, &f.e);
    CHECK(p);
    plan_free(p);
    load_folds(f.l, 0, &f.ops);
    return f;
}

static int step(struct fixture *f, int fold, const char *event)
{
    json_t *j = json_loads(event, 0, NULL);
    CHECK(j);
    int rc = f->ops.step(f->ops.arg, fold, j, &f->v, &f->e);
    json_decref(j);
    return rc;
}

static void close_violation(struct fixture *f)
{
    free(f->v.message);
    json_decref(f->v.events);
    f->v = (struct fold_violation){0};
}

#define SORTED                                                                                     \
    SCENARIO("always 'sorted' { invariant 'in order' { on = 'e',\n"                                \
             "init = function() return { last = {} } end,\n"                                       \
             "step = function(s, ev)\n"                                                            \
             "  local prev = s.last[ev.key]\n"                                                     \
             "  s.last[ev.key] = ev\n"                                                             \
             "  if prev and prev.seq >= ev.seq then\n"                                             \
             "    return violation('seq %d after %d', ev.seq, prev.seq, { prev, ev })\n"           \
             "  end\n"                                                                             \
             "end,\n"                                                                              \
             "final = function(s)\n"                                                               \
             "  local n = 0 for _ in pairs(s.last) do n = n + 1 end\n"                             \
             "  if n > limit.n then return violation('%d keys', n) end\n"                          \
             "end } }")

TEST(an_invariant_folds_events_and_names_its_evidence)
{
    struct fixture f = open_folds(SORTED);
    CHECK_STR(f.ops.on(f.ops.arg, 0), "e");
    CHECK_STR(f.ops.name(f.ops.arg, 0), "in order");
    CHECK_INT(f.ops.begin(f.ops.arg, 0, &f.e), 0);
    CHECK_INT(step(&f, 0, "{\"key\":\"k\",\"seq\":2,\"event\":\"1:1\"}"), 0);
    CHECK(!f.v.message && !f.v.events);
    CHECK_INT(step(&f, 0, "{\"key\":\"l\",\"seq\":1,\"event\":\"1:2\"}"), 0);
    CHECK(!f.v.message);
    CHECK_INT(step(&f, 0, "{\"key\":\"k\",\"seq\":1,\"event\":\"1:3\",\"time\":123}"), 0);
    CHECK_STR(f.v.message, "seq 1 after 2");
    CHECK_INT(json_array_size(f.v.events), 2);
    CHECK_STR(json_string_value(json_object_get(json_array_get(f.v.events, 0), "event")), "1:1");
    CHECK_INT(json_integer_value(json_object_get(json_array_get(f.v.events, 1), "time")), 123);
    close_violation(&f);
    CHECK_INT(f.ops.final(f.ops.arg, 0, &f.v, &f.e), 0);
    CHECK(!f.v.message);
    load_free(f.l);
}

TEST(each_begin_is_a_fresh_state)
{
    struct fixture f = open_folds(SORTED);
    for (int round = 0; round < 3; round++) {
        CHECK_INT(f.ops.begin(f.ops.arg, 0, &f.e), 0);
        CHECK_INT(step(&f, 0, "{\"key\":\"k\",\"seq\":2}"), 0);
        CHECK(!f.v.message);
    }
    for (int i = 0; i < 4; i++) {
        char event[64];
        snprintf(event, sizeof event, "{\"key\":\"k%d\",\"seq\":2}", i);
        CHECK_INT(step(&f, 0, event), 0);
    }
    CHECK_INT(f.ops.final(f.ops.arg, 0, &f.v, &f.e), 0);
    CHECK_STR(f.v.message, "5 keys");
    CHECK(json_is_array(f.v.events));
    CHECK_INT(json_array_size(f.v.events), 0);
    close_violation(&f);
    load_free(f.l);
}

static void check_step_fails(const char *body, const char *want)
{
    char text[1024];
    snprintf(text, sizeof text,
             SCENARIO("always 'i' { invariant 'i' { on = 'e', step = function(s, ev) %s end } }"),
             body);
    struct fixture f = open_folds(text);
    CHECK_INT(f.ops.begin(f.ops.arg, 0, &f.e), 0);
    CHECK_INT(step(&f, 0, "{}"), -1);
    CHECK_HAS(f.e.msg, want);
    CHECK(!f.v.message && !f.v.events);
    /* It can be called again. */
    CHECK_INT(step(&f, 0, "{}"), -1);
    load_free(f.l);
}

TEST_LIMIT(errors_of_an_invariant_are_reported, 60)
{
    check_step_fails("return s.x.y", "t.lua:3: attempt to index a nil value (field 'x')");
    check_step_fails("return 'wrong'", "step returned a string; return violation(...) or nothing");
    check_step_fails("return { message = 'x', events = {} }", "step returned a table");
    check_step_fails("return math.random(5)", "math.random() while judging");
    check_step_fails("return os.time()", "os.time() while judging");
    check_step_fails("limit.n = 4", "`limit` is a file-level table seen by invariant i");
    check_step_fails("while true do end", "this function takes too long");
    check_step_fails("while true do pcall(error) end", "this function takes too long");
    check_step_fails("local function r() return 1 + r() end r()", "stack overflow");
    check_step_fails("return violation('%d', 'x')", "violation: ");
    check_step_fails("error(setmetatable({}, { __tostring = function() return 'own' end }))",
                     "own");
}

TEST(a_state_of_nil_and_an_unbegun_fold_are_errors)
{
    struct fixture f = open_folds(SCENARIO("always 'i' { invariant 'i' { on = 'e',"
                                           "init = function() end, step = function() end } }"));
    CHECK_INT(step(&f, 0, "{}"), -1);
    CHECK_HAS(f.e.msg, "has not begun");
    CHECK_INT(f.ops.begin(f.ops.arg, 0, &f.e), -1);
    CHECK_HAS(f.e.msg, "init returned nil");
    CHECK_INT(f.ops.begin(f.ops.arg, 9, &f.e), -1);
    load_free(f.l);
}

TEST(events_keep_integers_bytes_and_nesting)
{
    struct fixture f = open_folds(SCENARIO(
        "always 'i' { invariant 'i' { on = 'e', step = function(s, ev)\n"
        "assert(ev.big == 9223372036854775807 and ev.f == 1.5 and ev.t == true and ev.n == nil)\n"
        "assert(ev.bin == '\\xff\\0\\x01' and ev.list[2].a == 'x' and ev.not64.base64 == '*')\n"
        "return violation('all', ev) end } }"));
    CHECK_INT(f.ops.begin(f.ops.arg, 0, &f.e), 0);
    if (step(&f, 0,
             "{\"big\":9223372036854775807,\"f\":1.5,\"t\":true,\"n\":null,\"event\":\"3:4\","
             "\"bin\":{\"base64\":\"/wAB\"},\"list\":[1,{\"a\":\"x\"}],"
             "\"not64\":{\"base64\":\"*\"}}")) {
        test_fail(__FILE__, __LINE__, "%s", f.e.msg);
    }
    CHECK_STR(f.v.message, "all");
    const json_t *ev = json_array_get(f.v.events, 0);
    CHECK_INT(json_integer_value(json_object_get(ev, "big")), INT64_MAX);
    CHECK_STR(json_string_value(json_object_get(json_object_get(ev, "bin"), "base64")), "/wAB");
    close_violation(&f);
    load_free(f.l);
}

static int id_of(struct fixture *f, const char *topic, const char *key, const char *value,
                 struct buf *out)
{
    struct fold_message m = {.topic = topic,
                             .partition = 2,
                             .offset = 518,
                             .timestamp_ms = 99,
                             .key = key,
                             .key_len = key ? strlen(key) : 0,
                             .value = value,
                             .value_len = value ? strlen(value) : 0};
    out->len = 0;
    return f->ops.id(f->ops.arg, 0, &m, out, &f->e);
}

TEST(an_id_function_sees_the_decoded_record)
{
    struct fixture f =
        open_folds(SCENARIO("no_loss { from = 'x', to = 'y', id = function(m)\n"
                            "if m.topic == 'y' then return m.value end\n"
                            "if m.value == nil then return nil end\n"
                            "assert(m.partition == 2 and m.offset == 518 and m.timestamp == 99)\n"
                            "return m.value.n or m.key end }"));
    struct buf out = {0};
    CHECK_INT(id_of(&f, "x", "k", "{\"n\":12345678901234567}", &out), 0);
    CHECK_STR(out.data, "12345678901234567");
    CHECK_INT(id_of(&f, "x", "k", "{}", &out), 0);
    CHECK_STR(out.data, "k");
    CHECK_INT(id_of(&f, "y", NULL, "{\"n\":1}", &out), 0);
    CHECK_STR(out.data, "{\"n\":1}");
    CHECK_INT(id_of(&f, "x", "k", NULL, &out), 1);
    CHECK_INT(id_of(&f, "x", NULL, "{}", &out), 1);
    /* What the codec cannot read has no id; the check for content is another one. */
    CHECK_INT(id_of(&f, "x", "k", "{\"n\":", &out), 1);
    CHECK_INT(out.len, 0);
    buf_free(&out);
    load_free(f.l);
}

TEST(errors_of_an_id_function_name_the_record)
{
    struct fixture f = open_folds(
        SCENARIO("no_loss { from = 'x', to = 'y', id = function(m) return m.value.a.b end }"));
    struct buf out = {0};
    CHECK_INT(id_of(&f, "x", "k", "{}", &out), -1);
    CHECK_HAS(f.e.msg, "id of x[2]@518: t.lua:3: attempt to index a nil value (field 'a')");
    CHECK_INT(id_of(&f, "x", "k", "{\"a\":{\"b\":[]}}", &out), -1);
    CHECK_HAS(f.e.msg, "an id function returned a table");
    buf_free(&out);
    load_free(f.l);
}
