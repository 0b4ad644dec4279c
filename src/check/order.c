/* SPDX-License-Identifier: Apache-2.0 */
/* order: committed records only, in the order of the log. Per partition the numbers of one producer
 * of one process rise; per key also the source offsets of one source partition rise, except that a
 * source which stood there before is a duplicate and no matter of order. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "check/anomaly.h"

struct scan {
    struct judge *j;
    bool per_key;
    struct map last;    /**< producer (and key) -> last record */
    struct map highest; /**< source partition and key -> record with the highest source */
    struct map seen;    /**< source records that have stood in the log */
    struct buf key;
    int64_t judged;
};

static void put(struct buf *b, const void *data, size_t len)
{
    buf_append(b, data, len);
}

static void put_key(struct scan *s, const struct m_record *r)
{
    if (!s->per_key) {
        return;
    }
    size_t len = 0;
    const void *key = event_bytes(r->ev, H_LOG_RECORD_KEY, &len);
    char null = key == NULL;
    put(&s->key, &null, 1);
    if (key) {
        put(&s->key, key, len);
    }
}

static void reordered(struct scan *s, const struct m_record *before, const struct m_record *r,
                      bool source)
{
    struct anomaly *a = anomaly_add(s->j, "reordered");
    if (!a) {
        return;
    }
    struct pool *pool = s->j->pool;
    a->id = record_name(pool, r->part, r->offset);
    a->t = record_time(s->j->m, r);
    anomaly_log_record(a, r);
    anomaly_log_record(a, before);
    const char *x = record_name(pool, before->part, before->offset);
    if (source) {
        anomaly_source(a, r->src, r->src_offset);
        a->text = JTEXT(s->j, "%s comes from %s and stands behind %s, which comes from %s", a->id,
                        record_name(pool, r->src, r->src_offset), x,
                        record_name(pool, before->src, before->src_offset));
    } else {
        a->text = JTEXT(s->j, "%s was sent as number %lld of %s and stands behind number %lld (%s)",
                        a->id, (long long)r->seq, r->proc->name, (long long)before->seq, x);
    }
}

static void judge_sender(struct scan *s, const struct m_record *r)
{
    const struct m_send *send = r->proc ? model_send(r->proc, r->seq) : NULL;
    if (!r->proc) {
        return;
    }
    s->key.len = 0;
    put(&s->key, &r->proc, sizeof r->proc);
    const char *producer = send ? send->producer : "";
    put(&s->key, producer, strlen(producer) + 1);
    put_key(s, r);
    bool fresh;
    struct map_entry *at = map_put(&s->last, s->key.data, s->key.len, &fresh);
    if (!fresh && ((const struct m_record *)at->p)->seq > r->seq) {
        reordered(s, at->p, r, false);
        return;
    }
    at->p = (void *)r;
}

static void judge_source(struct scan *s, const struct m_record *r)
{
    if (!s->per_key || !r->src) {
        return;
    }
    s->key.len = 0;
    put(&s->key, &r->src, sizeof r->src);
    put(&s->key, &r->src_offset, sizeof r->src_offset);
    put_key(s, r);
    bool fresh;
    map_put(&s->seen, s->key.data, s->key.len, &fresh);
    if (!fresh) {
        return;
    }
    s->key.len = 0;
    put(&s->key, &r->src, sizeof r->src);
    put_key(s, r);
    struct map_entry *at = map_put(&s->highest, s->key.data, s->key.len, &fresh);
    const struct m_record *top = fresh ? NULL : at->p;
    if (top && top->src_offset > r->src_offset) {
        reordered(s, top, r, true);
        return;
    }
    at->p = (void *)r;
}

static void scan_part(struct scan *s, struct m_part *p)
{
    for (size_t i = 0; i < p->records.n; i++) {
        const struct m_record *r = &p->records.items[i];
        if (!outcome_visible(r->outcome)) {
            continue;
        }
        s->judged++;
        size_t before = s->j->anomalies.n + s->j->hushed;
        judge_sender(s, r);
        if (s->j->anomalies.n + s->j->hushed == before) {
            judge_source(s, r);
        }
    }
    map_free(&s->last);
    map_free(&s->highest);
    map_free(&s->seen);
    s->last = s->highest = s->seen = (struct map){0};
}

void check_order(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct m_topic *t = pred->topic ? model_topic(j->m, pred->topic) : NULL;
    struct scan s = {.j = j, .per_key = pred->per_key};
    for (size_t i = 0; t && i < t->parts.n; i++) {
        if (t->parts.items[i]) {
            scan_part(&s, t->parts.items[i]);
        }
    }
    buf_free(&s.key);
    out->judged = s.judged;
    if (!j->audited) {
        out->unknown = "the audit is not complete";
    }
}
