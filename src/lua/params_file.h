/* SPDX-License-Identifier: Apache-2.0 */
/* Values of params from a Lua file: `return { workers = 5, rate = "40/s" }`. */
#pragma once
#include "base/err.h"
#include "plan/plan.h"

/** Appends name and value (as text) of each entry of the table that the file returns, in the order
 *  of names. The file sees no globals at all. @return -1 with ERR_USAGE or ERR_SYSTEM. */
int params_file_lua(const char *path, struct plan_conf *out, struct err *e);
