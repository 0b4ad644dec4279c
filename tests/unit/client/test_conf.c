/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client.h"
#include "client/conf.h"
#include "client/consumer.h"
#include "client/producer.h"
#include "test.h"

TEST(preset_of_a_consumer)
{
    struct conf c = conf_resolve(CONF_CONSUMER, NULL);
    CHECK_STR(conf_get(&c, "session.timeout.ms"), "3000");
    CHECK_STR(conf_get(&c, "heartbeat.interval.ms"), "500");
    CHECK_STR(conf_get(&c, "enable.auto.commit"), "false");
    CHECK_STR(conf_get(&c, "enable.auto.offset.store"), "false");
    CHECK_STR(conf_get(&c, "auto.offset.reset"), "earliest");
    CHECK_STR(conf_get(&c, "isolation.level"), "read_committed");
    CHECK_STR(conf_get(&c, "socket.nagle.disable"), "true");
    CHECK(!conf_get(&c, "acks"));
    conf_free(&c);
}

TEST(preset_of_producers)
{
    struct conf c = conf_resolve(CONF_PRODUCER, NULL);
    CHECK_STR(conf_get(&c, "enable.idempotence"), "true");
    CHECK_STR(conf_get(&c, "acks"), "all");
    CHECK(!conf_get(&c, "transaction.timeout.ms"));
    CHECK(!conf_get(&c, "retry.backoff.ms"));
    conf_free(&c);
    c = conf_resolve(CONF_TRANSACTIONAL, NULL);
    CHECK_STR(conf_get(&c, "transaction.timeout.ms"), "10000");
    CHECK_STR(conf_get(&c, "retry.backoff.ms"), "5");
    conf_free(&c);
}

TEST(a_session_brings_its_heartbeat)
{
    struct conf lines = {0};
    conf_set(&lines, "session.timeout.ms", "600");
    struct conf c = conf_resolve(CONF_CONSUMER, &lines);
    CHECK_STR(conf_get(&c, "heartbeat.interval.ms"), "100");
    conf_free(&c);
    conf_set(&lines, "session.timeout.ms", "45000");
    c = conf_resolve(CONF_CONSUMER, &lines);
    CHECK_STR(conf_get(&c, "heartbeat.interval.ms"), "3000");
    conf_free(&c);
    conf_set(&lines, "heartbeat.interval.ms", "77");
    c = conf_resolve(CONF_CONSUMER, &lines);
    CHECK_STR(conf_get(&c, "heartbeat.interval.ms"), "77");
    conf_free(&c);
    conf_free(&lines);
}

TEST(auto_commit_brings_the_store)
{
    struct conf lines = {0};
    conf_set(&lines, "enable.auto.commit", "true");
    struct conf c = conf_resolve(CONF_CONSUMER, &lines);
    CHECK_STR(conf_get(&c, "enable.auto.offset.store"), "true");
    conf_free(&c);
    conf_set(&lines, "enable.auto.offset.store", "false");
    c = conf_resolve(CONF_CONSUMER, &lines);
    CHECK_STR(conf_get(&c, "enable.auto.offset.store"), "false");
    conf_free(&c);
    conf_free(&lines);
}

TEST(a_client_gets_only_its_own_lines)
{
    struct conf lines = {0};
    conf_set(&lines, "linger.ms", "1");
    conf_set(&lines, "fetch.min.bytes", "1");
    conf_set(&lines, "socket.timeout.ms", "1000");
    conf_set(&lines, "transactional.id", "x");
    struct conf c = conf_resolve(CONF_CONSUMER, &lines);
    CHECK(!conf_get(&c, "linger.ms") && !conf_get(&c, "transactional.id"));
    CHECK_STR(conf_get(&c, "fetch.min.bytes"), "1");
    CHECK_STR(conf_get(&c, "socket.timeout.ms"), "1000");
    conf_free(&c);
    c = conf_resolve(CONF_PRODUCER, &lines);
    CHECK(!conf_get(&c, "fetch.min.bytes") && !conf_get(&c, "transactional.id"));
    CHECK_STR(conf_get(&c, "linger.ms"), "1");
    conf_free(&c);
    c = conf_resolve(CONF_TRANSACTIONAL, &lines);
    CHECK_STR(conf_get(&c, "transactional.id"), "x");
    conf_free(&c);
    conf_free(&lines);
}

static void refused(const char *name, const char *value, const char *says)
{
    struct conf lines = {0};
    struct err e = {0};
    conf_set(&lines, name, value);
    CHECK_INT(conf_check(&lines, &e), -1);
    CHECK_INT(e.kind, ERR_USAGE);
    CHECK_HAS(e.msg, name);
    CHECK_HAS(e.msg, says);
    conf_free(&lines);
}

TEST(wrong_lines_name_the_property)
{
    refused("session.timeout", "1", "did you mean `session.timeout.ms`?");
    refused("lingr.ms", "1", "did you mean `linger.ms`?");
    refused("no.such.thing.at.all.here", "1", "No such configuration property");
    refused("session.timeout.ms", "0", "outside allowed range");
    refused("isolation.level", "serializable", "Invalid value");
    refused("delivery.report.only.error", "true", "every delivery report");
    refused("bootstrap.servers", "x:1", "cluster of the run");
    refused("rebalance_cb", "x", "rebalance_cb");
}

TEST(right_lines_of_both_kinds)
{
    struct conf lines = {0};
    struct err e = {0};
    conf_set(&lines, "session.timeout.ms", "2000");
    conf_set(&lines, "transaction.timeout.ms", "10000");
    conf_set(&lines, "partition.assignment.strategy", "cooperative-sticky");
    conf_set(&lines, "compression.codec", "lz4");
    conf_set(&lines, "auto.offset.reset", "latest");
    CHECK_INT(conf_check(&lines, &e), 0);
    CHECK_INT(lines.n, 5);
    conf_set(&lines, "compression.codec", "gzip");
    CHECK_INT(lines.n, 5);
    CHECK_STR(conf_get(&lines, "compression.codec"), "gzip");
    conf_free(&lines);
}

TEST(a_later_line_wins)
{
    struct conf c = {0}, over = {0};
    conf_set(&c, "acks", "all");
    conf_set(&over, "acks", "1");
    conf_set(&over, "linger.ms", "7");
    conf_merge(&c, &over);
    conf_merge(&c, NULL);
    CHECK_STR(conf_get(&c, "acks"), "1");
    CHECK_STR(conf_get(&c, "linger.ms"), "7");
    conf_free(&c);
    conf_free(&over);
}

TEST(partitions_are_found_by_name_and_number)
{
    struct client_partitions ps = {0};
    char name[] = "topic";
    client_partitions_add(&ps, name, 0, 10);
    client_partitions_add(&ps, "other", 0, 20);
    client_partitions_add(&ps, "topic", 1, 30);
    name[0] = 'T';
    CHECK_INT(client_partitions_find(&ps, "topic", 1)->offset, 30);
    CHECK_INT(client_partitions_find(&ps, "topic", 0)->offset, 10);
    CHECK(!client_partitions_find(&ps, "topic", 2));
    CHECK(ps.items[0].topic == ps.items[2].topic);
    struct client_partitions copy = client_partitions_copy(&ps);
    client_partitions_free(&ps);
    CHECK_INT(copy.n, 3);
    CHECK_INT(client_partitions_find(&copy, "other", 0)->offset, 20);
    client_partitions_free(&copy);
}

TEST(codes_have_names)
{
    CHECK_STR(client_code_name(CLIENT_ERR_FENCED), "_FENCED");
    CHECK_STR(client_code_name(CLIENT_ERR_QUEUE_FULL), "_QUEUE_FULL");
    CHECK_STR(client_code_name(CLIENT_ERR_TIMED_OUT), "_TIMED_OUT");
    CHECK_STR(client_code_name(CLIENT_ERR_MAX_POLL), "_MAX_POLL_EXCEEDED");
    CHECK_STR(client_code_name(22), "ILLEGAL_GENERATION");
    CHECK_HAS(client_version(), ".");
}
