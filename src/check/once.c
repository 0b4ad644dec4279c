/* SPDX-License-Identifier: Apache-2.0 */
/* exactly_once and its halves: counts the effects of each input. Where several inputs carry the
 * same id and no lineage tells them apart, any number of effects between one for the id and one for
 * each input is right. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "check/flow.h"

enum { LOSS = 1, DUPLICATES = 2, STRANGERS = 4 };

struct once {
    struct judge *j;
    struct flow f;
    int what;
    VEC(struct m_record *) attempts; /**< records of the destination by their source */
    bool sorted, direct_known, direct;
    bool open; /**< an input without an id lacks an effect, and there is one of nobody */
    int64_t judged, exact;
};

static int by_source(const void *a, const void *b)
{
    const struct m_record *const *x = a, *const *y = b;
    if ((*x)->src->number != (*y)->src->number) {
        return (*x)->src->number < (*y)->src->number ? -1 : 1;
    }
    if ((*x)->src_offset != (*y)->src_offset) {
        return (*x)->src_offset < (*y)->src_offset ? -1 : 1;
    }
    return (*x)->ev < (*y)->ev ? -1 : (*x)->ev > (*y)->ev;
}

static void collect_attempts(struct once *o)
{
    o->sorted = true;
    for (size_t i = 0; o->f.to && o->f.from && i < o->f.to->parts.n; i++) {
        struct m_part *p = o->f.to->parts.items[i];
        for (size_t k = 0; p && k < p->records.n; k++) {
            struct m_record *r = &p->records.items[k];
            if (r->src && r->src->topic == o->f.from) {
                *VEC_PUSH(&o->attempts) = r;
            }
        }
    }
    if (o->attempts.n) {
        qsort(o->attempts.items, o->attempts.n, sizeof *o->attempts.items, by_source);
    }
}

/* Records of the destination, of any outcome, that were made from an input. */
static void add_attempts(struct once *o, struct anomaly *a, const struct m_part *src,
                         int64_t offset)
{
    if (!o->sorted) {
        collect_attempts(o);
    }
    size_t lo = 0, hi = o->attempts.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct m_record *r = o->attempts.items[mid];
        if (r->src->number < src->number ||
            (r->src->number == src->number && r->src_offset < offset)) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < o->attempts.n && o->attempts.items[lo]->src->number == src->number &&
           o->attempts.items[lo]->src_offset == offset;
         lo++) {
        anomaly_log_record(a, o->attempts.items[lo]);
    }
}

/* The input that has no effect of its own: by lineage where effects carry it. */
static struct m_record *missing_input(const struct flow *f, const struct flow_item *it)
{
    struct m_record *last = NULL;
    for (uint32_t i = it->input; i; i = f->inputs.items[i - 1].next) {
        struct m_record *r = f->inputs.items[i - 1].r;
        bool used = false;
        for (uint32_t k = it->effect; k; k = f->effects.items[k - 1].next) {
            const struct flow_effect *e = &f->effects.items[k - 1];
            used = used || (!e->d && e->r->src == r->part && e->r->src_offset == r->offset);
        }
        if (!used) {
            last = r;
        }
    }
    return last ? last : it->input ? f->inputs.items[it->input - 1].r : NULL;
}

static bool ends_complete(const struct once *o)
{
    const struct flow *f = &o->f;
    if (!o->j->drained || !o->j->audited) {
        return false;
    }
    return f->to ? true : o->j->complete;
}

/* An acknowledged record that is gone from the log. */
static void lost_send(struct once *o, const struct flow_item *it)
{
    const struct m_ack *ack = model_ack(it->proc, it->seq);
    struct anomaly *a = anomaly_add(o->j, "lost");
    if (!a) {
        return;
    }
    a->id = flow_id(&o->f, it);
    a->proven = ends_complete(o);
    anomaly_proc(a, it->proc);
    const struct m_send *s = model_send(it->proc, it->seq);
    anomaly_event(a, s ? s->ev : NULL);
    anomaly_event(a, ack ? ack->ev : NULL);
    anomaly_txn(a, s ? s->txn : NULL);
    a->t = ack ? ack->ev->t : 0;
    if (ack && ack->part && ack->offset >= 0) {
        int64_t at = ack->offset + (it->seq - ack->seq);
        anomaly_record(a, ack->part, at);
        a->text = JTEXT(o->j, "acknowledged as %s, and not in the log",
                        record_name(o->j->pool, ack->part, at));
    } else {
        a->text = "acknowledged, and not in the log";
    }
}

/* Whether effects are made from the inputs themselves, and from nothing else than the inputs' way
 * to them: a record that was passed on to another topic may still be waiting there. */
static bool direct(const struct once *o)
{
    bool some = false;
    for (size_t i = 0; i < o->j->m->topics.n; i++) {
        const struct m_topic *t = o->j->m->topics.items[i];
        for (size_t k = 0; k < t->parts.n; k++) {
            const struct m_part *p = t->parts.items[k];
            for (size_t n = 0; p && n < p->records.n; n++) {
                const struct m_record *r = &p->records.items[n];
                if (r->src && r->src->topic == o->f.from && outcome_visible(r->outcome)) {
                    if (t != o->f.to) {
                        return false;
                    }
                    some = true;
                }
            }
        }
    }
    return some;
}

/* Behind the cut, with every transaction ended, nobody can come back to a record that the committed
 * offset has passed: its loss is certain although other records were not drained. */
static bool loss_is_final(struct once *o)
{
    const struct model *m = o->j->m;
    if (!o->f.to || !o->f.from || !o->j->audited || !model_phase(m, "audit") ||
        model_phase(m, "settled")) {
        return false;
    }
    if (!o->direct_known) {
        o->direct_known = true;
        o->direct = direct(o);
    }
    return o->direct;
}

static void lost_item(struct once *o, const struct flow_item *it)
{
    struct judge *j = o->j;
    struct m_record *r = missing_input(&o->f, it);
    if (!r) {
        lost_send(o, it);
        return;
    }
    bool passed = flow_passed(&o->f, r->part, r->offset);
    bool open = o->f.nameless && !it->id && o->f.pred->id != ID_LINEAGE;
    o->open = o->open || open;
    struct anomaly *a = anomaly_add(j, passed ? "lost" : "unprocessed");
    if (!a) {
        return;
    }
    a->id = flow_id(&o->f, it);
    a->proven = !open && (ends_complete(o) || (passed && loss_is_final(o)));
    a->t = record_time(j->m, r);
    anomaly_source(a, r->part, r->offset);
    anomaly_event(a, r->ev);
    add_attempts(o, a, r->part, r->offset);
    a->group = o->f.groups.n ? o->f.groups.items[0] : NULL;
    int64_t final = a->group ? group_final(a->group, r->part) : -1;
    const char *name = record_name(j->pool, r->part, r->offset);
    if (final >= 0) {
        a->text = JTEXT(j, "%s has no effect; committed offset of %s in group %s is %lld", name,
                        r->part->topic->name, a->group->name, (long long) final);
    } else {
        a->text = JTEXT(j, "%s has no effect", name);
    }
}

/* How the second effect came about, as far as the headers tell. */
static const char *second_cause(const struct m_record *x, const struct m_record *y)
{
    if (!x->proc || !y->proc) {
        return "two records with this id";
    }
    if (x->proc == y->proc && x->seq == y->seq) {
        return "one send stands in the log twice (retry of the producer)";
    }
    if (x->txn && x->txn == y->txn) {
        return "sent twice in one transaction";
    }
    if (x->proc == y->proc) {
        return "sent twice by one process";
    }
    return "processed again by another process";
}

static void duplicate_item(struct once *o, const struct flow_item *it)
{
    struct judge *j = o->j;
    struct anomaly *a = anomaly_add(j, "duplicate");
    if (!a) {
        return;
    }
    a->id = flow_id(&o->f, it);
    const struct flow_effect *first = NULL, *second = NULL;
    int n = 0;
    for (uint32_t k = it->effect; k; k = o->f.effects.items[k - 1].next) {
        const struct flow_effect *e = &o->f.effects.items[k - 1];
        n++;
        if (n <= 8 && e->d) {
            anomaly_event(a, e->d->ev);
            anomaly_proc(a, e->d->proc);
            anomaly_record(a, e->r->part, e->r->offset);
        } else if (n <= 8) {
            anomaly_log_record(a, e->r);
        }
        second = first && !second ? e : second;
        first = first ? first : e;
    }
    uint64_t t = !second ? 0 : second->d ? second->d->ev->t : record_time(j->m, second->r);
    a->t = t;
    if (it->input) {
        struct m_record *r = o->f.inputs.items[it->input - 1].r;
        anomaly_source(a, r->part, r->offset);
    }
    if (second && !first->d && !second->d) {
        a->text = JTEXT(j, "%s and %s: %s", record_name(j->pool, first->r->part, first->r->offset),
                        record_name(j->pool, second->r->part, second->r->offset),
                        second_cause(first->r, second->r));
    } else if (second && second->d) {
        a->text = JTEXT(j, "%s was delivered %d times: to %s and to %s",
                        record_name(j->pool, first->r->part, first->r->offset), n,
                        first->d->proc->name, second->d->proc->name);
    }
}

/* Whether effects of one id that has several inputs stem from one and the same input. */
static bool same_lineage(const struct flow *f, const struct flow_item *it)
{
    int64_t same = 0;
    for (uint32_t i = it->input; i; i = f->inputs.items[i - 1].next) {
        const struct m_record *r = f->inputs.items[i - 1].r;
        same = 0;
        for (uint32_t k = it->effect; k; k = f->effects.items[k - 1].next) {
            const struct flow_effect *e = &f->effects.items[k - 1];
            same += !e->d && e->r->src == r->part && e->r->src_offset == r->offset;
        }
        if (same > f->times) {
            return true;
        }
    }
    return false;
}

static void judge_item(struct once *o, const struct flow_item *it)
{
    struct flow *f = &o->f;
    int64_t least = f->times, most = f->times * (it->inputs > 0 ? it->inputs : 1);
    bool over = it->sure + it->probes > most || (it->inputs > 1 && same_lineage(f, it));
    bool under = it->required && it->sure + it->maybe < least;
    if (it->required) {
        o->judged++;
        o->exact += !over && !under;
    }
    if (over && (o->what & DUPLICATES)) {
        duplicate_item(o, it);
    }
    if (under && (o->what & LOSS)) {
        lost_item(o, it);
    }
}

static void stranger(struct once *o, const struct m_record *r)
{
    struct judge *j = o->j;
    const struct plan_pred *pred = o->f.pred;
    bool told = pred->id != ID_LINEAGE || o->f.from_role ? r->proc != NULL : r->src != NULL;
    struct buf b = {0};
    bool named = pred->id != ID_LINEAGE && flow_record_id(j, pred, r, &b) == 0;
    struct anomaly *a = anomaly_add(j, named || told ? "invented" : "garbage");
    if (a) {
        const char *at = record_name(j->pool, r->part, r->offset);
        a->id = named ? flow_id_text(j->pool, &b) : at;
        a->t = record_time(j->m, r);
        a->proven = o->f.sources_complete && j->audited;
        anomaly_log_record(a, r);
        const struct m_record *in = r->src ? part_record(r->src, r->src_offset) : NULL;
        if (in && !outcome_visible(in->outcome)) {
            anomaly_source(a, in->part, in->offset);
            anomaly_txn(a, in->txn);
            a->text = JTEXT(j, "%s was made from %s, which was never committed", at,
                            record_name(j->pool, in->part, in->offset));
        } else if (in && !named && pred->id != ID_LINEAGE) {
            a->text = JTEXT(j, "%s was made from %s, and has no id", at,
                            record_name(j->pool, in->part, in->offset));
        } else if (r->src && !named) {
            a->text = JTEXT(j, "%s was made from %s, which is not in the log", at,
                            record_name(j->pool, r->src, r->src_offset));
        } else {
            a->text = JTEXT(j, "%s has no input", at);
        }
    }
    buf_free(&b);
}

static bool source_differs(const struct once *o, const struct flow_item *it,
                           const struct m_record *r)
{
    const struct m_send *s = r->proc ? model_send(r->proc, r->seq) : NULL;
    if (s && s->src && r->src &&
        (s->src != r->src || s->src_offset + (r->seq - s->seq) != r->src_offset)) {
        return true;
    }
    if (o->f.pred->id == ID_LINEAGE || !o->f.from || !r->src || r->src->topic != o->f.from) {
        return false;
    }
    for (uint32_t i = it->input; i; i = o->f.inputs.items[i - 1].next) {
        const struct m_record *in = o->f.inputs.items[i - 1].r;
        if (in->part == r->src && in->offset == r->src_offset) {
            return false;
        }
    }
    /* the record it was made from exists and carries another id */
    const struct m_record *src = part_record(r->src, r->src_offset);
    return src && outcome_visible(src->outcome);
}

static void judge_content(struct once *o, const struct flow_item *it)
{
    for (uint32_t k = it->effect; k; k = o->f.effects.items[k - 1].next) {
        const struct flow_effect *e = &o->f.effects.items[k - 1];
        if (e->d || !source_differs(o, it, e->r)) {
            continue;
        }
        struct anomaly *a = anomaly_add(o->j, "wrong_content");
        if (!a) {
            return;
        }
        a->id = flow_id(&o->f, it);
        a->t = record_time(o->j->m, e->r);
        anomaly_log_record(a, e->r);
        anomaly_source(a, e->r->src, e->r->src_offset);
        const struct m_send *s = e->r->proc ? model_send(e->r->proc, e->r->seq) : NULL;
        if (s && s->src) {
            anomaly_record(a, s->src, s->src_offset + (e->r->seq - s->seq));
        }
        for (uint32_t i = it->input; i; i = o->f.inputs.items[i - 1].next) {
            const struct m_record *in = o->f.inputs.items[i - 1].r;
            anomaly_record(a, in->part, in->offset);
        }
        a->text =
            JTEXT(o->j, "%s says it was made from %s, but its content or its send says otherwise",
                  record_name(o->j->pool, e->r->part, e->r->offset),
                  record_name(o->j->pool, e->r->src, e->r->src_offset));
    }
}

static uint64_t arrival(const struct once *o, const struct flow_item *it)
{
    if (!it->effect) {
        return 0;
    }
    const struct flow_effect *e = &o->f.effects.items[it->effect - 1];
    if (!e->d) {
        return record_time(o->j->m, e->r);
    }
    return e->d->count == 1 ? e->d->ev->t : (uint64_t)event_int(e->d->ev, H_DELIVER_LAST_TIME);
}

static void once_facts(struct once *o)
{
    struct verdict_facts *facts = &o->j->v->facts;
    if (facts->ids == 0) {
        facts->ids = o->judged;
        facts->exactly_once = o->exact;
    }
}

/* A run of deliveries names its ends and a count. Records between its ends that nothing else
 * delivered, and more of them than the count leaves room for: so many are lost, whichever.
 * @return false when that leaves the question open. */
static bool judge_thin(struct once *o, const struct m_deliver *d)
{
    struct flow *f = &o->f;
    struct m_part *p = d->part;
    int64_t alone = 0, room = d->count - (d->first == d->last ? 1 : 2), first = -1, last = -1;
    for (size_t k = part_lower(p, d->first + 1); k < p->records.n; k++) {
        const struct m_record *r = &p->records.items[k];
        if (r->offset >= d->last) {
            break;
        }
        const struct flow_item *it = p->items[k] ? &f->items.items[p->items[k] - 1] : NULL;
        if (it && it->required && it->sure == 0 && it->maybe == 1) {
            alone++;
            first = first < 0 ? r->offset : first;
            last = r->offset;
        }
    }
    if (alone <= room) {
        return alone == 0;
    }
    struct anomaly *a = anomaly_add(o->j, "lost");
    if (a) {
        struct pool *pool = o->j->pool;
        a->id = record_name(pool, p, first);
        a->id = first == last ? a->id : JTEXT(o->j, "%s..%lld", a->id, (long long)last);
        a->proven = ends_complete(o);
        a->t = d->ev->t;
        a->group = d->group;
        anomaly_source(a, p, first);
        anomaly_record(a, p, last);
        anomaly_event(a, d->ev);
        a->text = JTEXT(o->j, "%lld of the records %s..%lld were not delivered to %s",
                        (long long)(alone - room), record_name(pool, p, first), (long long)last,
                        d->proc->name);
    }
    o->exact -= alone - room;
    return true;
}

static void judge_all(struct once *o, struct eval *out)
{
    for (size_t i = 0; i < o->f.items.n; i++) {
        const struct flow_item *it = &o->f.items.items[i];
        judge_item(o, it);
        if (it->required) {
            uint64_t t = arrival(o, it);
            out->last_t = t > out->last_t ? t : out->last_t;
        }
        if ((o->what & STRANGERS) && o->f.to) {
            judge_content(o, it);
        }
    }
    for (size_t i = 0; (o->what & STRANGERS) && i < o->f.strangers.n; i++) {
        stranger(o, o->f.strangers.items[i]);
    }
}

static void run(struct judge *j, const struct plan_pred *pred, struct eval *out, int what)
{
    struct once o = {.j = j, .what = what};
    if (flow_make(&o.f, j, pred) != 0) {
        j->failed = true;
        flow_free(&o.f);
        return;
    }
    judge_all(&o, out);
    for (size_t i = 0; i < o.f.thin.n && (what & LOSS); i++) {
        if (!judge_thin(&o, o.f.thin.items[i])) {
            out->unknown = "which records of a run were delivered cannot be told";
        }
    }
    if (o.open && !out->unknown) {
        out->unknown = "outputs without id and lineage may be those that inputs without id lack";
    }
    out->judged = o.judged;
    out->times = o.exact;
    once_facts(&o);
    if ((what & LOSS) && !ends_complete(&o) && !out->unknown) {
        out->unknown = !j->drained ? "the drain did not end, so nothing can be called lost"
                                   : "the audit or the history is not complete";
    }
    if (!j->audited && !out->unknown) {
        out->unknown = "the audit is not complete";
    }
    free(o.attempts.items);
    flow_free(&o.f);
}

void check_exactly_once(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    run(j, p, out, LOSS | DUPLICATES | STRANGERS);
}

void check_no_loss(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    run(j, p, out, LOSS);
}

void check_no_duplicates(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    run(j, p, out, DUPLICATES);
}
