/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's side of the bench: a row measures one server, which is started for it, and prints
 * one line of numbers that tests/bench/broker/run reads. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../bench.h" /* bench_die() also ends the server */
#include "base/buf.h"
#include "wire/schema.h"

/* ---- servers ----------------------------------------------------------------------------------
 */

struct server {
    pid_t pid; /**< 0 = somebody else's */
    char host[64];
    int port;
    char bootstrap[80];
};
/** Starts a command that prints a line which ends with " HOST:PORT" once it listens; or takes one
 * that runs: "@HOST:PORT". It dies with this program. */
void server_start(struct server *s, char **command);
void server_stop(struct server *s);
/** CPU time so far, of all threads, 0 = somebody else's. */
uint64_t server_cpu_ns(const struct server *s);
/** Resident memory in bytes, 0 = somebody else's. */
size_t server_rss(const struct server *s);

/* ---- time -------------------------------------------------------------------------------------
 */

/** What passes between span_start() and span_end(). */
struct span {
    uint64_t wall_ns, client_ns, server_ns;
};
void span_start(struct span *t, const struct server *s);
void span_end(struct span *t, const struct server *s);
/** "operations wall client server", seconds. */
void span_print(const struct span *t, long operations);
uint64_t rows_now_ns(void);

/* ---- a raw client -----------------------------------------------------------------------------
 */

/** One blocking connection. */
struct raw {
    int fd;
    struct buf in; /**< the last answer: correlation id, body */
};
/** @return false when nothing listens. */
void raw_open(struct raw *r, const struct server *s);
void raw_close(struct raw *r);
/** Starts a request. */
void raw_begin(struct wire_msg *m, int16_t api, int16_t version);
/** Sends it, waits for its answer and decodes it; frees the request. */
void raw_call(struct raw *r, struct wire_msg *req, struct wire_msg *resp);
/** Sends whole frames as they are. */
void raw_send(struct raw *r, const void *frame, size_t len);
/** Waits for one answer, which is then r->in. */
void raw_wait(struct raw *r);
/** The number that stands `from_end` bytes before the answer's end. */
int raw_code(const struct raw *r, size_t from_end);
enum {
    RAW_PRODUCE_CODE = 4 + 8 + 8 + 8 + 2, /**< of Produce 7 for one partition */
    RAW_LAST_CODE = 2, /**< AddPartitionsToTxn and EndTxn: the code ends the answer */
};
/** A batch of records of a size each, values compress well on purpose of none. */
struct raw_batch {
    int records, size;
    const char *txn_id; /**< NULL = no transaction */
    int64_t producer_id;
    int16_t epoch;
};
/** A Produce request (version 7) for one partition as a frame; *at gets where its batch begins. */
void raw_produce_frame(struct buf *out, const char *topic, int32_t partition,
                       const struct raw_batch *b, size_t *at);
/** Gives the batch its next sequence. */
void raw_set_sequence(struct buf *frame, size_t at, int32_t sequence);
/** Asks again until the topic has a leader. */
void raw_topic_ready(struct raw *r, const char *topic);

/* ---- the rows; what follows their arguments is the server ---------------------------------------
 */

void row_first(char **argv, char **server);       /* TOPIC: "wall ms, server's cpu ms, rss kB" */
void row_txn_raw(char **argv, char **server);     /* TOPIC RECORDS TRANSACTIONS */
void row_connections(char **argv, char **server); /* TOPIC N: and rss before, rss after */
void row_partitions(char **argv, char **server);  /* N: create, metadata, produce; rss twice */
void row_memory(char **argv, char **server);      /* TOPIC MB RECORDS SIZE: bytes, rss growth */
void row_produce(char **argv, char **server);     /* TOPIC RECORDS SIZE */
void row_fetch(char **argv, char **server);       /* TOPIC PARTITIONS RECORDS SIZE */
void row_txn_client(char **argv, char **server);  /* TOPIC RECORDS TRANSACTIONS */
