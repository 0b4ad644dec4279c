/* SPDX-License-Identifier: Apache-2.0 */
/* Children as the runner sees them. They are named by a number of their own, so a pid that was
 * reused between a report and a request is never hit. Loop thread only.
 *
 *   running --EXIT report / guard lost / guard_stop--> ended (on_exit, once) --proc_free--> gone
 *      `--guard_release + guard_stop--> left alone ----------------------------proc_free--> gone
 */
#include "io/proc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/proc_priv.h"
#include "io/procfs.h"

/* What a spawn request consists of. */
struct launch {
    struct guard_msg m;
    int fds[GUARD_FDS_MAX]; /**< request, log, control: those that exist */
    size_t nfds;
    int control; /**< our end of the control pipe or -1 */
};

void proc_detach(struct proc *p)
{
    struct guard *g = p->guard;
    if (!g) {
        return;
    }
    *p->link = p->next;
    if (p->next) {
        p->next->link = p->link;
    }
    p->guard = NULL;
    if (p->alive && --g->alive == 0 && !g->stopped) {
        uv_unref((uv_handle_t *)&g->poll);
    }
}

void proc_ended(struct proc *p, struct proc_end end)
{
    proc_detach(p);
    p->alive = false;
    p->end = end;
    writer_free(p->control);
    p->control = NULL;
}

void proc_report(struct proc *p)
{
    if (p->on_exit) {
        p->on_exit(p->arg, p, p->end);
    }
}

static void report_late(void *arg)
{
    struct proc *p = arg;
    p->late = false;
    if (p->freed) {
        free(p);
    } else {
        proc_report(p);
    }
}

void proc_report_later(struct proc *p)
{
    p->late = true;
    loop_defer(p->loop, report_late, p);
}

/* Starting. */

static const char *name_of(const struct proc_opts *o)
{
    return o->argv[0] ? o->argv[0] : o->argv[1] ? o->argv[1] : "kaos";
}

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return strncmp(a, b, n) == 0 && b[n] == '=';
}

static bool overridden(const char *var, const char *const *env)
{
    for (; env && *env; env++) {
        if (same_name(*env, var)) {
            return true;
        }
    }
    return false;
}

static void put_string(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s) + 1);
}

static void put_request(struct buf *b, const struct proc_opts *o, struct guard_msg *m)
{
    put_string(b, o->cwd ? o->cwd : "");
    if (o->tree) {
        put_string(b, "kaos");
        put_string(b, "__tree");
        m->argc = 2;
    }
    put_string(b, o->argv[0] ? o->argv[0] : "kaos");
    m->argc++;
    for (size_t i = 1; o->argv[i]; i++) {
        put_string(b, o->argv[i]);
        m->argc++;
    }
    for (char **var = environ; *var; var++) {
        if (!overridden(*var, o->env)) {
            put_string(b, *var);
            m->envc++;
        }
    }
    for (const char *const *var = o->env; var && *var; var++) {
        put_string(b, *var);
        m->envc++;
    }
}

static int write_request(struct launch *la, const struct proc_opts *o)
{
    struct buf b = {0};
    size_t at = 0;
    int fd = memfd_create("kaos-spawn", MFD_CLOEXEC);
    put_request(&b, o, &la->m);
    if (fd >= 0) {
        la->fds[la->nfds++] = fd;
    }
    while (fd >= 0 && at < b.len) {
        ssize_t n = write(fd, b.data + at, b.len - at);
        if (n < 0 && errno != EINTR) {
            fd = -1;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    buf_free(&b);
    return fd < 0 ? -1 : 0;
}

static int launch_init(struct launch *la, const struct proc_opts *o, struct err *e)
{
    int pair[2];
    la->m.flags = (o->argv[0] && !o->tree ? 0 : GUARD_SELF) | (o->may_outlive ? GUARD_OUTLIVE : 0);
    if (write_request(la, o) != 0) {
        return err_set(e, ERR_PROCESS, errno, "starting %s: %s", name_of(o), strerror(errno));
    }
    if (o->log_path) {
        int fd = open(o->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) {
            return err_set(e, ERR_PROCESS, errno, "starting %s: log %s: %s", name_of(o),
                           o->log_path, strerror(errno));
        }
        la->fds[la->nfds++] = fd;
        la->m.flags |= GUARD_LOG;
    }
    if (o->control) {
        if (pipe2(pair, O_CLOEXEC) != 0) {
            return err_set(e, ERR_PROCESS, errno, "starting %s: control pipe: %s", name_of(o),
                           strerror(errno));
        }
        la->fds[la->nfds++] = pair[0];
        la->control = pair[1];
        la->m.flags |= GUARD_CONTROL;
    }
    return 0;
}

static void launch_fini(struct launch *la)
{
    for (size_t i = 0; i < la->nfds; i++) {
        close(la->fds[i]);
    }
    if (la->control >= 0) {
        close(la->control);
    }
}

static int explain(const struct proc_opts *o, const struct guard_msg *m, struct err *e)
{
    const char *why = strerror(m->value);
    if (m->flags == STAGE_DIRECTORY) {
        return err_set(e, ERR_PROCESS, m->value, "starting %s: directory %s: %s", name_of(o),
                       o->cwd, why);
    }
    if (m->flags == STAGE_FORK) {
        return err_set(e, ERR_PROCESS, m->value, "starting %s: new process: %s", name_of(o), why);
    }
    return err_set(e, ERR_PROCESS, m->value, "starting %s: %s", name_of(o), why);
}

static int launch_send(struct guard *g, struct launch *la, const struct proc_opts *o, struct err *e)
{
    struct guard_msg answer;
    la->m.type = GUARD_SPAWN;
    la->m.id = ++g->last_id;
    if (g->stopped || g->lost || guard_send(g, &la->m, la->fds, la->nfds) != 0) {
        return err_set(e, ERR_PROCESS, 0, "starting %s: the guard process is gone", name_of(o));
    }
    int rc = guard_await(g, la->m.id, &answer);
    if (rc <= 0) {
        return err_set(e, ERR_PROCESS, 0, "starting %s: the guard process %s", name_of(o),
                       rc < 0 ? "is gone" : "does not answer");
    }
    la->m.pid = answer.pid;
    return answer.type == GUARD_SPAWNED ? 0 : explain(o, &answer, e);
}

struct proc *proc_spawn(struct guard *g, const struct proc_opts *o, struct err *e)
{
    struct launch la = {.control = -1};
    struct proc *p = NULL;
    if (launch_init(&la, o, e) == 0 && launch_send(g, &la, o, e) == 0) {
        p = xcalloc(1, sizeof *p);
        p->guard = g;
        p->loop = g->loop;
        p->id = la.m.id;
        p->pid = la.m.pid;
        p->alive = true;
        p->may_outlive = o->may_outlive;
        p->on_exit = o->on_exit;
        p->arg = o->arg;
        p->next = g->procs;
        p->link = &g->procs;
        if (p->next) {
            p->next->link = &p->next;
        }
        g->procs = p;
        if (g->alive++ == 0) {
            uv_ref((uv_handle_t *)&g->poll);
        }
        if (la.control >= 0) {
            p->control = writer_new(g->loop, la.control);
            la.control = -1;
        }
    }
    launch_fini(&la);
    return p;
}

/* Living. */

pid_t proc_pid(const struct proc *p)
{
    return p->pid;
}

bool proc_alive(const struct proc *p)
{
    return p->alive;
}

int proc_signal(struct proc *p, int signum, bool group)
{
    struct guard_msg m = {
        .type = GUARD_SIGNAL, .flags = group ? GUARD_GROUP : 0, .id = p->id, .value = signum};
    if (!p->alive || !p->guard) {
        return -1;
    }
    return guard_send(p->guard, &m, NULL, 0);
}

int proc_signal_tree(struct proc *p, int signum)
{
    struct guard_msg m = {.type = GUARD_SIGNAL, .flags = GUARD_TREE, .id = p->id, .value = signum};
    if (!p->alive || !p->guard) {
        return -1;
    }
    return guard_send(p->guard, &m, NULL, 0);
}

char proc_state(const struct proc *p)
{
    struct procfs_stat s;
    if (!p->alive || !procfs_read_stat(p->pid, &s)) {
        return 0;
    }
    /* Another parent: it was reaped, and its pid is somebody else's by now. */
    return p->guard && s.parent != p->guard->pid ? '\0' : s.state;
}

void guard_freeze(struct guard *g)
{
    for (struct proc *p = g->procs; p; p = p->next) {
        char state = proc_state(p);
        p->frozen = state && state != 'T';
        if (p->frozen) {
            proc_signal(p, SIGSTOP, true);
        }
    }
}

void guard_thaw(struct guard *g)
{
    for (struct proc *p = g->procs; p; p = p->next) {
        if (p->frozen) {
            p->frozen = false;
            proc_signal(p, SIGCONT, true);
        }
    }
}

void proc_send(struct proc *p, uint8_t type, const void *data, uint32_t len)
{
    if (p->control) {
        writer_send(p->control, type, data, len);
    }
}

void guard_release(struct guard *g, struct proc *p)
{
    struct guard_msg m = {.type = GUARD_RELEASE, .id = p->id};
    assert(p->may_outlive);
    if (p->alive && p->guard == g) {
        p->released = true;
        guard_send(g, &m, NULL, 0);
    }
}

void proc_free(struct proc *p)
{
    if (!p) {
        return;
    }
    assert(!p->alive || p->released);
    proc_detach(p);
    writer_free(p->control);
    if (p->late) {
        p->freed = true; /* the deferred call frees it */
    } else {
        free(p);
    }
}
