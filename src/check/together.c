/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of records, counted over topics: unique (no id twice in a topic) and together (what belongs
 * together is there as a whole or not at all). Only committed records count, and not what the
 * restart probe added. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "check/flow.h"

enum { SHOWN = 8 };

struct group { /**< the records of an id */
    const char *id;
    int64_t *counts; /**< by topic */
    const struct m_record *records[SHOWN];
    size_t n; /**< records, shown or not */
};

struct groups {
    struct judge *j;
    const struct plan_pred *pred;
    size_t ntopics;
    struct map ids;
    VEC(struct group) list;
};

static int add_record(struct groups *g, size_t topic, const struct m_record *r, struct buf *b)
{
    b->len = 0;
    int rc = flow_record_id(g->j, g->pred, r, b);
    if (rc != 0) {
        return rc < 0 ? -1 : 0; /* a record without id belongs to nothing */
    }
    struct map_entry *at = map_put(&g->ids, b->data ? b->data : "", b->len, NULL);
    if (at->u == 0) {
        int64_t *counts = pool_alloc(g->j->pool, g->ntopics * sizeof *counts);
        *VEC_PUSH(&g->list) = (struct group){.id = flow_id_text(g->j->pool, b), .counts = counts};
        at->u = g->list.n;
    }
    struct group *x = &g->list.items[at->u - 1];
    x->counts[topic]++;
    if (x->n < SHOWN) {
        x->records[x->n] = r;
    }
    x->n++;
    return 0;
}

static int add_topic(struct groups *g, size_t number, const char *name)
{
    const struct m_topic *t = model_topic(g->j->m, name);
    struct buf b = {0};
    int rc = 0;
    for (size_t i = 0; t && i < t->parts.n; i++) {
        const struct m_part *p = t->parts.items[i];
        for (size_t k = 0; p && k < p->records.n && rc == 0; k++) {
            const struct m_record *r = &p->records.items[k];
            if (outcome_visible(r->outcome) && !r->probe) {
                rc = add_record(g, number, r, &b);
            }
        }
    }
    buf_free(&b);
    return rc;
}

static struct anomaly *report(struct groups *g, const struct group *x, const char *kind,
                              const char *text)
{
    struct anomaly *a = anomaly_add(g->j, kind);
    if (!a) {
        return NULL;
    }
    a->id = x->id;
    a->text = text;
    for (size_t i = 0; i < x->n && i < SHOWN; i++) {
        anomaly_log_record(a, x->records[i]);
        anomaly_event(a, x->records[i]->proc ? x->records[i]->proc->crash : NULL);
    }
    const struct m_record *last = x->records[(x->n < SHOWN ? x->n : SHOWN) - 1];
    a->t = record_time(g->j->m, last);
    a->proven = g->j->audited;
    return a;
}

static void finish(struct groups *g, struct eval *out)
{
    out->judged = (int64_t)g->list.n;
    out->detail = JTEXT(g->j, "%lld ids", (long long)out->judged);
    if (!g->j->audited) {
        out->unknown = "the audit is not complete";
    }
    free(g->list.items);
    map_free(&g->ids);
}

/* ---- unique ---- */

void check_unique(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct groups g = {.j = j, .pred = pred, .ntopics = 1};
    j->failed = add_topic(&g, 0, pred->topic) != 0;
    for (size_t i = 0; i < g.list.n && !j->failed; i++) {
        const struct group *x = &g.list.items[i];
        if (x->n > 1) {
            const struct m_record *a = x->records[0], *b = x->records[1];
            report(&g, x, "duplicate",
                   JTEXT(j, "%s and %s carry the same id", record_name(j->pool, a->part, a->offset),
                         record_name(j->pool, b->part, b->offset)));
        }
    }
    finish(&g, out);
}

/* ---- together ---- */

static const char *counts_text(struct groups *g, const struct group *x)
{
    struct buf b = {0};
    for (size_t i = 0; i < g->ntopics; i++) {
        buf_printf(&b, "%s%lld in %s", i ? ", " : "", (long long)x->counts[i],
                   g->pred->topics.items[i]);
    }
    const char *text =
        JTEXT(g->j, "%s, where each has to hold %lld", b.data, (long long)g->pred->times);
    buf_free(&b);
    return text;
}

/* Without a drain the rest may still have been on its way: nothing is proven then. */
static void judge_group(struct groups *g, const struct group *x)
{
    bool whole = true;
    for (size_t i = 0; i < g->ntopics; i++) {
        whole = whole && x->counts[i] == g->pred->times;
    }
    if (whole) {
        return;
    }
    struct anomaly *a = report(g, x, "torn_write", counts_text(g, x));
    if (a) {
        a->proven = a->proven && g->j->drained;
    }
}

void check_together(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct groups g = {.j = j, .pred = pred, .ntopics = pred->topics.n};
    for (size_t i = 0; i < g.ntopics && !j->failed; i++) {
        j->failed = add_topic(&g, i, pred->topics.items[i]) != 0;
    }
    for (size_t i = 0; i < g.list.n && !j->failed; i++) {
        judge_group(&g, &g.list.items[i]);
    }
    finish(&g, out);
    if (!j->drained && !out->unknown) {
        out->unknown = "the drain did not end, so the rest may have been on its way";
    }
}
