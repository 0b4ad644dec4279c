/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how a partition gets its leader, and which offsets belong to whose time. Loop thread only.
 */
#include "broker/leaders.h"

#include "base/mem.h"
#include "broker/fetch.h"
#include "broker/nodes.h"

static unsigned bit(int node)
{
    return 1u << node;
}

static bool is_fenced(const struct broker *b, int node)
{
    return b->nodes[node - 1].fenced;
}

int leaders_replica(const struct broker *b, const struct partition *p, int i)
{
    return 1 + (p->first - 1 + i) % b->nnodes;
}

bool leaders_in_sync(const struct partition *p, int node)
{
    return p->isr & bit(node);
}

bool leaders_enough(const struct broker *b, const struct partition *p)
{
    int n = 0;
    for (int i = 0; i < p->topic->replication; i++) {
        n += leaders_in_sync(p, leaders_replica(b, p, i));
    }
    return n >= props_get(&b->props, &p->topic->props, PROP_MIN_ISR);
}

static bool is_replica(const struct broker *b, const struct partition *p, int node)
{
    for (int i = 0; i < p->topic->replication; i++) {
        if (leaders_replica(b, p, i) == node) {
            return true;
        }
    }
    return false;
}

static void add_in_sync(const struct broker *b, struct partition *p)
{
    for (int i = 0; i < p->topic->replication; i++) {
        int id = leaders_replica(b, p, i);
        p->isr |= is_fenced(b, id) ? 0 : bit(id);
    }
}

static int candidate(const struct broker *b, const struct partition *p)
{
    for (int i = 0; i < p->topic->replication; i++) {
        int id = leaders_replica(b, p, i);
        if (leaders_in_sync(p, id) && !is_fenced(b, id)) {
            return id;
        }
    }
    return -1;
}

void leaders_place(struct broker *b, struct partition *p, uint32_t number)
{
    p->first = state_node_of(b, number);
    for (int i = 0; i < b->nnodes && is_fenced(b, p->first); i++) {
        p->first = 1 + p->first % b->nnodes;
    }
    add_in_sync(b, p);
    p->leader = candidate(b, p);
    if (p->leader < 0) {
        p->isr = bit(p->first);
    }
}

static void elect(struct broker *b, struct partition *p)
{
    int to = candidate(b, p);
    if (to == p->leader) {
        return;
    }
    p->former = p->leader > 0 ? p->leader : p->former;
    p->leader = to;
    p->leader_epoch++;
    if (to > 0) {
        *VEC_PUSH(&p->epochs) = (struct partition_epoch){p->leader_epoch, p->log.end};
        add_in_sync(b, p);
    }
    fetch_wake(b, p); /* who waits at the former leader learns it */
    nodes_leader_moved(b, p);
}

typedef void (*partition_fn)(struct broker *b, struct partition *p, int node);

static void each_partition(struct broker *b, int node, partition_fn fn)
{
    for (size_t i = 0; i < b->topics.n; i++) {
        struct topic *t = b->topics.items[i].p;
        for (int32_t k = 0; t && k < t->nparts; k++) {
            if (is_replica(b, t->parts[k], node)) {
                fn(b, t->parts[k], node);
            }
        }
    }
}

static void lose(struct broker *b, struct partition *p, int node)
{
    if (p->isr != bit(node)) {
        p->isr &= ~bit(node);
    }
    if (p->leader == node) {
        elect(b, p);
    }
}

static void regain(struct broker *b, struct partition *p, int node)
{
    if (p->leader < 0) {
        elect(b, p);
    } else {
        p->isr |= bit(node);
    }
}

void leaders_lose(struct broker *b, int node)
{
    each_partition(b, node, lose);
}

void leaders_regain(struct broker *b, int node)
{
    each_partition(b, node, regain);
}

int32_t leaders_epoch_at(const struct partition *p, int64_t offset)
{
    for (size_t i = p->epochs.n; i > 0; i--) {
        if (p->epochs.items[i - 1].start <= offset) {
            return p->epochs.items[i - 1].epoch;
        }
    }
    return 0;
}

void leaders_epoch_end(const struct partition *p, int32_t asked, int32_t *epoch, int64_t *end)
{
    *epoch = -1;
    *end = -1;
    if (asked < -1) { /* as Kafka: below all that there are */
        *epoch = asked;
        *end = p->log.start;
        return;
    }
    if (asked < 0 || asked > p->leader_epoch) {
        return;
    }
    *epoch = 0;
    *end = p->log.end;
    for (size_t i = 0; i < p->epochs.n; i++) {
        if (p->epochs.items[i].epoch > asked) {
            *end = p->epochs.items[i].start;
            return;
        }
        *epoch = p->epochs.items[i].epoch;
    }
}
