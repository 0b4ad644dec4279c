/* SPDX-License-Identifier: Apache-2.0 */
/* Record batches: every codec there and back, damage of every kind, control records. */
#include "test.h"

#include "base/mem.h"
#include "wire/batch.h"
#include "wire/compress.h"
#include "wire/dense.h"

static const struct record_header headers[] = {
    {"kaos", (const uint8_t *)"\0\1\2", 4, 3},
    {"same", NULL, 4, -1},
    {"same", (const uint8_t *)"", 4, 0},
    {"", (const uint8_t *)"x", 0, 1},
};
static const struct record records[] = {
    {.timestamp = 1000,
     .key = (const uint8_t *)"k1",
     .key_len = 2,
     .value = (const uint8_t *)"v\0v",
     .value_len = 3,
     .headers = headers,
     .nheaders = 4},
    {.timestamp = 990, .key_len = -1, .value_len = -1},
    {.timestamp = 5000000000,
     .key = (const uint8_t *)"",
     .key_len = 0,
     .value = (const uint8_t *)"last",
     .value_len = 4},
};
static const struct batch_opts plain = {.base_offset = 41,
                                        .leader_epoch = 7,
                                        .producer_id = 9,
                                        .producer_epoch = 3,
                                        .base_sequence = 100,
                                        .transactional = true};

static void write_batch(struct buf *b, const struct batch_opts *o)
{
    struct err e = {0};
    if (batch_write(b, o, records, ARRAY_LEN(records), &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
}

static void check_records(const struct batch *b)
{
    struct record_iter it;
    struct record r;
    record_iter_init(&it, b);
    CHECK_INT(record_iter_next(&it, &r), 1);
    CHECK_INT(r.offset, 41);
    CHECK_INT(r.timestamp, 1000);
    CHECK_INT(r.value_len, 3);
    CHECK(memcmp(r.value, "v\0v", 3) == 0);
    CHECK_INT(r.nheaders, 4);
    CHECK_INT(r.headers[1].value_len, -1);
    CHECK_INT(r.headers[2].value_len, 0);
    CHECK_INT(r.headers[3].key_len, 0);
    CHECK_INT(record_iter_next(&it, &r), 1);
    CHECK_INT(r.timestamp, 990);
    CHECK_INT(r.key_len, -1);
    CHECK_INT(r.value_len, -1);
    CHECK_INT(record_iter_next(&it, &r), 1);
    CHECK_INT(r.offset, 43);
    CHECK_INT(r.timestamp, 5000000000);
    CHECK_INT(r.key_len, 0);
    CHECK_INT(record_iter_next(&it, &r), 0);
    record_iter_free(&it);
}

TEST(every_codec_survives_a_round_trip)
{
    for (int i = CODEC_NONE; i <= CODEC_ZSTD + 1; i++) {
        struct batch_opts o = plain;
        struct buf buf = {0};
        struct batch_iter it;
        struct batch b;
        o.codec = i > CODEC_ZSTD ? CODEC_SNAPPY : i;
        o.snappy_raw = i > CODEC_ZSTD;
        write_batch(&buf, &o);
        batch_iter_init(&it, buf.data, buf.len);
        CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
        CHECK_INT(b.codec, o.codec);
        CHECK_INT(b.base_offset, 41);
        CHECK_INT(b.leader_epoch, 7);
        CHECK_INT(b.last_offset_delta, 2);
        CHECK_INT(b.count, 3);
        CHECK_INT(b.producer_id, 9);
        CHECK_INT(b.producer_epoch, 3);
        CHECK_INT(b.base_sequence, 100);
        CHECK_INT(b.base_timestamp, 1000);
        CHECK_INT(b.max_timestamp, 5000000000);
        CHECK(b.transactional && !b.control && !b.log_append_time && !b.delete_horizon);
        check_records(&b);
        CHECK_INT(batch_iter_next(&it, &b), BATCH_END);
        buf_free(&buf);
    }
}

TEST(large_data_survive_every_codec_and_the_limit_holds)
{
    enum { LEN = 1 << 20 };
    char *data = xmalloc(LEN);
    for (int i = 0; i < LEN; i++) {
        data[i] = (char)(i * 7 ^ i >> 9);
    }
    for (int codec = CODEC_NONE; codec <= CODEC_ZSTD; codec++) {
        struct buf small = {0}, out = {0};
        CHECK(!compress_encode(codec, false, data, LEN, &small));
        CHECK(!compress_decode(codec, small.data, small.len, LEN + 1, &out));
        CHECK_INT(out.len, LEN);
        CHECK(memcmp(out.data, data, LEN) == 0);
        out.len = 0;
        CHECK(compress_decode(codec, small.data, small.len, LEN / 2, &out) != NULL);
        CHECK(out.len <= LEN / 2);
        buf_free(&small);
        buf_free(&out);
    }
    free(data);
}

TEST(cut_compressed_data_are_corrupt_not_a_hang)
{
    static const char text[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    for (int codec = CODEC_GZIP; codec <= CODEC_ZSTD; codec++) {
        struct buf small = {0};
        CHECK(!compress_encode(codec, true, text, sizeof text, &small));
        for (size_t len = 0; len < small.len; len++) {
            struct buf out = {0};
            if (!compress_decode(codec, small.data, len, 1 << 20, &out)) {
                test_fail(__FILE__, __LINE__, "codec %d: %zu of %zu bytes", codec, len, small.len);
            }
            buf_free(&out);
        }
        buf_free(&small);
    }
}

TEST(a_cut_last_batch_is_the_end_and_a_cut_first_one_is_bad)
{
    struct buf buf = {0};
    struct batch_iter it;
    struct batch b;
    write_batch(&buf, &plain);
    size_t one = buf.len;
    write_batch(&buf, &plain);
    for (size_t len = one; len < buf.len; len++) {
        batch_iter_init(&it, buf.data, len);
        CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
        CHECK_INT(batch_iter_next(&it, &b), BATCH_END);
        CHECK_INT(it.pos, one);
    }
    for (size_t len = 1; len < one; len++) {
        batch_iter_init(&it, buf.data, len);
        CHECK_INT(batch_iter_next(&it, &b), BATCH_BAD);
        CHECK(b.corrupt != NULL);
        CHECK_INT(batch_iter_next(&it, &b), BATCH_END);
    }
    buf_free(&buf);
}

TEST(a_wrong_crc_is_reported_and_the_next_batch_is_read)
{
    struct buf buf = {0};
    struct batch_iter it;
    struct batch b;
    write_batch(&buf, &plain);
    buf.data[buf.len - 1] ^= 1;
    write_batch(&buf, &plain);
    batch_iter_init(&it, buf.data, buf.len);
    CHECK_INT(batch_iter_next(&it, &b), BATCH_BAD);
    CHECK_STR(b.corrupt, "the crc is wrong");
    CHECK(!b.crc_ok);
    CHECK_INT(b.base_offset, 41);
    CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
    CHECK_INT(batch_iter_next(&it, &b), BATCH_END);
    buf_free(&buf);
}

TEST(base_offset_and_leader_epoch_are_outside_of_the_crc)
{
    struct buf buf = {0};
    struct batch_iter it;
    struct batch b;
    write_batch(&buf, &plain);
    buf.data[7] = 99; /* what a broker patches */
    buf.data[15] = 12;
    batch_iter_init(&it, buf.data, buf.len);
    CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
    CHECK_INT(b.base_offset, 99);
    CHECK_INT(b.leader_epoch, 12);
    buf_free(&buf);
}

static void read_all(const void *p, size_t len)
{
    struct batch_iter it;
    struct batch b;
    int n = 0;
    batch_iter_init(&it, p, len);
    while (batch_iter_next(&it, &b) != BATCH_END) {
        struct record_iter ri;
        struct record r;
        record_iter_init(&ri, &b);
        while (record_iter_next(&ri, &r) > 0) {
            struct control c;
            control_read(&r, &c);
        }
        record_iter_free(&ri);
        CHECK(++n < 10000);
    }
}

TEST_LIMIT(damaged_batches_never_harm, 60)
{
    uint64_t state = 123456789;
    for (int i = CODEC_NONE; i <= CODEC_ZSTD; i++) {
        struct batch_opts o = plain;
        struct buf buf = {0};
        o.codec = i;
        write_batch(&buf, &o);
        write_batch(&buf, &o);
        for (size_t len = 0; len < buf.len; len++) {
            char *exact = xrealloc(xmemdup0(buf.data, len), len ? len : 1);
            read_all(exact, len);
            free(exact);
        }
        for (int k = 0; k < 5000 && buf.len > 0; k++) {
            char *copy = xmemdup0(buf.data, buf.len);
            for (int n = 0; n < 3; n++) {
                test_draw(&state);
                copy[(state >> 33) % buf.len] = (char)(state >> 25);
            }
            read_all(copy, buf.len);
            free(copy);
        }
        buf_free(&buf);
    }
}

static bool reads_dense(const struct batch *b)
{
    struct record_iter it;
    struct record r;
    int32_t n = 0;
    int rc;
    record_iter_init(&it, b);
    while ((rc = record_iter_next(&it, &r)) > 0 && r.offset_delta == n) {
        n++;
    }
    record_iter_free(&it);
    return rc == 0 && n == b->count;
}

static bool looks_dense(const void *p, size_t len, int32_t count, struct batch *b)
{
    enum { AT_COUNT = 57 };
    uint8_t *at = (uint8_t *)p + AT_COUNT;
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(count >> 8 * (3 - i));
    }
    struct batch_iter it;
    batch_iter_init(&it, p, len);
    it.look = true;
    batch_iter_next(&it, b);
    b->last_offset_delta = count - 1; /* where reading stops to make sense */
    return b->dense;
}

/** The same of records that come a few bytes at a time. */
static void check_trickle(const uint8_t *p, size_t len, const struct batch *whole, uint64_t *state)
{
    uint8_t *mem = xmalloc(len);
    struct dense d;
    memset(mem, 0xff, len);
    dense_start(&d, mem + BATCH_HEADER, mem + len, whole->count);
    for (size_t there = BATCH_HEADER; there < len;) {
        test_draw(state);
        size_t n = (*state >> 33) % 7 + 1, left = len - there;
        memcpy(mem + there, p + there, n < left ? n : left);
        there += n < left ? n : left;
        dense_upto(&d, mem + there);
    }
    CHECK_INT(dense_ok(&d), whole->dense);
    free(mem);
}

/** And of a batch that comes in pieces. */
static void check_pieces(const void *p, size_t len, const struct batch *whole, uint64_t *state)
{
    struct batch_iter it;
    struct batch b;
    uint8_t *mem = xmalloc(len);
    size_t there = BATCH_HEADER, step = 1 + *state % len;
    memset(mem, 0xff, len);
    memcpy(mem, p, there);
    struct batch_pass *begun = batch_pass_begin(mem, len);
    CHECK(begun);
    while (len - there > step / 2) { /* what is missing then comes with the whole */
        test_draw(state);
        size_t n = (*state >> 33) % step + 1;
        n = n < len - there ? n : len - there;
        memcpy(mem + there, (const uint8_t *)p + there, n);
        there += n;
        batch_pass_go_on(begun, there);
    }
    memcpy(mem, p, len);
    batch_iter_init(&it, mem, len);
    it.look = true;
    it.begun = begun;
    batch_iter_next(&it, &b);
    CHECK_INT(b.dense, whole->dense);
    CHECK_INT(b.crc_ok, whole->crc_ok);
    free(begun);
    free(mem);
}

TEST(a_pass_that_was_begun_is_used_for_its_own_batch_only)
{
    struct batch_iter it;
    struct batch b;
    struct buf buf = {0};
    write_batch(&buf, &plain);
    size_t size = buf.len;
    write_batch(&buf, &plain);
    buf.data[size + 20] ^= 1; /* the CRC of the second */
    const uint8_t *p = (const uint8_t *)buf.data;
    CHECK(!batch_pass_begin(p, size - 1));
    struct batch_pass *begun = batch_pass_begin(p, size);
    CHECK(begun);
    batch_pass_go_on(begun, size);
    batch_iter_init(&it, p, buf.len);
    it.look = true;
    it.begun = begun;
    CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
    CHECK(b.dense);
    CHECK_INT(batch_iter_next(&it, &b), BATCH_BAD);
    CHECK(!b.crc_ok);
    buf.data[11]--; /* another length than when the pass began */
    batch_iter_init(&it, p, buf.len);
    it.look = true;
    it.begun = begun;
    CHECK_INT(batch_iter_next(&it, &b), BATCH_BAD);
    CHECK(!b.crc_ok);
    memset(buf.data + 8, 0, 4);
    CHECK(!batch_pass_begin(p, buf.len));
    free(begun);
    buf_free(&buf);
}

TEST(a_look_says_the_same_of_the_records_as_reading_them_all)
{
    uint64_t state = 987654321;
    struct buf buf = {0};
    int dense = 0, rounds = 50000;
    write_batch(&buf, &plain);
    for (int k = 0; k < rounds; k++) {
        struct batch b;
        char *copy = xmemdup0(buf.data, buf.len);
        char *exact = xrealloc(copy, buf.len); /* a byte too far shows */
        for (int n = 0; n < k % 3; n++) {
            test_draw(&state);
            exact[BATCH_HEADER + (state >> 33) % (buf.len - BATCH_HEADER)] = (char)(state >> 25);
        }
        for (int32_t count = 1; count < 6; count++) {
            bool is = looks_dense(exact, buf.len, count, &b);
            CHECK_INT(is, reads_dense(&b));
            check_pieces(exact, buf.len, &b, &state);
            check_trickle((uint8_t *)exact, buf.len, &b, &state);
            dense += is;
        }
        free(exact);
    }
    CHECK(dense > rounds / 3 && dense < rounds);
    buf_free(&buf);
}

/** Fields at the borders of one, two and three bytes, and now and then one beyond; each kind of
 * record several times in a row. */
static void write_many(struct buf *b, int32_t n)
{
    static const int32_t lens[] = {-1, 0, 1, 5, 0, 3, -1, 2, 63, 4, 64};
    static const int64_t times[] = {-32, 0, 32, 5000, 63, 64, 20000, 2000000};
    static const uint8_t bytes[9000];
    struct record *many = xcalloc((size_t)n, sizeof *many);
    struct err e = {0};
    for (int32_t i = 0; i < n; i++) {
        int32_t k = i / 20;
        many[i] = (struct record){.timestamp = 1000 + (i % 7 == 0 ? i : times[k % 8]),
                                  .key = bytes,
                                  .key_len = lens[k * 5 % 11],
                                  .value = bytes,
                                  .value_len = i % 4000 == 999 ? 8190 + i % 3 : lens[k * 3 % 11],
                                  .headers = headers,
                                  .nheaders = i % 50 == 7 ? 4 : 0};
    }
    if (batch_write(b, &plain, many, (size_t)n, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    free(many);
}

TEST_LIMIT(and_the_same_of_many_records, 120)
{
    enum { RECORDS = 9000, ROUNDS = 2000 };
    uint64_t state = 24680;
    struct buf buf = {0};
    int dense = 0;
    write_many(&buf, RECORDS);
    for (int k = 0; k < ROUNDS; k++) {
        struct batch b;
        char *exact = xrealloc(xmemdup0(buf.data, buf.len), buf.len);
        for (int n = 0; n < k % 3; n++) {
            test_draw(&state);
            exact[BATCH_HEADER + (state >> 33) % (buf.len - BATCH_HEADER)] ^=
                (char)(1 << (state >> 25) % 8);
        }
        bool is = looks_dense(exact, buf.len, RECORDS, &b);
        CHECK_INT(is, reads_dense(&b));
        check_pieces(exact, buf.len, &b, &state);
        if (k < 100) {
            check_trickle((uint8_t *)exact, buf.len, &b, &state);
        }
        dense += is;
        free(exact);
    }
    CHECK(dense >= ROUNDS / 3 && dense < ROUNDS);
    buf_free(&buf);
}

/** A record with its offset delta in at most so many bytes, and a key of no length, or without
 * that. */
static void put_record(struct buf *b, uint32_t delta, int width, bool key)
{
    uint8_t p[16] = {0}, *q = p + 3;
    uint32_t u = delta << 1;
    for (int i = 0; (u > 0 || i == 0) && i < width; i++, u >>= 7) {
        *q++ = (uint8_t)((u > 0x7f && i < width - 1 ? 0x80 : 0) | (u & 0x7f));
    }
    if (key) {
        *q++ = 1; /* null */
    }
    *q++ = 2;
    *q++ = 'x';
    *q++ = 0;
    p[0] = (uint8_t)((q - p - 1) << 1);
    buf_append(b, p, (size_t)(q - p));
}

/** n records, then one that is put otherwise, then three more. */
static void check_is_not_dense(uint32_t n, int width, bool key)
{
    enum { MORE = 4, AT_LENGTH = 8 };
    struct buf buf = {0};
    uint8_t header[BATCH_HEADER] = {0};
    buf_append(&buf, header, sizeof header);
    for (uint32_t i = 0; i < n + MORE; i++) {
        put_record(&buf, i, i == n ? width : 5, i != n || key);
    }
    for (int i = 0; i < 4; i++) {
        buf.data[AT_LENGTH + i] = (char)((buf.len - AT_LENGTH - 4) >> 8 * (3 - i));
    }
    struct batch b;
    CHECK(!looks_dense(buf.data, buf.len, (int32_t)n + MORE, &b));
    CHECK_INT(b.size, buf.len);
    CHECK(!reads_dense(&b));
    buf_free(&buf);
}

/** From 2^20 on a delta takes four bytes. The first such record here has no key, so that its fourth
 * byte stands where the length of the key was, and looks like it. */
TEST_LIMIT(and_the_same_of_a_million_records, 120)
{
    check_is_not_dense(1 << 20, 5, false);
}

TEST_LIMIT(an_offset_that_needs_one_byte_more_than_it_has_is_found, 120)
{
    check_is_not_dense(1 << 6, 1, true);
    check_is_not_dense(1 << 13, 2, true);
    check_is_not_dense(1 << 20, 3, true);
}

TEST(a_count_that_does_not_fit_is_corrupt)
{
    struct buf buf = {0};
    struct batch_iter it;
    struct batch b;
    struct record_iter ri;
    struct record r;
    write_batch(&buf, &plain);
    buf.data[60] = 2; /* one record fewer than there are; the CRC is made right again */
    uint32_t crc = crc32c(buf.data + 21, buf.len - 21);
    for (int i = 0; i < 4; i++) {
        buf.data[17 + i] = (char)(crc >> 8 * (3 - i));
    }
    batch_iter_init(&it, buf.data, buf.len);
    CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
    record_iter_init(&ri, &b);
    CHECK_INT(record_iter_next(&ri, &r), 1);
    CHECK_INT(record_iter_next(&ri, &r), 1);
    CHECK_INT(record_iter_next(&ri, &r), -1);
    CHECK_HAS(ri.corrupt, "left over");
    record_iter_free(&ri);
    buf_free(&buf);
}

TEST(control_records_are_read)
{
    struct buf buf = {0};
    struct batch_iter it;
    struct batch b;
    struct record_iter ri;
    struct record r = {.key = (const uint8_t *)"\0\0\0\1",
                       .key_len = 4,
                       .value = (const uint8_t *)"\0\0\0\0\0\5",
                       .value_len = 6};
    struct batch_opts o = {
        .producer_id = 1, .base_sequence = -1, .control = true, .transactional = true};
    struct control c;
    struct err e = {0};
    CHECK_INT(batch_write(&buf, &o, &r, 1, &e), 0);
    batch_iter_init(&it, buf.data, buf.len);
    CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
    CHECK(b.control);
    record_iter_init(&ri, &b);
    CHECK_INT(record_iter_next(&ri, &r), 1);
    CHECK(control_read(&r, &c));
    CHECK_INT(c.type, CONTROL_COMMIT);
    CHECK_INT(c.coordinator_epoch, 5);
    r.key_len = 3;
    CHECK(!control_read(&r, &c));
    record_iter_free(&ri);
    buf_free(&buf);
}

TEST(crc32c_has_its_known_values)
{
    static const char zeros[32];
    CHECK_INT(crc32c("123456789", 9), 0xe3069283);
    CHECK_INT(crc32c("", 0), 0);
    CHECK_INT(crc32c(zeros, sizeof zeros), 0x8a9136aa);
}

TEST(crc32c_is_the_same_with_and_without_an_instruction)
{
    uint8_t data[300];
    CHECK_INT(crc32c_tables("123456789", 9), 0xe3069283);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7 + i / 11);
    }
    for (size_t from = 0; from < 9; from++) { /* every alignment and every rest */
        for (size_t len = 0; from + len <= sizeof data; len++) {
            CHECK_INT(crc32c(data + from, len), crc32c_tables(data + from, len));
        }
    }
}

TEST(crc32c_of_much_is_the_same_with_and_without_an_instruction)
{
    enum { MUCH = 10000, STEP = 61, LANES = 3 * 1024 };
    uint8_t *data = xmalloc(MUCH + LANES + 20);
    for (size_t i = 0; i < MUCH + LANES + 20; i++) {
        data[i] = (uint8_t)(i * 7 + i / 11 + i / 1000 * 3);
    }
    for (size_t len = 0; len <= MUCH; len += STEP) {
        CHECK_INT(crc32c(data + len % 8, len), crc32c_tables(data + len % 8, len));
    }
    for (size_t len = LANES - 9; len < LANES + 10; len++) {
        CHECK_INT(crc32c(data, len), crc32c_tables(data, len));
        CHECK_INT(crc32c(data, LANES + len), crc32c_tables(data, LANES + len));
    }
    free(data);
}
