/* SPDX-License-Identifier: Apache-2.0 */
/* Collects the samples of each metric from the model.
 *
 * e2e.latency   begins when w:pace had planned the send (else when it was made), so that a sender
 *               that is held up counts (open model), and ends when the effect was first delivered
 * to somebody who reads committed: a role, or kaos's own reader of an output. Where nobody read it,
 * the acknowledged commit or the log's timestamp stands in. send.latency  the call to the
 * acknowledgement. TOPIC.rate    committed records by the time of their commit, in whole seconds of
 * the time in which faults were on. recovery      death of an instance to the next commit on a
 * partition that it owned, without the time in which there was nothing to commit.
 *
 * Runs of the history are up to 10 ms long; times inside of one are taken in proportion. */
#include "check/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const double MS = 1e6; /* ns */

static void add(struct metric *x, uint64_t from, uint64_t to, int64_t key, struct m_proc *p)
{
    double ms = to > from ? (double)(to - from) / MS : 0;
    *VEC_PUSH(&x->samples) = (struct sample){ms, key, p};
}

/* The time of the k-th of n calls that share an event. */
static uint64_t within(uint64_t first, int64_t last, int64_t k, int64_t n)
{
    uint64_t end = last > 0 && (uint64_t)last > first ? (uint64_t)last : first;
    return n < 2 || k <= 0 ? first : first + (end - first) * (uint64_t)k / (uint64_t)(n - 1);
}

static uint64_t sent_at(const struct m_send *s, int64_t seq)
{
    return within(s->ev->t, event_int(s->ev, H_SEND_LAST_TIME), seq - s->seq, s->count);
}

static uint64_t acked_at(const struct m_ack *a, int64_t seq)
{
    return within(a->ev->t, event_int(a->ev, H_ACK_LAST_TIME), seq - a->seq, a->count);
}

/* ---- e2e.latency ---- */

static uint64_t planned_at(struct metric *x, const struct m_proc *p, int64_t seq)
{
    const struct m_send *s = p ? model_send(p, seq) : NULL;
    if (!s) {
        return 0;
    }
    uint64_t t = sent_at(s, seq);
    int64_t planned = event_int(s->ev, H_SEND_PLANNED);
    if (planned <= 0 || (uint64_t)planned >= t) {
        return t;
    }
    uint64_t late = t - (uint64_t)planned;
    x->late_ns = late > x->late_ns ? late : x->late_ns;
    return (uint64_t)planned;
}

/* Of a record that no role of the scenario sent: by its timestamp. */
static uint64_t stamped_at(const struct model *m, const struct m_record *r)
{
    int64_t ms = event_int(r->ev, H_LOG_RECORD_TIMESTAMP);
    int64_t ns = ms > 0 && ms < INT64_MAX / 1000000 ? ms * 1000000 - m->real_minus_mono : 0;
    return ns > 0 ? (uint64_t)ns : 0;
}

static uint64_t begun_at(struct metric *x, const struct flow_item *it)
{
    uint64_t first = it->proc ? planned_at(x, it->proc, it->seq) : 0;
    for (uint32_t i = it->input; i && !it->proc; i = x->flow.inputs.items[i - 1].next) {
        const struct m_record *r = x->flow.inputs.items[i - 1].r;
        uint64_t t = planned_at(x, r->proc, r->seq);
        t = t ? t : stamped_at(x->j->m, r);
        first = t && (!first || t < first) ? t : first;
    }
    return first;
}

static uint64_t delivered_at(const struct m_deliver *d, int64_t offset)
{
    return within(d->ev->t, event_int(d->ev, H_DELIVER_LAST_TIME), offset - d->first,
                  d->last - d->first + 1);
}

static uint64_t seen_at(const struct model *m, const struct m_record *r)
{
    uint64_t first = 0;
    for (size_t i = part_deliver_from(r->part, r->offset); i < r->part->delivers.n; i++) {
        const struct m_deliver *d = r->part->delivers.items[i];
        if (d->first > r->offset) {
            break;
        }
        if (d->last >= r->offset && d->read_committed) {
            uint64_t t = delivered_at(d, r->offset);
            first = !first || t < first ? t : first;
        }
    }
    return first ? first : record_time(m, r);
}

static uint64_t ended_at(const struct metric *x, const struct flow_item *it)
{
    uint64_t first = 0;
    for (uint32_t i = it->effect; i; i = x->flow.effects.items[i - 1].next) {
        const struct flow_effect *e = &x->flow.effects.items[i - 1];
        if (e->maybe || (!e->d && e->r->probe)) {
            continue;
        }
        uint64_t t = e->d ? delivered_at(e->d, e->r->offset) : seen_at(x->j->m, e->r);
        first = t && (!first || t < first) ? t : first;
    }
    return first;
}

static int collect_e2e(struct metric *x)
{
    const struct plan_preds *preds = &x->j->plan->expect.items[x->t->prop].preds;
    x->flowing = true;
    if (flow_make(&x->flow, x->j, &preds->items[x->t->pred]) != 0) {
        return -1;
    }
    for (size_t i = 0; i < x->flow.items.n; i++) {
        const struct flow_item *it = &x->flow.items.items[i];
        uint64_t from = begun_at(x, it), to = ended_at(x, it);
        if (from && to) {
            add(x, from, to, (int64_t)i, NULL);
        } else {
            x->missing += it->required;
        }
    }
    return 0;
}

static void describe_e2e(struct metric *x, const struct sample *s, struct anomaly *a)
{
    const struct flow_item *it = &x->flow.items.items[s->key];
    a->id = flow_id(&x->flow, it);
    a->t = ended_at(x, it);
    if (it->input) {
        const struct m_record *r = x->flow.inputs.items[it->input - 1].r;
        anomaly_log_record(a, r);
        anomaly_source(a, r->part, r->offset);
    }
    for (uint32_t i = it->effect; i; i = x->flow.effects.items[i - 1].next) {
        const struct flow_effect *e = &x->flow.effects.items[i - 1];
        anomaly_log_record(a, e->r);
        anomaly_event(a, e->d ? e->d->ev : NULL);
    }
}

/* ---- send.latency ---- */

static void collect_send(struct metric *x)
{
    for (size_t i = 0; i < x->j->m->procs.n; i++) {
        struct m_proc *p = x->j->m->procs.items[i];
        for (size_t k = 0; k < p->acks.n && !p->probe; k++) {
            const struct m_ack *a = &p->acks.items[k];
            for (int64_t n = 0; a->phase == HP_OK && n < a->count; n++) {
                const struct m_send *s = model_send(p, a->seq + n);
                if (s) {
                    add(x, sent_at(s, a->seq + n), acked_at(a, a->seq + n), a->seq + n, p);
                }
            }
        }
    }
}

static void describe_send(struct metric *x, const struct sample *s, struct anomaly *a)
{
    const struct m_send *send = model_send(s->proc, s->key);
    const struct m_ack *ack = model_ack(s->proc, s->key);
    a->id = JTEXT(x->j, "%s seq %lld", s->proc->name, (long long)s->key);
    a->t = acked_at(ack, s->key);
    anomaly_proc(a, s->proc);
    anomaly_event(a, send->ev);
    anomaly_event(a, ack->ev);
    if (ack->part && ack->offset >= 0) {
        anomaly_record(a, ack->part, ack->offset + (s->key - ack->seq));
    }
}

/* ---- TOPIC.rate ---- */

static void collect_rate(struct metric *x)
{
    enum { SECONDS_MAX = 7 * 24 * 3600 };
    const struct model *m = x->j->m;
    const struct m_topic *topic = model_topic(m, x->t->topic);
    uint64_t end = m->t_off ? m->t_off : m->t_end;
    uint64_t whole = end > m->t0 ? (end - m->t0) / 1000000000u : 0;
    size_t n = whole < SECONDS_MAX ? (size_t)whole : SECONDS_MAX;
    int64_t total = 0, *buckets = xcalloc(n + 1, sizeof *buckets);
    for (size_t i = 0; topic && i < topic->parts.n; i++) {
        const struct m_part *p = topic->parts.items[i];
        for (size_t k = 0; p && k < p->records.n; k++) {
            const struct m_record *r = &p->records.items[k];
            uint64_t t = outcome_visible(r->outcome) && !r->probe ? record_time(m, r) : 0;
            if (t >= m->t0 && t < end) {
                size_t second = (size_t)((t - m->t0) / 1000000000u);
                total++;
                buckets[second < n ? second : n]++;
            }
        }
    }
    for (size_t i = 0; i < n && total > 0; i++) {
        *VEC_PUSH(&x->samples) = (struct sample){(double)buckets[i], (int64_t)i, NULL};
    }
    x->average = n > 0 ? (double)total * 1e9 / (double)(end - m->t0) : 0;
    free(buckets);
}

static void describe_rate(struct metric *x, const struct sample *s, struct anomaly *a)
{
    a->id = JTEXT(x->j, "second %lld", (long long)s->key);
    a->t = x->j->m->t0 + (uint64_t)s->key * 1000000000u;
}

/* ---- recovery ---- */

static void add_commit(struct metric *x, struct m_group *g, struct m_part *p, int64_t offset,
                       const struct event *done)
{
    *VEC_PUSH(&x->commits) = (struct metric_commit){g, p, offset, done->t, done};
}

static int by_place(const void *a, const void *b)
{
    const struct metric_commit *x = a, *y = b;
    if (x->group != y->group) {
        return x->group < y->group ? -1 : 1;
    }
    if (x->part != y->part) {
        return x->part < y->part ? -1 : 1;
    }
    return x->t < y->t ? -1 : x->t > y->t;
}

static void find_commits(struct metric *x)
{
    const struct model *m = x->j->m;
    for (size_t i = 0; i < m->claims.n; i++) {
        const struct m_claim *c = m->claims.items[i];
        const struct event *done = c->txn->commit_done;
        if (done && done->phase == HP_OK && txn_committed(c->txn) == 1) {
            add_commit(x, c->group, c->part, c->offset, done);
        }
    }
    for (size_t i = 0; i < m->commits.n; i++) {
        const struct m_commit *c = m->commits.items[i];
        if (c->phase == HP_OK && c->done) {
            add_commit(x, c->group, c->part, c->offset, c->done);
        }
    }
    if (x->commits.n) {
        qsort(x->commits.items, x->commits.n, sizeof *x->commits.items, by_place);
    }
}

/* When an instance died; 0 = it did not, or not while faults were on. */
static uint64_t death_of(const struct model *m, const struct m_proc *p)
{
    const struct event *ev = p->crash ? p->crash : p->exit;
    const char *why = p->crash || !p->exit ? "fault" : event_str(p->exit, H_EXIT_WHY);
    bool died = strcmp(why, "returned") != 0 && strcmp(why, "stopped") != 0;
    if (!ev || !died || p->probe || p->reader || ev->t < m->t0 || (m->t_off && ev->t > m->t_off)) {
        return 0;
    }
    return ev->t;
}

static void find_deaths(struct metric *x)
{
    const struct model *m = x->j->m;
    for (size_t i = 0; i < m->groups.n; i++) {
        struct m_group *g = m->groups.items[i];
        struct map open = {0}; /* process and partition -> owned now */
        for (size_t k = 0; k < g->assigns.n; k++) {
            const struct m_assign *a = g->assigns.items[k];
            const void *key[] = {a->proc, a->part};
            if (a->part && death_of(m, a->proc)) {
                map_put(&open, key, sizeof key, NULL)->i = a->given;
            }
        }
        for (size_t k = 0; k < g->assigns.n; k++) {
            const struct m_assign *a = g->assigns.items[k];
            const void *key[] = {a->proc, a->part};
            struct map_entry *at = a->part ? map_get(&open, key, sizeof key) : NULL;
            if (at && at->i) {
                at->i = 0; /* once */
                *VEC_PUSH(&x->deaths) =
                    (struct metric_death){a->proc, g, a->part, death_of(m, a->proc), NULL};
            }
        }
        map_free(&open);
    }
}

/* Index of the first commit on a death's partition after it. */
static size_t first_after(const struct metric *x, const struct metric_death *d)
{
    struct metric_commit key = {d->group, d->part, 0, d->t, NULL};
    size_t lo = 0, hi = x->commits.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (by_place(&x->commits.items[mid], &key) <= 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* When the first record that a commit took in could have been read: before, nobody was waited for.
 */
static uint64_t work_since(const struct metric *x, size_t commit)
{
    const struct metric_commit *c = &x->commits.items[commit];
    int64_t from = 0;
    for (size_t i = commit;
         i-- > 0 && x->commits.items[i].group == c->group && x->commits.items[i].part == c->part;) {
        from = x->commits.items[i].offset > from ? x->commits.items[i].offset : from;
    }
    for (size_t i = part_lower(c->part, from); i < c->part->records.n; i++) {
        const struct m_record *r = &c->part->records.items[i];
        if (outcome_visible(r->outcome)) {
            return r->offset < c->offset ? record_time(x->j->m, r) : 0;
        }
    }
    return 0;
}

static void collect_recovery(struct metric *x)
{
    find_commits(x);
    find_deaths(x);
    for (size_t i = 0; i < x->deaths.n; i++) {
        struct metric_death *d = &x->deaths.items[i];
        size_t at = first_after(x, d);
        const struct metric_commit *c = at < x->commits.n ? &x->commits.items[at] : NULL;
        if (!c || c->group != d->group || c->part != d->part) {
            x->missing++;
            continue;
        }
        uint64_t since = work_since(x, at);
        d->commit = c;
        add(x, since > d->t ? since : d->t, c->t, (int64_t)i, d->proc);
    }
}

static void describe_recovery(struct metric *x, const struct sample *s, struct anomaly *a)
{
    const struct metric_death *d = &x->deaths.items[s->key];
    a->id = JTEXT(x->j, "%s on %s[%d]", d->proc->name, d->part->topic->name, (int)d->part->number);
    a->t = d->commit->t;
    anomaly_proc(a, d->proc);
    anomaly_event(a, d->proc->crash ? d->proc->crash : d->proc->exit);
    anomaly_event(a, d->commit->ev);
}

/* ---- all ---- */

int metric_collect(struct metric *x, struct judge *j, const struct plan_threshold *t)
{
    *x = (struct metric){.j = j, .t = t};
    switch (t->metric) {
    case METRIC_E2E:
        return collect_e2e(x);
    case METRIC_SEND:
        collect_send(x);
        break;
    case METRIC_RATE:
        collect_rate(x);
        break;
    case METRIC_RECOVERY:
        collect_recovery(x);
        break;
    }
    return 0;
}

void metric_describe(struct metric *x, const struct sample *s, struct anomaly *a)
{
    static void (*const fns[])(struct metric *, const struct sample *, struct anomaly *) = {
        [METRIC_E2E] = describe_e2e,
        [METRIC_SEND] = describe_send,
        [METRIC_RATE] = describe_rate,
        [METRIC_RECOVERY] = describe_recovery,
    };
    char value[32];
    fns[x->t->metric](x, s, a);
    metric_text(value, x->t, s->value);
    a->text = JTEXT(x->j, "%s, the limit for %s is %s %s", value, x->t->stat_text,
                    plan_op_text(x->t->op), x->t->limit_text);
}

void metric_free(struct metric *x)
{
    if (x->flowing) {
        flow_free(&x->flow);
    }
    free(x->samples.items);
    free(x->commits.items);
    free(x->deaths.items);
}

void metric_text(char out[32], const struct plan_threshold *t, double v)
{
    if (t->metric == METRIC_RATE) {
        snprintf(out, 32, v < 100 ? "%.1f/s" : "%.0f/s", v);
    } else if (v < 1000) {
        snprintf(out, 32, v < 10 ? "%.1fms" : "%.0fms", v);
    } else {
        snprintf(out, 32, v < 60000 ? "%.2fs" : "%.0fs", v / 1000);
    }
}
