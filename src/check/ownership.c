/* SPDX-License-Identifier: Apache-2.0 */
/* takeover: how long a partition of a group was without an owner, by what the members recorded. It
 * loses its owner when that gives it up or dies, and gets one when a member has answered an
 * assignment. What lies before the first owner, and behind the drain, is not judged. */
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

struct watch_over {
    struct judge *j;
    const struct plan_pred *pred;
    struct m_group *group;
    struct m_part *part;
    struct m_proc *owner;           /**< or NULL */
    struct m_proc *last;            /**< who owned it before */
    const struct event *lost, *got; /**< end of the last ownership, and its begin */
    struct eval *out;
};

/* The roles stop after the drain: what becomes of their partitions then is no matter. */
static uint64_t window_end(const struct model *m)
{
    const struct event *ev = model_phase(m, "drained");
    ev = ev ? ev : model_phase(m, "cut");
    return ev ? ev->t : m->t_end;
}

static bool over(const struct watch_over *w, uint64_t from, uint64_t to)
{
    return to > from && (int64_t)((to - from) / 1000000) > w->pred->within_ms;
}

static void unowned(struct watch_over *w, uint64_t to, struct m_proc *next, const struct event *ev)
{
    struct judge *j = w->j;
    struct anomaly *a = anomaly_add(j, "unowned");
    if (!a) {
        return;
    }
    bool died = w->last->exit == w->lost;
    a->id = JTEXT(j, "%s[%d]", w->part->topic->name, (int)w->part->number);
    a->t = to;
    a->group = w->group;
    anomaly_proc(a, w->last);
    anomaly_event(a, w->got);
    anomaly_event(a, w->last->crash);
    anomaly_event(a, w->lost);
    anomaly_proc(a, next);
    anomaly_event(a, ev);
    a->text =
        JTEXT(j, "%s had no owner in group %s for %lld ms after %s %s, the limit is %lld ms%s%s",
              a->id, w->group->name, (long long)((to - w->lost->t) / 1000000), w->last->name,
              died ? "died" : "gave it up", (long long)w->pred->within_ms,
              next ? "; then came " : " and got none before the end", next ? next->name : "");
}

static void freed(struct watch_over *w, const struct event *ev)
{
    w->last = w->owner;
    w->owner = NULL;
    w->lost = ev;
}

static void taken(struct watch_over *w, const struct m_assign *x)
{
    if (!w->owner && w->lost) {
        w->out->judged++;
        w->out->last_t = x->ev->t > w->out->last_t ? x->ev->t : w->out->last_t;
        if (over(w, w->lost->t, x->ev->t)) {
            unowned(w, x->ev->t, x->proc, x->ev);
        }
    }
    w->owner = x->proc;
    w->got = x->ev;
    w->lost = NULL;
}

static void judge_part(struct watch_over *w, uint64_t end)
{
    for (size_t i = 0; i < w->group->assigns.n; i++) {
        const struct m_assign *x = w->group->assigns.items[i];
        if (x->part != w->part || x->ev->t > end) {
            continue;
        }
        if (w->owner && w->owner->exit && w->owner->exit->t < x->ev->t) {
            freed(w, w->owner->exit);
        }
        if (x->given) {
            taken(w, x);
        } else if (x->proc == w->owner) {
            freed(w, x->ev);
        }
    }
    if (w->owner && w->owner->exit && w->owner->exit->t < end) {
        freed(w, w->owner->exit);
    }
    if (!w->owner && w->lost && over(w, w->lost->t, end)) {
        w->out->judged++;
        unowned(w, end, NULL, NULL);
    }
}

void check_takeover(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    struct m_group *g = pred->group ? model_group(j->m, pred->group) : NULL;
    uint64_t end = window_end(j->m);
    for (size_t i = 0; g && i < j->m->topics.n; i++) {
        const struct m_topic *t = j->m->topics.items[i];
        for (size_t k = 0; k < t->parts.n; k++) {
            struct watch_over w = {
                .j = j, .pred = pred, .group = g, .part = t->parts.items[k], .out = out};
            if (w.part) {
                judge_part(&w, end);
            }
        }
    }
    out->detail = JTEXT(j, "%lld takeovers judged", (long long)out->judged);
    if (!j->complete) {
        out->unknown = "the history is not complete";
    }
}
