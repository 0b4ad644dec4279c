/* SPDX-License-Identifier: Apache-2.0 */
/* Hides that a program may be a wrapper: a shell, a launcher that forks, something that puts itself
 * into the background. A process of ours stands above it as a subreaper, so all that it starts
 * stays below one pid, is signalled as a whole (guard_signal_tree) and is waited for as a whole.
 * One thread; ends the way the program ended. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/guard.h"
#include "io/proc.h"

/* As shells have it. */
enum { EXIT_NOT_STARTED = 127 };

struct tree {
    pid_t program;
    int status; /**< of the program, once ended */
    bool ended;
};

static void on_reaped(void *arg, pid_t pid, int status)
{
    struct tree *t = arg;
    if (pid == t->program) {
        t->status = status;
        t->ended = true;
    }
}

/* @return whether nothing is left. */
static bool reap(struct tree *t)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        on_reaped(t, pid, status);
    }
    return pid < 0 && errno == ECHILD;
}

static _Noreturn void program_main(char **argv, pid_t parent, const sigset_t *mask)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_NOT_STARTED);
    }
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(argv[0], argv);
    fprintf(stderr, "kaos: cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(EXIT_NOT_STARTED);
}

static void wait_for_end(struct tree *t, const sigset_t *chld)
{
    uint64_t limit = 0;
    while (!reap(t)) {
        struct timespec step = {1, 0};
        uint64_t now = clock_mono_ns();
        if (t->ended && limit == 0) {
            limit = now + (uint64_t)TREE_GRACE_MS * 1000000;
        }
        if (limit && now >= limit) {
            guard_kill_tree(NULL, 0, GUARD_KILL_MS, on_reaped, t);
            return;
        }
        if (limit && limit - now < 1000000000u) {
            step = (struct timespec){0, (long)(limit - now)};
        }
        sigtimedwait(chld, NULL, &step);
    }
}

/* The same end as the program's, for whoever waits for us. */
static int end_like(int status)
{
    if (!WIFSIGNALED(status)) {
        return WEXITSTATUS(status);
    }
    const struct rlimit none = {0, 0};
    sigset_t one;
    setrlimit(RLIMIT_CORE, &none);
    signal(WTERMSIG(status), SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, WTERMSIG(status));
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

int tree_main(int argc, char **argv)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    struct tree t = {0};
    sigset_t chld, before;
    if (argc < 3) {
        fprintf(stderr, "kaos: __tree is started by kaos itself\n");
        return 64;
    }
    prctl(PR_SET_NAME, "kaos-tree");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        fprintf(stderr, "kaos: %s\n", strerror(errno));
        return 70;
    }
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, &before);
    pid_t self = getpid();
    t.program = fork();
    if (t.program == 0) {
        program_main(argv + 2, self, &before);
    }
    if (t.program < 0) {
        fprintf(stderr, "kaos: starting %s: %s\n", argv[2], strerror(errno));
        return EXIT_NOT_STARTED;
    }
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
        signal(ignored[i], SIG_IGN);
    }
    wait_for_end(&t, &chld);
    return end_like(t.status);
}
