/* SPDX-License-Identifier: Apache-2.0 */
/* TCP on the loop: listeners and connections. Everything on the loop's thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "io/loop.h"

struct tcp_server;
struct tcp;

/** A new connection; the receiver calls tcp_start() or tcp_close() on it. */
typedef void (*tcp_accept_fn)(void *arg, struct tcp *t);

/** Listens on host (a numeric address) and port; 0 = any free one. Keeps loop_run() alive.
 *  @return NULL with ERR_USAGE (no such address) or ERR_SYSTEM. */
struct tcp_server *tcp_listen(struct loop *l, const char *host, int port, tcp_accept_fn fn,
                              void *arg, struct err *e);
int tcp_server_port(const struct tcp_server *s);
/** Stops listening and frees; connections stay. NULL is fine. */
void tcp_server_close(struct tcp_server *s);

/** Keeps a port that nobody listens on: connections are refused, and no other socket takes it, but
 *  tcp_listen() may. @return something for tcp_release(), or -1: it is taken already. */
int tcp_reserve(const char *host, int port);
/** -1 is fine. */
void tcp_release(int reserved);

/** What the owner of a connection does; all on the loop. */
struct tcp_calls {
    /** Where the next bytes shall go: *len bytes at the address returned, at least one. */
    char *(*room)(void *arg, size_t *len);
    /** n bytes have arrived there, 0 = none did after all. May close the connection. */
    void (*data)(void *arg, size_t n);
    /** The peer ended the connection, or it broke: once, and not after tcp_close(). The receiver
     *  calls tcp_close(). */
    void (*closed)(void *arg);
};
void tcp_start(struct tcp *t, const struct tcp_calls *calls, void *arg);
/** Stops reading (the kernel then slows the peer down) or goes on. */
void tcp_pause(struct tcp *t, bool paused);
/** "127.0.0.1:40312"; borrowed. */
const char *tcp_peer(const struct tcp *t);

struct tcp_part {
    const void *p;
    size_t len;
};
/** Writes the parts in order; they are borrowed until done(arg), which comes inside this call, or
 *  later, also when the connection is closed first. One write at a time per connection.
 *  @return true when done was called already. */
bool tcp_write(struct tcp *t, const struct tcp_part *parts, size_t n, loop_fn done, void *arg);
/** Bytes of the write under way that the kernel has not yet taken. */
size_t tcp_unsent(const struct tcp *t);
/** Ends the connection at once and frees; queued bytes are lost. NULL is fine. */
void tcp_close(struct tcp *t);
