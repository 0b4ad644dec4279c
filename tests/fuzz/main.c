/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-broker [--seconds N] [--seed S] [--sessions N] [--verbose]: sessions with the seeds S, S +
 * 1,
 * ... in a child process; when it dies or hangs, the seed is printed and that session run again,
 * step by step. Exit code 0: nothing was found, and every api was asked and answered. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/call.h"
#include "session.h"

enum { HANG_S = 60, ENOUGH = 300 };

struct options {
    uint64_t seconds, seed, sessions;
    bool verbose;
};

static uint64_t seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec;
}

static void run_sessions(const struct options *o, struct session_stats *s)
{
    uint64_t end = seconds_now() + o->seconds;
    for (uint64_t k = 0; o->sessions ? k < o->sessions : k == 0 || seconds_now() < end; k++) {
        session_run(o->seed + k, o->verbose, s);
    }
}

static pid_t start_child(const struct options *o, struct session_stats *s)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_sessions(o, s);
        exit(0); /* looks for leaks */
    }
    return pid;
}

/** @return whether the child ended well. One that is stuck in a session is killed. */
static bool await_child(pid_t pid, const struct session_stats *s)
{
    uint64_t at = s->steps, since = seconds_now();
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (s->steps != at) {
            at = s->steps;
            since = seconds_now();
        } else if (seconds_now() - since > HANG_S) {
            fprintf(stderr, "fuzz: seed %" PRIu64 ": no step has ended for %d s\n", s->seed,
                    HANG_S);
            kill(pid, SIGABRT);
            since = seconds_now();
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/** A fuzzer that reaches nothing finds nothing. @return whether all apis were reached. */
static bool report(const struct session_stats *s)
{
    bool all = true;
    size_t n;
    const struct api *table = api_table(&n);
    printf("%" PRIu64 " sessions, %" PRIu64 " steps, %" PRIu64 " requests (%" PRIu64
           " spoiled, %" PRIu64 " bytes), %" PRIu64 " answers, %" PRIu64
           " connections ended, at most %zu kB in use\n",
           s->sessions, s->steps, s->frames, s->spoiled, s->bytes, s->answers, s->closed,
           s->most_memory >> 10);
    for (size_t i = 0; i < n; i++) {
        int16_t key = table[i].key;
        bool reached = s->answered[key] > 0 && s->good[key] > 0;
        printf("  %-28s %8" PRIu64 " asked %8" PRIu64 " answered %8" PRIu64 " without error%s\n",
               wire_api_name(key), s->asked[key], s->answered[key], s->good[key],
               reached ? "" : "  <- never reached");
        all = all && reached;
    }
    if (!all && s->sessions >= ENOUGH) {
        fprintf(stderr, "fuzz: an api was never answered without error\n");
        return false;
    }
    return true;
}

static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        uint64_t *number = strcmp(argv[i], "--seconds") == 0    ? &o->seconds
                           : strcmp(argv[i], "--seed") == 0     ? &o->seed
                           : strcmp(argv[i], "--sessions") == 0 ? &o->sessions
                                                                : NULL;
        if (strcmp(argv[i], "--verbose") == 0) {
            o->verbose = true;
        } else if (number && i + 1 < argc) {
            *number = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "fuzz-broker [--seconds N] [--seed S] [--sessions N] [--verbose]\n");
            return -1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = {.seconds = 10, .seed = 1};
    if (parse(argc, argv, &o) < 0) {
        return 64;
    }
    static char line[BUFSIZ];
    setvbuf(stdout, line, _IOLBF, sizeof line); /* what is allocated once is no leak of a session */
    setenv("TZ", "UTC0", 1);
    tzset();
    localtime_r(&(time_t){0}, &(struct tm){0});
    struct session_stats *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED) {
        perror("mmap");
        return 70;
    }
    if (await_child(start_child(&o, s), s)) {
        return report(s) ? 0 : 1;
    }
    uint64_t seed = s->seed;
    fprintf(stderr, "fuzz: found with seed %" PRIu64 " after %" PRIu64 " sessions; again:\n", seed,
            s->sessions);
    struct options again = {.seed = seed, .sessions = 1, .verbose = true};
    bool gone = await_child(start_child(&again, s), s);
    fprintf(stderr, "fuzz: %s; to repeat: fuzz-broker --seed %" PRIu64 " --sessions 1 --verbose\n",
            gone ? "the same session alone ends well: it depends on the ones before" : "it repeats",
            seed);
    return 1;
}
