/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the formats of Kafka's internal topics, for writing: see internal.c. */
#include <stdlib.h>
#include <string.h>

#include "wire/internal.h"
#include "wire/schema_rows.h"

enum { TXN_VALUE = 1, OFFSET_KEY = 1, OFFSET_VALUE = 3 };

static void put(struct buf *out, struct wire_msg *m, int version)
{
    struct err e;
    uint8_t head[2] = {(uint8_t)(version >> 8), (uint8_t)version};
    buf_append(out, head, sizeof head);
    if (wire_encode(m, out, &e) < 0) {
        abort(); /* our own values */
    }
    wire_free(m);
}

void internal_write_txn_key(struct buf *out, const char *id)
{
    struct wire_msg m;
    wire_init(&m, &wire_transaction_log_key, 0);
    wire_set_str(&m, &m.root, "TransactionalId", id);
    put(out, &m, 0);
}

static struct wire_value *topic_of(struct wire_msg *m, const char *topic)
{
    struct wire_value *v = &m->root;
    for (size_t i = 0; i < wire_count(v, "TransactionPartitions"); i++) {
        const struct wire_value *p = wire_at(v, "TransactionPartitions", i);
        if (strcmp(wire_str(p, "Topic"), topic) == 0) {
            return (struct wire_value *)p;
        }
    }
    struct wire_value *fresh = wire_add(m, v, "TransactionPartitions");
    wire_set_str(m, fresh, "Topic", topic);
    return fresh;
}

void internal_write_txn(struct buf *out, const struct internal_txn *t)
{
    struct wire_msg m;
    wire_init(&m, &wire_transaction_log_value, TXN_VALUE);
    struct wire_value *v = &m.root;
    wire_set_int(v, "ProducerId", t->producer_id);
    wire_set_int(v, "PreviousProducerId", t->prev_producer_id);
    wire_set_int(v, "NextProducerId", t->next_producer_id);
    wire_set_int(v, "ProducerEpoch", t->epoch);
    wire_set_int(v, "NextProducerEpoch", t->next_epoch);
    wire_set_int(v, "TransactionTimeoutMs", t->timeout_ms);
    wire_set_int(v, "TransactionStatus", t->state);
    wire_set_int(v, "TransactionLastUpdateTimestampMs", t->update_ms);
    wire_set_int(v, "TransactionStartTimestampMs", t->start_ms);
    wire_set_int(v, "ClientTransactionVersion", t->client_version);
    for (int32_t i = 0; i < t->npartitions; i++) {
        wire_add_int(&m, topic_of(&m, t->partitions[i].topic), "PartitionIds",
                     t->partitions[i].partition);
    }
    if (t->npartitions == 0 && t->state == TXN_EMPTY) {
        wire_set_null(v, "TransactionPartitions");
    }
    put(out, &m, TXN_VALUE);
}

void internal_write_offset_key(struct buf *out, const struct internal_offset *o)
{
    struct wire_msg m;
    wire_init(&m, &wire_offset_commit_key, 0);
    wire_set_str(&m, &m.root, "group", o->group);
    wire_set_str(&m, &m.root, "topic", o->topic);
    wire_set_int(&m.root, "partition", o->partition);
    put(out, &m, OFFSET_KEY);
}

void internal_write_offset(struct buf *out, const struct internal_offset *o)
{
    struct wire_msg m;
    wire_init(&m, &wire_offset_commit_value, OFFSET_VALUE);
    wire_set_int(&m.root, "offset", o->offset);
    wire_set_int(&m.root, "leaderEpoch", o->leader_epoch);
    wire_set_str(&m, &m.root, "metadata", o->metadata ? o->metadata : "");
    wire_set_int(&m.root, "commitTimestamp", o->commit_ms);
    put(out, &m, OFFSET_VALUE);
}
