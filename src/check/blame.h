/* SPDX-License-Identifier: Apache-2.0 */
/* Blame: rows of evidence, the first that matches. */
#pragma once
#include "base/buf.h"
#include "check/anomaly.h"

/** Sets blame, row, cause, hint and call site of a primary anomaly. */
void blame_rules(struct judge *j, struct anomaly *a);
enum { BLAME_ROW_APPLICATION = 6 };
/** A duplicate whose partition moved between its two deliveries, uncommitted: fills in cause, hint
 * and blame. */
bool moved_explains(struct judge *j, struct anomaly *a);
/** A row in words; 1..10. */
const char *blame_row_text(int row);
