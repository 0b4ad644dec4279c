/* SPDX-License-Identifier: Apache-2.0 */
/* Topics, and appends to their partitions. */
#pragma once
#include "broker/state.h"
#include "broker/tc.h"

/** NULL = there is none. */
struct topic *part_topic(const struct broker *b, const char *name);
struct topic *part_topic_by_id(const struct broker *b, const uint8_t id[static TOPIC_ID_BYTES]);
/** NULL = there is none. */
struct partition *part_find(const struct broker *b, const char *topic, int32_t index);
/** Whether a topic may have that name. */
bool part_name_ok(const char *name);
/** Whether the name is one of Kafka's own topics. */
bool part_name_internal(const char *name);
/** An id that no topic has. */
void part_new_id(const struct broker *b, uint8_t id[static TOPIC_ID_BYTES]);
/** Creates a topic that does not exist. */
struct topic *part_create(struct broker *b, const char *name, int32_t partitions, int replication,
                          const struct props *props);
void part_grow(struct broker *b, struct topic *t, int32_t partitions);
/** Bytes that so many partitions take before anything is written to them. */
size_t part_cost(int32_t partitions);
/** Ends waiting fetches of the topic and frees it. */
void part_delete(struct broker *b, struct topic *t);
void part_free_all(struct broker *b);
/** Calls fn for each partition of each topic. fn creates and deletes none. */
void part_each(struct broker *b, void (*fn)(struct partition *p, void *arg), void *arg);
/** The internal topic of group or transaction coordinators, created when first asked for. */
struct topic *part_internal(struct broker *b, const char *name);

/** Forgets producers without open transaction that were silent since before_ms. */
void part_expire_producers(struct broker *b, struct partition *p, uint64_t before_ms);
/** Last stable offset: what read_committed may see. Below the log's start when that lies inside of
 *  a batch, behind the beginning of an open transaction. */
int64_t part_lso(const struct partition *p);

/** Who appends. */
struct part_origin {
    struct buf *whole; /**< the buffer that holds the records, when the log may take it over */
    struct batch_pass *pass; /**< one that was begun over this batch, or another; NULL = none */
    const char *txn_id;      /**< of the request, NULL = none */
    enum tc_support support; /**< what the request can do inside a transaction */
    bool
        coordinator; /**< the group coordinator itself: sequences and transaction are not checked */
};
struct part_appended {
    int64_t base, log_append_time; /**< -1 = none */
    bool duplicate;
    const char *why; /**< a message for some errors, NULL = none */
    bool reached;    /**< the log itself has refused it, not somebody before */
    struct {
        int32_t *items;
        size_t n, cap;
    } late; /**< with INVALID_TIMESTAMP: which records; freed by the caller */
};
/** Checks and appends one produced blob: exactly one batch. @return Kafka's error code. */
int part_append(struct broker *b, struct partition *p, const void *records, size_t len,
                const struct part_origin *from, struct part_appended *out);
/** Whether so many bytes of batches can be appended. */
bool part_has_room(const struct broker *b, const struct partition *p, size_t size);
/** Appends a marker of the coordinator. */
void part_marker(struct broker *b, struct partition *p, int64_t producer_id, int16_t epoch,
                 bool commit, int32_t coordinator_epoch);
/** Appends records of a coordinator to an internal topic, outside of transactions. */
void part_append_own(struct broker *b, struct partition *p, const void *key, size_t key_len,
                     const void *value, size_t value_len);
/** DeleteRecords: -1 = up to the high watermark. @return Kafka's error code. */
int part_trim(struct broker *b, struct partition *p, int64_t offset);
