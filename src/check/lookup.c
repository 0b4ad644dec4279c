/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the finished model: who, where, when, with what outcome; and the short names of
 * processes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/model_internal.h"

struct m_topic *model_topic(const struct model *m, const char *name)
{
    const struct map_entry *at = map_get_str(&m->topic_index, name);
    return at ? at->p : NULL;
}

struct m_group *model_group(const struct model *m, const char *name)
{
    const struct map_entry *at = map_get_str(&m->group_index, name);
    return at ? at->p : NULL;
}

struct m_proc *model_proc(const struct model *m, const char *role, int index, int incarnation)
{
    for (size_t i = 0; i < m->procs.n; i++) {
        struct m_proc *p = m->procs.items[i];
        if (p->index == index && p->incarnation == incarnation && strcmp(p->role, role) == 0) {
            return p;
        }
    }
    return NULL;
}

const struct event *model_phase(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->phases.n; i++) {
        if (strcmp(event_str(m->phases.items[i], H_PHASE_NAME), name) == 0) {
            return m->phases.items[i];
        }
    }
    return NULL;
}

size_t part_lower(const struct m_part *p, int64_t offset)
{
    size_t lo = 0, hi = p->records.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->records.items[mid].offset < offset) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

struct m_record *part_record(const struct m_part *p, int64_t offset)
{
    size_t i = part_lower(p, offset);
    return i < p->records.n && p->records.items[i].offset == offset ? &p->records.items[i] : NULL;
}

int64_t part_visible(const struct m_part *p, int64_t first, int64_t last)
{
    return p->visible[part_lower(p, last + 1)] - p->visible[part_lower(p, first)];
}

static size_t control_lower(const struct m_part *p, int64_t offset)
{
    size_t lo = 0, hi = p->controls.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->controls.items[mid].offset < offset) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

int64_t deliver_least(const struct m_deliver *d)
{
    const struct m_part *p = d->part;
    size_t records = part_lower(p, d->last + 1) - part_lower(p, d->first);
    size_t markers = control_lower(p, d->last + 1) - control_lower(p, d->first);
    int64_t untold = d->last - d->first + 1 - (int64_t)records - (int64_t)markers;
    int64_t least = untold > 0 ? d->count - untold : d->count;
    return least > 0 ? least : 0;
}

size_t part_deliver_from(const struct m_part *p, int64_t offset)
{
    size_t lo = 0, hi = p->delivers.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->delivers.items[mid]->first < offset - p->span) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

int txn_log_outcome(const struct m_txn *t)
{
    int kinds = (t->committed > 0) + (t->aborted > 0) + (t->open > 0);
    if (kinds != 1) {
        return -1;
    }
    return t->committed ? OUT_COMMITTED : t->aborted ? OUT_ABORTED : OUT_OPEN;
}

int txn_committed(const struct m_txn *t)
{
    int log = txn_log_outcome(t);
    if (log == OUT_COMMITTED || log == OUT_ABORTED) {
        return log == OUT_COMMITTED;
    }
    if (t->committed + t->aborted + t->open > 0) {
        return -1;
    }
    if (t->commit_done && t->commit_done->phase == HP_OK) {
        return 1;
    }
    if (!t->commit && t->proc->hist) {
        return 0; /* no commit was ever asked for */
    }
    return -1;
}

uint64_t txn_end_time(const struct m_txn *t)
{
    const struct event *ev = t->abort_done    ? t->abort_done
                             : t->commit_done ? t->commit_done
                             : t->abort       ? t->abort
                                              : t->commit;
    return ev ? ev->t : 0;
}

/* The marker that ended the open segment of r; NULL while it is open. */
static const struct m_control *marker_of(const struct m_record *r)
{
    const struct m_part *p = r->part;
    size_t lo = 0, hi = p->controls.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->controls.items[mid].offset < r->offset) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < p->controls.n; lo++) {
        if (p->controls.items[lo].pid == r->pid) {
            return &p->controls.items[lo];
        }
    }
    return NULL;
}

uint64_t record_time(const struct model *m, const struct m_record *r)
{
    int64_t ms = event_int(r->ev, H_LOG_RECORD_TIMESTAMP);
    if (r->outcome == OUT_COMMITTED) {
        const struct m_txn *t = r->txn;
        if (t && t->commit_done && t->commit_done->phase == HP_OK) {
            return t->commit_done->t;
        }
        const struct m_control *c = marker_of(r);
        if (c) {
            ms = event_int(c->ev, H_LOG_CONTROL_TIMESTAMP);
        }
    } else if (r->proc) {
        const struct m_ack *a = model_ack(r->proc, r->seq);
        if (a && a->phase == HP_OK) {
            return a->count == 1 ? a->ev->t : (uint64_t)event_int(a->ev, H_ACK_LAST_TIME);
        }
    }
    int64_t ns = ms > 0 && ms < INT64_MAX / 1000000 ? ms * 1000000 - m->real_minus_mono : 0;
    return ns > 0 ? (uint64_t)ns : 0;
}

const char *record_name(struct pool *pool, const struct m_part *p, int64_t offset)
{
    return pool_printf(pool, "%s[%d]@%lld", p->topic->name, (int)p->number, (long long)offset);
}

static size_t prefix_needed(const struct model *m, const char *role)
{
    size_t need = 1;
    for (size_t i = 0; i < m->plan->roles.n; i++) {
        const char *other = m->plan->roles.items[i].name;
        if (strcmp(other, role) == 0) {
            continue;
        }
        size_t same = 0;
        while (role[same] && role[same] == other[same]) {
            same++;
        }
        need = same + 1 > need ? same + 1 : need;
    }
    size_t len = strlen(role);
    return need < len ? need : len;
}

void model_name_procs(struct model *m)
{
    for (size_t i = 0; i < m->procs.n; i++) {
        struct m_proc *p = m->procs.items[i];
        const struct plan_role *r = plan_role(m->plan, p->role);
        int len = r ? (int)prefix_needed(m, p->role) : (int)strlen(p->role);
        if (r && r->count == 1) {
            p->name = pool_printf(m->pool, "%.*s#%d", len, p->role, p->incarnation);
        } else {
            p->name = pool_printf(m->pool, "%.*s%d#%d", len, p->role, p->index, p->incarnation);
        }
    }
}
