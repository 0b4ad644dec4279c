/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka seen through its protocol alone: what the audit, the drain watch, cluster readiness and
 * topic creation ask. Blocking sockets, any thread, one thread at a time per struct admin.
 *
 * Every call takes timeout_ms and returns within it: connections are opened on demand and kept per
 * node, leaders and coordinators are looked up again and retriable errors repeated until then.
 * Errors: ERR_TIMEOUT (the bound passed; the message names api, address and the last problem, the
 * code is Kafka's if that was one: an unknown topic counts as "not yet" and ends so),
 * ERR_BROKER (Kafka's error code in e->code), ERR_PROTOCOL (bytes that make no sense),
 * ERR_USAGE (an address that cannot be read).
 *
 * Results are plain structs filled by the call (zeroed first) and freed with their _free function,
 * which also accepts a zeroed struct; everything they point to lives exactly as long. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/arena.h"
#include "wire/kafka_error.h"

struct admin;

/** bootstrap: "host:port,host:port" ("[v6]:port" too). Connects on first use, so a dead address is
 *  an error of the first call. client_id NULL = "kaos". @return NULL with ERR_USAGE. */
struct admin *admin_open(const char *bootstrap, const char *client_id, struct err *e);
void admin_close(struct admin *a);
/** Every call that the calling thread makes ends within about 200 ms, as a timeout, once *flag is
 *  true: for work on a pool thread that nobody wants any more. NULL = never again. */
void admin_cancel_by(const atomic_bool *flag);

enum { ADMIN_ERROR_NONE = 0 }; /**< value of the per-item `error` fields: Kafka's code */

struct admin_broker {
    int32_t id;
    const char *host;
    int port;
    const char *rack; /**< NULL if none */
};
struct admin_partition {
    int32_t index;
    int32_t leader; /**< -1 = none */
    int32_t leader_epoch;
    const int32_t *replicas, *isr;
    size_t nreplicas, nisr;
    int16_t error;
};
struct admin_topic {
    const char *name;
    uint8_t id[16]; /**< topic id; zero where the broker has none */
    bool internal;
    int16_t error;                      /**< 3 = unknown topic */
    struct admin_partition *partitions; /**< sorted by index */
    size_t npartitions;
};
struct admin_metadata {
    const char *cluster_id; /**< may be NULL */
    int32_t controller;     /**< -1 = none */
    struct admin_broker *brokers;
    size_t nbrokers;
    struct admin_topic *topics;
    size_t ntopics;
    struct arena mem;
};
/** topics NULL = all; n = 0 with a non-NULL list = brokers only. Never creates topics. Errors of
 *  single topics and partitions are data. */
int admin_metadata(struct admin *a, const char *const *topics, size_t n, int timeout_ms,
                   struct admin_metadata *out, struct err *e);
void admin_metadata_free(struct admin_metadata *m);

/** A finalised feature such as "transaction.version", from ApiVersions of any broker. @return its
 *  level, 0 when not finalised, -1 with an error. */
int admin_feature(struct admin *a, const char *name, int timeout_ms, struct err *e);

enum admin_coordinator { ADMIN_GROUP = 0, ADMIN_TXN = 1 };
/** @return the node id (>= 0) of the coordinator of key. */
int admin_find_coordinator(struct admin *a, enum admin_coordinator type, const char *key,
                           int timeout_ms, struct err *e);

/** The node whose controller leads the metadata quorum (DescribeQuorum: what Metadata calls the
 *  controller is any broker). @return its id, -1 with an error; no leader is retried. */
int admin_controller(struct admin *a, int timeout_ms, struct err *e);

enum { ADMIN_EARLIEST = -2, ADMIN_LATEST = -1 }; /**< timestamps with a meaning */
enum admin_isolation { ADMIN_READ_UNCOMMITTED = 0, ADMIN_READ_COMMITTED = 1 };
struct admin_offset {
    int64_t offset;    /**< -1 = nothing at or after the timestamp */
    int64_t timestamp; /**< of the record found, else -1 */
    int32_t leader_epoch;
};
/** ADMIN_LATEST gives the high watermark with READ_UNCOMMITTED and the last stable offset (LSO)
 *  with READ_COMMITTED. timestamp in ms. */
int admin_list_offsets(struct admin *a, const char *topic, int32_t partition, int64_t timestamp,
                       enum admin_isolation isolation, int timeout_ms, struct admin_offset *out,
                       struct err *e);

struct admin_fetch {
    const char *topic;
    int32_t partition;
    int64_t offset;
    enum admin_isolation isolation;
    int32_t max_bytes;   /**< 0 = 1 MiB; a larger first batch still comes whole */
    int32_t max_wait_ms; /**< 0 = answer at once, also with nothing; less than timeout_ms */
};
struct admin_aborted {
    int64_t producer_id, first_offset;
};
struct admin_fetched {
    const uint8_t *records; /**< batches for batch_iter_init; the first may begin below `offset`,
                               the last may be cut. One answer ends at the end of a segment: fewer
                                 records than asked for, even none, do not mean the end of the log;
                                 compare with the high watermark */
    size_t len;
    int64_t high_watermark, last_stable, log_start;
    struct admin_aborted *aborted; /**< as returned: in order of completion */
    size_t naborted;
    struct arena mem;
};
/** code 1 (OFFSET_OUT_OF_RANGE) is an ERR_BROKER at once. */
int admin_fetch(struct admin *a, const struct admin_fetch *f, int timeout_ms,
                struct admin_fetched *out, struct err *e);
void admin_fetched_free(struct admin_fetched *f);

struct admin_committed {
    const char *topic;
    int32_t partition;
    int64_t offset; /**< -1 = none */
    int32_t leader_epoch;
    const char *metadata;
    int16_t error; /**< 88 = a transaction holds an offset of it (require_stable) */
};
struct admin_offsets {
    struct admin_committed *items;
    size_t n;
    struct arena mem;
};
struct admin_tp {
    const char *topic;
    int32_t partition;
};
/** The committed offsets of a group; parts NULL = all that it has. 88 is data, not retried. */
int admin_offset_fetch(struct admin *a, const char *group, const struct admin_tp *parts, size_t n,
                       bool require_stable, int timeout_ms, struct admin_offsets *out,
                       struct err *e);
void admin_offsets_free(struct admin_offsets *o);

struct admin_txn {
    const char *id; /**< transactional id */
    int64_t producer_id;
    const char *state; /**< "Empty" "Ongoing" "PrepareCommit" "PrepareAbort" "CompleteCommit"
                            "CompleteAbort" "Dead" "PrepareEpochFence" */
    int32_t node;      /**< coordinator that said so (list) */
    int16_t error;     /**< 105 = no such transactional id (describe) */
    int16_t epoch;     /**< the rest: describe only */
    int32_t timeout_ms;
    int64_t start_ms; /**< -1 = no transaction open */
    struct admin_tp *partitions;
    size_t npartitions;
};
struct admin_txns {
    struct admin_txn *items;
    size_t n;
    struct arena mem;
};
/** Transactions of all brokers; every broker must answer. states: only these, NULL = all. */
int admin_list_transactions(struct admin *a, const char *const *states, size_t n, int timeout_ms,
                            struct admin_txns *out, struct err *e);
/** Each id from its coordinator; 105 is data. */
int admin_describe_transactions(struct admin *a, const char *const *ids, size_t n, int timeout_ms,
                                struct admin_txns *out, struct err *e);
void admin_txns_free(struct admin_txns *t);

struct admin_producer {
    int64_t producer_id;
    int32_t epoch;
    int32_t last_sequence;
    int64_t last_timestamp;
    int32_t coordinator_epoch;
    int64_t txn_start; /**< start offset of the open transaction, -1 = none */
};
struct admin_producers {
    struct admin_producer *items;
    size_t n;
    struct arena mem;
};
/** Active producers as the leader of the partition sees them. */
int admin_describe_producers(struct admin *a, const char *topic, int32_t partition, int timeout_ms,
                             struct admin_producers *out, struct err *e);
void admin_producers_free(struct admin_producers *p);

struct admin_member {
    const char *member_id, *instance_id /* NULL if dynamic */, *client_id, *host;
    const uint8_t *metadata, *assignment; /**< ConsumerProtocol bytes */
    size_t metadata_len, assignment_len;
};
struct admin_group {
    const char *id, *state, *protocol_type, *protocol;
    int16_t error;
    struct admin_member *members;
    size_t nmembers;
    struct arena mem;
};
/** One group of the classic or the consumer protocol, from its coordinator; "Dead" = unknown. Of
 * the consumer protocol assignments have the form of the classic one, and members no metadata. */
int admin_describe_group(struct admin *a, const char *group, int timeout_ms,
                         struct admin_group *out, struct err *e);
void admin_group_free(struct admin_group *g);

enum admin_resource { ADMIN_TOPIC = 2, ADMIN_BROKER = 4 };
struct admin_config {
    const char *name, *value; /**< value NULL = null or sensitive */
    bool read_only, sensitive;
    int8_t source; /**< 1 topic, 2 dynamic broker, 3 dynamic default, 4 static, 5 default */
};
struct admin_configs {
    struct admin_config *items;
    size_t n;
    struct arena mem;
};
/** name: the topic, or the node id as text for ADMIN_BROKER (then that node is asked). */
int admin_describe_configs(struct admin *a, enum admin_resource type, const char *name,
                           int timeout_ms, struct admin_configs *out, struct err *e);
/** Borrowed until free; NULL if absent or null. */
const char *admin_config_get(const struct admin_configs *c, const char *name);
void admin_configs_free(struct admin_configs *c);

struct admin_pair {
    const char *name, *value;
};
struct admin_new_topic {
    const char *name;
    int32_t partitions; /**< -1 = the broker's default */
    int16_t replicas;   /**< -1 = the broker's default */
    const struct admin_pair *configs;
    size_t nconfigs;
};
/** Creates the topics and waits until every broker shows a leader for each partition. A topic that
 *  existed before is ERR_BROKER with code 36. */
int admin_create_topics(struct admin *a, const struct admin_new_topic *topics, size_t n,
                        int timeout_ms, struct err *e);
/** Deletes and waits until no broker shows them; unknown topics are fine. */
int admin_delete_topics(struct admin *a, const char *const *names, size_t n, int timeout_ms,
                        struct err *e);
