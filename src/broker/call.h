/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer. A handler fills call->resp and calls call_reply(), now or later; a
 * connection's next request is looked at when the answer has been written, as in Kafka. */
#pragma once
#include "broker/state.h"

struct call;
/** One row of the table of apis. */
struct api {
    int16_t key, min, max; /**< versions offered */
    int16_t min_used; /**< below it a request is refused (Produce: only for librdkafka's eyes) */
    void (*handle)(struct call *c);
};

struct call {
    struct broker *b;
    struct conn *conn; /**< NULL when the connection has ended meanwhile */
    struct node *node; /**< the one that was asked */
    int listener;      /**< which of its listeners */
    const struct api *api;
    int16_t version;
    bool lost; /**< the connection dies instead of the answer */
    int32_t correlation;
    size_t size;     /**< bytes of the request */
    char *client_id; /**< NULL = null */
    struct wire_msg req, resp;
    struct buf *whole; /**< what the request lies in while its handler runs, if it is of no use to
                            others; NULL = not to be taken */
    struct batch_pass *pass; /**< over a batch in it, for as long, NULL = none */
    struct {
        struct plog_segment **items; /**< kept until the answer is written */
        size_t n, cap;
    } kept;
    struct buf out;
    struct wire_parts parts;
    /** Set while the call waits: told when the connection ends; must not reply any more. */
    void (*cancel)(struct call *c);
    void *owner;
    struct call *next_held;
    struct fetch_plan *plan; /**< of a Fetch */
};

/** What anybody may do, as there are no ACLs: bits by the numbers of Kafka's AclOperation. */
enum { CALL_MAY_TOPIC = 0xdf8, CALL_MAY_GROUP = 0xd48, CALL_MAY_CLUSTER = 0x1fa0 };

/** Begins the answer anew: all fields at their defaults. */
void call_new_answer(struct call *c);
/** Sends the answer and frees the call. */
void call_reply(struct call *c);
/** No answer (acks = 0); frees the call. */
void call_done(struct call *c);
/** Closes the connection; frees the call. */
void call_refuse(struct call *c);
/** The address of the peer, "" when it is gone. */
const char *call_peer(const struct call *c);

/** The row of an api, NULL = not offered. */
const struct api *api_find(int16_t key);
const struct api *api_table(size_t *n);
/** Whether a request of that version is handled; api may be NULL. */
bool api_handles(const struct api *api, int16_t version);

/* Handlers, one per api; files api_*.c. */
void api_versions(struct call *c);
void api_metadata(struct call *c);
void api_produce(struct call *c);
void api_fetch(struct call *c);
void api_list_offsets(struct call *c);
void api_epoch_end(struct call *c);
void api_delete_records(struct call *c);
void api_create_topics(struct call *c);
void api_delete_topics(struct call *c);
void api_create_partitions(struct call *c);
void api_describe_configs(struct call *c);
void api_alter_configs(struct call *c);
void api_incremental_alter_configs(struct call *c);
void api_find_coordinator(struct call *c);
void api_describe_cluster(struct call *c);
void api_describe_quorum(struct call *c);
void api_describe_topic_partitions(struct call *c);
void api_init_producer_id(struct call *c);
void api_add_partitions(struct call *c);
void api_add_offsets(struct call *c);
void api_end_txn(struct call *c);
void api_txn_offset_commit(struct call *c);
void api_write_markers(struct call *c);
void api_list_transactions(struct call *c);
void api_describe_transactions(struct call *c);
void api_describe_producers(struct call *c);
void api_join_group(struct call *c);
void api_sync_group(struct call *c);
void api_heartbeat(struct call *c);
void api_leave_group(struct call *c);
void api_offset_commit(struct call *c);
void api_offset_fetch(struct call *c);
void api_offset_delete(struct call *c);
void api_list_groups(struct call *c);
void api_describe_groups(struct call *c);
void api_delete_groups(struct call *c);
void api_consumer_heartbeat(struct call *c);
void api_consumer_describe(struct call *c);
