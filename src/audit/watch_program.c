/* SPDX-License-Identifier: Apache-2.0 */
/* What a program reads, seen from outside: nobody tells, so the broker is asked which partitions
 * the members of its groups are assigned and for which a group has committed offsets. Each topic
 * found counts for the drain like one that a role of ours reported. */
#include <stdlib.h>
#include <string.h>

#include "audit/watch_priv.h"
#include "base/hash.h"
#include "base/mem.h"

enum { TOPIC_MAX = 249 };

struct reader { /* of ConsumerProtocol bytes */
    const uint8_t *at;
    size_t left;
};

/* A big-endian number of n bytes; false at the end. */
static bool take(struct reader *r, size_t n, int32_t *out)
{
    uint32_t v = 0;
    if (r->left < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        v = v << 8 | r->at[i];
    }
    r->at += n;
    r->left -= n;
    *out = n == 2 ? (int16_t)v : (int32_t)v;
    return true;
}

size_t watch_assigned_topics(const uint8_t *data, size_t len, struct plan_strings *out)
{
    struct reader r = {data, data ? len : 0};
    int32_t version, topics, name, parts;
    size_t found = 0;
    if (!take(&r, 2, &version) || !take(&r, 4, &topics)) {
        return 0;
    }
    for (int32_t i = 0; i < topics; i++) {
        char text[TOPIC_MAX + 1];
        if (!take(&r, 2, &name) || name < 1 || name > TOPIC_MAX || (size_t)name > r.left) {
            return found;
        }
        memcpy(text, r.at, (size_t)name);
        text[name] = '\0';
        r.at += name;
        r.left -= (size_t)name;
        if (!take(&r, 4, &parts) || parts < 0 || (size_t)parts > r.left / 4) {
            return found;
        }
        r.at += (size_t)parts * 4;
        r.left -= (size_t)parts * 4;
        if (parts > 0) {
            found++;
            if (!plan_strings_has(out, text)) {
                plan_strings_add(out, text);
            }
        }
    }
    return found;
}

void watch_program(struct watch *w, const char *group)
{
    pthread_mutex_lock(&w->lock);
    bool known = false;
    for (size_t i = 0; i < w->programs.n; i++) {
        known = known || strcmp(w->programs.items[i]->group, group) == 0;
    }
    if (!known) {
        struct watch_program *p = xcalloc(1, sizeof *p);
        p->group = xstrdup(group);
        *VEC_PUSH(&w->programs) = p; /* NOLINT(bugprone-sizeof-expression): a list of pointers */
    }
    pthread_mutex_unlock(&w->lock);
}

bool watch_program_reads(struct watch *w, const char *group, uint64_t *changes)
{
    bool reads = false;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->programs.n; i++) {
        const struct watch_program *p = w->programs.items[i];
        if (strcmp(p->group, group) == 0) {
            reads = p->reads;
            *changes = p->changes;
        }
    }
    pthread_mutex_unlock(&w->lock);
    return reads;
}

/* Its members, and what they are assigned. @return a hash of who they are, 0 = not known. */
static uint64_t look_at_members(struct watch *w, const char *group, struct plan_strings *topics)
{
    struct admin_group g;
    struct err e;
    uint64_t members = 0;
    if (admin_describe_group(w->admin, group, WATCH_ASK_MS, &g, &e) == 0 && g.error == 0) {
        members = 1;
        for (size_t i = 0; i < g.nmembers; i++) {
            const char *id = g.members[i].member_id;
            watch_assigned_topics(g.members[i].assignment, g.members[i].assignment_len, topics);
            members += hash_str(1, id ? id : ""); /* in any order */
        }
    }
    admin_group_free(&g);
    return members;
}

static void look_at_offsets(struct watch *w, const char *group, struct plan_strings *topics)
{
    struct admin_offsets o;
    struct err e;
    if (admin_offset_fetch(w->admin, group, NULL, 0, false, WATCH_ASK_MS, &o, &e) == 0) {
        for (size_t i = 0; i < o.n; i++) {
            const struct admin_committed *c = &o.items[i];
            if (c->error == 0 && c->offset >= 0 && !plan_strings_has(topics, c->topic)) {
                plan_strings_add(topics, c->topic);
            }
        }
    }
    admin_offsets_free(&o);
}

static void sample_program(struct watch *w, struct watch_program *p)
{
    struct plan_strings topics = {0};
    uint64_t members = look_at_members(w, p->group, &topics);
    look_at_offsets(w, p->group, &topics);
    for (size_t i = 0; i < topics.n; i++) {
        watch_group(w, p->group, topics.items[i]);
    }
    pthread_mutex_lock(&w->lock);
    p->reads = p->reads || topics.n > 0;
    if (members && members != p->members) {
        p->members = members;
        p->changes++;
    }
    pthread_mutex_unlock(&w->lock);
    plan_strings_free(&topics);
}

void sample_programs(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    size_t n = w->programs.n;
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < n && !atomic_load(&w->stop); i++) {
        pthread_mutex_lock(&w->lock);
        struct watch_program *p = w->programs.items[i]; /* the list may move, its items do not */
        pthread_mutex_unlock(&w->lock);
        sample_program(w, p);
    }
}

void programs_free(struct watch *w)
{
    for (size_t i = 0; i < w->programs.n; i++) {
        free(w->programs.items[i]->group);
        free(w->programs.items[i]);
    }
    free(w->programs.items);
}
