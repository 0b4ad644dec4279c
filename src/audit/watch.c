/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the thread of the watch: rounds of samples, a judgement after each while a drain is waited
 * for, and the way back to the loop. The runner's calls only leave notes behind a lock. */
#include "audit/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/watch_priv.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
    ROUND_MS = 200,
    ROUND_MAX_MS = 1000,
    GROUPS_MS = 500,
    QUIET_MS = 1000, /**< how long everything must have been the same */
    CPU_SHARE = 15,  /**< a round may cost one part of so many */
};

/* ---- the runner's side ----------------------------------------------------------------------- */

static struct watch_use *find_use(struct watch *w, const char *who, const char *topic, bool group)
{
    for (size_t i = 0; i < w->uses.n; i++) {
        struct watch_use *u = w->uses.items[i];
        if (u->group == group && strcmp(u->who, who) == 0 && strcmp(u->topic, topic) == 0) {
            return u;
        }
    }
    return NULL;
}

static void add_use(struct watch *w, const char *who, const char *topic, bool group)
{
    pthread_mutex_lock(&w->lock);
    struct watch_use *u = find_use(w, who, topic, group);
    if (!u) {
        u = xcalloc(1, sizeof *u);
        *u = (struct watch_use){.who = xstrdup(who), .topic = xstrdup(topic), .group = group};
        *VEC_PUSH(&w->uses) = u; /* NOLINT(bugprone-sizeof-expression): a list of pointers */
    }
    u->live = true;
    pthread_mutex_unlock(&w->lock);
}

void watch_group(struct watch *w, const char *group, const char *topic)
{
    add_use(w, group, topic, true);
}

void watch_reader(struct watch *w, const char *name, const char *topic)
{
    add_use(w, name, topic, false);
}

static struct map_entry *position(struct watch *w, const char *name, const char *topic,
                                  int32_t partition, bool create)
{
    char *key = xasprintf("%s\n%s\n%d", name, topic, (int)partition);
    struct map_entry *at =
        create ? map_put_str(&w->positions, key) : map_get_str(&w->positions, key);
    free(key);
    return at;
}

void watch_position(struct watch *w, const char *name, const char *topic, int32_t partition,
                    int64_t next)
{
    add_use(w, name, topic, false);
    pthread_mutex_lock(&w->lock);
    position(w, name, topic, partition, true)->i = next;
    pthread_mutex_unlock(&w->lock);
}

void watch_forget(struct watch *w, const char *name)
{
    size_t len = strlen(name);
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->uses.n; i++) {
        struct watch_use *u = w->uses.items[i];
        if (!u->group && strcmp(u->who, name) == 0) {
            u->live = false;
        }
    }
    for (size_t i = 0; i < w->positions.n; i++) {
        struct map_entry *at = &w->positions.items[i];
        if (at->len > len && memcmp(at->key, name, len) == 0 && at->key[len] == '\n') {
            at->i = -1;
        }
    }
    pthread_mutex_unlock(&w->lock);
}

void watch_drain(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->draining = true;
    w->drains++;
    snprintf(w->why, sizeof w->why, "the first look at the cluster has not ended");
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void watch_cut(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->cut = true;
    pthread_mutex_unlock(&w->lock);
}

char *watch_why(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    char *why = xstrdup(w->why);
    pthread_mutex_unlock(&w->lock);
    return why;
}

/* ---- back to the loop ------------------------------------------------------------------------ */

struct news {
    struct watch_token *token;
    unsigned drain;
};

static void token_drop(struct watch_token *t)
{
    if (atomic_fetch_sub(&t->refs, 1) == 1) {
        free(t);
    }
}

static void on_loop(void *arg)
{
    struct news *n = arg;
    struct watch *w = n->token->w;
    if (w) {
        pthread_mutex_lock(&w->lock);
        bool current = w->drains == n->drain;
        pthread_mutex_unlock(&w->lock);
        if (current) {
            w->o.on_drained(w->o.arg);
        }
    }
    token_drop(n->token);
    free(n);
}

static void tell(struct watch *w, unsigned drain)
{
    struct news *n = xcalloc(1, sizeof *n);
    atomic_fetch_add(&w->token->refs, 1);
    n->token = w->token;
    n->drain = drain;
    loop_post(w->o.loop, on_loop, n);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/** Waits until the next round is due, the drain begins or the end comes. */
static void pause_round(struct watch *w, uint64_t began_ns, uint64_t cost_ns)
{
    uint64_t rest = cost_ns * CPU_SHARE, max = (uint64_t)ROUND_MAX_MS * 1000000;
    uint64_t round = (uint64_t)ROUND_MS * 1000000, until = began_ns + round;
    uint64_t now = clock_mono_ns();
    rest = rest < max ? rest : max;
    until = until > now + rest ? until : now + rest;
    struct timespec t = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
    pthread_mutex_lock(&w->lock);
    unsigned drains = w->drains;
    bool was = w->draining;
    while (!atomic_load(&w->stop) && w->drains == drains && w->draining == was &&
           pthread_cond_timedwait(&w->wake, &w->lock, &t) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&w->lock);
}

static bool is_quiet(struct watch *w, bool clean, uint64_t began_ns, uint64_t vector)
{
    if (!clean || vector != w->vector || w->clean == 0) {
        w->vector = vector;
        w->same_ns = began_ns;
        w->clean = clean ? 1 : 0;
        return false;
    }
    w->clean++;
    return w->clean >= 3 && began_ns - w->same_ns >= (uint64_t)QUIET_MS * 1000000;
}

static uint64_t vector_of(const struct watch *w)
{
    uint64_t v = 0;
    for (size_t i = 0; i < w->parts.n; i++) {
        const struct watch_part *p = w->parts.items[i];
        if (!p->internal) {
            v = hash_mix(hash_mix(hash_mix(v, (uint64_t)p->log_start), (uint64_t)p->lso),
                         (uint64_t)p->hw);
        }
    }
    for (size_t i = 0; i < w->places.n; i++) {
        v = hash_mix(v, (uint64_t)w->places.items[i]->next);
    }
    return v;
}

/** After a round while a drain is waited for. */
static void judge(struct watch *w, unsigned drain, uint64_t began_ns)
{
    char why[WATCH_WHY] = "";
    w->clean = w->judged == drain ? w->clean : 0;
    w->judged = drain;
    bool clean = drain_is_clean(w, why);
    if (clean) {
        snprintf(why, sizeof why, "everything has been read, but not long enough ago");
    }
    bool done = is_quiet(w, clean, began_ns, vector_of(w));
    if (done) {
        snprintf(why, sizeof why, "nothing: the drain is complete");
    }
    pthread_mutex_lock(&w->lock);
    bool current = w->drains == drain;
    if (current) {
        memcpy(w->why, why, sizeof w->why);
        w->draining = !done;
    }
    pthread_mutex_unlock(&w->lock);
    if (current && done) {
        tell(w, drain);
    }
}

static void round_of(struct watch *w)
{
    uint64_t began = clock_mono_ns(), cpu = cpu_ns();
    pthread_mutex_lock(&w->lock);
    bool draining = w->draining;
    unsigned drain = w->drains;
    w->in_cut = w->cut;
    pthread_mutex_unlock(&w->lock);
    bool groups = draining || began - w->groups_ns >= (uint64_t)GROUPS_MS * 1000000;
    sample_round(w, groups);
    if (groups) {
        w->groups_ns = began;
    }
    if (draining && !atomic_load(&w->stop)) {
        judge(w, drain, began);
    }
    pause_round(w, began, cpu_ns() - cpu);
}

static void *run(void *arg)
{
    struct watch *w = arg;
    while (!atomic_load(&w->stop)) {
        round_of(w);
    }
    open_write(w);
    return NULL;
}

struct watch *watch_start(const struct watch_opts *o, struct err *e)
{
    struct watch *w = xcalloc(1, sizeof *w);
    pthread_condattr_t attr;
    w->o = *o;
    w->stale = true;
    snprintf(w->why, sizeof w->why, "no drain was asked for");
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attr);
    pthread_condattr_destroy(&attr);
    w->token = xcalloc(1, sizeof *w->token);
    atomic_init(&w->token->refs, 1);
    w->token->w = w;
    w->admin = admin_open(o->bootstrap, "kaos-watch", e);
    w->h = w->admin ? hist_open(o->history, &(struct hist_ident){.role = "watch"}, e) : NULL;
    int rc = w->h ? pthread_create(&w->thread, NULL, run, w) : -1;
    if (rc > 0) {
        errno = rc;
        err_sys(e, "starting the thread of the watch");
    }
    if (rc != 0) {
        token_drop(w->token);
        sample_free(w);
        return NULL;
    }
    return w;
}

void watch_stop(struct watch *w)
{
    if (!w) {
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->stop_ns = clock_mono_ns();
    atomic_store(&w->stop, true);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->token->w = NULL;
    token_drop(w->token);
    sample_free(w);
}
