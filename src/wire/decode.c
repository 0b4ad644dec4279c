/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the reading of message bodies: walks the table and the bytes together. Nothing in the bytes
 * is believed: each length is compared with what is left, lists grow only as their elements really
 * arrive, and the number of values is bounded. The first problem is kept; after it reads give zeros
 * and loops end. */
#include <string.h>

#include "wire/schema.h"
#include "wire/value.h"

/* A request comes from a peer that may mean harm; an answer may be about all of a large cluster. */
enum { VALUES_MAX = 8 << 20, REQUEST_VALUES_MAX = 1 << 19 };

struct reader {
    const uint8_t *p, *end;
    struct wire_msg *m;
    bool flexible;
    int32_t values;     /**< how many were made */
    const char *field;  /**< being read */
    const char *why;    /**< the first problem, NULL = none */
    const uint8_t *cut; /**< where records begin that end behind the bytes, NULL = there are none */
};

static void decode_members(struct reader *r, struct wire_value *v, const struct wire_field *rows);

static void fail(struct reader *r, const char *why)
{
    if (!r->why) {
        r->why = why;
    }
}

static const uint8_t *take(struct reader *r, uint64_t n)
{
    if (r->why || n > (uint64_t)(r->end - r->p)) {
        fail(r, "the bytes end too early");
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}

static uint64_t fixed(struct reader *r, unsigned size)
{
    const uint8_t *p = take(r, size);
    uint64_t u = 0;
    for (unsigned i = 0; p && i < size; i++) {
        u = u << 8 | p[i];
    }
    return u;
}

static int64_t fixed_signed(struct reader *r, unsigned size)
{
    unsigned unused = 64 - 8 * size;
    return (int64_t)(fixed(r, size) << unused) >> unused;
}

static uint32_t uvarint(struct reader *r)
{
    uint64_t u = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        const uint8_t *p = take(r, 1);
        if (!p) {
            return 0;
        }
        u |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p & 0x80)) {
            if (u > UINT32_MAX) {
                break;
            }
            return (uint32_t)u;
        }
    }
    fail(r, "a varint is too long");
    return 0;
}

/** A length of `width` bytes, or a compact one: -1 = null. */
static int64_t length(struct reader *r, unsigned width)
{
    int64_t n;
    if (r->flexible) {
        n = (int64_t)uvarint(r) - 1;
    } else {
        n = fixed_signed(r, width);
    }
    if (n < -1) {
        fail(r, "negative size");
    }
    return r->why ? -1 : n;
}

static bool null_allowed(struct reader *r, const struct wire_field *f)
{
    bool ok = f->nullable && r->m->version >= f->nullable - 1;
    if (!ok) {
        fail(r, "null where none may be");
    }
    return ok;
}

static void decode_blob(struct reader *r, struct wire_value *v, const struct wire_field *f)
{
    int64_t n = length(r, f->type == WIRE_STRING ? 2 : 4);
    if (r->why) {
        return;
    }
    if (n < 0) {
        /* Brokers answer a Fetch without data with null records in every version. */
        if (f->type == WIRE_RECORDS || null_allowed(r, f)) {
            v->s.p = NULL;
            v->s.len = -1;
        }
        return;
    }
    if (f->type == WIRE_STRING &&
        n > INT16_MAX) { /* Kafka's limit, also where the bytes allow more */
        fail(r, "the string is too long");
        return;
    }
    const uint8_t *p = take(r, (uint64_t)n);
    if (!p) {
        r->cut = f->type == WIRE_RECORDS ? r->p : NULL;
        return;
    }
    v->s.len = (int32_t)n;
    v->s.p = f->type == WIRE_STRING ? (uint8_t *)arena_dup(&r->m->mem, p, (size_t)n) : p;
}

static void decode_one(struct reader *r, struct wire_value *v, const struct wire_field *f)
{
    switch (f->type) {
    case WIRE_BOOL:
        v->i = fixed(r, 1) != 0;
        break;
    case WIRE_INT8:
        v->i = fixed_signed(r, 1);
        break;
    case WIRE_INT16:
        v->i = fixed_signed(r, 2);
        break;
    case WIRE_UINT16:
        v->i = (uint16_t)fixed(r, 2);
        break;
    case WIRE_INT32:
        v->i = fixed_signed(r, 4);
        break;
    case WIRE_INT64:
        v->i = fixed_signed(r, 8);
        break;
    case WIRE_FLOAT64: {
        uint64_t u = fixed(r, 8);
        memcpy(&v->f, &u, sizeof u);
        break;
    }
    case WIRE_UUID: {
        const uint8_t *p = take(r, 16);
        v->s.p = p ? p : v->s.p;
        break;
    }
    case WIRE_STRING:
    case WIRE_BYTES:
    case WIRE_RECORDS:
        decode_blob(r, v, f);
        break;
    case WIRE_STRUCT:
        decode_members(r, v, f->sub);
        break;
    }
}

static void count_value(struct reader *r)
{
    bool request = r->m->schema->dir == WIRE_REQUEST;
    if (++r->values > (request ? REQUEST_VALUES_MAX : VALUES_MAX)) {
        fail(r, "too many values");
    }
}

static void decode_list(struct reader *r, struct wire_value *v, const struct wire_field *f)
{
    int64_t n = length(r, 4);
    if (r->why) {
        return;
    }
    if (n < 0) {
        if (null_allowed(r, f)) {
            v->a.n = -1;
        }
        return;
    }
    if (n > r->end - r->p) {
        fail(r, "more elements than bytes");
        return;
    }
    v->a.n = 0;
    for (int64_t i = 0; i < n && !r->why; i++) {
        count_value(r);
        struct wire_value *x = value_push(r->m, v);
        decode_one(r, x, f);
        if (x->kind == WIRE_BLOB && x->s.len < 0) { /* the list may be null, not its elements */
            fail(r, "null where none may be");
        }
    }
}

static void decode_value(struct reader *r, struct wire_value *v)
{
    const struct wire_field *f = v->field;
    r->field = f->name;
    if (f->array) {
        decode_list(r, v, f);
    } else if (f->type == WIRE_STRUCT && f->nullable && r->m->version >= f->nullable - 1 &&
               fixed_signed(r, 1) < 0) {
        v->a.n = -1;
    } else {
        decode_one(r, v, f);
    }
}

static bool tagged(const struct wire_field *f, int16_t version)
{
    return f->tag && version >= f->tagged_from;
}

static struct wire_value *find_tag(struct reader *r, struct wire_value *v, uint32_t tag)
{
    for (int32_t i = 0; i < v->a.n; i++) {
        const struct wire_field *f = v->a.items[i].field;
        if (tagged(f, r->m->version) && r->m->version <= f->to && (uint32_t)f->tag - 1 == tag) {
            return &v->a.items[i];
        }
    }
    return NULL;
}

static void decode_tags(struct reader *r, struct wire_value *v)
{
    r->field = "tagged fields";
    uint32_t n = uvarint(r);
    int64_t last = -1;
    for (uint32_t i = 0; i < n && !r->why; i++) {
        uint32_t tag = uvarint(r);
        uint32_t size = uvarint(r);
        const uint8_t *p = take(r, size);
        if (!p) {
            return;
        }
        if (tag <= last) {
            fail(r, "tags are not in order");
            return;
        }
        last = tag;
        struct wire_value *c = find_tag(r, v, tag);
        if (!c) {
            continue;
        }
        struct reader sub = *r;
        sub.p = p;
        sub.end = p + size;
        decode_value(&sub, c);
        if (!sub.why && sub.p != sub.end) {
            sub.why = "a tagged field is longer than its value";
        }
        r->values = sub.values;
        r->why = sub.why;
        r->field = sub.field;
    }
}

static void decode_members(struct reader *r, struct wire_value *v, const struct wire_field *rows)
{
    for (int32_t i = 0; i < v->a.n && !r->why; i++) {
        const struct wire_field *f = &rows[i];
        count_value(r);
        if (r->m->version < f->from || r->m->version > f->to || tagged(f, r->m->version)) {
            continue;
        }
        decode_value(r, &v->a.items[i]);
    }
    if (r->flexible && !r->why) {
        decode_tags(r, v);
    }
}

static struct reader decode(struct wire_msg *m, const struct wire_schema *s, int16_t version,
                            const void *data, size_t len)
{
    wire_init(m, s, version);
    struct reader r = {
        .p = data,
        .end = (const uint8_t *)data + len,
        .m = m,
        .flexible = version >= s->flexible,
        .field = "start",
    };
    decode_members(&r, &m->root, s->fields);
    return r;
}

size_t wire_cut_records(const struct wire_schema *s, int16_t version, const void *data, size_t len)
{
    struct wire_msg m;
    struct reader r = decode(&m, s, version, data, len);
    wire_free(&m);
    return r.cut ? (size_t)(r.cut - (const uint8_t *)data) : 0;
}

int wire_decode(struct wire_msg *m, const struct wire_schema *s, int16_t version, const void *data,
                size_t len, struct err *e)
{
    if (version < s->min || version > s->max) {
        wire_init(m, s, version);
        return err_set(e, ERR_PROTOCOL, 0, "%s: version %d is not known", s->name, version);
    }
    struct reader r = decode(m, s, version, data, len);
    if (!r.why && r.p != r.end) {
        r.field = "end";
        r.why = "bytes are left over";
    }
    if (r.why) {
        return err_set(e, ERR_PROTOCOL, 0, "%s version %d, field %s at byte %zu: %s", s->name,
                       version, r.field, (size_t)(r.p - (const uint8_t *)data), r.why);
    }
    return 0;
}
