/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in of a role that runs under an agent: passes the runner's frames on, writes the
 * history and the output that come back to where those of a local role would be, and ends the way
 * the role ended: with its exit code, or by its signal. When the agent is gone it dies by SIGKILL,
 * as the role did. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "history/mirror.h"
#include "io/link.h"
#include "io/proc.h"
#include "role/far.h"
#include "role/proto.h"

enum {
    CONNECT_MS = 3000,
    AGENT_MS = 30000, /* how long an agent may take to appear, e.g. a pod that is made anew */
    AGAIN_US = 200000,
    KILL_S = 3, /* the agent must have answered a SIGKILL by then */
};

struct standin {
    struct loop *loop;
    struct link *link;
    struct pipe_reader *pipe;
    struct mirror_copy *history;
};

static volatile sig_atomic_t continued;

static void on_cont(int signum)
{
    continued = 1;
}

/** Stands still until SIGCONT, unless that has come since the runner asked for the stop: it throws
 * away a stop signal that is pending. (SIGTSTP and not SIGSTOP because it can be blocked.) */
static void stand_still(void)
{
    sigset_t stop, old;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigprocmask(SIG_BLOCK, &stop, &old);
    signal(SIGTSTP, SIG_DFL);
    raise(SIGTSTP);
    if (continued) {
        signal(SIGTSTP, SIG_IGN); /* takes the pending one away */
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static _Noreturn void die_by(int signum)
{
    sigset_t one;
    signal(signum, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, signum);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    kill(getpid(), signum);
    _exit(128 + signum);
}

static int write_output(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, data, len);
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        data += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static void end_as(const char *data, size_t len)
{
    int32_t how[2];
    if (len == sizeof how) {
        memcpy(how, data, sizeof how);
        if (how[1] > 0 && how[1] < NSIG) {
            die_by(how[1]);
        }
        _exit(how[0]);
    }
}

static void on_history(struct standin *s, const char *data, size_t len)
{
    struct err e = {.msg = "history came before START"};
    if (!s->history || mirror_copy_write(s->history, data, len, &e) < 0) {
        fprintf(stderr, "%s\n", e.msg);
        _exit(ROLE_EXIT_HISTORY);
    }
}

static void from_agent(void *arg, uint8_t type, const char *data, size_t len)
{
    struct standin *s = arg;
    switch (type) {
    case FAR_HISTORY:
        on_history(s, data, len);
        break;
    case FAR_OUTPUT:
        write_output(data, len);
        break;
    case FAR_STOPPED:
        stand_still(); /* the runner looks at the state of its child */
        break;
    case FAR_EXIT:
        end_as(data, len);
        break;
    case FAR_REFUSED:
        fprintf(stderr, "the agent refused: %.*s\n", (int)len, data);
        _exit(ROLE_EXIT_AGENT);
    case PIPE_EOF:
        fprintf(stderr, "the agent is gone\n");
        die_by(SIGKILL);
    default:
        break;
    }
}

static void from_runner(void *arg, uint8_t type, const char *data, size_t len)
{
    struct standin *s = arg;
    if (type == PIPE_EOF) {
        _exit(ROLE_EXIT_BROKEN); /* the connection ends with us, and the agent kills the role */
    }
    if (type == ROLE_START) {
        json_t *j = json_loadb(data, len, 0, NULL);
        const char *dir = json_string_value(json_object_get(j, "history"));
        s->history = dir ? mirror_copy_new(dir, (int)getpid()) : NULL;
        json_decref(j);
    }
    if (type == ROLE_SIGNAL && len == sizeof(int32_t)) {
        int32_t signum;
        memcpy(&signum, data, sizeof signum);
        if (signum == SIGKILL) {
            signal(SIGALRM, SIG_DFL);
            alarm(KILL_S);
        } else if (signum == SIGSTOP) {
            continued = 0;
        }
    }
    link_send(s->link, type, data, (uint32_t)len);
}

static int reach_agent(const char *address, unsigned turn)
{
    uint64_t deadline = clock_mono_ns() + AGENT_MS * 1000000ull;
    struct err e;
    int fd;
    while ((fd = link_connect(address, turn, CONNECT_MS, &e)) < 0 && clock_mono_ns() < deadline) {
        usleep(AGAIN_US);
    }
    if (fd < 0) {
        fprintf(stderr, "no agent: %s\n", e.msg);
        _exit(ROLE_EXIT_AGENT);
    }
    return fd;
}

static void greet(struct standin *s)
{
    const char *token = getenv(FAR_TOKEN);
    json_t *j = json_pack("{s:s, s:s}", "kaos", KAOS_VERSION, "token", token ? token : "");
    char *text = json_dumps(j, JSON_COMPACT);
    link_send(s->link, FAR_HELLO, text, (uint32_t)strlen(text));
    free(text);
    json_decref(j);
}

int standin_main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "kaos: __far is started by kaos itself\n");
        return 64;
    }
    int fd = reach_agent(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    struct standin *s = xcalloc(1, sizeof *s);
    s->loop = loop_new();
    signal(SIGCONT, on_cont);
    s->link = link_new(s->loop, fd, from_agent, s);
    greet(s);
    s->pipe = pipe_reader_new(s->loop, PROC_CONTROL_FD, from_runner, s);
    loop_run(s->loop);
    return ROLE_EXIT_BROKEN;
}
