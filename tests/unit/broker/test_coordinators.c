/* SPDX-License-Identifier: Apache-2.0 */
/* Coordinators that move from node to node: what they remember, and what clients see meanwhile. */
#include <unistd.h>

#include "base/mem.h"
#include "lab.h"
#include "test.h"
#include "wire/batch.h"
#include "wire/kafka_error.h"

enum { MS = 5000, LOOK_US = 2000, PARTS = 8, NODES = 3 };

static struct lab *three(const char *more)
{
    const char *settings[] = {"broker.session.timeout.ms=100", more};
    struct broker_opts o = {.nodes = NODES};
    return lab_start(&o, settings, more ? 2 : 1);
}

static void create(struct admin *a, const char *name, int32_t partitions)
{
    struct admin_new_topic t = {.name = name, .partitions = partitions, .replicas = NODES};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, MS, &e), 0);
}

static int coordinator(struct admin *a, enum admin_coordinator type, const char *key)
{
    struct err e = {0};
    int node = admin_find_coordinator(a, type, key, MS, &e);
    CHECK(node > 0);
    return node;
}

/** Any node but that one. */
static int other(int node)
{
    return node % NODES + 1;
}

static int64_t end_of(struct admin *a, int32_t partition, enum admin_isolation isolation)
{
    struct admin_offset o;
    struct err e;
    CHECK_INT(admin_list_offsets(a, "t", partition, ADMIN_LATEST, isolation, MS, &o, &e), 0);
    return o.offset;
}

/* ---- transactions -----------------------------------------------------------------------------
 */

static int add_at(struct lab *l, int node, const struct txn *t)
{
    struct wire_msg m;
    int fd = lab_connect_to(l, node);
    lab_add_to_txn(&m, t);
    lab_send(fd, &m);
    int code = lab_added_to_txn(fd);
    close(fd);
    return code;
}

/** Asks the two living nodes until one of them coordinates. @return which errors were seen. */
static void wait_for_coordinator(struct lab *l, int dead, const struct txn *t, bool *loading,
                                 bool *elsewhere)
{
    int node = dead, code = -1;
    *loading = *elsewhere = false;
    while (code != KAFKA_NONE) {
        node = other(node) == dead ? other(dead) : other(node);
        code = add_at(l, node, t);
        *loading = *loading || code == KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
        *elsewhere = *elsewhere || code == KAFKA_NOT_COORDINATOR;
        usleep(LOOK_US);
    }
}

static void produce(struct admin *a, const struct txn *t, const struct admin_tp *to)
{
    struct record r = {
        .timestamp = 1, .key_len = -1, .value = (const uint8_t *)"v", .value_len = 1};
    struct batch_opts o = {.transactional = true,
                           .producer_id = t->producer_id,
                           .producer_epoch = t->epoch,
                           .base_sequence = 0};
    struct buf blob = {0};
    struct err e;
    int64_t base;
    CHECK_INT(batch_write(&blob, &o, &r, 1, &e), 0);
    CHECK_INT(txn_produce(a, t, to, blob.data, blob.len, MS, &base, &e), 0);
    buf_free(&blob);
}

TEST(an_open_transaction_goes_on_at_another_coordinator)
{
    struct lab *l = three(NULL);
    struct admin *a = lab_admin(l);
    struct txn t = {.id = "id"};
    struct admin_tp part = {"t", 0};
    struct err e;
    bool loading, elsewhere;
    create(a, "t", 1);
    CHECK_INT(txn_init(a, &t, 60000, MS, &e), 0);
    int node = coordinator(a, ADMIN_TXN, "id");
    CHECK_INT(add_at(l, node, &t), KAFKA_NONE);
    CHECK_INT(add_at(l, other(node), &t), KAFKA_NOT_COORDINATOR);
    produce(a, &t, &part);
    lab_order(l, "kill", node);
    wait_for_coordinator(l, node, &t, &loading, &elsewhere);
    CHECK(loading);
    CHECK(elsewhere);
    CHECK_INT(end_of(a, 0, ADMIN_READ_COMMITTED), 0);
    CHECK_INT(txn_end(a, &t, true, MS, &e), 0);
    while (end_of(a, 0, ADMIN_READ_COMMITTED) != 2) {
        usleep(LOOK_US);
    }
    admin_close(a);
    lab_stop(l);
}

static int64_t all_ends(struct admin *a)
{
    int64_t n = 0;
    for (int32_t i = 0; i < PARTS; i++) {
        n += end_of(a, i, ADMIN_READ_UNCOMMITTED);
    }
    return n;
}

static bool is_complete(struct admin *a)
{
    const char *ids[] = {"id"};
    struct admin_txns list;
    struct err e;
    CHECK_INT(admin_describe_transactions(a, ids, 1, MS, &list, &e), 0);
    bool done = strcmp(list.items[0].state, "CompleteCommit") == 0;
    admin_txns_free(&list);
    return done;
}

TEST(a_new_coordinator_sends_all_markers_again)
{
    struct lab *l = three("kaos.completion.max.ms=4000");
    struct admin *a = lab_admin(l);
    struct txn t = {.id = "id"};
    struct admin_tp parts[PARTS];
    struct err e;
    create(a, "t", PARTS);
    for (int32_t i = 0; i < PARTS; i++) {
        parts[i] = (struct admin_tp){"t", i};
    }
    CHECK_INT(txn_init(a, &t, 60000, MS, &e), 0);
    CHECK_INT(txn_add_partitions(a, &t, parts, PARTS, MS, &e), 0);
    CHECK_INT(txn_end(a, &t, true, MS, &e), 0);
    while (all_ends(a) == 0) {
        usleep(LOOK_US);
    }
    CHECK(!is_complete(a));
    lab_order(l, "kill", coordinator(a, ADMIN_TXN, "id"));
    while (!is_complete(a)) {
        usleep(LOOK_US);
    }
    CHECK(all_ends(a) > PARTS); /* those that were there before stand twice */
    admin_close(a);
    lab_stop(l);
}

/* ---- groups -----------------------------------------------------------------------------------
 */

struct member {
    char id[128];
    int generation;
};

static void send_join(int fd, const char *member_id)
{
    struct wire_msg m;
    lab_request(&m, API_JOIN_GROUP, 2);
    wire_set_str(&m, &m.root, "GroupId", "g");
    wire_set_int(&m.root, "SessionTimeoutMs", 6000);
    wire_set_int(&m.root, "RebalanceTimeoutMs", 6000);
    wire_set_str(&m, &m.root, "MemberId", member_id);
    wire_set_str(&m, &m.root, "ProtocolType", "consumer");
    struct wire_value *p = wire_add(&m, &m.root, "Protocols");
    wire_set_str(&m, p, "Name", "range");
    wire_set_blob(p, "Metadata", "m", 1);
    lab_send(fd, &m);
}

static int read_join(int fd, struct member *out)
{
    struct wire_msg m;
    lab_read(fd, &m, API_JOIN_GROUP, 2);
    int code = (int)wire_int(&m.root, "ErrorCode");
    out->generation = (int)wire_int(&m.root, "GenerationId");
    snprintf(out->id, sizeof out->id, "%s", wire_str(&m.root, "MemberId"));
    wire_free(&m);
    return code;
}

/** assign: by the leader. Takes the first byte of what is assigned. */
static int sync_group(int fd, const struct member *who, bool assign, char *assigned)
{
    struct wire_msg m;
    size_t len = 0;
    lab_request(&m, API_SYNC_GROUP, 2);
    wire_set_str(&m, &m.root, "GroupId", "g");
    wire_set_int(&m.root, "GenerationId", who->generation);
    wire_set_str(&m, &m.root, "MemberId", who->id);
    if (assign) {
        struct wire_value *x = wire_add(&m, &m.root, "Assignments");
        wire_set_str(&m, x, "MemberId", who->id);
        wire_set_blob(x, "Assignment", "A", 1);
    }
    lab_send(fd, &m);
    lab_read(fd, &m, API_SYNC_GROUP, 2);
    int code = (int)wire_int(&m.root, "ErrorCode");
    const uint8_t *p = wire_blob(&m.root, "Assignment", &len);
    *assigned = len ? (char)*p : '\0';
    wire_free(&m);
    return code;
}

static struct member join(struct lab *l, int node, bool sync)
{
    struct member who;
    char assigned;
    int fd = lab_connect_to(l, node);
    send_join(fd, "");
    CHECK_INT(read_join(fd, &who), KAFKA_NONE);
    if (sync) {
        CHECK_INT(sync_group(fd, &who, true, &assigned), KAFKA_NONE);
        CHECK_INT(assigned, 'A');
    }
    close(fd);
    return who;
}

/** Asks for the assignment once more, until the group's log has been read. */
static int sync_when_loaded(struct lab *l, int node, const struct member *who, char *assigned)
{
    int fd = lab_connect_to(l, node), code;
    while ((code = sync_group(fd, who, false, assigned)) == KAFKA_COORDINATOR_LOAD_IN_PROGRESS) {
        usleep(LOOK_US);
    }
    close(fd);
    return code;
}

static int wait_moved(struct admin *a, int from)
{
    int node = from;
    while (node == from) {
        node = coordinator(a, ADMIN_GROUP, "g");
        usleep(LOOK_US);
    }
    return node;
}

/** A member joins, its coordinator dies, and it asks the next one for its assignment.
 *  @return Kafka's code. */
static int sync_elsewhere(bool complete, char *assigned)
{
    struct lab *l = three(NULL);
    struct admin *a = lab_admin(l);
    int node = coordinator(a, ADMIN_GROUP, "g");
    struct member who = join(l, node, complete);
    lab_order(l, "kill", node);
    int code = sync_when_loaded(l, wait_moved(a, node), &who, assigned);
    lab_order(l, "restart", node);
    admin_close(a);
    lab_stop(l);
    return code;
}

TEST(members_survive_their_coordinator)
{
    char assigned;
    CHECK_INT(sync_elsewhere(true, &assigned), KAFKA_NONE);
    CHECK_INT(assigned, 'A');
}

TEST(a_generation_that_was_not_complete_is_forgotten)
{
    char assigned;
    CHECK_INT(sync_elsewhere(false, &assigned), KAFKA_UNKNOWN_MEMBER_ID);
}

TEST(who_waits_for_a_coordinator_that_stops_is_sent_away)
{
    struct lab *l = three(NULL);
    struct admin *a = lab_admin(l);
    char assigned;
    int node = coordinator(a, ADMIN_GROUP, "g");
    struct member who = join(l, node, true), second;
    int fd = lab_connect_to(l, node);
    send_join(fd, ""); /* waits for the first member to join again */
    usleep(20 * LOOK_US);
    lab_order(l, "stop", node);
    CHECK_INT(read_join(fd, &second), KAFKA_NOT_COORDINATOR);
    CHECK(lab_is_closed(fd));
    close(fd);
    int next = wait_moved(a, node);
    CHECK_INT(sync_when_loaded(l, next, &who, &assigned), KAFKA_NONE); /* as if nothing had been */
    admin_close(a);
    lab_stop(l);
}
