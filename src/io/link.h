/* SPDX-License-Identifier: Apache-2.0 */
/* Frames (as in pipe.h) in both directions over a TCP connection. Loop thread only, except
 * link_connect(). */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/loop.h"
#include "io/pipe.h"

struct link;
struct link_server;

/** Connects, blocking, at most limit_ms. A name with several addresses means the turn-th of them
 *  (modulo their number, in numeric order), so that instances spread over the hosts of one name.
 *  @return a descriptor, or -1 with ERR_SYSTEM or ERR_USAGE naming the address "HOST:PORT". */
int link_connect(const char *address, unsigned turn, int limit_ms, struct err *e);

/** Takes the connected descriptor. fn gets frames, and PIPE_EOF once at the end. */
struct link *link_new(struct loop *l, int fd, pipe_fn fn, void *arg);
/** Queues one frame (copied); a slow reader never blocks us. */
void link_send(struct link *k, uint8_t type, const void *data, uint32_t len);
/** Bytes that the connection has not taken yet. */
size_t link_queued(const struct link *k);
void link_free(struct link *k); /**< may be called inside fn; NULL is fine */

/** A new connection: fn owns the descriptor. */
typedef void (*link_accept_fn)(void *arg, int fd);
/** Listens on "HOST:PORT" or ":PORT" (every address); port 0 = any free one. Keeps loop_run()
 * alive.
 *  @return NULL with ERR_SYSTEM or ERR_USAGE. */
struct link_server *link_listen(struct loop *l, const char *address, link_accept_fn fn, void *arg,
                                struct err *e);
int link_server_port(const struct link_server *s);
void link_server_free(struct link_server *s); /**< NULL is fine */
