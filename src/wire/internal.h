/* SPDX-License-Identifier: Apache-2.0 */
/* What records of __consumer_offsets and __transaction_state say. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/arena.h"
#include "wire/batch.h"

enum internal_kind {
    INTERNAL_OTHER,  /**< recognised and of no interest: group metadata, other record types */
    INTERNAL_OFFSET, /**< a committed offset, or a tombstone for one */
    INTERNAL_TXN,    /**< a state of a transactional id, or a tombstone */
};

/** One committed offset. */
struct internal_offset {
    const char *group, *topic;
    int32_t partition;
    bool tombstone; /**< the offset was deleted; nothing below is set */
    int64_t offset;
    int32_t leader_epoch; /**< -1 = none */
    const char *metadata;
    int64_t commit_ms;
    int64_t expire_ms;    /**< -1 = none */
    uint8_t topic_id[16]; /**< zero where the record has none */
};

enum internal_txn_state {
    TXN_EMPTY,
    TXN_ONGOING,
    TXN_PREPARE_COMMIT,
    TXN_PREPARE_ABORT,
    TXN_COMPLETE_COMMIT,
    TXN_COMPLETE_ABORT,
    TXN_DEAD,
    TXN_PREPARE_EPOCH_FENCE,
};
const char *internal_txn_state_name(int state); /**< "Ongoing"; never NULL */

struct internal_tp {
    const char *topic;
    int32_t partition;
};
struct internal_txn {
    const char *id; /**< transactional id */
    bool tombstone;
    int64_t producer_id;
    int64_t prev_producer_id, next_producer_id; /**< -1 = none */
    int16_t epoch;
    int16_t next_epoch; /**< -1 = none */
    int32_t timeout_ms;
    int8_t state;                /**< enum internal_txn_state */
    int64_t update_ms, start_ms; /**< start -1 = none */
    int16_t client_version;      /**< transaction version of the client, 0 if not written */
    struct internal_tp *partitions;
    int32_t npartitions;
};

struct internal_record {
    enum internal_kind kind;
    union {
        struct internal_offset offset;
        struct internal_txn txn;
    };
    struct arena mem;
};
/** Reads one record of __consumer_offsets. Free with internal_free, also after an error.
 *  @return -1 with ERR_PROTOCOL on bytes that make no sense or a version newer than known. */
int internal_read_offsets(const struct record *r, struct internal_record *out, struct err *e);
/** Reads one record of __transaction_state. */
int internal_read_txn(const struct record *r, struct internal_record *out, struct err *e);
void internal_free(struct internal_record *out);

/* ---- writing, for a broker ------------------------------------------------------------------- */

void internal_write_txn_key(struct buf *out, const char *id);
void internal_write_txn(struct buf *out, const struct internal_txn *t);
void internal_write_offset_key(struct buf *out, const struct internal_offset *o);
void internal_write_offset(struct buf *out, const struct internal_offset *o);
