/* SPDX-License-Identifier: Apache-2.0 */
/* Produce. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/call.h"
#include "broker/hint.h"
#include "broker/leaders.h"
#include "broker/nodes.h"
#include "broker/part.h"
#include "broker/topicref.h"

enum {
    ACKS_ALL = -1,
    ZSTD_FROM = 7,
    HINTS_FROM = 10,
    ABORTABLE_FROM = 11,
    ADDS_FROM = 12,
    IDS_FROM = 13
};

enum { ATTRIBUTES_LOW = 22, CODEC_MASK = 7, TRANSACTIONAL = 1 << 4 };
enum { PRODUCER_AT = 43, PRODUCER_LEN = 10, NEGATIVE = 0x80 }; /* id and epoch */

static bool is_zstd(const uint8_t *records, size_t len)
{
    return len > BATCH_HEADER && (records[ATTRIBUTES_LOW] & CODEC_MASK) == CODEC_ZSTD;
}

static enum tc_support support(const struct call *c)
{
    return c->version >= ADDS_FROM        ? TC_ADDS
           : c->version >= ABORTABLE_FROM ? TC_ABORTABLE
                                          : TC_VERIFIES;
}

static int append(struct call *c, const struct topicref *topic, const struct wire_value *ask,
                  struct partition **p, struct part_appended *done)
{
    struct part_origin from = {.txn_id = wire_str(&c->req.root, "TransactionalId"),
                               .support = support(c),
                               .whole = c->whole,
                               .pass = c->pass};
    size_t len;
    const uint8_t *records = wire_blob(ask, "Records", &len);
    *done = (struct part_appended){.base = -1, .log_append_time = -1};
    *p = topicref_at(topic, wire_int(ask, "Index"));
    int64_t acks = wire_int(&c->req.root, "Acks");
    if (!*p) {
        return topicref_missing(topic);
    }
    if (acks < ACKS_ALL || acks > 1) {
        return KAFKA_INVALID_REQUIRED_ACKS;
    }
    if ((*p)->leader != c->node->id) {
        return KAFKA_NOT_LEADER_OR_FOLLOWER;
    }
    if ((*p)->topic->internal) {
        return KAFKA_INVALID_TOPIC_EXCEPTION;
    }
    if (acks == ACKS_ALL && !leaders_enough(c->b, *p)) {
        return KAFKA_NOT_ENOUGH_REPLICAS;
    }
    if (c->version < ZSTD_FROM && is_zstd(records, len)) {
        return KAFKA_UNSUPPORTED_COMPRESSION_TYPE;
    }
    return part_append(c->b, *p, records, len, &from, done);
}

static void put_late(struct call *c, struct wire_value *out, struct part_appended *done)
{
    for (size_t i = 0; i < done->late.n && !c->resp.over; i++) {
        struct wire_value *v = wire_add(&c->resp, out, "RecordErrors");
        wire_set_int(v, "BatchIndex", done->late.items[i]);
        wire_set_str(&c->resp, v, "BatchIndexErrorMessage", done->why);
    }
    free(done->late.items);
}

static int produce_one(struct call *c, struct wire_value *topic, const struct topicref *name,
                       const struct wire_value *ask, int refused, struct partition **written)
{
    struct part_appended done = {.base = -1, .log_append_time = -1};
    struct partition *p = NULL;
    int code = refused ? refused : append(c, name, ask, &p, &done);
    struct wire_value *out = wire_add(&c->resp, topic, "PartitionResponses");
    wire_set_int(out, "Index", wire_int(ask, "Index"));
    wire_set_int(out, "ErrorCode", code);
    wire_set_int(out, "BaseOffset", done.base);
    wire_set_int(out, "LogAppendTimeMs", done.log_append_time);
    wire_set_int(out, "LogStartOffset", code == KAFKA_NONE || done.reached ? p->log.start : -1);
    wire_set_str(&c->resp, out, "ErrorMessage", done.why);
    put_late(c, out, &done);
    if (code == KAFKA_NOT_LEADER_OR_FOLLOWER && c->version >= HINTS_FROM) {
        hint_leader(c, out, p);
    }
    *written = code == KAFKA_NONE ? p : *written;
    return code;
}

/** What spoils the request as a whole: records of a transaction without its id, or of more than one
 *  producer. @return Kafka's code. */
static int refuse_whole(const struct wire_value *req)
{
    const char *id = wire_str(req, "TransactionalId");
    const uint8_t *first = NULL;
    for (size_t i = 0; i < wire_count(req, "TopicData"); i++) {
        const struct wire_value *t = wire_at(req, "TopicData", i);
        for (size_t k = 0; k < wire_count(t, "PartitionData"); k++) {
            size_t len;
            const uint8_t *p = wire_blob(wire_at(t, "PartitionData", k), "Records", &len);
            bool owned = len > BATCH_HEADER && (p[ATTRIBUTES_LOW] & TRANSACTIONAL);
            if (owned && !id) {
                return KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
            }
            if (!owned || p[PRODUCER_AT] >= NEGATIVE) {
                continue;
            }
            if (first && memcmp(first + PRODUCER_AT, p + PRODUCER_AT, PRODUCER_LEN) != 0) {
                return KAFKA_INVALID_PRODUCER_ID_MAPPING;
            }
            first = p;
        }
    }
    return KAFKA_NONE;
}

static void produce(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct partition *written = NULL;
    int failed = KAFKA_NONE;
    int refused = refuse_whole(req);
    for (size_t i = 0; i < wire_count(req, "TopicData"); i++) {
        const struct wire_value *t = wire_at(req, "TopicData", i);
        if (wire_count(t, "PartitionData") == 0) {
            continue;
        }
        struct wire_value *out = wire_add(&c->resp, &c->resp.root, "Responses");
        struct topicref name = topicref_read(c, t, "Name", c->version >= IDS_FROM);
        topicref_put(c, out, "Name", &name);
        for (size_t k = 0; k < wire_count(t, "PartitionData"); k++) {
            int code =
                produce_one(c, out, &name, wire_at(t, "PartitionData", k), refused, &written);
            failed = code ? code : failed;
        }
    }
    if (wire_int(req, "Acks") != 0) {
        call_reply(c);
    } else if (failed) {
        call_refuse(c); /* without an answer this is all that a client can notice */
    } else {
        call_done(c);
    }
    if (written) {
        plog_prepare(&written->log);
    }
}

/* ---- behind the end of a transaction ----------------------------------------------------------
 * A client that has its answer to EndTxn begins the next transaction at once, mostly before the
 * last one has ended: its partitions are added after a short while, as in Kafka. */

struct produce_wait {
    struct call *call;
    struct timer *timer;
    uint64_t until; /**< then CONCURRENT_TRANSACTIONS is the answer (monotonic ms) */
};

static bool meets_end(const struct call *c)
{
    const struct tc_txn *t = tc_find(c->b, wire_str(&c->req.root, "TransactionalId"));
    return support(c) == TC_ADDS && t && tc_is_preparing(t);
}

static void stop_waiting(struct call *c)
{
    struct produce_wait *w = c->owner;
    timer_stop(w->timer);
    c->owner = NULL;
    c->cancel = NULL;
    free(w);
}

static void cancel(struct call *c)
{
    stop_waiting(c);
    call_done(c);
}

static void try_again(void *arg)
{
    struct produce_wait *w = arg;
    struct call *c = w->call;
    bool over = !meets_end(c) || state_mono_ms() >= w->until;
    if (over && nodes_runs(c->node)) {
        stop_waiting(c);
        produce(c);
    }
}

void api_produce(struct call *c)
{
    int64_t max = props_get(&c->b->props, NULL, PROP_TXN_ADD_RETRY_MAX);
    if (max == 0 || !meets_end(c)) {
        produce(c);
        return;
    }
    struct produce_wait *w = xcalloc(1, sizeof *w);
    uint64_t every = (uint64_t)props_get(&c->b->props, NULL, PROP_TXN_ADD_RETRY);
    *w = (struct produce_wait){.call = c, .until = state_mono_ms() + (uint64_t)max};
    c->owner = w;
    c->cancel = cancel;
    w->timer = timer_start(c->b->loop, every, every, try_again, w);
}
