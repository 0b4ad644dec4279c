/* SPDX-License-Identifier: Apache-2.0 */
/* Role processes without a broker. */
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "lab.h"
#include "role/proto.h"

static const char *text(const char *body)
{
    return lab_text("scenario \"t\" { topics = { t = {} },\n"
                    "roles = { r = function(w)\n%s\nend }, expect = { sometimes \"seen\" } }\n",
                    body);
}

static struct lab_role run(const char *body)
{
    return lab_spawn(&(struct lab_start){.text = text(body), .role = "r"});
}

TEST_LIMIT(a_role_that_returns_exits_with_0_and_says_done, 20)
{
    struct lab_role r = run("w:reached 'seen' w:sleep '10ms'");
    CHECK_INT(lab_wait(&r), ROLE_EXIT_OK);
    struct events *es = lab_events();
    CHECK_STR(event_str(lab_find(es, "r", H_RETURNED, 0), H_RETURNED_WHY), "done");
    CHECK_INT(lab_count(es, "r", H_REACHED, -1), 1);
    CHECK(es->procs[0].closed);
    events_free(es);
}

TEST_LIMIT(a_lua_error_is_an_event_with_its_place, 20)
{
    struct lab_role r = run("local m = {}\nw:sleep '1ms'\nlocal x = m.kay.id");
    CHECK_INT(lab_wait(&r), ROLE_EXIT_LUA);
    struct events *es = lab_events();
    const struct event *ev = lab_find(es, "r", H_ERROR, 0);
    CHECK(ev != NULL);
    CHECK_STR(event_str(ev, H_ERROR_WHERE), "t.lua:5");
    CHECK_HAS(lab_stderr(), "attempt to index a nil value (field 'kay')");
    CHECK_HAS(lab_stderr(), "stack traceback");
    events_free(es);
}

TEST_LIMIT(a_wrong_property_name_is_broken_set_up, 20)
{
    struct lab_role r = run("w:producer { conf = { ['lingr.ms'] = 1 } }");
    CHECK_INT(lab_wait(&r), ROLE_EXIT_BROKEN);
    CHECK_HAS(lab_stderr(), "lingr.ms");
}

TEST_LIMIT(drain_cancels_and_stop_returns, 20)
{
    struct lab_role r =
        run("local ok, why = pcall(w.sleep, w, '1h') w:log('%s', why) w:sleep '20ms'");
    lab_until("r", H_READY, -1, 1);
    lab_frame(&r, ROLE_DRAIN, "");
    CHECK_INT(lab_wait(&r), ROLE_EXIT_OK);
    struct events *es = lab_events();
    CHECK_INT(lab_count(es, "r", H_LOG, -1), 1);
    events_free(es);
}

TEST_LIMIT(started_in_the_drain_a_source_is_cancelled_and_a_consumer_goes_on, 30)
{
    struct lab_role source =
        lab_spawn(&(struct lab_start){.text = text("w:sleep '1h'"), .role = "r", .draining = true});
    struct lab_role reader = lab_spawn(&(struct lab_start){
        .text = text("for m in w:consumer { topics = 't', group = 'g' }:messages() do end"),
        .role = "r",
        .incarnation = 2,
        .draining = true});
    CHECK_INT(lab_wait(&source), ROLE_EXIT_OK);
    CHECK_INT(kill(reader.pid, 0), 0);
    lab_frame(&reader, ROLE_STOP, "");
    CHECK_INT(lab_wait(&reader), ROLE_EXIT_OK);
    struct events *es = lab_events();
    CHECK_STR(event_str(lab_find(es, "r", H_RETURNED, 0), H_RETURNED_WHY), "done");
    CHECK_STR(event_str(lab_find(es, "r", H_RETURNED, 1), H_RETURNED_WHY), "stopped");
    events_free(es);
}

TEST_LIMIT(what_ignores_stop_is_cancelled_in_the_end, 30)
{
    struct lab_role r = run("while true do pcall(w.sleep, w, '1h') if w:chance(1, 'x') then end "
                            "w:log 'again' w:sleep '1h' end");
    lab_until("r", H_READY, -1, 1);
    lab_frame(&r, ROLE_STOP, "");
    CHECK_INT(lab_wait(&r), ROLE_EXIT_OK);
    struct events *es = lab_events();
    CHECK_STR(event_str(lab_find(es, "r", H_RETURNED, 0), H_RETURNED_WHY), "stopped");
    events_free(es);
}

TEST_LIMIT(exit_leaves_politely, 20)
{
    struct lab_role r = run("w:sleep '1h'");
    lab_until("r", H_READY, -1, 1);
    lab_frame(&r, ROLE_FAULT, "{\"do\":\"exit\",\"fault\":3}");
    CHECK_INT(lab_wait(&r), ROLE_EXIT_OK);
    struct events *es = lab_events();
    CHECK_STR(event_str(lab_find(es, "r", H_RETURNED, 0), H_RETURNED_WHY), "exit");
    CHECK_INT(event_int(lab_find(es, "r", H_FAULT, 0), H_FAULT_FAULT), 3);
    events_free(es);
}

TEST_LIMIT(frames_that_are_not_sound_end_the_role_with_a_reason, 20)
{
    struct lab_role r = lab_spawn(&(struct lab_start){.text = "scenario(", .role = "r"});
    CHECK_INT(lab_wait(&r), ROLE_EXIT_LUA);
    CHECK_HAS(lab_stderr(), "t.lua:1");
    r = lab_spawn(&(struct lab_start){.text = text(""), .role = "nosuch", .incarnation = 2});
    CHECK_INT(lab_wait(&r), ROLE_EXIT_LUA);
    CHECK_HAS(lab_stderr(), "has no role `nosuch`");
}

TEST_LIMIT(a_role_ends_with_its_runner, 20)
{
    struct lab_role r = run("w:sleep '1h'");
    lab_until("r", H_READY, -1, 1);
    close(r.control);
    r.control = dup(1);
    CHECK_INT(lab_wait(&r), ROLE_EXIT_BROKEN);
}
