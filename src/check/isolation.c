/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries of records that are not committed: committed_only (no role sees a record of an aborted
 * or still open transaction, whatever isolation it asked for) and saw_aborted, which counts them. A
 * run of deliveries names its first and last offset and a count: which records it holds is certain
 * only where the count leaves one reading. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

static uint64_t last_time(const struct m_deliver *d)
{
    return d->count == 1 ? d->ev->t : (uint64_t)event_int(d->ev, H_DELIVER_LAST_TIME);
}

/* Records in [first, last]: of any outcome. */
static int64_t all_records(const struct m_deliver *d)
{
    return (int64_t)(part_lower(d->part, d->last + 1) - part_lower(d->part, d->first));
}

static bool certain(const struct m_deliver *d, const struct m_record *r, bool whole)
{
    return whole || r->offset == d->first || r->offset == d->last;
}

/* ---- committed_only ---- */

static void aborted_read(struct judge *j, struct m_deliver *d, const struct m_record *r)
{
    struct anomaly *a = anomaly_add(j, "aborted_read");
    if (!a) {
        return;
    }
    a->id = record_name(j->pool, r->part, r->offset);
    a->t = d->ev->t;
    a->group = d->group;
    a->deliver = d;
    anomaly_log_record(a, r);
    anomaly_event(a, d->ev);
    anomaly_proc(a, d->proc);
    a->text = JTEXT(j, "%s was delivered to %s (%s), and its transaction was aborted", a->id,
                    d->proc->name, d->read_committed ? "read_committed" : "read_uncommitted");
}

/* Times of two hosts prove no order: how far their clocks are apart nobody has measured. */
static bool same_clock(const struct m_proc *x, const struct m_proc *y)
{
    return x->hist && y->hist && x->hist->boot == y->hist->boot;
}

/* Delivered before the commit of its transaction was even asked for. */
static bool too_early(const struct m_deliver *d, const struct m_record *r)
{
    const struct m_txn *t = r->txn;
    if (r->outcome == OUT_OPEN) {
        return true;
    }
    return r->outcome == OUT_COMMITTED && t && t->commit && last_time(d) < t->commit->t &&
           same_clock(d->proc, t->proc);
}

static void dirty_read(struct judge *j, struct m_deliver *d, const struct m_record *r)
{
    struct anomaly *a = anomaly_add(j, "dirty_read");
    if (!a) {
        return;
    }
    a->id = record_name(j->pool, r->part, r->offset);
    a->t = d->ev->t;
    a->group = d->group;
    a->deliver = d;
    anomaly_log_record(a, r);
    anomaly_event(a, d->ev);
    anomaly_proc(a, d->proc);
    a->text = JTEXT(j, "%s was delivered to %s (%s) before its transaction was committed", a->id,
                    d->proc->name, d->read_committed ? "read_committed" : "read_uncommitted");
}

/* What to do with a record of an aborted transaction that was delivered, for sure. */
typedef void (*aborted_fn)(struct judge *j, struct m_deliver *d, const struct m_record *r,
                           struct eval *out);

static void report_aborted(struct judge *j, struct m_deliver *d, const struct m_record *r,
                           struct eval *out)
{
    aborted_read(j, d, r);
}

static void each_aborted(struct judge *j, struct m_deliver *d, aborted_fn fn, struct eval *out)
{
    int64_t visible = part_visible(d->part, d->first, d->last);
    int64_t least = deliver_least(d);
    bool whole = least >= all_records(d), told = false;
    for (size_t i = part_lower(d->part, d->first); i < d->part->records.n; i++) {
        const struct m_record *r = &d->part->records.items[i];
        if (r->offset > d->last) {
            break;
        }
        if (r->outcome == OUT_ABORTED && (certain(d, r, whole) || (least > visible && !told))) {
            fn(j, d, r, out);
            told = true;
        }
    }
}

static void each_dirty(struct judge *j, struct m_deliver *d)
{
    int64_t least = deliver_least(d);
    bool whole = least >= all_records(d) || least >= part_visible(d->part, d->first, d->last);
    for (size_t i = part_lower(d->part, d->first); i < d->part->records.n; i++) {
        const struct m_record *r = &d->part->records.items[i];
        if (r->offset > d->last) {
            break;
        }
        if (r->outcome != OUT_ABORTED && too_early(d, r) && certain(d, r, whole)) {
            dirty_read(j, d, r);
        }
    }
}

static bool asked(const struct plan_pred *pred, const struct m_deliver *d)
{
    return pred->roles.n == 0 || plan_strings_has(&pred->roles, d->proc->role);
}

void check_committed_only(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct m_topic *t = pred->topic ? model_topic(j->m, pred->topic) : NULL;
    int64_t hidden = 0;
    size_t before = j->anomalies.n + j->hushed;
    for (size_t k = 0; t && k < t->parts.n; k++) {
        struct m_part *p = t->parts.items[k];
        for (size_t i = 0; p && i < p->delivers.n; i++) {
            struct m_deliver *d = p->delivers.items[i];
            if (asked(pred, d)) {
                out->judged += d->count;
                each_aborted(j, d, report_aborted, out);
                each_dirty(j, d);
            }
        }
        for (size_t i = 0; p && i < p->records.n; i++) {
            hidden += p->records.items[i].outcome == OUT_ABORTED;
        }
    }
    if (!j->audited) {
        out->unknown = "the audit is not complete";
    }
    out->detail = hidden > 0 && j->anomalies.n + j->hushed == before
                      ? JTEXT(j, "%lld judged, %lld aborted records stayed hidden",
                              (long long)out->judged, (long long)hidden)
                      : NULL;
}

/* ---- saw_aborted ---- */

static void count_aborted(struct judge *j, struct m_deliver *d, const struct m_record *r,
                          struct eval *out)
{
    eval_count(out, d->ev->t);
    if (out->times == 1) {
        const char *name = record_name(j->pool, r->part, r->offset);
        out->worst = (struct eval_case){
            .kind = "aborted_read",
            .id = name,
            .text = JTEXT(j, "%s was delivered to %s, and its transaction was aborted", name,
                          d->proc->name),
            .record = r,
            .deliver = d,
        };
    }
}

void check_saw_aborted(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct m_topic *t = pred->topic ? model_topic(j->m, pred->topic) : NULL;
    for (size_t k = 0; t && k < t->parts.n; k++) {
        struct m_part *p = t->parts.items[k];
        for (size_t i = 0; p && i < p->delivers.n; i++) {
            struct m_deliver *d = p->delivers.items[i];
            if (asked(pred, d)) {
                out->judged += d->count;
                each_aborted(j, d, count_aborted, out);
            }
        }
    }
    eval_counted(j, out, "delivered records");
}
