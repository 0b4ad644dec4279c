/* SPDX-License-Identifier: Apache-2.0 */
/* The Kafka protocol as data: one table of messages, and one encoder and decoder driven by it.
 * Names are Kafka's own (the "name" of its message definitions), so that table and definitions can
 * be compared. Growing the table is all that a new request needs. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/arena.h"

enum wire_type {
    WIRE_BOOL,
    WIRE_INT8,
    WIRE_INT16,
    WIRE_UINT16,
    WIRE_INT32,
    WIRE_INT64,
    WIRE_FLOAT64,
    WIRE_UUID,
    WIRE_STRING,
    WIRE_BYTES,
    WIRE_RECORDS,
    WIRE_STRUCT,
};
enum { WIRE_MAX = 127 }; /**< "and later" in version ranges */

/** One field. Members that are absent in a row mean: not nullable, not tagged, default 0 or "". */
struct wire_field {
    const char *name; /**< NULL ends the list */
    enum wire_type type;
    int8_t from, to;              /**< versions that have it */
    const struct wire_field *sub; /**< members of a WIRE_STRUCT */
    bool array;                   /**< an array of `type` */
    int8_t nullable;              /**< 1 + first version in which it may be null; 0 = never */
    int16_t tag;                  /**< 1 + tag number; 0 = not tagged */
    int8_t tagged_from;           /**< first version in which it is tagged, if tag is set */
    bool def_null;                /**< the default is null */
    int64_t def;                  /**< the default of a number */
};

enum wire_dir { WIRE_REQUEST, WIRE_RESPONSE, WIRE_DATA };
/** One message; WIRE_DATA = a key or value of an internal topic (api is then meaningless). */
struct wire_schema {
    const char *name; /**< "FetchRequest" */
    int16_t api;
    enum wire_dir dir;
    int16_t min, max; /**< versions */
    int16_t flexible; /**< first flexible version, WIRE_MAX = none */
    const struct wire_field *fields;
};

enum wire_api {
    API_PRODUCE = 0,
    API_FETCH = 1,
    API_LIST_OFFSETS = 2,
    API_METADATA = 3,
    API_OFFSET_COMMIT = 8,
    API_OFFSET_FETCH = 9,
    API_FIND_COORDINATOR = 10,
    API_JOIN_GROUP = 11,
    API_HEARTBEAT = 12,
    API_LEAVE_GROUP = 13,
    API_SYNC_GROUP = 14,
    API_DESCRIBE_GROUPS = 15,
    API_LIST_GROUPS = 16,
    API_API_VERSIONS = 18,
    API_CREATE_TOPICS = 19,
    API_DELETE_TOPICS = 20,
    API_DELETE_RECORDS = 21,
    API_INIT_PRODUCER_ID = 22,
    API_OFFSET_FOR_LEADER_EPOCH = 23,
    API_ADD_PARTITIONS_TO_TXN = 24,
    API_ADD_OFFSETS_TO_TXN = 25,
    API_END_TXN = 26,
    API_WRITE_TXN_MARKERS = 27,
    API_TXN_OFFSET_COMMIT = 28,
    API_DESCRIBE_CONFIGS = 32,
    API_ALTER_CONFIGS = 33,
    API_CREATE_PARTITIONS = 37,
    API_DELETE_GROUPS = 42,
    API_INCREMENTAL_ALTER_CONFIGS = 44,
    API_OFFSET_DELETE = 47,
    API_DESCRIBE_QUORUM = 55,
    API_DESCRIBE_CLUSTER = 60,
    API_DESCRIBE_PRODUCERS = 61,
    API_DESCRIBE_TRANSACTIONS = 65,
    API_LIST_TRANSACTIONS = 66,
    API_CONSUMER_GROUP_HEARTBEAT = 68,
    API_CONSUMER_GROUP_DESCRIBE = 69,
    API_DESCRIBE_TOPIC_PARTITIONS = 75,
};

/** NULL if the table does not have it. */
const struct wire_schema *wire_schema(int16_t api, enum wire_dir dir);
/** "Fetch", or "api 99" in a static buffer of the thread. */
const char *wire_api_name(int16_t api);
/** All rows; *n gets their number. */
const struct wire_schema *const *wire_schemas(size_t *n);

/* ---- values ---------------------------------------------------------------------------------- */

enum wire_kind { WIRE_NUMBER, WIRE_REAL, WIRE_BLOB, WIRE_LIST, WIRE_GROUP };
/** One value of a message. Strings and blobs point into the frame or the arena of the message. */
struct wire_value {
    const struct wire_field *field;
    uint8_t kind; /**< enum wire_kind; WIRE_BLOB also for strings (NUL behind them) and uuids */
    union {
        int64_t i;
        double f;
        struct {
            const uint8_t *p;
            int32_t len; /**< -1 = null */
        } s;
        struct {
            struct wire_value *items; /**< elements of a list, members of a struct in table order */
            int32_t n, cap;           /**< n = -1: null */
        } a;
    };
};

/** A message, decoded or under construction. {0} is empty; free with wire_free. */
struct wire_msg {
    const struct wire_schema *schema;
    int16_t version;
    struct wire_value root;
    struct arena mem;
    char *frame; /**< bytes that values point into, owned; may be NULL */
    size_t max;  /**< bytes that construction may take; 0 = any */
    bool over;   /**< it would have taken more: what was added since is lost */
};

/** Starts a message with all fields at their defaults. */
void wire_init(struct wire_msg *m, const struct wire_schema *s, int16_t version);
void wire_free(struct wire_msg *m);

/* Access by Kafka's field name. A name that the table does not have is a bug and aborts. */
const struct wire_value *wire_get(const struct wire_value *v, const char *name);
int64_t wire_int(const struct wire_value *v, const char *name);
const char *wire_str(const struct wire_value *v, const char *name); /**< NULL = null */
/** Bytes, records or a uuid; NULL with *len 0 = null. */
const uint8_t *wire_blob(const struct wire_value *v, const char *name, size_t *len);
size_t wire_count(const struct wire_value *v, const char *name); /**< null = 0 */
const struct wire_value *wire_at(const struct wire_value *v, const char *name, size_t i);

/* Construction; data is copied into the message, except blobs, which are borrowed until wire_free.
 */
void wire_set_int(struct wire_value *v, const char *name, int64_t i);
void wire_set_str(struct wire_msg *m, struct wire_value *v, const char *name, const char *s);
void wire_set_blob(struct wire_value *v, const char *name, const void *p, size_t len);
void wire_set_null(struct wire_value *v, const char *name);
void wire_set_empty(struct wire_value *v, const char *name); /**< a list: not null any more */
/** Appends an element with default members; a null list becomes a list. Valid until the next add.
 */
struct wire_value *wire_add(struct wire_msg *m, struct wire_value *v, const char *name);
void wire_add_int(struct wire_msg *m, struct wire_value *v, const char *name, int64_t i);
void wire_add_str(struct wire_msg *m, struct wire_value *v, const char *name, const char *s);
struct wire_value *wire_member(struct wire_value *v, const char *name); /**< a nested struct */

/** Appends the body (no header). A null where the version has none is ERR_INTERNAL. */
int wire_encode(const struct wire_msg *m, struct buf *out, struct err *e);
/** Decodes a body into m (initialised here, also on failure: free it always). data is borrowed as
 *  long as m lives, unless handed over in m->frame afterwards. All of it must be consumed.
 *  @return -1 with ERR_PROTOCOL naming message, version and field. */
int wire_decode(struct wire_msg *m, const struct wire_schema *s, int16_t version, const void *data,
                size_t len, struct err *e);
/** Where the records begin, in a body of a known version of which only the beginning is there, that
 *  are not all there. @return 0: it does not end in records. */
size_t wire_cut_records(const struct wire_schema *s, int16_t version, const void *data, size_t len);
/** Length of the request or response header's fixed part is the caller's; this says whether a
 *  tagged-field section ends it. */
bool wire_header_tagged(const struct wire_schema *s, int16_t version);
/** A whole request frame: size, header, body. */
int wire_encode_request(const struct wire_msg *m, int32_t correlation, const char *client_id,
                        struct buf *out, struct err *e);

/* ---- the server's side ------------------------------------------------------------------------
 */

/** The header of a request. */
struct wire_header {
    int16_t api, version;
    int32_t correlation;
    const char *client_id; /**< borrowed from the frame, not NUL-terminated; NULL = null */
    int16_t client_id_len;
    size_t body; /**< where the body begins in the frame */
};
/** Reads the header of a request frame (without its size). Of an api or version that the table does
 *  not know only api, version, correlation and client id are read, and body = len.
 *  @return -1 with ERR_PROTOCOL. */
int wire_decode_header(struct wire_header *h, const void *frame, size_t len, struct err *e);

/** A piece of a frame that is not copied: it belongs at offset `at` of the copied bytes. */
struct wire_part {
    size_t at;
    const void *p;
    size_t len;
};
enum { WIRE_PART_MIN = 512 }; /**< records from this size on are not copied */
struct wire_parts {
    struct wire_part *items;
    size_t n, cap;
};
/** A whole response frame: size, header, body. parts (NULL = copy all) gets the records that were
 *  left out of `out`, in order; they are borrowed from the message. Free parts->items. */
int wire_encode_response(const struct wire_msg *m, int32_t correlation, struct buf *out,
                         struct wire_parts *parts, struct err *e);
