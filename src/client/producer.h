/* SPDX-License-Identifier: Apache-2.0 */
/* A producer. Sends are handed to librdkafka at once (copied); outcomes come back in batches
 * through on_ack. A transactional one is driven by transaction.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/client.h"
#include "client/conf.h"
#include "io/loop.h"

struct producer;

/** Bytes that may be null: data NULL is null, len 0 with data not NULL is empty. */
struct producer_bytes {
    const void *data;
    size_t len;
};
struct producer_header {
    const char *name; /**< name_len bytes */
    size_t name_len;
    struct producer_bytes value;
};
/** A record to send; everything is borrowed during the call. */
struct producer_record {
    const char *topic;
    int32_t partition; /**< -1: by the partitioner */
    int64_t timestamp; /**< ms since 1970; 0 = now */
    struct producer_bytes key, value;
    const struct producer_header *headers; /**< in order, names may repeat */
    size_t nheaders;
    uint64_t tag; /**< comes back in the ack */
};

enum producer_status { PRODUCER_NOT, PRODUCER_POSSIBLY, PRODUCER_PERSISTED };

/** The outcome of one send. */
struct producer_ack {
    uint64_t tag;
    const char *topic; /**< interned */
    int32_t partition; /**< -1 if never decided */
    int64_t offset;    /**< -1 if not known */
    enum producer_status status;
    int code; /**< 0 or the error's code */
};

struct producer_callbacks {
    void *arg;
    /** Outcomes in librdkafka's order; borrowed. May be NULL. */
    void (*on_ack)(void *arg, const struct producer_ack *acks, size_t n);
    /** After CLIENT_ERR_QUEUE_FULL: there is room again. May be NULL. */
    void (*on_room)(void *arg);
    /** producer_pending() has become 0. May be NULL. */
    void (*on_drained)(void *arg);
    /** An error of the client as a whole (brokers down, ...); e->fatal: nothing can be sent any
     * more. May be NULL. */
    void (*on_error)(void *arg, const struct err *e);
};

struct producer_setup {
    const char *bootstrap;        /**< "host:port,..." */
    const char *client_id;        /**< NULL = librdkafka's default */
    const char *transactional_id; /**< NULL = not transactional */
    const struct conf *conf;      /**< the author's lines, or NULL */
};

/** Everything in setup is borrowed during the call. @return NULL with ERR_USAGE for a wrong
 * property */
struct producer *producer_open(struct loop *l, const struct producer_setup *setup,
                               const struct producer_callbacks *cb, struct err *e);

/** Enqueues a record (never waits). @return -1; e->code CLIENT_ERR_QUEUE_FULL (retriable): wait for
 *  on_room and call again; in all other cases the record was not sent and has no ack. */
int producer_send(struct producer *p, const struct producer_record *r, struct err *e);

/** Sends without an ack yet. */
size_t producer_pending(const struct producer *p);

/** Ends the client within bound ms without blocking the loop, and frees it; done(arg) follows (NULL
 * = nobody cares). Sends that are pending are dropped without an ack. No callback after this call.
 * Its transaction, if any, must have been closed before. */
void producer_close(struct producer *p, uint64_t bound, loop_fn done, void *arg);
/** Forgets the client without a word to the brokers: for the end of the process. No callback after.
 */
void producer_abandon(struct producer *p);
