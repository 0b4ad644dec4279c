/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the layout of record batches of magic 2, for writing. */
#include <string.h>

#include "wire/batch.h"
#include "wire/compress.h"

static void put(struct buf *b, uint64_t u, unsigned size)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(u >> 8 * (size - 1 - i));
    }
    buf_append(b, bytes, size);
}

static void put_varint(struct buf *b, int64_t v)
{
    uint64_t u = (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
    uint8_t bytes[10];
    unsigned n = 0;
    while (u >= 0x80) {
        bytes[n++] = (uint8_t)(u | 0x80);
        u >>= 7;
    }
    bytes[n++] = (uint8_t)u;
    buf_append(b, bytes, n);
}

static void put_bytes(struct buf *b, const void *p, int32_t len)
{
    put_varint(b, len);
    if (len > 0) {
        buf_append(b, p, (size_t)len);
    }
}

static void put_record(struct buf *out, const struct record *r, int64_t time_delta, int32_t delta)
{
    struct buf b = {0};
    put(&b, 0, 1);
    put_varint(&b, time_delta);
    put_varint(&b, delta);
    put_bytes(&b, r->key, r->key_len);
    put_bytes(&b, r->value, r->value_len);
    put_varint(&b, r->nheaders);
    for (int32_t i = 0; i < r->nheaders; i++) {
        const struct record_header *h = &r->headers[i];
        put_bytes(&b, h->key, h->key_len);
        put_bytes(&b, h->value, h->value_len);
    }
    put_varint(out, (int64_t)b.len);
    buf_append(out, b.data, b.len);
    buf_free(&b);
}

static uint16_t attributes(const struct batch_opts *o)
{
    return (uint16_t)(o->codec | o->log_append_time << 3 | o->transactional << 4 | o->control << 5);
}

/** What the CRC covers. */
static const char *put_body(struct buf *b, const struct batch_opts *o, const struct record *r,
                            int32_t n)
{
    bool numbered = false;
    int64_t max = r[0].timestamp;
    for (int32_t i = 0; i < n; i++) {
        numbered = numbered || r[i].offset_delta != 0;
        max = r[i].timestamp > max ? r[i].timestamp : max;
    }
    bool none = o->producer_id < 0;
    put(b, attributes(o), 2);
    put(b, (uint32_t)(numbered ? r[n - 1].offset_delta : n - 1), 4);
    put(b, (uint64_t)r[0].timestamp, 8);
    put(b, (uint64_t)max, 8);
    put(b, (uint64_t)o->producer_id, 8);
    put(b, none ? UINT16_MAX : (uint16_t)o->producer_epoch, 2);
    put(b, none ? UINT32_MAX : (uint32_t)o->base_sequence, 4);
    put(b, (uint32_t)n, 4);
    struct buf raw = {0};
    for (int32_t i = 0; i < n; i++) {
        put_record(&raw, &r[i], r[i].timestamp - r[0].timestamp, numbered ? r[i].offset_delta : i);
    }
    const char *why = compress_encode(o->codec, o->snappy_raw, raw.data, raw.len, b);
    buf_free(&raw);
    return why;
}

int batch_write(struct buf *out, const struct batch_opts *o, const struct record *r, int32_t n,
                struct err *e)
{
    struct buf body = {0};
    const char *why = n > 0 ? put_body(&body, o, r, n) : "no records";
    if (!why) {
        put(out, (uint64_t)o->base_offset, 8);
        put(out, 4 + 1 + 4 + body.len, 4);
        put(out, (uint32_t)o->leader_epoch, 4);
        put(out, 2, 1);
        put(out, crc32c(body.data, body.len), 4);
        buf_append(out, body.data, body.len);
    }
    buf_free(&body);
    return why ? err_set(e, ERR_INTERNAL, 0, "writing a batch: %s", why) : 0;
}
