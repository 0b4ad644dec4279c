/* SPDX-License-Identifier: Apache-2.0 */
/* Matches inputs with effects in three steps: items from the source (committed records of a topic,
 * or what a role sent), then which item each record of the source is, then the effects: visible
 * records of the destination, or deliveries to the destination role that were not undone by an
 * abort. Everything is by index into growing arrays; one look-up per record. */
#include "check/flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static size_t new_item(struct flow *f)
{
    *VEC_PUSH(&f->items) = (struct flow_item){0};
    return f->items.n - 1;
}

static void add_input(struct flow *f, size_t item, struct m_record *r)
{
    *VEC_PUSH(&f->inputs) = (struct flow_input){r, f->items.items[item].input};
    f->items.items[item].input = (uint32_t)f->inputs.n;
    f->items.items[item].inputs++;
}

static void add_effect(struct flow *f, size_t item, struct flow_effect e)
{
    struct flow_item *it = &f->items.items[item];
    e.next = 0;
    *VEC_PUSH(&f->effects) = e;
    uint32_t at = (uint32_t)f->effects.n;
    if (it->last) {
        f->effects.items[it->last - 1].next = at;
    } else {
        it->effect = at;
    }
    it->last = at;
    bool probe = !e.d && e.r->probe;
    *(probe ? &it->probes : e.maybe ? &it->maybe : &it->sure) += 1;
}

/* ---- the roles between, and the groups they read through ---- */

static bool is_worker(const struct flow *f, const char *role)
{
    for (size_t i = 0; i < f->workers.n; i++) {
        if (strcmp(f->workers.items[i], role) == 0) {
            return true;
        }
    }
    return false;
}

static bool sends_to(const struct m_proc *p, const struct m_topic *to)
{
    for (size_t i = 0; i < p->sends.n; i++) {
        if (p->sends.items[i].topic == to) {
            return true;
        }
    }
    return false;
}

static void find_workers(struct flow *f)
{
    if (f->to_role) {
        *VEC_PUSH(&f->workers) = f->to_role;
        return;
    }
    for (size_t i = 0; f->to && i < f->j->m->procs.n; i++) {
        const struct m_proc *p = f->j->m->procs.items[i];
        if (!is_worker(f, p->role) && sends_to(p, f->to)) {
            *VEC_PUSH(&f->workers) = p->role;
        }
    }
}

static void add_group(struct flow *f, struct m_group *g)
{
    for (size_t i = 0; i < f->groups.n; i++) {
        if (f->groups.items[i] == g) {
            return;
        }
    }
    *VEC_PUSH(&f->groups) = g;
}

static void find_groups(struct flow *f)
{
    const struct model *m = f->j->m;
    for (size_t i = 0; i < m->delivers.n; i++) {
        const struct m_deliver *d = m->delivers.items[i];
        if (d->group && (!f->from || d->part->topic == f->from) && is_worker(f, d->proc->role)) {
            add_group(f, d->group);
        }
    }
    if (f->groups.n > 0 || !f->from || f->to_role) {
        return;
    }
    for (size_t i = 0; i < m->groups.n; i++) {
        for (size_t k = 0; k < f->from->parts.n; k++) {
            if (f->from->parts.items[k] &&
                group_final(m->groups.items[i], f->from->parts.items[k]) >= 0) {
                add_group(f, m->groups.items[i]);
            }
        }
    }
}

bool flow_passed(const struct flow *f, const struct m_part *p, int64_t offset)
{
    for (size_t i = 0; i < f->groups.n; i++) {
        if (group_final(f->groups.items[i], p) > offset) {
            return true;
        }
    }
    if (f->groups.n > 0) {
        return false;
    }
    for (size_t i = p->delivers.n; i-- > 0;) {
        const struct m_deliver *d = p->delivers.items[i];
        if (d->last < offset && d->first + p->span < offset) {
            break;
        }
        if (d->last >= offset && !d->group && is_worker(f, d->proc->role)) {
            return true;
        }
    }
    return false;
}

/* ---- items ---- */

/* A group that starts at the end has no promise for what stood there before it came. */
static int64_t first_position(const struct flow *f, const struct m_part *p)
{
    bool latest = false;
    for (size_t i = 0; i < f->j->m->procs.n && !latest; i++) {
        const struct m_proc *w = f->j->m->procs.items[i];
        latest = w->latest && is_worker(f, w->role);
    }
    if (!latest) {
        return 0;
    }
    for (size_t i = 0; i < p->delivers.n; i++) {
        if (is_worker(f, p->delivers.items[i]->proc->role)) {
            return p->delivers.items[i]->first;
        }
    }
    return INT64_MAX;
}

static int item_by_id(struct flow *f, const struct m_record *r, struct buf *b, size_t *item)
{
    b->len = 0;
    int rc = flow_record_id(f->j, f->pred, r, b);
    if (rc != 0) {
        return rc;
    }
    bool fresh;
    struct map_entry *at = map_put(&f->ids, b->data ? b->data : "", b->len, &fresh);
    if (fresh) {
        at->u = new_item(f);
        f->items.items[at->u].id = flow_id_text(f->scratch, b);
        f->items.items[at->u].required = true;
    }
    *item = at->u;
    return 0;
}

static int topic_items(struct flow *f, struct m_part *p, struct buf *b)
{
    int64_t from = first_position(f, p);
    p->items = pool_alloc(f->scratch, (p->records.n + 1) * sizeof *p->items);
    for (size_t i = 0; i < p->records.n; i++) {
        struct m_record *r = &p->records.items[i];
        if (r->probe || r->offset < from || !outcome_visible(r->outcome) ||
            (i > 0 && r[-1].offset == r->offset)) {
            continue;
        }
        size_t item = 0;
        int rc = f->pred->id == ID_LINEAGE ? 1 : item_by_id(f, r, b, &item);
        if (rc < 0) {
            return -1;
        }
        if (rc == 1) { /* by lineage; a record that the id function does not want is no input */
            if (f->pred->id == ID_FUNCTION) {
                continue;
            }
            item = new_item(f);
            f->items.items[item].required = true;
        }
        add_input(f, item, r);
        p->items[i] = item + 1;
    }
    f->sources_complete = f->sources_complete && p->complete && p->log_start == 0;
    return 0;
}

struct send_key {
    const struct m_proc *proc;
    int64_t seq;
};

static bool send_required(const struct m_send *s, const struct m_proc *p, int64_t seq)
{
    const struct m_ack *a = model_ack(p, seq);
    if (!a || a->phase != HP_OK) {
        return false;
    }
    return !s->txn || txn_committed(s->txn) == 1;
}

static void role_items(struct flow *f, struct m_proc *p)
{
    for (size_t i = 0; i < p->sends.n; i++) {
        const struct m_send *s = &p->sends.items[i];
        if (f->to && s->topic != f->to) {
            continue;
        }
        for (int64_t k = 0; k < s->count; k++) {
            struct send_key key = {p, s->seq + k};
            bool fresh;
            struct map_entry *at = map_put(&f->ids, &key, sizeof key, &fresh);
            if (!fresh) {
                continue;
            }
            at->u = new_item(f);
            struct flow_item *it = &f->items.items[at->u];
            it->proc = p;
            it->seq = s->seq + k;
            it->inputs = 1;
            it->required = send_required(s, p, it->seq);
        }
    }
    f->sources_complete = f->sources_complete && p->hist && !p->hist->damage;
}

/* Which item a record of the log is, when the source is a role. */
static void role_records(struct flow *f, struct m_part *p)
{
    p->items = pool_alloc(f->scratch, (p->records.n + 1) * sizeof *p->items);
    for (size_t i = 0; i < p->records.n; i++) {
        struct m_record *r = &p->records.items[i];
        if (!r->proc || strcmp(r->proc->role, f->from_role) != 0) {
            continue;
        }
        struct send_key key = {r->proc, r->seq};
        const struct map_entry *at = map_get(&f->ids, &key, sizeof key);
        if (at) {
            p->items[i] = at->u + 1;
            if (!f->items.items[at->u].input) {
                add_input(f, at->u, r);
                f->items.items[at->u].inputs = 1;
            }
        }
    }
}

static int make_items(struct flow *f)
{
    const struct model *m = f->j->m;
    int rc = 0;
    if (f->from) {
        struct buf b = {0};
        for (size_t i = 0; rc == 0 && i < f->from->parts.n; i++) {
            if (f->from->parts.items[i]) {
                rc = topic_items(f, f->from->parts.items[i], &b);
            }
        }
        buf_free(&b);
        return rc;
    }
    for (size_t i = 0; f->from_role && i < m->procs.n; i++) {
        if (strcmp(m->procs.items[i]->role, f->from_role) == 0) {
            role_items(f, m->procs.items[i]);
        }
    }
    for (size_t i = 0; f->from_role && i < m->topics.n; i++) {
        for (size_t k = 0; k < m->topics.items[i]->parts.n; k++) {
            if (m->topics.items[i]->parts.items[k]) {
                role_records(f, m->topics.items[i]->parts.items[k]);
            }
        }
    }
    return rc;
}

/* ---- effects ---- */

static void stranger(struct flow *f, struct m_record *r)
{
    *VEC_PUSH(&f->strangers) = r;
}

/* The input that a record was made from; index of its item + 1 in *item, 0 = it is none. */
static const struct m_record *source_of(const struct flow *f, const struct m_record *r,
                                        size_t *item)
{
    const struct m_part *src = r->src && r->src->topic == f->from ? r->src : NULL;
    const struct m_record *in = src ? part_record(src, r->src_offset) : NULL;
    *item = in && src->items ? src->items[in - src->records.items] : 0;
    return in;
}

/* An effect without an id belongs to the input without one that it was made from. */
static void nameless_effect(struct flow *f, struct m_record *r)
{
    size_t item;
    const struct m_record *in = source_of(f, r, &item);
    bool unwanted = f->pred->id == ID_FUNCTION && in && !item && outcome_visible(in->outcome);
    if (item && !f->items.items[item - 1].id) {
        add_effect(f, item - 1, (struct flow_effect){.r = r});
    } else if (!unwanted) {
        stranger(f, r);
        f->nameless = f->nameless || !r->src;
    }
}

static int topic_effect(struct flow *f, struct m_record *r, size_t index, struct buf *b)
{
    struct flow_effect e = {.r = r};
    if (f->from_role) {
        if (r->part->items[index]) {
            add_effect(f, r->part->items[index] - 1, e);
        } else if (!r->proc || strcmp(r->proc->role, f->from_role) == 0) {
            stranger(f, r);
        }
        return 0;
    }
    if (f->pred->id == ID_LINEAGE) {
        size_t item;
        const struct m_part *src = r->src && r->src->topic == f->from ? r->src : NULL;
        source_of(f, r, &item);
        if (item) {
            add_effect(f, item - 1, e);
        } else if (!src || r->src_offset >= first_position(f, src)) {
            stranger(f, r);
        }
        return 0;
    }
    b->len = 0;
    int rc = flow_record_id(f->j, f->pred, r, b);
    if (rc != 0) {
        nameless_effect(f, r);
        return rc < 0 ? -1 : 0;
    }
    const struct map_entry *at = map_get(&f->ids, b->data ? b->data : "", b->len);
    if (at) {
        add_effect(f, at->u, e);
    } else {
        stranger(f, r);
    }
    return 0;
}

static int topic_effects(struct flow *f)
{
    struct buf b = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < f->to->parts.n; i++) {
        struct m_part *p = f->to->parts.items[i];
        for (size_t k = 0; p && rc == 0 && k < p->records.n; k++) {
            struct m_record *r = &p->records.items[k];
            if (outcome_visible(r->outcome)) {
                rc = topic_effect(f, r, k, &b);
            }
        }
    }
    buf_free(&b);
    return rc;
}

static void role_effects(struct flow *f)
{
    const struct model *m = f->j->m;
    for (size_t i = 0; i < m->delivers.n; i++) {
        struct m_deliver *d = m->delivers.items[i];
        if (strcmp(d->proc->role, f->to_role) != 0 || !d->part->items || d->proc->probe) {
            continue;
        }
        int ended = d->txn ? txn_committed(d->txn) : 1;
        int64_t visible = part_visible(d->part, d->first, d->last);
        if (ended == 0) {
            continue;
        }
        if (visible > d->count) {
            *VEC_PUSH(&f->thin) = d;
        }
        for (size_t k = part_lower(d->part, d->first); k < d->part->records.n; k++) {
            struct m_record *r = &d->part->records.items[k];
            if (r->offset > d->last) {
                break;
            }
            if (d->part->items[k] && outcome_visible(r->outcome)) {
                struct flow_effect e = {
                    .r = r,
                    .d = d,
                    .maybe = ended < 0 ||
                             (visible > d->count && r->offset != d->first && r->offset != d->last)};
                add_effect(f, d->part->items[k] - 1, e);
            }
        }
    }
}

static struct m_topic *end_topic(struct judge *j, const char *name)
{
    return name && plan_topic(j->plan, name) ? model_topic(j->m, name) : NULL;
}

int flow_make(struct flow *f, struct judge *j, const struct plan_pred *pred)
{
    *f = (struct flow){.j = j, .pred = pred, .times = pred->times > 0 ? pred->times : 1};
    f->scratch = pool_new();
    f->sources_complete = true;
    f->from = end_topic(j, pred->from);
    f->to = end_topic(j, pred->to);
    f->from_role = f->from ? NULL : pred->from;
    f->to_role = f->to ? NULL : pred->to;
    find_workers(f);
    find_groups(f);
    if (make_items(f) != 0) {
        return -1;
    }
    if (f->to) {
        return topic_effects(f);
    }
    if (f->to_role) {
        role_effects(f);
    }
    return 0;
}

static void forget(struct m_topic *t)
{
    for (size_t i = 0; i < t->parts.n; i++) {
        if (t->parts.items[i]) {
            t->parts.items[i]->items = NULL;
        }
    }
}

void flow_free(struct flow *f)
{
    for (size_t i = 0; i < f->j->m->topics.n; i++) {
        forget(f->j->m->topics.items[i]);
    }
    free(f->items.items);
    free(f->inputs.items);
    free(f->effects.items);
    free(f->strangers.items);
    free(f->workers.items);
    free(f->groups.items);
    free(f->thin.items);
    map_free(&f->ids);
    pool_free(f->scratch);
}

const char *flow_id(struct flow *f, const struct flow_item *it)
{
    if (it->id) {
        return pool_str(f->j->pool, it->id);
    }
    if (it->proc) {
        return JTEXT(f->j, "%s seq %lld", it->proc->name, (long long)it->seq);
    }
    const struct m_record *r = f->inputs.items[it->input - 1].r;
    return record_name(f->j->pool, r->part, r->offset);
}
