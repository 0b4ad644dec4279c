/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the role `r` of a scenario text in this process, without the runner: loop, history, runtime.
 */
#pragma once
#include "base/err.h"
#include "history/events.h"
#include "test.h"

struct lab_role {
    struct err e;          /**< how it ended; ERR_NONE = returned */
    char trace[4096];      /**< of a failure */
    struct events *events; /**< what it wrote */
};

/** body: the text of `function(w) ... end`'s inside; expect: more entries of `expect`, or "".
 *  stop_ms: when the runner's STOP comes (0 = never); drain_ms likewise. */
struct lab_role lab_role_run(const char *body, const char *expect, int drain_ms, int stop_ms);
/** The n-th (from 0) event of a kind, or NULL. */
const struct event *lab_role_event(const struct lab_role *r, unsigned kind, size_t n);
