/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence of the smallest case: the lineage picture (its input, who made what of it, with what
 * outcome) and at most twelve lines of what happened: the events of its records and transactions,
 * the last fault before it, the changes of ownership of its partition. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

enum { LINES = 12, EDGES = 8 };

/* What is given up first when there are too many lines. */
enum { MUST, SHOULD, MAY };

struct line {
    const struct event *ev;
    uint64_t t;
    int weight;
};
struct lines {
    struct line *items;
    size_t n, cap;
};

/* The audit read records long after they were written: their own time counts. */
static uint64_t time_of(const struct model *m, const struct event *ev)
{
    int64_t ms = ev->kind == H_LOG_RECORD    ? event_int(ev, H_LOG_RECORD_TIMESTAMP)
                 : ev->kind == H_LOG_CONTROL ? event_int(ev, H_LOG_CONTROL_TIMESTAMP)
                                             : 0;
    int64_t ns = ms > 0 && ms < INT64_MAX / 1000000 ? ms * 1000000 - m->real_minus_mono : 0;
    return ns > 0 ? (uint64_t)ns : ev->t;
}

static void add(struct lines *l, const struct event *ev, int weight)
{
    for (size_t i = 0; ev && i < l->n; i++) {
        if (l->items[i].ev == ev) {
            l->items[i].weight = weight < l->items[i].weight ? weight : l->items[i].weight;
            return;
        }
    }
    if (ev) {
        *VEC_PUSH(l) = (struct line){ev, ev->t, weight};
    }
}

/* ---- words ---- */

static const char *where(struct judge *j, const struct event *ev, int topic, int partition,
                         int64_t first, int64_t last)
{
    const char *at = JTEXT(j, "%s[%lld]@%lld", event_str(ev, topic),
                           (long long)event_int(ev, partition), (long long)first);
    return last > first ? JTEXT(j, "%s..%lld", at, (long long)last) : at;
}

static void say_send(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    int64_t n = event_int(ev, H_SEND_COUNT), txn = event_int(ev, H_SEND_TXN);
    l->what = "send";
    if (*event_str(ev, H_SEND_SRC_TOPIC)) {
        int64_t first = event_int(ev, H_SEND_SRC_OFFSET);
        l->text = JTEXT(j, "%s  from %s", event_str(ev, H_SEND_TOPIC),
                        where(j, ev, H_SEND_SRC_TOPIC, H_SEND_SRC_PARTITION, first, first + n - 1));
    } else {
        l->text = JTEXT(j, "%s  %lld records", event_str(ev, H_SEND_TOPIC), (long long)n);
    }
    l->note = txn >= 0 ? JTEXT(j, "tx %lld", (long long)txn) : "";
}

static void say_ack(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    int64_t offset = event_int(ev, H_ACK_OFFSET), n = event_int(ev, H_ACK_COUNT);
    l->what = ev->phase == HP_OK ? "acked" : ev->phase == HP_FAIL ? "failed" : "unknown";
    l->text = offset < 0 ? pool_str(j->pool, event_str(ev, H_ACK_TOPIC))
                         : where(j, ev, H_ACK_TOPIC, H_ACK_PARTITION, offset, offset + n - 1);
    l->note = pool_str(j->pool, event_str(ev, H_ACK_ERROR));
}

static void say_txn(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    bool commit = ev->kind == H_TXN_COMMIT;
    const char *result = ev->phase == HP_INVOKE ? "asked for"
                         : ev->phase == HP_OK   ? "ok"
                         : ev->phase == HP_FAIL ? "failed"
                                                : "unknown";
    const char *error = event_str(ev, commit ? H_TXN_COMMIT_ERROR : H_TXN_ABORT_ERROR);
    l->what = commit ? "commit" : "abort";
    l->text = JTEXT(j, "tx %lld %s%s%s", (long long)event_int(ev, H_TXN_COMMIT_TXN), result,
                    *error ? ": " : "", error);
    l->note = commit ? "" : pool_str(j->pool, event_str(ev, H_TXN_ABORT_WHY));
}

static void say_offsets(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    if (ev->kind == H_TXN_OFFSETS) {
        l->what = "offsets";
        l->text = JTEXT(j, "%s[%lld] = %lld in tx %lld", event_str(ev, H_TXN_OFFSETS_TOPIC),
                        (long long)event_int(ev, H_TXN_OFFSETS_PARTITION),
                        (long long)event_int(ev, H_TXN_OFFSETS_OFFSET),
                        (long long)event_int(ev, H_TXN_OFFSETS_TXN));
        l->note = JTEXT(j, "generation %lld", (long long)event_int(ev, H_TXN_OFFSETS_GENERATION));
        return;
    }
    l->what = "offsets";
    l->text = JTEXT(j, "%s[%lld] = %lld by a plain commit", event_str(ev, H_COMMIT_TOPIC),
                    (long long)event_int(ev, H_COMMIT_PARTITION),
                    (long long)event_int(ev, H_COMMIT_OFFSET));
}

static void say_owner(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    bool given = ev->kind == H_ASSIGN;
    l->what = given ? "assigned" : event_int(ev, H_REVOKE_LOST) ? "lost" : "revoked";
    l->text = JTEXT(j, "%s[%lld] in group %s", event_str(ev, H_ASSIGN_TOPIC),
                    (long long)event_int(ev, H_ASSIGN_PARTITION), event_str(ev, H_ASSIGN_GROUP));
    if (given) {
        l->note = JTEXT(j, "generation %lld", (long long)event_int(ev, H_ASSIGN_GENERATION));
    }
}

static void say_end(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    if (ev->kind == H_CRASH) {
        l->what = "crash";
        l->death = true;
        l->text = pool_str(j->pool, event_str(ev, H_CRASH_POINT));
        l->note = JTEXT(j, "fault %lld", (long long)event_int(ev, H_CRASH_FAULT) + 1);
        return;
    }
    l->what = "exit";
    l->death = event_int(ev, H_EXIT_SIGNAL) != 0;
    l->text = pool_str(j->pool, event_str(ev, H_EXIT_WHY));
    const struct m_proc *p =
        model_proc(j->m, event_str(ev, H_EXIT_ROLE), (int)event_int(ev, H_EXIT_INDEX),
                   (int)event_int(ev, H_EXIT_INCARNATION));
    l->who = p ? pool_str(j->pool, p->name) : "";
    if (l->death) {
        l->note = JTEXT(j, "signal %lld", (long long)event_int(ev, H_EXIT_SIGNAL));
    }
}

static void say_fault(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    if (ev->kind == H_NODE) {
        l->who = JTEXT(j, "broker %lld", (long long)event_int(ev, H_NODE_NODE));
        l->what = pool_str(j->pool, event_str(ev, H_NODE_WHAT));
        l->death = strcmp(l->what, "down") == 0;
        return;
    }
    const char *edge = event_str(ev, H_FAULT_EDGE);
    l->what = pool_str(j->pool, event_str(ev, H_FAULT_KIND));
    l->text = JTEXT(j, "%s%s%s", event_str(ev, H_FAULT_TARGET), *edge ? " " : "", edge);
    l->note = JTEXT(j, "fault %lld, firing %lld", (long long)event_int(ev, H_FAULT_FAULT) + 1,
                    (long long)event_int(ev, H_FAULT_NUMBER));
}

static void say_log(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    static const char *const outcomes[] = {"plain", "committed", "aborted", "open"};
    l->who = "log";
    if (ev->kind == H_LOG_CONTROL) {
        int64_t at = event_int(ev, H_LOG_CONTROL_OFFSET);
        l->what = event_int(ev, H_LOG_CONTROL_TYPE) == 1 ? "COMMIT" : "ABORT";
        l->text = where(j, ev, H_LOG_CONTROL_TOPIC, H_LOG_CONTROL_PARTITION, at, at);
        l->note =
            JTEXT(j, "producer id %lld epoch %lld", (long long)event_int(ev, H_LOG_CONTROL_PID),
                  (long long)event_int(ev, H_LOG_CONTROL_EPOCH));
        return;
    }
    int64_t at = event_int(ev, H_LOG_RECORD_OFFSET);
    l->what = "record";
    l->text = JTEXT(j, "%s  %s", where(j, ev, H_LOG_RECORD_TOPIC, H_LOG_RECORD_PARTITION, at, at),
                    outcomes[event_int(ev, H_LOG_RECORD_OUTCOME) & 3]);
    l->note = JTEXT(j, "producer id %lld epoch %lld", (long long)event_int(ev, H_LOG_RECORD_PID),
                    (long long)event_int(ev, H_LOG_RECORD_EPOCH));
}

static void say_other(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    const struct hist_kind_info *info = hist_kind_info(ev->kind);
    l->what = info ? info->name : "event";
    size_t len = 0;
    const char *text = NULL;
    if (ev->kind == H_ERROR) {
        text = event_bytes(ev, H_ERROR_MESSAGE, &len);
        l->note = pool_str(j->pool, event_str(ev, H_ERROR_CODE));
    } else if (ev->kind == H_EMIT) {
        text = event_bytes(ev, H_EMIT_FIELDS, &len);
        l->what = pool_str(j->pool, event_str(ev, H_EMIT_KIND));
    } else if (ev->kind == H_ASSERT) {
        text = event_bytes(ev, H_ASSERT_DETAILS, &len);
    }
    l->text = text ? JTEXT(j, "%.*s", (int)(len > 200 ? 200 : len), text) : "";
}

static void say_read(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    if (ev->kind == H_SEEK) {
        l->what = "seek";
        l->text =
            JTEXT(j, "%s[%lld] from %lld to %lld", event_str(ev, H_SEEK_TOPIC),
                  (long long)event_int(ev, H_SEEK_PARTITION), (long long)event_int(ev, H_SEEK_FROM),
                  (long long)event_int(ev, H_SEEK_OFFSET));
        l->note = pool_str(j->pool, event_str(ev, H_SEEK_WHY));
        return;
    }
    l->what = "poll";
    l->text = where(j, ev, H_DELIVER_TOPIC, H_DELIVER_PARTITION, event_int(ev, H_DELIVER_FIRST),
                    event_int(ev, H_DELIVER_LAST));
    l->note = event_int(ev, H_DELIVER_READ_COMMITTED) ? "" : "read_uncommitted";
}

static void say(struct judge *j, const struct event *ev, struct timeline_line *l)
{
    const struct m_proc *p = j->m->by_hist[ev->proc];
    *l = (struct timeline_line){.t = ev->t,
                                .event = {ev->proc, ev->seq},
                                .who = p ? pool_str(j->pool, p->name) : "",
                                .what = "",
                                .text = "",
                                .note = ""};
    switch (ev->kind) {
    case H_SEND:
        say_send(j, ev, l);
        break;
    case H_ACK:
        say_ack(j, ev, l);
        break;
    case H_DELIVER:
    case H_SEEK:
        say_read(j, ev, l);
        break;
    case H_TXN_COMMIT:
    case H_TXN_ABORT:
        say_txn(j, ev, l);
        break;
    case H_TXN_OFFSETS:
    case H_COMMIT:
        say_offsets(j, ev, l);
        break;
    case H_ASSIGN:
    case H_REVOKE:
        say_owner(j, ev, l);
        break;
    case H_CRASH:
    case H_EXIT:
        say_end(j, ev, l);
        break;
    case H_FAULT:
    case H_NODE:
        say_fault(j, ev, l);
        break;
    case H_LOG_RECORD:
    case H_LOG_CONTROL:
        say_log(j, ev, l);
        break;
    default:
        say_other(j, ev, l);
        break;
    }
}

/* ---- choice ---- */

static void add_last_fault(const struct judge *j, const struct anomaly *a, struct lines *l)
{
    const struct event *last = NULL;
    for (size_t i = 0; i < a->procs.n; i++) {
        const struct m_proc *p = a->procs.items[i];
        const struct event *ends[] = {p->crash, p->crash ? NULL : p->exit};
        for (int k = 0; k < 2; k++) {
            if (ends[k] && (!a->t || ends[k]->t <= a->t) && (!last || ends[k]->t > last->t)) {
                last = ends[k];
            }
        }
    }
    add(l, last, MUST);
    last = NULL;
    for (size_t i = 0; i < j->m->faults.n; i++) {
        const struct event *ev = j->m->faults.items[i];
        if ((!a->t || ev->t <= a->t) && (!last || ev->t >= last->t)) {
            last = ev;
        }
    }
    for (size_t i = 0; i < j->m->nodes.n; i++) {
        const struct event *ev = j->m->nodes.items[i];
        if ((!a->t || ev->t <= a->t) && (!last || ev->t >= last->t)) {
            last = ev;
        }
    }
    add(l, last, SHOULD);
}

static void add_owners(const struct judge *j, const struct anomaly *a, struct lines *l)
{
    uint64_t from = UINT64_MAX;
    for (size_t i = 0; i < l->n; i++) {
        from = l->items[i].ev->t < from ? l->items[i].ev->t : from;
    }
    for (size_t g = 0; a->in && g < j->m->groups.n; g++) {
        const struct m_group *group = j->m->groups.items[g];
        for (size_t i = 0; i < group->assigns.n; i++) {
            const struct m_assign *x = group->assigns.items[i];
            if (x->part == a->in && x->ev->t >= from && (!a->t || x->ev->t <= a->t)) {
                add(l, x->ev, MAY);
            }
        }
    }
}

static int weight_of(const struct event *ev)
{
    switch (ev->kind) {
    case H_LOG_RECORD:
    case H_LOG_BATCH:
    case H_ACK:
        return MAY;
    case H_SEND:
    case H_DELIVER:
        return SHOULD;
    default:
        return MUST;
    }
}

static int by_weight(const void *x, const void *y)
{
    const struct line *p = x, *q = y;
    if (p->weight != q->weight) {
        return p->weight - q->weight;
    }
    return p->ev < q->ev ? -1 : p->ev > q->ev;
}

static int by_time(const void *x, const void *y)
{
    const struct line *p = x, *q = y;
    if (p->t != q->t) {
        return p->t < q->t ? -1 : 1;
    }
    return p->ev < q->ev ? -1 : p->ev > q->ev;
}

static void make_timeline(struct judge *j, const struct anomaly *a, struct finding *f)
{
    struct lines l = {0};
    for (size_t i = 0; i < a->events.n; i++) {
        const struct event *ev = a->events.items[i];
        if (ev->kind != H_LOG_BATCH) {
            add(&l, ev, weight_of(ev));
        }
    }
    add_last_fault(j, a, &l);
    add_owners(j, a, &l);
    if (l.n) {
        qsort(l.items, l.n, sizeof *l.items, by_weight);
    }
    size_t n = l.n < LINES ? l.n : LINES;
    for (size_t i = 0; i < n; i++) {
        l.items[i].t = time_of(j->m, l.items[i].ev);
    }
    if (n) {
        qsort(l.items, n, sizeof *l.items, by_time);
    }
    struct timeline_line *lines = pool_alloc(j->pool, (n + 1) * sizeof *lines);
    for (size_t i = 0; i < n; i++) {
        say(j, l.items[i].ev, &lines[i]);
        lines[i].t = l.items[i].t;
    }
    f->timeline = lines;
    f->ntimeline = n;
    free(l.items);
}

/* ---- lineage ---- */

static struct record_ref ref(struct judge *j, const struct m_part *p, int64_t offset)
{
    return (struct record_ref){p ? pool_str(j->pool, p->topic->name) : "", p ? p->number : -1,
                               offset};
}

static void make_lineage(struct judge *j, const struct anomaly *a, struct finding *f)
{
    static const char *const outcomes[] = {"plain", "committed", "aborted", "open"};
    struct lineage_edge *edges = pool_alloc(j->pool, EDGES * sizeof *edges);
    size_t n = 0;
    bool again = false;
    for (size_t i = 0; i < a->records.n && n < EDGES; i++) {
        const struct m_part *p = a->records.items[i].part;
        const struct m_record *r = part_record(p, a->records.items[i].offset);
        if (!r || (p == a->in && r->offset == a->in_offset)) {
            continue;
        }
        bool ours = a->in && r->src == a->in && r->src_offset == a->in_offset;
        edges[n++] =
            (struct lineage_edge){.from = r->src ? ref(j, r->src, r->src_offset) : ref(j, NULL, -1),
                                  .to = ref(j, p, r->offset),
                                  .who = r->proc ? pool_str(j->pool, r->proc->name) : "",
                                  .outcome = outcomes[r->outcome & 3],
                                  .note = r->probe        ? "by the restart probe"
                                          : ours && again ? "same input record again"
                                                          : "",
                                  .t = record_time(j->m, r)};
        again = again || ours;
    }
    if (n == 0 && a->in) {
        edges[n++] = (struct lineage_edge){.from = ref(j, a->in, a->in_offset),
                                           .to = ref(j, NULL, -1),
                                           .who = "",
                                           .outcome = "nothing",
                                           .note = ""};
    }
    f->lineage = edges;
    f->nlineage = n;
}

void evidence_make(struct judge *j, const struct anomaly *a, struct finding *f)
{
    make_lineage(j, a, f);
    make_timeline(j, a, f);
}
