/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the layout of request headers, as a server reads them. */
#include <string.h>

#include "wire/schema.h"

enum { FIXED = 10, TAGS_MAX = 64 };

static int64_t get(const uint8_t *p, unsigned size)
{
    uint64_t u = p[0] & 0x80 ? UINT64_MAX : 0;
    for (unsigned i = 0; i < size; i++) {
        u = u << 8 | p[i];
    }
    return (int64_t)u;
}

/** One unsigned varint. @return false when the bytes end or it is too long. */
static bool uvarint(const uint8_t *p, size_t len, size_t *at, uint32_t *out)
{
    uint64_t u = 0;
    for (unsigned shift = 0; shift < 35 && *at < len; shift += 7) {
        uint8_t c = p[(*at)++];
        u |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80)) {
            *out = (uint32_t)u;
            return u <= UINT32_MAX;
        }
    }
    return false;
}

static bool skip_tags(const uint8_t *p, size_t len, size_t *at)
{
    uint32_t n = 0, tag = 0, size = 0;
    if (!uvarint(p, len, at, &n) || n > TAGS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!uvarint(p, len, at, &tag) || !uvarint(p, len, at, &size) || size > len - *at) {
            return false;
        }
        *at += size;
    }
    return true;
}

int wire_decode_header(struct wire_header *h, const void *frame, size_t len, struct err *e)
{
    const uint8_t *p = frame;
    *h = (struct wire_header){0};
    if (len < FIXED) {
        return err_set(e, ERR_PROTOCOL, 0, "a request of %zu bytes has no header", len);
    }
    h->api = (int16_t)get(p, 2);
    h->version = (int16_t)get(p + 2, 2);
    h->correlation = (int32_t)get(p + 4, 4);
    h->client_id_len = (int16_t)get(p + 8, 2);
    h->body = FIXED;
    if (h->client_id_len > 0 && (size_t)h->client_id_len > len - FIXED) {
        return err_set(e, ERR_PROTOCOL, 0, "the client id is longer than its request");
    }
    if (h->client_id_len >= 0) {
        h->client_id = (const char *)p + FIXED;
        h->body += (size_t)h->client_id_len;
    }
    const struct wire_schema *s = wire_schema(h->api, WIRE_REQUEST);
    if (!s || h->version < s->min || h->version > s->max) {
        h->body = len;
    } else if (wire_header_tagged(s, h->version) && !skip_tags(p, len, &h->body)) {
        return err_set(e, ERR_PROTOCOL, 0, "the tagged fields of a request header make no sense");
    }
    return 0;
}
