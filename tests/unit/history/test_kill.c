/* SPDX-License-Identifier: Apache-2.0 */
/* A writer killed between any two instructions loses nothing that it said it had written, and
 * nothing appears that it had not begun. */
#include "test.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/path.h"
#include "history/events.h"
#include "history/hist.h"

enum { PARTITIONS = 3, STREAMS = PARTITIONS + 3 };
enum { ST_SEND = PARTITIONS, ST_ACK, ST_LOG };

struct progress {
    volatile uint64_t begun, returned;
};

/* Which stream call i belongs to: bursts, so that runs are extended, broken and interleaved. */
static int stream_of(uint64_t seed, uint64_t i)
{
    uint64_t x = hash_mix(seed, i / 4);
    return x % 64 < 2 ? ST_LOG : (int)(((x >> 8) + (i & x >> 16 & 1)) % (STREAMS - 1));
}

static size_t log_size(uint64_t seed, uint64_t n)
{
    return hash_mix(seed ^ 1, n) % 9000;
}

static void call(struct hist *h, uint64_t seed, int stream, uint64_t n)
{
    static char bytes[9000];
    if (stream == ST_LOG) {
        char name[32];
        memset(bytes, (int)n & 0x7f, sizeof bytes);
        snprintf(name, sizeof name, "s%llu", (unsigned long long)(n % 50));
        hist_add(h, H_EMIT, HP_FACT, n, HS(name), HB(bytes, log_size(seed, n)), HS("p"), HI(n));
    } else if (stream == ST_SEND) {
        hist_send(h, &(struct hist_send){.producer = hist_str(h, "p"),
                                         .topic = hist_str(h, "t"),
                                         .partition = -1,
                                         .seq = (int64_t)n,
                                         .txn = -1});
    } else if (stream == ST_ACK) {
        hist_ack(h, HP_OK,
                 &(struct hist_ack){.producer = hist_str(h, "p"),
                                    .topic = hist_str(h, "t"),
                                    .seq = (int64_t)n,
                                    .offset = (int64_t)n});
    } else {
        hist_deliver(h, &(struct hist_deliver){.topic = hist_str(h, "in"),
                                               .partition = stream,
                                               .offset = (int64_t)n * 3});
    }
}

static _Noreturn void write_for_ever(const char *dir, uint64_t seed, struct progress *pr)
{
    struct err e;
    uint64_t counts[STREAMS] = {0};
    struct hist *h = hist_open(dir, &(struct hist_ident){"w", 1, 1}, &e);
    CHECK(h != NULL);
    for (uint64_t i = 0;; i++) {
        int s = stream_of(seed, i);
        __atomic_store_n(&pr->begun, i + 1, __ATOMIC_SEQ_CST);
        call(h, seed, s, counts[s]++);
        __atomic_store_n(&pr->returned, i + 1, __ATOMIC_SEQ_CST);
    }
}

/* Adds an event's calls to the counts; every call of a stream has the number that comes next. */
static void take(const struct event *ev, uint64_t seed, uint64_t *counts)
{
    size_t len;
    if (ev->kind == H_EMIT) {
        uint64_t n = counts[ST_LOG]++;
        char name[32];
        snprintf(name, sizeof name, "s%llu", (unsigned long long)(n % 50));
        const char *p = event_bytes(ev, H_EMIT_FIELDS, &len);
        CHECK_INT(event_int(ev, H_EMIT_TXN), n);
        CHECK_INT(ev->op, n);
        CHECK_STR(event_str(ev, H_EMIT_KIND), name);
        CHECK_INT(len, log_size(seed, n));
        CHECK(len == 0 || (p[0] == (char)(n & 0x7f) && p[len - 1] == p[0]));
    } else if (ev->kind == H_SEND) {
        CHECK_INT(event_int(ev, H_SEND_SEQ), counts[ST_SEND]);
        counts[ST_SEND] += (uint64_t)event_int(ev, H_SEND_COUNT);
    } else if (ev->kind == H_ACK) {
        CHECK_INT(event_int(ev, H_ACK_SEQ), counts[ST_ACK]);
        CHECK_INT(event_int(ev, H_ACK_OFFSET), counts[ST_ACK]);
        counts[ST_ACK] += (uint64_t)event_int(ev, H_ACK_COUNT);
    } else {
        CHECK_INT(ev->kind, H_DELIVER);
        int64_t p = event_int(ev, H_DELIVER_PARTITION);
        CHECK_INT(event_int(ev, H_DELIVER_FIRST), counts[p] * 3);
        counts[p] += (uint64_t)event_int(ev, H_DELIVER_COUNT);
        CHECK_INT(event_int(ev, H_DELIVER_LAST), (counts[p] - 1) * 3);
    }
}

static uint64_t check_prefix(const struct events *es, uint64_t seed, const struct progress *pr)
{
    uint64_t seen[STREAMS] = {0}, want[STREAMS] = {0}, total = 0;
    for (size_t i = 0; i < es->n; i++) {
        take(&es->items[i], seed, seen);
    }
    for (int s = 0; s < STREAMS; s++) {
        total += seen[s];
    }
    for (uint64_t i = 0; i < total; i++) {
        want[stream_of(seed, i)]++;
    }
    CHECK(total >= pr->returned && total <= pr->begun);
    CHECK(memcmp(seen, want, sizeof seen) == 0);
    return total;
}

static uint64_t one_round(uint64_t seed, struct progress *pr, bool *torn)
{
    struct err e = {0};
    char *dir = path_join(test_dir(), "h");
    CHECK(path_mkdirs(dir, 0700, &e) == 0);
    *pr = (struct progress){0};
    pid_t pid = fork();
    if (pid == 0) {
        write_for_ever(dir, seed, pr);
    }
    while (pr->begun == 0 && waitpid(pid, NULL, WNOHANG) == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    nanosleep(&(struct timespec){.tv_nsec = (long)(hash_mix(seed, 99) % 4000000)}, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    struct events *es = events_open(dir, &e);
    if (!es) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    if (es->damaged) {
        test_fail(__FILE__, __LINE__, "round %llu: %s", (unsigned long long)seed,
                  es->procs[0].damage);
    }
    CHECK(!es->procs[0].closed);
    *torn |= es->procs[0].torn;
    uint64_t total = check_prefix(es, seed, pr);
    events_free(es);
    CHECK(path_remove_all(dir, &e) == 0);
    free(dir);
    return total;
}

TEST_LIMIT(a_killed_writer_loses_none_and_invents_none, 60)
{
    enum { ROUNDS = 150 };
    struct progress *pr =
        mmap(NULL, sizeof *pr, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t total = 0;
    bool torn = false;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        total += one_round(seed, pr, &torn);
    }
    printf("# %d kills, %llu calls%s\n", ROUNDS, (unsigned long long)total,
           torn ? ", torn tails among them" : "");
    CHECK(total > ROUNDS);
}
