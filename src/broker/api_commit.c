/* SPDX-License-Identifier: Apache-2.0 */
/* OffsetCommit, TxnOffsetCommit, OffsetFetch and OffsetDelete. Hides who may commit for a group. */
#include <string.h>

#include "broker/cgroup.h"
#include "broker/goffsets.h"
#include "broker/part.h"
#include "broker/tc.h"
#include "broker/topicref.h"

enum {
    UNKNOWN_GROUP_FROM = 9,
    IDS_FROM = 10,
    FETCH_CODE_FROM = 2,
    FETCH_GROUPS_FROM = 8,
    FETCH_MEMBER_FROM = 9,
    ABORTABLE_FROM = 4,
    ADDS_FROM = 5,
    TOPICS_NULL = -1
};

/* ---- who may commit ---------------------------------------------------------------------------
 */

static int check_member(const struct call *c, const struct group *g, bool txn)
{
    const struct wire_value *req = &c->req.root;
    const char *member = wire_str(req, "MemberId"), *instance = wire_str(req, "GroupInstanceId");
    int64_t generation = wire_int(req, txn ? "GenerationId" : "GenerationIdOrMemberEpoch");
    if (g->consumer) {
        return cgroup_check_commit(g, member, instance, generation, c->version, txn);
    }
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

/** A commit that names none does not get as far as the group. */
static bool names_partition(const struct call *c, bool by_id)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        struct topicref at = topicref_read(c, t, "Name", by_id);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            if (topicref_at(&at, wire_int(wire_at(t, "Partitions", k), "PartitionIndex"))) {
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
    const struct pstate_producer *known = pstate_find(&p->producers, who.producer_id);
    if (known && who.epoch < known->epoch) {
        return KAFKA_INVALID_PRODUCER_EPOCH;
    }
    if (pstate_in_txn(&p->producers, who.producer_id, who.epoch) ||
        !props_get(&c->b->props, NULL, PROP_TXN_VERIFY)) {
        return KAFKA_NONE;
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
    code = txn ? admit(c) : KAFKA_NONE;
    if (code != KAFKA_NONE) {
        return code;
    }
    *g = group_find(c->b, name);
    if (!*g && generation >= 0) {
        return !txn && c->version >= UNKNOWN_GROUP_FROM ? KAFKA_GROUP_ID_NOT_FOUND
                                                        : KAFKA_ILLEGAL_GENERATION;
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
    if (g->consumer) {
        int64_t epoch = wire_int(req, txn ? "GenerationId" : "GenerationIdOrMemberEpoch");
        const struct partition *p = part_find(c->b, topic, o.partition);
        int code = cgroup_check_partition(g, wire_str(req, "MemberId"), epoch, p);
        if (code != KAFKA_NONE) {
            return txn ? KAFKA_ILLEGAL_GENERATION : code;
        }
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
    bool by_id = !txn && c->version >= IDS_FROM;
    struct group *g = NULL;
    int refused = names_partition(c, by_id) ? find_group(c, txn, &g) : KAFKA_NONE;
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        struct wire_value *topic = wire_add(&c->resp, &c->resp.root, "Topics");
        struct topicref at = topicref_read(c, t, "Name", by_id);
        topicref_put(c, topic, "Name", &at);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            const struct wire_value *ask = wire_at(t, "Partitions", k);
            int32_t index = (int32_t)wire_int(ask, "PartitionIndex");
            int code = !topicref_at(&at, index) ? topicref_missing(&at)
                       : refused                ? refused
                                                : commit_one(c, g, at.name, ask, txn);
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

/** What is asked of one group. Its fields have the same names in the request itself, which asks
 *  of one group only, and in the elements of newer ones; likewise in the answers. */
struct ask {
    struct call *c;
    const struct wire_value *req;
    struct wire_value *out;
    const struct group *g; /**< NULL = there is none */
    bool by_id;
};

/** The answer's element of a topic that the group has an offset of; NULL = a topic that is gone. */
static struct wire_value *topic_of(const struct ask *a, const char *name)
{
    const struct topic *t = part_topic(a->c->b, name);
    for (size_t i = 0; i < wire_count(a->out, "Topics"); i++) {
        const struct wire_value *v = wire_at(a->out, "Topics", i);
        size_t len;
        bool same = a->by_id ? t && memcmp(wire_blob(v, "TopicId", &len), t->id, sizeof t->id) == 0
                             : strcmp(wire_str(v, "Name"), name) == 0;
        if (same) {
            return (struct wire_value *)v;
        }
    }
    if (a->by_id && !t) {
        return NULL;
    }
    struct topicref at = {.name = name, .id = a->by_id ? t->id : NULL};
    struct wire_value *v = wire_add(&a->c->resp, a->out, "Topics");
    topicref_put(a->c, v, "Name", &at);
    return v;
}

static void put_kept(const struct ask *a, const struct group_offset *o)
{
    struct wire_value *topic = topic_of(a, o->topic);
    if (topic) {
        put_offset(a->c, topic, a->g, o->topic, o->partition);
    }
}

/** All that is committed; what only a transaction holds so far is not. */
static void put_all(const struct ask *a)
{
    for (size_t i = 0; a->g && i < a->g->committed.n && !a->c->resp.over; i++) {
        put_kept(a, &a->g->committed.items[i]);
    }
}

static void put_refused(struct call *c, struct wire_value *topic, int32_t partition, int code)
{
    struct wire_value *v = wire_add(&c->resp, topic, "Partitions");
    wire_set_int(v, "PartitionIndex", partition);
    wire_set_int(v, "CommittedOffset", -1);
    wire_set_int(v, "ErrorCode", code);
}

/** The topics of the request; refused: Kafka's code for all, or KAFKA_NONE. */
static void put_asked(const struct ask *a, int refused)
{
    struct call *c = a->c;
    for (size_t i = 0; i < wire_count(a->req, "Topics") && !c->resp.over; i++) {
        const struct wire_value *t = wire_at(a->req, "Topics", i);
        struct topicref at = topicref_read(c, t, "Name", a->by_id);
        struct wire_value *topic = wire_add(&c->resp, a->out, "Topics");
        int code = a->by_id && !at.topic ? KAFKA_UNKNOWN_TOPIC_ID : refused;
        topicref_put(c, topic, "Name", &at);
        for (size_t k = 0; k < wire_count(t, "PartitionIndexes"); k++) {
            int32_t index = (int32_t)wire_at(t, "PartitionIndexes", k)->i;
            if (code != KAFKA_NONE) {
                put_refused(c, topic, index, code);
            } else {
                put_offset(c, topic, a->g, at.name, index);
            }
        }
    }
}

static void fetch_group(struct ask *a)
{
    const char *name = wire_str(a->req, "GroupId");
    int code = group_readable(a->c, name);
    a->g = group_find(a->c->b, name);
    if (code == KAFKA_NONE && a->g && a->g->consumer && a->c->version >= FETCH_MEMBER_FROM) {
        code =
            cgroup_check_fetch(a->g, wire_str(a->req, "MemberId"), wire_int(a->req, "MemberEpoch"));
    }
    if (code != KAFKA_NONE && a->c->version >= FETCH_CODE_FROM) {
        wire_set_int(a->out, "ErrorCode", code);
    } else if (code == KAFKA_NONE && wire_get(a->req, "Topics")->a.n == TOPICS_NULL) {
        put_all(a);
    } else {
        put_asked(a, code);
    }
}

void api_offset_fetch(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct ask a = {.c = c, .req = req, .out = &c->resp.root, .by_id = c->version >= IDS_FROM};
    if (c->version < FETCH_GROUPS_FROM) {
        fetch_group(&a);
    }
    for (size_t i = 0; i < wire_count(req, "Groups") && !c->resp.over; i++) {
        a.req = wire_at(req, "Groups", i);
        a.out = wire_add(&c->resp, &c->resp.root, "Groups");
        wire_set_str(&c->resp, a.out, "GroupId", wire_str(a.req, "GroupId"));
        fetch_group(&a);
    }
    call_reply(c);
}

/* ---- OffsetDelete -----------------------------------------------------------------------------
 */

static void delete_one(struct call *c, struct group *g, struct wire_value *topic, const char *name,
                       int32_t partition)
{
    struct wire_value *v = wire_add(&c->resp, topic, "Partitions");
    bool used = g->consumer ? cgroup_subscribed(g, name) : group_subscribes(g, name);
    int code = !part_find(c->b, name, partition) ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
               : used                            ? KAFKA_GROUP_SUBSCRIBED_TO_TOPIC
                                                 : KAFKA_NONE;
    wire_set_int(v, "PartitionIndex", partition);
    wire_set_int(v, "ErrorCode", code);
    if (code == KAFKA_NONE) {
        goffsets_delete(g, name, partition);
    }
}

static int check_deletion(const struct call *c, const char *name, const struct group *g)
{
    int code = group_here(c, name);
    if (code != KAFKA_NONE) {
        return code;
    }
    if (!g) {
        return KAFKA_GROUP_ID_NOT_FOUND;
    }
    bool foreign = !group_is_empty(g) && !g->consumer && !group_is_consumers(g);
    return foreign ? KAFKA_NON_EMPTY_GROUP : KAFKA_NONE;
}

void api_offset_delete(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *name = wire_str(req, "GroupId");
    struct group *g = group_find(c->b, name);
    int code = check_deletion(c, name, g);
    wire_set_int(&c->resp.root, "ErrorCode", code);
    for (size_t i = 0; code == KAFKA_NONE && i < wire_count(req, "Topics") && !c->resp.over; i++) {
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
