/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in parallel: each in a kaos process of its own under one guard. Their output is kept apart;
 * what they found comes back as a file. */
#pragma once
#include "command/item.h"

struct jobs_opts {
    const struct item_opts *item;
    int parallel;
    bool quiet; /**< no line every minute */
    /** The next run, or NULL when there is none (any more). */
    const struct item *(*next)(void *arg, uint64_t *seed, long long *number);
    /** A run ended; out is taken. */
    void (*done)(void *arg, const struct item *it, long long number, struct outcome *out);
    void *arg;
};
/** Returns when nothing runs and next() says NULL. @return the signal that interrupted it, or 0; -1
 *  with e when no process can be started. */
int jobs_run(const struct jobs_opts *o, struct err *e);
