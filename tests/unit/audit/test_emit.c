/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of batches and records as events. */
#include "test.h"

#include "audit/emit.h"
#include "base/ident.h"
#include "history/events.h"

static struct record_header header(const char *name, const uint8_t *data, size_t len)
{
    return (struct record_header){name, data, (int32_t)strlen(name), (int32_t)len};
}

/** Emits one batch of n records, changed by damage(), and reads the events back. */
static struct events *emit_one(const struct batch_opts *o, const struct record *r, int n,
                               void (*damage)(struct buf *b), bool *ours)
{
    struct err e = {0};
    struct buf bytes = {0};
    struct batch_iter it;
    struct batch b;
    CHECK_INT(batch_write(&bytes, o, r, n, &e), 0);
    if (damage) {
        damage(&bytes);
    }
    struct hist *h = hist_open(test_dir(), &(struct hist_ident){.role = "audit"}, &e);
    CHECK(h);
    struct emit m = {.h = h, .topic = "out", .partition = 3, .run = "this"};
    batch_iter_init(&it, bytes.data, bytes.len);
    CHECK(batch_iter_next(&it, &b) != BATCH_END);
    emit_batch(&m, &b, OUTCOME_COMMITTED);
    CHECK_INT(emit_is_ours("this", "out", &b), m.ours);
    *ours = m.ours;
    emit_free(&m);
    hist_close(h);
    buf_free(&bytes);
    struct events *es = events_open(test_dir(), &e);
    CHECK(es);
    return es;
}

static const struct event *event_of(const struct events *es, int kind, int number)
{
    for (size_t i = 0; i < es->n; i++) {
        if (es->items[i].kind == kind && number-- == 0) {
            return &es->items[i];
        }
    }
    return NULL;
}

static size_t ident(uint8_t *out, const char *run, const char *topic, uint64_t seq)
{
    struct ident_header id = {ident_text(run), ident_text("w"), ident_text(topic), 2, 7, seq};
    return ident_put(out, &id);
}

TEST(a_copied_header_is_not_the_record_s_own)
{
    uint8_t other[IDENT_MAX], own[IDENT_MAX], src[IDENT_MAX];
    struct ident_src from = {ident_text("in"), 1, 9};
    size_t src_len = ident_put_src(src, &from);
    struct record_header copied[] = {header("kaos", other, ident(other, "this", "in", 4)),
                                     header("kaos-src", src, src_len)};
    struct record_header both[] = {header("kaos", own, ident(own, "this", "out", 5)), copied[0],
                                   copied[1]};
    struct record r[] = {
        {.timestamp = 1, .key_len = -1, .value_len = -1, .headers = copied, .nheaders = 2},
        {.timestamp = 2, .key_len = -1, .value_len = -1, .headers = both, .nheaders = 3}};
    bool ours;
    struct events *es = emit_one(&(struct batch_opts){.producer_id = -1}, r, 2, NULL, &ours);
    const struct event *ev = event_of(es, H_LOG_RECORD, 0);
    CHECK(ev && ours);
    CHECK_STR(event_str(ev, H_LOG_RECORD_ROLE), "");
    CHECK_STR(event_str(ev, H_LOG_RECORD_RUN), "");
    CHECK_STR(event_str(ev, H_LOG_RECORD_SRC_TOPIC), "");
    CHECK_INT(event_int(ev, H_LOG_RECORD_SEQ), -1);
    ev = event_of(es, H_LOG_RECORD, 1);
    CHECK_STR(event_str(ev, H_LOG_RECORD_ROLE), "w");
    CHECK_INT(event_int(ev, H_LOG_RECORD_SEQ), 5);
    CHECK_INT(event_int(ev, H_LOG_RECORD_INDEX), 2);
    CHECK_INT(event_int(ev, H_LOG_RECORD_INCARNATION), 7);
    CHECK_STR(event_str(ev, H_LOG_RECORD_SRC_TOPIC), "in");
    CHECK_INT(event_int(ev, H_LOG_RECORD_SRC_OFFSET), 9);
    CHECK_INT(event_int(ev, H_LOG_RECORD_TXN), -1);
    events_free(es);
}

TEST(records_of_another_run_say_so)
{
    uint8_t own[IDENT_MAX], cut[IDENT_MAX];
    size_t len = ident(own, "another", "out", 1), cut_len = ident(cut, "this", "out", 1) - 1;
    struct record_header h[] = {header("kaos", own, len), header("kaos", cut, cut_len)};
    struct record r = {.key_len = -1, .value_len = -1, .headers = h, .nheaders = 2};
    bool ours;
    struct events *es = emit_one(&(struct batch_opts){.producer_id = -1}, &r, 1, NULL, &ours);
    CHECK(!ours);
    CHECK_STR(event_str(event_of(es, H_LOG_RECORD, 0), H_LOG_RECORD_RUN), "another");
    events_free(es);
}

TEST(null_empty_and_repeated_parts_are_kept_apart)
{
    const uint8_t nul[1] = {0};
    struct record_header h[] = {header("a", nul, 1), {"a", NULL, 1, -1}, header("b", nul, 0)};
    struct record r = {.key = nul, .key_len = 0, .value_len = -1, .headers = h, .nheaders = 3};
    bool ours;
    size_t len = 9;
    struct events *es = emit_one(&(struct batch_opts){.producer_id = -1}, &r, 1, NULL, &ours);
    const struct event *ev = event_of(es, H_LOG_RECORD, 0);
    CHECK(event_bytes(ev, H_LOG_RECORD_KEY, &len) != NULL);
    CHECK_INT(len, 0);
    CHECK(event_bytes(ev, H_LOG_RECORD_VALUE, &len) == NULL);
    const void *headers = event_bytes(ev, H_LOG_RECORD_HEADERS, &len);
    static const char want[] = "\1\0\0\0a\1\0\0\0\0"
                               "\1\0\0\0a\xff\xff\xff\xff"
                               "\1\0\0\0b\0\0\0\0";
    CHECK_INT(len, sizeof want - 1);
    CHECK(memcmp(headers, want, len) == 0);
    CHECK_INT(event_int(ev, H_LOG_RECORD_OUTCOME), OUTCOME_COMMITTED);
    ev = event_of(es, H_LOG_BATCH, 0);
    CHECK_STR(event_str(ev, H_LOG_BATCH_ERROR), "");
    CHECK_INT(event_int(ev, H_LOG_BATCH_PARTITION), 3);
    events_free(es);
}

static void set_crc(struct buf *b)
{
    uint32_t crc = crc32c(b->data + 21, b->len - 21);
    for (int i = 0; i < 4; i++) {
        b->data[17 + i] = (char)(crc >> (24 - 8 * i));
    }
}

static void break_timestamp(struct buf *b)
{
    b->data[30] ^= 1;
}

static void break_records(struct buf *b)
{
    b->data[b->len - 3] = 0x55;
    set_crc(b);
}

static void break_codec(struct buf *b)
{
    b->data[22] = (char)(b->data[22] | 7);
    set_crc(b);
}

static const char *error_of(void (*damage)(struct buf *b), int codec, int *records)
{
    static char text[32];
    struct record r[] = {{.key_len = -1, .value = (const uint8_t *)"some text", .value_len = 9},
                         {.key_len = -1, .value = (const uint8_t *)"some text", .value_len = 9}};
    struct batch_opts o = {.producer_id = 5, .codec = (enum batch_codec)codec};
    bool ours;
    struct events *es = emit_one(&o, r, 2, damage, &ours);
    const struct event *ev = event_of(es, H_LOG_BATCH, 0);
    CHECK(ev);
    CHECK_INT(event_int(ev, H_LOG_BATCH_LAST), 1);
    snprintf(text, sizeof text, "%s", event_str(ev, H_LOG_BATCH_ERROR));
    for (*records = 0; event_of(es, H_LOG_RECORD, *records);) {
        ++*records;
    }
    events_free(es);
    return text;
}

TEST(a_wrong_crc_over_readable_records_keeps_them)
{
    int records;
    CHECK_STR(error_of(break_timestamp, CODEC_NONE, &records), "crc");
    CHECK_INT(records, 2);
}

TEST(compressed_bytes_that_make_no_sense_are_malformed)
{
    int records;
    CHECK_STR(error_of(break_records, CODEC_ZSTD, &records), "malformed");
    CHECK_INT(records, 0);
}

TEST(a_codec_that_does_not_exist_is_said)
{
    int records;
    CHECK_STR(error_of(break_codec, CODEC_NONE, &records), "codec");
    CHECK_INT(records, 0);
}
