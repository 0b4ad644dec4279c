/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of `kaos doctor`. */
#pragma once
#include <stddef.h>

enum doctor_state { DOCTOR_OK, DOCTOR_WARN, DOCTOR_BAD };

struct doctor {
    size_t warnings, bad;
};
/** Prints a finding: what was looked at, what was found, and unless all is well what to do and whom
 * it concerns (either may be NULL). */
void doctor_say(struct doctor *d, enum doctor_state state, const char *what, const char *fix,
                const char *affects, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/** A cluster seen from here, step by step; each step that fails is a finding of its own. */
void doctor_bootstrap(struct doctor *d, const char *bootstrap);
