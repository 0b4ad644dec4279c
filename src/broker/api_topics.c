/* SPDX-License-Identifier: Apache-2.0 */
/* CreateTopics, DeleteTopics and CreatePartitions. */
#include <stdio.h>
#include <string.h>

#include "broker/call.h"
#include "broker/goffsets.h"
#include "broker/part.h"
#include "broker/tc.h"
#include "broker/topics.h"

enum { PARTITIONS_MAX = 10000, WHY_BYTES = 512, QUOTA_FROM = 6, GROW_QUOTA_FROM = 3 };
static const char no_memory[] = "The broker's memory limit is reached.";

struct topic *topics_auto_create(struct broker *b, const char *name)
{
    int64_t replication = props_get(&b->props, NULL, PROP_REPLICATION);
    int64_t partitions = props_get(&b->props, NULL, PROP_NUM_PARTITIONS);
    if (!state_room(b, part_cost((int32_t)partitions))) {
        return NULL;
    }
    return part_create(b, name, (int32_t)props_get(&b->props, NULL, PROP_NUM_PARTITIONS),
                       replication < b->nnodes ? (int)replication : b->nnodes, NULL);
}

int broker_create_topic(struct broker *b, const char *name, int32_t partitions, struct err *e)
{
    if (!part_name_ok(name)) {
        return err_set(e, ERR_USAGE, KAFKA_INVALID_TOPIC_EXCEPTION, "'%s' is no name of a topic",
                       name);
    }
    if (partitions < 1 || partitions > PARTITIONS_MAX) {
        return err_set(e, ERR_USAGE, KAFKA_INVALID_PARTITIONS,
                       "topic %s: %d partitions, possible are 1 to %d", name, partitions,
                       PARTITIONS_MAX);
    }
    if (part_topic(b, name)) {
        return err_set(e, ERR_USAGE, KAFKA_TOPIC_ALREADY_EXISTS, "topic %s exists already", name);
    }
    part_create(b, name, partitions, 1, NULL);
    return 0;
}

/* ---- CreateTopics -----------------------------------------------------------------------------
 */

struct wanted {
    const char *name;
    int64_t partitions, replication;
    struct props props;
    char why[WHY_BYTES];
};

static int refuse(struct wanted *w, int code, const char *why)
{
    snprintf(w->why, sizeof w->why, "%s", why);
    return code;
}

static int read_configs(struct wanted *w, const struct wire_value *ask)
{
    struct err e;
    for (size_t i = 0; i < wire_count(ask, "Configs"); i++) {
        const struct wire_value *v = wire_at(ask, "Configs", i);
        const char *value = wire_str(v, "Value");
        if (!value) {
            return refuse(w, KAFKA_INVALID_CONFIG, "A value of a topic property is null.");
        }
        if (props_set(&w->props, wire_str(v, "Name"), true, value, &e) < 0) {
            return refuse(w, KAFKA_INVALID_CONFIG, e.msg);
        }
    }
    return KAFKA_NONE;
}

static int check_numbers(struct broker *b, struct wanted *w, const struct wire_value *ask)
{
    w->partitions = wire_int(ask, "NumPartitions");
    w->replication = wire_int(ask, "ReplicationFactor");
    size_t given = wire_count(ask, "Assignments");
    if (given > 0 && (w->partitions != -1 || w->replication != -1)) {
        return refuse(w, KAFKA_INVALID_REQUEST, "Both numbers and an assignment were given.");
    }
    if (given > 0) {
        w->partitions = (int64_t)given;
        w->replication = (int64_t)wire_count(wire_at(ask, "Assignments", 0), "BrokerIds");
    }
    if (w->partitions == -1) {
        w->partitions = props_get(&b->props, NULL, PROP_NUM_PARTITIONS);
    }
    if (w->replication == -1) {
        w->replication = props_get(&b->props, NULL, PROP_REPLICATION);
    }
    if (w->partitions < 1 || w->partitions > PARTITIONS_MAX) {
        return refuse(w, KAFKA_INVALID_PARTITIONS, "The number of partitions is out of range.");
    }
    if (w->replication < 1 || w->replication > b->nnodes) {
        return refuse(w, KAFKA_INVALID_REPLICATION_FACTOR,
                      "The replication factor is larger than the number of nodes.");
    }
    return KAFKA_NONE;
}

static int check_topic(struct broker *b, struct wanted *w, const struct wire_value *ask)
{
    w->name = wire_str(ask, "Name");
    if (!part_name_ok(w->name)) {
        return refuse(w, KAFKA_INVALID_TOPIC_EXCEPTION, "This cannot be the name of a topic.");
    }
    if (part_topic(b, w->name)) {
        snprintf(w->why, sizeof w->why, "Topic '%.200s' already exists.", w->name);
        return KAFKA_TOPIC_ALREADY_EXISTS;
    }
    int code = check_numbers(b, w, ask);
    return code ? code : read_configs(w, ask);
}

/** How often each name stands in the request. */
static void count_names(const struct call *c, struct map *names)
{
    for (size_t i = 0; i < wire_count(&c->req.root, "Topics"); i++) {
        map_put_str(names, wire_str(wire_at(&c->req.root, "Topics", i), "Name"))->u++;
    }
}

/** From a version on there is a code on which clients repeat. */
static int no_room(const struct call *c, int16_t quota_from)
{
    return c->version >= quota_from ? KAFKA_THROTTLING_QUOTA_EXCEEDED : KAFKA_POLICY_VIOLATION;
}

static void create_one(struct call *c, const struct wire_value *ask, bool twice)
{
    struct wanted w = {0};
    int code = twice ? refuse(&w, KAFKA_INVALID_REQUEST, "The topic is named twice.")
                     : check_topic(c->b, &w, ask);
    const struct topic *t = NULL;
    if (code == KAFKA_NONE && !state_room(c->b, part_cost((int32_t)w.partitions))) {
        code = refuse(&w, no_room(c, QUOTA_FROM), no_memory);
    }
    if (code == KAFKA_NONE && !wire_int(&c->req.root, "validateOnly")) {
        t = part_create(c->b, w.name, (int32_t)w.partitions, (int)w.replication, &w.props);
    }
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Topics");
    wire_set_str(&c->resp, v, "Name", wire_str(ask, "Name"));
    wire_set_int(v, "ErrorCode", code);
    wire_set_str(&c->resp, v, "ErrorMessage", code ? w.why : NULL);
    if (t) {
        wire_set_blob(v, "TopicId", t->id, sizeof t->id);
    }
    if (code == KAFKA_NONE) {
        wire_set_int(v, "NumPartitions", w.partitions);
        wire_set_int(v, "ReplicationFactor", w.replication);
    }
}

void api_create_topics(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct map names = {0};
    count_names(c, &names);
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *ask = wire_at(req, "Topics", i);
        struct map_entry *named = map_get_str(&names, wire_str(ask, "Name"));
        if (named->u > 0) {
            create_one(c, ask, named->u > 1);
            named->u = 0; /* answered */
        }
    }
    map_free(&names);
    call_reply(c);
}

/* ---- DeleteTopics -----------------------------------------------------------------------------
 */

static void delete_one(struct call *c, const char *name)
{
    struct topic *t = part_topic(c->b, name);
    int code = !t            ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
               : t->internal ? KAFKA_INVALID_TOPIC_EXCEPTION
                             : KAFKA_NONE;
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Responses");
    wire_set_str(&c->resp, v, "Name", name);
    wire_set_int(v, "ErrorCode", code);
    if (code == KAFKA_NONE) {
        wire_set_blob(v, "TopicId",
                      memcpy(arena_alloc(&c->resp.mem, sizeof t->id), t->id, sizeof t->id),
                      sizeof t->id);
        goffsets_topic_deleted(c->b, name);
        tc_topic_deleted(c->b, t);
        part_delete(c->b, t);
    }
}

void api_delete_topics(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "TopicNames"); i++) {
        delete_one(c, (const char *)wire_at(req, "TopicNames", i)->s.p);
    }
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        delete_one(c, wire_str(wire_at(req, "Topics", i), "Name"));
    }
    call_reply(c);
}

/* ---- CreatePartitions -------------------------------------------------------------------------
 */

static int grow_one(struct call *c, const struct wire_value *ask, const char **why)
{
    struct topic *t = part_topic(c->b, wire_str(ask, "Name"));
    int64_t count = wire_int(ask, "Count");
    if (!t) {
        *why = "This server does not host this topic-partition.";
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (count <= t->nparts || count > PARTITIONS_MAX) {
        *why = "The number of partitions can only grow, up to the broker's limit.";
        return KAFKA_INVALID_PARTITIONS;
    }
    if (!state_room(c->b, part_cost((int32_t)count - t->nparts))) {
        *why = no_memory;
        return no_room(c, GROW_QUOTA_FROM);
    }
    if (!wire_int(&c->req.root, "ValidateOnly")) {
        part_grow(c->b, t, (int32_t)count);
    }
    return KAFKA_NONE;
}

void api_create_partitions(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *ask = wire_at(req, "Topics", i);
        const char *why = NULL;
        int code = grow_one(c, ask, &why);
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Results");
        wire_set_str(&c->resp, v, "Name", wire_str(ask, "Name"));
        wire_set_int(v, "ErrorCode", code);
        wire_set_str(&c->resp, v, "ErrorMessage", why);
    }
    call_reply(c);
}
