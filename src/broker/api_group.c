/* SPDX-License-Identifier: Apache-2.0 */
/* JoinGroup, SyncGroup, Heartbeat and LeaveGroup. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "broker/cgroup.h"
#include "broker/group_priv.h"

enum { KNOWN_FROM = 4, SKIP_FROM = 9, BATCHED_FROM = 3, SYNC_NAMED_FROM = 5 };
/** What a request becomes in memory is not more than so many times its size. */
enum { GROWTH = 4, SMALL = 8 << 10 };

static const char *instance_of(const struct call *c)
{
    return wire_str(&c->req.root, "GroupInstanceId");
}

/* ---- JoinGroup --------------------------------------------------------------------------------
 */

/** "client-" and something that looks like a UUID. */
static char *new_member_id(struct call *c)
{
    const char *instance = instance_of(c);
    const char *prefix = instance ? instance : c->client_id ? c->client_id : "";
    uint64_t a = hash_mix(hash_str((uint64_t)state_now_ms(), prefix), ++c->b->members);
    uint64_t b = hash_mix(a, c->b->members);
    return xasprintf("%s-%08x-%04x-4%03x-8%03x-%012llx", prefix, (unsigned)(a >> 32),
                     (unsigned)(a & 0xffff), (unsigned)(a >> 20 & 0xfff), (unsigned)(b & 0xfff),
                     (unsigned long long)(b >> 16));
}

static void add_and_rebalance(struct group *g, struct call *c, char *id, bool fresh)
{
    struct group_member *m = group_add(g, c, id);
    m->fresh = fresh;
    g->grew = true;
    group_touch(m);
    group_wait_join(m, c);
    group_rebalance(g);
}

static void update(struct group_member *m, struct call *c)
{
    const struct wire_value *req = &c->req.root;
    group_set_protocols(m, req);
    m->session_ms = (int32_t)wire_int(req, "SessionTimeoutMs");
    m->rebalance_ms =
        c->version >= 1 ? (int32_t)wire_int(req, "RebalanceTimeoutMs") : m->session_ms;
}

static void rejoin_and_rebalance(struct group_member *m, struct call *c)
{
    update(m, c);
    group_wait_join(m, c);
    group_rebalance(m->group);
}

/** A static member has come back under a new id: it takes the place of its former self. */
static void replace_static(struct group *g, struct group_member *m, struct call *c, char *id)
{
    char *leader = xstrdup(g->leader ? g->leader->id : "");
    group_refuse_join(m, KAFKA_FENCED_INSTANCE_ID);
    group_refuse_sync(m, KAFKA_FENCED_INSTANCE_ID);
    free(m->id);
    m->id = id;
    m->fresh = false;
    group_touch(m); /* Kafka begins the session before it reads the new length */
    update(m, c);
    char *vote = group_vote(g);
    bool same = g->protocol && vote && strcmp(g->protocol, vote) == 0;
    free(vote);
    if (g->state == GROUP_STABLE && same) {
        group_save(g);
    }
    if (g->state == GROUP_STABLE && same && c->version >= SKIP_FROM) {
        wire_set_int(&c->resp.root, "SkipAssignment", m == g->leader);
        group_answer_join(m, c, g->leader->id, m == g->leader);
    } else if (g->state == GROUP_STABLE && same) {
        group_answer_join(m, c, leader, false);
    } else {
        group_wait_join(m, c);
        group_rebalance(g);
    }
    free(leader);
}

static void join_new(struct group *g, struct call *c)
{
    const char *instance = instance_of(c);
    struct group_member *old = group_static(g, instance);
    char *id = new_member_id(c);
    if (old) {
        replace_static(g, old, c, id);
    } else if (!instance && c->version >= KNOWN_FROM) {
        group_add_pending(g, id, (int32_t)wire_int(&c->req.root, "SessionTimeoutMs"));
        group_fail_join(c, KAFKA_MEMBER_ID_REQUIRED, id);
    } else {
        add_and_rebalance(g, c, id, true);
    }
}

/** As with Kafka, an answer at once is no sign of life: heartbeats are expected all the same. */
static void rejoin(struct group *g, struct group_member *m, struct call *c)
{
    bool same = group_same_protocols(m, &c->req.root), leads = m == g->leader;
    switch (g->state) {
    case GROUP_COMPLETING:
        if (same) { /* the answer was lost */
            group_answer_join(m, c, g->leader->id, leads);
            return;
        }
        break;
    case GROUP_STABLE:
        if (same && !leads) {
            group_answer_join(m, c, g->leader->id, false);
            return;
        }
        break;
    case GROUP_EMPTY:
        group_fail_join(c, KAFKA_UNKNOWN_MEMBER_ID, m->id);
        return;
    default:
        break;
    }
    rejoin_and_rebalance(m, c);
}

static void join_known(struct group *g, struct call *c, const char *id)
{
    const char *instance = instance_of(c);
    bool expected = group_find_pending(g, id);
    if (expected && instance) { /* no static member is told its id first: Kafka throws */
        group_fail_join(c, KAFKA_UNKNOWN_SERVER_ERROR, "");
        return;
    }
    if (expected) {
        group_remove_pending(g, id);
        add_and_rebalance(g, c, xstrdup(id), false);
        return;
    }
    int code = group_check_member(g, id, instance);
    if (code != KAFKA_NONE) {
        group_fail_join(c, code, id);
    } else {
        rejoin(g, group_member(g, id), c);
    }
}

/** Whether there is no place: while members join, they are who has come first, as Kafka counts. */
static bool is_full(const struct group *g, const struct group_member *m)
{
    size_t max = (size_t)props_get(&g->b->props, NULL, PROP_GROUP_MAX_SIZE), joining = 0;
    if (g->state != GROUP_PREPARING) {
        return g->state != GROUP_EMPTY && !m && g->members.n >= max;
    }
    for (size_t i = 0; i < g->members.n; i++) {
        joining += g->members.items[i]->joining;
    }
    return joining >= max && !(m && m->joining);
}

/** Who finds no place is no member any more, though the others are not told. */
static void turn_away(struct group *g, struct group_member *m, struct call *c)
{
    group_remove_pending(g, wire_str(&c->req.root, "MemberId"));
    if (m) {
        group_remove(g, m);
    }
    group_fail_join(c, KAFKA_GROUP_MAX_SIZE_REACHED, "");
}

/** Whether the memory limit allows what the request brings: members that are there may go on as
 * they are. */
static bool has_room(const struct call *c, const struct group *g, const char *id)
{
    bool known = g && group_member(g, id);
    return (known && c->size <= SMALL) || state_room(c->b, GROWTH * c->size + SMALL);
}

void api_join_group(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *name = wire_str(req, "GroupId"), *id = wire_str(req, "MemberId");
    int64_t session = wire_int(req, "SessionTimeoutMs");
    if (!*name) {
        group_fail_join(c, KAFKA_INVALID_GROUP_ID, id);
        return;
    }
    int code = group_here(c, name);
    if (code != KAFKA_NONE) {
        group_fail_join(c, code, id);
        return;
    }
    if (session < props_get(&c->b->props, NULL, PROP_SESSION_MIN) ||
        session > props_get(&c->b->props, NULL, PROP_SESSION_MAX)) {
        group_fail_join(c, KAFKA_INVALID_SESSION_TIMEOUT, id);
        return;
    }
    if (!has_room(c, group_find(c->b, name), id)) {
        group_fail_join(c, KAFKA_COORDINATOR_NOT_AVAILABLE, id);
        return;
    }
    struct group *g = *id ? group_find(c->b, name) : group_get(c->b, name);
    code = g ? cgroup_yield(g) : KAFKA_UNKNOWN_MEMBER_ID;
    struct group_member *m = code == KAFKA_NONE ? group_member(g, id) : NULL;
    if (code != KAFKA_NONE) {
        group_fail_join(c, code, id);
    } else if (is_full(g, m)) {
        turn_away(g, m, c);
    } else if (!group_supports(g, req)) {
        group_fail_join(c, KAFKA_INCONSISTENT_GROUP_PROTOCOL, id);
    } else if (*id) {
        join_known(g, c, id);
    } else {
        join_new(g, c);
    }
}

/* ---- SyncGroup --------------------------------------------------------------------------------
 */

static void refuse(struct call *c, int code)
{
    wire_set_int(&c->resp.root, "ErrorCode", code);
    call_reply(c);
}

static void take_assignments(struct group *g, const struct wire_value *req)
{
    for (size_t i = 0; i < g->members.n; i++) {
        group_set_assignment(g->members.items[i], NULL, 0);
    }
    for (size_t i = 0; i < wire_count(req, "Assignments"); i++) {
        const struct wire_value *a = wire_at(req, "Assignments", i);
        struct group_member *m = group_member(g, wire_str(a, "MemberId"));
        size_t len;
        const uint8_t *p = wire_blob(a, "Assignment", &len);
        if (m) {
            group_set_assignment(m, p, len);
        }
    }
}

static int check_sync(const struct call *c, const struct group *g)
{
    const struct wire_value *req = &c->req.root;
    const char *type = wire_str(req, "ProtocolType"), *name = wire_str(req, "ProtocolName");
    int code = group_check_member(g, wire_str(req, "MemberId"), instance_of(c));
    if (code == KAFKA_NONE && wire_int(req, "GenerationId") != g->generation) {
        code = KAFKA_ILLEGAL_GENERATION;
    }
    bool other = (type && g->protocol_type && strcmp(type, g->protocol_type) != 0) ||
                 (name && g->protocol && strcmp(name, g->protocol) != 0);
    return code == KAFKA_NONE && other ? KAFKA_INCONSISTENT_GROUP_PROTOCOL : code;
}

void api_sync_group(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *name = wire_str(req, "GroupId");
    if (c->version >= SYNC_NAMED_FROM &&
        (!wire_str(req, "ProtocolType") || !wire_str(req, "ProtocolName"))) {
        refuse(c, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
        return;
    }
    int code = *name ? group_here(c, name) : KAFKA_INVALID_GROUP_ID;
    if (code != KAFKA_NONE) {
        refuse(c, code);
        return;
    }
    struct group *g = group_find(c->b, name);
    code = g ? check_sync(c, g) : KAFKA_UNKNOWN_MEMBER_ID;
    if (code == KAFKA_NONE && g->state == GROUP_PREPARING) {
        code = KAFKA_REBALANCE_IN_PROGRESS;
    }
    if (code == KAFKA_NONE && g->state == GROUP_EMPTY) {
        code = KAFKA_UNKNOWN_MEMBER_ID;
    }
    if (code != KAFKA_NONE) {
        refuse(c, code);
        return;
    }
    if (!has_room(c, g, wire_str(req, "MemberId"))) {
        refuse(c, KAFKA_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    struct group_member *m = group_member(g, wire_str(req, "MemberId"));
    m->pending_sync = false;
    if (g->state == GROUP_STABLE) {
        group_answer_sync(m, c);
        return;
    }
    bool leads = m == g->leader;
    if (leads) {
        take_assignments(g, req);
    }
    group_wait_sync(m, c);
    if (leads) {
        group_assigned(g);
    }
}

/* ---- Heartbeat --------------------------------------------------------------------------------
 */

void api_heartbeat(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *name = wire_str(req, "GroupId"), *id = wire_str(req, "MemberId");
    struct group *g = group_find(c->b, name);
    int code = *name ? group_here(c, name) : KAFKA_INVALID_GROUP_ID;
    if (code == KAFKA_COORDINATOR_LOAD_IN_PROGRESS) { /* as Kafka: it will be seen later */
        refuse(c, KAFKA_NONE);
        return;
    }
    if (code == KAFKA_NONE) {
        code = g ? group_check_member(g, id, instance_of(c)) : KAFKA_UNKNOWN_MEMBER_ID;
    }
    if (code == KAFKA_NONE && wire_int(req, "GenerationId") != g->generation) {
        code = KAFKA_ILLEGAL_GENERATION;
    }
    if (code == KAFKA_NONE) {
        group_touch(group_member(g, id));
        code = g->state == GROUP_PREPARING ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
    }
    refuse(c, code);
}

/* ---- LeaveGroup -------------------------------------------------------------------------------
 */

/** Whether somebody has left. */
static bool leave_one(struct call *c, struct group *g, const struct wire_value *ask)
{
    const char *id = wire_str(ask, "MemberId"), *instance = wire_str(ask, "GroupInstanceId");
    int code = g ? group_leave(g, id, instance) : KAFKA_UNKNOWN_MEMBER_ID;
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Members");
    wire_set_str(&c->resp, v, "MemberId", id);
    wire_set_str(&c->resp, v, "GroupInstanceId", instance);
    wire_set_int(v, "ErrorCode", code);
    return code == KAFKA_NONE;
}

static int leave_alone(struct group *g, const char *id)
{
    int code = g ? group_leave(g, id, NULL) : KAFKA_UNKNOWN_MEMBER_ID;
    if (code == KAFKA_NONE) {
        group_left(g);
    }
    return code;
}

void api_leave_group(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *name = wire_str(req, "GroupId");
    int code = *name ? group_here(c, name) : KAFKA_INVALID_GROUP_ID;
    if (code != KAFKA_NONE) {
        refuse(c, code);
        return;
    }
    struct group *g = group_find(c->b, name);
    if (c->version < BATCHED_FROM) {
        refuse(c, leave_alone(g, wire_str(req, "MemberId")));
        return;
    }
    int32_t epoch = g && g->consumer ? g->consumer->epoch : 0;
    bool any = false;
    for (size_t i = 0; i < wire_count(req, "Members"); i++) {
        any |= leave_one(c, g, wire_at(req, "Members", i));
    }
    if (any) {
        group_left(g);
    }
    if (g && g->consumer && g->consumer->epoch > epoch) {
        g->consumer->epoch = epoch + 1; /* all of them at once */
    }
    call_reply(c);
}
