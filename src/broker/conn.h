/* SPDX-License-Identifier: Apache-2.0 */
/* One connection, shared by the files that serve and that bound it. */
#pragma once
#include "broker/call.h"

enum { SIZE_BYTES = 4 }; /**< that say how long a frame is, in front of it */

struct conn {
    struct conn *next, **link;
    struct broker *b;
    struct node *node;
    int listener;
    struct tcp *tcp; /**< NULL = closed */
    struct call *call;
    int refs; /**< the list, a call, a pump that is running or due */
    bool pumping, due;
    bool writing;     /**< the answer of the call is under way */
    const char *view; /**< frames that are not yet handled: the scratch or `in` */
    size_t view_len;
    struct buf in;
    struct ahead *ahead; /**< of the frame that `in` begins with, NULL = nothing is known */
    uint32_t large;      /**< size of the last frame, 0 = above what is read at a time */
    uint64_t active_ms;  /**< when bytes last came or went */
    size_t unsent;       /**< of the answer, when that was looked at */
    size_t counted;      /**< its share of broker.transit */
};

/** Ends the connection. */
void front_end(struct conn *c);

/* ahead.c: a large Produce is looked at while it arrives */
/** More has come to `in`, of a frame of that size. */
void ahead_arrived(struct conn *c, size_t frame);
/** The pass over a batch of this frame, NULL = none; borrowed until ahead_forget(). */
struct batch_pass *ahead_pass(const struct conn *c);
/** The frame is done with. */
void ahead_forget(struct conn *c);

/* conn_bounds.c: what connections may take */
void bounds_start(struct broker *b);
void bounds_stop(struct broker *b);
/** Bytes came or went. */
void bounds_touch(struct conn *c);
/** Counts what the connection holds. When all together hold too much, those that did nothing for
 * the longest time are ended, maybe this one. */
void bounds_count(struct conn *c);
/** It holds nothing any more. */
void bounds_forget(struct conn *c);
/** Bytes that an answer may take while it is made. */
size_t bounds_answer(const struct broker *b);
