/* SPDX-License-Identifier: Apache-2.0 */
/* Hides which settings matter and where they are asked for. */
#include "audit/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { NAME_MAX_BYTES = 300 };

static const char *const broker_names[] = {
    "transaction.abort.timed.out.transaction.cleanup.interval.ms",
    "transaction.remove.expired.transaction.cleanup.interval.ms",
    "transaction.max.timeout.ms",
    "transactional.id.expiration.ms",
    "transaction.partition.verification.enable",
    "producer.id.expiration.ms",
    "offsets.retention.minutes",
    "offsets.topic.num.partitions",
    "group.min.session.timeout.ms",
    "group.max.session.timeout.ms",
    "group.consumer.session.timeout.ms",
    "group.consumer.heartbeat.interval.ms",
    "group.initial.rebalance.delay.ms",
    "auto.create.topics.enable",
    "default.replication.factor",
    "min.insync.replicas",
    "unclean.leader.election.enable",
};
static const char *const topic_names[] = {
    "cleanup.policy",      "retention.ms",           "retention.bytes",
    "min.insync.replicas", "delete.retention.ms",    "unclean.leader.election.enable",
    "max.message.bytes",   "message.timestamp.type",
};
static const char *const features[] = {"transaction.version", "group.version"};

static void write(struct hist *h, const char *scope, const struct admin_configs *c,
                  const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = admin_config_get(c, names[i]);
        if (value) {
            hist_add(h, H_CONFIG, HP_FACT, 0, HS(scope), HS(names[i]), HS(value));
        }
    }
}

static int some_broker(struct admin *a, int timeout_ms, int32_t *id, struct err *e)
{
    struct admin_metadata md;
    const char *none = NULL;
    int rc = admin_metadata(a, &none, 0, timeout_ms, &md, e);
    if (rc == 0 && md.nbrokers == 0) {
        rc = err_set(e, ERR_PROTOCOL, 0, "the cluster names no broker");
    }
    *id = rc == 0 ? md.brokers[0].id : -1;
    admin_metadata_free(&md);
    return rc;
}

int settings_broker(struct admin *a, struct hist *h, int timeout_ms, struct err *e)
{
    int32_t id;
    struct admin_configs c;
    if (some_broker(a, timeout_ms, &id, e) < 0) {
        return err_wrap(e, "reading the settings of a broker");
    }
    char node[16];
    snprintf(node, sizeof node, "%d", (int)id);
    int rc = admin_describe_configs(a, ADMIN_BROKER, node, timeout_ms, &c, e);
    if (rc == 0) {
        write(h, "broker", &c, broker_names, ARRAY_LEN(broker_names));
    } else {
        err_wrap(e, "reading the settings of broker %s", node);
    }
    admin_configs_free(&c);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(features); i++) {
        int level = admin_feature(a, features[i], timeout_ms, e);
        char text[16];
        snprintf(text, sizeof text, "%d", level);
        rc = level < 0 ? -1 : 0;
        if (rc == 0) {
            hist_add(h, H_CONFIG, HP_FACT, 0, HS("broker"), HS(features[i]), HS(text));
        }
    }
    return rc;
}

int settings_topic(struct admin *a, struct hist *h, const char *topic, int timeout_ms,
                   bool *compacted, struct err *e)
{
    struct admin_configs c;
    *compacted = true; /* as long as it is not known, holes prove nothing */
    int rc = admin_describe_configs(a, ADMIN_TOPIC, topic, timeout_ms, &c, e);
    if (rc == 0) {
        char scope[NAME_MAX_BYTES];
        snprintf(scope, sizeof scope, "topic %s", topic);
        write(h, scope, &c, topic_names, ARRAY_LEN(topic_names));
        const char *policy = admin_config_get(&c, "cleanup.policy");
        *compacted = !policy || strstr(policy, "compact") != NULL;
    } else {
        err_wrap(e, "reading the settings of topic %s", topic);
    }
    admin_configs_free(&c);
    return rc;
}
