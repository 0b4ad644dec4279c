/* SPDX-License-Identifier: Apache-2.0 */
/* Hides which fields name a leader. Loop thread only. */
#include "broker/hint.h"

#include "broker/nodes.h"

static bool is_named(const struct call *c, int id)
{
    for (size_t i = 0; i < wire_count(&c->resp.root, "NodeEndpoints"); i++) {
        if (wire_int(wire_at(&c->resp.root, "NodeEndpoints", i), "NodeId") == id) {
            return true;
        }
    }
    return false;
}

void hint_leader(struct call *c, struct wire_value *out, const struct partition *p)
{
    struct wire_value *v = wire_member(out, "CurrentLeader");
    const struct node *n = nodes_find(c->b, p->leader);
    wire_set_int(v, "LeaderId", p->leader);
    wire_set_int(v, "LeaderEpoch", p->leader_epoch);
    if (n && !n->fenced && !is_named(c, n->id)) {
        v = wire_add(&c->resp, &c->resp.root, "NodeEndpoints");
        wire_set_int(v, "NodeId", n->id);
        wire_set_str(&c->resp, v, "Host", n->at[c->listener].host);
        wire_set_int(v, "Port", n->at[c->listener].port);
    }
}
