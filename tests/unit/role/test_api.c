/* SPDX-License-Identifier: Apache-2.0 */
/* What scenario authors can do with clients, each on a real broker. A body gets `w` and the topics
 * `b` (bytes, 2 partitions) and `j` (json); what it logs is what is compared. */
#include "lab.h"
#include "role/proto.h"

static const char *logs_of(const struct events *es)
{
    static char all[8192];
    const struct event *ev;
    all[0] = '\0';
    for (size_t i = 0; (ev = lab_find(es, "r", H_LOG, i)); i++) {
        size_t len, at = strlen(all);
        const char *text = event_bytes(ev, H_LOG_TEXT, &len);
        snprintf(all + at, sizeof all - at, "%s%.*s", i ? "|" : "", (int)len, text);
    }
    return all;
}

/* Runs the body to its end. @return its log lines */
static const char *run_with(const char *body, struct events **events)
{
    const char *b = lab_name("b"), *j = lab_name("j");
    lab_topic(b, 2);
    lab_topic(j, 1);
    const char *text =
        lab_text("local b, j, g = \"%s\", \"%s\", \"%s\"\n"
                 "scenario \"t\" { topics = { [b] = { partitions = 2 },\n"
                 "[j] = { value = \"json\" } }, roles = { r = function(w)\n%s\nend },\n"
                 "expect = { sometimes \"x\" } }\n",
                 b, j, lab_name("g"), body);
    struct lab_role r =
        lab_spawn(&(struct lab_start){.text = text, .role = "r", .bootstrap = lab_bootstrap()});
    int code = lab_wait(&r);
    if (code != ROLE_EXIT_OK) {
        test_fail(__FILE__, __LINE__, "exit %d: %s", code, lab_stderr());
    }
    struct events *es = lab_events();
    const char *all = logs_of(es);
    if (events) {
        *events = es;
    } else {
        events_free(es);
    }
    return all;
}

static const char *run(const char *body)
{
    return run_with(body, NULL);
}

TEST_LIMIT(bytes_survive_null_and_empty_included, 40)
{
    CHECK_STR(
        run("local p = w:producer {}\n"
            "p:send(b, { key = 'a\\0b', value = '\\xff\\0', partition = 0, timestamp = "
            "1234567890123,\n"
            "  headers = { { 'h', '1' }, { 'h' }, { 'e', '' }, { 'h', 3 } } })\n"
            "p:send(b, { partition = 0 }) p:send(b, { key = '', value = '', partition = 0 })\n"
            "p:send(b, { key = 1 << 62, value = -5, partition = 0 })\n"
            "assert(p:flush())\n"
            "local n = 0\n"
            "for m in w:messages(b) do n = n + 1\n"
            "  w:log('%s %q %q %d', tostring(m):match '%[.*', m.key, m.value, #m.headers)\n"
            "  if n == 1 then w:log('%d %s %s %s %q %q', m.timestamp, m:header 'h', "
            "m.headers[2][2],\n"
            "    m.headers[1][2], m.headers[3][2], m:header 'none') end\n"
            "  if n == 4 then break end end"),
        "[0]@0 \"a\\0b\" \"\xff\\0\" 4|1234567890123 3 nil 1 \"\" nil|[0]@1 nil nil 0|[0]@2 \"\" "
        "\"\" 0|"
        "[0]@3 \"4611686018427387904\" \"-5\" 0");
}

TEST_LIMIT(json_survives_64_bits_and_nesting, 40)
{
    CHECK_STR(
        run("assert(w:send(j, { value = { id = math.maxinteger, neg = math.mininteger, f = 0.1,\n"
            "  list = { 1, { x = true } }, s = 'é\\n\"', e = {} } }))\n"
            "assert(w:send(j, { value = 'text' })) assert(w:send(j, { value = 7 })) "
            "assert(w:send(j, {}))\n"
            "local n = 0\n"
            "for m in w:messages(j) do n = n + 1 local v = m.value\n"
            "  if n == 1 then w:log('%s %s %s %s %s %s', v.id == math.maxinteger, v.neg == "
            "math.mininteger,\n"
            "    v.f == 0.1, v.list[2].x, v.s == 'é\\n\"', next(v.e)) \n"
            "  else w:log('%s %s', v, math.type(v)) end\n"
            "  if n == 4 then break end end"),
        "true true true true true nil|text nil|7 integer|nil nil");
}

TEST_LIMIT(messages_are_handed_on_with_key_value_and_headers, 40)
{
    struct events *es;
    CHECK_STR(
        run_with(
            "local p = w:producer { transactional = true }\n"
            "local q = w:producer {}\n"
            "q:send(b, { key = 'k', value = 'v', headers = { { 'a', 'b' } }, partition = 1 }) "
            "q:flush()\n"
            "local c = w:consumer { topics = { b, j }, group = g }\n"
            "for m in c:messages() do\n"
            "  if m.topic == j then w:log('%s %s %d', m.key, m:header 'a', #m.headers) break end\n"
            "  local tx <close> = p:begin(c) tx:send(j, m) assert(tx:commit()) end",
            &es),
        "k b 1");
    const struct event *ev = lab_find(es, "r", H_SEND, 1);
    CHECK_INT(event_int(ev, H_SEND_SRC_PARTITION), 1);
    CHECK_INT(event_int(ev, H_SEND_SRC_OFFSET), 0);
    CHECK_INT(event_int(ev, H_SEND_TXN), 1);
    CHECK_INT(event_int(ev, H_SEND_SEQ), 2);
    events_free(es);
}

TEST_LIMIT(positions_can_be_set_read_paused_and_committed, 60)
{
    CHECK_STR(
        run("local p = w:producer {} for i = 0, 9 do p:send(b, { value = i, partition = 0 }) end "
            "p:flush()\n"
            "local c = w:consumer { topics = b, group = g }\n"
            "local n, last = 0, nil\n"
            "for m in c:messages() do n = n + 1 last = m.value if n == 5 then break end end\n"
            "w:log('%s %s %s', last, c:position(b, 0), c:committed(b, 0))\n"
            "assert(c:commit()) w:log('%s', c:committed(b, 0))\n"
            "assert(c:seek(b, 0, 1)) for m in c:messages() do w:log('%s', m.value) break end\n"
            "assert(c:seek(b, 0, 'committed')) for m in c:messages() do w:log('%s', m.value) break "
            "end\n"
            "assert(c:commit { { b, 0, 2 } }) w:log('%s', c:committed(b, 0))\n"
            "assert(c:pause(b, 0)) assert(c:resume(b, 0)) assert(c:pause())\n"
            "local ok, e = c:pause(b, 99) w:log('%s %s', ok, e.code) c:close()\n"
            "w:log('%s', select(2, pcall(c.commit, c)):match 'consumer is closed')"),
        "4 5 nil|5|1|5|2|nil _UNKNOWN_PARTITION|consumer is closed");
}

TEST_LIMIT(a_paused_partition_is_silent_and_loses_nothing, 60)
{
    CHECK_STR(
        run("local p = w:producer {} for i = 0, 9 do p:send(b, { value = i, partition = 0 }) end\n"
            "for i = 10, 19 do p:send(b, { value = i, partition = 1 }) end p:flush()\n"
            "local c = w:consumer { topics = b, group = g }\n"
            "local n, seen, paused = 0, {}, nil\n"
            "for m in c:messages() do n = n + 1 seen[m.value] = (seen[m.value] or 0) + 1\n"
            "  if n == 3 then paused = m.partition assert(c:pause(b, paused))\n"
            "    w:log('%s', c:position(b, paused) == m.offset + 1) end\n"
            "  if n > 3 and n <= 13 - 3 then assert(m.partition ~= paused) end\n"
            "  if n == 10 then w:sleep '50ms' assert(c:resume()) end\n"
            "  if n == 20 then break end end\n"
            "local all = true for i = 0, 19 do all = all and seen[tostring(i)] == 1 end "
            "w:log('%s', all)"),
        "true|true");
}

TEST_LIMIT(leaving_the_scope_aborts_and_rewinds, 60)
{
    struct events *es;
    CHECK_STR(
        run_with(
            "local p = w:producer { transactional = true }\n"
            "local q = w:producer {} for i = 0, 3 do q:send(b, { value = i, partition = 0 }) end "
            "q:flush()\n"
            "local c = w:consumer { topics = b, group = g }\n"
            "local round = 0\n"
            "for batch in c:batches { max = 4, wait = '1s' } do round = round + 1\n"
            "  w:log('%d %s', #batch, batch[1].value)\n"
            "  local ok, why = pcall(function() local tx <close> = p:begin(c)\n"
            "    tx:send(j, { value = 1 }) if round == 1 then error('no', 0) end\n"
            "    if round == 2 then return end if round == 3 then assert(tx:abort()) return end\n"
            "    assert(tx:commit()) end)\n"
            "  if not ok then w:log('%s', why) end\n"
            "  if round == 4 then break end end\n"
            "w:log('%s', c:committed(b, 0))",
            &es),
        "4 0|no|4 0|4 0|4 0|4");
    CHECK_INT(lab_count(es, "r", H_TXN_ABORT, HP_OK), 3);
    CHECK_INT(lab_count(es, "r", H_TXN_COMMIT, HP_OK), 1);
    CHECK_STR(event_str(lab_find(es, "r", H_TXN_ABORT, 0), H_TXN_ABORT_WHY), "closed");
    events_free(es);
}

TEST_LIMIT(wrong_applications_can_be_written, 60)
{
    CHECK_STR(run("local q = w:producer {} for i = 0, 5 do q:send(b, { value = i, partition = 0 }) "
                  "end q:flush()\n"
                  "local c = w:consumer { topics = b, group = g }\n"
                  "local p = w:producer { transactional = true, rewind = false }\n"
                  "local round = 0\n"
                  "for batch in c:batches { max = 2, wait = '1s' } do round = round + 1\n"
                  "  w:log('%s', batch[1].value)\n"
                  "  local tx <close> = p:begin(c)\n"
                  "  if round == 1 then tx:abort() end\n"
                  "  if round == 2 then assert(tx:commit { offsets = { { b, 0, batch[2].offset } } "
                  "}) end\n"
                  "  if round == 3 then assert(tx:commit { offsets = {} }) break end end\n"
                  "w:log('%s', c:committed(b, 0))"),
              "0|2|4|3");
}

TEST_LIMIT(a_default_consumer_commits_after_the_body, 60)
{
    const char *b = lab_name("b");
    lab_topic(b, 1);
    const char *text =
        lab_text("scenario \"%s\" { topics = { [\"%s\"] = {} }, roles = { s = function(w)\n"
                 "for i = 1, 20 do w:send(\"%s\", { value = i }) end end,\n"
                 "r = { count = 2, run = function(w)\n"
                 "for m in w:messages \"%s\" do w:log(\"%%s\", m.value) end end } },\n"
                 "expect = { sometimes \"x\" } }\n",
                 "t", b, b, b);
    struct lab_start s = {.text = text, .role = "s", .bootstrap = lab_bootstrap()};
    struct lab_role r = lab_spawn(&s);
    CHECK_INT(lab_wait(&r), ROLE_EXIT_OK);
    s.role = "r";
    r = lab_spawn(&s);
    lab_until("r", H_LOG, -1, 20);
    lab_until("r", H_COMMIT, HP_OK, 1);
    lab_frame(&r, ROLE_STOP, "");
    CHECK_INT(lab_wait(&r), ROLE_EXIT_OK);
    struct events *es = lab_events();
    int64_t last = -1;
    const struct event *ev;
    for (size_t i = 0; (ev = lab_find(es, "r", H_COMMIT, i)); i++) {
        last = ev->phase == HP_INVOKE ? event_int(ev, H_COMMIT_OFFSET) : last;
    }
    CHECK_INT(last, 20);
    CHECK_STR(event_str(lab_find(es, "r", H_COMMIT, 0), H_COMMIT_GROUP), "t-r");
    events_free(es);
}

TEST_LIMIT(callbacks_of_rebalances_may_wait, 60)
{
    struct events *es;
    CHECK_STR(run_with("local q = w:producer {} for i = 0, 5 do q:send(b, { value = i, partition = "
                       "0 }) end q:flush()\n"
                       "local c c = w:consumer { topics = b, group = g,\n"
                       "  on_assign = function(ps) w:sleep '20ms' w:log('assign %d %s', #ps, "
                       "ps[1][1] == b) end,\n"
                       "  on_revoke = function(ps) w:log('revoke %d', #ps) end }\n"
                       "for m in c:messages() do w:log('%s', m.value) break end c:close()",
                       &es),
              "assign 2 true|0");
    events_free(es);
}

TEST_LIMIT(many_sends_wait_for_room_and_all_have_an_outcome, 60)
{
    struct events *es;
    CHECK_STR(
        run_with("local p = w:producer { conf = { ['queue.buffering.max.messages'] = 500 } }\n"
                 "local ticks = 0 local t = w:spawn(function() while true do w:sleep '1ms' ticks = "
                 "ticks + 1 end end)\n"
                 "for i = 1, 20000 do assert(p:send(b, { key = i, value = i })) end\n"
                 "assert(p:flush()) t:cancel() w:log('%s', ticks > 2)",
                 &es),
        "true");
    CHECK_INT(lab_sum(es, "r", H_SEND, -1, H_SEND_COUNT), 20000);
    CHECK_INT(lab_sum(es, "r", H_ACK, HP_OK, H_ACK_COUNT), 20000);
    events_free(es);
}

TEST_LIMIT(what_cannot_be_delivered_is_an_error_value, 60)
{
    struct events *es;
    CHECK_HAS(run_with("local p = w:producer { conf = { ['message.max.bytes'] = 2000 } }\n"
                       "local ok, e = p:send(b, { value = ('x'):rep(5000) })\n"
                       "w:log('%s %s %s', ok, e.code, e.kind)\n"
                       "local n, why = w:send(b, { value = 1, partition = 77 })\n"
                       "w:log('%s %s', n, why.code)",
                       &es),
              "nil MSG_SIZE_TOO_LARGE broker|nil _UNKNOWN_PARTITION");
    CHECK_INT(lab_sum(es, "r", H_ACK, HP_FAIL, H_ACK_COUNT), 2);
    events_free(es);
}
