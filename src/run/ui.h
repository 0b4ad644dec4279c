/* SPDX-License-Identifier: Apache-2.0 */
/* The person in front of a run: the live view and its keys, the status dump, lines of JSON, and
 * Ctrl-Z. Loop thread. */
#pragma once
#include <stdarg.h>

#include "run/internal.h"

/** Fills s; valid until the next call. */
void status_take(struct run *r, struct status *s);
void status_free(struct run *r);

/** Takes over terminal and signals as run_opts.ui says. Always safe to stop. */
void ui_start(struct run *r);
void ui_stop(struct run *r);
/** A status line: printed, shown or written, as the mode is. */
void ui_say(struct run *r, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/** The periodic line of the modes that have one. */
void ui_status(struct run *r);
/** Kills a process because a person says so. @return NULL, or why not. */
const char *ui_kill(struct run *r, struct slot *s);

/** {"v":1,"type":"status",...}; see docs/run-output.md. Caller frees. */
json_t *ui_json_status(const struct status *s);
