/* SPDX-License-Identifier: Apache-2.0 */
/* The loops that the Lua scenarios beside this file are compared with: the same calls on the same
 * topics with the same bytes, written as one writes them in C. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { WAIT_MS = 1000 };

/* ---- topics ---- */

void loop_create(char **argv)
{
    rd_kafka_t *rk = bench_producer(argv[0], NULL);
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    char reason[256];
    rd_kafka_NewTopic_t *t =
        rd_kafka_NewTopic_new(argv[1], (int)bench_number(argv[2]), 1, reason, sizeof reason);
    if (!t) {
        bench_die("%s: %s", argv[1], reason);
    }
    rd_kafka_CreateTopics(rk, &t, 1, NULL, q);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, 30 * WAIT_MS);
    const rd_kafka_CreateTopics_result_t *result =
        ev ? rd_kafka_event_CreateTopics_result(ev) : NULL;
    size_t n = 0;
    const rd_kafka_topic_result_t **topics =
        result ? rd_kafka_CreateTopics_result_topics(result, &n) : NULL;
    if (n != 1 || rd_kafka_topic_result_error(topics[0])) {
        bench_die("creating %s: %s", argv[1],
                  n == 1 ? rd_kafka_topic_result_error_string(topics[0]) : "no answer");
    }
    rd_kafka_event_destroy(ev);
    rd_kafka_NewTopic_destroy(t);
    rd_kafka_queue_destroy(q);
    rd_kafka_destroy(rk);
}

/* ---- produce ---- */

static void produce(rd_kafka_t *rk, rd_kafka_topic_t *rkt, struct bench_headers *h, long records)
{
    char key[16], value[BENCH_VALUE];
    memset(value, 'x', sizeof value);
    for (long i = 1; i <= records; i++) {
        int len = snprintf(key, sizeof key, "%ld", i % BENCH_KEYS);
        bench_send(rk, rkt, h, key, (size_t)len, value, sizeof value, NULL);
    }
    bench_flush(rk);
}

void loop_produce(char **argv)
{
    long records = bench_number(argv[2]);
    rd_kafka_t *rk = bench_producer(argv[0], NULL);
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, argv[1], NULL);
    struct bench_headers h;
    struct bench_clock c;
    bench_headers(&h, "producer", argv[1]);
    produce(rk, rkt, &h, BENCH_WARM);
    bench_start(&c);
    produce(rk, rkt, &h, records);
    bench_print(&c, records);
    rd_kafka_topic_destroy(rkt);
    rd_kafka_destroy(rk);
}

/* ---- consume ---- */

static rd_kafka_topic_partition_list_t *one_partition(const char *topic, int32_t partition,
                                                      int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    return list;
}

/* The next records, at least one. */
static size_t fetch(rd_kafka_queue_t *q, rd_kafka_message_t **out, size_t max)
{
    for (int tries = 0; tries < 60; tries++) {
        ssize_t got = rd_kafka_consume_batch_queue(q, WAIT_MS, out, max);
        size_t n = 0;
        for (ssize_t i = 0; i < got; i++) {
            if (!out[i]->err) {
                out[n++] = out[i];
            } else {
                rd_kafka_message_destroy(out[i]);
            }
        }
        if (n > 0) {
            return n;
        }
    }
    bench_die("no record for a minute");
}

/* What a loop body does at least: it looks at offset and value. */
static uint64_t touch(const rd_kafka_message_t *m)
{
    return (uint64_t)m->offset + ((const unsigned char *)m->payload)[m->len - 1];
}

void loop_consume(char **argv)
{
    long records = bench_number(argv[2]), seen = 0;
    rd_kafka_t *rk = bench_consumer(argv[0], "bench-c");
    rd_kafka_queue_t *q = rd_kafka_queue_get_consumer(rk);
    rd_kafka_topic_partition_list_t *list = one_partition(argv[1], 0, RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_message_t *batch[BENCH_BATCH];
    struct bench_clock c = {0};
    volatile uint64_t sum = 0;
    rd_kafka_assign(rk, list);
    while (seen < records) {
        /* A batch is waited for in full (librdkafka 2.0.2): never ask for more than there is. */
        size_t room = records - seen < BENCH_BATCH ? (size_t)(records - seen) : BENCH_BATCH;
        size_t n = fetch(q, batch, seen == 0 ? 1 : room);
        if (seen == 0) {
            bench_start(&c);
        }
        for (size_t i = 0; i < n; i++) {
            sum += touch(batch[i]);
            rd_kafka_message_destroy(batch[i]);
        }
        seen += (long)n;
    }
    bench_print(&c, seen - 1);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(q);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

/* ---- copy ---- */

struct copy {
    rd_kafka_t *consumer, *producer;
    rd_kafka_queue_t *q;
    rd_kafka_topic_t *out;
    struct bench_headers h;
    rd_kafka_message_t *batch[BENCH_BATCH];
};

/* One transaction of one batch; the membership is the one of when the batch was fetched. */
static size_t copy_batch(struct copy *c, const char *input, uint64_t number)
{
    size_t n = fetch(c->q, c->batch, BENCH_BATCH);
    rd_kafka_consumer_group_metadata_t *md = rd_kafka_consumer_group_metadata(c->consumer);
    bench_check(rd_kafka_begin_transaction(c->producer), "begin");
    ident_set_last(c->h.txn, c->h.txn_len, number);
    for (size_t i = 0; i < n; i++) {
        const rd_kafka_message_t *m = c->batch[i];
        bench_send(c->producer, c->out, &c->h, m->key, m->key_len, m->payload, m->len, m);
    }
    const rd_kafka_message_t *last = c->batch[n - 1];
    rd_kafka_topic_partition_list_t *offsets =
        one_partition(input, last->partition, last->offset + 1);
    bench_check(rd_kafka_send_offsets_to_transaction(c->producer, offsets, md, -1), "send_offsets");
    bench_check(rd_kafka_commit_transaction(c->producer, -1), "commit");
    rd_kafka_topic_partition_list_destroy(offsets);
    rd_kafka_consumer_group_metadata_destroy(md);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_message_destroy(c->batch[i]);
    }
    return n;
}

static void copy_headers(struct copy *c, const char *input, const char *output, const char *id)
{
    bench_headers(&c->h, "copier", output);
    c->h.src_len = ident_put_src(c->h.src, &(struct ident_src){.topic = ident_text(input)});
    c->h.txn_len =
        ident_put_txn(c->h.txn, &(struct ident_txn){.id = ident_text(id), .incarnation = 1});
}

void loop_copy(char **argv)
{
    static const char id[] = "bench-copy-copier-1-000000";
    long transactions = bench_number(argv[3]), records = 0;
    struct bench_clock clock;
    char group[64];
    snprintf(group, sizeof group, "bench-c-%d", (int)getpid());
    struct copy c = {.consumer = bench_consumer(argv[0], group),
                     .producer = bench_producer(argv[0], id)};
    c.q = rd_kafka_queue_get_consumer(c.consumer);
    c.out = rd_kafka_topic_new(c.producer, argv[2], NULL);
    copy_headers(&c, argv[1], argv[2], id);
    rd_kafka_topic_partition_list_t *topics = one_partition(argv[1], -1, 0);
    rd_kafka_subscribe(c.consumer, topics);
    bench_check(rd_kafka_init_transactions(c.producer, -1), "init");
    for (long i = 1; i <= BENCH_WARM_TXNS; i++) {
        copy_batch(&c, argv[1], (uint64_t)i);
    }
    bench_start(&clock);
    for (long i = 1; i <= transactions; i++) {
        records += (long)copy_batch(&c, argv[1], (uint64_t)(BENCH_WARM_TXNS + i));
    }
    bench_print(&clock, records);
    rd_kafka_topic_partition_list_destroy(topics);
    rd_kafka_topic_destroy(c.out);
    rd_kafka_queue_destroy(c.q);
    rd_kafka_consumer_close(c.consumer);
    rd_kafka_destroy(c.consumer);
    rd_kafka_destroy(c.producer);
}
