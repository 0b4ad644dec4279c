/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what is asked of a partition's leader: ListOffsets, Fetch and DescribeProducers. */
#include <string.h>

#include "wire/admin.h"
#include "wire/admin_op.h"

enum { FETCH_DEFAULT_BYTES = 1 << 20 };

struct tp_ctx {
    const char *topic;
    int32_t partition;
    int64_t timestamp;
    enum admin_isolation isolation;
    const struct admin_fetch *fetch;
    void *out;
};

/** The only partition of the only topic of an answer about one, checked; NULL with e. */
static const struct wire_value *only(const struct wire_value *r, const char *topics,
                                     const char *partitions, const struct tp_ctx *c, struct err *e)
{
    if (wire_count(r, topics) == 1) {
        const struct wire_value *t = wire_at(r, topics, 0);
        if (wire_count(t, partitions) == 1) {
            return wire_at(t, partitions, 0);
        }
    }
    err_set(e, ERR_PROTOCOL, 0, "the answer is not about %s-%d alone", c->topic, c->partition);
    return NULL;
}

static void build_list_offsets(void *ctx, struct wire_msg *req)
{
    struct tp_ctx *c = ctx;
    wire_set_int(&req->root, "ReplicaId", -1);
    wire_set_int(&req->root, "IsolationLevel", c->isolation);
    struct wire_value *t = wire_add(req, &req->root, "Topics");
    wire_set_str(req, t, "Name", c->topic);
    struct wire_value *p = wire_add(req, t, "Partitions");
    wire_set_int(p, "PartitionIndex", c->partition);
    wire_set_int(p, "Timestamp", c->timestamp);
}

static int parse_list_offsets(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct tp_ctx *c = ctx;
    struct admin_offset *out = c->out;
    const struct wire_value *p = only(&resp->root, "Topics", "Partitions", c, e);
    if (!p ||
        admin_code(e, wire_int(p, "ErrorCode"), "offsets of %s-%d", c->topic, c->partition) < 0) {
        return -1;
    }
    out->offset = wire_int(p, "Offset");
    out->timestamp = wire_int(p, "Timestamp");
    out->leader_epoch = (int32_t)wire_int(p, "LeaderEpoch");
    return 0;
}

int admin_list_offsets(struct admin *a, const char *topic, int32_t partition, int64_t timestamp,
                       enum admin_isolation isolation, int timeout_ms, struct admin_offset *out,
                       struct err *e)
{
    *out = (struct admin_offset){-1, -1, -1};
    struct tp_ctx c = {.topic = topic,
                       .partition = partition,
                       .timestamp = timestamp,
                       .isolation = isolation,
                       .out = out};
    struct admin_op op = {
        .route = {.kind = ROUTE_LEADER, .topic = topic, .partition = partition},
        .api = API_LIST_OFFSETS,
        .version = 7,
        .build = build_list_offsets,
        .parse = parse_list_offsets,
        .ctx = &c,
    };
    return admin_run(a, &op, timeout_ms, e);
}

static void build_fetch(void *ctx, struct wire_msg *req)
{
    struct tp_ctx *c = ctx;
    const struct admin_fetch *f = c->fetch;
    int32_t bytes = f->max_bytes > 0 ? f->max_bytes : FETCH_DEFAULT_BYTES;
    struct wire_value *r = &req->root;
    wire_set_int(r, "ReplicaId", -1);
    wire_set_int(r, "MaxWaitMs", f->max_wait_ms);
    wire_set_int(r, "MinBytes", f->max_wait_ms > 0 ? 1 : 0);
    wire_set_int(r, "MaxBytes", bytes);
    wire_set_int(r, "IsolationLevel", f->isolation);
    struct wire_value *t = wire_add(req, r, "Topics");
    wire_set_str(req, t, "Topic", f->topic);
    struct wire_value *p = wire_add(req, t, "Partitions");
    wire_set_int(p, "Partition", f->partition);
    wire_set_int(p, "FetchOffset", f->offset);
    wire_set_int(p, "PartitionMaxBytes", bytes);
}

static void read_aborted(struct admin_fetched *out, const struct wire_value *p)
{
    out->naborted = wire_count(p, "AbortedTransactions");
    out->aborted = arena_alloc(&out->mem, (out->naborted + 1) * sizeof *out->aborted);
    for (size_t i = 0; i < out->naborted; i++) {
        const struct wire_value *t = wire_at(p, "AbortedTransactions", i);
        out->aborted[i].producer_id = wire_int(t, "ProducerId");
        out->aborted[i].first_offset = wire_int(t, "FirstOffset");
    }
}

static int parse_fetch(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct tp_ctx *c = ctx;
    struct admin_fetched *out = c->out;
    const struct wire_value *r = &resp->root;
    admin_fetched_free(out);
    if (admin_code(e, wire_int(r, "ErrorCode"), "fetching %s-%d", c->topic, c->partition) < 0) {
        return -1;
    }
    const struct wire_value *p = only(r, "Responses", "Partitions", c, e);
    if (!p || admin_code(e, wire_int(p, "ErrorCode"), "fetching %s-%d at %lld", c->topic,
                         c->partition, (long long)c->fetch->offset) < 0) {
        return -1;
    }
    size_t len = 0;
    const uint8_t *records = wire_blob(p, "Records", &len);
    out->records = (uint8_t *)arena_dup(&out->mem, records, len);
    out->len = len;
    out->high_watermark = wire_int(p, "HighWatermark");
    out->last_stable = wire_int(p, "LastStableOffset");
    out->log_start = wire_int(p, "LogStartOffset");
    read_aborted(out, p);
    return 0;
}

int admin_fetch(struct admin *a, const struct admin_fetch *f, int timeout_ms,
                struct admin_fetched *out, struct err *e)
{
    *out = (struct admin_fetched){0};
    struct tp_ctx c = {.topic = f->topic, .partition = f->partition, .fetch = f, .out = out};
    struct admin_op op = {
        .route = {.kind = ROUTE_LEADER, .topic = f->topic, .partition = f->partition},
        .api = API_FETCH,
        .version = 12,
        .build = build_fetch,
        .parse = parse_fetch,
        .hold_ms = f->max_wait_ms,
        .ctx = &c,
    };
    return admin_run(a, &op, timeout_ms, e);
}

void admin_fetched_free(struct admin_fetched *f)
{
    arena_free(&f->mem);
    *f = (struct admin_fetched){0};
}

static void build_producers(void *ctx, struct wire_msg *req)
{
    struct tp_ctx *c = ctx;
    struct wire_value *t = wire_add(req, &req->root, "Topics");
    wire_set_str(req, t, "Name", c->topic);
    wire_add_int(req, t, "PartitionIndexes", c->partition);
}

static int parse_producers(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct tp_ctx *c = ctx;
    struct admin_producers *out = c->out;
    admin_producers_free(out);
    const struct wire_value *p = only(&resp->root, "Topics", "Partitions", c, e);
    if (!p ||
        admin_code(e, wire_int(p, "ErrorCode"), "producers of %s-%d", c->topic, c->partition) < 0) {
        return -1;
    }
    out->n = wire_count(p, "ActiveProducers");
    out->items = arena_alloc(&out->mem, (out->n + 1) * sizeof *out->items);
    for (size_t i = 0; i < out->n; i++) {
        const struct wire_value *v = wire_at(p, "ActiveProducers", i);
        out->items[i] = (struct admin_producer){
            .producer_id = wire_int(v, "ProducerId"),
            .epoch = (int32_t)wire_int(v, "ProducerEpoch"),
            .last_sequence = (int32_t)wire_int(v, "LastSequence"),
            .last_timestamp = wire_int(v, "LastTimestamp"),
            .coordinator_epoch = (int32_t)wire_int(v, "CoordinatorEpoch"),
            .txn_start = wire_int(v, "CurrentTxnStartOffset"),
        };
    }
    return 0;
}

int admin_describe_producers(struct admin *a, const char *topic, int32_t partition, int timeout_ms,
                             struct admin_producers *out, struct err *e)
{
    *out = (struct admin_producers){0};
    struct tp_ctx c = {.topic = topic, .partition = partition, .out = out};
    struct admin_op op = {
        .route = {.kind = ROUTE_LEADER, .topic = topic, .partition = partition},
        .api = API_DESCRIBE_PRODUCERS,
        .version = 0,
        .build = build_producers,
        .parse = parse_producers,
        .ctx = &c,
    };
    return admin_run(a, &op, timeout_ms, e);
}

void admin_producers_free(struct admin_producers *p)
{
    arena_free(&p->mem);
    *p = (struct admin_producers){0};
}
