/* SPDX-License-Identifier: Apache-2.0 */
/* A run as test cases, for the formats of CI systems; private to src/report. */
#pragma once
#include "report/view.h"

enum case_state { CASE_OK, CASE_FAILURE, CASE_ERROR, CASE_SKIPPED };
/** One test case; everything is borrowed during the call. */
struct test_case_view {
    const struct report *r;
    const char *name; /**< "always: exactly once", with " #2" behind it in a sweep */
    enum case_state state;
    const char *type;    /**< "duplicate", "inconclusive", ...; "" when OK */
    const char *message; /**< one line */
    const char *text;    /**< evidence, or what was judged */
    int64_t ms;          /**< of the run, for its first case; else 0 */
};
typedef void (*case_fn)(void *arg, const struct test_case_view *c);
/** The run as a whole first, then one case per property. A twin is one case: that it fails as
 *  declared. What is inconclusive is an error, unless it is accepted: then it is skipped. */
void cases_each(const struct report *r, case_fn fn, void *arg);
/** "eos.eos[workers=3]": the file's name and the scenario's. */
void cases_class(struct buf *b, const struct report *r);
