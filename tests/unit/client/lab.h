/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/client share: a loop that runs until something holds, and a broker. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/consumer.h"
#include "client/producer.h"
#include "client/transaction.h"

extern struct loop *lab_loop; /**< made by the first call of a function here */

/** Runs the loop until cond(arg) holds; fails the test after ms. */
void lab_until(bool (*cond)(void *arg), void *arg, unsigned ms, const char *what);
/** Runs the loop for ms. */
void lab_run(unsigned ms);
void lab_end(void);

/** KAOS_TEST_BOOTSTRAP; skips the test when there is no broker. */
const char *lab_bootstrap(void);
/** A name not used before, static until the next 8 calls. */
const char *lab_name(const char *stem);
void lab_topic(const char *topic, int partitions);
/** A producer of librdkafka itself; txn_id NULL = without transactions. */
struct rd_kafka_s *lab_handle(const char *txn_id);

/** A producer whose outcomes are collected. */
struct lab_sender {
    struct producer *p;
    struct {
        struct producer_ack *items;
        size_t n, cap;
    } acks;
    struct err error;
    bool room, drained;
};
void lab_sender_open(struct lab_sender *s, const char *txn_id);
/** Sends value to a partition and stops the test on errors. */
void lab_send(struct lab_sender *s, const char *topic, int partition, const char *value,
              uint64_t tag);
void lab_flush(struct lab_sender *s);
/** Sends n numbers 0..n-1 as text over the partitions and waits. */
void lab_fill(const char *topic, int partitions, int from, int n);
void lab_sender_close(struct lab_sender *s);

/** What a reader without a group sees. */
struct lab_log {
    struct {
        struct message **items;
        size_t n, cap;
    } seen;
    struct consumer *c;
};
void lab_log_open(struct lab_log *l, const char *topic, const char *isolation);
void lab_log_want(struct lab_log *l, size_t n, unsigned ms);
void lab_log_close(struct lab_log *l);

/** Takes all that is there, one by one; fn borrows the message. */
void lab_take_each(struct consumer *c, void (*fn)(void *arg, const struct message *m), void *arg);
void lab_close_consumer(struct consumer *c);
void lab_close_transaction(struct transaction *t);
