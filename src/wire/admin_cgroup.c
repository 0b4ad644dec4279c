/* SPDX-License-Identifier: Apache-2.0 */
/* Hides that groups of the consumer protocol are described by another request: the answer becomes
 * what DescribeGroups would say, assignments in the form of the classic protocol included. */
#include <string.h>

#include "base/buf.h"
#include "wire/admin_op.h"

struct cgroup_ctx {
    const char *group;
    struct admin_group *out;
};

static void build(void *ctx, struct wire_msg *req)
{
    struct cgroup_ctx *c = ctx;
    wire_add_str(req, &req->root, "GroupIds", c->group);
}

static void put_int(struct buf *b, uint32_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        char c = (char)(v >> 8 * i);
        buf_append(b, &c, 1);
    }
}

/** ConsumerProtocolAssignment, version 0. */
static void put_assignment(struct buf *b, const struct wire_value *assignment)
{
    uint32_t n = (uint32_t)wire_count(assignment, "TopicPartitions");
    put_int(b, 0, 2);
    put_int(b, n, 4);
    for (uint32_t i = 0; i < n; i++) {
        const struct wire_value *t = wire_at(assignment, "TopicPartitions", i);
        const char *name = wire_str(t, "TopicName");
        uint32_t parts = (uint32_t)wire_count(t, "Partitions");
        put_int(b, (uint32_t)strlen(name), 2);
        buf_append(b, name, strlen(name));
        put_int(b, parts, 4);
        for (uint32_t k = 0; k < parts; k++) {
            put_int(b, (uint32_t)wire_at(t, "Partitions", k)->i, 4);
        }
    }
    put_int(b, UINT32_MAX, 4); /* no user data */
}

static void read_member(struct arena *mem, const struct wire_value *v, struct admin_member *m)
{
    struct buf b = {0};
    put_assignment(&b, wire_get(v, "Assignment"));
    *m = (struct admin_member){
        .member_id = arena_str(mem, wire_str(v, "MemberId")),
        .instance_id = arena_str(mem, wire_str(v, "InstanceId")),
        .client_id = arena_str(mem, wire_str(v, "ClientId")),
        .host = arena_str(mem, wire_str(v, "ClientHost")),
        .assignment = (uint8_t *)arena_dup(mem, b.data, b.len),
        .assignment_len = b.len,
    };
    buf_free(&b);
}

static int parse(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct cgroup_ctx *c = ctx;
    struct admin_group *g = c->out;
    if (wire_count(&resp->root, "Groups") != 1) {
        return err_set(e, ERR_PROTOCOL, 0, "the answer is not about group %s", c->group);
    }
    const struct wire_value *v = wire_at(&resp->root, "Groups", 0);
    int code = (int)wire_int(v, "ErrorCode");
    if (admin_code(e, code, "describing group %s", c->group) < 0) {
        return -1;
    }
    admin_group_free(g);
    g->id = arena_str(&g->mem, wire_str(v, "GroupId"));
    g->state = arena_str(&g->mem, wire_str(v, "GroupState"));
    g->protocol_type = "consumer";
    g->protocol = arena_str(&g->mem, wire_str(v, "AssignorName"));
    g->nmembers = wire_count(v, "Members");
    g->members = arena_alloc(&g->mem, (g->nmembers + 1) * sizeof *g->members);
    for (size_t i = 0; i < g->nmembers; i++) {
        read_member(&g->mem, wire_at(v, "Members", i), &g->members[i]);
    }
    return 0;
}

int admin_describe_cgroup(struct admin *a, int timeout_ms, const char *group,
                          struct admin_group *out, struct err *e)
{
    struct cgroup_ctx c = {group, out};
    struct admin_op op = {
        .route = {.kind = ROUTE_COORDINATOR, .key_type = ADMIN_GROUP, .key = group},
        .api = API_CONSUMER_GROUP_DESCRIBE,
        .version = 1,
        .build = build,
        .parse = parse,
        .ctx = &c,
    };
    return admin_run(a, &op, timeout_ms, e);
}
