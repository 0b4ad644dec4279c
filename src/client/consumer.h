/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer: a member of a group, or a reader of all partitions of its topics without a group.
 *
 * Rebalances are noted when librdkafka tells them and answered later: on_assign, on_revoke or
 * on_lost is called, then the owner calls consumer_answer() when it is ready (in the callback or
 * any time after). Until then nothing is delivered. While a transaction with this consumer is open,
 * or a rewind runs, a revoke waits before its callback is called (transaction.h bounds that).
 *
 * The consumer never commits by itself (unless enable.auto.commit is switched on by conf: then an
 * offset is stored when its message is taken) and never uses librdkafka's position: the owner says
 * what was processed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/client.h"
#include "client/conf.h"
#include "client/message.h"
#include "io/loop.h"

struct consumer;
struct membership;

struct consumer_rebalance {
    const struct client_partitions *partitions; /**< added or taken away; offsets are not set */
    const char *member;                         /**< member id, "" if none */
    int32_t generation;                         /**< -1 if none */
    const char *protocol;                       /**< "eager", "cooperative", "none" */
    uint64_t assignment;                        /**< the number after the answer */
    bool closing;                               /**< part of consumer_close(): needs no answer */
};

enum consumer_seek_why {
    CONSUMER_SEEK_ROLE,
    CONSUMER_SEEK_REWIND,
    CONSUMER_SEEK_RESET,
    CONSUMER_SEEK_START /**< to where the group stands, before the first message, or back to the
                             position that librdkafka has left by itself: consumer_start.c */
};

struct consumer_seek {
    const char *topic;
    int32_t partition;
    int64_t from; /**< next offset the owner would have been given, or -1 */
    int64_t to;   /**< an offset, CLIENT_BEGINNING or CLIENT_END */
    enum consumer_seek_why why;
    int code; /**< 0 = done */
};

struct consumer_callbacks {
    void *arg;
    /** consumer_take() may have something. Called once per change, not per message. */
    void (*on_ready)(void *arg);
    /** NULL = answered at once. */
    void (*on_assign)(void *arg, const struct consumer_rebalance *r);
    void (*on_revoke)(void *arg, const struct consumer_rebalance *r);
    void (*on_lost)(void *arg, const struct consumer_rebalance *r);
    /** A position was set by consumer_seek() or by a rewind. May be NULL. */
    void (*on_seek)(void *arg, const struct consumer_seek *s);
    /** Errors of the client or of a partition; e->fatal: the consumer is dead. May be NULL. */
    void (*on_error)(void *arg, const struct err *e);
    /** The broker has nothing behind offset - 1 now (only with enable.partition.eof). What lies in
     * front of it may not have been taken yet. May be NULL. */
    void (*on_end)(void *arg, const char *topic, int32_t partition, int64_t offset);
};

struct consumer_setup {
    const char *bootstrap;
    const char *client_id; /**< NULL = librdkafka's default */
    const char *group;     /**< NULL = assign all partitions of the topics, no commits */
    const char *const *topics;
    size_t ntopics;
    const struct conf *conf;    /**< the author's lines, or NULL */
    bool no_rebalance_callback; /**< a deliberately wrong application: librdkafka assigns by itself
                                 */
};

/** Everything in setup is borrowed during the call. Joining (or looking up the partitions) goes on
 * in the background. @return NULL with ERR_USAGE for a wrong property or no topics */
struct consumer *consumer_open(struct loop *l, const struct consumer_setup *setup,
                               const struct consumer_callbacks *cb, struct err *e);

/** Gives up to max messages without waiting, each with one hold (message_release()). 0 = nothing
 * now: wait for on_ready. */
size_t consumer_take(struct consumer *c, struct message **out, size_t max);

/** Before the answer of an assign: where its partitions start, in place of the committed offset or
 * auto.offset.reset (offset, CLIENT_BEGINNING, CLIENT_END or CLIENT_STORED = committed or reset).
 * Others keep theirs; partitions that are not part of it are left out. */
void consumer_start_at(struct consumer *c, const struct client_partitions *ps);
/** Answers the rebalance whose callback was called last; without one it does nothing. */
void consumer_answer(struct consumer *c);
/** A rebalance is noted and not answered yet: end what is open soon. */
bool consumer_rebalancing(const struct consumer *c);
/** Counts answered assigns and revokes, from 0. */
uint64_t consumer_assignment_number(const struct consumer *c);
/** What is assigned; offsets are positions as in consumer_position(); borrowed until the next
 * answer. */
const struct client_partitions *consumer_assignment(const struct consumer *c);
const char *consumer_group(const struct consumer *c); /**< or NULL */

/** The group's membership as of this moment. To be compared with that of a message, or
 * (deliberately wrong) used in its place. @return NULL without a group; freed with
 * membership_free() */
struct membership *consumer_membership(struct consumer *c);
bool membership_same(const struct membership *a, const struct membership *b);
int32_t membership_generation(const struct membership *m);
const char *membership_member(const struct membership *m); /**< "" = not a member (any more) */
struct membership *membership_copy(const struct membership *m);
void membership_free(struct membership *m);

/** Per-partition results in ps (code; for consumer_committed also offset, CLIENT_NO_OFFSET = none);
 *  e->kind ERR_NONE if the call as a whole went through. Both borrowed. */
typedef void (*consumer_fn)(void *arg, const struct client_partitions *ps, const struct err *e);

/** Commits offsets (the next to be read) of the group; fn follows, once. Copies ps. */
void consumer_commit(struct consumer *c, const struct client_partitions *ps, consumer_fn fn,
                     void *arg);
/** The committed offsets of ps, read from the coordinator; fn follows, once. */
void consumer_committed(struct consumer *c, const struct client_partitions *ps, consumer_fn fn,
                        void *arg);
/** For the times in ps (offset = milliseconds) the offset of the first record at or behind it in
 * the order of the log, CLIENT_END if there is none; fn follows, once. */
void consumer_at_time(struct consumer *c, const struct client_partitions *ps, consumer_fn fn,
                      void *arg);
/** Sets positions (offset, CLIENT_BEGINNING, CLIENT_END or CLIENT_STORED = committed or reset).
 * What was fetched before is dropped, nothing is delivered until it is done; on_seek for each, then
 * fn. */
void consumer_seek(struct consumer *c, const struct client_partitions *ps, consumer_fn fn,
                   void *arg);
/** Back to the committed offsets on every assigned partition (where none: auto.offset.reset). */
void consumer_rewind(struct consumer *c);
/** Stops or continues delivery of ps. @return -1 when one of them is not assigned */
int consumer_pause(struct consumer *c, const struct client_partitions *ps, struct err *e);
int consumer_resume(struct consumer *c, const struct client_partitions *ps, struct err *e);
/** Offset behind the last message taken of this partition, or CLIENT_NO_OFFSET: the application's
 *  position, not librdkafka's. */
int64_t consumer_position(const struct consumer *c, const char *topic, int32_t partition);

/** Leaves the group and joins again. Does nothing without a group. */
int consumer_rejoin(struct consumer *c, struct err *e);

/** Leaves the group and frees within bound ms without blocking the loop; done(arg) follows (NULL =
 *  nobody cares). on_revoke with closing is called first for what is assigned, inside this call; no
 *  callback after that. A transaction with it must have ended. Held messages stay valid. */
void consumer_close(struct consumer *c, uint64_t bound, loop_fn done, void *arg);
/** Forgets the client without a word to the brokers: for the end of the process. No callback after.
 */
void consumer_abandon(struct consumer *c);
