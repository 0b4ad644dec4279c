/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what a server is: a child process that says where it listens, or one that runs already. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rows.h"

enum { LINE = 256 };

static void take_address(struct server *s, const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end;
    size_t len = colon ? (size_t)(colon - text) : 0;
    if (!colon || len >= sizeof s->host) {
        bench_die("%s is not HOST:PORT", text);
    }
    memcpy(s->host, text, len);
    s->host[len] = '\0';
    s->port = (int)strtol(colon + 1, &end, 10);
    snprintf(s->bootstrap, sizeof s->bootstrap, "%s:%d", s->host, s->port);
}

/** Never returns: becomes the server, whose end is our end. vfork: the time of a start must not
 *  depend on how much memory this program has. */
static _Noreturn void become(int out, char **command)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    execvp(command[0], command);
    _exit(127);
}

void server_start(struct server *s, char **command)
{
    int fds[2];
    char line[LINE];
    *s = (struct server){.pid = 0};
    if (command[0][0] == '@') {
        take_address(s, command[0] + 1);
        return;
    }
    if (pipe(fds) != 0) {
        bench_die("pipe: %s", strerror(errno));
    }
    s->pid = vfork();
    if (s->pid == 0) {
        close(fds[0]);
        become(fds[1], command);
    }
    close(fds[1]);
    FILE *f = fdopen(fds[0], "r");
    if (s->pid < 0 || !f || !fgets(line, sizeof line, f)) {
        bench_die("%s did not start", command[0]);
    }
    line[strcspn(line, "\n")] = '\0';
    const char *space = strrchr(line, ' ');
    take_address(s, space ? space + 1 : line);
    /* f stays open: the server may go on printing */
}

void server_stop(struct server *s)
{
    if (s->pid) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}

uint64_t server_cpu_ns(const struct server *s)
{
    clockid_t id;
    struct timespec ts;
    if (!s->pid || clock_getcpuclockid(s->pid, &id) != 0 || clock_gettime(id, &ts) != 0) {
        return 0;
    }
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

size_t server_rss(const struct server *s)
{
    char path[64], line[LINE];
    unsigned long kb = 0;
    if (!s->pid) {
        return 0;
    }
    snprintf(path, sizeof path, "/proc/%d/status", (int)s->pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "VmRSS: %lu kB", &kb) == 1) {
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    return (size_t)kb << 10;
}

/* ---- time -------------------------------------------------------------------------------------
 */

static uint64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t rows_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void span_start(struct span *t, const struct server *s)
{
    t->wall_ns = rows_now_ns();
    t->client_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    t->server_ns = server_cpu_ns(s);
}

void span_end(struct span *t, const struct server *s)
{
    t->wall_ns = rows_now_ns() - t->wall_ns;
    t->client_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID) - t->client_ns;
    t->server_ns = server_cpu_ns(s) - t->server_ns;
}

void span_print(const struct span *t, long operations)
{
    printf("%ld %.6f %.6f %.6f\n", operations, (double)t->wall_ns / 1e9, (double)t->client_ns / 1e9,
           (double)t->server_ns / 1e9);
}
