/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a scenario file: from disk (runner, lint, list) or from a bundle in memory (role process;
 * nothing is read from disk then). Loading is pure and strict. */
#pragma once
#include "base/err.h"
#include "plan/fold.h"
#include "plan/plan.h"

struct lua_State;
struct load;

/** Every Lua text that a scenario consists of; the scenario's own file first. Names are relative
 * paths without "..": safe to join to a folder. */
struct load_source {
    char *name;
    char *text; /**< NUL behind it */
    size_t len;
    uint64_t hash; /**< hash_bytes(0, text) */
};
struct load_bundle {
    struct load_source *items;
    size_t n, cap;
};
/** Adds a copy. */
void load_bundle_add(struct load_bundle *b, const char *name, const void *text, size_t len);
void load_bundle_free(struct load_bundle *b);

enum load_severity { LOAD_NOTE, LOAD_WARNING, LOAD_ERROR };
struct load_diag {
    enum load_severity severity;
    char *file;
    int line;       /**< 0 = unknown */
    char *scenario; /**< NULL = the whole file */
    char *message;  /**< without file and line */
};

struct load_scenario {
    const char *name;
    const char *where; /**< FILE:LINE of the call of `scenario` */
    const char *doc;   /**< or NULL */
    struct plan_strings tags;
    struct plan_params params; /**< value = preset */
    struct plan_strings fails_with;
};

/** Reads and runs the file. What is wrong with the text itself becomes a diagnostic of severity
 * LOAD_ERROR; NULL only if the file cannot be read. Returned, caller frees with load_free. */
struct load *load_from_file(const char *path, struct err *e);
/** The same from memory. env: values recorded by load_env() in the runner; both borrowed. */
struct load *load_from_bundle(const struct load_bundle *b, const struct plan_conf *env,
                              struct err *e);
void load_free(struct load *l);

/** The error diagnostics as one text, "FILE:LINE: message" lines, or NULL if there are none.
 * Borrowed. */
const char *load_errors(const struct load *l);
size_t load_diags(const struct load *l, const struct load_diag **out);
const char *load_severity_name(enum load_severity s); /**< "note", "warning", "error" */

size_t load_count(const struct load *l);
const struct load_scenario *load_scenario(const struct load *l, size_t i);
/** -1 if there is no scenario of that name. */
int load_find(const struct load *l, const char *name);
/** Borrowed, valid until load_free. */
const struct load_bundle *load_sources(const struct load *l);
/** Values that env("NAME") read while loading; name and value. Borrowed. */
const struct plan_conf *load_env(const struct load *l);

/** What scenario i means with these parameter values (name = value as text; NULL = presets). An
 * unknown name or a value of the wrong type: ERR_USAGE with the list of the declared ones and
 * code LOAD_BAD_PARAM. Returned, caller frees with plan_free. */
struct plan *load_plan(struct load *l, size_t i, const struct plan_conf *params, struct err *e);
enum { LOAD_BAD_PARAM = 64 };

/** The state in which the file was loaded; owned by l. */
struct lua_State *load_state(struct load *l);
/** Pushes the function of a role, its file-level tables frozen. The state is in phase HOST_ROLE
 * afterwards. On failure pushes nothing and returns -1. */
int load_push_role(struct load *l, size_t i, const char *role, struct err *e);
/** Pushes a read-only table of the params with their Lua types (w.params). */
int load_push_params(struct load *l, const struct plan *p, struct err *e);
/** Invariants and id functions of scenario i, as numbered in its plan; valid until load_free, and
 * used by one thread. Time of one call into a fold is bounded. */
void load_folds(struct load *l, size_t i, struct fold_ops *ops);
