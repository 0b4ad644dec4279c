/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how messages become lines: time, peer, client, api and version, then the fields that are
 * not at their defaults. Bytes are shown by their size. */
#include "broker/trace.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum { ITEMS_MAX = 8, TEXT_MAX = 80 };

static void put_value(struct buf *b, int16_t version, const struct wire_value *v);

/** As Kafka writes ids: base64 for URLs, without an end. */
static void put_uuid(struct buf *b, const uint8_t *p)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    enum { BITS = 128, STEP = 6 };
    for (int at = 0; at < BITS; at += STEP) {
        unsigned two = (unsigned)p[at / 8] << 8 | (at + 8 < BITS ? p[at / 8 + 1] : 0);
        buf_printf(b, "%c", digits[two >> (10 - at % 8) & 63]);
    }
}

static void put_text(struct buf *b, const struct wire_value *v)
{
    const struct wire_field *f = v->field;
    if (v->s.len < 0) {
        buf_puts(b, "null");
        return;
    }
    if (f->type == WIRE_UUID) {
        put_uuid(b, v->s.p);
        return;
    }
    if (f->type != WIRE_STRING) {
        buf_printf(b, "<%d bytes>", (int)v->s.len);
        return;
    }
    buf_puts(b, "\"");
    for (int32_t i = 0; i < v->s.len && i < TEXT_MAX; i++) {
        buf_printf(b, isprint(v->s.p[i]) ? "%c" : "\\x%02x", v->s.p[i]);
    }
    buf_puts(b, v->s.len > TEXT_MAX ? "...\"" : "\"");
}

/** A struct whose numbers are all at their defaults. */
static bool is_unset(const struct wire_value *v)
{
    for (int32_t i = 0; i < v->a.n; i++) {
        const struct wire_value *m = &v->a.items[i];
        if (m->kind != WIRE_NUMBER || m->i != m->field->def) {
            return false;
        }
    }
    return true;
}

static bool is_dull(int16_t version, const struct wire_value *v)
{
    const struct wire_field *f = v->field;
    if (version < f->from || version > f->to) {
        return true;
    }
    if (strcmp(f->name, "ErrorCode") == 0) {
        return v->i == 0;
    }
    switch (v->kind) {
    case WIRE_NUMBER:
        return strcmp(f->name, "ThrottleTimeMs") == 0 || (f->tag && v->i == f->def);
    case WIRE_BLOB:
        return v->s.len <= 0 || (f->type == WIRE_UUID && topic_id_is_none(v->s.p));
    case WIRE_LIST:
        return v->a.n <= 0;
    default:
        return f->tag && is_unset(v);
    }
}

static void put_members(struct buf *b, int16_t version, const struct wire_value *v)
{
    bool any = false;
    for (int32_t i = 0; i < v->a.n; i++) {
        const struct wire_value *m = &v->a.items[i];
        if (is_dull(version, m)) {
            continue;
        }
        buf_printf(b, "%s%s=", any ? " " : "", m->field->name);
        if (strcmp(m->field->name, "ErrorCode") == 0) {
            buf_puts(b, kafka_error_name((int)m->i));
        } else {
            put_value(b, version, m);
        }
        any = true;
    }
}

/** Elements of a list; those of structs in braces. */
static void put_list(struct buf *b, int16_t version, const struct wire_value *v)
{
    buf_puts(b, "[");
    for (int32_t i = 0; i < v->a.n && i < ITEMS_MAX; i++) {
        buf_puts(b, i ? " " : "");
        put_value(b, version, &v->a.items[i]);
    }
    if (v->a.n > ITEMS_MAX) {
        buf_printf(b, " ... %d more", (int)v->a.n - ITEMS_MAX);
    }
    buf_puts(b, "]");
}

static void put_value(struct buf *b, int16_t version, const struct wire_value *v)
{
    switch (v->kind) {
    case WIRE_NUMBER:
        buf_printf(b, "%" PRId64, v->i);
        break;
    case WIRE_REAL:
        buf_printf(b, "%g", v->f);
        break;
    case WIRE_BLOB:
        put_text(b, v);
        break;
    case WIRE_LIST:
        put_list(b, version, v);
        break;
    default:
        buf_puts(b, "{");
        put_members(b, version, v);
        buf_puts(b, "}");
    }
}

static void put_time(struct buf *b)
{
    int64_t now = state_now_ms();
    time_t s = (time_t)(now / 1000);
    struct tm tm;
    char text[32];
    localtime_r(&s, &tm);
    strftime(text, sizeof text, "%H:%M:%S", &tm);
    buf_printf(b, "%s.%03d", text, (int)(now % 1000));
}

static void write(const struct call *c, const char *arrow, const struct wire_msg *m)
{
    struct buf b = {0};
    put_time(&b);
    buf_printf(&b, " %s %s %s %s/%d #%d ", call_peer(c), c->client_id ? c->client_id : "-", arrow,
               wire_api_name(c->api->key), c->version, (int)c->correlation);
    put_members(&b, m->version, &m->root);
    c->b->trace(c->b->trace_arg, b.data);
    buf_free(&b);
}

void trace_request(const struct call *c)
{
    if (c->b->trace) {
        write(c, "->", &c->req);
    }
}

void trace_answer(const struct call *c)
{
    if (c->b->trace) {
        write(c, "<-", &c->resp);
    }
}

void trace_note(struct broker *b, const char *peer, const char *text)
{
    struct buf line = {0};
    if (b->trace) {
        put_time(&line);
        buf_printf(&line, " %s %s", peer, text);
        b->trace(b->trace_arg, line.data);
        buf_free(&line);
    }
}
