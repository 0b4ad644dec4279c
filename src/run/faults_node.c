/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of broker nodes: kill, stop, pause, restart of one, and the roll over all. One node at a
 * time is down: a second fault waits until the first node serves again.
 *
 * A node that is named by its role is looked for when the fault is due (target.c); while nobody
 * has that role the fault does not fire, which is recorded once for each reason (edge missed). */
#include <stdlib.h>
#include <string.h>

#include "plan/draw.h"
#include "run/internal.h"
#include "run/target.h"

enum { STOP_MS = 30000 }; /* a clean stop that takes longer ends with SIGKILL */

static void roll_next(struct fault_clock *c);

static void node_event(struct run *r, int node, const char *what, int fault)
{
    hist_add(r->hist, H_NODE, HP_FACT, 0, HI(node), HS(what), HI(fault));
}

static const char *node_name(int node)
{
    static char text[32];
    snprintf(text, sizeof text, "node %d", node);
    return text;
}

static bool is_roll(const struct fault_clock *c)
{
    return c->f->action == BROKER_ROLL;
}

/* ---- down and up again ---- */

static void on_node_held(void *arg)
{
    struct fault_clock *c = arg;
    struct run *r = c->r;
    struct err e;
    c->held = NULL;
    if (r->failed || r->node_fault != c || r->node_down == 0 ||
        cluster_node_up(r->cluster, r->node_down)) {
        return;
    }
    int rc = c->f->action == BROKER_PAUSE ? cluster_node_resume(r->cluster, r->node_down, &e)
                                          : cluster_node_restart(r->cluster, r->node_down, &e);
    if (rc < 0) { /* still dying: its CLUSTER_NODE_DOWN has not come yet; or starting already */
        c->held = timer_start(r->loop, FAULTS_RETRY_MS, 0, on_node_held, c);
    }
}

static void on_stop_late(void *arg)
{
    struct fault_clock *c = arg;
    struct run *r = c->r;
    struct err e;
    c->late = NULL;
    if (!r->failed && r->node_fault == c && cluster_node_kill(r->cluster, r->node_down, &e) == 0) {
        node_event(r, r->node_down, "killed", c->index);
    }
}

static int act(struct fault_clock *c, int node, struct err *e)
{
    struct cluster *cl = c->r->cluster;
    switch (c->f->action) {
    case BROKER_KILL:
        return cluster_node_kill(cl, node, e);
    case BROKER_PAUSE:
        return cluster_node_pause(cl, node, e);
    default:
        return cluster_node_stop(cl, node, e);
    }
}

/** @return false: not now. */
static bool take_down(struct fault_clock *c, int node)
{
    struct run *r = c->r;
    struct err e;
    if (!cluster_node_up(r->cluster, node) || act(c, node, &e) < 0) {
        return false;
    }
    r->node_down = node;
    r->node_fault = c;
    if (c->f->action == BROKER_PAUSE) {
        node_event(r, node, "paused", c->index);
    } else if (c->f->action != BROKER_KILL) {
        c->late = timer_start(r->loop, STOP_MS, 0, on_stop_late, c);
    }
    struct plan_range hold = c->f->hold;
    uint64_t n = c->fired + (uint64_t)c->rolled;
    uint64_t ms = hold.min_ms < 0 ? 0 : (uint64_t)draw_range(r->o->seed, c->index, "hold", n, hold);
    timer_stop(c->held);
    c->held = timer_start(r->loop, ms, 0, on_node_held, c);
    return true;
}

static void released(struct run *r)
{
    struct fault_clock *c = r->node_fault;
    timer_stop(c->held);
    timer_stop(c->late);
    c->held = c->late = NULL;
    r->node_down = 0;
    r->node_fault = NULL;
}

/* ---- one node ---- */

static void hit(struct fault_clock *c, int node, const char *meant)
{
    struct run *r = c->r;
    c->fired++;
    if (r->node_fault || !take_down(c, node)) {
        c->fired--;
        faults_wait(c, FAULTS_RETRY_MS);
        return;
    }
    free(c->missed);
    c->missed = NULL;
    faults_record(c, "begin", node_name(node), meant);
    faults_schedule(c);
}

static void miss(struct fault_clock *c, const char *why)
{
    if (!c->missed || strcmp(c->missed, why) != 0) {
        faults_record(c, "missed", c->f->node_text, why);
        free(c->missed);
        c->missed = xstrdup(why);
    }
    faults_wait(c, FAULTS_RETRY_MS);
}

static void on_target(struct fault_clock *c, int node, const char *meant, const struct err *e)
{
    if (!faults_active(c)) {
        return;
    }
    if (node <= 0) {
        miss(c, e->msg);
    } else {
        hit(c, node, meant);
    }
}

static void pick(struct fault_clock *c)
{
    struct run *r = c->r;
    int n = cluster_nodes(r->cluster);
    const char *why = "";
    if (c->f->target == TARGET_NUMBER) {
        if (c->f->node <= n) {
            hit(c, c->f->node, "");
        } else {
            miss(c, "the cluster has fewer nodes");
        }
    } else if (c->f->target == TARGET_ANY) {
        hit(c, 1 + (int)draw_index(r->o->seed, c->index, "node", c->fired, (uint64_t)n), "");
    } else if (!target_ask(c, on_target, &why)) {
        miss(c, why);
    }
}

/* ---- all nodes in turn ---- */

static void roll_end(struct fault_clock *c)
{
    struct run *r = c->r;
    int n = cluster_nodes(r->cluster);
    char detail[64];
    if (!c->rolling) {
        return;
    }
    c->rolling = false;
    bool whole = c->rolled == n;
    snprintf(detail, sizeof detail, "%d of %d nodes", c->rolled, n);
    faults_record(c, whole ? "end" : "cut", c->f->node_text, detail);
    released(r);
    if (faults_active(c)) {
        faults_schedule(c);
    }
}

static void on_synced(struct fault_clock *c, int node, const char *meant, const struct err *e);
static void on_roll_clock(void *arg);

static void roll_wait(struct fault_clock *c)
{
    timer_stop(c->timer);
    c->timer = timer_start(c->r->loop, FAULTS_RETRY_MS, 0, on_roll_clock, c);
}

static void on_roll_clock(void *arg)
{
    struct fault_clock *c = arg;
    c->timer = NULL;
    if (c->r->failed || !c->rolling) {
        return;
    }
    if (cluster_node_up(c->r->cluster, c->r->node_down)) {
        target_ask_sync(c, c->r->node_down, on_synced);
    } else {
        roll_next(c);
    }
}

static void on_synced(struct fault_clock *c, int node, const char *meant, const struct err *e)
{
    if (!faults_active(c)) {
        roll_end(c);
    } else if (node <= 0) {
        roll_wait(c);
    } else if (++c->rolled == cluster_nodes(c->r->cluster)) {
        roll_end(c);
    } else {
        roll_next(c);
    }
}

static void roll_next(struct fault_clock *c)
{
    int n = cluster_nodes(c->r->cluster);
    c->r->node_down = 0;
    if (!take_down(c, (c->roll_from + c->rolled) % n + 1)) {
        roll_wait(c);
    }
}

static void roll_begin(struct fault_clock *c)
{
    struct run *r = c->r;
    int n = cluster_nodes(r->cluster);
    c->roll_from = (int)draw_index(r->o->seed, c->index, "node", c->fired, (uint64_t)n);
    c->rolled = 0;
    for (int i = 1; i <= n; i++) {
        if (!cluster_node_up(r->cluster, i)) {
            faults_wait(c, FAULTS_RETRY_MS);
            return;
        }
    }
    c->fired++;
    c->rolling = true;
    r->node_fault = c;
    faults_record(c, "begin", c->f->node_text, "");
    roll_next(c);
}

/* ---- from the others ---- */

void faults_node_fire(struct fault_clock *c)
{
    if (c->r->node_fault) {
        faults_wait(c, FAULTS_RETRY_MS);
    } else if (is_roll(c)) {
        roll_begin(c);
    } else {
        pick(c);
    }
}

void faults_on_node(struct run *r, int node, enum cluster_event ev)
{
    static const char *const names[] = {"up", "down"};
    struct fault_clock *c = r->node_down == node ? r->node_fault : NULL;
    node_event(r, node, names[ev], c ? c->index : -1);
    if (c && ev == CLUSTER_NODE_DOWN) {
        timer_stop(c->late);
        c->late = NULL;
    } else if (c && is_roll(c) && faults_active(c)) {
        target_ask_sync(c, node, on_synced);
    } else if (c && is_roll(c)) {
        roll_end(c);
    } else if (c) {
        faults_record(c, "end", node_name(node), "");
        released(r);
    }
}

void faults_node_heal(struct fault_clock *c)
{
    struct run *r = c->r;
    if (r->node_fault != c) {
        return;
    }
    if (r->node_down == 0 || (is_roll(c) && cluster_node_up(r->cluster, r->node_down))) {
        roll_end(c);
        return;
    }
    timer_stop(c->held);
    on_node_held(c);
}

void faults_node_stop(struct run *r)
{
    if (r->node_fault) {
        faults_node_heal(r->node_fault);
    }
}
