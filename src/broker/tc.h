/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction coordinator. A transaction's life:
 *
 *   EMPTY ─▶ ONGOING ─▶ PREPARE_COMMIT ─▶ COMPLETE_COMMIT ─▶ ONGOING ...
 *                  └──▶ PREPARE_ABORT  ─▶ COMPLETE_ABORT  ─▶ ONGOING ...
 *
 * EndTxn is answered at PREPARE; markers and group offsets follow partition by partition in later
 * turns of the loop, as on a real cluster. */
#pragma once
#include "broker/state.h"
#include "wire/internal.h"

/** The transaction version from which on each end of a transaction moves the epoch. */
enum { TC_BUMPS = 2 };

/** By name, as in Kafka: a topic that is made anew takes the place of the one that was deleted. */
struct tc_part {
    char *topic;
    int32_t index;
};
struct tc_parts {
    struct tc_part *items;
    size_t n, cap;
};
struct tc_txn {
    char *id;
    int64_t producer_id, last_producer_id; /**< last: before the last step, -1 = none */
    int16_t epoch, last_epoch;             /**< last: its owner may ask again with it, -1 = none */
    int32_t timeout_ms;
    enum internal_txn_state state;
    int64_t next_producer_id;    /**< takes over when the transaction has ended, -1 = none */
    int16_t client_version;      /**< transaction version of who moved it last */
    int64_t start_ms, update_ms; /**< wall clock; start -1 = no transaction yet */
    uint64_t start_mono_ms;      /**< what the timeout is counted from */
    struct tc_parts parts;       /**< that have no marker yet */
    size_t cost;                 /**< as counted */
    struct tc_parts decided;     /**< all, while markers are written: what the log says */
};

void tc_start(struct broker *b);
void tc_free_all(struct broker *b);
/** NULL = unknown, or expired. */
struct tc_txn *tc_find(const struct broker *b, const char *id);
/** Whether the transaction is decided and not yet complete. */
bool tc_is_preparing(const struct tc_txn *t);
/** The partition of __transaction_state whose leader coordinates the id. */
struct partition *tc_home(struct broker *b, const char *id);
struct call;
/** Whether the node that was asked coordinates the id: 0, 14 or 16. */
int tc_here(const struct call *c, const char *id);
/** Whether the coordinator of the id can be asked. */
bool tc_is_there(struct broker *b, const char *id);
/** A new coordinator has read this partition of the log: it sends the markers of what was decided,
 *  all of them. */
void tc_load(struct broker *b, const struct partition *home);
/** The nodes have changed: completions that waited are tried again. */
void tc_go_on(struct broker *b);

/** What InitProducerId asks for. */
struct tc_init {
    const char *id; /**< NULL = idempotent only */
    int32_t timeout_ms;
    int64_t producer_id; /**< -1 = none expected */
    int16_t epoch;
};
/** All return Kafka's error code, PRODUCER_FENCED as in the newest versions. */
int tc_init_producer(struct broker *b, const struct tc_init *ask, int64_t *producer_id,
                     int16_t *epoch);

/** Who asks for something inside its transaction. */
struct tc_owner {
    const char *id; /**< may be NULL */
    int64_t producer_id;
    int16_t epoch;
};
/** client_version: transaction version of the client; the partitions exist. */
int tc_add(struct broker *b, const struct tc_owner *who, int16_t client_version,
           struct partition *const *parts, size_t n);
/** Whether an open transaction has the partition: TRANSACTION_ABORTABLE when not. */
int tc_verify(struct broker *b, const struct tc_owner *who, const struct partition *p);
/** EndTxn. bumps: from version 5 on it moves the epoch; then what the owner goes on with is left in
 *  producer_id and epoch. */
int tc_end(struct broker *b, const struct tc_owner *who, bool commit, bool bumps,
           int64_t *producer_id, int16_t *epoch);

/** What a request that writes into a transaction can do, by its version. */
enum tc_support {
    TC_VERIFIES,  /**< knows INVALID_TXN_STATE only */
    TC_ABORTABLE, /**< knows TRANSACTION_ABORTABLE */
    TC_ADDS,      /**< adds the partition by itself (KIP-890) */
};
/** Before something is written into p: verifies or adds. COORDINATOR_NOT_AVAILABLE when nobody can
 *  be asked. CONCURRENT_TRANSACTIONS and what it finds
 *  are as the coordinator says them, a fenced producer is INVALID_PRODUCER_EPOCH. */
int tc_admit(struct broker *b, const struct tc_owner *who, enum tc_support how,
             struct partition *p);
/** A marker by hand, or by the coordinator: into the log, and for offsets of groups. */
void tc_write_marker(struct broker *b, struct partition *p, int64_t producer_id, int16_t epoch,
                     bool commit, int32_t coordinator_epoch);
