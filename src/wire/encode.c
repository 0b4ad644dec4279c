/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the writing of message bodies and request frames: walks the table and the values together.
 * A field that the version does not have is left out. */
#include <string.h>

#include "base/mem.h"
#include "wire/schema.h"
#include "wire/value.h"

struct writer {
    struct buf *out;
    const struct wire_msg *m;
    bool flexible;
    const char *field;        /**< being written */
    const char *why;          /**< the first problem, NULL = none */
    struct wire_parts *parts; /**< NULL = everything is copied */
};

static void encode_members(struct writer *w, const struct wire_value *v);

static void put_fixed(struct buf *out, uint64_t u, unsigned size)
{
    uint8_t b[8];
    for (unsigned i = 0; i < size; i++) {
        b[i] = (uint8_t)(u >> 8 * (size - 1 - i));
    }
    buf_append(out, b, size);
}

static void put_uvarint(struct buf *out, uint32_t u)
{
    uint8_t b[5];
    unsigned n = 0;
    while (u >= 0x80) {
        b[n++] = (uint8_t)(u | 0x80);
        u >>= 7;
    }
    b[n++] = (uint8_t)u;
    buf_append(out, b, n);
}

static void put_length(struct writer *w, const struct wire_field *f, int64_t n, unsigned width)
{
    if (n < 0 && !(f->nullable && w->m->version >= f->nullable - 1)) {
        w->why = "null where none may be";
    } else if (width == 2 && n > INT16_MAX && !w->flexible) {
        w->why = "longer than the protocol can say";
    } else if (w->flexible) {
        put_uvarint(w->out, (uint32_t)(n + 1));
    } else {
        put_fixed(w->out, (uint64_t)n, width);
    }
}

static void put_blob(struct writer *w, const struct wire_value *v, const struct wire_field *f)
{
    if (w->parts && f->type == WIRE_RECORDS && v->s.len >= WIRE_PART_MIN) {
        *VEC_PUSH(w->parts) = (struct wire_part){w->out->len, v->s.p, (size_t)v->s.len};
    } else if (v->s.len > 0) {
        buf_append(w->out, v->s.p, (size_t)v->s.len);
    }
}

static void encode_one(struct writer *w, const struct wire_value *v, const struct wire_field *f)
{
    static const uint8_t sizes[] = {
        [WIRE_BOOL] = 1,   [WIRE_INT8] = 1,  [WIRE_INT16] = 2,
        [WIRE_UINT16] = 2, [WIRE_INT32] = 4, [WIRE_INT64] = 8,
    };
    switch (f->type) {
    case WIRE_FLOAT64: {
        uint64_t u;
        memcpy(&u, &v->f, sizeof u);
        put_fixed(w->out, u, 8);
        break;
    }
    case WIRE_UUID:
        buf_append(w->out, v->s.p, 16);
        break;
    case WIRE_STRING:
    case WIRE_BYTES:
    case WIRE_RECORDS:
        put_length(w, f, v->s.len, f->type == WIRE_STRING ? 2 : 4);
        put_blob(w, v, f);
        break;
    case WIRE_STRUCT:
        encode_members(w, v);
        break;
    default:
        put_fixed(w->out, (uint64_t)v->i, sizes[f->type]);
    }
}

static void encode_value(struct writer *w, const struct wire_value *v)
{
    const struct wire_field *f = v->field;
    w->field = f->name;
    if (!f->array) {
        if (f->type == WIRE_STRUCT && f->nullable && w->m->version >= f->nullable - 1) {
            put_fixed(w->out, v->a.n < 0 ? 0xff : 1, 1);
        }
        if (v->kind != WIRE_GROUP || v->a.n >= 0) {
            encode_one(w, v, f);
        }
        return;
    }
    put_length(w, f, v->a.n, 4);
    for (int32_t i = 0; i < v->a.n && !w->why; i++) {
        encode_one(w, &v->a.items[i], f);
    }
}

static bool is_default(const struct wire_value *v)
{
    static const uint8_t zero[16];
    const struct wire_field *f = v->field;
    switch (v->kind) {
    case WIRE_NUMBER:
        return v->i == f->def;
    case WIRE_REAL:
        return v->f == (double)f->def;
    case WIRE_BLOB:
        if (f->type == WIRE_UUID) {
            return memcmp(v->s.p, zero, sizeof zero) == 0;
        }
        return v->s.len == (f->def_null ? -1 : 0);
    case WIRE_LIST:
        return v->a.n == (f->def_null ? -1 : 0);
    default:
        break;
    }
    for (int32_t i = 0; i < v->a.n; i++) {
        if (!is_default(&v->a.items[i])) {
            return false;
        }
    }
    return v->a.n >= 0;
}

static bool tag_due(const struct writer *w, const struct wire_value *v)
{
    const struct wire_field *f = v->field;
    int16_t version = w->m->version;
    return f->tag && version >= f->tagged_from && version >= f->from && version <= f->to &&
           !is_default(v);
}

/** The member with the lowest due tag above `last`, NULL = none. */
static const struct wire_value *next_tag(const struct writer *w, const struct wire_value *v,
                                         int last)
{
    const struct wire_value *best = NULL;
    for (int32_t i = 0; i < v->a.n; i++) {
        const struct wire_value *c = &v->a.items[i];
        if (tag_due(w, c) && c->field->tag > last && (!best || c->field->tag < best->field->tag)) {
            best = c;
        }
    }
    return best;
}

static void encode_tags(struct writer *w, const struct wire_value *v)
{
    uint32_t n = 0;
    const struct wire_value *c = NULL;
    for (int last = 0; (c = next_tag(w, v, last)); last = c->field->tag) {
        n++;
    }
    put_uvarint(w->out, n);
    for (int last = 0; (c = next_tag(w, v, last)) && !w->why; last = c->field->tag) {
        struct buf value = {0};
        struct writer sub = *w;
        sub.out = &value;
        sub.parts = NULL;
        encode_value(&sub, c);
        w->why = sub.why;
        put_uvarint(w->out, (uint32_t)c->field->tag - 1);
        put_uvarint(w->out, (uint32_t)value.len);
        buf_append(w->out, value.data, value.len);
        buf_free(&value);
    }
}

static void encode_members(struct writer *w, const struct wire_value *v)
{
    int16_t version = w->m->version;
    for (int32_t i = 0; i < v->a.n && !w->why; i++) {
        const struct wire_field *f = v->a.items[i].field;
        bool is_tagged = f->tag && version >= f->tagged_from;
        if (version >= f->from && version <= f->to && !is_tagged) {
            encode_value(w, &v->a.items[i]);
        }
    }
    if (w->flexible && !w->why) {
        encode_tags(w, v);
    }
}

static int encode_body(const struct wire_msg *m, struct buf *out, struct wire_parts *parts,
                       struct err *e)
{
    struct writer w = {
        .out = out, .m = m, .flexible = m->version >= m->schema->flexible, .parts = parts};
    encode_members(&w, &m->root);
    if (w.why) {
        return err_set(e, ERR_INTERNAL, 0, "writing %s version %d, field %s: %s", m->schema->name,
                       m->version, w.field, w.why);
    }
    return 0;
}

int wire_encode(const struct wire_msg *m, struct buf *out, struct err *e)
{
    return encode_body(m, out, NULL, e);
}

static void put_size(struct buf *out, size_t start, size_t size)
{
    for (unsigned i = 0; i < 4; i++) {
        out->data[start + i] = (char)(size >> 8 * (3 - i));
    }
}

int wire_encode_request(const struct wire_msg *m, int32_t correlation, const char *client_id,
                        struct buf *out, struct err *e)
{
    size_t start = out->len;
    size_t id_len = client_id ? strlen(client_id) : 0;
    put_fixed(out, 0, 4);
    put_fixed(out, (uint16_t)m->schema->api, 2);
    put_fixed(out, (uint16_t)m->version, 2);
    put_fixed(out, (uint32_t)correlation, 4);
    put_fixed(out, client_id ? (uint16_t)id_len : UINT16_MAX, 2);
    buf_append(out, client_id ? client_id : "", id_len);
    if (wire_header_tagged(m->schema, m->version)) {
        put_fixed(out, 0, 1);
    }
    if (wire_encode(m, out, e) < 0) {
        out->len = start;
        return -1;
    }
    put_size(out, start, out->len - start - 4);
    return 0;
}

int wire_encode_response(const struct wire_msg *m, int32_t correlation, struct buf *out,
                         struct wire_parts *parts, struct err *e)
{
    size_t start = out->len, size = 0;
    put_fixed(out, 0, 4);
    put_fixed(out, (uint32_t)correlation, 4);
    if (wire_header_tagged(m->schema, m->version)) {
        put_fixed(out, 0, 1);
    }
    if (encode_body(m, out, parts, e) < 0) {
        out->len = start;
        return -1;
    }
    for (size_t i = 0; parts && i < parts->n; i++) {
        size += parts->items[i].len;
    }
    put_size(out, start, out->len - start - 4 + size);
    return 0;
}
