/* SPDX-License-Identifier: Apache-2.0 */
/* What a network may do to the broker. */
#include <arpa/inet.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "broker/conn.h"
#include "broker/part.h"
#include "lab.h"
#include "test.h"
#include "wire/batch.h"
#include "wire/kafka_error.h"

static void check_lives(struct lab *l)
{
    struct admin *a = lab_admin(l);
    struct admin_metadata m;
    struct err e;
    CHECK_INT(admin_metadata(a, NULL, 0, 5000, &m, &e), 0);
    admin_metadata_free(&m);
    admin_close(a);
}

static void put_frame(struct buf *b, int16_t api, int16_t version, const void *body, size_t len)
{
    uint32_t size = htonl((uint32_t)(10 + len));
    uint16_t head[2] = {htons((uint16_t)api), htons((uint16_t)version)}, none = 0xffff;
    uint32_t correlation = htonl(1);
    buf_append(b, &size, 4);
    buf_append(b, head, 4);
    buf_append(b, &correlation, 4);
    buf_append(b, &none, 2);
    buf_append(b, body, len);
}

static void check_closed(struct lab *l, const void *p, size_t len)
{
    int fd = lab_connect(l);
    lab_write(fd, p, len);
    CHECK(lab_is_closed(fd));
    close(fd);
}

TEST(what_is_no_request_ends_its_connection_and_nothing_else)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    static const uint8_t huge[] = {0x7f, 0xff, 0xff, 0xff}, negative[] = {0xff, 0xff, 0xff, 0xf0},
                         empty[] = {0, 0, 0, 0}, giant[] = {0x7f, 0xff, 0xff, 0xff},
                         minus[] = {0xff, 0xff, 0xff, 0xfe};
    struct buf b = {0};
    check_closed(l, huge, sizeof huge);
    check_closed(l, negative, sizeof negative);
    check_closed(l, empty, sizeof empty);
    check_closed(l, "GET / HTTP/1.1\r\n\r\n", 18);
    put_frame(&b, 3, 4, giant, sizeof giant); /* an array of two billion topics */
    check_closed(l, b.data, b.len);
    b.len = 0;
    put_frame(&b, 3, 4, minus, sizeof minus); /* of minus two */
    check_closed(l, b.data, b.len);
    b.len = 0;
    put_frame(&b, 999, 0, "", 0);
    check_closed(l, b.data, b.len);
    b.len = 0;
    put_frame(&b, 0, 2, "", 0); /* Produce 2: shown, not served */
    check_closed(l, b.data, b.len);
    buf_free(&b);
    check_lives(l);
    lab_stop(l);
}

TEST(every_cut_of_a_request_is_survived)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct wire_msg m;
    struct buf blob = {0}, frame = {0};
    struct err e;
    const char *const values[] = {"a"};
    lab_batch(&blob, values, 1);
    lab_produce(&m, "cut", 0, &blob);
    CHECK_INT(wire_encode_request(&m, 1, "lab", &frame, &e), 0);
    wire_free(&m);
    for (size_t cut = 4; cut < frame.len; cut++) {
        struct buf part = {0};
        uint32_t size = htonl((uint32_t)(cut - 4));
        buf_append(&part, &size, 4);
        buf_append(&part, frame.data + 4, cut - 4);
        int fd = lab_connect(l);
        lab_write(fd, part.data, part.len);
        CHECK(lab_is_closed(fd)); /* never a body that is cut and yet read */
        close(fd);
        buf_free(&part);
    }
    buf_free(&blob);
    buf_free(&frame);
    check_lives(l);
    lab_stop(l);
}

TEST(a_frame_may_come_byte_by_byte)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct wire_msg m;
    struct buf b = {0};
    struct err e;
    int fd = lab_connect(l);
    lab_request(&m, API_METADATA, 1);
    CHECK_INT(wire_encode_request(&m, 7, "lab", &b, &e), 0);
    wire_free(&m);
    for (size_t i = 0; i < b.len; i++) {
        lab_write(fd, b.data + i, 1);
    }
    lab_read(fd, &m, API_METADATA, 1);
    CHECK_INT(wire_count(&m.root, "Brokers"), 1);
    wire_free(&m);
    buf_free(&b);
    close(fd);
    lab_stop(l);
}

static void send_fetch(int fd, const char *topic, int64_t offset, int wait_ms)
{
    struct wire_msg m;
    lab_request(&m, API_FETCH, 11);
    wire_set_int(&m.root, "MaxWaitMs", wait_ms);
    wire_set_int(&m.root, "MinBytes", 1);
    wire_set_int(&m.root, "MaxBytes", 50 << 20);
    struct wire_value *t = wire_add(&m, &m.root, "Topics");
    wire_set_str(&m, t, "Topic", topic);
    struct wire_value *p = wire_add(&m, t, "Partitions");
    wire_set_int(p, "FetchOffset", offset);
    wire_set_int(p, "PartitionMaxBytes", 50 << 20);
    lab_send(fd, &m);
}

TEST(answers_keep_their_order_also_behind_a_long_poll)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct wire_msg m;
    struct admin *a = lab_admin(l);
    struct admin_new_topic t = {.name = "t", .partitions = 1, .replicas = 1};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, 5000, &e), 0);
    admin_close(a);
    int fd = lab_connect(l);
    send_fetch(fd, "t", 0, 300);
    lab_request(&m, API_METADATA, 1);
    lab_send(fd, &m);
    uint64_t began = clock_mono_ns();
    lab_read(fd, &m, API_FETCH, 11);
    CHECK(clock_mono_ns() - began > 200 * 1000000ull);
    wire_free(&m);
    lab_read(fd, &m, API_METADATA, 1);
    CHECK_INT(wire_count(&m.root, "Brokers"), 1);
    wire_free(&m);
    close(fd);
    lab_stop(l);
}

static void produce_large(int fd, const char *topic, size_t size, int64_t *base)
{
    struct wire_msg m;
    struct buf blob = {0};
    char *value = xmalloc(size + 1);
    memset(value, 'x', size);
    value[size] = '\0';
    const char *const values[] = {value};
    lab_batch(&blob, values, 1);
    lab_produce(&m, topic, 0, &blob);
    lab_send(fd, &m);
    CHECK_INT(lab_produced(fd, base), KAFKA_NONE);
    buf_free(&blob);
    free(value);
}

TEST_LIMIT(a_reader_that_does_not_read_delays_nobody_else, 30)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    struct admin_new_topic t = {.name = "t", .partitions = 1, .replicas = 1};
    struct err e;
    struct wire_msg m;
    int64_t base;
    CHECK_INT(admin_create_topics(a, &t, 1, 5000, &e), 0);
    int fd = lab_connect(l), slow[8];
    for (int i = 0; i < 12; i++) {
        produce_large(fd, "t", 900000, &base);
    }
    CHECK_INT(base, 11);
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        slow[i] = lab_connect(l);
        for (int k = 0; k < 12; k++) {
            send_fetch(slow[i], "t", k, 0);
        }
    }
    uint64_t began = clock_mono_ns();
    for (int i = 0; i < 50; i++) {
        produce_large(fd, "t", 100, &base);
    }
    CHECK(clock_mono_ns() - began < 5 * 1000000000ull);
    for (int k = 0; k < 12; k++) { /* and the slow one gets it all, in order */
        lab_read(slow[0], &m, API_FETCH, 11);
        const struct wire_value *p = wire_at(wire_at(&m.root, "Responses", 0), "Partitions", 0);
        struct batch_iter it;
        struct batch b;
        size_t len;
        const uint8_t *records = wire_blob(p, "Records", &len);
        batch_iter_init(&it, records, len);
        CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
        CHECK_INT(b.base_offset, k);
        wire_free(&m);
    }
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        close(slow[i]);
    }
    close(fd);
    admin_close(a);
    check_lives(l);
    lab_stop(l);
}

TEST_LIMIT(memory_follows_what_arrives_and_not_what_is_promised, 30)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct rusage before, after;
    static const uint8_t promise[] = {0x05, 0xf0, 0, 0}; /* just below 100 MB */
    int fds[50];
    getrusage(RUSAGE_SELF, &before);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = lab_connect(l);
        lab_write(fds[i], promise, sizeof promise);
        lab_write(fds[i], "some", 4);
    }
    check_lives(l);
    getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_maxrss - before.ru_maxrss < 100 << 10); /* kB; promised were 5 GB */
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        close(fds[i]);
    }
    lab_stop(l);
}

TEST_LIMIT(many_connections_come_and_go, 30)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    int fds[400];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = lab_connect(l);
        send_fetch(fds[i], "none", 0, 10000); /* an error: answered at once, never read */
    }
    check_lives(l);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        close(fds[i]);
    }
    check_lives(l);
    lab_stop(l);
}

TEST(beyond_its_memory_the_broker_refuses_and_deletes_nothing)
{
    struct broker_opts o = {.memory = 4 << 20};
    struct lab *l = lab_start(&o, NULL, 0);
    struct admin *a = lab_admin(l);
    struct admin_new_topic t = {.name = "t", .partitions = 1, .replicas = 1};
    struct admin_offset start;
    struct err e;
    struct wire_msg m;
    struct buf blob = {0};
    char *value = xmalloc(100001);
    memset(value, 'x', 100000);
    value[100000] = '\0';
    const char *const values[] = {value};
    int64_t base = -1, last = -1;
    int code = KAFKA_NONE, fd = lab_connect(l);
    CHECK_INT(admin_create_topics(a, &t, 1, 5000, &e), 0);
    lab_batch(&blob, values, 1);
    for (int i = 0; i < 100 && code == KAFKA_NONE; i++) {
        last = base;
        lab_produce(&m, "t", 0, &blob);
        lab_send(fd, &m);
        code = lab_produced(fd, &base);
    }
    CHECK_INT(code, KAFKA_STORAGE_ERROR);
    CHECK(kafka_error_retriable(code));
    CHECK(last >= 15 && last < 45);
    CHECK_INT(
        admin_list_offsets(a, "t", 0, ADMIN_EARLIEST, ADMIN_READ_UNCOMMITTED, 5000, &start, &e), 0);
    CHECK_INT(start.offset, 0);
    buf_free(&blob);
    free(value);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

/* ---- large frames ---- */

/** A batch of 15 records of that size. */
static void large_batch(struct buf *out, size_t size)
{
    enum { RECORDS = 15 };
    char *value = xmalloc(size + 1);
    const char *values[RECORDS];
    for (int i = 0; i < RECORDS; i++) {
        values[i] = value;
    }
    memset(value, 'x', size);
    value[size] = '\0';
    lab_batch(out, values, RECORDS);
    free(value);
}

struct arrival {
    size_t bytes;
    bool looked; /* at its batch already */
};

static void see_arrival(struct broker *b, void *arg)
{
    struct arrival *a = arg;
    a->bytes = b->conns ? b->conns->in.len : 0;
    a->looked = b->conns && ahead_pass(b->conns);
}

static void wait_for_bytes(struct lab *l, size_t n, struct arrival *a)
{
    uint64_t limit = clock_mono_ns() + 10000000000u;
    do {
        lab_look(l, see_arrival, a);
    } while (a->bytes < n && clock_mono_ns() < limit);
    CHECK_INT(a->bytes, n);
}

/** In three pieces: what comes with the second one is looked at before the third is there. A frame
 * of more than a megabyte moves meanwhile. */
static int produce_in_pieces(struct lab *l, int fd, const struct buf *blob, int64_t *base)
{
    struct wire_msg m;
    struct buf frame = {0};
    struct err e;
    struct arrival a;
    lab_produce(&m, "t", 0, blob);
    CHECK_INT(wire_encode_request(&m, 1, "lab", &frame, &e), 0);
    wire_free(&m);
    size_t first = frame.len / 8, second = frame.len / 2;
    lab_write(fd, frame.data, first);
    wait_for_bytes(l, first, &a);
    lab_write(fd, frame.data + first, second - first);
    wait_for_bytes(l, second, &a);
    CHECK_INT(a.looked, blob->len < 1 << 20);
    lab_write(fd, frame.data + second, frame.len - second);
    buf_free(&frame);
    return lab_produced(fd, base);
}

static void check_stored(struct broker *b, void *arg)
{
    int *batches = arg;
    const struct plog *l = &part_find(b, "t", 0)->log;
    for (int64_t at = 0; at < l->end; (*batches)++) {
        struct plog_slice s = plog_read(l, at, l->end, 1, true);
        struct batch_iter it;
        struct batch x;
        batch_iter_init(&it, s.p, s.len);
        CHECK_INT(batch_iter_next(&it, &x), BATCH_OK);
        at = s.next;
    }
}

/** A broker that takes batches of up to 16 MB, with the topic t. */
static struct lab *start_for_large(void)
{
    static const char *const settings[] = {"message.max.bytes=16777216"};
    struct lab *l = lab_start(NULL, settings, 1);
    struct admin *a = lab_admin(l);
    struct admin_new_topic t = {.name = "t", .partitions = 1, .replicas = 1};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, 5000, &e), 0);
    admin_close(a);
    return l;
}

TEST(a_large_batch_is_looked_at_while_it_arrives)
{
    enum { AT_CRC = 17, AT_ATTRIBUTES = 21, SIZE = 48 << 10 };
    struct lab *l = start_for_large();
    struct buf blob = {0};
    int64_t base;
    int stored = 0;
    int fd = lab_connect(l);
    large_batch(&blob, SIZE);
    CHECK_INT(produce_in_pieces(l, fd, &blob, &base), KAFKA_NONE);
    CHECK_INT(base, 0);
    blob.data[blob.len / 4] ^= 1; /* in what is looked at early */
    CHECK_INT(produce_in_pieces(l, fd, &blob, &base), KAFKA_CORRUPT_MESSAGE);
    blob.data[blob.len / 4] ^= 1;
    blob.data[blob.len - 100] ^= 1; /* and late */
    CHECK_INT(produce_in_pieces(l, fd, &blob, &base), KAFKA_CORRUPT_MESSAGE);
    blob.data[blob.len - 100] ^= 1;
    blob.data[BATCH_HEADER + 5] ^= 2; /* the offset of the first record, with a CRC that is right */
    uint32_t crc = htonl(crc32c(blob.data + AT_ATTRIBUTES, blob.len - AT_ATTRIBUTES));
    memcpy(blob.data + AT_CRC, &crc, sizeof crc);
    CHECK_INT(produce_in_pieces(l, fd, &blob, &base), KAFKA_INVALID_RECORD);
    blob.len = 0;
    large_batch(&blob, SIZE);
    CHECK_INT(produce_in_pieces(l, fd, &blob, &base), KAFKA_NONE);
    CHECK_INT(base, 15);
    blob.len = 0;
    large_batch(&blob, 8 * SIZE);
    CHECK_INT(produce_in_pieces(l, fd, &blob, &base), KAFKA_NONE);
    CHECK_INT(base, 30);
    lab_look(l, check_stored, &stored);
    CHECK_INT(stored, 3);
    buf_free(&blob);
    close(fd);
    lab_stop(l);
}

/** Frames of many sizes, every third with a wrong CRC, cut anywhere. */
TEST_LIMIT(large_frames_may_come_in_any_pieces, 60)
{
    enum { FRAMES = 60, LAST = 30 };
    static const size_t sizes[] = {1 << 10,  48 << 10, 20 << 10, 19000,
                                   70 << 10, 64 << 10, 30 << 10};
    struct lab *l = start_for_large();
    struct buf frames = {0};
    struct wire_msg m;
    struct err e;
    uint64_t state = 13579;
    int64_t base, next = 0;
    int stored = 0, good = 0;
    for (int i = 0; i < FRAMES; i++) {
        struct buf blob = {0};
        large_batch(&blob, sizes[i % ARRAY_LEN(sizes)]);
        blob.data[blob.len - LAST] ^= i % 3 == 1;
        lab_produce(&m, "t", 0, &blob);
        CHECK_INT(wire_encode_request(&m, 1, "lab", &frames, &e), 0);
        wire_free(&m);
        buf_free(&blob);
    }
    int fd = lab_connect(l);
    for (size_t at = 0, n; at < frames.len; at += n) {
        test_draw(&state);
        n = (state >> 33) % (state >> 60 ? 100000 : 2000000) + 1;
        n = n < frames.len - at ? n : frames.len - at;
        lab_write(fd, frames.data + at, n);
    }
    for (int i = 0; i < FRAMES; i++) {
        CHECK_INT(lab_produced(fd, &base), i % 3 == 1 ? KAFKA_CORRUPT_MESSAGE : KAFKA_NONE);
        CHECK_INT(base, i % 3 == 1 ? -1 : next);
        next += i % 3 == 1 ? 0 : 15;
        good += i % 3 != 1;
    }
    lab_look(l, check_stored, &stored);
    CHECK_INT(stored, good);
    buf_free(&frames);
    close(fd);
    lab_stop(l);
}

/** A Fetch request (version 4) for the first partitions of "t". */
static void ask_all(struct wire_msg *m, int partitions, int32_t min_bytes)
{
    lab_request(m, API_FETCH, 4);
    wire_set_int(&m->root, "MaxWaitMs", 60000);
    wire_set_int(&m->root, "MinBytes", min_bytes);
    wire_set_int(&m->root, "MaxBytes", INT32_MAX);
    struct wire_value *t = wire_add(m, &m->root, "Topics");
    wire_set_str(m, t, "Topic", "t");
    for (int i = 0; i < partitions; i++) {
        struct wire_value *p = wire_add(m, t, "Partitions");
        wire_set_int(p, "Partition", i);
        wire_set_int(p, "PartitionMaxBytes", INT32_MAX);
    }
}

TEST(an_answer_to_fetch_stays_handy_and_does_not_wait_for_more)
{
    enum { PARTITIONS = 20, SIZE = 900000, MOST = 8 << 20, MIN_BYTES = 16 << 20 };
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    struct admin_new_topic t = {.name = "t", .partitions = PARTITIONS, .replicas = 1};
    struct err e;
    struct wire_msg m, resp;
    struct buf blob = {0};
    char *value = xmalloc(SIZE + 1);
    const char *const values[] = {value};
    size_t sum = 0;
    int fd = lab_connect(l);
    memset(value, 'x', SIZE);
    value[SIZE] = '\0';
    lab_batch(&blob, values, 1);
    CHECK_INT(admin_create_topics(a, &t, 1, 5000, &e), 0);
    for (int i = 0; i < PARTITIONS; i++) {
        int64_t base;
        lab_produce(&m, "t", i, &blob);
        lab_send(fd, &m);
        CHECK_INT(lab_produced(fd, &base), KAFKA_NONE);
    }
    ask_all(&m, PARTITIONS, MIN_BYTES);
    lab_send(fd, &m);
    lab_read(fd, &resp, API_FETCH, 4); /* long before its 60 s are over */
    const struct wire_value *topic = wire_at(&resp.root, "Responses", 0);
    CHECK_INT(wire_count(topic, "Partitions"), PARTITIONS);
    for (size_t i = 0; i < PARTITIONS; i++) {
        size_t len;
        wire_blob(wire_at(topic, "Partitions", i), "Records", &len);
        sum += len;
    }
    CHECK(sum > MOST / 2 && sum <= MOST);
    wire_free(&resp);
    buf_free(&blob);
    free(value);
    close(fd);
    admin_close(a);
    lab_stop(l);
}
