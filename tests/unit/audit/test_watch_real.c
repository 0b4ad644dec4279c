/* SPDX-License-Identifier: Apache-2.0 */
/* The watch against a real Kafka. The cluster may serve other tests at the same time, so most cases
 * watch it as a shared one. */
#include "lab.h"

#include "audit/watch.h"
#include "base/clock.h"
#include "io/loop.h"

struct scene {
    struct lab *lab;
    struct loop *loop;
    struct watch *watch;
    int drained;
    uint64_t until_ns;
    bool late;
    const char *part; /**< of the reason that is waited for */
};

static void on_drained(void *arg)
{
    struct scene *s = arg;
    s->drained++;
}

static bool reason_has(struct scene *s, const char *part)
{
    char *why = watch_why(s->watch);
    bool has = strstr(why, part) != NULL;
    free(why);
    return has;
}

static void on_tick(void *arg)
{
    struct scene *s = arg;
    s->late = clock_mono_ns() > s->until_ns;
    if (s->late || (s->part ? reason_has(s, s->part) : s->drained > 0)) {
        loop_stop(s->loop);
    }
}

/** Runs the loop until the drain has ended or, with part, until the reason contains it. */
static void run_loop(struct scene *s, const char *part, int ms)
{
    s->part = part;
    s->until_ns = clock_mono_ns() + (uint64_t)ms * 1000000;
    struct timer *t = timer_start(s->loop, 20, 20, on_tick, s);
    loop_run(s->loop);
    timer_stop(t);
    if (s->late) {
        char *why = watch_why(s->watch);
        test_fail(__FILE__, __LINE__, "waited for \"%s\": %s", part ? part : "the end of the drain",
                  why);
    }
}

static struct scene begin(int partitions)
{
    return (struct scene){.lab = lab_open(partitions), .loop = loop_new()};
}

static void start(struct scene *s, bool shared)
{
    struct err e = {0};
    s->watch = watch_start(&(struct watch_opts){.loop = s->loop,
                                                .bootstrap = s->lab->bootstrap,
                                                .plan = s->lab->plan,
                                                .history = test_dir(),
                                                .on_drained = on_drained,
                                                .arg = s,
                                                .shared = shared},
                           &e);
    OK(s->watch ? 0 : -1);
}

static struct events *stop(struct scene *s)
{
    struct err e = {0};
    uint64_t began = clock_mono_ns();
    watch_stop(s->watch);
    CHECK((clock_mono_ns() - began) / 1000000 < 6000);
    struct events *es = events_open(test_dir(), &e);
    OK(es ? 0 : -1);
    CHECK_STR(es->procs[0].role, "watch");
    return es;
}

static void stop_loop(void *arg)
{
    loop_stop(arg);
}

static void finish(struct scene *s, struct events *es)
{
    events_free(es);
    loop_defer(s->loop, stop_loop, s->loop); /* a turn: the loop stood still during stop() */
    loop_run(s->loop);
    loop_free(s->loop);
    if (s->lab) {
        lab_close(s->lab);
    }
}

static void commit_offset(struct lab *l, int64_t offset)
{
    struct err e = {0};
    struct admin_committed c = {.topic = l->input, .offset = offset};
    OK(txn_commit_offsets(l->admin, NULL, l->group, &c, 1, LAB_MS, &e));
}

static const struct event *last_of(const struct events *es, int kind, const char *topic,
                                   int topic_slot)
{
    const struct event *last = NULL;
    for (size_t i = 0; i < es->n; i++) {
        const struct event *ev = &es->items[i];
        if (ev->kind == kind && strcmp(event_str(ev, topic_slot), topic) == 0) {
            last = ev;
        }
    }
    return last;
}

TEST_LIMIT(a_group_has_drained_when_only_aborted_records_and_markers_follow, 90)
{
    struct scene s = begin(1);
    struct lab *l = s.lab;
    struct txn t = lab_producer(l, l->id, 60000);
    lab_add(l, &t, l->input, 0);
    lab_send(l, &t, l->input, 0, 3, CODEC_NONE, 1);
    lab_end(l, &t, true);
    lab_wait_lso(l, l->input, 0, 4);
    lab_add(l, &t, l->input, 0);
    lab_send(l, &t, l->input, 0, 2, CODEC_LZ4, 2);
    lab_end(l, &t, false);
    lab_wait_lso(l, l->input, 0, 7);
    start(&s, true);
    watch_group(s.watch, l->group, l->input);
    watch_group(s.watch, l->group, l->input);
    watch_drain(s.watch);
    run_loop(&s, "records above offset 0", 20000); /* nothing is committed: from the log start */
    commit_offset(l, 2);
    run_loop(&s, "records above offset 2", 20000);
    CHECK_INT(s.drained, 0);
    uint64_t began = clock_mono_ns();
    commit_offset(l, 3);
    run_loop(&s, NULL, 20000);
    CHECK((clock_mono_ns() - began) / 1000000 >= 1000);
    CHECK_INT(s.drained, 1);
    struct events *es = stop(&s);
    const struct event *ev = last_of(es, H_SAMPLE, l->input, H_SAMPLE_TOPIC);
    CHECK(ev);
    CHECK_INT(event_int(ev, H_SAMPLE_LOG_START), 0);
    CHECK_INT(event_int(ev, H_SAMPLE_LSO), 7);
    CHECK_INT(event_int(ev, H_SAMPLE_HW), 7);
    ev = last_of(es, H_COMMITTED, l->group, H_COMMITTED_GROUP);
    CHECK(ev);
    CHECK_STR(event_str(ev, H_COMMITTED_TOPIC), l->input);
    CHECK_INT(event_int(ev, H_COMMITTED_OFFSET), 3);
    CHECK_INT(event_int(ev, H_COMMITTED_STABLE), 1);
    ev = last_of(es, H_GROUP, l->group, H_GROUP_GROUP);
    CHECK(ev);
    CHECK_STR(event_str(ev, H_GROUP_STATE), "Empty");
    CHECK(!last_of(es, H_OPEN_TXN, l->input, H_OPEN_TXN_TOPIC));
    finish(&s, es);
}

TEST_LIMIT(an_open_transaction_holds_the_drain_and_is_written, 90)
{
    struct scene s = begin(2);
    struct lab *l = s.lab;
    struct txn t = lab_producer(l, l->id, 60000);
    lab_add(l, &t, l->output, 1);
    lab_send(l, &t, l->output, 1, 2, CODEC_NONE, 1);
    start(&s, true);
    watch_cut(s.watch);
    watch_drain(s.watch);
    char want[256];
    snprintf(want, sizeof want, "%s[1]: its last stable offset is 0, its end 2: transaction %s",
             l->output, l->id);
    run_loop(&s, want, 20000);
    struct events *es = stop(&s);
    const struct event *ev = last_of(es, H_OPEN_TXN, l->output, H_OPEN_TXN_TOPIC);
    CHECK(ev);
    CHECK_INT(event_int(ev, H_OPEN_TXN_PARTITION), 1);
    CHECK_INT(event_int(ev, H_OPEN_TXN_PID), t.producer_id);
    CHECK_INT(event_int(ev, H_OPEN_TXN_EPOCH), t.epoch);
    CHECK_INT(event_int(ev, H_OPEN_TXN_START_OFFSET), 0);
    CHECK_STR(event_str(ev, H_OPEN_TXN_TXN_ID), l->id);
    CHECK_STR(event_str(ev, H_OPEN_TXN_STATE), "Ongoing");
    CHECK_INT(event_int(ev, H_OPEN_TXN_PROVEN), 0);
    CHECK_INT(s.drained, 0);
    lab_end(l, &t, false);
    finish(&s, es);
}

TEST_LIMIT(a_transaction_that_ends_lets_the_drain_end, 90)
{
    struct scene s = begin(1);
    struct lab *l = s.lab;
    struct txn t = lab_producer(l, l->id, 60000);
    lab_add(l, &t, l->input, 0);
    lab_send(l, &t, l->input, 0, 2, CODEC_NONE, 1);
    start(&s, true);
    watch_position(s.watch, "reader#1", l->input, 0, 2);
    watch_drain(s.watch);
    run_loop(&s, l->id, 20000);
    lab_end(l, &t, true);
    run_loop(&s, NULL, 20000); /* only the marker is above the position */
    struct events *es = stop(&s);
    CHECK_INT(s.drained, 1);
    finish(&s, es);
}

TEST_LIMIT(a_pending_offset_holds_the_drain, 90)
{
    struct scene s = begin(1);
    struct lab *l = s.lab;
    struct err e = {0};
    struct txn t = lab_producer(l, l->id, 60000);
    lab_add(l, &t, l->output, 0);
    lab_send(l, &t, l->output, 0, 1, CODEC_NONE, 1);
    lab_end(l, &t, true);
    lab_wait_lso(l, l->output, 0, 2);
    struct admin_committed c = {.topic = l->input, .offset = 0, .metadata = ""};
    for (int i = 0; txn_commit_offsets(l->admin, &t, l->group, &c, 1, LAB_MS, &e) < 0; i++) {
        CHECK(i < 100 && e.code == KAFKA_CONCURRENT_TRANSACTIONS);
    }
    start(&s, true);
    watch_group(s.watch, l->group, l->input);
    watch_drain(s.watch);
    run_loop(&s, "a transaction holds an offset of group", 20000);
    lab_end(l, &t, true);
    run_loop(&s, NULL, 20000);
    struct events *es = stop(&s);
    const struct event *ev = last_of(es, H_COMMITTED, l->group, H_COMMITTED_GROUP);
    CHECK(ev);
    CHECK_INT(event_int(ev, H_COMMITTED_STABLE), 1);
    CHECK_INT(event_int(ev, H_COMMITTED_OFFSET), 0);
    finish(&s, es);
}

TEST_LIMIT(readers_without_group_count_until_they_are_forgotten, 90)
{
    struct scene s = begin(2);
    struct lab *l = s.lab;
    struct txn t = lab_producer(l, NULL, 0);
    lab_send(l, &t, l->input, 0, 3, CODEC_NONE, -1);
    lab_send(l, &t, l->input, 1, 3, CODEC_NONE, -1);
    start(&s, true);
    watch_reader(s.watch, "reader#1", l->input);
    watch_drain(s.watch);
    run_loop(&s, "[0]: records above offset 0, where reader#1 is; the end is 3", 20000);
    watch_position(s.watch, "reader#1", l->input, 0, 3);
    run_loop(&s, "[1]: records above offset 0", 20000);
    watch_position(s.watch, "reader#1", l->input, 1, 2);
    run_loop(&s, "[1]: records above offset 2", 20000);
    watch_forget(s.watch, "reader#1");
    watch_reader(s.watch, "reader#1", l->input); /* its successor starts anew */
    run_loop(&s, "[0]: records above offset 0", 20000);
    watch_forget(s.watch, "reader#1");
    run_loop(&s, NULL, 20000);
    CHECK_INT(s.drained, 1);
    s.drained = 0;
    watch_drain(s.watch); /* told once for each call */
    run_loop(&s, NULL, 20000);
    struct events *es = stop(&s);
    CHECK_INT(s.drained, 1);
    finish(&s, es);
}

TEST_LIMIT(on_a_cluster_of_its_own_every_transaction_counts, 90)
{
    struct scene s = begin(1);
    struct lab *l = s.lab;
    struct err e = {0};
    struct txn t = lab_producer(l, l->id, 60000);
    struct admin_committed c = {.topic = l->input, .offset = 0, .metadata = ""};
    OK(txn_commit_offsets(l->admin, &t, l->group, &c, 1, LAB_MS, &e));
    start(&s, false);
    watch_drain(s.watch);
    run_loop(&s, "is Ongoing", 20000);
    struct events *es = stop(&s);
    CHECK_INT(s.drained, 0);
    lab_end(l, &t, true);
    finish(&s, es);
}

TEST_LIMIT(a_cluster_that_is_away_is_borne, 60)
{
    struct err e = {0};
    struct plan *p = plan_new();
    struct scene s = {.loop = loop_new()};
    struct watch_opts o = {.loop = s.loop,
                           .bootstrap = "127.0.0.1:1",
                           .plan = p,
                           .history = test_dir(),
                           .on_drained = on_drained,
                           .arg = &s};
    s.watch = watch_start(&o, &e);
    OK(s.watch ? 0 : -1);
    watch_group(s.watch, "g", "t");
    watch_drain(s.watch);
    run_loop(&s, "cannot be listed", 20000);
    struct events *es = stop(&s);
    CHECK_INT(s.drained, 0);
    o.bootstrap = "no address";
    CHECK(watch_start(&o, &e) == NULL);
    CHECK_INT(e.kind, ERR_USAGE);
    finish(&s, es);
    plan_free(p);
}
