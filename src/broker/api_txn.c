/* SPDX-License-Identifier: Apache-2.0 */
/* InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn and WriteTxnMarkers. Hides which
 * error an api's older versions have for a fenced producer. */
#include <stdlib.h>

#include "base/mem.h"
#include "broker/call.h"
#include "broker/group.h"
#include "broker/part.h"
#include "broker/tc.h"

enum {
    FENCED_FROM = 2,
    INIT_FENCED_FROM = 4,
    KNOWN_FROM = 3,
    BROKERS_FROM = 4, /* AddPartitionsToTxn */
    BUMPS_FROM = 5,   /* EndTxn */
    MARKER_ROOM = 512,
};

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
 * Clients name one transaction; from version 4 on brokers ask for several, to add or to verify. */

struct named {
    struct partition *p; /**< NULL = there is none */
    int code;
};

/** The partitions of one transaction, in the order of the request. */
struct adding {
    struct named *items;
    size_t n, cap;
    bool all_exist;
};

static struct adding collect(struct call *c, const struct wire_value *ask, const char *topics)
{
    struct adding a = {.all_exist = true};
    for (size_t i = 0; i < wire_count(ask, topics); i++) {
        const struct wire_value *t = wire_at(ask, topics, i);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            int32_t index = (int32_t)wire_at(t, "Partitions", k)->i;
            struct partition *p = part_find(c->b, wire_str(t, "Name"), index);
            *VEC_PUSH(&a) = (struct named){.p = p};
            a.all_exist = a.all_exist && p;
        }
    }
    return a;
}

static int add_all(struct call *c, const struct tc_owner *who, const struct adding *a)
{
    struct partition **list = xcalloc(a->n + 1, sizeof(struct partition *));
    for (size_t i = 0; i < a->n; i++) {
        list[i] = a->items[i].p;
    }
    int code = tc_add(c->b, who, c->version >= BROKERS_FROM ? TC_BUMPS : 0, list, a->n);
    free(list);
    return code;
}

/** What each partition is answered: an unknown one spoils the others. */
static void decide(struct call *c, const struct tc_owner *who, bool verify, struct adding *a)
{
    int code = a->all_exist ? check_here(c, who->id) : KAFKA_OPERATION_NOT_ATTEMPTED;
    if (code == KAFKA_NONE && !verify) {
        code = add_all(c, who, a);
    }
    for (size_t i = 0; i < a->n; i++) {
        struct named *x = &a->items[i];
        x->code = !x->p                          ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                  : verify && code == KAFKA_NONE ? tc_verify(c->b, who, x->p)
                                                 : for_version(c, code, FENCED_FROM);
    }
}

static void add_one(struct call *c, const struct wire_value *ask, const char *topics,
                    const struct tc_owner *who, bool verify, struct wire_value *out,
                    const char *results)
{
    struct adding a = collect(c, ask, topics);
    decide(c, who, verify, &a);
    const struct named *at = a.items;
    for (size_t i = 0; i < wire_count(ask, topics); i++) {
        const struct wire_value *t = wire_at(ask, topics, i);
        struct wire_value *topic = wire_add(&c->resp, out, results);
        wire_set_str(&c->resp, topic, "Name", wire_str(t, "Name"));
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++, at++) {
            struct wire_value *v = wire_add(&c->resp, topic, "ResultsByPartition");
            wire_set_int(v, "PartitionIndex", wire_at(t, "Partitions", k)->i);
            wire_set_int(v, "PartitionErrorCode", at->code);
        }
    }
    free(a.items);
}

static void add_for_brokers(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "Transactions"); i++) {
        const struct wire_value *ask = wire_at(req, "Transactions", i);
        struct tc_owner who = {wire_str(ask, "TransactionalId"), wire_int(ask, "ProducerId"),
                               (int16_t)wire_int(ask, "ProducerEpoch")};
        struct wire_value *out = wire_add(&c->resp, &c->resp.root, "ResultsByTransaction");
        wire_set_str(&c->resp, out, "TransactionalId", who.id);
        add_one(c, ask, "Topics", &who, wire_int(ask, "VerifyOnly"), out, "TopicResults");
    }
}

void api_add_partitions(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    if (c->version >= BROKERS_FROM) {
        add_for_brokers(c);
    } else {
        struct tc_owner who = {wire_str(req, "V3AndBelowTransactionalId"),
                               wire_int(req, "V3AndBelowProducerId"),
                               (int16_t)wire_int(req, "V3AndBelowProducerEpoch")};
        add_one(c, req, "V3AndBelowTopics", &who, false, &c->resp.root, "ResultsByTopicV3AndBelow");
    }
    call_reply(c);
}

/* ---- AddOffsetsToTxn and EndTxn ---------------------------------------------------------------
 */

static struct tc_owner owner_of(const struct call *c)
{
    const struct wire_value *req = &c->req.root;
    return (struct tc_owner){wire_str(req, "TransactionalId"), wire_int(req, "ProducerId"),
                             (int16_t)wire_int(req, "ProducerEpoch")};
}

void api_add_offsets(struct call *c)
{
    struct tc_owner who = owner_of(c);
    struct partition *p = group_home(c->b, wire_str(&c->req.root, "GroupId"));
    int code = check_here(c, who.id);
    if (code == KAFKA_NONE) {
        code = tc_add(c->b, &who, 0, &p, 1);
    }
    wire_set_int(&c->resp.root, "ErrorCode", for_version(c, code, FENCED_FROM));
    call_reply(c);
}

void api_end_txn(struct call *c)
{
    struct tc_owner who = owner_of(c);
    struct wire_value *resp = &c->resp.root;
    int64_t producer_id = -1;
    int16_t epoch = -1;
    int code = check_here(c, who.id);
    if (code == KAFKA_NONE) {
        code = tc_end(c->b, &who, wire_int(&c->req.root, "Committed"), c->version >= BUMPS_FROM,
                      &producer_id, &epoch);
    }
    wire_set_int(resp, "ErrorCode", for_version(c, code, FENCED_FROM));
    wire_set_int(resp, "ProducerId", code == KAFKA_NONE ? producer_id : -1);
    wire_set_int(resp, "ProducerEpoch", code == KAFKA_NONE ? epoch : -1);
    call_reply(c);
}

/* ---- WriteTxnMarkers: the tool for hanging transactions ---------------------------------------
 */

/** The end of a new transaction has moved the epoch: a marker that has not is a late one. */
static int32_t lowest_epoch(const struct pstate_producer *p, int64_t txn_version)
{
    return p->epoch + (txn_version >= TC_BUMPS && p->txn_start >= 0);
}

static int write_marker(struct call *c, const struct wire_value *marker, const char *topic,
                        int32_t index)
{
    struct partition *p = part_find(c->b, topic, index);
    int64_t id = wire_int(marker, "ProducerId");
    int16_t epoch = (int16_t)wire_int(marker, "ProducerEpoch");
    int32_t coordinator = (int32_t)wire_int(marker, "CoordinatorEpoch");
    int64_t txn_version = wire_int(marker, "TransactionVersion");
    if (!p) {
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (p->leader != c->node->id) {
        return KAFKA_NOT_LEADER_OR_FOLLOWER;
    }
    if (epoch < 0 || id < 0) {
        return KAFKA_UNKNOWN_SERVER_ERROR;
    }
    const struct pstate_producer *known = pstate_find(&p->producers, id);
    if (known && epoch < lowest_epoch(known, txn_version)) {
        return KAFKA_INVALID_PRODUCER_EPOCH;
    }
    if (known && coordinator < known->coordinator_epoch) {
        return KAFKA_TRANSACTION_COORDINATOR_FENCED;
    }
    if (txn_version < 0) {
        return KAFKA_UNKNOWN_SERVER_ERROR;
    }
    if (!part_has_room(c->b, p, MARKER_ROOM)) {
        return KAFKA_STORAGE_ERROR;
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
