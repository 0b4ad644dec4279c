/* SPDX-License-Identifier: Apache-2.0 */
/* The log of one partition: batches of magic 2 as they were received, in segments that are never
 * moved, so that a fetch hands out the stored bytes themselves. Offsets are dense. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/batch.h"

/** A sparse index: one mark for every few kB. */
struct plog_mark {
    int64_t offset; /**< base offset of the batch at pos */
    uint32_t pos;
};
struct plog_segment {
    int refs;
    bool gone;          /**< no part of a log any more: only answers under way hold it */
    int64_t base, next; /**< first offset, offset behind the last */
    int64_t max_time;   /**< greatest timestamp of its records */
    size_t len, cap;
    size_t ready; /**< bytes whose memory has been asked for */
    struct {
        struct plog_mark *items;
        size_t n, cap;
    } marks;
    uint8_t *data;   /**< len bytes of batches */
    struct buf kept; /**< what data lies in, when it was taken over */
    uint8_t own[];   /**< what data lies in otherwise */
};
struct plog {
    struct {
        struct plog_segment **items;
        size_t n, cap;
    } segments;
    int64_t start, end; /**< first offset that may be read, offset of the next record */
    size_t bytes;       /**< of all segments and their marks, as allocated */
    size_t last;        /**< size of the last batch */
};

void plog_free(struct plog *l);
/** Copies the batch to the end and patches base offset and leader epoch.
 *  whole: the buffer that the batch lies in, NULL = must not be touched. When little else is in it
 * the log takes it over instead, and leaves an empty one; the other bytes in it stay where they are
 * for as long as the batch does. */
void plog_append(struct plog *l, const struct batch *b, int32_t leader_epoch, struct buf *whole);
/** Makes memory ready for one more batch like the last one: for when the answer is on its way. */
void plog_prepare(struct plog *l);
/** How many bytes an append of that size would allocate at most. */
size_t plog_cost(const struct plog *l, size_t size);

/** Whole batches of one segment. */
struct plog_slice {
    struct plog_segment *segment; /**< NULL = nothing to read */
    const uint8_t *p;
    size_t len;
    int64_t next; /**< offset behind the last batch */
};
/** From the batch that holds `from`, batches that begin below upto, at most max bytes, but with
 *  one_at_least the first one in any case; none when from is not below upto. The segment is
 * borrowed: plog_keep() holds it. */
struct plog_slice plog_read(const struct plog *l, int64_t from, int64_t upto, size_t max,
                            bool one_at_least);
/** First offset of the batch that holds the offset; the offset itself when none does. */
int64_t plog_batch_base(const struct plog *l, int64_t offset);
/** Bytes of batches from the one that holds `from` up to upto, counted no further than `enough`. */
size_t plog_size(const struct plog *l, int64_t from, int64_t upto, size_t enough);
struct plog_segment *plog_keep(struct plog_segment *s);
void plog_drop(struct plog_segment *s);

/** First record at or above the log's start and below upto whose timestamp is at least `time`.
 *  @return false if there is none. */
bool plog_find_time(const struct plog *l, int64_t time, int64_t upto, int64_t *offset,
                    int64_t *found);
/** The record with the greatest timestamp below upto, the first of equals. */
bool plog_find_max_time(const struct plog *l, int64_t upto, int64_t *offset, int64_t *found);
/** Moves the start up to offset and frees segments below it. */
void plog_trim(struct plog *l, int64_t offset);
/** The offset up to which whole segments may leave, the oldest first: without them the log still
 * has `bytes` (SIZE_MAX = no limit), or all their records are older than `old` (ms since 1970). */
int64_t plog_retained(const struct plog *l, size_t bytes, int64_t old);
