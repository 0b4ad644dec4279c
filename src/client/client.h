/* SPDX-License-Identifier: Apache-2.0 */
/* What all Kafka clients of kaos share. This folder is the only door to librdkafka; it knows
 * neither the history nor Lua and reports through callbacks.
 *
 * Rules for all of src/client: every function is called on the loop's thread; every callback is
 * called on the loop's thread, in a turn of its own, never inside a call of this interface (so it
 * may call anything, close included). Times are milliseconds unless a name says otherwise. Codes
 * are librdkafka's rd_kafka_resp_err_t: positive ones are Kafka's, negative ones local. Errors
 * carry ERR_BROKER with librdkafka's flags fatal, abortable, retriable; ERR_USAGE for wrong calls.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** Logical offsets, as librdkafka counts them. */
enum client_offset {
    CLIENT_BEGINNING = -2,
    CLIENT_END = -1,
    CLIENT_STORED = -1000, /**< the committed offset */
    CLIENT_NO_OFFSET = -1001
};

/** Local codes that callers compare with. */
enum client_code {
    CLIENT_ERR_QUEUE_FULL = -184,
    CLIENT_ERR_TIMED_OUT = -185,
    CLIENT_ERR_FENCED = -144,
    CLIENT_ERR_MAX_POLL = -147,
};

/** A partition with an offset; in answers code says what became of it. */
struct client_partition {
    const char *topic; /**< interned: stays valid until the process ends */
    int32_t partition;
    int64_t offset;
    int code;
};

/** A list in no particular order. {0} is empty. */
struct client_partitions {
    struct client_partition *items;
    size_t n, cap;
};

void client_partitions_add(struct client_partitions *ps, const char *topic, int32_t partition,
                           int64_t offset);
/** The entry of a partition, or NULL; borrowed until the list changes. */
struct client_partition *client_partitions_find(const struct client_partitions *ps,
                                                const char *topic, int32_t partition);
struct client_partitions client_partitions_copy(const struct client_partitions *ps);
void client_partitions_free(struct client_partitions *ps);

/** One copy of each topic name, valid until the process ends: names can be compared as pointers. */
const char *client_intern(const char *topic);
/** librdkafka's version at run time, such as "2.0.2"; static. */
const char *client_version(void);
/** "ILLEGAL_GENERATION", "_FENCED"; static. */
const char *client_code_name(int code);
/** "Broker: Specified group generation id is not valid"; static. */
const char *client_code_text(int code);
