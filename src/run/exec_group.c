/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to the group of a program through one more process of it: a guest that joins, stays
 * for a few seconds and leaves (rebalance), and the restart probe, which has to come to rest.
 * Neither can be asked how it is: the broker is. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "plan/draw.h"
#include "run/exec.h"
#include "wire/admin.h"

enum {
    LOOK_MS = 100,
    JOIN_MS = 30000,  /* a guest that has not joined by then leaves again */
    PROBE_MS = 30000, /* longer than for roles of ours: it may be a JVM */
    QUIET_MS = 2000,
    ASK_MS = 1000
};

/* ---- the guest ---- */

static struct slot *guest_slot(struct run *r, const struct plan_role *role)
{
    for (size_t i = 0; i < r->nslots; i++) {
        if (r->slots[i].guest && r->slots[i].role == role) {
            return &r->slots[i];
        }
    }
    return NULL;
}

static void on_guest(void *arg);

static void look_again(struct fault_clock *c)
{
    c->timer = timer_start(c->r->loop, LOOK_MS, 0, on_guest, c);
}

static void guest_leaves(struct fault_clock *c, struct member *m, const char *detail)
{
    if (m->up) {
        exec_stop(m);
    }
    if (c->guest_until_ns) {
        faults_record(c, "end", member_name(m), detail);
    }
    faults_schedule(c);
}

/* The fault has fired when the group was seen to change. */
static void on_guest(void *arg)
{
    struct fault_clock *c = arg;
    struct run *r = c->r;
    struct member *m = guest_slot(r, exec_role_of(r, c->f->group))->current;
    uint64_t now = clock_mono_ns(), changes = c->guest_changes;
    c->timer = NULL;
    if (r->failed || !r->faults_on) {
        return;
    }
    watch_program_reads(r->watch, c->f->group, &changes);
    if (!c->guest_until_ns && changes != c->guest_changes) {
        static const struct plan_range stay = {2000, 4000};
        c->fired++;
        c->guest_until_ns =
            now + 1000000 * (uint64_t)draw_range(r->o->seed, c->index, "stay", c->fired, stay);
        faults_record(c, "begin", member_name(m), c->f->group);
    }
    if (!m->up) {
        guest_leaves(c, m, "its process ended");
    } else if (c->guest_until_ns && now >= c->guest_until_ns) {
        guest_leaves(c, m, "");
    } else if (!c->guest_until_ns && now - c->armed_ns > (uint64_t)JOIN_MS * 1000000) {
        guest_leaves(c, m, "");
    } else {
        look_again(c);
    }
}

void exec_rebalance(struct fault_clock *c, const struct plan_role *role)
{
    struct slot *s = guest_slot(c->r, role);
    bool known = watch_program_reads(c->r->watch, c->f->group, &c->guest_changes);
    if (!known || (s->current && s->current->up) || !member_spawn(s, "rebalance")) {
        faults_wait(c, FAULTS_RETRY_MS);
        return;
    }
    c->armed_ns = clock_mono_ns();
    c->guest_until_ns = 0;
    look_again(c);
}

/* ---- the restart probe ---- */

static uint64_t offsets_hash(struct admin *a, const char *group, uint64_t h)
{
    struct admin_offsets o;
    struct err e;
    if (admin_offset_fetch(a, group, NULL, 0, false, ASK_MS, &o, &e) == 0) {
        for (size_t i = 0; i < o.n; i++) {
            h += hash_mix(hash_str((uint64_t)o.items[i].partition, o.items[i].topic),
                          (uint64_t)o.items[i].offset);
        }
    }
    admin_offsets_free(&o);
    return h;
}

/* What members and offsets are now, 0 while nobody has been assigned anything. */
static uint64_t group_now(struct admin *a, const char *group)
{
    struct admin_group g;
    struct err e;
    uint64_t h = 0;
    if (admin_describe_group(a, group, ASK_MS, &g, &e) == 0 && g.error == 0 && g.nmembers > 0 &&
        strcmp(g.state, "Stable") == 0) {
        h = offsets_hash(a, group, 1 + g.nmembers);
    }
    admin_group_free(&g);
    return h;
}

static void probe_work(void *arg)
{
    struct run *r = arg;
    struct err *e = &r->work.err;
    const char *group = r->groups.items[r->probe.group - 1].group;
    uint64_t end = clock_mono_ns() + (uint64_t)PROBE_MS * 1000000, since = 0, last = 0;
    struct admin *a = admin_open(cluster_bootstrap(r->cluster, CLUSTER_DIRECT), "kaos-probe", e);
    r->work.complete = false;
    while (a && !r->work.complete && clock_mono_ns() < end && !atomic_load(&r->work.unwanted)) {
        uint64_t seen = group_now(a, group), now = clock_mono_ns();
        since = seen == last ? since : now;
        last = seen;
        r->work.complete = seen && now - since >= (uint64_t)QUIET_MS * 1000000;
        usleep(LOOK_MS * 1000);
    }
    if (a) {
        admin_close(a);
    }
}

static void probe_done(void *arg)
{
    struct run *r = arg;
    struct member *m = r->probe.member;
    if (!r->work.complete) {
        hist_add(r->hist, H_HARNESS, HP_FACT, 0,
                 HS("the restart probe was not assigned a partition"), HS(m->slot->name));
    }
    if (m->up) {
        exec_stop(m);
    } else {
        finish_probe_gone(r);
    }
}

void exec_probe(struct run *r)
{
    run_work(r, probe_work, probe_done);
}
