/* SPDX-License-Identifier: Apache-2.0 */
/* What roles were delivered, against the log: offsets_agree (acknowledged records are where they
 * were acknowledged; kaos's own read_committed reader was delivered exactly what is visible) and
 * probe (the fresh instance of each group added nothing). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

enum { SHOWN = 200 };

/* ---- offsets_agree ---- */

static void phantom(struct judge *j, struct m_proc *p, const struct m_ack *ack, int64_t k,
                    const struct m_record *other)
{
    struct anomaly *a = anomaly_add(j, "phantom_ack");
    if (!a) {
        return;
    }
    const struct m_send *s = model_send(p, ack->seq + k);
    const char *at = record_name(j->pool, ack->part, ack->offset + k);
    a->id = at;
    a->t = ack->ev->t;
    anomaly_record(a, ack->part, ack->offset + k);
    anomaly_proc(a, p);
    anomaly_event(a, s ? s->ev : NULL);
    anomaly_event(a, ack->ev);
    anomaly_txn(a, s ? s->txn : NULL);
    if (s && s->src) {
        anomaly_source(a, s->src, s->src_offset + (ack->seq + k - s->seq));
        a->id = JTEXT(j, "%s (from %s)", at, record_name(j->pool, a->in, a->in_offset));
    }
    if (other) {
        anomaly_log_record(a, other);
    }
    a->text = JTEXT(j, "%s seq %lld was acknowledged as %s, where the log holds %s", p->name,
                    (long long)(ack->seq + k), at, other ? "another record" : "nothing");
}

static void judge_ack(struct judge *j, struct m_proc *p, const struct m_ack *ack, struct eval *out)
{
    const struct m_part *part = ack->part;
    if (ack->phase != HP_OK || ack->offset < 0 || !part || !part->audited || !part->complete ||
        part->compacted) {
        return;
    }
    size_t at = part_lower(part, ack->offset);
    for (int64_t k = 0; k < ack->count; k++) {
        int64_t offset = ack->offset + k;
        for (; at < part->records.n && part->records.items[at].offset < offset; at++) {
        }
        if (offset < part->log_start) {
            continue;
        }
        out->judged++;
        const struct m_record *r = at < part->records.n ? &part->records.items[at] : NULL;
        r = r && r->offset == offset ? r : NULL;
        bool right = r && r->proc == p && r->seq == ack->seq + k;
        if (!right) {
            phantom(j, p, ack, k, r);
        }
    }
}

static void reader_gap(struct judge *j, struct m_part *p, const struct m_record *r,
                       const struct m_proc *reader, const char *what)
{
    struct anomaly *a = anomaly_add(j, "library_delivery");
    if (!a) {
        return;
    }
    a->id = record_name(j->pool, p, r->offset);
    anomaly_log_record(a, r);
    anomaly_proc(a, (struct m_proc *)reader);
    a->text = JTEXT(j, "%s %s", a->id, what);
}

static bool was_assigned(const struct m_proc *p, const struct m_topic *t)
{
    for (size_t i = 0; i < p->own.n; i++) {
        const struct event *ev = p->own.items[i];
        if (ev->kind == H_ASSIGN && strcmp(event_str(ev, H_ASSIGN_TOPIC), t->name) == 0) {
            return true;
        }
    }
    return false;
}

/* One reader lives through the whole run, or its successor starts anew: the last one counts. */
static const struct m_proc *last_reader(const struct judge *j, const struct m_topic *t)
{
    const struct m_proc *last = NULL;
    for (size_t i = 0; i < j->m->procs.n; i++) {
        const struct m_proc *r = j->m->procs.items[i];
        if (r->reader && (!last || r->incarnation > last->incarnation) && was_assigned(r, t)) {
            last = r;
        }
    }
    return last;
}

static bool stopped_well(const struct m_proc *p)
{
    return p->hist && p->hist->closed && p->exit && event_int(p->exit, H_EXIT_SIGNAL) == 0 &&
           event_int(p->exit, H_EXIT_CODE) == 0;
}

/* What one run of deliveries has too much or too little. */
static void reader_run(struct judge *j, struct m_part *p, const struct m_deliver *d)
{
    int64_t visible = part_visible(p, d->first, d->last);
    bool more = d->count > visible;
    if (d->count == visible || (more && deliver_least(d) <= visible)) {
        return;
    }
    for (size_t k = part_lower(p, d->first); k < p->records.n; k++) {
        const struct m_record *r = &p->records.items[k];
        bool inner = r->offset > d->first && r->offset < d->last;
        if (r->offset > d->last) {
            break;
        }
        if (more && !outcome_visible(r->outcome)) {
            reader_gap(j, p, r, d->proc,
                       "is not committed and was delivered to a read_committed reader");
            return;
        }
        if (!more && inner && outcome_visible(r->outcome)) {
            reader_gap(j, p, r, d->proc,
                       JTEXT(j,
                             "or one of those behind it up to %lld (%lld of them) was not "
                             "delivered to a read_committed reader",
                             (long long)d->last - 1, (long long)(visible - d->count)));
            return;
        }
    }
}

/* Visible records that the reader was not delivered, or twice. Behind its last delivery nothing is
 * proven: it was stopped when nothing had come for a while. @return false = it was stopped early */
static bool reader_records(struct judge *j, struct m_part *p, const struct m_proc *reader,
                           const int64_t *seen, struct eval *out)
{
    size_t end = p->records.n;
    while (end > 0 && seen[end - 1] == 0) {
        end--;
    }
    bool whole = true;
    for (size_t k = 0; k < p->records.n; k++) {
        const struct m_record *r = &p->records.items[k];
        if (r->probe || !outcome_visible(r->outcome)) {
            continue;
        }
        out->judged++;
        whole = whole && k < end;
        if (seen[k] == 0 && k < end) {
            reader_gap(j, p, r, reader,
                       "is visible and was not delivered to a read_committed reader");
        } else if (seen[k] > 1) {
            reader_gap(j, p, r, reader, "was delivered twice to one read_committed reader");
        }
    }
    return whole;
}

static void judge_reader(struct judge *j, struct m_part *p, const struct m_proc *reader,
                         struct eval *out)
{
    int64_t *seen = xcalloc(p->records.n + 1, sizeof *seen);
    for (size_t i = 0; i < p->delivers.n; i++) {
        const struct m_deliver *d = p->delivers.items[i];
        if (d->proc != reader) {
            continue;
        }
        reader_run(j, p, d);
        for (size_t k = part_lower(p, d->first);
             k < p->records.n && p->records.items[k].offset <= d->last; k++) {
            seen[k]++;
        }
    }
    if (!reader_records(j, p, reader, seen, out)) {
        out->unknown = "the built-in reader was stopped before it had read everything";
        judge_reason(j, "%s was stopped before it had read %s[%d] to its end", reader->name,
                     p->topic->name, (int)p->number);
    }
    free(seen);
}

/* A delivery of an offset that holds no record. */
static void judge_ends(struct judge *j, struct m_part *p, struct eval *out)
{
    for (size_t i = 0; i < p->delivers.n; i++) {
        struct m_deliver *d = p->delivers.items[i];
        if (d->first < p->log_start || d->last >= p->hw || d->proc->probe) {
            continue;
        }
        out->judged += 2;
        int64_t ends[] = {d->first, d->last};
        for (int k = 0; k < (d->first == d->last ? 1 : 2); k++) {
            if (part_record(p, ends[k])) {
                continue;
            }
            struct anomaly *a = anomaly_add(j, "inconsistent_offset");
            if (!a) {
                return;
            }
            a->id = record_name(j->pool, p, ends[k]);
            a->t = d->ev->t;
            anomaly_record(a, p, ends[k]);
            anomaly_event(a, d->ev);
            anomaly_proc(a, d->proc);
            a->text = JTEXT(j, "%s was delivered to %s, and the log holds no record there", a->id,
                            d->proc->name);
        }
    }
}

void check_offsets_agree(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    for (size_t i = 0; i < j->m->procs.n; i++) {
        struct m_proc *p = j->m->procs.items[i];
        for (size_t k = 0; k < p->acks.n && !p->weak_acks; k++) {
            judge_ack(j, p, &p->acks.items[k], out);
        }
    }
    for (size_t i = 0; i < j->m->topics.n; i++) {
        struct m_topic *t = j->m->topics.items[i];
        const struct m_proc *reader = t->plan && j->drained ? last_reader(j, t) : NULL;
        for (size_t k = 0; t->plan && k < t->parts.n; k++) {
            struct m_part *p = t->parts.items[k];
            if (p && p->audited && p->complete && !p->compacted) {
                if (reader && stopped_well(reader)) {
                    judge_reader(j, p, reader, out);
                }
                judge_ends(j, p, out);
            }
        }
    }
    out->detail = JTEXT(j, "%lld judged", (long long)out->judged);
}

/* ---- restart probe ---- */

/* Probe records whose source had its effect in the same topic before. What the probe wrote without
 * lineage, or from a source without effect, proves nothing here; nor does it where no property
 * asks for single effects: at least once may do its last work again. */
struct probed {
    struct map by_source; /**< topic, source -> record of the probe */
    VEC(const struct m_record *) again;
};

struct source_key {
    const struct m_topic *topic;
    const struct m_part *src;
    int64_t offset;
};

static bool single_effects(const struct judge *j, const char *topic)
{
    for (size_t i = 0; i < j->plan->expect.n; i++) {
        for (size_t k = 0; k < j->plan->expect.items[i].preds.n; k++) {
            const struct plan_pred *d = &j->plan->expect.items[i].preds.items[k];
            bool single = d->kind == PRED_EXACTLY_ONCE || d->kind == PRED_NO_DUPLICATES;
            if ((single && d->to && strcmp(d->to, topic) == 0) ||
                plan_strings_has(&d->places, topic)) {
                return true;
            }
        }
    }
    return false;
}

static void each_record(const struct judge *j, void (*fn)(struct probed *, const struct m_record *),
                        struct probed *x)
{
    for (size_t i = 0; i < j->m->topics.n; i++) {
        const struct m_topic *t = j->m->topics.items[i];
        for (size_t k = 0; k < t->parts.n && single_effects(j, t->name); k++) {
            const struct m_part *p = t->parts.items[k];
            for (size_t n = 0; p && n < p->records.n; n++) {
                if (p->records.items[n].src && outcome_visible(p->records.items[n].outcome)) {
                    fn(x, &p->records.items[n]);
                }
            }
        }
    }
}

static void note_probe(struct probed *x, const struct m_record *r)
{
    struct source_key key = {r->part->topic, r->src, r->src_offset};
    if (r->probe) {
        map_put(&x->by_source, &key, sizeof key, NULL)->p = (void *)r;
    }
}

static void note_again(struct probed *x, const struct m_record *r)
{
    struct source_key key = {r->part->topic, r->src, r->src_offset};
    struct map_entry *at = r->probe ? NULL : map_get(&x->by_source, &key, sizeof key);
    if (at && at->p) {
        *VEC_PUSH(&x->again) = at->p;
        *VEC_PUSH(&x->again) = r;
        at->p = NULL;
    }
}

static bool known(const struct judge *j, const struct m_record *r)
{
    for (size_t i = 0; i < j->anomalies.n; i++) {
        const struct anomaly *a = j->anomalies.items[i];
        for (size_t k = 0; k < a->records.n; k++) {
            if (a->records.items[k].part == r->part && a->records.items[k].offset == r->offset) {
                return true;
            }
        }
    }
    return false;
}

static void probe_duplicate(struct judge *j, const struct event *ev, const struct probed *x)
{
    const struct m_record *r = x->again.items[0];
    if (known(j, r)) {
        return;
    }
    struct anomaly *a = anomaly_add(j, "duplicate");
    if (!a) {
        return;
    }
    a->id = record_name(j->pool, r->src, r->src_offset);
    a->group = model_group(j->m, event_str(ev, H_PROBE_GROUP));
    a->t = ev->t;
    anomaly_event(a, ev);
    for (size_t i = 0; i < x->again.n && i < SHOWN; i++) {
        anomaly_log_record(a, x->again.items[i]);
    }
    anomaly_source(a, r->src, r->src_offset);
    a->text = JTEXT(j,
                    "a fresh instance worked on %zu inputs again after all was done: the committed "
                    "offsets were behind",
                    x->again.n / 2);
}

void check_probe(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    out->judged = (int64_t)j->m->probes.n;
    bool added = false;
    for (size_t i = 0; i < j->m->probes.n; i++) {
        added = added || event_int(j->m->probes.items[i], H_PROBE_ADDED) != 0;
    }
    if (added) {
        struct probed x = {0};
        each_record(j, note_probe, &x);
        each_record(j, note_again, &x);
        if (x.again.n > 0) {
            probe_duplicate(j, j->m->probes.items[0], &x);
        }
        free(x.again.items);
        map_free(&x.by_source);
    }
    out->detail = JTEXT(j, "%lld groups judged", (long long)out->judged);
}
