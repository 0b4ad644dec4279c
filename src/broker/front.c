/* SPDX-License-Identifier: Apache-2.0 */
/* Hides connections. Each handles one request at a time: the next frame is looked at when the
 * answer before it has been written, so answers keep their order, and a peer that does not read
 * delays nobody but itself. Bytes of idle connections arrive in one shared buffer; a connection has
 * memory of its own only for what it could not yet handle, and reading stops when that grows.
 * Nothing is allocated because a length says so: memory follows the bytes that really arrive, or
 * arrived in the frame before. */
#include "broker/front.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/chaos.h"
#include "broker/conn.h"
#include "broker/fetch_plan.h"
#include "broker/nodes.h"
#include "broker/trace.h"

enum {
    SCRATCH = 256 << 10, /* also what is read at a time: it fits into a processor's cache */
    READ_STEP = 1 << 20,
    QUEUE_MAX = 1 << 20, /* bytes of further requests while one is being handled */
    ADDS_FROM = 12,      /* Produce: adds its partitions to a transaction */
};

static void pump(struct conn *c);

static void release(struct conn *c)
{
    if (--c->refs == 0) {
        buf_free(&c->in);
        ahead_forget(c);
        free(c);
    }
}

void front_end(struct conn *c)
{
    if (!c->tcp) {
        return;
    }
    struct tcp *t = c->tcp;
    struct call *waiting = c->call;
    c->tcp = NULL;
    if (c->next) {
        c->next->link = c->link;
    }
    *c->link = c->next;
    bounds_forget(c);
    if (waiting) {
        waiting->conn = NULL;
        c->call = NULL;
        release(c);
        if (waiting->cancel) {
            waiting->cancel(waiting);
        }
    }
    tcp_close(t);
    release(c);
}

/* ---- calls ------------------------------------------------------------------------------------
 */

static void free_call(struct call *c)
{
    for (size_t i = 0; i < c->kept.n; i++) {
        plog_drop(c->kept.items[i]);
    }
    free(c->kept.items);
    fetch_plan_free(c);
    free(c->parts.items);
    buf_free(&c->out);
    wire_free(&c->req);
    wire_free(&c->resp);
    free(c->client_id);
    free(c);
}

static void run_due(void *arg)
{
    struct conn *c = arg;
    c->due = false;
    if (c->tcp) {
        pump(c);
    }
    release(c);
}

/** The connection is free for its next request. Never handles it inside of another's. */
static void next_request(struct conn *c)
{
    if (c->pumping || c->due || !c->tcp) {
        return;
    }
    c->due = true;
    c->refs++;
    loop_defer(c->b->loop, run_due, c);
}

static void count(void *arg)
{
    struct conn *c = arg;
    if (c->tcp) {
        bounds_count(c);
    }
    release(c);
}

/** Not now: others may be ended by it, and somebody goes through a list of them. */
static void count_later(struct conn *c)
{
    c->refs++;
    loop_defer(c->b->loop, count, c);
}

/** Parts the call from its connection; frees it. */
static void finish(struct call *c)
{
    struct conn *conn = c->conn;
    if (conn) {
        conn->call = NULL;
        conn->writing = false;
        next_request(conn);
        release(conn);
    }
    free_call(c);
}

static void written(void *arg)
{
    struct call *c = arg;
    if (c->conn) {
        bounds_touch(c->conn);
    }
    finish(c);
}

static void send_answer(struct call *c)
{
    size_t n = c->parts.n, at = 0, k = 0;
    struct tcp_part few[8], *list = 2 * n + 1 > 8 ? xmalloc((2 * n + 1) * sizeof *list) : few;
    for (size_t i = 0; i < n; i++) {
        const struct wire_part *p = &c->parts.items[i];
        list[k++] = (struct tcp_part){c->out.data + at, p->at - at};
        list[k++] = (struct tcp_part){p->p, p->len};
        at = p->at;
    }
    list[k++] = (struct tcp_part){c->out.data + at, c->out.len - at};
    struct conn *conn = c->conn;
    conn->writing = true;
    if (!tcp_write(conn->tcp, list, k, written, c)) {
        conn->unsent = tcp_unsent(conn->tcp);
        count_later(conn);
    }
    if (list != few) {
        free(list);
    }
}

/** The bytes of the answer; nothing borrowed is needed after it. @return -1: there is none. */
static int encode(struct call *c)
{
    struct err e;
    int rc = c->resp.over
                 ? err_set(&e, ERR_PROTOCOL, 0, "closed: the answer would take too much memory")
                 : wire_encode_response(&c->resp, c->correlation, &c->out, &c->parts, &e);
    if (rc < 0) {
        trace_note(c->b, call_peer(c), e.msg);
    }
    fetch_plan_free(c); /* lies in the request */
    wire_free(&c->req);
    wire_free(&c->resp);
    return rc;
}

void call_reply(struct call *c)
{
    c->cancel = NULL;
    trace_answer(c);
    if (c->conn && c->lost && nodes_runs(c->node)) {
        trace_note(c->b, call_peer(c), "closed: on purpose, behind a request, before its answer");
        call_refuse(c);
        return;
    }
    if (!c->conn) {
        free_call(c);
    } else if (encode(c) < 0) {
        call_refuse(c);
    } else if (nodes_answers(c->node)) {
        send_answer(c);
    } else {
        c->next_held = c->node->held;
        c->node->held = c;
    }
}

void call_new_answer(struct call *c)
{
    wire_free(&c->resp);
    wire_init(&c->resp, wire_schema(c->api->key, WIRE_RESPONSE), c->version);
    c->resp.max = bounds_answer(c->b);
}

void call_done(struct call *c)
{
    finish(c);
}

void call_refuse(struct call *c)
{
    struct conn *conn = c->conn;
    c->cancel = NULL;
    if (conn) {
        front_end(conn); /* sets c->conn to NULL */
    }
    free_call(c);
}

const char *call_peer(const struct call *c)
{
    return c->conn && c->conn->tcp ? tcp_peer(c->conn->tcp) : "";
}

/* ---- requests ---------------------------------------------------------------------------------
 */

/** ApiVersions of a version that nobody knows: answered in version 0, as Kafka does. */
static void answer_unsupported(struct call *c)
{
    wire_init(&c->resp, wire_schema(API_API_VERSIONS, WIRE_RESPONSE), 0);
    wire_set_int(&c->resp.root, "ErrorCode", KAFKA_UNSUPPORTED_VERSION);
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "ApiKeys");
    wire_set_int(v, "ApiKey", API_API_VERSIONS);
    wire_set_int(v, "MinVersion", c->api->min);
    wire_set_int(v, "MaxVersion", c->api->max);
    call_reply(c);
}

/** Only a produced blob is read before the handler returns, unless it waits for the end of a
 *  transaction; all else must outlive the view. */
static int decode(struct call *c, const struct wire_header *h, const char *frame, size_t len,
                  struct err *e)
{
    const struct wire_schema *s = wire_schema(h->api, WIRE_REQUEST);
    char *copy = h->api == API_PRODUCE && (h->version < ADDS_FROM || !c->b->steps)
                     ? NULL
                     : xmemdup0(frame, len);
    const char *body = (copy ? copy : frame) + h->body;
    int rc = wire_decode(&c->req, s, h->version, body, len - h->body, e);
    c->req.frame = copy;
    return rc;
}

/** @return false when the connection has to end. */
static bool handle(struct conn *conn, const char *frame, size_t len)
{
    struct wire_header h;
    struct err e;
    if (wire_decode_header(&h, frame, len, &e) < 0) {
        trace_note(conn->b, tcp_peer(conn->tcp), e.msg);
        return false;
    }
    const struct api *api = api_find(h.api);
    bool versions = api && h.api == API_API_VERSIONS && (h.version < 0 || h.version > api->max);
    if (!versions && !api_handles(api, h.version)) {
        err_set(&e, ERR_PROTOCOL, 0, "closed: api %d version %d is not offered", h.api, h.version);
        trace_note(conn->b, tcp_peer(conn->tcp), e.msg);
        return false;
    }
    struct call *c = xcalloc(1, sizeof *c);
    *c = (struct call){.b = conn->b,
                       .node = conn->node,
                       .listener = conn->listener,
                       .api = api,
                       .version = h.version,
                       .size = len,
                       .correlation = h.correlation};
    c->client_id = h.client_id ? xmemdup0(h.client_id, (size_t)h.client_id_len) : NULL;
    if (!versions && decode(c, &h, frame, len, &e) < 0) {
        trace_note(conn->b, tcp_peer(conn->tcp), e.msg);
        free_call(c);
        return false;
    }
    enum chaos_fate fate = versions ? CHAOS_NONE : chaos_fate(conn->b, c);
    if (fate == CHAOS_BEFORE) {
        trace_note(conn->b, tcp_peer(conn->tcp), "closed: on purpose, before a request");
        free_call(c);
        return false;
    }
    c->lost = fate == CHAOS_AFTER;
    c->conn = conn;
    conn->call = c;
    conn->refs++;
    if (versions) {
        answer_unsupported(c);
        return true;
    }
    trace_request(c);
    call_new_answer(c);
    bool alone = conn->in.len > 0 && conn->view_len == 0 && !c->req.frame;
    c->whole = alone ? &conn->in : NULL;
    c->pass = c->req.frame ? NULL : ahead_pass(conn);
    api->handle(c);
    return true;
}

/** -1 = not yet known. */
static int64_t frame_size(const char *p, size_t len)
{
    const uint8_t *u = (const uint8_t *)p;
    if (len < SIZE_BYTES) {
        return -1;
    }
    return (int64_t)u[0] << 24 | (int64_t)u[1] << 16 | (int64_t)u[2] << 8 | u[3];
}

static bool size_ok(const struct conn *c, int64_t size)
{
    return size <= props_get(&c->b->props, NULL, PROP_REQUEST_MAX);
}

/** Handles what is whole. @return false when the connection has to end. */
static bool handle_frames(struct conn *c)
{
    while (c->tcp && !c->call && nodes_runs(c->node)) {
        int64_t size = frame_size(c->view, c->view_len);
        if (size >= 0 && !size_ok(c, size)) {
            trace_note(c->b, tcp_peer(c->tcp), "closed: a frame above socket.request.max.bytes");
            return false;
        }
        if (size < 0 || c->view_len - SIZE_BYTES < (size_t)size) {
            return true;
        }
        const char *frame = c->view + SIZE_BYTES;
        c->large = size <= READ_STEP ? (uint32_t)size + SIZE_BYTES : 0;
        c->view += SIZE_BYTES + (size_t)size;
        c->view_len -= SIZE_BYTES + (size_t)size;
        bool ok = handle(c, frame, (size_t)size);
        ahead_forget(c);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/** What is left of the view moves to the front of memory of our own. */
static void keep_rest(struct conn *c)
{
    if (c->in.len > 0) {
        buf_consume(&c->in, c->in.len - c->view_len);
    } else if (c->view_len > 0) {
        buf_append(&c->in, c->view, c->view_len);
    }
    if (c->in.len == 0) {
        buf_free(&c->in);
    }
    c->view = NULL;
    c->view_len = 0;
}

static void pump(struct conn *c)
{
    c->refs++;
    c->pumping = true;
    if (!c->view) {
        c->view = c->in.data;
        c->view_len = c->in.len;
    }
    bool ok = handle_frames(c);
    c->pumping = false;
    keep_rest(c);
    if (!ok) {
        front_end(c);
    } else if (c->tcp) {
        bounds_count(c);
    }
    if (c->tcp) {
        tcp_pause(c->tcp, (c->call && c->in.len >= QUEUE_MAX) || !nodes_runs(c->node));
    }
    release(c);
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

/** The size of the frame that is arriving in `in`, with what says so; 0 = it is not large. */
static size_t arriving(const struct conn *c)
{
    int64_t size = frame_size(c->in.data, c->in.len) + SIZE_BYTES;
    return size > SCRATCH && size > (int64_t)c->in.len && size_ok(c, size) ? (size_t)size : 0;
}

static char *on_room(void *arg, size_t *len)
{
    enum { MORE = 128 };
    struct conn *c = arg;
    *len = SCRATCH;
    if (c->in.len == 0 && c->large <= SCRATCH) {
        return c->b->scratch;
    }
    if (c->in.len == 0) { /* one like the last one goes where it stays */
        return buf_reserve_exact(&c->in, c->large + c->large / MORE);
    }
    size_t frame = arriving(c);
    if (frame == 0) {
        return buf_reserve(&c->in, SCRATCH);
    }
    size_t missing = frame - c->in.len;
    *len = missing < SCRATCH ? missing : SCRATCH;
    /* what is the last of it has the buffer to itself */
    return missing <= READ_STEP ? buf_reserve_exact(&c->in, missing)
                                : buf_reserve(&c->in, READ_STEP);
}

/** Room was made, and nothing has come. */
static void drop_room(struct conn *c)
{
    if (c->in.len == 0) {
        buf_free(&c->in);
    }
}

static void on_data(void *arg, size_t n)
{
    struct conn *c = arg;
    if (n == 0) {
        drop_room(c);
        return;
    }
    bounds_touch(c);
    if (c->in.cap > 0) {
        c->in.len += n;
        c->view = NULL;
        size_t frame = arriving(c);
        if (frame > 0) {
            ahead_arrived(c, frame);
        }
    } else {
        c->view = c->b->scratch;
        c->view_len = n;
    }
    pump(c);
}

static void on_closed(void *arg)
{
    front_end(arg);
}

static void on_accept(void *arg, struct tcp *t)
{
    static const struct tcp_calls calls = {on_room, on_data, on_closed};
    struct node_listener *at = arg;
    struct broker *b = at->node->b;
    struct conn *c = xcalloc(1, sizeof *c);
    c->b = b;
    c->node = at->node;
    c->listener = at->index;
    c->tcp = t;
    c->refs = 1;
    c->link = &b->conns;
    c->next = b->conns;
    if (c->next) {
        c->next->link = &c->next;
    }
    b->conns = c;
    bounds_touch(c);
    tcp_start(t, &calls, c);
    tcp_pause(t, !nodes_runs(c->node));
}

/* ---- listeners --------------------------------------------------------------------------------
 */

static int open_one(struct node_listener *at, struct err *e)
{
    at->server = tcp_listen(at->node->b->loop, at->host, at->port, on_accept, at, e);
    if (!at->server) {
        return -1;
    }
    at->port = tcp_server_port(at->server);
    return 0;
}

int front_open(struct broker *b, const struct broker_opts *o, struct err *e)
{
    b->scratch = xmalloc(SCRATCH);
    for (int l = 0; l < o->listeners; l++) {
        struct buf list = {0};
        const char *host = o->listen[l].host;
        for (int i = 0; i < b->nnodes; i++) {
            struct node_listener *at = &b->nodes[i].at[l];
            *at = (struct node_listener){.node = &b->nodes[i],
                                         .index = l,
                                         .reserved = -1,
                                         .host = xstrdup(host),
                                         .port = o->listen[l].port ? o->listen[l].port + i : 0};
            if (open_one(at, e) < 0) {
                buf_free(&list);
                return -1;
            }
            buf_printf(&list, strchr(host, ':') ? "%s[%s]:%d" : "%s%s:%d", i ? "," : "", host,
                       at->port);
        }
        b->bootstrap[l] = buf_take(&list);
    }
    return 0;
}

static void close_listeners(struct node *n)
{
    for (int l = 0; l < BROKER_LISTENERS_MAX; l++) {
        tcp_server_close(n->at[l].server);
        n->at[l].server = NULL;
    }
}

void front_close(struct broker *b)
{
    for (int i = 0; i < b->nnodes; i++) {
        close_listeners(&b->nodes[i]);
        front_node_cut(&b->nodes[i]);
        for (int l = 0; l < BROKER_LISTENERS_MAX; l++) {
            struct node_listener *at = &b->nodes[i].at[l];
            tcp_release(at->host ? at->reserved : -1);
            free(at->host);
        }
    }
    for (int l = 0; l < BROKER_LISTENERS_MAX; l++) {
        free(b->bootstrap[l]);
    }
    free(b->scratch);
}

/* ---- nodes ------------------------------------------------------------------------------------
 */

static struct conn *first_of(const struct node *n)
{
    struct conn *c = n->b->conns;
    while (c && c->node != n) {
        c = c->next;
    }
    return c;
}

/** Hands on the answers that were held; without a connection they are freed. */
static void let_go(struct node *n)
{
    struct call *list = n->held;
    n->held = NULL;
    while (list) {
        struct call *c = list;
        list = c->next_held;
        if (c->conn) {
            send_answer(c);
        } else {
            free_call(c);
        }
    }
}

void front_node_cut(struct node *n)
{
    for (struct conn *c = first_of(n); c; c = first_of(n)) {
        front_end(c);
    }
    let_go(n);
}

void front_node_close(struct node *n)
{
    close_listeners(n);
    for (int l = 0; l < n->b->nlisteners; l++) {
        n->at[l].reserved = tcp_reserve(n->at[l].host, n->at[l].port);
    }
    front_node_cut(n);
}

int front_node_open(struct node *n, struct err *e)
{
    for (int l = 0; l < n->b->nlisteners; l++) {
        if (!n->at[l].server && open_one(&n->at[l], e) < 0) {
            return -1;
        }
    }
    for (int l = 0; l < n->b->nlisteners; l++) {
        tcp_release(n->at[l].reserved);
        n->at[l].reserved = -1;
    }
    return 0;
}

void front_node_freeze(struct node *n)
{
    for (struct conn *c = n->b->conns; c; c = c->next) {
        if (c->node == n) {
            tcp_pause(c->tcp, true);
        }
    }
}

void front_node_thaw(struct node *n)
{
    for (struct conn *c = n->b->conns; c; c = c->next) {
        if (c->node == n) {
            next_request(c); /* also reads again */
        }
    }
    let_go(n);
}
