/* SPDX-License-Identifier: Apache-2.0 */
/* Stored runs: finding their folder, and judging one from what is stored in it. */
#pragma once
#include <stdio.h>

#include "base/json.h"
#include "check/check.h"
#include "lua/load.h"

/** A run as it stands on disk. */
struct stored {
    char *dir;
    json_t *run; /**< run.json */
    struct load *load;
    int scenario;
    struct plan *plan;
    struct events *events;
};
/** word: a folder, a run id or a unique prefix of one, or "latest". @return -1 with ERR_USAGE or
 *  ERR_PROTOCOL (the history is not readable). */
int stored_open(const char *store, const char *word, struct stored *s, struct err *e);
void stored_close(struct stored *s);
/** Judges; writes verdict.json into the folder. @return NULL with e. */
struct verdict *stored_judge(struct stored *s, struct err *e);
/** Judges an open plan and load with the history in dir. */
struct verdict *store_judge(struct load *l, size_t scenario, const struct plan *p,
                            const struct events *es, const struct check_opts *o, struct err *e);
