/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what stands in a partition as events: batches, records with what kaos's headers say of
 * them, control records, entries of the internal topics. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "audit/outcome.h"
#include "base/buf.h"
#include "base/err.h"
#include "history/hist.h"

enum emit_what { EMIT_DATA, EMIT_OFFSETS, EMIT_TXNS };
struct emit {
    struct hist *h;
    enum emit_what what;
    const char *topic;
    int32_t partition;
    int64_t from; /**< records below it are not written */
    const char *run;
    struct buf scratch; /**< headers or partitions of the record in hand */
    bool ours;          /**< set when a record carries the header of this run */
    struct err problem; /**< the first internal record that could not be read */
    int64_t problem_at;
};
/** Writes one batch and what is in it. */
void emit_batch(struct emit *m, const struct batch *b, enum outcome outcome);
void emit_free(struct emit *m);
/** Whether a record of the batch carries the header of this run and topic. */
bool emit_is_ours(const char *run, const char *topic, const struct batch *b);
