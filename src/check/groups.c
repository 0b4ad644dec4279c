/* SPDX-License-Identifier: Apache-2.0 */
/* Progress: stable_group (the group came to rest), liveness (the drain ended in time) and deaths
 * (no role dies again and again of fatal Kafka errors). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "check/anomaly.h"

enum { BUDGET = 3 }; /* deaths that end a run, fences that are a storm */

/* ---- stable_group ---- */

/* The roles stop after the drain: what the group does then is no matter. */
static uint64_t window_end(const struct model *m)
{
    const struct event *ev = model_phase(m, "drained");
    ev = ev ? ev : model_phase(m, "cut");
    return ev ? ev->t : m->t_end;
}

struct rest {
    uint64_t since; /**< last unrest */
    bool stable, seen;
    const struct event *last;
};

static void look_at_states(const struct m_group *g, uint64_t end, struct rest *r)
{
    for (size_t i = 0; i < g->states.n; i++) {
        const struct event *ev = g->states.items[i];
        if (ev->t > end) {
            break;
        }
        bool stable = strcasecmp(event_str(ev, H_GROUP_STATE), "stable") == 0 &&
                      event_int(ev, H_GROUP_MEMBERS) > 0;
        r->seen = true;
        r->since = ev->t;
        r->stable = stable;
        r->last = ev;
    }
}

static void look_at_assigns(const struct m_group *g, uint64_t end, struct rest *r)
{
    for (size_t i = 0; i < g->assigns.n; i++) {
        const struct event *ev = g->assigns.items[i]->ev;
        if (ev->t > end) {
            break;
        }
        if (!r->seen || g->states.n == 0) {
            r->seen = r->stable = true;
            r->last = ev;
        }
        r->since = ev->t > r->since ? ev->t : r->since;
    }
}

void check_stable_group(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    const struct m_group *g = p->group ? model_group(j->m, p->group) : NULL;
    if (!g) {
        return;
    }
    struct rest r = {0};
    uint64_t end = window_end(j->m);
    look_at_states(g, end, &r);
    look_at_assigns(g, end, &r);
    out->judged = (int64_t)(g->states.n + g->assigns.n);
    out->last_t = r.since;
    out->detail = JTEXT(j, "%lld changes of the group", (long long)out->judged);
    if (!r.seen || r.stable) {
        return;
    }
    struct anomaly *a = anomaly_add(j, "stall");
    if (a) {
        a->id = JTEXT(j, "group %s", g->name);
        a->group = (struct m_group *)g;
        a->t = r.since;
        /* where the drain ended before its limit, the group had not been given its time */
        a->proven = model_phase(j->m, "cut") && !j->drained && !j->interrupted;
        anomaly_event(a, r.last);
        a->text =
            JTEXT(j, "the group was %s with %lld members at the end",
                  event_str(r.last, H_GROUP_STATE), (long long)event_int(r.last, H_GROUP_MEMBERS));
    }
}

/* ---- liveness ---- */

static int64_t lag(const struct m_part *p, int64_t committed)
{
    int64_t from = committed < 0 ? 0 : committed;
    return p->visible[p->records.n] - p->visible[part_lower(p, from)];
}

static bool reads(const struct m_group *g, const struct m_part *p)
{
    for (size_t i = 0; i < p->delivers.n; i++) {
        if (p->delivers.items[i]->group == g) {
            return true;
        }
    }
    return group_final(g, p) >= 0;
}

/* The largest backlog of a group, as evidence. */
static void add_backlog(struct judge *j, struct anomaly *a, const char *group, struct eval *out)
{
    int64_t worst = 0;
    for (size_t i = 0; i < j->m->groups.n; i++) {
        struct m_group *g = j->m->groups.items[i];
        if (group && strcmp(group, g->name) != 0) {
            continue;
        }
        for (size_t t = 0; t < j->m->topics.n; t++) {
            const struct m_topic *topic = j->m->topics.items[t];
            for (size_t k = 0; topic->plan && k < topic->parts.n; k++) {
                struct m_part *p = topic->parts.items[k];
                if (!p || !reads(g, p)) {
                    continue;
                }
                out->judged++;
                int64_t behind = lag(p, group_final(g, p));
                if (a && behind > worst) {
                    worst = behind;
                    a->group = g;
                    a->id = JTEXT(j, "group %s on %s[%d]", g->name, topic->name, (int)p->number);
                    a->text = JTEXT(j, "%lld records above the committed offset %lld",
                                    (long long)behind, (long long)group_final(g, p));
                    a->records.n = 0;
                    anomaly_record(a, p, group_final(g, p));
                }
            }
        }
    }
}

static int64_t fences(const struct judge *j, struct anomaly *a)
{
    int64_t n = 0;
    for (size_t i = 0; i < j->m->procs.n; i++) {
        struct m_proc *p = j->m->procs.items[i];
        if (p->exit && strcmp(event_str(p->exit, H_EXIT_WHY), "fenced") == 0) {
            n++;
            if (a && n <= 10) {
                anomaly_event(a, p->exit);
                anomaly_event(a, p->error);
                anomaly_proc(a, p);
            }
        }
    }
    return n;
}

/* A transactional id that was initialised by two instances of the declared roles. */
static const char *shared_id(const struct judge *j)
{
    struct map owner = {0};
    const char *shared = NULL;
    for (size_t i = 0; i < j->m->procs.n && !shared; i++) {
        struct m_proc *p = j->m->procs.items[i];
        for (size_t k = 0; k < p->own.n && !shared && !p->probe; k++) {
            const struct event *ev = p->own.items[k];
            if (ev->kind != H_TXN_INIT) {
                continue;
            }
            struct map_entry *at = map_put_str(&owner, event_str(ev, H_TXN_INIT_PRODUCER));
            const struct m_proc *other = at->p ? at->p : p;
            at->p = (void *)other;
            if (other->index != p->index || strcmp(other->role, p->role) != 0) {
                shared = event_str(ev, H_TXN_INIT_PRODUCER);
            }
        }
    }
    map_free(&owner);
    return shared;
}

static void hanging(struct judge *j)
{
    for (size_t i = 0; i < j->m->topics.n; i++) {
        const struct m_topic *t = j->m->topics.items[i];
        for (size_t k = 0; k < t->parts.n; k++) {
            struct m_part *p = t->parts.items[k];
            for (size_t n = 0; p && n < p->open.n; n++) {
                const struct event *ev = p->open.items[n];
                if (event_int(ev, H_OPEN_TXN_PROVEN) == 0) {
                    continue;
                }
                struct anomaly *a = anomaly_add(j, "hanging_transaction");
                if (!a) {
                    return;
                }
                a->hang = true;
                int64_t from = event_int(ev, H_OPEN_TXN_START_OFFSET);
                a->id = JTEXT(j, "producer id %lld in %s[%d]",
                              (long long)event_int(ev, H_OPEN_TXN_PID), t->name, (int)p->number);
                a->t = ev->t;
                anomaly_record(a, p, from);
                anomaly_event(a, ev);
                a->text = JTEXT(j, "open from %s, and its coordinator (%s) knows of none",
                                record_name(j->pool, p, from), event_str(ev, H_OPEN_TXN_TXN_ID));
            }
        }
    }
}

void check_liveness(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    const struct event *drained = model_phase(j->m, "drained");
    const struct event *limit = model_phase(j->m, "cut");
    const char *shared = shared_id(j);
    int64_t fenced = fences(j, NULL);
    hanging(j);
    if (j->drained && !(shared && fenced >= BUDGET)) {
        add_backlog(j, NULL, p->group, out);
        out->judged++;
        out->last_t = drained->t;
        out->detail =
            JTEXT(j, "drained, %lld partitions of groups judged", (long long)(out->judged - 1));
        return;
    }
    if (!drained && !limit) {
        out->unknown = "the run ended before its drain did";
        return;
    }
    struct anomaly *a = anomaly_add(j, fenced > 0 ? "stall" : "not_drained");
    if (!a) {
        return;
    }
    a->proven = !j->interrupted && j->o->outcome == CHECK_RAN;
    a->t = limit ? limit->t : drained->t;
    a->id = p->group ? JTEXT(j, "group %s", p->group) : "the run";
    const char *why = drained ? event_str(drained, H_PHASE_DETAIL) : "";
    a->text = j->drained ? "the work was done in spite of it"
              : *why     ? pool_str(j->pool, why)
                         : "work was left when the drain ended";
    anomaly_event(a, drained ? drained : limit);
    add_backlog(j, a, p->group, out);
    out->judged++;
    fences(j, a);
    if (shared && fenced > 0) {
        a->hint = "give each instance a transactional id of its own";
        a->text = JTEXT(j,
                        "%lld times a producer was fenced; transactional id %s is used by "
                        "several instances; %s",
                        (long long)fenced, shared, a->text);
    }
}

/* ---- deaths ---- */

static const uint64_t BUDGET_NS = 10000000000ull;

static bool fatal_end(const struct m_proc *p)
{
    return p->exit && strcmp(event_str(p->exit, H_EXIT_WHY), "kafka_error") == 0;
}

void check_deaths(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    VEC(struct m_proc *) dead = {0};
    for (size_t i = 0; i < j->m->procs.n; i++) {
        struct m_proc *p = j->m->procs.items[i];
        out->judged += p->exit != NULL;
        if (!fatal_end(p) || p->probe || p->reader) {
            continue;
        }
        size_t at = dead.n;
        *VEC_PUSH(&dead) = p;
        for (; at > 0 && dead.items[at - 1]->exit->t > p->exit->t; at--) {
            dead.items[at] = dead.items[at - 1];
        }
        dead.items[at] = p;
    }
    for (size_t i = BUDGET - 1; i < dead.n; i++) {
        const struct m_proc *p = dead.items[i];
        if (p->exit->t - dead.items[i - BUDGET + 1]->exit->t > BUDGET_NS) {
            continue;
        }
        struct anomaly *a = anomaly_add(j, "stall");
        if (a) {
            a->id = pool_str(j->pool, p->role);
            a->t = p->exit->t;
            for (size_t k = i + 1 - BUDGET; k <= i; k++) {
                anomaly_event(a, dead.items[k]->exit);
                anomaly_event(a, dead.items[k]->error);
                anomaly_proc(a, dead.items[k]);
            }
            a->text = JTEXT(j,
                            "%d processes died of fatal Kafka errors within 10 s, the last was "
                            "%s (%s)",
                            BUDGET, p->name,
                            p->error ? event_str(p->error, H_ERROR_CODE) : "no error recorded");
        }
        break;
    }
    free(dead.items);
    out->detail = JTEXT(j, "%lld ends judged", (long long)out->judged);
}
