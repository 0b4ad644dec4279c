/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how a group comes to a new generation: everybody's join is waited for, bounded; then all
 * are answered at once; then everybody's sync waits for the leader's assignment. Loop thread only.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/cgroup.h"
#include "broker/group_priv.h"

enum { PROTOCOL_NULL_FROM = 7 };

static void complete_join(struct group *g);

/* ---- answers ----------------------------------------------------------------------------------
 */

void group_fail_join(struct call *c, int code, const char *member_id)
{
    struct wire_value *v = &c->resp.root;
    wire_set_int(v, "ErrorCode", code);
    wire_set_int(v, "GenerationId", -1);
    wire_set_str(&c->resp, v, "MemberId", member_id);
    if (c->version >= PROTOCOL_NULL_FROM) {
        wire_set_null(v, "ProtocolName");
    }
    call_reply(c);
}

void group_answer_join(struct group_member *m, struct call *c, const char *leader, bool members)
{
    const struct group *g = m->group;
    struct wire_value *v = &c->resp.root;
    wire_set_int(v, "GenerationId", g->generation);
    wire_set_str(&c->resp, v, "ProtocolType", g->protocol_type);
    wire_set_str(&c->resp, v, "ProtocolName", g->protocol);
    wire_set_str(&c->resp, v, "Leader", leader);
    wire_set_str(&c->resp, v, "MemberId", m->id);
    for (size_t i = 0; members && i < g->members.n; i++) {
        const struct group_member *x = g->members.items[i];
        struct wire_value *out = wire_add(&c->resp, v, "Members");
        size_t len;
        const uint8_t *data = group_metadata(x, &len);
        wire_set_str(&c->resp, out, "MemberId", x->id);
        wire_set_str(&c->resp, out, "GroupInstanceId", x->instance);
        wire_set_blob(out, "Metadata", data ? data : (const uint8_t *)"", len);
    }
    call_reply(c);
}

void group_answer_sync(struct group_member *m, struct call *c)
{
    const struct group *g = m->group;
    struct wire_value *v = &c->resp.root;
    wire_set_str(&c->resp, v, "ProtocolType", g->protocol_type);
    wire_set_str(&c->resp, v, "ProtocolName", g->protocol);
    wire_set_blob(v, "Assignment", m->assignment ? m->assignment : (const uint8_t *)"",
                  m->assignment_len);
    call_reply(c);
}

static struct call *take_join(struct group_member *m)
{
    struct call *c = m->join_call;
    m->join_call = NULL;
    m->joining = false;
    if (c) {
        c->cancel = NULL;
    }
    return c;
}

static struct call *take_sync(struct group_member *m)
{
    struct call *c = m->sync_call;
    m->sync_call = NULL;
    m->syncing = false;
    if (c) {
        c->cancel = NULL;
    }
    return c;
}

void group_refuse_join(struct group_member *m, int code)
{
    struct call *c = take_join(m);
    if (c) {
        group_fail_join(c, code, m->id);
    }
}

void group_refuse_sync(struct group_member *m, int code)
{
    struct call *c = take_sync(m);
    if (c) {
        wire_set_int(&c->resp.root, "ErrorCode", code);
        call_reply(c);
    }
}

/** The connection has ended; the member is still waited for. */
static void nobody_listens(struct call *c)
{
    struct group_member *m = c->owner;
    if (m->join_call == c) {
        m->join_call = NULL;
    }
    if (m->sync_call == c) {
        m->sync_call = NULL;
    }
    call_done(c);
}

/** As Kafka, which forgets the request: the connection gets neither this answer nor a later one. */
static void leave_unanswered(struct call *c)
{
    c->owner = NULL;
    c->cancel = call_done;
}

static void park(struct group_member *m, struct call *c, struct call **place)
{
    if (*place) { /* asked again on another connection */
        leave_unanswered(*place);
    }
    *place = c;
    c->owner = m;
    c->cancel = nobody_listens;
}

void group_wait_join(struct group_member *m, struct call *c)
{
    m->joining = true;
    park(m, c, &m->join_call);
}

void group_wait_sync(struct group_member *m, struct call *c)
{
    m->syncing = true;
    park(m, c, &m->sync_call);
}

/* ---- the join phase ---------------------------------------------------------------------------
 */

static uint64_t rebalance_ms(const struct group *g)
{
    int32_t max = 0;
    for (size_t i = 0; i < g->members.n; i++) {
        int32_t ms = g->members.items[i]->rebalance_ms;
        max = ms > max ? ms : max;
    }
    return (uint64_t)max;
}

static void join_over(void *arg)
{
    struct group *g = arg;
    g->join_timer = NULL;
    uint64_t now = state_mono_ms();
    if (group_is_frozen(g)) {
        g->join_timer = timer_start(g->b->loop, GROUP_FROZEN_MS, 0, join_over, g);
        return;
    }
    if (g->initial && g->grew && now < g->initial_end) {
        uint64_t delay = (uint64_t)props_get(&g->b->props, NULL, PROP_REBALANCE_DELAY);
        uint64_t left = g->initial_end - now;
        g->grew = false;
        g->join_timer = timer_start(g->b->loop, delay < left ? delay : left, 0, join_over, g);
        return;
    }
    g->initial = false;
    complete_join(g);
}

/** The assignments of a generation that nobody will see complete are dropped. */
static void refuse_syncs(struct group *g)
{
    for (size_t i = 0; i < g->members.n; i++) {
        struct group_member *m = g->members.items[i];
        bool waited = m->syncing;
        group_set_assignment(m, NULL, 0);
        group_refuse_sync(m, KAFKA_REBALANCE_IN_PROGRESS);
        if (waited) {
            group_touch(m);
        }
    }
}

static bool all_joined(const struct group *g)
{
    for (size_t i = 0; i < g->members.n; i++) {
        if (!g->members.items[i]->joining) {
            return false;
        }
    }
    return g->pending.n == 0;
}

void group_try_complete(struct group *g)
{
    if (g->state == GROUP_PREPARING && all_joined(g)) {
        complete_join(g);
    }
}

/** The first rebalance has its delay, though all have joined. */
static void try_complete(struct group *g)
{
    if (!g->initial) {
        group_try_complete(g);
    }
}

static void begin_first(struct group *g)
{
    uint64_t delay = (uint64_t)props_get(&g->b->props, NULL, PROP_REBALANCE_DELAY);
    uint64_t limit = rebalance_ms(g);
    g->initial = true;
    g->grew = false;
    g->initial_end = state_mono_ms() + limit;
    g->join_timer = timer_start(g->b->loop, delay, 0, join_over, g);
}

void group_rebalance(struct group *g)
{
    bool first = g->state == GROUP_EMPTY;
    if (g->state == GROUP_PREPARING) {
        try_complete(g);
        return;
    }
    if (g->state == GROUP_COMPLETING) {
        refuse_syncs(g);
    }
    timer_stop(g->sync_timer);
    g->sync_timer = NULL;
    g->state = GROUP_PREPARING;
    if (first) {
        begin_first(g);
        return;
    }
    g->join_timer = timer_start(g->b->loop, rebalance_ms(g), 0, join_over, g);
    try_complete(g);
}

/** Dynamic members that did not come are out; static ones keep their place until their session
 *  ends. */
static void drop_absent(struct group *g)
{
    for (size_t i = 0; i < g->members.n;) {
        struct group_member *m = g->members.items[i];
        if (!m->joining && !m->instance) {
            group_remove(g, m);
        } else {
            i++;
        }
    }
}

/** Whether somebody is here to lead. */
static bool elect(struct group *g)
{
    if (g->leader && g->leader->joining) {
        return true;
    }
    for (size_t i = 0; i < g->members.n; i++) {
        if (g->members.items[i]->joining) {
            g->leader = g->members.items[i];
            return true;
        }
    }
    return false;
}

static void sync_over(void *arg)
{
    struct group *g = arg;
    g->sync_timer = NULL;
    bool any = false;
    if (group_is_frozen(g)) {
        g->sync_timer = timer_start(g->b->loop, GROUP_FROZEN_MS, 0, sync_over, g);
        return;
    }
    for (size_t i = 0; i < g->members.n;) {
        struct group_member *m = g->members.items[i];
        if (m->pending_sync) {
            group_refuse_sync(m, KAFKA_UNKNOWN_MEMBER_ID);
            group_remove(g, m);
            any = true;
        } else {
            i++;
        }
    }
    if (any && (g->state == GROUP_STABLE || g->state == GROUP_COMPLETING)) {
        group_rebalance(g);
    }
}

static void begin_generation(struct group *g)
{
    free(g->protocol);
    g->protocol = group_vote(g);
    group_read_topics(g);
    g->state = GROUP_COMPLETING;
    for (size_t i = 0; i < g->members.n; i++) {
        struct group_member *m = g->members.items[i];
        struct call *c = take_join(m);
        m->fresh = false;
        m->pending_sync = true;
        if (c) {
            group_answer_join(m, c, g->leader->id, m == g->leader);
        }
        group_touch(m);
    }
    g->sync_timer = timer_start(g->b->loop, rebalance_ms(g), 0, sync_over, g);
}

static void complete_join(struct group *g)
{
    timer_stop(g->join_timer);
    g->join_timer = NULL;
    g->initial = false;
    drop_absent(g);
    if (g->members.n > 0 && !elect(g)) { /* only static members, and none has come */
        g->join_timer = timer_start(g->b->loop, rebalance_ms(g), 0, join_over, g);
        return;
    }
    g->generation++;
    if (g->members.n == 0) {
        free(g->protocol);
        g->protocol = NULL;
        group_read_topics(g);
        g->leader = NULL;
        g->state = GROUP_EMPTY;
        group_save(g);
    } else {
        begin_generation(g);
    }
}

/* ---- the sync phase ---------------------------------------------------------------------------
 */

void group_assigned(struct group *g)
{
    g->state = GROUP_STABLE;
    group_save(g);
    for (size_t i = 0; i < g->members.n; i++) {
        struct group_member *m = g->members.items[i];
        bool waited = m->syncing;
        struct call *c = take_sync(m);
        if (c) {
            group_answer_sync(m, c);
        }
        if (waited) {
            group_touch(m);
        }
    }
}

/* ---- leaving ----------------------------------------------------------------------------------
 */

/** Who waits for its join is told; who waits for its assignment never is, as with Kafka. */
static void take_out(struct group *g, struct group_member *m)
{
    struct call *join = take_join(m), *sync = take_sync(m);
    if (join) {
        group_fail_join(join, KAFKA_UNKNOWN_MEMBER_ID, "");
    }
    if (sync) {
        leave_unanswered(sync);
    }
    group_remove(g, m);
}

void group_left(struct group *g)
{
    if (g->consumer) {
        return;
    }
    if (g->state == GROUP_STABLE || g->state == GROUP_COMPLETING) {
        group_rebalance(g);
    } else {
        try_complete(g);
    }
}

void group_gone(struct group *g, struct group_member *m)
{
    take_out(g, m);
    group_left(g);
    group_try_complete(g); /* the first one, too, which nobody who leaves ends early */
}

int group_leave(struct group *g, const char *id, const char *instance)
{
    if (g->consumer) {
        return cgroup_put_out(g, id, instance);
    }
    if (group_find_pending(g, id)) {
        group_remove_pending(g, id);
        return KAFKA_NONE;
    }
    struct group_member *m = instance && !*id ? group_static(g, instance) : group_member(g, id);
    int code = group_check_member(g, m ? m->id : id, instance);
    if (code == KAFKA_NONE) {
        take_out(g, m);
    }
    return code;
}
