/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the layout of record batches of magic 2, for reading: the fixed header, then records of
 * varints, possibly compressed as a whole. All lengths are checked against what is there. */
#include "wire/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/compress.h"

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
       VARINT32_BYTES = 5,
       VARINT64_BYTES = 10,
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

static void read_header(struct batch *b, const uint8_t *p, size_t size)
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
    b->codec = (uint8_t)(b->attributes & 7);
    b->log_append_time = b->attributes & 1 << 3;
    b->transactional = b->attributes & 1 << 4;
    b->control = b->attributes & 1 << 5;
    b->delete_horizon = b->attributes & 1 << 6;
    b->crc_ok = crc32c(p + AT_ATTRIBUTES, size - AT_ATTRIBUTES) == b->crc;
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
    read_header(b, p, (size_t)length + LENGTH_END);
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

static const uint8_t *read_long(const uint8_t *p, const uint8_t *end, int max, int64_t *v)
{
    uint64_t u = 0;
    for (int i = 0; i < max && p < end; i++) {
        uint8_t c = *p++;
        u |= (uint64_t)(c & 0x7f) << 7 * i;
        if (c < 0x80) {
            *v = (int64_t)(u >> 1 ^ (0 - (u & 1)));
            return p;
        }
    }
    return NULL;
}

/** Reads a varint of at most `max` bytes; nearly all have one or two.
 *  @return what follows it, NULL = it has no end.
 */
static inline const uint8_t *read_varint(const uint8_t *p, const uint8_t *end, int max, int64_t *v)
{
    if (end - p < 2 || (p[0] & p[1] & 0x80)) {
        return read_long(p, end, max, v);
    }
    bool two = p[0] & 0x80;
    uint32_t u = two ? (uint32_t)(p[0] & 0x7f) | (uint32_t)p[1] << 7 : p[0];
    *v = (int32_t)(u >> 1) ^ -(int32_t)(u & 1);
    return p + (two ? 2 : 1);
}

static int64_t varint(struct record_iter *it, const uint8_t *end, int max)
{
    int64_t v = 0;
    const uint8_t *p = read_varint(it->p, end, max, &v);
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

/* ---- only whether they are whole: brokers ask that of each batch, so it has to be fast --------
 */

/** Skips a length from `least` on, and as many bytes. @return NULL = it makes no sense. */
static inline const uint8_t *skip_bytes(const uint8_t *p, const uint8_t *end, int least)
{
    int64_t n;
    p = read_varint(p, end, VARINT32_BYTES, &n);
    return !p || n < least || n > end - p ? NULL : n > 0 ? p + n : p;
}

static const uint8_t *skip_headers(const uint8_t *p, const uint8_t *end)
{
    int64_t n;
    p = read_varint(p, end, VARINT32_BYTES, &n);
    if (!p || n < 0 || n > end - p) {
        return NULL;
    }
    for (int64_t i = 0; p && i < n; i++) {
        p = skip_bytes(p, end, 0);
        p = p ? skip_bytes(p, end, -1) : NULL;
    }
    return p;
}

/** What lies between a record's length and what follows it. */
static bool is_record(const uint8_t *p, const uint8_t *end, int32_t offset_delta)
{
    int64_t time, delta = -1;
    p = read_varint(p + 1, end, VARINT64_BYTES, &time); /* behind the attributes: unused */
    p = p ? read_varint(p, end, VARINT32_BYTES, &delta) : NULL;
    p = p && delta == offset_delta ? skip_bytes(p, end, -1) : NULL;
    p = p ? skip_bytes(p, end, -1) : NULL;
    p = p ? skip_headers(p, end) : NULL;
    return p == end;
}

/** What a record has in common with the next one, as a rule: all lengths, and no headers. Such a
 *  record is compared with this as a whole, and where the one behind it begins is known without
 *  waiting for its bytes. */
struct shape {
    uint64_t head, head_mask; /**< from the length to the length of the key, less the offset */
    uint32_t value, value_mask;
    unsigned delta_at, delta_len, value_at; /**< positions in the record */
    size_t size;                            /**< with its length; 0 = no shape is known */
};
enum { SHAPE_MORE = 8 }; /**< bytes that can be read behind a record that is compared */

static inline uint64_t little_endian(const uint8_t *p, unsigned n)
{
    uint64_t u = 0;
    for (unsigned i = 0; i < n; i++) {
        u |= (uint64_t)p[i] << 8 * i;
    }
    return u;
}

/** An offset delta as it lies in memory, in its shortest form: one to three bytes, 4 = more. */
static inline uint32_t delta_bytes(int32_t delta, unsigned *len)
{
    uint32_t u = (uint32_t)delta << 1;
    *len = u < 1u << 7 ? 1 : u < 1u << 14 ? 2 : u < 1u << 21 ? 3 : 4;
    return *len == 1   ? u
           : *len == 2 ? (0x80 | (u & 0x7f)) | u >> 7 << 8
                       : (0x80 | (u & 0x7f)) | (0x80 | (u >> 7 & 0x7f)) << 8 | u >> 14 << 16;
}

static unsigned width_at(const uint8_t *p)
{
    unsigned n = 1;
    while (n < 4 && p[n - 1] & 0x80) {
        n++;
    }
    return n;
}

/** The shape of a whole record, which lies from p to end; none where something is unusual. */
static struct shape learn(const uint8_t *p, const uint8_t *end, int32_t offset_delta)
{
    struct shape s = {0};
    unsigned width = width_at(p), time_at = width + 1;
    s.delta_at = time_at + 1;
    uint32_t delta = delta_bytes(offset_delta, &s.delta_len);
    uint32_t delta_mask = UINT32_MAX >> 8 * (4 - s.delta_len);
    unsigned key_at = s.delta_at + s.delta_len;
    if (width > 2 || s.delta_len > 3 || (size_t)(end - p) <= key_at + 1 || p[time_at] & 0x80 ||
        p[key_at] & 0x80 || (little_endian(p + s.delta_at, 4) & delta_mask) != delta) {
        return s;
    }
    s.value_at = key_at + 1 + (p[key_at] & 1 ? 0 : p[key_at] / 2);
    unsigned value_len = width_at(p + s.value_at);
    int64_t value;
    const uint8_t *rest = read_varint(p + s.value_at, end, VARINT32_BYTES, &value);
    if (value_len > 3 || !rest || end - rest != (value > 0 ? value : 0) + 1) {
        return s;
    }
    s.head_mask = (UINT64_MAX >> 8 * (8 - key_at - 1)) & ~((uint64_t)0xff << 8 * width) &
                  ~((uint64_t)0x7f << 8 * time_at) & ~((uint64_t)delta_mask << 8 * s.delta_at);
    s.head = little_endian(p, 8) & s.head_mask;
    s.head_mask |= (uint64_t)delta_mask << 8 * s.delta_at;
    s.value_mask = UINT32_MAX >> 8 * (4 - value_len);
    s.value = (uint32_t)little_endian(p + s.value_at, 4) & s.value_mask;
    s.size = (size_t)(end - p);
    return s;
}

/** s->size + SHAPE_MORE bytes can be read. */
static inline bool has_shape(const uint8_t *p, const struct shape *s, int32_t offset_delta)
{
    unsigned len;
    uint64_t delta = delta_bytes(offset_delta, &len);
    return len == s->delta_len &&
           (little_endian(p, 8) & s->head_mask) == (s->head | delta << 8 * s->delta_at) &&
           (little_endian(p + s->value_at, 4) & s->value_mask) == s->value && p[s->size - 1] == 0;
}

bool batch_is_dense(const struct batch *b)
{
    const uint8_t *p = b->bytes + BATCH_HEADER, *end = b->bytes + b->size;
    struct shape s = {0};
    for (int32_t i = 0; i < b->count; i++) {
        bool room = (size_t)(end - p) >= s.size + SHAPE_MORE;
        if (s.size > 0 && room && has_shape(p, &s, i)) {
            p += s.size;
            continue;
        }
        int64_t size;
        const uint8_t *body = read_varint(p, end, VARINT32_BYTES, &size);
        if (!body || size < 1 || size > end - body || !is_record(body, body + size, i)) {
            return false;
        }
        s = end - body >= size + SHAPE_MORE ? learn(p, body + size, i) : (struct shape){0};
        p = body + size;
    }
    return p == end;
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
