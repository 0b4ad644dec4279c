/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read back: kinds, slots, strings, bytes, runs, segments, several processes. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "history/events.h"
#include "history/hist.h"

static struct err e;

static struct hist *writer(const char *role, int index, int incarnation)
{
    struct hist *h = hist_open(test_dir(), &(struct hist_ident){role, index, incarnation}, &e);
    CHECK(h != NULL);
    return h;
}

static struct events *reader(void)
{
    struct events *es = events_open(test_dir(), &e);
    if (!es) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    return es;
}

TEST(every_kind_has_a_name_a_doc_and_fields)
{
    for (unsigned k = 0; k < H_NKINDS; k++) {
        const struct hist_kind_info *info = hist_kind_info(k);
        CHECK(info->name[0] && info->doc[0] && info->nfields > 0 && info->nfields <= 32);
        for (unsigned j = 0; j < k; j++) {
            CHECK(strcmp(hist_kind_info(j)->name, info->name) != 0);
        }
    }
    CHECK(hist_kind_info(H_NKINDS) == NULL);
    CHECK_INT(H_SEND_COUNT, 4);
    CHECK_STR(hist_kind_info(H_SEND)->fields[H_SEND_SRC_OFFSET].name, "src_offset");
    CHECK_STR(hist_phase_name(HP_UNKNOWN), "unknown");
}

TEST(fields_come_back_as_they_were_given)
{
    struct hist *h = writer("worker", 2, 9);
    uint64_t t0 = clock_mono_ns(), op = hist_op(h);
    hist_add(h, H_TXN_ABORT, HP_UNKNOWN, op, HS("p"), HI(-7), HS("fault"), HS(NULL), HS(""));
    hist_add(h, H_LOG, HP_FACT, 0, HB("a\0b", 3));
    hist_add(h, H_LOG, HP_FACT, 0, HB(NULL, 0));
    hist_add(h, H_LOG, HP_FACT, 0, HB("", 0));
    hist_add(h, H_EMIT, HP_FACT, 0, HS("k"), HB("{}", 2), HS("p"), HI(INT64_MIN));
    hist_close(h);
    struct events *es = reader();
    CHECK_INT(es->n, 5);
    CHECK(!es->damaged && es->procs[0].closed && !es->procs[0].torn);
    CHECK_STR(es->procs[0].role, "worker");
    CHECK_INT(es->procs[0].index, 2);
    CHECK_INT(es->procs[0].incarnation, 9);
    CHECK_INT(es->procs[0].pid, getpid());
    const struct event *ev = es->items;
    CHECK(ev->t >= t0 && ev->t <= clock_mono_ns());
    CHECK_INT(ev->op, 1);
    CHECK_INT(ev->kind, H_TXN_ABORT);
    CHECK_INT(ev->phase, HP_UNKNOWN);
    CHECK_INT(ev->seq, 1);
    CHECK_STR(event_str(ev, H_TXN_ABORT_PRODUCER), "p");
    CHECK_INT(event_int(ev, H_TXN_ABORT_TXN), -7);
    CHECK_STR(event_str(ev, H_TXN_ABORT_WHY), "fault");
    CHECK_STR(event_str(ev, H_TXN_ABORT_ERROR), "");
    CHECK_STR(event_str(ev, 99), "");
    size_t len = 9;
    CHECK(memcmp(event_bytes(&es->items[1], H_LOG_TEXT, &len), "a\0b", 3) == 0);
    CHECK_INT(len, 3);
    CHECK(event_bytes(&es->items[2], H_LOG_TEXT, &len) == NULL);
    CHECK(event_bytes(&es->items[3], H_LOG_TEXT, &len) != NULL);
    CHECK_INT(len, 0);
    CHECK_INT(event_int(&es->items[4], H_EMIT_TXN), INT64_MIN);
    events_free(es);
}

TEST(a_run_is_one_event_until_something_else_happens)
{
    struct hist *h = writer("w", 1, 1);
    struct hist_deliver d = {.consumer = hist_str(h, "c"),
                             .group = hist_str(h, "g"),
                             .topic = hist_str(h, "in"),
                             .partition = 3,
                             .offset = 10,
                             .assignment = 2,
                             .read_committed = true};
    hist_deliver(h, &d);
    d.offset = 11;
    hist_deliver(h, &d);
    d.offset = 14;
    hist_deliver(h, &d);
    hist_add(h, H_DONE, HP_FACT, 0, HS("x"));
    d.offset = 15;
    hist_deliver(h, &d);
    d.offset = 15; /* again: not a continuation */
    hist_deliver(h, &d);
    d.partition = 4;
    hist_deliver(h, &d);
    hist_close(h);
    struct events *es = reader();
    CHECK_INT(es->n, 5);
    CHECK_INT(event_int(&es->items[0], H_DELIVER_FIRST), 10);
    CHECK_INT(event_int(&es->items[0], H_DELIVER_LAST), 14);
    CHECK_INT(event_int(&es->items[0], H_DELIVER_COUNT), 3);
    CHECK(event_int(&es->items[0], H_DELIVER_LAST_TIME) > (int64_t)es->items[0].t);
    CHECK_STR(event_str(&es->items[0], H_DELIVER_GROUP), "g");
    CHECK_INT(es->items[1].kind, H_DONE);
    for (int i = 2; i < 5; i++) {
        CHECK_INT(event_int(&es->items[i], H_DELIVER_FIRST), 15);
        CHECK_INT(event_int(&es->items[i], H_DELIVER_LAST), 15);
        CHECK_INT(event_int(&es->items[i], H_DELIVER_COUNT), 1);
    }
    CHECK_INT(event_int(&es->items[4], H_DELIVER_PARTITION), 4);
    events_free(es);
}

TEST(sends_are_a_run_while_seq_and_source_go_on)
{
    struct hist *h = writer("w", 1, 1);
    struct hist_send s = {.producer = hist_str(h, "p"),
                          .topic = hist_str(h, "out"),
                          .partition = -1,
                          .txn = 4,
                          .src_topic = hist_str(h, "in"),
                          .src_partition = 0,
                          .src_offset = 70};
    for (int i = 0; i < 5; i++, s.seq++, s.src_offset++) {
        hist_send(h, &s);
    }
    s.src_offset++; /* a record of the source was left out */
    hist_send(h, &s);
    s.seq++, s.src_offset++, s.txn = 5;
    hist_send(h, &s);
    s = (struct hist_send){.producer = s.producer, .topic = s.topic, .partition = 2, .txn = -1};
    for (int i = 0; i < 3; i++, s.seq++) { /* without a source its fields do not count */
        s.src_offset = 100 - i;
        hist_send(h, &s);
    }
    hist_close(h);
    struct events *es = reader();
    int counts[] = {5, 1, 1, 3};
    CHECK_INT(es->n, 4);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(event_int(&es->items[i], H_SEND_COUNT), counts[i]);
        CHECK_INT(es->items[i].phase, HP_INVOKE);
    }
    CHECK_INT(event_int(&es->items[1], H_SEND_SEQ), 5);
    CHECK_INT(event_int(&es->items[1], H_SEND_SRC_OFFSET), 76);
    events_free(es);
}

TEST(sends_with_plans_of_their_own_are_apart)
{
    struct hist *h = writer("w", 1, 1);
    struct hist_send s = {.topic = hist_str(h, "out"), .txn = -1};
    static const int64_t planned[] = {0, 0, 500, 700, 700};
    for (size_t i = 0; i < ARRAY_LEN(planned); i++) {
        s.seq = (int64_t)i + 1;
        s.planned = planned[i];
        hist_send(h, &s);
    }
    hist_close(h);
    struct events *es = reader();
    CHECK_INT(es->n, 3);
    static const int64_t counts[] = {2, 1, 2}, plans[] = {0, 500, 700};
    for (size_t i = 0; i < es->n; i++) {
        CHECK_INT(event_int(&es->items[i], H_SEND_COUNT), counts[i]);
        CHECK_INT(event_int(&es->items[i], H_SEND_PLANNED), plans[i]);
    }
    events_free(es);
}

TEST(acks_are_a_run_while_seq_offset_outcome_and_error_go_on)
{
    struct hist *h = writer("w", 1, 1);
    struct hist_ack a = {.producer = hist_str(h, "p"), .topic = hist_str(h, "out"), .offset = 7};
    for (int i = 0; i < 4; i++, a.seq++, a.offset++) {
        hist_ack(h, HP_OK, &a);
    }
    a.offset++; /* a control record lies between */
    hist_ack(h, HP_OK, &a);
    a.offset = -1;
    for (int i = 0; i < 3; i++) {
        a.seq++;
        hist_ack(h, HP_UNKNOWN, &a);
    }
    a.seq++, a.error = hist_str(h, "_MSG_TIMED_OUT");
    hist_ack(h, HP_UNKNOWN, &a);
    hist_close(h);
    struct events *es = reader();
    CHECK_INT(es->n, 4);
    CHECK_INT(event_int(&es->items[0], H_ACK_COUNT), 4);
    CHECK_INT(event_int(&es->items[1], H_ACK_OFFSET), 12);
    CHECK_INT(event_int(&es->items[2], H_ACK_COUNT), 3);
    CHECK_INT(event_int(&es->items[2], H_ACK_OFFSET), -1);
    CHECK_INT(es->items[2].phase, HP_UNKNOWN);
    CHECK_STR(event_str(&es->items[3], H_ACK_ERROR), "_MSG_TIMED_OUT");
    events_free(es);
}

TEST(runs_of_many_partitions_stay_open_side_by_side)
{
    enum { PARTITIONS = 200, ROUNDS = 50 };
    struct hist *h = writer("w", 1, 1);
    struct hist_deliver d = {.consumer = hist_str(h, "c"), .topic = hist_str(h, "in")};
    for (int i = 0; i < ROUNDS; i++) {
        for (d.partition = 0; d.partition < PARTITIONS; d.partition++) {
            d.offset = i;
            hist_deliver(h, &d);
        }
    }
    hist_close(h);
    struct events *es = reader();
    int64_t next[PARTITIONS] = {0};
    CHECK(es->n < (size_t)PARTITIONS * ROUNDS);
    for (size_t i = 0; i < es->n; i++) {
        const struct event *ev = &es->items[i];
        int64_t p = event_int(ev, H_DELIVER_PARTITION);
        CHECK_INT(event_int(ev, H_DELIVER_FIRST), next[p]);
        next[p] = event_int(ev, H_DELIVER_LAST) + 1;
        CHECK_INT(event_int(ev, H_DELIVER_COUNT), next[p] - event_int(ev, H_DELIVER_FIRST));
    }
    for (int p = 0; p < PARTITIONS; p++) {
        CHECK_INT(next[p], ROUNDS);
    }
    events_free(es);
}

TEST(segments_follow_each_other_and_strings_last)
{
    enum { N = 3000, SIZE = 1000, BIG = 20 << 20 };
    struct hist *h = writer("w", 1, 1);
    char *big = xcalloc(1, BIG);
    for (int i = 0; i < N; i++) {
        char name[32];
        snprintf(name, sizeof name, "name-%d", i % 500);
        big[0] = (char)i;
        hist_add(h, H_EMIT, HP_FACT, 0, HS(name), HB(big, SIZE), HS("p"), HI(i));
    }
    hist_add(h, H_LOG, HP_FACT, 0, HB(big, BIG));
    hist_add(h, H_DONE, HP_FACT, 0, HS("name-7"));
    hist_close(h);
    char *third = path_join(test_dir(), "w-1.1-3.seg");
    CHECK(access(third, F_OK) == 0);
    struct events *es = reader();
    CHECK(!es->damaged && es->procs[0].closed);
    CHECK_INT(es->n, N + 2);
    for (int i = 0; i < N; i++) {
        char name[32];
        size_t len;
        snprintf(name, sizeof name, "name-%d", i % 500);
        CHECK_STR(event_str(&es->items[i], H_EMIT_KIND), name);
        CHECK_INT(((const char *)event_bytes(&es->items[i], H_EMIT_FIELDS, &len))[0], (char)i);
        CHECK_INT(len, SIZE);
        CHECK_INT(es->items[i].seq, i + 1);
    }
    size_t len;
    event_bytes(&es->items[N], H_LOG_TEXT, &len);
    CHECK_INT(len, BIG);
    events_free(es);
    free(third);
    free(big);
}

TEST(a_closed_segment_is_trimmed)
{
    struct hist *h = writer("w", 1, 1);
    hist_add(h, H_DONE, HP_FACT, 0, HS("x"));
    struct stat before, after;
    char *path = path_join(test_dir(), "w-1.1-0.seg");
    CHECK(stat(path, &before) == 0 && before.st_size == 256 << 10);
    hist_close(h);
    CHECK(stat(path, &after) == 0 && after.st_size < 256);
    free(path);
}

TEST(a_second_writer_of_the_same_process_is_refused)
{
    struct hist *h = writer("w", 1, 1);
    CHECK(hist_open(test_dir(), &(struct hist_ident){"w", 1, 1}, &e) == NULL);
    CHECK_INT(e.kind, ERR_SYSTEM);
    CHECK_HAS(e.msg, "w-1.1-0.seg");
    hist_close(h);
    hist_close(NULL);
    CHECK(hist_open("/nonexistent/kaos", &(struct hist_ident){"w", 1, 1}, &e) == NULL);
    CHECK_INT(e.kind, ERR_SYSTEM);
}

TEST(processes_are_merged_by_time)
{
    struct hist *w[3] = {writer("runner", 0, 0), writer("a", 1, 1), writer("a", 1, 2)};
    for (int i = 0; i < 300; i++) {
        hist_add(w[i * 7 % 3], H_REACHED, HP_FACT, 0, HS(i % 2 ? "odd" : "even"));
    }
    for (int i = 0; i < 3; i++) {
        hist_close(w[i]);
    }
    struct events *es = reader();
    CHECK_INT(es->nprocs, 3);
    CHECK_STR(es->procs[0].role, "runner");
    CHECK_INT(es->procs[2].incarnation, 2);
    CHECK_INT(es->n, 300);
    uint32_t seq[3] = {0};
    for (size_t i = 0; i < es->n; i++) {
        CHECK_STR(event_str(&es->items[i], H_REACHED_NAME), i % 2 ? "odd" : "even");
        CHECK_INT(es->items[i].seq, ++seq[es->items[i].proc]);
        CHECK(es->items[i].who == &es->procs[es->items[i].proc]);
    }
    events_free(es);
}

TEST(a_folder_without_history_is_an_error)
{
    CHECK(events_open(test_dir(), &e) == NULL);
    CHECK_INT(e.kind, ERR_PROTOCOL);
    CHECK(events_open("/nonexistent/kaos", &e) == NULL);
    CHECK_INT(e.kind, ERR_SYSTEM);
}

TEST(json_of_an_event_names_its_fields)
{
    struct hist *h = writer("w", 2, 9);
    hist_add(h, H_LOG, HP_FACT, 3, HB("x\xff", 2));
    hist_add(h, H_SPAWN, HP_FACT, 0, HS("w"), HI(1), HI(2), HI(77), HS("start"));
    hist_close(h);
    struct events *es = reader();
    json_t *j = event_json(&es->items[1]);
    json_object_del(j, "t");
    char *text = json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);
    CHECK_STR(text, "{\"id\":\"0:2\",\"process\":{\"role\":\"w\",\"index\":2,\"incarnation\":9},"
                    "\"kind\":\"spawn\",\"phase\":\"fact\",\"op\":0,\"fields\":{\"role\":\"w\","
                    "\"index\":1,\"incarnation\":2,\"pid\":77,\"why\":\"start\"}}");
    free(text);
    json_decref(j);
    j = event_json(&es->items[0]);
    CHECK_STR(json_string_value(
                  json_object_get(json_object_get(json_object_get(j, "fields"), "text"), "base64")),
              "eP8=");
    json_decref(j);
    events_free(es);
}
