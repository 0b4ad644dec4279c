/* SPDX-License-Identifier: Apache-2.0 */
/* What became of each transactional batch of a partition, by the markers in the log alone. Batches
 * and markers are added in log order; then the outcomes are asked for in the same order. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "wire/batch.h"

enum outcome { OUTCOME_PLAIN, OUTCOME_COMMITTED, OUTCOME_ABORTED, OUTCOME_OPEN };

struct outcome_batch {
    int64_t base, pid;
    int16_t epoch;
    uint8_t outcome;
    uint32_t next; /**< 1 + index of the producer's next open batch, 0 = none */
};
struct outcomes {
    struct outcome_batch *items;
    size_t n, cap;
    size_t at;        /**< where the next question is expected */
    struct map heads; /**< producer id -> 1 + index of its first open batch */
};
void outcomes_free(struct outcomes *o);
/** The next batch of the log: data of a transaction, or a control batch, whose commit or abort
 *  record ends every open batch of its producer id with an epoch up to its own. Others, and control
 *  batches that are damaged, are ignored.
 *  @return how many batches are committed by it. */
size_t outcomes_add(struct outcomes *o, const struct batch *b);
/** Of a batch of the log; PLAIN for one without transaction, the marker's own for a control batch,
 *  OPEN for one that was never added. */
enum outcome outcomes_get(struct outcomes *o, const struct batch *b);
/** Base offset of the first open batch, -1 = none. */
int64_t outcomes_first_open(const struct outcomes *o);
/** Reads the control record of a control batch. @return false if there is none. */
bool outcome_marker(const struct batch *b, struct control *c);
