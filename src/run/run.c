/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a run, one phase after the other:
 *
 *   cluster -> topics -> roles -> faults_on -> faults_off -> drain -> drained -> cut -> audit ->
 * probe -> end
 *
 * Whatever goes wrong before there is something to judge ends in run_fail(); from the cut on the
 * history is judged in any case. One SIGINT ends the work early (drain, judge), a second one stops.
 */
#include "run/run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "history/deliveries.h"
#include "role/proto.h"
#include "run/exec.h"
#include "run/progress.h"
#include "run/ui.h"
#include "wire/admin.h"

enum { TICK_MS = 20, STALL_MS = 3000, SETTLE_MS = 30000, STATUS_S = 10, DELIVERIES_LOG2 = 20 };

void run_say(struct run *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ui_say(r, fmt, ap);
    va_end(ap);
}

void run_phase(struct run *r, const char *name, const char *detail)
{
    hist_add(r->hist, H_PHASE, HP_FACT, 0, HS(name), HS(detail));
}

static void taken_down(void *arg)
{
    struct run *r = arg;
    r->down = true;
    run_job_ended(r);
}

void run_job_ended(struct run *r)
{
    if (r->down && !r->work.busy && r->asks == 0) {
        loop_stop(r->loop);
    }
}

static void work_now(void *arg)
{
    struct run *r = arg;
    admin_cancel_by(&r->work.unwanted);
    r->work.fn(r);
    admin_cancel_by(NULL);
}

static void work_done(void *arg)
{
    struct run *r = arg;
    r->work.busy = false;
    if (!r->failed) {
        r->work.done(r);
    } else {
        run_job_ended(r);
    }
}

void run_work(struct run *r, loop_fn fn, loop_fn done)
{
    r->work.busy = true;
    r->work.fn = fn;
    r->work.done = done;
    loop_work(r->loop, work_now, work_done, r);
}

/** The watch ends before its brokers do: it would wait for the answers of the dead. */
static void take_down(struct run *r)
{
    timer_stop(r->tick);
    timer_stop(r->limit);
    r->tick = r->limit = NULL;
    atomic_store(&r->work.unwanted, true);
    members_kill(r);
    watch_stop(r->watch);
    r->watch = NULL;
    if (r->cluster) {
        cluster_stop(r->cluster, taken_down, r);
    } else {
        taken_down(r);
    }
}

void run_fail(struct run *r, enum run_end end, const struct err *e, const char *detail)
{
    if (r->course) {
        r->course->fail(r, end, e, detail);
        return;
    }
    if (r->failed) {
        return;
    }
    faults_stop(r);
    if (r->hist) {
        run_phase(r, "failed", e->msg);
    }
    r->failed = true;
    r->out->end = end;
    r->out->err = *e;
    r->out->detail = detail && *detail ? xstrdup(detail) : NULL;
    take_down(r);
}

void run_end(struct run *r)
{
    run_phase(r, "end", "");
    r->phase = PH_END;
    if (r->o->keep && r->cluster) {
        struct buf b = {0};
        cluster_keep(r->cluster, &b);
        r->out->kept = buf_take(&b);
    }
    take_down(r);
}

/* ---- cluster and topics ---- */

static void on_ready(void *arg, const struct err *e)
{
    struct run *r = arg;
    if (r->failed) {
        return;
    }
    if (e) {
        run_fail(r, e->kind == ERR_USAGE ? RUN_SCENARIO : RUN_ENVIRONMENT, e,
                 e->kind == ERR_USAGE ? NULL : cluster_failure_log(r->cluster));
        return;
    }
    hist_add(r->hist, H_CONFIG, HP_FACT, 0, HS("cluster"), HS("version"),
             HS(cluster_version(r->cluster)));
    r->phase = PH_TOPICS;
    run_phase(r, "topics", "");
    topics_create(r);
}

static void on_node(void *arg, int node, enum cluster_event ev, bool expected, const char *detail)
{
    struct run *r = arg;
    if (r->failed || r->phase == PH_END) {
        return;
    }
    faults_on_node(r, node, ev);
    if (!expected && r->phase < PH_END) {
        struct err e;
        char *name = xasprintf("%s/logs/broker-%d.log", r->out->dir, node);
        char *last = path_tail(name, 10);
        err_set(&e, ERR_PROCESS, 0, "broker %d died by itself (%s)", node, detail ? detail : "");
        run_fail(r, RUN_ENVIRONMENT, &e, last);
        free(last);
        free(name);
    }
}

static int open_cluster(struct run *r, struct err *e)
{
    size_t n = r->plan->cluster_config.n;
    struct cluster_setting *set = xcalloc(n + 1, sizeof *set);
    bool broker_faults = false;
    char *user = xasprintf("run %s", r->out->id);
    for (size_t i = 0; i < n; i++) {
        set[i] = (struct cluster_setting){r->plan->cluster_config.items[i].name,
                                          r->plan->cluster_config.items[i].value};
    }
    for (size_t i = 0; i < r->plan->faults.n; i++) {
        broker_faults = broker_faults || r->plan->faults.items[i].kind == FAULT_BROKER;
    }
    bool managed = strchr(r->o->cluster, ':') == NULL || strncmp(r->o->cluster, "kafka", 5) == 0 ||
                   strncmp(r->o->cluster, "reuse", 5) == 0 ||
                   strncmp(r->o->cluster, "embedded", 8) == 0;
    int brokers = r->o->brokers ? r->o->brokers : managed ? r->plan->brokers : 0;
    r->cluster =
        cluster_open(r->o->cluster,
                     &(struct cluster_opts){.loop = r->loop,
                                            .guard = r->guard,
                                            .run_dir = r->out->dir,
                                            .brokers = brokers,
                                            .settings = set,
                                            .nsettings = n,
                                            .seed = r->o->seed,
                                            .broker_faults = broker_faults && !r->o->no_faults,
                                            .may_keep = r->o->keep,
                                            .store = r->o->store,
                                            .user = user,
                                            .on_ready = on_ready,
                                            .on_node = on_node,
                                            .arg = r},
                     e);
    free(set);
    free(user);
    if (!r->cluster) {
        return -1;
    }
    bool external = strcmp(cluster_kind(r->cluster), "external") == 0;
    if (broker_faults && !r->o->no_faults && external && !r->o->external_faults) {
        return err_set(
            e, ERR_REFUSED, 0,
            "the scenario has faults that touch brokers, and kaos did not start %s: they "
            "need --allow-faults-on-external; or run it with --no-faults",
            r->o->cluster);
    }
    if (broker_faults && !r->o->no_faults &&
        !(cluster_caps(r->cluster) & CLUSTER_CAP_KILL_BROKER)) {
        return err_set(
            e, ERR_REFUSED, 0,
            "the scenario has broker faults, and %s cannot do them (capability kill_broker): %s",
            r->o->cluster,
            external ? "its processes are not within reach of kaos"
                     : "take a real one with --cluster kafka");
    }
    return 0;
}

/* ---- roles and work ---- */

static void on_drained(void *arg)
{
    struct run *r = arg;
    if (r->failed || (r->phase != PH_DRAIN && !(r->phase == PH_CUT && r->settling))) {
        return; /* an answer to watch_drain() that came too late */
    }
    timer_stop(r->limit);
    r->limit = NULL;
    if (r->phase == PH_DRAIN) {
        run_phase(r, "drained", "ok");
        r->phase = PH_CUT;
        run_phase(r, "cut", "");
        members_stop(r);
        return;
    }
    r->phase = PH_AUDIT;
    watch_stop(r->watch);
    r->watch = NULL;
    run_phase(r, "audit", "");
    finish_audit(r);
}

/** The drain is complete when everything has been read, so who reads must be known first: a
 * consumer that is slow to join has not even said its group. And what is read must be there first:
 * records of a source may wait for its next connection. */
static void begin_drain(struct run *r)
{
    if (!r->draining && (r->given_up || (!digest_unknown_reader(r) && !digest_unanswered(r)))) {
        r->draining = true;
        watch_drain(r->watch);
    }
}

static char *late_reason(struct run *r)
{
    if (r->phase != PH_DRAIN || r->draining) {
        return watch_why(r->watch);
    }
    const char *role = digest_unknown_reader(r);
    if (role) {
        return xasprintf("role %s has neither returned nor been assigned a partition", role);
    }
    role = digest_unanswered(r);
    return role ? xasprintf("role %s waits for answers to what it sent", role)
                : watch_why(r->watch);
}

static void on_late(void *arg)
{
    struct run *r = arg;
    r->limit = NULL;
    char *why = late_reason(r);
    hist_add(r->hist, H_PHASE, HP_FACT, 0, HS(r->phase == PH_DRAIN ? "drained" : "settled"),
             HS(why ? why : "timeout"));
    run_say(r, "not drained in time: %s", why ? why : "?");
    free(why);
    if (r->phase == PH_DRAIN) {
        r->phase = PH_CUT;
        run_phase(r, "cut", "");
        members_stop(r);
    } else {
        on_drained(r);
    }
}

void run_roles_gone(struct run *r)
{
    if (r->course) {
        r->course->roles_gone(r);
        return;
    }
    timer_stop(r->tick);
    timer_stop(r->limit);
    r->tick = NULL;
    if (r->phase != PH_CUT) {
        r->limit = NULL;
        return;
    }
    r->limit = timer_start(r->loop, SETTLE_MS, 0, on_late, r);
    r->settling = true;
    watch_cut(r->watch);
    watch_drain(r->watch);
}

void run_drain(struct run *r, const char *why)
{
    if (r->course) {
        r->course->drain(r, why);
        return;
    }
    if (r->failed || r->phase != PH_WORK) {
        return;
    }
    timer_stop(r->limit);
    run_phase(r, "faults_off", why);
    faults_stop(r);
    starts_end(r);
    r->phase = PH_DRAIN;
    run_phase(r, "drain", "");
    run_say(r, "[%02d:%02d] faults off, draining <=%llds",
            (int)((clock_mono_ns() - r->faults_ns) / 60000000000u),
            (int)((clock_mono_ns() - r->faults_ns) / 1000000000u % 60),
            (long long)r->plan->drain_ms / 1000);
    members_send(r, ROLE_DRAIN, "");
    exec_drain(r);
    r->limit = timer_start(r->loop, (uint64_t)r->plan->drain_ms, 0, on_late, r);
    begin_drain(r);
}

static void on_timeout(void *arg)
{
    struct run *r = arg;
    r->limit = NULL;
    hist_add(r->hist, H_HARNESS, HP_FACT, 0,
             HS("the run reached its time limit before its work was done"), HS(""));
    run_drain(r, "timeout");
}

static void begin_work(struct run *r)
{
    r->phase = PH_WORK;
    r->faults_ns = clock_mono_ns();
    r->next_status_ns = r->faults_ns + (uint64_t)STATUS_S * 1000000000u;
    run_phase(r, "faults_on", r->faults_on ? "" : "none");
    timer_stop(r->limit);
    int64_t limit = r->o->timeout_ms >= 0 ? r->o->timeout_ms : r->plan->timeout_ms;
    r->limit = timer_start(r->loop, (uint64_t)limit, 0, on_timeout, r);
    faults_start(r);
    starts_begin(r);
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

static void on_start_limit(void *arg)
{
    struct run *r = arg;
    struct err e;
    r->limit = NULL;
    for (size_t i = 0; i < r->nslots; i++) {
        const struct slot *s = &r->slots[i];
        if (!s->finished && !s->start && !(s->current && s->current->ready)) {
            char *log = member_log_path(s, s->incarnations);
            char *last = path_tail(log, 10);
            bool reads = plan_is_program(s->role) && s->role->groups.n > 0;
            err_set(&e, ERR_TIMEOUT, 0, "role %s.%d did not start within %d s%s%s%s", s->name,
                    s->index, RUN_START_MS / 1000,
                    reads ? ": no member of its group was assigned a partition; is it " : "",
                    reads ? s->role->groups.items[0] : "", reads ? " that the program joins?" : "");
            run_fail(r, RUN_SCENARIO, &e, last);
            free(last);
            free(log);
            return;
        }
    }
}

/** A runner that did not run (stopped, or its host) restarts nobody and stops no fault in time. */
static void note_stall(struct run *r)
{
    uint64_t now = clock_mono_ns(), last = r->tick_ns;
    r->tick_ns = now;
    if (last && (r->phase == PH_WORK || r->phase == PH_DRAIN) &&
        now - last >= (uint64_t)STALL_MS * 1000000) {
        char text[64];
        snprintf(text, sizeof text, "for %llu ms", (unsigned long long)((now - last) / 1000000));
        hist_add(r->hist, H_HARNESS, HP_FACT, 0, HS(HIST_STOOD_STILL), HS(text));
    }
}

static void on_tick(void *arg)
{
    struct run *r = arg;
    if (r->failed) {
        return;
    }
    note_stall(r);
    digest_poll(r);
    exec_tick(r);
    if (r->phase == PH_ROLES && all_ready(r)) {
        begin_work(r);
    }
    starts_poll(r);
    if (r->phase == PH_WORK && digest_work_done(r)) {
        run_drain(r, "work done");
    }
    if (r->phase == PH_DRAIN) {
        begin_drain(r);
    }
    if ((r->phase == PH_WORK || r->phase == PH_DRAIN) && clock_mono_ns() >= r->next_status_ns) {
        r->next_status_ns += (uint64_t)STATUS_S * 1000000000u;
        ui_status(r);
    }
}

void run_start_roles(struct run *r, loop_fn drained, loop_fn tick, loop_fn late)
{
    struct err e;
    r->watch =
        watch_start(&(struct watch_opts){.loop = r->loop,
                                         .bootstrap = cluster_bootstrap(r->cluster, CLUSTER_DIRECT),
                                         .plan = r->plan,
                                         .history = r->history,
                                         .on_drained = drained,
                                         .arg = r},
                    &e);
    if (!r->watch) {
        run_fail(r, RUN_ENVIRONMENT, &e, NULL);
        return;
    }
    r->phase = PH_ROLES;
    run_phase(r, "roles", "");
    r->tick = timer_start(r->loop, TICK_MS, TICK_MS, tick, r);
    r->limit = timer_start(r->loop, RUN_START_MS, 0, late, r);
    exec_watch(r);
    members_start(r);
}

void run_topics_ready(struct run *r)
{
    if (r->course) {
        r->course->topics_ready(r);
    } else if (!r->failed) {
        r->faults_on = !r->o->no_faults;
        run_start_roles(r, on_drained, on_tick, on_start_limit);
    }
}

/* ---- start and end of the process's part ---- */

static void on_signal(struct run *r, int signum)
{
    struct err e;
    bool again = r->out->signum != 0;
    r->out->signum = r->out->signum ? r->out->signum : signum;
    if (again || r->phase < PH_WORK) {
        err_set(&e, ERR_USAGE, 0, "interrupted");
        run_fail(r, RUN_CANCELLED, &e, NULL);
        return;
    }
    run_say(r, "interrupted: stopping, draining and judging (once more: stop at once)");
    run_drain(r, "interrupted");
}

static void on_sigint(void *arg)
{
    on_signal(arg, SIGINT);
}

static void on_sigterm(void *arg)
{
    on_signal(arg, SIGTERM);
}

static void on_history_failed(void *arg, const struct err *e)
{
    run_fail(arg, RUN_ENVIRONMENT, e, NULL);
}

int run_open_files(struct run *r, struct err *e)
{
    if (exec_check(r, e) < 0 || dir_create(r, e) < 0) {
        return -1;
    }
    r->hist = hist_open(r->history, &(struct hist_ident){.role = "runner"}, e);
    if (!r->hist) {
        return -1;
    }
    hist_on_fail(r->hist, on_history_failed, r);
    r->deliveries = deliveries_open(r->deliveries_path, DELIVERIES_LOG2, e);
    r->tail = tail_new(r->history);
    return r->deliveries ? 0 : -1;
}

static int set_up(struct run *r, struct err *e)
{
    r->guard = run_open_files(r, e) < 0 ? NULL : guard_start(r->loop, e);
    if (!r->guard) {
        return -1;
    }
    run_phase(r, "cluster", r->o->cluster);
    hist_add(r->hist, H_CONFIG, HP_FACT, 0, HS("run"), HS("id"), HS(r->out->id));
    return open_cluster(r, e);
}

void run_close_files(struct run *r)
{
    progress_free(r);
    members_free(r);
    hist_close(r->hist);
    if (r->tail) {
        tail_free(r->tail);
    }
    deliveries_close(r->deliveries);
    for (size_t i = 0; i < r->groups.n; i++) {
        free(r->groups.items[i].group);
    }
    free(r->groups.items);
    for (size_t i = 0; i < r->starts.n; i++) {
        free(r->starts.items[i].topic);
    }
    free(r->starts.items);
    free(r->deaths.items);
    for (size_t i = 0; i < r->clocks.n; i++) {
        free(r->clocks.items[i].missed);
    }
    free(r->clocks.items);
    free(r->mixes);
    map_free(&r->done);
    buf_free(&r->probe.before);
    buf_free(&r->probe.after);
    free(r->history);
    free(r->suffix);
    free(r->deliveries_path);
}

static void clean_up(struct run *r)
{
    watch_stop(r->watch);
    ui_stop(r);
    if (r->guard) {
        guard_stop(r->guard);
    }
    cluster_free(r->cluster);
    run_close_files(r);
    signals_stop(r->sigint);
    signals_stop(r->sigterm);
    loop_free(r->loop);
}

void run_scenario(const struct run_opts *o, struct run_result *out)
{
    struct run *r = xcalloc(1, sizeof *r);
    struct err e;
    *out = (struct run_result){.end = RUN_JUDGE};
    *r = (struct run){.o = o, .plan = o->plan, .out = out, .loop = loop_new()};
    r->sigint = signals_start(r->loop, SIGINT, on_sigint, r);
    r->sigterm = signals_start(r->loop, SIGTERM, on_sigterm, r);
    if (set_up(r, &e) < 0) {
        out->end = e.kind == ERR_USAGE ? RUN_SCENARIO : RUN_ENVIRONMENT;
        out->err = e;
    } else {
        run_say(r, "kaos %s  %s > %s  seed 0x%016llx  run %s  %s", KAOS_VERSION, o->plan->file,
                o->plan->name, (unsigned long long)o->seed, out->id, o->cluster);
        ui_start(r);
        cluster_start(r->cluster);
        loop_run(r->loop);
    }
    clean_up(r);
    free(r);
}

void run_result_free(struct run_result *r)
{
    free(r->detail);
    free(r->dir);
    free(r->id);
    free(r->kept);
    *r = (struct run_result){0};
}
