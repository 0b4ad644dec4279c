/* SPDX-License-Identifier: Apache-2.0 */
/* The rows that a client library would only blur: starts, transactions, many connections, many
 * partitions, memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "rows.h"
#include "wire/kafka_error.h"

enum { AT_INDEX = 8, /**< the partition stands that far before its batch */ };

static void expect(int code, const char *what)
{
    if (code != KAFKA_NONE) {
        bench_die("%s: %s", what, kafka_error_name(code));
    }
}

/** A partition of a real cluster that was just made may not know yet that it is led. */
static void produce(struct raw *r, const struct buf *frame)
{
    int code;
    do {
        raw_send(r, frame->data, frame->len);
        raw_wait(r);
        code = raw_code(r, RAW_PRODUCE_CODE);
    } while (code == KAFKA_NOT_LEADER_OR_FOLLOWER);
    expect(code, "Produce");
}

/* ---- start ------------------------------------------------------------------------------------
 */

void row_first(char **argv, char **server)
{
    struct server s;
    struct span t = {0};
    struct raw r;
    struct buf frame = {0};
    size_t at;
    raw_produce_frame(&frame, argv[0], 0, &(struct raw_batch){.records = 1, .size = 100}, &at);
    t.wall_ns = rows_now_ns();
    server_start(&s, server);
    raw_open(&r, &s);
    produce(&r, &frame);
    t.wall_ns = rows_now_ns() - t.wall_ns;
    printf("%.3f %.3f %zu\n", (double)t.wall_ns / 1e6, (double)server_cpu_ns(&s) / 1e6,
           server_rss(&s) >> 10);
    raw_close(&r);
    buf_free(&frame);
    server_stop(&s);
}

/* ---- transactions -----------------------------------------------------------------------------
 */

struct txn {
    struct raw r;
    const char *topic, *id;
    int64_t producer_id;
    int16_t epoch;
    struct buf add, produce, end;
    size_t at; /**< of the batch in `produce` */
    int records;
    int32_t sequence;
};

static void pause_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/** A real cluster makes its transaction log when first asked for a coordinator. */
static void find_coordinator(struct txn *x)
{
    enum { TRIES = 4000, VERSION = 1, KEY_TRANSACTION = 1 };
    int64_t code = KAFKA_COORDINATOR_NOT_AVAILABLE;
    for (int i = 0; code != KAFKA_NONE && i < TRIES; i++) {
        struct wire_msg req, resp;
        raw_begin(&req, API_FIND_COORDINATOR, VERSION);
        wire_set_str(&req, &req.root, "Key", x->id);
        wire_set_int(&req.root, "KeyType", KEY_TRANSACTION);
        raw_call(&x->r, &req, &resp);
        code = wire_int(&resp.root, "ErrorCode");
        wire_free(&resp);
        if (code != KAFKA_NONE) {
            pause_a_little();
        }
    }
    expect((int)code, "FindCoordinator");
}

static void init_producer(struct txn *x)
{
    enum { TRIES = 4000, VERSION = 1, TIMEOUT_MS = 60000 };
    int64_t code = KAFKA_CONCURRENT_TRANSACTIONS;
    for (int i = 0; code != KAFKA_NONE && i < TRIES; i++) {
        struct wire_msg req, resp;
        raw_begin(&req, API_INIT_PRODUCER_ID, VERSION);
        wire_set_str(&req, &req.root, "TransactionalId", x->id);
        wire_set_int(&req.root, "TransactionTimeoutMs", TIMEOUT_MS);
        raw_call(&x->r, &req, &resp);
        code = wire_int(&resp.root, "ErrorCode");
        x->producer_id = wire_int(&resp.root, "ProducerId");
        x->epoch = (int16_t)wire_int(&resp.root, "ProducerEpoch");
        wire_free(&resp);
        if (code != KAFKA_NONE) {
            pause_a_little();
        }
    }
    expect((int)code, "InitProducerId");
}

static void encode(struct wire_msg *m, struct buf *out)
{
    struct err e;
    if (wire_encode_request(m, 1, "bench", out, &e) < 0) {
        bench_die("%s", e.msg);
    }
    wire_free(m);
}

/** All that a transaction sends is made before the clock starts. */
static void make_frames(struct txn *x)
{
    struct wire_msg m;
    raw_begin(&m, API_ADD_PARTITIONS_TO_TXN, 1);
    wire_set_str(&m, &m.root, "V3AndBelowTransactionalId", x->id);
    wire_set_int(&m.root, "V3AndBelowProducerId", x->producer_id);
    wire_set_int(&m.root, "V3AndBelowProducerEpoch", x->epoch);
    struct wire_value *t = wire_add(&m, &m.root, "V3AndBelowTopics");
    wire_set_str(&m, t, "Name", x->topic);
    wire_add_int(&m, t, "Partitions", 0);
    encode(&m, &x->add);
    raw_begin(&m, API_END_TXN, 1);
    wire_set_str(&m, &m.root, "TransactionalId", x->id);
    wire_set_int(&m.root, "ProducerId", x->producer_id);
    wire_set_int(&m.root, "ProducerEpoch", x->epoch);
    wire_set_int(&m.root, "Committed", 1);
    encode(&m, &x->end);
    raw_produce_frame(&x->produce, x->topic, 0,
                      &(struct raw_batch){.records = x->records,
                                          .size = 100,
                                          .txn_id = x->id,
                                          .producer_id = x->producer_id,
                                          .epoch = x->epoch},
                      &x->at);
}

/** Sends until the transaction before it is complete. */
static void until_free(struct txn *x, const struct buf *frame, const char *what)
{
    int code;
    do {
        raw_send(&x->r, frame->data, frame->len);
        raw_wait(&x->r);
        code = raw_code(&x->r, RAW_LAST_CODE);
    } while (code == KAFKA_CONCURRENT_TRANSACTIONS);
    expect(code, what);
}

static void one_transaction(struct txn *x)
{
    until_free(x, &x->add, "AddPartitionsToTxn");
    raw_set_sequence(&x->produce, x->at, x->sequence);
    produce(&x->r, &x->produce);
    x->sequence += x->records;
    until_free(x, &x->end, "EndTxn");
}

void row_txn_raw(char **argv, char **server)
{
    enum { WARM = 20 };
    struct server s;
    struct span t;
    char id[64];
    snprintf(id, sizeof id, "bench-%lld", (long long)rows_now_ns());
    struct txn x = {.topic = argv[0], .id = id, .records = (int)bench_number(argv[1])};
    long n = bench_number(argv[2]);
    server_start(&s, server);
    raw_open(&x.r, &s);
    raw_topic_ready(&x.r, x.topic);
    find_coordinator(&x);
    init_producer(&x);
    make_frames(&x);
    for (int i = 0; i < WARM; i++) {
        one_transaction(&x);
    }
    span_start(&t, &s);
    for (long i = 0; i < n; i++) {
        one_transaction(&x);
    }
    span_end(&t, &s);
    span_print(&t, n);
    raw_close(&x.r);
    buf_free(&x.add);
    buf_free(&x.produce);
    buf_free(&x.end);
    server_stop(&s);
}

/* ---- many of something ------------------------------------------------------------------------
 */

void row_connections(char **argv, char **server)
{
    struct server s;
    struct span t;
    struct raw probe;
    struct buf frame = {0};
    size_t at, n = (size_t)bench_number(argv[1]);
    struct raw *all = xcalloc(n, sizeof *all);
    raw_produce_frame(&frame, argv[0], 0, &(struct raw_batch){.records = 1, .size = 100}, &at);
    server_start(&s, server);
    raw_open(&probe, &s);
    produce(&probe, &frame);
    size_t before = server_rss(&s);
    span_start(&t, &s);
    for (size_t i = 0; i < n; i++) {
        raw_open(&all[i], &s);
    }
    for (size_t i = 0; i < n; i++) {
        raw_send(&all[i], frame.data, frame.len);
    }
    for (size_t i = 0; i < n; i++) {
        raw_wait(&all[i]);
        expect(raw_code(&all[i], RAW_PRODUCE_CODE), "Produce");
    }
    span_end(&t, &s);
    printf("%zu %.6f %.6f %zu %zu\n", n, (double)t.wall_ns / 1e9, (double)t.server_ns / 1e9,
           before >> 10, server_rss(&s) >> 10);
    for (size_t i = 0; i < n; i++) {
        raw_close(&all[i]);
    }
    raw_close(&probe);
    free(all);
    buf_free(&frame);
    server_stop(&s);
}

static void create_topic(struct raw *r, const char *topic, int partitions)
{
    enum { VERSION = 4, TIMEOUT_MS = 60000 };
    struct wire_msg req, resp;
    raw_begin(&req, API_CREATE_TOPICS, VERSION);
    struct wire_value *t = wire_add(&req, &req.root, "Topics");
    wire_set_str(&req, t, "Name", topic);
    wire_set_int(t, "NumPartitions", partitions);
    wire_set_int(t, "ReplicationFactor", 1);
    wire_set_int(&req.root, "timeoutMs", TIMEOUT_MS);
    raw_call(r, &req, &resp);
    expect((int)wire_int(wire_at(&resp.root, "Topics", 0), "ErrorCode"), "CreateTopics");
    wire_free(&resp);
}

static void set_partition(struct buf *frame, size_t at, int partition)
{
    uint8_t *p = (uint8_t *)frame->data + at - AT_INDEX;
    for (unsigned i = 0; i < 4; i++) {
        p[i] = (uint8_t)((uint32_t)partition >> 8 * (3 - i));
    }
}

void row_partitions(char **argv, char **server)
{
    static const char topic[] = "many";
    struct server s;
    struct span create, ask, send;
    struct raw r;
    struct buf frame = {0};
    size_t at;
    int n = (int)bench_number(argv[0]);
    raw_produce_frame(&frame, topic, 0, &(struct raw_batch){.records = 1, .size = 100}, &at);
    server_start(&s, server);
    raw_open(&r, &s);
    size_t before = server_rss(&s);
    span_start(&create, &s);
    create_topic(&r, topic, n);
    span_end(&create, &s);
    span_start(&ask, &s);
    raw_topic_ready(&r, topic);
    span_end(&ask, &s);
    span_start(&send, &s);
    for (int i = 0; i < n; i++) {
        set_partition(&frame, at, i);
        produce(&r, &frame);
    }
    span_end(&send, &s);
    printf("%d %.6f %.6f %.6f %.6f %zu %zu\n", n, (double)create.wall_ns / 1e9,
           (double)ask.wall_ns / 1e9, (double)send.wall_ns / 1e9,
           (double)(create.server_ns + ask.server_ns + send.server_ns) / 1e9, before >> 10,
           server_rss(&s) >> 10);
    raw_close(&r);
    buf_free(&frame);
    server_stop(&s);
}

void row_memory(char **argv, char **server)
{
    struct server s;
    struct raw r;
    struct buf frame = {0};
    size_t at, limit = (size_t)bench_number(argv[1]) << 20, stored = 0;
    struct raw_batch b = {.records = (int)bench_number(argv[2]),
                          .size = (int)bench_number(argv[3])};
    raw_produce_frame(&frame, argv[0], 0, &b, &at);
    server_start(&s, server);
    raw_open(&r, &s);
    produce(&r, &frame);
    size_t before = server_rss(&s);
    while (stored < limit) {
        produce(&r, &frame);
        stored += frame.len - at;
    }
    printf("%zu %zu\n", stored, server_rss(&s) - before);
    raw_close(&r);
    buf_free(&frame);
    server_stop(&s);
}
