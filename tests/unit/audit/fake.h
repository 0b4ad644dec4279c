/* SPDX-License-Identifier: Apache-2.0 */
/* A broker that says what a test wants: one topic "t" with one partition, whose log is bytes made
 * by the test, and a view of producers and transactions that need not agree with it. */
#pragma once
#include "base/buf.h"
#include "wire/batch.h"
#include "wire/schema.h"

enum { FAKE_BATCHES = 16, FAKE_TXNS = 4 };
struct fake_txn {
    const char *id, *state;
    int64_t pid;
    int partition; /**< of "t", -1 = none */
};
struct fake {
    /* set before fake_start() */
    struct buf log;
    struct {
        int64_t last;
        size_t at, len;
    } batches[FAKE_BATCHES];
    size_t nbatches;
    int64_t log_start, lso, hw;
    size_t limit;                  /**< bytes of an answer behind its first batch; 0 = no bound */
    int64_t later_start, later_hw; /**< said by Fetch instead, -1 = the same */
    int64_t open_pid, open_start;  /**< of DescribeProducers, -1 = none */
    int16_t open_epoch;
    struct fake_txn txns[FAKE_TXNS];
    size_t ntxns;
    int coordinator; /**< leader of __transaction_state: 0, or -1 */
    /** Answers first, if set; false: as below. */
    bool (*hook)(struct fake *f, const struct wire_msg *req, struct wire_msg *resp);
    void *arg; /**< the hook's */
    /* private */
    int fd, port;
    char bootstrap[32];
    unsigned long thread;
};
/** Everything at its quiet defaults. */
void fake_init(struct fake *f);
/** Appends a batch; its offsets follow the ones before. @return where it begins in log. */
size_t fake_data(struct fake *f, int64_t pid, int16_t epoch, bool transactional, int n);
size_t fake_control(struct fake *f, int64_t pid, int16_t epoch, int16_t type);
void fake_start(struct fake *f);
void fake_stop(struct fake *f);
