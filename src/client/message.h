/* SPDX-License-Identifier: Apache-2.0 */
/* A record as delivered. It lives in the batch it was fetched with; each message is held and
 * released by itself and survives its consumer (its bytes are then copied out of librdkafka). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;
struct membership;

/** Read-only for users. key and value: NULL is null, length 0 with a pointer is empty. The pointers
 *  may change when the consumer is closed: read them from here each time. */
struct message {
    const char *topic; /**< interned (client.h) */
    int32_t partition;
    int64_t offset;
    int64_t timestamp; /**< ms since 1970, -1 = none */
    const void *key, *value;
    size_t key_len, value_len;
    uint64_t assignment; /**< consumer_assignment_number() when it was fetched */
    struct batch *batch; /**< internal */
    void *raw;           /**< internal */
    uint32_t holds;      /**< internal */
};

struct message_header {
    const char *name;  /**< NUL-terminated */
    const void *value; /**< NULL is null */
    size_t len;
};

/** One more owner. */
void message_hold(struct message *m);
/** Ends one ownership; consumer_take() hands out messages with one. */
void message_release(struct message *m);
/** The i-th header from 0, in order, parsed on first use; borrowed from m. @return false at the end
 */
bool message_header(struct message *m, size_t i, struct message_header *h);
/** The group's membership captured with this message's batch; NULL without a group; borrowed from
 * m. */
const struct membership *message_membership(const struct message *m);
