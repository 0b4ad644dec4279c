/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata, DescribeTopicPartitions and DescribeCluster: nodes, topics and who leads them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/call.h"
#include "broker/leaders.h"
#include "broker/part.h"
#include "broker/topics.h"

enum {
    IDS_FROM = 12, /* a Metadata request may name topics by id */
    ENDPOINT_BROKER = 1,
    ENDPOINT_CONTROLLER = 2,
    LIMIT_MAX = 2000, /* Kafka's max.request.partition.size.limit */
};

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

static struct wire_value *put_partition(struct call *c, struct wire_value *topic,
                                        const struct partition *p)
{
    struct wire_value *v = wire_add(&c->resp, topic, "Partitions");
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
    return v;
}

/** An element of Topics without its partitions. */
static struct wire_value *put_topic(struct call *c, const char *name, const struct topic *t,
                                    int code)
{
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Topics");
    wire_set_int(v, "ErrorCode", code);
    wire_set_str(&c->resp, v, "Name", name);
    if (t) {
        wire_set_blob(v, "TopicId", t->id, sizeof t->id);
        wire_set_int(v, "IsInternal", t->internal);
    } else if (name) {
        wire_set_int(v, "IsInternal", part_name_internal(name));
    }
    return v;
}

/* ---- Metadata ---------------------------------------------------------------------------------
 */

static struct wire_value *put_whole(struct call *c, const char *name, const struct topic *t,
                                    int code)
{
    struct wire_value *v = put_topic(c, name, t, code);
    for (int32_t i = 0; t && i < t->nparts; i++) {
        struct wire_value *p = put_partition(c, v, t->parts[i]);
        bool led = t->parts[i]->leader > 0;
        wire_set_int(p, "ErrorCode", led ? KAFKA_NONE : KAFKA_LEADER_NOT_AVAILABLE);
    }
    if (name && wire_int(&c->req.root, "IncludeTopicAuthorizedOperations")) {
        wire_set_int(v, "TopicAuthorizedOperations", CALL_MAY_TOPIC);
    }
    return v;
}

static int missing(const char *name)
{
    return part_name_ok(name) ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_INVALID_TOPIC_EXCEPTION;
}

static void put_named(struct call *c, const char *name, bool create)
{
    const struct topic *t = part_topic(c->b, name);
    if (!t && create && part_name_ok(name)) {
        t = topics_auto_create(c->b, name);
    }
    put_whole(c, name, t, t ? KAFKA_NONE : missing(name));
}

static void put_by_id(struct call *c, const uint8_t *id)
{
    const struct topic *t = part_topic_by_id(c->b, id);
    struct wire_value *v =
        put_whole(c, t ? t->name : NULL, t, t ? KAFKA_NONE : KAFKA_UNKNOWN_TOPIC_ID);
    wire_set_blob(v, "TopicId", id, sizeof t->id);
}

static const uint8_t *id_of(const struct wire_value *ask)
{
    size_t len;
    const uint8_t *id = wire_blob(ask, "TopicId", &len);
    return topic_id_is_none(id) ? NULL : id;
}

/** Versions 10 and 11 have ids and null names in the format, but not in the protocol; later ones
 *  need one of both. @return Kafka's code. */
static int check_topics(const struct call *c)
{
    bool nameless = false, ids = false;
    for (size_t i = 0; i < wire_count(&c->req.root, "Topics"); i++) {
        const struct wire_value *ask = wire_at(&c->req.root, "Topics", i);
        nameless |= !wire_str(ask, "Name");
        ids |= id_of(ask) != NULL;
    }
    if (c->version < IDS_FROM) {
        return nameless || ids ? KAFKA_INVALID_REQUEST : KAFKA_NONE;
    }
    return nameless && !ids ? KAFKA_UNKNOWN_SERVER_ERROR : KAFKA_NONE;
}

static void refuse_topics(struct call *c, int code)
{
    wire_set_int(&c->resp.root, "ErrorCode", code);
    for (size_t i = 0; i < wire_count(&c->req.root, "Topics"); i++) {
        const struct wire_value *ask = wire_at(&c->req.root, "Topics", i);
        const char *name = wire_str(ask, "Name");
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Topics");
        wire_set_int(v, "ErrorCode", code);
        wire_set_str(&c->resp, v, "Name", name ? name : "");
        if (id_of(ask)) {
            wire_set_blob(v, "TopicId", id_of(ask), TOPIC_ID_BYTES);
        }
    }
    call_reply(c);
}

static void put_one(struct call *c, const struct wire_value *ask, bool by_id, bool create,
                    struct map *told)
{
    const char *name = wire_str(ask, "Name");
    const uint8_t *id = id_of(ask);
    const void *key = by_id ? (const void *)id : name;
    bool fresh = false;
    if (key) {
        map_put(told, key, by_id ? TOPIC_ID_BYTES : strlen(name), &fresh);
    }
    if (fresh && by_id) {
        put_by_id(c, id);
    } else if (fresh) {
        put_named(c, name, create);
    }
}

/** Each once; names are looked at only when no element has an id. */
static void put_asked(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    bool by_id = false, create = props_get(&c->b->props, NULL, PROP_AUTO_CREATE) &&
                                 wire_int(req, "AllowAutoTopicCreation");
    struct map told = {0};
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        by_id |= id_of(wire_at(req, "Topics", i)) != NULL;
    }
    for (size_t i = 0; i < wire_count(req, "Topics") && !c->resp.over; i++) {
        put_one(c, wire_at(req, "Topics", i), by_id, create, &told);
    }
    map_free(&told);
}

static bool wants_all(const struct call *c)
{
    const struct wire_value *topics = wire_get(&c->req.root, "Topics");
    return topics->a.n < 0 || (c->version == 0 && topics->a.n == 0);
}

void api_metadata(struct call *c)
{
    struct wire_value *resp = &c->resp.root;
    int refused = check_topics(c);
    if (refused) {
        refuse_topics(c, refused);
        return;
    }
    put_brokers(c, "NodeId");
    wire_set_str(&c->resp, resp, "ClusterId", c->b->cluster_id);
    wire_set_int(resp, "ControllerId", c->b->controller);
    if (wire_int(&c->req.root, "IncludeClusterAuthorizedOperations")) {
        wire_set_int(resp, "ClusterAuthorizedOperations", CALL_MAY_CLUSTER);
    }
    for (size_t i = 0; wants_all(c) && i < c->b->topics.n && !c->resp.over; i++) {
        const struct topic *t = c->b->topics.items[i].p;
        if (t) {
            put_whole(c, t->name, t, KAFKA_NONE);
        }
    }
    put_asked(c);
    call_reply(c);
}

/* ---- DescribeTopicPartitions ------------------------------------------------------------------
 */

struct names {
    const char **items;
    size_t n, cap;
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** The names to describe from `first` on, sorted, each once; borrowed. */
static void collect(const struct call *c, const char *first, struct names *out)
{
    size_t n = wire_count(&c->req.root, "Topics"), kept = 0;
    for (size_t i = 0; i < n; i++) {
        *VEC_PUSH(out) = wire_str(wire_at(&c->req.root, "Topics", i), "Name");
    }
    for (size_t i = 0; n == 0 && i < c->b->topics.n; i++) {
        const struct topic *t = c->b->topics.items[i].p;
        if (t) {
            *VEC_PUSH(out) = t->name;
        }
    }
    if (out->n > 0) {
        qsort(out->items, out->n, sizeof *out->items, compare);
    }
    for (size_t i = 0; i < out->n; i++) {
        bool twice = kept > 0 && strcmp(out->items[kept - 1], out->items[i]) == 0;
        if (!twice && strcmp(out->items[i], first) >= 0) {
            out->items[kept++] = out->items[i];
        }
    }
    out->n = kept;
}

/** Where an answer ends because it is full. */
struct cursor {
    const char *topic; /**< NULL = all is said */
    int64_t partition;
};

/** One topic from partition `from` on, at most `room` of them. @return how many were put. */
static int64_t describe_topic(struct call *c, const char *name, int64_t from, int64_t room,
                              struct cursor *next)
{
    const struct topic *t = part_topic(c->b, name);
    struct wire_value *v = put_topic(c, name, t, t ? KAFKA_NONE : missing(name));
    int64_t end = t ? t->nparts : 0, to = end - from > room ? from + room : end;
    wire_set_int(v, "TopicAuthorizedOperations", CALL_MAY_TOPIC);
    for (int64_t i = from; i < to; i++) {
        struct wire_value *p = put_partition(c, v, t->parts[i]);
        wire_set_empty(p, "EligibleLeaderReplicas");
        wire_set_empty(p, "LastKnownElr");
    }
    if (to < end) {
        *next = (struct cursor){name, to};
    }
    return to > from ? to - from : 0;
}

static void describe_topics(struct call *c, const struct names *names, struct cursor at,
                            struct cursor *next)
{
    int64_t room = wire_int(&c->req.root, "ResponsePartitionLimit");
    room = room > LIMIT_MAX ? LIMIT_MAX : room < 1 ? 1 : room;
    for (size_t i = 0; i < names->n && !next->topic && !c->resp.over; i++) {
        const char *name = names->items[i];
        if (room == 0) {
            *next = (struct cursor){name, 0};
            break;
        }
        bool here = at.topic && strcmp(name, at.topic) == 0;
        room -= describe_topic(c, name, here ? at.partition : 0, room, next);
    }
}

static void set_cursor(struct call *c, const struct cursor *next)
{
    if (!next->topic) {
        wire_set_null(&c->resp.root, "NextCursor");
        return;
    }
    struct wire_value *v = wire_member(&c->resp.root, "NextCursor");
    wire_set_str(&c->resp, v, "TopicName", next->topic);
    wire_set_int(v, "PartitionIndex", next->partition);
}

static void refuse_descriptions(struct call *c)
{
    for (size_t i = 0; i < wire_count(&c->req.root, "Topics"); i++) {
        const char *name = wire_str(wire_at(&c->req.root, "Topics", i), "Name");
        put_topic(c, name, NULL, KAFKA_INVALID_REQUEST);
    }
}

void api_describe_topic_partitions(struct call *c)
{
    const struct wire_value *from = wire_get(&c->req.root, "Cursor");
    struct cursor at = {0}, next = {0};
    struct names names = {0};
    if (from->a.n >= 0) {
        at = (struct cursor){wire_str(from, "TopicName"), wire_int(from, "PartitionIndex")};
    }
    collect(c, at.topic ? at.topic : "", &names);
    bool listed = wire_count(&c->req.root, "Topics") > 0;
    bool lost = at.topic && listed && (names.n == 0 || strcmp(names.items[0], at.topic) != 0);
    if (lost || at.partition < 0) {
        refuse_descriptions(c);
    } else {
        describe_topics(c, &names, at, &next);
    }
    set_cursor(c, &next);
    free(names.items);
    call_reply(c);
}

/* ---- DescribeCluster --------------------------------------------------------------------------
 */

void api_describe_cluster(struct call *c)
{
    struct wire_value *resp = &c->resp.root;
    int64_t type = wire_int(&c->req.root, "EndpointType");
    if (type != ENDPOINT_BROKER) {
        bool known = type == ENDPOINT_CONTROLLER;
        wire_set_int(resp, "ErrorCode",
                     known ? KAFKA_MISMATCHED_ENDPOINT_TYPE : KAFKA_UNSUPPORTED_ENDPOINT_TYPE);
        wire_set_str(&c->resp, resp, "ErrorMessage",
                     known ? "These are the addresses of brokers, not of controllers."
                           : "There is no such type of endpoints.");
        call_reply(c);
        return;
    }
    put_brokers(c, "BrokerId");
    wire_set_str(&c->resp, resp, "ClusterId", c->b->cluster_id);
    wire_set_int(resp, "ControllerId", c->b->controller);
    if (wire_int(&c->req.root, "IncludeClusterAuthorizedOperations")) {
        wire_set_int(resp, "ClusterAuthorizedOperations", CALL_MAY_CLUSTER);
    }
    call_reply(c);
}
