/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how little of a record has to be looked at: one that has the shape of the one before is
 * compared with it as a whole. */
#include "wire/dense.h"

#include <endian.h>
#include <string.h>

#include "wire/varint.h"

/** Skips a length from `least` on, and as many bytes. @return NULL = it makes no sense. */
static inline const uint8_t *skip_bytes(const uint8_t *p, const uint8_t *end, int least)
{
    int64_t n;
    p = varint_read(p, end, VARINT32_BYTES, &n);
    return !p || n < least || n > end - p ? NULL : n > 0 ? p + n : p;
}

static const uint8_t *skip_headers(const uint8_t *p, const uint8_t *end)
{
    int64_t n;
    p = varint_read(p, end, VARINT32_BYTES, &n);
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
    p = varint_read(p + 1, end, VARINT64_BYTES, &time); /* behind the attributes: unused */
    p = p ? varint_read(p, end, VARINT32_BYTES, &delta) : NULL;
    p = p && delta == offset_delta ? skip_bytes(p, end, -1) : NULL;
    p = p ? skip_bytes(p, end, -1) : NULL;
    p = p ? skip_headers(p, end) : NULL;
    return p == end;
}

enum { SHAPE_MORE = 8 }; /**< bytes that can be read behind a record that is compared */

static inline uint64_t eight_at(const uint8_t *p)
{
    uint64_t u;
    memcpy(&u, p, sizeof u);
    return le64toh(u);
}

static inline uint32_t four_at(const uint8_t *p)
{
    uint32_t u;
    memcpy(&u, p, sizeof u);
    return le32toh(u);
}

/** What offset deltas of one to three bytes are below. */
static const int32_t delta_below[] = {1 << 6, 1 << 13, 1 << 20};

/** Bytes of an offset delta in its shortest form, 4 = more than three. */
static unsigned delta_width(int32_t delta)
{
    unsigned n = 1;
    while (n < 4 && delta >= delta_below[n - 1]) {
        n++;
    }
    return n;
}

/** An offset delta of up to three bytes as it lies in memory, less the bits that say "more follow".
 */
static inline uint32_t delta_bytes(int32_t delta)
{
    uint32_t u = (uint32_t)delta << 1;
    return (u & 0x7f) | (u & 0x7f << 7) << 1 | (u & 0x7f << 14) << 2;
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
    unsigned width = width_at(p), time_at = width + 1, time_len = width_at(p + time_at);
    s.delta_at = time_at + time_len;
    unsigned delta_len = delta_width(offset_delta), key_at = s.delta_at + delta_len;
    if (width > 2 || time_len > 3 || delta_len > 3 || key_at > 7 ||
        (size_t)(end - p) <= key_at + 1 || p[key_at] & 0x80) {
        return s;
    }
    uint32_t more = 0x8080 >> 8 * (3 - delta_len), delta_mask = UINT32_MAX >> 8 * (4 - delta_len);
    uint64_t time_mask = 0x7f7f7f >> 8 * (3 - time_len);
    if ((four_at(p + s.delta_at) & delta_mask) != (delta_bytes(offset_delta) | more)) {
        return s;
    }
    s.value_at = key_at + 1 + (p[key_at] & 1 ? 0 : p[key_at] / 2);
    unsigned value_len = width_at(p + s.value_at);
    int64_t value;
    const uint8_t *rest = varint_read(p + s.value_at, end, VARINT32_BYTES, &value);
    if (value_len > 3 || !rest || end - rest != (value > 0 ? value : 0) + 1) {
        return s;
    }
    s.head_mask = (UINT64_MAX >> 8 * (8 - key_at - 1)) & ~((uint64_t)0xff << 8 * width) &
                  ~(time_mask << 8 * time_at) & ~((uint64_t)delta_mask << 8 * s.delta_at);
    s.head = (eight_at(p) & s.head_mask) | (uint64_t)more << 8 * s.delta_at;
    s.head_mask |= (uint64_t)delta_mask << 8 * s.delta_at;
    s.below = delta_below[delta_len - 1];
    s.value_mask = UINT32_MAX >> 8 * (4 - value_len);
    s.value = four_at(p + s.value_at) & s.value_mask;
    s.size = (size_t)(end - p);
    return s;
}

/** s->size + SHAPE_MORE bytes can be read, and the delta is below s->below, not below the one
 * before. */
static inline bool has_shape(const uint8_t *p, const struct shape *s, int32_t offset_delta)
{
    uint64_t delta = delta_bytes(offset_delta);
    return (eight_at(p) & s->head_mask) == (s->head | delta << 8 * s->delta_at) &&
           (four_at(p + s->value_at) & s->value_mask) == s->value && p[s->size - 1] == 0;
}

void dense_start(struct dense *d, const uint8_t *p, const uint8_t *end, int32_t count)
{
    *d = (struct dense){.p = p, .end = end, .count = count};
}

/** One that has no known shape. @return what follows it, NULL = it makes no sense, where it begins
 * = not all of it is there. */
static const uint8_t *take_one(struct dense *d, const uint8_t *there)
{
    int64_t size = 0;
    const uint8_t *p = varint_read(d->p, there, VARINT32_BYTES, &size);
    if (!p && there < d->end && there - d->p < VARINT32_BYTES) {
        return d->p;
    }
    if (!p || size < 1 || size > d->end - p) {
        return NULL;
    }
    if (size > there - p) {
        return d->p;
    }
    if (!is_record(p, p + size, d->i)) {
        return NULL;
    }
    bool room = there - p >= size + SHAPE_MORE;
    d->shape = room ? learn(d->p, p + size, d->i) : (struct shape){0};
    return p + size;
}

/** Those that have the shape of the one before. */
static void take_same(struct dense *d, const uint8_t *there)
{
    const struct shape s = d->shape;
    const uint8_t *p = d->p;
    int32_t i = d->i, end = d->count < s.below ? d->count : s.below; /* 0 = no shape is known */
    while (i < end && (size_t)(there - p) >= s.size + SHAPE_MORE && has_shape(p, &s, i)) {
        p += s.size;
        i++;
    }
    d->p = p;
    d->i = i;
}

void dense_upto(struct dense *d, const uint8_t *there)
{
    while (d->p && d->p < there && d->i < d->count) {
        const uint8_t *next = take_one(d, there);
        if (next == d->p) {
            return;
        }
        d->p = next;
        d->i++;
        if (next) {
            take_same(d, there);
        }
    }
}

bool dense_ok(const struct dense *d)
{
    return d->p == d->end && d->i == d->count;
}
