/* SPDX-License-Identifier: Apache-2.0 */
#include "base/embed.h"
#include "base/mem.h"
#include "cluster/kafka_config.h"
#include "test.h"

static const struct kafka_ports ports[CLUSTER_NODES_MAX] = {
    {{11, 12, 13, 14}}, {{21, 22, 23, 24}}, {{31, 32, 33, 34}},
    {{41, 42, 43, 44}}, {{51, 52, 53, 54}},
};

static char *render(int node, int nodes, bool faults)
{
    struct kafka_config c = {
        .node = node, .nodes = nodes, .ports = ports, .data = "/d", .broker_faults = faults};
    return kafka_config_render(&c);
}

#define CHECK_LINE(text, line) CHECK_HAS(text, "\n" line "\n")

TEST(one_node_is_everything)
{
    char *t = render(1, 1, false);
    CHECK_HAS(t, "process.roles=broker,controller\n");
    CHECK_LINE(t, "node.id=1");
    CHECK_LINE(t, "log.dirs=/d");
    CHECK_LINE(t, "listeners=BROKER://127.0.0.1:11,FAULTY://127.0.0.1:12,DIRECT://127.0.0.1:13,"
                  "CONTROLLER://127.0.0.1:14");
    CHECK_LINE(t, "advertised.listeners=BROKER://127.0.0.1:11,FAULTY://127.0.0.1:12,"
                  "DIRECT://127.0.0.1:13");
    CHECK_LINE(t, "controller.quorum.voters=1@127.0.0.1:14");
    CHECK_LINE(t, "offsets.topic.replication.factor=1");
    CHECK_LINE(t, "transaction.state.log.min.isr=1");
    CHECK_LINE(t, "auto.create.topics.enable=false");
    CHECK(!strchr(t, '@') || strstr(t, "1@127"));
    free(t);
}

TEST(three_nodes_replicate_internal_topics)
{
    char *t = render(2, 3, false);
    CHECK_LINE(t, "node.id=2");
    CHECK_LINE(t, "controller.quorum.voters=1@127.0.0.1:14,2@127.0.0.1:24,3@127.0.0.1:34");
    CHECK_LINE(t, "offsets.topic.replication.factor=3");
    CHECK_LINE(t, "transaction.state.log.replication.factor=3");
    CHECK_LINE(t, "transaction.state.log.min.isr=2");
    CHECK_LINE(t, "min.insync.replicas=2");
    free(t);
}

TEST(an_even_number_of_nodes_has_one_controller_less)
{
    static const int want[] = {0, 1, 1, 3, 3, 5};
    for (int n = 1; n <= CLUSTER_NODES_MAX; n++) {
        CHECK_INT(kafka_config_controllers(n), want[n]);
    }
    char *t = render(4, 4, false);
    CHECK_HAS(t, "process.roles=broker\n");
    CHECK(!strstr(t, "CONTROLLER://"));
    CHECK_LINE(t, "controller.listener.names=CONTROLLER");
    CHECK_LINE(t, "controller.quorum.voters=1@127.0.0.1:14,2@127.0.0.1:24,3@127.0.0.1:34");
    CHECK_LINE(t, "offsets.topic.replication.factor=3");
    free(t);
}

TEST(broker_faults_change_two_intervals)
{
    char *calm = render(1, 3, false), *faults = render(1, 3, true);
    CHECK_LINE(calm, "transaction.abort.timed.out.transaction.cleanup.interval.ms=500");
    CHECK_LINE(calm, "broker.session.timeout.ms=9000");
    CHECK_LINE(faults, "transaction.abort.timed.out.transaction.cleanup.interval.ms=10000");
    CHECK_LINE(faults, "broker.session.timeout.ms=1000");
    CHECK_LINE(faults, "broker.heartbeat.interval.ms=200");
    free(calm);
    free(faults);
}

TEST(a_setting_replaces_the_line_of_kaos)
{
    struct cluster_setting s[] = {{"group.min.session.timeout.ms", "6000"},
                                  {"message.max.bytes", "a\\b"}};
    struct kafka_config c = {
        .node = 1, .nodes = 1, .ports = ports, .data = "/d", .settings = s, .nsettings = 2};
    char *t = kafka_config_render(&c);
    CHECK_LINE(t, "group.min.session.timeout.ms=6000");
    CHECK_LINE(t, "message.max.bytes=a\\\\b");
    CHECK(!strstr(t, "session.timeout.ms=1000"));
    free(t);
}

TEST(wrong_settings_are_named)
{
    static const struct {
        const char *name, *value, *part;
    } bad[] = {
        {"node.id", "7", "'node.id' is set by kaos"},
        {"advertised.listeners", "x", "'advertised.listeners' is set by kaos"},
        {"a=b", "1", "'a=b' is not the name of a broker property"},
        {"", "1", "'' is not the name"},
        {"message.max.bytes", "1\nnode.id=3", "'message.max.bytes' has a control character"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct cluster_setting s = {bad[i].name, bad[i].value};
        struct err e;
        CHECK_INT(kafka_config_check(&s, 1, &e), -1);
        CHECK_INT(e.kind, ERR_USAGE);
        CHECK_HAS(e.msg, bad[i].part);
    }
    struct cluster_setting good = {"log.message.timestamp.type", "LogAppendTime"};
    struct err e;
    CHECK_INT(kafka_config_check(&good, 1, &e), 0);
}

TEST(templates_of_both_logging_systems_are_in_the_binary)
{
    CHECK(embed_find(kafka_embedded, "log4j1.properties"));
    CHECK(embed_find(kafka_embedded, "log4j2.properties"));
    CHECK(embed_find(kafka_embedded, "pom.xml"));
}
