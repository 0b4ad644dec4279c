/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeQuorum: which node is the active controller. The metadata log itself is not there; its
 * offsets are 0. */
#include <string.h>

#include "broker/call.h"
#include "broker/nodes.h"

static void put_quorum(struct call *c, struct wire_value *topic, int64_t index)
{
    const struct broker *b = c->b;
    struct wire_value *p = wire_add(&c->resp, topic, "Partitions");
    wire_set_int(p, "PartitionIndex", index);
    if (index != 0) {
        wire_set_int(p, "ErrorCode", KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
        return;
    }
    wire_set_int(p, "ErrorCode", b->controller > 0 ? KAFKA_NONE : KAFKA_LEADER_NOT_AVAILABLE);
    wire_set_int(p, "LeaderId", b->controller);
    for (int i = 0; i < nodes_controllers(b); i++) {
        wire_set_int(wire_add(&c->resp, p, "CurrentVoters"), "ReplicaId", b->nodes[i].id);
    }
}

void api_describe_quorum(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        const char *name = wire_str(t, "TopicName");
        struct wire_value *topic = wire_add(&c->resp, &c->resp.root, "Topics");
        wire_set_str(&c->resp, topic, "TopicName", name);
        bool known = strcmp(name, "__cluster_metadata") == 0;
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            put_quorum(c, topic,
                       known ? wire_int(wire_at(t, "Partitions", k), "PartitionIndex") : -1);
        }
    }
    call_reply(c);
}
