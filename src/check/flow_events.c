/* SPDX-License-Identifier: Apache-2.0 */
/* What may happen to an input on its way, counted: late (its first effect came later than so long
 * after it) and repeated (it has more effects than one). An effect counts from the moment at which
 * a reader could first be given it; where that is known only within bounds, the earliest is taken,
 * and for the input the latest. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"
#include "check/flow.h"
#include "check/spans.h"

/* ---- late ---- */

struct late {
    struct judge *j;
    struct flow f;
    struct map visible; /**< partition of the destination -> its times */
    uint64_t worst_ns;
};

static uint64_t visible_at(struct late *l, const struct m_record *r)
{
    struct map_entry *at = map_put(&l->visible, &r->part, sizeof r->part, NULL);
    if (!at->p) {
        struct spans s;
        spans_make(&s, l->j->m, r->part);
        at->p = spans_visible(&s, l->j->m, r->part);
        spans_free(&s);
    }
    const uint64_t *when = at->p;
    return when[r - r->part->records.items];
}

static uint64_t effect_at(struct late *l, const struct flow_effect *e)
{
    if (!e->d) {
        return visible_at(l, e->r);
    }
    bool last = e->d->count > 1 && e->r->offset == e->d->last;
    return last ? (uint64_t)event_int(e->d->ev, H_DELIVER_LAST_TIME) : e->d->ev->t;
}

static const struct flow_effect *first_effect(struct late *l, const struct flow_item *it,
                                              uint64_t *when)
{
    const struct flow_effect *first = NULL;
    for (uint32_t k = it->effect; k; k = l->f.effects.items[k - 1].next) {
        const struct flow_effect *e = &l->f.effects.items[k - 1];
        uint64_t t = effect_at(l, e);
        if (!first || t < *when) {
            first = e;
            *when = t;
        }
    }
    return first;
}

static const struct m_record *last_input(const struct late *l, const struct flow_item *it,
                                         uint64_t *when)
{
    const struct m_record *last = NULL;
    for (uint32_t k = it->input; k; k = l->f.inputs.items[k - 1].next) {
        const struct m_record *r = l->f.inputs.items[k - 1].r;
        uint64_t t = record_time(l->j->m, r);
        if (!last || t > *when) {
            last = r;
            *when = t;
        }
    }
    return last;
}

static void judge_late(struct late *l, const struct flow_item *it, struct eval *out)
{
    uint64_t from = 0, to = 0, over = (uint64_t)l->f.pred->over_ms * 1000000;
    const struct m_record *in = last_input(l, it, &from);
    const struct flow_effect *e = first_effect(l, it, &to);
    if (!in || !e || from == 0 || to == 0) {
        return;
    }
    out->judged++;
    uint64_t took = to > from ? to - from : 0;
    if (took <= over) {
        return;
    }
    eval_count(out, from + over);
    if (took > l->worst_ns) {
        l->worst_ns = took;
        out->worst = (struct eval_case){
            .kind = "late",
            .id = flow_id(&l->f, it),
            .text =
                JTEXT(l->j, "%s had its effect %lld ms later",
                      record_name(l->j->pool, in->part, in->offset), (long long)(took / 1000000)),
            .record = e->r,
            .source = in,
        };
    }
}

void check_late(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct late l = {.j = j};
    if (flow_make(&l.f, j, pred) != 0) {
        j->failed = true;
    }
    for (size_t i = 0; i < l.f.items.n && !j->failed; i++) {
        judge_late(&l, &l.f.items.items[i], out);
    }
    eval_counted(j, out, "effects");
    if (l.worst_ns > 0) {
        out->detail = JTEXT(j, "%s, the latest after %lld ms", out->detail,
                            (long long)(l.worst_ns / 1000000));
    }
    for (size_t i = 0; i < l.visible.n; i++) {
        free(l.visible.items[i].p);
    }
    map_free(&l.visible);
    flow_free(&l.f);
}

/* ---- repeated ---- */

static const struct flow_effect *effect_after(const struct flow *f, const struct flow_item *it,
                                              int32_t n)
{
    const struct flow_effect *e = NULL;
    for (uint32_t k = it->effect; k && n >= 0; k = f->effects.items[k - 1].next) {
        e = &f->effects.items[k - 1];
        n -= !e->maybe;
    }
    return e;
}

void check_repeated(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct flow f;
    if (flow_make(&f, j, pred) != 0) {
        j->failed = true;
    }
    for (size_t i = 0; i < f.items.n && !j->failed; i++) {
        const struct flow_item *it = &f.items.items[i];
        int32_t most = it->inputs > 0 ? it->inputs : 1;
        out->judged++;
        if (it->sure <= most) {
            continue;
        }
        const struct flow_effect *e = effect_after(&f, it, most);
        eval_count(out, e->d ? e->d->ev->t : record_time(j->m, e->r));
        if (out->times == 1) {
            out->worst = (struct eval_case){
                .kind = "duplicate",
                .id = flow_id(&f, it),
                .text = JTEXT(j, "it has %d effects", (int)it->sure),
                .record = e->r,
                .source = it->input ? f.inputs.items[it->input - 1].r : NULL,
            };
        }
    }
    eval_counted(j, out, "ids");
    flow_free(&f);
}
