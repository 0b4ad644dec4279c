/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables of the API: static specs, one check, getters. Also the small notations of the
 * language: durations and rates. Needed only inside src/lua (but for the parsers). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"

/** "250ms", "5s", "1.5m", "1h", or a range "1s..2s". false: not a duration. */
bool opts_duration(const char *s, struct plan_range *out);
/** "200/s", "12k/m", "3/h" as events per second. false: not a rate. */
bool opts_rate(const char *s, double *per_s);

struct lua_State;

enum opt_type {
    OPT_STRING,
    OPT_STRINGS, /**< a string or a list of strings */
    OPT_INTEGER,
    OPT_BOOLEAN,
    OPT_DURATION,
    OPT_TABLE,
    OPT_FUNCTION,
    OPT_NAME_OR_TRUE, /**< a string or a boolean */
    OPT_ANY,
};
struct opt {
    const char *name;
    enum opt_type type;
    const char *shape; /**< for the documents: "\"bytes\" | \"json\"" */
    const char *doc;   /**< one sentence */
    bool required;
};

/** Checks the option table at idx (none or nil counts as empty) against n specs. Raises an error
 * that names function, option, what was expected and what came, and the nearest known name. */
void opts_check(struct lua_State *L, int idx, const char *what, const struct opt *specs, size_t n);
/* Getters for a table that was checked; strings are borrowed from the table. */
bool opts_has(struct lua_State *L, int idx, const char *name);
const char *opts_string(struct lua_State *L, int idx, const char *name, const char *preset);
int64_t opts_integer(struct lua_State *L, int idx, const char *name, int64_t preset);
bool opts_bool(struct lua_State *L, int idx, const char *name, bool preset);
int64_t opts_ms(struct lua_State *L, int idx, const char *name, int64_t preset);

/** The duration at idx in milliseconds; a range is drawn by the caller. Raises with the fix. */
struct plan_range opts_check_duration(struct lua_State *L, int idx, const char *what);
double opts_check_rate(struct lua_State *L, int idx, const char *what);
