/* SPDX-License-Identifier: Apache-2.0 */
/* What the bindings share: the runtime's insides, the C objects behind producers and consumers.
 * Needed only inside src/lua. */
#pragma once
#include <lauxlib.h>
#include <lua.h>

#include "base/buf.h"
#include "base/ident.h"
#include "base/map.h"
#include "client/consumer.h"
#include "client/producer.h"
#include "client/transaction.h"
#include "lua/runtime.h"
#include "lua/task.h"

#define PRODUCER_TYPE "kaos.producer"
#define CONSUMER_TYPE "kaos.consumer"
#define TX_TYPE       "kaos.tx"
#define MESSAGE_TYPE  "kaos.message"
#define CTX_TYPE      "kaos.ctx"

struct lproducer;
struct lconsumer;

struct runtime {
    struct runtime_setup s;
    lua_State *L;
    struct tasks *tasks;
    struct loop *loop;
    struct hist *h;
    struct lproducer *producers, *sender; /**< newest first; sender: the one of w:send */
    struct lconsumer *consumers;
    uint64_t seq;   /**< records sent by this process */
    uint64_t draws; /**< of ranges in w:sleep */
    unsigned abilities;
    bool draining, stopping, ended;
    bool prompt;          /**< of the REPL: the scheduler is not its own */
    bool broken;          /**< a set-up error was raised */
    bool collects_always; /**< a test stresses the collector */
    struct map names;     /**< interned topic pointer -> string id of the history */
    const char *last_topic;
    int64_t last_id;
    const char *codec_topic; /**< interned; its codec: */
    enum plan_codec codec;
    struct buf scratch; /**< for encoders; valid until the next use */
    /* closing */
    int closing;
    loop_fn closed;
    void *closed_arg;
};

/** The runtime of this state; never NULL inside a role. */
struct runtime *rt_of(lua_State *L);
/** Every call of the role that does something passes here first: a crash that waits for the role's
 * next step after a poll fires. */
static inline void rt_step(struct runtime *rt)
{
    if (rt->s.switches->polled) {
        rt->s.hooks->point(rt->s.arg, POINT_AFTER_POLL, &(struct runtime_at){.txn = -1});
    }
}
/** String id of an interned topic name in the history. */
int64_t rt_topic_id(struct runtime *rt, const char *interned);
enum plan_codec rt_codec(const struct runtime *rt, const char *topic);
/** The same for an interned name, fast when it is the one of the last call. */
enum plan_codec rt_codec_of(struct runtime *rt, const char *interned);
/** Raises, with a suggestion, unless the scenario declares the topic: a misspelt one would be
 * waited for without end, or made by the broker and never audited. */
void rt_check_topic(lua_State *L, const struct runtime *rt, const char *what, const char *name);
/** Merges the role's conf and the option table's `conf` at idx (or nothing) into c. */
void rt_conf(lua_State *L, struct runtime *rt, int idx, struct conf *c);
/** Writes a property of a client into the history if the author has set it. */
void rt_note_conf(struct runtime *rt, const struct conf *c, const char *name);
/** "nil, err" for a failed operation under test. [-0, +2, m] */
int rt_push_failure(lua_State *L, const struct err *e);
/** Raises e, an error of setting something up: a role that cannot start is broken. */
int rt_raise_setup(lua_State *L, struct runtime *rt, const struct err *e);
/** Pushes an empty conf that is freed with the stack slot. [-0, +1, m] */
struct conf *rt_push_conf(lua_State *L);
/** Ends the process if e is fatal. */
void rt_check_fatal(struct runtime *rt, const struct err *e);
/** e as text; for callbacks that only report. */
void rt_log_error(struct runtime *rt, const char *who, const struct err *e);

/* ---- producer ---- */

struct ltopic {       /**< a topic that a producer sends to */
    const char *name; /**< interned */
    int64_t id;
    enum plan_codec codec;
    uint8_t header[IDENT_MAX];
    size_t header_len;
    struct ltopic *next;
};
struct send_wait;
struct flush_wait;
struct room_wait;
struct txn_wait { /**< one call on a transaction at a time */
    struct wait wait;
    bool busy, no_rewind;
    bool fault; /**< fault: the abort is one that the scenario declared */
    enum transaction_outcome outcome;
    struct err e;
    int push; /**< enum of l_producer.c: what the waiting function returns */
};
struct lproducer {
    struct runtime *rt;
    struct producer *p;
    struct transaction *t; /**< NULL: not transactional */
    char *name;            /**< transactional id, or ROLE-INDEX and a number */
    int64_t name_id;
    struct ltopic *topics, *last;
    uint8_t txn_header[IDENT_MAX], src_header[IDENT_MAX];
    size_t txn_header_len, src_header_len;
    const char *src_topic;      /**< whose name is in src_header; interned */
    struct lconsumer *consumer; /**< of the open transaction */
    struct txn_wait call;
    int64_t open_txn;            /**< number of the transaction that Lua has open, 0 = none */
    uint64_t op;                 /**< of the history: the call on the transaction that runs */
    bool closed, no_rewind, now; /**< no_rewind, now: deliberate mistakes */
    struct send_wait *waiting;
    struct flush_wait *flushing;
    struct room_wait *full;
    struct err failure; /**< first failed send since the last flush */
    loop_fn done;       /**< of closing */
    void *done_arg;
    uint64_t bound_ms;
    struct timer *bound;
    struct lproducer *next;
};
/** producer of (type PRODUCER_TYPE) at idx; raises when it is closed. */
struct lproducer *producer_check(lua_State *L, int idx);
/** send on the stack from `idx`: topic, record (or value, key). txn: inside a transaction. */
int producer_push_send(lua_State *L, struct lproducer *p, int idx, bool wait_outcome);
/** Opens a producer from an option table at idx; pushes it, after init_transactions for a
 * transactional one. */
int producer_push_new(lua_State *L, struct runtime *rt, int idx);
void producer_close_async(struct lproducer *p, uint64_t bound_ms, bool abandon, loop_fn done,
                          void *arg);
void producer_free(struct lproducer *p);
/** The producer behind w:send, made on first use. Raises. */
struct lproducer *producer_sender(lua_State *L, struct runtime *rt);

/* ---- consumer ---- */

struct rebalance;
struct handed { /**< records handed out and not settled, per partition */
    struct message *first, *last;
};
struct pack { /**< messages that were taken together; one finalizer for all */
    struct message **items;
    size_t n, cap, next; /**< next = first one not handed out */
    bool released;       /**< the finalizer has run */
};
struct lconsumer {
    struct runtime *rt;
    struct consumer *c;
    char *name, *group; /**< group: as Kafka knows it, or NULL */
    int64_t name_id, group_id;
    bool closed, read_committed;
    bool own_commits; /**< the default consumer: commits after the loop body */
    bool auto_commit; /**< librdkafka commits what was taken, so nothing is taken ahead */
    struct handed *handed;
    size_t nhanded, cap_handed;
    struct wait reader; /**< who waits for records */
    bool reading;       /**< a task is inside an iterator's step */
    struct pack *pack;  /**< taken, not all handed out; pack_ref has its anchor */
    int pack_ref;
    struct { /**< taken of paused partitions, with one hold each */
        struct message **items;
        size_t n, cap;
    } held;
    unsigned refills;
    size_t untold; /**< bytes of records taken that the collector does not know of */
    bool txn_draw; /**< the first record handed out is the one of its transaction's draws */
    int on_assign, on_revoke, on_lost; /**< registry references or LUA_NOREF */
    int on_eof, on_error;
    struct rebalance *rebalance; /**< to be answered */
    bool rebalance_ready;        /**< as soon as the running commit has ended */
    bool committing;             /**< the commit after the loop body runs */
    uint64_t commit_op, commit_due;
    struct wait call; /**< commit, seek, committed: one at a time */
    bool calling;
    struct client_partitions result;
    struct err e;
    loop_fn done; /**< of closing */
    void *done_arg;
    uint64_t bound_ms;
    struct lconsumer *next;
};
struct lconsumer *consumer_check(lua_State *L, int idx);
/** Tells readers that iterators end. */
void consumer_on_stop(struct lconsumer *c);
/** For consumer_deliver.c and consumer_group.c: */
void consumer_on_ready(void *arg);
/** An offset, or "beginning", "end", "committed" at idx; false if it is something else. */
bool consumer_to_position(lua_State *L, int idx, int64_t *out);
void consumer_callbacks_init(struct consumer_callbacks *cb, struct lconsumer *c);
/** Drops what was taken and not handed out of these partitions (NULL = all). */
void consumer_drop_taken(struct lconsumer *c, const struct client_partitions *ps);
/** Offset of the first record taken and not handed out, or -1. */
int64_t consumer_first_taken(const struct lconsumer *c, const char *topic, int32_t partition);
/** Puts it aside while they are paused, and back. */
void consumer_hold_taken(struct lconsumer *c, const struct client_partitions *ps);
void consumer_unhold_taken(lua_State *L, struct lconsumer *c, const struct client_partitions *ps);
/** Starts the commit of everything handed out of an own_commits consumer. false: nothing to commit.
 */
bool consumer_commit_own(struct lconsumer *c);
void consumer_answered(struct lconsumer *c);
void consumer_free_rebalance(struct lconsumer *c);
int consumer_l_messages(lua_State *L);
int consumer_l_batches(lua_State *L);
/** The commit that the author asks for. */
void consumer_record_commit(struct lconsumer *c, const struct client_partitions *ps);
void consumer_record_committed(struct lconsumer *c, const struct err *e);
void consumer_point(struct lconsumer *c, enum plan_point p);
/** Offsets behind what was handed out. */
void consumer_handed_offsets(const struct lconsumer *c, struct client_partitions *out);
/** Forgets what was handed out (committed or rewound); buffer: also what was taken and not handed
 * out. */
void consumer_settle(struct lconsumer *c, bool buffer);
void consumer_close_async(struct lconsumer *c, uint64_t bound_ms, loop_fn done, void *arg);
void consumer_free(struct lconsumer *c);
/** Opens a consumer from an option table at idx and pushes it. */
int consumer_push_new(lua_State *L, struct runtime *rt, int idx, const char *what);
/** Pushes the iterator of consumer:messages() for the consumer on top of the stack. [-1, +1, m] */
int consumer_push_messages(lua_State *L, struct lconsumer *c);

/* ---- message ---- */

/** The message at idx, or NULL if it is something else. */
struct message *message_test(lua_State *L, int idx);
struct message *message_check(lua_State *L, int idx);
/** Pushes m, an item of p, whose anchor is at stack index idx or, if idx is negative, has the
 * registry reference -idx. [-0, +1, m] */
void message_push(lua_State *L, struct pack *p, int idx, struct message *m, enum plan_codec codec);
/** Makes an empty pack with room for n and pushes what keeps it alive. [-0, +1, m] */
struct pack *message_push_pack(lua_State *L, size_t n);

/* ---- registration of classes ---- */
void ctx_open(lua_State *L);
void producer_open_class(lua_State *L);
void consumer_open_class(lua_State *L);
void tx_open(lua_State *L);
void message_open(lua_State *L);
/** Pushes the context of the role. */
void ctx_push(lua_State *L, struct runtime *rt);
/** Pushes the transaction that was just begun. */
void tx_push(lua_State *L, struct lproducer *p, int64_t txn);

/* ---- transactions of a producer (producer_txn.c) ---- */
extern const struct transaction_callbacks producer_txn_callbacks;
enum { TXN_PUSH_PRODUCER, TXN_PUSH_RESULT, TXN_PUSH_NOTHING };
/** Starts init, commit or abort (why) and waits. offsets: idx of a list of { topic, partition,
 * offset } to commit instead of what was handed out, or 0. */
int producer_txn_init(lua_State *L, struct lproducer *p);
int producer_txn_commit(lua_State *L, struct lproducer *p, int offsets, bool now);
int producer_txn_abort(lua_State *L, struct lproducer *p, enum transaction_why why, int push);
bool producer_txn_busy(const struct lproducer *p);
/** Tells the machine which mistakes the next call makes. */
void producer_txn_mistakes(struct lproducer *p, bool no_rewind, bool now);
/** producer:begin */
int producer_txn_begin(lua_State *L, struct lproducer *p, struct lconsumer *c);
