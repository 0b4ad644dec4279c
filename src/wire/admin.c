/* SPDX-License-Identifier: Apache-2.0 */
/* Hides which broker is asked, over which connection and how often: nodes and their connections,
 * who leads a partition and who coordinates a key (both forgotten after any failure), and the loop
 * that repeats what may be repeated until the bound. */
#include "wire/admin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "wire/admin_op.h"
#include "wire/conn.h"

enum {
    PAUSE_MIN_MS = 10,
    PAUSE_MAX_MS = 250,
    SLICE_MIN_MS = 1000, /**< a silent node is given up after this or a third of the bound */
    NS_PER_MS = 1000000,
};

struct node {
    int32_t id; /**< -1: an address of the bootstrap list */
    char *host;
    int port;
    struct conn *conn;
    bool moved; /**< has another address than conn */
};
struct nodes {
    struct node **items; /**< never move: a call in progress holds one */
    size_t n, cap;
};

struct admin {
    char *client_id;
    struct nodes nodes;
    size_t current;     /**< node for questions that any broker answers */
    struct map leaders; /**< topic, NUL, partition -> node id */
    struct map coords;  /**< type, key -> node id */
};

void admin_cancel_by(const atomic_bool *flag)
{
    conn_cancel_by(flag);
}

uint64_t admin_deadline(int timeout_ms)
{
    return clock_mono_ns() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * NS_PER_MS;
}

int admin_left_ms(uint64_t deadline_ns)
{
    uint64_t now = clock_mono_ns();
    return now >= deadline_ns || conn_cancelled()
               ? 0
               : (int)((deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS);
}

bool admin_pause(int ms, uint64_t deadline_ns)
{
    int left = admin_left_ms(deadline_ns);
    if (ms > left) {
        ms = left;
    }
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * NS_PER_MS};
    while (nanosleep(&ts, &ts) < 0) {
    }
    return admin_left_ms(deadline_ns) > 0;
}

int admin_code(struct err *e, int64_t code, const char *fmt, ...)
{
    if (code == KAFKA_NONE) {
        return 0;
    }
    char what[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    err_set(e, ERR_BROKER, (int)code, "%s: %s", what, kafka_error_name((int)code));
    e->retriable = kafka_error_retriable((int)code);
    return -1;
}

static void add_node(struct admin *a, int32_t id, const char *host, size_t len, int port)
{
    struct node *n = xcalloc(1, sizeof *n);
    *n = (struct node){.id = id, .host = xmemdup0(host, len), .port = port};
    *VEC_PUSH(&a->nodes) = n; /* NOLINT(bugprone-sizeof-expression): a list of pointers */
}

/** Reads one "host:port" of [s, end). */
static int add_seed(struct admin *a, const char *s, const char *end, struct err *e)
{
    const char *colon = end;
    while (colon > s && *colon != ':') {
        colon--;
    }
    char *rest = NULL;
    long port = colon > s ? strtol(colon + 1, &rest, 10) : 0;
    const char *host = s, *host_end = colon;
    if (host < host_end && *host == '[' && host_end[-1] == ']') {
        host++;
        host_end--;
    }
    if (rest != end || port < 1 || port > 65535 || host >= host_end) {
        return err_set(e, ERR_USAGE, 0, "bootstrap address \"%.*s\": it is not host:port",
                       (int)(end - s), s);
    }
    add_node(a, -1, host, (size_t)(host_end - host), (int)port);
    return 0;
}

struct admin *admin_open(const char *bootstrap, const char *client_id, struct err *e)
{
    struct admin *a = xcalloc(1, sizeof *a);
    a->client_id = xstrdup(client_id ? client_id : "kaos");
    const char *s = bootstrap ? bootstrap : "";
    for (;;) {
        const char *end = s + strcspn(s, ",");
        if (add_seed(a, s, end, e) < 0) {
            admin_close(a);
            return NULL;
        }
        if (!*end) {
            return a;
        }
        s = end + 1;
    }
}

void admin_close(struct admin *a)
{
    if (!a) {
        return;
    }
    for (size_t i = 0; i < a->nodes.n; i++) {
        conn_close(a->nodes.items[i]->conn);
        free(a->nodes.items[i]->host);
        free(a->nodes.items[i]);
    }
    free(a->nodes.items);
    map_free(&a->leaders);
    map_free(&a->coords);
    free(a->client_id);
    free(a);
}

static struct node *find_node(struct admin *a, int32_t id)
{
    for (size_t i = 0; i < a->nodes.n; i++) {
        if (a->nodes.items[i]->id == id) {
            return a->nodes.items[i];
        }
    }
    return NULL;
}

static void learn_node(struct admin *a, int32_t id, const char *host, int port)
{
    struct node *n = id < 0 ? NULL : find_node(a, id);
    if (id < 0 || !host) {
        return;
    }
    if (!n) {
        add_node(a, id, host, strlen(host), port);
    } else if (strcmp(n->host, host) != 0 || n->port != port) {
        n->moved = true;
        free(n->host);
        n->host = xstrdup(host);
        n->port = port;
    }
}

/** The key of a map entry in b, which the caller frees. */
static void leader_key(struct buf *b, const char *topic, int32_t partition)
{
    buf_append(b, topic, strlen(topic) + 1);
    buf_append(b, &partition, sizeof partition);
}

static void learn_topic(struct admin *a, const struct wire_value *t)
{
    const char *name = wire_str(t, "Name");
    for (size_t i = 0; name && i < wire_count(t, "Partitions"); i++) {
        const struct wire_value *p = wire_at(t, "Partitions", i);
        struct buf key = {0};
        leader_key(&key, name, (int32_t)wire_int(p, "PartitionIndex"));
        map_put(&a->leaders, key.data, key.len, NULL)->i = wire_int(p, "LeaderId");
        buf_free(&key);
    }
}

void admin_learn(struct admin *a, const struct wire_value *root)
{
    for (size_t i = 0; i < wire_count(root, "Brokers"); i++) {
        const struct wire_value *b = wire_at(root, "Brokers", i);
        learn_node(a, (int32_t)wire_int(b, "NodeId"), wire_str(b, "Host"),
                   (int)wire_int(b, "Port"));
    }
    for (size_t i = 0; i < wire_count(root, "Topics"); i++) {
        learn_topic(a, wire_at(root, "Topics", i));
    }
}

static int leader_of(struct admin *a, const struct admin_route *r, uint64_t deadline_ns,
                     struct err *e)
{
    struct buf key = {0};
    leader_key(&key, r->topic, r->partition);
    struct map_entry *m = map_get(&a->leaders, key.data, key.len);
    int rc = 0;
    if (!m || m->i < 0) {
        struct admin_metadata md;
        rc = admin_metadata(a, &r->topic, 1, admin_left_ms(deadline_ns), &md, e);
        if (rc == 0 && md.ntopics > 0) {
            rc = admin_code(e, md.topics[0].error, "metadata of topic %s", r->topic);
        }
        admin_metadata_free(&md);
        m = map_get(&a->leaders, key.data, key.len);
    }
    buf_free(&key);
    if (rc < 0) {
        return -1;
    }
    int code = !m ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_LEADER_NOT_AVAILABLE;
    return m && m->i >= 0 ? (int)m->i
                          : admin_code(e, code, "leader of %s-%d", r->topic, r->partition);
}

static void coord_key(struct buf *b, enum admin_coordinator type, const char *key)
{
    char t = (char)type;
    buf_append(b, &t, 1);
    buf_append(b, key, strlen(key));
}

static int coordinator_of(struct admin *a, const struct admin_route *r, uint64_t deadline_ns,
                          struct err *e)
{
    struct buf key = {0};
    coord_key(&key, r->key_type, r->key);
    struct map_entry *m = map_get(&a->coords, key.data, key.len);
    int id = m && m->i >= 0 ? (int)m->i : -1;
    if (id < 0) {
        id = admin_find_coordinator(a, r->key_type, r->key, admin_left_ms(deadline_ns), e);
    }
    buf_free(&key);
    return id;
}

/** Drops what the failed call relied on. */
static void forget(struct admin *a, const struct admin_route *r)
{
    struct buf key = {0};
    struct map_entry *m = NULL;
    if (r->kind == ROUTE_ANY) {
        a->current++;
        return;
    }
    if (r->kind == ROUTE_LEADER) {
        leader_key(&key, r->topic, r->partition);
        m = map_get(&a->leaders, key.data, key.len);
    } else if (r->kind == ROUTE_COORDINATOR) {
        coord_key(&key, r->key_type, r->key);
        m = map_get(&a->coords, key.data, key.len);
    }
    if (m) {
        m->i = -1;
    }
    buf_free(&key);
}

/** The node of a route; it may still be without a connection. */
static struct node *choose(struct admin *a, const struct admin_route *r, uint64_t deadline_ns,
                           struct err *e)
{
    int id = r->node;
    if (r->kind == ROUTE_ANY) {
        return a->nodes.items[a->current % a->nodes.n];
    }
    if (r->kind == ROUTE_LEADER) {
        id = leader_of(a, r, deadline_ns, e);
    } else if (r->kind == ROUTE_COORDINATOR) {
        id = coordinator_of(a, r, deadline_ns, e);
    }
    if (id < 0) {
        return NULL;
    }
    struct node *n = find_node(a, id);
    if (!n) {
        struct admin_metadata md;
        const char *none = NULL;
        int rc = admin_metadata(a, &none, 0, admin_left_ms(deadline_ns), &md, e);
        admin_metadata_free(&md);
        n = find_node(a, id);
        if (!n && rc == 0) {
            int code =
                r->kind == ROUTE_NODE ? KAFKA_BROKER_NOT_AVAILABLE : KAFKA_LEADER_NOT_AVAILABLE;
            admin_code(e, code, "node %d is not in the cluster's metadata", id);
        }
    }
    return n;
}

static void drop_conn(struct node *n)
{
    conn_close(n->conn);
    n->conn = NULL;
    n->moved = false;
}

static int ask(struct admin *a, struct node *n, const struct admin_op *op, uint64_t deadline_ns,
               struct err *e)
{
    struct wire_msg req, resp;
    if (n->moved) {
        drop_conn(n);
    }
    if (!n->conn) {
        n->conn = conn_open(n->host, n->port, a->client_id, deadline_ns, e);
        if (!n->conn) {
            return err_wrap(e, "%s", wire_api_name(op->api));
        }
    }
    int version = conn_version(n->conn, op->api, op->version, e);
    if (version < 0) {
        return -1;
    }
    wire_init(&req, wire_schema(op->api, WIRE_REQUEST), (int16_t)version);
    op->build(op->ctx, &req);
    int rc = conn_call(n->conn, &req, &resp, deadline_ns, e);
    wire_free(&req);
    if (rc < 0) {
        e->fatal = op->single; /* it may have been applied */
        drop_conn(n);
    } else {
        rc = op->parse(op->ctx, &resp, e);
        if (rc < 0) {
            bool again = e->retriable;
            err_wrap(e, "%s to %s", wire_api_name(op->api), conn_address(n->conn));
            e->retriable = again;
        }
    }
    wire_free(&resp);
    return rc;
}

static int attempt(struct admin *a, const struct admin_op *op, int slice_ms, uint64_t deadline_ns,
                   struct err *e)
{
    uint64_t slice = admin_deadline(slice_ms);
    slice = slice < deadline_ns ? slice : deadline_ns;
    struct node *n = choose(a, &op->route, slice, e);
    return n ? ask(a, n, op, slice, e) : -1;
}

static bool may_repeat(const struct err *e)
{
    if (e->fatal) {
        return false;
    }
    return e->kind == ERR_SYSTEM || e->kind == ERR_TIMEOUT || e->retriable;
}

/** Turns the last problem into a timeout; of a look-up that gave up only its own last problem. */
static int give_up(const struct admin_op *op, int timeout_ms, struct err *e)
{
    static const char mark[] = "at last ";
    struct err last = *e;
    const char *inner = strstr(last.msg, mark);
    return err_set(e, ERR_TIMEOUT, last.kind == ERR_BROKER ? last.code : 0,
                   "%s: no success within %d ms, %s%s", wire_api_name(op->api), timeout_ms, mark,
                   inner ? inner + sizeof mark - 1 : last.msg);
}

int admin_run(struct admin *a, const struct admin_op *op, int timeout_ms, struct err *e)
{
    uint64_t deadline_ns = admin_deadline(timeout_ms);
    int slice_ms = timeout_ms / 3 > SLICE_MIN_MS ? timeout_ms / 3 : SLICE_MIN_MS;
    for (int pause_ms = PAUSE_MIN_MS;;
         pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms * 2 : pause_ms) {
        err_clear(e);
        if (attempt(a, op, slice_ms + op->hold_ms, deadline_ns, e) == 0) {
            return 0;
        }
        forget(a, &op->route);
        if (!may_repeat(e)) {
            return -1;
        }
        bool other_node = op->route.kind == ROUTE_ANY && a->current % a->nodes.n != 0;
        int wait_ms = other_node ? 0 : pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
        if (!admin_pause(wait_ms, deadline_ns)) {
            break;
        }
    }
    return give_up(op, timeout_ms, e);
}

struct coordinator_ctx {
    struct admin *a;
    enum admin_coordinator type;
    const char *key;
    int32_t node;
};

static void build_coordinator(void *ctx, struct wire_msg *req)
{
    struct coordinator_ctx *c = ctx;
    wire_set_str(req, &req->root, "Key", c->key);
    wire_set_int(&req->root, "KeyType", c->type);
}

static int parse_coordinator(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct coordinator_ctx *c = ctx;
    const struct wire_value *r = &resp->root;
    if (admin_code(e, wire_int(r, "ErrorCode"), "coordinator of %s %s",
                   c->type == ADMIN_GROUP ? "group" : "transactional id", c->key) < 0) {
        return -1;
    }
    c->node = (int32_t)wire_int(r, "NodeId");
    if (c->node < 0) {
        return admin_code(e, KAFKA_COORDINATOR_NOT_AVAILABLE, "coordinator of %s", c->key);
    }
    learn_node(c->a, c->node, wire_str(r, "Host"), (int)wire_int(r, "Port"));
    return 0;
}

int admin_find_coordinator(struct admin *a, enum admin_coordinator type, const char *key,
                           int timeout_ms, struct err *e)
{
    struct coordinator_ctx c = {.a = a, .type = type, .key = key};
    struct admin_op op = {.api = API_FIND_COORDINATOR,
                          .version = 3,
                          .build = build_coordinator,
                          .parse = parse_coordinator,
                          .ctx = &c};
    if (admin_run(a, &op, timeout_ms, e) < 0) {
        return -1;
    }
    struct buf k = {0};
    coord_key(&k, type, key);
    map_put(&a->coords, k.data, k.len, NULL)->i = c.node;
    buf_free(&k);
    return c.node;
}

static void build_nothing(void *ctx, struct wire_msg *req)
{
    wire_set_str(req, &req->root, "ClientSoftwareName", "kaos");
    wire_set_str(req, &req->root, "ClientSoftwareVersion", KAOS_VERSION);
}

struct feature_ctx {
    const char *name;
    int level;
};

static int parse_feature(void *ctx, const struct wire_msg *resp, struct err *e)
{
    struct feature_ctx *f = ctx;
    const struct wire_value *r = &resp->root;
    for (size_t i = 0; i < wire_count(r, "FinalizedFeatures"); i++) {
        const struct wire_value *v = wire_at(r, "FinalizedFeatures", i);
        if (strcmp(wire_str(v, "Name"), f->name) == 0) {
            f->level = (int)wire_int(v, "MaxVersionLevel");
        }
    }
    return admin_code(e, wire_int(r, "ErrorCode"), "feature %s", f->name);
}

int admin_feature(struct admin *a, const char *name, int timeout_ms, struct err *e)
{
    struct feature_ctx f = {.name = name};
    struct admin_op op = {.api = API_API_VERSIONS,
                          .version = 3,
                          .build = build_nothing,
                          .parse = parse_feature,
                          .ctx = &f};
    return admin_run(a, &op, timeout_ms, e) < 0 ? -1 : f.level;
}
