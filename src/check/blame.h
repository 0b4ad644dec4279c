/* SPDX-License-Identifier: Apache-2.0 */
/* Blame: rows of evidence, the first that matches. */
#pragma once
#include "base/buf.h"
#include "check/anomaly.h"

/** Sets blame, row, cause, hint and call site of a primary anomaly. */
void blame_rules(struct judge *j, struct anomaly *a);
/** A row in words; 1..10. */
const char *blame_row_text(int row);
