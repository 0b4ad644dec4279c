/* SPDX-License-Identifier: Apache-2.0 */
/* Is a cluster ready? Asked over the wire from pool threads, again and again until yes, a time
 * limit or a cancel; the answer comes on the loop. */
#pragma once
#include <stddef.h>

#include "base/err.h"
#include "cluster/cluster.h"

struct ready;

struct ready_result {
    int brokers;       /**< that Metadata lists */
    bool groups, txns; /**< a coordinator of this kind was found */
};
/** e NULL = ready, r valid during the call. Called once, unless cancelled. */
typedef void (*ready_fn)(void *arg, const struct ready_result *r, const struct err *e);

struct ready_opts {
    struct loop *loop;
    const char *const *addresses; /**< each is asked by itself; copied */
    size_t naddresses;
    int brokers;       /**< that Metadata must list; 0 = at least one */
    int node;          /**< that Metadata must list; 0 = no matter */
    bool coordinators; /**< look for both kinds; without `optional` they must be found */
    bool optional;
    const struct cluster_setting *settings; /**< names that the brokers must know; copied */
    size_t nsettings;
    unsigned timeout_ms;
    ready_fn fn;
    void *arg;
};

struct ready *ready_start(const struct ready_opts *o);
/** Asks one node, at its own address, until it says that it is a member. */
struct ready *ready_node(struct loop *l, const char *address, int node, ready_fn fn, void *arg);
/** fn is not called any more; NULL is fine. */
void ready_cancel(struct ready *r);
