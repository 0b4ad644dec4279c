/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster under a loop and a guard, driven step by step: every step runs the loop until its
 * callback came. The test program is its own guard. */
#pragma once
#include "cluster/cluster.h"

struct fixture {
    struct loop *loop;
    struct guard *guard;
    struct cluster *c;
    bool answered, ready, stopped;
    struct err e; /**< of the last on_ready, or of cluster_open */
    int node;     /**< of the last node event */
    enum cluster_event event;
    bool expected;
    char detail[64];
};

void fixture_setup(struct fixture *f);
/** Opens and starts; returns when on_ready came. @return whether ready. */
bool fixture_start(struct fixture *f, const char *spec, struct cluster_opts *o);
/** Runs the loop until a node event came. */
void fixture_wait_event(struct fixture *f);
void fixture_stop(struct fixture *f);
void fixture_teardown(struct fixture *f);
/** Skips the running case, with the reason, unless this version and a java are here. */
void fixture_need(const char *spec);
