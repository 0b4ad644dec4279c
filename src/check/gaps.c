/* SPDX-License-Identifier: Apache-2.0 */
/* gaps and sequences: does the raw log obey its own rules. On a partition without compaction every
 * offset from log start to end lies in exactly one batch that holds as many records as it spans;
 * the sequence numbers of a producer continue within one epoch. The first batch of a producer, and
 * the first of each epoch, may have any number (expiry, retention, lost state). Behind a batch or a
 * marker of a higher epoch a producer is fenced: nothing of its lower epoch stands there. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

enum { CONTROL = 0x20, EXAMPLES = 1000 };

static const char *where(struct judge *j, const struct m_part *p, int64_t offset)
{
    return record_name(j->pool, p, offset);
}

static struct anomaly *add(struct judge *j, const char *kind, struct m_part *p, int64_t first,
                           int64_t last)
{
    struct anomaly *a = anomaly_add(j, kind);
    if (!a) {
        return NULL;
    }
    a->id = where(j, p, first);
    a->seg = p;
    a->seg_first = first;
    a->seg_last = last;
    anomaly_record(a, p, first);
    for (int64_t o = first + 1; o <= last && o - first < 100; o++) {
        anomaly_record(a, p, o);
    }
    return a;
}

/* Brokers other than Kafka may leave holes: there a gap is worth a word, no more. */
static bool foreign_cluster(const struct model *m)
{
    const struct event *ev = model_phase(m, "cluster");
    const char *spec = ev ? event_str(ev, H_PHASE_DETAIL) : "";
    return strchr(spec, ':') && strncmp(spec, "kafka", 5) != 0 && strncmp(spec, "embedded", 8) != 0;
}

static void missing_offsets(struct judge *j, struct m_part *p, int64_t first, int64_t last)
{
    struct anomaly *a = add(j, "unexplained_gap", p, first, last);
    if (a) {
        a->warning = foreign_cluster(j->m);
        a->text = first == last
                      ? JTEXT(j, "%s is in no batch", where(j, p, first))
                      : JTEXT(j, "%s to %lld are in no batch", where(j, p, first), (long long)last);
    }
}

/* Data batches: one record event per offset. */
static void records_of(struct judge *j, struct m_part *p, const struct m_batch *b)
{
    if ((b->attributes & CONTROL) || *event_str(b->ev, H_LOG_BATCH_ERROR)) {
        return;
    }
    int64_t expected = b->base < p->log_start ? p->log_start : b->base;
    for (size_t i = part_lower(p, expected); i < p->records.n && expected <= b->last; i++) {
        const struct m_record *r = &p->records.items[i];
        if (r->offset > b->last) {
            break;
        }
        if (r->offset > expected) {
            missing_offsets(j, p, expected, r->offset - 1);
        }
        expected = r->offset + 1;
    }
    if (expected <= b->last) {
        missing_offsets(j, p, expected, b->last);
    }
}

static void reused(struct judge *j, struct m_part *p)
{
    for (size_t i = 1; i < p->records.n; i++) {
        const struct m_record *r = &p->records.items[i];
        if (r->offset != r[-1].offset) {
            continue;
        }
        struct anomaly *a = add(j, "offset_reused", p, r->offset, r->offset);
        if (a) {
            anomaly_log_record(a, &r[-1]);
            anomaly_log_record(a, r);
            a->text = JTEXT(j, "%s holds two records", where(j, p, r->offset));
        }
    }
}

static void judge_batch(struct judge *j, struct m_part *p, const struct m_batch *b)
{
    const char *error = event_str(b->ev, H_LOG_BATCH_ERROR);
    if (*error && !(p->compacted && strcmp(error, "empty") == 0)) {
        struct anomaly *a = add(j, "corrupt_batch", p, b->base, b->last);
        if (a) {
            anomaly_event(a, b->ev);
            a->text = JTEXT(j, "the batch at %s: %s", where(j, p, b->base), error);
        }
        return;
    }
    if (p->compacted) {
        return;
    }
    records_of(j, p, b);
}

static void walk_batches(struct judge *j, struct m_part *p)
{
    int64_t expected = p->log_start;
    const struct m_batch *prev = NULL;
    for (size_t i = 0; i < p->batches.n; i++) {
        const struct m_batch *b = &p->batches.items[i];
        if (b->last < p->log_start && !prev) {
            continue;
        }
        if (prev && b->base <= prev->last) {
            struct anomaly *a = add(j, "overlapping_batches", p, b->base, prev->last);
            if (a) {
                anomaly_event(a, prev->ev);
                anomaly_event(a, b->ev);
                a->text = JTEXT(j, "the batches at %s and %lld overlap", where(j, p, prev->base),
                                (long long)b->base);
            }
        } else if (b->base > expected && !p->compacted) {
            missing_offsets(j, p, expected, b->base - 1);
        }
        judge_batch(j, p, b);
        expected = b->last + 1 > expected ? b->last + 1 : expected;
        prev = b;
    }
    if (expected < p->hw && !p->compacted) {
        missing_offsets(j, p, expected, p->hw - 1);
    }
}

static bool whole(const struct m_part *p)
{
    return p && p->audited && p->complete && p->hw >= 0;
}

void check_gaps(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    for (size_t i = 0; i < j->m->topics.n; i++) {
        struct m_topic *t = j->m->topics.items[i];
        for (size_t k = 0; t->plan && k < t->parts.n; k++) {
            struct m_part *p = t->parts.items[k];
            if (whole(p)) {
                out->judged += (int64_t)p->batches.n;
                walk_batches(j, p);
                reused(j, p);
            }
        }
    }
    out->detail = JTEXT(j, "%lld batches judged", (long long)out->judged);
}

/* ---- sequences ---- */

struct producer { /**< of one partition */
    const struct m_batch *last;
    const struct m_batch *fence;        /**< of its highest epoch, markers included */
    VEC(const struct m_batch *) recent; /**< of its epoch */
};

static int64_t after(const struct m_batch *b)
{
    return (b->sequence + (b->last - b->base) + 1) & 0x7fffffff;
}

static const struct m_batch *same_batch(const struct producer *q, const struct m_batch *b)
{
    for (size_t i = q->recent.n; i-- > 0 && q->recent.n - i <= EXAMPLES;) {
        const struct m_batch *x = q->recent.items[i];
        if (x->sequence == b->sequence && x->last - x->base == b->last - b->base) {
            return x;
        }
    }
    return NULL;
}

static void judge_sequence(struct judge *j, struct m_part *p, const struct producer *q,
                           const struct m_batch *b)
{
    if (b->sequence == after(q->last)) {
        return;
    }
    const struct m_batch *twin = same_batch(q, b);
    if (!twin && p->compacted) {
        return;
    }
    struct anomaly *a = add(j, twin ? "duplicate_batch" : "sequence_gap", p, b->base, b->last);
    if (!a) {
        return;
    }
    const struct m_batch *other = twin ? twin : q->last;
    anomaly_record(a, p, other->base);
    for (int64_t o = other->last + 1; !twin && o < b->base && o - other->last < 100; o++) {
        anomaly_record(a, p, o); /* what is missing may have stood here */
    }
    anomaly_event(a, other->ev);
    anomaly_event(a, b->ev);
    if (twin) {
        a->text = JTEXT(j,
                        "the batches at %s and %lld have producer id %lld, epoch %d, sequence "
                        "%lld in common",
                        where(j, p, twin->base), (long long)b->base, (long long)b->pid,
                        (int)b->epoch, (long long)b->sequence);
    } else {
        a->text = JTEXT(j, "producer id %lld, epoch %d goes from sequence %lld to %lld at %s",
                        (long long)b->pid, (int)b->epoch, (long long)after(q->last) - 1,
                        (long long)b->sequence, where(j, p, b->base));
    }
}

static void judge_epoch(struct judge *j, struct m_part *p, const struct producer *q,
                        const struct m_batch *b)
{
    struct anomaly *a =
        b->epoch < q->fence->epoch ? add(j, "stale_epoch", p, b->base, b->last) : NULL;
    if (!a) {
        return;
    }
    anomaly_event(a, q->fence->ev);
    anomaly_event(a, b->ev);
    a->text =
        JTEXT(j, "producer id %lld wrote with epoch %d at %s, behind the %s of epoch %d at %lld",
              (long long)b->pid, (int)b->epoch, where(j, p, b->base),
              q->fence->attributes & CONTROL ? "marker" : "batch", (int)q->fence->epoch,
              (long long)q->fence->base);
}

static void walk_sequences(struct judge *j, struct m_part *p, struct eval *out)
{
    struct map by_pid = {0};
    VEC(struct producer) producers = {0};
    for (size_t i = 0; i < p->batches.n; i++) {
        const struct m_batch *b = &p->batches.items[i];
        bool control = b->attributes & CONTROL, fresh;
        if (b->pid < 0 || (b->sequence < 0 && !control)) {
            continue;
        }
        struct map_entry *at = map_put(&by_pid, &b->pid, sizeof b->pid, &fresh);
        if (fresh) {
            at->u = producers.n;
            *VEC_PUSH(&producers) = (struct producer){.fence = b};
        }
        assert(at->u < producers.n);
        struct producer *q = &producers.items[at->u];
        if (b->epoch > q->fence->epoch) {
            q->fence = b;
        }
        if (control) {
            continue;
        }
        judge_epoch(j, p, q, b);
        if (q->last && q->last->epoch == b->epoch) {
            judge_sequence(j, p, q, b);
            out->judged++;
        } else {
            q->recent.n = 0;
        }
        *VEC_PUSH(&q->recent) = b;
        q->last = b;
    }
    for (size_t i = 0; i < producers.n; i++) {
        free(producers.items[i].recent.items);
    }
    free(producers.items);
    map_free(&by_pid);
}

/* Broker state of producers may expire: then any number is accepted again. */
static bool expires(const struct model *m)
{
    enum { HOUR_MS = 3600000 };
    for (size_t i = 0; i < m->configs.n; i++) {
        const struct event *ev = m->configs.items[i];
        if (strcmp(event_str(ev, H_CONFIG_NAME), "producer.id.expiration.ms") == 0) {
            long long ms = strtoll(event_str(ev, H_CONFIG_VALUE), NULL, 10);
            return ms > 0 && ms < HOUR_MS;
        }
    }
    return false;
}

void check_sequences(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    for (size_t i = 0; i < j->m->topics.n && !expires(j->m); i++) {
        struct m_topic *t = j->m->topics.items[i];
        for (size_t k = 0; t->plan && k < t->parts.n; k++) {
            if (t->parts.items[k] && t->parts.items[k]->audited) {
                walk_sequences(j, t->parts.items[k], out);
            }
        }
    }
    out->detail = JTEXT(j, "%lld batches judged", (long long)out->judged);
}
