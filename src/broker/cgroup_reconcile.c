/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the way of a member from what it has to what it shall have: first it gives up, then it gets
 * what others have given up. Loop thread only. */
#include <stdlib.h>
#include <string.h>

#include "broker/cgroup.h"
#include "broker/group_priv.h"

static void rebalance_over(void *arg)
{
    struct cmember *m = arg;
    m->rebalance = NULL;
    if (group_is_frozen(m->group->base)) {
        m->rebalance = timer_start(m->group->base->b->loop, GROUP_FROZEN_MS, 0, rebalance_over, m);
        return;
    }
    cgroup_remove(m);
}

void cgroup_watch(struct cmember *m)
{
    timer_stop(m->rebalance);
    m->rebalance = NULL;
    if (m->state == CMEMBER_UNREVOKED) {
        m->rebalance =
            timer_start(m->group->base->b->loop,
                        m->rebalance_ms < 0 ? 0 : (uint64_t)m->rebalance_ms, 0, rebalance_over, m);
    }
}

static void become(struct cmember *m, enum cmember_state state, int32_t epoch)
{
    m->state = state;
    m->previous = m->epoch;
    m->epoch = epoch;
    cgroup_watch(m);
}

/** Whether the member may still have some of the partitions. */
static bool owns(const struct cparts *owned, const struct cparts *some)
{
    return !owned || cparts_meet(owned, some);
}

static bool others_have(const struct cmember *m, const struct cpart *p)
{
    const struct cgroup *g = m->group;
    for (size_t i = 0; i < g->members.n; i++) {
        const struct cmember *x = g->members.items[i];
        if (x != m && (cparts_find(&x->assigned, p) || cparts_find(&x->revoking, p))) {
            return true;
        }
    }
    return false;
}

static bool has_topic(const struct cparts *topics, const uint8_t id[static TOPIC_ID_BYTES])
{
    for (size_t i = 0; i < topics->n; i++) {
        if (memcmp(topics->items[i].topic, id, TOPIC_ID_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

/** Appends the partitions of the topics, or those of other topics. */
static void take_topics(struct cparts *to, const struct cparts *from, const struct cparts *topics,
                        bool in)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct cpart *p = &from->items[i];
        if (has_topic(topics, p->topic) == in) {
            cparts_add(to, p->topic, p->index, p->epoch);
        }
    }
}

/** Appends what of the target is free; @return whether others still have some of it. */
static bool take_free(struct cmember *m, const struct cparts *target, struct cparts *assigned)
{
    bool waits = false;
    size_t kept = assigned->n;
    for (size_t i = 0; i < target->n; i++) {
        const struct cpart *p = &target->items[i];
        struct cparts before = {.items = assigned->items, .n = kept};
        if (cparts_find(&before, p)) {
            continue;
        }
        if (others_have(m, p)) {
            waits = true;
        } else {
            cparts_add(assigned, p->topic, p->index, m->group->assignment_epoch);
        }
    }
    cparts_sort(assigned);
    return waits;
}

static void next(struct cmember *m, const struct cparts *owned)
{
    struct cparts topics = {0}, target = {0}, kept = {0}, lost = {0};
    cgroup_topics(m, &topics);
    take_topics(&target, &m->target, &topics, true);
    cparts_take(&kept, &m->assigned, &target, true);
    cparts_take(&lost, &m->assigned, &target, false);
    if (lost.n > 0 && owns(owned, &lost)) {
        become(m, CMEMBER_UNREVOKED, m->epoch);
    } else {
        bool waits = take_free(m, &target, &kept);
        cparts_free(&lost);
        become(m, waits ? CMEMBER_UNRELEASED : CMEMBER_STABLE, m->group->assignment_epoch);
    }
    cparts_move(&m->assigned, &kept);
    cparts_move(&m->revoking, &lost);
    cparts_free(&target);
    cparts_free(&topics);
}

/** The member does not want some topics any more: it has to give them up at once. */
static void strip(struct cmember *m, const struct cparts *owned)
{
    struct cparts topics = {0}, kept = {0}, lost = {0};
    static const struct cparts none;
    cgroup_topics(m, &topics);
    take_topics(&kept, &m->assigned, &topics, true);
    take_topics(&lost, &m->assigned, &topics, false);
    if (lost.n > 0) {
        cparts_take(&lost, &m->revoking, &none, false);
        cparts_sort(&lost);
        bool held = owns(owned, &lost);
        become(m, held ? CMEMBER_UNREVOKED : m->state, m->epoch);
        cparts_move(&m->assigned, &kept);
        if (held) {
            cparts_move(&m->revoking, &lost);
        }
    }
    cparts_free(&topics);
    cparts_free(&kept);
    cparts_free(&lost);
}

void cgroup_reconcile(struct cmember *m, const struct cparts *owned, bool resubscribed)
{
    bool behind = m->epoch != m->group->assignment_epoch;
    if (m->state == CMEMBER_UNREVOKED && owns(owned, &m->revoking)) {
        if (resubscribed) {
            strip(m, owned);
        }
    } else if (m->state != CMEMBER_STABLE || behind) {
        next(m, owned);
    } else if (resubscribed) {
        strip(m, owned);
    }
}
