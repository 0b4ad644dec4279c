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

enum { ROUND_MS = 5 };

struct seen {
    pid_t pid, ppid, pgrp;
    bool inside, spared;
};
struct scan {
    struct seen *items;
    size_t n, cap;
};

/* The name in the second field may hold anything, so the fields are counted from the last ')'. */
static bool read_stat(const char *pid, struct seen *s)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) {
        return false;
    }
    text[n] = '\0';
    const char *rest = strrchr(text, ')');
    char state;
    s->pid = (pid_t)strtol(pid, NULL, 10);
    return rest && sscanf(rest + 1, " %c %d %d", &state, &s->ppid, &s->pgrp) == 3;
}

static void scan_all(struct scan *all)
{
    DIR *dir = opendir("/proc");
    all->n = 0;
    for (struct dirent *d; dir && (d = readdir(dir));) {
        struct seen s = {0};
        if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && read_stat(d->d_name, &s)) {
            *VEC_PUSH(all) = s;
        }
    }
    if (dir) {
        closedir(dir);
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

static int by_pid(const void *a, const void *b)
{
    pid_t x = ((const struct seen *)a)->pid, y = ((const struct seen *)b)->pid;
    return (x > y) - (x < y);
}

/* Marks what stands under us; a pass per generation, children after parents or not. */
static void mark(struct scan *all, const pid_t *spared, int n)
{
    qsort(all->items, all->n, sizeof *all->items, by_pid);
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < all->n; i++) {
            struct seen *s = &all->items[i], key = {.pid = s->ppid}, *parent;
            if (s->inside) {
                continue;
            }
            parent = bsearch(&key, all->items, all->n, sizeof key, by_pid);
            if (s->ppid == getpid() || (parent && parent->inside)) {
                s->inside = more = true;
                s->spared = is_one_of(s->pid, spared, n) || is_one_of(s->pgrp, spared, n) ||
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
        if (s->pgrp > 1 && s->pgrp != own && s->pgrp != last) {
            last = s->pgrp;
            kill(-s->pgrp, SIGKILL);
        }
        kill(s->pid, SIGKILL);
    }
    return left;
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
        scan_all(&all);
        mark(&all, spared, n);
        left = kill_marked(&all);
        /* With spared children the proof by waitpid is missing: two looks in a row instead, because
         * a process may be reparented while the first one passes over /proc. */
        empty = left == 0 ? empty + 1 : 0;
        if (empty == 2 || clock_mono_ns() > end) {
            break;
        }
        if (left > 0) {
            poll(NULL, 0, ROUND_MS);
        }
    }
    free(all.items);
    return left;
}
