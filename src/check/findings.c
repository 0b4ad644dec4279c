/* SPDX-License-Identifier: Apache-2.0 */
/* Groups anomalies into findings: one for each kind in a property with the same explanation and
 * blame; the smallest case first, with its evidence. Then gives the findings to their properties.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/blame.h"

struct member { /**< an anomaly on its way into a finding */
    struct anomaly *a;
    size_t index;
    size_t finding;
};

struct grouping {
    struct judge *j;
    struct map keys; /**< what the cases of a finding have in common -> finding + 1 */
    struct member *members;
    int *finding_of; /**< of each anomaly */
};

static size_t rank(const struct anomaly *a)
{
    return (size_t)(a->kind - finding_kinds);
}

/* Findings in order: primary ones first, by rank, then by property and time. */
static int by_rank(const void *x, const void *y)
{
    const struct member *p = x, *q = y;
    if ((p->a->primary >= 0) != (q->a->primary >= 0)) {
        return p->a->primary >= 0 ? 1 : -1;
    }
    if (p->a->proven != q->a->proven) {
        return p->a->proven ? -1 : 1;
    }
    if (rank(p->a) != rank(q->a)) {
        return rank(p->a) < rank(q->a) ? -1 : 1;
    }
    if (p->a->prop != q->a->prop) {
        return p->a->prop < q->a->prop ? -1 : 1;
    }
    return p->index < q->index ? -1 : p->index > q->index;
}

/* Cases of one finding: the smallest first, then the earliest. */
static int by_size(const void *x, const void *y)
{
    const struct member *p = x, *q = y;
    if (p->finding != q->finding) {
        return p->finding < q->finding ? -1 : 1;
    }
    if (p->a->kind->class == CLASS_THRESHOLD) { /* the worst was added first */
        return p->index < q->index ? -1 : p->index > q->index;
    }
    if (p->a->events.n != q->a->events.n) {
        return p->a->events.n < q->a->events.n ? -1 : 1;
    }
    if (p->a->t != q->a->t) {
        return p->a->t < q->a->t ? -1 : 1;
    }
    return p->index < q->index ? -1 : p->index > q->index;
}

static size_t finding_for(struct grouping *g, const struct anomaly *a)
{
    int64_t key[] = {a->prop,   (int64_t)rank(a), a->primary >= 0 ? g->finding_of[a->primary] : -1,
                     a->blame,  a->row,           a->proven,
                     a->warning};
    struct map_entry *at = map_put(&g->keys, key, sizeof key, NULL);
    if (at->u == 0) {
        at->u = g->keys.n;
    }
    return at->u - 1;
}

static struct finding_case make_case(struct judge *j, const struct anomaly *a)
{
    struct record_ref *records = pool_alloc(j->pool, (a->records.n + 1) * sizeof *records);
    for (size_t i = 0; i < a->records.n; i++) {
        records[i].topic = pool_str(j->pool, a->records.items[i].part->topic->name);
        records[i].partition = a->records.items[i].part->number;
        records[i].offset = a->records.items[i].offset;
    }
    struct event_ref *events = pool_alloc(j->pool, (a->events.n + 1) * sizeof *events);
    for (size_t i = 0; i < a->events.n; i++) {
        events[i] = (struct event_ref){a->events.items[i]->proc, a->events.items[i]->seq};
    }
    return (struct finding_case){.id = a->id,
                                 .text = a->text,
                                 .records = records,
                                 .nrecords = a->records.n,
                                 .events = events,
                                 .nevents = a->events.n,
                                 .t = a->t};
}

static const char *title(struct judge *j, const struct finding *f)
{
    static const struct {
        const char *kind, *check, *one, *many; /**< check NULL = any */
    } phrases[] = {
        {"lost", NULL, "is lost", "are lost"},
        {"torn_write", NULL, "is there in part", "are there in part"},
        {"duplicate", "unique", "stands in two records", "stand in several records each"},
        {"duplicate", NULL, "has more effects than one", "have more effects than one"},
        {"unprocessed", NULL, "has no effect yet", "have no effect yet"},
    };
    bool one_of_many = strcmp(f->check, "repeated") == 0; /* only the first case is reported */
    for (size_t i = 0; i < ARRAY_LEN(phrases) && f->judged > 0 && *f->property; i++) {
        bool fits = !phrases[i].check || strcmp(phrases[i].check, f->check) == 0;
        if (fits && strcmp(phrases[i].kind, f->kind) == 0 && !one_of_many) {
            return JTEXT(j, "%zu of %zu ids %s", f->ncases, f->judged,
                         f->ncases == 1 ? phrases[i].one : phrases[i].many);
        }
    }
    const char *doc = finding_kind_find(f->kind)->doc;
    return f->ncases == 1 ? doc : JTEXT(j, "%s, %zu times", doc, f->ncases);
}

static void fill(struct judge *j, struct finding *f, const struct member *m, size_t n)
{
    const struct anomaly *a = m[0].a;
    const struct prop_result *p = &j->v->props[a->prop];
    f->kind = a->kind->name;
    f->check = a->check;
    f->property = p->declared ? p->name : "";
    f->where = *p->where ? p->where : pool_str(j->pool, j->plan->where);
    f->class = a->kind->class;
    f->blame = a->blame;
    f->blame_row = a->row;
    f->blame_text = blame_row_text(a->row);
    f->cause = a->cause;
    f->hint = a->hint;
    f->call_site = a->call_site;
    f->signature = a->signature;
    f->judged = (size_t)(p->judged > 0 ? p->judged : 0);
    f->proven = a->proven;
    f->warning = a->warning;
    struct finding_case *cases = pool_alloc(j->pool, n * sizeof *cases);
    for (size_t i = 0; i < n; i++) {
        cases[i] = make_case(j, m[i].a);
    }
    f->cases = cases;
    f->ncases = n;
    f->title = p->threshold ? p->threshold->text : title(j, f);
    evidence_make(j, a, f);
}

/* What a primary finding explains, in its cause: the reader need not look for the ids. */
static void name_consequences(struct judge *j, size_t primary)
{
    enum { NAMED = 4 };
    struct finding *f = &j->v->findings[primary];
    struct buf b = {0};
    size_t n = 0;
    for (size_t i = 0; i < j->v->nfindings; i++) {
        const struct finding *c = &j->v->findings[i];
        if (c->primary == (int)primary && n++ < NAMED) {
            buf_printf(&b, "%s%s %s", n == 1 ? "" : ", ", c->kind, c->cases[0].id);
            if (c->ncases > 1) {
                buf_printf(&b, " and %zu more", c->ncases - 1);
            }
        }
    }
    if (n > 0) {
        const char *sep = *f->cause ? "; it explains " : "it explains ";
        f->cause = JTEXT(j, "%s%s%s%s", f->cause, sep, b.data, n > NAMED ? ", ..." : "");
    }
    buf_free(&b);
}

static void group(struct grouping *g)
{
    struct judge *j = g->j;
    size_t n = j->anomalies.n;
    for (size_t i = 0; i < n; i++) {
        g->members[i] = (struct member){j->anomalies.items[i], i, 0};
    }
    qsort(g->members, n, sizeof *g->members, by_rank);
    for (size_t i = 0; i < n; i++) {
        g->members[i].finding = finding_for(g, g->members[i].a);
        g->finding_of[g->members[i].index] = (int)g->members[i].finding;
    }
    qsort(g->members, n, sizeof *g->members, by_size);
    j->v->nfindings = g->keys.n;
    j->v->findings = pool_alloc(j->pool, (g->keys.n + 1) * sizeof *j->v->findings);
    for (size_t i = 0; i < n;) {
        size_t k = i;
        while (k < n && g->members[k].finding == g->members[i].finding) {
            k++;
        }
        struct finding *f = &j->v->findings[g->members[i].finding];
        fill(j, f, &g->members[i], k - i);
        int root = g->members[i].a->primary;
        f->primary = root >= 0 ? g->finding_of[root] : -1;
        i = k;
    }
    for (size_t i = 0; i < j->v->nfindings; i++) {
        if (j->v->findings[i].primary >= 0) {
            j->v->findings[j->v->findings[i].primary].consequences++;
        }
    }
    for (size_t i = 0; i < j->v->nfindings; i++) {
        if (j->v->findings[i].consequences > 0) {
            name_consequences(j, i);
        }
    }
}

/* A property whose violations are all unproven cannot be called violated. */
static void settle(struct judge *j, struct prop_result *p, size_t proven, size_t warnings)
{
    if (p->state == PROP_VIOLATED && p->nfindings > 0 && warnings == p->nfindings) {
        p->state = PROP_HELD;
        return;
    }
    if (p->state != PROP_VIOLATED || proven > 0) {
        return;
    }
    p->state = PROP_INCONCLUSIVE;
    p->reason = !j->drained   ? "it does not hold, but the drain did not end"
                : !j->audited ? "it does not hold, but the audit is not complete"
                : *p->reason  ? p->reason
                              : "it does not hold, but the history is not complete";
    judge_reason(j, "%s%s\"%s\": %s", p->mode, *p->mode ? " " : "", p->name, p->reason);
}

static void give_to_props(struct grouping *g)
{
    struct judge *j = g->j;
    size_t *prop_of = xcalloc(j->v->nfindings + 1, sizeof *prop_of);
    for (size_t i = 0; i < j->anomalies.n; i++) {
        prop_of[g->finding_of[i]] = (size_t)j->anomalies.items[i]->prop;
    }
    for (size_t i = 0; i < j->v->nprops; i++) {
        struct prop_result *p = &j->v->props[i];
        size_t *list = pool_alloc(j->pool, (j->v->nfindings + 1) * sizeof *list);
        size_t n = 0, proven = 0, cases = 0, warnings = 0;
        for (size_t k = 0; k < j->v->nfindings; k++) {
            const struct finding *f = &j->v->findings[k];
            if (prop_of[k] == i) {
                list[n++] = k;
                proven += f->proven && !f->warning;
                warnings += f->warning;
                cases += f->ncases;
            }
        }
        p->findings = list;
        p->nfindings = n;
        settle(j, p, proven, warnings);
        if (p->state == PROP_VIOLATED) {
            p->reason = p->threshold
                            ? p->threshold->text
                            : JTEXT(j, "%zu %s", cases, cases == 1 ? "violation" : "violations");
        }
    }
    free(prop_of);
}

void findings_make(struct judge *j)
{
    size_t n = j->anomalies.n;
    struct grouping g = {.j = j,
                         .members = xcalloc(n + 1, sizeof *g.members),
                         .finding_of = xcalloc(n + 1, sizeof *g.finding_of)};
    group(&g);
    give_to_props(&g);
    free(g.members);
    free(g.finding_of);
    map_free(&g.keys);
}
