/* SPDX-License-Identifier: Apache-2.0 */
/* Writing through the raw protocol, for tests and tools: a producer without a client library, whose
 * every request is chosen by the caller. Errors and bounds as in admin.h. */
#pragma once
#include "wire/admin.h"

/** A producer's identity; zeroed = not idempotent. */
struct txn {
    const char *id; /**< transactional id, borrowed; NULL = idempotent only */
    bool v2; /**< the protocol with partitions added by Produce and an epoch bump at the end */
    int64_t producer_id;
    int16_t epoch;
};

/** InitProducerId: fills producer_id and epoch; ends what an earlier owner of the id left open. */
int txn_init(struct admin *a, struct txn *t, int txn_timeout_ms, int timeout_ms, struct err *e);
/** AddPartitionsToTxn; not needed with v2. */
int txn_add_partitions(struct admin *a, const struct txn *t, const struct admin_tp *parts, size_t n,
                       int timeout_ms, struct err *e);
/** Produces batches made by batch_write, acks = all. *base_offset gets the offset of the first
 *  record. An answer that was lost is an error, not a second try. */
int txn_produce(struct admin *a, const struct txn *t, const struct admin_tp *to,
                const void *batches, size_t len, int timeout_ms, int64_t *base_offset,
                struct err *e);
/** AddOffsetsToTxn and TxnOffsetCommit, without member or generation; or with t NULL a plain
 *  OffsetCommit. */
int txn_commit_offsets(struct admin *a, const struct txn *t, const char *group,
                       const struct admin_committed *offsets, size_t n, int timeout_ms,
                       struct err *e);
/** EndTxn; with v2 producer_id and epoch get their new values. */
int txn_end(struct admin *a, struct txn *t, bool commit, int timeout_ms, struct err *e);
