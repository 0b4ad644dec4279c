/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of topic names, as RE2 has them, without flags, word boundaries, classes of Unicode and
 * quoting. Time is bounded by pattern times name. */
#pragma once
#include <stdbool.h>

struct tregex;

/** @return NULL when it is no pattern or has what is not supported; *why says which. */
struct tregex *tregex_new(const char *pattern, const char **why);
/** NULL is allowed. */
void tregex_free(struct tregex *r);
/** Whether the pattern matches the whole name. */
bool tregex_matches(const struct tregex *r, const char *name);
