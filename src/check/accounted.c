/* SPDX-License-Identifier: Apache-2.0 */
/* accounted: every record of a topic ended in exactly one of several places. Each place is matched
 * with the inputs as for exactly_once, one after the other, and what each input has there is added
 * up. */
#include "check/flow.h"

#include <stdlib.h>

#include "base/mem.h"

enum { SHOWN = 4 };

struct tally { /**< what became of one input */
    const char *id;
    struct m_record *in;
    const struct m_record *found[SHOWN];
    struct m_proc *readers[SHOWN]; /**< of found, where the place is a role */
    int64_t sure, maybe, inputs;
    struct m_group *group; /**< through which it was read; the first that is known */
    bool passed;           /**< a committed offset is behind it */
    bool open;             /**< without id, and a place holds a record that may be of anybody */
};
struct sum {
    struct judge *j;
    struct map of; /**< first record of the input -> tally + 1 */
    VEC(struct tally) tallies;
    bool roles; /**< a place is a role: the history of roles decides too */
};

static struct tally *tally_of(struct sum *s, struct flow *f, const struct flow_item *it)
{
    struct m_record *in = f->inputs.items[it->input - 1].r;
    struct map_entry *at = map_put(&s->of, &in, sizeof in, NULL);
    if (at->u == 0) {
        *VEC_PUSH(&s->tallies) =
            (struct tally){.id = flow_id(f, it), .in = in, .inputs = it->inputs};
        at->u = s->tallies.n;
    }
    return &s->tallies.items[at->u - 1];
}

static void add_item(struct sum *s, struct flow *f, const struct flow_item *it)
{
    if (!it->input || !it->required) {
        return;
    }
    struct tally *t = tally_of(s, f, it);
    int64_t n = t->sure + t->maybe;
    t->sure += it->sure + it->probes;
    t->maybe += it->maybe;
    t->passed = t->passed || flow_passed(f, t->in->part, t->in->offset);
    t->open = t->open || (f->nameless && !it->id);
    t->group = t->group || f->groups.n == 0 ? t->group : f->groups.items[0];
    for (uint32_t k = it->effect; k && n < SHOWN; k = f->effects.items[k - 1].next) {
        const struct flow_effect *e = &f->effects.items[k - 1];
        t->found[n] = e->r;
        t->readers[n++] = e->d ? e->d->proc : NULL;
    }
}

static int add_place(struct sum *s, const struct plan_pred *pred, const char *place)
{
    struct plan_pred one = *pred;
    struct flow f;
    one.to = (char *)place;
    int rc = flow_make(&f, s->j, &one);
    s->roles = s->roles || !f.to;
    for (size_t i = 0; rc == 0 && i < f.items.n; i++) {
        add_item(s, &f, &f.items.items[i]);
    }
    flow_free(&f);
    return rc;
}

static bool proven(const struct sum *s)
{
    return s->j->drained && s->j->audited && (!s->roles || s->j->complete);
}

static void nowhere(struct sum *s, const struct tally *t)
{
    struct judge *j = s->j;
    struct anomaly *a = anomaly_add(j, t->passed ? "unaccounted" : "unprocessed");
    if (!a) {
        return;
    }
    a->id = t->id;
    a->proven = proven(s) && !t->open;
    a->group = t->group;
    a->t = record_time(j->m, t->in);
    anomaly_source(a, t->in->part, t->in->offset);
    anomaly_event(a, t->in->ev);
    const char *name = record_name(j->pool, t->in->part, t->in->offset);
    a->text = t->passed ? JTEXT(j, "%s ended nowhere, and a committed offset is behind it", name)
                        : JTEXT(j, "%s ended nowhere yet", name);
}

static void twice(struct sum *s, const struct tally *t)
{
    struct judge *j = s->j;
    struct anomaly *a = anomaly_add(j, "double_accounted");
    if (!a) {
        return;
    }
    a->id = t->id;
    a->group = t->group;
    const char *at[SHOWN] = {"", "", "", ""};
    int n = 0;
    for (; n < SHOWN && t->found[n]; n++) {
        const struct m_record *r = t->found[n];
        if (t->readers[n]) {
            anomaly_proc(a, t->readers[n]);
            anomaly_record(a, r->part, r->offset);
        } else {
            anomaly_log_record(a, r);
            a->t = record_time(j->m, r);
        }
        at[n] = t->readers[n] ? t->readers[n]->name : record_name(j->pool, r->part, r->offset);
    }
    anomaly_source(a, t->in->part, t->in->offset);
    a->text =
        JTEXT(j, "%s ended %lld times: %s and %s", record_name(j->pool, t->in->part, t->in->offset),
              (long long)t->sure, at[0], at[1]);
}

static void judge_tallies(struct sum *s, struct eval *out)
{
    for (size_t i = 0; i < s->tallies.n; i++) {
        const struct tally *t = &s->tallies.items[i];
        out->judged++;
        if (t->sure + t->maybe == 0) {
            nowhere(s, t);
        } else if (t->sure > t->inputs) {
            twice(s, t);
        }
    }
}

void check_accounted(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct sum s = {.j = j};
    for (size_t i = 0; i < pred->places.n && !j->failed; i++) {
        j->failed = add_place(&s, pred, pred->places.items[i]) != 0;
    }
    if (!j->failed) {
        judge_tallies(&s, out);
    }
    if (!j->drained) {
        out->unknown = "the drain did not end, so nothing can be called unaccounted";
    } else if (!j->audited || (s.roles && !j->complete)) {
        out->unknown = "the audit or the history is not complete";
    }
    free(s.tallies.items);
    map_free(&s.of);
}
