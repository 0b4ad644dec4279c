/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what of a group survives its coordinator: what Kafka writes into __consumer_offsets when a
 * generation is complete or the last member has gone. Joins under way, members that were never part
 * of a complete generation and time that has passed are lost. Loop thread only. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/cgroup.h"
#include "broker/group_priv.h"
#include "broker/nodes.h"
#include "broker/part.h"

struct saved_member {
    char *id, *instance, *client_id, *host;
    int32_t session_ms, rebalance_ms;
    uint8_t *metadata, *assignment; /**< metadata: for the group's protocol */
    size_t metadata_len, assignment_len;
};
struct group_saved {
    int32_t generation;
    char *protocol_type, *protocol, *leader; /**< leader: its member id */
    struct saved_member *members;
    size_t n;
};

struct partition *group_home(struct broker *b, const char *id)
{
    struct topic *t = part_internal(b, OFFSETS_TOPIC);
    return t->parts[state_hash(id) % (uint32_t)t->nparts];
}

int group_here(const struct call *c, const char *id)
{
    return nodes_coordinates(c, group_home(c->b, id));
}

int group_readable(const struct call *c, const char *id)
{
    const struct partition *home = group_home(c->b, id);
    return nodes_believes(c, home) ? KAFKA_NONE : nodes_coordinates(c, home);
}

bool group_is_frozen(const struct group *g)
{
    return !nodes_coordinated(g->b, group_home(g->b, g->id));
}

static uint8_t *copy(const uint8_t *p, size_t len)
{
    return len ? (uint8_t *)xmemdup0(p, len) : NULL;
}

/* ---- into the log -----------------------------------------------------------------------------
 */

void group_saved_free(struct group_saved *s)
{
    for (size_t i = 0; s && i < s->n; i++) {
        struct saved_member *m = &s->members[i];
        free(m->id);
        free(m->instance);
        free(m->client_id);
        free(m->host);
        free(m->metadata);
        free(m->assignment);
    }
    if (s) {
        free(s->members);
        free(s->protocol_type);
        free(s->protocol);
        free(s->leader);
        free(s);
    }
}

static void save_member(struct saved_member *out, const struct group_member *m)
{
    const uint8_t *metadata = group_metadata(m, &out->metadata_len);
    out->id = xstrdup(m->id);
    out->instance = xstrdup(m->instance);
    out->client_id = xstrdup(m->client_id);
    out->host = xstrdup(m->host);
    out->session_ms = m->session_ms;
    out->rebalance_ms = m->rebalance_ms;
    out->metadata = copy(metadata, out->metadata_len);
    out->assignment = copy(m->assignment, m->assignment_len);
    out->assignment_len = m->assignment_len;
}

void group_save(struct group *g)
{
    struct group_saved *s = xcalloc(1, sizeof *s);
    s->generation = g->generation;
    s->protocol_type = xstrdup(g->protocol_type);
    s->protocol = xstrdup(g->protocol);
    s->leader = xstrdup(g->leader ? g->leader->id : NULL);
    s->n = g->members.n;
    s->members = xcalloc(s->n + 1, sizeof *s->members);
    for (size_t i = 0; i < s->n; i++) {
        save_member(&s->members[i], g->members.items[i]);
    }
    group_saved_free(g->saved);
    g->saved = s;
}

/* ---- out of the log ---------------------------------------------------------------------------
 */

static void forget_members(struct group *g)
{
    timer_stop(g->join_timer);
    timer_stop(g->sync_timer);
    g->join_timer = g->sync_timer = NULL;
    while (g->pending.n > 0) {
        group_remove_pending(g, g->pending.items[0]->id);
    }
    while (g->members.n > 0) {
        struct group_member *m = g->members.items[0];
        group_refuse_join(m, KAFKA_NOT_COORDINATOR);
        group_refuse_sync(m, KAFKA_NOT_COORDINATOR);
        group_remove(g, m);
    }
}

static void restore_member(struct group *g, const struct saved_member *s)
{
    struct group_member *m = group_new_member(g, xstrdup(s->id));
    m->instance = xstrdup(s->instance);
    m->client_id = xstrdup(s->client_id);
    m->host = xstrdup(s->host);
    m->session_ms = s->session_ms;
    m->rebalance_ms = s->rebalance_ms;
    m->protocols = xcalloc(2, sizeof *m->protocols);
    m->protocols[0] = (struct group_protocol){xstrdup(g->protocol ? g->protocol : ""),
                                              copy(s->metadata, s->metadata_len), s->metadata_len};
    m->nprotocols = 1;
    group_set_assignment(m, s->assignment, s->assignment_len);
    if (g->saved->leader && strcmp(g->saved->leader, s->id) == 0) {
        g->leader = m;
    }
}

static void restore(struct group *g)
{
    static const struct group_saved none;
    const struct group_saved *s = g->saved ? g->saved : &none;
    forget_members(g);
    free(g->protocol_type);
    free(g->protocol);
    g->generation = s->generation;
    g->protocol_type = xstrdup(s->protocol_type);
    g->protocol = xstrdup(s->protocol);
    g->leader = NULL;
    g->initial = g->grew = false;
    g->state = s->n > 0 ? GROUP_STABLE : GROUP_EMPTY;
    for (size_t i = 0; i < s->n; i++) {
        restore_member(g, &s->members[i]);
    }
    group_read_topics(g);
}

static bool is_at(struct group *g, const struct partition *home)
{
    return g && group_home(g->b, g->id) == home;
}

void group_unload(struct broker *b, const struct partition *home)
{
    for (size_t i = 0; i < b->groups.n; i++) {
        struct group *g = b->groups.items[i].p;
        if (!is_at(g, home)) {
            continue;
        }
        if (g->consumer) {
            cgroup_unload(g->consumer);
            continue;
        }
        restore(g);
        if (!g->saved && g->committed.n == 0 && g->held.n == 0) {
            group_delete(g); /* there is no trace of it */
        }
    }
}

void group_load(struct broker *b, const struct partition *home)
{
    for (size_t i = 0; i < b->groups.n; i++) {
        struct group *g = b->groups.items[i].p;
        if (is_at(g, home) && g->consumer) {
            cgroup_load(g->consumer);
        }
        for (size_t k = 0; is_at(g, home) && k < g->members.n; k++) {
            group_touch(g->members.items[k]);
        }
    }
}
