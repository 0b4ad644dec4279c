/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of the facts line: each is counted from the history or from the audited log. */
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

static void count_ends(const struct judge *j, struct verdict_facts *f)
{
    for (size_t i = 0; i < j->m->procs.n; i++) {
        const struct m_proc *p = j->m->procs.items[i];
        const char *why = p->exit ? event_str(p->exit, H_EXIT_WHY) : "";
        bool wild = strcmp(why, "died") == 0 || strcmp(why, "kafka_error") == 0 ||
                    strcmp(why, "lua_error") == 0;
        f->deaths += p->crash || wild || strcmp(why, "fault") == 0 || strcmp(why, "fenced") == 0;
        f->deaths_unexpected += wild && !p->crash;
        f->fenced += strcmp(why, "fenced") == 0;
    }
    for (size_t i = 0; i < j->m->crashes.n; i++) {
        int point = plan_point_find(event_str(j->m->crashes.items[i], H_CRASH_POINT));
        f->crashes++;
        f->crash_points |= point >= 0 ? 1u << point : 0;
    }
}

static void count_faults(const struct judge *j, struct verdict_facts *f)
{
    for (size_t i = 0; i < j->v->nfaults; i++) {
        const struct fault_count *c = &j->v->faults[i];
        f->kills += strcmp(c->kind, "kill") == 0 ? c->fired : 0;
        f->exits += strcmp(c->kind, "exit") == 0 ? c->fired : 0;
        f->broker_faults += strcmp(c->kind, "broker") == 0 ? c->fired : 0;
    }
    for (size_t i = 0; i < j->m->signals.n; i++) {
        const struct event *ev = j->m->signals.items[i];
        f->pauses +=
            event_int(ev, H_SIGNAL_SIGNUM) == SIGSTOP && event_int(ev, H_SIGNAL_CONFIRMED) != 0;
    }
    for (size_t i = 0; i < j->m->draws.n; i++) {
        f->draws++;
        f->draws_hit += event_int(j->m->draws.items[i], H_DRAW_HIT) != 0;
    }
}

/* A rebalance = a new generation in which somebody was assigned something; without generations, a
 * new assignment of one member. The first of a group is none. */
static void count_rebalances(const struct judge *j, struct verdict_facts *f)
{
    uint64_t end = j->m->t_off ? j->m->t_off : j->m->t_end;
    for (size_t i = 0; i < j->m->groups.n; i++) {
        const struct m_group *g = j->m->groups.items[i];
        struct map seen = {0};
        for (size_t k = 0; k < g->assigns.n; k++) {
            const struct m_assign *a = g->assigns.items[k];
            if (!a->given || a->ev->t > end || a->proc->probe) {
                continue;
            }
            struct {
                const struct m_proc *proc;
                int64_t number;
            } key = {a->generation >= 0 ? NULL : a->proc,
                     a->generation >= 0 ? a->generation : a->assignment};
            bool fresh;
            map_put(&seen, &key, sizeof key, &fresh);
        }
        f->rebalances += seen.n > 0 ? (int64_t)seen.n - 1 : 0;
        map_free(&seen);
    }
}

static void count_txns(const struct judge *j, struct verdict_facts *f)
{
    for (size_t i = 0; i < j->m->txns.n; i++) {
        const struct m_txn *t = j->m->txns.items[i];
        if (t->records.n == 0 && t->claims.n == 0) {
            continue;
        }
        int committed = txn_committed(t);
        f->txns_committed += committed == 1;
        f->txns_aborted += committed == 0;
        f->txns_open += committed < 0;
    }
}

static bool hidden(const struct m_part *p, const struct m_record *r)
{
    for (size_t i = part_deliver_from(p, r->offset); i < p->delivers.n; i++) {
        const struct m_deliver *d = p->delivers.items[i];
        if (d->first > r->offset) {
            break;
        }
        if (d->last >= r->offset && d->read_committed &&
            (d->first == r->offset || d->last == r->offset ||
             d->count > part_visible(p, d->first, d->last))) {
            return false;
        }
    }
    return true;
}

static void count_log(const struct judge *j, struct verdict_facts *f)
{
    for (size_t i = 0; i < j->m->topics.n; i++) {
        const struct m_topic *t = j->m->topics.items[i];
        for (size_t k = 0; t->plan && k < t->parts.n; k++) {
            const struct m_part *p = t->parts.items[k];
            for (size_t n = 0; p && n < p->records.n; n++) {
                const struct m_record *r = &p->records.items[n];
                f->log_records += !r->probe;
                f->aborted_records += r->outcome == OUT_ABORTED;
                f->aborted_hidden += r->outcome == OUT_ABORTED && hidden(p, r);
            }
        }
    }
}

static void count_sends(const struct judge *j, struct verdict_facts *f)
{
    for (size_t i = 0; i < j->m->procs.n; i++) {
        const struct m_proc *p = j->m->procs.items[i];
        for (size_t k = 0; k < p->sends.n; k++) {
            f->sends += p->sends.items[k].count;
        }
        for (size_t k = 0; k < p->acks.n; k++) {
            const struct m_ack *a = &p->acks.items[k];
            f->acked += a->phase == HP_OK ? a->count : 0;
            f->failed += a->phase == HP_FAIL ? a->count : 0;
        }
    }
    f->unknown = f->sends - f->acked - f->failed;
}

/* Deliveries of one partition to one group, beyond the first of each offset. Runs are sorted by
 * their first offset: what a run has in common with those before it was delivered again. */
static void count_redelivered(const struct judge *j, struct verdict_facts *f)
{
    for (size_t i = 0; i < j->m->topics.n; i++) {
        const struct m_topic *t = j->m->topics.items[i];
        for (size_t k = 0; k < t->parts.n; k++) {
            const struct m_part *p = t->parts.items[k];
            struct map reach = {0}; /* group -> highest offset + 1 */
            for (size_t n = 0; p && n < p->delivers.n; n++) {
                const struct m_deliver *d = p->delivers.items[n];
                if (!d->group) {
                    continue;
                }
                struct map_entry *at = map_put(&reach, &d->group, sizeof d->group, NULL);
                int64_t to = d->last + 1 < at->i ? d->last : at->i - 1;
                f->redelivered += to >= d->first ? part_visible(p, d->first, to) : 0;
                at->i = d->last + 1 > at->i ? d->last + 1 : at->i;
            }
            map_free(&reach);
        }
    }
}

/* A partition was taken away while a transaction with records of it was open. */
static void count_moves(const struct judge *j, struct verdict_facts *f)
{
    for (size_t i = 0; i < j->m->groups.n; i++) {
        const struct m_group *g = j->m->groups.items[i];
        for (size_t k = 0; k < g->assigns.n; k++) {
            const struct m_assign *a = g->assigns.items[k];
            if (a->given || !a->part) {
                continue;
            }
            for (size_t n = 0; n < a->proc->txns.n; n++) {
                const struct m_txn *t = a->proc->txns.items[n];
                uint64_t end = txn_end_time(t);
                if (t->begin && t->begin->t < a->ev->t && (end == 0 || end > a->ev->t)) {
                    f->moved_in_txn++;
                    break;
                }
            }
        }
    }
}

void facts_make(struct judge *j)
{
    struct verdict_facts *f = &j->v->facts;
    count_ends(j, f);
    count_faults(j, f);
    count_rebalances(j, f);
    count_txns(j, f);
    count_log(j, f);
    count_sends(j, f);
    count_redelivered(j, f);
    count_moves(j, f);
}
