/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile and damaged segments: said, never a crash, never silently shorter. */
#include "test.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "history/events.h"
#include "history/format.h"
#include "history/hist.h"

static struct err e;

static void fill(struct hist *h, int n)
{
    static char bytes[3000];
    for (int i = 0; i < n; i++) {
        hist_deliver(h, &(struct hist_deliver){.topic = hist_str(h, "in"), .offset = i});
        hist_send(h, &(struct hist_send){.topic = hist_str(h, "out"), .seq = i, .txn = -1});
        hist_ack(h, HP_OK, &(struct hist_ack){.topic = hist_str(h, "out"), .seq = i});
        if (i % 5 == 0) {
            hist_add(h, H_EMIT, HP_FACT, 0, HS(i % 2 ? "a" : "b"), HB(bytes, (size_t)i * 11 % 3000),
                     HS("p"), HI(i));
        }
    }
}

/* Leaves the segments of a process that was killed: a writer that is never closed. */
static struct hist *make(const char *role, int n, bool close)
{
    struct hist *h = hist_open(test_dir(), &(struct hist_ident){role, 1, 1}, &e);
    CHECK(h != NULL);
    fill(h, n);
    if (close) {
        hist_close(h);
        h = NULL;
    }
    return h;
}

static struct events *reader(void)
{
    struct events *es = events_open(test_dir(), &e);
    if (!es) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    return es;
}

static char *file(const char *name)
{
    return path_join(test_dir(), name);
}

static void poke(const char *name, off_t at, const void *data, size_t len)
{
    char *path = file(name);
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && pwrite(fd, data, len, at) == (ssize_t)len);
    close(fd);
    free(path);
}

static void expect_damage(const char *what)
{
    struct events *es = reader();
    CHECK(es->damaged);
    CHECK_HAS(es->procs[0].damage, what);
    CHECK(!es->procs[0].closed);
    events_free(es);
}

TEST(a_torn_tail_is_said_and_is_not_damage)
{
    struct hist *h = make("w", 10, false);
    struct events *es = reader();
    size_t n = es->n;
    CHECK(!es->damaged && !es->procs[0].torn);
    events_free(es);
    struct rec *r = rec_begin(h, 64, H_DONE, HP_FACT); /* a kill before the size is stored */
    CHECK(r != NULL);
    es = reader();
    CHECK(!es->damaged && es->procs[0].torn);
    CHECK_INT(es->n, n);
    events_free(es);
    hist_close(h);
}

TEST(a_missing_segment_is_damage)
{
    make("w", 3000, true);
    char *a = file("w-1.1-1.seg");
    CHECK(unlink(a) == 0);
    expect_damage("segment 1 is missing");
    free(a);
}

TEST(a_missing_last_segment_is_damage)
{
    make("w", 3000, true);
    char *a = file("w-1.1-1.seg"), *b = file("w-1.1-2.seg");
    CHECK(unlink(a) == 0);
    CHECK(unlink(b) == 0);
    expect_damage("the segment after it is missing");
    free(a);
    free(b);
}

TEST(a_cut_file_is_damage)
{
    make("w", 20, true);
    char *a = file("w-1.1-0.seg");
    struct stat st;
    CHECK(stat(a, &st) == 0 && truncate(a, st.st_size - 40) == 0);
    expect_damage("the file was cut");
    free(a);
}

TEST(a_hole_in_a_killed_process_is_damage)
{
    struct hist *h = make("w", 20, false);
    poke("w-1.1-0.seg", 72, "\0\0\0\0", 4);
    expect_damage("records are missing in the middle");
    hist_close(h);
}

TEST(an_unreadable_file_beside_good_ones_is_said)
{
    make("w", 20, true);
    char *a = file("x.seg");
    CHECK(path_write(a, "hello", 5, &e) == 0);
    struct events *es = reader();
    CHECK(es->damaged);
    CHECK_INT(es->nprocs, 2);
    CHECK(es->procs[0].damage == NULL);
    CHECK_STR(es->procs[1].role, "x.seg");
    CHECK_HAS(es->procs[1].damage, "shorter than a header");
    events_free(es);
    free(a);
}

TEST(kinds_and_slots_of_a_newer_writer_are_kept_by_number)
{
    struct hist *h = make("w", 0, false);
    struct rec *r = rec_begin(h, sizeof *r + 16, H_NKINDS + 5, HP_OK);
    r->nslots = 2;
    ((int64_t *)(r + 1))[1] = 77;
    rec_commit(h, r, sizeof *r + 16);
    r = rec_begin(h, sizeof *r + 16, H_DONE, HP_FACT);
    r->nslots = 2; /* one more than this reader knows */
    ((int64_t *)(r + 1))[1] = 78;
    rec_commit(h, r, sizeof *r + 16);
    r = rec_begin(h, sizeof *r, H_DONE, HP_FACT); /* an older writer: none at all */
    rec_commit(h, r, sizeof *r);
    hist_close(h);
    struct events *es = reader();
    CHECK(!es->damaged);
    CHECK_INT(es->n, 3);
    json_t *j = event_json(&es->items[0]);
    CHECK_INT(json_integer_value(json_object_get(j, "kind")), H_NKINDS + 5);
    CHECK_INT(json_integer_value(json_object_get(json_object_get(j, "fields"), "1")), 77);
    json_decref(j);
    CHECK_INT(event_int(&es->items[1], 1), 78);
    CHECK_STR(event_str(&es->items[2], H_DONE_NAME), "");
    events_free(es);
}

TEST(times_of_another_host_are_shifted)
{
    enum { SHIFT_S = 500 };
    make("a", 1, true);
    make("b", 1, true);
    struct events *es = reader();
    uint64_t boot = 12345, mono = es->procs[1].mono_ns - SHIFT_S * 1000000000ull;
    CHECK_STR(es->procs[1].role, "b");
    events_free(es);
    poke("b-1.1-0.seg", offsetof(struct seg_header, boot), &boot, sizeof boot);
    poke("b-1.1-0.seg", offsetof(struct seg_header, mono_ns), &mono, sizeof mono);
    es = reader();
    const struct event *last = &es->items[es->n - 1];
    CHECK(!es->damaged);
    CHECK_STR(last->who->role, "b");
    CHECK((last->t - es->items[0].t) / 1000000000u >= SHIFT_S - 1);
    CHECK((last->t - es->items[0].t) / 1000000000u <= SHIFT_S + 60);
    events_free(es);
}

static void touch_event(void *arg, const struct event *ev)
{
    size_t *n = arg;
    json_t *j = event_json(ev);
    CHECK(j != NULL);
    *n += json_object_size(j);
    json_decref(j);
}

/* Reads everything there is, by both readers. */
static void read_all(size_t want)
{
    size_t touched = 0;
    struct events *es = events_open(test_dir(), &e);
    if (es) {
        bool torn = false;
        for (size_t i = 0; i < es->nprocs; i++) {
            torn |= es->procs[i].torn;
        }
        CHECK(es->damaged || torn || es->n >= want);
        for (size_t i = 0; i < es->n; i++) {
            touch_event(&touched, &es->items[i]);
        }
    }
    events_free(es);
    struct tail *t = tail_new(test_dir());
    tail_poll(t, touch_event, &touched);
    tail_flush(t, "w", 1, 1, touch_event, &touched);
    tail_free(t);
}

static uint64_t mutate(uint8_t *p, size_t *len, uint64_t x)
{
    static const uint8_t evil[] = {0, 1, 0x7f, 0x80, 0xff, 8};
    int n = 1 + (int)(x % 4);
    for (int i = 0; i < n; i++) {
        x = hash_mix(x, (uint64_t)i);
        size_t reach = x & 1 && *len > 400 ? 400 : *len;
        size_t at = (size_t)(x >> 8) % reach;
        if (x >> 1 & 1) {
            p[at] ^= (uint8_t)(1u << (x >> 4 & 7));
        } else {
            memset(p + at, evil[(x >> 4) % sizeof evil],
                   (x >> 2 & 3) == 0 && at + 8 <= *len ? 8 : 1);
        }
    }
    if (x % 11 == 0) {
        *len = (size_t)(x >> 8) % *len;
    }
    return x;
}

TEST_LIMIT(mutated_segments_never_crash_and_never_shrink_silently, 60)
{
    enum { ROUNDS = 1500 };
    CHECK(freopen("/dev/null", "w", stderr) != NULL);
    struct hist *open = make("w", 60, false);
    struct events *es = reader();
    size_t want = es->n;
    events_free(es);
    char *live = file("w-1.1-0.seg");
    struct buf killed = {0}, closed = {0};
    CHECK(path_read(live, 0, &killed, &e) == 0);
    hist_close(open);
    CHECK(path_read(live, 0, &closed, &e) == 0);
    uint8_t *copy = xmalloc(killed.len);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        const struct buf *from = i % 8 == 0 ? &killed : &closed;
        size_t len = from->len;
        memcpy(copy, from->data, len);
        mutate(copy, &len, hash_mix(42, i));
        CHECK(path_write(live, copy, len, &e) == 0);
        read_all(want);
    }
    buf_free(&killed);
    buf_free(&closed);
    free(copy);
    free(live);
}

TEST_LIMIT(random_garbage_never_crashes, 30)
{
    enum { ROUNDS = 400, MAX = 4096 };
    CHECK(freopen("/dev/null", "w", stderr) != NULL);
    char *path = file("w-1.1-0.seg");
    uint64_t words[MAX / 8];
    for (uint64_t i = 0; i < ROUNDS; i++) {
        for (size_t k = 0; k < MAX / 8; k++) {
            words[k] = hash_mix(i, k) & hash_mix(k, i) >> (i % 64);
        }
        struct seg_header hd = {.magic = SEG_MAGIC,
                                .version = SEG_VERSION,
                                .role_len = 1,
                                .index = 1,
                                .incarnation = 1,
                                .used = MAX,
                                .state = (uint32_t)(i % 4)};
        if (i % 10 != 0) { /* a good header, so that the records are reached */
            memcpy(words, &hd, sizeof hd);
            words[8] = 'w';
            words[9] = (words[9] & ~(uint64_t)0xffff00f8) | 0x58;
        }
        CHECK(path_write(path, words, sizeof words, &e) == 0);
        read_all(0);
    }
    free(path);
}
