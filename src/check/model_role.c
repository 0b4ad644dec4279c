/* SPDX-License-Identifier: Apache-2.0 */
/* What role processes wrote: sends and their outcomes, deliveries, transactions with their claims,
 * plain commits, ownership. Completions are joined with their invokes by operation number. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "check/model_internal.h"

static void add_send(struct model *m, struct m_proc *p, const struct event *ev)
{
    struct m_send s = {.seq = event_int(ev, H_SEND_SEQ),
                       .count = event_int(ev, H_SEND_COUNT),
                       .partition = event_int(ev, H_SEND_PARTITION),
                       .src_offset = event_int(ev, H_SEND_SRC_OFFSET),
                       .producer = event_str(ev, H_SEND_PRODUCER),
                       .ev = ev};
    const char *src = event_str(ev, H_SEND_SRC_TOPIC);
    if (s.count <= 0 || s.count > RUN_MAX || s.seq < 0 || !model_sane(s.seq) ||
        !model_sane(s.src_offset) || !*event_str(ev, H_SEND_TOPIC)) {
        model_strange(m, ev);
        return;
    }
    s.topic = model_want_topic(m, event_str(ev, H_SEND_TOPIC));
    s.src = *src ? model_want_part(m, src, event_int(ev, H_SEND_SRC_PARTITION)) : NULL;
    s.txn = model_want_txn(m, p, s.producer, event_int(ev, H_SEND_TXN));
    if (s.txn) {
        s.txn->sends += s.count;
    }
    *VEC_PUSH(&p->sends) = s;
}

static void add_ack(struct model *m, struct m_proc *p, const struct event *ev)
{
    struct m_ack a = {.seq = event_int(ev, H_ACK_SEQ),
                      .count = event_int(ev, H_ACK_COUNT),
                      .offset = event_int(ev, H_ACK_OFFSET),
                      .phase = ev->phase,
                      .error = event_str(ev, H_ACK_ERROR),
                      .ev = ev};
    if (a.count <= 0 || a.count > RUN_MAX || a.seq < 0 || !model_sane(a.seq) ||
        !model_sane(a.offset)) {
        model_strange(m, ev);
        return;
    }
    a.part = model_want_part(m, event_str(ev, H_ACK_TOPIC), event_int(ev, H_ACK_PARTITION));
    *VEC_PUSH(&p->acks) = a;
}

static void add_deliver(struct model *m, struct m_proc *p, const struct event *ev)
{
    struct m_part *part =
        model_want_part(m, event_str(ev, H_DELIVER_TOPIC), event_int(ev, H_DELIVER_PARTITION));
    int64_t first = event_int(ev, H_DELIVER_FIRST), last = event_int(ev, H_DELIVER_LAST);
    int64_t count = event_int(ev, H_DELIVER_COUNT);
    if (!part || first < 0 || last < first || !model_sane(last) || count <= 0 ||
        count > last - first + 1) {
        model_strange(m, ev);
        return;
    }
    struct m_deliver *d = pool_alloc(m->pool, sizeof *d);
    *d = (struct m_deliver){.proc = p,
                            .part = part,
                            .group = model_want_group(m, event_str(ev, H_DELIVER_GROUP)),
                            .first = first,
                            .last = last,
                            .count = count,
                            .assignment = event_int(ev, H_DELIVER_ASSIGNMENT),
                            .read_committed = event_int(ev, H_DELIVER_READ_COMMITTED) != 0,
                            .ev = ev};
    *VEC_PUSH(&p->delivers) = d;
    *VEC_PUSH(&m->delivers) = d;
    *VEC_PUSH(&part->delivers) = d;
}

static void add_txn(struct model *m, struct m_proc *p, const struct event *ev)
{
    int slot = ev->kind == H_TXN_BEGIN    ? H_TXN_BEGIN_TXN
               : ev->kind == H_TXN_COMMIT ? H_TXN_COMMIT_TXN
                                          : H_TXN_ABORT_TXN;
    /* producer is the first field of the three kinds */
    struct m_txn *t =
        model_want_txn(m, p, event_str(ev, H_TXN_BEGIN_PRODUCER), event_int(ev, slot));
    if (!t) {
        model_strange(m, ev);
        return;
    }
    bool invoke = ev->phase == HP_INVOKE;
    if (ev->kind == H_TXN_BEGIN) {
        t->begin = t->begin ? t->begin : ev;
    } else if (ev->kind == H_TXN_COMMIT) {
        *(invoke ? &t->commit : &t->commit_done) = ev;
    } else {
        *(invoke ? &t->abort : &t->abort_done) = ev;
    }
}

static void add_claim(struct model *m, struct m_proc *p, const struct event *ev)
{
    struct m_txn *t = model_want_txn(m, p, event_str(ev, H_TXN_OFFSETS_PRODUCER),
                                     event_int(ev, H_TXN_OFFSETS_TXN));
    if (!t) {
        model_strange(m, ev);
        return;
    }
    if (ev->phase != HP_INVOKE) {
        for (size_t i = t->claims.n; i-- > 0;) {
            struct m_claim *c = t->claims.items[i];
            if (c->ev->op == ev->op) {
                c->phase = ev->phase;
            }
        }
        return;
    }
    struct m_part *part = model_want_part(m, event_str(ev, H_TXN_OFFSETS_TOPIC),
                                          event_int(ev, H_TXN_OFFSETS_PARTITION));
    struct m_group *g = model_want_group(m, event_str(ev, H_TXN_OFFSETS_GROUP));
    if (!part || !g || !model_sane(event_int(ev, H_TXN_OFFSETS_OFFSET))) {
        model_strange(m, ev);
        return;
    }
    struct m_claim *c = pool_alloc(m->pool, sizeof *c);
    *c = (struct m_claim){.txn = t,
                          .group = g,
                          .part = part,
                          .offset = event_int(ev, H_TXN_OFFSETS_OFFSET),
                          .assignment = event_int(ev, H_TXN_OFFSETS_ASSIGNMENT),
                          .generation = event_int(ev, H_TXN_OFFSETS_GENERATION),
                          .phase = HP_UNKNOWN,
                          .ev = ev};
    g->claimed = true;
    *VEC_PUSH(&t->claims) = c;
    *VEC_PUSH(&m->claims) = c;
}

static void add_commit(struct model *m, struct m_proc *p, const struct event *ev)
{
    if (ev->phase != HP_INVOKE) {
        for (size_t i = p->commits.n; i-- > 0 && p->commits.n - i <= PARTITIONS_MAX;) {
            struct m_commit *c = p->commits.items[i];
            if (c->ev->op != ev->op) {
                break;
            }
            c->phase = ev->phase;
            c->done = ev;
        }
        return;
    }
    struct m_part *part =
        model_want_part(m, event_str(ev, H_COMMIT_TOPIC), event_int(ev, H_COMMIT_PARTITION));
    struct m_group *g = model_want_group(m, event_str(ev, H_COMMIT_GROUP));
    if (!part || !g) {
        model_strange(m, ev);
        return;
    }
    struct m_commit *c = pool_alloc(m->pool, sizeof *c);
    *c = (struct m_commit){.proc = p,
                           .group = g,
                           .part = part,
                           .offset = event_int(ev, H_COMMIT_OFFSET),
                           .phase = HP_UNKNOWN,
                           .ev = ev};
    *VEC_PUSH(&p->commits) = c;
    *VEC_PUSH(&m->commits) = c;
}

static void add_assign(struct model *m, struct m_proc *p, const struct event *ev)
{
    bool given = ev->kind == H_ASSIGN;
    /* group, topic, partition and assignment stand in the same places in both kinds */
    struct m_group *g = model_want_group(m, event_str(ev, H_ASSIGN_GROUP));
    if (!g) {
        return;
    }
    struct m_assign *a = pool_alloc(m->pool, sizeof *a);
    *a = (struct m_assign){
        .proc = p,
        .group = g,
        .part =
            model_want_part(m, event_str(ev, H_ASSIGN_TOPIC), event_int(ev, H_ASSIGN_PARTITION)),
        .assignment = event_int(ev, H_ASSIGN_ASSIGNMENT),
        .generation = given ? event_int(ev, H_ASSIGN_GENERATION) : -1,
        .given = given,
        .lost = !given && event_int(ev, H_REVOKE_LOST) != 0,
        .ev = ev,
    };
    *VEC_PUSH(&g->assigns) = a;
}

/* What the settings of a client give up. Those of the role are in the plan, those that the program
 * gave to one client only in the history. */
static void add_config(struct m_proc *p, const char *name, const char *value)
{
    if (strcmp(name, "acks") == 0 || strcmp(name, "request.required.acks") == 0) {
        p->weak_acks = p->weak_acks || (strcmp(value, "all") != 0 && strcmp(value, "-1") != 0);
    } else if (strcmp(name, "auto.offset.reset") == 0) {
        p->latest = p->latest || strcmp(value, "latest") == 0 || strcmp(value, "largest") == 0 ||
                    strcmp(value, "end") == 0;
    }
}

static void add_end(struct model *m, struct m_proc *p, const struct event *ev)
{
    switch (ev->kind) {
    case H_CRASH:
        p->crash = ev;
        *VEC_PUSH(&m->crashes) = ev;
        break;
    case H_ERROR:
        p->error = ev;
        break;
    case H_CONFIG:
        add_config(p, event_str(ev, H_CONFIG_NAME), event_str(ev, H_CONFIG_VALUE));
        break;
    case H_READY:
        p->ready = ev;
        break;
    case H_DRAW:
        *VEC_PUSH(&m->draws) = ev;
        break;
    case H_EMIT:
        *VEC_PUSH(&m->emits) = ev;
        break;
    case H_REACHED:
        *VEC_PUSH(&m->reached) = ev;
        break;
    case H_ASSERT:
        *VEC_PUSH(&m->asserts) = ev;
        break;
    case H_FAULT:
        *VEC_PUSH(&m->faults) = ev;
        break;
    case H_HARNESS:
        *VEC_PUSH(&m->harness) = ev;
        break;
    case H_SEEK:
        *VEC_PUSH(&p->seeks) = ev;
        break;
    default:
        break;
    }
}

void model_add_role(struct model *m, struct m_proc *p, const struct event *ev)
{
    if (ev->kind != H_DRAW && ev->kind != H_STRING) {
        *VEC_PUSH(&p->own) = ev;
    }
    switch (ev->kind) {
    case H_SEND:
        add_send(m, p, ev);
        break;
    case H_ACK:
        add_ack(m, p, ev);
        break;
    case H_DELIVER:
        add_deliver(m, p, ev);
        break;
    case H_TXN_BEGIN:
    case H_TXN_COMMIT:
    case H_TXN_ABORT:
        add_txn(m, p, ev);
        break;
    case H_TXN_OFFSETS:
        add_claim(m, p, ev);
        break;
    case H_COMMIT:
        add_commit(m, p, ev);
        break;
    case H_ASSIGN:
    case H_REVOKE:
        add_assign(m, p, ev);
        break;
    default:
        add_end(m, p, ev);
        break;
    }
}

static int by_send_seq(const void *a, const void *b)
{
    const struct m_send *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int by_ack_seq(const void *a, const void *b)
{
    const struct m_ack *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Which producers of a process take offsets of which group: "group\nproducer", and "group" for any.
 */
static void find_claimers(const struct m_proc *p, struct map *claimers)
{
    struct buf key = {0};
    for (size_t i = 0; i < p->txns.n; i++) {
        const struct m_txn *t = p->txns.items[i];
        for (size_t k = 0; k < t->claims.n; k++) {
            const char *group = t->claims.items[k]->group->name;
            key.len = 0;
            buf_printf(&key, "%s\n%s", group, t->producer);
            map_put_str(claimers, key.data);
            map_put_str(claimers, group);
        }
    }
    buf_free(&key);
}

/* A delivery belongs to the transaction that ended next in its process, if that reads its group.
 * One that ended before it took offsets may, unless only other producers do so. */
static bool handles(const struct m_txn *t, const struct m_deliver *d, const struct map *claimers)
{
    for (size_t i = 0; i < t->claims.n; i++) {
        if (t->claims.items[i]->group == d->group) {
            return true;
        }
    }
    if (t->claims.n > 0 || !map_get_str(claimers, d->group->name)) {
        return t->claims.n == 0;
    }
    struct buf key = {0};
    buf_printf(&key, "%s\n%s", d->group->name, t->producer);
    bool takes = map_get_str(claimers, key.data) != NULL;
    buf_free(&key);
    return takes;
}

static int by_delivered(const void *a, const void *b)
{
    const struct m_deliver *const *x = a, *const *y = b;
    return (*x)->ev->seq < (*y)->ev->seq ? -1 : (*x)->ev->seq > (*y)->ev->seq;
}

static const struct event *txn_last_event(const struct m_txn *t)
{
    return t->abort_done    ? t->abort_done
           : t->commit_done ? t->commit_done
           : t->abort       ? t->abort
                            : t->commit;
}

static int by_end(const void *a, const void *b)
{
    const struct m_txn *const *x = a, *const *y = b;
    const struct event *p = txn_last_event(*x), *q = txn_last_event(*y);
    uint32_t s = p ? p->seq : UINT32_MAX, t = q ? q->seq : UINT32_MAX;
    return s != t                        ? (s < t ? -1 : 1)
           : (*x)->number < (*y)->number ? -1
                                         : (*x)->number > (*y)->number;
}

static void link_deliveries(struct m_proc *p)
{
    if (p->txns.n == 0 || p->delivers.n == 0) {
        return;
    }
    qsort(p->txns.items, p->txns.n, sizeof *p->txns.items, by_end);
    qsort(p->delivers.items, p->delivers.n, sizeof *p->delivers.items, by_delivered);
    struct map claimers = {0};
    find_claimers(p, &claimers);
    VEC(struct m_deliver *) waiting = {0}; /* for a transaction of another producer */
    size_t at = 0;
    for (size_t i = 0; i < p->txns.n; i++) {
        struct m_txn *t = p->txns.items[i];
        const struct event *end = txn_last_event(t);
        size_t left = 0;
        for (; at < p->delivers.n; at++) {
            struct m_deliver *d = p->delivers.items[at];
            if (end && d->ev->seq > end->seq) {
                break;
            }
            if (d->group && d->group->claimed) {
                *VEC_PUSH(&waiting) = d;
            }
        }
        for (size_t k = 0; k < waiting.n; k++) {
            struct m_deliver *d = waiting.items[k];
            if (handles(t, d, &claimers)) {
                d->txn = t;
            } else if (map_get_str(&claimers, d->group->name)) {
                waiting.items[left++] = d;
            }
        }
        waiting.n = left;
    }
    free(waiting.items);
    map_free(&claimers);
}

void model_finish_roles(struct model *m)
{
    for (size_t i = 0; i < m->procs.n; i++) {
        struct m_proc *p = m->procs.items[i];
        if (p->sends.n) {
            qsort(p->sends.items, p->sends.n, sizeof *p->sends.items, by_send_seq);
        }
        if (p->acks.n) {
            qsort(p->acks.items, p->acks.n, sizeof *p->acks.items, by_ack_seq);
        }
        link_deliveries(p);
        const struct plan_role *r = plan_role(m->plan, p->role);
        for (size_t k = 0; r && k < r->conf.n; k++) {
            add_config(p, r->conf.items[k].name, r->conf.items[k].value);
        }
    }
}

const struct m_send *model_send(const struct m_proc *p, int64_t seq)
{
    size_t lo = 0, hi = p->sends.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->sends.items[mid].seq <= seq) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    const struct m_send *s = lo > 0 ? &p->sends.items[lo - 1] : NULL;
    return s && seq < s->seq + s->count ? s : NULL;
}

const struct m_ack *model_ack(const struct m_proc *p, int64_t seq)
{
    size_t lo = 0, hi = p->acks.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->acks.items[mid].seq <= seq) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    const struct m_ack *a = lo > 0 ? &p->acks.items[lo - 1] : NULL;
    return a && seq < a->seq + a->count ? a : NULL;
}
