/* SPDX-License-Identifier: Apache-2.0 */
/* Role processes on a real broker. */
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "lab.h"
#include "plan/plan.h"
#include "role/proto.h"

/* A controller that sends ids and reads the output, a worker that copies; %s: input, output. */
static const char *eos_text(const char *in, const char *out, const char *group, const char *fault)
{
    return lab_text(
        "scenario \"t\" {\n"
        "topics = { [\"%s\"] = { partitions = 2 }, [\"%s\"] = { partitions = 2 } },\n"
        "roles = {\n"
        "controller = function(c)\n"
        "  local producer = c:producer { idempotent = true }\n"
        "  local consumer = c:consumer { topics = \"%s\", isolation = \"read_committed\" }\n"
        "  c:spawn(function()\n"
        "    for n = 1, 200 do producer:send(\"%s\", { key = n %% 16, value = n }) c:pace "
        "\"400/s\" end\n"
        "    assert(producer:flush()) c:done \"sent\" end)\n"
        "  for m in consumer:messages() do c:log(\"got %%s\", m.value) end\n"
        "end,\n"
        "worker = { run = function(w)\n"
        "  local consumer = w:consumer { group = \"%s\", topics = \"%s\" }\n"
        "  local producer = w:producer { transactional = \"%s\" }\n"
        "  for batch in consumer:batches { max = 10, wait = \"50ms\" } do\n"
        "    local tx <close> = producer:begin(consumer)\n"
        "    for _, m in ipairs(batch) do tx:send(\"%s\", { from = m, key = m.key, value = m.value "
        "}) end\n"
        "    local ok, why = tx:commit()\n"
        "    if not ok then w:log(\"aborted: %%s %%s\", why, why.code) end\n"
        "  end\n"
        "end, count = 2 } },\n"
        "faults = { %s },\n"
        "expect = { sometimes \"x\" } }\n",
        in, out, out, in, group, in, group, out, fault);
}

/* Every id from 1 to n exactly once among the lines "got N" of the controller? */
static void check_exactly_once(const struct events *es, int n)
{
    int *seen = xcalloc((size_t)n + 1, sizeof *seen);
    const struct event *ev;
    for (size_t i = 0; (ev = lab_find(es, "controller", H_LOG, i)); i++) {
        size_t len;
        const char *text = event_bytes(ev, H_LOG_TEXT, &len);
        char line[64];
        snprintf(line, sizeof line, "%.*s", (int)len, text);
        if (strncmp(line, "got ", 4) == 0) {
            long id = strtol(line + 4, NULL, 10);
            CHECK(id >= 1 && id <= n);
            seen[id]++;
        }
    }
    for (int i = 1; i <= n; i++) {
        if (seen[i] != 1) {
            test_fail(__FILE__, __LINE__, "id %d came %d times", i, seen[i]);
        }
    }
    free(seen);
}

static void until_got(size_t n)
{
    lab_until("controller", H_LOG, -1, n);
}

TEST_LIMIT(controller_and_worker_copy_exactly_once, 60)
{
    const char *in = lab_name("in"), *out = lab_name("out"), *group = lab_name("g");
    const char *text = eos_text(in, out, group, "");
    lab_topic(in, 2);
    lab_topic(out, 2);
    struct lab_role w = lab_spawn(
        &(struct lab_start){.text = text, .role = "worker", .bootstrap = lab_bootstrap()});
    struct lab_role c = lab_spawn(
        &(struct lab_start){.text = text, .role = "controller", .bootstrap = lab_bootstrap()});
    until_got(200);
    lab_frame(&c, ROLE_DRAIN, "");
    lab_frame(&w, ROLE_DRAIN, "");
    lab_frame(&c, ROLE_STOP, "");
    lab_frame(&w, ROLE_STOP, "");
    CHECK_INT(lab_wait(&w), ROLE_EXIT_OK);
    CHECK_INT(lab_wait(&c), ROLE_EXIT_OK);
    struct events *es = lab_events();
    check_exactly_once(es, 200);
    CHECK_INT(lab_sum(es, "controller", H_SEND, -1, H_SEND_COUNT), 200);
    CHECK_INT(lab_sum(es, "controller", H_ACK, HP_OK, H_ACK_COUNT), 200);
    CHECK_INT(lab_sum(es, "controller", H_DELIVER, -1, H_DELIVER_COUNT), 200);
    CHECK_INT(lab_sum(es, "worker", H_DELIVER, -1, H_DELIVER_COUNT), 200);
    CHECK_INT(lab_sum(es, "worker", H_ACK, HP_OK, H_ACK_COUNT), 200);
    CHECK(lab_count(es, "worker", H_TXN_COMMIT, HP_OK) > 0);
    CHECK_INT(lab_count(es, "worker", H_TXN_COMMIT, HP_OK),
              lab_count(es, "worker", H_TXN_BEGIN, HP_OK));
    CHECK(lab_count(es, "worker", H_ASSIGN, -1) == 2);
    CHECK(lab_count(es, "worker", H_REVOKE, -1) == 2);
    CHECK_INT(lab_count(es, "controller", H_DONE, -1), 1);
    events_free(es);
}

static void stop(struct lab_role *r)
{
    lab_frame(r, ROLE_DRAIN, "");
    lab_frame(r, ROLE_STOP, "");
    if (lab_wait(r) != ROLE_EXIT_OK) {
        test_fail(__FILE__, __LINE__, "a role did not stop well: %s", lab_stderr());
    }
}

/* One worker dies once at the point, its successor goes on; nothing is lost or doubled. */
static void die_at(enum plan_point point)
{
    const char *in = lab_name("in"), *out = lab_name("out"), *group = lab_name("g");
    char fault[128];
    snprintf(fault, sizeof fault, "crash { role = \"worker\", p = 1.0, point = \"%s\", max = 1 }",
             plan_point_name(point));
    const char *text = eos_text(in, out, group, fault);
    lab_topic(in, 2);
    lab_topic(out, 2);
    struct lab_start ws = {.text = text,
                           .role = "worker",
                           .bootstrap = lab_bootstrap(),
                           .faults_on = true,
                           .deliveries = true,
                           .seed = 7};
    struct lab_role w = lab_spawn(&ws);
    struct lab_role c = lab_spawn(
        &(struct lab_start){.text = text, .role = "controller", .bootstrap = lab_bootstrap()});
    if (point >= POINT_ANY_N) {
        char again[200];
        lab_until("worker", H_DRAW, -1, 1);
        snprintf(again, sizeof again, "{\"do\":\"rebalance\",\"fault\":0,\"group\":\"%s\"}", group);
        lab_frame(&w, ROLE_FAULT, again);
    }
    CHECK_INT(lab_wait(&w), -SIGKILL);
    ws.incarnation = 2;
    w = lab_spawn(&ws);
    until_got(200);
    stop(&c);
    stop(&w);
    struct events *es = lab_events();
    check_exactly_once(es, 200);
    CHECK_INT(lab_count(es, "worker", H_CRASH, -1), 1);
    const struct event *crash = lab_find(es, "worker", H_CRASH, 0);
    CHECK_STR(event_str(crash, H_CRASH_POINT), plan_point_name(point));
    CHECK_STR(event_str(crash, H_CRASH_TOPIC), in);
    CHECK_INT(crash->who->incarnation, 1);
    CHECK_INT(event_int(crash, H_CRASH_DELIVERY), 1);
    CHECK(lab_count(es, "worker", H_DRAW, -1) >= 200);
    events_free(es);
}

#define DIES(name, point)                                                                          \
    TEST_LIMIT(name, 60)                                                                           \
    {                                                                                              \
        die_at(point);                                                                             \
    }
DIES(dies_after_poll, POINT_AFTER_POLL)
DIES(dies_before_send, POINT_BEFORE_SEND)
DIES(dies_after_send, POINT_AFTER_SEND)
DIES(dies_before_offsets, POINT_BEFORE_OFFSETS)
DIES(dies_after_offsets, POINT_AFTER_OFFSETS)
DIES(dies_before_commit, POINT_BEFORE_COMMIT)
DIES(dies_during_commit, POINT_DURING_COMMIT)
DIES(dies_after_commit, POINT_AFTER_COMMIT)
DIES(dies_in_on_assign, POINT_IN_ON_ASSIGN)
DIES(dies_in_on_revoke, POINT_IN_ON_REVOKE)

TEST_LIMIT(aborts_are_declared_faults_and_records_come_again, 60)
{
    const char *in = lab_name("in"), *out = lab_name("out"), *group = lab_name("g");
    const char *text = eos_text(in, out, group, "abort { role = \"worker\", p = 0.05 }");
    lab_topic(in, 2);
    lab_topic(out, 2);
    struct lab_role w = lab_spawn(&(struct lab_start){.text = text,
                                                      .role = "worker",
                                                      .bootstrap = lab_bootstrap(),
                                                      .faults_on = true,
                                                      .deliveries = true,
                                                      .seed = 11});
    struct lab_role c = lab_spawn(
        &(struct lab_start){.text = text, .role = "controller", .bootstrap = lab_bootstrap()});
    until_got(200);
    stop(&c);
    stop(&w);
    struct events *es = lab_events();
    check_exactly_once(es, 200);
    size_t n = lab_count(es, "worker", H_FAULT, -1);
    CHECK(n >= 2);
    CHECK_INT(lab_count(es, "worker", H_TXN_ABORT, HP_OK), n);
    CHECK_STR(event_str(lab_find(es, "worker", H_TXN_ABORT, 0), H_TXN_ABORT_WHY), "fault");
    CHECK(lab_count(es, "worker", H_SEEK, -1) >= n);
    size_t len;
    CHECK_HAS((const char *)event_bytes(lab_find(es, "worker", H_LOG, 0), H_LOG_TEXT, &len),
              "_KAOS_ABORT");
    events_free(es);
}

TEST_LIMIT(a_fenced_producer_ends_its_process, 60)
{
    const char *in = lab_name("in"), *out = lab_name("out");
    const char *text = eos_text(in, out, lab_name("g"), "");
    lab_topic(in, 2);
    lab_topic(out, 2);
    struct lab_start ws = {.text = text, .role = "worker", .bootstrap = lab_bootstrap()};
    struct lab_role w1 = lab_spawn(&ws);
    lab_until("worker", H_ASSIGN, -1, 1);
    ws.incarnation = 2; /* the same transactional id */
    struct lab_role w2 = lab_spawn(&ws);
    lab_until("worker", H_TXN_INIT, HP_OK, 2);
    struct lab_role c = lab_spawn(
        &(struct lab_start){.text = text, .role = "controller", .bootstrap = lab_bootstrap()});
    CHECK_INT(lab_wait(&w1), ROLE_EXIT_FENCED);
    until_got(200);
    stop(&c);
    stop(&w2);
    struct events *es = lab_events();
    check_exactly_once(es, 200);
    CHECK_INT(lab_count(es, "worker", H_ERROR, -1), 1);
    CHECK_STR(event_str(lab_find(es, "worker", H_ERROR, 0), H_ERROR_SOURCE), "kafka");
    events_free(es);
}

TEST_LIMIT(exit_abandons_the_transaction_and_leaves_the_group, 60)
{
    const char *in = lab_name("in"), *out = lab_name("out"), *group = lab_name("g");
    const char *text = eos_text(in, out, group, "");
    lab_topic(in, 2);
    lab_topic(out, 2);
    struct lab_start ws = {.text = text, .role = "worker", .bootstrap = lab_bootstrap()};
    struct lab_role w = lab_spawn(&ws);
    struct lab_role c = lab_spawn(
        &(struct lab_start){.text = text, .role = "controller", .bootstrap = lab_bootstrap()});
    lab_until("worker", H_TXN_COMMIT, HP_OK, 2);
    lab_frame(&w, ROLE_FAULT, "{\"do\":\"exit\",\"fault\":0}");
    CHECK_INT(lab_wait(&w), ROLE_EXIT_OK);
    ws.incarnation = 2;
    w = lab_spawn(&ws);
    until_got(200);
    stop(&c);
    stop(&w);
    struct events *es = lab_events();
    check_exactly_once(es, 200);
    CHECK(lab_count(es, "worker", H_REVOKE, -1) >= 4);
    events_free(es);
}

TEST_LIMIT(rebalances_lose_and_double_nothing, 60)
{
    const char *in = lab_name("in"), *out = lab_name("out"), *group = lab_name("g");
    const char *text = eos_text(in, out, group, "");
    char again[200];
    lab_topic(in, 2);
    lab_topic(out, 2);
    struct lab_role w = lab_spawn(
        &(struct lab_start){.text = text, .role = "worker", .bootstrap = lab_bootstrap()});
    struct lab_role c = lab_spawn(
        &(struct lab_start){.text = text, .role = "controller", .bootstrap = lab_bootstrap()});
    snprintf(again, sizeof again, "{\"do\":\"rebalance\",\"fault\":0,\"group\":\"%s\"}", group);
    for (size_t i = 1; i <= 3; i++) {
        lab_until("worker", H_TXN_COMMIT, HP_OK, 3 * i);
        lab_frame(&w, ROLE_FAULT, again);
        lab_until("worker", H_ASSIGN, -1, 2 * i);
    }
    until_got(200);
    stop(&c);
    stop(&w);
    struct events *es = lab_events();
    check_exactly_once(es, 200);
    CHECK(lab_count(es, "worker", H_REVOKE, -1) >= 6);
    events_free(es);
}

TEST_LIMIT(the_reader_sees_everything_committed_and_ends_at_stop, 60)
{
    const char *in = lab_name("in"), *out = lab_name("out");
    const char *text = eos_text(in, out, lab_name("g"), "");
    lab_topic(in, 2);
    lab_topic(out, 2);
    struct lab_role r = lab_spawn(
        &(struct lab_start){.role = "reader-in", .bootstrap = lab_bootstrap(), .reader_topic = in});
    struct lab_role c = lab_spawn(
        &(struct lab_start){.text = text, .role = "controller", .bootstrap = lab_bootstrap()});
    lab_until("controller", H_DONE, -1, 1);
    stop(&c);
    stop(&r);
    struct events *es = lab_events();
    CHECK_INT(lab_sum(es, "reader-in", H_DELIVER, -1, H_DELIVER_COUNT), 200);
    events_free(es);
}

TEST_LIMIT(a_worker_that_starts_during_the_drain_still_works, 60)
{
    const char *in = lab_name("in"), *out = lab_name("out");
    const char *text = eos_text(in, out, lab_name("g"), "");
    lab_topic(in, 2);
    lab_topic(out, 2);
    struct lab_role c = lab_spawn(
        &(struct lab_start){.text = text, .role = "controller", .bootstrap = lab_bootstrap()});
    lab_until("controller", H_DONE, -1, 1);
    struct lab_role w = lab_spawn(
        &(struct lab_start){.text = text, .role = "worker", .bootstrap = lab_bootstrap()});
    lab_frame(&w, ROLE_DRAIN, "");
    lab_frame(&c, ROLE_DRAIN, "");
    until_got(200);
    struct lab_role c2 = lab_spawn(&(struct lab_start){
        .text = text, .role = "controller", .incarnation = 2, .bootstrap = lab_bootstrap()});
    lab_frame(&c2, ROLE_DRAIN, "");
    lab_until("controller", H_LOG, -1, 400); /* it reads everything again, and sends nothing */
    stop(&c);
    stop(&c2);
    stop(&w);
    struct events *es = lab_events();
    CHECK_INT(lab_sum(es, "controller", H_SEND, -1, H_SEND_COUNT), 200);
    CHECK_INT(lab_sum(es, "worker", H_DELIVER, -1, H_DELIVER_COUNT), 200);
    events_free(es);
}

static void count_delivered(void *arg, const struct event *ev)
{
    int64_t *n = arg;
    if (ev->kind == H_DELIVER && strcmp(ev->who->role, "worker") == 0) {
        *n += event_int(ev, H_DELIVER_COUNT);
    }
}

/* The drain waits for what the tail shows: a reader that does nothing but read must show it. */
static void shows_what_it_read(const char *loop)
{
    const char *in = lab_name("in");
    const char *text = lab_text("scenario \"t\" { topics = { [\"%s\"] = {} }, roles = {\n"
                                "controller = function(c)\n"
                                "  for i = 1, 20 do assert(c:send(\"%s\", { value = i })) end\n"
                                "end,\n"
                                "worker = function(w)\n"
                                "  local consumer = w:consumer { topics = \"%s\" }\n"
                                "  for _ in consumer:%s do end\n"
                                "end }, expect = { sometimes \"x\" } }\n",
                                in, in, in, loop);
    lab_topic(in, 1);
    struct lab_role w = lab_spawn(
        &(struct lab_start){.text = text, .role = "worker", .bootstrap = lab_bootstrap()});
    struct lab_role c = lab_spawn(
        &(struct lab_start){.text = text, .role = "controller", .bootstrap = lab_bootstrap()});
    CHECK_INT(lab_wait(&c), ROLE_EXIT_OK);
    char *dir = xasprintf("%s/history", test_dir());
    struct tail *t = tail_new(dir);
    uint64_t limit = clock_mono_ns() + 20000000000u;
    int64_t n = 0;
    while (n < 20 && clock_mono_ns() < limit) {
        tail_poll(t, count_delivered, &n);
        usleep(20000);
    }
    CHECK_INT(n, 20);
    tail_free(t);
    free(dir);
    stop(&w);
}

TEST_LIMIT(a_waiting_reader_of_records_shows_what_it_read, 60)
{
    shows_what_it_read("messages()");
}

TEST_LIMIT(a_waiting_reader_of_batches_shows_what_it_read, 60)
{
    shows_what_it_read("batches()");
}
