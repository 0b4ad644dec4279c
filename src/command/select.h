/* SPDX-License-Identifier: Apache-2.0 */
/* Which scenario files and scenarios the words of a command line mean. */
#pragma once
#include "base/err.h"
#include "lua/load.h"
#include "plan/plan.h"

/** Files for words (a folder = its *.lua, not deeper; FILE; FILE:LINE); none = scenarios/.
 *  A word that is no path selects by name in scenarios/ and goes to names. */
int select_files(const char *const *words, size_t n, struct plan_strings *files,
                 struct plan_strings *names, struct err *e);
/** FILE:LINE words name the scenario whose call is the last at or above the line. *asked (may be
 *  NULL): some word is a line of this file. */
bool select_line(const char *const *words, size_t n, const struct load *l, size_t i, bool *asked);
