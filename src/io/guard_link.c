/* SPDX-License-Identifier: Apache-2.0 */
/* The runner's end of the guard: one SOCK_SEQPACKET pair (messages in guard.h). Only guard_await()
 * waits; what else arrives in the meantime is kept for the next turn, so that on_exit is never
 * called inside proc_spawn(). Loop thread only. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/proc_priv.h"

enum { ANSWER_MS = 10000, SEND_MS = 5000, STOP_MS = GUARD_KILL_MS + 1000, HIGH_FD = 10 };

static const struct proc_end killed = {0, SIGKILL};
static int exe_fd = -1;

void proc_init(void)
{
    if (exe_fd < 0) {
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        exe_fd = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
        close(fd);
    }
}

/* Messages. */

static uint64_t now_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* Waits for events until the deadline. */
static bool wait_for(struct guard *g, short events, uint64_t deadline_ms)
{
    struct pollfd p = {.fd = g->sock, .events = events};
    uint64_t now;
    while ((now = now_ms()) < deadline_ms) {
        int n = poll(&p, 1, (int)(deadline_ms - now));
        if (n > 0) {
            return true;
        }
    }
    return false;
}

int guard_send(struct guard *g, const struct guard_msg *m, const int *fds, size_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(GUARD_FDS_MAX * sizeof(int))];
    } aux = {.bytes = {0}};
    struct guard_msg copy = *m;
    struct iovec iov = {&copy, sizeof copy};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
    uint64_t deadline = now_ms() + SEND_MS;
    if (n > 0) {
        h.msg_control = aux.bytes;
        h.msg_controllen = CMSG_SPACE(n * sizeof *fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof *fds);
        memcpy(CMSG_DATA(c), fds, n * sizeof *fds);
    }
    while (sendmsg(g->sock, &h, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR && !(errno == EAGAIN && wait_for(g, POLLOUT, deadline))) {
            return -1;
        }
    }
    return 0;
}

/* @return 1 with a message, 0 if there is none now, -1 if the guard is gone. */
static int receive(struct guard *g, struct guard_msg *m)
{
    ssize_t n;
    while ((n = recv(g->sock, m, sizeof *m, MSG_DONTWAIT)) < 0 && errno == EINTR) {
    }
    if (n < 0 && errno == EAGAIN) {
        return 0;
    }
    return n == sizeof *m ? 1 : -1;
}

static void guard_unref(struct guard *g)
{
    if (--g->refs == 0) {
        free(g->kept.items);
        free(g);
    }
}

static struct proc *find(struct guard *g, uint64_t id)
{
    struct proc *p = g->procs;
    while (p && p->id != id) {
        p = p->next;
    }
    return p;
}

static struct proc_end end_of(int status)
{
    return WIFSIGNALED(status) ? (struct proc_end){0, WTERMSIG(status)}
                               : (struct proc_end){WEXITSTATUS(status), 0};
}

static void handle_msg(struct guard *g, const struct guard_msg *m)
{
    struct proc *p = find(g, m->id);
    if (m->type == GUARD_EXIT && p) {
        proc_ended(p, end_of(m->value));
        proc_report(p);
    } else if (m->type == GUARD_SPAWNED && !p) {
        /* The answer came after proc_spawn() had given up: nobody knows this child. */
        struct guard_msg kill_it = {
            .type = GUARD_SIGNAL, .flags = GUARD_GROUP, .id = m->id, .value = SIGKILL};
        guard_send(g, &kill_it, NULL, 0);
    }
}

static void reap_guard(struct guard *g)
{
    kill(g->pid, SIGKILL); /* it is our child and not reaped: the pid is its own */
    while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static struct proc *first_unreleased(struct guard *g)
{
    struct proc *p = g->procs;
    while (p && p->released) {
        p = p->next;
    }
    return p;
}

/* Somebody killed the guard. Its children have got their death signal when it is reaped; those
 * without one, and what else stands in the groups, is killed here. */
static void guard_lost(struct guard *g)
{
    g->lost = true;
    uv_poll_stop(&g->poll);
    reap_guard(g);
    for (struct proc *p = g->procs; p; p = p->next) {
        if (!p->released) {
            kill(-p->pid, SIGKILL);
        }
    }
    for (struct proc *p; !g->stopped && (p = first_unreleased(g));) {
        proc_ended(p, killed);
        proc_report(p); /* may free p, and may stop g */
    }
}

static bool take_kept(struct guard *g, struct guard_msg *m)
{
    if (g->kept.n == 0) {
        return false;
    }
    *m = g->kept.items[0];
    memmove(g->kept.items, g->kept.items + 1, --g->kept.n * sizeof *m);
    return true;
}

static void handle_kept(void *arg)
{
    struct guard *g = arg;
    struct guard_msg m;
    while (!g->stopped && take_kept(g, &m)) {
        handle_msg(g, &m);
    }
    guard_unref(g);
}

int guard_await(struct guard *g, uint64_t id, struct guard_msg *m)
{
    uint64_t deadline = now_ms() + ANSWER_MS;
    for (;;) {
        int rc = receive(g, m);
        if (rc < 0) {
            return -1;
        }
        if (rc == 0 && !wait_for(g, POLLIN, deadline)) {
            return 0;
        }
        if (rc > 0 && m->id == id) {
            return 1;
        }
        if (rc > 0) {
            if (g->kept.n == 0) {
                g->refs++;
                loop_defer(g->loop, handle_kept, g);
            }
            *VEC_PUSH(&g->kept) = *m;
        }
    }
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct guard *g = (struct guard *)poll->data;
    struct guard_msg m;
    g->refs++;
    while (!g->stopped && !g->lost) {
        int rc = take_kept(g, &m) ? 1 : receive(g, &m);
        if (rc == 0) {
            break;
        }
        if (rc > 0) {
            handle_msg(g, &m);
        } else {
            guard_lost(g);
        }
    }
    guard_unref(g);
}

/* The guard. */

static void on_closed(uv_handle_t *uv)
{
    struct guard *g = (struct guard *)uv->data;
    close(g->sock);
    guard_unref(g);
}

static void close_guard(struct handle *h)
{
    guard_stop((struct guard *)h);
}

/* posix_spawn and not fork: the runner has threads. */
static int spawn_guard(int sock, pid_t *pid)
{
    char path[64];
    static char self[] = "kaos", verb[] = "__guard";
    char *argv[] = {self, verb, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t all, none;
    int high = fcntl(sock, F_DUPFD_CLOEXEC, HIGH_FD);
    snprintf(path, sizeof path, "/proc/self/fd/%d", exe_fd);
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, high, GUARD_SOCK_FD);
    posix_spawn_file_actions_adddup2(&files, exe_fd, GUARD_EXE_FD);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    int rc = posix_spawn(pid, path, &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    close(high);
    return rc;
}

struct guard *guard_start(struct loop *l, struct err *e)
{
    int pair[2];
    pid_t pid;
    proc_init();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        err_sys(e, "creating the guard's socket");
        return NULL;
    }
    int rc = spawn_guard(pair[1], &pid);
    close(pair[1]);
    if (rc != 0) {
        close(pair[0]);
        err_set(e, ERR_PROCESS, rc, "starting the guard process: %s", strerror(rc));
        return NULL;
    }
    struct guard *g = xcalloc(1, sizeof *g);
    g->handle = (struct handle){"guard", close_guard};
    g->loop = l;
    g->pid = pid;
    g->sock = pair[0];
    g->refs = 1;
    uv_poll_init(loop_uv(l), &g->poll, g->sock); /* sets O_NONBLOCK */
    g->poll.data = g;
    uv_poll_start(&g->poll, UV_READABLE, on_socket);
    uv_unref((uv_handle_t *)&g->poll);
    return g;
}

/* Reads reports until the guard has closed its end; false if it takes too long. */
static bool await_end(struct guard *g)
{
    uint64_t deadline = now_ms() + STOP_MS;
    for (;;) {
        struct guard_msg m;
        int rc = take_kept(g, &m) ? 1 : receive(g, &m);
        struct proc *p = rc > 0 ? find(g, m.id) : NULL;
        if (rc < 0) {
            return true;
        }
        if (rc == 0 && !wait_for(g, POLLIN, deadline)) {
            return false;
        }
        if (p && m.type == GUARD_EXIT) {
            proc_ended(p, end_of(m.value));
            proc_report_later(p);
        }
    }
}

void guard_stop(struct guard *g)
{
    if (!g || g->stopped) {
        return;
    }
    g->stopped = true;
    if (!g->lost) {
        shutdown(g->sock, SHUT_WR);
        await_end(g);
        reap_guard(g);
    }
    for (struct proc *p; (p = g->procs);) {
        if (p->released) {
            proc_detach(p);
            continue;
        }
        kill(-p->pid, SIGKILL); /* in vain, unless the guard itself was killed */
        proc_ended(p, killed);
        proc_report_later(p);
    }
    uv_close((uv_handle_t *)&g->poll, on_closed);
}
