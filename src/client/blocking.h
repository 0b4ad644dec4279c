/* SPDX-License-Identifier: Apache-2.0 */
/* Inside client/ only: the thread of a transactional producer that makes the calls that block, one
 * at a time, with timeout -1. Short timeouts make librdkafka lose its state; nothing can cancel a
 * call. */
#pragma once
#include "client/internal.h"

enum blocking_op {
    BLOCKING_INIT,
    BLOCKING_OFFSETS,
    BLOCKING_COMMIT,
    BLOCKING_ABORT,
    BLOCKING_QUIT
};

struct blocking;
typedef void (*blocking_fn)(void *arg, enum blocking_op op, const struct err *e);

/** done(arg, ...) is called on the loop for every call, QUIT included. */
struct blocking *blocking_open(struct loop *l, rd_kafka_t *rk, blocking_fn done, void *arg);
/** Hands a call to the thread; only when the one before is done. offsets and ms (BLOCKING_OFFSETS)
 * are borrowed until then. */
void blocking_call(struct blocking *b, enum blocking_op op, const struct client_partitions *offsets,
                   const struct membership *ms);
/** Joins the thread and frees; after QUIT is done. */
void blocking_free(struct blocking *b);
const char *blocking_name(enum blocking_op op);
