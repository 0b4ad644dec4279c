/* SPDX-License-Identifier: Apache-2.0 */
/* What the audit read: batches, records, markers and offset records per partition, put in order and
 * linked with the processes and transactions that their headers name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/model_internal.h"

static void add_partition(struct model *m, const struct audit_pass *pass, const struct event *ev)
{
    struct m_part *p = model_want_part(m, event_str(ev, H_LOG_PARTITION_TOPIC),
                                       event_int(ev, H_LOG_PARTITION_PARTITION));
    if (!p) {
        model_strange(m, ev);
        return;
    }
    if (pass->probe) {
        return;
    }
    int64_t start = event_int(ev, H_LOG_PARTITION_LOG_START);
    int64_t hw = event_int(ev, H_LOG_PARTITION_HW);
    if (!model_sane(start) || !model_sane(hw)) {
        model_strange(m, ev);
        return;
    }
    p->audited = true;
    p->declared = strcmp(event_str(ev, H_LOG_PARTITION_WHAT), "declared") == 0;
    p->complete = event_int(ev, H_LOG_PARTITION_COMPLETE) != 0;
    p->compacted = event_int(ev, H_LOG_PARTITION_COMPACTED) != 0;
    p->log_start = start;
    p->lso = event_int(ev, H_LOG_PARTITION_LSO);
    p->hw = hw;
    int64_t removed = event_int(ev, H_LOG_PARTITION_REMOVED);
    p->removed = removed > 0 && model_sane(removed) ? removed : 0;
}

static void add_batch(struct model *m, const struct audit_pass *pass, const struct event *ev)
{
    struct m_part *p =
        model_want_part(m, event_str(ev, H_LOG_BATCH_TOPIC), event_int(ev, H_LOG_BATCH_PARTITION));
    int64_t base = event_int(ev, H_LOG_BATCH_BASE), last = event_int(ev, H_LOG_BATCH_LAST);
    if (!p || base < 0 || !model_sane(base) || !model_sane(last) ||
        !model_sane(event_int(ev, H_LOG_BATCH_SEQUENCE))) {
        model_strange(m, ev);
        return;
    }
    if (pass->probe) {
        return;
    }
    *VEC_PUSH(&p->batches) = (struct m_batch){
        .base = base,
        .last = last,
        .count = event_int(ev, H_LOG_BATCH_COUNT),
        .pid = event_int(ev, H_LOG_BATCH_PID),
        .sequence = event_int(ev, H_LOG_BATCH_SEQUENCE),
        .epoch = (int32_t)event_int(ev, H_LOG_BATCH_EPOCH),
        .attributes = (int16_t)event_int(ev, H_LOG_BATCH_ATTRIBUTES),
        .outcome = (int8_t)event_int(ev, H_LOG_BATCH_OUTCOME),
        .ev = ev,
    };
}

static void add_record(struct model *m, const struct audit_pass *pass, const struct event *ev)
{
    struct m_part *p = model_want_part(m, event_str(ev, H_LOG_RECORD_TOPIC),
                                       event_int(ev, H_LOG_RECORD_PARTITION));
    int64_t outcome = event_int(ev, H_LOG_RECORD_OUTCOME);
    int64_t offset = event_int(ev, H_LOG_RECORD_OFFSET);
    if (!p || offset < 0 || !model_sane(offset) || !model_sane(event_int(ev, H_LOG_RECORD_SEQ)) ||
        !model_sane(event_int(ev, H_LOG_RECORD_SRC_OFFSET)) || outcome < OUT_PLAIN ||
        outcome > OUT_OPEN) {
        model_strange(m, ev);
        return;
    }
    if (pass->probe && (!p->audited || offset < p->hw)) {
        return;
    }
    struct m_record r = {.offset = offset,
                         .pid = event_int(ev, H_LOG_RECORD_PID),
                         .epoch = (int32_t)event_int(ev, H_LOG_RECORD_EPOCH),
                         .outcome = (int8_t)outcome,
                         .probe = pass->probe,
                         .seq = -1,
                         .src_offset = -1,
                         .part = p,
                         .ev = ev};
    const char *role = event_str(ev, H_LOG_RECORD_ROLE);
    if (*role) {
        r.proc = model_want_proc(m, role, event_int(ev, H_LOG_RECORD_INDEX),
                                 event_int(ev, H_LOG_RECORD_INCARNATION));
        r.seq = event_int(ev, H_LOG_RECORD_SEQ);
    }
    const char *src = event_str(ev, H_LOG_RECORD_SRC_TOPIC);
    if (*src) {
        r.src = model_want_part(m, src, event_int(ev, H_LOG_RECORD_SRC_PARTITION));
        r.src_offset = event_int(ev, H_LOG_RECORD_SRC_OFFSET);
    }
    *VEC_PUSH(&p->records) = r;
}

static void add_control(struct model *m, const struct audit_pass *pass, const struct event *ev)
{
    struct m_part *p = model_want_part(m, event_str(ev, H_LOG_CONTROL_TOPIC),
                                       event_int(ev, H_LOG_CONTROL_PARTITION));
    int64_t type = event_int(ev, H_LOG_CONTROL_TYPE);
    if (!p || type < 0 || type > 1) {
        /* other control types (leader changes, snapshots) end no transaction */
        if (!p) {
            model_strange(m, ev);
        }
        return;
    }
    if (pass->probe) {
        return;
    }
    *VEC_PUSH(&p->controls) = (struct m_control){
        .offset = event_int(ev, H_LOG_CONTROL_OFFSET),
        .pid = event_int(ev, H_LOG_CONTROL_PID),
        .epoch = (int32_t)event_int(ev, H_LOG_CONTROL_EPOCH),
        .commit = type == 1,
        .ev = ev,
    };
}

static void add_offset(struct model *m, const struct audit_pass *pass, const struct event *ev)
{
    struct m_group *g = model_want_group(m, event_str(ev, H_LOG_OFFSET_GROUP));
    struct m_part *p = model_want_part(m, event_str(ev, H_LOG_OFFSET_TOPIC),
                                       event_int(ev, H_LOG_OFFSET_PARTITION));
    int64_t outcome = event_int(ev, H_LOG_OFFSET_OUTCOME);
    if (!g || !p || !model_sane(event_int(ev, H_LOG_OFFSET_OFFSET)) || outcome < OUT_PLAIN ||
        outcome > OUT_OPEN) {
        model_strange(m, ev);
        return;
    }
    if (pass->probe) {
        return;
    }
    struct m_logoff *o = pool_alloc(m->pool, sizeof *o);
    *o = (struct m_logoff){.group = g,
                           .part = p,
                           .offset = event_int(ev, H_LOG_OFFSET_OFFSET),
                           .pid = event_int(ev, H_LOG_OFFSET_PID),
                           .position = event_int(ev, H_LOG_OFFSET_POSITION),
                           .log_partition = event_int(ev, H_LOG_OFFSET_LOG_PARTITION),
                           .epoch = (int32_t)event_int(ev, H_LOG_OFFSET_EPOCH),
                           .outcome = (int8_t)outcome,
                           .ev = ev};
    *VEC_PUSH(&g->offsets) = o;
}

static void add_open(struct model *m, const struct event *ev)
{
    struct m_part *p =
        model_want_part(m, event_str(ev, H_OPEN_TXN_TOPIC), event_int(ev, H_OPEN_TXN_PARTITION));
    if (p) {
        *VEC_PUSH(&p->open) = ev;
    }
}

static void add_audit(struct model *m, struct audit_pass *pass, const struct event *ev)
{
    bool probe = strcmp(event_str(ev, H_AUDIT_PASS), "probe") == 0;
    bool end = strcmp(event_str(ev, H_AUDIT_WHAT), "end") == 0;
    pass->probe = probe && !end;
    if (!probe && end) {
        m->audit_end = ev;
    }
}

void model_add_audit(struct model *m, struct audit_pass *pass, const struct event *ev)
{
    switch (ev->kind) {
    case H_LOG_PARTITION:
        add_partition(m, pass, ev);
        break;
    case H_LOG_BATCH:
        add_batch(m, pass, ev);
        break;
    case H_LOG_RECORD:
        add_record(m, pass, ev);
        break;
    case H_LOG_CONTROL:
        add_control(m, pass, ev);
        break;
    case H_LOG_OFFSET:
        add_offset(m, pass, ev);
        break;
    case H_LOG_TXN:
        *VEC_PUSH(&m->logtxns) = ev;
        break;
    case H_OPEN_TXN:
        add_open(m, ev);
        break;
    case H_AUDIT:
        add_audit(m, pass, ev);
        break;
    default:
        break;
    }
}

/* ---- order and links ---- */

static int by_offset(const void *a, const void *b)
{
    const struct m_record *x = a, *y = b;
    if (x->offset != y->offset) {
        return x->offset < y->offset ? -1 : 1;
    }
    return x->ev->seq < y->ev->seq ? -1 : x->ev->seq > y->ev->seq;
}

static int by_base(const void *a, const void *b)
{
    const struct m_batch *x = a, *y = b;
    if (x->base != y->base) {
        return x->base < y->base ? -1 : 1;
    }
    return x->ev->seq < y->ev->seq ? -1 : x->ev->seq > y->ev->seq;
}

static int by_control(const void *a, const void *b)
{
    const struct m_control *x = a, *y = b;
    if (x->offset != y->offset) {
        return x->offset < y->offset ? -1 : 1;
    }
    return x->ev->seq < y->ev->seq ? -1 : x->ev->seq > y->ev->seq;
}

static int by_position(const void *a, const void *b)
{
    const struct m_logoff *const *x = a, *const *y = b;
    if ((*x)->log_partition != (*y)->log_partition) {
        return (*x)->log_partition < (*y)->log_partition ? -1 : 1;
    }
    if ((*x)->position != (*y)->position) {
        return (*x)->position < (*y)->position ? -1 : 1;
    }
    return (*x)->ev->seq < (*y)->ev->seq ? -1 : (*x)->ev->seq > (*y)->ev->seq;
}

static int by_first(const void *a, const void *b)
{
    const struct m_deliver *const *x = a, *const *y = b;
    if ((*x)->first != (*y)->first) {
        return (*x)->first < (*y)->first ? -1 : 1;
    }
    return (*x)->ev < (*y)->ev ? -1 : (*x)->ev > (*y)->ev;
}

/* The send event knows the producer's transaction; without it the record's own header must do. */
static void link_record(struct model *m, struct m_record *r)
{
    if (!r->proc) {
        return;
    }
    const struct m_send *s = model_send(r->proc, r->seq);
    int64_t number = event_int(r->ev, H_LOG_RECORD_TXN);
    const char *id = event_str(r->ev, H_LOG_RECORD_TXN_ID);
    if (number < 0 || !*id) {
        return;
    }
    int64_t incarnation = event_int(r->ev, H_LOG_RECORD_TXN_INCARNATION);
    if (s && s->txn && s->txn->number == number && incarnation == r->proc->incarnation) {
        r->txn = s->txn;
    } else {
        struct m_proc *p = model_want_proc(m, r->proc->role, r->proc->index, incarnation);
        r->txn = model_want_txn(m, p, id, number);
    }
}

/* The run id is in the headers: that of a record which one of our processes had acknowledged. */
static const char *find_run(const struct m_part *p)
{
    for (size_t i = 0; i < p->records.n; i++) {
        const struct m_record *r = &p->records.items[i];
        const struct m_ack *a = r->proc ? model_ack(r->proc, r->seq) : NULL;
        if (a && a->phase == HP_OK && a->part == p && a->offset + (r->seq - a->seq) == r->offset) {
            return event_str(r->ev, H_LOG_RECORD_RUN);
        }
    }
    return "";
}

/* Records of another run look like ours: they are of nobody. */
static void disown(const struct model *m, struct m_part *p)
{
    for (size_t i = 0; *m->run && i < p->records.n; i++) {
        struct m_record *r = &p->records.items[i];
        if (r->proc && strcmp(event_str(r->ev, H_LOG_RECORD_RUN), m->run) != 0) {
            r->proc = NULL;
            r->src = NULL;
            r->seq = r->src_offset = -1;
        }
    }
}

static void total_record(struct m_record *r)
{
    struct m_txn *t = r->txn;
    *VEC_PUSH(&t->records) = r;
    if (t->pid < 0) {
        t->pid = r->pid;
        t->epoch = r->epoch;
    }
    if (r->outcome == OUT_COMMITTED) {
        t->committed++;
    } else if (r->outcome == OUT_ABORTED) {
        t->aborted++;
    } else if (r->outcome == OUT_OPEN) {
        t->open++;
    }
}

/* Offsets that compaction took out of the middle of the log. */
static int64_t compacted_away(const struct m_part *p)
{
    int64_t there = 0;
    for (size_t i = 0; i < p->records.n && p->records.items[i].offset < p->hw; i++) {
        there += i == 0 || p->records.items[i].offset != p->records.items[i - 1].offset;
    }
    return p->hw - p->log_start - there - (int64_t)p->controls.n;
}

static void finish_part(struct model *m, struct m_part *p)
{
    if (p->records.n) {
        qsort(p->records.items, p->records.n, sizeof *p->records.items, by_offset);
    }
    if (p->batches.n) {
        qsort(p->batches.items, p->batches.n, sizeof *p->batches.items, by_base);
    }
    if (p->controls.n) {
        qsort(p->controls.items, p->controls.n, sizeof *p->controls.items, by_control);
    }
    if (p->delivers.n) {
        qsort(p->delivers.items, p->delivers.n, sizeof *p->delivers.items, by_first);
    }
    for (size_t i = 0; i < p->delivers.n; i++) {
        int64_t span = p->delivers.items[i]->last - p->delivers.items[i]->first;
        p->span = span > p->span ? span : p->span;
    }
    p->visible = pool_alloc(m->pool, (p->records.n + 1) * sizeof *p->visible);
    disown(m, p);
    for (size_t i = 0; i < p->records.n; i++) {
        struct m_record *r = &p->records.items[i];
        p->visible[i + 1] = p->visible[i] + outcome_visible(r->outcome);
        link_record(m, r);
        if (r->txn) {
            total_record(r);
        }
    }
    int64_t away = p->compacted && p->declared && p->complete ? compacted_away(p) : 0;
    p->removed += away > 0 ? away : 0;
}

/* The later offset record wins, not the later end of a transaction. */
static void finish_group(struct m_group *g)
{
    if (g->offsets.n) {
        qsort(g->offsets.items, g->offsets.n, sizeof *g->offsets.items, by_position);
    }
    for (size_t i = 0; i < g->committed.n; i++) {
        const struct event *ev = g->committed.items[i];
        if (event_int(ev, H_COMMITTED_STABLE) == 0) {
            continue;
        }
        char key[320];
        int len = snprintf(key, sizeof key, "%.280s/%lld", event_str(ev, H_COMMITTED_TOPIC),
                           (long long)event_int(ev, H_COMMITTED_PARTITION));
        map_put(&g->final, key, (size_t)len, NULL)->i = event_int(ev, H_COMMITTED_OFFSET);
    }
    for (size_t i = 0; i < g->offsets.n; i++) {
        const struct m_logoff *o = g->offsets.items[i];
        if (!outcome_visible(o->outcome)) {
            continue;
        }
        char key[320];
        int len =
            snprintf(key, sizeof key, "%.280s/%d", o->part->topic->name, (int)o->part->number);
        map_put(&g->final, key, (size_t)len, NULL)->i = o->offset;
    }
}

int64_t group_final(const struct m_group *g, const struct m_part *p)
{
    char key[320];
    int len = snprintf(key, sizeof key, "%.280s/%d", p->topic->name, (int)p->number);
    const struct map_entry *at = map_get(&g->final, key, (size_t)len);
    return at ? at->i : -1;
}

static void find_run_id(struct model *m)
{
    m->run = "";
    for (size_t i = 0; i < m->topics.n; i++) {
        const struct m_topic *t = m->topics.items[i];
        for (size_t k = 0; !*m->run && k < t->parts.n; k++) {
            m->run = t->parts.items[k] ? find_run(t->parts.items[k]) : "";
        }
    }
}

void model_finish_log(struct model *m)
{
    find_run_id(m);
    for (size_t i = 0; i < m->topics.n; i++) {
        struct m_topic *t = m->topics.items[i];
        for (size_t j = 0; j < t->parts.n; j++) {
            if (t->parts.items[j]) {
                finish_part(m, t->parts.items[j]);
            }
        }
    }
    for (size_t i = 0; i < m->groups.n; i++) {
        finish_group(m->groups.items[i]);
    }
    const struct m_topic *internal = model_topic(m, "__consumer_offsets");
    m->internal_read = internal && internal->parts.n > 0;
    for (size_t j = 0; internal && j < internal->parts.n; j++) {
        const struct m_part *p = internal->parts.items[j];
        m->internal_read = m->internal_read && p && p->audited && p->complete && p->log_start == 0;
    }
}
