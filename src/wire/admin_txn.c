/* SPDX-License-Identifier: Apache-2.0 */
/* Hides that transactions are spread over coordinators: listing asks every broker, describing asks
 * the coordinator of each id. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/admin.h"
#include "wire/admin_op.h"

enum { ROUND_MS = 2000, PAUSE_MS = 50 };

struct list {
    struct admin_txn *items;
    size_t n, cap;
};
struct txn_ctx {
    const char *const *states; /**< list: filter */
    size_t nstates;
    int32_t node;        /**< list: who is asked */
    const char *id;      /**< describe */
    struct list *found;  /**< list: appended */
    struct admin_txn *t; /**< describe */
    struct arena *mem;
};

static void build_list(void *ctx, struct wire_msg *req)
{
    struct txn_ctx *c = ctx;
    for (size_t i = 0; i < c->nstates; i++) {
        wire_add_str(req, &req->root, "StateFilters", c->states[i]);
    }
}

static int parse_list(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct txn_ctx *c = ctx;
    const struct wire_value *r = &resp->root;
    if (admin_code(e, wire_int(r, "ErrorCode"), "listing transactions") < 0) {
        return -1;
    }
    for (size_t i = 0; i < wire_count(r, "TransactionStates"); i++) {
        const struct wire_value *v = wire_at(r, "TransactionStates", i);
        *VEC_PUSH(c->found) = (struct admin_txn){
            .id = arena_str(c->mem, wire_str(v, "TransactionalId")),
            .producer_id = wire_int(v, "ProducerId"),
            .state = arena_str(c->mem, wire_str(v, "TransactionState")),
            .node = c->node,
            .epoch = -1,
            .start_ms = -1,
        };
    }
    return 0;
}

/** One pass over all brokers of the cluster. */
static int list_round(struct admin *a, struct txn_ctx *c, int left_ms, struct err *e)
{
    struct admin_metadata md;
    const char *none = NULL;
    int rc = admin_metadata(a, &none, 0, left_ms, &md, e);
    uint64_t deadline_ns = admin_deadline(left_ms);
    for (size_t i = 0; rc == 0 && i < md.nbrokers; i++) {
        c->node = md.brokers[i].id;
        struct admin_op op = {
            .route = {.kind = ROUTE_NODE, .node = c->node},
            .api = API_LIST_TRANSACTIONS,
            .version = 0,
            .build = build_list,
            .parse = parse_list,
            .ctx = c,
        };
        int ms = admin_left_ms(deadline_ns);
        rc = admin_run(a, &op, ms < ROUND_MS ? ms : ROUND_MS, e);
    }
    admin_metadata_free(&md);
    return rc;
}

int admin_list_transactions(struct admin *a, const char *const *states, size_t n, int timeout_ms,
                            struct admin_txns *out, struct err *e)
{
    uint64_t deadline_ns = admin_deadline(timeout_ms);
    struct list found = {0};
    *out = (struct admin_txns){0};
    struct txn_ctx c = {.states = states, .nstates = n, .found = &found, .mem = &out->mem};
    int rc;
    do { /* a broker that died between the rounds is no longer in the metadata */
        found.n = 0;
        rc = list_round(a, &c, admin_left_ms(deadline_ns), e);
    } while (rc < 0 && e->kind == ERR_TIMEOUT && admin_pause(PAUSE_MS, deadline_ns));
    if (rc == 0) {
        out->n = found.n;
        out->items = arena_alloc(&out->mem, (found.n + 1) * sizeof *found.items);
        if (found.n > 0) {
            memcpy(out->items, found.items, found.n * sizeof *found.items);
        }
    }
    free(found.items);
    return rc;
}

static void build_describe(void *ctx, struct wire_msg *req)
{
    struct txn_ctx *c = ctx;
    wire_add_str(req, &req->root, "TransactionalIds", c->id);
}

static void read_partitions(struct txn_ctx *c, const struct wire_value *v)
{
    struct admin_txn *t = c->t;
    size_t n = 0;
    for (size_t i = 0; i < wire_count(v, "Topics"); i++) {
        n += wire_count(wire_at(v, "Topics", i), "Partitions");
    }
    t->partitions = arena_alloc(c->mem, (n + 1) * sizeof *t->partitions);
    for (size_t i = 0; i < wire_count(v, "Topics"); i++) {
        const struct wire_value *topic = wire_at(v, "Topics", i);
        const char *name = arena_str(c->mem, wire_str(topic, "Topic"));
        for (size_t k = 0; k < wire_count(topic, "Partitions"); k++) {
            int32_t partition = (int32_t)wire_at(topic, "Partitions", k)->i;
            t->partitions[t->npartitions++] = (struct admin_tp){name, partition};
        }
    }
}

static int parse_describe(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct txn_ctx *c = ctx;
    struct admin_txn *t = c->t;
    if (wire_count(&resp->root, "TransactionStates") != 1) {
        return err_set(e, ERR_PROTOCOL, 0, "the answer is not about transactional id %s", c->id);
    }
    const struct wire_value *v = wire_at(&resp->root, "TransactionStates", 0);
    int code = (int)wire_int(v, "ErrorCode");
    if (code != KAFKA_TRANSACTIONAL_ID_NOT_FOUND &&
        admin_code(e, code, "describing transactional id %s", c->id) < 0) {
        return -1;
    }
    *t = (struct admin_txn){
        .id = t->id,
        .node = -1,
        .error = (int16_t)code,
        .producer_id = wire_int(v, "ProducerId"),
        .epoch = (int16_t)wire_int(v, "ProducerEpoch"),
        .state = arena_str(c->mem, wire_str(v, "TransactionState")),
        .timeout_ms = (int32_t)wire_int(v, "TransactionTimeoutMs"),
        .start_ms = wire_int(v, "TransactionStartTimeMs"),
    };
    read_partitions(c, v);
    return 0;
}

int admin_describe_transactions(struct admin *a, const char *const *ids, size_t n, int timeout_ms,
                                struct admin_txns *out, struct err *e)
{
    uint64_t deadline_ns = admin_deadline(timeout_ms);
    *out = (struct admin_txns){0};
    out->items = arena_alloc(&out->mem, (n + 1) * sizeof *out->items);
    for (; out->n < n; out->n++) {
        struct admin_txn *t = &out->items[out->n];
        t->id = arena_str(&out->mem, ids[out->n]);
        struct txn_ctx c = {.id = t->id, .t = t, .mem = &out->mem};
        struct admin_op op = {
            .route = {.kind = ROUTE_COORDINATOR, .key_type = ADMIN_TXN, .key = t->id},
            .api = API_DESCRIBE_TRANSACTIONS,
            .version = 0,
            .build = build_describe,
            .parse = parse_describe,
            .ctx = &c,
        };
        if (admin_run(a, &op, admin_left_ms(deadline_ns), e) < 0) {
            return -1;
        }
    }
    return 0;
}

void admin_txns_free(struct admin_txns *t)
{
    arena_free(&t->mem);
    *t = (struct admin_txns){0};
}
