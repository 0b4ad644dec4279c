/* SPDX-License-Identifier: Apache-2.0 */
/* The machine as its own files see it: transaction.c (what owners and the consumer ask for),
 * transaction_calls.c (the calls that block, and what follows which result). */
#pragma once
#include "client/blocking.h"
#include "client/transaction.h"

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
    bool closing, quitting, hung;
    struct timer *bound;
    transaction_closed_fn closed;
    void *closed_arg;
};

/* transaction_calls.c */
/** Tells the invoke, then hands the call to the thread. */
void transaction_call(struct transaction *t, enum blocking_op op);
void transaction_start_commit(struct transaction *t);
void transaction_start_abort(struct transaction *t, enum transaction_why why);
void transaction_on_result(void *arg, enum blocking_op op, const struct err *e);
void transaction_emit(struct transaction *t, const struct transaction_event *ev);
void transaction_at(struct transaction *t, enum transaction_point at);
void transaction_stop_timers(struct transaction *t);
void transaction_quit_if_closing(struct transaction *t);

/* transaction.c */
/** The thread has ended. */
void transaction_end_close(struct transaction *t);
