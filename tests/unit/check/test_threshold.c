/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds: each metric with planted values, on both sides of a limit. The events get times made
 * by the test: a microsecond apart, and more where a gap is planted. */
#include "world.h"

static const uint64_t BASE = 1000000000000u, MS = 1000000u;
enum { US = 1000 };

/* Milliseconds that pass before an event; each test sets its own. */
static double (*gap)(const struct event *ev);

static void set_times(struct world *w)
{
    uint64_t t = BASE;
    for (size_t i = 0; i < w->es->n; i++) {
        struct event *ev = &w->es->items[i];
        t += US + (uint64_t)(gap(ev) * (double)MS);
        ev->t = t;
    }
}

static double no_gap(const struct event *ev)
{
    return 0;
}

static struct world *timed(double (*fn)(const struct event *ev))
{
    struct world *w = world_new();
    gap = fn;
    w->edit = set_times;
    return w;
}

static struct plan_threshold *limit(struct world *w, enum plan_metric metric, const char *stat,
                                    enum plan_op op, double value)
{
    struct plan_threshold *t = VEC_PUSH(&w->plan->thresholds);
    *t = (struct plan_threshold){.metric = metric,
                                 .name = xasprintf("%s %g", stat, value),
                                 .where = xstrdup("eos.lua:9"),
                                 .label = xstrdup("metric"),
                                 .stat_text = xstrdup(stat),
                                 .op = op,
                                 .limit = value,
                                 .limit_text = xasprintf("%g", value)};
    t->stat = *stat == 'p'               ? STAT_QUANTILE
              : strcmp(stat, "avg") == 0 ? STAT_AVG
              : strcmp(stat, "min") == 0 ? STAT_MIN
                                         : STAT_MAX;
    t->quantile = *stat == 'p' ? strtod(stat + 1, NULL) : 0;
    return t;
}

/* Something has to be judged besides. */
static void expect_messages(struct world *w)
{
    world_expect(w, MODE_ALWAYS, "messages", PRED_MESSAGES)->topic = xstrdup("input");
}

static const struct prop_result *result(const struct world *w, size_t i)
{
    return &w->v->props[w->plan->expect.n + i];
}

/* ---- send.latency: the n-th acknowledgement takes n ms ---- */

static int acks;

static double nth_ack(const struct event *ev)
{
    return ev->kind == H_ACK ? ++acks : 0;
}

static void alone(struct proc *p)
{
    hist_add(p->h, H_LOG, HP_FACT, 0, HB("", 0)); /* ends the runs: each event is one call */
}

static struct world *hundred_sends(void)
{
    struct world *w = timed(nth_ack);
    expect_messages(w);
    struct proc *p = proc_start(w, "controller", 1, 1);
    acks = 0;
    for (int i = 0; i < 100; i++) {
        proc_send_plain(p, INPUT, 0, NULL);
        alone(p);
    }
    return w;
}

TEST(percentiles_are_exact_on_both_sides_of_the_limit)
{
    static const struct {
        const char *stat;
        double holds, fails;
    } cases[] = {{"p50", 50.1, 50}, {"p99", 99.1, 99},    {"p99.5", 100.1, 100},
                 {"p1", 1.1, 1},    {"p100", 100.1, 100}, {"max", 100.1, 100},
                 {"min", 1.1, 1},   {"avg", 50.6, 50.5}};
    struct world *w = hundred_sends();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        limit(w, METRIC_SEND, cases[i].stat, OP_BELOW, cases[i].holds);
        limit(w, METRIC_SEND, cases[i].stat, OP_BELOW, cases[i].fails);
    }
    world_check(w);
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        const struct prop_result *r = result(w, i);
        CHECK_INT(r->state, i % 2 ? PROP_VIOLATED : PROP_HELD);
        CHECK_INT(r->judged, 100);
        CHECK_INT(r->threshold->samples, 100);
        CHECK_STR(r->mode, "threshold");
        CHECK(r->declared);
    }
    CHECK_STR(result(w, 2)->threshold->text, "metric p99 99ms < 99.1");
    CHECK_STR(verdict_name(w->v->code), "FAIL");
    world_free(w);
}

TEST(each_operator_means_what_it_says)
{
    struct world *w = hundred_sends();
    limit(w, METRIC_SEND, "max", OP_AT_MOST, 100.001);
    limit(w, METRIC_SEND, "max", OP_BELOW, 100.001);
    limit(w, METRIC_SEND, "max", OP_AT_LEAST, 100.001);
    limit(w, METRIC_SEND, "max", OP_ABOVE, 100.001);
    world_check(w);
    CHECK_INT(result(w, 0)->state, PROP_HELD);
    CHECK_INT(result(w, 1)->state, PROP_VIOLATED);
    CHECK_INT(result(w, 2)->state, PROP_HELD);
    CHECK_INT(result(w, 3)->state, PROP_VIOLATED);
    world_free(w);
}

TEST(a_violation_names_the_worst)
{
    struct world *w = hundred_sends();
    limit(w, METRIC_SEND, "p50", OP_BELOW, 20);
    world_must_find(w, "threshold");
    const struct finding *f = world_find(w, "threshold");
    CHECK_INT(f->class, CLASS_THRESHOLD);
    CHECK_INT(f->ncases, 5);
    CHECK_STR(f->cases[0].id, "c#1 seq 100");
    CHECK_STR(f->cases[4].id, "c#1 seq 96");
    CHECK_STR(f->cases[0].text, "100ms, the limit for p50 is < 20");
    CHECK_INT(f->cases[0].nevents, 2);
    CHECK_STR(f->title, "metric p50 50ms < 20");
    CHECK_STR(f->where, "eos.lua:9");
    world_free(w);
}

TEST(limits_that_hold_pass)
{
    struct world *w = hundred_sends();
    limit(w, METRIC_SEND, "p99", OP_BELOW, 99.1);
    limit(w, METRIC_SEND, "min", OP_ABOVE, 0.9);
    world_must_pass(w);
    world_free(w);
}

/* ---- without samples ---- */

TEST(a_threshold_without_samples_is_inconclusive)
{
    static const enum plan_metric metrics[] = {METRIC_SEND, METRIC_RATE, METRIC_RECOVERY};
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
        char name[16];
        snprintf(name, sizeof name, "h%zu", i);
        struct world *w = world_new_in(name);
        gap = no_gap;
        w->edit = set_times;
        struct plan_threshold *t = limit(w, metrics[i], "max", OP_BELOW, 1e9);
        t->topic = xstrdup("output");
        world_expect(w, MODE_NEVER, "x", PRED_REACHED);
        world_check(w);
        CHECK_STR(verdict_name(w->v->code), "INCONCLUSIVE");
        CHECK_HAS(w->v->reasons[0], "no samples");
        CHECK_INT(result(w, 0)->state, PROP_INCONCLUSIVE);
        CHECK_INT(result(w, 0)->threshold->samples, 0);
        world_free(w);
    }
}

TEST(an_incomplete_history_proves_no_violation)
{
    struct world *w = hundred_sends();
    limit(w, METRIC_SEND, "p50", OP_BELOW, 20);
    w->no_end = true;
    world_check(w);
    CHECK_STR(verdict_name(w->v->code), "INCONCLUSIVE");
    world_free(w);
}

/* ---- e2e.latency ---- */

static int sight; /* number of the delivery of an output that comes late */
static double sight_ms;

static double late_sight(const struct event *ev)
{
    bool output = ev->kind == H_DELIVER && strcmp(event_str(ev, H_DELIVER_TOPIC), "output") == 0;
    return output && --sight == 0 ? sight_ms : 0;
}

static struct world *copied(double (*fn)(const struct event *ev), int n)
{
    struct world *w = timed(fn);
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "once", PRED_EXACTLY_ONCE);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    struct proc *c = proc_start(w, "controller", 1, 1), *k = proc_start(w, "worker", 1, 1);
    proc_assign(k, 0, 1);
    for (int i = 0; i < n; i++) {
        proc_send_plain(c, INPUT, 0, NULL);
        alone(c);
        proc_batch(k, 0, i, i);
        long last = (long)w->log[OUTPUT][0].n - 2; /* a marker stands behind it */
        proc_deliver(c, OUTPUT, 0, last, last, "", true);
        alone(c);
    }
    return w;
}

TEST(latency_ends_with_the_first_committed_delivery)
{
    struct world *w = copied(late_sight, 20);
    sight = 7;
    sight_ms = 3000;
    limit(w, METRIC_E2E, "max", OP_BELOW, 3001);
    limit(w, METRIC_E2E, "max", OP_BELOW, 3000);
    limit(w, METRIC_E2E, "p95", OP_BELOW, 1);
    world_must_find(w, "threshold");
    CHECK_INT(result(w, 0)->state, PROP_HELD);
    CHECK_INT(result(w, 0)->judged, 20);
    CHECK_INT(result(w, 1)->state, PROP_VIOLATED);
    CHECK_INT(result(w, 2)->state, PROP_HELD);
    const struct finding *f = world_find(w, "threshold");
    CHECK_STR(f->cases[0].id, "input[0]@6");
    CHECK_INT(f->ncases, 1);
    CHECK(f->cases[0].nrecords >= 2 && f->nlineage > 0);
    world_free(w);
}

static double late_commit(const struct event *ev)
{
    bool done = ev->kind == H_TXN_COMMIT && ev->phase == HP_OK;
    return done && --sight == 0 ? sight_ms : 0;
}

TEST(where_nobody_reads_the_commit_counts)
{
    struct world *w = timed(late_commit);
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "all", PRED_NO_LOSS);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    struct proc *c = proc_start(w, "controller", 1, 1), *k = proc_start(w, "worker", 1, 1);
    proc_assign(k, 0, 1);
    for (int i = 0; i < 6; i++) {
        proc_send_plain(c, INPUT, 0, NULL);
        alone(c);
    }
    proc_batch(k, 0, 0, 2);
    proc_batch(k, 0, 3, 5);
    sight = 2;
    sight_ms = 500;
    limit(w, METRIC_E2E, "max", OP_ABOVE, 500);
    limit(w, METRIC_E2E, "p50", OP_BELOW, 10);
    world_must_pass(w);
    world_free(w);
}

/* A sender that is held up: its records carry when they should have gone out. */
static void plan_earlier(struct world *w)
{
    set_times(w);
    for (size_t i = 0; i < w->es->n; i++) {
        struct event *ev = &w->es->items[i];
        bool input = ev->kind == H_SEND && strcmp(event_str(ev, H_SEND_TOPIC), "input") == 0;
        if (input && event_int(ev, H_SEND_SEQ) == 5) {
            ((int64_t *)ev->slots)[H_SEND_PLANNED] = (int64_t)(ev->t - 2000 * MS);
        }
    }
}

TEST(latency_begins_with_the_planned_send)
{
    struct world *w = copied(no_gap, 10);
    w->edit = plan_earlier;
    limit(w, METRIC_E2E, "max", OP_ABOVE, 2000);
    limit(w, METRIC_E2E, "max", OP_BELOW, 2001);
    limit(w, METRIC_E2E, "p90", OP_BELOW, 1);
    limit(w, METRIC_SEND, "max", OP_BELOW, 1); /* from the call, whatever the plan */
    world_must_pass(w);
    CHECK_HAS(result(w, 0)->detail, "senders up to 2.0s behind their plan");
    world_free(w);
}

TEST(inputs_without_an_effect_have_no_latency)
{
    struct world *w = copied(no_gap, 4);
    w->plan->expect.items[0].preds.items[0].kind = PRED_NO_DUPLICATES;
    proc_send_plain(w->procs[0], INPUT, 1, NULL);
    limit(w, METRIC_E2E, "max", OP_BELOW, 1000);
    world_must_pass(w);
    CHECK_INT(result(w, 0)->judged, 4);
    CHECK_HAS(result(w, 0)->detail, "1 inputs without effect");
    world_free(w);
}

/* ---- TOPIC.rate: a second passes between sends, two of them together once ---- */

static double a_second_each(const struct event *ev)
{
    if (ev->kind == H_SEND) {
        return event_int(ev, H_SEND_SEQ) == 3 ? 0 : 1000;
    }
    bool off = ev->kind == H_PHASE && strcmp(event_str(ev, H_PHASE_NAME), "faults_off") == 0;
    return off ? 900 : 0;
}

TEST(rates_are_of_whole_seconds_and_of_the_whole_time)
{
    struct world *w = timed(a_second_each);
    expect_messages(w);
    struct proc *p = proc_start(w, "controller", 1, 1);
    for (int i = 0; i < 9; i++) { /* 9 records, 8 gaps and 0.9 s: seconds 1 to 8 */
        proc_send_plain(p, INPUT, 0, NULL);
        alone(p);
    }
    static const struct {
        const char *stat;
        enum plan_op op;
        double value;
        bool holds;
    } cases[] = {{"max", OP_AT_MOST, 2, true},  {"max", OP_BELOW, 2, false},
                 {"min", OP_AT_MOST, 0, true},  {"min", OP_ABOVE, 0, false},
                 {"avg", OP_ABOVE, 1.01, true}, {"avg", OP_ABOVE, 1.02, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        limit(w, METRIC_RATE, cases[i].stat, cases[i].op, cases[i].value)->topic = xstrdup("input");
    }
    world_check(w);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK_INT(result(w, i)->state, cases[i].holds ? PROP_HELD : PROP_VIOLATED);
        CHECK_INT(result(w, i)->judged, 8);
    }
    CHECK_STR(world_find(w, "threshold")->cases[0].text, "2.0/s, the limit for max is < 2");
    world_free(w);
}

/* A rate or a latency of what is left says nothing of what left the log. */
TEST(records_that_left_the_log_have_no_measure)
{
    struct world *w = copied(a_second_each, 6);
    for (double value = 0; value < 1e10; value += 9e9) {
        limit(w, METRIC_RATE, "max", OP_ABOVE, value)->topic = xstrdup("input");
        limit(w, METRIC_E2E, "max", OP_AT_LEAST, value);
    }
    w->log_start[INPUT][0] = w->removed[INPUT][0] = 2;
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
    for (size_t k = 0; k < w->plan->thresholds.n; k++) {
        CHECK_INT(result(w, k)->state, PROP_INCONCLUSIVE);
        CHECK_HAS(result(w, k)->reason, "2 offsets of topic input left the log");
    }
    world_free(w);
}

/* ---- recovery ---- */

static double slow_takeover(const struct event *ev)
{
    bool second = ev->who->index == 2 && strcmp(ev->who->role, "worker") == 0;
    return ev->kind == H_ASSIGN && second ? 4000 : 0;
}

static struct world *takeover(double (*fn)(const struct event *ev))
{
    struct world *w = timed(fn);
    expect_messages(w);
    struct proc *c = proc_start(w, "controller", 1, 1), *k = proc_start(w, "worker", 1, 1);
    for (int i = 0; i < 4; i++) {
        proc_send_plain(c, INPUT, 0, NULL);
        alone(c);
    }
    proc_assign(k, 0, 1);
    proc_batch(k, 0, 0, 1);
    proc_crash(k, "before_send");
    return w;
}

TEST(recovery_lasts_from_the_death_to_the_next_commit)
{
    struct world *w = takeover(slow_takeover);
    struct proc *k = proc_start(w, "worker", 2, 1);
    proc_assign(k, 0, 2);
    proc_batch(k, 0, 2, 3);
    limit(w, METRIC_RECOVERY, "max", OP_BELOW, 4001);
    limit(w, METRIC_RECOVERY, "max", OP_BELOW, 4000);
    world_must_find(w, "threshold");
    CHECK_INT(result(w, 0)->state, PROP_HELD);
    CHECK_INT(result(w, 0)->judged, 1);
    CHECK_INT(result(w, 1)->state, PROP_VIOLATED);
    CHECK_STR(world_find(w, "threshold")->cases[0].id, "w1#1 on input[0]");
    world_free(w);
}

/* The next record comes 9 s after the death: nobody waited until then. */
static double late_work(const struct event *ev)
{
    bool input = ev->kind == H_SEND && strcmp(event_str(ev, H_SEND_TOPIC), "input") == 0;
    return input && event_int(ev, H_SEND_SEQ) == 5 ? 9000 : slow_takeover(ev);
}

TEST(time_without_work_is_no_recovery_time)
{
    struct world *w = timed(late_work);
    expect_messages(w);
    struct proc *c = proc_start(w, "controller", 1, 1), *k = proc_start(w, "worker", 1, 1);
    for (int i = 0; i < 4; i++) {
        proc_send_plain(c, INPUT, 0, NULL);
        alone(c);
    }
    proc_assign(k, 0, 1);
    proc_batch(k, 0, 0, 3);
    proc_crash(k, "after_commit");
    struct proc *b = proc_start(w, "worker", 2, 1);
    proc_assign(b, 0, 2);
    proc_send_plain(c, INPUT, 0, NULL);
    alone(c);
    proc_batch(b, 0, 4, 4);
    limit(w, METRIC_RECOVERY, "max", OP_BELOW, 1);
    world_must_pass(w);
    CHECK_INT(result(w, 0)->judged, 1);
    world_free(w);
}

TEST(a_partition_that_nobody_commits_again_is_counted_apart)
{
    struct world *w = takeover(no_gap);
    limit(w, METRIC_RECOVERY, "max", OP_BELOW, 1);
    world_check(w);
    CHECK_INT(result(w, 0)->state, PROP_INCONCLUSIVE);
    CHECK_HAS(result(w, 0)->detail, "1 partitions without a later commit");
    world_free(w);
}
