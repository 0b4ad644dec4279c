/* SPDX-License-Identifier: Apache-2.0 */
/* Which anomaly explains which, and who is to blame. An anomaly is a consequence of one that stands
 * before it in the list of kinds and speaks of the same record, segment or transaction. Blame is
 * given only where the history proves it; everything else is undetermined. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/blame.h"

static size_t order(const struct anomaly *a)
{
    return (size_t)(a->kind - finding_kinds);
}

struct index { /**< what is touched -> anomaly that stands first, index + 1 */
    struct map txns, records, same;
    VEC(size_t) segments;
    size_t hang, stall; /**< index + 1 */
};

static bool before(const struct judge *j, size_t a, size_t b)
{
    size_t x = order(j->anomalies.items[a]), y = order(j->anomalies.items[b]);
    return x != y ? x < y : a < b;
}

static void note(const struct judge *j, struct map *m, const void *key, size_t len, size_t i)
{
    struct map_entry *at = map_put(m, key, len, NULL);
    if (at->u == 0 || before(j, i, at->u - 1)) {
        at->u = i + 1;
    }
}

struct place {
    const struct m_part *part;
    int64_t offset;
};

/* The same finding by another property: kind, id and source. */
static void same_key(const struct anomaly *a, struct buf *b)
{
    struct place p = {a->in, a->in_offset};
    b->len = 0;
    buf_append(b, &a->kind, sizeof a->kind);
    buf_append(b, &p.part, sizeof p.part);
    buf_append(b, &p.offset, sizeof p.offset);
    buf_puts(b, a->id);
}

static bool is(const struct anomaly *a, const char *kind)
{
    return strcmp(a->kind->name, kind) == 0;
}

static bool stalls(const struct anomaly *a)
{
    return is(a, "stall") || is(a, "not_drained");
}

/* Kinds that a transaction which never ends, or a run that stands still, explains anywhere. */
static bool progress(const struct anomaly *a)
{
    return stalls(a) || is(a, "unprocessed") || is(a, "hanging_transaction");
}

static void build(const struct judge *j, struct index *x)
{
    struct buf b = {0};
    for (size_t i = 0; i < j->anomalies.n; i++) {
        const struct anomaly *a = j->anomalies.items[i];
        for (size_t k = 0; k < a->txns.n; k++) {
            note(j, &x->txns, &a->txns.items[k], sizeof a->txns.items[k], i);
        }
        for (size_t k = 0; k < a->records.n; k++) {
            struct place p = {a->records.items[k].part, a->records.items[k].offset};
            note(j, &x->records, &p, sizeof p, i);
        }
        if (a->seg) {
            *VEC_PUSH(&x->segments) = i;
        }
        if (a->hang && (!x->hang || before(j, i, x->hang - 1))) {
            x->hang = i + 1;
        }
        if (stalls(a) && a->proven && (!x->stall || before(j, i, x->stall - 1))) {
            x->stall = i + 1;
        }
        same_key(a, &b);
        note(j, &x->same, b.data, b.len, i);
    }
    buf_free(&b);
}

static void better(const struct judge *j, size_t i, size_t candidate, int *best)
{
    if (candidate == 0 || candidate - 1 == i) {
        return;
    }
    size_t c = candidate - 1;
    const struct anomaly *by = j->anomalies.items[c], *a = j->anomalies.items[i];
    if ((!by->proven && a->proven) || (by->warning && !a->warning)) {
        return;
    }
    if (order(j->anomalies.items[c]) < order(j->anomalies.items[i]) &&
        (*best < 0 || before(j, c, (size_t)*best))) {
        *best = (int)c;
    }
}

static void link_one(const struct judge *j, const struct index *x, size_t i, struct buf *b)
{
    struct anomaly *a = j->anomalies.items[i];
    int best = -1;
    for (size_t k = 0; k < a->txns.n; k++) {
        const struct map_entry *at = map_get(&x->txns, &a->txns.items[k], sizeof a->txns.items[k]);
        better(j, i, at ? at->u : 0, &best);
    }
    for (size_t k = 0; k < a->records.n; k++) {
        struct place p = {a->records.items[k].part, a->records.items[k].offset};
        const struct map_entry *at = map_get(&x->records, &p, sizeof p);
        better(j, i, at ? at->u : 0, &best);
        for (size_t s = 0; s < x->segments.n && s < 1000; s++) {
            const struct anomaly *seg = j->anomalies.items[x->segments.items[s]];
            if (seg->seg == p.part && p.offset >= seg->seg_first && p.offset <= seg->seg_last) {
                better(j, i, x->segments.items[s] + 1, &best);
            }
        }
    }
    if (best < 0 && progress(a)) {
        better(j, i, x->hang, &best);
        better(j, i, best < 0 ? x->stall : 0, &best);
    }
    if (best < 0) {
        same_key(a, b);
        const struct map_entry *at = map_get(&x->same, b->data, b->len);
        best = at && at->u - 1 < i ? (int)(at->u - 1) : -1;
    }
    a->primary = best;
}

static void link_all(const struct judge *j)
{
    struct index x = {0};
    struct buf b = {0};
    build(j, &x);
    for (size_t i = 0; i < j->anomalies.n; i++) {
        link_one(j, &x, i, &b);
    }
    /* to the root: the order of kinds, then of anomalies, falls along each chain */
    for (size_t i = 0; i < j->anomalies.n; i++) {
        int root = j->anomalies.items[i]->primary;
        while (root >= 0 && j->anomalies.items[root]->primary >= 0) {
            root = j->anomalies.items[root]->primary;
        }
        j->anomalies.items[i]->primary = root;
    }
    buf_free(&b);
    map_free(&x.txns);
    map_free(&x.records);
    map_free(&x.same);
    free(x.segments.items);
}

/* ---- signature ---- */

static const char *fault_before(const struct judge *j, const struct anomaly *a)
{
    const struct event *last = NULL;
    const char *what = "";
    for (size_t i = 0; i < a->procs.n; i++) {
        const struct event *ev = a->procs.items[i]->crash;
        if (ev && (!a->t || ev->t <= a->t) && (!last || ev->t > last->t)) {
            last = ev;
            what = JTEXT(j, "crash at %s", event_str(ev, H_CRASH_POINT));
        }
    }
    for (size_t i = 0; !last && i < a->txns.n; i++) {
        const struct event *ev = a->txns.items[i]->abort;
        if (ev) {
            return JTEXT(j, "abort (%s)", event_str(ev, H_TXN_ABORT_WHY));
        }
    }
    if (last) {
        return what;
    }
    for (size_t i = 0; i < j->m->faults.n; i++) {
        const struct event *ev = j->m->faults.items[i];
        const char *edge = event_str(ev, H_FAULT_EDGE);
        bool hit =
            strcmp(edge, "fire") == 0 || strcmp(edge, "begin") == 0 || strcmp(edge, "end") == 0;
        if (hit && (!a->t || ev->t <= a->t) && (!last || ev->t >= last->t)) {
            last = ev;
        }
    }
    return last ? pool_str(j->pool, event_str(last, H_FAULT_KIND)) : "";
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sign(struct judge *j, struct anomaly *a)
{
    const char *roles[32];
    size_t n = 0;
    for (size_t i = 0; i < a->procs.n && n < ARRAY_LEN(roles); i++) {
        bool known = a->procs.items[i]->reader;
        for (size_t k = 0; k < n && !known; k++) {
            known = strcmp(roles[k], a->procs.items[i]->role) == 0;
        }
        if (!known) {
            roles[n++] = a->procs.items[i]->role;
        }
    }
    qsort(roles, n, sizeof *roles, by_name);
    struct buf b = {0};
    buf_puts(&b, a->kind->name);
    const char *fault = fault_before(j, a);
    if (*fault) {
        buf_printf(&b, " after %s", fault);
    }
    for (size_t i = 0; i < n; i++) {
        buf_printf(&b, "%s%s", i ? "," : " in ", roles[i]);
    }
    a->signature = pool_str(j->pool, b.data);
    buf_free(&b);
}

void blame_all(struct judge *j)
{
    link_all(j);
    for (size_t i = 0; i < j->anomalies.n; i++) {
        struct anomaly *a = j->anomalies.items[i];
        sign(j, a);
        if (a->primary < 0) {
            blame_rules(j, a);
        }
    }
    for (size_t i = 0; i < j->anomalies.n; i++) {
        struct anomaly *a = j->anomalies.items[i];
        if (a->primary >= 0) {
            a->blame = j->anomalies.items[a->primary]->blame;
            a->row = j->anomalies.items[a->primary]->row;
        }
    }
}
