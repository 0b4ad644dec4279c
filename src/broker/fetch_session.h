/* SPDX-License-Identifier: Apache-2.0 */
/* Fetch sessions: a consumer says its partitions once, and from then on what changes; answers leave
 * out what has not changed. Each node has its own; they end with it. */
#pragma once
#include "base/map.h"
#include "broker/call.h"

enum { FETCH_NO_SESSION = 0 };

/** One partition of a session. */
struct fetch_cached {
    char *name;                 /**< NULL = an id that no topic had */
    uint8_t id[TOPIC_ID_BYTES]; /**< used in sessions by id */
    int32_t partition, epoch, last_epoch, max_bytes;
    int64_t offset;      /**< that is asked for */
    int64_t high, start; /**< as said last; -1 = not, or an error was said */
    struct fetch_cached *next, **link;
};
struct fetch_session {
    struct broker *b;
    size_t cost;
    int32_t id, epoch; /**< the epoch that the next request must have */
    int node;
    uint64_t since; /**< of the node's state */
    uint64_t used;  /**< monotonic ms */
    bool by_id;
    int refs; /**< the broker's, and one of each request that is being answered */
    struct map parts;
    size_t n;
    struct fetch_cached *first, **last; /**< in the order of their turns */
    struct fetch_cached *gone;          /**< forgotten while a request was being answered */
};

/** What a request asks of one partition. */
struct fetch_ask {
    const char *name;  /**< NULL = an id that no topic has */
    const uint8_t *id; /**< NULL = by name */
    int32_t partition, epoch, last_epoch, max_bytes;
    int64_t offset;
    struct fetch_cached *cached; /**< of a session that goes on, else NULL */
    int64_t high, start;         /**< as found last */
    bool failed, some;           /**< an error, records */
};

/** The session, if the node has it. */
struct fetch_session *fetch_session_find(const struct call *c, int32_t id);
/** A new one of these partitions, as they are answered now; NULL = there is no room. */
struct fetch_session *fetch_session_new(struct call *c, const struct fetch_ask *asks, size_t n);
/** Whether so many partitions more may be remembered. */
bool fetch_session_room(const struct broker *b, size_t n);
/** Adds the partition, or changes what is asked of it. @return it, until it is forgotten. */
struct fetch_cached *fetch_session_ask(struct fetch_session *s, const struct fetch_ask *ask);
void fetch_session_forget(struct fetch_session *s, const struct fetch_ask *ask);
/** The answer has something to say about the partition. */
bool fetch_session_changed(const struct fetch_ask *ask);
/** It has been said. */
void fetch_session_said(struct fetch_session *s, const struct fetch_ask *ask);
int32_t fetch_session_next(int32_t epoch);
void fetch_session_end(struct broker *b, struct fetch_session *s);
void fetch_session_drop(struct fetch_session *s);
void fetch_session_end_all(struct broker *b);
