/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the watch. What the runner tells is behind the lock; all else belongs to
 * the watch's own thread. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "audit/watch.h"
#include "base/map.h"
#include "history/hist.h"
#include "wire/admin.h"

enum { WATCH_ASK_MS = 1000, WATCH_WHY = 512 };

/** A partition that is looked at; never freed before the end, so that pointers stay. */
struct watch_part {
    char *topic;
    int32_t number, leader;
    bool declared, internal;    /**< internal: of __consumer_offsets */
    bool fresh;                 /**< read in this round */
    int64_t log_start, lso, hw; /**< -1 = not yet known */
    int64_t said[3];            /**< as in the last SAMPLE */
    uint64_t start_ns;          /**< when log_start was read */
};
struct watch_parts {
    struct watch_part **items;
    size_t n, cap;
};
/** How far a reader (a group, or an instance without group) is in a partition. */
struct watch_place {
    struct watch_part *part;
    const char *who;
    bool group, live;
    bool known, stable;        /**< group: asked with success in this round; no transaction pends */
    int64_t next;              /**< committed offset or position; -1 = none */
    int64_t said, said_stable; /**< as in the last COMMITTED */
    int64_t clear_from, clear_to; /**< no deliverable record in between */
};
struct watch_places {
    struct watch_place **items;
    size_t n, cap;
};

struct watch_use { /**< who reads which topic */
    char *who, *topic;
    bool group;
    bool live; /**< false: forgotten */
};
struct watch_uses {
    struct watch_use **items;
    size_t n, cap;
};

struct watch_program { /**< a group whose topics are asked of the broker */
    char *group;
    bool reads;
    uint64_t members, changes; /**< hash of the members, 0 = never seen; how often it changed */
};
struct watch_programs {
    struct watch_program **items;
    size_t n, cap;
};

struct watch_token { /**< outlives the watch while a call of on_drained is under way */
    atomic_int refs;
    struct watch *w; /**< on the loop's thread; NULL after watch_stop */
};

struct watch {
    struct watch_opts o;
    char *bootstrap;
    pthread_t thread;
    struct watch_token *token;
    uint64_t stop_ns; /**< when watch_stop() was called; set before stop */
    atomic_bool stop; /**< requests in between are not begun any more */

    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* behind the lock */
    struct watch_uses uses;         /**< entries are never freed before the end */
    struct watch_programs programs; /**< likewise */
    struct map positions;           /**< who, topic, partition -> next */
    bool draining, cut;
    unsigned drains; /**< calls of watch_drain() */
    char why[WATCH_WHY];

    /* of the thread */
    struct admin *admin;
    struct hist *h;
    struct watch_parts parts;
    struct map part_index, place_index, group_states;
    struct map group_unrest; /**< group -> 1 while it is not Stable with members */
    struct watch_places places;
    struct map pids; /**< producer ids seen on declared partitions (shared clusters) */
    uint64_t topics_ns, groups_ns;
    bool stale;               /**< metadata must be read anew */
    bool in_cut;              /**< copy of cut of this round */
    uint64_t vector, same_ns; /**< hash of all offsets, since when it has been the same */
    unsigned judged;          /**< the drain that clean belongs to */
    unsigned clean;           /**< rounds in a row that found nothing open, with that hash */
};

/** One round: partitions every time, groups when due or asked. */
void sample_round(struct watch *w, bool groups);
/** Partitions of __consumer_offsets. */
void sample_internal(struct watch *w);
/** Looks at what the runner told since. */
void sample_uses(struct watch *w);
/** Reads lso and hw of one partition; false when it did not answer. */
bool sample_part(struct watch *w, struct watch_part *p);
void sample_free(struct watch *w);
/** Asks what the groups of programs read. */
void sample_programs(struct watch *w);
void programs_free(struct watch *w);
/** Adds the topics of a member's assignment (ConsumerProtocol bytes, not trusted).
 *  @return in how many entries partitions were assigned. */
size_t watch_assigned_topics(const uint8_t *data, size_t len, struct plan_strings *out);

/** Whether nothing is open or unread at this moment; else why (WATCH_WHY bytes) says what. */
bool drain_is_clean(struct watch *w, char *why);
/** Writes OPEN_TXN events for what pins a partition. */
void open_write(struct watch *w);
