/* SPDX-License-Identifier: Apache-2.0 */
/* Committed offsets of groups, and those that a transaction holds. */
#pragma once
#include "broker/group.h"

/** NULL = none. */
const struct group_offset *goffsets_find(const struct group_offsets *list, const char *topic,
                                         int32_t partition);
/** Writes the offset into __consumer_offsets and keeps it: at once, or with a producer id (not -1)
 *  until the transaction ends. @return Kafka's error code. */
int goffsets_commit(struct group *g, const struct group_offset *o, int64_t producer_id,
                    int16_t epoch);
/** A transaction has ended for the groups of one partition of __consumer_offsets. */
void goffsets_marker(struct broker *b, int32_t partition, int64_t producer_id, bool commit);
void goffsets_topic_deleted(struct broker *b, const char *topic);
/** Deletes a committed offset, if there is one, and those that transactions hold. */
void goffsets_delete(struct group *g, const char *topic, int32_t partition);
/** Deletes all, held ones included. */
void goffsets_clear(struct group *g);
void goffsets_free(struct group_offsets *list);
