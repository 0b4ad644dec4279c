/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine: what the modules of the broker share. Nothing here is locked: one thread. */
#pragma once
#include "base/buf.h"
#include "base/map.h"
#include "broker/broker.h"
#include "broker/plog.h"
#include "broker/props.h"
#include "broker/pstate.h"
#include "broker/topic_id.h"
#include "io/loop.h"
#include "io/tcp.h"
#include "wire/kafka_error.h"
#include "wire/schema.h"

#define OFFSETS_TOPIC "__consumer_offsets"
#define TXN_TOPIC     "__transaction_state"

struct fetch_wait;
struct fetch_session;
struct fetch_hook { /**< one waiting fetch at one partition */
    struct fetch_wait *wait;
    struct fetch_hook *next, **link;
};

struct partition_epoch {
    int32_t epoch;
    int64_t start; /**< offset of its first record, were there one */
};
struct partition {
    struct topic *topic;
    int32_t index;
    int leader;   /**< node id, -1 = none */
    int former;   /**< who led before; 0 = nobody */
    int first;    /**< the first replica; the others are the nodes that follow */
    unsigned isr; /**< replicas in sync, bit 1 << node id */
    int32_t leader_epoch;
    struct {
        struct partition_epoch *items; /**< after epoch 0, which starts at 0 */
        size_t n, cap;
    } epochs;
    uint64_t loads_until; /**< its coordinator reads the log until then (monotonic), 0 = it has */
    struct plog log;
    struct pstate producers;
    size_t cost; /**< of itself and its producers, as counted */
    struct fetch_hook *waiting;
};
struct topic {
    char *name;
    uint8_t id[TOPIC_ID_BYTES];
    bool internal;
    struct props props;
    struct partition **parts;
    int32_t nparts;
    int replication; /**< how many nodes are named as replicas */
    size_t cost;     /**< without its partitions */
};

struct node;
struct node_listener {
    struct node *node;
    int index;
    struct tcp_server *server; /**< NULL = refuses */
    char *host;
    int port;
    int reserved; /**< keeps the port while it refuses, -1 = none */
};
/**
 *   RUNS ──stop──▶ STOPS ─▶ DOWN ──restart──▶ STARTS ─▶ RUNS
 *    │──kill──▶ DIES ────────▶┘
 *    └──pause, isolate──▶ PAUSED, ISOLATED ──resume──▶ RUNS
 */
enum node_state {
    NODE_RUNS,
    NODE_STOPS,    /**< hands over; then it is down */
    NODE_DIES,     /**< its last moment: what it still does nobody is told */
    NODE_PAUSED,   /**< its sockets stay, nobody looks at them */
    NODE_ISOLATED, /**< the same, and what they hold is lost */
    NODE_DOWN,
    NODE_STARTS, /**< waits for a majority of controllers */
};
struct node {
    struct broker *b;
    int id;
    enum node_state state;
    bool fenced;       /**< the controller takes it for gone */
    uint64_t since;    /**< of the state (monotonic ms) */
    uint64_t woken;    /**< when it went on after a pause, 0 = never */
    struct call *held; /**< answers that wait for the node to go on */
    struct node_listener at[BROKER_LISTENERS_MAX];
};

struct conn;
struct broker {
    struct loop *loop;
    struct node nodes[BROKER_NODES_MAX];
    int nnodes, nlisteners;
    char *bootstrap[BROKER_LISTENERS_MAX];
    int transaction_version;
    struct props props;
    uint64_t seed, draws;  /**< of what is drawn, and how much has been */
    uint64_t memory, used; /**< limit, bytes of all logs as allocated and of the state */
    broker_trace_fn trace;
    void *trace_arg;
    char cluster_id[24];

    struct conn *conns; /**< all open connections */
    uint64_t transit;   /**< bytes of requests and answers under way */
    struct timer *idle_timer;
    char *scratch; /**< where bytes of idle connections arrive */

    struct map topics;  /**< name -> struct topic; NULL = deleted */
    struct map ids;     /**< topic id -> struct topic */
    uint32_t ntopics;   /**< ever created */
    uint64_t topics_at; /**< moves whenever topics come, grow or go */

    int64_t next_producer_id;
    struct map txns;   /**< transactional id -> struct tc_txn */
    struct map groups; /**< group id -> struct group; NULL = gone */
    uint64_t members;  /**< ever made, for member ids */

    int controller;     /**< node id, -1 = none */
    struct timer *tick; /**< while the nodes are not all well */
    void (*on_node)(void *arg, int node, const char *what);
    void *node_arg;

    struct timer *txn_timer, *expiry_timer, *pid_timer, *retention_timer;
    struct fetch_wait *fetch_ready;  /**< to be looked at in the next turn */
    struct fetch_wait *fetch_frozen; /**< to be looked at when their nodes go on */
    bool fetch_deferred;
    struct {
        struct fetch_session **items;
        size_t n, cap;
    } fetch_sessions;
    struct tc_step *steps;    /**< completions under way */
    bool steps_due;           /**< in the next turn */
    struct timer *step_timer; /**< for those that have a time of their own, NULL = none waits */
    bool closing;
};

/** Memory of the state, which the limit is for as it is for the logs: a thing that was counted with
 *  *cost bytes is counted with `now`. */
void state_charge(struct broker *b, size_t *cost, size_t now);
/** Whether the state and the logs may grow by so many bytes. */
bool state_room(const struct broker *b, size_t bytes);
/** About what an entry of a map takes beside its key and its value. */
enum { STATE_ENTRY = 80 };

/** Milliseconds since 1970, and of the monotonic clock. */
int64_t state_now_ms(void);
uint64_t state_mono_ms(void);
/** The node that leads, or coordinates, what the number stands for. */
int state_node_of(const struct broker *b, uint32_t number);
/** Java's String.hashCode, as group and transaction coordinators are spread. */
uint32_t state_hash(const char *s);
