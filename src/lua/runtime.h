/* SPDX-License-Identifier: Apache-2.0 */
/* A role function at work: its tasks, clients and history. role/ starts it, tells it to drain and
 * to stop, and decides through hooks where the process dies. Loop's thread only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "history/hist.h"
#include "io/loop.h"
#include "plan/plan.h"

struct load;
struct lua_State;
struct runtime;

/** Where a crash point is passed. */
struct runtime_at {
    const void *consumer; /**< whose records; NULL = any */
    const char *topic;    /**< the input record, NULL = every record of the transaction or batch */
    int32_t partition;
    int64_t offset;
    const char *producer; /**< transactional id or name, "" = none */
    int64_t txn;          /**< or -1 */
};
/** A record that is handed to the role. */
struct runtime_record {
    const void *consumer;
    const char *group, *topic; /**< group "" = none; both stay valid */
    int32_t partition;
    int64_t offset;
    bool first; /**< of its batch */
};
/** What a role has created so far: which points it can pass. */
enum runtime_ability {
    ABLE_CONSUME = 1,
    ABLE_SEND = 2,
    ABLE_TRANSACT = 4,
    ABLE_COMMIT = 8, /**< a consumer with a group that does not commit by itself */
    ABLE_JOIN = 16,  /**< a consumer with a group and a rebalance callback */
};

struct runtime_hooks {
    /** A record is handed out (in a role without input: topic "", partition index, offset = send
     * number): draws. */
    void (*record)(void *arg, const struct runtime_record *r, unsigned abilities);
    /** A transaction begins (or gets its first record): draws of faults `per` transaction. */
    void (*begin)(void *arg, const struct runtime_record *first, unsigned abilities);
    /** A point is passed; may kill the process. */
    void (*point)(void *arg, enum plan_point p, const struct runtime_at *at);
    /** Consumes a pending `abort` for the consumer's records: the transaction is to be aborted. */
    bool (*take_abort)(void *arg, const void *consumer);
    /** The records of the consumer since the last commit are void (rewound) or done (committed). */
    void (*settle)(void *arg, const void *consumer);
    /** A fatal Kafka error (code: its name): ends the process. Does not return. */
    void (*die)(void *arg, const struct err *e, const char *code);
};
/** Cheap tests before the hooks are called; kept by role/. */
struct runtime_switches {
    bool draws;  /**< some fault may hit records now */
    bool armed;  /**< a crash is pending */
    bool polled; /**< one that fires at the next call of the role (after_poll) */
};

struct runtime_setup {
    struct loop *loop;
    struct hist *hist;
    struct load *load;
    size_t scenario_index; /**< in load */
    const struct plan *plan;
    const struct plan_role *role;
    const char *run, *bootstrap, *suffix;
    int index, incarnation;
    uint64_t seed;
    const struct runtime_hooks *hooks;
    struct runtime_switches *switches;
    void *arg; /**< of the hooks */
    /** The role function and all its tasks have ended (e->kind ERR_NONE), or one failed: trace is
     * then its traceback. Called once, on the loop. */
    void (*on_end)(void *arg, const struct err *e, const char *trace);
};

/** Everything in setup is kept (borrowed) until runtime_free(). @return NULL: the role function
 * cannot be prepared. */
struct runtime *runtime_new(const struct runtime_setup *setup, struct err *e);
/** The same for the prompt of the REPL: no load and no role function; L brings its own scheduler
 * and outlives it, and on_end is never called. A later one in the same L takes its place: clients
 * are made in the newest. */
struct runtime *runtime_new_prompt(const struct runtime_setup *setup, struct lua_State *L,
                                   struct err *e);
/** Writes READY and starts the role function. */
void runtime_start(struct runtime *rt);
/** Sources end: tasks without an endless iterator are cancelled. */
void runtime_drain(struct runtime *rt);
/** Iterators end. */
void runtime_stop(struct runtime *rt);
bool runtime_stopping(const struct runtime *rt);
/** An error of setting up clients was raised: the scenario or the cluster is broken, not its Lua.
 */
bool runtime_broken(const struct runtime *rt);
/** No task runs any more: before closing a role that has not ended by itself. */
void runtime_freeze(struct runtime *rt);
/** Cancels what still runs. */
void runtime_cancel(struct runtime *rt);
/** The consumers of this group leave and join again; false: there is none. */
bool runtime_rejoin(struct runtime *rt, const char *group);
/** Closes all clients, waiting at most bound_ms for outcomes and for the brokers; then done(arg).
 *  abandon: open transactions are left as they are (the `exit` fault). */
void runtime_close(struct runtime *rt, uint64_t bound_ms, bool abandon, loop_fn done, void *arg);
void runtime_free(struct runtime *rt);

/** "FILE:LINE" at the start of a Lua error message, or "" (static buffer). */
const char *runtime_where(const char *message);
