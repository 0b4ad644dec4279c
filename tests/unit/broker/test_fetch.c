/* SPDX-License-Identifier: Apache-2.0 */
/* Topic ids, hints at leaders, and the memory of fetch sessions. */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "lab.h"
#include "test.h"
#include "wire/kafka_error.h"

enum { MS = 5000, PARTS = 3, HINTED_PRODUCE = 10, HINTED_FETCH = 16, NAMED_FETCH = 12 };

static void create(struct admin *a, const char *name, int32_t partitions)
{
    struct admin_new_topic t = {.name = name, .partitions = partitions, .replicas = 1};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, MS, &e), 0);
}

/** Ids, and who leads. */
static void look(int fd, const char *topic, uint8_t id[16], int leaders[PARTS])
{
    struct wire_msg m, resp;
    size_t len;
    lab_request(&m, API_METADATA, 12);
    wire_set_str(&m, wire_add(&m, &m.root, "Topics"), "Name", topic);
    lab_send(fd, &m);
    lab_read(fd, &resp, API_METADATA, 12);
    const struct wire_value *t = wire_at(&resp.root, "Topics", 0);
    memcpy(id, wire_blob(t, "TopicId", &len), 16);
    for (size_t i = 0; i < wire_count(t, "Partitions"); i++) {
        const struct wire_value *p = wire_at(t, "Partitions", i);
        leaders[wire_int(p, "PartitionIndex")] = (int)wire_int(p, "LeaderId");
    }
    wire_free(&resp);
}

static void check_hint(const struct wire_msg *resp, const struct wire_value *p, int leader)
{
    const struct wire_value *v = wire_get(p, "CurrentLeader");
    bool refused = wire_int(p, "ErrorCode") == KAFKA_NOT_LEADER_OR_FOLLOWER;
    CHECK_INT(refused, leader != 1);
    CHECK_INT(wire_int(v, "LeaderId"), refused ? leader : -1);
    CHECK_INT(wire_int(v, "LeaderEpoch"), refused ? 0 : -1);
    CHECK_INT(wire_count(&resp->root, "NodeEndpoints"), refused ? 1 : 0);
    if (refused) {
        const struct wire_value *n = wire_at(&resp->root, "NodeEndpoints", 0);
        CHECK_INT(wire_int(n, "NodeId"), leader);
        CHECK_STR(wire_str(n, "Host"), "127.0.0.1");
        CHECK(wire_int(n, "Port") > 0);
    }
}

static void ask_fetch(struct wire_msg *m, int16_t version, const char *name, const uint8_t *id,
                      int32_t partition)
{
    lab_request(m, API_FETCH, version);
    struct wire_value *t = wire_add(m, &m->root, "Topics");
    if (id) {
        wire_set_blob(t, "TopicId", id, 16);
    } else {
        wire_set_str(m, t, "Topic", name);
    }
    struct wire_value *p = wire_add(m, t, "Partitions");
    wire_set_int(p, "Partition", partition);
    wire_set_int(p, "PartitionMaxBytes", 1 << 20);
}

TEST(who_is_asked_in_place_of_the_leader_says_who_leads)
{
    struct broker_opts o = {.nodes = 3};
    struct lab *l = lab_start(&o, NULL, 0);
    struct admin *a = lab_admin(l);
    struct buf blob = {0};
    const char *const values[] = {"v"};
    uint8_t id[16];
    int leaders[PARTS] = {0};
    create(a, "t", PARTS);
    int fd = lab_connect(l); /* node 1 */
    look(fd, "t", id, leaders);
    lab_batch(&blob, values, 1);
    for (int32_t p = 0; p < PARTS; p++) {
        struct wire_msg m, resp;
        lab_produce(&m, "t", p, &blob);
        m.version = HINTED_PRODUCE;
        lab_send(fd, &m);
        lab_read(fd, &resp, API_PRODUCE, HINTED_PRODUCE);
        const struct wire_value *t = wire_at(&resp.root, "Responses", 0);
        check_hint(&resp, wire_at(t, "PartitionResponses", 0), leaders[p]);
        wire_free(&resp);
        ask_fetch(&m, HINTED_FETCH, NULL, id, p);
        lab_send(fd, &m);
        lab_read(fd, &resp, API_FETCH, HINTED_FETCH);
        t = wire_at(&resp.root, "Responses", 0);
        check_hint(&resp, wire_at(t, "Partitions", 0), leaders[p]);
        wire_free(&resp);
    }
    buf_free(&blob);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

/** @return the session's id. */
static int32_t begin_session(int fd, const char *topic)
{
    struct wire_msg m, resp;
    ask_fetch(&m, NAMED_FETCH, topic, NULL, 0);
    wire_set_int(&m.root, "SessionEpoch", 0);
    lab_send(fd, &m);
    lab_read(fd, &resp, API_FETCH, NAMED_FETCH);
    int32_t id = (int32_t)wire_int(&resp.root, "SessionId");
    CHECK_INT(wire_int(&resp.root, "ErrorCode"), KAFKA_NONE);
    CHECK_INT(wire_count(&resp.root, "Responses"), 1);
    wire_free(&resp);
    return id;
}

static int go_on(int fd, int32_t id, int32_t epoch)
{
    struct wire_msg m, resp;
    lab_request(&m, API_FETCH, NAMED_FETCH);
    wire_set_int(&m.root, "SessionId", id);
    wire_set_int(&m.root, "SessionEpoch", epoch);
    lab_send(fd, &m);
    lab_read(fd, &resp, API_FETCH, NAMED_FETCH);
    int code = (int)wire_int(&resp.root, "ErrorCode");
    wire_free(&resp);
    return code;
}

TEST(there_are_a_thousand_sessions_and_then_fetches_go_without)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    create(a, "t", 1);
    int fd = lab_connect(l);
    int32_t first = begin_session(fd, "t");
    CHECK(first != 0);
    for (int i = 1; i < 1000; i++) {
        CHECK(begin_session(fd, "t") != 0);
    }
    CHECK_INT(begin_session(fd, "t"), 0);
    CHECK_INT(go_on(fd, first, 1), KAFKA_NONE);
    CHECK_INT(go_on(fd, first, 1), KAFKA_INVALID_FETCH_SESSION_EPOCH);
    CHECK_INT(go_on(fd, first, 2), KAFKA_NONE);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

TEST(a_node_does_not_know_the_sessions_of_another)
{
    struct broker_opts o = {.nodes = 2};
    struct lab *l = lab_start(&o, NULL, 0);
    struct admin *a = lab_admin(l);
    create(a, "t", 1);
    int fd = lab_connect(l), other = lab_connect_to(l, 2);
    int32_t id = begin_session(fd, "t");
    CHECK(id != 0);
    CHECK_INT(go_on(other, id, 1), KAFKA_FETCH_SESSION_ID_NOT_FOUND);
    CHECK_INT(go_on(fd, id, 1), KAFKA_NONE);
    close(fd);
    close(other);
    admin_close(a);
    lab_stop(l);
}

TEST(sessions_are_not_remembered_above_the_memory_limit)
{
    enum { LIMIT = 64 << 10, TRIES = 999 };
    struct broker_opts o = {.nodes = 1, .memory = LIMIT};
    struct lab *l = lab_start(&o, NULL, 0);
    struct admin *a = lab_admin(l);
    create(a, "t", 1);
    int fd = lab_connect(l), begun = 0;
    while (begun < TRIES && begin_session(fd, "t") != 0) {
        begun++;
    }
    CHECK(begun > 0 && begun < TRIES);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

static struct buf traced;

static void keep_line(void *arg, const char *line)
{
    (void)arg;
    buf_printf(&traced, "%s\n", line);
}

TEST(the_trace_writes_topic_ids_as_kafka_does_and_leaves_out_what_is_not_set)
{
    struct broker_opts o = {.nodes = 1, .trace = keep_line};
    static const uint8_t id[16] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
                                   0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff};
    struct lab *l = lab_start(&o, NULL, 0);
    struct wire_msg m, resp;
    int fd = lab_connect(l);
    ask_fetch(&m, 18, NULL, id, 0);
    lab_send(fd, &m);
    lab_read(fd, &resp, API_FETCH, 18);
    CHECK_INT(wire_int(wire_at(wire_at(&resp.root, "Responses", 0), "Partitions", 0), "ErrorCode"),
              KAFKA_UNKNOWN_TOPIC_ID);
    wire_free(&resp);
    close(fd);
    lab_stop(l);
    CHECK_HAS(traced.data, "TopicId=8PHy8_T19vf4-fr7_P3-_w Partitions=[{Partition=0 ");
    CHECK_HAS(traced.data, "PartitionMaxBytes=1048576}]");
    CHECK_HAS(traced.data, "ErrorCode=UNKNOWN_TOPIC_ID HighWatermark=-1");
    CHECK(!strstr(traced.data, "CurrentLeader={"));
    buf_free(&traced);
}
