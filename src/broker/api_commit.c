/* SPDX-License-Identifier: Apache-2.0 */
/* OffsetCommit, TxnOffsetCommit, OffsetFetch and OffsetDelete. Hides who may commit for a group. */
#include <string.h>

#include "broker/goffsets.h"
#include "broker/part.h"
#include "broker/tc.h"

enum { WHOLE_FROM = 2, ABORTABLE_FROM = 4, ADDS_FROM = 5, TOPICS_NULL = -1 };

/* ---- who may commit ---------------------------------------------------------------------------
 */

static int check_member(const struct call *c, const struct group *g, bool txn)
{
    const struct wire_value *req = &c->req.root;
    const char *member = wire_str(req, "MemberId"), *instance = wire_str(req, "GroupInstanceId");
    int64_t generation = wire_int(req, txn ? "GenerationId" : "GenerationIdOrMemberEpoch");
    if (generation < 0 && g->state == GROUP_EMPTY) {
        return KAFKA_NONE; /* an admin, or a consumer that manages no group */
    }
    if (generation >= 0 || *member || instance) {
        int code = group_check_member(g, member, instance);
        if (code != KAFKA_NONE) {
            return code;
        }
        if (generation != g->generation) {
            return KAFKA_ILLEGAL_GENERATION;
        }
    } else if (!txn && g->state != GROUP_EMPTY) {
        return KAFKA_UNKNOWN_MEMBER_ID;
    }
    return !txn && g->state == GROUP_COMPLETING ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

static bool names_partition(const struct call *c)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            int32_t index = (int32_t)wire_int(wire_at(t, "Partitions", k), "PartitionIndex");
            if (part_find(c->b, wire_str(t, "Name"), index)) {
                return true;
            }
        }
    }
    return false;
}

/** Whether the transaction has, or now gets, the partition where the group's offsets are. */
static int admit(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct tc_owner who = {wire_str(req, "TransactionalId"), wire_int(req, "ProducerId"),
                           (int16_t)wire_int(req, "ProducerEpoch")};
    struct partition *p = group_home(c->b, wire_str(req, "GroupId"));
    if (pstate_in_txn(&p->producers, who.producer_id, who.epoch) ||
        !props_get(&c->b->props, NULL, PROP_TXN_VERIFY)) {
        return KAFKA_NONE;
    }
    const struct pstate_producer *known = pstate_find(&p->producers, who.producer_id);
    if (known && who.epoch < known->epoch) {
        return KAFKA_INVALID_PRODUCER_EPOCH;
    }
    return tc_admit(c->b, &who,
                    c->version >= ADDS_FROM        ? TC_ADDS
                    : c->version >= ABORTABLE_FROM ? TC_ABORTABLE
                                                   : TC_VERIFIES,
                    p);
}

/** The group that the request commits for, made when it is a simple one. @return Kafka's code. */
static int find_group(struct call *c, bool txn, struct group **g)
{
    const struct wire_value *req = &c->req.root;
    const char *name = wire_str(req, "GroupId");
    int64_t generation = wire_int(req, txn ? "GenerationId" : "GenerationIdOrMemberEpoch");
    int code = group_here(c, name);
    if (code != KAFKA_NONE) {
        return code;
    }
    code = txn && names_partition(c) ? admit(c) : KAFKA_NONE;
    if (code != KAFKA_NONE) {
        return code;
    }
    *g = group_find(c->b, name);
    if (!*g && generation >= 0) {
        return KAFKA_ILLEGAL_GENERATION;
    }
    if (!*g && !state_room(c->b, c->size)) {
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    if (!*g) {
        *g = group_get(c->b, name);
    }
    code = check_member(c, *g, txn);
    struct group_member *m = group_member(*g, wire_str(req, "MemberId"));
    if (code == KAFKA_NONE && m && !txn) {
        group_touch(m);
    }
    return code;
}

static int commit_one(struct call *c, struct group *g, const char *topic,
                      const struct wire_value *ask, bool txn)
{
    const struct wire_value *req = &c->req.root;
    struct group_offset o = {.topic = (char *)topic,
                             .partition = (int32_t)wire_int(ask, "PartitionIndex"),
                             .offset = wire_int(ask, "CommittedOffset"),
                             .leader_epoch = (int32_t)wire_int(ask, "CommittedLeaderEpoch"),
                             .metadata = (char *)wire_str(ask, "CommittedMetadata")};
    size_t max = (size_t)props_get(&c->b->props, NULL, PROP_OFFSET_METADATA_MAX);
    if (o.metadata && strlen(o.metadata) > max) {
        return KAFKA_OFFSET_METADATA_TOO_LARGE;
    }
    if (!txn) {
        return goffsets_commit(g, &o, -1, -1);
    }
    return goffsets_commit(g, &o, wire_int(req, "ProducerId"),
                           (int16_t)wire_int(req, "ProducerEpoch"));
}

static void commit(struct call *c, bool txn)
{
    const struct wire_value *req = &c->req.root;
    struct group *g = NULL;
    int refused = find_group(c, txn, &g);
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        struct wire_value *topic = wire_add(&c->resp, &c->resp.root, "Topics");
        const char *name = wire_str(t, "Name");
        wire_set_str(&c->resp, topic, "Name", name);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            const struct wire_value *ask = wire_at(t, "Partitions", k);
            int32_t index = (int32_t)wire_int(ask, "PartitionIndex");
            int code = !part_find(c->b, name, index) ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                       : refused                     ? refused
                                                     : commit_one(c, g, name, ask, txn);
            struct wire_value *v = wire_add(&c->resp, topic, "Partitions");
            wire_set_int(v, "PartitionIndex", index);
            wire_set_int(v, "ErrorCode", code);
        }
    }
    call_reply(c);
}

void api_offset_commit(struct call *c)
{
    commit(c, false);
}

void api_txn_offset_commit(struct call *c)
{
    commit(c, true);
}

/* ---- OffsetFetch ------------------------------------------------------------------------------
 */

static void put_offset(struct call *c, struct wire_value *topic, const struct group *g,
                       const char *name, int32_t partition)
{
    struct wire_value *v = wire_add(&c->resp, topic, "Partitions");
    const struct group_offset *o = g ? goffsets_find(&g->committed, name, partition) : NULL;
    bool held = g && goffsets_find(&g->held, name, partition);
    bool unstable = held && wire_int(&c->req.root, "RequireStable");
    wire_set_int(v, "PartitionIndex", partition);
    wire_set_int(v, "CommittedOffset", o && !unstable ? o->offset : -1);
    wire_set_int(v, "CommittedLeaderEpoch", o && !unstable ? o->leader_epoch : -1);
    wire_set_str(&c->resp, v, "Metadata", o && !unstable ? o->metadata : "");
    wire_set_int(v, "ErrorCode", unstable ? KAFKA_UNSTABLE_OFFSET_COMMIT : KAFKA_NONE);
}

static struct wire_value *topic_of(struct call *c, const char *name)
{
    struct wire_value *root = &c->resp.root;
    for (size_t i = 0; i < wire_count(root, "Topics"); i++) {
        const struct wire_value *t = wire_at(root, "Topics", i);
        if (strcmp(wire_str(t, "Name"), name) == 0) {
            return (struct wire_value *)t;
        }
    }
    struct wire_value *t = wire_add(&c->resp, root, "Topics");
    wire_set_str(&c->resp, t, "Name", name);
    return t;
}

/** All that the group has, what only a transaction holds so far included. */
static void put_all(struct call *c, const struct group *g)
{
    for (size_t i = 0; i < g->committed.n; i++) {
        const struct group_offset *o = &g->committed.items[i];
        put_offset(c, topic_of(c, o->topic), g, o->topic, o->partition);
    }
    for (size_t i = 0; wire_int(&c->req.root, "RequireStable") && i < g->held.n; i++) {
        const struct group_offset *o = &g->held.items[i];
        bool first = goffsets_find(&g->held, o->topic, o->partition) == o;
        if (first && !goffsets_find(&g->committed, o->topic, o->partition)) {
            put_offset(c, topic_of(c, o->topic), g, o->topic, o->partition);
        }
    }
}

/** The oldest version has no error for the whole: each partition gets it. */
static void refuse_fetch(struct call *c, int code)
{
    const struct wire_value *req = &c->req.root;
    wire_set_int(&c->resp.root, "ErrorCode", code);
    for (size_t i = 0; c->version < WHOLE_FROM && i < wire_count(req, "Topics"); i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        struct wire_value *topic = topic_of(c, wire_str(t, "Name"));
        for (size_t k = 0; k < wire_count(t, "PartitionIndexes"); k++) {
            struct wire_value *v = wire_add(&c->resp, topic, "Partitions");
            wire_set_int(v, "PartitionIndex", wire_at(t, "PartitionIndexes", k)->i);
            wire_set_int(v, "CommittedOffset", -1);
            wire_set_str(&c->resp, v, "Metadata", "");
            wire_set_int(v, "ErrorCode", code);
        }
    }
    call_reply(c);
}

void api_offset_fetch(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *name = wire_str(req, "GroupId");
    const struct group *g = group_find(c->b, name);
    int code = group_readable(c, name);
    if (code != KAFKA_NONE) {
        refuse_fetch(c, code);
        return;
    }
    if (wire_get(req, "Topics")->a.n == TOPICS_NULL && g) {
        put_all(c, g);
    }
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        struct wire_value *topic = wire_add(&c->resp, &c->resp.root, "Topics");
        wire_set_str(&c->resp, topic, "Name", wire_str(t, "Name"));
        for (size_t k = 0; k < wire_count(t, "PartitionIndexes"); k++) {
            put_offset(c, topic, g, wire_str(t, "Name"),
                       (int32_t)wire_at(t, "PartitionIndexes", k)->i);
        }
    }
    call_reply(c);
}

/* ---- OffsetDelete -----------------------------------------------------------------------------
 */

static void delete_one(struct call *c, struct group *g, struct wire_value *topic, const char *name,
                       int32_t partition)
{
    struct wire_value *v = wire_add(&c->resp, topic, "Partitions");
    bool used = g->members.n > 0; /* whether a member subscribes is the members' business */
    wire_set_int(v, "PartitionIndex", partition);
    wire_set_int(v, "ErrorCode", used ? KAFKA_GROUP_SUBSCRIBED_TO_TOPIC : KAFKA_NONE);
    if (!used) {
        goffsets_delete(g, name, partition);
    }
}

void api_offset_delete(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *name = wire_str(req, "GroupId");
    struct group *g = group_find(c->b, name);
    int code = group_here(c, name);
    if (code == KAFKA_NONE && !g) {
        code = KAFKA_GROUP_ID_NOT_FOUND;
    }
    wire_set_int(&c->resp.root, "ErrorCode", code);
    for (size_t i = 0; code == KAFKA_NONE && i < wire_count(req, "Topics"); i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        struct wire_value *topic = wire_add(&c->resp, &c->resp.root, "Topics");
        wire_set_str(&c->resp, topic, "Name", wire_str(t, "Name"));
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            delete_one(c, g, topic, wire_str(t, "Name"),
                       (int32_t)wire_int(wire_at(t, "Partitions", k), "PartitionIndex"));
        }
    }
    call_reply(c);
}
