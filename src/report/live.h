/* SPDX-License-Identifier: Apache-2.0 */
/* The live view of a run: facts in, lines of text out. Pure but for log tails, which the details
 * and logs pages read from the files that the facts name. */
#pragma once
#include "run/status.h"

/** A page of the live view; see status_draw_fn. */
void live_draw(const struct status *s, const struct status_screen *o, struct buf *out);
