/* SPDX-License-Identifier: Apache-2.0 */
/* The C side of the bench: plain loops over librdkafka, and readers of what the kaos side wrote. */
#pragma once
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ident.h"

enum {
    BENCH_KEYS = 64,     /* keys are the numbers 0 to 63 as text, as in the Lua scenarios */
    BENCH_VALUE = 100,   /* bytes of a value */
    BENCH_WARM = 1000,   /* records sent and flushed before the clock starts */
    BENCH_BATCH = 1000,  /* records of a transaction, and of one fetch from the queue */
    BENCH_WARM_TXNS = 5, /* transactions before the clock starts */
};

/** Prints the reason and ends the program with 1. */
_Noreturn void bench_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Ends the program as bench_die() when there is an error. */
void bench_check(rd_kafka_error_t *error, const char *what);
/** Of an argument: a positive number, or the program ends. */
long bench_number(const char *text);

/** What passes between bench_start() and bench_print(): wall time and CPU of the whole process. */
struct bench_clock {
    uint64_t wall_ns, cpu_ns;
};
void bench_start(struct bench_clock *c);
/** Prints "records wall cpu" in seconds: one line that script/bench reads. */
void bench_print(const struct bench_clock *c, long records);

void bench_set(rd_kafka_conf_t *conf, const char *name, const char *value);
/** Takes the conf. A producer's record that is not delivered ends the program; a consumer's events
 * come to its queue. */
rd_kafka_t *bench_open(rd_kafka_type_t type, rd_kafka_conf_t *conf);
/** Waits for the outcomes of all records, a minute at most. */
void bench_flush(rd_kafka_t *rk);
/** Handles with the settings that kaos gives its own clients. */
rd_kafka_t *bench_producer(const char *bootstrap, const char *transactional_id);
rd_kafka_t *bench_consumer(const char *bootstrap, const char *group);

/** The three headers of a record of kaos, as long as those of the kaos side. */
struct bench_headers {
    uint8_t own[IDENT_MAX], src[IDENT_MAX], txn[IDENT_MAX];
    size_t own_len, src_len, txn_len;
    uint64_t seq;
};
void bench_headers(struct bench_headers *h, const char *role, const char *topic);
/** Sends one record with the header `kaos`; from adds `kaos-src`, h->txn_len adds `kaos-txn`. */
void bench_send(rd_kafka_t *rk, rd_kafka_topic_t *rkt, struct bench_headers *h, const void *key,
                size_t key_len, const void *value, size_t value_len,
                const rd_kafka_message_t *from);

/* The verbs: each takes what follows it on the command line. */
void loop_create(char **argv);   /* BOOTSTRAP TOPIC PARTITIONS */
void loop_produce(char **argv);  /* BOOTSTRAP TOPIC RECORDS */
void loop_consume(char **argv);  /* BOOTSTRAP TOPIC RECORDS */
void loop_copy(char **argv);     /* BOOTSTRAP INPUT OUTPUT TRANSACTIONS */
void marks_span(char **argv);    /* RUN: "records wall cpu" between two marks of a role */
void marks_starts(char **argv);  /* RUN: milliseconds from spawn to first line, one per line */
void marks_group(char **argv);   /* RUN MEMBERS: "members generation seconds" since it settled */
void history_alone(char **argv); /* produce, consume or copy; RECORDS: the history by itself */
