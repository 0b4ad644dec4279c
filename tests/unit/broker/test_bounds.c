/* SPDX-License-Identifier: Apache-2.0 */
/* What connections may take: time and memory. */
#include <arpa/inet.h>
#include <unistd.h>

#include "base/mem.h"
#include "lab.h"
#include "test.h"
#include "wire/kafka_error.h"

static void create(struct lab *l, const char *name, int partitions)
{
    struct admin *a = lab_admin(l);
    struct admin_new_topic t = {.name = name, .partitions = partitions, .replicas = 1};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, 5000, &e), 0);
    admin_close(a);
}

static void ask_fetch(int fd, const char *topic, int wait_ms)
{
    struct wire_msg m;
    lab_request(&m, API_FETCH, 11);
    wire_set_int(&m.root, "MaxWaitMs", wait_ms);
    wire_set_int(&m.root, "MinBytes", 1);
    struct wire_value *t = wire_add(&m, &m.root, "Topics");
    wire_set_str(&m, t, "Topic", topic);
    wire_set_int(wire_add(&m, t, "Partitions"), "PartitionMaxBytes", 1000);
    lab_send(fd, &m);
}

TEST(a_connection_on_which_nothing_moves_is_ended_and_one_that_waits_is_not)
{
    const char *const settings[] = {"connections.max.idle.ms=300"};
    struct lab *l = lab_start(NULL, settings, 1);
    struct wire_msg m;
    create(l, "t", 1);
    int silent = lab_connect(l), size = lab_connect(l), half = lab_connect(l),
        waits = lab_connect(l);
    lab_write(size, "\0\0", 2);
    lab_write(half, "\0\0\0\x40\0\3\0\1", 8);
    ask_fetch(waits, "t", 1000);
    CHECK(lab_is_closed(silent));
    CHECK(lab_is_closed(size));
    CHECK(lab_is_closed(half));
    lab_read(waits, &m, API_FETCH, 11);
    wire_free(&m);
    CHECK(lab_is_closed(waits));
    close(silent);
    close(size);
    close(half);
    close(waits);
    lab_stop(l);
}

/** The first `len` bytes of a Produce request of 1 MB. */
static void begin_frame(int fd, size_t len)
{
    char *p = xcalloc(1, len);
    uint32_t size = htonl(1 << 20);
    memcpy(p, &size, sizeof size);
    p[7] = 7;
    lab_write(fd, p, len);
    free(p);
}

TEST_LIMIT(of_too_many_half_requests_the_stillest_are_ended, 60)
{
    struct broker_opts o = {.memory = 16 << 20};
    struct lab *l = lab_start(&o, NULL, 0);
    enum { MANY = 100 }; /* 900 kB of each: more than the 64 MB that such a broker has for them */
    int fds[MANY], idle = lab_connect(l);
    for (int i = 0; i < MANY; i++) {
        fds[i] = lab_connect(l);
        begin_frame(fds[i], 900000);
    }
    CHECK(lab_is_closed(fds[0]));
    CHECK(lab_is_closed(fds[1]));
    struct wire_msg m; /* one that holds nothing is not touched, however long it was still */
    lab_request(&m, API_METADATA, 1);
    lab_send(idle, &m);
    lab_read(idle, &m, API_METADATA, 1);
    wire_free(&m);
    for (int i = 0; i < MANY; i++) {
        close(fds[i]);
    }
    close(idle);
    lab_stop(l);
}

TEST_LIMIT(an_answer_that_would_be_giant_ends_its_connection, 60)
{
    struct broker_opts o = {.memory = 64 << 20};
    struct lab *l = lab_start(&o, NULL, 0);
    struct wire_msg m;
    create(l, "wide", 1000);
    int fd = lab_connect(l);
    lab_request(&m, API_DESCRIBE_CONFIGS, 1); /* each time all its properties, twice */
    wire_set_int(&m.root, "IncludeSynonyms", 1);
    for (int i = 0; i < 30000; i++) {
        struct wire_value *r = wire_add(&m, &m.root, "Resources");
        wire_set_int(r, "ResourceType", 2);
        wire_set_str(&m, r, "ResourceName", "wide");
        wire_set_null(r, "ConfigurationKeys");
    }
    lab_send(fd, &m);
    CHECK(lab_is_closed(fd));
    close(fd);
    fd = lab_connect(l);
    lab_request(&m, API_METADATA, 4); /* named twice is told once, as by Kafka */
    wire_set_int(&m.root, "AllowAutoTopicCreation", 0);
    for (int i = 0; i < 50000; i++) {
        wire_set_str(&m, wire_add(&m, &m.root, "Topics"), "Name", "wide");
    }
    lab_send(fd, &m);
    lab_read(fd, &m, API_METADATA, 4);
    CHECK_INT(wire_count(&m.root, "Topics"), 1);
    CHECK_INT(wire_count(wire_at(&m.root, "Topics", 0), "Partitions"), 1000);
    wire_free(&m);
    close(fd);
    lab_stop(l);
}

static void ask_join(int fd, const char *member)
{
    struct wire_msg m;
    lab_request(&m, API_JOIN_GROUP, 4);
    wire_set_str(&m, &m.root, "GroupId", "g");
    wire_set_str(&m, &m.root, "MemberId", member);
    wire_set_str(&m, &m.root, "ProtocolType", "consumer");
    wire_set_int(&m.root, "SessionTimeoutMs", 10000);
    wire_set_int(&m.root, "RebalanceTimeoutMs", 10000);
    wire_set_str(&m, wire_add(&m, &m.root, "Protocols"), "Name", "range");
    lab_send(fd, &m);
}

/** Until the group has so many members. */
static void await_members(struct lab *l, size_t n)
{
    int fd = lab_connect(l);
    for (size_t got = n + 1; got != n;) {
        struct wire_msg m;
        lab_request(&m, API_DESCRIBE_GROUPS, 0);
        wire_add_str(&m, &m.root, "Groups", "g");
        lab_send(fd, &m);
        lab_read(fd, &m, API_DESCRIBE_GROUPS, 0);
        got = wire_count(wire_at(&m.root, "Groups", 0), "Members");
        wire_free(&m);
    }
    close(fd);
}

TEST(a_join_that_is_asked_again_elsewhere_is_not_answered_where_it_waited)
{
    const char *const settings[] = {"group.initial.rebalance.delay.ms=1500"};
    struct lab *l = lab_start(NULL, settings, 1);
    struct wire_msg m;
    int first = lab_connect(l), second = lab_connect(l);
    ask_join(first, "");
    lab_read(first, &m, API_JOIN_GROUP, 4);
    CHECK_INT(wire_int(&m.root, "ErrorCode"), KAFKA_MEMBER_ID_REQUIRED);
    char *id = xstrdup(wire_str(&m.root, "MemberId"));
    wire_free(&m);
    ask_join(first, id);
    lab_request(&m, API_METADATA, 1); /* behind it; its answer may not come before */
    lab_send(first, &m);
    await_members(l, 1);
    ask_join(second, id);
    lab_read(second, &m, API_JOIN_GROUP, 4);
    CHECK_INT(wire_int(&m.root, "ErrorCode"), KAFKA_NONE);
    wire_free(&m);
    char nothing;
    CHECK_INT(recv(first, &nothing, 1, MSG_DONTWAIT), -1); /* nor is it ended */
    free(id);
    close(first);
    close(second);
    lab_stop(l);
}
