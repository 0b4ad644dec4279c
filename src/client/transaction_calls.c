/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what follows which result of a blocking call: the same call again, the next one, an abort
 * with its rewind, or the end; and when exactly the points of a transaction's life are. */
#include "base/mem.h"
#include "client/transaction_internal.h"

enum { AGAIN_MS = 50, UNACKED_MS = 1000 };

/* ---- telling ---- */

void transaction_emit(struct transaction *t, const struct transaction_event *ev)
{
    if (t->cb.on_event)
        t->cb.on_event(t->cb.arg, ev);
}

void transaction_at(struct transaction *t, enum transaction_point at)
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
    transaction_emit(t, &ev);
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
    transaction_emit(t, &ev);
}

/* ---- the end of a transaction ---- */

void transaction_stop_timers(struct transaction *t)
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
    transaction_stop_timers(t);
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

void transaction_quit_if_closing(struct transaction *t)
{
    if (!t->closing || t->quitting || t->state == TRANSACTION_BUSY)
        return;
    t->quitting = true;
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
    transaction_quit_if_closing(t);
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

void transaction_call(struct transaction *t, enum blocking_op op)
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
        transaction_at(t, TRANSACTION_DURING_COMMIT);
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

void transaction_start_commit(struct transaction *t)
{
    transaction_at(t, TRANSACTION_BEFORE_COMMIT);
    t->committing = true;
    t->during_due = true;
    transaction_call(t, BLOCKING_COMMIT);
    producer_when_drained(t->p, during_soon, t);
}

static void abort_now(void *arg)
{
    struct transaction *t = arg;
    timer_stop(t->again);
    t->again = NULL;
    producer_when_acked(t->p, NULL, NULL);
    transaction_call(t, BLOCKING_ABORT);
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
void transaction_start_abort(struct transaction *t, enum transaction_why why)
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
        transaction_at(t, TRANSACTION_AFTER_OFFSETS);
        transaction_start_commit(t);
        break;
    case BLOCKING_COMMIT:
        transaction_at(t, TRANSACTION_AFTER_COMMIT);
        let_go(t, false);
        settle(t, TRANSACTION_READY, TRANSACTION_COMMITTED);
        break;
    default:
        let_go(t, !t->setup.mistakes.no_rewind);
        settle(t, TRANSACTION_READY, TRANSACTION_ABORTED);
    }
}

void transaction_on_result(void *arg, enum blocking_op op, const struct err *e)
{
    struct transaction *t = arg;
    if (t->hung)
        return; /* its owner has been told; it stays reachable until the process ends */
    if (op == BLOCKING_QUIT) {
        transaction_end_close(t);
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
        transaction_start_abort(t, TRANSACTION_WHY_ERROR);
    } else {
        end_fatal(t, e);
    }
}
