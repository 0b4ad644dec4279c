/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what is asked in a round and how a broker that is away is borne: its partitions are left
 * out of the round after the first one that did not answer. Only changes become events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "audit/watch_priv.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

enum { TOPICS_MS = 5000, STARTS_MS = 2000, AWAY_MAX = 8 };

static const char internal_topic[] = "__consumer_offsets";

/* ---- partitions ------------------------------------------------------------------------------ */

static struct watch_part *want_part(struct watch *w, const char *topic, int32_t number)
{
    char *key = xasprintf("%s\n%d", topic, (int)number);
    struct map_entry *at = map_put_str(&w->part_index, key);
    free(key);
    if (!at->p) {
        struct watch_part *p = xcalloc(1, sizeof *p);
        *p = (struct watch_part){.topic = xstrdup(topic),
                                 .number = number,
                                 .leader = -1,
                                 .declared = plan_topic(w->o.plan, topic) != NULL,
                                 .internal = strcmp(topic, internal_topic) == 0,
                                 .log_start = -1,
                                 .lso = -1,
                                 .hw = -1,
                                 .said = {-1, -1, -1}};
        at->p = p;
        *VEC_PUSH(&w->parts) = p; /* NOLINT(bugprone-sizeof-expression): a list of pointers */
    }
    return at->p;
}

static void add_name(struct plan_strings *names, const char *name)
{
    if (*name && !plan_strings_has(names, name)) {
        plan_strings_add(names, name);
    }
}

/** Declared topics, those that somebody was seen to read, and the internal one. */
static void topic_names(struct watch *w, struct plan_strings *names)
{
    for (size_t i = 0; i < w->o.plan->topics.n; i++) {
        add_name(names, w->o.plan->topics.items[i].name);
    }
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->uses.n; i++) {
        add_name(names, w->uses.items[i]->topic);
    }
    pthread_mutex_unlock(&w->lock);
    if (!w->o.shared) {
        add_name(names, internal_topic);
    }
}

static void learn_topics(struct watch *w, const struct admin_metadata *md)
{
    for (size_t i = 0; i < md->ntopics; i++) {
        const struct admin_topic *t = &md->topics[i];
        for (size_t k = 0; k < t->npartitions; k++) {
            want_part(w, t->name, t->partitions[k].index)->leader = t->partitions[k].leader;
        }
    }
}

static void read_topics(struct watch *w)
{
    uint64_t now = clock_mono_ns();
    struct plan_strings names = {0};
    struct admin_metadata md;
    struct err e;
    if (!w->stale && now - w->topics_ns < (uint64_t)TOPICS_MS * 1000000) {
        return;
    }
    topic_names(w, &names);
    if (admin_metadata(w->admin, (const char *const *)names.items, names.n, WATCH_ASK_MS, &md,
                       &e) == 0) {
        learn_topics(w, &md);
        w->topics_ns = now;
        w->stale = false;
    }
    admin_metadata_free(&md);
    plan_strings_free(&names);
}

static bool list(struct watch *w, const struct watch_part *p, int64_t when,
                 enum admin_isolation isolation, int64_t *out)
{
    struct admin_offset at;
    struct err e;
    if (admin_list_offsets(w->admin, p->topic, p->number, when, isolation, WATCH_ASK_MS, &at, &e) <
        0) {
        return false;
    }
    *out = at.offset;
    return true;
}

static void say_part(struct watch *w, struct watch_part *p)
{
    int64_t now[3] = {p->log_start, p->lso, p->hw};
    if (!p->internal && memcmp(now, p->said, sizeof now) != 0) {
        memcpy(p->said, now, sizeof now);
        hist_add(w->h, H_SAMPLE, HP_FACT, 0, HS(p->topic), HI(p->number), HI(p->log_start),
                 HI(p->lso), HI(p->hw));
    }
}

/* The last stable offset is asked first: as the end only grows, both being equal means that they
 * were equal at the first moment. */
bool sample_part(struct watch *w, struct watch_part *p)
{
    uint64_t now = clock_mono_ns();
    int64_t lso, hw;
    p->fresh = false;
    if (p->log_start < 0 || now - p->start_ns > (uint64_t)STARTS_MS * 1000000) {
        if (!list(w, p, ADMIN_EARLIEST, ADMIN_READ_UNCOMMITTED, &p->log_start)) {
            return false;
        }
        p->start_ns = now;
    }
    if (!list(w, p, ADMIN_LATEST, ADMIN_READ_COMMITTED, &lso) ||
        !list(w, p, ADMIN_LATEST, ADMIN_READ_UNCOMMITTED, &hw)) {
        return false;
    }
    p->lso = lso;
    p->hw = hw;
    p->fresh = true;
    say_part(w, p);
    return true;
}

/** The leaders that did not answer in this round. */
struct away {
    int32_t ids[AWAY_MAX];
    size_t n;
};

static bool is_away(const struct away *a, int32_t leader)
{
    for (size_t i = 0; i < a->n; i++) {
        if (a->ids[i] == leader) {
            return true;
        }
    }
    return false;
}

static void sample_parts(struct watch *w, bool internal)
{
    struct away away = {0};
    for (size_t i = 0; i < w->parts.n && !atomic_load(&w->stop); i++) {
        struct watch_part *p = w->parts.items[i];
        if (p->internal != internal) {
            continue;
        }
        p->fresh = false;
        if (is_away(&away, p->leader)) {
            continue;
        }
        if (!sample_part(w, p)) {
            w->stale = true;
            if (away.n < AWAY_MAX) {
                away.ids[away.n++] = p->leader;
            }
        }
    }
}

void sample_internal(struct watch *w)
{
    sample_parts(w, true);
}

/* ---- places ---------------------------------------------------------------------------------- */

static struct watch_place *want_place(struct watch *w, const struct watch_use *u,
                                      struct watch_part *p)
{
    char *key = xasprintf("%d\n%s\n%s\n%d", u->group, u->who, u->topic, (int)p->number);
    struct map_entry *at = map_put_str(&w->place_index, key);
    free(key);
    if (!at->p) {
        struct watch_place *x = xcalloc(1, sizeof *x);
        *x = (struct watch_place){.part = p,
                                  .who = u->who,
                                  .group = u->group,
                                  .next = -1,
                                  .said = -2,
                                  .clear_from = -1,
                                  .clear_to = -1};
        at->p = x;
        *VEC_PUSH(&w->places) = x; /* NOLINT(bugprone-sizeof-expression): a list of pointers */
    }
    return at->p;
}

static bool knows_topic(const struct watch *w, const char *topic)
{
    for (size_t i = 0; i < w->parts.n; i++) {
        if (strcmp(w->parts.items[i]->topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

static void use_places(struct watch *w, const struct watch_use *u)
{
    w->stale = w->stale || (u->live && !knows_topic(w, u->topic));
    for (size_t i = 0; i < w->parts.n; i++) {
        struct watch_part *p = w->parts.items[i];
        if (strcmp(p->topic, u->topic) != 0) {
            continue;
        }
        struct watch_place *x = want_place(w, u, p);
        x->live = u->live;
        if (!u->group) {
            char *key = xasprintf("%s\n%s\n%d", u->who, u->topic, (int)p->number);
            struct map_entry *at = map_get_str(&w->positions, key);
            x->next = at ? at->i : -1;
            x->known = x->stable = true;
            free(key);
        }
    }
}

void sample_uses(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->uses.n; i++) {
        use_places(w, w->uses.items[i]);
    }
    pthread_mutex_unlock(&w->lock);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *member_ids(const struct admin_group *g)
{
    struct buf text = {0};
    const char **ids = xcalloc(g->nmembers + 1, sizeof *ids);
    for (size_t i = 0; i < g->nmembers; i++) {
        ids[i] = g->members[i].member_id ? g->members[i].member_id : "";
    }
    if (g->nmembers > 1) {
        qsort(ids, g->nmembers, sizeof *ids, by_text);
    }
    for (size_t i = 0; i < g->nmembers; i++) {
        buf_printf(&text, "%s%s", i ? "," : "", ids[i]);
    }
    free(ids);
    return buf_take(&text);
}

static void sample_state(struct watch *w, const char *group)
{
    struct admin_group g;
    struct err e;
    if (admin_describe_group(w->admin, group, WATCH_ASK_MS, &g, &e) == 0 && g.error == 0) {
        char *ids = member_ids(&g);
        const char *state = g.state ? g.state : "";
        uint64_t now = hash_str(hash_str(g.nmembers + 1, state), ids);
        bool rests = strcasecmp(state, "stable") == 0 && g.nmembers > 0;
        map_put_str(&w->group_unrest, group)->u = !rests;
        struct map_entry *at = map_put_str(&w->group_states, group);
        if (at->u != now) {
            at->u = now;
            hist_add(w->h, H_GROUP, HP_FACT, 0, HS(group), HS(state), HI(g.nmembers), HS(ids));
        }
        free(ids);
    }
    admin_group_free(&g);
}

static void say_place(struct watch *w, struct watch_place *x)
{
    if (x->said != x->next || x->said_stable != x->stable) {
        x->said = x->next;
        x->said_stable = x->stable;
        hist_add(w->h, H_COMMITTED, HP_FACT, 0, HS(x->who), HS(x->part->topic), HI(x->part->number),
                 HI(x->next), HI(x->stable));
    }
}

static void take_committed(struct watch *w, struct watch_place *x, const struct admin_offsets *o)
{
    for (size_t i = 0; i < o->n; i++) {
        const struct admin_committed *c = &o->items[i];
        if (c->partition != x->part->number || strcmp(c->topic, x->part->topic) != 0) {
            continue;
        }
        if (c->error == KAFKA_UNSTABLE_OFFSET_COMMIT) {
            x->known = true;
            x->stable = false;
            say_place(w, x);
        } else if (c->error == 0) {
            x->known = x->stable = true;
            x->next = c->offset;
            say_place(w, x);
        }
    }
}

static bool of_group(const struct watch_place *x, const char *group)
{
    return x->group && strcmp(x->who, group) == 0;
}

static void sample_committed(struct watch *w, const char *group)
{
    struct admin_tp *parts = xcalloc(w->places.n + 1, sizeof *parts);
    struct admin_offsets o;
    struct err e;
    size_t n = 0;
    for (size_t i = 0; i < w->places.n; i++) {
        struct watch_place *x = w->places.items[i];
        if (of_group(x, group)) {
            x->known = false;
            parts[n++] = (struct admin_tp){x->part->topic, x->part->number};
        }
    }
    if (n > 0 && admin_offset_fetch(w->admin, group, parts, n, true, WATCH_ASK_MS, &o, &e) == 0) {
        for (size_t i = 0; i < w->places.n; i++) {
            if (of_group(w->places.items[i], group)) {
                take_committed(w, w->places.items[i], &o);
            }
        }
    }
    if (n > 0) {
        admin_offsets_free(&o);
    }
    free(parts);
}

static void sample_groups(struct watch *w)
{
    struct map seen = {0};
    for (size_t i = 0; i < w->places.n && !atomic_load(&w->stop); i++) {
        const struct watch_place *x = w->places.items[i];
        bool fresh = false;
        if (x->group) {
            map_put(&seen, x->who, strlen(x->who), &fresh);
        }
        if (fresh) {
            sample_committed(w, x->who);
            sample_state(w, x->who);
        }
    }
    map_free(&seen);
}

void sample_round(struct watch *w, bool groups)
{
    if (groups) {
        sample_programs(w);
    }
    sample_uses(w);
    read_topics(w);
    sample_uses(w);
    sample_parts(w, false);
    if (groups) {
        sample_groups(w);
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

static void free_parts(struct watch *w)
{
    for (size_t i = 0; i < w->parts.n; i++) {
        free(w->parts.items[i]->topic);
        free(w->parts.items[i]);
    }
    for (size_t i = 0; i < w->places.n; i++) {
        free(w->places.items[i]);
    }
    for (size_t i = 0; i < w->uses.n; i++) {
        free(w->uses.items[i]->who);
        free(w->uses.items[i]->topic);
        free(w->uses.items[i]);
    }
    free(w->parts.items);
    free(w->places.items);
    free(w->uses.items);
}

void sample_free(struct watch *w)
{
    free_parts(w);
    programs_free(w);
    map_free(&w->part_index);
    map_free(&w->place_index);
    map_free(&w->positions);
    map_free(&w->group_states);
    map_free(&w->group_unrest);
    map_free(&w->pids);
    admin_close(w->admin);
    hist_close(w->h);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    free(w);
}
