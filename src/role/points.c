/* SPDX-License-Identifier: Apache-2.0 */
/* One draw per record, fault and delivery decides whether; a second hash picks the point. A hit
 * stays pending until its record, or the transaction it is part of, passes the point; then the
 * crash event is written and the process kills itself. Inside a transaction a hit whose point was
 * left out (a record without output has no before_send) fires at the next point that is passed. */
#include "role/points.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "client/client.h"
#include "plan/draw.h"

struct pending {
    int fault;
    enum plan_point point;
    bool abort;     /* not a crash: the transaction is to be aborted */
    uint32_t armed; /* not drawn but ordered: the points at which it fires, whatever the record */
    const void *consumer;
    const char *topic; /* interned */
    int32_t partition;
    int64_t offset;
    uint32_t delivery;
};
struct points {
    struct points_setup s;
    bool on, relevant, warned;
    struct {
        struct pending *items;
        size_t n, cap;
    } pending;
    int64_t *fired; /* per fault, by this process */
    bool *off;      /* per fault: its mix has it off */
};

static bool mine(const struct points *p, const struct plan_fault *f)
{
    return (f->kind == FAULT_CRASH || f->kind == FAULT_ABORT) && f->p > 0 &&
           (f->index == 0 || f->index == p->s.index) && plan_strings_has(&f->roles, p->s.role);
}

static void update(struct points *p)
{
    struct runtime_switches *sw = p->s.switches;
    sw->draws = p->on && p->relevant;
    sw->armed = p->pending.n > 0;
    sw->polled = false;
    for (size_t i = 0; i < p->pending.n; i++) {
        const struct pending *q = &p->pending.items[i];
        sw->polled |= !q->abort && (q->armed ? (q->armed & 1u << POINT_AFTER_POLL) != 0
                                             : q->point == POINT_AFTER_POLL);
    }
}

struct points *points_new(const struct points_setup *setup, bool on)
{
    struct points *p = xcalloc(1, sizeof *p);
    *p = (struct points){.s = *setup, .on = on};
    p->fired = xcalloc(setup->plan->faults.n + 1, sizeof *p->fired);
    p->off = xcalloc(setup->plan->faults.n + 1, sizeof *p->off);
    for (size_t i = 0; i < setup->plan->faults.n; i++) {
        p->relevant |= mine(p, &setup->plan->faults.items[i]);
    }
    update(p);
    return p;
}

static void forget(struct points *p, size_t i)
{
    p->pending.items[i] = p->pending.items[--p->pending.n];
}

void points_free(struct points *p)
{
    free(p->pending.items);
    free(p->fired);
    free(p->off);
    free(p);
}

void points_switch(struct points *p, bool on)
{
    p->on = on;
    if (!on) {
        p->pending.n = 0;
    }
    update(p);
}

void points_arm(struct points *p, int fault, bool abort_it, uint32_t points)
{
    struct pending *q = VEC_PUSH(&p->pending);
    *q = (struct pending){.fault = fault,
                          .abort = abort_it,
                          .armed = points ? points : 1,
                          .point = POINT_N,
                          .topic = "",
                          .partition = -1,
                          .offset = -1};
    update(p);
}

void points_disarm(struct points *p, int fault)
{
    for (size_t i = p->pending.n; i-- > 0;) {
        if (p->pending.items[i].armed && p->pending.items[i].fault == fault) {
            forget(p, i);
        }
    }
    update(p);
}

void points_mix(struct points *p, const int *off, size_t n)
{
    memset(p->off, 0, p->s.plan->faults.n * sizeof *p->off);
    for (size_t i = 0; i < n; i++) {
        if (off[i] >= 0 && (size_t)off[i] < p->s.plan->faults.n) {
            p->off[off[i]] = true;
        }
    }
    for (size_t i = 0; i < p->pending.n;) {
        int fault = p->pending.items[i].fault;
        if (fault >= 0 && (size_t)fault < p->s.plan->faults.n && p->off[fault]) {
            forget(p, i);
        } else {
            i++;
        }
    }
    update(p);
}

uint32_t points_reachable(unsigned a)
{
    uint32_t set = 0;
    if (a & ABLE_CONSUME) {
        set |= 1u << POINT_AFTER_POLL;
    }
    if (a & ABLE_SEND) {
        set |= 1u << POINT_BEFORE_SEND | 1u << POINT_AFTER_SEND;
    }
    if (a & ABLE_TRANSACT) {
        set |= 1u << POINT_BEFORE_COMMIT | 1u << POINT_DURING_COMMIT | 1u << POINT_AFTER_COMMIT;
        if (a & ABLE_CONSUME) {
            set |= 1u << POINT_BEFORE_OFFSETS | 1u << POINT_AFTER_OFFSETS;
        }
    } else if (a & ABLE_COMMIT) {
        set |= 1u << POINT_BEFORE_COMMIT | 1u << POINT_AFTER_COMMIT;
    }
    if (a & ABLE_JOIN) {
        set |= 1u << POINT_IN_ON_ASSIGN | 1u << POINT_IN_ON_REVOKE;
    }
    return set;
}

/* ---- draws ---- */

static void add(struct points *p, int fault, bool abort_it, const struct draw_key *k,
                uint32_t points, const void *consumer)
{
    struct pending *q = VEC_PUSH(&p->pending);
    *q = (struct pending){.fault = fault,
                          .abort = abort_it,
                          .point = abort_it ? POINT_N : draw_point(p->s.seed, fault, points, k),
                          .consumer = consumer,
                          .topic = client_intern(k->topic),
                          .partition = k->partition,
                          .offset = k->offset,
                          .delivery = k->delivery};
}

static void draw(struct points *p, int fault, const struct draw_key *k, unsigned abilities,
                 const void *consumer)
{
    const struct plan_fault *f = &p->s.plan->faults.items[fault];
    bool abort_it = f->kind == FAULT_ABORT;
    uint32_t points = f->points & points_reachable(abilities);
    if (abort_it ? !(abilities & ABLE_TRANSACT) : points == 0) {
        if (!p->warned) {
            log_warn("%s: role %s cannot pass a point of this fault", f->where ? f->where : "fault",
                     p->s.role);
            p->warned = true;
        }
        return;
    }
    bool hit = draw_hit(p->s.seed, fault, f->p, k);
    const char *name = "";
    if (hit) {
        add(p, fault, abort_it, k, points, consumer);
        name = abort_it ? "abort" : plan_point_name(p->pending.items[p->pending.n - 1].point);
    }
    hist_add(p->s.hist, H_DRAW, HP_FACT, 0, HI(fault), HS(k->topic), HI(k->partition),
             HI(k->offset), HI(k->delivery), HI(hit), HS(name));
}

/* The number of this delivery; txn keeps the counts of draws per transaction apart. */
static uint32_t delivery(struct points *p, const struct runtime_record *r, bool txn)
{
    char group[512];
    if (!p->s.deliveries) {
        return 1;
    }
    bool input = *r->topic != '\0';
    snprintf(group, sizeof group, "%s%s", txn ? "\x01" : "", r->group);
    uint32_t n = deliveries_add(p->s.deliveries, group, input ? r->topic : p->s.role, r->partition,
                                r->offset);
    if (n == 0 && !p->warned) {
        log_warn("the table of deliveries is full: no more crashes by record");
        p->warned = true;
    }
    return n;
}

static void draw_all(struct points *p, const struct runtime_record *r, unsigned abilities, bool txn)
{
    struct draw_key k = {p->s.role, r->topic, r->partition, r->offset, delivery(p, r, txn)};
    for (size_t i = 0; k.delivery && i < p->s.plan->faults.n; i++) {
        const struct plan_fault *f = &p->s.plan->faults.items[i];
        bool per_txn = f->kind == FAULT_CRASH && f->per == PER_TRANSACTION;
        bool due = f->kind != FAULT_CRASH || f->per != PER_BATCH || r->first;
        if (mine(p, f) && !p->off[i] && per_txn == txn && due) {
            draw(p, (int)i, &k, abilities, r->consumer);
        }
    }
    update(p);
}

void points_record(struct points *p, const struct runtime_record *r, unsigned abilities)
{
    draw_all(p, r, abilities, false);
}

void points_begin(struct points *p, const struct runtime_record *first, unsigned abilities)
{
    draw_all(p, first, abilities, true);
}

/* ---- firing ---- */

/* `max` bounds the firings of all processes together: the shared table counts them. */
static bool allowed(struct points *p, const struct pending *q)
{
    int fault = q->fault;
    int64_t max = q->armed ? -1 : p->s.plan->faults.items[fault].max;
    if (max < 0 || !p->s.deliveries) {
        return true;
    }
    uint32_t n = deliveries_add(p->s.deliveries, "\x02", "fired", fault, 0);
    return n > 0 && n <= max;
}

static void die(struct points *p, const struct pending *q, enum plan_point point,
                const struct runtime_at *at)
{
    hist_add(p->s.hist, H_CRASH, HP_FACT, 0, HI(q->fault), HS(plan_point_name(point)), HS(q->topic),
             HI(q->partition), HI(q->offset), HI(q->delivery), HS(at->producer ? at->producer : ""),
             HI(at->txn));
    kill(getpid(), SIGKILL);
    for (;;) {
        pause();
    }
}

static bool same_owner(const struct pending *q, const void *consumer)
{
    return !consumer || !q->consumer || q->consumer == consumer;
}

static bool fires(const struct pending *q, enum plan_point point, const struct runtime_at *at)
{
    if (q->abort || !same_owner(q, at->consumer)) {
        return false;
    }
    if (q->armed) {
        return (q->armed & 1u << point) != 0;
    }
    if (point >= POINT_ANY_N || q->point >= POINT_ANY_N) {
        return q->point == point;
    }
    if (at->topic && (q->partition != at->partition || q->offset != at->offset ||
                      strcmp(q->topic, at->topic) != 0)) {
        return false;
    }
    return at->txn >= 0 ? q->point <= point : q->point == point;
}

void points_pass(struct points *p, enum plan_point point, const struct runtime_at *at)
{
    for (size_t i = 0; i < p->pending.n;) {
        const struct pending *q = &p->pending.items[i];
        if (!fires(q, point, at)) {
            i++;
        } else if (allowed(p, q)) {
            die(p, q, point, at);
        } else {
            forget(p, i);
        }
    }
    update(p);
}

bool points_take_abort(struct points *p, const void *consumer)
{
    char target[300], detail[400];
    for (size_t i = 0; i < p->pending.n; i++) {
        const struct pending *q = &p->pending.items[i];
        if (!q->abort || !same_owner(q, consumer)) {
            continue;
        }
        int fault = q->fault;
        bool yes = allowed(p, q), armed = q->armed != 0;
        snprintf(target, sizeof target, "%s-%d", p->s.role, p->s.index);
        snprintf(detail, sizeof detail, "%s[%d]@%lld", q->topic, (int)q->partition,
                 (long long)q->offset);
        detail[armed ? 0 : strlen(detail)] = '\0';
        forget(p, i);
        update(p);
        if (yes) {
            int64_t number = armed ? 1 : ++p->fired[fault];
            hist_add(p->s.hist, H_FAULT, HP_FACT, 0, HI(fault), HS(plan_fault_name(FAULT_ABORT)),
                     HS("fire"), HI(number), HS(target), HS(detail));
        }
        return yes;
    }
    return false;
}

void points_settle(struct points *p, const void *consumer)
{
    for (size_t i = 0; i < p->pending.n;) {
        const struct pending *q = &p->pending.items[i];
        if (!q->armed && same_owner(q, consumer) && (q->abort || q->point < POINT_ANY_N)) {
            forget(p, i);
        } else {
            i++;
        }
    }
    update(p);
}
