/* SPDX-License-Identifier: Apache-2.0 */
/* Real brokers; skipped, with the reason, where the jars are missing. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "fixture.h"
#include "test.h"
#include "wire/admin.h"

enum { ASK_MS = 20000 };

static const char *spec_under_test(void)
{
    const char *spec = getenv("KAOS_CLUSTER");
    return spec && *spec ? spec : "kafka";
}

/* The number of partitions of a topic as a listener shows them, -1 with an error. */
static int partitions_of(struct fixture *f, enum cluster_listener l, const char *topic)
{
    struct err e;
    struct admin *a = admin_open(cluster_bootstrap(f->c, l), "kaos-test", &e);
    CHECK(a);
    struct admin_metadata m;
    const char *topics[] = {topic};
    if (admin_metadata(a, topics, 1, ASK_MS, &m, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    CHECK_INT(m.ntopics, 1);
    int n = m.topics[0].error ? -1 : (int)m.topics[0].npartitions;
    admin_metadata_free(&m);
    admin_close(a);
    return n;
}

/* Waits until Metadata lists so many brokers: a dead one stays listed until its session is over. */
static void wait_brokers(struct fixture *f, size_t want)
{
    struct err e;
    struct admin *a = admin_open(cluster_bootstrap(f->c, CLUSTER_DIRECT), "kaos-test", &e);
    static const char *const none[] = {NULL};
    uint64_t end = clock_mono_ns() + (uint64_t)ASK_MS * 1000000;
    for (size_t seen = 0; seen != want;) {
        struct admin_metadata m;
        CHECK(clock_mono_ns() < end);
        CHECK_INT(admin_metadata(a, none, 0, ASK_MS, &m, &e), 0);
        seen = m.nbrokers;
        admin_metadata_free(&m);
        poll(NULL, 0, 20);
    }
    admin_close(a);
}

static void create_topic(struct fixture *f, const char *topic, int partitions, int replicas)
{
    struct err e;
    struct admin *a = admin_open(cluster_bootstrap(f->c, CLUSTER_DIRECT), "kaos-test", &e);
    struct admin_new_topic t = {
        .name = topic, .partitions = partitions, .replicas = (int16_t)replicas};
    CHECK(a);
    if (admin_create_topics(a, &t, 1, ASK_MS, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    admin_close(a);
}

static void start(struct fixture *f, struct cluster_opts *o)
{
    if (!fixture_start(f, spec_under_test(), o)) {
        printf("# %s\n%s\n", f->e.msg, f->c ? cluster_failure_log(f->c) : "");
        CHECK(f->ready);
    }
    printf("# Kafka %s, %d nodes: ready after %u ms\n", cluster_version(f->c), cluster_nodes(f->c),
           cluster_start_ms(f->c));
}

static bool exists(const char *name)
{
    char *path = path_join(test_dir(), name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

TEST_LIMIT(a_node_is_started_killed_and_started_again, 180)
{
    struct fixture f;
    struct err e;
    struct cluster_opts o = {.broker_faults = true};
    fixture_need(spec_under_test());
    fixture_setup(&f);
    start(&f, &o);
    CHECK(cluster_caps(f.c) & CLUSTER_CAP_KILL_BROKER);
    CHECK(!(cluster_caps(f.c) & CLUSTER_CAP_REPLICATION));
    create_topic(&f, "kept", 3, 1);
    CHECK_INT(partitions_of(&f, CLUSTER_FAULTY, "kept"), 3);
    CHECK_INT(partitions_of(&f, CLUSTER_FAULTY, "nobody-made-this"), -1);

    pid_t first = cluster_node_pid(f.c, 1);
    CHECK(first > 0 && cluster_node_up(f.c, 1));
    CHECK_INT(cluster_node_restart(f.c, 1, &e), -1);
    CHECK_INT(cluster_node_kill(f.c, 1, &e), 0);
    CHECK(!cluster_node_up(f.c, 1));
    fixture_wait_event(&f);
    CHECK_INT(f.event, CLUSTER_NODE_DOWN);
    CHECK(f.expected);
    CHECK_STR(f.detail, "signal 9");
    CHECK_INT(cluster_node_pid(f.c, 1), 0);
    CHECK_INT(cluster_node_kill(f.c, 1, &e), -1);

    uint64_t at = clock_mono_ns();
    CHECK_INT(cluster_node_restart(f.c, 1, &e), 0);
    fixture_wait_event(&f);
    CHECK_INT(f.event, CLUSTER_NODE_UP);
    CHECK(cluster_node_up(f.c, 1) && cluster_node_pid(f.c, 1) != first);
    printf("# up %u ms after its restart\n", (unsigned)((clock_mono_ns() - at) / 1000000));
    CHECK_INT(partitions_of(&f, CLUSTER_DIRECT, "kept"), 3);

    fixture_stop(&f);
    CHECK(!exists("cluster"));
    CHECK(exists("logs/broker-1.log"));
    f.stopped = false;
    fixture_teardown(&f);
}

TEST_LIMIT(three_nodes_come_up_and_one_is_paused, 180)
{
    struct fixture f;
    struct err e;
    struct cluster_opts o = {.brokers = 3, .broker_faults = true};
    fixture_need(spec_under_test());
    fixture_setup(&f);
    start(&f, &o);
    CHECK_INT(cluster_brokers(f.c), 3);
    CHECK(cluster_caps(f.c) & CLUSTER_CAP_REPLICATION);
    create_topic(&f, "copied", 2, 3);
    create_topic(&f, "single", 2, 1);
    CHECK_INT(partitions_of(&f, CLUSTER_DIRECT, "copied"), 2);

    CHECK_INT(cluster_node_resume(f.c, 3, &e), -1);
    CHECK_INT(cluster_node_pause(f.c, 3, &e), 0);
    CHECK(!cluster_node_up(f.c, 3) && cluster_node_up(f.c, 2));
    CHECK_INT(cluster_node_pause(f.c, 3, &e), -1);
    CHECK_HAS(e.msg, "node 3 cannot be paused: it is paused");
    CHECK_INT(cluster_node_resume(f.c, 3, &e), 0);
    fixture_wait_event(&f);
    CHECK_INT(f.event, CLUSTER_NODE_UP);
    CHECK_INT(f.node, 3);
    fixture_teardown(&f);
}

TEST_LIMIT(two_nodes_outlive_the_death_of_the_second, 180)
{
    struct fixture f;
    struct err e;
    struct cluster_opts o = {.brokers = 2, .broker_faults = true};
    fixture_need(spec_under_test());
    fixture_setup(&f);
    start(&f, &o);
    create_topic(&f, "copied", 1, 2);
    CHECK_INT(cluster_node_kill(f.c, 2, &e), 0);
    fixture_wait_event(&f);
    CHECK_INT(f.node, 2);
    wait_brokers(&f, 1);
    CHECK_INT(partitions_of(&f, CLUSTER_DIRECT, "copied"), 1);
    create_topic(&f, "after", 1, 1);
    CHECK_INT(cluster_node_restart(f.c, 2, &e), 0);
    fixture_wait_event(&f);
    CHECK_INT(f.event, CLUSTER_NODE_UP);
    CHECK_INT(f.node, 2);
    fixture_teardown(&f);
}

static void check_property(struct fixture *f, const char *name, const char *value)
{
    struct err e;
    struct admin *a = admin_open(cluster_bootstrap(f->c, CLUSTER_DIRECT), "kaos-test", &e);
    struct admin_configs configs;
    CHECK_INT(admin_describe_configs(a, ADMIN_BROKER, "1", ASK_MS, &configs, &e), 0);
    CHECK_STR(admin_config_get(&configs, name), value);
    admin_configs_free(&configs);
    admin_close(a);
}

TEST_LIMIT(a_running_cluster_is_an_external_one_for_others, 120)
{
    struct fixture f, x;
    struct cluster_setting s = {"message.max.bytes", "2000000"};
    struct cluster_opts o = {.settings = &s, .nsettings = 1}, ox = {0};
    fixture_need(spec_under_test());
    fixture_setup(&f);
    start(&f, &o);
    check_property(&f, "message.max.bytes", "2000000");
    check_property(&f, "transaction.abort.timed.out.transaction.cleanup.interval.ms", "500");
    check_property(&f, "transaction.max.timeout.ms", "900000");
    fixture_setup(&x);
    CHECK(fixture_start(&x, cluster_bootstrap(f.c, CLUSTER_FAULTY), &ox));
    CHECK_STR(cluster_kind(x.c), "external");
    CHECK_INT(cluster_brokers(x.c), 1);
    CHECK_INT(cluster_caps(x.c), CLUSTER_CAP_TRANSACTIONS | CLUSTER_CAP_GROUPS | CLUSTER_CAP_ADMIN |
                                     CLUSTER_CAP_RETENTION);
    CHECK_INT(partitions_of(&x, CLUSTER_DIRECT, "nothing"), -1);
    fixture_teardown(&x);
    CHECK(cluster_node_up(f.c, 1));
    fixture_teardown(&f);
}

TEST_LIMIT(a_broker_that_cannot_start_says_why, 60)
{
    struct fixture f;
    struct cluster_setting s = {"num.io.threads", "none"};
    struct cluster_opts o = {.settings = &s, .nsettings = 1};
    fixture_need(spec_under_test());
    fixture_setup(&f);
    CHECK(!fixture_start(&f, spec_under_test(), &o));
    CHECK_INT(f.e.kind, ERR_PROCESS);
    CHECK_HAS(f.e.msg, "starting node 1 of Kafka");
    CHECK_HAS(f.e.msg, "num.io.threads");
    CHECK_HAS(cluster_failure_log(f.c), "num.io.threads");
    fixture_teardown(&f);
}

TEST_LIMIT(a_property_that_no_broker_knows_is_named, 60)
{
    struct fixture f;
    struct cluster_setting s = {"log.retention.milliseconds", "5"};
    struct cluster_opts o = {.settings = &s, .nsettings = 1};
    fixture_need(spec_under_test());
    fixture_setup(&f);
    CHECK(!fixture_start(&f, spec_under_test(), &o));
    CHECK_INT(f.e.kind, ERR_USAGE);
    CHECK_HAS(f.e.msg, "'log.retention.milliseconds'");
    fixture_teardown(&f);
}
