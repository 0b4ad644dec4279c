/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the records of a batch that is not compressed are whole, as many as its header says, with
 * the offsets 0, 1, 2 ... behind its base: the same as reading them all, several times as fast.
 * Brokers ask that of every batch. Private to src/wire. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a record has in common with the next one, as a rule: all lengths, and no headers. Such a
 *  record is compared with this as a whole, and where the one behind it begins is known without
 *  waiting for its bytes. */
struct shape {
    uint64_t head, head_mask; /**< from the length to the length of the key, less the offset */
    uint32_t value, value_mask;
    unsigned delta_at, value_at; /**< positions in the record */
    int32_t below;               /**< of such records the offset deltas; 0 = no shape is known */
    size_t size;                 /**< with its length */
};

struct dense {
    const uint8_t *p, *end; /**< NULL = a record makes no sense */
    int32_t i, count;       /**< records seen, and how many there should be */
    struct shape shape;
};
/** Of so many records from p to end, of which nothing need be there yet. */
void dense_start(struct dense *d, const uint8_t *p, const uint8_t *end, int32_t count);
/** Looks at the records that end at or below `there`; nothing behind it is read. */
void dense_upto(struct dense *d, const uint8_t *there);
/** Behind all of them: were they right? */
bool dense_ok(const struct dense *d);
