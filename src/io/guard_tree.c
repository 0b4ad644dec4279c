/* SPDX-License-Identifier: Apache-2.0 */
/* Kills a tree of processes that does not want to die. The caller is a subreaper and
 * single-threaded: whoever loses its parent becomes its child, so "waitpid says there is no child"
 * proves that nothing is left, whatever changed its session or process group. Killing goes by
 * process group first: the kernel signals a group atomically against fork(), which ends fork bombs
 * that a walk over /proc would run after. No session outside the tree can share a group with a
 * process inside it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/guard.h"
#include "io/procfs.h"

enum { ROUND_MS = 5, FREEZE_MS = 1000 };

struct seen {
    pid_t pid;
    struct procfs_stat stat;
    bool inside, spared;
    bool held; /**< in the kernel, until a child that was stopped goes on (vfork) */
};
struct scan {
    struct seen *items;
    size_t n, cap;
};

static int by_pid(const void *a, const void *b)
{
    pid_t x = ((const struct seen *)a)->pid, y = ((const struct seen *)b)->pid;
    return (x > y) - (x < y);
}

static void scan_all(struct scan *all)
{
    DIR *dir = opendir("/proc");
    all->n = 0;
    for (struct dirent *d; dir && (d = readdir(dir));) {
        struct seen s = {.pid = (pid_t)strtol(d->d_name, NULL, 10)};
        if (s.pid > 0 && procfs_read_stat(s.pid, &s.stat)) {
            *VEC_PUSH(all) = s;
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (all->n > 0) {
        qsort(all->items, all->n, sizeof *all->items, by_pid);
    }
}

static bool is_one_of(pid_t pid, const pid_t *list, int n)
{
    for (int i = 0; i < n; i++) {
        if (list[i] == pid) {
            return true;
        }
    }
    return false;
}

static struct seen *parent_in(const struct scan *all, const struct seen *s)
{
    const struct seen key = {.pid = s->stat.parent};
    return bsearch(&key, all->items, all->n, sizeof key, by_pid);
}

/* Marks what stands under root; a pass per generation, children after parents or not. */
static void mark(struct scan *all, pid_t root, const pid_t *spared, int n)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < all->n; i++) {
            struct seen *s = &all->items[i];
            if (s->inside) {
                continue;
            }
            const struct seen *parent = parent_in(all, s);
            if (s->stat.parent == root || (parent && parent->inside)) {
                s->inside = more = true;
                s->spared = is_one_of(s->pid, spared, n) || is_one_of(s->stat.group, spared, n) ||
                            (parent && parent->spared);
            }
        }
    }
}

static int kill_marked(const struct scan *all)
{
    int left = 0;
    pid_t own = getpgrp(), last = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct seen *s = &all->items[i];
        if (!s->inside || s->spared) {
            continue;
        }
        left++;
        if (s->stat.group > 1 && s->stat.group != own && s->stat.group != last) {
            last = s->stat.group;
            kill(-s->stat.group, SIGKILL);
        }
        kill(s->pid, SIGKILL);
    }
    return left;
}

/* Our own children, newest orphans included, straight from the kernel: a process that lives for
 * less than a walk over /proc takes is met here. Without this file (a kernel option) the walk has
 * to do. */
static void kill_children(const pid_t *spared, int n)
{
    char text[4096], path[64], *at = text, *end;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[len > 0 ? len : 0] = '\0';
    for (pid_t pid; (pid = (pid_t)strtol(at, &end, 10)) > 0 && *end == ' '; at = end) {
        /* A whole number, and still unreaped because we reap nothing meanwhile: it is our child. */
        if (!is_one_of(pid, spared, n) && !is_one_of(getpgid(pid), spared, n)) {
            kill(pid, SIGKILL);
        }
    }
}

static bool reap(void (*reaped)(void *arg, pid_t pid, int status), void *arg)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        reaped(arg, pid, status);
    }
    return pid < 0 && errno == ECHILD;
}

int guard_kill_tree(const pid_t *spared, int n, int limit_ms,
                    void (*reaped)(void *arg, pid_t pid, int status), void *arg)
{
    struct scan all = {0};
    uint64_t end = clock_mono_ns() + (uint64_t)limit_ms * 1000000;
    int left = 0, empty = 0;
    for (;;) {
        if (reap(reaped, arg)) {
            left = 0;
            break;
        }
        kill_children(spared, n);
        scan_all(&all);
        mark(&all, getpid(), spared, n);
        left = kill_marked(&all);
        /* With spared children the proof by waitpid is missing: two looks in a row instead, because
         * a process may be reparented while the first one passes over /proc. */
        empty = left == 0 ? empty + 1 : 0;
        if ((n > 0 && empty == 2) || clock_mono_ns() > end) {
            break;
        }
        poll(NULL, 0, ROUND_MS);
    }
    free(all.items);
    return left;
}

/* Whoever calls vfork (shells and many runtimes do, to start a program) sleeps in state D until the
 * child has started its program. A child that is stopped before that never does, and its parent
 * cannot show T: the SIGSTOP it has will meet it on its way out of the kernel. */
static void mark_held(struct scan *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct seen *s = &all->items[i];
        if (s->inside && strchr("Tt", s->stat.state)) {
            for (s = parent_in(all, s); s && s->inside && s->stat.state == 'D';
                 s = parent_in(all, s)) {
                s->held = true;
            }
        }
    }
}

/* Stops all under root. Who was seen stopped has no more children, but one may have been born
 * behind the back of a walk over /proc: two walks in a row must find nobody running.
 * @return false when that takes too long. */
static bool freeze(struct scan *all, pid_t root)
{
    uint64_t end = clock_mono_ns() + (uint64_t)FREEZE_MS * 1000000;
    int quiet = 0;
    while (quiet < 2 && clock_mono_ns() < end) {
        bool running = false;
        scan_all(all);
        mark(all, root, NULL, 0);
        mark_held(all);
        for (size_t i = 0; i < all->n; i++) {
            const struct seen *s = &all->items[i];
            if (s->inside && !strchr("TtZX", s->stat.state)) {
                running = running || !s->held;
                kill(s->pid, SIGSTOP);
            }
        }
        quiet = running ? 0 : quiet + 1;
        if (running) {
            poll(NULL, 0, 1);
        }
    }
    return quiet == 2;
}

void guard_signal_tree(pid_t root, int signum)
{
    struct scan all = {0};
    bool frozen = true;
    if (signum == SIGSTOP || signum == SIGKILL) {
        frozen = freeze(&all, root);
    } else {
        scan_all(&all);
        mark(&all, root, NULL, 0);
    }
    for (size_t i = 0; signum != SIGSTOP && i < all.n; i++) {
        if (all.items[i].inside) {
            kill(all.items[i].pid, signum);
        }
    }
    if (signum == SIGSTOP ? frozen : signum == SIGKILL || signum == SIGCONT) {
        kill(root, signum == SIGSTOP ? SIGSTOP : SIGCONT);
    }
    free(all.items);
}
