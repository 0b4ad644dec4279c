/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes of a segment to events; private to src/history. Bytes are never trusted. */
#pragma once
#include "base/buf.h"
#include "history/events.h"
#include "history/format.h"

/** The strings of a process, by id from 1. */
struct strings {
    char **items;
    size_t n, cap;
};
void strings_free(struct strings *s);

/** Where the reading of one process stands. */
struct decode {
    struct strings strings;
    const struct hist_proc *who;
    uint64_t last_t;
    int64_t shift_ns; /**< added to times: another host's clock */
    uint32_t proc, seq;
};

enum decode_result {
    DECODE_EVENT,
    DECODE_STRING, /**< a definition, taken in; nothing to hand out */
    DECODE_END,    /**< a size of 0 */
    DECODE_BAD,
};
/** Reads the record at p, with left readable bytes, aligned; runs are completed in place.
 *  *size is its length (not for END and BAD); *why names what is wrong. */
enum decode_result decode_record(struct decode *d, uint8_t *p, uint64_t left, struct event *ev,
                                 uint64_t *size, const char **why);

/** Reads and checks a header and the role's name behind it. @return NULL or what is wrong. */
const char *decode_header(const uint8_t *p, uint64_t len, struct seg_header *hd,
                          char role[SEG_ROLE_MAX + 1]);

/** Whether a file name is a segment's. */
bool decode_is_segment(const char *name);

/** The key of a process in a map: role and both numbers. */
void decode_key(struct buf *key, const char *role, int index, int incarnation);
