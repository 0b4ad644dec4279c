/* SPDX-License-Identifier: Apache-2.0 */
/* Hides Metadata, CreateTopics and DeleteTopics: creation and deletion end only when every broker
 * of the cluster shows the result, because a client may ask any of them next. */
#include <stdlib.h>
#include <string.h>

#include "wire/admin.h"
#include "wire/admin_op.h"

enum { POLL_MS = 20, VISIBLE_MS = 2000 };

struct metadata_ctx {
    struct admin *a;
    const char *const *topics; /**< NULL = all */
    size_t n;
    struct admin_metadata *out;
};

static void build_metadata(void *ctx, struct wire_msg *req)
{
    struct metadata_ctx *c = ctx;
    wire_set_int(&req->root, "AllowAutoTopicCreation", 0);
    if (!c->topics) {
        wire_set_null(&req->root, "Topics");
    }
    for (size_t i = 0; c->topics && i < c->n; i++) {
        struct wire_value *t = wire_add(req, &req->root, "Topics");
        wire_set_str(req, t, "Name", c->topics[i]);
    }
}

static const int32_t *int_list(struct arena *mem, const struct wire_value *v, const char *name,
                               size_t *n)
{
    *n = wire_count(v, name);
    int32_t *list = arena_alloc(mem, (*n + 1) * sizeof *list);
    for (size_t i = 0; i < *n; i++) {
        list[i] = (int32_t)wire_at(v, name, i)->i;
    }
    return list;
}

static void read_partition(struct arena *mem, const struct wire_value *v, struct admin_partition *p)
{
    p->index = (int32_t)wire_int(v, "PartitionIndex");
    p->leader = (int32_t)wire_int(v, "LeaderId");
    p->leader_epoch = (int32_t)wire_int(v, "LeaderEpoch");
    p->error = (int16_t)wire_int(v, "ErrorCode");
    p->replicas = int_list(mem, v, "ReplicaNodes", &p->nreplicas);
    p->isr = int_list(mem, v, "IsrNodes", &p->nisr);
}

static int by_index(const void *x, const void *y)
{
    const struct admin_partition *a = x, *b = y;
    return (a->index > b->index) - (a->index < b->index);
}

static void read_topic(struct arena *mem, const struct wire_value *v, struct admin_topic *t)
{
    size_t len = 0;
    const char *name = wire_str(v, "Name");
    t->name = arena_str(mem, name ? name : "");
    memcpy(t->id, wire_blob(v, "TopicId", &len), sizeof t->id);
    t->internal = wire_int(v, "IsInternal") != 0;
    t->error = (int16_t)wire_int(v, "ErrorCode");
    t->npartitions = wire_count(v, "Partitions");
    t->partitions = arena_alloc(mem, (t->npartitions + 1) * sizeof *t->partitions);
    for (size_t i = 0; i < t->npartitions; i++) {
        read_partition(mem, wire_at(v, "Partitions", i), &t->partitions[i]);
    }
    qsort(t->partitions, t->npartitions, sizeof *t->partitions, by_index);
}

static int parse_metadata(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct metadata_ctx *c = ctx;
    struct admin_metadata *m = c->out;
    const struct wire_value *r = &resp->root;
    admin_metadata_free(m);
    m->cluster_id = arena_str(&m->mem, wire_str(r, "ClusterId"));
    m->controller = (int32_t)wire_int(r, "ControllerId");
    m->nbrokers = wire_count(r, "Brokers");
    m->brokers = arena_alloc(&m->mem, (m->nbrokers + 1) * sizeof *m->brokers);
    for (size_t i = 0; i < m->nbrokers; i++) {
        const struct wire_value *b = wire_at(r, "Brokers", i);
        m->brokers[i] = (struct admin_broker){.id = (int32_t)wire_int(b, "NodeId"),
                                              .host = arena_str(&m->mem, wire_str(b, "Host")),
                                              .port = (int)wire_int(b, "Port"),
                                              .rack = arena_str(&m->mem, wire_str(b, "Rack"))};
    }
    m->ntopics = wire_count(r, "Topics");
    m->topics = arena_alloc(&m->mem, (m->ntopics + 1) * sizeof *m->topics);
    for (size_t i = 0; i < m->ntopics; i++) {
        read_topic(&m->mem, wire_at(r, "Topics", i), &m->topics[i]);
    }
    admin_learn(c->a, r);
    return 0;
}

int admin_metadata_from(struct admin *a, const struct admin_route *from, const char *const *topics,
                        size_t n, int timeout_ms, struct admin_metadata *out, struct err *e)
{
    *out = (struct admin_metadata){0};
    struct metadata_ctx c = {.a = a, .topics = topics, .n = n, .out = out};
    struct admin_op op = {.route = *from,
                          .api = API_METADATA,
                          .version = 12,
                          .build = build_metadata,
                          .parse = parse_metadata,
                          .ctx = &c};
    return admin_run(a, &op, timeout_ms, e);
}

int admin_metadata(struct admin *a, const char *const *topics, size_t n, int timeout_ms,
                   struct admin_metadata *out, struct err *e)
{
    struct admin_route any = {.kind = ROUTE_ANY};
    return admin_metadata_from(a, &any, topics, n, timeout_ms, out, e);
}

void admin_metadata_free(struct admin_metadata *m)
{
    arena_free(&m->mem);
    *m = (struct admin_metadata){0};
}

/* ---- creation and deletion --------------------------------------------------------------------
 */

struct change_ctx {
    const struct admin_new_topic *topics; /**< creation */
    const char *const *names;             /**< of all topics */
    size_t n;
    int timeout_ms;
    int sent; /**< above 1: an earlier request may have been applied */
};

static void build_create(void *ctx, struct wire_msg *req)
{
    struct change_ctx *c = ctx;
    c->sent++;
    wire_set_int(&req->root, "timeoutMs", c->timeout_ms);
    for (size_t i = 0; i < c->n; i++) {
        const struct admin_new_topic *t = &c->topics[i];
        struct wire_value *v = wire_add(req, &req->root, "Topics");
        wire_set_str(req, v, "Name", t->name);
        wire_set_int(v, "NumPartitions", t->partitions);
        wire_set_int(v, "ReplicationFactor", t->replicas);
        for (size_t k = 0; k < t->nconfigs; k++) {
            struct wire_value *p = wire_add(req, v, "Configs");
            wire_set_str(req, p, "Name", t->configs[k].name);
            wire_set_str(req, p, "Value", t->configs[k].value);
        }
    }
}

static int parse_create(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct change_ctx *c = ctx;
    for (size_t i = 0; i < wire_count(&resp->root, "Topics"); i++) {
        const struct wire_value *t = wire_at(&resp->root, "Topics", i);
        int code = (int)wire_int(t, "ErrorCode");
        if (code == KAFKA_TOPIC_ALREADY_EXISTS && c->sent > 1) {
            continue;
        }
        const char *why = wire_str(t, "ErrorMessage");
        if (admin_code(e, code, "creating topic %s%s%s%s", wire_str(t, "Name"), why ? " (" : "",
                       why ? why : "", why ? ")" : "") < 0) {
            return -1;
        }
    }
    return 0;
}

/** Whether a topic has the shape that was asked for. */
static bool is_led(const struct admin_topic *t, int32_t partitions)
{
    if (t->error != KAFKA_NONE || t->npartitions == 0 ||
        (partitions > 0 && t->npartitions != (size_t)partitions)) {
        return false;
    }
    for (size_t k = 0; k < t->npartitions; k++) {
        if (t->partitions[k].leader < 0 || t->partitions[k].error != KAFKA_NONE) {
            return false;
        }
    }
    return true;
}

static bool all_led(const struct admin_metadata *m, const struct change_ctx *c)
{
    size_t led = 0;
    for (size_t i = 0; i < m->ntopics; i++) {
        for (size_t k = 0; k < c->n; k++) {
            if (strcmp(m->topics[i].name, c->names[k]) == 0) {
                led += is_led(&m->topics[i], c->topics[k].partitions);
            }
        }
    }
    return led == c->n;
}

static bool all_gone(const struct admin_metadata *m, const struct change_ctx *c)
{
    for (size_t i = 0; i < m->ntopics; i++) {
        if (m->topics[i].error != KAFKA_UNKNOWN_TOPIC_OR_PARTITION) {
            return false;
        }
    }
    return m->ntopics == c->n;
}

typedef bool shown_fn(const struct admin_metadata *m, const struct change_ctx *c);

/** Whether every broker that is alive now shows the result. */
static bool shown_everywhere(struct admin *a, const struct change_ctx *c, shown_fn *shown,
                             int left_ms, struct err *e)
{
    struct admin_metadata m, one;
    bool ok = admin_metadata(a, c->names, c->n, left_ms, &m, e) == 0 && shown(&m, c);
    for (size_t i = 0; ok && i < m.nbrokers; i++) {
        struct admin_route node = {.kind = ROUTE_NODE, .node = m.brokers[i].id};
        int ms = left_ms < VISIBLE_MS ? left_ms : VISIBLE_MS;
        ok = admin_metadata_from(a, &node, c->names, c->n, ms, &one, e) == 0 && shown(&one, c);
        admin_metadata_free(&one);
    }
    admin_metadata_free(&m);
    return ok;
}

static int wait_shown(struct admin *a, const struct change_ctx *c, shown_fn *shown,
                      uint64_t deadline_ns, struct err *e)
{
    do {
        err_clear(e);
        int left_ms = admin_left_ms(deadline_ns);
        if (shown_everywhere(a, c, shown, left_ms, e)) {
            return 0;
        }
    } while (admin_pause(POLL_MS, deadline_ns));
    const char *why = e->kind == ERR_NONE ? "metadata does not show it" : "metadata";
    struct err last = *e;
    return err_set(e, ERR_TIMEOUT, 0, "%s topic %s and %zu more within %d ms: %s %s",
                   c->topics ? "creating" : "deleting", c->names[0], c->n - 1, c->timeout_ms, why,
                   last.msg);
}

int admin_create_topics(struct admin *a, const struct admin_new_topic *topics, size_t n,
                        int timeout_ms, struct err *e)
{
    uint64_t deadline_ns = admin_deadline(timeout_ms);
    if (n == 0) {
        return 0;
    }
    struct arena mem = {0};
    const char **names = arena_alloc(&mem, n * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        names[i] = topics[i].name;
    }
    struct change_ctx c = {.topics = topics, .names = names, .n = n, .timeout_ms = timeout_ms};
    struct admin_op op = {.api = API_CREATE_TOPICS,
                          .version = 7,
                          .build = build_create,
                          .parse = parse_create,
                          .ctx = &c};
    int rc = admin_run(a, &op, timeout_ms, e);
    if (rc == 0) {
        rc = wait_shown(a, &c, all_led, deadline_ns, e);
    }
    arena_free(&mem);
    return rc;
}

static void build_delete(void *ctx, struct wire_msg *req)
{
    struct change_ctx *c = ctx;
    wire_set_int(&req->root, "TimeoutMs", c->timeout_ms);
    for (size_t i = 0; i < c->n; i++) {
        wire_add_str(req, &req->root, "TopicNames", c->names[i]);
    }
}

static int parse_delete(void *ctx, const struct wire_msg *resp, struct err *e)
{
    for (size_t i = 0; i < wire_count(&resp->root, "Responses"); i++) {
        const struct wire_value *t = wire_at(&resp->root, "Responses", i);
        int code = (int)wire_int(t, "ErrorCode");
        if (code == KAFKA_UNKNOWN_TOPIC_OR_PARTITION) {
            continue;
        }
        if (admin_code(e, code, "deleting topic %s", wire_str(t, "Name")) < 0) {
            return -1;
        }
    }
    return 0;
}

int admin_delete_topics(struct admin *a, const char *const *names, size_t n, int timeout_ms,
                        struct err *e)
{
    uint64_t deadline_ns = admin_deadline(timeout_ms);
    if (n == 0) {
        return 0;
    }
    struct change_ctx c = {.names = names, .n = n, .timeout_ms = timeout_ms};
    struct admin_op op = {.api = API_DELETE_TOPICS,
                          .version = 5,
                          .build = build_delete,
                          .parse = parse_delete,
                          .ctx = &c};
    int rc = admin_run(a, &op, timeout_ms, e);
    return rc < 0 ? rc : wait_shown(a, &c, all_gone, deadline_ns, e);
}
