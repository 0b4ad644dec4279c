/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/loop.h"
#include "test.h"

enum { THREADS = 4, POSTS = 5000 };

struct poster {
    struct loop *loop;
    int *left, last, id;
};
struct posted {
    struct poster *from;
    int value;
};

static void on_post(void *arg)
{
    struct posted *p = arg;
    CHECK_INT(p->value, p->from->last + 1);
    p->from->last = p->value;
    if (--*p->from->left == 0) {
        loop_stop(p->from->loop);
    }
    free(p);
}

static void *post_many(void *arg)
{
    struct poster *from = arg;
    for (int i = 1; i <= POSTS; i++) {
        struct posted *p = xmalloc(sizeof *p);
        *p = (struct posted){from, i};
        loop_post(from->loop, on_post, p);
    }
    return NULL;
}

static void nothing(void *arg)
{
}

TEST_LIMIT(posts_of_many_threads_arrive_once_and_in_order, 30)
{
    struct loop *l = loop_new();
    int left = THREADS * POSTS;
    struct poster from[THREADS];
    pthread_t threads[THREADS];
    struct timer *alive = timer_start(l, 60000, 60000, nothing, NULL);
    for (int i = 0; i < THREADS; i++) {
        from[i] = (struct poster){l, &left, 0, i};
        CHECK_INT(pthread_create(&threads[i], NULL, post_many, &from[i]), 0);
    }
    loop_run(l);
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK_INT(from[i].last, POSTS);
    }
    CHECK_INT(left, 0);
    timer_stop(alive);
    loop_free(l);
}

static char trace[64];

static void note_a(void *arg)
{
    strncat(trace, "a", sizeof trace - strlen(trace) - 1);
}

static void note_b(void *arg)
{
    strncat(trace, "b", sizeof trace - strlen(trace) - 1);
}

static void defers_twice(void *arg)
{
    loop_defer(arg, note_a, NULL);
    loop_defer(arg, note_b, NULL);
    CHECK_STR(trace, "b");
}

TEST(deferred_calls_run_later_and_in_order)
{
    struct loop *l = loop_new();
    loop_defer(l, note_b, NULL);
    loop_defer(l, defers_twice, l);
    CHECK_STR(trace, "");
    loop_run(l);
    CHECK_STR(trace, "bab");
    loop_free(l);
}

TEST(what_is_pending_at_the_end_still_runs)
{
    struct loop *l = loop_new();
    loop_post(l, note_a, NULL);
    loop_defer(l, note_b, NULL);
    loop_free(l);
    CHECK_STR(trace, "ab");
}

TEST(a_post_without_anything_active_is_run)
{
    struct loop *l = loop_new();
    loop_post(l, note_a, NULL);
    loop_run(l);
    CHECK_STR(trace, "a");
    loop_free(l);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

TEST(stop_ends_the_run_and_the_loop_can_run_again)
{
    struct loop *l = loop_new();
    struct timer *t = timer_start(l, 60000, 60000, nothing, NULL);
    loop_defer(l, stop, l);
    loop_run(l);
    loop_post(l, stop, l);
    loop_run(l);
    timer_stop(t);
    loop_run(l);
    loop_free(l);
}

struct ticker {
    struct loop *loop;
    struct timer *t;
    int n;
};

static void tick(void *arg)
{
    struct ticker *k = arg;
    if (++k->n == 3) {
        timer_stop(k->t);
    }
}

TEST(timers_fire_not_early_repeat_and_stop_inside_their_callback)
{
    struct loop *l = loop_new();
    struct ticker k = {l, NULL, 0};
    uint64_t start = clock_mono_ns();
    k.t = timer_start(l, 20, 10, tick, &k);
    loop_run(l);
    CHECK_INT(k.n, 3);
    CHECK((clock_mono_ns() - start) / 1000000 >= 38);
    timer_stop(NULL);
    loop_free(l);
}

static void count(void *arg)
{
    ++*(int *)arg;
}

TEST(a_single_shot_fires_once_and_a_stopped_one_never)
{
    struct loop *l = loop_new();
    int fired = 0, never = 0;
    timer_start(l, 1, 0, count, &fired);
    timer_stop(timer_start(l, 1, 0, count, &never));
    loop_run(l);
    CHECK_INT(fired, 1);
    CHECK_INT(never, 0);
    loop_free(l);
}

struct job {
    pthread_t thread;
    int stage;
};

static void job_work(void *arg)
{
    struct job *j = arg;
    j->thread = pthread_self();
    j->stage = 1;
}

static void job_done(void *arg)
{
    struct job *j = arg;
    CHECK_INT(j->stage, 1);
    CHECK(!pthread_equal(j->thread, pthread_self()));
    j->stage = 2;
}

TEST(work_runs_on_another_thread_and_completes_here)
{
    struct loop *l = loop_new();
    struct job j = {0};
    loop_work(l, job_work, job_done, &j);
    loop_run(l);
    CHECK_INT(j.stage, 2);
    loop_free(l);
}

static void on_usr1(void *arg)
{
    *(bool *)arg = true;
}

static void raise_usr1(void *arg)
{
    kill(getpid(), SIGUSR1);
}

TEST(signals_arrive_on_the_loop)
{
    struct loop *l = loop_new();
    bool seen = false;
    struct signals *s = signals_start(l, SIGUSR1, on_usr1, &seen);
    loop_defer(l, raise_usr1, NULL);
    struct timer *alive = timer_start(l, 5, 5, nothing, NULL);
    timer_start(l, 100, 0, stop, l);
    loop_run(l);
    CHECK(seen);
    signals_stop(s);
    timer_stop(alive);
    loop_free(l);
}

TEST(what_is_left_open_is_closed_by_the_loop)
{
    struct loop *l = loop_new();
    timer_start(l, 60000, 60000, nothing, NULL);
    signals_start(l, SIGUSR2, nothing, NULL);
    loop_free(l);
}

static void block(void *arg)
{
    nanosleep(&(struct timespec){.tv_sec = 2, .tv_nsec = 200000000}, NULL);
    loop_stop(arg);
}

TEST_LIMIT(the_end_has_its_time_also_after_a_long_callback, 20)
{
    struct loop *l = loop_new();
    int err[2], saved = dup(2);
    char text[64] = "";
    CHECK(pipe2(err, O_NONBLOCK) == 0);
    timer_start(l, 60000, 60000, nothing, NULL);
    loop_defer(l, block, l);
    loop_run(l);
    dup2(err[1], 2);
    loop_free(l);
    dup2(saved, 2);
    CHECK(read(err[0], text, sizeof text - 1) < 0); /* no warning */
    CHECK_STR(text, "");
}

static void hang(void *arg)
{
    char byte;
    ssize_t n = read(*(int *)arg, &byte, 1);
    (void)n;
}

TEST(hanging_work_is_named_and_does_not_hang_the_end)
{
    struct loop *l = loop_new();
    int fds[2], err[2], saved = dup(2);
    char text[512] = "";
    CHECK(pipe(fds) == 0 && pipe(err) == 0);
    loop_work(l, hang, NULL, &fds[0]);
    dup2(err[1], 2);
    uint64_t start = clock_mono_ns();
    loop_free(l);
    dup2(saved, 2);
    CHECK((clock_mono_ns() - start) / 1000000 < 5000);
    CHECK(read(err[0], text, sizeof text - 1) > 0);
    CHECK_HAS(text, "not everything ended");
    _exit(0); /* the loop cannot be freed while its work hangs, so the leak check has no say */
}

struct freeze {
    struct loop *loop;
    struct timer *repeated;
    uint64_t thawed_ns, fired_ns, again_ns;
};

static void be_still(void *arg)
{
    struct freeze *f = arg;
    usleep(400 * 1000);
    f->thawed_ns = clock_mono_ns();
}

static void fired(void *arg)
{
    struct freeze *f = arg;
    f->fired_ns = clock_mono_ns();
}

static void fired_again(void *arg)
{
    struct freeze *f = arg;
    f->again_ns = f->again_ns ? f->again_ns : clock_mono_ns();
    if (f->fired_ns) {
        timer_stop(f->repeated);
        loop_stop(f->loop);
    }
}

TEST(frozen_time_does_not_count_for_timers)
{
    struct freeze f = {.loop = loop_new()};
    timer_start(f.loop, 300, 0, fired, &f);
    f.repeated = timer_start(f.loop, 200, 50, fired_again, &f);
    loop_freeze(f.loop, be_still, &f);
    loop_run(f.loop);
    CHECK(f.fired_ns - f.thawed_ns >= 250 * 1000000ull);
    CHECK(f.again_ns - f.thawed_ns >= 150 * 1000000ull);
    loop_free(f.loop);
}
