/* SPDX-License-Identifier: Apache-2.0 */
/* A real Kafka for the tests of this folder: KAOS_TEST_BOOTSTRAP=host:port, else they are skipped.
 */
#pragma once
#include "test.h"

#include "history/events.h"
#include "plan/plan.h"
#include "wire/admin.h"
#include "wire/batch.h"
#include "wire/txn.h"

enum { LAB_MS = 15000 };
struct lab {
    const char *bootstrap;
    struct admin *admin;
    struct plan *plan;
    char input[64], output[64], group[64], id[64], run[64]; /**< unique names */
    int64_t now_ms;
    int32_t seq[8]; /**< next sequence per partition of the producer in use */
    uint64_t sent;
};
/** Creates input and output, declared in lab->plan, with so many partitions. */
struct lab *lab_open(int partitions);
/** Deletes the topics. */
void lab_close(struct lab *l);
/** Fails the test with the message of e when a call returned -1. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            test_fail(__FILE__, __LINE__, "%s", e.msg);                                            \
    } while (0)

/** A producer; id NULL = idempotent only. Resets the sequences. */
struct txn lab_producer(struct lab *l, const char *id, int txn_timeout_ms);
/** One batch of n records with kaos headers of role "w" 1.1 (transaction number txn, -1 = none).
 *  @return the base offset. */
int64_t lab_send(struct lab *l, const struct txn *t, const char *topic, int32_t partition, int n,
                 enum batch_codec codec, int64_t txn);
void lab_add(struct lab *l, const struct txn *t, const char *topic, int32_t partition);
void lab_end(struct lab *l, struct txn *t, bool commit);
void lab_wait_lso(struct lab *l, const char *topic, int32_t partition, int64_t lso);
/** Runs an audit of the plan into dir and reads it back. */
struct events *lab_audit(struct lab *l, const char *dir, const char *pass, bool internals);
/** First event of a kind about (topic, partition), from *at; the kind's slots 0 and 1 are these. */
const struct event *lab_find(const struct events *es, int kind, const char *topic,
                             int32_t partition, size_t *at);
