/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how the active controller is found: any broker hands DescribeQuorum on to it. */
#include <string.h>

#include "wire/admin.h"
#include "wire/admin_op.h"

static const char quorum_topic[] = "__cluster_metadata";

static void build_quorum(void *ctx, struct wire_msg *req)
{
    struct wire_value *t = wire_add(req, &req->root, "Topics");
    wire_set_str(req, t, "TopicName", quorum_topic);
    wire_set_int(wire_add(req, t, "Partitions"), "PartitionIndex", 0);
}

/* An election has not ended yet: worth another round. */
static int no_leader(struct err *e)
{
    return admin_code(e, KAFKA_LEADER_NOT_AVAILABLE, "the controllers have no leader");
}

static int parse_quorum(void *ctx, const struct wire_msg *resp, struct err *e)
{
    int *leader = ctx;
    const struct wire_value *r = &resp->root;
    if (admin_code(e, wire_int(r, "ErrorCode"), "describing the quorum") < 0) {
        return -1;
    }
    if (wire_count(r, "Topics") != 1 || wire_count(wire_at(r, "Topics", 0), "Partitions") != 1) {
        return err_set(e, ERR_PROTOCOL, 0, "the answer is not about %s", quorum_topic);
    }
    const struct wire_value *p = wire_at(wire_at(r, "Topics", 0), "Partitions", 0);
    if (admin_code(e, wire_int(p, "ErrorCode"), "describing the quorum") < 0) {
        return -1;
    }
    *leader = (int)wire_int(p, "LeaderId");
    return *leader < 0 ? no_leader(e) : 0;
}

int admin_controller(struct admin *a, int timeout_ms, struct err *e)
{
    int leader = -1;
    struct admin_op op = {.api = API_DESCRIBE_QUORUM,
                          .version = 2,
                          .build = build_quorum,
                          .parse = parse_quorum,
                          .ctx = &leader};
    return admin_run(a, &op, timeout_ms, e) < 0 ? -1 : leader;
}
