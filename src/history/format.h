/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of a segment file, shared by writer and readers; docs/history-format.md describes it.
 * Private to src/history. All numbers are little-endian, as on every machine kaos runs on. */
#pragma once
#include <stdint.h>

#include "base/err.h"
#include "history/hist.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "segments are little-endian");

#define SEG_MAGIC "KAOSHIST"
enum {
    SEG_VERSION = 1,
    SEG_ALIGN = 8,
    SEG_TAIL = 8, /**< zero bytes behind the last record: a size of 0 ends every segment */
    SEG_ROLE_MAX = 255,
    SEG_FIRST_BYTES = 256 << 10,
    SEG_MAX_BYTES = 16 << 20,
    SEG_LIMIT_BYTES = 1 << 30, /**< no segment is larger: one record may fill it */
};

enum seg_state {
    SEG_OPEN,      /**< being written, or its writer was killed */
    SEG_CONTINUED, /**< complete; another segment follows */
    SEG_CLOSED,    /**< complete; the last one */
    SEG_FAILED,    /**< the writer could not go on (disk full): later events are missing */
};

/** At the start of the file; the role's name follows, padded to SEG_ALIGN. */
struct seg_header {
    char magic[8];
    uint16_t version, role_len;
    uint32_t number; /**< of the segment in its process, from 0 */
    int32_t index, incarnation, pid;
    uint32_t state; /**< enum seg_state */
    uint64_t boot;  /**< hash of the host's boot id */
    uint64_t mono_ns, real_ns;
    uint64_t used; /**< bytes up to the end of the last complete record */
};
_Static_assert(sizeof(struct seg_header) == 64, "the header is 64 bytes");

/** Slots follow, then the bytes of BYTES slots, padded to SEG_ALIGN. */
struct rec {
    uint32_t size; /**< whole record; stored last; 0 = end */
    uint16_t kind;
    uint8_t phase; /**< enum hist_phase, and REC_RUN_OPEN */
    uint8_t nslots;
    uint64_t t, op;
};
_Static_assert(sizeof(struct rec) == 24, "a record begins with 24 bytes");

/** The record is a run that its writer may still extend in place. */
enum { REC_RUN_OPEN = 0x80, REC_BYTES_MAX = SEG_LIMIT_BYTES / 2 };

static inline uint64_t seg_pad(uint64_t n)
{
    return (n + SEG_ALIGN - 1) / SEG_ALIGN * SEG_ALIGN;
}

/** Where the first record begins. */
static inline uint64_t seg_first(const struct seg_header *hd)
{
    return sizeof *hd + seg_pad(hd->role_len);
}

/* A BYTES slot: offset from the start of the record in the high half, length in the low half;
 * 0 = null. */
static inline int64_t rec_bytes_pack(uint32_t off, uint32_t len)
{
    return (int64_t)((uint64_t)off << 32 | len);
}

/* In a file the COUNT slot of a run holds, so that one store extends it, the count in its low half
 * and, for deliveries, last - first in its high half; the LAST slot is then made by the reader. */
enum { RUN_COUNT_MAX = INT32_MAX };

/** A record with room for size bytes at the end of the segment, zeroed but for time and kind;
 *  NULL when nothing can be written any more. rec_commit() makes it visible. */
struct rec *rec_begin(struct hist *h, uint64_t size, unsigned kind, unsigned phase);
void rec_commit(struct hist *h, struct rec *r, uint64_t size);

/* The runs of a writer (run.c). */
struct run {
    struct rec *rec;
    int64_t key[7];  /**< what must be equal for a call to continue the run */
    int64_t next[2]; /**< what must follow: seq and offset */
    int64_t first, count;
    uint64_t t0;
};
enum { RUNS = 64 };
struct runs {
    struct run items[RUNS];
    uint64_t open;          /**< bit per item */
    struct run *delivering; /**< the run of the last delivery, open or not; NULL at first */
};
struct runs *hist_runs(struct hist *h);
/** No run is extended any more; its records say so. */
void runs_close(struct runs *rs);
