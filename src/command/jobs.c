/* SPDX-License-Identifier: Apache-2.0 */
/* One slot per running child: `kaos run` with the flags of the suite and --item REQUEST. The
 * child's standard output goes to a log, which is shown only when the child left no answer. A
 * signal is handed on: the first lets the runs drain and be judged, the second stops them. */
#include "command/jobs.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "io/loop.h"
#include "io/proc.h"

enum { TAIL_LINES = 20, STATUS_MS = 60000 };

struct jobs;
struct slot {
    struct jobs *jobs;
    const struct item *item;
    long long number;
    struct proc *proc; /**< NULL = free */
    char *request, *answer, *log;
};
struct jobs {
    const struct jobs_opts *o;
    struct loop *loop;
    struct guard *guard;
    char *dir;
    struct slot *slots;
    size_t running, started, ended;
    int signum;
    bool dry; /**< next() said NULL */
    uint64_t begin_ns;
    bool failed;
    struct err err;
};

static void fill(struct jobs *j);

/** How the end of a child without an answer counts. */
static int code_of(struct proc_end end)
{
    bool killed = end.signal == SIGKILL || end.signal == SIGTERM || end.signal == SIGINT;
    return end.signal && killed ? EXIT_ENVIRONMENT : EXIT_BUG;
}

static void read_outcome(struct slot *s, struct proc_end end, struct outcome *out)
{
    struct err e;
    if (item_answer(s->answer, out, &e) == 0) {
        return;
    }
    outcome_free(out);
    char how[64];
    snprintf(how, sizeof how, end.signal ? "signal %d" : "exit code %d",
             end.signal ? end.signal : end.code);
    char *reason = xasprintf("the process of this run ended by %s and left no verdict", how);
    outcome_error(out, code_of(end), s->item->path,
                  load_scenario(s->item->load, s->item->scenario)->where, s->item->id, reason);
    out->detail = path_tail(s->log, TAIL_LINES);
    free(reason);
}

static void clear(struct slot *s)
{
    char *const files[] = {s->request, s->answer, s->log};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (files[i]) {
            unlink(files[i]);
        }
        free(files[i]);
    }
    s->request = s->answer = s->log = NULL;
}

static void on_end(void *arg, struct proc *p, struct proc_end end)
{
    struct slot *s = arg;
    struct jobs *j = s->jobs;
    struct outcome out;
    proc_free(p);
    s->proc = NULL;
    read_outcome(s, end, &out);
    clear(s);
    j->running--;
    j->ended++;
    j->o->done(j->o->arg, s->item, s->number, &out);
    fill(j);
}

/** The words of the suite, then which run of it. argv[0] NULL = this very binary. */
static const char **arguments(const struct jobs *j, const struct slot *s)
{
    const char *const *old = cli_argv(j->o->item->c);
    size_t n = 0;
    while (old[n]) {
        n++;
    }
    const char **argv = xcalloc(n + 8, sizeof *argv);
    argv[1] = "run";
    size_t k = 2;
    argv[k++] = "--item";
    argv[k++] = s->request;
    if (j->o->item->thin) {
        argv[k++] = "--thin";
    }
    for (size_t i = 2; i < n; i++) {
        argv[k++] = old[i];
    }
    return argv;
}

static int start(struct slot *s, uint64_t seed, struct err *e)
{
    struct jobs *j = s->jobs;
    s->request = xasprintf("%s/%zu.request", j->dir, j->started);
    s->answer = xasprintf("%s/%zu.answer", j->dir, j->started);
    s->log = xasprintf("%s/%zu.log", j->dir, j->started);
    j->started++;
    json_t *req = item_request(s->item, seed, s->answer);
    int rc = json_write(s->request, req, e);
    json_decref(req);
    if (rc < 0) {
        return -1;
    }
    const char **argv = arguments(j, s);
    s->proc = proc_spawn(
        j->guard,
        &(struct proc_opts){.argv = argv, .log_path = s->log, .on_exit = on_end, .arg = s}, e);
    free(argv);
    return s->proc ? 0 : -1;
}

static void fill(struct jobs *j)
{
    for (int i = 0; i < j->o->parallel && !j->dry && !j->signum && !j->failed; i++) {
        struct slot *s = &j->slots[i];
        uint64_t seed;
        if (s->proc) {
            continue;
        }
        s->item = j->o->next(j->o->arg, &seed, &s->number);
        if (!s->item) {
            j->dry = true;
        } else if (start(s, seed, &j->err) < 0) {
            clear(s);
            j->failed = true;
        } else {
            j->running++;
        }
    }
    if (j->running == 0) {
        loop_stop(j->loop);
    }
}

static void on_signal(struct jobs *j, int signum)
{
    j->signum = j->signum ? j->signum : signum;
    for (int i = 0; i < j->o->parallel; i++) {
        if (j->slots[i].proc) {
            proc_signal(j->slots[i].proc, signum, false);
        }
    }
    if (j->running == 0) {
        loop_stop(j->loop);
    }
}

static void on_sigint(void *arg)
{
    on_signal(arg, SIGINT);
}

static void on_sigterm(void *arg)
{
    on_signal(arg, SIGTERM);
}

static void on_status(void *arg)
{
    struct jobs *j = arg;
    uint64_t s = (clock_mono_ns() - j->begin_ns) / 1000000000u;
    fprintf(stderr, "[%02d:%02d] %zu done, running:", (int)(s / 60), (int)(s % 60), j->ended);
    for (int i = 0; i < j->o->parallel; i++) {
        if (j->slots[i].proc) {
            fprintf(stderr, " %s", j->slots[i].item->id);
        }
    }
    fputc('\n', stderr);
}

static int set_up(struct jobs *j, struct err *e)
{
    const char *store = j->o->item->store;
    char *template = xasprintf("%s/jobs-XXXXXX", store);
    if (path_mkdirs(store, 0700, e) < 0) {
        free(template);
        return -1;
    }
    j->dir = mkdtemp(template);
    if (!j->dir) {
        err_sys(e, "creating %s", template);
        free(template);
        return -1;
    }
    j->guard = guard_start(j->loop, e);
    return j->guard ? 0 : -1;
}

int jobs_run(const struct jobs_opts *o, struct err *e)
{
    struct jobs j = {.o = o, .loop = loop_new(), .begin_ns = clock_mono_ns()};
    struct err ignored;
    j.slots = xcalloc((size_t)o->parallel, sizeof *j.slots);
    for (int i = 0; i < o->parallel; i++) {
        j.slots[i].jobs = &j;
    }
    struct signals *sigint = signals_start(j.loop, SIGINT, on_sigint, &j),
                   *sigterm = signals_start(j.loop, SIGTERM, on_sigterm, &j);
    struct timer *status =
        o->quiet ? NULL : timer_start(j.loop, STATUS_MS, STATUS_MS, on_status, &j);
    int rc = set_up(&j, e);
    if (rc == 0) {
        fill(&j);
        if (j.running > 0) {
            loop_run(j.loop);
        }
        rc = j.signum;
    }
    if (j.failed) {
        *e = j.err;
        rc = -1;
    }
    timer_stop(status);
    if (j.guard) {
        guard_stop(j.guard);
    }
    signals_stop(sigint);
    signals_stop(sigterm);
    loop_free(j.loop);
    if (j.dir) {
        path_remove_all(j.dir, &ignored);
    }
    free(j.dir);
    free(j.slots);
    return rc;
}
