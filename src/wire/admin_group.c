/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what is asked about groups and configuration: OffsetFetch, DescribeGroups, DescribeConfigs.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/admin.h"
#include "wire/admin_op.h"

/* ---- committed offsets ------------------------------------------------------------------------
 */

struct offsets_ctx {
    const char *group;
    const struct admin_tp *parts; /**< NULL = all */
    size_t n;
    bool stable;
    struct admin_offsets *out;
};

struct wire_value *admin_topic_of(struct wire_msg *req, const char *list, const char *name)
{
    for (size_t i = 0; i < wire_count(&req->root, list); i++) {
        struct wire_value *t = (struct wire_value *)wire_at(&req->root, list, i);
        if (strcmp(wire_str(t, "Name"), name) == 0) {
            return t;
        }
    }
    struct wire_value *t = wire_add(req, &req->root, list);
    wire_set_str(req, t, "Name", name);
    return t;
}

static void build_offsets(void *ctx, struct wire_msg *req)
{
    struct offsets_ctx *c = ctx;
    wire_set_str(req, &req->root, "GroupId", c->group);
    wire_set_int(&req->root, "RequireStable", c->stable);
    if (!c->parts) {
        wire_set_null(&req->root, "Topics");
    }
    for (size_t i = 0; c->parts && i < c->n; i++) {
        wire_add_int(req, admin_topic_of(req, "Topics", c->parts[i].topic), "PartitionIndexes",
                     c->parts[i].partition);
    }
}

static int read_offsets(struct offsets_ctx *c, const struct wire_value *topic, struct err *e)
{
    struct admin_offsets *out = c->out;
    const char *name = arena_str(&out->mem, wire_str(topic, "Name"));
    for (size_t i = 0; i < wire_count(topic, "Partitions"); i++) {
        const struct wire_value *p = wire_at(topic, "Partitions", i);
        int code = (int)wire_int(p, "ErrorCode");
        if (kafka_error_retriable(code) && code != KAFKA_UNSTABLE_OFFSET_COMMIT &&
            code != KAFKA_UNKNOWN_TOPIC_OR_PARTITION) {
            return admin_code(e, code, "offsets of group %s", c->group);
        }
        out->items[out->n++] = (struct admin_committed){
            .topic = name,
            .partition = (int32_t)wire_int(p, "PartitionIndex"),
            .offset = wire_int(p, "CommittedOffset"),
            .leader_epoch = (int32_t)wire_int(p, "CommittedLeaderEpoch"),
            .metadata = arena_str(&out->mem, wire_str(p, "Metadata")),
            .error = (int16_t)code,
        };
    }
    return 0;
}

static int parse_offsets(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct offsets_ctx *c = ctx;
    struct admin_offsets *out = c->out;
    const struct wire_value *r = &resp->root;
    size_t n = 0;
    admin_offsets_free(out);
    if (admin_code(e, wire_int(r, "ErrorCode"), "offsets of group %s", c->group) < 0) {
        return -1;
    }
    for (size_t i = 0; i < wire_count(r, "Topics"); i++) {
        n += wire_count(wire_at(r, "Topics", i), "Partitions");
    }
    out->items = arena_alloc(&out->mem, (n + 1) * sizeof *out->items);
    for (size_t i = 0; i < wire_count(r, "Topics"); i++) {
        if (read_offsets(c, wire_at(r, "Topics", i), e) < 0) {
            return -1;
        }
    }
    return 0;
}

int admin_offset_fetch(struct admin *a, const char *group, const struct admin_tp *parts, size_t n,
                       bool require_stable, int timeout_ms, struct admin_offsets *out,
                       struct err *e)
{
    *out = (struct admin_offsets){0};
    struct offsets_ctx c = {group, parts, n, require_stable, out};
    struct admin_op op = {
        .route = {.kind = ROUTE_COORDINATOR, .key_type = ADMIN_GROUP, .key = group},
        .api = API_OFFSET_FETCH,
        .version = 7,
        .build = build_offsets,
        .parse = parse_offsets,
        .ctx = &c,
    };
    return admin_run(a, &op, timeout_ms, e);
}

void admin_offsets_free(struct admin_offsets *o)
{
    arena_free(&o->mem);
    *o = (struct admin_offsets){0};
}

/* ---- groups -----------------------------------------------------------------------------------
 */

struct group_ctx {
    const char *group;
    struct admin_group *out;
};

static void build_group(void *ctx, struct wire_msg *req)
{
    struct group_ctx *c = ctx;
    wire_add_str(req, &req->root, "Groups", c->group);
}

static void read_member(struct arena *mem, const struct wire_value *v, struct admin_member *m)
{
    const uint8_t *p = wire_blob(v, "MemberMetadata", &m->metadata_len);
    m->metadata = (uint8_t *)arena_dup(mem, p, m->metadata_len);
    p = wire_blob(v, "MemberAssignment", &m->assignment_len);
    m->assignment = (uint8_t *)arena_dup(mem, p, m->assignment_len);
    m->member_id = arena_str(mem, wire_str(v, "MemberId"));
    m->instance_id = arena_str(mem, wire_str(v, "GroupInstanceId"));
    m->client_id = arena_str(mem, wire_str(v, "ClientId"));
    m->host = arena_str(mem, wire_str(v, "ClientHost"));
}

static int parse_group(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct group_ctx *c = ctx;
    struct admin_group *g = c->out;
    admin_group_free(g);
    if (wire_count(&resp->root, "Groups") != 1) {
        return err_set(e, ERR_PROTOCOL, 0, "the answer is not about group %s", c->group);
    }
    const struct wire_value *v = wire_at(&resp->root, "Groups", 0);
    int code = (int)wire_int(v, "ErrorCode");
    if (admin_code(e, code, "describing group %s", c->group) < 0 && e->retriable) {
        return -1;
    }
    err_clear(e);
    g->error = (int16_t)code;
    g->id = arena_str(&g->mem, wire_str(v, "GroupId"));
    g->state = arena_str(&g->mem, wire_str(v, "GroupState"));
    g->protocol_type = arena_str(&g->mem, wire_str(v, "ProtocolType"));
    g->protocol = arena_str(&g->mem, wire_str(v, "ProtocolData"));
    g->nmembers = wire_count(v, "Members");
    g->members = arena_alloc(&g->mem, (g->nmembers + 1) * sizeof *g->members);
    for (size_t i = 0; i < g->nmembers; i++) {
        read_member(&g->mem, wire_at(v, "Members", i), &g->members[i]);
    }
    return 0;
}

/** A coordinator calls a group dead that is not of the classic protocol. */
static int ask_other_protocol(struct admin *a, const char *group, uint64_t deadline_ns,
                              struct admin_group *out, struct err *e)
{
    int left = admin_left_ms(deadline_ns);
    if (admin_describe_cgroup(a, left > 0 ? left : 1, group, out, e) == 0) {
        return 0;
    }
    if (e->code == KAFKA_GROUP_ID_NOT_FOUND || e->code == KAFKA_UNSUPPORTED_VERSION) {
        err_clear(e);
        return 0; /* it is dead */
    }
    return -1;
}

int admin_describe_group(struct admin *a, const char *group, int timeout_ms,
                         struct admin_group *out, struct err *e)
{
    *out = (struct admin_group){0};
    uint64_t deadline_ns = admin_deadline(timeout_ms);
    struct group_ctx c = {group, out};
    struct admin_op op = {
        .route = {.kind = ROUTE_COORDINATOR, .key_type = ADMIN_GROUP, .key = group},
        .api = API_DESCRIBE_GROUPS,
        .version = 5,
        .build = build_group,
        .parse = parse_group,
        .ctx = &c,
    };
    if (admin_run(a, &op, timeout_ms, e) < 0) {
        return -1;
    }
    bool dead = out->error == 0 && out->state && strcmp(out->state, "Dead") == 0;
    return dead ? ask_other_protocol(a, group, deadline_ns, out, e) : 0;
}

void admin_group_free(struct admin_group *g)
{
    arena_free(&g->mem);
    *g = (struct admin_group){0};
}

/* ---- configuration ----------------------------------------------------------------------------
 */

struct configs_ctx {
    enum admin_resource type;
    const char *name;
    struct admin_configs *out;
};

static void build_configs(void *ctx, struct wire_msg *req)
{
    struct configs_ctx *c = ctx;
    struct wire_value *v = wire_add(req, &req->root, "Resources");
    wire_set_int(v, "ResourceType", c->type);
    wire_set_str(req, v, "ResourceName", c->name);
    wire_set_null(v, "ConfigurationKeys");
}

static int parse_configs(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct configs_ctx *c = ctx;
    struct admin_configs *out = c->out;
    admin_configs_free(out);
    if (wire_count(&resp->root, "Results") != 1) {
        return err_set(e, ERR_PROTOCOL, 0, "the answer is not about %s", c->name);
    }
    const struct wire_value *r = wire_at(&resp->root, "Results", 0);
    if (admin_code(e, wire_int(r, "ErrorCode"), "configuration of %s", c->name) < 0) {
        return -1;
    }
    out->n = wire_count(r, "Configs");
    out->items = arena_alloc(&out->mem, (out->n + 1) * sizeof *out->items);
    for (size_t i = 0; i < out->n; i++) {
        const struct wire_value *v = wire_at(r, "Configs", i);
        out->items[i] = (struct admin_config){
            .name = arena_str(&out->mem, wire_str(v, "Name")),
            .value = arena_str(&out->mem, wire_str(v, "Value")),
            .read_only = wire_int(v, "ReadOnly") != 0,
            .sensitive = wire_int(v, "IsSensitive") != 0,
            .source = (int8_t)wire_int(v, "ConfigSource"),
        };
    }
    return 0;
}

int admin_describe_configs(struct admin *a, enum admin_resource type, const char *name,
                           int timeout_ms, struct admin_configs *out, struct err *e)
{
    *out = (struct admin_configs){0};
    struct configs_ctx c = {type, name, out};
    struct admin_op op = {.api = API_DESCRIBE_CONFIGS,
                          .version = 4,
                          .build = build_configs,
                          .parse = parse_configs,
                          .ctx = &c};
    if (type == ADMIN_BROKER) {
        op.route.kind = ROUTE_NODE;
        op.route.node = (int32_t)strtol(name, NULL, 10);
    }
    return admin_run(a, &op, timeout_ms, e);
}

const char *admin_config_get(const struct admin_configs *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->items[i].name, name) == 0) {
            return c->items[i].value;
        }
    }
    return NULL;
}

void admin_configs_free(struct admin_configs *c)
{
    arena_free(&c->mem);
    *c = (struct admin_configs){0};
}
