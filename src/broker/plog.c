/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how batches are stored: segments of growing size, filled once and never moved; an answer
 * that is being written keeps its segment alive by a reference. Loop thread only. */
#include "broker/plog.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

enum {
    SEGMENT_MIN = 1 << 10,
    SEGMENT_MAX = 1 << 20,
    SPARE_MIN = 4096,
    POPULATE_MIN = 32 << 10,
    TAKE_MIN = 256 << 10,
    TAKE_WASTE = 16, /* one part in so many may be something else */
    PAGE = 4096,     /* a larger one is rounded to by the kernel, or refused: no harm */
    MARK_EVERY = 4096,
    MARKS_FIRST = 8, /* what VEC_PUSH begins with */
    AT_LENGTH = 8,
    AT_LEADER_EPOCH = 12,
    AT_LAST_DELTA = 23,
    AT_MAX_TIME = 35,
    LENGTH_END = 12,
    MAX_RAW = 32 << 20, /* of a compressed batch that is searched by time: no bomb goes off here */
};

static void put(uint8_t *p, uint64_t u, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        p[i] = (uint8_t)(u >> 8 * (size - 1 - i));
    }
}

static uint64_t get(const uint8_t *p, unsigned size)
{
    uint64_t u = 0;
    for (unsigned i = 0; i < size; i++) {
        u = u << 8 | p[i];
    }
    return u;
}

static size_t size_at(const uint8_t *p)
{
    return (size_t)get(p + AT_LENGTH, 4) + LENGTH_END;
}

static int64_t base_at(const uint8_t *p)
{
    return (int64_t)get(p, 8);
}

static int64_t last_at(const uint8_t *p)
{
    return base_at(p) + (int64_t)get(p + AT_LAST_DELTA, 4);
}

static int64_t time_at(const uint8_t *p)
{
    return (int64_t)get(p + AT_MAX_TIME, 8);
}

struct plog_segment *plog_keep(struct plog_segment *s)
{
    s->refs++;
    return s;
}

void plog_drop(struct plog_segment *s)
{
    if (s && --s->refs == 0) {
        buf_free(&s->kept);
        free(s->marks.items);
        free(s);
    }
}

static void let_go(struct plog_segment *s)
{
    s->gone = true;
    plog_drop(s);
}

void plog_free(struct plog *l)
{
    for (size_t i = 0; i < l->segments.n; i++) {
        let_go(l->segments.items[i]);
    }
    free(l->segments.items);
    *l = (struct plog){0};
}

static struct plog_segment *last_segment(const struct plog *l)
{
    return l->segments.n ? l->segments.items[l->segments.n - 1] : NULL;
}

static size_t next_cap(const struct plog *l, size_t size)
{
    const struct plog_segment *last = last_segment(l);
    size_t cap = last ? last->cap * 2 : SEGMENT_MIN;
    cap = cap > SEGMENT_MAX ? SEGMENT_MAX : cap;
    return cap < size ? size : cap;
}

static bool mark_due(const struct plog_segment *s)
{
    size_t marked = s->marks.n ? s->marks.items[s->marks.n - 1].pos : 0;
    return s->len - marked >= MARK_EVERY;
}

size_t plog_cost(const struct plog *l, size_t size)
{
    const struct plog_segment *s = last_segment(l);
    if (!s || s->cap - s->len < size) {
        return sizeof *s + next_cap(l, size);
    }
    bool grows = mark_due(s) && s->marks.n == s->marks.cap;
    return grows ? (s->marks.cap ? s->marks.cap : MARKS_FIRST) * sizeof *s->marks.items : 0;
}

static size_t cost_of(const struct plog_segment *s)
{
    size_t data = s->kept.cap ? s->kept.cap : s->cap;
    return sizeof *s + data + s->marks.cap * sizeof *s->marks.items;
}

/** Nothing more fits into the last segment: gives its rest back, unless somebody reads it. */
static void close_last(struct plog *l)
{
    struct plog_segment **at = &l->segments.items[l->segments.n - 1], *s = *at;
    if (s->refs == 1 && s->cap - s->len >= SPARE_MIN) {
        l->bytes -= s->cap - s->len;
        s->cap = s->len;
        *at = xrealloc(s, sizeof *s + s->cap);
        (*at)->data = (*at)->own;
    }
}

static struct plog_segment *add_segment(struct plog *l, size_t own)
{
    if (l->segments.n > 0) {
        close_last(l);
    }
    struct plog_segment *s = xmalloc(sizeof *s + own);
    *s = (struct plog_segment){
        .refs = 1, .base = l->end, .next = l->end, .max_time = INT64_MIN, .cap = own};
    s->data = s->own;
    *VEC_PUSH(&l->segments) = s;
    return s;
}

static struct plog_segment *room(struct plog *l, size_t size)
{
    struct plog_segment *s = last_segment(l);
    if (s && s->cap - s->len >= size) {
        return s;
    }
    s = add_segment(l, next_cap(l, size));
    l->bytes += cost_of(s);
    return s;
}

/** A segment out of the buffer that the batch came in. */
static void take_over(struct plog *l, const struct batch *b, struct buf *whole)
{
    struct plog_segment *s = add_segment(l, 0);
    s->data = (uint8_t *)whole->data + (b->bytes - (const uint8_t *)whole->data);
    s->cap = b->size;
    s->kept = *whole;
    *whole = (struct buf){0};
    l->bytes += cost_of(s);
}

static bool worth_taking(const struct batch *b, const struct buf *whole)
{
    return whole && b->size >= TAKE_MIN && whole->cap - b->size <= b->size / TAKE_WASTE;
}

/** Asks for all pages of one more large batch at once: that costs less than a fault for each. */
static void populate(struct plog_segment *s, size_t size)
{
#ifdef MADV_POPULATE_WRITE
    size_t upto = s->cap - s->len < size ? s->cap : s->len + size;
    size_t begin = s->ready > s->len ? s->ready : s->len;
    if (size >= POPULATE_MIN && begin < upto) {
        uintptr_t from = (uintptr_t)(s->data + begin) & ~(uintptr_t)(PAGE - 1);
        madvise((void *)from, (uintptr_t)(s->data + upto) - from, MADV_POPULATE_WRITE);
        s->ready = upto;
    }
#endif
}

void plog_prepare(struct plog *l)
{
    if (l->start == 0 && l->segments.n > 0) {
        populate(last_segment(l), l->last + PAGE); /* a marker may come before the next one */
    }
}

static void mark(struct plog *l, struct plog_segment *s)
{
    if (mark_due(s)) {
        l->bytes -= cost_of(s);
        *VEC_PUSH(&s->marks) = (struct plog_mark){l->end, (uint32_t)s->len};
        l->bytes += cost_of(s);
    }
}

/** Where the batch is from now on; its segment is the last one. A log that has let go of segments
 * gets their memory again, of which every page is there. New memory costs a fault for each page, or
 * a little less when all are asked for at once: then a copy is cheaper than to take over the
 * buffer, for which the connection would need new memory each time. */
static uint8_t *place(struct plog *l, const struct batch *b, struct buf *whole)
{
    bool used = l->start > 0;
    if (used && worth_taking(b, whole)) {
        take_over(l, b, whole);
        return last_segment(l)->data;
    }
    struct plog_segment *s = room(l, b->size);
    if (!used) {
        populate(s, b->size);
    }
    return memcpy(s->data + s->len, b->bytes, b->size);
}

void plog_append(struct plog *l, const struct batch *b, int32_t leader_epoch, struct buf *whole)
{
    uint8_t *p = place(l, b, whole);
    struct plog_segment *s = last_segment(l);
    put(p, (uint64_t)l->end, 8);
    put(p + AT_LEADER_EPOCH, (uint32_t)leader_epoch, 4);
    mark(l, s);
    s->len += b->size;
    l->last = b->size;
    l->end += (int64_t)b->last_offset_delta + 1;
    s->next = l->end;
    if (b->max_timestamp > s->max_time) {
        s->max_time = b->max_timestamp;
    }
}

/** Index of the segment that holds the offset, or of the first behind it. */
static size_t find_segment(const struct plog *l, int64_t offset)
{
    size_t low = 0, high = l->segments.n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (l->segments.items[mid]->next <= offset) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/** Position of the first batch of the segment whose last offset is at least `offset`. */
static size_t find_batch(const struct plog_segment *s, int64_t offset)
{
    size_t low = 0, high = s->marks.n, pos = 0;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (s->marks.items[mid].offset <= offset) {
            pos = s->marks.items[mid].pos;
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    while (pos < s->len && last_at(s->data + pos) < offset) {
        pos += size_at(s->data + pos);
    }
    return pos;
}

struct plog_slice plog_read(const struct plog *l, int64_t from, int64_t upto, size_t max,
                            bool one_at_least)
{
    struct plog_slice out = {.next = from};
    size_t i = find_segment(l, from);
    if (from >= upto || i == l->segments.n) { /* a batch may begin below upto and hold from */
        return out;
    }
    struct plog_segment *s = l->segments.items[i];
    size_t begin = find_batch(s, from), end = begin;
    if (s->next <= upto && s->len - begin <= max) {
        end = s->len;
        out.next = s->next;
    }
    while (end < s->len && base_at(s->data + end) < upto) {
        size_t size = size_at(s->data + end);
        if (end - begin + size > max && !(one_at_least && end == begin)) {
            break;
        }
        out.next = last_at(s->data + end) + 1;
        end += size;
    }
    if (end > begin) {
        out.segment = s;
        out.p = s->data + begin;
        out.len = end - begin;
    }
    return out;
}

int64_t plog_batch_base(const struct plog *l, int64_t offset)
{
    size_t i = find_segment(l, offset);
    if (i == l->segments.n) {
        return offset;
    }
    const struct plog_segment *s = l->segments.items[i];
    return base_at(s->data + find_batch(s, offset));
}

size_t plog_size(const struct plog *l, int64_t from, int64_t upto, size_t enough)
{
    size_t sum = 0;
    for (size_t i = find_segment(l, from); i < l->segments.n && sum < enough; i++) {
        const struct plog_segment *s = l->segments.items[i];
        if (s->base >= upto) {
            break;
        }
        size_t begin = from > s->base ? find_batch(s, from) : 0;
        size_t end = s->next <= upto ? s->len : find_batch(s, upto);
        sum += end - begin;
    }
    return sum;
}

/* ---- by time ----------------------------------------------------------------------------------
 */

/** First record of one batch at or above the start, below upto and not before `time`. */
static bool find_in_batch(const struct plog *l, const uint8_t *p, int64_t time, int64_t upto,
                          int64_t *offset, int64_t *found)
{
    struct batch_iter it;
    struct batch b;
    struct record_iter records;
    struct record r;
    bool ok = false;
    batch_iter_init(&it, p, size_at(p));
    if (batch_iter_next(&it, &b) != BATCH_OK) {
        return false;
    }
    record_iter_init_max(&records, &b, MAX_RAW);
    while (!ok && record_iter_next(&records, &r) > 0) {
        ok = r.timestamp >= time && r.offset >= l->start && r.offset < upto;
        if (ok) {
            *offset = r.offset;
            *found = r.timestamp;
        }
    }
    record_iter_free(&records);
    return ok;
}

bool plog_find_time(const struct plog *l, int64_t time, int64_t upto, int64_t *offset,
                    int64_t *found)
{
    for (size_t i = find_segment(l, l->start); i < l->segments.n; i++) {
        const struct plog_segment *s = l->segments.items[i];
        for (size_t pos = 0; s->max_time >= time && pos < s->len; pos += size_at(s->data + pos)) {
            const uint8_t *p = s->data + pos;
            if (base_at(p) >= upto) {
                return false;
            }
            if (time_at(p) >= time && last_at(p) >= l->start &&
                find_in_batch(l, p, time, upto, offset, found)) {
                return true;
            }
        }
    }
    return false;
}

bool plog_find_max_time(const struct plog *l, int64_t upto, int64_t *offset, int64_t *found)
{
    int64_t max = INT64_MIN;
    for (size_t i = find_segment(l, l->start); i < l->segments.n; i++) {
        const struct plog_segment *s = l->segments.items[i];
        for (size_t pos = 0; pos < s->len; pos += size_at(s->data + pos)) {
            const uint8_t *p = s->data + pos;
            if (base_at(p) < upto && last_at(p) >= l->start && time_at(p) > max) {
                max = time_at(p);
            }
        }
    }
    return max > INT64_MIN && plog_find_time(l, max, upto, offset, found);
}

void plog_trim(struct plog *l, int64_t offset)
{
    l->start = offset;
    size_t gone = 0;
    while (gone < l->segments.n && l->segments.items[gone]->next <= offset) {
        l->bytes -= cost_of(l->segments.items[gone]);
        let_go(l->segments.items[gone++]);
    }
    if (gone > 0) {
        memmove(l->segments.items, l->segments.items + gone,
                (l->segments.n - gone) * sizeof(struct plog_segment *));
        l->segments.n -= gone;
    }
}

int64_t plog_retained(const struct plog *l, size_t bytes, int64_t old)
{
    size_t size = 0;
    for (size_t i = 0; i < l->segments.n; i++) {
        size += l->segments.items[i]->len;
    }
    int64_t upto = l->start;
    for (size_t i = 0; i < l->segments.n; i++) {
        const struct plog_segment *s = l->segments.items[i];
        if (s->max_time >= old && size - s->len < bytes) {
            break;
        }
        size -= s->len;
        upto = s->next;
    }
    return upto;
}
