/* SPDX-License-Identifier: Apache-2.0 */
/* A world without a kernel: the loop, the clock, the sockets and the random numbers of a broker
 * that is fuzzed. It stands in for src/io, so that a session depends on nothing but its seed. Time
 * passes only when somebody says so; answers can be held back as a peer does that does not read. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "io/loop.h"

/** A stream of pseudo-random numbers. */
struct dice {
    uint64_t state;
};
uint64_t dice_next(struct dice *d);
/** 0 to n - 1. */
uint64_t dice_below(struct dice *d, uint64_t n);
/** True once in n times. */
bool dice_one_in(struct dice *d, uint64_t n);

/** Starts a world; one at a time. */
struct loop *world_new(uint64_t seed);
/** Frees it. @return what the broker has left behind (timers, connections, calls), NULL = nothing.
 */
const char *world_free(struct loop *l);
/** One turn: deferred calls, bytes in and out, ends of connections. @return whether there is more
 * to do without waiting. */
bool world_turn(struct loop *l);
/** Turns until nothing is left to do; at most `limit`. @return false when there still is. */
bool world_settle(struct loop *l, int limit);
/** Lets time pass; timers fire in order. */
void world_pass(struct loop *l, uint64_t ms);

/** The client's end of a connection. */
struct peer;
/** NULL = nobody listens at that port. */
struct peer *world_connect(struct loop *l, int port);
void peer_send(struct peer *p, const void *data, size_t len);
/** Whether the peer takes what the broker writes. */
void peer_read(struct peer *p, bool reads);
bool peer_reads(const struct peer *p);
/** Ends it, at once; frees. */
void peer_close(struct peer *p);
/** Whether the broker has ended it. */
bool peer_ended(const struct peer *p);
/** What has arrived; the caller consumes it. */
struct buf *peer_received(struct peer *p);
/** Bytes that the broker has not yet taken. */
size_t peer_unsent(const struct peer *p);
