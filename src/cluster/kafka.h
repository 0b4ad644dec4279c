/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the folder: a managed cluster of Apache Kafka and its nodes. */
#pragma once
#include <sys/types.h>

#include "cluster/kafka_cache.h"
#include "cluster/kafka_config.h"
#include "cluster/kafka_home.h"
#include "cluster/kind.h"
#include "cluster/ready.h"

enum node_state { NODE_IS_DOWN, NODE_IS_STARTING, NODE_IS_UP, NODE_IS_PAUSED };

struct node {
    struct kafka *k;
    int id;
    enum node_state state;
    bool asked; /**< its coming death is ours */
    struct proc *p;
    struct ready *probe; /**< after a restart or resume, until it serves */
    char *dir, *log_path, *address;
    off_t log_at; /**< size of the log when the process was started */
};

enum kafka_phase {
    KAFKA_IDLE,
    KAFKA_PREPARING, /**< templates and archive */
    KAFKA_STARTING,
    KAFKA_CLEARING, /**< a port was taken: nodes end, then once more with other ports */
    KAFKA_READY,
    KAFKA_FAILED,
    KAFKA_STOPPING,
    KAFKA_STOPPED,
};

struct kafka {
    struct cluster base;
    struct kafka_home home;
    struct kafka_cache *cache;
    enum kafka_phase phase;
    int attempts;
    bool kept;
    char *dir, *logs;
    char *archive;
    struct kafka_ports ports[CLUSTER_NODES_MAX];
    struct node nodes[CLUSTER_NODES_MAX];
    struct ready *probe;
    struct timer *timer;
    cluster_done_fn done;
    void *done_arg;
};

/** Called by a node when its process was reaped (n->p is gone already). */
void kafka_node_ended(struct kafka *k, struct node *n, struct proc_end end);

void kafka_node_init(struct node *n, struct kafka *k, int id);
void kafka_node_fini(struct node *n);
/** Data from the template, properties for the ports of now. */
int kafka_node_lay_out(struct node *n, struct err *e);
int kafka_node_spawn(struct node *n, struct err *e);
/** Looks until the node serves, then state and CLUSTER_NODE_UP. */
void kafka_node_watch(struct node *n);
int kafka_node_act(struct cluster *c, int node, enum node_action what, struct err *e);
/** SIGKILL, if it is alive. */
void kafka_node_end(struct node *n);
/** What its log says since its last start: the last line with an error, else the last line; caller
 *  frees. *port_taken: the reason was a port in use. */
char *kafka_node_reason(const struct node *n, bool *port_taken);
