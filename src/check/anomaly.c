/* SPDX-License-Identifier: Apache-2.0 */
/* Occurrences of anomalies while they are collected: what they touch, without repetition. */
#include "check/anomaly.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct anomaly *anomaly_add(struct judge *j, const char *kind)
{
    if (j->quiet) {
        j->hushed++;
        return NULL;
    }
    struct anomaly *a = xcalloc(1, sizeof *a);
    a->kind = finding_kind_find(kind);
    assert(a->kind);
    a->check = j->check;
    a->prop = j->prop;
    a->id = a->text = a->cause = a->hint = a->call_site = a->signature = "";
    a->primary = -1;
    a->blame = BLAME_UNDETERMINED;
    a->row = 10;
    a->in_offset = -1;
    a->proven = true;
    *VEC_PUSH(&j->anomalies) = a;
    return a;
}

void anomaly_record(struct anomaly *a, struct m_part *p, int64_t offset)
{
    for (size_t i = 0; i < a->records.n; i++) {
        if (a->records.items[i].part == p && a->records.items[i].offset == offset) {
            return;
        }
    }
    *VEC_PUSH(&a->records) = (struct anomaly_record){p, offset};
}

void anomaly_event(struct anomaly *a, const struct event *ev)
{
    for (size_t i = 0; i < a->events.n; i++) {
        if (a->events.items[i] == ev) {
            return;
        }
    }
    if (ev) {
        *VEC_PUSH(&a->events) = ev;
    }
}

void anomaly_proc(struct anomaly *a, struct m_proc *p)
{
    for (size_t i = 0; i < a->procs.n; i++) {
        if (a->procs.items[i] == p) {
            return;
        }
    }
    if (p) {
        *VEC_PUSH(&a->procs) = p;
    }
}

void anomaly_txn(struct anomaly *a, struct m_txn *t)
{
    for (size_t i = 0; i < a->txns.n; i++) {
        if (a->txns.items[i] == t) {
            return;
        }
    }
    if (!t) {
        return;
    }
    *VEC_PUSH(&a->txns) = t;
    anomaly_proc(a, t->proc);
    anomaly_event(a, t->commit_done ? t->commit_done : t->commit);
    anomaly_event(a, t->abort_done ? t->abort_done : t->abort);
}

void anomaly_log_record(struct anomaly *a, const struct m_record *r)
{
    anomaly_record(a, r->part, r->offset);
    anomaly_event(a, r->ev);
    if (r->proc) {
        const struct m_send *s = model_send(r->proc, r->seq);
        const struct m_ack *k = model_ack(r->proc, r->seq);
        anomaly_event(a, s ? s->ev : NULL);
        anomaly_event(a, k ? k->ev : NULL);
        anomaly_proc(a, r->proc);
    }
    anomaly_txn(a, r->txn);
}

void anomaly_source(struct anomaly *a, struct m_part *p, int64_t offset)
{
    a->in = p;
    a->in_offset = offset;
    anomaly_record(a, p, offset);
    for (size_t i = part_deliver_from(p, offset); i < p->delivers.n; i++) {
        struct m_deliver *d = p->delivers.items[i];
        if (d->first > offset) {
            break;
        }
        if (d->last >= offset && !d->proc->reader && a->events.n < 64) {
            anomaly_event(a, d->ev);
            anomaly_proc(a, d->proc);
            anomaly_txn(a, d->txn);
        }
    }
}

void anomaly_free(struct anomaly *a)
{
    free(a->records.items);
    free(a->events.items);
    free(a->txns.items);
    free(a->procs.items);
    free(a);
}

void judge_reason(struct judge *j, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    *VEC_PUSH(&j->reasons) = pool_str(j->pool, text);
}

const char *txn_name(struct judge *j, const struct m_txn *t)
{
    return JTEXT(j, "%s transaction %lld", t->proc->name ? t->proc->name : t->proc->role,
                 (long long)t->number);
}
