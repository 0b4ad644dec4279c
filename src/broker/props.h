/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of brokers and topics that are known: one table. What is in it has an effect, or
 * the only value that this broker can have. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum props_id {
    PROP_AUTO_CREATE,
    PROP_NUM_PARTITIONS,
    PROP_REPLICATION,
    PROP_MIN_ISR,
    PROP_MESSAGE_MAX,
    PROP_TIMESTAMP_TYPE,
    PROP_TIMESTAMP_AFTER_MAX,
    PROP_CLEANUP_POLICY,
    PROP_RETENTION_MS,
    PROP_RETENTION_BYTES,
    PROP_RETENTION_CHECK,
    PROP_DELETE_RETENTION_MS,
    PROP_UNCLEAN,
    PROP_COMPRESSION,
    PROP_SEGMENT_BYTES,
    PROP_OFFSETS_PARTITIONS,
    PROP_OFFSET_METADATA_MAX,
    PROP_OFFSETS_RETENTION,
    PROP_TXN_PARTITIONS,
    PROP_TXN_MAX_TIMEOUT,
    PROP_TXN_CLEANUP,
    PROP_TXN_REMOVE_INTERVAL,
    PROP_TXN_ID_EXPIRATION,
    PROP_TXN_VERIFY,
    PROP_TXN_ADD_RETRY,
    PROP_TXN_ADD_RETRY_MAX,
    PROP_PID_EXPIRATION,
    PROP_PID_EXPIRATION_CHECK,
    PROP_REBALANCE_DELAY,
    PROP_SESSION_MIN,
    PROP_SESSION_MAX,
    PROP_GROUP_MAX_SIZE,
    PROP_CONSUMER_SESSION,
    PROP_CONSUMER_SESSION_MIN,
    PROP_CONSUMER_SESSION_MAX,
    PROP_CONSUMER_HEARTBEAT,
    PROP_CONSUMER_HEARTBEAT_MIN,
    PROP_CONSUMER_HEARTBEAT_MAX,
    PROP_CONSUMER_ASSIGNMENT_INTERVAL,
    PROP_CONSUMER_MAX_SIZE,
    PROP_CONSUMER_MIGRATION,
    PROP_REQUEST_MAX,
    PROP_MAX_IDLE,
    PROP_CHAOS_COMPLETION,
    PROP_CHAOS_CONNECTIONS,
    PROP_BROKER_SESSION,
    PROP_COUNT,
};
enum props_kind { PROP_BOOL, PROP_INT, PROP_TEXT };
/** Where a value comes from, as Kafka numbers it. */
enum props_source { PROPS_TOPIC = 1, PROPS_BROKER = 4, PROPS_DEFAULT = 5 };

struct props_row {
    const char *broker; /**< name as a broker property, NULL = none */
    const char *topic;  /**< name as a topic property, NULL = none */
    enum props_kind kind;
    const char *def; /**< as text */
    int64_t min, max;
    const char *const *choices; /**< of a text; NULL ends them */
    bool fixed;                 /**< has its default and no other value */
};
/** One value of each row; unset = taken from above (topic: the broker's; broker: the default). */
struct props {
    struct {
        bool set;
        int64_t num; /**< number; bool 0/1; text: index among the choices */
    } at[PROP_COUNT];
};

const struct props_row *props_row(enum props_id id);
/** The row with that name; -1 = there is none. */
int props_find(const char *name, bool topic);
/** Sets from text. @return -1 with ERR_USAGE that names property and value. */
int props_set(struct props *p, const char *name, bool topic, const char *value, struct err *e);
/** Sets what others may not. */
void props_force(struct props *p, enum props_id id, const char *value);
void props_unset(struct props *p, const char *name, bool topic);
/** The value in force; topic may be NULL. */
int64_t props_get(const struct props *broker, const struct props *topic, enum props_id id);
enum props_source props_source(const struct props *broker, const struct props *topic,
                               enum props_id id);
/** As text, into out (size bytes); returns out. */
const char *props_text(const struct props *broker, const struct props *topic, enum props_id id,
                       char *out, size_t size);
