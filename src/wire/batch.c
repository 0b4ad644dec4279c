/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the layout of record batches of magic 2, for reading: the fixed header, then records of
 * varints, possibly compressed as a whole. All lengths are checked against what is there. */
#include "wire/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/compress.h"
#include "wire/dense.h"
#include "wire/varint.h"

enum { /* offsets in the header; lengths */
       AT_LENGTH = 8,
       AT_LEADER_EPOCH = 12,
       AT_MAGIC = 16,
       AT_CRC = 17,
       AT_ATTRIBUTES = 21,
       AT_LAST_DELTA = 23,
       AT_BASE_TIME = 27,
       AT_MAX_TIME = 35,
       AT_PRODUCER = 43,
       AT_EPOCH = 51,
       AT_SEQUENCE = 53,
       AT_COUNT = 57,
       LENGTH_END = 12, /**< the length counts what is behind it */
       CODEC_MASK = 7,  /**< of the attributes */
};

static int64_t get(const uint8_t *p, unsigned size)
{
    uint64_t u = p[0] & 0x80 ? UINT64_MAX : 0;
    for (unsigned i = 0; i < size; i++) {
        u = u << 8 | p[i];
    }
    return (int64_t)u;
}

/** Sums of numbers from outside wrap instead of overflowing. */
static int64_t add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static const char *judge(const struct batch *b)
{
    if (!b->crc_ok) {
        return "the crc is wrong";
    }
    if (b->codec > CODEC_ZSTD) {
        return "the codec does not exist";
    }
    if (b->base_offset < 0 || b->last_offset_delta < 0 ||
        b->base_offset > INT64_MAX - b->last_offset_delta) {
        return "the offsets make no sense";
    }
    if (b->count < 0 || b->count > (int64_t)b->last_offset_delta + 1) {
        return "the record count does not fit the offsets";
    }
    return NULL;
}

/* CRC and records hand in hand: what one has just read, the other finds in the cache. */
struct batch_pass {
    const uint8_t *batch, *p, *end; /* p: so far */
    uint32_t crc;
    bool look;
    struct dense dense;
};

static int codec_at(const uint8_t *p)
{
    return p[AT_ATTRIBUTES + 1] & CODEC_MASK;
}

static void start(struct batch_pass *s, const uint8_t *p, size_t size, bool look)
{
    *s = (struct batch_pass){.batch = p,
                             .p = p + AT_ATTRIBUTES,
                             .end = p + size,
                             .look = look && codec_at(p) == CODEC_NONE};
    dense_start(&s->dense, p + BATCH_HEADER, s->end, (int32_t)get(p + AT_COUNT, 4));
}

static void go_on(struct batch_pass *s, const uint8_t *there)
{
    enum { STEP = 48 << 10 };
    while (s->p < s->end && (there >= s->end || there - s->p >= STEP)) {
        size_t n = s->end - s->p < STEP ? (size_t)(s->end - s->p) : STEP;
        s->crc = crc32c_more(s->crc, s->p, n);
        s->p += n;
        if (s->look) {
            dense_upto(&s->dense, s->p);
        }
    }
}

struct batch_pass *batch_pass_begin(const uint8_t *p, size_t max)
{
    int64_t length = get(p + AT_LENGTH, 4);
    if (length < BATCH_HEADER - LENGTH_END || (uint64_t)length + LENGTH_END > max) {
        return NULL;
    }
    struct batch_pass *s = xmalloc(sizeof *s);
    start(s, p, (size_t)length + LENGTH_END, true);
    return s;
}

void batch_pass_go_on(struct batch_pass *s, size_t there)
{
    go_on(s, s->batch + there);
}

static void read_all(struct batch *b, bool look, struct batch_pass *begun)
{
    struct batch_pass whole, *s = &whole;
    if (look && begun && begun->batch == b->bytes && begun->end == b->bytes + b->size) {
        s = begun;
    } else {
        start(s, b->bytes, b->size, look);
    }
    go_on(s, s->end);
    b->crc_ok = s->crc == b->crc;
    b->dense = s->look && dense_ok(&s->dense);
}

static void read_header(struct batch *b, const uint8_t *p, size_t size, const struct batch_iter *it)
{
    *b = (struct batch){
        .bytes = p,
        .size = size,
        .base_offset = get(p, 8),
        .leader_epoch = (int32_t)get(p + AT_LEADER_EPOCH, 4),
        .magic = (int8_t)p[AT_MAGIC],
        .crc = (uint32_t)get(p + AT_CRC, 4),
        .attributes = (int16_t)get(p + AT_ATTRIBUTES, 2),
        .last_offset_delta = (int32_t)get(p + AT_LAST_DELTA, 4),
        .base_timestamp = get(p + AT_BASE_TIME, 8),
        .max_timestamp = get(p + AT_MAX_TIME, 8),
        .producer_id = get(p + AT_PRODUCER, 8),
        .producer_epoch = (int16_t)get(p + AT_EPOCH, 2),
        .base_sequence = (int32_t)get(p + AT_SEQUENCE, 4),
        .count = (int32_t)get(p + AT_COUNT, 4),
    };
    b->codec = (uint8_t)codec_at(p);
    b->log_append_time = b->attributes & 1 << 3;
    b->transactional = b->attributes & 1 << 4;
    b->control = b->attributes & 1 << 5;
    b->delete_horizon = b->attributes & 1 << 6;
    read_all(b, it->look, it->begun);
    b->corrupt = b->magic == 2 ? judge(b) : "the magic is not 2";
}

void batch_iter_init(struct batch_iter *it, const void *blob, size_t len)
{
    *it = (struct batch_iter){.p = blob, .len = blob ? len : 0};
}

/** A batch that cannot even be skipped. */
static enum batch_next bad_end(struct batch_iter *it, struct batch *b, const char *why)
{
    size_t left = it->len - it->pos;
    *b = (struct batch){.bytes = it->p + it->pos, .size = left, .producer_id = -1, .corrupt = why};
    b->base_offset = left >= 8 ? get(b->bytes, 8) : -1;
    it->pos = it->len;
    return BATCH_BAD;
}

enum batch_next batch_iter_next(struct batch_iter *it, struct batch *b)
{
    size_t left = it->len - it->pos;
    const uint8_t *p = it->p + it->pos;
    int64_t length = left >= LENGTH_END ? get(p + AT_LENGTH, 4) : 0;
    if (left == 0) {
        return BATCH_END;
    }
    if (left >= LENGTH_END && length < BATCH_HEADER - LENGTH_END) {
        return bad_end(it, b, "the length is too small for a batch");
    }
    if (left < LENGTH_END || (uint64_t)length > left - LENGTH_END) {
        /* A broker sends at least one whole batch; only what follows it may be cut. */
        return it->pos == 0 ? bad_end(it, b, "the first batch is longer than the answer")
                            : BATCH_END;
    }
    read_header(b, p, (size_t)length + LENGTH_END, it);
    it->pos += b->size;
    return b->corrupt ? BATCH_BAD : BATCH_OK;
}

/* ---- records ----------------------------------------------------------------------------------
 */

void record_iter_init(struct record_iter *it, const struct batch *b)
{
    record_iter_init_max(it, b, BATCH_MAX_RAW);
}

void record_iter_init_max(struct record_iter *it, const struct batch *b, size_t max_raw)
{
    *it = (struct record_iter){.batch = b, .left = b->count, .last_delta = -1};
    if (b->size < BATCH_HEADER || b->magic != 2 || b->count < 0) {
        it->left = 0;
        it->corrupt = b->corrupt ? b->corrupt : "the batch has no records that can be read";
        return;
    }
    it->p = b->bytes + BATCH_HEADER;
    it->end = b->bytes + b->size;
    if (b->codec == CODEC_NONE || b->count == 0) {
        return;
    }
    struct buf raw = {0};
    it->corrupt = compress_decode(b->codec, it->p, (size_t)(it->end - it->p), max_raw, &raw);
    it->p = it->owned = (uint8_t *)raw.data;
    it->end = it->p + raw.len;
}

static int64_t varint(struct record_iter *it, const uint8_t *end, int max)
{
    int64_t v = 0;
    const uint8_t *p = varint_read(it->p, end, max, &v);
    if (!p) {
        it->corrupt = "a varint has no end";
        return 0;
    }
    it->p = p;
    return v;
}

static int64_t varint32(struct record_iter *it, const uint8_t *end)
{
    int64_t v = varint(it, end, VARINT32_BYTES);
    if (v < INT32_MIN || v > INT32_MAX) {
        it->corrupt = "a varint is too large";
        return 0;
    }
    return v;
}

/** Length and bytes; -1 = null where nullable. */
static const uint8_t *bytes(struct record_iter *it, const uint8_t *end, bool nullable, int32_t *len)
{
    int64_t n = varint32(it, end);
    *len = -1;
    if (it->corrupt || (n == -1 && nullable)) {
        return NULL;
    }
    if (n < 0 || n > end - it->p) {
        it->corrupt = "a length points outside of its record";
        return NULL;
    }
    const uint8_t *p = it->p;
    it->p += n;
    *len = (int32_t)n;
    return p;
}

static void read_headers(struct record_iter *it, const uint8_t *end, struct record *r)
{
    int64_t n = varint32(it, end);
    if (it->corrupt || n < 0 || n > end - it->p) {
        it->corrupt = it->corrupt ? it->corrupt : "the number of headers makes no sense";
        return;
    }
    if (n > it->headers_cap) {
        it->headers_cap = (int32_t)n;
        it->headers = xrealloc(it->headers, (size_t)n * sizeof *it->headers);
    }
    for (int64_t i = 0; i < n && !it->corrupt; i++) {
        struct record_header *h = &it->headers[i];
        h->key = (const char *)bytes(it, end, false, &h->key_len);
        h->value = it->corrupt ? NULL : bytes(it, end, true, &h->value_len);
    }
    r->headers = it->headers;
    r->nheaders = (int32_t)n;
}

static void read_record(struct record_iter *it, const uint8_t *end, struct record *r)
{
    const struct batch *b = it->batch;
    if (it->p == end) {
        it->corrupt = "a record is empty";
        return;
    }
    it->p++; /* attributes: unused */
    int64_t time_delta = varint(it, end, VARINT64_BYTES);
    int64_t offset_delta = it->corrupt ? 0 : varint32(it, end);
    if (!it->corrupt) {
        r->key = bytes(it, end, true, &r->key_len);
    }
    if (!it->corrupt) {
        r->value = bytes(it, end, true, &r->value_len);
    }
    if (!it->corrupt) {
        read_headers(it, end, r);
    }
    if (!it->corrupt && it->p != end) {
        it->corrupt = "a record is longer than its fields";
    }
    if (!it->corrupt && (offset_delta <= it->last_delta || offset_delta > b->last_offset_delta)) {
        it->corrupt = "a record's offset is not in order";
    }
    it->last_delta = offset_delta;
    r->offset_delta = (int32_t)offset_delta;
    r->offset = add(b->base_offset, offset_delta);
    r->timestamp = b->log_append_time ? b->max_timestamp : add(b->base_timestamp, time_delta);
}

int record_iter_next(struct record_iter *it, struct record *r)
{
    *r = (struct record){.key_len = -1, .value_len = -1};
    if (it->corrupt) {
        return -1;
    }
    if (it->left == 0) {
        it->corrupt = it->p == it->end || it->batch->count == 0
                          ? NULL
                          : "bytes are left over behind the records";
        return it->corrupt ? -1 : 0;
    }
    int64_t n = varint32(it, it->end);
    if (!it->corrupt && (n < 0 || n > it->end - it->p)) {
        it->corrupt = "a record points outside of its batch";
    }
    if (!it->corrupt) {
        read_record(it, it->p + n, r);
    }
    it->left--;
    return it->corrupt ? -1 : 1;
}

void record_iter_free(struct record_iter *it)
{
    free(it->owned);
    free(it->headers);
    *it = (struct record_iter){0};
}

bool control_read(const struct record *r, struct control *c)
{
    if (r->key_len < 4 || r->value_len < 6) {
        return false;
    }
    c->type = (int16_t)get(r->key + 2, 2);
    c->coordinator_epoch = (int32_t)get(r->value + 2, 4);
    return true;
}
