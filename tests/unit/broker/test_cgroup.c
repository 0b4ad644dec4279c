/* SPDX-License-Identifier: Apache-2.0 */
/* Consumer groups: patterns, sets of partitions, and members over the wire. What Kafka answers is
 * in tests/differential; here is what always holds: nobody has what another one still has. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "broker/cparts.h"
#include "broker/tregex.h"
#include "lab.h"
#include "test.h"
#include "wire/kafka_error.h"

/* ---- patterns ---------------------------------------------------------------------------------
 */

static bool matches(const char *pattern, const char *name)
{
    const char *why = NULL;
    struct tregex *r = tregex_new(pattern, &why);
    if (!r) {
        test_fail(__FILE__, __LINE__, "%s: %s", pattern, why);
    }
    bool yes = tregex_matches(r, name);
    tregex_free(r);
    return yes;
}

static const char *refused(const char *pattern)
{
    const char *why = NULL;
    struct tregex *r = tregex_new(pattern, &why);
    tregex_free(r);
    return r ? NULL : why;
}

TEST(patterns_match_whole_names)
{
    CHECK(matches("orders", "orders"));
    CHECK(!matches("orders", "orders-2"));
    CHECK(!matches("rders", "orders"));
    CHECK(matches("", ""));
    CHECK(!matches("", "a"));
    CHECK(matches("^orders$", "orders"));
    CHECK(!matches("a^b", "ab"));
    CHECK(matches("\\Aab\\z", "ab"));
    CHECK(matches("or.*s", "orders"));
    CHECK(matches("or.*?s", "orders"));
    CHECK(matches("a|bc|", ""));
    CHECK(matches("a|bc", "bc"));
    CHECK(!matches("a|bc", "abc"));
    CHECK(matches("(?:ab)+c?", "ababc"));
    CHECK(!matches("(ab){2,3}", "ab"));
    CHECK(matches("(ab){2,3}", "ababab"));
    CHECK(!matches("(ab){2,3}", "abababab"));
    CHECK(matches("a{2}", "aa"));
    CHECK(matches("a{2,}", "aaaa"));
    CHECK(matches("a{,2}", "a{,2}"));
    CHECK(matches("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
    CHECK(!matches("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaac"));
}

TEST(classes_of_bytes)
{
    CHECK(matches("[a-c-]+", "a-c"));
    CHECK(!matches("[^a-c]", "b"));
    CHECK(matches("[]x]", "]"));
    CHECK(matches("[[:alpha:]_]\\d\\.\\w", "_1.z"));
    CHECK(!matches("a\\.b", "axb"));
    CHECK(matches("[\\d\\-]+", "1-2"));
    CHECK(matches("\\D\\S\\W", "ab-"));
}

TEST(what_is_no_pattern_is_refused_with_a_reason)
{
    static const char *const bad[] = {"(",        ")",       "[",     "[b-a]",   "*a",   "a**",
                                      "a{3,1}",   "a{1001}", "(?i)a", "\\p{Lu}", "\\bx", "\\",
                                      "[[:no:]]", "(?<",     "[\\q]", "a+*"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (!refused(bad[i])) {
            test_fail(__FILE__, __LINE__, "%s is taken for a pattern", bad[i]);
        }
    }
    CHECK_HAS(refused("((((a{1000}){1000}){1000}){1000})"), "too large");
    CHECK_HAS(refused("(((){1000}){1000}){1000}"), "too large");
    char deep[1001];
    memset(deep, '(', sizeof deep - 1);
    deep[1000] = '\0';
    CHECK_HAS(refused(deep), "too deep");
}

/* ---- sets of partitions -------------------------------------------------------------------------
 */

TEST(sets_of_partitions)
{
    static const uint8_t x[16] = {1}, y[16] = {2};
    struct cparts a = {0}, b = {0}, both = {0}, none = {0};
    cparts_add(&a, y, 1, 7);
    cparts_add(&a, x, 2, 7);
    cparts_add(&a, x, 0, 7);
    cparts_add(&a, y, 1, 8);
    cparts_sort(&a);
    CHECK_INT(a.n, 3);
    CHECK_INT(a.items[0].index, 0);
    cparts_add(&b, x, 2, 1);
    CHECK(cparts_meet(&a, &b) && cparts_within(&b, &a) && !cparts_within(&a, &b));
    CHECK(!cparts_meet(&a, &none) && cparts_within(&none, &a) && !cparts_equal(&a, &b));
    cparts_take(&both, &a, &b, true);
    CHECK_INT(both.n, 1);
    CHECK_INT(both.items[0].epoch, 7);
    cparts_take(&both, &a, &b, false);
    cparts_sort(&both);
    CHECK(cparts_equal(&a, &both));
    cparts_free(&a);
    cparts_free(&b);
    cparts_free(&both);
}

/* ---- members ----------------------------------------------------------------------------------
 */

enum { MEMBERS = 5, PARTITIONS = 7, MS = 5000 };

/** A member as its client sees it. */
struct member {
    int fd;
    char id[16];
    bool in;
    int32_t epoch;
    int owned[PARTITIONS], n;
};

static const uint8_t *topic_id; /**< as the first assignment names it */

static void ask(struct member *m, const char *group, int32_t epoch)
{
    struct wire_msg req;
    lab_request(&req, API_CONSUMER_GROUP_HEARTBEAT, 1);
    wire_set_str(&req, &req.root, "GroupId", group);
    wire_set_str(&req, &req.root, "MemberId", m->id);
    wire_set_int(&req.root, "MemberEpoch", epoch);
    if (epoch == 0) {
        wire_set_int(&req.root, "RebalanceTimeoutMs", 60000);
        wire_add_str(&req, &req.root, "SubscribedTopicNames", "t");
    }
    struct wire_value *list = (struct wire_value *)wire_get(&req.root, "TopicPartitions");
    list->a.n = 0;
    if (m->n > 0 && epoch > 0) {
        struct wire_value *t = wire_add(&req, &req.root, "TopicPartitions");
        wire_set_blob(t, "TopicId", topic_id, 16);
        for (int i = 0; i < m->n; i++) {
            wire_add_int(&req, t, "Partitions", m->owned[i]);
        }
    }
    lab_send(m->fd, &req);
}

static void take(struct member *m, const struct wire_value *assignment)
{
    static uint8_t id[16];
    m->n = 0;
    for (size_t i = 0; i < wire_count(assignment, "TopicPartitions"); i++) {
        const struct wire_value *t = wire_at(assignment, "TopicPartitions", i);
        size_t len;
        memcpy(id, wire_blob(t, "TopicId", &len), sizeof id);
        topic_id = id;
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            CHECK(m->n < PARTITIONS);
            m->owned[m->n++] = (int)wire_at(t, "Partitions", k)->i;
        }
    }
}

/** One heartbeat; the member does at once what it is told. @return Kafka's code. */
static int beat(struct member *m, const char *group, int32_t epoch)
{
    struct wire_msg resp;
    ask(m, group, epoch);
    lab_read(m->fd, &resp, API_CONSUMER_GROUP_HEARTBEAT, 1);
    int code = (int)wire_int(&resp.root, "ErrorCode");
    if (code == KAFKA_NONE) {
        const struct wire_value *assignment = wire_get(&resp.root, "Assignment");
        m->epoch = (int32_t)wire_int(&resp.root, "MemberEpoch");
        if (assignment->a.n >= 0) {
            take(m, assignment);
        }
    }
    wire_free(&resp);
    return code;
}

/** @return how many partitions have an owner; fails when one has two. */
static int owned(const struct member *members)
{
    int owners[PARTITIONS] = {0}, all = 0;
    for (int i = 0; i < MEMBERS; i++) {
        for (int k = 0; members[i].in && k < members[i].n; k++) {
            CHECK_INT(++owners[members[i].owned[k]], 1);
            all++;
        }
    }
    return all;
}

static void join(struct member *m, const char *group)
{
    m->n = 0;
    CHECK_INT(beat(m, group, 0), 0);
    m->in = true;
}

static void leave(struct member *m, const char *group)
{
    m->in = false;
    m->n = 0;
    CHECK_INT(beat(m, group, -1), 0);
}

static void beat_all(struct member *members, const char *group)
{
    for (int i = 0; i < MEMBERS; i++) {
        if (members[i].in) {
            CHECK_INT(beat(&members[i], group, members[i].epoch), 0);
            owned(members);
        }
    }
}

static void settle(struct member *members, const char *group)
{
    for (int i = 0; i < 2 * MEMBERS; i++) {
        beat_all(members, group);
    }
}

static void connect_all(struct lab *l, struct member *members)
{
    for (int i = 0; i < MEMBERS; i++) {
        members[i] = (struct member){.fd = lab_connect(l)};
        snprintf(members[i].id, sizeof members[i].id, "m%d", i);
    }
}

static void disconnect_all(struct member *members)
{
    for (int i = 0; i < MEMBERS; i++) {
        close(members[i].fd);
    }
}

static void create(struct lab *l)
{
    struct admin_new_topic t = {.name = "t", .partitions = PARTITIONS, .replicas = 1};
    struct err e;
    struct admin *a = lab_admin(l);
    CHECK_INT(admin_create_topics(a, &t, 1, MS, &e), 0);
    admin_close(a);
}

static const char *const quick[] = {"group.consumer.assignment.interval.ms=0"};

TEST_LIMIT(no_partition_has_two_owners_whoever_comes_and_goes, 60)
{
    struct broker_opts o = {0};
    struct lab *l = lab_start(&o, quick, ARRAY_LEN(quick));
    struct member members[MEMBERS];
    create(l);
    connect_all(l, members);
    uint64_t seed = 1;
    for (int step = 0; step < 400; step++) {
        seed = hash_mix(seed, (uint64_t)step);
        struct member *m = &members[seed % MEMBERS];
        int what = (int)(seed >> 32 & 7);
        if (!m->in) {
            join(m, "g");
        } else if (what == 0) {
            leave(m, "g");
        } else if (what == 1) { /* as after an error: it has given up everything */
            join(m, "g");
        } else {
            CHECK_INT(beat(m, "g", m->epoch), 0);
        }
        owned(members);
        if (step % 40 == 39 && members[0].in + members[1].in > 0) {
            settle(members, "g");
            CHECK_INT(owned(members), PARTITIONS);
        }
    }
    disconnect_all(members);
    lab_stop(l);
}

/** Heartbeats until the member has so many partitions; fails when it has not after a few. */
static void await_owned(struct member *m, const char *group, int n)
{
    for (int i = 0; i < 5 && m->n != n; i++) {
        CHECK_INT(beat(m, group, m->epoch), 0);
    }
    CHECK_INT(m->n, n);
}

/** More partitions for the topic t. */
static void grow(int fd, int32_t partitions)
{
    struct wire_msg m;
    lab_request(&m, API_CREATE_PARTITIONS, 0);
    wire_set_int(&m.root, "TimeoutMs", MS);
    struct wire_value *t = wire_add(&m, &m.root, "Topics");
    wire_set_str(&m, t, "Name", "t");
    wire_set_int(t, "Count", partitions);
    wire_set_null(t, "Assignments");
    lab_send(fd, &m);
    lab_read(fd, &m, API_CREATE_PARTITIONS, 0);
    CHECK_INT(wire_int(wire_at(&m.root, "Results", 0), "ErrorCode"), KAFKA_NONE);
    wire_free(&m);
}

TEST(members_learn_at_once_that_topics_come_grow_and_go)
{
    struct lab *l = lab_start(NULL, quick, 1);
    struct admin *a = lab_admin(l);
    struct member m = {.fd = lab_connect(l), .id = "m"};
    struct admin_new_topic topic = {.name = "t", .partitions = 2, .replicas = 1};
    const char *const name = "t";
    struct err e;
    join(&m, "g");
    CHECK_INT(m.n, 0);
    int32_t epoch = m.epoch;
    CHECK_INT(beat(&m, "g", m.epoch), 0);
    CHECK_INT(m.epoch, epoch); /* nothing has changed */
    CHECK_INT(admin_create_topics(a, &topic, 1, MS, &e), 0);
    await_owned(&m, "g", 2);
    grow(m.fd, 5);
    await_owned(&m, "g", 5);
    CHECK_INT(admin_delete_topics(a, &name, 1, MS, &e), 0);
    await_owned(&m, "g", 0);
    CHECK_INT(admin_create_topics(a, &topic, 1, MS, &e), 0);
    await_owned(&m, "g", 2);
    epoch = m.epoch;
    CHECK_INT(beat(&m, "g", m.epoch), 0);
    CHECK_INT(m.epoch, epoch);
    close(m.fd);
    admin_close(a);
    lab_stop(l);
}

TEST(a_silent_member_is_put_out_and_the_others_get_its_partitions)
{
    static const char *const set[] = {"group.consumer.assignment.interval.ms=0",
                                      "group.consumer.min.session.timeout.ms=300",
                                      "group.consumer.session.timeout.ms=300"};
    struct broker_opts o = {0};
    struct lab *l = lab_start(&o, set, ARRAY_LEN(set));
    struct member members[MEMBERS];
    create(l);
    connect_all(l, members);
    join(&members[0], "g");
    join(&members[1], "g");
    settle(members, "g");
    CHECK_INT(members[1].n, 3);
    members[0].in = false;
    members[0].n = 0;
    while (members[1].n < PARTITIONS) { /* the limit is that of the test */
        CHECK_INT(beat(&members[1], "g", members[1].epoch), 0);
        usleep(20000);
    }
    CHECK_INT(beat(&members[0], "g", members[0].epoch), KAFKA_UNKNOWN_MEMBER_ID);
    disconnect_all(members);
    lab_stop(l);
}

TEST(a_new_target_waits_for_the_interval)
{
    static const char *const set[] = {"group.consumer.assignment.interval.ms=15000"};
    struct broker_opts o = {0};
    struct lab *l = lab_start(&o, set, ARRAY_LEN(set));
    struct member members[MEMBERS];
    create(l);
    connect_all(l, members);
    join(&members[0], "g");
    CHECK_INT(members[0].n, PARTITIONS);
    join(&members[1], "g");
    settle(members, "g");
    CHECK_INT(members[0].n, PARTITIONS);
    CHECK_INT(members[1].n, 0);
    CHECK_INT(members[1].epoch, members[0].epoch);
    disconnect_all(members);
    lab_stop(l);
}

TEST(an_admin_sees_a_consumer_group_as_a_group)
{
    static const uint8_t has[] = {0, 0, 0, 0, 0, 1, 0, 1, 't', 0, 0, 0, 7};
    struct broker_opts o = {0};
    struct lab *l = lab_start(&o, quick, ARRAY_LEN(quick));
    struct admin *a = lab_admin(l);
    struct member members[MEMBERS];
    struct admin_group g;
    struct err e;
    create(l);
    connect_all(l, members);
    CHECK_INT(admin_describe_group(a, "g", MS, &g, &e), 0);
    CHECK_STR(g.state, "Dead");
    admin_group_free(&g);
    join(&members[0], "g");
    CHECK_INT(admin_describe_group(a, "g", MS, &g, &e), 0);
    CHECK_STR(g.state, "Stable");
    CHECK_STR(g.protocol_type, "consumer");
    CHECK_STR(g.protocol, "uniform");
    CHECK_INT(g.nmembers, 1);
    CHECK_STR(g.members[0].member_id, "m0");
    CHECK_INT(g.members[0].assignment_len, sizeof has + 7 * 4 + 4);
    CHECK(memcmp(g.members[0].assignment, has, sizeof has) == 0);
    admin_group_free(&g);
    leave(&members[0], "g");
    CHECK_INT(admin_describe_group(a, "g", MS, &g, &e), 0);
    CHECK_STR(g.state, "Empty");
    CHECK_INT(g.nmembers, 0);
    admin_group_free(&g);
    disconnect_all(members);
    admin_close(a);
    lab_stop(l);
}

TEST(members_survive_their_coordinator_whole)
{
    static const char *const settings[] = {"broker.session.timeout.ms=100"};
    struct broker_opts o = {.nodes = 3};
    struct lab *l = lab_start(&o, settings, 1);
    struct admin *a = lab_admin(l);
    struct member m = {.id = "m"};
    struct err e = {0};
    create(l);
    int node = admin_find_coordinator(a, ADMIN_GROUP, "g", MS, &e), next = node, code;
    CHECK(node > 0);
    m.fd = lab_connect_to(l, node);
    join(&m, "g");
    CHECK_INT(m.n, PARTITIONS);
    int32_t epoch = m.epoch;
    lab_order(l, "kill", node);
    close(m.fd);
    while (next == node) {
        next = admin_find_coordinator(a, ADMIN_GROUP, "g", MS, &e);
    }
    m.fd = lab_connect_to(l, next);
    while ((code = beat(&m, "g", epoch)) == KAFKA_COORDINATOR_LOAD_IN_PROGRESS) {
        usleep(2000);
    }
    CHECK_INT(code, KAFKA_NONE);
    CHECK_INT(m.epoch, epoch);
    CHECK_INT(m.n, PARTITIONS);
    close(m.fd);
    admin_close(a);
    lab_stop(l);
}

TEST(a_session_outside_of_its_limits_is_refused)
{
    static const struct broker_setting set[] = {{"group.consumer.session.timeout.ms", "300"}};
    struct err e = {0};
    struct broker_opts o = {.nodes = 1, .listeners = 1, .settings = set, .nsettings = 1};
    o.loop = loop_new();
    CHECK(o.loop);
    CHECK(!broker_start(&o, &e));
    CHECK_HAS(e.msg, "group.consumer.min.session.timeout.ms is 500");
    loop_free(o.loop);
}
