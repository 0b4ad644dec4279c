/* SPDX-License-Identifier: Apache-2.0 */
/* The generic encoder and decoder over the whole table: round trips, every cut, random damage. */
#include "test.h"

#include "base/mem.h"
#include "wire/schema.h"

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static bool nullable(const struct wire_msg *m, const struct wire_field *f)
{
    return f->nullable && m->version >= f->nullable - 1;
}

static void fill_group(struct wire_msg *m, struct wire_value *v);

static void fill_blob(struct wire_msg *m, struct wire_value *v)
{
    static const char text[] = "some bytes of a string";
    v->s.p = (const uint8_t *)text;
    v->s.len = v->field->type == WIRE_UUID ? 16 : (int32_t)(next() % sizeof text);
    if (v->field->type != WIRE_UUID && nullable(m, v->field) && !v->field->array &&
        next() % 4 == 0) {
        v->s.p = NULL;
        v->s.len = -1;
    }
}

static void fill_number(struct wire_value *v)
{
    uint64_t u = next();
    switch (v->field->type) {
    case WIRE_BOOL:
        v->i = u & 1;
        break;
    case WIRE_INT8:
        v->i = (int64_t)(u << 56) >> 56;
        break;
    case WIRE_INT16:
        v->i = (int16_t)u;
        break;
    case WIRE_UINT16:
        v->i = (uint16_t)u;
        break;
    case WIRE_INT32:
        v->i = (int32_t)u;
        break;
    default:
        v->i = (int64_t)u;
    }
}

static void fill(struct wire_msg *m, struct wire_value *v)
{
    if (v->kind == WIRE_LIST) {
        if (nullable(m, v->field) && next() % 4 == 0) {
            v->a.n = -1;
            return;
        }
        v->a.n = 0;
        for (uint64_t n = next() % 3; n > 0; n--) {
            struct wire_value parent = {.kind = WIRE_GROUP, .a = {.items = v, .n = 1, .cap = 1}};
            fill(m, wire_add(m, &parent, v->field->name));
        }
    } else if (v->kind == WIRE_GROUP) {
        fill_group(m, v);
    } else if (v->kind == WIRE_BLOB) {
        fill_blob(m, v);
    } else if (v->kind == WIRE_REAL) {
        v->f = (double)next();
    } else {
        fill_number(v);
    }
}

static void fill_group(struct wire_msg *m, struct wire_value *v)
{
    for (int32_t i = 0; i < v->a.n; i++) {
        const struct wire_field *f = v->a.items[i].field;
        if (m->version >= f->from && m->version <= f->to) {
            fill(m, &v->a.items[i]);
        }
    }
}

static void encode_random(const struct wire_schema *s, int16_t version, struct buf *out)
{
    struct wire_msg m;
    struct err e = {0};
    wire_init(&m, s, version);
    fill_group(&m, &m.root);
    if (wire_encode(&m, out, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    wire_free(&m);
}

typedef void each_fn(const struct wire_schema *s, int16_t version, const struct buf *bytes);

static void for_each(each_fn *fn)
{
    size_t n = 0;
    const struct wire_schema *const *all = wire_schemas(&n);
    CHECK(n > 40);
    for (size_t i = 0; i < n; i++) {
        for (int16_t v = all[i]->min; v <= all[i]->max; v++) {
            for (int round = 0; round < 3; round++) {
                struct buf b = {0};
                encode_random(all[i], v, &b);
                fn(all[i], v, &b);
                buf_free(&b);
            }
        }
    }
}

static void round_trip(const struct wire_schema *s, int16_t version, const struct buf *bytes)
{
    struct wire_msg m;
    struct err e = {0};
    struct buf again = {0};
    if (wire_decode(&m, s, version, bytes->data, bytes->len, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    CHECK_INT(wire_encode(&m, &again, &e), 0);
    if (again.len != bytes->len || (again.len && memcmp(again.data, bytes->data, again.len) != 0)) {
        test_fail(__FILE__, __LINE__, "%s version %d differs after a round trip", s->name, version);
    }
    buf_free(&again);
    wire_free(&m);
}

TEST_LIMIT(every_message_and_version_survives_a_round_trip, 30)
{
    for_each(round_trip);
}

static void every_cut(const struct wire_schema *s, int16_t version, const struct buf *bytes)
{
    for (size_t len = 0; len < bytes->len; len++) {
        struct wire_msg m;
        struct err e = {0};
        char *exact = xmemdup0(bytes->data, len); /* a heap block: reading behind it is seen */
        exact = xrealloc(exact, len ? len : 1);
        if (wire_decode(&m, s, version, exact, len, &e) == 0) {
            test_fail(__FILE__, __LINE__, "%s version %d: %zu of %zu bytes were enough", s->name,
                      version, len, bytes->len);
        }
        CHECK_INT(e.kind, ERR_PROTOCOL);
        CHECK_HAS(e.msg, s->name);
        CHECK_HAS(e.msg, "field ");
        wire_free(&m);
        free(exact);
    }
}

TEST_LIMIT(every_cut_message_is_a_protocol_error, 60)
{
    for_each(every_cut);
}

static void damage(const struct wire_schema *s, int16_t version, const struct buf *bytes)
{
    static const uint8_t nasty[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe};
    for (int i = 0; i < 60 && bytes->len > 0; i++) {
        struct wire_msg m;
        struct err e = {0};
        uint8_t *copy = (uint8_t *)xmemdup0(bytes->data, bytes->len);
        for (uint64_t k = 1 + next() % 4; k > 0; k--) {
            copy[next() % bytes->len] = next() % 2 ? nasty[next() % sizeof nasty] : (uint8_t)next();
        }
        if (wire_decode(&m, s, version, copy, bytes->len, &e) < 0) {
            CHECK_INT(e.kind, ERR_PROTOCOL);
        }
        wire_free(&m);
        free(copy);
    }
}

TEST_LIMIT(damaged_messages_never_harm, 60)
{
    for_each(damage);
}

static int decode_bytes(int16_t api, enum wire_dir dir, int16_t version, const void *p, size_t len,
                        struct err *e)
{
    struct wire_msg m;
    int rc = wire_decode(&m, wire_schema(api, dir), version, p, len, e);
    wire_free(&m);
    return rc;
}

TEST(giant_lists_and_negative_sizes_are_refused)
{
    struct err e = {0};
    /* Metadata v0 request: a list of topics */
    CHECK_INT(decode_bytes(3, WIRE_REQUEST, 0, "\x7f\xff\xff\xff\0\0", 6, &e), -1);
    CHECK_HAS(e.msg, "MetadataRequest version 0, field Topics");
    CHECK_HAS(e.msg, "more elements than bytes");
    CHECK_INT(decode_bytes(3, WIRE_REQUEST, 0, "\xff\xff\xff\xfe", 4, &e), -1);
    CHECK_HAS(e.msg, "negative size");
    CHECK_INT(decode_bytes(3, WIRE_REQUEST, 0, "\xff\xff\xff\xff", 4, &e), -1);
    CHECK_HAS(e.msg, "null where none may be");
    CHECK_INT(decode_bytes(3, WIRE_REQUEST, 1, "\xff\xff\xff\xff", 4, &e), 0);
    CHECK_INT(decode_bytes(3, WIRE_REQUEST, 9, "\x80\x80\x80\x80\x80\x80", 6, &e), -1);
    CHECK_HAS(e.msg, "varint");
    CHECK_INT(decode_bytes(3, WIRE_REQUEST, 99, "", 0, &e), -1);
    CHECK_HAS(e.msg, "version 99");
    CHECK_INT(decode_bytes(3, WIRE_REQUEST, 1, "\xff\xff\xff\xff!", 5, &e), -1);
    CHECK_HAS(e.msg, "left over");
}

static void add_records(struct wire_msg *m, struct wire_value *topic, const char *bytes)
{
    struct wire_value *p = wire_add(m, topic, "PartitionData");
    wire_set_blob(p, "Records", bytes, strlen(bytes));
}

TEST(the_records_in_which_a_request_is_cut_are_found)
{
    static const char *const blobs[] = {"<first records>", "<second>", "<the third of them>"};
    struct err e;
    for (int16_t version = 3; version <= 12; version++) {
        const struct wire_schema *s = wire_schema(API_PRODUCE, WIRE_REQUEST);
        struct wire_msg m;
        struct buf b = {0};
        size_t from[ARRAY_LEN(blobs)];
        wire_init(&m, s, version);
        wire_set_str(&m, &m.root, "TransactionalId", "transaction");
        struct wire_value *t = wire_add(&m, &m.root, "TopicData");
        wire_set_str(&m, t, "Name", "topic");
        add_records(&m, t, blobs[0]);
        add_records(&m, t, blobs[1]);
        add_records(&m, wire_add(&m, &m.root, "TopicData"), blobs[2]);
        CHECK_INT(wire_encode(&m, &b, &e), 0);
        wire_free(&m);
        for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
            const char *at = memmem(b.data, b.len, blobs[i], strlen(blobs[i]));
            CHECK(at);
            from[i] = (size_t)(at - b.data);
        }
        for (size_t cut = 0; cut <= b.len; cut++) {
            size_t expect = 0;
            for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
                expect = cut >= from[i] && cut < from[i] + strlen(blobs[i]) ? from[i] : expect;
            }
            char *exact = xrealloc(xmemdup0(b.data, cut), cut ? cut : 1);
            CHECK_INT(wire_cut_records(s, version, exact, cut), expect);
            free(exact);
        }
        buf_free(&b);
    }
}

TEST(a_request_frame_has_these_bytes)
{
    static const char want[] = "\0\0\0\x1a\0\x03\0\x09\0\0\0\x07\0\x04kaos\0" /* header 2 */
                               "\x02\x02t\0"                                  /* one topic, tags */
                               "\0\0\0\0";
    struct wire_msg m;
    struct err e = {0};
    struct buf b = {0};
    wire_init(&m, wire_schema(API_METADATA, WIRE_REQUEST), 9);
    wire_set_int(&m.root, "AllowAutoTopicCreation", 0);
    wire_set_str(&m, wire_add(&m, &m.root, "Topics"), "Name", "t");
    CHECK_INT(wire_encode_request(&m, 7, "kaos", &b, &e), 0);
    CHECK_INT(b.len, 4 + 8 + 2 + 4 + 1 + 4 + 4);
    CHECK_INT(b.data[3], (int)b.len - 4);
    CHECK(memcmp(b.data + 4, want + 4, b.len - 4) == 0);
    wire_free(&m);
    buf_free(&b);
}

TEST(unknown_tagged_fields_are_skipped_and_known_ones_read)
{
    /* ApiVersions response v3: code, no keys, throttle, tags 1 (epoch 5) and 9 (unknown) */
    static const char bytes[] = "\0\0\x01\0\0\0\0\x02\x01\x08\0\0\0\0\0\0\0\x05\x09\x02zz";
    struct wire_msg m;
    struct err e = {0};
    CHECK_INT(wire_decode(&m, wire_schema(18, WIRE_RESPONSE), 3, bytes, sizeof bytes - 1, &e), 0);
    CHECK_INT(wire_int(&m.root, "FinalizedFeaturesEpoch"), 5);
    wire_free(&m);
}

TEST(what_kafka_refuses_in_strings_and_lists_is_refused)
{
    struct err e = {0};
    struct buf b = {0};
    /* DescribeConfigs v1: one topic "t" with a list of keys that may be null, and a key that may
     * not */
    CHECK_INT(decode_bytes(32, WIRE_REQUEST, 1, "\0\0\0\1\2\0\1t\0\0\0\1\xff\xff\0", 15, &e), -1);
    CHECK_HAS(e.msg, "field ConfigurationKeys");
    CHECK_HAS(e.msg, "null where none may be");
    /* Heartbeat v4, compact: a group id of 32,768 bytes, one more than a string may have */
    buf_append(&b, "\x81\x80\x02", 3);
    memset(buf_reserve(&b, 32768), 'g', 32768);
    b.len += 32768;
    CHECK_INT(decode_bytes(12, WIRE_REQUEST, 4, b.data, b.len, &e), -1);
    CHECK_HAS(e.msg, "field GroupId");
    CHECK_HAS(e.msg, "too long");
    b.len = 0;
    /* Metadata v4 with two million nameless topics */
    buf_append(&b, "\0\x1e\x84\x80", 4);
    memset(buf_reserve(&b, 4000001), 0, 4000001);
    b.len += 4000001;
    CHECK_INT(decode_bytes(3, WIRE_REQUEST, 4, b.data, b.len, &e), -1);
    CHECK_HAS(e.msg, "too many values");
    buf_free(&b);
}
