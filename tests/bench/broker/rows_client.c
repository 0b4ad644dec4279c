/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of an application: librdkafka does the same against each server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rows.h"

enum { WAIT_MS = 60000, WARM = 1000, BATCH = 1000 };

static rd_kafka_t *open_producer(const struct server *s, const char *txn_id)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_set(conf, "bootstrap.servers", s->bootstrap);
    bench_set(conf, "enable.idempotence", "true");
    bench_set(conf, "acks", "all");
    bench_set(conf, "socket.nagle.disable", "true");
    bench_set(conf, "queue.buffering.max.kbytes", "1000000");
    if (txn_id) {
        bench_set(conf, "transactional.id", txn_id);
        bench_set(conf, "retry.backoff.ms", "5");
    }
    return bench_open(RD_KAFKA_PRODUCER, conf);
}

static void send_one(rd_kafka_topic_t *t, rd_kafka_t *rk, int32_t partition, void *value,
                     size_t size)
{
    enum { FULL_MS = 10 };
    while (rd_kafka_produce(t, partition, RD_KAFKA_MSG_F_COPY, value, size, NULL, 0, NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            bench_die("produce: %s", rd_kafka_err2str(rd_kafka_last_error()));
        }
        rd_kafka_poll(rk, FULL_MS);
    }
}

/** Records n of them, round robin over the partitions in runs of a batch. */
static void send_all(rd_kafka_t *rk, const char *topic, int partitions, long n, size_t size)
{
    enum { POLL_EVERY = 256 };
    rd_kafka_topic_t *t = rd_kafka_topic_new(rk, topic, NULL);
    char *value = xmalloc(size);
    memset(value, 'x', size);
    for (long i = 0; i < n; i++) {
        send_one(t, rk, (int32_t)(i / BATCH % partitions), value, size);
        if (i % POLL_EVERY == 0) {
            rd_kafka_poll(rk, 0);
        }
    }
    bench_flush(rk);
    free(value);
    rd_kafka_topic_destroy(t);
}

void row_produce(char **argv, char **server)
{
    struct server s;
    struct span t;
    long n = bench_number(argv[1]);
    size_t size = (size_t)bench_number(argv[2]);
    server_start(&s, server);
    rd_kafka_t *rk = open_producer(&s, NULL);
    send_all(rk, argv[0], 1, WARM, size);
    span_start(&t, &s);
    send_all(rk, argv[0], 1, n, size);
    span_end(&t, &s);
    span_print(&t, n);
    rd_kafka_destroy(rk);
    server_stop(&s);
}

/* ---- fetch ------------------------------------------------------------------------------------
 */

static rd_kafka_t *open_consumer(const struct server *s, const char *topic, int partitions)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_set(conf, "bootstrap.servers", s->bootstrap);
    bench_set(conf, "group.id", "bench");
    bench_set(conf, "enable.auto.commit", "false");
    bench_set(conf, "enable.auto.offset.store", "false");
    bench_set(conf, "isolation.level", "read_committed");
    bench_set(conf, "queued.min.messages", "10000000");
    bench_set(conf, "queued.max.messages.kbytes", "2000000");
    bench_set(conf, "socket.nagle.disable", "true");
    rd_kafka_t *rk = bench_open(RD_KAFKA_CONSUMER, conf);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return rk;
}

static void consume(rd_kafka_t *rk, long n)
{
    rd_kafka_queue_t *q = rd_kafka_queue_get_consumer(rk);
    rd_kafka_message_t *batch[BATCH];
    long seen = 0;
    while (seen < n) {
        /* A batch is waited for in full (librdkafka 2.0.2): never ask for more than there is. */
        size_t room = n - seen < BATCH ? (size_t)(n - seen) : BATCH;
        ssize_t got = rd_kafka_consume_batch_queue(q, WAIT_MS, batch, seen == 0 ? 1 : room);
        if (got <= 0) {
            bench_die("no record for a minute, %ld of %ld", seen, n);
        }
        for (ssize_t i = 0; i < got; i++) {
            if (batch[i]->err) {
                bench_die("consume: %s", rd_kafka_message_errstr(batch[i]));
            }
            rd_kafka_message_destroy(batch[i]);
        }
        seen += got;
    }
    rd_kafka_queue_destroy(q);
}

void row_fetch(char **argv, char **server)
{
    struct server s;
    struct span t;
    int partitions = (int)bench_number(argv[1]);
    long n = bench_number(argv[2]);
    server_start(&s, server);
    rd_kafka_t *producer = open_producer(&s, NULL);
    send_all(producer, argv[0], partitions, n, (size_t)bench_number(argv[3]));
    rd_kafka_destroy(producer);
    span_start(&t, &s);
    rd_kafka_t *consumer = open_consumer(&s, argv[0], partitions);
    consume(consumer, n);
    span_end(&t, &s);
    span_print(&t, n);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    server_stop(&s);
}

/* ---- transactions -----------------------------------------------------------------------------
 */

static void transactions(rd_kafka_t *rk, const char *topic, int records, long n)
{
    rd_kafka_topic_t *t = rd_kafka_topic_new(rk, topic, NULL);
    char value[100];
    memset(value, 'x', sizeof value);
    for (long i = 0; i < n; i++) {
        bench_check(rd_kafka_begin_transaction(rk), "begin");
        for (int k = 0; k < records; k++) {
            send_one(t, rk, 0, value, sizeof value);
        }
        bench_check(rd_kafka_commit_transaction(rk, -1), "commit");
    }
    rd_kafka_topic_destroy(t);
}

void row_txn_client(char **argv, char **server)
{
    enum { WARM_TXNS = 10 };
    struct server s;
    struct span t;
    char id[64];
    int records = (int)bench_number(argv[1]);
    long n = bench_number(argv[2]);
    snprintf(id, sizeof id, "bench-%lld", (long long)rows_now_ns());
    server_start(&s, server);
    rd_kafka_t *rk = open_producer(&s, id);
    bench_check(rd_kafka_init_transactions(rk, -1), "init");
    transactions(rk, argv[0], records, WARM_TXNS);
    span_start(&t, &s);
    transactions(rk, argv[0], records, n);
    span_end(&t, &s);
    span_print(&t, n);
    rd_kafka_destroy(rk);
    server_stop(&s);
}
