/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the audit. */
#pragma once
#include "audit/audit.h"
#include "audit/emit.h"
#include "base/map.h"
#include "wire/admin.h"

enum { AUDIT_ID_TEXT = 23 }; /**< a topic id as text, with its NUL */

struct audit_target { /**< one partition */
    char *topic;
    int32_t partition;
    const char *what; /**< of LOG_PARTITION */
    char id[AUDIT_ID_TEXT];
    enum emit_what emit;
    bool existing; /**< others may write to it */
    bool compacted;
    bool bounded; /**< from, lso and hw are known */
    int64_t log_start, from, lso, hw;
    int64_t since; /**< where it ended when the run began; what lay behind and below from is gone */
};
struct audit {
    const struct audit_opts *o;
    struct hist *h;
    struct admin *admin;
    uint64_t deadline_ns;
    struct {
        struct audit_target *items;
        size_t n, cap;
    } targets;
    struct map pids;  /**< producer ids of the run */
    struct map seen;  /**< aborted entries of the partition in hand */
    struct err first; /**< problem */
    struct buf problems;
    size_t nproblems;
    struct buf notes;
};

/** Notes what makes the audit incomplete. */
void audit_problem(struct audit *a, const struct err *e);
/** Reads a partition whose bounds are known and writes all of it. */
void audit_part(struct audit *a, struct audit_target *t);
