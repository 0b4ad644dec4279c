/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the formats of Kafka's internal topics: a version number, then a message of the protocol
 * table. Key versions say what a record is. */
#include "wire/internal.h"

#include <string.h>

#include "base/mem.h"
#include "wire/schema.h"
#include "wire/schema_rows.h"

enum { OFFSET_KEY_MAX = 1, TXN_KEY_MAX = 0 };

static int version_of(const uint8_t *p, int32_t len)
{
    return len < 2 ? -1 : (int16_t)((uint16_t)p[0] << 8 | p[1]);
}

/** Decodes version and message; layout = the version of the table's row, -1 = as written. */
static int decode(struct wire_msg *m, const struct wire_schema *s, int layout, const uint8_t *p,
                  int32_t len, struct err *e)
{
    int version = version_of(p, len);
    if (version < 0) {
        *m = (struct wire_msg){0};
        return err_set(e, ERR_PROTOCOL, 0, "%s: no version", s->name);
    }
    return wire_decode(m, s, (int16_t)(layout < 0 ? version : layout), p + 2, (size_t)len - 2, e);
}

static int read_offset_value(const struct record *r, struct internal_record *out, struct err *e)
{
    struct wire_msg m;
    struct internal_offset *o = &out->offset;
    int rc = decode(&m, &wire_offset_commit_value, -1, r->value, r->value_len, e);
    if (rc == 0) {
        size_t len = 0;
        o->offset = wire_int(&m.root, "offset");
        o->leader_epoch = (int32_t)wire_int(&m.root, "leaderEpoch");
        o->metadata = arena_str(&out->mem, wire_str(&m.root, "metadata"));
        o->commit_ms = wire_int(&m.root, "commitTimestamp");
        o->expire_ms = wire_int(&m.root, "expireTimestamp");
        memcpy(o->topic_id, wire_blob(&m.root, "topicId", &len), sizeof o->topic_id);
    }
    wire_free(&m);
    return rc;
}

int internal_read_offsets(const struct record *r, struct internal_record *out, struct err *e)
{
    *out = (struct internal_record){.kind = INTERNAL_OTHER};
    int version = version_of(r->key, r->key_len);
    if (version < 0) {
        return err_set(e, ERR_PROTOCOL, 0, "a record of __consumer_offsets without a key");
    }
    if (version > OFFSET_KEY_MAX) {
        return 0;
    }
    struct wire_msg m;
    struct internal_offset *o = &out->offset;
    int rc = decode(&m, &wire_offset_commit_key, 0, r->key, r->key_len, e);
    if (rc == 0) {
        out->kind = INTERNAL_OFFSET;
        o->group = arena_str(&out->mem, wire_str(&m.root, "group"));
        o->topic = arena_str(&out->mem, wire_str(&m.root, "topic"));
        o->partition = (int32_t)wire_int(&m.root, "partition");
        o->tombstone = r->value_len < 0;
    }
    wire_free(&m);
    return rc < 0 || o->tombstone ? rc : read_offset_value(r, out, e);
}

static void read_partitions(struct internal_record *out, const struct wire_value *v)
{
    struct internal_txn *t = &out->txn;
    size_t n = 0;
    for (size_t i = 0; i < wire_count(v, "TransactionPartitions"); i++) {
        n += wire_count(wire_at(v, "TransactionPartitions", i), "PartitionIds");
    }
    t->partitions = arena_alloc(&out->mem, (n + 1) * sizeof *t->partitions);
    for (size_t i = 0; i < wire_count(v, "TransactionPartitions"); i++) {
        const struct wire_value *p = wire_at(v, "TransactionPartitions", i);
        const char *topic = arena_str(&out->mem, wire_str(p, "Topic"));
        for (size_t k = 0; k < wire_count(p, "PartitionIds"); k++) {
            int32_t id = (int32_t)wire_at(p, "PartitionIds", k)->i;
            t->partitions[t->npartitions++] = (struct internal_tp){topic, id};
        }
    }
}

static int read_txn_value(const struct record *r, struct internal_record *out, struct err *e)
{
    struct wire_msg m;
    struct internal_txn *t = &out->txn;
    int rc = decode(&m, &wire_transaction_log_value, -1, r->value, r->value_len, e);
    if (rc == 0) {
        const struct wire_value *v = &m.root;
        t->producer_id = wire_int(v, "ProducerId");
        t->prev_producer_id = wire_int(v, "PreviousProducerId");
        t->next_producer_id = wire_int(v, "NextProducerId");
        t->epoch = (int16_t)wire_int(v, "ProducerEpoch");
        t->next_epoch = (int16_t)wire_int(v, "NextProducerEpoch");
        t->timeout_ms = (int32_t)wire_int(v, "TransactionTimeoutMs");
        t->state = (int8_t)wire_int(v, "TransactionStatus");
        t->update_ms = wire_int(v, "TransactionLastUpdateTimestampMs");
        t->start_ms = wire_int(v, "TransactionStartTimestampMs");
        t->client_version = (int16_t)wire_int(v, "ClientTransactionVersion");
        read_partitions(out, v);
    }
    wire_free(&m);
    return rc;
}

int internal_read_txn(const struct record *r, struct internal_record *out, struct err *e)
{
    *out = (struct internal_record){.kind = INTERNAL_OTHER};
    int version = version_of(r->key, r->key_len);
    if (version < 0) {
        return err_set(e, ERR_PROTOCOL, 0, "a record of __transaction_state without a key");
    }
    if (version > TXN_KEY_MAX) {
        return 0;
    }
    struct wire_msg m;
    int rc = decode(&m, &wire_transaction_log_key, -1, r->key, r->key_len, e);
    if (rc == 0) {
        out->kind = INTERNAL_TXN;
        out->txn.id = arena_str(&out->mem, wire_str(&m.root, "TransactionalId"));
        out->txn.tombstone = r->value_len < 0;
    }
    wire_free(&m);
    return rc < 0 || out->txn.tombstone ? rc : read_txn_value(r, out, e);
}

void internal_free(struct internal_record *out)
{
    arena_free(&out->mem);
    *out = (struct internal_record){0};
}

const char *internal_txn_state_name(int state)
{
    static const char *const names[] = {
        "Empty",          "Ongoing",       "PrepareCommit", "PrepareAbort",
        "CompleteCommit", "CompleteAbort", "Dead",          "PrepareEpochFence",
    };
    return state >= 0 && (size_t)state < ARRAY_LEN(names) ? names[state] : "unknown";
}
