/* SPDX-License-Identifier: Apache-2.0 */
/* The roles of a session: the course of their run (they start, die, come back, and are stopped when
 * somebody says so), names that a person types for them, and faults fired by hand. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "role/proto.h"
#include "run/exec.h"
#include "run/session_priv.h"

static struct stage *stage_of(const struct run *r)
{
    return r->course_arg;
}

/* ---- the course ---- */

struct answer {
    session_fn fn;
    void *arg;
    struct err e;
};

static void answer_now(void *arg)
{
    struct answer *a = arg;
    a->fn(a->arg, a->e.kind == ERR_NONE ? NULL : &a->e);
    free(a);
}

/** Who waits for up or down hears it, once, in a later turn. */
static void answer(struct stage *st, const struct err *e)
{
    if (!st->fn || st->s->closing) {
        return;
    }
    struct answer *a = xcalloc(1, sizeof *a);
    a->fn = st->fn;
    a->arg = st->arg;
    if (e) {
        a->e = *e;
    }
    st->fn = NULL;
    loop_defer(st->s->o.loop, answer_now, a);
}

void session_stop_watching(struct run *r)
{
    timer_stop(r->tick);
    timer_stop(r->limit);
    r->tick = r->limit = NULL;
    watch_stop(r->watch);
    r->watch = NULL;
}

static void on_fail(struct run *r, enum run_end end, const struct err *e, const char *detail)
{
    struct stage *st = stage_of(r);
    if (st->s->closing || r->failed) {
        return;
    }
    faults_stop(r);
    r->failed = r->roles_stopped = true;
    session_stop_watching(r);
    members_kill(r);
    if (st->fn) {
        answer(st, e);
    } else {
        session_note(st->s, detail ? detail : "", "the roles were stopped: %s", e->msg);
    }
}

static bool all_ready(const struct run *r)
{
    for (size_t i = 0; i < r->nslots; i++) {
        const struct slot *s = &r->slots[i];
        if (!s->finished && !s->start && s->incarnations < 2 &&
            !(s->current && s->current->ready)) {
            return false;
        }
    }
    return true;
}

static void on_tick(void *arg)
{
    struct run *r = arg;
    digest_poll(r);
    exec_tick(r);
    if (r->phase == PH_ROLES && all_ready(r)) {
        timer_stop(r->limit);
        r->limit = NULL;
        r->phase = PH_WORK;
        r->faults_ns = clock_mono_ns();
        run_phase(r, "faults_on", "none");
        starts_begin(r);
        answer(stage_of(r), NULL);
    }
    starts_poll(r);
}

static void on_start_limit(void *arg)
{
    struct run *r = arg;
    struct err e;
    r->limit = NULL;
    err_set(&e, ERR_TIMEOUT, 0, "not every role has started within %d s; .logs ROLE shows why",
            RUN_START_MS / 1000);
    run_fail(r, RUN_SCENARIO, &e, NULL);
}

static void on_drained(void *arg)
{
    /* nobody asked */
}

static void on_topics_ready(struct run *r)
{
    if (!r->failed) {
        run_start_roles(r, on_drained, on_tick, on_start_limit);
    }
}

static void on_roles_gone(struct run *r)
{
    session_stop_watching(r);
    if (!r->failed) {
        r->phase = PH_CUT;
        run_phase(r, "cut", "");
        answer(stage_of(r), NULL);
    }
}

static void on_drain(struct run *r, const char *why)
{
    session_note(stage_of(r)->s, "three deaths within ten seconds that no fault caused",
                 "%s; .logs ROLE shows what they said", why);
}

static void on_born(struct member *m, const char *why)
{
    struct session *s = stage_of(m->r)->s;
    if (m->incarnation > 1) {
        session_note(s, why, "%s started (pid %d)", member_name(m), (int)proc_pid(m->proc));
    }
}

static void on_gone(struct member *m, const char *why)
{
    static const struct {
        const char *why, *text;
    } words[] = {{"fault", "died by a fault"},
                 {"returned", "returned: its function has ended"},
                 {"stopped", "stopped"},
                 {"lua_error", "died of a Lua error"},
                 {"kafka_error", "died of a fatal Kafka error"},
                 {"fenced", "was fenced: a newer process has its transactional id"},
                 {"died", "died, and no fault caused it"}};
    struct stage *st = stage_of(m->r);
    const char *text = why;
    if (m->stopping || st->s->closing || !m->slot->role) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        text = strcmp(words[i].why, why) == 0 ? words[i].text : text;
    }
    char back[64] = "";
    if (strcmp(why, "returned") != 0 && m->slot->role->restart_ms >= 0) {
        snprintf(back, sizeof back, ", starts again in %lld ms",
                 (long long)m->slot->role->restart_ms);
    }
    session_note(st->s, m->error ? m->error : text, "%s %s%s%s", member_name(m), text,
                 m->in_txn ? " with an open transaction" : "", back);
}

/** A member that was assigned partitions, told once for the whole assignment. */
static void on_event(struct member *m, const struct event *ev)
{
    struct session *s = stage_of(m->r)->s;
    if (!m->slot->role) {
        return;
    }
    if (ev->kind == H_ASSIGN && *event_str(ev, H_ASSIGN_GROUP) &&
        event_int(ev, H_ASSIGN_ASSIGNMENT) != m->assignment) {
        m->assignment = event_int(ev, H_ASSIGN_ASSIGNMENT);
        session_note(s, "a member joined, left or was lost", "group %s: %s has a new assignment",
                     event_str(ev, H_ASSIGN_GROUP), member_name(m));
    }
}

const struct run_course session_course = {.fail = on_fail,
                                          .topics_ready = on_topics_ready,
                                          .roles_gone = on_roles_gone,
                                          .drain = on_drain,
                                          .born = on_born,
                                          .gone = on_gone,
                                          .event = on_event};

/* ---- names ---- */

/** Whether text, the beginning of a role's name, may mean this role; a number behind it means a
 * role with several instances, where there is one. */
static bool names_role(const struct plan_role *role, const char *text, size_t len, int index,
                       bool several)
{
    return len > 0 && len <= strlen(role->name) && strncmp(role->name, text, len) == 0 &&
           index <= role->count && (!several || role->count > 1);
}

static const struct plan_role *find_role(const struct plan *p, const char *text, size_t len,
                                         int index, size_t *n)
{
    const struct plan_role *found = NULL;
    for (int several = index > 0; several >= 0 && !found; several--) {
        *n = 0;
        for (size_t i = 0; i < p->roles.n; i++) {
            if (names_role(&p->roles.items[i], text, len, index, several)) {
                found = &p->roles.items[i];
                (*n)++;
            }
        }
    }
    return *n == 1 ? found : NULL;
}

const struct plan_role *session_find(const struct session *s, const char *name, int *index,
                                     struct err *e)
{
    const struct plan *p = session_plan(s);
    const struct plan_role *found = p ? plan_role(p, name) : NULL;
    size_t n = 0, len = strcspn(name, "#"), digits = len;
    *index = 0;
    if (!p) {
        err_set(e, ERR_USAGE, 0, "no scenario is up; .load FILE, then up()");
        return NULL;
    }
    if (found) {
        return found;
    }
    while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') {
        digits--;
    }
    if (digits < len) {
        long number = strtol(name + digits, NULL, 10);
        *index = number > 0 && number < INT32_MAX ? (int)number : INT32_MAX;
        len = digits > 0 && name[digits - 1] == '.' ? digits - 1 : digits;
    }
    found = find_role(p, name, len, *index, &n);
    if (!found) {
        err_set(e, ERR_USAGE, 0, "%s names %s; ps() lists the instances", name,
                n > 1 ? "more than one role" : "no role or instance");
    }
    return found;
}

static const struct slot *slot_of(const struct session *s, const char *name, struct err *e)
{
    int index;
    const struct plan_role *role = session_find(s, name, &index, e);
    const struct run *r = role ? &s->stages->run : NULL;
    for (size_t i = 0; r && i < r->nslots; i++) {
        if (r->slots[i].role == role && (index == 0 || r->slots[i].index == index)) {
            return &r->slots[i];
        }
    }
    if (role) {
        err_set(e, ERR_USAGE, 0, "%s has not been started", name);
    }
    return NULL;
}

char *session_log_path(const struct session *s, const char *name, struct err *e)
{
    const struct slot *slot = slot_of(s, name, e);
    return slot ? member_log_path(slot, slot->incarnations) : NULL;
}

/* ---- ps ---- */

static const char *state_of(const struct member *m)
{
    return m->up               ? m->paused  ? "paused"
                                 : m->ready ? "running"
                                            : "starting"
           : m->slot->finished ? "returned"
                               : "dead";
}

json_t *session_ps(const struct session *s)
{
    json_t *list = json_array();
    const struct run *r = s->stages ? &s->stages->run : NULL;
    for (size_t i = 0; r && i < r->nslots; i++) {
        const struct member *m = r->slots[i].current;
        if (!m || !r->slots[i].role) {
            continue;
        }
        uint64_t age = m->up ? (clock_mono_ns() - m->since_ns) / 1000000000u : 0;
        json_t *j = json_pack("{s:s,s:s,s:i,s:i,s:i,s:s,s:I,s:b}", "name", member_name(m), "role",
                              m->slot->name, "index", m->slot->index, "incarnation", m->incarnation,
                              "pid", m->up ? (int)proc_pid(m->proc) : 0, "state", state_of(m),
                              "age_s", (json_int_t)age, "txn", (int)m->in_txn);
        json_array_append_new(list, j);
    }
    return list;
}

json_t *session_groups(const struct session *s)
{
    json_t *list = json_array();
    const struct run *r = s->stages ? &s->stages->run : NULL;
    for (size_t i = 0; r && i < r->groups.n; i++) {
        bool known = false;
        for (size_t k = 0; k < i; k++) {
            known = known || strcmp(r->groups.items[k].group, r->groups.items[i].group) == 0;
        }
        if (!known) {
            json_array_append_new(list, json_string(r->groups.items[i].group));
        }
    }
    return list;
}

/* ---- faults by hand ---- */

void session_fault_free(struct session_fault *f)
{
    plan_strings_free(&f->f.roles);
    free(f->f.group);
    free(f->f.of);
    free(f->f.node_text);
    free(f->clock.missed);
    free(f);
}

static bool member_hit(const struct session_fault *f, const struct member *m)
{
    return m && m->up && m->ready && !m->paused && !m->returned && m->slot->role &&
           plan_strings_has(&f->f.roles, m->slot->name) &&
           (f->f.index == 0 || f->f.index == m->slot->index);
}

static bool group_used(const struct run *r, const char *group)
{
    for (size_t i = 0; i < r->groups.n; i++) {
        if (strcmp(r->groups.items[i].group, group) == 0) {
            return true;
        }
    }
    return false;
}

static int check_target(const struct session *s, const struct session_fault *f, struct err *e)
{
    const struct run *r = &s->stages->run;
    if (f->f.kind == FAULT_BROKER) {
        int n = cluster_nodes(s->cluster);
        return !session_can_kill_brokers(s)
                   ? err_set(e, ERR_USAGE, 0, "the brokers of %s are not kaos's to touch",
                             session_cluster_text(s))
               : r->node_fault ? err_set(e, ERR_USAGE, 0, "the last fault of a broker is not over")
               : f->f.node > n
                   ? err_set(e, ERR_USAGE, 0, "no broker %d, the cluster has %d", f->f.node, n)
                   : 0;
    }
    if (f->f.kind == FAULT_REBALANCE) { /* before the first assignment it waits, as in a run */
        return r->groups.n == 0 || group_used(r, f->f.group)
                   ? 0
                   : err_set(e, ERR_USAGE, 0, "no role reads with group %s", f->f.group);
    }
    const struct plan_role *role = plan_role(r->plan, f->f.roles.n ? f->f.roles.items[0] : "");
    bool inside = f->f.kind == FAULT_CRASH || f->f.kind == FAULT_ABORT || f->f.kind == FAULT_EXIT;
    if (role && inside && plan_is_program(role)) {
        return err_set(e, ERR_USAGE, 0,
                       "role %s is a program: kill and pause can hit it, %s cannot", role->name,
                       plan_fault_name(f->f.kind));
    }
    for (size_t i = 0; i < r->nslots; i++) {
        if (member_hit(f, r->slots[i].current)) {
            return 0;
        }
    }
    return err_set(e, ERR_USAGE, 0, "no process of %s runs that could be hit; see ps()",
                   f->f.roles.n ? f->f.roles.items[0] : "that role");
}

static void tell(const struct session_fault *f, struct session_fired *out)
{
    const struct member *m = f->clock.victim;
    const char *kind = plan_fault_name(f->f.kind);
    if (f->f.kind == FAULT_BROKER) {
        snprintf(out->text, sizeof out->text, "broker: %s", f->f.node_text);
    } else if (!m) {
        snprintf(out->text, sizeof out->text, "%s waits for a process that it can hit", kind);
    } else if (f->f.kind == FAULT_CRASH || f->f.kind == FAULT_ABORT) {
        snprintf(out->text, sizeof out->text, "%s: %s at the next occasion", member_name(m), kind);
    } else {
        snprintf(out->text, sizeof out->text, "%s: %s%s", member_name(m), kind,
                 m->in_txn ? ", with an open transaction" : "");
    }
}

int session_fire(struct session *s, const struct plan_fault *f, struct session_fired *out,
                 struct err *e)
{
    if (!session_is_up(s)) {
        return err_set(e, ERR_USAGE, 0, "no scenario is up; .load FILE, then up()");
    }
    struct stage *st = s->stages;
    struct session_fault *sf = xcalloc(1, sizeof *sf);
    sf->f = *f;
    sf->f.of = xstrdup(f->of);
    sf->f.node_text = xstrdup(f->node_text);
    if (f->group) { /* as it was written, or as Kafka knows it */
        bool as_is = group_used(&st->run, f->group);
        sf->f.group = xasprintf("%s%s", f->group, as_is ? "" : st->run.suffix);
    }
    sf->f.roles = (struct plan_strings){0};
    sf->f.every = sf->f.at = (struct plan_range){-1, -1};
    sf->f.max = -1;
    for (size_t i = 0; i < f->roles.n; i++) {
        plan_strings_add(&sf->f.roles, f->roles.items[i]);
    }
    sf->clock.index = (int)st->plan->faults.n + st->nfaults;
    sf->clock.f = &sf->f;
    sf->next = st->faults;
    if (check_target(s, sf, e) < 0) {
        session_fault_free(sf);
        return -1;
    }
    st->faults = sf;
    st->nfaults++;
    out->at_ms = (int64_t)((clock_mono_ns() - st->run.faults_ns) / 1000000);
    faults_fire(&st->run, &sf->clock);
    tell(sf, out);
    return 0;
}
