/* SPDX-License-Identifier: Apache-2.0 */
/* retention.bytes and retention.ms: what leaves, what stays, and that nothing else does. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "lab.h"
#include "test.h"
#include "wire/batch.h"
#include "wire/kafka_error.h"

enum { MS = 5000, VALUE = 300000, BATCHES = 20, STORED = VALUE * BATCHES };

static void produce(int fd, const char *topic, size_t size)
{
    struct wire_msg m;
    struct buf blob = {0};
    char *value = xmalloc(size + 1);
    const char *const values[] = {value};
    int64_t base;
    memset(value, 'x', size);
    value[size] = '\0';
    lab_batch(&blob, values, 1);
    lab_produce(&m, topic, 0, &blob);
    lab_send(fd, &m);
    CHECK_INT(lab_produced(fd, &base), KAFKA_NONE);
    buf_free(&blob);
    free(value);
}

static int64_t bound(struct admin *a, const char *topic, int64_t which)
{
    struct admin_offset o;
    struct err e;
    CHECK_INT(admin_list_offsets(a, topic, 0, which, ADMIN_READ_UNCOMMITTED, MS, &o, &e), 0);
    return o.offset;
}

/** Bytes of batches that can be read, from the log's start to its end. */
static size_t readable(struct admin *a, const char *topic)
{
    int64_t at = bound(a, topic, ADMIN_EARLIEST), end = bound(a, topic, ADMIN_LATEST);
    size_t sum = 0;
    struct err e;
    while (at < end) {
        struct admin_fetched got;
        struct admin_fetch f = {.topic = topic, .offset = at};
        if (admin_fetch(a, &f, MS, &got, &e) < 0) {
            CHECK_INT(e.code, KAFKA_OFFSET_OUT_OF_RANGE);
            CHECK(bound(a, topic, ADMIN_EARLIEST) > at); /* it has left meanwhile */
            return readable(a, topic);
        }
        struct batch_iter it;
        struct batch b;
        batch_iter_init(&it, got.records, got.len);
        while (batch_iter_next(&it, &b) == BATCH_OK) {
            CHECK_INT(b.base_offset, at);
            CHECK(b.crc_ok);
            at += b.last_offset_delta + 1;
            sum += b.size;
        }
        admin_fetched_free(&got);
    }
    return sum;
}

static void create(struct admin *a, const char *name, const char *config, const char *value)
{
    struct admin_pair pair = {config, value};
    struct admin_new_topic t = {
        .name = name, .partitions = 1, .replicas = 1, .configs = &pair, .nconfigs = config ? 1 : 0};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, MS, &e), 0);
}

/** Waits until the log begins behind `offset`. */
static void await_start(struct admin *a, const char *topic, int64_t offset)
{
    uint64_t until = clock_mono_ns() + (uint64_t)MS * 1000000;
    while (bound(a, topic, ADMIN_EARLIEST) <= offset && clock_mono_ns() < until) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    CHECK(bound(a, topic, ADMIN_EARLIEST) > offset);
}

TEST(a_log_keeps_retention_bytes_and_at_most_a_segment_more)
{
    const char *const soon[] = {"log.retention.check.interval.ms=1"};
    enum { KEEP = 1000000, MORE = (1 << 20) + VALUE };
    struct lab *l = lab_start(NULL, soon, 1);
    struct admin *a = lab_admin(l);
    int fd = lab_connect(l);
    create(a, "bounded", "retention.bytes", "1000000");
    create(a, "whole", NULL, NULL);
    for (int i = 0; i < BATCHES; i++) {
        produce(fd, "bounded", VALUE);
        produce(fd, "whole", VALUE);
    }
    await_start(a, "bounded", BATCHES - (KEEP + MORE) / VALUE - 1);
    size_t left = readable(a, "bounded");
    CHECK(left >= KEEP && left <= KEEP + MORE);
    CHECK_INT(bound(a, "bounded", ADMIN_LATEST), BATCHES);
    CHECK_INT(bound(a, "whole", ADMIN_EARLIEST), 0);
    CHECK(readable(a, "whole") >= STORED);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

TEST(old_records_leave_and_offsets_go_on_but_the_state_of_transactions_stays)
{
    const char *const soon[] = {"log.retention.check.interval.ms=1", "log.retention.ms=0"};
    struct lab *l = lab_start(NULL, soon, 2);
    struct admin *a = lab_admin(l);
    int fd = lab_connect(l);
    struct txn t = {.id = "x"};
    struct err e;
    create(a, "t", NULL, NULL);
    create(a, "kept", "retention.ms", "-1");
    CHECK_INT(txn_init(a, &t, MS, MS, &e), 0);
    produce(fd, "kept", 10);
    produce(fd, "t", 10);
    await_start(a, "t", 0);
    produce(fd, "t", 10);
    await_start(a, "t", 1);
    CHECK_INT(bound(a, "t", ADMIN_LATEST), 2);
    CHECK_INT(bound(a, "kept", ADMIN_EARLIEST), 0);
    CHECK_INT(bound(a, "__transaction_state", ADMIN_EARLIEST), 0);
    CHECK(bound(a, "__transaction_state", ADMIN_LATEST) > 0);
    close(fd);
    admin_close(a);
    lab_stop(l);
}
