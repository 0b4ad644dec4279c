/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that are wrappers: whatever they started is signalled and waited for as a whole. */
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "children.h"
#include "io/loop.h"
#include "io/proc.h"
#include "test.h"

enum { SOON_MS = 8000 };

struct fixture {
    struct loop *loop;
    struct guard *guard;
    struct proc *proc;
    char *log, mark[64];
    int exits;
    struct proc_end end;
};

static void on_exit_of(void *arg, struct proc *p, struct proc_end end)
{
    struct fixture *f = arg;
    f->end = end;
    f->exits++;
    loop_stop(f->loop);
}

static void start(struct fixture *f, const char *program, const char *script)
{
    struct err e;
    *f = (struct fixture){.loop = loop_new()};
    f->log = path_join(test_dir(), "log");
    f->guard = guard_start(f->loop, &e);
    CHECK(f->guard);
    snprintf(f->mark, sizeof f->mark, "KAOS_TREE_MARK=%d.%llx", (int)getpid(),
             (unsigned long long)clock_mono_ns());
    const char *argv[] = {program, "-c", script, NULL}, *env[] = {f->mark, NULL};
    f->proc = proc_spawn(f->guard,
                         &(struct proc_opts){.argv = argv,
                                             .env = env,
                                             .log_path = f->log,
                                             .tree = true,
                                             .on_exit = on_exit_of,
                                             .arg = f},
                         &e);
    if (!f->proc) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
}

static void end(struct fixture *f)
{
    proc_free(f->proc);
    guard_stop(f->guard);
    loop_free(f->loop);
    free(f->log);
}

static bool log_has(struct fixture *f, const char *text)
{
    struct buf b = {0};
    struct err e;
    bool has = path_read(f->log, 0, &b, &e) == 0 && b.data && strstr(b.data, text);
    buf_free(&b);
    return has;
}

static bool is_up(void *arg)
{
    return log_has(arg, "up\n");
}

static bool is_stopped(void *arg)
{
    return proc_state(((struct fixture *)arg)->proc) == 'T';
}

static bool runs_again(void *arg)
{
    return log_has(arg, "second\n");
}

/* The process of ours, three shells, two sleepers. */
static bool all_are_up(void *arg)
{
    return marked(((struct fixture *)arg)->mark) == 6;
}

/* A shell in front, one more behind it, and one that took a session of its own. */
static const char wrapper[] = "setsid sh -c 'sleep 1000; :' & sh -c 'echo up; sleep 1000; :'; :";

TEST_LIMIT(a_killed_wrapper_takes_all_that_it_started_with_it, 30)
{
    struct fixture f;
    start(&f, "sh", wrapper);
    CHECK(wait_until(is_up, &f, SOON_MS));
    CHECK(wait_until(all_are_up, &f, SOON_MS));
    CHECK_INT(proc_signal_tree(f.proc, SIGKILL), 0);
    loop_run(f.loop);
    CHECK_INT(f.end.signal, SIGKILL);
    CHECK_INT(marked(f.mark), 0);
    CHECK_INT(proc_signal_tree(f.proc, SIGKILL), -1);
    end(&f);
}

TEST_LIMIT(a_paused_tree_stands_still_as_a_whole, 30)
{
    static const char script[] = "sh -c 'echo up; i=0; until [ -e \"$0.go\" ]; do i=$((i+1)); "
                                 "echo $i; done; echo second' \"$LOG\" ; :";
    struct fixture f;
    setenv("LOG", test_dir(), 1);
    start(&f, "sh", script);
    CHECK(wait_until(is_up, &f, SOON_MS));
    CHECK_INT(proc_signal_tree(f.proc, SIGSTOP), 0);
    CHECK(wait_until(is_stopped, &f, SOON_MS));
    struct buf before = {0}, after = {0};
    struct err e;
    CHECK_INT(path_read(f.log, 0, &before, &e), 0);
    usleep(100000); /* time in which somebody who runs writes much */
    CHECK_INT(path_read(f.log, 0, &after, &e), 0);
    CHECK_INT(after.len, before.len);
    char *go = xasprintf("%s.go", test_dir());
    CHECK_INT(path_write(go, "", 0, &e), 0);
    CHECK_INT(proc_signal_tree(f.proc, SIGCONT), 0);
    CHECK(wait_until(runs_again, &f, SOON_MS));
    loop_run(f.loop);
    CHECK_INT(f.end.code, 0);
    unlink(go);
    free(go);
    buf_free(&before);
    buf_free(&after);
    end(&f);
}

/* As shells and many runtimes start a program: a pause may meet them on the way. */
TEST_LIMIT(a_tree_that_waits_for_a_vforked_child_can_be_paused, 30)
{
    struct fixture f;
    struct err e;
    char *go = xasprintf("%s/go", test_dir());
    /* above the shell stands a process of this very program */
    char *script = xasprintf("/proc/$PPID/exe child-vfork '%s'; :", go);
    start(&f, "sh", script);
    CHECK(wait_until(is_up, &f, SOON_MS));
    CHECK_INT(proc_signal_tree(f.proc, SIGSTOP), 0);
    CHECK(wait_until(is_stopped, &f, SOON_MS));
    CHECK_INT(path_write(go, "", 0, &e), 0);
    CHECK(!wait_until(runs_again, &f, 100)); /* time in which somebody who runs goes on */
    CHECK_INT(proc_signal_tree(f.proc, SIGCONT), 0);
    loop_run(f.loop);
    CHECK_INT(f.end.code, 0);
    CHECK(log_has(&f, "second\n"));
    unlink(go);
    free(go);
    free(script);
    end(&f);
}

TEST_LIMIT(a_paused_tree_can_be_killed, 30)
{
    struct fixture f;
    start(&f, "sh", wrapper);
    CHECK(wait_until(is_up, &f, SOON_MS));
    CHECK_INT(proc_signal_tree(f.proc, SIGSTOP), 0);
    CHECK(wait_until(is_stopped, &f, SOON_MS));
    CHECK_INT(proc_signal_tree(f.proc, SIGKILL), 0);
    loop_run(f.loop);
    CHECK_INT(f.end.signal, SIGKILL);
    CHECK_INT(marked(f.mark), 0);
    end(&f);
}

TEST_LIMIT(a_polite_signal_reaches_those_behind_and_their_end_is_waited_for, 30)
{
    struct fixture f;
    /* the shell in front dies of the signal at once, the one behind takes its time */
    start(&f, "sh",
          "sh -c 'trap \"sleep 0.3; echo polite; exit 0\" TERM; echo up; "
          "while :; do sleep 0.02; done'; :");
    CHECK(wait_until(is_up, &f, SOON_MS));
    CHECK_INT(proc_signal_tree(f.proc, SIGTERM), 0);
    loop_run(f.loop);
    CHECK_INT(f.end.signal, SIGTERM);
    CHECK(log_has(&f, "polite\n"));
    CHECK_INT(marked(f.mark), 0);
    end(&f);
}

TEST(the_end_of_the_program_is_the_end_that_is_reported)
{
    struct fixture f;
    start(&f, "sh", "exit 7");
    loop_run(f.loop);
    CHECK_INT(f.end.code, 7);
    CHECK_INT(f.end.signal, 0);
    end(&f);
    start(&f, "sh", "kill -SEGV $$");
    loop_run(f.loop);
    CHECK_INT(f.end.signal, SIGSEGV);
    end(&f);
}

TEST_LIMIT(what_a_program_leaves_behind_is_killed_after_a_grace, 30)
{
    struct fixture f;
    uint64_t began = clock_mono_ns();
    start(&f, "sh", "setsid sleep 1000 & exit 3");
    loop_run(f.loop);
    CHECK_INT(f.end.code, 3);
    CHECK(clock_mono_ns() - began >= (uint64_t)TREE_GRACE_MS * 1000000);
    CHECK_INT(marked(f.mark), 0);
    end(&f);
}

TEST(a_program_that_cannot_be_started_says_so_in_its_log)
{
    struct fixture f;
    start(&f, "no-such-program-anywhere", "");
    loop_run(f.loop);
    CHECK_INT(f.end.code, 127);
    CHECK(log_has(&f, "cannot start no-such-program-anywhere: No such file or directory"));
    end(&f);
}

TEST_LIMIT(nothing_of_a_tree_outlives_the_guard, 30)
{
    struct fixture f;
    start(&f, "sh", wrapper);
    CHECK(wait_until(is_up, &f, SOON_MS));
    guard_stop(f.guard);
    CHECK_INT(marked(f.mark), 0);
    loop_run(f.loop);
    CHECK_INT(f.exits, 1);
    proc_free(f.proc);
    loop_free(f.loop);
    free(f.log);
}
