/* SPDX-License-Identifier: Apache-2.0 */
/* Who leads which partition: replicas, those in sync, elections, epochs. Replication itself is
 * perfect: the state is one, and a replica that comes back has caught up at once. */
#pragma once
#include "broker/state.h"

/** Replicas and first leader of a new partition; number spreads them over the nodes. */
void leaders_place(struct broker *b, struct partition *p, uint32_t number);
/** The i-th replica. */
int leaders_replica(const struct broker *b, const struct partition *p, int i);
bool leaders_in_sync(const struct partition *p, int node);
/** Whether as many replicas are in sync as min.insync.replicas asks for. */
bool leaders_enough(const struct broker *b, const struct partition *p);

/** The node is gone for the cluster: it leaves the ISRs, and others lead what it led. The last one
 *  in sync stays so, and without it nobody leads. */
void leaders_lose(struct broker *b, int node);
/** It is back: in sync again, and leader of what nobody leads; what others lead stays theirs. */
void leaders_regain(struct broker *b, int node);

/** The epoch of the record at offset, or of the next one. */
int32_t leaders_epoch_at(const struct partition *p, int64_t offset);
/** OffsetForLeaderEpoch: the greatest epoch up to the one asked for, and where it ends; -1, -1 for
 *  one that has not been. */
void leaders_epoch_end(const struct partition *p, int32_t asked, int32_t *epoch, int64_t *end);
