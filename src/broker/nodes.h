/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual nodes: their lives, and what the cluster makes of it. A node that does not answer is
 * fenced when its session is over and a majority of the controllers agrees; then leaderships move,
 * and with the leaderships of the internal topics the coordinators, which read their log first. */
#pragma once
#include "broker/call.h"

void nodes_start(struct broker *b);
void nodes_stop(struct broker *b);
/** Serves requests: neither down nor frozen. */
bool nodes_runs(const struct node *n);
/** And its answers get out. */
bool nodes_answers(const struct node *n);
/** The node behind a node id; NULL for -1. */
const struct node *nodes_find(const struct broker *b, int id);

/** How many nodes are controllers: the first ones, an odd number. */
int nodes_controllers(const struct broker *b);

/** Whether the node that was asked coordinates what is kept in this partition of an internal topic:
 *  0, COORDINATOR_LOAD_IN_PROGRESS or NOT_COORDINATOR. */
int nodes_coordinates(const struct call *c, const struct partition *home);
/** It has just gone on after a pause and does not know yet that another one coordinates: what it is
 *  asked it answers as before, what shall be written it cannot. */
bool nodes_believes(const struct call *c, const struct partition *home);
/** Somebody coordinates it now: runs and has read the log. */
bool nodes_coordinated(const struct broker *b, const struct partition *home);
/** A marker, or a record of a coordinator, can be written now. */
bool nodes_writable(const struct broker *b, const struct partition *p);

/** Something waits for the nodes: the clock runs until they are well and nothing waits. */
void nodes_watch(struct broker *b);
/** From an election: the coordinator of an internal partition has moved. */
void nodes_leader_moved(struct broker *b, struct partition *p);
