/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one partition raw, batch by batch. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/admin.h"
#include "wire/batch.h"

/** What a pass over a partition wants to see. */
struct scan {
    struct admin *admin;
    const char *topic;
    int32_t partition;
    int64_t from, to; /**< batches that reach into [from, to) */
    int64_t lso; /**< below it the fetches are read_committed, for the aborted list; 0 = never */
    uint64_t deadline_ns;
    /** Each batch in log order, also those with b->corrupt; b is borrowed. @return true to go on.
     */
    bool (*batch)(void *arg, const struct batch *b);
    /** Entries of the aborted lists, each of a list whenever it comes; or NULL. */
    void (*aborted)(void *arg, const struct admin_aborted *t);
    void *arg;
    /* results */
    int64_t log_start; /**< highest log start seen, -1 = none */
    int64_t hw;        /**< lowest high watermark seen, -1 = none */
    int64_t reached;   /**< everything below it was handed out */
    bool stopped;      /**< by batch() */
};
/** @return -1 with e when the log could not be read up to `to`; what was read was handed out. */
int scan_run(struct scan *s, struct err *e);
/** Milliseconds until the deadline, at most cap_ms, at least 1. */
int scan_left_ms(uint64_t deadline_ns, int cap_ms);
