/* SPDX-License-Identifier: Apache-2.0 */
/* Why a record was handled twice, where its partition moved in between: who had it, how that ended,
 * who got it and how long before the second delivery, and that its offset was not committed by
 * then. A record whose offset was committed is left to others to explain. */
#include <string.h>

#include "base/mem.h"
#include "check/blame.h"

struct move {
    const struct m_deliver *first, *second;
    const struct m_assign *gave; /**< the end of the first ownership that its member saw, or NULL */
    const struct m_assign *got;  /**< the begin of the second */
};

static bool same_owner(const struct m_deliver *x, const struct m_deliver *y)
{
    return x->proc == y->proc && x->assignment == y->assignment;
}

/* The first two deliveries in one group that are of different ownerships. */
static bool find_deliveries(const struct m_part *p, int64_t offset, struct move *m)
{
    for (size_t i = part_deliver_from(p, offset); i < p->delivers.n; i++) {
        const struct m_deliver *d = p->delivers.items[i];
        if (d->first > offset) {
            break;
        }
        if (d->last < offset || !d->group || d->proc->reader || d->proc->probe) {
            continue;
        }
        if (!m->first || d->ev->t < m->first->ev->t) {
            m->second = m->first ? m->first : m->second;
            m->first = d;
        } else if (!m->second || d->ev->t < m->second->ev->t) {
            m->second = d;
        }
    }
    return m->first && m->second && m->first->group == m->second->group &&
           !same_owner(m->first, m->second);
}

static void find_ownerships(struct move *m)
{
    const struct m_group *g = m->first->group;
    for (size_t i = 0; i < g->assigns.n; i++) {
        const struct m_assign *x = g->assigns.items[i];
        if (x->part != m->first->part || x->ev->t > m->second->ev->t) {
            continue;
        }
        if (x->given && x->proc == m->second->proc) {
            m->got = x;
        } else if (!x->given && x->proc == m->first->proc && x->ev->t > m->first->ev->t) {
            m->gave = m->gave ? m->gave : x;
        }
    }
}

/* Whether the group knew before the second ownership that the record was done. */
static bool was_committed(const struct judge *j, const struct move *m, int64_t offset)
{
    for (size_t i = 0; i < j->m->commits.n; i++) {
        const struct m_commit *c = j->m->commits.items[i];
        if (c->group == m->first->group && c->part == m->first->part && c->offset > offset &&
            c->phase != HP_FAIL && c->ev->t < m->got->ev->t) {
            return true;
        }
    }
    for (size_t i = 0; i < j->m->claims.n; i++) {
        const struct m_claim *c = j->m->claims.items[i];
        if (c->group == m->first->group && c->part == m->first->part && c->offset > offset &&
            txn_committed(c->txn) != 0) {
            return true;
        }
    }
    return false;
}

/* How the first ownership ended; NULL: it had not ended. */
static const char *ending(struct judge *j, const struct move *m, bool *left)
{
    const struct event *exit = m->first->proc->exit;
    uint64_t t = m->got->ev->t;
    *left = m->gave && !m->gave->lost && m->gave->ev->t <= t;
    if (exit && exit->t <= t && !*left) {
        return "died";
    }
    if (m->gave && m->gave->ev->t <= t) {
        return m->gave->lost ? "lost it" : "gave it up";
    }
    return NULL;
}

bool moved_explains(struct judge *j, struct anomaly *a)
{
    struct move m = {0};
    bool left = false;
    if (!find_deliveries(a->in, a->in_offset, &m)) {
        return false;
    }
    find_ownerships(&m);
    if (!m.got || was_committed(j, &m, a->in_offset)) {
        return false;
    }
    const char *end = ending(j, &m, &left);
    const char *who = m.first->proc->name, *next = m.second->proc->name;
    anomaly_event(a, m.gave ? m.gave->ev : m.first->proc->exit);
    anomaly_event(a, m.got->ev);
    a->hint = left ? "commit what is done before partitions are given up, or commit offsets and "
                     "effects in one transaction"
                   : "commit offsets and effects in one transaction";
    a->blame = BLAME_APPLICATION;
    a->row = BLAME_ROW_APPLICATION;
    a->cause = JTEXT(
        j, "%s %s and its offset was not committed; %s got %s[%d] %lld ms before it did it again",
        who, end ? end : "still worked on it", next, a->in->topic->name, (int)a->in->number,
        (long long)((m.second->ev->t - m.got->ev->t) / 1000000));
    return true;
}
