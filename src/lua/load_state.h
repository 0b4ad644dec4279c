/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of struct load; for load.c, load_plan.c and fold.c only. */
#pragma once
#include "lua/host.h"
#include "lua/load.h"

struct load_scenarios {
    struct load_scenario *items;
    size_t n, cap;
};
struct load_diag_list {
    struct load_diag *items;
    size_t n, cap;
};
struct load_folds_of { /**< argument of the fold_ops of one scenario */
    struct load *load;
    size_t scenario;
};

struct load {
    lua_State *L;
    char *main;                      /**< name of the scenario file as shown and bundled */
    char *folder;                    /**< where it lies on disk; NULL when loaded from a bundle */
    const struct load_bundle *given; /**< the bundle while loading from one */
    struct load_bundle bundle;
    struct plan_conf env;
    const struct plan_conf *given_env;
    struct load_scenarios scenarios;
    struct load_diag_list diags;
    char *errors;
    struct load_folds_of *folds; /**< one for each scenario */
};

/** Pushes the Lua object of the load, and its method `name` below it: ready for arguments. [-0, +2,
 * e] */
void load_push_method(struct load *l, const char *name);
/** Adds a diagnostic; strings are copied. */
void load_add_diag(struct load *l, struct load_diag d);
/** Reads the plan table at idx; raises only on a bug. Returned, caller frees with plan_free. */
struct plan *load_read_plan(lua_State *L, int idx);

/** The text of that name, or NULL; borrowed. */
const struct load_source *load_bundle_find(const struct load_bundle *b, const char *name);
/** Is it a relative path without "." and ".." parts? */
bool load_bundle_clean(const char *path);
/** The name under which the file at path is shown and bundled: relative to the working directory
 * where it lies below it, else its last part. Caller frees. */
char *load_bundle_name(const char *path);
/** The folder part of a path with its slash, "" if there is none. Caller frees. */
char *load_bundle_folder(const char *path);
/** The file of a module: dots are folders. Caller frees. */
char *load_bundle_module(const char *folder, const char *module);
