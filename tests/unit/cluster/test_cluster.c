/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/cluster.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "fixture.h"
#include "test.h"

static void check_refused(const char *spec, struct cluster_opts *o, const char *part)
{
    struct fixture f = {0};
    CHECK(!fixture_start(&f, spec, o));
    CHECK(!f.c);
    CHECK_INT(f.e.kind, ERR_USAGE);
    CHECK_HAS(f.e.msg, part);
}

TEST(an_unknown_kind_names_the_known_ones)
{
    static const char *const wrong[] = {"",        "mock",  "localhost", "a:0",
                                        "a:99999", ":9092", "a:1,",      "a:1x"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct cluster_opts o = {0};
        check_refused(wrong[i], &o,
                      "known are kafka[:VERSION], embedded[:transaction-version=1], reuse[:NAME], "
                      "HOST:PORT[,HOST:PORT]");
    }
}

TEST(a_wrong_number_of_nodes_is_refused)
{
    struct cluster_opts six = {.brokers = 6}, minus = {.brokers = -1}, two = {.brokers = 2};
    check_refused("kafka", &six, "6 brokers: kaos starts 1 to 5");
    check_refused("kafka", &minus, "-1 brokers");
    check_refused("localhost:9092", &two, "external");
}

TEST(a_reserved_setting_is_refused_before_anything_starts)
{
    struct cluster_setting s = {"listeners", "PLAINTEXT://:9092"};
    struct cluster_opts o = {.settings = &s, .nsettings = 1};
    check_refused("kafka", &o, "'listeners' is set by kaos");
    check_refused("localhost:9092", &o, "a cluster that kaos does not start");
}

TEST(the_embedded_broker_names_a_setting_that_it_does_not_honour)
{
    struct cluster_setting s = {"log.segment.ms", "1000"};
    struct cluster_opts o = {.settings = &s, .nsettings = 1}, six = {.brokers = 6};
    struct fixture f = {0};
    CHECK(!fixture_start(&f, "embedded", &o));
    CHECK_INT(f.e.kind, ERR_REFUSED); /* the scenario is fine elsewhere */
    CHECK_HAS(f.e.msg, "does not know the broker property 'log.segment.ms'");
    CHECK_HAS(f.e.msg, "--cluster kafka");
    check_refused("embedded", &six, "6 brokers: kaos starts 1 to 5");
    check_refused("embedded:transaction-version=3", &(struct cluster_opts){0},
                  "behind embedded: stands transaction-version=1 or =2");
    struct cluster_setting rare = {"kaos.completion.max.ms", "100"};
    struct cluster_opts with = {.settings = &rare, .nsettings = 1};
    CHECK(!fixture_start(&f, "kafka", &with));
    CHECK_INT(f.e.kind, ERR_PROCESS);
    CHECK_HAS(f.e.msg, "only the embedded broker has the property 'kaos.completion.max.ms'");
    check_refused("embedded:tv1", &(struct cluster_opts){0}, "stands transaction-version=1 or =2");
}

TEST(capabilities_have_names)
{
    CHECK_STR(cluster_cap_name(CLUSTER_CAP_KILL_BROKER), "kill_broker");
    for (unsigned bit = CLUSTER_CAP_TRANSACTIONS; bit <= CLUSTER_CAP_FRESH; bit <<= 1) {
        CHECK(cluster_cap_name((enum cluster_cap)bit));
    }
    CHECK(!cluster_cap_name((enum cluster_cap)(CLUSTER_CAP_ADMIN | CLUSTER_CAP_GROUPS)));
}

/* A port on which nobody listens. */
static int dead_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(fd, (struct sockaddr *)&a, len) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    return ntohs(a.sin_port); /* bound and never listening, until this process ends */
}

TEST(a_dead_address_is_one_error_with_the_address)
{
    struct fixture f;
    struct cluster_opts o = {.ready_timeout_s = 1};
    char *spec = xasprintf("127.0.0.1:%d", dead_port());
    fixture_setup(&f);
    CHECK(!fixture_start(&f, spec, &o));
    CHECK(f.c);
    CHECK_HAS(f.e.msg, "no Kafka cluster answers at 127.0.0.1:");
    CHECK_HAS(f.e.msg, "within 1 s");
    CHECK_HAS(f.e.msg, "refused");
    CHECK_STR(cluster_kind(f.c), "external");
    CHECK_INT(cluster_nodes(f.c), 0);
    struct err e;
    CHECK_INT(cluster_node_kill(f.c, 1, &e), -1);
    CHECK_INT(e.kind, ERR_USAGE);
    fixture_teardown(&f);
    free(spec);
}

TEST(an_external_cluster_can_be_stopped_while_it_is_asked)
{
    struct fixture f;
    struct cluster_opts o = {.ready_timeout_s = 60};
    char *spec = xasprintf("127.0.0.1:%d", dead_port());
    fixture_setup(&f);
    o.loop = f.loop;
    o.arg = &f;
    f.c = cluster_open(spec, &o, &f.e);
    CHECK(f.c);
    cluster_start(f.c);
    fixture_teardown(&f);
    free(spec);
}

TEST(a_port_after_kafka_makes_it_a_host)
{
    struct cluster_opts two = {.brokers = 2};
    check_refused("kafka:9092", &two, "external cluster kafka:9092");
}
