/* SPDX-License-Identifier: Apache-2.0 */
/* Hides sockets: a non-blocking TCP connection that is waited for with poll() until an absolute
 * deadline, frames and correlation ids. One request is in flight at a time. */
#include "wire/conn.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "wire/kafka_error.h"
#include "wire/resolve.h"

enum {
    FRAME_MAX = 512 << 20, /**< bytes of one answer */
    READ_STEP = 1 << 20,   /**< memory is taken as bytes arrive, not as the peer promises */
    LOOK_MS = 100,         /**< how often a wait looks whether it is still wanted */
    NS_PER_MS = 1000000,
};

static _Thread_local const atomic_bool *unwanted;

struct conn {
    int fd;
    char *address, *client_id;
    int32_t correlation;
    struct wire_msg versions; /**< the broker's ApiVersions answer */
};

void conn_cancel_by(const atomic_bool *flag)
{
    unwanted = flag;
}

bool conn_cancelled(void)
{
    return unwanted && atomic_load(unwanted);
}

/** @return 1 ready, 0 deadline or cancelled, -1 error with errno. */
static int wait_for(int fd, short events, uint64_t deadline_ns)
{
    for (;;) {
        uint64_t now = clock_mono_ns();
        uint64_t left_ms = now >= deadline_ns ? 0 : (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS;
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, left_ms > LOOK_MS ? LOOK_MS : (int)left_ms);
        if (n > 0) {
            return 1;
        }
        if (n == 0 && (clock_mono_ns() >= deadline_ns || conn_cancelled())) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -1;
        }
    }
}

static int connect_one(struct conn *c, const struct addrinfo *ai, uint64_t deadline_ns,
                       struct err *e)
{
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_sys(e, "socket for %s", c->address);
    }
    int one = 1, problem = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
        problem = errno;
    }
    if (problem == EINPROGRESS || problem == EINTR) {
        socklen_t len = sizeof problem;
        int ready = wait_for(fd, POLLOUT, deadline_ns);
        if (ready == 0) {
            close(fd);
            return err_set(e, ERR_TIMEOUT, 0, "connecting to %s: no answer", c->address);
        }
        if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &len) < 0) {
            problem = errno;
        }
    }
    if (problem) {
        close(fd);
        errno = problem;
        return err_sys(e, "connecting to %s", c->address);
    }
    c->fd = fd;
    return 0;
}

static int connect_any(struct conn *c, const char *host, int port, uint64_t deadline_ns,
                       struct err *e)
{
    struct addrinfo *list = resolve(host, port, deadline_ns, e);
    if (!list) {
        return -1;
    }
    int rc = err_set(e, ERR_SYSTEM, 0, "connecting to %s: no address", c->address);
    for (struct addrinfo *ai = list; ai && rc < 0; ai = ai->ai_next) {
        rc = connect_one(c, ai, deadline_ns, e);
    }
    freeaddrinfo(list);
    return rc;
}

static int send_all(struct conn *c, const char *p, size_t len, uint64_t deadline_ns, struct err *e)
{
    while (len > 0) {
        ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            int ready = wait_for(c->fd, POLLOUT, deadline_ns);
            if (ready == 0) {
                return err_set(e, ERR_TIMEOUT, 0, "the broker does not take the request");
            }
            if (ready < 0) {
                return err_sys(e, "waiting to send");
            }
        } else {
            return err_sys(e, "sending");
        }
    }
    return 0;
}

static int read_some(struct conn *c, char *p, size_t len, size_t *got, uint64_t deadline_ns,
                     struct err *e)
{
    for (;;) {
        ssize_t n = recv(c->fd, p, len, 0);
        if (n > 0) {
            *got = (size_t)n;
            return 0;
        }
        if (n == 0) {
            errno = ECONNRESET;
            return err_sys(e, "the broker closed the connection");
        }
        if (errno != EAGAIN && errno != EINTR) {
            return err_sys(e, "reading");
        }
        int ready = wait_for(c->fd, POLLIN, deadline_ns);
        if (ready == 0) {
            return err_set(e, ERR_TIMEOUT, 0, "no answer");
        }
        if (ready < 0) {
            return err_sys(e, "waiting for the answer");
        }
    }
}

static int read_all(struct conn *c, struct buf *b, size_t len, uint64_t deadline_ns, struct err *e)
{
    while (len > 0) {
        size_t step = len < READ_STEP ? len : READ_STEP, got = 0;
        if (read_some(c, buf_reserve(b, step), step, &got, deadline_ns, e) < 0) {
            return -1;
        }
        b->len += got;
        len -= got;
    }
    return 0;
}

/** The number at the start of b, -1 if it is shorter. */
static int32_t first_int(const struct buf *b)
{
    uint8_t u[4];
    if (!b->data || b->len < sizeof u) {
        return -1;
    }
    memcpy(u, b->data, sizeof u);
    return (int32_t)((uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3]);
}

/** Reads one frame into b (correlation id first). */
static int read_frame(struct conn *c, struct buf *b, uint64_t deadline_ns, struct err *e)
{
    struct buf head = {0};
    int rc = read_all(c, &head, 4, deadline_ns, e);
    int32_t size = first_int(&head);
    buf_free(&head);
    if (rc < 0) {
        return -1;
    }
    if (size < 4 || size > FRAME_MAX) {
        return err_set(e, ERR_PROTOCOL, 0, "a frame of %d bytes (is this a Kafka listener?)", size);
    }
    return read_all(c, b, (size_t)size, deadline_ns, e);
}

/** Bytes of the response header in a frame: correlation id and a section of tagged fields, which
 *  no version of Kafka fills. @return 0 if they make no sense. */
static size_t header_size(const struct wire_schema *s, int16_t version, const struct buf *b)
{
    if (!wire_header_tagged(s, version)) {
        return 4;
    }
    return b->len > 4 && b->data[4] == 0 ? 5 : 0;
}

static int exchange(struct conn *c, const struct wire_msg *req, struct buf *answer,
                    uint64_t deadline_ns, struct err *e)
{
    struct buf frame = {0};
    int32_t id = c->correlation++;
    int rc = wire_encode_request(req, id, c->client_id, &frame, e);
    if (rc == 0) {
        rc = send_all(c, frame.data, frame.len, deadline_ns, e);
    }
    buf_free(&frame);
    if (rc < 0 || read_frame(c, answer, deadline_ns, e) < 0) {
        return -1;
    }
    if (first_int(answer) != id) {
        return err_set(e, ERR_PROTOCOL, 0, "answer to request %d instead of %d", first_int(answer),
                       id);
    }
    return 0;
}

int conn_call(struct conn *c, const struct wire_msg *req, struct wire_msg *resp,
              uint64_t deadline_ns, struct err *e)
{
    const struct wire_schema *s = wire_schema(req->schema->api, WIRE_RESPONSE);
    struct buf b = {0};
    wire_init(resp, s, req->version);
    int rc = exchange(c, req, &b, deadline_ns, e);
    size_t skip = rc < 0 ? 0 : header_size(s, req->version, &b);
    if (rc == 0 && skip == 0) {
        rc = err_set(e, ERR_PROTOCOL, 0, "the header of %s makes no sense", s->name);
    }
    if (rc == 0) {
        wire_free(resp);
        rc = wire_decode(resp, s, req->version, b.data + skip, b.len - skip, e);
        resp->frame = buf_take(&b);
    }
    buf_free(&b);
    return rc < 0 ? err_wrap(e, "%s to %s", wire_api_name(req->schema->api), c->address) : 0;
}

static int ask_versions(struct conn *c, uint64_t deadline_ns, struct err *e)
{
    struct wire_msg req;
    wire_init(&req, wire_schema(API_API_VERSIONS, WIRE_REQUEST), 3);
    wire_set_str(&req, &req.root, "ClientSoftwareName", "kaos");
    wire_set_str(&req, &req.root, "ClientSoftwareVersion", KAOS_VERSION);
    int rc = conn_call(c, &req, &c->versions, deadline_ns, e);
    wire_free(&req);
    if (rc < 0) {
        return -1;
    }
    int code = (int)wire_int(&c->versions.root, "ErrorCode");
    if (code != KAFKA_NONE) {
        return err_set(e, ERR_BROKER, code, "ApiVersions to %s: %s", c->address,
                       kafka_error_name(code));
    }
    return 0;
}

struct conn *conn_open(const char *host, int port, const char *client_id, uint64_t deadline_ns,
                       struct err *e)
{
    struct conn *c = xcalloc(1, sizeof *c);
    c->fd = -1;
    c->client_id = xstrdup(client_id);
    c->address =
        strchr(host, ':') ? xasprintf("[%s]:%d", host, port) : xasprintf("%s:%d", host, port);
    if (connect_any(c, host, port, deadline_ns, e) < 0 || ask_versions(c, deadline_ns, e) < 0) {
        conn_close(c);
        return NULL;
    }
    return c;
}

void conn_close(struct conn *c)
{
    if (!c) {
        return;
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    wire_free(&c->versions);
    free(c->address);
    free(c->client_id);
    free(c);
}

const char *conn_address(const struct conn *c)
{
    return c->address;
}

int conn_version(const struct conn *c, int16_t api, int want, struct err *e)
{
    const struct wire_schema *s = wire_schema(api, WIRE_REQUEST);
    const struct wire_value *root = &c->versions.root;
    for (size_t i = 0; i < wire_count(root, "ApiKeys"); i++) {
        const struct wire_value *k = wire_at(root, "ApiKeys", i);
        if (wire_int(k, "ApiKey") != api) {
            continue;
        }
        int low = (int)wire_int(k, "MinVersion"), high = (int)wire_int(k, "MaxVersion");
        low = low < s->min ? s->min : low;
        high = high > want ? want : high;
        high = high > s->max ? s->max : high;
        if (low <= high) {
            return high;
        }
        return err_set(e, ERR_BROKER, 35, "%s: %s offers %s only in versions %d to %d", s->name,
                       c->address, s->name, (int)wire_int(k, "MinVersion"),
                       (int)wire_int(k, "MaxVersion"));
    }
    return err_set(e, ERR_BROKER, 35, "%s does not offer %s", c->address, s->name);
}

int conn_feature(const struct conn *c, const char *name)
{
    const struct wire_value *root = &c->versions.root;
    for (size_t i = 0; i < wire_count(root, "FinalizedFeatures"); i++) {
        const struct wire_value *f = wire_at(root, "FinalizedFeatures", i);
        if (strcmp(wire_str(f, "Name"), name) == 0) {
            return (int)wire_int(f, "MaxVersionLevel");
        }
    }
    return 0;
}
