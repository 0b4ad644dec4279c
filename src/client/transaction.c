/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the state machine of the correct transactional loop towards its owner: which call is
 * possible when, whether the group still lets us commit, and how long a revoke may wait. */
#include "client/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/transaction_internal.h"

enum { STUCK_S = 15 };

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
    t->blocking = blocking_open(t->loop, producer_handle(p), transaction_on_result, t);
    return t;
}

void transaction_set_mistakes(struct transaction *t, const struct transaction_mistakes *mistakes)
{
    t->setup.mistakes = *mistakes;
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
    transaction_call(t, BLOCKING_INIT);
}

static void drop(struct transaction *t, enum transaction_why why)
{
    err_set(&t->cause, ERR_BROKER, 0,
            why == TRANSACTION_WHY_LOST
                ? "the transaction was aborted: its partitions were lost to a rebalance"
                : "the transaction was aborted: a rebalance could not wait longer");
    t->cause.abortable = true;
    t->unasked = true;
    transaction_start_abort(t, why);
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
    transaction_emit(t, &ev);
    int rc = client_fail_error(e, rd_kafka_begin_transaction(producer_handle(t->p)),
                               "begin_transaction");
    ev.done = true;
    ev.error = e;
    transaction_emit(t, &ev);
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
        transaction_start_commit(t);
        return;
    }
    if (may_commit(t)) {
        transaction_at(t, TRANSACTION_BEFORE_OFFSETS);
        transaction_call(t, BLOCKING_OFFSETS);
        return;
    }
    bool lost = consumer_lost(t->consumer);
    err_set(&t->cause, ERR_BROKER, 0,
            "the transaction was aborted: the consumer's membership of group %s changed while it "
            "was open",
            consumer_group(t->consumer));
    t->cause.abortable = true;
    transaction_start_abort(t, lost ? TRANSACTION_WHY_LOST : TRANSACTION_WHY_REBALANCE);
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
        transaction_start_abort(t, why);
}

/* ---- closing ---- */

static void release(struct transaction *t)
{
    transaction_stop_timers(t);
    timer_stop(t->stuck);
    client_partitions_free(&t->offsets);
    membership_free(t->membership);
    membership_free(t->used);
    free(t);
}

void transaction_end_close(struct transaction *t)
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
    transaction_stop_timers(t);
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
        transaction_start_abort(t, TRANSACTION_WHY_CLOSED);
    else
        transaction_quit_if_closing(t);
}
