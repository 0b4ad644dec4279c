/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the frames of a client without a library: what a request costs is then the server's time
 * and two calls into the kernel. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "rows.h"
#include "wire/batch.h"

enum {
    SIZE = 4,
    VERSION = 7,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21,
    AT_SEQUENCE = 53,
    PAUSE_NS = 5000000
};

void raw_open(struct raw *r, const struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
    int yes = 1;
    *r = (struct raw){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (r->fd < 0 || inet_pton(AF_INET, s->host, &a.sin_addr) != 1 ||
        connect(r->fd, (struct sockaddr *)&a, sizeof a) != 0) {
        bench_die("%s: %s", s->bootstrap, strerror(errno));
    }
    setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void raw_close(struct raw *r)
{
    close(r->fd);
    buf_free(&r->in);
}

void raw_send(struct raw *r, const void *frame, size_t len)
{
    const char *p = frame;
    while (len > 0) {
        ssize_t n = send(r->fd, p, len, MSG_NOSIGNAL);
        if (n < 0) {
            bench_die("the server ended the connection: %s", strerror(errno));
        }
        p += n;
        len -= (size_t)n;
    }
}

static void read_more(struct raw *r, size_t room)
{
    ssize_t n = recv(r->fd, buf_reserve(&r->in, room), room, 0);
    if (n <= 0) {
        bench_die("the server ended the connection: %s", n < 0 ? strerror(errno) : "end of file");
    }
    r->in.len += (size_t)n;
}

void raw_wait(struct raw *r)
{
    enum { FEW = 4096 };
    uint8_t head[SIZE];
    r->in.len = 0;
    while (r->in.len < SIZE) {
        read_more(r, FEW);
    }
    memcpy(head, r->in.data, SIZE);
    size_t size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    while (r->in.len < SIZE + size) {
        read_more(r, SIZE + size - r->in.len);
    }
}

int raw_code(const struct raw *r, size_t from_end)
{
    if (r->in.len < SIZE + from_end) {
        bench_die("an answer of %zu bytes has no error code", r->in.len);
    }
    const uint8_t *p = (const uint8_t *)r->in.data + r->in.len - from_end;
    return (int16_t)(p[0] << 8 | p[1]);
}

void raw_begin(struct wire_msg *m, int16_t api, int16_t version)
{
    wire_init(m, wire_schema(api, WIRE_REQUEST), version);
}

void raw_call(struct raw *r, struct wire_msg *req, struct wire_msg *resp)
{
    struct buf out = {0};
    struct err e;
    enum { CORRELATION = 4 };
    const struct wire_schema *s = wire_schema(req->schema->api, WIRE_RESPONSE);
    if (wire_encode_request(req, 1, "bench", &out, &e) < 0) {
        bench_die("%s", e.msg);
    }
    raw_send(r, out.data, out.len);
    raw_wait(r);
    size_t skip = SIZE + CORRELATION + (wire_header_tagged(s, req->version) ? 1 : 0);
    if (wire_decode(resp, s, req->version, r->in.data + skip, r->in.len - skip, &e) < 0) {
        bench_die("%s", e.msg);
    }
    buf_free(&out);
    wire_free(req);
}

/* ---- batches ----------------------------------------------------------------------------------
 */

static void make_batch(struct buf *out, const struct raw_batch *b)
{
    struct record *records = xcalloc((size_t)b->records, sizeof *records);
    uint8_t *value = xmalloc((size_t)b->size);
    struct timespec ts;
    struct err e;
    clock_gettime(CLOCK_REALTIME, &ts);
    memset(value, 'x', (size_t)b->size);
    for (int i = 0; i < b->records; i++) {
        records[i] = (struct record){.timestamp = ts.tv_sec * 1000,
                                     .offset_delta = i,
                                     .key_len = -1,
                                     .value = value,
                                     .value_len = b->size};
    }
    struct batch_opts o = {.transactional = b->txn_id != NULL,
                           .producer_id = b->txn_id ? b->producer_id : -1,
                           .producer_epoch = (int16_t)(b->txn_id ? b->epoch : -1),
                           .base_sequence = b->txn_id ? 0 : -1};
    if (batch_write(out, &o, records, b->records, &e) < 0) {
        bench_die("%s", e.msg);
    }
    free(records);
    free(value);
}

void raw_produce_frame(struct buf *out, const char *topic, int32_t partition,
                       const struct raw_batch *b, size_t *at)
{
    struct wire_msg m;
    struct buf batch = {0};
    struct err e;
    make_batch(&batch, b);
    raw_begin(&m, API_PRODUCE, VERSION);
    wire_set_str(&m, &m.root, "TransactionalId", b->txn_id);
    wire_set_int(&m.root, "Acks", -1);
    wire_set_int(&m.root, "TimeoutMs", 10000);
    struct wire_value *t = wire_add(&m, &m.root, "TopicData");
    wire_set_str(&m, t, "Name", topic);
    struct wire_value *p = wire_add(&m, t, "PartitionData");
    wire_set_int(p, "Index", partition);
    wire_set_blob(p, "Records", batch.data, batch.len);
    if (wire_encode_request(&m, 1, "bench", out, &e) < 0) {
        bench_die("%s", e.msg);
    }
    *at = out->len - batch.len;
    wire_free(&m);
    buf_free(&batch);
}

static void put32(uint8_t *p, uint32_t u)
{
    for (unsigned i = 0; i < 4; i++) {
        p[i] = (uint8_t)(u >> 8 * (3 - i));
    }
}

void raw_set_sequence(struct buf *frame, size_t at, int32_t sequence)
{
    uint8_t *batch = (uint8_t *)frame->data + at;
    put32(batch + AT_SEQUENCE, (uint32_t)sequence);
    put32(batch + AT_CRC, crc32c(batch + AT_ATTRIBUTES, frame->len - at - AT_ATTRIBUTES));
}

static bool has_leaders(const struct wire_msg *resp)
{
    if (wire_count(&resp->root, "Topics") != 1) {
        return false;
    }
    const struct wire_value *t = wire_at(&resp->root, "Topics", 0);
    for (size_t i = 0; i < wire_count(t, "Partitions"); i++) {
        const struct wire_value *p = wire_at(t, "Partitions", i);
        if (wire_int(p, "ErrorCode") || wire_int(p, "LeaderId") < 0) {
            return false;
        }
    }
    return wire_int(t, "ErrorCode") == 0 && wire_count(t, "Partitions") > 0;
}

void raw_topic_ready(struct raw *r, const char *topic)
{
    enum { TRIES = 2000, METADATA = 4 };
    bool ready = false;
    for (int i = 0; !ready && i < TRIES; i++) {
        struct wire_msg req, resp;
        raw_begin(&req, API_METADATA, METADATA);
        wire_set_str(&req, wire_add(&req, &req.root, "Topics"), "Name", topic);
        raw_call(r, &req, &resp);
        ready = has_leaders(&resp);
        wire_free(&resp);
        if (!ready) {
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        }
    }
    if (!ready) {
        bench_die("%s has no leader", topic);
    }
}
