/* SPDX-License-Identifier: Apache-2.0 */
/* Hides libuv's streams: a write first tries the socket itself, and only what the kernel does not
 * take is queued, so that the usual answer costs one call. */
#include "io/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/handle.h"

enum { BACKLOG = 4096, PARTS_INLINE = 16 };

struct tcp_server {
    struct handle handle;
    uv_tcp_t uv;
    struct loop *loop;
    tcp_accept_fn fn;
    void *arg;
    int port;
};

struct tcp {
    struct handle handle;
    uv_tcp_t uv;
    uv_write_t req;
    struct tcp_calls calls;
    void *arg;
    loop_fn done; /**< of the write under way, NULL = none */
    void *done_arg;
    bool reading;
    char peer[64];
};

static struct tcp *tcp_of(const void *uv)
{
    return (struct tcp *)((char *)((const uv_handle_t *)uv)->data - offsetof(struct tcp, handle));
}

/* ---- listening ------------------------------------------------------------------------------- */

static void free_server(uv_handle_t *h)
{
    free((char *)h->data - offsetof(struct tcp_server, handle));
}

static void close_server(struct handle *h)
{
    tcp_server_close((struct tcp_server *)((char *)h - offsetof(struct tcp_server, handle)));
}

void tcp_server_close(struct tcp_server *s)
{
    if (s && !uv_is_closing((uv_handle_t *)&s->uv)) {
        uv_close((uv_handle_t *)&s->uv, free_server);
    }
}

static void close_tcp(struct handle *h)
{
    tcp_close((struct tcp *)((char *)h - offsetof(struct tcp, handle)));
}

static void name_peer(struct tcp *t)
{
    struct sockaddr_storage a;
    int len = sizeof a;
    char host[48] = "?";
    snprintf(t->peer, sizeof t->peer, "?");
    if (uv_tcp_getpeername(&t->uv, (struct sockaddr *)&a, &len) == 0) {
        bool v6 = a.ss_family == AF_INET6;
        int port = ntohs(v6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                            : ((struct sockaddr_in *)&a)->sin_port);
        if (v6) {
            uv_ip6_name((struct sockaddr_in6 *)&a, host, sizeof host);
        } else {
            uv_ip4_name((struct sockaddr_in *)&a, host, sizeof host);
        }
        snprintf(t->peer, sizeof t->peer, v6 ? "[%s]:%d" : "%s:%d", host, port);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct tcp_server *s =
        (struct tcp_server *)((char *)stream->data - offsetof(struct tcp_server, handle));
    if (status < 0) {
        log_debug("accepting a connection: %s", uv_strerror(status));
        return;
    }
    struct tcp *t = xcalloc(1, sizeof *t);
    t->handle = (struct handle){"connection", close_tcp};
    uv_tcp_init(loop_uv(s->loop), &t->uv);
    t->uv.data = &t->handle;
    int rc = uv_accept(stream, (uv_stream_t *)&t->uv);
    if (rc < 0) {
        log_debug("accepting a connection: %s", uv_strerror(rc));
        tcp_close(t);
        return;
    }
    uv_tcp_nodelay(&t->uv, 1);
    name_peer(t);
    s->fn(s->arg, t);
}

static int address_of(const char *host, int port, struct sockaddr_storage *a)
{
    const char *ip = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (strchr(ip, ':')) {
        return uv_ip6_addr(ip, port, (struct sockaddr_in6 *)a);
    }
    return uv_ip4_addr(ip, port, (struct sockaddr_in *)a);
}

static int bound_port(const uv_tcp_t *uv)
{
    struct sockaddr_storage a;
    int len = sizeof a;
    if (uv_tcp_getsockname(uv, (struct sockaddr *)&a, &len) < 0) {
        return 0;
    }
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}

struct tcp_server *tcp_listen(struct loop *l, const char *host, int port, tcp_accept_fn fn,
                              void *arg, struct err *e)
{
    struct sockaddr_storage a;
    if (address_of(host, port, &a) < 0) {
        err_set(e, ERR_USAGE, 0, "listening on %s:%d: this is not a numeric address", host, port);
        return NULL;
    }
    struct tcp_server *s = xcalloc(1, sizeof *s);
    s->handle = (struct handle){"listener", close_server};
    s->loop = l;
    s->fn = fn;
    s->arg = arg;
    uv_tcp_init(loop_uv(l), &s->uv);
    s->uv.data = &s->handle;
    int rc = uv_tcp_bind(&s->uv, (struct sockaddr *)&a, 0);
    if (rc == 0) {
        rc = uv_listen((uv_stream_t *)&s->uv, BACKLOG, on_connection);
    }
    if (rc < 0) {
        err_set(e, ERR_SYSTEM, -rc, "listening on %s:%d: %s", host, port, uv_strerror(rc));
        tcp_server_close(s);
        return NULL;
    }
    s->port = bound_port(&s->uv);
    return s;
}

int tcp_server_port(const struct tcp_server *s)
{
    return s->port;
}

int tcp_reserve(const char *host, int port)
{
    struct sockaddr_storage a;
    int on = 1;
    if (address_of(host, port, &a) < 0) {
        return -1;
    }
    bool v6 = a.ss_family == AF_INET6;
    socklen_t len = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    /* with this option on both, a socket that does not listen leaves room for one that will */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&a, len) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void tcp_release(int reserved)
{
    if (reserved >= 0) {
        close(reserved);
    }
}

/* ---- connections ------------------------------------------------------------------------------
 */

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
    struct tcp *t = tcp_of(h);
    size_t len = 0;
    char *p = t->calls.room(t->arg, &len);
    *out = uv_buf_init(p, (unsigned)len);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *unused)
{
    struct tcp *t = tcp_of(stream);
    if (n >= 0) {
        t->calls.data(t->arg, (size_t)n);
    } else {
        uv_read_stop(stream);
        t->reading = false;
        t->calls.closed(t->arg);
    }
}

void tcp_start(struct tcp *t, const struct tcp_calls *calls, void *arg)
{
    t->calls = *calls;
    t->arg = arg;
    tcp_pause(t, false);
}

void tcp_pause(struct tcp *t, bool paused)
{
    if (paused == !t->reading || uv_is_closing((uv_handle_t *)&t->uv)) {
        return;
    }
    t->reading = !paused;
    if (paused) {
        uv_read_stop((uv_stream_t *)&t->uv);
    } else {
        uv_read_start((uv_stream_t *)&t->uv, on_room, on_read);
    }
}

const char *tcp_peer(const struct tcp *t)
{
    return t->peer;
}

static void finish_write(struct tcp *t)
{
    loop_fn done = t->done;
    t->done = NULL;
    if (done) {
        done(t->done_arg);
    }
}

static void on_written(uv_write_t *req, int status)
{
    struct tcp *t = tcp_of(req->handle);
    if (status < 0 && !uv_is_closing((uv_handle_t *)&t->uv)) {
        log_debug("writing to %s: %s", t->peer, uv_strerror(status));
    }
    finish_write(t);
}

/** Leaves out the first n bytes. @return how many buffers are left, moved to the front. */
static size_t drop(uv_buf_t *bufs, size_t count, size_t n)
{
    size_t k = 0;
    while (k < count && n >= bufs[k].len) {
        n -= bufs[k++].len;
    }
    if (k < count) {
        bufs[k].base += n;
        bufs[k].len -= n;
    }
    memmove(bufs, bufs + k, (count - k) * sizeof *bufs);
    return count - k;
}

bool tcp_write(struct tcp *t, const struct tcp_part *parts, size_t n, loop_fn done, void *arg)
{
    uv_buf_t few[PARTS_INLINE] = {0}, *bufs = n > PARTS_INLINE ? xmalloc(n * sizeof *bufs) : few;
    for (size_t i = 0; i < n; i++) {
        bufs[i] = uv_buf_init((char *)parts[i].p, (unsigned)parts[i].len);
    }
    t->done = done;
    t->done_arg = arg;
    int sent = uv_try_write((uv_stream_t *)&t->uv, bufs, (unsigned)n);
    size_t left = drop(bufs, n, sent > 0 ? (size_t)sent : 0);
    int rc =
        left == 0 ? 0 : uv_write(&t->req, (uv_stream_t *)&t->uv, bufs, (unsigned)left, on_written);
    if (bufs != few) {
        free(bufs);
    }
    if (left == 0 || rc < 0) { /* an error shows in reading, too */
        finish_write(t);
        return true;
    }
    return false;
}

size_t tcp_unsent(const struct tcp *t)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&t->uv);
}

static void free_tcp(uv_handle_t *h)
{
    struct tcp *t = tcp_of(h);
    finish_write(t);
    free(t);
}

void tcp_close(struct tcp *t)
{
    if (t && !uv_is_closing((uv_handle_t *)&t->uv)) {
        uv_close((uv_handle_t *)&t->uv, free_tcp);
    }
}
