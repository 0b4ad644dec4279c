/* SPDX-License-Identifier: Apache-2.0 */
/* Hides who shall have which partition: the assignors `uniform` and `range`. Loop thread only. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/cgroup.h"

/** A member while targets are computed. */
struct share {
    struct cmember *m;
    struct cparts topics, got;
    size_t quota;
};
struct work {
    struct share *shares;
    size_t n;
    struct cparts topics; /**< of all members, index = how many partitions */
    struct cparts left;   /**< partitions that nobody has yet */
};

/* ---- which assignor ---------------------------------------------------------------------------
 */

static const char *const assignors[] = {"uniform", "range"};

bool cgroup_is_assignor(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(assignors); i++) {
        if (strcmp(assignors[i], name) == 0) {
            return true;
        }
    }
    return false;
}

const char *cgroup_assignor(const struct cgroup *g, const struct cmember *by)
{
    size_t best = 0, most = 0;
    for (size_t k = 0; k < ARRAY_LEN(assignors); k++) {
        size_t votes = 0;
        for (size_t i = 0; i < g->members.n; i++) {
            const char *wish = g->members.items[i]->assignor;
            votes += wish && strcmp(wish, assignors[k]) == 0;
        }
        bool alone = by && by->assignor && votes == 1 && strcmp(by->assignor, assignors[k]) == 0;
        if (votes > most || (alone && votes == most)) {
            best = k;
            most = votes;
        }
    }
    return assignors[best];
}

/* ---- uniform: as even as can be, then as few moves as can be ------------------------------------
 */

static bool wants(const struct share *s, const struct cpart *p)
{
    for (size_t i = 0; i < s->topics.n; i++) {
        const struct cpart *t = &s->topics.items[i];
        if (memcmp(t->topic, p->topic, sizeof t->topic) == 0) {
            return p->index < t->index;
        }
    }
    return false;
}

static bool same_topics(const struct work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        if (!cparts_equal(&w->shares[i].topics, &w->topics)) {
            return false;
        }
    }
    return true;
}

/** Each keeps what it had, up to its quota; the rest is left. */
static void keep_old(struct work *w)
{
    struct cparts kept = {0};
    for (size_t i = 0; i < w->n; i++) {
        struct share *s = &w->shares[i];
        for (size_t k = 0; k < s->m->target.n && s->got.n < s->quota; k++) {
            const struct cpart *p = &s->m->target.items[k];
            if (wants(s, p)) {
                cparts_add(&s->got, p->topic, p->index, 0);
                cparts_add(&kept, p->topic, p->index, 0);
            }
        }
    }
    cparts_sort(&kept);
    for (size_t i = 0; i < w->topics.n; i++) {
        struct cpart p = w->topics.items[i];
        for (int32_t n = p.index; n > 0; n--) {
            p.index = w->topics.items[i].index - n;
            if (!cparts_find(&kept, &p)) {
                cparts_add(&w->left, p.topic, p.index, 0);
            }
        }
    }
    cparts_free(&kept);
}

static void set_quotas(struct work *w)
{
    size_t all = 0;
    for (size_t i = 0; i < w->topics.n; i++) {
        all += (size_t)w->topics.items[i].index;
    }
    for (size_t i = 0; i < w->n; i++) {
        w->shares[i].quota = all / w->n + (i < all % w->n);
    }
}

static void uniform_same(struct work *w)
{
    set_quotas(w);
    keep_old(w);
    size_t next = 0;
    for (size_t i = 0; i < w->n; i++) {
        struct share *s = &w->shares[i];
        while (s->got.n < s->quota && next < w->left.n) {
            const struct cpart *p = &w->left.items[next++];
            cparts_add(&s->got, p->topic, p->index, 0);
        }
    }
}

static struct share *least_loaded(struct work *w, const struct cpart *p)
{
    struct share *best = NULL;
    for (size_t i = 0; i < w->n; i++) {
        struct share *s = &w->shares[i];
        if (wants(s, p) && (!best || s->got.n < best->got.n)) {
            best = s;
        }
    }
    return best;
}

/** Moves one partition to somebody who has at least two fewer. @return whether there was one. */
static bool even_out(struct work *w, struct share *from)
{
    for (size_t i = 0; i < from->got.n; i++) {
        struct cpart p = from->got.items[i];
        struct share *to = least_loaded(w, &p);
        if (to && to->got.n + 2 <= from->got.n) {
            from->got.items[i] = from->got.items[--from->got.n];
            cparts_add(&to->got, p.topic, p.index, 0);
            return true;
        }
    }
    return false;
}

static void uniform_mixed(struct work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        w->shares[i].quota = SIZE_MAX;
    }
    keep_old(w);
    for (size_t i = 0; i < w->left.n; i++) {
        const struct cpart *p = &w->left.items[i];
        struct share *s = least_loaded(w, p);
        if (s) {
            cparts_add(&s->got, p->topic, p->index, 0);
        }
    }
    for (bool moved = true; moved;) { /* each move lowers the sum of the squares */
        moved = false;
        for (size_t i = 0; i < w->n; i++) {
            while (even_out(w, &w->shares[i])) {
                moved = true;
            }
        }
    }
}

/* ---- range: of each topic neighbouring partitions -----------------------------------------------
 */

/** Static members first, by instance; then by member id. */
static int by_name(const void *x, const void *y)
{
    const struct cmember *a = ((const struct share *)x)->m, *b = ((const struct share *)y)->m;
    if (a->instance && b->instance) {
        return strcmp(a->instance, b->instance);
    }
    if (a->instance || b->instance) {
        return a->instance ? -1 : 1;
    }
    return strcmp(a->id, b->id);
}

static void range(struct work *w)
{
    qsort(w->shares, w->n, sizeof *w->shares, by_name);
    for (size_t t = 0; t < w->topics.n; t++) {
        struct cpart p = w->topics.items[t];
        int32_t all = p.index, users = 0, nth = 0, at = 0;
        p.index = 0;
        for (size_t i = 0; i < w->n; i++) {
            users += wants(&w->shares[i], &p);
        }
        for (size_t i = 0; i < w->n; i++) {
            struct share *s = &w->shares[i];
            if (!wants(s, &p)) {
                continue;
            }
            int32_t end = at + all / users + (nth++ < all % users);
            for (; at < end; at++) {
                cparts_add(&s->got, p.topic, at, 0);
            }
        }
    }
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

static void begin(struct work *w, struct cgroup *g)
{
    w->n = g->members.n;
    w->shares = xcalloc(w->n + 1, sizeof *w->shares);
    for (size_t i = 0; i < w->n; i++) {
        struct share *s = &w->shares[i];
        s->m = g->members.items[i];
        cgroup_topics(s->m, &s->topics);
        cgroup_topics(s->m, &w->topics);
        cparts_sort(&s->topics);
    }
    cparts_sort(&w->topics);
}

static void end(struct work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct share *s = &w->shares[i];
        cparts_sort(&s->got);
        cparts_move(&s->m->target, &s->got);
        cparts_free(&s->topics);
    }
    cparts_free(&w->topics);
    cparts_free(&w->left);
    free(w->shares);
}

void cgroup_assign(struct cgroup *g, const struct cmember *by)
{
    struct work w = {0};
    begin(&w, g);
    if (strcmp(cgroup_assignor(g, by), "range") == 0) {
        range(&w);
    } else if (same_topics(&w)) {
        uniform_same(&w);
    } else {
        uniform_mixed(&w);
    }
    end(&w);
    g->assignment_epoch = g->epoch;
    g->assigned_ms = state_mono_ms();
}
