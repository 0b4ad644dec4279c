/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the requests of a raw producer: which version of each belongs to which transaction
 * protocol, and where the error codes stand in the answers. */
#include "wire/txn.h"

#include "wire/admin_op.h"

struct txn_ctx {
    struct txn *t;
    const struct txn *who; /**< NULL = plain OffsetCommit */
    int txn_timeout_ms;
    const struct admin_tp *parts;
    size_t n;
    const char *topic, *group;
    int32_t partition;
    const void *batches;
    size_t len;
    int timeout_ms;
    int64_t *base_offset;
    const struct admin_committed *offsets;
    bool commit;
};

static struct admin_route to_coordinator(const char *id)
{
    return (struct admin_route){.kind = ROUTE_COORDINATOR, .key_type = ADMIN_TXN, .key = id};
}

static void set_producer(struct wire_msg *req, const struct txn *t)
{
    wire_set_int(&req->root, "ProducerId", t->producer_id);
    wire_set_int(&req->root, "ProducerEpoch", t->epoch);
}

static void build_init(void *ctx, struct wire_msg *req)
{
    struct txn_ctx *c = ctx;
    wire_set_str(req, &req->root, "TransactionalId", c->t->id);
    wire_set_int(&req->root, "TransactionTimeoutMs", c->txn_timeout_ms);
}

static int parse_init(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct txn_ctx *c = ctx;
    if (admin_code(e, wire_int(&resp->root, "ErrorCode"), "transactional id %s",
                   c->t->id ? c->t->id : "(none)") < 0) {
        return -1;
    }
    c->t->producer_id = wire_int(&resp->root, "ProducerId");
    c->t->epoch = (int16_t)wire_int(&resp->root, "ProducerEpoch");
    return 0;
}

int txn_init(struct admin *a, struct txn *t, int txn_timeout_ms, int timeout_ms, struct err *e)
{
    struct txn_ctx c = {.t = t, .txn_timeout_ms = txn_timeout_ms};
    struct admin_op op = {.api = API_INIT_PRODUCER_ID,
                          .version = 4,
                          .build = build_init,
                          .parse = parse_init,
                          .ctx = &c};
    if (t->id) {
        op.route = to_coordinator(t->id);
    }
    return admin_run(a, &op, timeout_ms, e);
}

static void build_add(void *ctx, struct wire_msg *req)
{
    struct txn_ctx *c = ctx;
    wire_set_str(req, &req->root, "V3AndBelowTransactionalId", c->who->id);
    wire_set_int(&req->root, "V3AndBelowProducerId", c->who->producer_id);
    wire_set_int(&req->root, "V3AndBelowProducerEpoch", c->who->epoch);
    for (size_t i = 0; i < c->n; i++) {
        wire_add_int(req, admin_topic_of(req, "V3AndBelowTopics", c->parts[i].topic), "Partitions",
                     c->parts[i].partition);
    }
}

static int parse_add(void *ctx, const struct wire_msg *resp, struct err *e)
{
    const struct wire_value *r = &resp->root;
    for (size_t i = 0; i < wire_count(r, "ResultsByTopicV3AndBelow"); i++) {
        const struct wire_value *t = wire_at(r, "ResultsByTopicV3AndBelow", i);
        for (size_t k = 0; k < wire_count(t, "ResultsByPartition"); k++) {
            const struct wire_value *p = wire_at(t, "ResultsByPartition", k);
            if (admin_code(e, wire_int(p, "PartitionErrorCode"), "adding %s-%d",
                           wire_str(t, "Name"), (int)wire_int(p, "PartitionIndex")) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

int txn_add_partitions(struct admin *a, const struct txn *t, const struct admin_tp *parts, size_t n,
                       int timeout_ms, struct err *e)
{
    struct txn_ctx c = {.who = t, .parts = parts, .n = n};
    struct admin_op op = {.route = to_coordinator(t->id),
                          .api = API_ADD_PARTITIONS_TO_TXN,
                          .version = 3,
                          .build = build_add,
                          .parse = parse_add,
                          .ctx = &c};
    return admin_run(a, &op, timeout_ms, e);
}

static void build_produce(void *ctx, struct wire_msg *req)
{
    struct txn_ctx *c = ctx;
    wire_set_str(req, &req->root, "TransactionalId", c->who->id);
    wire_set_int(&req->root, "Acks", -1);
    wire_set_int(&req->root, "TimeoutMs", c->timeout_ms);
    struct wire_value *t = wire_add(req, &req->root, "TopicData");
    wire_set_str(req, t, "Name", c->topic);
    struct wire_value *p = wire_add(req, t, "PartitionData");
    wire_set_int(p, "Index", c->partition);
    wire_set_blob(p, "Records", c->batches, c->len);
}

static int parse_produce(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct txn_ctx *c = ctx;
    const struct wire_value *r = &resp->root;
    if (wire_count(r, "Responses") != 1 ||
        wire_count(wire_at(r, "Responses", 0), "PartitionResponses") != 1) {
        return err_set(e, ERR_PROTOCOL, 0, "the answer is not about %s-%d", c->topic, c->partition);
    }
    const struct wire_value *p = wire_at(wire_at(r, "Responses", 0), "PartitionResponses", 0);
    if (admin_code(e, wire_int(p, "ErrorCode"), "producing to %s-%d", c->topic, c->partition) < 0) {
        return -1;
    }
    *c->base_offset = wire_int(p, "BaseOffset");
    return 0;
}

int txn_produce(struct admin *a, const struct txn *t, const struct admin_tp *to,
                const void *batches, size_t len, int timeout_ms, int64_t *base_offset,
                struct err *e)
{
    struct txn_ctx c = {.who = t,
                        .topic = to->topic,
                        .partition = to->partition,
                        .batches = batches,
                        .len = len,
                        .timeout_ms = timeout_ms,
                        .base_offset = base_offset};
    struct admin_op op = {
        .route = {.kind = ROUTE_LEADER, .topic = to->topic, .partition = to->partition},
        .api = API_PRODUCE,
        .version = t->v2 ? 12 : 9,
        .build = build_produce,
        .parse = parse_produce,
        .ctx = &c,
        .single = true,
    };
    return admin_run(a, &op, timeout_ms, e);
}

static void build_add_offsets(void *ctx, struct wire_msg *req)
{
    struct txn_ctx *c = ctx;
    wire_set_str(req, &req->root, "TransactionalId", c->who->id);
    wire_set_str(req, &req->root, "GroupId", c->group);
    set_producer(req, c->who);
}

static int parse_code(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct txn_ctx *c = ctx;
    return admin_code(e, wire_int(&resp->root, "ErrorCode"), "transactional id %s", c->who->id);
}

static void build_offsets(void *ctx, struct wire_msg *req)
{
    struct txn_ctx *c = ctx;
    wire_set_str(req, &req->root, "GroupId", c->group);
    if (c->who) {
        wire_set_str(req, &req->root, "TransactionalId", c->who->id);
        set_producer(req, c->who);
    }
    for (size_t i = 0; i < c->n; i++) {
        const struct admin_committed *o = &c->offsets[i];
        struct wire_value *p = wire_add(req, admin_topic_of(req, "Topics", o->topic), "Partitions");
        wire_set_int(p, "PartitionIndex", o->partition);
        wire_set_int(p, "CommittedOffset", o->offset);
        wire_set_int(p, "CommittedLeaderEpoch", -1);
        wire_set_str(req, p, "CommittedMetadata", o->metadata ? o->metadata : "");
    }
}

static int parse_offsets(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct txn_ctx *c = ctx;
    for (size_t i = 0; i < wire_count(&resp->root, "Topics"); i++) {
        const struct wire_value *t = wire_at(&resp->root, "Topics", i);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            const struct wire_value *p = wire_at(t, "Partitions", k);
            if (admin_code(e, wire_int(p, "ErrorCode"), "offset of group %s", c->group) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

int txn_commit_offsets(struct admin *a, const struct txn *t, const char *group,
                       const struct admin_committed *offsets, size_t n, int timeout_ms,
                       struct err *e)
{
    struct txn_ctx c = {.who = t, .group = group, .offsets = offsets, .n = n};
    struct admin_op add = {.api = API_ADD_OFFSETS_TO_TXN,
                           .version = 3,
                           .build = build_add_offsets,
                           .parse = parse_code,
                           .ctx = &c};
    struct admin_op op = {
        .route = {.kind = ROUTE_COORDINATOR, .key_type = ADMIN_GROUP, .key = group},
        .api = t ? API_TXN_OFFSET_COMMIT : API_OFFSET_COMMIT,
        .version = !t      ? 8
                   : t->v2 ? 5
                           : 3,
        .build = build_offsets,
        .parse = parse_offsets,
        .ctx = &c,
    };
    if (t && !t->v2) {
        add.route = to_coordinator(t->id);
        if (admin_run(a, &add, timeout_ms, e) < 0) {
            return -1;
        }
    }
    return admin_run(a, &op, timeout_ms, e);
}

static void build_end(void *ctx, struct wire_msg *req)
{
    struct txn_ctx *c = ctx;
    wire_set_str(req, &req->root, "TransactionalId", c->t->id);
    set_producer(req, c->t);
    wire_set_int(&req->root, "Committed", c->commit);
}

static int parse_end(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct txn_ctx *c = ctx;
    if (parse_code(ctx, resp, e) < 0) {
        return -1;
    }
    if (resp->version >= 5 && wire_int(&resp->root, "ProducerId") >= 0) {
        c->t->producer_id = wire_int(&resp->root, "ProducerId");
        c->t->epoch = (int16_t)wire_int(&resp->root, "ProducerEpoch");
    }
    return 0;
}

int txn_end(struct admin *a, struct txn *t, bool commit, int timeout_ms, struct err *e)
{
    struct txn_ctx c = {.t = t, .who = t, .commit = commit};
    struct admin_op op = {.route = to_coordinator(t->id),
                          .api = API_END_TXN,
                          .version = t->v2 ? 5 : 3,
                          .build = build_end,
                          .parse = parse_end,
                          .ctx = &c};
    return admin_run(a, &op, timeout_ms, e);
}
