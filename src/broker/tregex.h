/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of topic names, as RE2 has them, without flags, word boundaries, classes of Unicode and
 * quoting. Time is bounded by pattern times name. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct tregex;

/** @return NULL when it is no pattern or has what is not supported; *why says which. */
struct tregex *tregex_new(const char *pattern, const char **why);
/** Bytes that it takes; NULL takes none. */
size_t tregex_cost(const struct tregex *r);
/** NULL is allowed. */
void tregex_free(struct tregex *r);
/** Whether the pattern matches the whole name. */
bool tregex_matches(const struct tregex *r, const char *name);
