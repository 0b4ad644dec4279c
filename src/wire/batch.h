/* SPDX-License-Identifier: Apache-2.0 */
/* Record batches of magic 2: reading what a Fetch returned and writing them for tests and tools.
 * What is wrong with a batch is data (an audit reports it), never a failure of the reader. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum batch_codec { CODEC_NONE, CODEC_GZIP, CODEC_SNAPPY, CODEC_LZ4, CODEC_ZSTD };
enum {
    BATCH_HEADER = 61,      /**< bytes before the records */
    BATCH_MAX_RAW = 1 << 28 /**< decompressed bytes of one batch; more is malformed */
};

/** One batch as it stands in the blob. */
struct batch {
    const uint8_t *bytes; /**< whole batch, header first; borrowed from the blob */
    size_t size;
    int64_t base_offset;
    int32_t leader_epoch;
    int8_t magic;
    uint32_t crc;
    bool crc_ok;
    bool dense; /**< only if batch_iter.look: not compressed, and the records are whole, as many as
                     the header says, with offsets without gaps from the base */
    int16_t attributes;
    uint8_t codec;        /**< enum batch_codec, or a number that Kafka does not have */
    bool log_append_time; /**< timestamp type: false = create time */
    bool transactional, control;
    bool delete_horizon; /**< base timestamp is the delete horizon */
    int32_t last_offset_delta;
    int64_t base_timestamp, max_timestamp;
    int64_t producer_id; /**< -1 = none */
    int16_t producer_epoch;
    int32_t base_sequence; /**< -1 = none */
    int32_t count;         /**< records as the header says */
    const char *corrupt;   /**< NULL, or what is wrong with the header or the CRC (a constant) */
};

enum batch_next { BATCH_END, BATCH_OK, BATCH_BAD };
struct batch_iter {
    const uint8_t *p;
    size_t len, pos;
    bool look;                /**< set by the owner: batch.dense is to be known */
    struct batch_pass *begun; /**< set by the owner, NULL = none: the one over this batch, or
                                   another's */
};
void batch_iter_init(struct batch_iter *it, const void *blob, size_t len);
/** The next batch. BATCH_END: nothing more (a cut last batch counts as nothing; it->pos tells where
 *  it begins). BATCH_BAD: a whole batch with b->corrupt set (its fields are as read; the iterator
 *  goes on behind it), except that after a length that cannot be right it ends. */
enum batch_next batch_iter_next(struct batch_iter *it, struct batch *b);

/** The pass over a batch's bytes that tells batch.crc_ok and batch.dense, begun while the batch
 * still arrives: what has just come is in the processor's cache, and soon will not be. */
struct batch_pass;
/** Of a batch that begins at p, where it must stay; its header is there. Free with free().
 *  @return NULL: it is none, or longer than max. */
struct batch_pass *batch_pass_begin(const uint8_t *p, size_t max);
/** So many bytes of it, or more, have come. */
void batch_pass_go_on(struct batch_pass *s, size_t there);

struct record_header {
    const char *key;
    const uint8_t *value;
    int32_t key_len, value_len; /**< value_len -1 = null */
};
struct record {
    int64_t offset, timestamp; /**< absolute; timestamp is the batch's maximum under append time */
    int32_t offset_delta;
    const uint8_t *key, *value;
    int32_t key_len, value_len; /**< -1 = null */
    const struct record_header *headers;
    int32_t nheaders;
};
/** The records of one batch, decompressed. Free with record_iter_free. */
struct record_iter {
    const struct batch *batch;
    const uint8_t *p, *end;
    int32_t left;       /**< records to come */
    int64_t last_delta; /**< of the record before, -1 at first */
    uint8_t *owned;     /**< decompressed bytes or NULL */
    struct record_header *headers;
    int32_t headers_cap;
    const char *corrupt; /**< set when a record or the compressed data make no sense */
};
/** b is borrowed while iterating. A batch with b->corrupt can be tried: often only the CRC is
 * wrong. */
void record_iter_init(struct record_iter *it, const struct batch *b);
/** The same, when not more than max_raw bytes of memory shall be spent on decompressing. */
void record_iter_init_max(struct record_iter *it, const struct batch *b, size_t max_raw);
/** @return 1 and a record (borrowed until the next call or free), 0 at the end, -1 it->corrupt. */
int record_iter_next(struct record_iter *it, struct record *r);
void record_iter_free(struct record_iter *it);

enum { CONTROL_ABORT = 0, CONTROL_COMMIT = 1 };
struct control {
    int16_t type; /**< CONTROL_ABORT, CONTROL_COMMIT or another kind of control record */
    int32_t coordinator_epoch;
};
/** Reads a record of a control batch. @return false if it is none. */
bool control_read(const struct record *r, struct control *c);

/** What batch_write puts in the header. */
struct batch_opts {
    int64_t base_offset;
    int32_t leader_epoch;
    enum batch_codec codec;
    bool snappy_raw; /**< raw snappy block instead of xerial framing */
    bool transactional, control, log_append_time;
    int64_t producer_id; /**< -1 = none; then epoch and sequence are -1 too */
    int16_t producer_epoch;
    int32_t base_sequence;
};
/** Appends one batch of n >= 1 records to out; offsets are base + offset_delta of each record (all
 *  zero = 0, 1, 2 ...), timestamps absolute in record.timestamp. @return -1 with ERR_INTERNAL. */
int batch_write(struct buf *out, const struct batch_opts *o, const struct record *r, int32_t n,
                struct err *e);

uint32_t crc32c(const void *data, size_t len);
/** The same on processors without an instruction for it. */
uint32_t crc32c_tables(const void *data, size_t len);
/** The CRC of data behind what has the CRC `crc`; nothing has 0. */
uint32_t crc32c_more(uint32_t crc, const void *data, size_t len);
