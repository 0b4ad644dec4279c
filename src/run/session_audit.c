/* SPDX-License-Identifier: Apache-2.0 */
/* A look at the history so far: a copy of its segments, beside which an audit of the topics as they
 * are now is written. The copy comes first: what it says was acknowledged or delivered is in the
 * log that the audit reads then. And `kaos run` as a child, which has a cluster and a history of
 * its own. */
#include <signal.h>
#include <stdlib.h>

#include "base/path.h"
#include "run/session_priv.h"
#include "wire/admin.h"

enum { AUDIT_MS = 60000 };

/* ---- the audit ---- */

static int prepare(struct session *s, struct err *e)
{
    free(s->audit.dir);
    s->audit.dir = path_join(s->stages->out.dir, "preview");
    return path_remove_all(s->audit.dir, e) < 0
               ? -1
               : path_copy_all(s->stages->run.history, s->audit.dir, e);
}

static void audit_work(void *arg)
{
    struct session *s = arg;
    struct stage *st = s->stages;
    struct hist *h = hist_open(s->audit.dir, &(struct hist_ident){.role = "audit"}, &s->audit.err);
    struct audit_opts o = {.bootstrap = cluster_bootstrap(s->cluster, CLUSTER_DIRECT),
                           .plan = st->plan,
                           .run = st->out.id,
                           .pass = "main",
                           .starts = st->run.starts.items,
                           .nstarts = st->run.starts.n,
                           .timeout_ms = AUDIT_MS};
    admin_cancel_by(&st->run.work.unwanted);
    s->audit.rc = h ? audit_run(&o, h, &s->audit.err) : -1;
    admin_cancel_by(NULL);
    hist_close(h);
}

static void audit_done(void *arg)
{
    struct session *s = arg;
    s->audit.busy = false;
    if (!s->closing) {
        s->audit.fn(s->audit.arg, s->audit.rc == 0 ? NULL : &s->audit.err);
    }
}

int session_audit(struct session *s, session_fn fn, void *arg, struct err *e)
{
    if (!s->stages || s->stages->run.phase < PH_WORK) {
        return err_set(e, ERR_USAGE, 0, "no scenario is up; .load FILE, then up()");
    }
    if (s->audit.busy) {
        return err_set(e, ERR_USAGE, 0, "judge() is at work already");
    }
    if (prepare(s, e) < 0) {
        return -1;
    }
    s->audit.busy = true;
    s->audit.fn = fn;
    s->audit.arg = arg;
    loop_work(s->o.loop, audit_work, audit_done, s);
    return 0;
}

const char *session_preview(const struct session *s)
{
    return s->audit.dir;
}

/* ---- kaos run ---- */

static void on_child(void *arg, struct proc *p, struct proc_end end)
{
    struct session *s = arg;
    struct err e = {0};
    if (end.signal) {
        err_set(&e, ERR_PROCESS, end.signal, "kaos run was ended by signal %d", end.signal);
    } else if (end.code) {
        err_set(&e, ERR_PROCESS, end.code, "kaos run ended with %d", end.code);
    }
    proc_free(p);
    s->child.proc = NULL;
    if (!s->closing) {
        s->child.fn(s->child.arg, e.kind == ERR_NONE ? NULL : &e);
    }
}

int session_run_child(struct session *s, const char *const *argv, session_fn fn, void *arg,
                      struct err *e)
{
    if (s->child.proc) {
        return err_set(e, ERR_USAGE, 0, "a run is at work already");
    }
    if (!s->guard) {
        s->guard = guard_start(s->o.loop, e);
    }
    s->child.fn = fn;
    s->child.arg = arg;
    s->child.proc =
        s->guard ? proc_spawn(s->guard,
                              &(struct proc_opts){.argv = argv, .on_exit = on_child, .arg = s}, e)
                 : NULL;
    return s->child.proc ? 0 : -1;
}

void session_interrupt(struct session *s)
{
    if (s->child.proc) {
        proc_signal(s->child.proc, SIGINT, false);
    }
}
