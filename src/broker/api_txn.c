/* SPDX-License-Identifier: Apache-2.0 */
/* InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn and WriteTxnMarkers. Hides which
 * error an api's older versions have for a fenced producer. */
#include <stdlib.h>

#include "base/mem.h"
#include "broker/call.h"
#include "broker/part.h"
#include "broker/tc.h"

enum { FENCED_FROM = 2, INIT_FENCED_FROM = 4, KNOWN_FROM = 3 };

static int for_version(const struct call *c, int code, int16_t fenced_from)
{
    return code == KAFKA_PRODUCER_FENCED && c->version < fenced_from ? KAFKA_INVALID_PRODUCER_EPOCH
                                                                     : code;
}

/** Whether the node coordinates the id, if there is one. */
static int check_here(const struct call *c, const char *id)
{
    return id && *id ? tc_here(c, id) : KAFKA_NONE;
}

void api_init_producer_id(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct wire_value *resp = &c->resp.root;
    struct tc_init ask = {
        .id = wire_str(req, "TransactionalId"),
        .timeout_ms = (int32_t)wire_int(req, "TransactionTimeoutMs"),
        .producer_id = c->version < KNOWN_FROM ? -1 : wire_int(req, "ProducerId"),
        .epoch = (int16_t)(c->version < KNOWN_FROM ? -1 : wire_int(req, "ProducerEpoch"))};
    int64_t producer_id = -1;
    int16_t epoch = -1;
    int code = check_here(c, ask.id);
    if (code == KAFKA_NONE) {
        code = tc_init_producer(c->b, &ask, &producer_id, &epoch);
    }
    wire_set_int(resp, "ErrorCode", for_version(c, code, INIT_FENCED_FROM));
    wire_set_int(resp, "ProducerId", code == KAFKA_NONE ? producer_id : -1);
    wire_set_int(resp, "ProducerEpoch", code == KAFKA_NONE ? epoch : -1);
    call_reply(c);
}

/* ---- AddPartitionsToTxn -----------------------------------------------------------------------
 */

static size_t count_partitions(const struct wire_value *req)
{
    size_t n = 0;
    for (size_t i = 0; i < wire_count(req, "V3AndBelowTopics"); i++) {
        n += wire_count(wire_at(req, "V3AndBelowTopics", i), "Partitions");
    }
    return n;
}

/** Calls out for each partition: existing ones into list. @return how many exist. */
static size_t collect(struct call *c, struct partition **list)
{
    const struct wire_value *req = &c->req.root;
    size_t n = 0;
    for (size_t i = 0; i < wire_count(req, "V3AndBelowTopics"); i++) {
        const struct wire_value *t = wire_at(req, "V3AndBelowTopics", i);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            struct partition *p =
                part_find(c->b, wire_str(t, "Name"), (int32_t)wire_at(t, "Partitions", k)->i);
            if (p) {
                list[n++] = p;
            }
        }
    }
    return n;
}

static void answer_partitions(struct call *c, int code)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "V3AndBelowTopics"); i++) {
        const struct wire_value *t = wire_at(req, "V3AndBelowTopics", i);
        struct wire_value *topic = wire_add(&c->resp, &c->resp.root, "ResultsByTopicV3AndBelow");
        wire_set_str(&c->resp, topic, "Name", wire_str(t, "Name"));
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            int32_t index = (int32_t)wire_at(t, "Partitions", k)->i;
            bool exists = part_find(c->b, wire_str(t, "Name"), index) != NULL;
            struct wire_value *v = wire_add(&c->resp, topic, "ResultsByPartition");
            wire_set_int(v, "PartitionIndex", index);
            wire_set_int(v, "PartitionErrorCode", exists ? code : KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
        }
    }
}

void api_add_partitions(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *id = wire_str(req, "V3AndBelowTransactionalId");
    size_t total = count_partitions(req);
    struct partition **list = xcalloc(total + 1, sizeof *list);
    size_t n = collect(c, list);
    int code = KAFKA_OPERATION_NOT_ATTEMPTED;
    if (n == total) {
        code = check_here(c, id);
    }
    if (code == KAFKA_NONE) {
        code = tc_add(c->b, id, wire_int(req, "V3AndBelowProducerId"),
                      (int16_t)wire_int(req, "V3AndBelowProducerEpoch"), list, n);
    }
    answer_partitions(c, for_version(c, code, FENCED_FROM));
    free(list);
    call_reply(c);
}

/* ---- AddOffsetsToTxn and EndTxn ---------------------------------------------------------------
 */

void api_add_offsets(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *id = wire_str(req, "TransactionalId");
    struct topic *t = part_internal(c->b, OFFSETS_TOPIC);
    struct partition *p = t->parts[state_hash(wire_str(req, "GroupId")) % (uint32_t)t->nparts];
    int code = check_here(c, id);
    if (code == KAFKA_NONE) {
        code = tc_add(c->b, id, wire_int(req, "ProducerId"),
                      (int16_t)wire_int(req, "ProducerEpoch"), &p, 1);
    }
    wire_set_int(&c->resp.root, "ErrorCode", for_version(c, code, FENCED_FROM));
    call_reply(c);
}

void api_end_txn(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    const char *id = wire_str(req, "TransactionalId");
    int code = check_here(c, id);
    if (code == KAFKA_NONE) {
        code = tc_end(c->b, id, wire_int(req, "ProducerId"),
                      (int16_t)wire_int(req, "ProducerEpoch"), wire_int(req, "Committed"));
    }
    wire_set_int(&c->resp.root, "ErrorCode", for_version(c, code, FENCED_FROM));
    call_reply(c);
}

/* ---- WriteTxnMarkers: the tool for hanging transactions ---------------------------------------
 */

static int write_marker(struct call *c, const struct wire_value *marker, const char *topic,
                        int32_t index)
{
    struct partition *p = part_find(c->b, topic, index);
    int64_t id = wire_int(marker, "ProducerId");
    int16_t epoch = (int16_t)wire_int(marker, "ProducerEpoch");
    int32_t coordinator = (int32_t)wire_int(marker, "CoordinatorEpoch");
    if (!p) {
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (p->leader != c->node->id) {
        return KAFKA_NOT_LEADER_OR_FOLLOWER;
    }
    const struct pstate_producer *known = pstate_find(&p->producers, id);
    if (known && epoch < known->epoch) {
        return KAFKA_INVALID_PRODUCER_EPOCH;
    }
    if (known && coordinator < known->coordinator_epoch) {
        return KAFKA_TRANSACTION_COORDINATOR_FENCED;
    }
    tc_write_marker(c->b, p, id, epoch, wire_int(marker, "TransactionResult"), coordinator);
    return KAFKA_NONE;
}

static void write_topic(struct call *c, struct wire_value *out, const struct wire_value *marker,
                        const struct wire_value *t)
{
    struct wire_value *topic = wire_add(&c->resp, out, "Topics");
    wire_set_str(&c->resp, topic, "Name", wire_str(t, "Name"));
    for (size_t i = 0; i < wire_count(t, "PartitionIndexes"); i++) {
        int32_t index = (int32_t)wire_at(t, "PartitionIndexes", i)->i;
        int code = write_marker(c, marker, wire_str(t, "Name"), index);
        struct wire_value *v = wire_add(&c->resp, topic, "Partitions");
        wire_set_int(v, "PartitionIndex", index);
        wire_set_int(v, "ErrorCode", code);
    }
}

void api_write_markers(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "Markers"); i++) {
        const struct wire_value *marker = wire_at(req, "Markers", i);
        struct wire_value *out = wire_add(&c->resp, &c->resp.root, "Markers");
        wire_set_int(out, "ProducerId", wire_int(marker, "ProducerId"));
        for (size_t k = 0; k < wire_count(marker, "Topics"); k++) {
            write_topic(c, out, marker, wire_at(marker, "Topics", k));
        }
    }
    call_reply(c);
}
