/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a session: its folder, guard and cluster, and the stages in it. A stage is a struct
 * run with a course of its own (session_roles.c): members, digest and faults do the same work as in
 * a run, but nothing drains and nothing ends by itself. */
#include "run/session.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "run/session_priv.h"
#include "wire/admin.h"

enum { TOPICS_MS = 60000, BUSY_MS = 20 };

void session_note(struct session *s, const char *why, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    s->o.notice(s->o.arg, b.data, why);
    buf_free(&b);
}

struct session *session_open(const struct session_opts *o)
{
    struct session *s = xcalloc(1, sizeof *s);
    s->o = *o;
    return s;
}

struct stage *session_stage(const struct session *s)
{
    return s->stages;
}

enum session_state session_state(const struct session *s)
{
    return s->state;
}

const struct err *session_error(const struct session *s)
{
    return &s->err;
}

const char *session_cluster_text(const struct session *s)
{
    return s->text ? s->text : "";
}

bool session_can_kill_brokers(const struct session *s)
{
    return s->state == SESSION_READY && (cluster_caps(s->cluster) & CLUSTER_CAP_KILL_BROKER);
}

struct session_place session_place(const struct session *s)
{
    const struct stage *st = s->stages ? s->stages : s->base;
    return (struct session_place){.dir = st->out.dir,
                                  .history = st->run.history,
                                  .run = st->out.id,
                                  .suffix = st->run.suffix,
                                  .bootstrap = cluster_bootstrap(s->cluster, CLUSTER_DIRECT)};
}

const struct plan *session_plan(const struct session *s)
{
    return s->stages ? s->stages->plan : NULL;
}

uint64_t session_seed(const struct session *s)
{
    return s->stages ? s->stages->o.seed : 0;
}

/* ---- stages ---- */

static void free_stage(struct stage *st)
{
    struct session_fault *next;
    run_close_files(&st->run);
    for (struct session_fault *f = st->faults; f; f = next) {
        next = f->next;
        session_fault_free(f);
    }
    for (size_t i = 0; i < st->o.nfiles; i++) {
        free((char *)(uintptr_t)st->o.files[i].name);
        free((char *)(uintptr_t)st->o.files[i].text);
    }
    free((struct run_file *)(uintptr_t)st->o.files);
    free((char *)(uintptr_t)st->o.path);
    plan_free(st->plan);
    json_decref(st->env);
    run_result_free(&st->out);
    free(st);
}

static struct run_file *copy_files(const struct run_file *files, size_t n)
{
    struct run_file *out = xcalloc(n + 1, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct run_file){xstrdup(files[i].name), xmemdup0(files[i].text, files[i].len),
                                   files[i].len};
    }
    return out;
}

/** A stage with its folder and history. The plan is taken in any case. */
static struct stage *new_stage(struct session *s, const struct session_scenario *sc, bool reused,
                               struct err *e)
{
    struct stage *st = xcalloc(1, sizeof *st);
    st->s = s;
    st->plan = sc->plan;
    st->env = sc->env ? json_deep_copy(sc->env) : NULL;
    st->o = (struct run_opts){.plan = sc->plan,
                              .path = xstrdup(sc->path),
                              .files = copy_files(sc->files, sc->nfiles),
                              .nfiles = sc->nfiles,
                              .env = st->env,
                              .seed = sc->seed,
                              .cluster = s->o.cluster,
                              .no_faults = true, /* nothing is drawn; what is typed fires */
                              .reused = reused,
                              .timeout_ms = -1,
                              .store = s->o.store,
                              .argv = s->o.argv};
    st->run = (struct run){.course = &session_course,
                           .course_arg = st,
                           .o = &st->o,
                           .plan = st->plan,
                           .out = &st->out,
                           .loop = s->o.loop,
                           .guard = s->guard,
                           .cluster = s->cluster,
                           .faults_on = true};
    if (run_open_files(&st->run, e) < 0) {
        free_stage(st);
        return NULL;
    }
    hist_add(st->run.hist, H_CONFIG, HP_FACT, 0, HS("run"), HS("id"), HS(st->out.id));
    return st;
}

/* ---- the cluster ---- */

static void fail(struct session *s, const struct err *e, const char *log)
{
    s->state = SESSION_FAILED;
    s->err = *e;
    s->o.ready(s->o.arg, &s->err, log);
}

static void on_ready(void *arg, const struct err *e)
{
    struct session *s = arg;
    if (s->closing) {
        return;
    }
    if (e) {
        fail(s, e, cluster_failure_log(s->cluster));
        return;
    }
    s->state = SESSION_READY;
    s->text =
        xasprintf("%s%s%s at %s", cluster_kind(s->cluster), *cluster_version(s->cluster) ? " " : "",
                  cluster_version(s->cluster), cluster_bootstrap(s->cluster, CLUSTER_DIRECT));
    s->o.ready(s->o.arg, NULL, NULL);
}

static void on_node(void *arg, int node, enum cluster_event ev, bool expected, const char *detail)
{
    struct session *s = arg;
    struct stage *st = s->stages ? s->stages : s->base;
    if (s->closing || !st->run.hist) {
        return;
    }
    faults_on_node(&st->run, node, ev);
    if (ev == CLUSTER_NODE_UP) {
        session_note(s, "", "broker %d is up again", node);
    } else if (expected) {
        session_note(s, "a fault that you fired", "broker %d is down", node);
    } else {
        session_note(s, "nothing of kaos asked for it; its log may say why",
                     "broker %d died by itself (%s), see logs/broker-%d.log in %s", node,
                     detail ? detail : "", node, s->base->out.dir);
    }
}

static int start(struct session *s, struct err *e)
{
    struct session_scenario none = {.plan = plan_new()};
    none.plan->name = xstrdup("prompt");
    none.plan->file = xstrdup("prompt");
    none.plan->where = xstrdup("prompt");
    s->guard = s->guard ? s->guard : guard_start(s->o.loop, e);
    if (!s->guard) {
        plan_free(none.plan);
        return -1;
    }
    s->base = new_stage(s, &none, false, e);
    if (!s->base) {
        return -1;
    }
    s->cluster = cluster_open(s->o.cluster,
                              &(struct cluster_opts){.loop = s->o.loop,
                                                     .guard = s->guard,
                                                     .run_dir = s->base->out.dir,
                                                     .brokers = s->o.brokers,
                                                     .broker_faults = s->o.brokers > 1,
                                                     .on_ready = on_ready,
                                                     .on_node = on_node,
                                                     .arg = s},
                              e);
    if (!s->cluster) {
        return -1;
    }
    s->base->run.cluster = s->cluster;
    cluster_start(s->cluster);
    return 0;
}

static void fail_later(void *arg)
{
    struct session *s = arg;
    if (!s->closing) {
        fail(s, &s->err, NULL);
    }
}

void session_start(struct session *s)
{
    if (s->state != SESSION_IDLE) {
        return;
    }
    s->state = SESSION_STARTING;
    err_clear(&s->err);
    if (!s->o.cluster) {
        err_set(&s->err, ERR_USAGE, 0,
                "this prompt has no cluster (--cluster none); start it without that option");
    } else if (start(s, &s->err) == 0) {
        return;
    }
    loop_defer(s->o.loop, fail_later, s);
}

/* ---- up ---- */

static void delete_work(void *arg)
{
    struct run *r = arg;
    size_t n = r->plan->topics.n;
    const char **names = xcalloc(n + 1, sizeof *names);
    struct admin *a =
        admin_open(cluster_bootstrap(r->cluster, CLUSTER_DIRECT), "kaos", &r->work.err);
    for (size_t i = 0; i < n; i++) {
        names[i] = r->plan->topics.items[i].name;
    }
    r->work.complete =
        a && (n == 0 || admin_delete_topics(a, names, n, TOPICS_MS, &r->work.err) == 0);
    if (a) {
        admin_close(a);
    }
    free(names);
}

static void delete_done(void *arg)
{
    struct run *r = arg;
    if (r->work.complete) {
        topics_create(r);
    } else {
        run_fail(r, RUN_ENVIRONMENT, &r->work.err, NULL);
    }
}

int session_up(struct session *s, const struct session_scenario *sc, session_fn fn, void *arg,
               struct err *e)
{
    const char *why = s->state != SESSION_READY ? "there is no cluster"
                      : s->stages && !s->stages->run.roles_stopped
                          ? "roles run already; down() stops them"
                      : s->audit.busy ? "judge() is at work"
                                      : NULL;
    if (why) {
        plan_free(sc->plan);
        return err_set(e, ERR_USAGE, 0, "%s", why);
    }
    struct stage *st = new_stage(s, sc, s->stages != NULL, e);
    if (!st) {
        return -1;
    }
    st->fn = fn;
    st->arg = arg;
    st->next = s->stages;
    s->stages = st;
    run_phase(&st->run, "cluster", s->o.cluster);
    st->run.phase = PH_TOPICS;
    run_phase(&st->run, "topics", "");
    if (cluster_caps(s->cluster) & CLUSTER_CAP_FRESH) {
        run_work(&st->run, delete_work, delete_done);
    } else {
        topics_create(&st->run);
    }
    return 0;
}

bool session_is_up(const struct session *s)
{
    return s->stages && s->stages->run.phase == PH_WORK && !s->stages->run.roles_stopped;
}

int session_down(struct session *s, session_fn fn, void *arg, struct err *e)
{
    struct stage *st = s->stages;
    if (!st || st->run.roles_stopped || st->run.phase < PH_ROLES) {
        return err_set(e, ERR_USAGE, 0, "no roles run");
    }
    if (st->fn) {
        return err_set(e, ERR_USAGE, 0, "the roles are still starting");
    }
    st->fn = fn;
    st->arg = arg;
    faults_stop(&st->run);
    members_stop(&st->run);
    return 0;
}

/* ---- the end ---- */

static bool works(const struct session *s)
{
    bool busy = s->audit.busy;
    for (const struct stage *st = s->stages; st; st = st->next) {
        busy = busy || st->run.work.busy;
    }
    return busy;
}

/** A pool thread may still read what session_free() frees. */
static void taken_down(void *arg)
{
    struct session *s = arg;
    if (works(s)) {
        timer_start(s->o.loop, BUSY_MS, 0, taken_down, s);
    } else {
        s->closed(s->closed_arg, NULL);
    }
}

void session_close(struct session *s, session_fn fn, void *arg)
{
    s->closing = true;
    s->closed = fn;
    s->closed_arg = arg;
    for (struct stage *st = s->stages; st; st = st->next) {
        session_stop_watching(&st->run);
        st->run.failed = true;
        atomic_store(&st->run.work.unwanted, true);
        members_kill(&st->run);
    }
    if (s->child.proc && proc_alive(s->child.proc)) {
        proc_signal(s->child.proc, SIGKILL, true);
    }
    if (s->cluster) {
        cluster_stop(s->cluster, taken_down, s);
    } else {
        loop_defer(s->o.loop, taken_down, s);
    }
}

void session_free(struct session *s)
{
    if (s->guard) {
        guard_stop(s->guard);
    }
    cluster_free(s->cluster);
    proc_free(s->child.proc);
    while (s->stages) {
        struct stage *st = s->stages;
        s->stages = st->next;
        free_stage(st);
    }
    if (s->base) {
        free_stage(s->base);
    }
    free(s->audit.dir);
    free(s->text);
    free(s);
}
