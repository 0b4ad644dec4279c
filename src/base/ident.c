/* SPDX-License-Identifier: Apache-2.0 */
/* Identity headers. Writing is a few copies without checks (the buffer holds the longest header);
 * reading goes through a cursor that turns bad at the first byte too few and stays bad. */
#include "base/ident.h"

#include <string.h>

struct cursor {
    const uint8_t *p, *end;
    bool bad;
};

struct ident_text ident_text(const char *s)
{
    size_t len = strlen(s);
    return (struct ident_text){s, (uint8_t)(len > IDENT_TEXT_MAX ? IDENT_TEXT_MAX : len)};
}

bool ident_is(struct ident_text t, const char *s)
{
    return strlen(s) == t.len && memcmp(t.p, s, t.len) == 0;
}

static uint8_t *put_number(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        *p++ = (uint8_t)(v >> (8 * i));
    }
    return p;
}

static uint8_t *put_text(uint8_t *p, struct ident_text t)
{
    *p++ = t.len;
    if (t.len) {
        memcpy(p, t.p, t.len);
    }
    return p + t.len;
}

size_t ident_put(uint8_t *out, const struct ident_header *h)
{
    uint8_t *p = out;
    *p++ = IDENT_VERSION;
    p = put_text(p, h->run);
    p = put_text(p, h->role);
    p = put_number(p, h->index, 4);
    p = put_number(p, h->incarnation, 4);
    p = put_text(p, h->topic);
    p = put_number(p, h->seq, 8);
    return (size_t)(p - out);
}

size_t ident_put_src(uint8_t *out, const struct ident_src *s)
{
    uint8_t *p = out;
    *p++ = IDENT_VERSION;
    p = put_text(p, s->topic);
    p = put_number(p, (uint32_t)s->partition, 4);
    p = put_number(p, (uint64_t)s->offset, 8);
    return (size_t)(p - out);
}

size_t ident_put_txn(uint8_t *out, const struct ident_txn *t)
{
    uint8_t *p = out;
    *p++ = IDENT_VERSION;
    p = put_text(p, t->id);
    p = put_number(p, t->incarnation, 4);
    p = put_number(p, t->number, 8);
    return (size_t)(p - out);
}

void ident_set_src(uint8_t *header, size_t len, int32_t partition, int64_t offset)
{
    put_number(header + len - 12, (uint32_t)partition, 4);
    put_number(header + len - 8, (uint64_t)offset, 8);
}

static uint64_t get_number(struct cursor *c, int bytes)
{
    uint64_t v = 0;
    if (c->bad || c->end - c->p < bytes) {
        c->bad = true;
        return 0;
    }
    for (int i = 0; i < bytes; i++) {
        v |= (uint64_t)c->p[i] << (8 * i);
    }
    c->p += bytes;
    return v;
}

static struct ident_text get_text(struct cursor *c)
{
    uint8_t len = (uint8_t)get_number(c, 1);
    if (c->bad || c->end - c->p < len) {
        c->bad = true;
        return (struct ident_text){"", 0};
    }
    struct ident_text t = {(const char *)c->p, len};
    c->p += len;
    return t;
}

static struct cursor begin(const void *data, size_t len)
{
    struct cursor c = {data, data ? (const uint8_t *)data + len : NULL, data == NULL};
    if (get_number(&c, 1) != IDENT_VERSION) {
        c.bad = true;
    }
    return c;
}

static bool complete(const struct cursor *c)
{
    return !c->bad && c->p == c->end;
}

bool ident_get(const void *data, size_t len, struct ident_header *h)
{
    struct cursor c = begin(data, len);
    h->run = get_text(&c);
    h->role = get_text(&c);
    h->index = (uint32_t)get_number(&c, 4);
    h->incarnation = (uint32_t)get_number(&c, 4);
    h->topic = get_text(&c);
    h->seq = get_number(&c, 8);
    return complete(&c);
}

bool ident_get_src(const void *data, size_t len, struct ident_src *s)
{
    struct cursor c = begin(data, len);
    s->topic = get_text(&c);
    s->partition = (int32_t)get_number(&c, 4);
    s->offset = (int64_t)get_number(&c, 8);
    return complete(&c);
}

bool ident_get_txn(const void *data, size_t len, struct ident_txn *t)
{
    struct cursor c = begin(data, len);
    t->id = get_text(&c);
    t->incarnation = (uint32_t)get_number(&c, 4);
    t->number = get_number(&c, 8);
    return complete(&c);
}
