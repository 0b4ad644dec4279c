/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what a heartbeat of the consumer protocol does: who may send it, what it changes of the
 * member, when the group's epoch rises and a new target is computed. Loop thread only. */
#include "broker/cgroup.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "broker/group_priv.h"
#include "broker/part.h"
#include "broker/tregex.h"

enum { LOOK_EVERY_MS = 10000 }; /**< patterns are not looked up more often */

/* ---- members ----------------------------------------------------------------------------------
 */

struct cmember *cgroup_member(const struct cgroup *g, const char *id)
{
    for (size_t i = 0; i < g->members.n; i++) {
        if (strcmp(g->members.items[i]->id, id) == 0) {
            return g->members.items[i];
        }
    }
    return NULL;
}

static bool has_instance(const struct cmember *m, const char *instance)
{
    return m->instance && strcmp(m->instance, instance) == 0;
}

static struct cmember *static_member(const struct cgroup *g, const char *instance)
{
    for (size_t i = 0; i < g->members.n; i++) {
        if (has_instance(g->members.items[i], instance)) {
            return g->members.items[i];
        }
    }
    return NULL;
}

static void free_names(struct cnames *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->items[i]);
    }
    free(s->items);
    *s = (struct cnames){0};
}

static size_t names_cost(const struct cnames *s)
{
    size_t sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        sum += STATE_ENTRY + strlen(s->items[i]);
    }
    return sum;
}

/** Counts what the member takes. */
static void charge(struct cmember *m)
{
    size_t sum = sizeof *m + 8 * STATE_ENTRY + (m->regex ? tregex_cost(m->matcher) : 0);
    sum += names_cost(&m->topics) + names_cost(&m->found);
    sum += (m->assigned.cap + m->revoking.cap + m->target.cap) * sizeof(struct cpart);
    state_charge(m->group->base->b, &m->cost, sum);
}

static void free_member(struct cmember *m)
{
    state_charge(m->group->base->b, &m->cost, 0);
    timer_stop(m->session);
    timer_stop(m->rebalance);
    free_names(&m->topics);
    free_names(&m->found);
    tregex_free(m->matcher);
    cparts_free(&m->assigned);
    cparts_free(&m->revoking);
    cparts_free(&m->target);
    free(m->id);
    free(m->instance);
    free(m->rack);
    free(m->client_id);
    free(m->host);
    free(m->assignor);
    free(m->regex);
    free(m);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has_name(const struct cnames *s, const char *name)
{
    return s->n && bsearch(&name, s->items, s->n, sizeof(char *), by_text);
}

static bool has_all(const struct cnames *s, const struct cnames *of)
{
    for (size_t i = 0; i < of->n; i++) {
        if (!has_name(s, of->items[i])) {
            return false;
        }
    }
    return true;
}

/** *s becomes *from, sorted. @return whether it has other names than before. */
static bool set_names(struct cnames *s, struct cnames *from)
{
    if (from->n > 0) {
        qsort(from->items, from->n, sizeof(char *), by_text);
    }
    bool same = has_all(s, from) && has_all(from, s);
    free_names(s);
    *s = *from;
    return !same;
}

bool cgroup_wants(const struct cmember *m, const char *topic)
{
    return has_name(&m->topics, topic) || has_name(&m->found, topic);
}

static void take_names(const struct broker *b, const struct cnames *names, struct cparts *out)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct topic *t = part_topic(b, names->items[i]);
        if (t) {
            cparts_add(out, t->id, t->nparts, 0);
        }
    }
}

void cgroup_topics(const struct cmember *m, struct cparts *out)
{
    take_names(m->group->base->b, &m->topics, out);
    take_names(m->group->base->b, &m->found, out);
}

/** @return whether the list is another one than before. */
static bool set_topics(struct cmember *m, const struct wire_value *names)
{
    struct cnames x = {0};
    for (int32_t i = 0; i < names->a.n; i++) {
        *VEC_PUSH(&x) = xstrdup((const char *)names->a.items[i].s.p);
    }
    return set_names(&m->topics, &x);
}

static void set_text(char **at, const char *s)
{
    if (s) {
        free(*at);
        *at = xstrdup(s);
    }
}

/** @return whether the pattern is another one than before. */
static bool set_regex(struct cmember *m, const char *regex)
{
    const char *why;
    if (!regex || strcmp(regex, m->regex ? m->regex : "") == 0) {
        return false;
    }
    set_text(&m->regex, regex);
    tregex_free(m->matcher);
    m->matcher = *regex ? tregex_new(regex, &why) : NULL;
    free_names(&m->found);
    m->found_ms = 0;
    return true;
}

/* ---- patterns ---------------------------------------------------------------------------------
 * As in Kafka, a heartbeat with a new pattern is answered before it is known what it stands for.
 * All patterns of a group are looked up together, and not again within LOOK_EVERY_MS.
 */

/** Takes over what another member with the same pattern has. @return whether it is known what the
 *  pattern stands for. */
static bool adopt(struct cmember *m)
{
    const struct cgroup *g = m->group;
    for (size_t i = 0; i < g->members.n && *m->regex; i++) {
        const struct cmember *x = g->members.items[i];
        if (x == m || !x->found_ms || strcmp(x->regex, m->regex) != 0) {
            continue;
        }
        for (size_t k = 0; k < x->found.n; k++) {
            *VEC_PUSH(&m->found) = xstrdup(x->found.items[k]);
        }
        m->found_ms = x->found_ms;
        return true;
    }
    return !*m->regex;
}

/** Whether the last look, if any, is long enough ago. */
static bool may_look(const struct cgroup *g)
{
    uint64_t last = 0;
    for (size_t i = 0; i < g->members.n; i++) {
        uint64_t at = g->members.items[i]->found_ms;
        last = at > last ? at : last;
    }
    return last == 0 || state_mono_ms() > last + LOOK_EVERY_MS;
}

static void matching(const struct cmember *m, struct cnames *out)
{
    const struct broker *b = m->group->base->b;
    for (size_t i = 0; i < b->topics.n; i++) {
        const struct topic *t = b->topics.items[i].p;
        if (t && tregex_matches(m->matcher, t->name)) {
            *VEC_PUSH(out) = xstrdup(t->name);
        }
    }
}

/** Whether the pattern stands for a topic that was not there at the last look. */
static bool has_new(const struct cmember *m)
{
    const struct broker *b = m->group->base->b;
    for (size_t i = 0; i < b->topics.n; i++) {
        const struct topic *t = b->topics.items[i].p;
        if (t && !has_name(&m->found, t->name) && tregex_matches(m->matcher, t->name)) {
            return true;
        }
    }
    return false;
}

/** Whether there is a pattern that nobody has looked up, or a topic that it may stand for now; that
 *  is asked once for each change of the topics. */
static bool must_look(struct cgroup *g)
{
    bool changed = g->checked_at != g->base->b->topics_at, must = false;
    g->checked_at = g->base->b->topics_at;
    for (size_t i = 0; i < g->members.n && !must; i++) {
        const struct cmember *m = g->members.items[i];
        must = m->matcher && (!m->found_ms || (changed && has_new(m)));
    }
    return must;
}

/** @return whether a pattern stands for other topics than before. */
static bool look(struct cgroup *g)
{
    bool changed = false;
    for (size_t i = 0; i < g->members.n; i++) {
        struct cmember *m = g->members.items[i];
        struct cnames now = {0};
        if (m->matcher) {
            matching(m, &now);
            changed = set_names(&m->found, &now) || changed;
            m->found_ms = state_mono_ms();
            charge(m);
        }
    }
    return changed;
}

/* ---- the group --------------------------------------------------------------------------------
 */

static int64_t prop(const struct group *g, enum props_id id)
{
    return props_get(&g->b->props, NULL, id);
}

int32_t cgroup_interval_ms(const struct group *g)
{
    return (int32_t)prop(g, PROP_CONSUMER_HEARTBEAT);
}

/** Ids and sizes of all topics subscribed to, in whatever order. */
static uint64_t hash_topics(const struct cgroup *g)
{
    struct cparts topics = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i < g->members.n; i++) {
        cgroup_topics(g->members.items[i], &topics);
    }
    cparts_sort(&topics);
    for (size_t i = 0; i < topics.n; i++) {
        const struct cpart *t = &topics.items[i];
        uint64_t a, b;
        memcpy(&a, t->topic, sizeof a);
        memcpy(&b, t->topic + sizeof a, sizeof b);
        sum += hash_mix(hash_mix(a, b), (uint64_t)t->index);
    }
    cparts_free(&topics);
    return sum;
}

/** Looks again at the topics subscribed to, if they may be others than before.
 *  @return whether they are. */
static bool note_topics(struct cgroup *g, bool resubscribed)
{
    if (!resubscribed && g->topics_at == g->base->b->topics_at) {
        return false;
    }
    uint64_t before = g->topics_hash;
    g->topics_hash = hash_topics(g);
    g->topics_at = g->base->b->topics_at;
    return g->topics_hash != before;
}

static struct cgroup *make(struct group *base)
{
    struct cgroup *g = xcalloc(1, sizeof *g);
    group_drop_classic(base);
    g->base = base;
    g->epoch = 1;
    base->consumer = g;
    return g;
}

void cgroup_free(struct cgroup *g)
{
    for (size_t i = 0; g && i < g->members.n; i++) {
        free_member(g->members.items[i]);
    }
    if (g) {
        free(g->members.items);
        g->base->consumer = NULL;
        free(g);
    }
}

static void take_out(struct cmember *m)
{
    struct cgroup *g = m->group;
    size_t i = 0;
    while (g->members.items[i] != m) {
        i++;
    }
    g->members.n--;
    memmove(&g->members.items[i], &g->members.items[i + 1],
            (g->members.n - i) * sizeof(struct cmember *));
    free_member(m);
}

void cgroup_remove(struct cmember *m)
{
    struct cgroup *g = m->group;
    take_out(m);
    note_topics(g, true);
    g->epoch++;
}

static void session_over(void *arg)
{
    struct cmember *m = arg;
    m->session = NULL;
    if (group_is_frozen(m->group->base)) {
        m->session = timer_start(m->group->base->b->loop, GROUP_FROZEN_MS, 0, session_over, m);
        return;
    }
    cgroup_remove(m);
}

static void touch(struct cmember *m)
{
    timer_stop(m->session);
    m->session =
        timer_start(m->group->base->b->loop, (uint64_t)prop(m->group->base, PROP_CONSUMER_SESSION),
                    0, session_over, m);
}

void cgroup_unload(struct cgroup *g)
{
    for (size_t i = 0; i < g->members.n; i++) {
        struct cmember *m = g->members.items[i];
        timer_stop(m->session);
        timer_stop(m->rebalance);
        m->session = m->rebalance = NULL;
    }
}

void cgroup_load(struct cgroup *g)
{
    for (size_t i = 0; i < g->members.n; i++) {
        touch(g->members.items[i]);
        cgroup_watch(g->members.items[i]);
    }
}

static bool is_empty_classic(const struct group *g)
{
    return !g->consumer && g->state == GROUP_EMPTY;
}

/* ---- who may ----------------------------------------------------------------------------------
 */

static int refuse(struct cgroup_told *told, int code, const char *why)
{
    told->why = why;
    return code;
}

static int check_epoch(const struct cmember *m, const struct cgroup_ask *ask,
                       struct cgroup_told *told)
{
    if (ask->epoch == 0 || ask->epoch == m->epoch) {
        return KAFKA_NONE;
    }
    if (ask->epoch > m->epoch) {
        return refuse(told, KAFKA_FENCED_MEMBER_EPOCH,
                      "the epoch is above the member's: give up all partitions and join again");
    }
    /* the answer with the new epoch may have been lost */
    if (ask->epoch == m->previous && ask->owned && cparts_within(ask->owned, &m->assigned)) {
        return KAFKA_NONE;
    }
    return refuse(told, KAFKA_FENCED_MEMBER_EPOCH,
                  "the epoch is below the member's: give up all partitions and join again");
}

/** Static members; *m gets the one that the heartbeat is of, NULL = a new one. */
static int find_static(const struct cgroup *g, const struct cgroup_ask *ask,
                       struct cgroup_told *told, struct cmember **m)
{
    *m = static_member(g, ask->instance);
    if (ask->epoch == 0 && !*m) {
        *m = cgroup_member(g, ask->member); /* becomes a static one */
        return KAFKA_NONE;
    }
    if (ask->epoch == 0) {
        return (*m)->epoch == CGROUP_LEAVE_STATIC
                   ? KAFKA_NONE
                   : refuse(told, KAFKA_UNRELEASED_INSTANCE_ID,
                            "another member has the instance id and has not left");
    }
    if (!*m) {
        return refuse(told, KAFKA_UNKNOWN_MEMBER_ID, "no member has the instance id");
    }
    if (strcmp((*m)->id, ask->member) != 0) {
        return refuse(told, KAFKA_FENCED_INSTANCE_ID, "another member has the instance id now");
    }
    return check_epoch(*m, ask, told);
}

static int find_member(const struct cgroup *g, const struct cgroup_ask *ask,
                       struct cgroup_told *told, struct cmember **m)
{
    if (ask->instance) {
        return find_static(g, ask, told, m);
    }
    *m = cgroup_member(g, ask->member);
    if (!*m) {
        return ask->epoch == 0
                   ? KAFKA_NONE
                   : refuse(told, KAFKA_UNKNOWN_MEMBER_ID, "the group has no such member");
    }
    return check_epoch(*m, ask, told);
}

/** m: NULL = a new member; what it has already was looked at then. */
static int check_regex(const struct cmember *m, const struct cgroup_ask *ask,
                       struct cgroup_told *told)
{
    bool known = m && m->regex && ask->regex && strcmp(m->regex, ask->regex) == 0;
    if (known || !ask->regex || !*ask->regex) {
        return KAFKA_NONE;
    }
    struct tregex *r = tregex_new(ask->regex, &told->why);
    bool bad = !r;
    tregex_free(r);
    return bad ? KAFKA_INVALID_REGULAR_EXPRESSION : KAFKA_NONE;
}

/** Everything that can be refused is looked at before anything changes. */
static int admit(const struct group *base, const struct cgroup_ask *ask, struct cgroup_told *told,
                 struct cmember **m)
{
    static const struct cgroup nobody;
    bool usable = base && (base->consumer || (ask->epoch == 0 && is_empty_classic(base)));
    if (!usable && (base || ask->epoch != 0)) {
        return refuse(told, KAFKA_GROUP_ID_NOT_FOUND, "there is no such consumer group");
    }
    const struct cgroup *g = base && base->consumer ? base->consumer : &nobody;
    if (base && g->members.n >= (size_t)prop(base, PROP_CONSUMER_MAX_SIZE) &&
        !cgroup_member(g, ask->member)) {
        return refuse(told, KAFKA_GROUP_MAX_SIZE_REACHED, "the group has all members it may have");
    }
    int code = find_member(g, ask, told, m);
    return code == KAFKA_NONE ? check_regex(*m, ask, told) : code;
}

/* ---- the heartbeat ----------------------------------------------------------------------------
 */

static struct cmember *add_member(struct cgroup *g, const char *id)
{
    struct cmember *m = xcalloc(1, sizeof *m);
    m->group = g;
    m->id = xstrdup(id);
    m->rebalance_ms = -1;
    *VEC_PUSH(&g->members) = m;
    return m;
}

/** A static member is back under a new id: all that the former one had is its own. Whoever had the
 *  id is no more. */
static void replace(struct cmember *m, const char *id)
{
    struct cmember *other = cgroup_member(m->group, id);
    if (other && other != m) {
        take_out(other);
    }
    set_text(&m->id, id);
    m->epoch = m->previous = 0;
}

static void renew_target(struct cgroup *g, const struct cmember *by)
{
    uint64_t every = (uint64_t)prop(g->base, PROP_CONSUMER_ASSIGNMENT_INTERVAL);
    if (g->epoch > g->assignment_epoch &&
        (g->assigned_ms == 0 || state_mono_ms() - g->assigned_ms >= every)) {
        cgroup_assign(g, by);
    }
}

/** What a heartbeat changes of the subscription; known: and of the topics. */
struct change {
    bool any, known;
};

/** Takes over what the heartbeat says. */
static struct change update(struct cmember *m, const struct cgroup_ask *ask)
{
    set_text(&m->instance, ask->instance);
    set_text(&m->rack, ask->rack);
    set_text(&m->assignor, ask->assignor);
    set_text(&m->client_id, ask->client_id);
    set_text(&m->host, ask->host);
    if (ask->rebalance_ms >= 0) {
        m->rebalance_ms = ask->rebalance_ms;
    }
    bool names = ask->topics && set_topics(m, ask->topics);
    bool pattern = set_regex(m, ask->regex);
    return (struct change){.any = names || pattern, .known = (pattern && adopt(m)) || names};
}

static bool is_full(const struct cgroup_ask *ask)
{
    return ask->rebalance_ms != -1 && (ask->topics || ask->regex) && ask->owned;
}

int cgroup_beat(struct broker *b, const char *group, const struct cgroup_ask *ask,
                struct cgroup_told *told)
{
    struct group *base = group_find(b, group);
    struct cmember *m = NULL;
    int code = admit(base, ask, told, &m);
    if (code != KAFKA_NONE) {
        return code;
    }
    base = base ? base : group_get(b, group);
    struct cgroup *g = base->consumer ? base->consumer : make(base);
    if (!m) {
        m = add_member(g, ask->member);
    } else if (ask->epoch == 0 && ask->instance && has_instance(m, ask->instance)) {
        replace(m, ask->member);
    }
    bool may = may_look(g);
    struct change change = update(m, ask);
    if (note_topics(g, change.known) || change.known) {
        g->epoch++;
    }
    renew_target(g, m);
    struct cparts before = {0};
    static const struct cparts none;
    cparts_take(&before, &m->assigned, &none, false);
    cgroup_reconcile(m, ask->owned, change.any);
    touch(m);
    charge(m);
    told->member = m;
    told->changed = ask->epoch == 0 || is_full(ask) || !cparts_equal(&before, &m->assigned);
    cparts_free(&before);
    if (may && must_look(g) && look(g)) {
        note_topics(g, true);
        g->epoch++;
    }
    return KAFKA_NONE;
}

/** The member goes for now: it keeps what it has until its session ends. */
static void depart(struct cmember *m)
{
    m->epoch = CGROUP_LEAVE_STATIC;
    cparts_free(&m->revoking);
    for (size_t i = 0; i < m->assigned.n; i++) {
        m->assigned.items[i].epoch = 0;
    }
    timer_stop(m->rebalance);
    m->rebalance = NULL;
}

int cgroup_leave(struct broker *b, const char *group, const struct cgroup_ask *ask,
                 const char **why)
{
    const struct group *base = group_find(b, group);
    if (!base || !base->consumer) {
        *why = "there is no such consumer group";
        return KAFKA_GROUP_ID_NOT_FOUND;
    }
    struct cmember *m = ask->instance ? static_member(base->consumer, ask->instance)
                                      : cgroup_member(base->consumer, ask->member);
    if (!m) {
        *why = "the group has no such member";
        return KAFKA_UNKNOWN_MEMBER_ID;
    }
    if (strcmp(m->id, ask->member) != 0) {
        *why = "another member has the instance id now";
        return KAFKA_FENCED_INSTANCE_ID;
    }
    if (ask->epoch == CGROUP_LEAVE_STATIC && ask->instance) {
        depart(m);
    } else {
        cgroup_remove(m);
    }
    return KAFKA_NONE;
}
