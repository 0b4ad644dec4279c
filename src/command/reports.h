/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb prints and writes of verdicts: the console, verdict.json in the run folder, and the
 * files that --report asked for. */
#pragma once
#include "check/verdict.h"
#include "command/command.h"
#include "history/events.h"
#include "plan/plan.h"
#include "run/run.h"

struct reported {
    const struct verdict *verdict;
    const struct events *events;
    const struct plan *plan;
    uint64_t seed;
    const struct run_result *result; /**< dir and id are set */
};
struct reports {
    struct { char **items; size_t n, cap; } wanted; /**< "KIND=PATH" */
    long long evidence;
    struct report_suite *suite;
    size_t count;
};
/** @return -1 after printing what is wrong. */
int reports_parse(struct reports *r, const struct cli *c);
/** Prints one verdict and keeps it for the files. */
void reports_add(struct reports *r, const struct reported *v);
/** Writes the files, and the summary of a suite. @return -1 after printing why. */
int reports_end(struct reports *r, int exit_code);
void reports_free(struct reports *r);
