/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the loader: scenarios from text. */
#pragma once
#include "lua/host.h"
#include "lua/load.h"
#include "test.h"

/** Loads text as t.lua; fails the test if it has errors. */
struct load *util_load(const char *text);
/** The same; errors are allowed. */
struct load *util_load_any(const char *text);
/** A scenario "t" with topic x, role a and `more`, behind `before`. */
struct load *util_scenario(const char *before, const char *more);
/** Runs the role's function with nil; on failure e says why. */
int util_run(struct load *l, const char *role, struct err *e);
/** Folder of tests/lua. */
const char *util_folder(void);
