/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the state machine of the correct transactional loop: what follows which error, whether the
 * group still lets us commit, what has to be rewound, and how long a revoke may wait. */
#include "client/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/blocking.h"

enum { STUCK_S = 15, AGAIN_MS = 50, UNACKED_MS = 1000 };

struct transaction {
    struct loop *loop;
    struct producer *p;
    struct transaction_setup setup;
    struct transaction_callbacks cb;
    struct blocking *blocking;
    enum transaction_state state;
    int64_t number;
    uint64_t acked; /* the producer's acks when it began */

    /* Of the open transaction. */
    struct consumer *consumer; /* held, or NULL */
    struct client_partitions offsets;
    struct membership *membership; /* captured with its first message */
    struct membership *used;       /* the one the offsets go out under */
    uint64_t assignment;
    bool mixed;      /* messages of more than one assignment */
    bool committing; /* a commit was handed over */
    enum transaction_why why;
    struct err cause; /* why it is aborted; kind ERR_NONE: it was asked for */

    enum blocking_op op;
    struct timer *stuck, *again, *patience, *during;
    unsigned stuck_s;
    bool during_due;

    transaction_fn fn; /* who waits for the running init, commit or abort */
    void *arg;
    enum transaction_outcome outcome; /* for the one who asks later */

    bool unasked; /* the machine aborts or has aborted by itself */
    bool closing, hung;
    struct timer *bound;
    transaction_closed_fn closed;
    void *closed_arg;
};

static void step(struct transaction *t, enum blocking_op op);
static void start_abort(struct transaction *t, enum transaction_why why);

const char *transaction_why_name(enum transaction_why why)
{
    static const char *const names[] = {"role", "fault", "rebalance", "lost", "error", "closed"};
    return names[why];
}

enum transaction_state transaction_state(const struct transaction *t)
{
    return t->state;
}

int64_t transaction_number(const struct transaction *t)
{
    return t->number;
}

/* ---- telling ---- */

static void emit(struct transaction *t, const struct transaction_event *ev)
{
    if (t->cb.on_event)
        t->cb.on_event(t->cb.arg, ev);
}

static void point(struct transaction *t, enum transaction_point at)
{
    if (t->cb.on_point)
        t->cb.on_point(t->cb.arg, at);
}

static enum transaction_op op_of(enum blocking_op op)
{
    switch (op) {
    case BLOCKING_INIT:
        return TRANSACTION_OP_INIT;
    case BLOCKING_OFFSETS:
        return TRANSACTION_OP_OFFSETS;
    case BLOCKING_COMMIT:
        return TRANSACTION_OP_COMMIT;
    default:
        return TRANSACTION_OP_ABORT;
    }
}

static void emit_invoke(struct transaction *t, enum blocking_op op)
{
    struct transaction_event ev = {.op = op_of(op), .txn = t->number, .why = t->why};
    if (op == BLOCKING_OFFSETS) {
        ev.offsets = &t->offsets;
        ev.group = consumer_group(t->consumer);
        ev.generation = membership_generation(t->used);
        ev.assignment = t->assignment;
    }
    emit(t, &ev);
}

static void emit_done(struct transaction *t, enum blocking_op op, const struct err *e)
{
    struct transaction_event ev = {
        .op = op_of(op),
        .done = true,
        .txn = t->number,
        .why = t->why,
        .error = e,
        .unknown = op == BLOCKING_COMMIT && e->kind && !e->abortable,
    };
    emit(t, &ev);
}

/* ---- the end of a transaction ---- */

static void stop_timers(struct transaction *t)
{
    timer_stop(t->patience);
    timer_stop(t->during);
    timer_stop(t->again);
    t->patience = t->during = t->again = NULL;
    t->during_due = false;
}

/* Nothing is open any more: messages may flow again, a waiting revoke may be answered. */
static void let_go(struct transaction *t, bool rewind)
{
    struct consumer *c = t->consumer;
    t->consumer = NULL;
    stop_timers(t);
    producer_when_drained(t->p, NULL, NULL);
    producer_when_acked(t->p, NULL, NULL);
    t->offsets.n = 0;
    membership_free(t->membership);
    membership_free(t->used);
    t->membership = t->used = NULL;
    t->mixed = t->committing = false;
    if (!c)
        return;
    if (rewind)
        consumer_rewind(c);
    consumer_unhold(c);
}

static void quit_if_closing(struct transaction *t)
{
    if (t->closing && t->state != TRANSACTION_BUSY)
        blocking_call(t->blocking, BLOCKING_QUIT, NULL, NULL);
}

static void settle(struct transaction *t, enum transaction_state state,
                   enum transaction_outcome outcome)
{
    transaction_fn fn = t->fn;
    t->fn = NULL;
    t->outcome = outcome;
    t->state = state == TRANSACTION_READY && t->unasked ? TRANSACTION_DROPPED : state;
    struct err cause = t->cause;
    if (fn)
        fn(t->arg, outcome, &cause);
    quit_if_closing(t);
}

static void end_fatal(struct transaction *t, const struct err *e)
{
    t->cause = *e;
    t->cause.fatal = true;
    enum transaction_outcome outcome = t->committing ? TRANSACTION_UNKNOWN : TRANSACTION_ABORTED;
    let_go(t, false);
    settle(t, TRANSACTION_FATAL, outcome);
}

/* ---- calls ---- */

static void on_stuck(void *arg)
{
    struct transaction *t = arg;
    t->stuck_s += t->setup.stuck_s;
    if (t->cb.on_stuck)
        t->cb.on_stuck(t->cb.arg, blocking_name(t->op), t->stuck_s);
}

static void hand_over(struct transaction *t)
{
    bool offsets = t->op == BLOCKING_OFFSETS;
    if (!t->stuck) {
        t->stuck_s = 0;
        t->stuck =
            timer_start(t->loop, t->setup.stuck_s * 1000, t->setup.stuck_s * 1000, on_stuck, t);
    }
    blocking_call(t->blocking, t->op, offsets ? &t->offsets : NULL, offsets ? t->used : NULL);
}

static void hand_over_again(void *arg)
{
    struct transaction *t = arg;
    t->again = NULL;
    hand_over(t);
}

static void step(struct transaction *t, enum blocking_op op)
{
    t->state = TRANSACTION_BUSY;
    t->op = op;
    emit_invoke(t, op);
    hand_over(t);
}

static void during_now(void *arg)
{
    struct transaction *t = arg;
    t->during = NULL;
    if (t->during_due) {
        t->during_due = false;
        point(t, TRANSACTION_DURING_COMMIT);
    }
}

/* All sends are acknowledged: EndTxn goes out now. 0 to 2 ms later it is unsent, under way or done.
 */
static void during_soon(void *arg)
{
    struct transaction *t = arg;
    if (t->during_due && !t->during)
        t->during = timer_start(t->loop, (uint64_t)t->number % 3, 0, during_now, t);
}

static void start_commit(struct transaction *t)
{
    point(t, TRANSACTION_BEFORE_COMMIT);
    t->committing = true;
    t->during_due = true;
    step(t, BLOCKING_COMMIT);
    producer_when_drained(t->p, during_soon, t);
}

static void abort_now(void *arg)
{
    struct transaction *t = arg;
    timer_stop(t->again);
    t->again = NULL;
    producer_when_acked(t->p, NULL, NULL);
    step(t, BLOCKING_ABORT);
}

static void abort_unacked(void *arg)
{
    struct transaction *t = arg;
    t->again = NULL;
    abort_now(t);
}

/* librdkafka (2.0.2) ends the transaction at the broker although its AddPartitionsToTxn was
 * answered CONCURRENT_TRANSACTIONS and is not repeated yet (the markers of the transaction before
 * are still being written). The broker knows no such transaction: INVALID_TXN_STATE, fatal. So the
 * first ack is waited for, which proves that the broker knows it. */
static void start_abort(struct transaction *t, enum transaction_why why)
{
    t->why = why;
    t->state = TRANSACTION_BUSY;
    t->op = BLOCKING_ABORT;
    timer_stop(t->patience);
    t->patience = NULL;
    if (producer_pending(t->p) == 0 || producer_acked(t->p) != t->acked) {
        abort_now(t);
        return;
    }
    producer_when_acked(t->p, abort_now, t);
    t->again = timer_start(t->loop, UNACKED_MS, 0, abort_unacked, t);
}

static void done_well(struct transaction *t, enum blocking_op op)
{
    switch (op) {
    case BLOCKING_INIT:
        settle(t, TRANSACTION_READY, TRANSACTION_ABORTED);
        break;
    case BLOCKING_OFFSETS:
        point(t, TRANSACTION_AFTER_OFFSETS);
        start_commit(t);
        break;
    case BLOCKING_COMMIT:
        point(t, TRANSACTION_AFTER_COMMIT);
        let_go(t, false);
        settle(t, TRANSACTION_READY, TRANSACTION_COMMITTED);
        break;
    default:
        let_go(t, !t->setup.mistakes.no_rewind);
        settle(t, TRANSACTION_READY, TRANSACTION_ABORTED);
    }
}

static void end_close(struct transaction *t);

static void on_result(void *arg, enum blocking_op op, const struct err *e)
{
    struct transaction *t = arg;
    if (t->hung)
        return; /* its owner has been told; it stays reachable until the process ends */
    if (op == BLOCKING_QUIT) {
        end_close(t);
        return;
    }
    if (e->kind && !e->fatal && !e->abortable && e->retriable) {
        t->again = timer_start(t->loop, AGAIN_MS, 0, hand_over_again, t);
        return;
    }
    timer_stop(t->stuck);
    t->stuck = NULL;
    if (op == BLOCKING_COMMIT && t->during_due) {
        timer_stop(t->during);
        during_now(t);
    }
    emit_done(t, op, e);
    if (!e->kind) {
        done_well(t, op);
    } else if (!e->fatal && e->abortable && op != BLOCKING_ABORT && op != BLOCKING_INIT) {
        t->cause = *e;
        t->committing = false;
        start_abort(t, TRANSACTION_WHY_ERROR);
    } else {
        end_fatal(t, e);
    }
}

/* ---- the interface ---- */

struct transaction *transaction_open(struct producer *p, const struct transaction_setup *setup,
                                     const struct transaction_callbacks *cb)
{
    struct transaction *t = xcalloc(1, sizeof *t);
    t->loop = producer_loop(p);
    t->p = p;
    t->setup = *setup;
    t->cb = *cb;
    if (t->setup.stuck_s == 0)
        t->setup.stuck_s = STUCK_S;
    t->blocking = blocking_open(t->loop, producer_handle(p), on_result, t);
    return t;
}

/* A call that can not start: fn gets the reason in a turn of its own. */
struct refusal {
    transaction_fn fn;
    void *arg;
    enum transaction_outcome outcome;
    struct err e;
};

static void refuse_later(void *arg)
{
    struct refusal *r = arg;
    if (r->fn)
        r->fn(r->arg, r->outcome, &r->e);
    free(r);
}

static void refuse(struct transaction *t, transaction_fn fn, void *arg,
                   enum transaction_outcome outcome, const struct err *e)
{
    struct refusal *r = xmalloc(sizeof *r);
    *r = (struct refusal){fn, arg, outcome, *e};
    loop_defer(t->loop, refuse_later, r);
}

static const char *state_text(const struct transaction *t)
{
    static const char *const texts[] = {"the producer's transactions are not initialised",
                                        "no transaction is open",
                                        "a transaction is open",
                                        "another call of this transaction is running",
                                        "the transaction was aborted",
                                        "the producer has failed"};
    return texts[t->state];
}

static void wrong_state(const struct transaction *t, const char *what, struct err *e)
{
    if (t->state == TRANSACTION_FATAL || t->state == TRANSACTION_DROPPED) {
        *e = t->cause;
        return;
    }
    err_set(e, ERR_USAGE, 0, "%s: %s", what, state_text(t));
}

void transaction_init(struct transaction *t, transaction_fn fn, void *arg)
{
    struct err e = {0};
    if (t->state != TRANSACTION_NEW || t->closing) {
        wrong_state(t, "init", &e);
        refuse(t, fn, arg, TRANSACTION_ABORTED, &e);
        return;
    }
    t->fn = fn;
    t->arg = arg;
    step(t, BLOCKING_INIT);
}

static void drop(struct transaction *t, enum transaction_why why)
{
    err_set(&t->cause, ERR_BROKER, 0,
            why == TRANSACTION_WHY_LOST
                ? "the transaction was aborted: its partitions were lost to a rebalance"
                : "the transaction was aborted: a rebalance could not wait longer");
    t->cause.abortable = true;
    t->unasked = true;
    start_abort(t, why);
}

static void out_of_patience(void *arg)
{
    struct transaction *t = arg;
    t->patience = NULL;
    if (t->state == TRANSACTION_OPEN)
        drop(t, TRANSACTION_WHY_REBALANCE);
}

/* A revoke waits for us. A running commit can not be called back: it ends or is fenced. */
static void on_hold(void *arg, bool lost)
{
    struct transaction *t = arg;
    if (t->state != TRANSACTION_OPEN)
        return;
    if (lost)
        drop(t, TRANSACTION_WHY_LOST);
    else if (!t->patience)
        t->patience = timer_start(t->loop, consumer_patience(t->consumer), 0, out_of_patience, t);
}

static int begin(struct transaction *t, struct err *e)
{
    struct transaction_event ev = {.op = TRANSACTION_OP_BEGIN, .txn = ++t->number};
    emit(t, &ev);
    int rc = client_fail_error(e, rd_kafka_begin_transaction(producer_handle(t->p)),
                               "begin_transaction");
    ev.done = true;
    ev.error = e;
    emit(t, &ev);
    if (rc && !e->retriable) {
        e->fatal = true;
        t->cause = *e;
        t->state = TRANSACTION_FATAL;
    }
    return rc;
}

int64_t transaction_begin(struct transaction *t, struct consumer *c, struct err *e)
{
    err_clear(e);
    if (t->state != TRANSACTION_READY || t->closing) {
        wrong_state(t, "begin", e);
        return -1;
    }
    if (c && !consumer_group(c))
        return err_set(e, ERR_USAGE, 0,
                       "begin: the consumer has no group, so its offsets can not be committed with "
                       "a transaction");
    if (c && consumer_hold(c, on_hold, t))
        return err_set(e, ERR_USAGE, 0, "begin: the consumer is in another open transaction");
    if (begin(t, e)) {
        if (c)
            consumer_unhold(c);
        return -1;
    }
    t->consumer = c;
    t->acked = producer_acked(t->p);
    t->state = TRANSACTION_OPEN;
    err_clear(&t->cause);
    return t->number;
}

int transaction_add_offset(struct transaction *t, const struct message *m, int64_t next,
                           struct err *e)
{
    if (t->state != TRANSACTION_OPEN || !t->consumer) {
        if (t->state == TRANSACTION_OPEN)
            err_set(e, ERR_USAGE, 0, "add: the transaction was begun without a consumer");
        else
            wrong_state(t, "add", e);
        return -1;
    }
    const struct membership *ms = message_membership(m);
    if (!t->membership) {
        t->membership = membership_copy(ms);
        t->assignment = m->assignment;
    } else if (t->assignment != m->assignment || !membership_same(t->membership, ms)) {
        t->mixed = true;
    }
    struct client_partition *p = client_partitions_find(&t->offsets, m->topic, m->partition);
    if (!p)
        client_partitions_add(&t->offsets, m->topic, m->partition, next);
    else if (p->offset < next)
        p->offset = next;
    return 0;
}

int transaction_add(struct transaction *t, const struct message *m, struct err *e)
{
    return transaction_add_offset(t, m, m->offset + 1, e);
}

/* Who asks after the machine has aborted by itself, or while it is doing so. true = taken care of.
 */
static bool late(struct transaction *t, transaction_fn fn, void *arg)
{
    if (!t->unasked || t->closing)
        return false;
    t->unasked = false;
    if (t->state == TRANSACTION_BUSY) {
        t->fn = fn;
        t->arg = arg;
        return true;
    }
    if (t->state != TRANSACTION_DROPPED)
        return false;
    t->state = TRANSACTION_READY;
    refuse(t, fn, arg, t->outcome, &t->cause);
    return true;
}

/* Whether the group still lets us commit what we read, and as whom. While a revoke waits for us the
 * partitions are ours whatever the generation is by now. */
static bool may_commit(struct transaction *t)
{
    struct membership *now = consumer_membership(t->consumer);
    bool same = membership_same(t->membership, now);
    bool waits = t->assignment == consumer_assignment_number(t->consumer) &&
                 consumer_revoke_held(t->consumer) && membership_valid(t->membership) &&
                 strcmp(membership_member(t->membership), membership_member(now)) == 0;
    t->used = now;
    return t->setup.mistakes.membership_now ||
           (!t->mixed && membership_valid(now) && (same || waits));
}

static void commit_open(struct transaction *t)
{
    bool offsets = t->consumer && t->offsets.n > 0 && !t->setup.mistakes.no_offsets;
    if (!offsets) {
        start_commit(t);
        return;
    }
    if (may_commit(t)) {
        point(t, TRANSACTION_BEFORE_OFFSETS);
        step(t, BLOCKING_OFFSETS);
        return;
    }
    bool lost = consumer_lost(t->consumer);
    err_set(&t->cause, ERR_BROKER, 0,
            "the transaction was aborted: the consumer's membership of group %s changed while it "
            "was open",
            consumer_group(t->consumer));
    t->cause.abortable = true;
    start_abort(t, lost ? TRANSACTION_WHY_LOST : TRANSACTION_WHY_REBALANCE);
}

static bool asks(struct transaction *t, const char *what, transaction_fn fn, void *arg)
{
    if (late(t, fn, arg))
        return false;
    if (t->state != TRANSACTION_OPEN || t->closing) {
        struct err e = {0};
        wrong_state(t, what, &e);
        refuse(t, fn, arg, t->state == TRANSACTION_FATAL ? t->outcome : TRANSACTION_ABORTED, &e);
        return false;
    }
    t->fn = fn;
    t->arg = arg;
    return true;
}

void transaction_commit(struct transaction *t, transaction_fn fn, void *arg)
{
    if (asks(t, "commit", fn, arg))
        commit_open(t);
}

void transaction_abort(struct transaction *t, enum transaction_why why, transaction_fn fn,
                       void *arg)
{
    if (asks(t, "abort", fn, arg))
        start_abort(t, why);
}

/* ---- closing ---- */

static void release(struct transaction *t)
{
    stop_timers(t);
    timer_stop(t->stuck);
    client_partitions_free(&t->offsets);
    membership_free(t->membership);
    membership_free(t->used);
    free(t);
}

static void end_close(struct transaction *t)
{
    timer_stop(t->bound);
    blocking_free(t->blocking);
    transaction_closed_fn fn = t->closed;
    void *arg = t->closed_arg;
    release(t);
    if (fn)
        fn(arg, false);
}

static void bound_passed(void *arg)
{
    struct transaction *t = arg;
    t->bound = NULL;
    t->hung = true;
    stop_timers(t);
    timer_stop(t->stuck);
    t->stuck = NULL;
    producer_when_drained(t->p, NULL, NULL);
    producer_when_acked(t->p, NULL, NULL);
    if (t->consumer)
        consumer_unhold(t->consumer);
    t->consumer = NULL;
    job_leak(t);
    if (t->closed)
        t->closed(t->closed_arg, true);
}

void transaction_close(struct transaction *t, uint64_t bound, transaction_closed_fn done, void *arg)
{
    t->closing = true;
    t->closed = done;
    t->closed_arg = arg;
    t->bound = timer_start(t->loop, bound, 0, bound_passed, t);
    if (t->state == TRANSACTION_OPEN)
        start_abort(t, TRANSACTION_WHY_CLOSED);
    else
        quit_if_closing(t);
}
