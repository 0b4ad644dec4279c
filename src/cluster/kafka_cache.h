/* SPDX-License-Identifier: Apache-2.0 */
/* What is made once per Kafka version and machine and kept: formatted data directories (one for
 * each node number) and the class-data archive, which needs one start of a broker. Several kaos
 * processes may ask at once: one prepares under a lock, the others wait; whatever has its final
 * name is whole. */
#pragma once
#include "cluster/kafka_home.h"
#include "io/loop.h"
#include "io/proc.h"

struct kafka_cache;

/** e NULL = ready. */
typedef void (*kafka_cache_fn)(void *arg, const struct err *e);

struct kafka_cache_opts {
    struct loop *loop;
    struct guard *guard;
    const struct kafka_home *home; /**< borrowed until kafka_cache_free */
    const char *work_dir;          /**< for what is removed again; copied */
    const char *log_path;          /**< of format and first start; copied */
    int nodes;
    kafka_cache_fn fn; /**< on the loop, never inside kafka_cache_start; once, unless cancelled */
    void *arg;
};

struct kafka_cache *kafka_cache_start(const struct kafka_cache_opts *o);
/** Kills what runs; fn is not called any more. gone(arg) is called, perhaps at once, when nothing
 * runs: then kafka_cache_free is allowed. */
void kafka_cache_cancel(struct kafka_cache *k, loop_fn gone, void *arg);
/** After fn or gone; NULL is fine. */
void kafka_cache_free(struct kafka_cache *k);
/** The formatted data directory of a node; returned, caller frees. */
char *kafka_cache_template(const struct kafka_cache *k, int node);
/** The archive, or NULL where this java could not make one; returned, caller frees. */
char *kafka_cache_archive(const struct kafka_cache *k);
