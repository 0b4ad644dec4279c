/* SPDX-License-Identifier: Apache-2.0 */
/* The live tail, beside writers in threads and in processes. */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "history/events.h"
#include "history/hist.h"

static struct err e;

static struct hist *writer(const char *role, int incarnation)
{
    struct hist *h = hist_open(test_dir(), &(struct hist_ident){role, 1, incarnation}, &e);
    CHECK(h != NULL);
    return h;
}

struct seen {
    uint64_t events, sent, marks;
    uint64_t last_seq[8];
};

static void take(void *arg, const struct event *ev)
{
    struct seen *s = arg;
    s->events++;
    CHECK_INT(ev->seq, s->last_seq[ev->proc] + 1);
    s->last_seq[ev->proc] = ev->seq;
    if (ev->kind == H_SEND) {
        CHECK_INT(event_int(ev, H_SEND_SEQ), s->sent);
        CHECK_STR(event_str(ev, H_SEND_TOPIC), "topic");
        s->sent += (uint64_t)event_int(ev, H_SEND_COUNT);
    }
    s->marks += ev->kind == H_REACHED;
}

static void send_one(struct hist *h, int64_t seq)
{
    hist_send(h, &(struct hist_send){.topic = hist_str(h, "topic"), .seq = seq, .txn = -1});
}

TEST(an_open_run_waits_until_it_is_closed)
{
    struct seen s = {0};
    struct tail *t = tail_new(test_dir());
    tail_poll(t, take, &s);
    struct hist *h = writer("w", 1);
    hist_add(h, H_REACHED, HP_FACT, 0, HS("a"));
    send_one(h, 0);
    send_one(h, 1);
    tail_poll(t, take, &s);
    CHECK_INT(s.events, 1);
    send_one(h, 2);
    hist_flush(h);
    tail_poll(t, take, &s);
    CHECK_INT(s.sent, 3);
    CHECK_INT(s.events, 2);
    send_one(h, 3);
    tail_flush(t, "w", 1, 1, take, &s);
    CHECK_INT(s.sent, 4);
    tail_poll(t, take, &s);
    CHECK_INT(s.events, 3);
    tail_free(t);
    hist_close(h);
}

TEST(new_processes_and_segments_are_found)
{
    struct seen s = {0};
    static char bytes[100000];
    struct tail *t = tail_new(test_dir());
    for (int p = 1; p <= 4; p++) {
        struct hist *h = writer("w", p);
        for (int i = 0; i < 10; i++) {
            hist_add(h, H_LOG, HP_FACT, 0, HB(bytes, sizeof bytes));
            tail_poll(t, take, &s);
            CHECK_INT(s.events, (p - 1) * 11 + i + 1);
        }
        hist_add(h, H_REACHED, HP_FACT, 0, HS("end"));
        hist_close(h);
        tail_poll(t, take, &s);
        CHECK_INT(s.marks, p);
    }
    tail_flush(t, "nobody", 1, 1, take, &s);
    CHECK_INT(s.events, 44);
    tail_free(t);
}

static void *write_thread(void *arg)
{
    struct hist *h = arg;
    static char bytes[2000];
    for (int64_t i = 0; i < 200000; i++) {
        send_one(h, i);
        if (i % 1000 == 0) {
            hist_add(h, H_EMIT, HP_FACT, 0, HS("k"), HB(bytes, sizeof bytes), HS("p"), HI(i));
        }
    }
    hist_add(h, H_REACHED, HP_FACT, 0, HS("end"));
    hist_close(h);
    return NULL;
}

TEST_LIMIT(a_tail_beside_a_writing_thread_sees_all_once, 30)
{
    struct seen s = {0};
    struct tail *t = tail_new(test_dir());
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, write_thread, writer("w", 1)) == 0);
    while (s.marks == 0) {
        tail_poll(t, take, &s);
    }
    pthread_join(thread, NULL);
    CHECK_INT(s.sent, 200000);
    tail_free(t);
}

static _Noreturn void send_for_ever(const char *dir)
{
    struct hist *h = hist_open(dir, &(struct hist_ident){"w", 1, 1}, &e);
    CHECK(h != NULL);
    for (int64_t i = 0;; i++) {
        send_one(h, i);
        if (i % 100 == 0) {
            hist_add(h, H_REACHED, HP_FACT, 0, HS("x"));
        }
    }
}

TEST_LIMIT(a_flush_after_a_kill_hands_out_what_is_in_the_file, 30)
{
    for (uint64_t round = 1; round <= 20; round++) {
        struct seen s = {0}, all = {0};
        char *dir = xasprintf("%s/%d", test_dir(), (int)round);
        CHECK(path_mkdirs(dir, 0700, &e) == 0);
        pid_t pid = fork();
        if (pid == 0) {
            send_for_ever(dir);
        }
        struct tail *t = tail_new(dir);
        while (s.sent < 500 * round) {
            tail_poll(t, take, &s);
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        tail_flush(t, "w", 1, 1, take, &s);
        struct events *es = events_open(dir, &e);
        CHECK(es && !es->damaged);
        for (size_t i = 0; i < es->n; i++) {
            take(&all, &es->items[i]);
        }
        CHECK_INT(s.sent, all.sent);
        CHECK_INT(s.events, all.events);
        events_free(es);
        tail_free(t);
        free(dir);
    }
}
