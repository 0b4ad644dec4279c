/* SPDX-License-Identifier: Apache-2.0 */
/* Hides names, defaults and limits of properties. */
#include "broker/props.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const timestamp_types[] = {"CreateTime", "LogAppendTime", NULL};
static const char *const policies[] = {"delete", "compact", "compact,delete", "delete,compact",
                                       NULL};
static const char *const codecs[] = {"producer", NULL};

static const struct props_row rows[PROP_COUNT] = {
    [PROP_AUTO_CREATE] = {"auto.create.topics.enable", NULL, PROP_BOOL, "true"},
    [PROP_NUM_PARTITIONS] = {"num.partitions", NULL, PROP_INT, "1", 1, 10000},
    [PROP_REPLICATION] = {"default.replication.factor", NULL, PROP_INT, "1", 1, INT16_MAX},
    [PROP_MIN_ISR] = {"min.insync.replicas", "min.insync.replicas", PROP_INT, "1", 1, INT16_MAX},
    [PROP_MESSAGE_MAX] = {"message.max.bytes", "max.message.bytes", PROP_INT, "1048588", 0,
                          INT32_MAX},
    [PROP_TIMESTAMP_TYPE] = {"log.message.timestamp.type", "message.timestamp.type", PROP_TEXT,
                             "CreateTime", .choices = timestamp_types},
    [PROP_TIMESTAMP_AFTER_MAX] = {"log.message.timestamp.after.max.ms",
                                  "message.timestamp.after.max.ms", PROP_INT, "3600000", 0,
                                  INT64_MAX},
    [PROP_CLEANUP_POLICY] = {"log.cleanup.policy", "cleanup.policy", PROP_TEXT, "delete",
                             .choices = policies},
    [PROP_RETENTION_MS] = {"log.retention.ms", "retention.ms", PROP_INT, "-1", -1, INT64_MAX},
    [PROP_RETENTION_BYTES] = {"log.retention.bytes", "retention.bytes", PROP_INT, "-1", -1,
                              INT64_MAX},
    [PROP_DELETE_RETENTION_MS] = {"log.cleaner.delete.retention.ms", "delete.retention.ms",
                                  PROP_INT, "86400000", 0, INT64_MAX},
    [PROP_UNCLEAN] = {"unclean.leader.election.enable", "unclean.leader.election.enable", PROP_BOOL,
                      "false", .fixed = true},
    [PROP_COMPRESSION] = {"compression.type", "compression.type", PROP_TEXT, "producer",
                          .choices = codecs},
    [PROP_SEGMENT_BYTES] = {"log.segment.bytes", "segment.bytes", PROP_INT, "1073741824", 14,
                            INT32_MAX},
    [PROP_OFFSETS_PARTITIONS] = {"offsets.topic.num.partitions", NULL, PROP_INT, "1", 1, 1000},
    [PROP_OFFSET_METADATA_MAX] = {"offset.metadata.max.bytes", NULL, PROP_INT, "4096", 0,
                                  INT32_MAX},
    [PROP_OFFSETS_RETENTION] = {"offsets.retention.minutes", NULL, PROP_INT, "10080", 1, INT32_MAX,
                                .fixed = true},
    [PROP_TXN_PARTITIONS] = {"transaction.state.log.num.partitions", NULL, PROP_INT, "1", 1, 1000},
    [PROP_TXN_MAX_TIMEOUT] = {"transaction.max.timeout.ms", NULL, PROP_INT, "900000", 1, INT32_MAX},
    [PROP_TXN_CLEANUP] = {"transaction.abort.timed.out.transaction.cleanup.interval.ms", NULL,
                          PROP_INT, "500", 1, INT32_MAX},
    [PROP_TXN_REMOVE_INTERVAL] = {"transaction.remove.expired.transaction.cleanup.interval.ms",
                                  NULL, PROP_INT, "3600000", 1, INT32_MAX},
    [PROP_TXN_ID_EXPIRATION] = {"transactional.id.expiration.ms", NULL, PROP_INT, "604800000", 1,
                                INT32_MAX},
    [PROP_TXN_VERIFY] = {"transaction.partition.verification.enable", NULL, PROP_BOOL, "true"},
    [PROP_PID_EXPIRATION] = {"producer.id.expiration.ms", NULL, PROP_INT, "86400000", 1, INT32_MAX},
    [PROP_PID_EXPIRATION_CHECK] = {"producer.id.expiration.check.interval.ms", NULL, PROP_INT,
                                   "600000", 1, INT32_MAX},
    [PROP_REBALANCE_DELAY] = {"group.initial.rebalance.delay.ms", NULL, PROP_INT, "0", 0,
                              INT32_MAX},
    [PROP_SESSION_MIN] = {"group.min.session.timeout.ms", NULL, PROP_INT, "1000", 0, INT32_MAX},
    [PROP_SESSION_MAX] = {"group.max.session.timeout.ms", NULL, PROP_INT, "1800000", 0, INT32_MAX},
    [PROP_GROUP_MAX_SIZE] = {"group.max.size", NULL, PROP_INT, "2147483647", 1, INT32_MAX},
    [PROP_REQUEST_MAX] = {"socket.request.max.bytes", NULL, PROP_INT, "104857600", 1024, INT32_MAX},
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

void props_unset(struct props *p, const char *name, bool topic)
{
    int id = props_find(name, topic);
    if (id >= 0) {
        p->at[id].set = false;
    }
}

int64_t props_get(const struct props *broker, const struct props *topic, enum props_id id)
{
    int64_t num = 0;
    if (topic && topic->at[id].set) {
        return topic->at[id].num;
    }
    if (broker->at[id].set) {
        return broker->at[id].num;
    }
    parse(&rows[id], rows[id].def, &num);
    return num;
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
