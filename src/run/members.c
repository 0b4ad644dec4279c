/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor: starts one process per role instance, restarts the dead after the role's delay,
 * tells apart why a process ended, and keeps the budget of deaths that kaos did not cause. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "role/proto.h"
#include "run/exec.h"
#include "run/internal.h"

enum { GRACE_MS = 5000, CONFIRM_MS = 5, CONFIRM_TRIES = 400, BUDGET = 3 };
static const uint64_t BUDGET_NS = 10000000000u;

static void on_gone(void *arg, struct proc *p, struct proc_end end);

const char *member_name(const struct member *m)
{
    static char text[4][128];
    static unsigned turn;
    char *out = text[turn++ % 4];
    snprintf(out, sizeof text[0], "%s.%d#%d", m->slot->name, m->slot->index, m->incarnation);
    return out;
}

char *member_log_path(const struct slot *s, int incarnation)
{
    return xasprintf("%s/logs/%s-%d.%d.log", s->r->out->dir, s->name, s->index, incarnation);
}

struct member *member_find(struct run *r, const char *role, int index, int incarnation)
{
    for (struct member *m = r->members; m; m = m->next) {
        if (m->incarnation == incarnation && m->slot->index == index &&
            strcmp(m->slot->name, role) == 0) {
            return m;
        }
    }
    return NULL;
}

size_t members_up(const struct run *r)
{
    size_t n = 0;
    for (const struct member *m = r->members; m; m = m->next) {
        n += m->up;
    }
    return n;
}

static char *start_json(struct member *m)
{
    struct run *r = m->r;
    json_t *params = json_object();
    for (size_t i = 0; i < r->plan->params.n; i++) {
        json_object_set_new(params, r->plan->params.items[i].name,
                            json_string(r->plan->params.items[i].value));
    }
    char *seed = xasprintf("%llu", (unsigned long long)r->o->seed);
    enum cluster_listener l = m->slot->role ? CLUSTER_FAULTY : CLUSTER_DIRECT;
    json_t *j =
        json_pack("{s:s,s:s,s:i,s:i,s:s,s:s,s:o,s:s,s:s,s:s,s:b,s:b,s:s}", "scenario",
                  r->plan->name, "role", m->slot->name, "index", m->slot->index, "incarnation",
                  m->incarnation, "seed", seed, "run", r->out->id, "params", params, "bootstrap",
                  cluster_bootstrap(r->cluster, l), "history", r->history, "deliveries",
                  r->deliveries_path, "faults_on", (int)(r->faults_on && !r->o->no_faults),
                  "draining", (int)(r->phase == PH_DRAIN), "suffix", r->suffix);
    json_object_set_new(j, "session_least", json_integer(r->session_least));
    json_object_set_new(j, "off", mixes_off(r));
    json_object_set_new(j, "env", r->o->env ? json_deep_copy(r->o->env) : json_object());
    if (!m->slot->role) {
        json_object_set_new(j, "builtin", json_string("reader"));
        json_object_set_new(j, "topic", json_string(m->slot->topic));
    }
    char *text = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    free(seed);
    return text;
}

static void send_files(struct member *m)
{
    for (size_t i = 0; m->slot->role && i < m->r->o->nfiles; i++) {
        const struct run_file *f = &m->r->o->files[i];
        struct buf b = {0};
        buf_append(&b, f->name, strlen(f->name) + 1);
        buf_append(&b, f->text, f->len);
        proc_send(m->proc, ROLE_FILE, b.data, (uint32_t)b.len);
        buf_free(&b);
    }
    char *start = start_json(m);
    proc_send(m->proc, ROLE_START, start, (uint32_t)strlen(start));
    free(start);
}

static struct proc *role_spawn(struct member *m, const char *log, struct err *e)
{
    char turn[16];
    snprintf(turn, sizeof turn, "%u", m->slot->turn);
    const char *const here[] = {NULL, "__role", NULL};
    const char *const there[] = {NULL, "__far", m->slot->agent, turn, NULL};
    char **env = exec_env(m);
    struct proc *p = proc_spawn(m->r->guard,
                                &(struct proc_opts){.argv = m->slot->agent ? there : here,
                                                    .env = (const char *const *)env,
                                                    .log_path = log,
                                                    .control = true,
                                                    .on_exit = on_gone,
                                                    .arg = m},
                                e);
    exec_env_free(env);
    return p;
}

struct member *member_spawn(struct slot *s, const char *why)
{
    struct run *r = s->r;
    struct member *m = xcalloc(1, sizeof *m);
    *m = (struct member){
        .r = r, .slot = s, .incarnation = ++s->incarnations, .fault = -1, .next = r->members};
    char *log = member_log_path(s, m->incarnation);
    struct err e;
    m->proc = plan_is_program(s->role) ? exec_spawn(m, log, on_gone, &e) : role_spawn(m, log, &e);
    free(log);
    if (!m->proc) {
        free(m);
        err_wrap(&e, "starting %s.%d", s->name, s->index);
        run_fail(r, RUN_ENVIRONMENT, &e, NULL);
        return NULL;
    }
    m->up = true;
    m->since_ns = clock_mono_ns();
    r->members = m;
    s->current = m;
    hist_add(r->hist, H_SPAWN, HP_FACT, 0, HS(s->name), HI(s->index), HI(m->incarnation),
             HI(proc_pid(m->proc)), HS(why));
    if (!exec_is(m)) {
        send_files(m);
    }
    if (r->course) {
        r->course->born(m, why);
    }
    return m;
}

/** Instances take the addresses of their role in turn, then the hosts behind each of them. */
static void place(struct slot *s, const char *addresses)
{
    unsigned n = 1, k = (unsigned)s->index - 1;
    for (const char *c = addresses; *c; c++) {
        n += *c == ',';
    }
    const char *at = addresses;
    for (unsigned i = 0; i < k % n; i++) {
        at = strchr(at, ',') + 1;
    }
    s->agent = xmemdup0(at, strcspn(at, ","));
    s->turn = k / n;
}

static void add_slot(struct run *r, const struct plan_role *role, const char *topic, int index)
{
    struct slot *s = &r->slots[r->nslots++];
    *s = (struct slot){.r = r,
                       .role = role,
                       .name = role ? role->name : "kaos-reader",
                       .topic = topic,
                       .index = index,
                       .start = role ? plan_role_start(role, index) : NULL};
    const struct plan_conf *places = r->o->places;
    for (size_t i = 0; role && places && i < places->n; i++) {
        if (strcmp(places->items[i].name, role->name) == 0) {
            place(s, places->items[i].value);
        }
    }
}

/** The place of one more instance; nobody stands there until a rebalance is due. */
static void add_guest(struct run *r, const struct plan_role *role)
{
    add_slot(r, role, NULL, role->count + 1);
    struct slot *s = &r->slots[r->nslots - 1];
    s->guest = s->finished = true;
    s->start = NULL;
}

/** kaos's own reader goes to every topic that a property reads as an output. */
static bool wants_reader(const struct plan *p, const char *topic)
{
    for (size_t i = 0; i < p->expect.n; i++) {
        for (size_t k = 0; k < p->expect.items[i].preds.n; k++) {
            const struct plan_pred *d = &p->expect.items[i].preds.items[k];
            bool out = d->kind == PRED_EXACTLY_ONCE || d->kind == PRED_COMMITTED_ONLY ||
                       d->kind == PRED_NO_DUPLICATES;
            const char *t = d->kind == PRED_COMMITTED_ONLY ? d->topic : d->to;
            if (out && t && strcmp(t, topic) == 0) {
                return true;
            }
        }
    }
    return false;
}

void members_start(struct run *r)
{
    size_t n = r->plan->topics.n;
    for (size_t i = 0; i < r->plan->roles.n; i++) {
        n += (size_t)r->plan->roles.items[i].count + 1;
    }
    r->slots = xcalloc(n + 1, sizeof *r->slots);
    for (size_t i = 0; i < r->plan->roles.n; i++) {
        for (int k = 1; k <= r->plan->roles.items[i].count; k++) {
            add_slot(r, &r->plan->roles.items[i], NULL, k);
        }
        if (r->plan->roles.items[i].groups.n > 0) {
            add_guest(r, &r->plan->roles.items[i]);
        }
    }
    int readers = 0;
    for (size_t i = 0; i < r->plan->topics.n; i++) {
        if (wants_reader(r->plan, r->plan->topics.items[i].name)) {
            add_slot(r, NULL, r->plan->topics.items[i].name, ++readers);
        }
    }
    for (size_t i = 0; !r->failed && i < r->nslots; i++) {
        if (!r->slots[i].start && !r->slots[i].guest) {
            member_spawn(&r->slots[i], r->slots[i].role ? "start" : "reader");
        }
    }
}

static void on_restart(void *arg)
{
    struct slot *s = arg;
    s->restart = NULL;
    if (!s->r->failed && !s->r->roles_stopped) {
        member_spawn(s, "restart");
    }
}

static const char *classify(const struct member *m, struct proc_end end)
{
    if (exec_is(m)) {
        return exec_classify(m, end);
    }
    if (m->crashed || ((m->fault >= 0 || m->by_hand) && end.signal) || m->left) {
        return "fault";
    }
    if (end.signal == 0 && end.code == ROLE_EXIT_OK) {
        return m->stopping ? "stopped" : "returned";
    }
    if (end.signal == 0 && end.code == ROLE_EXIT_LUA) {
        return "lua_error";
    }
    if (end.signal == 0 && end.code == ROLE_EXIT_FENCED) {
        return "fenced";
    }
    if (end.signal == 0 && end.code == ROLE_EXIT_KAFKA) {
        return "kafka_error";
    }
    return m->stopping && end.signal == SIGKILL ? "stopped" : "died";
}

/** @return true when the run cannot go on; it was failed then. */
static bool fatal_end(struct member *m, struct proc_end end)
{
    struct run *r = m->r;
    struct err e;
    char *log = member_log_path(m->slot, m->incarnation);
    char *last = path_tail(log, 10);
    free(log);
    bool fatal = false;
    if (exec_is(m)) {
        /* its codes are its own */
    } else if (end.signal == 0 && end.code == ROLE_EXIT_HISTORY) {
        err_set(&e, ERR_SYSTEM, 0, "%s could not write its history", member_name(m));
        run_fail(r, RUN_ENVIRONMENT, &e, last);
        fatal = true;
    } else if (end.signal == 0 && end.code == ROLE_EXIT_AGENT) {
        err_set(&e, ERR_PROCESS, 0, "%s could not be started at %s", member_name(m),
                m->slot->agent ? m->slot->agent : "its agent");
        run_fail(r, RUN_ENVIRONMENT, &e, last);
        fatal = true;
    } else if (end.signal == 0 && end.code == ROLE_EXIT_BROKEN) {
        err_set(&e, ERR_USAGE, 0, "%s could not be set up: %s", member_name(m),
                m->error ? m->error : "see its log");
        run_fail(r, RUN_SCENARIO, &e, m->error ? NULL : last);
        fatal = true;
    }
    free(last);
    return fatal;
}

/** Deaths that kaos did not cause: BUDGET of them within BUDGET_NS end the run. */
static void spend_budget(struct member *m, const char *why)
{
    struct run *r = m->r;
    uint64_t now = clock_mono_ns();
    *VEC_PUSH(&r->deaths) = now;
    size_t n = r->deaths.n;
    if (n < BUDGET || now - r->deaths.items[n - BUDGET] > BUDGET_NS) {
        return;
    }
    double seconds = (double)(now - r->deaths.items[n - BUDGET]) / 1e9;
    struct err e;
    if (strcmp(why, "kafka_error") == 0) {
        r->given_up = true;
        run_drain(r, "roles die of fatal Kafka errors");
        return;
    }
    char *log = member_log_path(m->slot, m->incarnation);
    char *last = path_tail(log, 10);
    err_set(&e, strcmp(why, "lua_error") == 0 ? ERR_USAGE : ERR_PROCESS, 0,
            "%s %s, %d deaths in %.1fs, run stopped%s%s", member_name(m),
            strcmp(why, "lua_error") == 0 ? "failed with a Lua error" : "died", BUDGET, seconds,
            m->error ? ": " : "", m->error ? m->error : "");
    run_fail(r, RUN_SCENARIO, &e, m->error ? NULL : last);
    free(last);
    free(log);
}

static void on_gone(void *arg, struct proc *p, struct proc_end end)
{
    struct member *m = arg;
    struct run *r = m->r;
    struct slot *s = m->slot;
    m->up = false;
    if (r->phase == PH_END) {
        return;
    }
    digest_flush(m);
    const char *why = classify(m, end);
    hist_add(r->hist, H_EXIT, HP_FACT, 0, HS(s->name), HI(s->index), HI(m->incarnation),
             HI(proc_pid(p)), HI(end.code), HI(end.signal),
             HI(strcmp(why, "fault") == 0 ? m->fault : -1), HS(why));
    m->in_txn = false;
    if (r->watch) {
        watch_forget(r->watch, member_name(m));
    }
    if (r->failed || fatal_end(m, end)) {
        return;
    }
    faults_gone(r, m);
    r->count.deaths += strcmp(why, "fault") == 0 || strcmp(why, "died") == 0;
    if (r->course) {
        r->course->gone(m, why);
    }
    bool own = strcmp(why, "lua_error") == 0 || strcmp(why, "kafka_error") == 0 ||
               strcmp(why, "died") == 0;
    if (own && !m->stopping && !exec_may_die(m)) {
        spend_budget(m, why);
    }
    s->finished = s->finished || strcmp(why, "returned") == 0 || (exec_is(m) && m->stopping);
    bool again = s->current == m && s->role && !s->finished && !m->stopping && !r->roles_stopped &&
                 !r->failed;
    if (again && s->role->restart_ms >= 0) {
        s->restart = timer_start(r->loop, (uint64_t)s->role->restart_ms, 0, on_restart, s);
    } else if (again) {
        s->finished = true;
    }
    if (r->probe.member == m) {
        if (!r->work.busy) { /* else the probe's own job sees that it is gone */
            finish_probe_gone(r);
        }
    } else if (r->roles_stopped && members_up(r) == 0) {
        run_roles_gone(r);
    }
}

void members_send(struct run *r, uint8_t frame, const char *json)
{
    for (struct member *m = r->members; m; m = m->next) {
        if (m->up) {
            proc_send(m->proc, frame, json, (uint32_t)strlen(json));
        }
    }
}

static void record_signal(struct member *m, int signum, int fault, bool confirmed)
{
    hist_add(m->r->hist, H_SIGNAL, HP_FACT, 0, HS(m->slot->name), HI(m->slot->index),
             HI(m->incarnation), HI(proc_pid(m->proc)), HI(signum), HI(fault), HI(confirmed));
}

/** Waits for a SIGSTOP to show in /proc and records when it does. */
static void on_confirm(void *arg)
{
    struct member *m = arg;
    struct run *r = m->r;
    bool seen = m->up && proc_state(m->proc) == 'T';
    m->confirm = NULL;
    if (!seen && m->up && m->paused && ++m->confirms < CONFIRM_TRIES && r->phase < PH_CUT) {
        m->confirm = timer_start(r->loop, CONFIRM_MS, 0, on_confirm, m);
    } else if (r->phase < PH_END && !r->failed) {
        record_signal(m, SIGSTOP, m->paused_by ? m->paused_by->index : -1, seen);
    }
}

/** To the process, or to the one that it stands in for. A stand-in that stands still must wake up
 * to hear of anything else. */
static void deliver(struct member *m, int signum, bool group)
{
    if (exec_is(m)) {
        proc_signal_tree(m->proc, signum);
        return;
    }
    if (!m->slot->agent) {
        proc_signal(m->proc, signum, group);
        return;
    }
    int32_t number = signum;
    proc_send(m->proc, ROLE_SIGNAL, &number, sizeof number);
    if (signum != SIGSTOP) {
        proc_signal(m->proc, SIGCONT, false);
    }
}

void member_signal(struct member *m, int signum, int fault)
{
    deliver(m, signum, false);
    if (signum == SIGSTOP) {
        m->paused = true;
        m->confirms = 0;
        timer_stop(m->confirm);
        m->confirm = timer_start(m->r->loop, CONFIRM_MS, 0, on_confirm, m);
        return;
    }
    m->paused = signum == SIGCONT ? false : m->paused;
    record_signal(m, signum, fault, true);
}

void members_resume(struct run *r)
{
    for (struct member *m = r->members; m; m = m->next) {
        if (m->up && m->paused) {
            member_signal(m, SIGCONT, m->fault);
            m->fault = -1;
        }
    }
}

static void on_grace(void *arg)
{
    struct run *r = arg;
    r->limit = NULL;
    members_kill(r);
}

void members_stop(struct run *r)
{
    r->roles_stopped = true;
    for (size_t i = 0; i < r->nslots; i++) {
        timer_stop(r->slots[i].restart);
        r->slots[i].restart = NULL;
    }
    for (struct member *m = r->members; m; m = m->next) {
        if (exec_is(m)) {
            exec_stop(m);
        }
        m->stopping = true;
    }
    members_send(r, ROLE_STOP, "");
    timer_stop(r->limit);
    r->limit = timer_start(r->loop, GRACE_MS * 3, 0, on_grace, r);
    if (members_up(r) == 0) {
        run_roles_gone(r);
    }
}

void members_kill(struct run *r)
{
    for (struct member *m = r->members; m; m = m->next) {
        if (m->up) {
            deliver(m, SIGKILL, true);
        }
    }
}

void members_free(struct run *r)
{
    while (r->members) {
        struct member *m = r->members;
        r->members = m->next;
        timer_stop(m->wake);
        timer_stop(m->confirm);
        proc_free(m->proc);
        free(m->error);
        free(m->source);
        free(m->txn_id);
        free(m);
    }
    for (size_t i = 0; i < r->nslots; i++) {
        free(r->slots[i].agent);
    }
    free(r->slots);
}
