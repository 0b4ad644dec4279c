/* SPDX-License-Identifier: Apache-2.0 */
/* The network side: connections, frames, the order of answers. */
#pragma once
#include "broker/state.h"

/** Opens the listeners of all nodes. @return -1 with e. */
int front_open(struct broker *b, const struct broker_opts *o, struct err *e);
/** Closes listeners and connections. */
void front_close(struct broker *b);

/** A node's process ends: its listeners refuse, its connections end. */
void front_node_close(struct node *n);
/** Listens again on the same ports. @return -1: a port is not free yet. */
int front_node_open(struct node *n, struct err *e);
/** Nothing is read, handled or answered any more; connections are still made by the kernel. */
void front_node_freeze(struct node *n);
/** Goes on with what has come meanwhile. */
void front_node_thaw(struct node *n);
/** Ends all connections. */
void front_node_cut(struct node *n);
