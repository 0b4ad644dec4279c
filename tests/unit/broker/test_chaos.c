/* SPDX-License-Identifier: Apache-2.0 */
/* What the broker does on purpose: connections that die on either side of a request, ends of
 * transactions that take their time, the same with the same seed. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "lab.h"
#include "test.h"
#include "wire/batch.h"
#include "wire/kafka_error.h"

enum { MS = 5000, TRIES = 60 };

static void create(struct admin *a, const char *name, int32_t partitions)
{
    struct admin_new_topic t = {.name = name, .partitions = partitions, .replicas = 1};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, MS, &e), 0);
}

static int64_t end_of(struct admin *a, const char *topic)
{
    struct admin_offset end;
    struct err e;
    CHECK_INT(admin_list_offsets(a, topic, 0, ADMIN_LATEST, ADMIN_READ_UNCOMMITTED, MS, &end, &e),
              0);
    return end.offset;
}

enum fate { ANSWERED, LOST_BEFORE, LOST_AFTER };

/** One Produce on a connection of its own, and what became of it. */
static enum fate produce_once(const struct lab *l, struct admin *a, const struct buf *blob)
{
    struct wire_msg m;
    int64_t before = end_of(a, "t");
    int fd = lab_connect(l);
    lab_produce(&m, "t", 0, blob);
    lab_send(fd, &m);
    char size[4];
    bool closed = recv(fd, size, sizeof size, MSG_PEEK) <= 0;
    if (!closed) {
        int64_t base;
        CHECK_INT(lab_produced(fd, &base), KAFKA_NONE);
        CHECK_INT(base, before);
    }
    close(fd);
    bool appended = end_of(a, "t") == before + 1;
    CHECK(closed || appended);
    return !closed ? ANSWERED : appended ? LOST_AFTER : LOST_BEFORE;
}

static void fates(uint64_t seed, enum fate out[TRIES])
{
    static const char *const settings[] = {"kaos.lost.connections.percent=50"};
    struct broker_opts o = {.seed = seed};
    struct lab *l = lab_start(&o, settings, 1);
    struct admin *a = lab_admin(l);
    struct buf blob = {0};
    const char *const value[] = {"v"};
    lab_batch(&blob, value, 1);
    create(a, "t", 1);
    for (int i = 0; i < TRIES; i++) {
        out[i] = produce_once(l, a, &blob);
    }
    buf_free(&blob);
    admin_close(a);
    lab_stop(l);
}

TEST(connections_die_on_either_side_of_an_append_as_the_seed_says)
{
    enum fate first[TRIES], second[TRIES], other[TRIES];
    int seen[3] = {0};
    fates(1, first);
    fates(1, second);
    fates(2, other);
    for (int i = 0; i < TRIES; i++) {
        seen[first[i]]++;
    }
    CHECK(seen[ANSWERED] > 10 && seen[LOST_BEFORE] > 5 && seen[LOST_AFTER] > 5);
    CHECK(memcmp(first, second, sizeof first) == 0);
    CHECK(memcmp(first, other, sizeof first) != 0);
}

TEST(only_writing_requests_are_struck)
{
    static const char *const settings[] = {"kaos.lost.connections.percent=50"};
    struct lab *l = lab_start(NULL, settings, 1);
    struct admin *a = lab_admin(l);
    create(a, "t", 1);
    for (int i = 0; i < TRIES; i++) { /* an admin client gives up when its connection ends */
        CHECK_INT(end_of(a, "t"), 0);
    }
    admin_close(a);
    lab_stop(l);
}

static int64_t stable_end(struct admin *a, int32_t partition)
{
    struct admin_offset end;
    struct err e;
    CHECK_INT(
        admin_list_offsets(a, "t", partition, ADMIN_LATEST, ADMIN_READ_UNCOMMITTED, MS, &end, &e),
        0);
    return end.offset;
}

/** Whether some of three partitions have their marker and others not, at some instant. */
static bool is_seen_half_done(struct admin *a, int64_t limit_ms)
{
    uint64_t until = clock_mono_ns() + (uint64_t)limit_ms * 1000000;
    bool half = false;
    for (int n = 0; n < 3 && clock_mono_ns() < until;) {
        n = 0;
        for (int32_t p = 0; p < 3; p++) {
            n += stable_end(a, p) == 1;
        }
        half = half || (n > 0 && n < 3);
    }
    return half;
}

TEST(the_end_of_a_transaction_takes_its_time)
{
    static const char *const settings[] = {"kaos.completion.max.ms=300"};
    struct broker_opts o = {.seed = 4};
    struct lab *l = lab_start(&o, settings, 1);
    struct admin *a = lab_admin(l);
    struct admin_tp parts[] = {{"t", 0}, {"t", 1}, {"t", 2}};
    int half = 0;
    struct err e;
    for (int i = 0; i < 6; i++) {
        struct txn t = {.id = "id"};
        create(a, "t", 3);
        CHECK_INT(txn_init(a, &t, 60000, MS, &e), 0);
        CHECK_INT(txn_add_partitions(a, &t, parts, 3, MS, &e), 0);
        CHECK_INT(txn_end(a, &t, true, MS, &e), 0);
        half += is_seen_half_done(a, MS);
        for (int32_t p = 0; p < 3; p++) {
            CHECK_INT(stable_end(a, p), 1);
        }
        const char *const name = "t";
        CHECK_INT(admin_delete_topics(a, &name, 1, MS, &e), 0);
    }
    CHECK(half > 0);
    admin_close(a);
    lab_stop(l);
}

static void transactional_batch(struct buf *out, const struct txn *t)
{
    struct record r = {
        .timestamp = 1000, .key_len = -1, .value = (const uint8_t *)"v", .value_len = 1};
    struct batch_opts o = {.transactional = true,
                           .producer_id = t->producer_id,
                           .producer_epoch = t->epoch,
                           .base_sequence = 0};
    struct err e;
    CHECK_INT(batch_write(out, &o, &r, 1, &e), 0);
}

/** A transaction of one offset, decided; a Produce 12 of the next one is on its way. */
static void send_behind_end(int fd, struct admin *a)
{
    struct txn t = {.id = "id", .v2 = true};
    struct admin_committed offset = {.topic = "t", .partition = 0, .offset = 42};
    struct buf blob = {0};
    struct wire_msg m;
    struct err e;
    create(a, "t", 1);
    CHECK_INT(txn_init(a, &t, 60000, MS, &e), 0);
    CHECK_INT(txn_commit_offsets(a, &t, "group", &offset, 1, MS, &e), 0);
    CHECK_INT(txn_end(a, &t, true, MS, &e), 0);
    transactional_batch(&blob, &t);
    lab_produce(&m, "t", 0, &blob);
    m.version = 12;
    wire_set_str(&m, &m.root, "TransactionalId", t.id);
    lab_send(fd, &m);
    buf_free(&blob);
}

/** @return the error of that Produce; *ms = how long it took. */
static int produce_behind_end(struct lab *l, uint64_t *ms)
{
    struct admin *a = lab_admin(l);
    struct wire_msg m;
    int fd = lab_connect(l);
    uint64_t began = clock_mono_ns();
    send_behind_end(fd, a);
    lab_read(fd, &m, API_PRODUCE, 12);
    *ms = (clock_mono_ns() - began) / 1000000;
    const struct wire_value *p = wire_at(wire_at(&m.root, "Responses", 0), "PartitionResponses", 0);
    int code = (int)wire_int(p, "ErrorCode");
    wire_free(&m);
    close(fd);
    admin_close(a);
    return code;
}

TEST(a_produce_waits_a_while_for_the_end_of_the_transaction_before)
{
    static const char *const never[] = {"kaos.completion.max.ms=60000"};
    static const char *const soon[] = {"kaos.completion.max.ms=1000",
                                       "add.partitions.to.txn.retry.backoff.max.ms=60000"};
    struct broker_opts o = {.seed = 1};
    uint64_t ms;
    struct lab *l = lab_start(&o, never, 1);
    CHECK_INT(produce_behind_end(l, &ms), KAFKA_CONCURRENT_TRANSACTIONS);
    CHECK(ms >= 100);
    lab_stop(l);
    l = lab_start(&o, soon, 2);
    CHECK_INT(produce_behind_end(l, &ms), KAFKA_NONE);
    lab_stop(l);
}

TEST(a_connection_and_the_broker_may_end_while_a_produce_waits)
{
    static const char *const never[] = {"kaos.completion.max.ms=60000",
                                        "add.partitions.to.txn.retry.backoff.max.ms=60000"};
    struct broker_opts o = {.seed = 1};
    struct lab *l = lab_start(&o, never, 2);
    struct admin *a = lab_admin(l);
    int fd = lab_connect(l);
    send_behind_end(fd, a);
    CHECK_INT(end_of(a, "t"), 0);
    close(fd);
    CHECK_INT(end_of(a, "t"), 0);
    fd = lab_connect(l); /* the transaction before is still being ended */
    struct wire_msg m;
    struct buf blob = {0};
    transactional_batch(&blob, &(struct txn){.id = "id", .epoch = 1});
    lab_produce(&m, "t", 0, &blob);
    m.version = 12;
    wire_set_str(&m, &m.root, "TransactionalId", "id");
    lab_send(fd, &m);
    CHECK_INT(end_of(a, "t"), 0);
    buf_free(&blob);
    admin_close(a);
    lab_stop(l);
    close(fd);
}
