/* SPDX-License-Identifier: Apache-2.0 */
/* The guard process: hides how children are started and how a whole run is cleaned up. One thread,
 * no libuv: poll() over the runner's socket and a signalfd for SIGCHLD, so that fork() is safe. End
 * of file on the socket, for whatever reason, means: kill everything and end. A request that was
 * read when the runner died is served first, and its child is killed with the rest. */
#include "io/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/proc.h"

enum { FIRST_SPARE_FD = 10, FLUSH_MS = 200 };

struct child {
    uint64_t id;
    pid_t pid;
    bool released;
};
struct guard_state {
    struct {
        struct child *items;
        size_t n, cap;
    } children;
    struct {
        struct guard_msg *items;
        size_t n, cap;
    } out;
    int chld_fd; /**< signalfd */
    bool eof;
};

/* A request with its descriptors, -1 where there is none. */
struct request {
    struct guard_msg m;
    int blob, log, control;
    char *strings;
    const char *dir, **argv, **env;
};
struct failure {
    int32_t stage, code;
};

/* Answers. */

static void flush_out(struct guard_state *g)
{
    size_t done = 0;
    while (done < g->out.n) {
        ssize_t n = send(GUARD_SOCK_FD, &g->out.items[done], sizeof *g->out.items,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            break;
        }
        done++; /* any other error: the runner is gone, nobody wants to know */
    }
    g->out.n -= done;
    if (done > 0 && g->out.n > 0) {
        memmove(g->out.items, g->out.items + done, g->out.n * sizeof *g->out.items);
    }
}

static void answer(struct guard_state *g, struct guard_msg m)
{
    *VEC_PUSH(&g->out) = m;
    flush_out(g);
}

static void on_reaped(void *arg, pid_t pid, int status)
{
    struct guard_state *g = arg;
    for (size_t i = 0; i < g->children.n; i++) {
        struct child c = g->children.items[i];
        if (c.pid == pid) {
            g->children.items[i] = g->children.items[--g->children.n];
            answer(g,
                   (struct guard_msg){.type = GUARD_EXIT, .id = c.id, .pid = pid, .value = status});
            return;
        }
    }
}

static void reap_all(struct guard_state *g)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        on_reaped(g, pid, status);
    }
}

/* The child, between fork and exec. */

/* By the system call: posix_spawn() leaves the C library's own two signals ignored, and sigaction()
 * refuses to touch them. All zero is the kernel's struct for SIG_DFL. */
static void reset_signals(void)
{
    static const uint64_t dfl[8];
    sigset_t none;
    for (int i = 1; i < NSIG; i++) {
        syscall(SYS_rt_sigaction, i, dfl, NULL, sizeof(uint64_t));
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_others(unsigned first)
{
    if (close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
        return;
    }
    for (int fd = (int)first, max = (int)sysconf(_SC_OPEN_MAX); fd < max; fd++) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
}

static _Noreturn void child_fail(int report, enum guard_stage stage)
{
    struct failure f = {stage, errno};
    ssize_t n = write(report, &f, sizeof f);
    _exit(n == sizeof f ? 127 : 126);
}

static _Noreturn void child_main(const struct request *r, int report, pid_t guard)
{
    unsigned first = PROC_CONTROL_FD;
    setpgid(0, 0);
    if (!(r->m.flags & GUARD_OUTLIVE)) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    if (getppid() != guard) {
        _exit(126); /* the guard died before the line above could tell us */
    }
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, 0);
    }
    if (r->log >= 0) {
        dup2(r->log, 1);
        dup2(r->log, 2);
    }
    if (r->control >= 0) {
        dup2(r->control, PROC_CONTROL_FD);
        first++;
    }
    close_others(first);
    reset_signals();
    if (r->dir[0] && chdir(r->dir) != 0) {
        child_fail(report, STAGE_DIRECTORY);
    }
    environ = (char **)r->env;
    if (r->m.flags & GUARD_SELF) {
        /* The descriptor, not a path: a rebuilt binary keeps running the version of the runner. */
        fexecve(GUARD_EXE_FD, (char **)r->argv, environ);
    } else {
        execvp(r->argv[0], (char **)r->argv); /* looked up in the PATH of the child */
    }
    child_fail(report, STAGE_EXEC);
}

/* Requests. */

static bool read_strings(struct request *r)
{
    struct stat st;
    if (r->blob < 0 || fstat(r->blob, &st) != 0 || st.st_size <= 0) {
        return false;
    }
    size_t size = (size_t)st.st_size, at = 0;
    size_t n = (size_t)r->m.argc + r->m.envc, slots = 0;
    r->strings = xmalloc(size);
    if (pread(r->blob, r->strings, size, 0) != (ssize_t)size || r->strings[size - 1] != '\0' ||
        n > size || r->m.argc == 0) {
        return false;
    }
    r->argv = xcalloc(n + 2, sizeof *r->argv);
    r->env = r->argv + r->m.argc + 1;
    r->dir = r->strings;
    for (at = strlen(r->strings) + 1; at < size && slots < n; slots++) {
        r->argv[slots + (slots >= r->m.argc)] = r->strings + at;
        at += strlen(r->strings + at) + 1;
    }
    return slots == n && at == size;
}

static void request_fini(struct request *r)
{
    int fds[] = {r->blob, r->log, r->control};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(r->argv);
    free(r->strings);
}

static void spawn_failed(struct guard_state *g, uint64_t id, int stage, int code)
{
    answer(g, (struct guard_msg){
                  .type = GUARD_FAILED, .id = id, .flags = (uint32_t)stage, .value = code});
}

static void spawn(struct guard_state *g, struct request *r)
{
    int report[2];
    struct failure f;
    if (!read_strings(r)) {
        spawn_failed(g, r->m.id, STAGE_REQUEST, EINVAL);
        return;
    }
    if (pipe2(report, O_CLOEXEC) != 0) {
        spawn_failed(g, r->m.id, STAGE_FORK, errno);
        return;
    }
    pid_t guard = getpid(), pid = fork();
    if (pid == 0) {
        int fd = fcntl(report[1], F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
        child_main(r, fd, guard);
    }
    int code = errno;
    close(report[1]);
    if (pid < 0) {
        spawn_failed(g, r->m.id, STAGE_FORK, code);
    } else {
        ssize_t n;
        while ((n = read(report[0], &f, sizeof f)) < 0 && errno == EINTR) {
        }
        if (n == sizeof f) { /* end of file: exec closed the pipe, or the child was killed before */
            waitpid(pid, NULL, 0);
            spawn_failed(g, r->m.id, f.stage, f.code);
        } else {
            *VEC_PUSH(&g->children) = (struct child){r->m.id, pid, false};
            answer(g, (struct guard_msg){.type = GUARD_SPAWNED, .id = r->m.id, .pid = pid});
        }
    }
    close(report[0]);
}

/* Serves everything but SPAWN. An id that is not there any more was reaped: its pid is not ours. */
static void serve_child(struct guard_state *g, const struct guard_msg *m)
{
    for (size_t i = 0; i < g->children.n; i++) {
        struct child *c = &g->children.items[i];
        if (c->id != m->id) {
            continue;
        }
        if (m->type == GUARD_RELEASE) {
            c->released = true;
        } else if (m->type == GUARD_SIGNAL && (m->flags & GUARD_TREE)) {
            guard_signal_tree(c->pid, m->value);
        } else if (m->type == GUARD_SIGNAL) {
            kill(m->flags & GUARD_GROUP ? -c->pid : c->pid, m->value);
        }
        return;
    }
}

static int take_fds(struct msghdr *h, int *fds)
{
    int n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < got && n < GUARD_FDS_MAX; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            /* Out of the way of the descriptors that the child arranges. */
            fds[n++] = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
            close(fd);
        }
    }
    return n;
}

static void receive(struct guard_state *g)
{
    struct request r = {.blob = -1, .log = -1, .control = -1};
    int fds[GUARD_FDS_MAX] = {-1, -1, -1}, at = 0;
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(GUARD_FDS_MAX * sizeof(int))];
    } aux;
    struct iovec iov = {&r.m, sizeof r.m};
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = aux.bytes,
                       .msg_controllen = sizeof aux.bytes};
    ssize_t n = recvmsg(GUARD_SOCK_FD, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (n != sizeof r.m) {
        g->eof = true;
        return;
    }
    take_fds(&h, fds);
    if (r.m.type != GUARD_SPAWN) {
        serve_child(g, &r.m);
        return;
    }
    r.blob = fds[at++];
    r.log = r.m.flags & GUARD_LOG ? fds[at++] : -1;
    r.control = r.m.flags & GUARD_CONTROL ? fds[at++] : -1;
    spawn(g, &r);
    request_fini(&r);
}

/* Life of the guard. */

static int guard_init(struct guard_state *g)
{
    static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE, SIGTSTP,
                                  SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGALRM};
    sigset_t chld;
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
        signal(ignored[i], SIG_IGN);
    }
    setsid(); /* fails if we lead one already, which is as good */
    prctl(PR_SET_NAME, "kaos-guard");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        return -1;
    }
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &chld, NULL);
    fcntl(GUARD_SOCK_FD, F_SETFD, FD_CLOEXEC);
    fcntl(GUARD_EXE_FD, F_SETFD, FD_CLOEXEC);
    close_range(GUARD_EXE_FD + 1, ~0U, 0);
    g->chld_fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    return g->chld_fd < 0 ? -1 : 0;
}

static void serve(struct guard_state *g)
{
    while (!g->eof) {
        struct pollfd p[] = {{.fd = GUARD_SOCK_FD, .events = POLLIN},
                             {.fd = g->chld_fd, .events = POLLIN}};
        struct signalfd_siginfo info;
        p[0].events = (short)(g->out.n > 0 ? POLLIN | POLLOUT : POLLIN);
        if (poll(p, ARRAY_LEN(p), -1) < 0) {
            continue;
        }
        if (p[1].revents && read(g->chld_fd, &info, sizeof info) > 0) {
            reap_all(g);
        }
        if (p[0].revents & POLLOUT) {
            flush_out(g);
        }
        if (p[0].revents & (POLLIN | POLLHUP | POLLERR)) {
            receive(g);
        }
    }
}

static void end(struct guard_state *g)
{
    pid_t *spared = xcalloc(g->children.n + 1, sizeof *spared);
    int n = 0;
    for (size_t i = 0; i < g->children.n; i++) {
        if (g->children.items[i].released) {
            spared[n++] = g->children.items[i].pid;
        }
    }
    int left = guard_kill_tree(spared, n, GUARD_KILL_MS, on_reaped, g);
    if (left > 0) {
        fprintf(stderr, "kaos: warning: guard: %d processes could not be killed\n", left);
    }
    struct pollfd p = {.fd = GUARD_SOCK_FD, .events = POLLOUT};
    while (g->out.n > 0 && poll(&p, 1, FLUSH_MS) > 0) {
        flush_out(g);
    }
    free(spared);
    free(g->children.items);
    free(g->out.items);
}

int guard_main(int argc, char **argv)
{
    struct guard_state g = {0};
    int type = 0;
    socklen_t len = sizeof type;
    if (getsockopt(GUARD_SOCK_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
        type != SOCK_SEQPACKET) {
        fprintf(stderr, "kaos: __guard is started by kaos itself\n");
        return 64;
    }
    if (guard_init(&g) != 0) {
        fprintf(stderr, "kaos: guard: %s\n", strerror(errno));
        return 70;
    }
    serve(&g);
    end(&g);
    return 0;
}
