/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the records and markers of a partition in the order of offsets. Times of markers are those
 * of the broker that wrote them; times of records are those of the process that sent them, as a
 * record's own timestamp may be anything. */
#include "check/spans.h"

#include <stdlib.h>

#include "base/mem.h"

static uint64_t mono(const struct model *m, int64_t ms)
{
    int64_t ns = ms > 0 && ms < INT64_MAX / 1000000 ? ms * 1000000 - m->real_minus_mono : 0;
    return ns > 0 ? (uint64_t)ns : 0;
}

/* When it was handed to its producer: the record is in the log later. */
static uint64_t send_time(const struct model *m, const struct m_record *r)
{
    const struct m_send *s = r->proc ? model_send(r->proc, r->seq) : NULL;
    return s ? s->ev->t : mono(m, event_int(r->ev, H_LOG_RECORD_TIMESTAMP));
}

/* When it was in the log for sure: acknowledged; else when it was sent. */
static uint64_t append_time(const struct model *m, const struct m_record *r)
{
    const struct m_ack *a = r->proc ? model_ack(r->proc, r->seq) : NULL;
    if (!a || a->phase != HP_OK) {
        return send_time(m, r);
    }
    return a->count == 1 ? a->ev->t : (uint64_t)event_int(a->ev, H_ACK_LAST_TIME);
}

static void open_span(struct spans *s, struct map *open, const struct model *m,
                      const struct m_record *r)
{
    struct map_entry *at = map_put(open, &r->pid, sizeof r->pid, NULL);
    if (at->u == 0) {
        *VEC_PUSH(&s->list) =
            (struct span){.first = r, .marker = INT64_MAX, .begin = append_time(m, r)};
        at->u = s->list.n;
    }
}

static void close_span(struct spans *s, struct map *open, const struct model *m,
                       const struct m_control *c)
{
    struct map_entry *at = map_get(open, &c->pid, sizeof c->pid);
    if (at && at->u > 0) {
        struct span *x = &s->list.items[at->u - 1];
        x->marker = c->offset;
        x->end = mono(m, event_int(c->ev, H_LOG_CONTROL_TIMESTAMP));
        x->commit = c->commit;
        at->u = 0;
    }
}

void spans_make(struct spans *s, const struct model *m, const struct m_part *p)
{
    struct map open = {0};
    size_t next = 0;
    *s = (struct spans){0};
    for (size_t i = 0; i < p->records.n; i++) {
        const struct m_record *r = &p->records.items[i];
        for (; next < p->controls.n && p->controls.items[next].offset < r->offset; next++) {
            close_span(s, &open, m, &p->controls.items[next]);
        }
        if (r->outcome != OUT_PLAIN && !r->probe) {
            open_span(s, &open, m, r);
        }
    }
    for (; next < p->controls.n; next++) {
        close_span(s, &open, m, &p->controls.items[next]);
    }
    map_free(&open);
}

void spans_free(struct spans *s)
{
    free(s->list.items);
    *s = (struct spans){0};
}

uint64_t *spans_visible(const struct spans *s, const struct model *m, const struct m_part *p)
{
    uint64_t *when = xcalloc(p->records.n + 1, sizeof *when);
    VEC(const struct span *) open = {0};
    size_t next = 0;
    for (size_t i = 0; i < p->records.n; i++) {
        const struct m_record *r = &p->records.items[i];
        when[i] = send_time(m, r);
        for (; next < s->list.n && s->list.items[next].first->offset <= r->offset; next++) {
            *VEC_PUSH(&open) = &s->list.items[next];
        }
        for (size_t k = 0; k < open.n;) {
            const struct span *x = open.items[k];
            if (x->marker < r->offset) {
                open.items[k] = open.items[--open.n];
                continue;
            }
            uint64_t end = x->marker == INT64_MAX ? UINT64_MAX : x->end;
            when[i] = end > when[i] ? end : when[i];
            k++;
        }
    }
    free(open.items);
    return when;
}
