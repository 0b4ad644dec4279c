/* SPDX-License-Identifier: Apache-2.0 */
/* Hides TCP below frames: names and addresses, and that reading and writing poll two descriptors of
 * one connection. */
#include "io/link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/handle.h"
#include "io/writer.h"

enum { BACKLOG = 128, ADDRESSES_MAX = 256 };

struct link {
    struct pipe_reader *in;
    struct writer *out;
};

/* Addresses. */

static struct addrinfo *resolve(const char *address, int flags, struct err *e)
{
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *found = NULL;
    if (!colon || !colon[1]) {
        err_set(e, ERR_USAGE, 0, "'%s' is not HOST:PORT", address);
        return NULL;
    }
    char *host = xmemdup0(address, (size_t)(colon - address));
    int rc = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &found);
    free(host);
    if (rc != 0) {
        err_set(e, ERR_SYSTEM, 0, "%s: %s", address, gai_strerror(rc));
        return NULL;
    }
    return found;
}

static int by_bytes(const void *a, const void *b)
{
    const struct addrinfo *x = *(struct addrinfo *const *)a, *y = *(struct addrinfo *const *)b;
    if (x->ai_addrlen != y->ai_addrlen) {
        return x->ai_addrlen < y->ai_addrlen ? -1 : 1;
    }
    return memcmp(x->ai_addr, y->ai_addr, x->ai_addrlen);
}

/** The turn-th address in an order that does not depend on the resolver's. */
static const struct addrinfo *pick(struct addrinfo *list, unsigned turn)
{
    struct addrinfo *all[ADDRESSES_MAX];
    size_t n = 0;
    for (struct addrinfo *a = list; a && n < ADDRESSES_MAX; a = a->ai_next) {
        all[n++] = a;
    }
    qsort(all, n, sizeof *all, by_bytes);
    return all[turn % n];
}

static int await_connect(int fd, int limit_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int code = 0, n;
    socklen_t len = sizeof code;
    while ((n = poll(&p, 1, limit_ms)) < 0 && errno == EINTR) {
    }
    if (n == 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0) {
        return -1;
    }
    errno = code;
    return code ? -1 : 0;
}

int link_connect(const char *address, unsigned turn, int limit_ms, struct err *e)
{
    struct addrinfo *list = resolve(address, AI_ADDRCONFIG, e);
    if (!list) {
        return -1;
    }
    const struct addrinfo *a = pick(list, turn);
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int rc = fd < 0 ? -1 : connect(fd, a->ai_addr, a->ai_addrlen);
    if (fd >= 0 && rc < 0 && errno == EINPROGRESS) {
        rc = await_connect(fd, limit_ms);
    }
    if (rc < 0) {
        err_sys(e, "connecting to %s", address);
        if (fd >= 0) {
            close(fd);
        }
        fd = -1;
    }
    freeaddrinfo(list);
    return fd;
}

/* Connections. */

struct link *link_new(struct loop *l, int fd, pipe_fn fn, void *arg)
{
    struct link *k = xcalloc(1, sizeof *k);
    int on = 1, out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    k->out = writer_new(l, out);
    k->in = pipe_reader_new(l, fd, fn, arg);
    return k;
}

void link_send(struct link *k, uint8_t type, const void *data, uint32_t len)
{
    writer_send(k->out, type, data, len);
}

size_t link_queued(const struct link *k)
{
    return writer_queued(k->out);
}

void link_free(struct link *k)
{
    if (k) {
        writer_free(k->out);
        pipe_reader_free(k->in);
        free(k);
    }
}

/* Servers. */

struct link_server {
    struct handle handle;
    uv_poll_t poll;
    int fd, port;
    link_accept_fn fn;
    void *arg;
};

static void on_closed(uv_handle_t *uv)
{
    struct link_server *s = (struct link_server *)uv->data;
    close(s->fd);
    free(s);
}

static void close_server(struct handle *h)
{
    link_server_free((struct link_server *)h);
}

static void on_incoming(uv_poll_t *poll, int status, int events)
{
    struct link_server *s = (struct link_server *)poll->data;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        s->fn(s->arg, fd);
    }
}

static int listen_on(const struct addrinfo *a, struct err *e, const char *address)
{
    int on = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return err_sys(e, "listening on %s", address);
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        err_sys(e, "listening on %s", address);
        close(fd);
        return -1;
    }
    return fd;
}

static int bound_port(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        return 0;
    }
    return at.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&at)->sin6_port)
                                    : ntohs(((struct sockaddr_in *)&at)->sin_port);
}

struct link_server *link_listen(struct loop *l, const char *address, link_accept_fn fn, void *arg,
                                struct err *e)
{
    struct addrinfo *list = resolve(address, AI_PASSIVE, e);
    int fd = list ? listen_on(list, e, address) : -1;
    if (list) {
        freeaddrinfo(list);
    }
    if (fd < 0) {
        return NULL;
    }
    struct link_server *s = xcalloc(1, sizeof *s);
    s->handle = (struct handle){"link server", close_server};
    s->fd = fd;
    s->port = bound_port(fd);
    s->fn = fn;
    s->arg = arg;
    uv_poll_init(loop_uv(l), &s->poll, fd);
    s->poll.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_incoming);
    return s;
}

int link_server_port(const struct link_server *s)
{
    return s->port;
}

void link_server_free(struct link_server *s)
{
    if (s && !uv_is_closing((uv_handle_t *)&s->poll)) {
        uv_close((uv_handle_t *)&s->poll, on_closed);
    }
}
