/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the folder: what every kind of cluster begins with, and the row it fills in. */
#pragma once
#include <stdint.h>

#include "cluster/cluster.h"

enum node_action { NODE_KILL, NODE_STOP, NODE_PAUSE, NODE_RESUME, NODE_RESTART };

struct cluster_kind {
    const char *name;
    const char *syntax; /**< as in messages and help */
    const char *doc;
    bool (*accepts)(const char *spec);
    struct cluster *(*open)(const char *spec, const struct cluster_opts *o, struct err *e);
    void (*start)(struct cluster *c);
    void (*stop)(struct cluster *c, cluster_done_fn done, void *arg);
    void (*free)(struct cluster *c); /**< the kind's own members, then cluster_base_fini, then c */
    int (*node)(struct cluster *c, int node, enum node_action what, struct err *e); /**< or NULL */
    pid_t (*pid)(const struct cluster *c, int node);                                /**< or NULL */
    bool (*up)(const struct cluster *c, int node);                                  /**< or NULL */
    void (*keep)(struct cluster *c, struct buf *out);
};

extern const struct cluster_kind kafka_kind, embedded_kind, reuse_kind, external_kind;

/** First member of every kind's struct. */
struct cluster {
    const struct cluster_kind *kind;
    struct cluster_opts o; /**< run_dir and settings are our copies */
    char *version;         /**< "" if unknown */
    char *bootstrap[2];    /**< by enum cluster_listener */
    char *failure_log;     /**< never NULL */
    unsigned caps;
    int nodes;   /**< managed */
    int brokers; /**< that can hold replicas */
    uint64_t start_ns;
    unsigned start_ms;
};

void cluster_base_init(struct cluster *c, const struct cluster_kind *kind,
                       const struct cluster_opts *o);
void cluster_base_fini(struct cluster *c);
/** Notes the time and calls on_ready; e NULL = ready. */
void cluster_base_ready(struct cluster *c, const struct err *e);
