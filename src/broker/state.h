/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine: what the modules of the broker share. Nothing here is locked: one thread. */
#pragma once
#include "base/buf.h"
#include "base/map.h"
#include "broker/broker.h"
#include "broker/plog.h"
#include "broker/props.h"
#include "broker/pstate.h"
#include "io/loop.h"
#include "io/tcp.h"
#include "wire/kafka_error.h"
#include "wire/schema.h"

#define OFFSETS_TOPIC "__consumer_offsets"
#define TXN_TOPIC     "__transaction_state"

struct fetch_wait;
struct fetch_hook { /**< one waiting fetch at one partition */
    struct fetch_wait *wait;
    struct fetch_hook *next, **link;
};

struct partition {
    struct topic *topic;
    int32_t index;
    int leader; /**< node id */
    int32_t leader_epoch;
    struct plog log;
    struct pstate producers;
    struct fetch_hook *waiting;
};
struct topic {
    char *name;
    uint8_t id[16];
    bool internal;
    struct props props;
    struct partition **parts;
    int32_t nparts;
    int replication; /**< how many nodes are named as replicas */
};

struct node;
struct node_listener {
    struct node *node;
    int index;
    struct tcp_server *server;
    char *host;
    int port;
};
struct node {
    struct broker *b;
    int id;
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
    uint64_t memory, used; /**< limit, bytes of all logs as allocated */
    broker_trace_fn trace;
    void *trace_arg;
    char cluster_id[24];

    struct conn *conns; /**< all open connections */
    char *scratch;      /**< where bytes of idle connections arrive */

    struct map topics; /**< name -> struct topic; NULL = deleted */
    struct map ids;    /**< topic id -> struct topic */
    uint32_t ntopics;  /**< ever created */

    int64_t next_producer_id;
    struct map txns;   /**< transactional id -> struct tc_txn */
    struct map groups; /**< group id -> struct group; NULL = gone */
    uint64_t members;  /**< ever made, for member ids */

    struct timer *txn_timer, *expiry_timer, *pid_timer;
    struct fetch_wait *fetch_ready; /**< to be looked at in the next turn */
    bool fetch_deferred;
    struct tc_step *steps; /**< completions under way */
    bool closing;
};

/** Milliseconds since 1970, and of the monotonic clock. */
int64_t state_now_ms(void);
uint64_t state_mono_ms(void);
/** The node that leads, or coordinates, what the number stands for. */
int state_node_of(const struct broker *b, uint32_t number);
/** Java's String.hashCode, as group and transaction coordinators are spread. */
uint32_t state_hash(const char *s);
