/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer as its own files see it: consumer.c (opening, delivery, the end), consumer_group.c
 * (rebalances), consumer_start.c (where a partition begins), consumer_ends.c (positions given with
 * an assignment, ends of partitions), consumer_offsets.c (commits, positions). */
#pragma once
#include "client/internal.h"

/** A rebalance that librdkafka told and that is not answered yet. */
struct note {
    struct note *next;
    bool assign, lost, told;
    rd_kafka_topic_partition_list_t *list;
    struct client_partitions partitions;
};

/** A partition that was assigned or delivered from. */
struct slot {
    const char *topic; /**< interned */
    int32_t partition;
    int64_t next;   /**< behind the last message taken, or CLIENT_NO_OFFSET */
    int64_t first;  /**< the first message taken, or CLIENT_NO_OFFSET */
    int64_t stored; /**< what auto-commit was told */
    int64_t start;  /**< position given with the assignment, or CLIENT_NO_OFFSET */
    bool assigned, paused;
    bool doubtful; /**< nothing is taken before it is known that it began right */
    int64_t end;   /**< that was reached while it was doubtful, or CLIENT_NO_OFFSET */
};

struct consumer {
    struct loop *loop;
    struct consumer_callbacks cb;
    rd_kafka_t *rk;
    struct wake wake; /**< messages, rebalances, errors */
    struct wake ops;  /**< results of commits */
    struct timer *tick;
    char *group;
    rd_kafka_topic_partition_list_t *topics;
    uint64_t session;
    uint64_t heartbeat; /**< ms between heartbeats */
    struct timer *beat; /**< makes librdkafka look in time whether one is due, or NULL */
    int64_t reset;      /**< CLIENT_BEGINNING, CLIENT_END, CLIENT_NO_OFFSET = error */
    bool auto_store, no_callback;
    bool stable; /**< offsets that an open transaction holds are waited for */
    bool closing, abandoned;

    struct { /* fetched and not taken */
        struct message **items;
        size_t n, cap, head;
    } buffer;
    struct batches *batches;
    bool taken; /**< the owner has fetched since the last tick */

    struct note *notes, **notes_end;
    bool dispatching; /**< a deferred dispatch is under way */
    struct membership *membership;
    uint64_t number;
    struct {
        struct slot *items;
        size_t n, cap;
    } slots;
    struct client_partitions assignment; /**< built on demand */
    consumer_hold_fn hold;
    void *hold_arg;
    bool held;

    struct seek *seeks;             /**< running one first */
    bool seeking;                   /**< the first of seeks is in librdkafka: nothing is fetched */
    bool verifying;                 /**< the group's offsets are being read */
    struct client_partitions began; /**< where doubtful partitions began, of the last verifying */
    uint64_t began_number;          /**< the assignment that it is about */
    size_t jobs;                    /**< threads and commits under way */
    unsigned rejoin_ticks;          /**< since leaving in order to join again; 0 = not */
    bool rejoined;                  /**< ever */
    bool looking;                   /**< without a group: the partitions are being looked up */

    struct timer *bound;
    bool destroying;
    loop_fn done;
    void *done_arg;
};

/* consumer.c */
struct slot *consumer_slot(struct consumer *c, const char *topic, int32_t partition, bool make);
/** Drops fetched messages of partitions that are not assigned (NULL) or that are in ps with code 0.
 */
void consumer_drop(struct consumer *c, const struct client_partitions *ps);
void consumer_tell_ready(struct consumer *c);
void consumer_tell_error(struct consumer *c, const struct err *e);
/** Serves librdkafka's queue; at most max messages go into the buffer. */
void consumer_fetch(struct consumer *c, size_t max);
/** One thread or commit less; lets a waiting close go on. */
void consumer_job_done(struct consumer *c);

/* consumer_group.c */
void consumer_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                           rd_kafka_topic_partition_list_t *list, void *opaque);
/** Calls callbacks of notes that may go ahead now; deferred. */
void consumer_dispatch(struct consumer *c);
void consumer_group_tick(struct consumer *c);
/** Sees to heartbeats that come more often than librdkafka looks. */
void consumer_group_beat(struct consumer *c);
/** Starts looking up all partitions of the topics, then notes them as an assign. */
void consumer_look_up(struct consumer *c);
/** Tells and answers everything for a close. */
void consumer_give_up(struct consumer *c);

/* consumer_ends.c */
/** m says that the end of its partition was reached; deferred, and not before what lies in front of
 * it can be taken. */
void consumer_tell_end(struct consumer *c, const rd_kafka_message_t *m);
/** Tells the end that was held back while the partition was doubtful, if any. */
void consumer_tell_held_end(struct consumer *c, struct slot *s);

/* consumer_start.c */
/** Whether librdkafka gives out a message again, by itself: then a seek to the position is under
 * way. */
bool consumer_went_back(struct consumer *c, const struct slot *s, const struct message *m);
/** Reads the group's offsets for the doubtful partitions with messages in the buffer, and corrects
 * what did not begin there; then they can be taken. */
void consumer_verify(struct consumer *c);

/* consumer_offsets.c */
/** How long a read of committed offsets may take, and when a failed one is made again. */
enum { COMMITTED_MS = 5000, AGAIN_MS = 200 };
void consumer_offsets_free(struct consumer *c);
bool consumer_positioning(const struct consumer *c);
/** Sets positions as consumer_seek() does; takes ps over. */
void consumer_add_seek(struct consumer *c, struct client_partitions ps, enum consumer_seek_why why,
                       consumer_fn fn, void *arg);
