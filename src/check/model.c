/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the model: one pass that hands each event to the part that knows its kind, then a pass
 * that orders and links. This file holds the objects by name and what the runner wrote. */
#include "check/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/model_internal.h"

void model_strange(struct model *m, const struct event *ev)
{
    *VEC_PUSH(&m->strange) = ev;
}

struct m_topic *model_want_topic(struct model *m, const char *name)
{
    struct map_entry *at = map_put_str(&m->topic_index, name);
    if (!at->p) {
        struct m_topic *t = pool_alloc(m->pool, sizeof *t);
        t->name = pool_str(m->pool, name);
        t->plan = plan_topic(m->plan, name);
        at->p = t;
        *VEC_PUSH(&m->topics) = t;
    }
    return at->p;
}

struct m_part *model_want_part(struct model *m, const char *topic, int64_t number)
{
    if (!*topic || number < 0 || number >= PARTITIONS_MAX) {
        return NULL;
    }
    struct m_topic *t = model_want_topic(m, topic);
    while (t->parts.n <= (size_t)number) {
        *VEC_PUSH(&t->parts) = NULL;
    }
    struct m_part **at = &t->parts.items[number];
    if (!*at) {
        *at = pool_alloc(m->pool, sizeof **at);
        (*at)->topic = t;
        (*at)->number = (int32_t)number;
        (*at)->hw = (*at)->lso = -1;
    }
    return *at;
}

struct m_group *model_want_group(struct model *m, const char *name)
{
    if (!*name) {
        return NULL;
    }
    struct map_entry *at = map_put_str(&m->group_index, name);
    if (!at->p) {
        struct m_group *g = pool_alloc(m->pool, sizeof *g);
        g->name = pool_str(m->pool, name);
        at->p = g;
        *VEC_PUSH(&m->groups) = g;
    }
    return at->p;
}

static size_t proc_key(char key[static 320], const char *role, int64_t index, int64_t incarnation)
{
    size_t len = strnlen(role, 300);
    memcpy(key, role, len);
    key[len++] = 0;
    memcpy(key + len, &index, sizeof index);
    memcpy(key + len + sizeof index, &incarnation, sizeof incarnation);
    return len + 2 * sizeof index;
}

struct m_proc *model_want_proc(struct model *m, const char *role, int64_t index,
                               int64_t incarnation)
{
    char key[320];
    size_t len = proc_key(key, role, index, incarnation);
    struct map_entry *at = map_put(&m->proc_index, key, len, NULL);
    if (!at->p) {
        struct m_proc *p = pool_alloc(m->pool, sizeof *p);
        p->role = pool_str(m->pool, role);
        p->index = (int)index;
        p->incarnation = (int)incarnation;
        p->reader = strcmp(role, "kaos-reader") == 0;
        at->p = p;
        *VEC_PUSH(&m->procs) = p;
    }
    return at->p;
}

struct m_txn *model_want_txn(struct model *m, struct m_proc *p, const char *producer,
                             int64_t number)
{
    if (number < 0) {
        return NULL;
    }
    char key[320];
    size_t len = proc_key(key, producer, number, 0);
    struct map_entry *at = map_put(&p->txn_index, key, len, NULL);
    if (!at->p) {
        struct m_txn *t = pool_alloc(m->pool, sizeof *t);
        t->proc = p;
        t->producer = pool_str(m->pool, producer);
        t->number = number;
        t->pid = -1;
        at->p = t;
        *VEC_PUSH(&m->txns) = t;
        *VEC_PUSH(&p->txns) = t;
    }
    return at->p;
}

static void add_spawn(struct model *m, const struct event *ev)
{
    struct m_proc *p = model_want_proc(m, event_str(ev, H_SPAWN_ROLE), event_int(ev, H_SPAWN_INDEX),
                                       event_int(ev, H_SPAWN_INCARNATION));
    p->spawn = ev;
    const char *why = event_str(ev, H_SPAWN_WHY);
    p->probe = p->probe || strcmp(why, "probe") == 0;
    p->reader = p->reader || strcmp(why, "reader") == 0;
}

static void add_exit(struct model *m, const struct event *ev)
{
    struct m_proc *p = model_want_proc(m, event_str(ev, H_EXIT_ROLE), event_int(ev, H_EXIT_INDEX),
                                       event_int(ev, H_EXIT_INCARNATION));
    p->exit = ev;
}

static void add_committed(struct model *m, const struct event *ev)
{
    struct m_group *g = model_want_group(m, event_str(ev, H_COMMITTED_GROUP));
    struct m_part *part =
        model_want_part(m, event_str(ev, H_COMMITTED_TOPIC), event_int(ev, H_COMMITTED_PARTITION));
    if (!g || !part) {
        model_strange(m, ev);
        return;
    }
    *VEC_PUSH(&g->committed) = ev;
}

static void add_group(struct model *m, const struct event *ev)
{
    struct m_group *g = model_want_group(m, event_str(ev, H_GROUP_GROUP));
    if (g) {
        *VEC_PUSH(&g->states) = ev;
    }
}

/* What the runner and the watch wrote. */
static void add_runner(struct model *m, const struct event *ev)
{
    switch (ev->kind) {
    case H_PHASE:
        *VEC_PUSH(&m->phases) = ev;
        break;
    case H_SPAWN:
        add_spawn(m, ev);
        break;
    case H_EXIT:
        add_exit(m, ev);
        break;
    case H_SIGNAL:
        *VEC_PUSH(&m->signals) = ev;
        break;
    case H_FAULT:
        *VEC_PUSH(&m->faults) = ev;
        break;
    case H_NODE:
        *VEC_PUSH(&m->nodes) = ev;
        break;
    case H_GROUP:
        add_group(m, ev);
        break;
    case H_COMMITTED:
        add_committed(m, ev);
        break;
    case H_CONFIG:
        *VEC_PUSH(&m->configs) = ev;
        break;
    case H_HARNESS:
        *VEC_PUSH(&m->harness) = ev;
        break;
    case H_PROBE:
        *VEC_PUSH(&m->probes) = ev;
        break;
    default:
        break;
    }
}

static bool is_ours(const struct hist_proc *h)
{
    return h->index <= 0 || h->incarnation <= 0;
}

static void find_procs(struct model *m)
{
    const struct events *es = m->es;
    m->by_hist = pool_alloc(m->pool, (es->nprocs + 1) * sizeof(struct m_proc *));
    for (size_t i = 0; i < es->nprocs; i++) {
        const struct hist_proc *h = &es->procs[i];
        if (is_ours(h)) {
            continue;
        }
        m->by_hist[i] = model_want_proc(m, h->role, h->index, h->incarnation);
        m->by_hist[i]->hist = h;
    }
    for (size_t i = 0; i < es->nprocs; i++) {
        const struct hist_proc *h = &es->procs[i];
        if (m->real_minus_mono == 0 || strcmp(h->role, "runner") == 0) {
            m->real_minus_mono = (int64_t)(h->real_ns - h->mono_ns);
        }
    }
}

static void find_times(struct model *m)
{
    const struct event *on = model_phase(m, "faults_on"), *off = model_phase(m, "faults_off");
    const struct event *drain = model_phase(m, "drain");
    m->t0 = on ? on->t : m->es->n ? m->es->items[0].t : 0;
    m->t_off = off ? off->t : drain ? drain->t : 0;
    m->t_end = m->es->n ? m->es->items[m->es->n - 1].t : 0;
}

struct model *model_new(const struct events *es, const struct plan *p)
{
    struct model *m = xcalloc(1, sizeof *m);
    m->es = es;
    m->plan = p;
    m->pool = pool_new();
    for (size_t i = 0; i < p->topics.n; i++) {
        model_want_topic(m, p->topics.items[i].name);
    }
    find_procs(m);
    struct audit_pass pass = {false};
    for (size_t i = 0; i < es->n; i++) {
        const struct event *ev = &es->items[i];
        struct m_proc *proc = m->by_hist[ev->proc];
        if (proc) {
            model_add_role(m, proc, ev);
        } else if (ev->kind >= H_LOG_PARTITION && ev->kind <= H_AUDIT) {
            model_add_audit(m, &pass, ev);
        } else {
            add_runner(m, ev);
        }
    }
    find_times(m);
    model_finish_roles(m);
    model_finish_log(m);
    model_name_procs(m);
    return m;
}

static void free_part(struct m_part *p)
{
    if (p) {
        free(p->records.items);
        free(p->batches.items);
        free(p->controls.items);
        free(p->open.items);
        free(p->delivers.items);
    }
}

static void free_proc(struct m_proc *p)
{
    free(p->sends.items);
    free(p->acks.items);
    free(p->delivers.items);
    free(p->txns.items);
    free(p->commits.items);
    free(p->seeks.items);
    free(p->own.items);
    map_free(&p->txn_index);
}

static void free_group(struct m_group *g)
{
    free(g->offsets.items);
    free(g->assigns.items);
    free(g->committed.items);
    free(g->states.items);
    map_free(&g->final);
}

static void free_lists(struct model *m)
{
    free(m->topics.items);
    free(m->procs.items);
    free(m->groups.items);
    free(m->txns.items);
    free(m->delivers.items);
    free(m->claims.items);
    free(m->commits.items);
    free(m->faults.items);
    free(m->crashes.items);
    free(m->nodes.items);
    free(m->signals.items);
    free(m->harness.items);
    free(m->probes.items);
    free(m->draws.items);
    free(m->emits.items);
    free(m->reached.items);
    free(m->asserts.items);
    free(m->configs.items);
    free(m->phases.items);
    free(m->logtxns.items);
    free(m->strange.items);
}

void model_free(struct model *m)
{
    if (!m) {
        return;
    }
    for (size_t i = 0; i < m->topics.n; i++) {
        struct m_topic *t = m->topics.items[i];
        for (size_t j = 0; j < t->parts.n; j++) {
            free_part(t->parts.items[j]);
        }
        free(t->parts.items);
    }
    for (size_t i = 0; i < m->procs.n; i++) {
        free_proc(m->procs.items[i]);
    }
    for (size_t i = 0; i < m->groups.n; i++) {
        free_group(m->groups.items[i]);
    }
    for (size_t i = 0; i < m->txns.n; i++) {
        free(m->txns.items[i]->claims.items);
        free(m->txns.items[i]->records.items);
    }
    free_lists(m);
    map_free(&m->topic_index);
    map_free(&m->proc_index);
    map_free(&m->group_index);
    pool_free(m->pool);
    free(m);
}
