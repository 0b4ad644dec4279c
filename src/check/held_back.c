/* SPDX-License-Identifier: Apache-2.0 */
/* held_back: how long each transaction stayed open in a partition, from its first record to its
 * marker. Time in which a node was away does not count: nobody could have ended it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"
#include "check/spans.h"

/* From when on it could have been ended: not before the last node came back that was away. */
static uint64_t fair_begin(const struct model *m, const struct span *s, uint64_t end)
{
    uint64_t begin = s->begin;
    for (size_t i = 0; i < m->nodes.n; i++) {
        const struct event *ev = m->nodes.items[i];
        bool up = strcmp(event_str(ev, H_NODE_WHAT), "up") == 0;
        if (up && ev->t > begin && ev->t <= end) {
            begin = ev->t;
        }
    }
    return begin;
}

static const char *describe(struct judge *j, const struct span *s, uint64_t ns)
{
    const struct m_record *r = s->first;
    const char *who =
        r->txn ? txn_name(j, r->txn) : JTEXT(j, "producer id %lld", (long long)r->pid);
    const char *how = s->marker == INT64_MAX ? "and was never ended"
                      : s->commit            ? "until it was committed"
                                             : "until it was aborted";
    return JTEXT(j, "%s was open from %s on for %lld ms, %s", who,
                 record_name(j->pool, r->part, r->offset), (long long)(ns / 1000000), how);
}

struct longest {
    uint64_t ns;
};

static void judge_span(struct judge *j, const struct plan_pred *pred, const struct span *s,
                       struct eval *out, struct longest *max)
{
    uint64_t end = s->marker == INT64_MAX ? j->m->t_end : s->end;
    out->judged++;
    if (s->begin == 0 || end == 0) {
        out->unknown = "when a transaction began or ended is not known";
        return;
    }
    uint64_t begin = fair_begin(j->m, s, end);
    uint64_t ns = end > begin ? end - begin : 0, over = (uint64_t)pred->over_ms * 1000000;
    if (ns <= over) {
        return;
    }
    eval_count(out, begin + over);
    if (ns > max->ns) {
        const struct m_record *r = s->first;
        max->ns = ns;
        out->worst = (struct eval_case){
            .kind = "held_back",
            .id = JTEXT(j, "producer id %lld in %s[%d]", (long long)r->pid, r->part->topic->name,
                        (int)r->part->number),
            .text = describe(j, s, ns),
            .record = r,
        };
    }
}

void check_held_back(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct longest max = {0};
    const char *unknown;
    for (size_t i = 0; i < j->m->topics.n; i++) {
        const struct m_topic *t = j->m->topics.items[i];
        if (!t->plan || (pred->topic && strcmp(pred->topic, t->name) != 0)) {
            continue;
        }
        for (size_t k = 0; k < t->parts.n; k++) {
            struct spans s = {0};
            if (t->parts.items[k]) {
                spans_make(&s, j->m, t->parts.items[k]);
            }
            for (size_t n = 0; n < s.list.n; n++) {
                judge_span(j, pred, &s.list.items[n], out, &max);
            }
            spans_free(&s);
        }
    }
    unknown = out->unknown;
    eval_counted(j, out, "transactions in partitions");
    out->unknown = out->unknown ? out->unknown : unknown;
    if (max.ns > 0) {
        out->detail =
            JTEXT(j, "%s, the longest %lld ms", out->detail, (long long)(max.ns / 1000000));
    }
}
