/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a growing history: what it shows at any moment is a beginning of the original. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "history/events.h"
#include "history/hist.h"
#include "history/mirror.h"
#include "test.h"

enum { RECORDS = 200000 };
static struct err e;

static char *folder(const char *name)
{
    char *dir = path_join(test_dir(), name);
    CHECK_INT(path_mkdirs(dir, 0700, &e), 0);
    return dir;
}

static void into_copy(void *arg, const char *piece, size_t len)
{
    if (mirror_copy_write(arg, piece, len, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
}

static void carry(struct mirror_source *s, struct mirror_copy *c)
{
    int more;
    while ((more = mirror_source_poll(s, 1 << 16, into_copy, c, &e)) > 0) {
    }
    CHECK_INT(more, 0);
}

static void write_records(const char *dir, int64_t n)
{
    static char bytes[2000];
    struct hist *h = hist_open(dir, &(struct hist_ident){"w", 1, 1}, &e);
    CHECK(h != NULL);
    for (int64_t i = 0; i < n; i++) {
        hist_send(h, &(struct hist_send){.topic = hist_str(h, "t"), .seq = i, .txn = -1});
        if (i % 1000 == 0) {
            hist_add(h, H_EMIT, HP_FACT, 0, HS("k"), HB(bytes, sizeof bytes), HS("p"), HI(i));
        }
    }
    hist_add(h, H_REACHED, HP_FACT, 0, HS("end"));
    hist_close(h);
}

static void *write_thread(void *arg)
{
    write_records(arg, RECORDS);
    return NULL;
}

static uint64_t sent, marks;

static void take(void *arg, const struct event *ev)
{
    if (ev->kind == H_SEND) {
        CHECK_INT(event_int(ev, H_SEND_SEQ), sent);
        CHECK_STR(event_str(ev, H_SEND_TOPIC), "t");
        sent += (uint64_t)event_int(ev, H_SEND_COUNT);
    }
    marks += ev->kind == H_REACHED;
}

/** Event for event the same, and the same said of the process. */
static void check_same(const char *a, const char *b)
{
    struct events *x = events_open(a, &e), *y = events_open(b, &e);
    CHECK(x && y);
    CHECK_INT(x->n, y->n);
    CHECK_INT(x->damaged, y->damaged);
    CHECK_INT(x->procs[0].closed, y->procs[0].closed);
    for (size_t i = 0; i < x->n; i++) {
        json_t *p = event_json(&x->items[i]), *q = event_json(&y->items[i]);
        CHECK(json_equal(p, q));
        json_decref(p);
        json_decref(q);
    }
    events_free(x);
    events_free(y);
}

TEST_LIMIT(a_tail_of_the_copy_sees_all_once, 60)
{
    char *from = folder("from"), *to = folder("to");
    struct mirror_source *s = mirror_source_new(from);
    struct mirror_copy *c = mirror_copy_new(to, 0);
    struct tail *t = tail_new(to);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, write_thread, from) == 0);
    while (marks == 0) {
        carry(s, c);
        tail_poll(t, take, NULL);
    }
    pthread_join(thread, NULL);
    CHECK_INT(sent, RECORDS);
    carry(s, c);
    check_same(from, to);
    tail_free(t);
    mirror_copy_free(c);
    mirror_source_free(s);
    free(from);
    free(to);
}

/* The copy is made by another process, as a stand-in does it: half a record would be read here. */
TEST_LIMIT(a_reader_beside_the_copying_process_never_sees_half_a_record, 60)
{
    char *from = folder("from"), *to = folder("to");
    pid_t pid = fork();
    if (pid == 0) {
        struct mirror_source *s = mirror_source_new(from);
        struct mirror_copy *c = mirror_copy_new(to, 0);
        for (;;) {
            carry(s, c);
        }
    }
    struct tail *t = tail_new(to);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, write_thread, from) == 0);
    while (marks == 0) {
        tail_poll(t, take, NULL);
    }
    pthread_join(thread, NULL);
    CHECK_INT(sent, RECORDS);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    tail_free(t);
    free(from);
    free(to);
}

TEST_LIMIT(of_a_killed_writer_the_copy_has_what_the_original_has, 60)
{
    for (int round = 1; round <= 10; round++) {
        char *from = folder(round % 2 ? "a" : "b"), *to = folder(round % 2 ? "c" : "d");
        struct mirror_source *s = mirror_source_new(from);
        struct mirror_copy *c = mirror_copy_new(to, 0);
        struct tail *t = tail_new(to);
        sent = marks = 0;
        pid_t pid = fork();
        if (pid == 0) {
            write_records(from, INT64_MAX);
        }
        while (sent < 500u * (unsigned)round) {
            carry(s, c);
            tail_poll(t, take, NULL);
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        carry(s, c);
        check_same(from, to);
        tail_free(t);
        mirror_copy_free(c);
        mirror_source_free(s);
        CHECK(path_remove_all(from, &e) == 0 && path_remove_all(to, &e) == 0);
        free(from);
        free(to);
    }
}

struct kept {
    struct buf pieces[8];
    size_t n;
};

static void keep(void *arg, const char *piece, size_t len)
{
    struct kept *k = arg;
    CHECK(k->n < 8);
    buf_append(&k->pieces[k->n++], piece, len);
}

static int write_piece(struct mirror_copy *c, const struct buf *b)
{
    return mirror_copy_write(c, b->data, b->len, &e);
}

TEST(pieces_that_do_not_belong_are_refused)
{
    char *from = folder("from"), *to = folder("to");
    struct mirror_source *s = mirror_source_new(from);
    struct mirror_copy *c = mirror_copy_new(to, 0);
    struct kept k = {0};
    write_records(from, 1);
    CHECK_INT(mirror_source_poll(s, SIZE_MAX, keep, &k, &e), 0);
    CHECK_INT(k.n, 3); /* new, records, header */
    CHECK_INT(write_piece(c, &k.pieces[1]), -1);
    CHECK_HAS(e.msg, "not at all");
    struct buf evil = {0};
    buf_append(&evil, k.pieces[0].data, k.pieces[0].len);
    memcpy(evil.data + 1, "../", 3);
    CHECK_INT(write_piece(c, &evil), -1);
    for (size_t len = 0; len < k.pieces[0].len; len++) {
        CHECK_INT(mirror_copy_write(c, k.pieces[0].data, len, &e), -1);
    }
    CHECK_INT(write_piece(c, &k.pieces[0]), 0);
    CHECK_INT(write_piece(c, &k.pieces[0]), -1);
    CHECK_HAS(e.msg, "twice");
    CHECK_INT(mirror_copy_write(c, k.pieces[1].data, k.pieces[1].len - 8, &e), -1);
    CHECK_INT(write_piece(c, &k.pieces[2]), -1);
    CHECK_HAS(e.msg, "not its header");
    CHECK_INT(write_piece(c, &k.pieces[1]), 0);
    CHECK_INT(write_piece(c, &k.pieces[1]), -1);
    CHECK_HAS(e.msg, "not the records that follow");
    CHECK_INT(write_piece(c, &k.pieces[2]), 0);
    check_same(from, to);
    for (size_t i = 0; i < k.n; i++) {
        buf_free(&k.pieces[i]);
    }
    buf_free(&evil);
    mirror_copy_free(c);
    mirror_source_free(s);
    free(from);
    free(to);
}
