/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the folder: the embedded broker as a cluster, and its virtual nodes. */
#pragma once
#include <sys/types.h>

#include "broker/broker.h"
#include "cluster/kind.h"
#include "cluster/ready.h"

enum embedded_state {
    EMBEDDED_UP,
    EMBEDDED_ENDING, /**< is told to stop or die */
    EMBEDDED_DOWN,
    EMBEDDED_PAUSED,
    EMBEDDED_STARTING, /**< is told to go on; serves when the probe says so */
};
struct embedded_node {
    struct embedded_cluster *x;
    int id;
    enum embedded_state state;
    bool told; /**< what it was told has not shown its effect yet */
    char *address;
    struct ready *probe;
};

struct embedded_cluster {
    struct cluster base;
    struct proc *p;
    struct ready *probe;
    struct timer *timer;
    char *log_path;
    int looks;
    int transaction_version; /**< 0 = as it comes */
    bool up, asked, kept;
    struct embedded_node nodes[BROKER_NODES_MAX];
    struct timer *watch; /**< of the log, while a node was told something */
    off_t log_at;
    cluster_done_fn done;
    void *done_arg;
};

void embedded_nodes_init(struct embedded_cluster *x);
void embedded_nodes_fini(struct embedded_cluster *x);
/** The cluster is ready: addresses are known. */
void embedded_nodes_ready(struct embedded_cluster *x);
/** No events any more. */
void embedded_nodes_end(struct embedded_cluster *x);
int embedded_node_act(struct cluster *c, int node, enum node_action what, struct err *e);
bool embedded_node_up(const struct cluster *c, int node);
