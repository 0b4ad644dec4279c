/* SPDX-License-Identifier: Apache-2.0 */
/* Inside client/ only: what its files share. */
#pragma once
#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "client/client.h"
#include "client/conf.h"
#include "client/consumer.h"
#include "client/message.h"
#include "client/producer.h"

#if defined(__SANITIZE_THREAD__)
#define CLIENT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CLIENT_TSAN 1
#endif
#endif
#ifdef CLIENT_TSAN
/** Called once so that tsan.c is linked. */
void client_tsan(void);
#endif

/* ---- errors (client.c) ---- */
/** Fills e with a code of librdkafka: "what: text" with the code's name. Returns -1. */
int client_fail(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** The same from an error object, which is destroyed; NULL is success and returns 0. */
int client_fail_error(struct err *e, rd_kafka_error_t *error, const char *what);
rd_kafka_topic_partition_list_t *client_list(const struct client_partitions *ps);
struct client_partitions client_from_list(const rd_kafka_topic_partition_list_t *list);

/* ---- conf (conf_kafka.c) ---- */
struct conf_base {
    const char *bootstrap, *client_id, *group, *transactional_id;
};
/** The resolved lines set in a librdkafka conf; NULL with ERR_USAGE. */
rd_kafka_conf_t *conf_make(enum conf_kind kind, const struct conf_base *base,
                           const struct conf *resolved, struct err *e);
/** "C", "P", "*" for a known property, or NULL. */
const char *conf_scope(const char *name);
bool conf_true(const char *value);

/* ---- threads (job.c) ---- */
/** Runs work(arg) on a thread of its own, then done(arg) on the loop. */
void job_start(struct loop *l, loop_fn work, loop_fn done, void *arg);
/** Keeps p reachable until the process ends. */
void job_leak(void *p);

/* ---- wake-up of the loop by a queue of librdkafka (wake.c) ---- */
/** Calls fn(arg) on the loop after the queue went from empty to not empty; coalesced. */
struct wake {
    struct loop *loop;
    loop_fn fn;
    void *arg;
    rd_kafka_queue_t *queue;
    atomic_bool posted;
};
void wake_start(struct wake *w, struct loop *l, rd_kafka_queue_t *queue, loop_fn fn, void *arg);
/** No post is made after this; one that was made before still runs. Destroys the queue object. */
void wake_stop(struct wake *w);

/* ---- batches (message.c) ---- */
struct batches; /**< live batches of one consumer */
struct batches *batches_new(void);
/** Takes over n raw messages without error. *out gets the messages, each with one hold. */
void batches_add(struct batches *bs, rd_kafka_message_t **raw, size_t n, struct membership *ms,
                 uint64_t assignment, struct message **out);
/** Copies what is still held out of librdkafka; then the consumer may be destroyed. */
void batches_detach(struct batches *bs);
/** Ends the consumer's part; batches that are held stay. */
void batches_release(struct batches *bs);

/* ---- membership (membership.c) ---- */
struct membership *membership_now(rd_kafka_t *rk);
/** A member of a generation: without that the broker would not fence. */
bool membership_valid(const struct membership *m);
const rd_kafka_consumer_group_metadata_t *membership_raw(const struct membership *m);

/* ---- producer (producer.c) ---- */
rd_kafka_t *producer_handle(struct producer *p);
struct loop *producer_loop(struct producer *p);
/** fn(arg) once, in a turn of its own, when no send is pending; NULL cancels. */
void producer_when_drained(struct producer *p, loop_fn fn, void *arg);
/** fn(arg) once, at the next ack; NULL cancels. */
void producer_when_acked(struct producer *p, loop_fn fn, void *arg);
/** Acks so far. */
uint64_t producer_acked(const struct producer *p);

/* ---- consumer and its transaction (consumer_group.c) ---- */
/** Revokes wait from now on; fn is called when one arrives or turns into a loss. -1 if already
 * held. */
typedef void (*consumer_hold_fn)(void *arg, bool lost);
int consumer_hold(struct consumer *c, consumer_hold_fn fn, void *arg);
void consumer_unhold(struct consumer *c);
/** A revoke is noted, not answered, and the partitions are still ours. */
bool consumer_revoke_held(struct consumer *c);
bool consumer_lost(struct consumer *c);
/** Milliseconds that a revoke may wait: half the session timeout. */
uint64_t consumer_patience(const struct consumer *c);
