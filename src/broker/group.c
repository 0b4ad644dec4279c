/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what a group knows of its members: identities, protocols, sessions. How they find together
 * is in group_rebalance.c, the requests in api_group.c. Loop thread only. */
#include "broker/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/cgroup.h"
#include "broker/goffsets.h"
#include "broker/group_priv.h"

enum { FRESH_MS = 300000 }; /* a new member that nobody listens for any more */

struct group *group_find(const struct broker *b, const char *id)
{
    struct map_entry *at = id ? map_get_str(&b->groups, id) : NULL;
    return at ? at->p : NULL;
}

struct group *group_get(struct broker *b, const char *id)
{
    struct group *g = group_find(b, id);
    if (!g) {
        g = xcalloc(1, sizeof *g);
        g->b = b;
        g->id = xstrdup(id);
        g->committed.b = g->held.b = b;
        state_charge(b, &g->cost, sizeof *g + 2 * STATE_ENTRY + 2 * strlen(id));
        map_sweep(&b->groups);
        map_put_str(&b->groups, id)->p = g;
    }
    return g;
}

const char *group_state_name(const struct group *g)
{
    static const char *const names[] = {"Empty", "PreparingRebalance", "CompletingRebalance",
                                        "Stable"};
    return g->consumer ? cgroup_state_name(g->consumer) : names[g->state];
}

bool group_is_empty(const struct group *g)
{
    return g->consumer ? g->consumer->members.n == 0 : g->state == GROUP_EMPTY;
}

/* ---- members ----------------------------------------------------------------------------------
 */

struct group_member *group_member(const struct group *g, const char *id)
{
    for (size_t i = 0; i < g->members.n; i++) {
        if (strcmp(g->members.items[i]->id, id) == 0) {
            return g->members.items[i];
        }
    }
    return NULL;
}

struct group_member *group_static(const struct group *g, const char *instance)
{
    for (size_t i = 0; instance && i < g->members.n; i++) {
        const char *other = g->members.items[i]->instance;
        if (other && strcmp(other, instance) == 0) {
            return g->members.items[i];
        }
    }
    return NULL;
}

int group_check_member(const struct group *g, const char *id, const char *instance)
{
    if (g->consumer) {
        return cgroup_check_classic(g, id, instance);
    }
    if (instance) {
        const struct group_member *m = group_static(g, instance);
        if (!m) {
            return KAFKA_UNKNOWN_MEMBER_ID;
        }
        return strcmp(m->id, id) == 0 ? KAFKA_NONE : KAFKA_FENCED_INSTANCE_ID;
    }
    return group_member(g, id) ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID;
}

static void free_protocols(struct group_member *m)
{
    for (size_t i = 0; i < m->nprotocols; i++) {
        free(m->protocols[i].name);
        free(m->protocols[i].metadata);
    }
    free(m->protocols);
    m->protocols = NULL;
    m->nprotocols = 0;
}

void group_charge(struct group_member *m)
{
    size_t sum = sizeof *m + 8 * STATE_ENTRY + 2 * m->assignment_len;
    for (size_t i = 0; i < m->nprotocols; i++) {
        sum += STATE_ENTRY + strlen(m->protocols[i].name) + 2 * m->protocols[i].len;
    }
    state_charge(m->group->b, &m->cost, sum);
}

void group_set_protocols(struct group_member *m, const struct wire_value *join)
{
    free_protocols(m);
    m->nprotocols = wire_count(join, "Protocols");
    m->protocols = xcalloc(m->nprotocols + 1, sizeof *m->protocols);
    for (size_t i = 0; i < m->nprotocols; i++) {
        const struct wire_value *p = wire_at(join, "Protocols", i);
        const uint8_t *data = wire_blob(p, "Metadata", &m->protocols[i].len);
        m->protocols[i].name = xstrdup(wire_str(p, "Name"));
        m->protocols[i].metadata = (uint8_t *)xmemdup0(data, m->protocols[i].len);
    }
    group_charge(m);
}

bool group_same_protocols(const struct group_member *m, const struct wire_value *join)
{
    if (wire_count(join, "Protocols") != m->nprotocols) {
        return false;
    }
    for (size_t i = 0; i < m->nprotocols; i++) {
        const struct wire_value *p = wire_at(join, "Protocols", i);
        size_t len;
        const uint8_t *data = wire_blob(p, "Metadata", &len);
        if (strcmp(wire_str(p, "Name"), m->protocols[i].name) != 0 || len != m->protocols[i].len ||
            memcmp(data, m->protocols[i].metadata, len) != 0) {
            return false;
        }
    }
    return true;
}

const uint8_t *group_metadata(const struct group_member *m, size_t *len)
{
    const char *name = m->group->protocol;
    for (size_t i = 0; name && i < m->nprotocols; i++) {
        if (strcmp(m->protocols[i].name, name) == 0) {
            *len = m->protocols[i].len;
            return m->protocols[i].metadata;
        }
    }
    *len = 0;
    return NULL;
}

void group_set_assignment(struct group_member *m, const uint8_t *p, size_t len)
{
    free(m->assignment);
    m->assignment = len ? (uint8_t *)xmemdup0(p, len) : NULL;
    m->assignment_len = len;
    group_charge(m);
}

static void session_over(void *arg)
{
    struct group_member *m = arg;
    m->session = NULL;
    if (group_is_frozen(m->group)) {
        m->session = timer_start(m->group->b->loop, GROUP_FROZEN_MS, 0, session_over, m);
        return;
    }
    if ((m->joining || m->syncing) && !m->fresh) {
        return; /* the timer begins anew with the answer */
    }
    group_gone(m->group, m);
}

void group_touch(struct group_member *m)
{
    timer_stop(m->session);
    m->session = timer_start(m->group->b->loop, m->fresh ? FRESH_MS : (uint64_t)m->session_ms, 0,
                             session_over, m);
}

struct group_member *group_new_member(struct group *g, char *id)
{
    struct group_member *m = xcalloc(1, sizeof *m);
    m->group = g;
    m->id = id;
    *VEC_PUSH(&g->members) = m;
    return m;
}

struct group_member *group_add(struct group *g, struct call *c, char *id)
{
    const struct wire_value *join = &c->req.root;
    if (g->members.n == 0) {
        free(g->protocol_type);
        g->protocol_type = xstrdup(wire_str(join, "ProtocolType"));
    }
    struct group_member *m = group_new_member(g, id);
    const char *instance = c->version >= 5 ? wire_str(join, "GroupInstanceId") : NULL;
    const char *peer = call_peer(c), *colon = strrchr(peer, ':');
    m->instance = xstrdup(instance);
    m->client_id = xstrdup(c->client_id ? c->client_id : "");
    m->host = xasprintf("/%.*s", (int)(colon ? colon - peer : 0), peer);
    m->session_ms = (int32_t)wire_int(join, "SessionTimeoutMs");
    m->rebalance_ms =
        c->version >= 1 ? (int32_t)wire_int(join, "RebalanceTimeoutMs") : m->session_ms;
    group_set_protocols(m, join);
    if (!g->leader) {
        g->leader = m;
    }
    return m;
}

void group_remove(struct group *g, struct group_member *m)
{
    size_t i = 0;
    while (g->members.items[i] != m) {
        i++;
    }
    g->members.n--;
    memmove(&g->members.items[i], &g->members.items[i + 1],
            (g->members.n - i) * sizeof(struct group_member *));
    if (g->leader == m) {
        g->leader = g->members.n ? g->members.items[0] : NULL;
    }
    timer_stop(m->session);
    state_charge(g->b, &m->cost, 0);
    free_protocols(m);
    free(m->assignment);
    free(m->id);
    free(m->instance);
    free(m->client_id);
    free(m->host);
    free(m);
}

/* ---- members that are expected ----------------------------------------------------------------
 */

struct group_pending *group_find_pending(const struct group *g, const char *id)
{
    for (size_t i = 0; i < g->pending.n; i++) {
        if (strcmp(g->pending.items[i]->id, id) == 0) {
            return g->pending.items[i];
        }
    }
    return NULL;
}

static void free_pending(struct group_pending *p)
{
    timer_stop(p->timer);
    state_charge(p->group->b, &p->cost, 0);
    free(p->id);
    free(p);
}

void group_remove_pending(struct group *g, const char *id)
{
    for (size_t i = 0; i < g->pending.n; i++) {
        if (strcmp(g->pending.items[i]->id, id) == 0) {
            free_pending(g->pending.items[i]);
            g->pending.items[i] = g->pending.items[--g->pending.n];
            return;
        }
    }
}

static void never_came(void *arg)
{
    struct group_pending *p = arg;
    struct group *g = p->group;
    p->timer = NULL;
    if (group_is_frozen(g)) {
        p->timer = timer_start(g->b->loop, GROUP_FROZEN_MS, 0, never_came, p);
        return;
    }
    group_remove_pending(g, p->id);
    group_try_complete(g);
}

void group_add_pending(struct group *g, char *id, int32_t session_ms)
{
    struct group_pending *p = xcalloc(1, sizeof *p);
    p->id = id;
    p->group = g;
    p->timer = timer_start(g->b->loop, (uint64_t)session_ms, 0, never_came, p);
    state_charge(g->b, &p->cost, sizeof *p + 3 * STATE_ENTRY + strlen(id));
    *VEC_PUSH(&g->pending) = p;
}

/* ---- protocols --------------------------------------------------------------------------------
 */

static bool member_has(const struct group_member *m, const char *protocol)
{
    for (size_t i = 0; i < m->nprotocols; i++) {
        if (strcmp(m->protocols[i].name, protocol) == 0) {
            return true;
        }
    }
    return false;
}

static bool all_have(const struct group *g, const char *protocol)
{
    for (size_t i = 0; i < g->members.n; i++) {
        if (!member_has(g->members.items[i], protocol)) {
            return false;
        }
    }
    return true;
}

bool group_supports(const struct group *g, const struct wire_value *join)
{
    const char *type = wire_str(join, "ProtocolType");
    if (!*type || wire_count(join, "Protocols") == 0) {
        return false;
    }
    if (g->state == GROUP_EMPTY) {
        return true;
    }
    if (g->protocol_type && strcmp(g->protocol_type, type) != 0) {
        return false;
    }
    for (size_t i = 0; i < wire_count(join, "Protocols"); i++) {
        if (all_have(g, wire_str(wire_at(join, "Protocols", i), "Name"))) {
            return true;
        }
    }
    return false;
}

static const char *vote_of(const struct group *g, const struct group_member *m)
{
    for (size_t i = 0; i < m->nprotocols; i++) {
        if (all_have(g, m->protocols[i].name)) {
            return m->protocols[i].name;
        }
    }
    return NULL;
}

/** Where a Java HashMap of so many entries has the key. */
static uint32_t java_bucket(const char *key, size_t entries)
{
    uint32_t size = 16, hash = state_hash(key);
    while (entries > size / 4 * 3) {
        size *= 2;
    }
    return (hash ^ hash >> 16) & (size - 1);
}

char *group_vote(const struct group *g)
{
    struct map votes = {0};
    for (size_t i = 0; i < g->members.n; i++) {
        const char *protocol = vote_of(g, g->members.items[i]);
        if (protocol) {
            map_put_str(&votes, protocol)->u++;
        }
    }
    const struct map_entry *best = NULL;
    for (size_t i = 0; i < votes.n; i++) {
        const struct map_entry *at = &votes.items[i];
        /* Between equals it is what Kafka's map has first. */
        if (!best || at->u > best->u ||
            (at->u == best->u && java_bucket(at->key, votes.n) < java_bucket(best->key, votes.n))) {
            best = at;
        }
    }
    char *name = best ? xstrdup(best->key) : NULL;
    map_free(&votes);
    return name;
}

/* ---- the end ----------------------------------------------------------------------------------
 */

void group_drop_classic(struct group *g)
{
    while (g->members.n > 0) {
        group_remove(g, g->members.items[0]);
    }
    for (size_t i = 0; i < g->pending.n; i++) {
        free_pending(g->pending.items[i]);
    }
    g->pending.n = 0;
    timer_stop(g->join_timer);
    timer_stop(g->sync_timer);
    free(g->protocol_type);
    free(g->protocol);
    g->join_timer = g->sync_timer = NULL;
    g->protocol_type = g->protocol = NULL;
    g->generation = 0;
    g->initial = g->grew = false;
    group_forget_topics(g);
    group_saved_free(g->saved);
    g->saved = NULL;
}

static void free_group(struct group *g)
{
    cgroup_free(g->consumer);
    group_drop_classic(g);
    state_charge(g->b, &g->cost, 0);
    goffsets_free(&g->committed);
    goffsets_free(&g->held);
    free(g->pending.items);
    free(g->members.items);
    free(g->id);
    free(g);
}

void group_delete(struct group *g)
{
    goffsets_clear(g);
    map_get_str(&g->b->groups, g->id)->p = NULL;
    free_group(g);
}

void group_free_all(struct broker *b)
{
    for (size_t i = 0; i < b->groups.n; i++) {
        if (b->groups.items[i].p) {
            free_group(b->groups.items[i].p);
        }
    }
    map_free(&b->groups);
}
