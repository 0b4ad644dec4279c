/* SPDX-License-Identifier: Apache-2.0 */
/* ApiVersions, Metadata, FindCoordinator and DescribeCluster: what there is and where. */
#include <string.h>

#include "broker/call.h"
#include "broker/leaders.h"
#include "broker/nodes.h"
#include "broker/part.h"
#include "broker/topics.h"

enum { KEY_GROUP = 0, KEY_TXN = 1 };

/* ---- ApiVersions ------------------------------------------------------------------------------
 */

/** Up to this version Kafka leaves out supported features whose lowest level is 0. */
enum { FEATURES_HIDDEN_TO = 3 };

static void put_feature(struct call *c, const char *name, int max, int level)
{
    if (c->version > FEATURES_HIDDEN_TO) {
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "SupportedFeatures");
        wire_set_str(&c->resp, v, "Name", name);
        wire_set_int(v, "MinVersion", 0);
        wire_set_int(v, "MaxVersion", max);
    }
    if (level > 0) {
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "FinalizedFeatures");
        wire_set_str(&c->resp, v, "Name", name);
        wire_set_int(v, "MinVersionLevel", level);
        wire_set_int(v, "MaxVersionLevel", level);
    }
}

void api_versions(struct call *c)
{
    size_t n;
    const struct api *table = api_table(&n);
    for (size_t i = 0; i < n; i++) {
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "ApiKeys");
        wire_set_int(v, "ApiKey", table[i].key);
        wire_set_int(v, "MinVersion", table[i].min);
        wire_set_int(v, "MaxVersion", table[i].max);
    }
    put_feature(c, "group.version", 0, 0);
    put_feature(c, "transaction.version", BROKER_TXN_VERSION_MAX, c->b->transaction_version);
    wire_set_int(&c->resp.root, "FinalizedFeaturesEpoch", 0);
    call_reply(c);
}

/* ---- Metadata ---------------------------------------------------------------------------------
 */

static void put_brokers(struct call *c, const char *id_name)
{
    for (int i = 0; i < c->b->nnodes; i++) {
        const struct node *n = &c->b->nodes[i];
        if (n->fenced) {
            continue;
        }
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Brokers");
        wire_set_int(v, id_name, n->id);
        wire_set_str(&c->resp, v, "Host", n->at[c->listener].host);
        wire_set_int(v, "Port", n->at[c->listener].port);
    }
}

static void put_partition(struct call *c, struct wire_value *topic, const struct partition *p)
{
    struct wire_value *v = wire_add(&c->resp, topic, "Partitions");
    wire_set_int(v, "ErrorCode", p->leader > 0 ? KAFKA_NONE : KAFKA_LEADER_NOT_AVAILABLE);
    wire_set_int(v, "PartitionIndex", p->index);
    wire_set_int(v, "LeaderId", p->leader);
    wire_set_int(v, "LeaderEpoch", p->leader_epoch);
    for (int i = 0; i < p->topic->replication; i++) {
        int id = leaders_replica(c->b, p, i);
        wire_add_int(&c->resp, v, "ReplicaNodes", id);
        if (leaders_in_sync(p, id)) {
            wire_add_int(&c->resp, v, "IsrNodes", id);
        }
        if (c->b->nodes[id - 1].fenced) {
            wire_add_int(&c->resp, v, "OfflineReplicas", id);
        }
    }
}

static void put_topic(struct call *c, const char *name, const struct topic *t, int code)
{
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Topics");
    wire_set_int(v, "ErrorCode", code);
    wire_set_str(&c->resp, v, "Name", name);
    if (!t) {
        return;
    }
    wire_set_blob(v, "TopicId", t->id, sizeof t->id);
    wire_set_int(v, "IsInternal", t->internal);
    for (int32_t i = 0; i < t->nparts; i++) {
        put_partition(c, v, t->parts[i]);
    }
}

static void put_named(struct call *c, const char *name, bool create)
{
    const struct topic *t = part_topic(c->b, name);
    if (!t && create && part_name_ok(name)) {
        t = topics_auto_create(c->b, name);
    }
    int code = t                     ? KAFKA_NONE
               : !part_name_ok(name) ? KAFKA_INVALID_TOPIC_EXCEPTION
                                     : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    put_topic(c, name, t, code);
}

static void put_by_id(struct call *c, const uint8_t *id)
{
    const struct topic *t = part_topic_by_id(c->b, id);
    put_topic(c, t ? t->name : NULL, t, t ? KAFKA_NONE : KAFKA_UNKNOWN_TOPIC_ID);
}

/** One that was asked for, unless it was told before. */
static void put_asked(struct call *c, const struct wire_value *ask, bool create, struct map *told)
{
    const char *name = wire_str(ask, "Name");
    size_t len;
    const uint8_t *id = wire_blob(ask, "TopicId", &len);
    bool fresh;
    map_put(told, name ? (const void *)name : id, name ? strlen(name) : len, &fresh);
    if (fresh && name) {
        put_named(c, name, create);
    } else if (fresh) {
        put_by_id(c, id);
    }
}

static bool wants_all(const struct call *c)
{
    const struct wire_value *topics = wire_get(&c->req.root, "Topics");
    return topics->a.n < 0 || (c->version == 0 && topics->a.n == 0);
}

void api_metadata(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct wire_value *resp = &c->resp.root;
    bool create =
        props_get(&c->b->props, NULL, PROP_AUTO_CREATE) && wire_int(req, "AllowAutoTopicCreation");
    put_brokers(c, "NodeId");
    wire_set_str(&c->resp, resp, "ClusterId", c->b->cluster_id);
    wire_set_int(resp, "ControllerId", c->b->controller);
    for (size_t i = 0; wants_all(c) && i < c->b->topics.n && !c->resp.over; i++) {
        const struct topic *t = c->b->topics.items[i].p;
        if (t) {
            put_topic(c, t->name, t, KAFKA_NONE);
        }
    }
    struct map told = {0};
    for (size_t i = 0; i < wire_count(req, "Topics") && !c->resp.over; i++) {
        put_asked(c, wire_at(req, "Topics", i), create, &told);
    }
    map_free(&told);
    call_reply(c);
}

void api_describe_cluster(struct call *c)
{
    put_brokers(c, "BrokerId");
    wire_set_str(&c->resp, &c->resp.root, "ClusterId", c->b->cluster_id);
    wire_set_int(&c->resp.root, "ControllerId", c->b->controller);
    call_reply(c);
}

/* ---- coordinators -----------------------------------------------------------------------------
 */

static void refuse_coordinator(struct call *c, int code)
{
    wire_set_int(&c->resp.root, "ErrorCode", code);
    wire_set_int(&c->resp.root, "NodeId", -1);
    wire_set_int(&c->resp.root, "Port", -1);
    call_reply(c);
}

void api_find_coordinator(struct call *c)
{
    struct wire_value *resp = &c->resp.root;
    int64_t type = c->version == 0 ? KEY_GROUP : wire_int(&c->req.root, "KeyType");
    const char *key = wire_str(&c->req.root, "Key");
    if (type != KEY_GROUP && type != KEY_TXN) {
        refuse_coordinator(c, KAFKA_INVALID_REQUEST);
        return;
    }
    struct topic *t = part_internal(c->b, type == KEY_TXN ? TXN_TOPIC : OFFSETS_TOPIC);
    const struct node *n =
        nodes_find(c->b, t->parts[state_hash(key) % (uint32_t)t->nparts]->leader);
    if (!n) {
        refuse_coordinator(c, KAFKA_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    const struct node_listener *at = &n->at[c->listener];
    wire_set_str(&c->resp, resp, "ErrorMessage", "NONE");
    wire_set_int(resp, "NodeId", n->id);
    wire_set_str(&c->resp, resp, "Host", at->host);
    wire_set_int(resp, "Port", at->port);
    call_reply(c);
}
