/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded broker: Apache Kafka's protocol over one state machine in memory. One loop thread
 * does everything; requests are applied in the order in which they arrive. Virtual nodes are
 * listeners over the same state: leaders and coordinators are spread over them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"

struct broker;

enum {
    BROKER_NODES_MAX = 5,
    BROKER_TXN_VERSION_MAX = 2,
    BROKER_LISTENERS_MAX = 2, /**< per node: clients see the addresses of the one they came by */
};

struct broker_setting {
    const char *name, *value; /**< a broker property of Kafka that this broker honours */
};
/** Called with one line, without its end, for each request and each answer. */
typedef void (*broker_trace_fn)(void *arg, const char *line);

/** A command has had its effect: what is "up", "down", "stopping", "paused" or "isolated". */
typedef void (*broker_node_fn)(void *arg, int node, const char *what);

struct broker_opts {
    struct loop *loop;
    int nodes; /**< 1 to BROKER_NODES_MAX; their ids begin at 1 */
    struct {
        const char *host; /**< numeric address */
        int port;         /**< of node 1, the next ones follow; 0 = free ones */
    } listen[BROKER_LISTENERS_MAX];
    int listeners;
    int transaction_version;               /**< 1 (classic) or 2 (KIP-890); 0 = 2 */
    uint64_t seed;                         /**< of what the properties kaos.* have it draw */
    uint64_t memory;                       /**< bytes of what is stored; 0 = no limit */
    const struct broker_setting *settings; /**< borrowed during broker_start */
    size_t nsettings;
    broker_trace_fn trace; /**< or NULL */
    void *trace_arg;
    broker_node_fn on_node; /**< or NULL */
    void *node_arg;
};

/** Listens at once. @return NULL with ERR_USAGE (a setting, an address) or ERR_SYSTEM. */
struct broker *broker_start(const struct broker_opts *o, struct err *e);
/** Closes all connections and frees. */
void broker_free(struct broker *b);
/** "127.0.0.1:9092,127.0.0.1:9093" of a listener; borrowed. */
const char *broker_bootstrap(const struct broker *b, int listener);
/** "kill 2", also stop, pause, isolate, resume, restart: the rest of the cluster takes a node for
 *  gone when broker.session.timeout.ms is over, at once when it stops. @return -1 with ERR_USAGE.
 */
int broker_command(struct broker *b, const char *text, struct err *e);
/** Creates a topic as an admin client would. @return -1 with ERR_BROKER. */
int broker_create_topic(struct broker *b, const char *name, int32_t partitions, struct err *e);
/** Whether the broker knows and honours the property. @return -1 with ERR_USAGE naming it. */
int broker_check_setting(const char *name, const char *value, struct err *e);
