/* SPDX-License-Identifier: Apache-2.0 */
/* The audit: reads every declared topic raw through DIRECT, first to last offset, and writes what
 * the log itself says into a history: the ground truth of the verdict. Blocking; call it on a
 * thread. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "history/hist.h"
#include "plan/plan.h"

struct audit_start { /**< where the audit of a partition of an external cluster begins */
    char *topic;
    int32_t partition;
    int64_t offset;
};
struct audit_opts {
    const char *bootstrap; /**< DIRECT */
    const struct plan *plan;
    const char *run;  /**< run id: records of other runs are marked by their header, not skipped */
    const char *pass; /**< "main" or "probe" */
    bool internals;   /**< read __consumer_offsets and __transaction_state too (managed clusters) */
    const struct audit_start *starts; /**< nstarts entries; absent partitions begin at log start */
    size_t nstarts;
    int timeout_ms; /**< for the whole audit */
};
/** Writes AUDIT begin, CONFIG, LOG_*, undeclared topics written by the run's producer ids, AUDIT
 * end. What cannot be read is said there (complete = 0) and in e; what was read stays. h is used by
 * this thread only during the call. @return -1 when the audit is not complete. */
int audit_run(const struct audit_opts *o, struct hist *h, struct err *e);

/** End offsets of all partitions of the declared topics; the probe compares two of them.
 *  out: text lines "topic partition offset\n", sorted. */
int audit_ends(const char *bootstrap, const struct plan *p, int timeout_ms, struct buf *out,
               struct err *e);
