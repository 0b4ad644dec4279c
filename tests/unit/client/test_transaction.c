/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions against a broker. */
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "lab.h"
#include "test.h"

enum { EVENTS = 400, POINTS = 64 };

/* A transactional copier: consume, send, add, commit; by itself when `run` is set. */
struct worker {
    const char *in, *out;
    struct consumer *c;
    struct lab_sender s;
    struct transaction *t;
    bool run, ready, called, slow;
    unsigned take;       /* messages per transaction */
    unsigned abort_each; /* the n-th transaction is aborted by the application */
    unsigned committed, aborted, moved, rewinds, revokes, losts, assigns;
    enum transaction_outcome outcome;
    struct err e;
    enum transaction_point points[POINTS];
    size_t npoints;
    struct transaction_event events[EVENTS];
    size_t nevents;
    int64_t offset_sent; /* in the last offsets event */
    int32_t generation_sent;
    struct message *open[64];
    size_t nopen;
};

static void pump(struct worker *w);

static void on_ready(void *arg)
{
    pump(arg);
}

static void on_assign(void *arg, const struct consumer_rebalance *r)
{
    struct worker *w = arg;
    w->assigns++;
    consumer_answer(w->c);
}

static void on_revoke(void *arg, const struct consumer_rebalance *r)
{
    struct worker *w = arg;
    w->revokes++;
    if (!r->closing) {
        CHECK(transaction_state(w->t) != TRANSACTION_OPEN);
        CHECK(transaction_state(w->t) != TRANSACTION_BUSY);
    }
    consumer_answer(w->c);
}

static void on_lost(void *arg, const struct consumer_rebalance *r)
{
    struct worker *w = arg;
    w->losts++;
    consumer_answer(w->c);
}

static void on_seek(void *arg, const struct consumer_seek *s)
{
    struct worker *w = arg;
    CHECK_INT(s->code, 0);
    if (s->why != CONSUMER_SEEK_ROLE)
        w->rewinds++;
}

static void on_event(void *arg, const struct transaction_event *ev)
{
    struct worker *w = arg;
    if (ev->op == TRANSACTION_OP_OFFSETS && !ev->done) {
        CHECK(ev->offsets->n > 0);
        w->offset_sent = ev->offsets->items[0].offset;
        w->generation_sent = ev->generation;
        CHECK(ev->group);
    }
    if (w->nevents < EVENTS)
        w->events[w->nevents++] = *ev;
}

static void on_point(void *arg, enum transaction_point point)
{
    struct worker *w = arg;
    if (w->npoints < POINTS)
        w->points[w->npoints++] = point;
}

static void drop_open(struct worker *w)
{
    for (size_t i = 0; i < w->nopen; i++)
        message_release(w->open[i]);
    w->nopen = 0;
}

static void on_ended(void *arg, enum transaction_outcome outcome, const struct err *e)
{
    struct worker *w = arg;
    w->called = true;
    w->outcome = outcome;
    w->e = *e;
    if (outcome == TRANSACTION_COMMITTED) {
        w->committed++;
        w->moved += (unsigned)w->nopen;
    } else {
        w->aborted++;
    }
    drop_open(w);
    pump(w);
}

static void on_init(void *arg, enum transaction_outcome outcome, const struct err *e)
{
    struct worker *w = arg;
    w->called = true;
    w->ready = !e->kind;
    w->e = *e;
    pump(w);
}

/* Takes, begins and sends; the transaction stays open. @return messages */
static size_t open_one(struct worker *w, size_t max)
{
    struct err e = {0};
    char text[32];
    w->nopen = consumer_take(w->c, w->open, max);
    if (w->nopen == 0)
        return 0;
    if (transaction_begin(w->t, w->c, &e) < 0)
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    for (size_t i = 0; i < w->nopen; i++) {
        struct message *m = w->open[i];
        snprintf(text, sizeof text, "%.*s", (int)m->value_len, (const char *)m->value);
        lab_send(&w->s, w->out, m->partition, text, 0);
        if (transaction_add(w->t, m, &e))
            test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    return w->nopen;
}

static void end_one(void *arg)
{
    struct worker *w = arg;
    w->slow = false;
    if (w->abort_each && transaction_number(w->t) % w->abort_each == 0)
        transaction_abort(w->t, TRANSACTION_WHY_FAULT, on_ended, w);
    else
        transaction_commit(w->t, on_ended, w);
}

static void pump(struct worker *w)
{
    if (!w->run || !w->ready || w->slow || transaction_state(w->t) != TRANSACTION_READY)
        return;
    if (open_one(w, w->take) == 0)
        return;
    w->slow = true; /* so that rebalances find open transactions */
    timer_start(lab_loop, 20, 0, end_one, w);
}

static void worker_open(struct worker *w, const char *in, const char *out, const char *group,
                        const char *id, const struct conf *conf,
                        const struct transaction_setup *setup)
{
    struct err e = {0};
    static const struct transaction_setup right;
    struct consumer_setup cs = {
        .bootstrap = lab_bootstrap(), .group = group, .topics = &in, .ntopics = 1, .conf = conf};
    struct consumer_callbacks ccb = {w,       on_ready, on_assign, on_revoke,
                                     on_lost, on_seek,  NULL,      NULL};
    struct transaction_callbacks tcb = {w, on_event, on_point, NULL};
    memset(w, 0, sizeof *w);
    w->in = in;
    w->out = out;
    w->take = 5;
    w->c = consumer_open(lab_loop, &cs, &ccb, &e);
    if (!w->c)
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    lab_sender_open(&w->s, id);
    w->t = transaction_open(w->s.p, setup ? setup : &right, &tcb);
    transaction_init(w->t, on_init, w);
}

static void worker_close(struct worker *w)
{
    w->run = false;
    lab_close_transaction(w->t);
    drop_open(w);
    lab_close_consumer(w->c);
    lab_sender_close(&w->s);
}

static bool is_ready(void *arg)
{
    return ((struct worker *)arg)->ready;
}

static bool is_called(void *arg)
{
    return ((struct worker *)arg)->called;
}

static void wait_call(struct worker *w)
{
    lab_until(is_called, w, 20000, "the call ends");
    w->called = false;
}

struct opening {
    struct worker *w;
    size_t n;
};

static bool opened(void *arg)
{
    struct opening *o = arg;
    return open_one(o->w, o->n) > 0;
}

static void open_wait(struct worker *w, size_t n)
{
    struct opening o = {w, n};
    w->called = false;
    lab_until(opened, &o, 15000, "a transaction with messages is open");
}

/* Topics and a ready worker. */
static void start(struct worker *w, int partitions, int records, const char *strategy,
                  const struct transaction_setup *setup)
{
    static char in[96], out[96], group[96], id[96];
    struct conf conf = {0};
    snprintf(in, sizeof in, "%s", lab_name("in"));
    snprintf(out, sizeof out, "%s", lab_name("out"));
    snprintf(group, sizeof group, "%s", lab_name("group"));
    snprintf(id, sizeof id, "%s", lab_name("id"));
    lab_topic(in, partitions);
    lab_topic(out, partitions);
    lab_fill(in, partitions, 0, records);
    if (strategy)
        conf_set(&conf, "partition.assignment.strategy", strategy);
    worker_open(w, in, out, group, id, &conf, setup);
    conf_free(&conf);
    lab_until(is_ready, w, 20000, "init");
    w->called = false;
}

static void count(const char *topic, const char *isolation, size_t want)
{
    struct lab_log l;
    lab_log_open(&l, topic, isolation);
    if (want > 0)
        lab_log_want(&l, want, 20000);
    lab_run(500);
    CHECK_INT(l.seen.n, want);
    lab_log_close(&l);
}

TEST_LIMIT(a_commit_moves_records_and_offsets, 60)
{
    static struct worker w;
    start(&w, 1, 5, NULL, NULL);
    open_wait(&w, 5);
    size_t n = w.nopen;
    CHECK_INT(transaction_state(w.t), TRANSACTION_OPEN);
    transaction_commit(w.t, on_ended, &w);
    CHECK(!w.called);
    wait_call(&w);
    CHECK_INT(w.outcome, TRANSACTION_COMMITTED);
    CHECK_INT(w.e.kind, ERR_NONE);
    CHECK_INT(transaction_state(w.t), TRANSACTION_READY);
    static const enum transaction_point points[] = {
        TRANSACTION_BEFORE_OFFSETS, TRANSACTION_AFTER_OFFSETS, TRANSACTION_BEFORE_COMMIT,
        TRANSACTION_DURING_COMMIT, TRANSACTION_AFTER_COMMIT};
    CHECK_INT(w.npoints, 5);
    CHECK(memcmp(points, w.points, sizeof points) == 0);
    static const enum transaction_op ops[] = {TRANSACTION_OP_INIT, TRANSACTION_OP_BEGIN,
                                              TRANSACTION_OP_OFFSETS, TRANSACTION_OP_COMMIT};
    CHECK_INT(w.nevents, 8);
    for (size_t i = 0; i < w.nevents; i++) {
        CHECK_INT(w.events[i].op, ops[i / 2]);
        CHECK_INT(w.events[i].done, i % 2);
        CHECK_INT(w.events[i].txn, i < 2 ? 0 : 1);
    }
    CHECK_INT(w.offset_sent, n);
    CHECK(w.generation_sent > 0);
    count(w.out, "read_committed", n);
    worker_close(&w);
    lab_end();
}

TEST_LIMIT(an_abort_rewinds, 60)
{
    static struct worker w;
    start(&w, 2, 10, NULL, NULL);
    open_wait(&w, 10);
    int64_t first = w.open[0]->offset;
    transaction_abort(w.t, TRANSACTION_WHY_ROLE, on_ended, &w);
    wait_call(&w);
    CHECK_INT(w.outcome, TRANSACTION_ABORTED);
    CHECK_INT(w.e.kind, ERR_NONE);
    open_wait(&w, 10);
    CHECK_INT(w.rewinds, 2);
    CHECK_INT(w.open[0]->offset, first);
    transaction_commit(w.t, on_ended, &w);
    wait_call(&w);
    CHECK_INT(w.outcome, TRANSACTION_COMMITTED);
    while (w.moved < 10) {
        open_wait(&w, 10);
        transaction_commit(w.t, on_ended, &w);
        wait_call(&w);
    }
    count(w.out, "read_committed", 10);
    worker_close(&w);
    lab_end();
}

/* An abort right after a commit meets a broker that still writes the commit's markers. */
TEST_LIMIT(aborts_right_after_commits, 60)
{
    static struct worker w;
    struct err e = {0};
    start(&w, 4, 0, NULL, NULL);
    for (int i = 0; i < 60; i++) {
        CHECK(transaction_begin(w.t, NULL, &e) > 0);
        for (int p = 0; p < 4; p++)
            lab_send(&w.s, w.out, p, "x", 1);
        if (i % 2 == 0) {
            transaction_commit(w.t, on_ended, &w);
        } else {
            lab_run((unsigned)i / 2);
            transaction_abort(w.t, TRANSACTION_WHY_FAULT, on_ended, &w);
        }
        wait_call(&w);
        if (w.e.kind)
            test_fail(__FILE__, __LINE__, "%d: %s", i, w.e.msg);
    }
    CHECK_INT(w.committed, 30);
    CHECK_INT(w.aborted, 30);
    worker_close(&w);
    count(w.out, "read_committed", 120);
    lab_end();
}

TEST_LIMIT(no_rewind_loses, 60)
{
    static struct worker w;
    struct transaction_setup setup = {.mistakes.no_rewind = true};
    start(&w, 1, 3, NULL, &setup);
    open_wait(&w, 3);
    transaction_abort(w.t, TRANSACTION_WHY_FAULT, on_ended, &w);
    wait_call(&w);
    CHECK_INT(w.outcome, TRANSACTION_ABORTED);
    lab_run(500);
    CHECK_INT(open_one(&w, 3), 0);
    CHECK_INT(w.rewinds, 0);
    worker_close(&w);
    lab_end();
}

TEST_LIMIT(offsets_not_sent_double, 60)
{
    static struct worker w;
    struct transaction_setup setup = {.mistakes.no_offsets = true};
    start(&w, 1, 3, NULL, &setup);
    open_wait(&w, 3);
    transaction_commit(w.t, on_ended, &w);
    wait_call(&w);
    CHECK_INT(w.outcome, TRANSACTION_COMMITTED);
    for (size_t i = 0; i < w.nevents; i++)
        CHECK(w.events[i].op != TRANSACTION_OP_OFFSETS);
    consumer_rewind(w.c);
    open_wait(&w, 3);
    CHECK_INT(w.open[0]->offset, 0);
    worker_close(&w);
    count(w.out, "read_committed", 3);
    lab_end();
}

TEST_LIMIT(a_transaction_without_consumer, 60)
{
    static struct worker w;
    struct err e = {0};
    start(&w, 1, 0, NULL, NULL);
    CHECK_INT(transaction_begin(w.t, NULL, &e), 1);
    CHECK_INT(transaction_begin(w.t, NULL, &e), -1);
    CHECK_HAS(e.msg, "is open");
    lab_send(&w.s, w.out, 0, "x", 1);
    transaction_commit(w.t, on_ended, &w);
    wait_call(&w);
    CHECK_INT(w.outcome, TRANSACTION_COMMITTED);
    CHECK_INT(transaction_begin(w.t, NULL, &e), 2);
    lab_send(&w.s, w.out, 0, "y", 2);
    worker_close(&w); /* aborts */
    count(w.out, "read_committed", 1);
    lab_end();
}

TEST_LIMIT(a_fenced_producer_is_dead, 60)
{
    static struct worker w, other;
    struct err e = {0};
    const char *id = lab_name("fence");
    const char *in = lab_name("in"), *out = lab_name("out");
    lab_topic(in, 1);
    lab_topic(out, 1);
    lab_fill(in, 1, 0, 3);
    worker_open(&w, in, out, lab_name("g"), id, NULL, NULL);
    lab_until(is_ready, &w, 20000, "init");
    open_wait(&w, 3);
    lab_flush(&w.s);
    worker_open(&other, in, out, lab_name("g"), id, NULL, NULL);
    lab_until(is_ready, &other, 20000, "init of the second");
    transaction_commit(w.t, on_ended, &w);
    wait_call(&w);
    CHECK(w.outcome != TRANSACTION_COMMITTED);
    CHECK(w.e.fatal);
    CHECK_INT(w.e.code, CLIENT_ERR_FENCED);
    CHECK_INT(transaction_state(w.t), TRANSACTION_FATAL);
    CHECK_INT(transaction_begin(w.t, w.c, &e), -1);
    CHECK(e.fatal);
    transaction_commit(w.t, on_ended, &w);
    wait_call(&w);
    CHECK(w.outcome != TRANSACTION_COMMITTED && w.e.fatal);
    worker_close(&w);
    worker_close(&other);
    count(out, "read_committed", 0);
    lab_end();
}

static bool rebalancing(void *arg)
{
    return consumer_rebalancing(((struct worker *)arg)->c);
}

static bool is_dropped(void *arg)
{
    return transaction_state(((struct worker *)arg)->t) == TRANSACTION_DROPPED;
}

static bool assigned_twice(void *arg)
{
    return ((struct worker *)arg)->assigns == 2;
}

static void second(struct worker *w, struct worker *of, const char *strategy)
{
    struct conf conf = {0};
    if (strategy)
        conf_set(&conf, "partition.assignment.strategy", strategy);
    worker_open(w, of->in, of->out, consumer_group(of->c), lab_name("id2"), &conf, NULL);
    conf_free(&conf);
}

/* The revoke waits for the open transaction, which may still commit. */
static void held(const char *strategy)
{
    static struct worker w, v;
    start(&w, 4, 40, strategy, NULL);
    open_wait(&w, 5);
    size_t n = w.nopen;
    second(&v, &w, strategy);
    lab_until(rebalancing, &w, 15000, "a revoke");
    lab_run(300);
    CHECK_INT(w.revokes, 0);
    CHECK_INT(transaction_state(w.t), TRANSACTION_OPEN);
    transaction_commit(w.t, on_ended, &w);
    wait_call(&w);
    if (w.outcome != TRANSACTION_COMMITTED)
        test_fail(__FILE__, __LINE__, "%s", w.e.msg);
    v.run = w.run = true;
    pump(&w);
    for (int i = 0; i < 400 && w.moved + v.moved < 40; i++)
        lab_run(50);
    CHECK_INT(w.moved + v.moved, 40);
    CHECK(w.revokes > 0 && n > 0);
    CHECK(v.moved > 0);
    worker_close(&v);
    worker_close(&w);
    count(w.out, "read_committed", 40);
    lab_end();
}

TEST_LIMIT(a_revoke_waits_for_the_transaction_eager, 90)
{
    held("range");
}

TEST_LIMIT(a_revoke_waits_for_the_transaction_cooperative, 90)
{
    held("cooperative-sticky");
}

/* A transaction that does not end in time is aborted, and its owner hears it at the next call. */
static void impatient(const char *strategy)
{
    static struct worker w, v;
    struct err e = {0};
    start(&w, 2, 10, strategy, NULL);
    open_wait(&w, 5);
    second(&v, &w, strategy);
    lab_until(rebalancing, &w, 15000, "a revoke");
    uint64_t since = clock_mono_ns();
    lab_until(is_dropped, &w, 10000, "aborted by itself");
    uint64_t ms = (clock_mono_ns() - since) / 1000000;
    CHECK(ms > 1000 && ms < 2500); /* half the session time-out of 3000 */
    CHECK_INT(transaction_begin(w.t, w.c, &e), -1);
    CHECK(e.abortable);
    CHECK_INT(w.nopen > 0 ? transaction_add(w.t, w.open[0], &e) : -1, -1);
    lab_run(100);
    CHECK(!w.called);
    transaction_commit(w.t, on_ended, &w);
    wait_call(&w);
    CHECK_INT(w.outcome, TRANSACTION_ABORTED);
    CHECK(w.e.abortable);
    CHECK_HAS(w.e.msg, "rebalance");
    CHECK_INT(transaction_state(w.t), TRANSACTION_READY);
    CHECK_INT(w.events[w.nevents - 1].op, TRANSACTION_OP_ABORT);
    CHECK_INT(w.events[w.nevents - 1].why, TRANSACTION_WHY_REBALANCE);
    v.run = w.run = true;
    pump(&w);
    for (int i = 0; i < 400 && w.moved + v.moved < 10; i++)
        lab_run(50);
    CHECK_INT(w.moved + v.moved, 10);
    worker_close(&v);
    worker_close(&w);
    count(w.out, "read_committed", 10);
    lab_end();
}

TEST_LIMIT(a_revoke_does_not_wait_for_ever_eager, 90)
{
    impatient("range");
}

TEST_LIMIT(a_revoke_does_not_wait_for_ever_cooperative, 90)
{
    impatient("cooperative-sticky");
}

/* A process that does not poll for too long loses its partitions; the open transaction goes with
 * them, at once. */
TEST_LIMIT(a_loss_aborts_at_once, 90)
{
    static struct worker w;
    struct conf conf = {0};
    const char *in = lab_name("in"), *out = lab_name("out");
    lab_topic(in, 1);
    lab_topic(out, 1);
    lab_fill(in, 1, 0, 5);
    conf_set(&conf, "max.poll.interval.ms", "3000");
    worker_open(&w, in, out, lab_name("g"), lab_name("id"), &conf, NULL);
    conf_free(&conf);
    lab_until(is_ready, &w, 20000, "init");
    open_wait(&w, 5);
    size_t n = w.nopen;
    usleep(4500 * 1000); /* the loop hangs */
    uint64_t since = clock_mono_ns();
    lab_until(is_dropped, &w, 3000, "aborted by itself");
    CHECK((clock_mono_ns() - since) / 1000000 < 1400);
    transaction_commit(w.t, on_ended, &w);
    wait_call(&w);
    CHECK_INT(w.outcome, TRANSACTION_ABORTED);
    CHECK_HAS(w.e.msg, "lost");
    CHECK_INT(w.events[w.nevents - 1].why, TRANSACTION_WHY_LOST);
    CHECK_INT(w.losts, 1);
    open_wait(&w, 5);
    CHECK_INT(w.open[0]->offset, 0);
    CHECK(n > 0 && w.assigns == 2);
    worker_close(&w);
    lab_end();
}

/* The membership that a transaction goes out under: with messages of before a rebalance a commit is
 * refused here; the deliberately wrong application takes the new one and is let through. */
static void stale(bool now)
{
    static struct worker w;
    struct transaction_setup setup = {.mistakes.membership_now = now};
    struct err e = {0};
    struct message *old[5];
    start(&w, 1, 5, NULL, &setup);
    open_wait(&w, 5);
    size_t n = w.nopen;
    for (size_t i = 0; i < n; i++)
        message_hold(old[i] = w.open[i]);
    transaction_abort(w.t, TRANSACTION_WHY_ROLE, on_ended, &w);
    wait_call(&w);
    CHECK_INT(consumer_rejoin(w.c, &e), 0);
    lab_until(assigned_twice, &w, 15000, "assigned again");
    CHECK(transaction_begin(w.t, w.c, &e) > 0);
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(transaction_add_offset(w.t, old[i], old[i]->offset, &e), 0);
        message_release(old[i]);
    }
    transaction_commit(w.t, on_ended, &w);
    wait_call(&w);
    CHECK_INT(w.outcome, now ? TRANSACTION_COMMITTED : TRANSACTION_ABORTED);
    if (now)
        CHECK_INT(w.offset_sent, n - 1);
    else
        CHECK_HAS(w.e.msg, "membership");
    worker_close(&w);
    lab_end();
}

TEST_LIMIT(a_stale_membership_is_not_committed, 60)
{
    stale(false);
}

TEST_LIMIT(the_membership_of_now_is_let_through, 60)
{
    stale(true);
}

static bool all_moved(void *arg)
{
    struct worker *w = arg;
    return w[0].moved + w[1].moved >= 500;
}

static void storm_tick(void *arg)
{
    struct worker *w = arg;
    static unsigned n;
    struct err e = {0};
    if (consumer_rejoin(w[n++ % 2].c, &e))
        test_fail(__FILE__, __LINE__, "%s", e.msg);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void each_once(const char *topic, int n)
{
    struct lab_log l;
    int *ids = xcalloc((size_t)n + 64, sizeof *ids);
    lab_log_open(&l, topic, "read_committed");
    lab_log_want(&l, (size_t)n, 30000);
    lab_run(1000);
    CHECK_INT(l.seen.n, n);
    for (int i = 0; i < n; i++)
        ids[i] = (int)strtol(l.seen.items[i]->value, NULL, 10);
    qsort(ids, (size_t)n, sizeof *ids, by_number);
    for (int i = 0; i < n; i++)
        CHECK_INT(ids[i], i);
    free(ids);
    lab_log_close(&l);
}

/* 500 records, two members that leave and join again every second, every seventh transaction
 * aborted: each record arrives once. */
static void storm(const char *strategy)
{
    static struct worker w[2];
    start(&w[0], 4, 500, strategy, NULL);
    second(&w[1], &w[0], strategy);
    for (int i = 0; i < 2; i++) {
        w[i].run = true;
        w[i].abort_each = 7;
        w[i].take = 3;
        pump(&w[i]);
    }
    struct timer *t = timer_start(lab_loop, 1000, 1000, storm_tick, w);
    lab_until(all_moved, w, 90000, "500 records have moved");
    timer_stop(t);
    lab_run(300);
    printf("# %s: %u committed, %u aborted, %u rewinds, %u revokes, %u lost\n", strategy,
           w[0].committed + w[1].committed, w[0].aborted + w[1].aborted,
           w[0].rewinds + w[1].rewinds, w[0].revokes + w[1].revokes, w[0].losts + w[1].losts);
    CHECK_INT(w[0].moved + w[1].moved, 500);
    CHECK(w[0].aborted + w[1].aborted > 5);
    CHECK(w[0].revokes + w[1].revokes > 5);
    worker_close(&w[0]);
    worker_close(&w[1]);
    each_once(w[0].out, 500);
    lab_end();
}

TEST_LIMIT(a_storm_of_rebalances_eager, 180)
{
    storm("range");
}

TEST_LIMIT(a_storm_of_rebalances_cooperative, 180)
{
    storm("cooperative-sticky");
}
