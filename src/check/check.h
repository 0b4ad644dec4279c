/* SPDX-License-Identifier: Apache-2.0 */
/* History in, verdict out. Pure: no loop, no Lua, no Kafka; the same input gives the same bytes. */
#pragma once
#include "base/err.h"
#include "check/verdict.h"
#include "history/events.h"
#include "plan/fold.h"
#include "plan/plan.h"

/** What only the runner knows about the end of the run; zero = the history says it all. */
struct check_opts {
    enum { CHECK_RAN, CHECK_SCENARIO_ERROR, CHECK_ENVIRONMENT } outcome;
    const char *why;  /**< text for an outcome other than CHECK_RAN, or NULL */
    bool interrupted; /**< ended by the user, also in the drain: never PASS */
    bool no_faults;   /**< run with --no-faults: faults that did not fire are no reason */
};

/** Judges. es, p and folds are borrowed; folds may be NULL when the plan has no Lua functions.
 *  @return caller frees with verdict_free(); NULL with ERR_USAGE when a fold raises, or
 *  ERR_INTERNAL. */
struct verdict *check_run(const struct events *es, const struct plan *p,
                          const struct fold_ops *folds, const struct check_opts *o, struct err *e);

/** The table of checks, for documentation; ends with a NULL name. */
struct check_info {
    const char *name;
    const char *doc;
    bool undeclared; /**< judged on every run */
};
extern const struct check_info check_infos[];
