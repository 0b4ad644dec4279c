/* SPDX-License-Identifier: Apache-2.0 */
/* Which node has a role: against a broker that says what the test wants. */
#include "run/target.h"

#include "../audit/fake.c" /* its log and threads serve other folders too */

enum { MS = 2000 };

struct cluster_view { /**< what the broker says */
    int leader, controller, group_node, txn_node;
    const char *group_state;
    int txn_error;
    int isr; /**< second replica of t/0 that is in sync, besides node 1 */
};

static void say_topic(const struct cluster_view *v, struct wire_msg *resp)
{
    struct wire_value *t = wire_add(resp, &resp->root, "Topics");
    wire_set_str(resp, t, "Name", "t");
    struct wire_value *p = wire_add(resp, t, "Partitions");
    wire_set_int(p, "LeaderId", v->leader);
    wire_add_int(resp, p, "ReplicaNodes", 1);
    wire_add_int(resp, p, "ReplicaNodes", 2);
    wire_add_int(resp, p, "IsrNodes", 1);
    if (v->isr) {
        wire_add_int(resp, p, "IsrNodes", v->isr);
    }
}

static void say_brokers(struct fake *f, struct wire_msg *resp)
{
    for (int id = 1; id <= 3; id++) {
        struct wire_value *b = wire_add(resp, &resp->root, "Brokers");
        wire_set_int(b, "NodeId", id);
        wire_set_str(resp, b, "Host", "127.0.0.1");
        wire_set_int(b, "Port", f->port);
    }
    wire_set_int(&resp->root, "ControllerId", 1); /* as KRaft has it: any broker */
}

static void say_quorum(const struct cluster_view *v, struct wire_msg *resp)
{
    struct wire_value *t = wire_add(resp, &resp->root, "Topics");
    wire_set_str(resp, t, "TopicName", "__cluster_metadata");
    struct wire_value *p = wire_add(resp, t, "Partitions");
    wire_set_int(p, "LeaderId", v->controller);
}

static void say_txn(const struct cluster_view *v, const struct wire_msg *req, struct wire_msg *resp)
{
    const struct wire_value *ids = wire_get(&req->root, "TransactionalIds");
    struct wire_value *t = wire_add(resp, &resp->root, "TransactionStates");
    wire_set_str(resp, t, "TransactionalId", (const char *)ids->a.items[0].s.p);
    wire_set_int(t, "ErrorCode", v->txn_error);
}

static bool say(struct fake *f, const struct wire_msg *req, struct wire_msg *resp)
{
    const struct cluster_view *v = f->arg;
    struct wire_value *r = &resp->root;
    switch (req->schema->api) {
    case API_METADATA:
        say_brokers(f, resp);
        say_topic(v, resp);
        return true;
    case API_FIND_COORDINATOR:
        wire_set_int(r, "NodeId",
                     wire_int(&req->root, "KeyType") == ADMIN_TXN ? v->txn_node : v->group_node);
        wire_set_str(resp, r, "Host", "127.0.0.1");
        wire_set_int(r, "Port", f->port);
        return true;
    case API_DESCRIBE_QUORUM:
        say_quorum(v, resp);
        return true;
    case API_DESCRIBE_GROUPS: {
        struct wire_value *g = wire_add(resp, r, "Groups");
        wire_set_str(resp, g, "GroupId", "copy");
        wire_set_str(resp, g, "GroupState", v->group_state);
        return true;
    }
    case API_CONSUMER_GROUP_DESCRIBE: { /* nor is it one of the consumer protocol */
        struct wire_value *g = wire_add(resp, r, "Groups");
        wire_set_str(resp, g, "GroupId", "copy");
        wire_set_int(g, "ErrorCode", KAFKA_GROUP_ID_NOT_FOUND);
        return true;
    }
    case API_DESCRIBE_TRANSACTIONS:
        say_txn(v, req, resp);
        return true;
    default:
        return false;
    }
}

struct lab {
    struct fake f;
    struct admin *a;
    struct err e;
};

static void open_lab(struct lab *l, struct cluster_view *v)
{
    fake_init(&l->f);
    l->f.hook = say;
    l->f.arg = v;
    fake_start(&l->f);
    l->a = admin_open(l->f.bootstrap, NULL, &l->e);
    CHECK(l->a);
}

static void close_lab(struct lab *l)
{
    admin_close(l->a);
    fake_stop(&l->f);
}

static int find(struct lab *l, enum plan_target kind, const char *of, int partition, bool known)
{
    struct target t = {kind, of, partition, known};
    return target_resolve(l->a, &t, MS, &l->e);
}

TEST(each_role_has_its_node)
{
    struct lab l = {0};
    struct cluster_view v = {
        .leader = 2, .controller = 3, .group_node = 1, .txn_node = 2, .group_state = "Stable"};
    open_lab(&l, &v);
    CHECK_INT(find(&l, TARGET_LEADER, "t", 0, true), 2);
    CHECK_INT(find(&l, TARGET_CONTROLLER, NULL, 0, true), 3);
    CHECK_INT(find(&l, TARGET_GROUP, "copy", 0, false), 1);
    CHECK_INT(find(&l, TARGET_TXN, "id", 0, false), 2);
    close_lab(&l);
}

TEST(nobody_is_hit_for_a_role_that_nobody_has)
{
    struct lab l = {0};
    struct cluster_view v = {.leader = -1,
                             .controller = -1,
                             .group_node = 1,
                             .txn_node = 2,
                             .group_state = "Dead",
                             .txn_error = 105};
    open_lab(&l, &v);
    CHECK_INT(find(&l, TARGET_LEADER, "t", 0, true), -1);
    CHECK_STR(l.e.msg, "t/0 has no leader");
    CHECK_INT(find(&l, TARGET_LEADER, "t", 7, true), -1);
    CHECK_STR(l.e.msg, "t/7 does not exist");
    CHECK_INT(find(&l, TARGET_LEADER, "other", 0, true), -1);
    CHECK_STR(l.e.msg, "other/0 does not exist");
    CHECK_INT(find(&l, TARGET_CONTROLLER, NULL, 0, true), -1);
    CHECK_HAS(l.e.msg, "the controllers have no leader");
    CHECK_INT(find(&l, TARGET_GROUP, "copy", 0, false), -1);
    CHECK_STR(l.e.msg, "there is no group copy");
    CHECK_INT(find(&l, TARGET_TXN, "id", 0, false), -1);
    CHECK_STR(l.e.msg, "nobody uses the transactional id id");
    close_lab(&l);
}

TEST(what_the_history_knows_is_not_asked_again)
{
    struct lab l = {0};
    struct cluster_view v = {
        .group_node = 3, .txn_node = 1, .group_state = "Dead", .txn_error = 105};
    open_lab(&l, &v);
    CHECK_INT(find(&l, TARGET_GROUP, "copy", 0, true), 3);
    CHECK_INT(find(&l, TARGET_TXN, "id", 0, true), 1);
    close_lab(&l);
}

TEST(a_node_is_in_sync_when_no_partition_of_it_lags)
{
    struct lab l = {0};
    struct cluster_view v = {.leader = 1};
    open_lab(&l, &v);
    CHECK_INT(target_in_sync(l.a, 1, MS, &l.e), 0);
    CHECK_INT(target_in_sync(l.a, 3, MS, &l.e), 0); /* has no replica */
    CHECK_INT(target_in_sync(l.a, 2, MS, &l.e), -1);
    CHECK_STR(l.e.msg, "node 2 is not in sync on t/0");
    v.isr = 2;
    CHECK_INT(target_in_sync(l.a, 2, MS, &l.e), 0);
    close_lab(&l);
}
