/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how a partition is fetched: answers that begin below the asked offset, end in a cut batch
 * or are empty though there is more; batches that are damaged but can be stepped over. */
#include "audit/scan.h"

#include "base/clock.h"

enum { FETCH_MS = 30000, EMPTY_MS = 5000, WAIT_MS = 250, LENGTH_AT = 8, LENGTH_END = 12 };

struct cursor {
    int64_t at;        /**< next offset to ask for */
    int64_t last_base; /**< of the batch handed out last; what stands before it was seen */
    bool plain;        /**< read_committed gave nothing: ask without */
    bool end;
};

int scan_left_ms(uint64_t deadline_ns, int cap_ms)
{
    uint64_t now = clock_mono_ns();
    uint64_t ms = now < deadline_ns ? (deadline_ns - now) / 1000000 : 0;
    return ms < 1 ? 1 : ms < (uint64_t)cap_ms ? (int)ms : cap_ms;
}

/** Whether the size of the batch is the one its header says: else nothing behind it is readable. */
static bool has_size(const struct batch *b)
{
    if (b->size < BATCH_HEADER) {
        return false;
    }
    const uint8_t *p = b->bytes + LENGTH_AT;
    uint64_t length = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
    return length + LENGTH_END == b->size;
}

/** A damaged batch may name any offsets; it moves the cursor only within reason. */
static void move(struct cursor *c, const struct scan *s, const struct batch *b)
{
    int64_t next = b->base_offset + 1;
    if (b->base_offset < 0 || b->base_offset >= s->to) {
        return;
    }
    if (b->last_offset_delta >= 0 && b->last_offset_delta < s->to - b->base_offset) {
        next = b->base_offset + b->last_offset_delta + 1;
    } else if (!b->corrupt) {
        next = s->to;
    }
    c->at = next > c->at ? next : c->at;
    c->last_base = b->base_offset;
}

/** Hands out the batches of one answer. @return -1 with e when what follows cannot be read. */
static int take(struct scan *s, struct cursor *c, const struct admin_fetched *f, struct err *e)
{
    struct batch_iter it;
    struct batch b;
    bool fresh = false;
    batch_iter_init(&it, f->records, f->len);
    while (batch_iter_next(&it, &b) != BATCH_END) {
        if (!fresh && b.base_offset <= c->last_base) {
            continue;
        }
        fresh = true;
        if (!b.corrupt && b.base_offset >= s->to) {
            c->end = true;
            break;
        }
        if (!s->batch(s->arg, &b)) {
            s->stopped = c->end = true;
            break;
        }
        if (b.corrupt && !has_size(&b)) {
            return err_set(e, ERR_PROTOCOL, 0, "%s-%d is not readable behind offset %lld: %s",
                           s->topic, (int)s->partition, (long long)c->at, b.corrupt);
        }
        move(c, s, &b);
    }
    if (!fresh && f->len > 0) {
        c->at++; /* nothing but the damaged batch that was seen before */
    }
    return 0;
}

static void note_bounds(struct scan *s, const struct admin_fetched *f)
{
    if (f->log_start > s->log_start) {
        s->log_start = f->log_start;
    }
    if (f->high_watermark >= 0 && (s->hw < 0 || f->high_watermark < s->hw)) {
        s->hw = f->high_watermark;
    }
}

static int fetch_once(struct scan *s, struct cursor *c, bool wait, size_t *len, struct err *e)
{
    struct admin_fetched f;
    bool committed = c->at < s->lso && !c->plain;
    struct admin_fetch ask = {.topic = s->topic,
                              .partition = s->partition,
                              .offset = c->at,
                              .isolation =
                                  committed ? ADMIN_READ_COMMITTED : ADMIN_READ_UNCOMMITTED,
                              .max_wait_ms = wait ? WAIT_MS : 0};
    int rc = admin_fetch(s->admin, &ask, scan_left_ms(s->deadline_ns, FETCH_MS), &f, e);
    if (rc == 0) {
        note_bounds(s, &f);
        for (size_t i = 0; committed && s->aborted && i < f.naborted; i++) {
            s->aborted(s->arg, &f.aborted[i]);
        }
        *len = f.len;
        c->plain = committed && f.len == 0;
        rc = take(s, c, &f, e);
    }
    admin_fetched_free(&f);
    return rc;
}

int scan_run(struct scan *s, struct err *e)
{
    struct cursor c = {.at = s->from, .last_base = -1};
    uint64_t moved_ns = clock_mono_ns();
    bool wait = false;
    s->log_start = s->hw = -1;
    s->reached = s->from;
    s->stopped = false;
    while (c.at < s->to && !c.end) {
        size_t len = 0;
        uint64_t now = clock_mono_ns();
        if (now >= s->deadline_ns) {
            return err_set(e, ERR_TIMEOUT, 0, "no time left to read %s-%d from offset %lld to %lld",
                           s->topic, (int)s->partition, (long long)c.at, (long long)s->to);
        }
        if (now - moved_ns > (uint64_t)EMPTY_MS * 1000000) {
            return err_set(e, ERR_TIMEOUT, 0,
                           "reading %s-%d: nothing comes at offset %lld though its end is %lld",
                           s->topic, (int)s->partition, (long long)c.at, (long long)s->to);
        }
        int rc = fetch_once(s, &c, wait, &len, e);
        s->reached = c.at;
        if (rc < 0) {
            return err_wrap(e, "reading %s-%d", s->topic, (int)s->partition);
        }
        wait = len == 0 && !c.plain;
        moved_ns = len > 0 ? clock_mono_ns() : moved_ns;
    }
    return 0;
}
