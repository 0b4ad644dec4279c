/* SPDX-License-Identifier: Apache-2.0 */
/* CreateTopics, DeleteTopics and CreatePartitions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/call.h"
#include "broker/goffsets.h"
#include "broker/leaders.h"
#include "broker/part.h"
#include "broker/topics.h"

enum {
    PARTITIONS_MAX = 10000,
    WHY_BYTES = 512,
    VALUE_BYTES = 80,
    QUOTA_FROM = 6,
    GROW_QUOTA_FROM = 3,
};
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
    if (given == 0 && (w->replication < 1 || w->replication > b->nnodes)) {
        return refuse(w, KAFKA_INVALID_REPLICATION_FACTOR,
                      "The replication factor is larger than the number of nodes.");
    }
    return KAFKA_NONE;
}

/** Nodes that exist, each once, as many as there are to be replicas. */
static int check_nodes(const struct broker *b, struct wanted *w, const struct wire_value *ids)
{
    unsigned seen = 0;
    for (int32_t i = 0; i < ids->a.n; i++) {
        int64_t id = ids->a.items[i].i;
        if (id < 1 || id > b->nnodes || (seen & 1u << id)) {
            return refuse(w, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                          "A node of an assignment does not exist, or stands in it twice.");
        }
        seen |= 1u << id;
    }
    if (ids->a.n < 1 || ids->a.n != (int32_t)w->replication) {
        return refuse(w, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                      "The assignments are empty or of different lengths.");
    }
    return KAFKA_NONE;
}

/** Partitions from 0 on, each once. */
static int check_assignments(const struct broker *b, struct wanted *w,
                             const struct wire_value *list)
{
    uint8_t seen[PARTITIONS_MAX] = {0};
    for (int32_t i = 0; i < list->a.n; i++) {
        const struct wire_value *a = &list->a.items[i];
        int64_t index = wire_int(a, "PartitionIndex");
        if (index < 0 || index >= list->a.n || seen[index]++) {
            return refuse(w, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                          "The partitions are not 0, 1, 2 and so on, each once.");
        }
        int code = check_nodes(b, w, wire_get(a, "BrokerIds"));
        if (code != KAFKA_NONE) {
            return code;
        }
    }
    return KAFKA_NONE;
}

/** The first node of an assignment leads; the other replicas are on the nodes that follow. */
static void lead(struct broker *b, struct partition *p, const struct wire_value *assignment)
{
    p->isr = 0;
    leaders_place(b, p, (uint32_t)wire_at(assignment, "BrokerIds", 0)->i - 1);
}

static void place(struct broker *b, struct topic *t, const struct wire_value *ask)
{
    for (size_t i = 0; i < wire_count(ask, "Assignments"); i++) {
        const struct wire_value *a = wire_at(ask, "Assignments", i);
        lead(b, t->parts[wire_int(a, "PartitionIndex")], a);
    }
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
    size_t given = wire_count(ask, "Assignments");
    if (code == KAFKA_NONE && given > 0) {
        code = check_assignments(b, w, wire_get(ask, "Assignments"));
    }
    return code ? code : read_configs(w, ask);
}

static int by_topic_name(const void *a, const void *b)
{
    return strcmp(props_row(*(const enum props_id *)a)->topic,
                  props_row(*(const enum props_id *)b)->topic);
}

/** All properties of a topic with these, by name. */
static void put_configs(struct call *c, struct wire_value *out, const struct props *props)
{
    enum props_id ids[PROP_COUNT];
    size_t n = 0;
    for (int id = 0; id < PROP_COUNT; id++) {
        if (props_row(id)->topic) {
            ids[n++] = id;
        }
    }
    qsort(ids, n, sizeof ids[0], by_topic_name);
    for (size_t i = 0; i < n; i++) {
        char text[VALUE_BYTES];
        struct wire_value *v = wire_add(&c->resp, out, "Configs");
        wire_set_str(&c->resp, v, "Name", props_row(ids[i])->topic);
        wire_set_str(&c->resp, v, "Value",
                     props_text(&c->b->props, props, ids[i], text, sizeof text));
        wire_set_int(v, "ConfigSource", props_source(&c->b->props, props, ids[i]));
    }
}

/** From a version on there is a code on which clients repeat. */
static int no_room(const struct call *c, int16_t quota_from)
{
    return c->version >= quota_from ? KAFKA_THROTTLING_QUOTA_EXCEEDED : KAFKA_POLICY_VIOLATION;
}

/** One topic of the request; said more than once it is refused. */
static void create_one(struct call *c, const struct wire_value *ask, bool twice)
{
    struct wanted w = {0};
    int code = twice ? refuse(&w, KAFKA_INVALID_REQUEST, "The topic is named twice.")
                     : check_topic(c->b, &w, ask);
    if (code == KAFKA_NONE && !state_room(c->b, part_cost((int32_t)w.partitions))) {
        code = refuse(&w, no_room(c, QUOTA_FROM), no_memory);
    }
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Topics");
    wire_set_str(&c->resp, v, "Name", wire_str(ask, "Name"));
    wire_set_int(v, "ErrorCode", code);
    wire_set_str(&c->resp, v, "ErrorMessage", code ? w.why : NULL);
    if (code != KAFKA_NONE) {
        return;
    }
    if (wire_int(&c->req.root, "validateOnly")) {
        uint8_t *id = arena_alloc(&c->resp.mem, TOPIC_ID_BYTES); /* one that it might get */
        part_new_id(c->b, id);
        wire_set_blob(v, "TopicId", id, TOPIC_ID_BYTES);
    } else {
        struct topic *t =
            part_create(c->b, w.name, (int32_t)w.partitions, (int)w.replication, &w.props);
        place(c->b, t, ask);
        wire_set_blob(v, "TopicId", t->id, sizeof t->id);
    }
    wire_set_int(v, "NumPartitions", w.partitions);
    wire_set_int(v, "ReplicationFactor", w.replication);
    put_configs(c, v, &w.props);
}

void api_create_topics(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct map seen = {0};
    size_t n = wire_count(req, "Topics");
    for (size_t i = 0; i < n; i++) {
        map_put_str(&seen, wire_str(wire_at(req, "Topics", i), "Name"))->u++;
    }
    for (size_t i = 0; i < n; i++) {
        const struct wire_value *ask = wire_at(req, "Topics", i);
        struct map_entry *times = map_get_str(&seen, wire_str(ask, "Name"));
        if (times->u > 0) {
            create_one(c, ask, times->u > 1);
            times->u = 0;
        }
    }
    map_free(&seen);
    call_reply(c);
}

/* ---- DeleteTopics -----------------------------------------------------------------------------
 */

static void put_deleted(struct call *c, const char *name, const uint8_t *id, int code,
                        const char *why)
{
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Responses");
    wire_set_str(&c->resp, v, "Name", name);
    wire_set_int(v, "ErrorCode", code);
    wire_set_str(&c->resp, v, "ErrorMessage", why);
    if (id) {
        void *copy = arena_alloc(&c->resp.mem, TOPIC_ID_BYTES);
        wire_set_blob(v, "TopicId", memcpy(copy, id, TOPIC_ID_BYTES), TOPIC_ID_BYTES);
    }
}

static void delete_topic(struct call *c, struct topic *t)
{
    if (t->internal) {
        put_deleted(c, t->name, t->id, KAFKA_INVALID_TOPIC_EXCEPTION,
                    "The embedded broker keeps its internal topics.");
        return;
    }
    put_deleted(c, t->name, t->id, KAFKA_NONE, NULL);
    goffsets_topic_deleted(c->b, t->name);
    part_delete(c->b, t);
}

/** A topic as the request says it: by name, or by id (then name is NULL). */
struct doomed {
    const char *name;
    const uint8_t *id; /**< NULL = by name */
};

static struct map_entry *count_doomed(struct map *seen, const struct doomed *d)
{
    return d->name ? map_put(seen, d->name, strlen(d->name), NULL)
                   : map_put(seen, d->id, TOPIC_ID_BYTES, NULL);
}

static void delete_one(struct call *c, const struct doomed *d, bool twice)
{
    struct topic *t = d->name ? part_topic(c->b, d->name) : part_topic_by_id(c->b, d->id);
    if (twice) {
        put_deleted(c, d->name, d->id, KAFKA_INVALID_REQUEST, "The topic is named twice.");
    } else if (!t) {
        put_deleted(c, d->name, d->id,
                    d->name ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_UNKNOWN_TOPIC_ID,
                    "There is no such topic.");
    } else {
        delete_topic(c, t);
    }
}

/** Deletes each topic that the list says once. */
static void delete_all(struct call *c, const struct doomed *list, size_t n)
{
    struct map names = {0}, ids = {0};
    for (size_t i = 0; i < n; i++) {
        count_doomed(list[i].name ? &names : &ids, &list[i])->u++;
    }
    for (size_t i = 0; i < n; i++) {
        struct map_entry *times = count_doomed(list[i].name ? &names : &ids, &list[i]);
        if (times->u > 0) {
            delete_one(c, &list[i], times->u > 1);
            times->u = 0;
        }
    }
    map_free(&names);
    map_free(&ids);
}

void api_delete_topics(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    size_t named = wire_count(req, "TopicNames"), n = 0, len;
    struct doomed *list = xcalloc(named + wire_count(req, "Topics") + 1, sizeof *list);
    for (size_t i = 0; i < named; i++) {
        list[n++].name = (const char *)wire_at(req, "TopicNames", i)->s.p;
    }
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *ask = wire_at(req, "Topics", i);
        const char *name = wire_str(ask, "Name");
        const uint8_t *id = wire_blob(ask, "TopicId", &len);
        if (!name == topic_id_is_none(id)) {
            put_deleted(c, name, id, KAFKA_INVALID_REQUEST,
                        name ? "Either a name or an id, not both." : "Neither a name nor an id.");
        } else {
            list[n++] = (struct doomed){name, name ? NULL : id};
        }
    }
    delete_all(c, list, n);
    free(list);
    call_reply(c);
}

/* ---- CreatePartitions -------------------------------------------------------------------------
 */

static int refuse_growth(const char **why, int code, const char *text)
{
    *why = text;
    return code;
}

/** Nodes for each new partition, as many as there are replicas. */
static int check_growth(const struct topic *t, const struct broker *b,
                        const struct wire_value *list, int64_t more, const char **why)
{
    struct wanted w = {.replication = t->replication};
    if (list->a.n != more) {
        return refuse_growth(why, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                             "There are not as many assignments as new partitions.");
    }
    for (int32_t i = 0; i < list->a.n; i++) {
        if (check_nodes(b, &w, wire_get(&list->a.items[i], "BrokerIds")) != KAFKA_NONE) {
            return refuse_growth(why, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                                 "An assignment does not name nodes, one for each replica.");
        }
    }
    return KAFKA_NONE;
}

static int grow_one(struct call *c, const struct wire_value *ask, const char **why)
{
    struct topic *t = part_topic(c->b, wire_str(ask, "Name"));
    int64_t count = wire_int(ask, "Count"), before = t ? t->nparts : 0;
    const struct wire_value *list = wire_get(ask, "Assignments");
    if (!t) {
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (count <= before || count > PARTITIONS_MAX) {
        return refuse_growth(why, KAFKA_INVALID_PARTITIONS,
                             "The number of partitions can only grow, up to the broker's limit.");
    }
    int code = list->a.n < 0 ? KAFKA_NONE : check_growth(t, c->b, list, count - before, why);
    if (code == KAFKA_NONE && !state_room(c->b, part_cost((int32_t)(count - before)))) {
        return refuse_growth(why, no_room(c, GROW_QUOTA_FROM), no_memory);
    }
    if (code == KAFKA_NONE && !wire_int(&c->req.root, "ValidateOnly")) {
        part_grow(c->b, t, (int32_t)count);
        for (int32_t i = 0; i < list->a.n; i++) {
            lead(c->b, t->parts[before + i], &list->a.items[i]);
        }
    }
    return code;
}

void api_create_partitions(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct map seen = {0};
    size_t n = wire_count(req, "Topics");
    for (size_t i = 0; i < n; i++) {
        map_put_str(&seen, wire_str(wire_at(req, "Topics", i), "Name"))->u++;
    }
    for (size_t i = 0; i < n; i++) {
        const struct wire_value *ask = wire_at(req, "Topics", i);
        struct map_entry *times = map_get_str(&seen, wire_str(ask, "Name"));
        const char *why = NULL;
        if (times->u == 0) {
            continue;
        }
        int code = times->u == 1
                       ? grow_one(c, ask, &why)
                       : refuse_growth(&why, KAFKA_INVALID_REQUEST, "The topic is named twice.");
        times->u = 0;
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Results");
        wire_set_str(&c->resp, v, "Name", wire_str(ask, "Name"));
        wire_set_int(v, "ErrorCode", code);
        wire_set_str(&c->resp, v, "ErrorMessage", why);
    }
    map_free(&seen);
    call_reply(c);
}
