/* SPDX-License-Identifier: Apache-2.0 */
/* ConsumerGroupHeartbeat and ConsumerGroupDescribe: from requests to cgroup.h and back. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "broker/cgroup.h"
#include "broker/part.h"

enum { OWN_ID_FROM = 1, MEMBER_CONSUMER = 1 };
/** What a request becomes in memory is not more than so many times its size: a pattern is much. */
enum { GROWTH = 64, SMALL = 8 << 10 };

/* ---- ConsumerGroupHeartbeat -------------------------------------------------------------------
 */

static void refuse(struct call *c, int code, const char *why)
{
    wire_set_null(&c->resp.root, "Assignment");
    wire_set_int(&c->resp.root, "ErrorCode", code);
    wire_set_str(&c->resp, &c->resp.root, "ErrorMessage", why);
    call_reply(c);
}

static bool is_blank(const char *s)
{
    while (s && isspace((unsigned char)*s)) {
        s++;
    }
    return s && !*s;
}

/** The reason why a first heartbeat is none, or NULL. */
static const char *bad_join(const struct wire_value *req)
{
    if (wire_int(req, "RebalanceTimeoutMs") == -1) {
        return "a member that joins must say RebalanceTimeoutMs";
    }
    if (wire_get(req, "TopicPartitions")->a.n != 0) {
        return "a member that joins must say that it has no TopicPartitions";
    }
    if (wire_get(req, "SubscribedTopicNames")->a.n < 0 && !wire_str(req, "SubscribedTopicRegex")) {
        return "a member that joins must say SubscribedTopicNames or SubscribedTopicRegex";
    }
    return NULL;
}

static const char *bad_request(const struct call *c)
{
    const struct wire_value *req = &c->req.root;
    int64_t epoch = wire_int(req, "MemberEpoch");
    bool has_id = c->version >= OWN_ID_FROM || epoch > 0 || epoch == CGROUP_LEAVE;
    if (has_id && is_blank(wire_str(req, "MemberId"))) {
        return "MemberId is empty";
    }
    if (is_blank(wire_str(req, "GroupId"))) {
        return "GroupId is empty";
    }
    if (is_blank(wire_str(req, "InstanceId"))) {
        return "InstanceId is empty";
    }
    if (is_blank(wire_str(req, "RackId"))) {
        return "RackId is empty";
    }
    if (epoch == 0) {
        return bad_join(req);
    }
    if (epoch == CGROUP_LEAVE_STATIC && !wire_str(req, "InstanceId")) {
        return "only a member with an InstanceId leaves for a time";
    }
    return epoch < CGROUP_LEAVE_STATIC ? "MemberEpoch is none" : NULL;
}

/** Whether the memory limit allows what the request brings: members that are there may go on as
 *  they are. */
static bool has_room(const struct call *c)
{
    bool small = wire_int(&c->req.root, "MemberEpoch") != 0 && c->size <= SMALL;
    return small || state_room(c->b, GROWTH * c->size + SMALL);
}

/** Whether it may go on; refused otherwise. */
static bool check(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *why = bad_request(c), *assignor = wire_str(req, "ServerAssignor");
    if (why) {
        refuse(c, KAFKA_INVALID_REQUEST, why);
    } else if (assignor && !cgroup_is_assignor(assignor)) {
        refuse(c, KAFKA_UNSUPPORTED_ASSIGNOR, "the assignors are uniform and range");
    } else {
        int code = group_here(c, wire_str(req, "GroupId"));
        if (code == KAFKA_NONE && !has_room(c)) {
            code = KAFKA_COORDINATOR_NOT_AVAILABLE;
        }
        if (code == KAFKA_NONE) {
            return true;
        }
        refuse(c, code, NULL);
    }
    return false;
}

/** Something that looks like a UUID of Kafka: 22 letters, digits, - and _. */
static void make_id(struct call *c, char out[static 23])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint64_t h = hash_mix((uint64_t)state_now_ms(), ++c->b->members);
    for (size_t i = 0; i < 22; i++) {
        h = hash_mix(h, i);
        out[i] = digits[h % 64];
    }
    out[22] = '\0';
}

static void read_owned(const struct wire_value *list, struct cparts *owned)
{
    for (int32_t i = 0; i < list->a.n; i++) {
        const struct wire_value *t = &list->a.items[i];
        size_t len;
        const uint8_t *id = wire_blob(t, "TopicId", &len);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            cparts_add(owned, id, (int32_t)wire_at(t, "Partitions", k)->i, 0);
        }
    }
    cparts_sort(owned);
}

static void put_assignment(struct call *c, const struct cparts *parts)
{
    struct wire_value *topic = NULL, *to = wire_member(&c->resp.root, "Assignment");
    for (size_t i = 0; i < parts->n; i++) {
        const struct cpart *p = &parts->items[i];
        if (i == 0 || memcmp(p->topic, p[-1].topic, sizeof p->topic) != 0) {
            topic = wire_add(&c->resp, to, "TopicPartitions");
            wire_set_blob(topic, "TopicId", p->topic, sizeof p->topic);
        }
        wire_add_int(&c->resp, topic, "Partitions", p->index);
    }
}

static void answer(struct call *c, const struct cgroup_told *told)
{
    struct wire_value *resp = &c->resp.root;
    wire_set_str(&c->resp, resp, "MemberId", told->member->id);
    wire_set_int(resp, "MemberEpoch", told->member->epoch);
    wire_set_int(resp, "HeartbeatIntervalMs", cgroup_interval_ms(told->member->group->base));
    if (told->changed) {
        put_assignment(c, &told->member->assigned);
    } else {
        wire_set_null(resp, "Assignment");
    }
    call_reply(c);
}

static void answer_leave(struct call *c, const struct cgroup_ask *ask)
{
    const char *why = NULL;
    int code = cgroup_leave(c->b, wire_str(&c->req.root, "GroupId"), ask, &why);
    if (code != KAFKA_NONE) {
        refuse(c, code, why);
        return;
    }
    wire_set_str(&c->resp, &c->resp.root, "MemberId", ask->member);
    wire_set_int(&c->resp.root, "MemberEpoch", ask->epoch);
    wire_set_null(&c->resp.root, "Assignment");
    call_reply(c);
}

void api_consumer_heartbeat(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    if (!check(c)) {
        return;
    }
    const struct wire_value *topics = wire_get(req, "SubscribedTopicNames");
    const struct wire_value *has = wire_get(req, "TopicPartitions");
    const char *peer = call_peer(c), *colon = strrchr(peer, ':'), *id = wire_str(req, "MemberId");
    char *host = xasprintf("/%.*s", (int)(colon ? colon - peer : 0), peer);
    char made[23];
    if (!*id) {
        make_id(c, made);
        id = made;
    }
    struct cparts owned = {0};
    read_owned(has, &owned);
    struct cgroup_ask ask = {.member = id,
                             .instance = wire_str(req, "InstanceId"),
                             .rack = wire_str(req, "RackId"),
                             .assignor = wire_str(req, "ServerAssignor"),
                             .regex = wire_str(req, "SubscribedTopicRegex"),
                             .client_id = c->client_id ? c->client_id : "",
                             .host = host,
                             .topics = topics->a.n < 0 ? NULL : topics,
                             .owned = has->a.n < 0 ? NULL : &owned,
                             .epoch = (int32_t)wire_int(req, "MemberEpoch"),
                             .rebalance_ms = (int32_t)wire_int(req, "RebalanceTimeoutMs")};
    if (ask.epoch < 0) {
        answer_leave(c, &ask);
    } else {
        struct cgroup_told told = {0};
        int code = cgroup_beat(c->b, wire_str(req, "GroupId"), &ask, &told);
        if (code == KAFKA_NONE) {
            answer(c, &told);
        } else {
            refuse(c, code, told.why);
        }
    }
    cparts_free(&owned);
    free(host);
}

/* ---- ConsumerGroupDescribe --------------------------------------------------------------------
 */

static void put_parts(struct call *c, struct wire_value *member, const char *name,
                      const struct cparts *parts)
{
    struct wire_value *topic = NULL, *to = wire_member(member, name);
    for (size_t i = 0; i < parts->n; i++) {
        const struct cpart *p = &parts->items[i];
        const struct topic *t = part_topic_by_id(c->b, p->topic);
        if (!t) {
            continue; /* deleted meanwhile */
        }
        if (!topic || memcmp(p->topic, p[-1].topic, sizeof p->topic) != 0) {
            topic = wire_add(&c->resp, to, "TopicPartitions");
            wire_set_blob(topic, "TopicId", t->id, sizeof t->id);
            wire_set_str(&c->resp, topic, "TopicName", t->name);
        }
        wire_add_int(&c->resp, topic, "Partitions", p->index);
    }
}

/** What the member may have: also what it has yet to give up. */
static void put_held(struct call *c, struct wire_value *member, const struct cmember *m)
{
    struct cparts held = {0};
    static const struct cparts none;
    cparts_take(&held, &m->assigned, &none, false);
    cparts_take(&held, &m->revoking, &none, false);
    cparts_sort(&held);
    put_parts(c, member, "Assignment", &held);
    cparts_free(&held);
}

static void put_member(struct call *c, struct wire_value *group, const struct cmember *m)
{
    struct wire_value *v = wire_add(&c->resp, group, "Members");
    wire_set_str(&c->resp, v, "MemberId", m->id);
    wire_set_str(&c->resp, v, "InstanceId", m->instance);
    wire_set_str(&c->resp, v, "RackId", m->rack);
    wire_set_int(v, "MemberEpoch", m->epoch);
    wire_set_str(&c->resp, v, "ClientId", m->client_id);
    wire_set_str(&c->resp, v, "ClientHost", m->host);
    for (size_t i = 0; i < m->topics.n; i++) {
        wire_add_str(&c->resp, v, "SubscribedTopicNames", m->topics.items[i]);
    }
    wire_set_str(&c->resp, v, "SubscribedTopicRegex", m->regex ? m->regex : "");
    put_held(c, v, m);
    put_parts(c, v, "TargetAssignment", &m->target);
    wire_set_int(v, "MemberType", MEMBER_CONSUMER);
}

static void describe(struct call *c, const char *name)
{
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Groups");
    const struct group *g = group_find(c->b, name);
    int code = *name ? group_readable(c, name) : KAFKA_INVALID_GROUP_ID;
    if (code == KAFKA_NONE && (!g || !g->consumer)) {
        code = KAFKA_GROUP_ID_NOT_FOUND;
    }
    wire_set_str(&c->resp, v, "GroupId", name);
    if (code != KAFKA_NONE) {
        wire_set_int(v, "ErrorCode", code);
        return;
    }
    if (wire_int(&c->req.root, "IncludeAuthorizedOperations")) {
        wire_set_int(v, "AuthorizedOperations", CALL_MAY_GROUP);
    }
    wire_set_str(&c->resp, v, "GroupState", cgroup_state_name(g->consumer));
    wire_set_int(v, "GroupEpoch", g->consumer->epoch);
    wire_set_int(v, "AssignmentEpoch", g->consumer->assignment_epoch);
    wire_set_str(&c->resp, v, "AssignorName", cgroup_assignor(g->consumer, NULL));
    for (size_t i = 0; i < g->consumer->members.n; i++) {
        put_member(c, v, g->consumer->members.items[i]);
    }
}

void api_consumer_describe(struct call *c)
{
    for (size_t i = 0; i < wire_count(&c->req.root, "GroupIds"); i++) {
        describe(c, (const char *)wire_at(&c->req.root, "GroupIds", i)->s.p);
    }
    call_reply(c);
}
