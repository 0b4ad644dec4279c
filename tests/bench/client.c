/* SPDX-License-Identifier: Apache-2.0 */
/* What the C loops share: settings, clocks, headers; handles also with the rows of broker/. The
 * settings are those of src/client/conf.c; outcomes come by callback, which is librdkafka's fastest
 * way without a loop of one's own. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

void bench_die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    _Exit(1);
}

void bench_check(rd_kafka_error_t *error, const char *what)
{
    if (error) {
        bench_die("%s: %s", what, rd_kafka_error_string(error));
    }
}

long bench_number(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || n < 1) {
        bench_die("%s is not a positive number", text);
    }
    return n;
}

/* ---- clocks ---- */

static uint64_t now(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void bench_start(struct bench_clock *c)
{
    c->wall_ns = now(CLOCK_MONOTONIC);
    c->cpu_ns = now(CLOCK_PROCESS_CPUTIME_ID);
}

void bench_print(const struct bench_clock *c, long records)
{
    double wall = (double)(now(CLOCK_MONOTONIC) - c->wall_ns) / 1e9;
    double cpu = (double)(now(CLOCK_PROCESS_CPUTIME_ID) - c->cpu_ns) / 1e9;
    printf("%ld %.6f %.6f\n", records, wall, cpu);
}

/* ---- handles ---- */

void bench_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK) {
        bench_die("%s=%s: %s", name, value, reason);
    }
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    if (m->err) {
        bench_die("a record was not delivered: %s", rd_kafka_err2str(m->err));
    }
}

rd_kafka_t *bench_open(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char reason[256];
    if (type == RD_KAFKA_PRODUCER) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    }
    rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!rk) {
        bench_die("%s", reason);
    }
    if (type == RD_KAFKA_CONSUMER) {
        rd_kafka_poll_set_consumer(rk);
    }
    return rk;
}

rd_kafka_t *bench_producer(const char *bootstrap, const char *transactional_id)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_set(conf, "bootstrap.servers", bootstrap);
    bench_set(conf, "enable.idempotence", "true");
    bench_set(conf, "acks", "all");
    bench_set(conf, "socket.nagle.disable", "true");
    if (transactional_id) {
        bench_set(conf, "transactional.id", transactional_id);
        bench_set(conf, "transaction.timeout.ms", "10000");
        bench_set(conf, "retry.backoff.ms", "5");
    }
    return bench_open(RD_KAFKA_PRODUCER, conf);
}

rd_kafka_t *bench_consumer(const char *bootstrap, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_set(conf, "bootstrap.servers", bootstrap);
    bench_set(conf, "group.id", group);
    bench_set(conf, "session.timeout.ms", "3000");
    bench_set(conf, "heartbeat.interval.ms", "500");
    bench_set(conf, "enable.auto.commit", "false");
    bench_set(conf, "enable.auto.offset.store", "false");
    bench_set(conf, "auto.offset.reset", "earliest");
    bench_set(conf, "isolation.level", "read_committed");
    /* see consume.lua; the copy never gets there */
    bench_set(conf, "queued.min.messages", "10000000");
    bench_set(conf, "queued.max.messages.kbytes", "1000000");
    bench_set(conf, "socket.nagle.disable", "true");
    return bench_open(RD_KAFKA_CONSUMER, conf);
}

/* ---- records ---- */

void bench_flush(rd_kafka_t *rk)
{
    enum { WAIT_MS = 60000 };
    if (rd_kafka_flush(rk, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("flush: %d records without outcome", rd_kafka_outq_len(rk));
    }
}

void bench_headers(struct bench_headers *h, const char *role, const char *topic)
{
    struct ident_header own = {.run = ident_text("000000"),
                               .role = ident_text(role),
                               .topic = ident_text(topic),
                               .index = 1,
                               .incarnation = 1};
    *h = (struct bench_headers){.seq = 0};
    h->own_len = ident_put(h->own, &own);
}

static rd_kafka_headers_t *make_headers(struct bench_headers *h, const rd_kafka_message_t *from)
{
    rd_kafka_headers_t *hs = rd_kafka_headers_new(3);
    ident_set_last(h->own, h->own_len, ++h->seq);
    rd_kafka_header_add(hs, IDENT_HEADER, sizeof IDENT_HEADER - 1, h->own, (ssize_t)h->own_len);
    if (from) {
        ident_set_src(h->src, h->src_len, from->partition, from->offset);
        rd_kafka_header_add(hs, IDENT_SRC, sizeof IDENT_SRC - 1, h->src, (ssize_t)h->src_len);
    }
    if (h->txn_len) {
        rd_kafka_header_add(hs, IDENT_TXN, sizeof IDENT_TXN - 1, h->txn, (ssize_t)h->txn_len);
    }
    return hs;
}

void bench_send(rd_kafka_t *rk, rd_kafka_topic_t *rkt, struct bench_headers *h, const void *key,
                size_t key_len, const void *value, size_t value_len, const rd_kafka_message_t *from)
{
    enum { POLL_EVERY = 64, FULL_MS = 10 };
    rd_kafka_headers_t *hs = make_headers(h, from);
    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_producev(
            rk, RD_KAFKA_V_RKT(rkt), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(key, key_len), RD_KAFKA_V_VALUE((void *)value, value_len),
            RD_KAFKA_V_HEADERS(hs), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            break;
        }
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            bench_die("produce: %s", rd_kafka_err2str(code));
        }
        rd_kafka_poll(rk, FULL_MS);
    }
    if (h->seq % POLL_EVERY == 0) {
        rd_kafka_poll(rk, 0);
    }
}
