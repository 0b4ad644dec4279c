/* SPDX-License-Identifier: Apache-2.0 */
/* Logs that have let go of segments take over the buffer that a large batch came in: what else is
 * in it, who else comes behind it, and where it goes. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "broker/conn.h"
#include "broker/part.h"
#include "lab.h"
#include "test.h"
#include "wire/batch.h"
#include "wire/kafka_error.h"

enum { MS = 5000, LARGE = 900000, SMALL = 20000, PIECES = 3, NAMED = 7, BY_ID = 13 };

/** One batch of one record, all of it one letter. */
struct piece {
    const char *topic;
    int32_t partition;
    size_t size;
    char fill;
};

static void fill_batch(struct buf *out, const struct piece *p, const struct txn *t,
                       int32_t sequence)
{
    char *value = xmalloc(p->size);
    struct record r = {
        .timestamp = 1000, .key_len = -1, .value = (uint8_t *)value, .value_len = (int32_t)p->size};
    struct batch_opts o = {.transactional = t && t->id,
                           .producer_id = t ? t->producer_id : -1,
                           .producer_epoch = t ? t->epoch : -1,
                           .base_sequence = t ? sequence : -1};
    struct err e;
    memset(value, p->fill, p->size);
    CHECK_INT(batch_write(out, &o, &r, 1, &e), 0);
    free(value);
}

static void topic_id(struct lab *l, const char *name, uint8_t id[static TOPIC_ID_BYTES])
{
    struct wire_msg m;
    int fd = lab_connect(l);
    size_t len;
    lab_request(&m, API_METADATA, 12);
    wire_set_str(&m, wire_add(&m, &m.root, "Topics"), "Name", name);
    lab_send(fd, &m);
    lab_read(fd, &m, API_METADATA, 12);
    memcpy(id, wire_blob(wire_at(&m.root, "Topics", 0), "TopicId", &len), TOPIC_ID_BYTES);
    wire_free(&m);
    close(fd);
}

static void trim(int fd, const char *topic, int32_t partitions, int64_t offset)
{
    struct wire_msg m;
    lab_request(&m, API_DELETE_RECORDS, 1);
    wire_set_int(&m.root, "TimeoutMs", MS);
    struct wire_value *t = wire_add(&m, &m.root, "Topics");
    wire_set_str(&m, t, "Name", topic);
    for (int32_t i = 0; i < partitions; i++) {
        struct wire_value *p = wire_add(&m, t, "Partitions");
        wire_set_int(p, "PartitionIndex", i);
        wire_set_int(p, "Offset", offset);
    }
    lab_send(fd, &m);
    lab_read(fd, &m, API_DELETE_RECORDS, 1);
    for (int32_t i = 0; i < partitions; i++) {
        const struct wire_value *p =
            wire_at(wire_at(&m.root, "Topics", 0), "Partitions", (size_t)i);
        CHECK_INT(wire_int(p, "ErrorCode"), KAFKA_NONE);
    }
    wire_free(&m);
}

static void send_piece(int fd, const struct piece *p, int acks)
{
    struct buf blob = {0};
    struct wire_msg m;
    fill_batch(&blob, p, NULL, -1);
    lab_produce(&m, p->topic, p->partition, &blob);
    wire_set_int(&m.root, "Acks", acks);
    lab_send(fd, &m);
    buf_free(&blob);
}

static void check_produced(int fd, int code, int64_t at)
{
    int64_t base;
    CHECK_INT(lab_produced(fd, &base), code);
    CHECK_INT(base, at);
}

/** A topic whose logs begin at 1. */
static void create_used(struct lab *l, const char *name, int32_t partitions,
                        const struct admin_pair *config)
{
    struct admin *a = lab_admin(l);
    struct admin_new_topic t = {.name = name,
                                .partitions = partitions,
                                .replicas = 1,
                                .configs = config,
                                .nconfigs = config ? 1 : 0};
    int fd = lab_connect(l);
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, MS, &e), 0);
    for (int32_t i = 0; i < partitions; i++) {
        send_piece(fd, &(struct piece){name, i, 10, '-'}, -1);
        check_produced(fd, KAFKA_NONE, 0);
    }
    trim(fd, name, partitions, 1);
    close(fd);
    admin_close(a);
}

static void check_batch(const uint8_t *p, size_t len, int64_t offset, size_t size, char fill)
{
    struct batch_iter it;
    struct batch b;
    struct record_iter records;
    struct record r;
    batch_iter_init(&it, p, len);
    CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
    CHECK_INT(b.base_offset, offset);
    record_iter_init(&records, &b);
    CHECK_INT(record_iter_next(&records, &r), 1);
    CHECK_INT(r.value_len, size);
    for (size_t i = 0; i < size; i++) {
        if (r.value[i] != (uint8_t)fill) {
            test_fail(__FILE__, __LINE__, "byte %zu is %d and not %c", i, r.value[i], fill);
        }
    }
    record_iter_free(&records);
}

static void check_stored(struct admin *a, const struct piece *p, int64_t offset)
{
    struct admin_fetched got;
    struct admin_fetch f = {.topic = p->topic, .partition = p->partition, .offset = offset};
    struct err e;
    CHECK_INT(admin_fetch(a, &f, MS, &got, &e), 0);
    check_batch(got.records, got.len, offset, p->size, p->fill);
    admin_fetched_free(&got);
}

/* ---- what was taken over ----------------------------------------------------------------------
 */

struct taken {
    const char *topic;
    int32_t partition;
    size_t n, bytes; /**< segments that were taken over, and the log's bytes */
    uint64_t used;
};

static void count_taken(struct broker *b, void *arg)
{
    struct taken *x = arg;
    const struct partition *p = part_find(b, x->topic, x->partition);
    x->n = 0;
    x->bytes = p->log.bytes;
    x->used = b->used;
    for (size_t i = 0; i < p->log.segments.n; i++) {
        x->n += p->log.segments.items[i]->kept.cap > 0;
    }
}

static struct taken taken(struct lab *l, const char *topic, int32_t partition)
{
    struct taken x = {.topic = topic, .partition = partition};
    lab_look(l, count_taken, &x);
    return x;
}

/* ---- one request, several batches -------------------------------------------------------------
 */

static void send_pieces(int fd, int16_t version, const struct piece *pieces,
                        uint8_t ids[][TOPIC_ID_BYTES])
{
    struct wire_msg m;
    struct buf blobs[PIECES] = {0};
    lab_request(&m, API_PRODUCE, version);
    wire_set_int(&m.root, "Acks", -1);
    wire_set_int(&m.root, "TimeoutMs", MS);
    for (int i = 0; i < PIECES; i++) {
        struct wire_value *t = wire_add(&m, &m.root, "TopicData");
        if (version >= BY_ID) {
            wire_set_blob(t, "TopicId", ids[i], TOPIC_ID_BYTES);
        } else {
            wire_set_str(&m, t, "Name", pieces[i].topic);
        }
        struct wire_value *p = wire_add(&m, t, "PartitionData");
        fill_batch(&blobs[i], &pieces[i], NULL, -1);
        wire_set_int(p, "Index", pieces[i].partition);
        wire_set_blob(p, "Records", blobs[i].data, blobs[i].len);
    }
    lab_send(fd, &m);
    for (int i = 0; i < PIECES; i++) {
        buf_free(&blobs[i]);
    }
}

static void check_answers(int fd, int16_t version, const struct piece *pieces,
                          uint8_t ids[][TOPIC_ID_BYTES], int64_t offset)
{
    struct wire_msg m;
    size_t len;
    lab_read(fd, &m, API_PRODUCE, version);
    for (size_t i = 0; i < PIECES; i++) {
        const struct wire_value *t = wire_at(&m.root, "Responses", i);
        const struct wire_value *p = wire_at(t, "PartitionResponses", 0);
        CHECK_INT(wire_int(p, "ErrorCode"), KAFKA_NONE);
        CHECK_INT(wire_int(p, "BaseOffset"), offset);
        if (version >= BY_ID) {
            CHECK(memcmp(wire_blob(t, "TopicId", &len), ids[i], TOPIC_ID_BYTES) == 0);
        } else {
            CHECK_STR(wire_str(t, "Name"), pieces[i].topic);
        }
    }
    wire_free(&m);
}

TEST(a_request_whose_buffer_is_taken_over_may_have_more_batches)
{
    static const char *const names[PIECES] = {"first", "second", "third"};
    uint8_t ids[PIECES][TOPIC_ID_BYTES];
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    int fd = lab_connect(l);
    int64_t offset = 1;
    for (int i = 0; i < PIECES; i++) {
        create_used(l, names[i], 1, NULL);
        topic_id(l, names[i], ids[i]);
    }
    for (int16_t version = NAMED; version <= BY_ID; version += BY_ID - NAMED) {
        for (int large = 0; large < PIECES; large++, offset++) {
            struct piece pieces[PIECES];
            for (int i = 0; i < PIECES; i++) {
                pieces[i] = (struct piece){names[i], 0, i == large ? LARGE : SMALL,
                                           (char)('a' + 3 * offset + i)};
            }
            size_t before = taken(l, names[large], 0).n;
            send_pieces(fd, version, pieces, ids);
            check_answers(fd, version, pieces, ids, offset);
            CHECK_INT(taken(l, names[large], 0).n, before + 1);
            for (int i = 0; i < PIECES; i++) {
                check_stored(a, &pieces[i], offset);
            }
        }
    }
    close(fd);
    admin_close(a);
    lab_stop(l);
}

/* ---- what comes behind it ---------------------------------------------------------------------
 */

TEST(requests_behind_one_that_was_taken_over_are_handled_in_order)
{
    enum { N = 6 };
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    int fd = lab_connect(l);
    create_used(l, "t", 1, NULL);
    for (int i = 0; i < N; i++) { /* without waiting for an answer, some get none */
        send_piece(fd, &(struct piece){"t", 0, i % 3 ? LARGE : SMALL, (char)('a' + i)}, i % 2);
    }
    for (int i = 1; i < N; i += 2) {
        check_produced(fd, KAFKA_NONE, 1 + i);
    }
    CHECK(taken(l, "t", 0).n > 0);
    for (int i = 0; i < N; i++) {
        check_stored(a, &(struct piece){"t", 0, i % 3 ? LARGE : SMALL, (char)('a' + i)}, 1 + i);
    }
    close(fd);
    admin_close(a);
    lab_stop(l);
}

TEST(a_large_batch_that_is_not_appended_leaves_nothing)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    int fd = lab_connect(l);
    struct txn t = {.producer_id = 77};
    struct piece piece = {"t", 0, LARGE, 'x'};
    struct buf blob = {0};
    struct wire_msg m;
    create_used(l, "t", 1, NULL);
    fill_batch(&blob, &piece, &t, 0);
    for (int i = 0; i < 2; i++) { /* the second is known again */
        lab_produce(&m, "t", 0, &blob);
        lab_send(fd, &m);
        check_produced(fd, KAFKA_NONE, 1);
    }
    CHECK_INT(taken(l, "t", 0).n, 1);
    blob.data[blob.len - 1000] ^= 1;
    lab_produce(&m, "t", 0, &blob);
    lab_send(fd, &m);
    check_produced(fd, KAFKA_CORRUPT_MESSAGE, -1);
    CHECK_INT(taken(l, "t", 0).n, 1);
    check_stored(a, &piece, 1);
    buf_free(&blob);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

TEST(with_the_time_of_the_broker_a_large_batch_is_another_one)
{
    const struct admin_pair config = {"message.timestamp.type", "LogAppendTime"};
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    int fd = lab_connect(l);
    struct piece piece = {"t", 0, LARGE, 'x'};
    create_used(l, "t", 1, &config);
    send_piece(fd, &piece, -1);
    check_produced(fd, KAFKA_NONE, 1);
    CHECK_INT(taken(l, "t", 0).n, 0);
    check_stored(a, &piece, 1);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

/* ---- memory -----------------------------------------------------------------------------------
 */

TEST(what_was_taken_over_counts_and_the_limit_is_kept)
{
    enum { LIMIT = 16 << 20, MOST = LIMIT / LARGE };
    struct broker_opts o = {.memory = LIMIT};
    struct lab *l = lab_start(&o, NULL, 0);
    int fd = lab_connect(l);
    struct piece piece = {"t", 0, LARGE, 'x'};
    create_used(l, "t", 1, NULL);
    uint64_t before = taken(l, "t", 0).used;
    for (int round = 0; round < 3; round++) {
        int64_t base = 0, last = 0;
        int n = 0, code;
        do {
            send_piece(fd, &piece, -1);
            code = lab_produced(fd, &base);
            last = code == KAFKA_NONE ? base : last;
            n++;
        } while (code == KAFKA_NONE && n <= MOST);
        struct taken full = taken(l, "t", 0);
        CHECK_INT(code, KAFKA_STORAGE_ERROR);
        CHECK(full.n > 0 && full.bytes >= full.n * LARGE);
        CHECK(full.used <= LIMIT);
        trim(fd, "t", 1, last + 1);
        CHECK(taken(l, "t", 0).used <= before);
    }
    close(fd);
    lab_stop(l);
}

static void count_writing(struct broker *b, void *arg)
{
    for (const struct conn *c = b->conns; c; c = c->next) {
        *(int *)arg += c->writing;
    }
}

TEST(an_answer_under_way_keeps_what_has_left_the_log)
{
    enum { PARTITIONS = 8 };
    struct lab *l = lab_start(NULL, NULL, 0);
    int fd = lab_connect(l), slow = lab_connect(l), writing = 0;
    struct wire_msg m, resp;
    size_t len;
    create_used(l, "t", PARTITIONS, NULL);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        send_piece(fd, &(struct piece){"t", i, LARGE, (char)('a' + i)}, -1);
        check_produced(fd, KAFKA_NONE, 1);
    }
    lab_request(&m, API_FETCH, 4);
    wire_set_int(&m.root, "MaxBytes", INT32_MAX);
    struct wire_value *t = wire_add(&m, &m.root, "Topics");
    wire_set_str(&m, t, "Topic", "t");
    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct wire_value *p = wire_add(&m, t, "Partitions");
        wire_set_int(p, "Partition", i);
        wire_set_int(p, "FetchOffset", 1);
        wire_set_int(p, "PartitionMaxBytes", INT32_MAX);
    }
    lab_send(slow, &m);
    CHECK(recv(slow, &(char){0}, 1, MSG_PEEK) == 1); /* the answer is under way */
    trim(fd, "t", PARTITIONS, 2);
    CHECK_INT(taken(l, "t", 0).bytes, 0);
    lab_look(l, count_writing, &writing);
    CHECK_INT(writing, 1);
    lab_read(slow, &resp, API_FETCH, 4);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        const struct wire_value *p =
            wire_at(wire_at(&resp.root, "Responses", 0), "Partitions", (size_t)i);
        const uint8_t *records = wire_blob(p, "Records", &len);
        check_batch(records, len, 1, LARGE, (char)('a' + i));
    }
    wire_free(&resp);
    close(fd);
    close(slow);
    lab_stop(l);
}

/* ---- one that waits ---------------------------------------------------------------------------
 */

TEST(a_large_batch_that_waits_for_the_end_of_a_transaction_has_a_buffer_of_its_own)
{
    static const char *const settings[] = {"kaos.completion.max.ms=300",
                                           "add.partitions.to.txn.retry.backoff.max.ms=60000"};
    struct broker_opts o = {.seed = 1};
    struct lab *l = lab_start(&o, settings, 2);
    struct admin *a = lab_admin(l);
    int fd = lab_connect(l);
    struct txn t = {.id = "id", .v2 = true};
    struct admin_committed offset = {.topic = "t", .partition = 0, .offset = 42};
    struct piece waits = {"t", 0, LARGE, 'w'}, behind = {"t", 0, LARGE, 'b'};
    struct buf blob = {0};
    struct wire_msg m;
    struct err e;
    create_used(l, "t", 1, NULL);
    CHECK_INT(txn_init(a, &t, 60000, MS, &e), 0);
    CHECK_INT(txn_commit_offsets(a, &t, "group", &offset, 1, MS, &e), 0);
    CHECK_INT(txn_end(a, &t, true, MS, &e), 0);
    fill_batch(&blob, &waits, &t, 0);
    lab_produce(&m, "t", 0, &blob);
    m.version = 12;
    wire_set_str(&m, &m.root, "TransactionalId", t.id);
    lab_send(fd, &m);
    send_piece(fd, &behind, -1);
    lab_read(fd, &m, API_PRODUCE, 12);
    const struct wire_value *p = wire_at(wire_at(&m.root, "Responses", 0), "PartitionResponses", 0);
    CHECK_INT(wire_int(p, "ErrorCode"), KAFKA_NONE);
    CHECK_INT(wire_int(p, "BaseOffset"), 1);
    wire_free(&m);
    check_produced(fd, KAFKA_NONE, 2);
    check_stored(a, &waits, 1);
    check_stored(a, &behind, 2);
    buf_free(&blob);
    close(fd);
    admin_close(a);
    lab_stop(l);
}
