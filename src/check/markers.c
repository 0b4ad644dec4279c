/* SPDX-License-Identifier: Apache-2.0 */
/* markers: walks each partition per producer id. Transactional data opens a segment, a control
 * record of the producer closes it. The epoch of a marker may be above that of the data (aborts by
 * InitProducerId or time-out, and every marker of the second protocol), markers with nothing open
 * and repeated markers are legal. Broken is a segment in which the epoch rises, or one that holds
 * records of two transactions (the only sign with clients of the first protocol), or one that was
 * closed by a marker of a lower epoch, or one that is still open though its transaction ended. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

struct segment { /**< what a producer has open in a partition */
    int64_t pid;
    const struct m_record *first, *prev;
    const struct m_txn *txn;    /**< of the records so far; NULL = none tells */
    const struct m_txn *closed; /**< of the segment before */
    int32_t epoch;
    bool open;
};

struct walk {
    struct judge *j;
    struct m_part *p;
    struct map by_pid;
    VEC(struct segment) segments;
    int64_t judged;
};

static struct segment *segment_of(struct walk *w, int64_t pid)
{
    bool fresh;
    struct map_entry *at = map_put(&w->by_pid, &pid, sizeof pid, &fresh);
    if (fresh) {
        at->u = w->segments.n;
        *VEC_PUSH(&w->segments) = (struct segment){.pid = pid};
    }
    return &w->segments.items[at->u];
}

/* The records of the segment from its first to last, each a record of the finding. */
static void add_segment(struct walk *w, struct anomaly *a, const struct segment *s, int64_t last)
{
    enum { SHOWN = 200 };
    a->seg = w->p;
    a->seg_first = s->first->offset;
    a->seg_last = last;
    for (size_t i = part_lower(w->p, s->first->offset); i < w->p->records.n; i++) {
        const struct m_record *r = &w->p->records.items[i];
        if (r->offset > last || a->records.n >= SHOWN) {
            break;
        }
        if (r->pid == s->pid && r->outcome != OUT_PLAIN) {
            anomaly_record(a, w->p, r->offset);
            anomaly_txn(a, r->txn);
        }
    }
}

static struct anomaly *missing(struct walk *w, const struct segment *s, const struct m_record *r,
                               const char *text)
{
    struct anomaly *a = anomaly_add(w->j, "marker_missing");
    if (!a) {
        return NULL;
    }
    a->id = JTEXT(w->j, "producer id %lld in %s[%d]", (long long)s->pid, w->p->topic->name,
                  (int)w->p->number);
    a->text = text;
    a->t = record_time(w->j->m, r);
    anomaly_record(a, w->p, r->offset);
    anomaly_event(a, s->first->ev);
    anomaly_event(a, r->ev);
    int64_t last = r->offset;
    for (size_t i = 0; i < w->p->controls.n; i++) {
        /* the marker that closed both decided both */
        if (w->p->controls.items[i].offset > last && w->p->controls.items[i].pid == s->pid) {
            last = w->p->controls.items[i].offset;
            break;
        }
    }
    add_segment(w, a, s, last);
    return a;
}

static const char *where(struct walk *w, int64_t offset)
{
    return record_name(w->j->pool, w->p, offset);
}

/* A record that came after the marker of its own transaction: a late request of it. */
static void crossed(struct walk *w, const struct m_record *r)
{
    struct anomaly *a = anomaly_add(w->j, "crossed_request");
    if (a) {
        a->id = JTEXT(w->j, "producer id %lld in %s[%d]", (long long)r->pid, w->p->topic->name,
                      (int)w->p->number);
        a->text = JTEXT(w->j, "%s stands behind the marker of its own transaction (%s)",
                        where(w, r->offset), txn_name(w->j, r->txn));
        a->t = record_time(w->j->m, r);
        anomaly_log_record(a, r);
    }
}

static void open_segment(struct walk *w, struct segment *s, const struct m_record *r)
{
    if (r->txn && r->txn == s->closed) {
        crossed(w, r);
    }
    *s = (struct segment){.pid = r->pid,
                          .first = r,
                          .prev = r,
                          .txn = r->txn,
                          .closed = s->closed,
                          .epoch = r->epoch,
                          .open = true};
    w->judged++;
}

static void data(struct walk *w, const struct m_record *r)
{
    struct segment *s = segment_of(w, r->pid);
    if (!s->open) {
        open_segment(w, s, r);
        return;
    }
    if (r->epoch > s->epoch) {
        missing(w, s, r,
                JTEXT(w->j,
                      "the epoch rises from %d to %d at %s, and no marker closed what stands "
                      "before it (from %s)",
                      (int)s->epoch, (int)r->epoch, where(w, r->offset),
                      where(w, s->first->offset)));
        open_segment(w, s, r);
        return;
    }
    if (s->txn && r->txn && s->txn != r->txn && s->txn != s->closed) {
        missing(w, s, r,
                JTEXT(w->j, "%s begins at %s, and no marker closed %s before it (from %s)",
                      txn_name(w->j, r->txn), where(w, r->offset), txn_name(w->j, s->txn),
                      where(w, s->first->offset)));
        s->first = r;
    }
    s->txn = r->txn ? r->txn : s->txn;
    s->prev = r;
}

static void marker(struct walk *w, const struct m_control *c)
{
    struct segment *s = segment_of(w, c->pid);
    if (!s->open) {
        return;
    }
    if (c->epoch < s->epoch) {
        struct anomaly *a = anomaly_add(w->j, "stale_marker");
        if (a) {
            a->id = JTEXT(w->j, "producer id %lld in %s[%d]", (long long)c->pid, w->p->topic->name,
                          (int)w->p->number);
            a->text = JTEXT(w->j, "the %s marker at %s has epoch %d, the records it closes %d",
                            c->commit ? "COMMIT" : "ABORT", where(w, c->offset), (int)c->epoch,
                            (int)s->epoch);
            anomaly_record(a, w->p, c->offset);
            anomaly_event(a, c->ev);
            add_segment(w, a, s, c->offset);
        }
    }
    s->open = false;
    s->closed = s->txn;
}

/* Whether the coordinator's own log says that the last transaction of a producer id has ended. */
static bool ended_in_coordinator(const struct model *m, int64_t pid)
{
    const struct event *last = NULL;
    for (size_t i = 0; i < m->logtxns.n; i++) {
        if (event_int(m->logtxns.items[i], H_LOG_TXN_PID) == pid) {
            last = m->logtxns.items[i];
        }
    }
    return last && strncmp(event_str(last, H_LOG_TXN_STATE), "Complete", 8) == 0;
}

static bool proven_hanging(const struct m_part *p, int64_t pid)
{
    for (size_t i = 0; i < p->open.n; i++) {
        const struct event *ev = p->open.items[i];
        if (event_int(ev, H_OPEN_TXN_PID) == pid && event_int(ev, H_OPEN_TXN_PROVEN) != 0) {
            return true;
        }
    }
    return false;
}

static void still_open(struct walk *w, const struct segment *s)
{
    if (!w->p->complete || !w->j->m->audit_end) {
        return;
    }
    if (!proven_hanging(w->p, s->pid) && !ended_in_coordinator(w->j->m, s->pid)) {
        return;
    }
    struct anomaly *a = missing(
        w, s, s->prev,
        JTEXT(w->j,
              "the transaction that begins at %s has ended, and the partition holds no marker "
              "of it",
              where(w, s->first->offset)));
    if (a) {
        a->hang = true;
    }
}

static void walk_part(struct walk *w)
{
    size_t c = 0;
    for (size_t i = 0; i < w->p->records.n; i++) {
        const struct m_record *r = &w->p->records.items[i];
        for (; c < w->p->controls.n && w->p->controls.items[c].offset < r->offset; c++) {
            marker(w, &w->p->controls.items[c]);
        }
        if (r->outcome != OUT_PLAIN && !r->probe) {
            data(w, r);
        }
    }
    for (; c < w->p->controls.n; c++) {
        marker(w, &w->p->controls.items[c]);
    }
    for (size_t i = 0; i < w->segments.n; i++) {
        if (w->segments.items[i].open) {
            still_open(w, &w->segments.items[i]);
        }
    }
    map_free(&w->by_pid);
    free(w->segments.items);
}

/* ---- the same for offsets in __consumer_offsets ---- */

struct offset_walk {
    struct judge *j;
    struct m_part *p; /**< of __consumer_offsets */
    struct map by_pid;
    VEC(const struct m_logoff *) open; /**< by producer: first offset record of its open segment */
    int64_t judged;
};

static int by_log_place(const void *a, const void *b)
{
    const struct m_logoff *const *x = a, *const *y = b;
    if ((*x)->log_partition != (*y)->log_partition) {
        return (*x)->log_partition < (*y)->log_partition ? -1 : 1;
    }
    return (*x)->position < (*y)->position ? -1 : (*x)->position > (*y)->position;
}

static const struct m_logoff **open_of(struct offset_walk *w, int64_t pid)
{
    bool fresh;
    struct map_entry *at = map_put(&w->by_pid, &pid, sizeof pid, &fresh);
    if (fresh) {
        at->u = w->open.n;
        *VEC_PUSH(&w->open) = NULL;
    }
    return &w->open.items[at->u];
}

/* The transactions that gave this offset, and the record it passes. */
static void add_offset(const struct judge *j, struct anomaly *a, const struct m_logoff *o)
{
    a->group = o->group;
    anomaly_event(a, o->ev);
    if (o->offset > 0) {
        anomaly_record(a, o->part, o->offset - 1);
    }
    for (size_t i = 0; i < j->m->claims.n; i++) {
        const struct m_claim *c = j->m->claims.items[i];
        if (c->group == o->group && c->part == o->part && c->offset == o->offset &&
            (c->txn->pid < 0 || c->txn->pid == o->pid)) {
            anomaly_txn(a, c->txn);
        }
    }
}

static void offset_anomaly(struct offset_walk *w, const char *kind, const struct m_logoff *first,
                           const struct m_logoff *next, const char *text)
{
    struct anomaly *a = anomaly_add(w->j, kind);
    if (!a) {
        return;
    }
    a->id = JTEXT(w->j, "producer id %lld in __consumer_offsets[%d]", (long long)first->pid,
                  (int)w->p->number);
    a->text = text;
    add_offset(w->j, a, first);
    if (next) {
        add_offset(w->j, a, next);
    }
}

static void offset_data(struct offset_walk *w, const struct m_logoff *o)
{
    const struct m_logoff **open = open_of(w, o->pid);
    if (!*open) {
        w->judged++;
    } else if (o->epoch > (*open)->epoch) {
        offset_anomaly(w, "marker_missing", *open, o,
                       JTEXT(w->j,
                             "the epoch rises from %d to %d at position %lld, and no marker "
                             "closed the offsets before it",
                             (int)(*open)->epoch, (int)o->epoch, (long long)o->position));
    } else {
        return;
    }
    *open = o;
}

static void offset_marker(struct offset_walk *w, const struct m_control *c)
{
    const struct m_logoff **open = open_of(w, c->pid);
    if (*open && c->epoch < (*open)->epoch) {
        offset_anomaly(w, "stale_marker", *open, NULL,
                       JTEXT(w->j,
                             "the %s marker at position %lld has epoch %d, the offsets it "
                             "closes %d",
                             c->commit ? "COMMIT" : "ABORT", (long long)c->offset, (int)c->epoch,
                             (int)(*open)->epoch));
    }
    *open = NULL;
}

/* list[from..n) begins with the offset records of the walk's partition. @return where they end */
static size_t walk_offsets(struct offset_walk *w, const struct m_logoff **list, size_t from,
                           size_t n)
{
    size_t c = 0;
    for (; from < n && list[from]->log_partition == w->p->number; from++) {
        const struct m_logoff *o = list[from];
        for (; c < w->p->controls.n && w->p->controls.items[c].offset < o->position; c++) {
            offset_marker(w, &w->p->controls.items[c]);
        }
        offset_data(w, o);
    }
    for (; c < w->p->controls.n; c++) {
        offset_marker(w, &w->p->controls.items[c]);
    }
    map_free(&w->by_pid);
    free(w->open.items);
    return from;
}

static int64_t check_offsets(struct judge *j)
{
    const struct m_topic *t = model_topic(j->m, "__consumer_offsets");
    VEC(const struct m_logoff *) list = {0};
    int64_t judged = 0;
    for (size_t i = 0; t && i < j->m->groups.n; i++) {
        const struct m_group *g = j->m->groups.items[i];
        for (size_t k = 0; k < g->offsets.n; k++) {
            if (g->offsets.items[k]->pid >= 0 && g->offsets.items[k]->outcome != OUT_PLAIN) {
                *VEC_PUSH(&list) = g->offsets.items[k];
            }
        }
    }
    if (list.n) {
        qsort(list.items, list.n, sizeof *list.items, by_log_place);
    }
    for (size_t i = 0; i < list.n;) {
        size_t number = (size_t)list.items[i]->log_partition;
        struct m_part *p = number < t->parts.n ? t->parts.items[number] : NULL;
        if (!p || !p->audited || p->controls.n == 0) {
            i++;
            continue;
        }
        struct offset_walk w = {.j = j, .p = p};
        i = walk_offsets(&w, list.items, i, list.n);
        judged += w.judged;
    }
    free(list.items);
    return judged;
}

void check_markers(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    for (size_t i = 0; i < j->m->topics.n; i++) {
        struct m_topic *t = j->m->topics.items[i];
        if (pred && pred->topic && strcmp(pred->topic, t->name) != 0) {
            continue;
        }
        for (size_t k = 0; k < t->parts.n; k++) {
            if (t->parts.items[k] && t->parts.items[k]->audited && !t->parts.items[k]->compacted) {
                struct walk w = {.j = j, .p = t->parts.items[k]};
                walk_part(&w);
                out->judged += w.judged;
            }
        }
    }
    if (!pred || !pred->topic) {
        out->judged += check_offsets(j);
    }
    out->detail = JTEXT(j, "%lld segments judged", (long long)out->judged);
    if (!j->audited) {
        out->unknown = "the audit is not complete";
    }
}
