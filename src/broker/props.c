/* SPDX-License-Identifier: Apache-2.0 */
/* Hides names, defaults and limits of properties. */
#include "broker/props.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const timestamp_types[] = {"CreateTime", "LogAppendTime", NULL};
static const char *const policies[] = {"delete", "compact", "compact,delete", "delete,compact",
                                       NULL};
static const char *const migrations[] = {"disabled", "bidirectional", "upgrade", "downgrade", NULL};
static const char *const codecs[] = {"producer", NULL};

#define BOOL(b, t, d, ...)                                                                         \
    {                                                                                              \
        .broker = (b), .topic = (t), .kind = PROP_BOOL, .def = (d), ##__VA_ARGS__                  \
    }
#define INT(b, t, d, low, high, ...)                                                               \
    {                                                                                              \
        .broker = (b), .topic = (t), .kind = PROP_INT, .def = (d), .min = (low), .max = (high),    \
        ##__VA_ARGS__                                                                              \
    }
#define TEXT(b, t, d, list, ...)                                                                   \
    {                                                                                              \
        .broker = (b), .topic = (t), .kind = PROP_TEXT, .def = (d), .choices = (list),             \
        ##__VA_ARGS__                                                                              \
    }
#define FIXED .fixed = true

static const struct props_row rows[PROP_COUNT] = {
    [PROP_AUTO_CREATE] = BOOL("auto.create.topics.enable", NULL, "true"),
    [PROP_NUM_PARTITIONS] = INT("num.partitions", NULL, "1", 1, 10000),
    [PROP_REPLICATION] = INT("default.replication.factor", NULL, "1", 1, INT16_MAX),
    [PROP_MIN_ISR] = INT("min.insync.replicas", "min.insync.replicas", "1", 1, INT16_MAX),
    [PROP_MESSAGE_MAX] = INT("message.max.bytes", "max.message.bytes", "1048588", 0, INT32_MAX),
    [PROP_TIMESTAMP_TYPE] =
        TEXT("log.message.timestamp.type", "message.timestamp.type", "CreateTime", timestamp_types),
    [PROP_TIMESTAMP_AFTER_MAX] = INT("log.message.timestamp.after.max.ms",
                                     "message.timestamp.after.max.ms", "3600000", 0, INT64_MAX),
    [PROP_CLEANUP_POLICY] = TEXT("log.cleanup.policy", "cleanup.policy", "delete", policies, FIXED),
    [PROP_RETENTION_MS] = INT("log.retention.ms", "retention.ms", "-1", -1, INT64_MAX),
    [PROP_RETENTION_BYTES] = INT("log.retention.bytes", "retention.bytes", "-1", -1, INT64_MAX),
    [PROP_RETENTION_CHECK] = INT("log.retention.check.interval.ms", NULL, "300000", 1, INT64_MAX),
    [PROP_DELETE_RETENTION_MS] =
        INT("log.cleaner.delete.retention.ms", "delete.retention.ms", "86400000", 0, INT64_MAX),
    [PROP_UNCLEAN] =
        BOOL("unclean.leader.election.enable", "unclean.leader.election.enable", "false", FIXED),
    [PROP_COMPRESSION] = TEXT("compression.type", "compression.type", "producer", codecs),
    [PROP_SEGMENT_BYTES] = INT("log.segment.bytes", "segment.bytes", "1073741824", 14, INT32_MAX),
    [PROP_OFFSETS_PARTITIONS] = INT("offsets.topic.num.partitions", NULL, "1", 1, 1000),
    [PROP_OFFSET_METADATA_MAX] = INT("offset.metadata.max.bytes", NULL, "4096", 0, INT32_MAX),
    [PROP_OFFSETS_RETENTION] = INT("offsets.retention.minutes", NULL, "10080", 1, INT32_MAX, FIXED),
    [PROP_TXN_PARTITIONS] = INT("transaction.state.log.num.partitions", NULL, "1", 1, 1000),
    [PROP_TXN_MAX_TIMEOUT] = INT("transaction.max.timeout.ms", NULL, "900000", 1, INT32_MAX),
    [PROP_TXN_CLEANUP] = INT("transaction.abort.timed.out.transaction.cleanup.interval.ms", NULL,
                             "500", 1, INT32_MAX),
    [PROP_TXN_REMOVE_INTERVAL] = INT("transaction.remove.expired.transaction.cleanup.interval.ms",
                                     NULL, "3600000", 1, INT32_MAX),
    [PROP_TXN_ID_EXPIRATION] =
        INT("transactional.id.expiration.ms", NULL, "604800000", 1, INT32_MAX),
    [PROP_TXN_VERIFY] = BOOL("transaction.partition.verification.enable", NULL, "true"),
    [PROP_TXN_ADD_RETRY] = INT("add.partitions.to.txn.retry.backoff.ms", NULL, "20", 1, INT32_MAX),
    [PROP_TXN_ADD_RETRY_MAX] =
        INT("add.partitions.to.txn.retry.backoff.max.ms", NULL, "100", 0, INT32_MAX),
    [PROP_PID_EXPIRATION] = INT("producer.id.expiration.ms", NULL, "86400000", 1, INT32_MAX),
    [PROP_PID_EXPIRATION_CHECK] =
        INT("producer.id.expiration.check.interval.ms", NULL, "600000", 1, INT32_MAX),
    [PROP_REBALANCE_DELAY] = INT("group.initial.rebalance.delay.ms", NULL, "0", 0, INT32_MAX),
    [PROP_SESSION_MIN] = INT("group.min.session.timeout.ms", NULL, "500", 0, INT32_MAX),
    [PROP_SESSION_MAX] = INT("group.max.session.timeout.ms", NULL, "1800000", 0, INT32_MAX),
    [PROP_GROUP_MAX_SIZE] = INT("group.max.size", NULL, "2147483647", 1, INT32_MAX),
    [PROP_CONSUMER_SESSION] = INT("group.consumer.session.timeout.ms", NULL, "6000", 1, INT32_MAX),
    [PROP_CONSUMER_SESSION_MIN] =
        INT("group.consumer.min.session.timeout.ms", NULL, "500", 1, INT32_MAX),
    [PROP_CONSUMER_SESSION_MAX] =
        INT("group.consumer.max.session.timeout.ms", NULL, "60000", 1, INT32_MAX),
    [PROP_CONSUMER_HEARTBEAT] =
        INT("group.consumer.heartbeat.interval.ms", NULL, "500", 1, INT32_MAX),
    [PROP_CONSUMER_HEARTBEAT_MIN] =
        INT("group.consumer.min.heartbeat.interval.ms", NULL, "100", 1, INT32_MAX),
    [PROP_CONSUMER_HEARTBEAT_MAX] =
        INT("group.consumer.max.heartbeat.interval.ms", NULL, "15000", 1, INT32_MAX),
    [PROP_CONSUMER_ASSIGNMENT_INTERVAL] =
        INT("group.consumer.assignment.interval.ms", NULL, "1000", 0, 15000),
    [PROP_CONSUMER_MAX_SIZE] = INT("group.consumer.max.size", NULL, "2147483647", 1, INT32_MAX),
    [PROP_CONSUMER_MIGRATION] =
        TEXT("group.consumer.migration.policy", NULL, "disabled", migrations, FIXED),
    [PROP_MAX_IDLE] = INT("connections.max.idle.ms", NULL, "600000", 1, INT64_MAX),
    [PROP_REQUEST_MAX] = INT("socket.request.max.bytes", NULL, "104857600", 1024, INT32_MAX),
    /* not of Kafka: what this broker does on purpose */
    [PROP_CHAOS_COMPLETION] = INT("kaos.completion.max.ms", NULL, "0", 0, 60000),
    [PROP_CHAOS_CONNECTIONS] = INT("kaos.lost.connections.percent", NULL, "0", 0, 50),
    [PROP_BROKER_SESSION] = INT("broker.session.timeout.ms", NULL, "9000", 1, INT32_MAX),
};

const struct props_row *props_row(enum props_id id)
{
    return &rows[id];
}

int props_find(const char *name, bool topic)
{
    for (int i = 0; i < PROP_COUNT; i++) {
        const char *n = topic ? rows[i].topic : rows[i].broker;
        if (n && strcmp(n, name) == 0) {
            return i;
        }
    }
    return -1;
}

/** @return 0, or -1 when the text is not a value of the row. */
static int parse(const struct props_row *r, const char *value, int64_t *out)
{
    char *end;
    switch (r->kind) {
    case PROP_BOOL:
        *out = strcmp(value, "true") == 0;
        return *out || strcmp(value, "false") == 0 ? 0 : -1;
    case PROP_INT:
        errno = 0;
        *out = strtoll(value, &end, 10);
        return errno || end == value || *end || *out < r->min || *out > r->max ? -1 : 0;
    default:
        for (*out = 0; r->choices[*out]; (*out)++) {
            if (strcmp(r->choices[*out], value) == 0) {
                return 0;
            }
        }
        return -1;
    }
}

int props_set(struct props *p, const char *name, bool topic, const char *value, struct err *e)
{
    int id = props_find(name, topic);
    int64_t num = 0, def = 0;
    if (id < 0) {
        return err_set(e, ERR_USAGE, 0, "the embedded broker does not know the %s property '%s'",
                       topic ? "topic" : "broker", name);
    }
    if (parse(&rows[id], value, &num) < 0) {
        return err_set(e, ERR_USAGE, 0, "'%s' is not a value of the %s property '%s'", value,
                       topic ? "topic" : "broker", name);
    }
    if (rows[id].fixed && parse(&rows[id], rows[id].def, &def) == 0 && num != def) {
        return err_set(e, ERR_USAGE, 0, "the embedded broker has '%s' only as %s", name,
                       rows[id].def);
    }
    p->at[id].set = true;
    p->at[id].num = num;
    return 0;
}

void props_force(struct props *p, enum props_id id, const char *value)
{
    p->at[id].set = parse(&rows[id], value, &p->at[id].num) == 0;
}

void props_unset(struct props *p, const char *name, bool topic)
{
    int id = props_find(name, topic);
    if (id >= 0) {
        p->at[id].set = false;
    }
}

static int64_t defaults[PROP_COUNT];

static void parse_defaults(void)
{
    for (int i = 0; i < PROP_COUNT; i++) {
        parse(&rows[i], rows[i].def, &defaults[i]);
    }
}

int64_t props_get(const struct props *broker, const struct props *topic, enum props_id id)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (topic && topic->at[id].set) {
        return topic->at[id].num;
    }
    if (broker->at[id].set) {
        return broker->at[id].num;
    }
    pthread_once(&once, parse_defaults);
    return defaults[id];
}

enum props_source props_source(const struct props *broker, const struct props *topic,
                               enum props_id id)
{
    if (topic && topic->at[id].set) {
        return PROPS_TOPIC;
    }
    return broker->at[id].set ? PROPS_BROKER : PROPS_DEFAULT;
}

const char *props_text(const struct props *broker, const struct props *topic, enum props_id id,
                       char *out, size_t size)
{
    int64_t num = props_get(broker, topic, id);
    const struct props_row *r = &rows[id];
    if (r->kind == PROP_TEXT) {
        snprintf(out, size, "%s", r->choices[num]);
    } else if (r->kind == PROP_BOOL) {
        snprintf(out, size, "%s", num ? "true" : "false");
    } else {
        snprintf(out, size, "%" PRId64, num);
    }
    return out;
}
