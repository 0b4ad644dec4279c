/* SPDX-License-Identifier: Apache-2.0 */
/* The fault clock: every timed fault (exit, kill, pause, rebalance, broker) has a clock that draws
 * its times from the seed and picks a victim by hash. crash and abort are drawn in the roles
 * themselves, unless they have a time: then the victim is told, and another one when it dies
 * before, or does not come to such a point.
 *
 * kill, pause and exit look for an instance with an open transaction for a moment (armed) where the
 * role has transactions at all, because that is where such a fault finds something. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "plan/draw.h"
#include "role/proto.h"
#include "run/exec.h"
#include "run/internal.h"

enum { ARM_POLL_MS = 3, ORDER_MS = 500 };
static const uint64_t ARM_NS = 1500000000u;

static void on_clock(void *arg);

void faults_wait(struct fault_clock *c, uint64_t ms)
{
    timer_stop(c->timer);
    c->timer = timer_start(c->r->loop, ms, 0, on_clock, c);
}

void faults_schedule(struct fault_clock *c)
{
    const struct plan_fault *f = c->f;
    c->armed_ns = 0;
    if (f->max >= 0 && c->fired >= (uint64_t)f->max) {
        return;
    }
    if (f->every.min_ms >= 0) {
        faults_wait(c,
                    (uint64_t)draw_range(c->r->o->seed, c->index, "every", c->drawn++, f->every));
    } else if (f->at.min_ms >= 0 && c->drawn == 0) {
        faults_wait(c, (uint64_t)draw_range(c->r->o->seed, c->index, "at", c->drawn++, f->at));
    }
}

void faults_record(struct fault_clock *c, const char *edge, const char *target, const char *detail)
{
    hist_add(c->r->hist, H_FAULT, HP_FACT, 0, HI(c->index), HS(plan_fault_name(c->f->kind)),
             HS(edge), HI(c->fired), HS(target), HS(detail));
}

static bool eligible(const struct fault_clock *c, const struct member *m)
{
    return m->up && m->ready && m->fault < 0 && !m->paused && !m->returned && m->slot->role &&
           m->slot->current == m && !m->slot->guest &&
           plan_strings_has(&c->f->roles, m->slot->name) &&
           (c->f->index == 0 || c->f->index == m->slot->index);
}

static bool is_ordered(const struct fault_clock *c)
{
    return c->f->kind == FAULT_CRASH || c->f->kind == FAULT_ABORT;
}

/** crash and abort with a time wait in the victim, for a point that it passes: it must be one that
 * works. The others hit at once, and find most inside a transaction. */
static bool is_busy(const struct fault_clock *c, const struct member *m)
{
    return is_ordered(c) ? m->works : m->in_txn;
}

/** The k-th by hash of the eligible members (only those that are busy, if asked); NULL if none. */
static struct member *choose(struct fault_clock *c, bool busy)
{
    struct run *r = c->r;
    size_t n = 0;
    for (size_t i = 0; i < r->nslots; i++) {
        struct member *m = r->slots[i].current;
        n += m && eligible(c, m) && (!busy || is_busy(c, m));
    }
    if (n == 0) {
        return NULL;
    }
    uint64_t k = draw_index(r->o->seed, c->index, "victim", c->fired, n);
    for (size_t i = 0; i < r->nslots; i++) {
        struct member *m = r->slots[i].current;
        if (m && eligible(c, m) && (!busy || is_busy(c, m)) && k-- == 0) {
            return m;
        }
    }
    return NULL;
}

/** Is it worth the wait for a busy one? */
static bool may_be_busy(const struct fault_clock *c)
{
    if (is_ordered(c)) {
        return true;
    }
    for (const struct member *m = c->r->members; m; m = m->next) {
        if (m->has_txn && plan_strings_has(&c->f->roles, m->slot->name)) {
            return true;
        }
    }
    return false;
}

static void on_held(void *arg)
{
    struct member *m = arg;
    struct fault_clock *c = m->paused_by;
    m->wake = NULL;
    if (!m->r->failed && m->up && m->paused && m->r->phase < PH_CUT) {
        faults_record(c, "end", member_name(m), "");
        member_signal(m, SIGCONT, c->index);
        m->fault = -1;
    }
}

static void pause_member(struct fault_clock *c, struct member *m)
{
    int64_t ms = draw_range(c->r->o->seed, c->index, "hold", c->fired, c->f->hold);
    m->fault = c->index;
    m->paused_by = c;
    member_signal(m, SIGSTOP, c->index);
    faults_record(c, "begin", member_name(m), m->in_txn ? "in a transaction" : "");
    timer_stop(m->wake);
    m->wake = timer_start(c->r->loop, (uint64_t)ms, 0, on_held, m);
    if (c->f->replace) {
        member_spawn(m->slot, "replace");
    }
}

/** crash and abort with a time: the role does it at the next point that it passes, and says so. */
static void arm_member(struct fault_clock *c, struct member *m)
{
    json_t *j = json_pack("{s:s,s:i,s:I}", "do", plan_fault_name(c->f->kind), "fault", c->index,
                          "points", (json_int_t)c->f->points);
    char *json = json_dumps(j, JSON_COMPACT);
    c->ordered = true;
    proc_send(m->proc, ROLE_FAULT, json, (uint32_t)strlen(json));
    free(json);
    json_decref(j);
}

/** One of the scenario's: what was fired by hand stays where it was sent. */
static bool is_waiting(const struct fault_clock *c)
{
    return c->ordered && c->f->at.min_ms >= 0;
}

static void tell_victim(const struct fault_clock *c, const char *what)
{
    char *json = xasprintf("{\"do\":\"%s\",\"fault\":%d}", what, c->index);
    proc_send(c->victim->proc, ROLE_FAULT, json, (uint32_t)strlen(json));
    free(json);
}

void faults_done(struct run *r, int64_t fault, const struct member *m)
{
    for (size_t i = 0; i < r->clocks.n; i++) {
        struct fault_clock *c = &r->clocks.items[i];
        if (c->index != fault) {
            continue;
        }
        if (is_waiting(c)) {
            timer_stop(c->timer);
            c->timer = NULL;
        }
        if (c->ordered && c->victim != m) { /* it did not know yet that another one was told */
            tell_victim(c, "disarm");
        }
        c->ordered = false;
    }
}

void faults_gone(struct run *r, const struct member *m)
{
    for (size_t i = 0; i < r->clocks.n; i++) {
        struct fault_clock *c = &r->clocks.items[i];
        if (!c->ordered || c->victim != m) {
            continue;
        }
        c->ordered = false;
        c->fired--;
        if (faults_active(c)) {
            c->armed_ns = 0;
            faults_wait(c, ARM_POLL_MS);
        }
    }
}

static void hit_member(struct fault_clock *c, struct member *m)
{
    c->fired++;
    c->victim = m;
    if (c->f->kind == FAULT_PAUSE) {
        pause_member(c, m);
        return;
    }
    if (c->f->kind == FAULT_CRASH || c->f->kind == FAULT_ABORT) {
        arm_member(c, m);
        return;
    }
    faults_record(c, "fire", member_name(m), m->in_txn ? "in a transaction" : "");
    if (c->f->kind == FAULT_KILL) {
        m->fault = c->index;
        member_signal(m, c->f->signum, c->index);
        return;
    }
    m->fault = c->index;
    tell_victim(c, "exit");
}

/** The next one behind the victim that works, or NULL. */
static struct member *behind_victim(struct fault_clock *c)
{
    struct run *r = c->r;
    size_t from = (size_t)(c->victim->slot - r->slots);
    for (size_t k = 1; k < r->nslots; k++) {
        struct member *m = r->slots[(from + k) % r->nslots].current;
        if (m && eligible(c, m) && is_busy(c, m)) {
            return m;
        }
    }
    return NULL;
}

static void wait_for_victim(struct fault_clock *c)
{
    static const struct plan_range wait = {ORDER_MS / 2, ORDER_MS + ORDER_MS / 2};
    faults_wait(c, (uint64_t)draw_range(c->r->o->seed, c->index, "move", c->moves++, wait));
}

/** Who was told has not come to the point since: another one is told in its place. */
static void move_on(struct fault_clock *c)
{
    struct member *m = behind_victim(c);
    if (m) {
        tell_victim(c, "disarm");
        c->fired--;
        hit_member(c, m);
    }
    wait_for_victim(c);
}

static void fire_member(struct fault_clock *c)
{
    digest_poll(c->r);
    if (is_waiting(c)) {
        move_on(c);
        return;
    }
    uint64_t now = clock_mono_ns();
    c->armed_ns = c->armed_ns ? c->armed_ns : now;
    struct member *m = choose(c, true);
    bool patient = now - c->armed_ns < ARM_NS && may_be_busy(c);
    if (!m && patient) {
        faults_wait(c, ARM_POLL_MS);
        return;
    }
    m = m ? m : choose(c, false);
    if (!m) {
        faults_wait(c, FAULTS_RETRY_MS);
        return;
    }
    hit_member(c, m);
    faults_schedule(c);
    if (is_waiting(c)) {
        wait_for_victim(c);
    }
}

static void fire_rebalance(struct fault_clock *c)
{
    struct run *r = c->r;
    struct member *found[64];
    size_t n = 0;
    const struct plan_role *program = exec_role_of(r, c->f->group);
    if (program) {
        exec_rebalance(c, program);
        return;
    }
    for (size_t i = 0; i < r->nslots; i++) {
        struct member *m = r->slots[i].current;
        for (size_t g = 0; m && g < r->groups.n && n < ARRAY_LEN(found); g++) {
            const struct group_use *use = &r->groups.items[g];
            if (m->up && m->endless && !m->paused && use->role == m->slot->role &&
                strcmp(use->group, c->f->group) == 0) {
                found[n++] = m;
                break;
            }
        }
    }
    if (n == 0) {
        faults_wait(c, FAULTS_RETRY_MS);
        return;
    }
    struct member *m = found[draw_index(r->o->seed, c->index, "victim", c->fired, n)];
    json_t *j =
        json_pack("{s:s,s:i,s:s}", "do", "rebalance", "fault", c->index, "group", c->f->group);
    char *json = json_dumps(j, JSON_COMPACT);
    c->fired++;
    c->victim = m;
    faults_record(c, "fire", member_name(m), c->f->group);
    proc_send(m->proc, ROLE_FAULT, json, (uint32_t)strlen(json));
    free(json);
    json_decref(j);
    faults_schedule(c);
}

static void on_clock(void *arg)
{
    struct fault_clock *c = arg;
    c->timer = NULL;
    if (c->r->failed || !faults_active(c)) {
        return;
    }
    switch (c->f->kind) {
    case FAULT_REBALANCE:
        fire_rebalance(c);
        break;
    case FAULT_BROKER:
        faults_node_fire(c);
        break;
    default:
        fire_member(c);
    }
}

void faults_fire(struct run *r, struct fault_clock *c)
{
    c->r = r;
    c->on = true;
    c->armed_ns = 1; /* long ago: it has no patience */
    on_clock(c);
}

static void schedule_all(struct run *r)
{
    for (size_t i = 0; i < r->clocks.n; i++) {
        if (r->clocks.items[i].on) {
            faults_schedule(&r->clocks.items[i]);
        }
    }
    mixes_start(r);
}

void faults_heal(struct fault_clock *c)
{
    timer_stop(c->timer);
    c->timer = NULL;
    for (struct member *m = c->r->members; m; m = m->next) {
        if (m->up && m->paused && m->paused_by == c && m->wake) {
            timer_stop(m->wake);
            on_held(m);
        }
    }
    faults_node_heal(c);
}

void faults_start(struct run *r)
{
    for (size_t i = 0; r->faults_on && i < r->plan->faults.n; i++) {
        struct fault_clock *c = VEC_PUSH(&r->clocks);
        const struct plan_fault *f = &r->plan->faults.items[i];
        *c = (struct fault_clock){.r = r, .index = (int)i, .f = f, .on = f->mix == 0};
    }
    schedule_all(r); /* the array moves no more */
}

void faults_switch(struct run *r, bool on)
{
    if (!on) {
        faults_stop(r);
        return;
    }
    r->faults_on = true;
    members_send(r, ROLE_FAULT, "{\"do\":\"faults\",\"on\":true}");
    schedule_all(r);
}

void faults_stop(struct run *r)
{
    if (!r->faults_on) {
        return;
    }
    mixes_stop(r);
    r->faults_on = false;
    for (size_t i = 0; i < r->clocks.n; i++) {
        timer_stop(r->clocks.items[i].timer);
        r->clocks.items[i].timer = NULL;
    }
    members_resume(r);
    members_send(r, ROLE_FAULT, "{\"do\":\"faults\",\"on\":false}");
    faults_node_stop(r);
}
