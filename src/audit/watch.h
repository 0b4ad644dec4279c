/* SPDX-License-Identifier: Apache-2.0 */
/* The watch: a thread of its own that looks at the cluster through DIRECT every 200 ms while a run
 * lasts: it writes SAMPLE, GROUP and COMMITTED events (on change) into a history of its own (role
 * "watch"), and decides when the drain is complete: no transaction of the run Ongoing or Prepare*,
 * LSO = high watermark on every declared partition and on __consumer_offsets, no deliverable record
 * between the stable committed offset of a group (or the reported position of a consumer without
 * group) and the LSO, unchanged over two samples at least 1 s apart. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "io/loop.h"
#include "plan/plan.h"

struct watch;
/** done: the drain is complete (ok) or the reason why it is not yet, when asked by watch_why. */
typedef void (*watch_fn)(void *arg);

struct watch_opts {
    struct loop *loop;
    const char *bootstrap;   /**< DIRECT */
    const struct plan *plan; /**< kept by the caller until watch_stop */
    const char *history;     /**< folder */
    watch_fn on_drained;     /**< on the loop, once after each watch_drain() */
    void *arg;
    bool shared; /**< others use the cluster too: only transactions that touch a declared topic
                      count, and __consumer_offsets is not looked at */
};
struct watch *watch_start(const struct watch_opts *o, struct err *e);
/** The group reads the topic (all its partitions count for the drain). Idempotent, cheap. */
void watch_group(struct watch *w, const char *group, const char *topic);
/** A program reads with this group: what it reads is found out by asking the broker. Idempotent. */
void watch_program(struct watch *w, const char *group);
/** Whether the group of a program has been seen to read anything yet. changes: how often its
 * members were seen to change; unchanged when the group is not known. */
bool watch_program_reads(struct watch *w, const char *group, uint64_t *changes);
/** A consumer without group has been delivered everything below next; name identifies the instance
 *  (role#index); forget drops it (its process ended; its successor starts anew). */
void watch_position(struct watch *w, const char *name, const char *topic, int32_t partition,
                    int64_t next);
void watch_reader(struct watch *w, const char *name, const char *topic);
void watch_forget(struct watch *w, const char *name);
/** From now on look for the end of the drain; on_drained follows when it is complete. */
void watch_drain(struct watch *w);
/** Only transactions and LSO = HW count from now on (after the cut no consumer lives). */
void watch_cut(struct watch *w);
/** What the drain is waiting for, in words ("output[2]: 12 records above the committed offset of
 *  group copy"); caller frees. */
char *watch_why(struct watch *w);
/** Open transactions that block the drain are written as OPEN_TXN events (with proof by
 *  DescribeProducers against DescribeTransactions); then the thread ends; bounded by 5 s; frees. */
void watch_stop(struct watch *w);
