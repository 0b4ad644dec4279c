/* SPDX-License-Identifier: Apache-2.0 */
/* Child programs of the tests. A constructor looks at argv before main() does, because the test
 * framework's main() knows nothing of roles. */
#include "children.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "io/loop.h"
#include "io/pipe.h"
#include "io/proc.h"
#include "io/procfs.h"

enum { CHAIN = 100000, RUNNER_CHILDREN = 6 };

bool wait_until(bool (*cond)(void *arg), void *arg, int limit_ms)
{
    uint64_t end = clock_mono_ns() + (uint64_t)limit_ms * 1000000;
    while (!cond(arg)) {
        if (clock_mono_ns() > end) {
            return cond(arg);
        }
        poll(NULL, 0, 3);
    }
    return true;
}

static bool has_text(const char *pid, const char *text)
{
    char path[300];
    struct buf b = {0};
    struct err e;
    snprintf(path, sizeof path, "/proc/%s/environ", pid);
    bool found = path_read(path, 0, &b, &e) == 0 && b.len > 0 &&
                 memmem(b.data, b.len, text, strlen(text)) != NULL;
    buf_free(&b);
    return found;
}

int signal_marked(const char *text, int signum)
{
    DIR *dir = opendir("/proc");
    int n = 0;
    for (struct dirent *d; dir && (d = readdir(dir));) {
        if (isdigit((unsigned char)d->d_name[0]) && has_text(d->d_name, text)) {
            kill((pid_t)strtol(d->d_name, NULL, 10), signum);
            n++;
        }
    }
    closedir(dir);
    return n;
}

int marked(const char *text)
{
    return signal_marked(text, 0);
}

pid_t parent_of(pid_t pid)
{
    struct procfs_stat s;
    return procfs_read_stat(pid, &s) && s.state != 'Z' && s.state != 'X' ? s.parent : 0;
}

static _Noreturn void hang(void)
{
    for (;;) {
        pause();
    }
}

/* fds: what a child inherits. */
static void print_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *d; (d = readdir(dir));) {
        char target[256] = "";
        int fd = (int)strtol(d->d_name, NULL, 10);
        if (isdigit((unsigned char)d->d_name[0]) && fd != dirfd(dir)) {
            ssize_t n = readlinkat(dirfd(dir), d->d_name, target, sizeof target - 1);
            target[n > 0 ? n : 0] = '\0';
            printf("%d %.4s;", fd, fd == 0 ? target + 5 : target); /* behind "/dev/" */
        }
    }
    closedir(dir);
}

static void print_status(void)
{
    struct buf b = {0};
    struct err e;
    if (path_read("/proc/self/status", 0, &b, &e) == 0) {
        char *blk = strstr(b.data, "SigBlk:"), *ign = strstr(b.data, "SigIgn:");
        printf("%.24s %.24s pgrp %d session %d", blk, ign, getpgrp() == getpid(),
               getsid(0) == getppid());
    }
    buf_free(&b);
}

/* tree: descendants that do all they can to get away. */
static void away(int how)
{
    pid_t pid = fork();
    if (pid != 0) {
        return;
    }
    if (how == 1) {
        setsid();
    } else if (how == 2) {
        setpgid(0, 0);
        raise(SIGSTOP);
    } else if (how == 3) {
        if (fork() != 0) {
            _exit(0);
        }
        setsid();
        if (fork() != 0) {
            _exit(0);
        }
    }
    hang();
}

static void make_tree(void)
{
    for (int how = 0; how < 4; how++) {
        away(how);
    }
    printf("tree\n");
    fflush(stdout);
    hang();
}

/* hop: always somebody new, until nobody comes to kill it. */
static void hop(bool new_session)
{
    printf("hop\n");
    fflush(stdout);
    for (int i = 0; i < CHAIN; i++) {
        if (fork() > 0) {
            _exit(0);
        }
        if (new_session) {
            setsid();
        }
    }
    hang();
}

/* frames: prints what comes down the control pipe. */
static void print_frame(void *arg, uint8_t type, const char *data, size_t len)
{
    printf("%u %zu %llx\n", type, len, (unsigned long long)hash_bytes(0, data ? data : "", len));
    fflush(stdout);
    if (type == PIPE_EOF || type == 99) {
        loop_stop(arg);
    }
}

static void print_frames(void)
{
    struct loop *l = loop_new();
    struct pipe_reader *r = pipe_reader_new(l, PROC_CONTROL_FD, print_frame, l);
    printf("ready\n");
    fflush(stdout);
    loop_run(l);
    pipe_reader_free(r);
    loop_free(l);
}

/* runner: starts trees until it is killed. */
static void run_trees(void)
{
    struct loop *l = loop_new();
    struct err e;
    struct guard *g = guard_start(l, &e);
    const char *argv[] = {NULL, "child-tree", NULL};
    struct proc_opts o = {.argv = argv, .log_path = "/dev/null", .control = true};
    for (int i = 0; g && i < RUNNER_CHILDREN; i++) {
        if (!proc_spawn(g, &o, &e)) {
            printf("%s\n", e.msg);
        }
    }
    loop_run(l);
}

/* The kernel holds the parent while a child of vfork is on its way, here until the file exists.
 * ThreadSanitizer makes a fork of vfork(), so it is asked of the kernel itself. */
static void wait_for_vforked(const char *file)
{
    long pid = syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        static const char up[] = "up\n";
        bool told = write(STDOUT_FILENO, up, sizeof up - 1) > 0;
        while (told && access(file, F_OK) != 0) {
            poll(NULL, 0, 3);
        }
        _exit(0);
    }
    printf("second\n");
}

static bool is(const char *role, const char *name)
{
    return strcmp(role, name) == 0;
}

static void run_role(const char *role, const char *arg)
{
    if (is(role, "child-fds")) {
        print_fds();
    } else if (is(role, "child-status")) {
        print_status();
    } else if (is(role, "child-env")) {
        char cwd[512];
        printf("%s in %s", getenv(arg) ? getenv(arg) : "nothing", getcwd(cwd, sizeof cwd));
    } else if (is(role, "child-exit")) {
        exit((int)strtol(arg, NULL, 10));
    } else if (is(role, "child-hang")) {
        hang();
    } else if (is(role, "child-tree")) {
        make_tree();
    } else if (is(role, "child-hop")) {
        hop(*arg != '\0');
    } else if (is(role, "child-vfork")) {
        wait_for_vforked(arg);
    } else if (is(role, "child-frames")) {
        print_frames();
    } else if (is(role, "child-runner")) {
        run_trees();
    } else {
        return;
    }
    exit(0);
}

__attribute__((constructor)) static void dispatch(int argc, char **argv, char **envp)
{
    if (argc > 1 && is(argv[1], "__guard")) {
        exit(guard_main(argc - 1, argv + 1));
    }
    if (argc > 1 && is(argv[1], "__tree")) {
        exit(tree_main(argc, argv));
    }
    if (argc > 1 && strncmp(argv[1], "child-", 6) == 0) {
        run_role(argv[1], argc > 2 ? argv[2] : "");
    }
}
