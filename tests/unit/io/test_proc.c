/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "children.h"
#include "io/loop.h"
#include "io/pipe.h"
#include "io/proc.h"
#include "test.h"

enum { SOON_MS = 8000, MANY = 40, MEGABYTE = 1 << 20 };

struct fixture {
    struct loop *loop;
    struct guard *guard;
    char *log;
    int exits, stop_after;
    struct proc_end end;
};

static void on_exit_of(void *arg, struct proc *p, struct proc_end end)
{
    struct fixture *f = arg;
    CHECK(!proc_alive(p));
    f->end = end;
    if (++f->exits == f->stop_after) {
        loop_stop(f->loop);
    }
}

static void setup(struct fixture *f)
{
    struct err e;
    *f = (struct fixture){.loop = loop_new(), .stop_after = 1};
    f->log = path_join(test_dir(), "log");
    f->guard = guard_start(f->loop, &e);
    CHECK(f->guard);
}

static void teardown(struct fixture *f)
{
    guard_stop(f->guard);
    loop_free(f->loop);
    free(f->log);
}

static struct proc *spawn(struct fixture *f, const char *role, const char *arg, bool control)
{
    const char *argv[] = {NULL, role, arg, NULL};
    struct proc_opts o = {
        .argv = argv, .log_path = f->log, .control = control, .on_exit = on_exit_of, .arg = f};
    struct err e;
    struct proc *p = proc_spawn(f->guard, &o, &e);
    if (!p) {
        test_fail(__FILE__, __LINE__, "%s: %s", role, e.msg);
    }
    return p;
}

static const char *read_log(struct fixture *f)
{
    static struct buf b;
    struct err e;
    b.len = 0;
    buf_puts(&b, "");
    path_read(f->log, 0, &b, &e);
    return b.data;
}

struct wanted {
    struct fixture *f;
    const char *text;
};

static bool log_has(void *arg)
{
    struct wanted *w = arg;
    return strstr(read_log(w->f), w->text) != NULL;
}

static void await_log(struct fixture *f, const char *text)
{
    CHECK(wait_until(log_has, &(struct wanted){f, text}, SOON_MS));
}

static bool is_gone(void *arg)
{
    return parent_of(*(pid_t *)arg) == 0;
}

static bool none_marked(void *arg)
{
    return marked(arg) == 0;
}

/* A text for the environment that no other process has. */
static char *new_mark(void)
{
    static char mark[64];
    static int n;
    snprintf(mark, sizeof mark, "KAOS_TEST_MARK=%d.%d.%llx", (int)getpid(), ++n,
             (unsigned long long)clock_mono_ns());
    return mark;
}

TEST_LIMIT(exit_codes_are_reported_once_each, 60)
{
    struct fixture f;
    setup(&f);
    f.stop_after = MANY;
    struct proc *p[MANY];
    char code[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(code, sizeof code, "%d", i);
        p[i] = spawn(&f, "child-exit", code, false);
    }
    loop_run(f.loop);
    CHECK_INT(f.exits, MANY);
    for (int i = 0; i < MANY; i++) {
        CHECK(!proc_alive(p[i]));
        CHECK_INT(proc_state(p[i]), 0);
        CHECK_INT(proc_signal(p[i], SIGTERM, false), -1);
        proc_free(p[i]);
    }
    teardown(&f);
    CHECK_INT(f.exits, MANY);
}

TEST(the_exit_code_and_the_signal_are_told_apart)
{
    struct fixture f;
    setup(&f);
    struct proc *p = spawn(&f, "child-exit", "7", false);
    loop_run(f.loop);
    CHECK_INT(f.end.code, 7);
    CHECK_INT(f.end.signal, 0);
    proc_free(p);
    f.exits = 0;
    p = spawn(&f, "child-hang", "", false);
    CHECK_INT(proc_signal(p, SIGTERM, false), 0);
    loop_run(f.loop);
    CHECK_INT(f.end.code, 0);
    CHECK_INT(f.end.signal, SIGTERM);
    proc_free(p);
    teardown(&f);
}

static bool is_stopped(void *arg)
{
    return proc_state(arg) == 'T';
}

TEST(a_paused_process_shows_its_state_and_dies_by_sigkill)
{
    struct fixture f;
    setup(&f);
    struct proc *p = spawn(&f, "child-hang", "", false);
    CHECK(parent_of(proc_pid(p)) > 0);
    CHECK_INT(proc_signal(p, SIGSTOP, true), 0);
    CHECK(wait_until(is_stopped, p, SOON_MS));
    CHECK_INT(proc_signal(p, SIGKILL, true), 0);
    loop_run(f.loop);
    CHECK_INT(f.end.signal, SIGKILL);
    proc_free(p);
    teardown(&f);
}

TEST(a_program_that_cannot_be_executed_is_named)
{
    struct fixture f;
    struct err e;
    setup(&f);
    const char *argv[] = {"/no/such/program", NULL};
    struct proc_opts o = {.argv = argv};
    CHECK(!proc_spawn(f.guard, &o, &e));
    CHECK_INT(e.kind, ERR_PROCESS);
    CHECK_INT(e.code, ENOENT);
    CHECK_HAS(e.msg, "/no/such/program: No such file");
    argv[0] = "true";
    o.cwd = "/no/such/folder";
    CHECK(!proc_spawn(f.guard, &o, &e));
    CHECK_HAS(e.msg, "/no/such/folder");
    o = (struct proc_opts){.argv = argv, .log_path = "/no/such/log"};
    CHECK(!proc_spawn(f.guard, &o, &e));
    CHECK_HAS(e.msg, "/no/such/log");
    teardown(&f);
}

TEST(a_program_is_looked_up_in_the_childs_path)
{
    struct fixture f;
    struct err e;
    setup(&f);
    char *tool = path_join(test_dir(), "kaos-test-tool");
    char *path = xasprintf("PATH=%s:%s", test_dir(), getenv("PATH"));
    const char script[] = "#!/bin/sh\necho tool $X; exit 3\n", *argv[] = {"kaos-test-tool", NULL};
    const char *env[] = {path, "X=one", NULL};
    CHECK_INT(path_write(tool, script, sizeof script - 1, &e), 0);
    CHECK_INT(chmod(tool, 0700), 0);
    struct proc_opts o = {
        .argv = argv, .env = env, .log_path = f.log, .on_exit = on_exit_of, .arg = &f};
    struct proc *p = proc_spawn(f.guard, &o, &e);
    CHECK(p);
    loop_run(f.loop);
    CHECK_INT(f.end.code, 3);
    CHECK_STR(read_log(&f), "tool one\n");
    proc_free(p);
    teardown(&f);
    free(tool);
    free(path);
}

TEST(environment_directory_and_appended_log)
{
    struct fixture f;
    struct err e;
    setup(&f);
    setenv("KAOS_TEST_X", "ours", 1);
    CHECK_INT(path_write(f.log, "old ", 4, &e), 0);
    const char *argv[] = {NULL, "child-env", "KAOS_TEST_X", NULL};
    const char *env[] = {"KAOS_TEST_X=theirs", NULL};
    struct proc_opts o = {.argv = argv,
                          .env = env,
                          .cwd = "/usr",
                          .log_path = f.log,
                          .on_exit = on_exit_of,
                          .arg = &f};
    struct proc *p = proc_spawn(f.guard, &o, &e);
    CHECK(p);
    loop_run(f.loop);
    CHECK_STR(read_log(&f), "old theirs in /usr");
    proc_free(p);
    teardown(&f);
}

TEST(a_child_inherits_no_descriptor_but_its_own)
{
    struct fixture f;
    int open_before[4], open_after[4]; /* inheritable on purpose */
    CHECK(pipe(open_before) == 0 && pipe(open_before + 2) == 0);
    setup(&f);
    CHECK(pipe(open_after) == 0 && pipe(open_after + 2) == 0);
    struct proc *p = spawn(&f, "child-fds", "", false), *q;
    loop_run(f.loop);
    char *want = xasprintf("0 null;1 %.4s;2 %.4s;", f.log, f.log);
    CHECK_STR(read_log(&f), want);
    f.exits = 0;
    q = spawn(&f, "child-fds", "", true);
    loop_run(f.loop);
    CHECK_HAS(read_log(&f) + strlen(want), "3 pipe;");
    CHECK(!strstr(read_log(&f) + strlen(want), "4 "));
    free(want);
    proc_free(p);
    proc_free(q);
    teardown(&f);
}

TEST(a_child_has_a_clean_signal_mask_and_a_group_of_its_own)
{
    struct fixture f;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setup(&f);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    struct proc *p = spawn(&f, "child-status", "", false);
    loop_run(f.loop);
    CHECK_STR(read_log(&f), "SigBlk:\t0000000000000000 SigIgn:\t0000000000000000 "
                            "pgrp 1 session 1");
    proc_free(p);
    teardown(&f);
}

static void send_and_expect(struct proc *p, struct buf *want, uint8_t type, size_t len)
{
    char *data = xmalloc(len + 1);
    for (size_t i = 0; i < len; i++) {
        data[i] = (char)(i * 7 + type);
    }
    proc_send(p, type, data, (uint32_t)len);
    buf_printf(want, "%u %zu %llx\n", type, len, (unsigned long long)hash_bytes(0, data, len));
    free(data);
}

TEST_LIMIT(frames_reach_a_slow_reader_whole_and_in_order, 30)
{
    struct fixture f;
    struct buf want = {0};
    setup(&f);
    struct proc *p = spawn(&f, "child-frames", "", true);
    await_log(&f, "ready\n");
    CHECK_INT(proc_signal(p, SIGSTOP, false), 0);
    CHECK(wait_until(is_stopped, p, SOON_MS));
    buf_puts(&want, "ready\n");
    send_and_expect(p, &want, 1,
                    (size_t)3 * MEGABYTE); /* does not fit into a pipe: must not block */
    send_and_expect(p, &want, 2, 0);
    for (uint8_t i = 3; i < 90; i++) {
        send_and_expect(p, &want, i, (size_t)i * 100);
    }
    send_and_expect(p, &want, 99, MEGABYTE);
    CHECK_INT(proc_signal(p, SIGCONT, false), 0);
    loop_run(f.loop);
    CHECK_INT(f.end.code, 0);
    CHECK_STR(read_log(&f), want.data);
    proc_send(p, 1, "late", 4);
    buf_free(&want);
    proc_free(p);
    teardown(&f);
}

TEST(a_reader_that_dies_is_not_an_error_and_ours_ending_is_seen)
{
    struct fixture f;
    setup(&f);
    struct proc *p = spawn(&f, "child-frames", "", true);
    await_log(&f, "ready\n");
    CHECK_INT(proc_signal(p, SIGSTOP, false), 0);
    char *big = xcalloc(1, MEGABYTE);
    proc_send(p, 1, big, MEGABYTE);
    CHECK_INT(proc_signal(p, SIGKILL, false), 0);
    CHECK(wait_until(is_gone, &(pid_t){proc_pid(p)}, SOON_MS));
    proc_send(p, 2, big, MEGABYTE);
    free(big);
    loop_run(f.loop);
    CHECK_INT(f.end.signal, SIGKILL);
    proc_free(p);
    teardown(&f);
}

TEST_LIMIT(stopping_the_guard_leaves_nothing, 30)
{
    char *mark = new_mark();
    struct fixture f;
    putenv(mark);
    setup(&f);
    unsetenv("KAOS_TEST_MARK"); /* the guard has it; children get it here */
    const char *argv[] = {NULL, "child-tree", NULL}, *env[] = {mark, NULL};
    struct proc_opts o = {
        .argv = argv, .env = env, .log_path = f.log, .on_exit = on_exit_of, .arg = &f};
    struct err e;
    struct proc *p = proc_spawn(f.guard, &o, &e), *q = spawn(&f, "child-hang", "", false);
    CHECK(p);
    await_log(&f, "tree\n");
    CHECK(marked(mark) >= 5);
    pid_t hanging = proc_pid(q);
    guard_stop(f.guard);
    CHECK_INT(marked(mark), 0);
    CHECK(is_gone(&hanging));
    CHECK_INT(f.exits, 0);
    CHECK(!proc_alive(p));
    proc_free(q); /* freed before its turn: no report */
    loop_run(f.loop);
    CHECK_INT(f.exits, 1);
    CHECK_INT(f.end.signal, SIGKILL);
    proc_free(p);
    loop_free(f.loop);
    free(f.log);
}

static pid_t start_runner(char *mark)
{
    char self[] = "kaos", role[] = "child-runner";
    char *argv[] = {self, role, NULL}, *env[] = {mark, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        execve("/proc/self/exe", argv, env);
        _exit(127);
    }
    return pid;
}

static int kill_runner_after(int delay_ms)
{
    char *mark = new_mark();
    pid_t pid = start_runner(mark);
    CHECK(pid > 0);
    usleep((useconds_t)delay_ms * 1000); /* the moment itself is what is tried */
    int seen = marked(mark);
    kill(pid, SIGKILL);
    uint64_t start = clock_mono_ns();
    waitpid(pid, NULL, 0);
    if (!wait_until(none_marked, mark, SOON_MS)) {
        test_fail(__FILE__, __LINE__, "killed after %d ms: %d are left", delay_ms, marked(mark));
    }
    uint64_t took_ms = (clock_mono_ns() - start) / 1000000;
    if (took_ms > 2000 && !getenv("KAOS_TEST_SLOW")) {
        test_fail(__FILE__, __LINE__, "killed after %d ms: %d ms to clean up", delay_ms,
                  (int)took_ms);
    }
    return seen;
}

TEST_LIMIT(nothing_survives_a_runner_killed_at_random_moments, 120)
{
    unsigned seed = (unsigned)clock_mono_ns();
    int seen = 0;
    printf("# seed %u\n", seed);
    for (int i = 0; i < 20; i++) {
        uint64_t range = i % 2 ? 250 : 40; /* while it spawns, and when all is running */
        seen += kill_runner_after(2 + (int)(hash_mix(seed, (uint64_t)i) % range));
    }
    CHECK(seen > 40); /* else the moments were all too early to mean anything */
}

static void catch_hoppers(const char *session)
{
    char *mark = new_mark();
    const char *env[] = {mark, NULL};
    const char *argv[] = {NULL, "child-hop", session, NULL};
    struct fixture f;
    struct err e;
    setup(&f);
    struct proc *p[4];
    struct proc_opts o = {.argv = argv, .env = env, .log_path = f.log};
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        CHECK((p[i] = proc_spawn(f.guard, &o, &e)));
    }
    await_log(&f, "hop\n");
    uint64_t start = clock_mono_ns();
    guard_stop(f.guard);
    printf("# took %d ms\n", (int)((clock_mono_ns() - start) / 1000000));
    CHECK_INT(marked(mark), 0);
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        proc_free(p[i]);
    }
    loop_free(f.loop);
    free(f.log);
}

TEST_LIMIT(processes_that_always_fork_anew_are_caught, 30)
{
    catch_hoppers("");
}

TEST_LIMIT(even_if_each_starts_a_session_of_its_own, 30)
{
    catch_hoppers("session");
}

TEST(a_released_child_survives_and_the_others_do_not)
{
    struct fixture f;
    struct err e;
    setup(&f);
    char *mark = new_mark();
    const char *env[] = {mark, NULL}, *argv[] = {NULL, "child-tree", NULL};
    struct proc_opts o = {.argv = argv,
                          .env = env,
                          .log_path = f.log,
                          .may_outlive = true,
                          .on_exit = on_exit_of,
                          .arg = &f};
    struct proc *kept = proc_spawn(f.guard, &o, &e), *other = spawn(&f, "child-hang", "", false);
    CHECK(kept);
    await_log(&f, "tree\n");
    pid_t pid = proc_pid(kept), gone = proc_pid(other);
    guard_release(f.guard, kept);
    guard_stop(f.guard);
    CHECK(is_gone(&gone));
    CHECK(!is_gone(&pid));
    CHECK(marked(mark) >= 4); /* with its children, but for the one that became an orphan */
    CHECK(proc_alive(kept));
    CHECK_INT(proc_signal(kept, SIGTERM, false), -1);
    proc_free(kept);
    loop_run(f.loop);
    CHECK_INT(f.exits, 1);
    proc_free(other);
    struct guard *g = guard_start(f.loop, &e); /* a guard of a later run does not know it */
    guard_stop(g);
    CHECK(!is_gone(&pid));
    kill(-pid, SIGKILL);
    signal_marked(mark, SIGKILL); /* what left the group */
    CHECK(wait_until(none_marked, mark, SOON_MS));
    loop_free(f.loop);
    free(f.log);
}

TEST_LIMIT(a_killed_guard_is_noticed_and_takes_its_children_along, 30)
{
    struct fixture f;
    struct err e;
    setup(&f);
    f.stop_after = 3;
    const char *argv[] = {NULL, "child-hang", NULL};
    struct proc_opts o = {.argv = argv, .may_outlive = true, .on_exit = on_exit_of, .arg = &f};
    struct proc *p[] = {spawn(&f, "child-hang", "", true), spawn(&f, "child-hang", "", false),
                        proc_spawn(f.guard, &o, &e)};
    pid_t pid[ARRAY_LEN(p)];
    CHECK(p[2]);
    kill(parent_of(proc_pid(p[0])), SIGKILL);
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        pid[i] = proc_pid(p[i]);
    }
    loop_run(f.loop);
    CHECK_INT(f.exits, 3);
    CHECK_INT(f.end.signal, SIGKILL);
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        CHECK(wait_until(is_gone, &pid[i], SOON_MS));
        CHECK_INT(proc_signal(p[i], SIGTERM, true), -1);
        proc_free(p[i]);
    }
    CHECK(!proc_spawn(f.guard, &o, &e));
    CHECK_INT(e.kind, ERR_PROCESS);
    CHECK_HAS(e.msg, "guard");
    teardown(&f);
    CHECK_INT(f.exits, 3);
}

TEST(a_guard_that_was_not_started_by_kaos_refuses)
{
    struct fixture f;
    setup(&f);
    struct proc *p = spawn(&f, "__guard", "", false);
    loop_run(f.loop);
    CHECK_INT(f.end.code, 64);
    proc_free(p);
    teardown(&f);
}

TEST(polite_signals_do_not_end_the_guard)
{
    static const int polite[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct fixture f;
    setup(&f);
    struct proc *p = spawn(&f, "child-hang", "", false), *q;
    for (size_t i = 0; i < ARRAY_LEN(polite); i++) {
        kill(parent_of(proc_pid(p)), polite[i]);
    }
    q = spawn(&f, "child-exit", "5", false);
    loop_run(f.loop);
    CHECK_INT(f.end.code, 5);
    CHECK(proc_alive(p));
    guard_stop(f.guard);
    proc_free(p);
    proc_free(q);
    loop_free(f.loop);
    free(f.log);
}

static void free_and_stop(void *arg, struct proc *p, struct proc_end end)
{
    struct fixture *f = arg;
    proc_free(p);
    guard_stop(f->guard);
    f->exits++;
}

TEST(on_exit_may_free_the_process_and_stop_the_guard)
{
    struct fixture f;
    struct err e;
    setup(&f);
    const char *argv[] = {NULL, "child-exit", "0", NULL};
    struct proc_opts o = {.argv = argv, .control = true, .on_exit = free_and_stop, .arg = &f};
    CHECK(proc_spawn(f.guard, &o, &e));
    loop_run(f.loop);
    CHECK_INT(f.exits, 1);
    loop_free(f.loop);
    free(f.log);
}

static bool is_awake(void *arg)
{
    return proc_state(arg) == 'S';
}

TEST(a_frozen_run_stops_and_only_what_it_stopped_goes_on)
{
    struct fixture f;
    setup(&f);
    struct proc *running = spawn(&f, "child-hang", "", false);
    struct proc *paused = spawn(&f, "child-hang", "", false);
    CHECK(wait_until(is_awake, running, SOON_MS));
    CHECK(wait_until(is_awake, paused, SOON_MS));
    proc_signal(paused, SIGSTOP, false);
    CHECK(wait_until(is_stopped, paused, SOON_MS));
    guard_freeze(f.guard);
    CHECK(wait_until(is_stopped, running, SOON_MS));
    guard_thaw(f.guard);
    CHECK(wait_until(is_awake, running, SOON_MS));
    CHECK(is_stopped(paused));
    f.stop_after = 2;
    proc_signal(running, SIGKILL, false);
    proc_signal(paused, SIGKILL, false);
    loop_run(f.loop);
    proc_free(running);
    proc_free(paused);
    teardown(&f);
}
