/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how batches and records become events. A batch is written behind its records, because only
 * then it is known whether all of them could be read. */
#include "audit/emit.h"

#include <stdlib.h>
#include <string.h>

#include "base/ident.h"
#include "base/json.h"
#include "wire/internal.h"

/** What kaos's headers say; texts as C strings. */
struct marks {
    char run[IDENT_TEXT_MAX + 1], role[IDENT_TEXT_MAX + 1], src[IDENT_TEXT_MAX + 1],
        txn[IDENT_TEXT_MAX + 1];
    int64_t index, incarnation, seq, src_partition, src_offset, txn_incarnation, txn_number;
};

static void put_text(char out[static IDENT_TEXT_MAX + 1], struct ident_text t)
{
    memcpy(out, t.p, t.len);
    out[t.len] = '\0';
}

static bool named(const struct record_header *h, const char *name)
{
    return h->value && h->key_len == (int32_t)strlen(name) &&
           memcmp(h->key, name, (size_t)h->key_len) == 0;
}

/** The last header by which kaos sent the record to this topic; one that names another topic was
 *  copied by a program. @return its index, or -1. */
static int32_t find_ident(const char *topic, const struct record *r, struct ident_header *out)
{
    for (int32_t i = r->nheaders; i-- > 0;) {
        const struct record_header *h = &r->headers[i];
        if (named(h, IDENT_HEADER) && ident_get(h->value, (size_t)h->value_len, out) &&
            ident_is(out->topic, topic)) {
            return i;
        }
    }
    return -1;
}

static void read_src(struct marks *m, const struct record_header *h)
{
    struct ident_src src;
    if (ident_get_src(h->value, (size_t)h->value_len, &src)) {
        put_text(m->src, src.topic);
        m->src_partition = src.partition;
        m->src_offset = src.offset;
    }
}

static void read_txn(struct marks *m, const struct record_header *h)
{
    struct ident_txn txn;
    if (ident_get_txn(h->value, (size_t)h->value_len, &txn)) {
        put_text(m->txn, txn.id);
        m->txn_incarnation = txn.incarnation;
        m->txn_number = (int64_t)txn.number;
    }
}

static void read_marks(const char *topic, const struct record *r, struct marks *m)
{
    struct ident_header id;
    *m = (struct marks){.index = -1,
                        .incarnation = -1,
                        .seq = -1,
                        .src_partition = -1,
                        .src_offset = -1,
                        .txn_incarnation = -1,
                        .txn_number = -1};
    if (find_ident(topic, r, &id) < 0) {
        return;
    }
    put_text(m->run, id.run);
    put_text(m->role, id.role);
    m->index = id.index;
    m->incarnation = id.incarnation;
    m->seq = (int64_t)id.seq;
    for (int32_t i = 0; i < r->nheaders; i++) {
        if (named(&r->headers[i], IDENT_SRC)) {
            read_src(m, &r->headers[i]);
        } else if (named(&r->headers[i], IDENT_TXN)) {
            read_txn(m, &r->headers[i]);
        }
    }
}

static void put_part(struct buf *b, const void *data, int32_t len)
{
    uint32_t n = len < 0 ? UINT32_MAX : (uint32_t)len;
    uint8_t le[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
    buf_append(b, le, sizeof le);
    if (len > 0) {
        buf_append(b, data, (size_t)len);
    }
}

static void put_headers(struct buf *b, const struct record *r)
{
    b->len = 0;
    for (int32_t i = 0; i < r->nheaders; i++) {
        put_part(b, r->headers[i].key, r->headers[i].key_len);
        put_part(b, r->headers[i].value, r->headers[i].value ? r->headers[i].value_len : -1);
    }
}

static struct hist_val bytes(const uint8_t *p, int32_t len)
{
    /* an empty value is not null */
    return HB(len < 0 ? NULL : p ? (const void *)p : "", len < 0 ? 0 : (size_t)len);
}

static void emit_record(struct emit *m, const struct batch *b, enum outcome outcome,
                        const struct record *r)
{
    struct marks k;
    read_marks(m->topic, r, &k);
    m->ours = m->ours || (*k.role && strcmp(k.run, m->run) == 0);
    put_headers(&m->scratch, r);
    hist_add(m->h, H_LOG_RECORD, HP_FACT, 0, HS(m->topic), HI(m->partition), HI(r->offset),
             HI(r->timestamp), HI(b->producer_id), HI(b->producer_epoch), HI(outcome),
             bytes(r->key, r->key_len), bytes(r->value, r->value_len),
             HB(r->nheaders ? m->scratch.data : NULL, r->nheaders ? m->scratch.len : 0), HS(k.run),
             HS(k.role), HI(k.index), HI(k.incarnation), HI(k.seq), HS(k.src), HI(k.src_partition),
             HI(k.src_offset), HS(k.txn), HI(k.txn_incarnation), HI(k.txn_number));
}

static void emit_offset(struct emit *m, const struct batch *b, enum outcome outcome,
                        const struct record *r, const struct internal_offset *o)
{
    hist_add(m->h, H_LOG_OFFSET, HP_FACT, 0, HI(m->partition), HI(r->offset), HS(o->group),
             HS(o->topic), HI(o->partition), HI(o->tombstone ? -1 : o->offset), HI(b->producer_id),
             HI(b->producer_epoch), HI(outcome), HI(r->timestamp),
             HS(o->tombstone || !o->metadata ? "" : o->metadata));
}

static char *partitions_json(const struct internal_txn *t)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < t->npartitions; i++) {
        json_t *one = json_array();
        json_array_append_new(one, json_string(t->partitions[i].topic));
        json_array_append_new(one, json_integer(t->partitions[i].partition));
        json_array_append_new(list, one);
    }
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static void emit_txn(struct emit *m, const struct record *r, const struct internal_txn *t)
{
    char *parts = t->tombstone ? NULL : partitions_json(t);
    bool gone = t->tombstone;
    hist_add(m->h, H_LOG_TXN, HP_FACT, 0, HI(m->partition), HI(r->offset), HS(t->id),
             HI(gone ? -1 : t->producer_id), HI(gone ? -1 : t->epoch),
             HS(gone ? "Tombstone" : internal_txn_state_name(t->state)),
             HI(gone ? -1 : t->timeout_ms), HI(gone ? -1 : t->start_ms),
             HI(gone ? r->timestamp : t->update_ms), HB(parts, parts ? strlen(parts) : 0));
    free(parts);
}

static void emit_internal(struct emit *m, const struct batch *b, enum outcome outcome,
                          const struct record *r)
{
    struct internal_record in = {0};
    struct err e;
    bool txns = m->what == EMIT_TXNS;
    if ((txns ? internal_read_txn(r, &in, &e) : internal_read_offsets(r, &in, &e)) < 0) {
        if (m->problem.kind == ERR_NONE) {
            m->problem = e;
            m->problem_at = r->offset;
        }
    } else if (in.kind == INTERNAL_OFFSET) {
        emit_offset(m, b, outcome, r, &in.offset);
    } else if (in.kind == INTERNAL_TXN) {
        emit_txn(m, r, &in.txn);
    }
    internal_free(&in);
}

static void emit_control(struct emit *m, const struct batch *b, const struct record *r)
{
    struct control c;
    if (control_read(r, &c)) {
        hist_add(m->h, H_LOG_CONTROL, HP_FACT, 0, HS(m->topic), HI(m->partition), HI(r->offset),
                 HI(b->producer_id), HI(b->producer_epoch), HI(c.type), HI(c.coordinator_epoch),
                 HI(r->timestamp));
    }
}

/** What is wrong with the batch as a whole: "" = nothing. Empty batches are what compaction leaves
 *  of a producer's last one. */
static const char *batch_error(const struct batch *b)
{
    if (!b->corrupt) {
        return b->count == 0 ? "empty" : "";
    }
    if (b->size < BATCH_HEADER || b->magic != 2) {
        return "malformed";
    }
    return !b->crc_ok ? "crc" : b->codec > CODEC_ZSTD ? "codec" : "malformed";
}

/** Whether every record can be read. */
static bool is_readable(const struct batch *b)
{
    struct record_iter it;
    struct record r;
    int rc;
    record_iter_init(&it, b);
    do {
        rc = record_iter_next(&it, &r);
    } while (rc > 0);
    record_iter_free(&it);
    return rc == 0;
}

/** @return false when some record could not be read. */
static bool emit_records(struct emit *m, const struct batch *b, enum outcome outcome)
{
    struct record_iter it;
    struct record r;
    int rc;
    record_iter_init(&it, b);
    while ((rc = record_iter_next(&it, &r)) > 0) {
        if (r.offset < m->from) {
            continue;
        }
        if (b->control) {
            emit_control(m, b, &r);
        } else if (m->what == EMIT_DATA) {
            emit_record(m, b, outcome, &r);
        } else {
            emit_internal(m, b, outcome, &r);
        }
    }
    record_iter_free(&it);
    return rc == 0;
}

void emit_batch(struct emit *m, const struct batch *b, enum outcome outcome)
{
    const char *error = batch_error(b);
    if (b->count > 0 && (!b->corrupt || (*error == 'c' && is_readable(b)))) {
        if (!emit_records(m, b, outcome)) {
            error = "malformed";
        }
    }
    if (m->what != EMIT_DATA && (!*error || strcmp(error, "empty") == 0)) {
        return;
    }
    hist_add(m->h, H_LOG_BATCH, HP_FACT, 0, HS(m->topic), HI(m->partition), HI(b->base_offset),
             HI(b->base_offset + (b->last_offset_delta > 0 ? b->last_offset_delta : 0)),
             HI(b->count), HI(b->producer_id), HI(b->producer_epoch), HI(b->base_sequence),
             HI(b->attributes), HI(b->leader_epoch), HI(b->base_timestamp), HI(b->max_timestamp),
             HI(outcome), HS(error));
}

void emit_free(struct emit *m)
{
    buf_free(&m->scratch);
}

bool emit_is_ours(const char *run, const char *topic, const struct batch *b)
{
    struct record_iter it;
    struct record r;
    struct ident_header id;
    bool ours = false;
    record_iter_init(&it, b);
    while (!ours && !b->control && record_iter_next(&it, &r) > 0) {
        ours = find_ident(topic, &r, &id) >= 0 && ident_is(id.run, run);
    }
    record_iter_free(&it);
    return ours;
}
