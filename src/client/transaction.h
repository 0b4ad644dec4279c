/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of one producer: the state machine of the correct consume-transform-produce loop.
 *
 *   init -> [ begin -> add... -> commit | abort ]*
 *
 * Calls that block (init, send_offsets, commit, abort) run in one thread of the producer with
 * timeout -1. Retriable errors repeat the same call; abortable ones abort, and every abort rewinds
 * all assigned partitions of the consumer; fatal ones (a fence) end the producer. A commit is made
 * only if the group membership captured with the messages still holds. A revoke of the consumer
 * waits while a transaction is open: half the session timeout, then the transaction is aborted;
 * when the partitions are lost it is aborted at once. What was aborted so is said by the next
 * commit or abort. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "client/consumer.h"
#include "client/producer.h"

struct transaction;

/** Three-valued. ABORTED: certainly not committed. UNKNOWN: a commit was started and ended in a
 * fatal error; the log decides. */
enum transaction_outcome { TRANSACTION_COMMITTED, TRANSACTION_ABORTED, TRANSACTION_UNKNOWN };

enum transaction_state {
    TRANSACTION_NEW,     /**< before init */
    TRANSACTION_READY,   /**< begin is possible */
    TRANSACTION_OPEN,    /**< send, add, commit, abort are possible */
    TRANSACTION_BUSY,    /**< a call runs */
    TRANSACTION_DROPPED, /**< aborted by the machine; the owner does not know yet */
    TRANSACTION_FATAL    /**< nothing is possible but close */
};

enum transaction_why {
    TRANSACTION_WHY_ROLE,
    TRANSACTION_WHY_FAULT,
    TRANSACTION_WHY_REBALANCE, /**< the membership changed, or a held revoke took too long */
    TRANSACTION_WHY_LOST,
    TRANSACTION_WHY_ERROR,
    TRANSACTION_WHY_CLOSED
};
/** "role", "fault", "rebalance", "lost", "error", "closed". */
const char *transaction_why_name(enum transaction_why why);

/** Places where a process may be killed; the hook may kill it. The callbacks on_assign and
 * on_revoke of the consumer are the places in_on_assign and in_on_revoke. */
enum transaction_point {
    TRANSACTION_BEFORE_OFFSETS,
    TRANSACTION_AFTER_OFFSETS,
    TRANSACTION_BEFORE_COMMIT,
    TRANSACTION_DURING_COMMIT, /**< the thread has the commit: EndTxn may be unsent, under way, done
                                */
    TRANSACTION_AFTER_COMMIT,  /**< known to be committed, the owner not told yet */
};

enum transaction_op {
    TRANSACTION_OP_INIT,
    TRANSACTION_OP_BEGIN,
    TRANSACTION_OP_OFFSETS,
    TRANSACTION_OP_COMMIT,
    TRANSACTION_OP_ABORT
};

/** What is about to be called (done false) or has returned (done true). An operation that is
 * repeated because of retriable errors is one operation. */
struct transaction_event {
    enum transaction_op op;
    bool done;
    int64_t txn;              /**< from 1; 0 for init */
    enum transaction_why why; /**< abort only */
    /** OFFSETS, not done: what will be sent, with the membership it is sent under. Else NULL. */
    const struct client_partitions *offsets;
    const char *group;
    int32_t generation;
    uint64_t assignment;
    /** done: kind ERR_NONE = it went through. */
    const struct err *error;
    /** done, COMMIT: the outcome is not known. */
    bool unknown;
};

struct transaction_callbacks {
    void *arg;
    /** Before each call is made and after it has returned (synchronously: what is written to the
     *  history here is there before the call). Must not call this interface. May be NULL. */
    void (*on_event)(void *arg, const struct transaction_event *ev);
    /** At each point, synchronously. Must not call this interface. May be NULL. */
    void (*on_point)(void *arg, enum transaction_point point);
    /** A call has not returned for that many seconds (again each time they pass). May be NULL. */
    void (*on_stuck)(void *arg, const char *call, unsigned seconds);
};

/** Deliberately wrong applications. All false = right. */
struct transaction_mistakes {
    bool no_rewind;      /**< after an abort */
    bool no_offsets;     /**< offsets are not sent with the transaction */
    bool membership_now; /**< the membership is taken at commit time and not compared */
};

struct transaction_setup {
    unsigned stuck_s; /**< 0 = 15 */
    struct transaction_mistakes mistakes;
};

/** The machine of a transactional producer; p is borrowed until transaction_close(). */
struct transaction *transaction_open(struct producer *p, const struct transaction_setup *setup,
                                     const struct transaction_callbacks *cb);

/** Replaces the mistakes of the setup, from the next call on. */
void transaction_set_mistakes(struct transaction *t, const struct transaction_mistakes *mistakes);

/** kind ERR_NONE: done as asked. outcome: of commit and abort; ABORTED for init. e: why it was
 * aborted, why init failed; e->fatal: the producer is dead, code CLIENT_ERR_FENCED = fenced.
 * Borrowed. */
typedef void (*transaction_fn)(void *arg, enum transaction_outcome outcome, const struct err *e);

/** init_transactions: fences older producers of the id and ends their transaction. Once, first. */
void transaction_init(struct transaction *t, transaction_fn fn, void *arg);
/** Begins; consumer (or NULL) is what the offsets are of. @return the number from 1, or -1 */
int64_t transaction_begin(struct transaction *t, struct consumer *c, struct err *e);
/** The message was processed: offset + 1 is committed with the transaction. @return -1 if none is
 * open */
int transaction_add(struct transaction *t, const struct message *m, struct err *e);
/** The same with an offset of the caller's choice (next to be read) for m's partition. */
int transaction_add_offset(struct transaction *t, const struct message *m, int64_t next,
                           struct err *e);
/** Ends the transaction; fn follows, once, never inside this call. Without an open transaction fn
 * gets ERR_USAGE, or why the machine has aborted it. */
void transaction_commit(struct transaction *t, transaction_fn fn, void *arg);
void transaction_abort(struct transaction *t, enum transaction_why why, transaction_fn fn,
                       void *arg);

enum transaction_state transaction_state(const struct transaction *t);
/** Number of the last transaction begun, 0 = none. */
int64_t transaction_number(const struct transaction *t);

/** Aborts what is open (bounded), ends the thread and frees, without blocking the loop; then
 * done(arg). Close the producer after that. If a call hangs beyond bound ms the thread and the
 * producer are left to the end of the process: hung is true and the producer must be abandoned. */
typedef void (*transaction_closed_fn)(void *arg, bool hung);
void transaction_close(struct transaction *t, uint64_t bound, transaction_closed_fn done,
                       void *arg);
