/* SPDX-License-Identifier: Apache-2.0 */
/* The test program is its own role process: a constructor looks for `__role` before main runs. */
#include "lab.h"

#include <fcntl.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "history/deliveries.h"
#include "io/proc.h"
#include "role/proto.h"
#include "role/role.h"

__attribute__((constructor)) static void be_a_role(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "__role") == 0) {
        exit(role_main(argc - 1, argv + 1));
    }
}

const char *lab_bootstrap(void)
{
    const char *b = getenv("KAOS_TEST_BOOTSTRAP");
    if (!b || !*b) {
        test_skip("KAOS_TEST_BOOTSTRAP names no broker");
    }
    return b;
}

const char *lab_text(const char *fmt, ...)
{
    static struct buf kept[16];
    static unsigned n;
    struct buf *b = &kept[n++ % ARRAY_LEN(kept)];
    va_list ap;
    b->len = 0;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
    return b->data;
}

const char *lab_name(const char *prefix)
{
    static char names[8][64];
    static unsigned n;
    char *name = names[n++ % 8];
    snprintf(name, sizeof names[0], "%s-%d-%" PRIx64, prefix, (int)getpid(),
             clock_real_ns() & 0xffffffffff);
    return name;
}

void lab_topic(const char *name, int partitions)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", lab_bootstrap(), why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    CHECK(rk != NULL);
    rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(name, partitions, 1, why, sizeof why);
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &t, 1, NULL, q);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, 15000);
    CHECK(ev != NULL);
    if (rd_kafka_event_error(ev)) {
        test_fail(__FILE__, __LINE__, "creating %s: %s", name, rd_kafka_event_error_string(ev));
    }
    size_t n;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ev), &n);
    CHECK(n == 1 && rd_kafka_topic_result_error(results[0]) == 0);
    rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(q);
    rd_kafka_NewTopic_destroy(t);
    rd_kafka_destroy(rk);
}

static void put(struct lab_role *r, int type, const void *data, size_t len)
{
    uint8_t head[5] = {(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
                       (uint8_t)(len >> 24), (uint8_t)type};
    if (write(r->control, head, sizeof head) != sizeof head ||
        (len > 0 && write(r->control, data, len) != (ssize_t)len)) {
        return; /* the reader has ended: the case looks at how */
    }
}

void lab_frame(struct lab_role *r, int type, const char *text)
{
    put(r, type, text, strlen(text));
}

static void send_start(struct lab_role *r, const struct lab_start *s)
{
    char seed[32];
    char *table = xasprintf("%s/deliveries", test_dir());
    char *hist = xasprintf("%s/history", test_dir());
    snprintf(seed, sizeof seed, "%" PRIu64, s->seed);
    json_t *j =
        json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:b, s:b, s:{}, s:{}, s:s}", "scenario",
                  "t", "role", s->role, "index", s->index ? s->index : 1, "incarnation",
                  s->incarnation ? s->incarnation : 1, "seed", seed, "run", "r1", "bootstrap",
                  s->bootstrap ? s->bootstrap : "127.0.0.1:1", "history", hist, "faults_on",
                  s->faults_on, "draining", s->draining, "params", "env", "suffix", "");
    CHECK(j != NULL);
    if (s->deliveries) {
        struct err e;
        if (access(table, F_OK) != 0) {
            struct deliveries *d = deliveries_open(table, 16, &e);
            CHECK(d != NULL);
            deliveries_close(d);
        }
        json_object_set_new(j, "deliveries", json_string(table));
    }
    if (s->reader_topic) {
        json_object_set_new(j, "builtin", json_string("reader"));
        json_object_set_new(j, "topic", json_string(s->reader_topic));
    }
    char *text = json_dumps(j, JSON_COMPACT);
    lab_frame(r, ROLE_START, text);
    free(text);
    free(table);
    free(hist);
    json_decref(j);
}

static _Noreturn void exec_role(int control)
{
    char *log = xasprintf("%s/stderr", test_dir());
    int fd = open(log, O_CREAT | O_APPEND | O_WRONLY, 0600);
    dup2(fd, 2);
    dup2(control, PROC_CONTROL_FD);
    fcntl(PROC_CONTROL_FD, F_SETFD, 0);
    execl("/proc/self/exe", "unit-role", "__role", (char *)NULL);
    _exit(127);
}

struct lab_role lab_spawn(const struct lab_start *s)
{
    int fds[2];
    char *hist = xasprintf("%s/history", test_dir());
    mkdir(hist, 0700);
    free(hist);
    signal(SIGPIPE, SIG_IGN);
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    struct lab_role r = {.control = fds[1]};
    r.pid = fork();
    if (r.pid == 0) {
        exec_role(fds[0]);
    }
    close(fds[0]);
    if (s->text) {
        size_t len = strlen("t.lua") + 1 + strlen(s->text);
        char *file = xmalloc(len);
        memcpy(file, "t.lua", 6);
        memcpy(file + 6, s->text, len - 6);
        put(&r, ROLE_FILE, file, len);
        free(file);
    }
    send_start(&r, s);
    return r;
}

int lab_wait(struct lab_role *r)
{
    int status = 0;
    CHECK(waitpid(r->pid, &status, 0) == r->pid);
    close(r->control);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

struct events *lab_events(void)
{
    struct err e;
    char *hist = xasprintf("%s/history", test_dir());
    struct events *es = events_open(hist, &e);
    free(hist);
    return es;
}

static bool matches(const struct event *ev, const char *role, unsigned kind, int phase)
{
    return ev->kind == kind && (phase < 0 || ev->phase == phase) &&
           (!role || strcmp(ev->who->role, role) == 0);
}

size_t lab_count(const struct events *es, const char *role, unsigned kind, int phase)
{
    size_t n = 0;
    for (size_t i = 0; es && i < es->n; i++) {
        n += matches(&es->items[i], role, kind, phase);
    }
    return n;
}

int64_t lab_sum(const struct events *es, const char *role, unsigned kind, int phase, int slot)
{
    int64_t sum = 0;
    for (size_t i = 0; i < es->n; i++) {
        if (matches(&es->items[i], role, kind, phase)) {
            sum += event_int(&es->items[i], slot);
        }
    }
    return sum;
}

const struct event *lab_find(const struct events *es, const char *role, unsigned kind, size_t n)
{
    for (size_t i = 0; es && i < es->n; i++) {
        if (matches(&es->items[i], role, kind, -1) && n-- == 0) {
            return &es->items[i];
        }
    }
    return NULL;
}

void lab_until(const char *role, unsigned kind, int phase, size_t n)
{
    uint64_t limit = clock_mono_ns() + 20000000000u;
    for (;;) {
        struct events *es = lab_events();
        size_t have = lab_count(es, role, kind, phase);
        events_free(es);
        if (have >= n) {
            return;
        }
        if (clock_mono_ns() > limit) {
            test_fail(__FILE__, __LINE__, "%zu of %zu %s events came; stderr: %s", have, n,
                      hist_kind_info(kind)->name, lab_stderr());
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

const char *lab_stderr(void)
{
    static struct buf b;
    struct err e;
    char *log = xasprintf("%s/stderr", test_dir());
    b.len = 0;
    path_read(log, 1 << 20, &b, &e);
    free(log);
    return b.data ? b.data : "";
}
