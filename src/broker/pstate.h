/* SPDX-License-Identifier: Apache-2.0 */
/* What one partition knows about its producers: epochs, the last five batches of each, open and
 * aborted transactions. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "wire/batch.h"

enum { PSTATE_WINDOW = 5 };

struct pstate_batch {
    int32_t first_seq, last_seq;
    int64_t first_offset;
    int64_t timestamp;
};
struct pstate_producer {
    int64_t id;
    int16_t epoch;
    struct pstate_batch batches[PSTATE_WINDOW]; /**< oldest first */
    int nbatches;
    int32_t coordinator_epoch; /**< of the last marker, -1 = none */
    int64_t last_time;         /**< of its last batch or marker */
    uint64_t touched_ms;       /**< when that was, for expiry */
    int64_t txn_start;         /**< first offset of the open transaction, -1 = none */
    int32_t refused_seq;       /**< lowest sequence of attempts refused so far, -1 = none */
    int16_t refused_epoch;     /**< theirs */
    bool bumps;                /**< the first of them came from a client of transaction version 2 */
    struct pstate_producer *next_open, *prev_open; /**< by txn_start */
};
struct pstate_aborted {
    int64_t producer_id, first, last; /**< last = offset of the marker */
};
struct pstate {
    struct map producers; /**< id -> struct pstate_producer; NULL = forgotten */
    struct pstate_producer *first_open, *last_open;
    struct {
        struct pstate_aborted *items; /**< in order of completion, that is, of last */
        size_t n, cap;
    } aborted;
};

void pstate_free(struct pstate *s);
/** NULL = nothing is known. */
struct pstate_producer *pstate_find(const struct pstate *s, int64_t producer_id);
/** Notes the sequence of an attempt that may not be in a transaction, before it is decided.
 *  bumps: its client is of transaction version 2. */
void pstate_note_attempt(struct pstate *s, int64_t producer_id, int16_t epoch, int32_t sequence,
                         bool bumps);
/** Whether the producer has an open transaction here with this epoch. */
bool pstate_in_txn(const struct pstate *s, int64_t producer_id, int16_t epoch);
/** A batch with the same sequences that was appended before; NULL = none. */
const struct pstate_batch *pstate_duplicate(const struct pstate *s, const struct batch *b);
/** Kafka's error code for a batch that shall be appended, 0 = fine. */
int pstate_check(const struct pstate *s, const struct batch *b);
/** Takes note of a batch of a client or coordinator, appended at base. */
void pstate_append(struct pstate *s, const struct batch *b, int64_t base, uint64_t now_ms);
/** Takes note of a marker at offset. */
void pstate_marker(struct pstate *s, int64_t producer_id, int16_t epoch, bool commit,
                   int32_t coordinator_epoch, int64_t offset, int64_t time, uint64_t now_ms);
/** First offset of the oldest open transaction, -1 = none. */
int64_t pstate_first_open(const struct pstate *s);
/** The first of the aborted transactions that end at or behind the offset. */
size_t pstate_aborted_from(const struct pstate *s, int64_t offset);
/** The log begins at the offset now: forgets the aborted transactions that ended below it. */
void pstate_trim(struct pstate *s, int64_t offset);
/** Forgets producers without open transaction that were silent since before_ms. */
void pstate_expire(struct pstate *s, uint64_t before_ms);
