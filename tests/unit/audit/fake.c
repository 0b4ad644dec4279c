/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"
#include "wire/schema.h"

enum { CONNECTIONS = 32, REQUEST_MAX = 1 << 16 };

/* ---- the log --------------------------------------------------------------------------------- */

void fake_init(struct fake *f)
{
    *f = (struct fake){.later_start = -1, .later_hw = -1, .open_pid = -1, .open_start = -1};
}

static size_t append(struct fake *f, const struct batch_opts *o, const struct record *r, int n)
{
    struct err e = {0};
    size_t at = f->log.len;
    CHECK(f->nbatches < FAKE_BATCHES);
    CHECK_INT(batch_write(&f->log, o, r, n, &e), 0);
    f->batches[f->nbatches].at = at;
    f->batches[f->nbatches].len = f->log.len - at;
    f->hw += n;
    f->lso = f->hw;
    f->batches[f->nbatches++].last = f->hw - 1;
    return at;
}

size_t fake_data(struct fake *f, int64_t pid, int16_t epoch, bool transactional, int n)
{
    struct record r[8] = {0};
    for (int i = 0; i < n; i++) {
        r[i] = (struct record){.timestamp = 1000, .key_len = -1, .value_len = -1};
    }
    struct batch_opts o = {.base_offset = f->hw,
                           .transactional = transactional,
                           .producer_id = pid,
                           .producer_epoch = epoch};
    return append(f, &o, r, n);
}

size_t fake_control(struct fake *f, int64_t pid, int16_t epoch, int16_t type)
{
    const uint8_t key[4] = {0, 0, 0, (uint8_t)type}, value[6] = {0};
    struct record r = {.timestamp = 1000, .key = key, .key_len = 4, .value = value, .value_len = 6};
    struct batch_opts o = {.base_offset = f->hw,
                           .transactional = true,
                           .control = true,
                           .producer_id = pid,
                           .producer_epoch = epoch,
                           .base_sequence = -1};
    return append(f, &o, &r, 1);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void answer_versions(struct wire_msg *resp)
{
    for (int16_t api = 0; api < 100; api++) {
        const struct wire_schema *s = wire_schema(api, WIRE_REQUEST);
        if (s) {
            struct wire_value *k = wire_add(resp, &resp->root, "ApiKeys");
            wire_set_int(k, "ApiKey", api);
            wire_set_int(k, "MinVersion", s->min);
            wire_set_int(k, "MaxVersion", s->max);
        }
    }
}

static void add_topic(struct wire_msg *resp, const char *name, int leader)
{
    struct wire_value *t = wire_add(resp, &resp->root, "Topics");
    wire_set_str(resp, t, "Name", name);
    wire_set_int(t, "IsInternal", name[0] == '_');
    struct wire_value *p = wire_add(resp, t, "Partitions");
    wire_set_int(p, "LeaderId", leader);
}

static void answer_metadata(struct fake *f, const struct wire_msg *req, struct wire_msg *resp)
{
    struct wire_value *b = wire_add(resp, &resp->root, "Brokers");
    wire_set_str(resp, b, "Host", "127.0.0.1");
    wire_set_int(b, "Port", f->port);
    const struct wire_value *topics = wire_get(&req->root, "Topics");
    if (topics->a.n != 0) {
        add_topic(resp, "t", 0);
        add_topic(resp, "__transaction_state", f->coordinator);
        for (int i = 0; i < topics->a.n; i++) {
            const char *name = wire_str(wire_at(&req->root, "Topics", (size_t)i), "Name");
            if (strcmp(name, "__transaction_state") == 0 && topics->a.n == 1) {
                struct wire_value *all = (struct wire_value *)wire_get(&resp->root, "Topics");
                all->a.items[0] = all->a.items[1];
                all->a.n = 1;
            }
        }
    }
}

static void answer_offsets(struct fake *f, const struct wire_msg *req, struct wire_msg *resp)
{
    const struct wire_value *ask = wire_at(&req->root, "Topics", 0);
    const struct wire_value *part = wire_at(ask, "Partitions", 0);
    bool committed = wire_int(&req->root, "IsolationLevel") == 1;
    bool ours = strcmp(wire_str(ask, "Name"), "t") == 0;
    struct wire_value *t = wire_add(resp, &resp->root, "Topics");
    wire_set_str(resp, t, "Name", wire_str(ask, "Name"));
    struct wire_value *p = wire_add(resp, t, "Partitions");
    int64_t latest = committed ? f->lso : f->hw;
    int64_t at = wire_int(part, "Timestamp") == -2 ? f->log_start : latest;
    wire_set_int(p, "Offset", ours ? at : 0);
}

static void answer_fetch(struct fake *f, const struct wire_msg *req, struct wire_msg *resp)
{
    const struct wire_value *ask = wire_at(&req->root, "Topics", 0);
    int64_t offset = wire_int(wire_at(ask, "Partitions", 0), "FetchOffset");
    struct wire_value *t = wire_add(resp, &resp->root, "Responses");
    wire_set_str(resp, t, "Topic", "t");
    struct wire_value *p = wire_add(resp, t, "Partitions");
    wire_set_int(p, "HighWatermark", f->later_hw >= 0 ? f->later_hw : f->hw);
    wire_set_int(p, "LastStableOffset", f->lso);
    wire_set_int(p, "LogStartOffset", f->later_start >= 0 ? f->later_start : f->log_start);
    size_t i = 0;
    while (i < f->nbatches && f->batches[i].last < offset) {
        i++;
    }
    if (i < f->nbatches) {
        size_t at = f->batches[i].at, len = f->log.len - at;
        size_t most = f->batches[i].len + f->limit;
        wire_set_blob(p, "Records", f->log.data + at, f->limit && len > most ? most : len);
    }
}

static void answer_configs(const struct wire_msg *req, struct wire_msg *resp)
{
    const struct wire_value *ask = wire_at(&req->root, "Resources", 0);
    struct wire_value *r = wire_add(resp, &resp->root, "Results");
    wire_set_int(r, "ResourceType", wire_int(ask, "ResourceType"));
    wire_set_str(resp, r, "ResourceName", wire_str(ask, "ResourceName"));
    struct wire_value *c = wire_add(resp, r, "Configs");
    wire_set_str(resp, c, "Name", "cleanup.policy");
    wire_set_str(resp, c, "Value", "delete");
}

static void answer_producers(struct fake *f, struct wire_msg *resp)
{
    struct wire_value *t = wire_add(resp, &resp->root, "Topics");
    wire_set_str(resp, t, "Name", "t");
    struct wire_value *p = wire_add(resp, t, "Partitions");
    if (f->open_pid >= 0) {
        struct wire_value *x = wire_add(resp, p, "ActiveProducers");
        wire_set_int(x, "ProducerId", f->open_pid);
        wire_set_int(x, "ProducerEpoch", f->open_epoch);
        wire_set_int(x, "CurrentTxnStartOffset", f->open_start);
    }
}

static void answer_list(struct fake *f, const struct wire_msg *req, struct wire_msg *resp)
{
    for (size_t i = 0; i < f->ntxns; i++) {
        const struct fake_txn *x = &f->txns[i];
        const struct wire_value *filters = wire_get(&req->root, "StateFilters");
        if (filters->a.n > 0 && strncmp(x->state, "Prepare", 7) != 0 &&
            strcmp(x->state, "Ongoing") != 0) {
            continue;
        }
        struct wire_value *t = wire_add(resp, &resp->root, "TransactionStates");
        wire_set_str(resp, t, "TransactionalId", x->id);
        wire_set_int(t, "ProducerId", x->pid);
        wire_set_str(resp, t, "TransactionState", x->state);
    }
}

static void answer_describe(struct fake *f, const struct wire_msg *req, struct wire_msg *resp)
{
    const struct wire_value *ids = wire_get(&req->root, "TransactionalIds");
    for (size_t i = 0; i < f->ntxns; i++) {
        const struct fake_txn *x = &f->txns[i];
        if (strcmp((const char *)ids->a.items[0].s.p, x->id) != 0) {
            continue;
        }
        struct wire_value *t = wire_add(resp, &resp->root, "TransactionStates");
        wire_set_str(resp, t, "TransactionalId", x->id);
        wire_set_str(resp, t, "TransactionState", x->state);
        wire_set_int(t, "ProducerId", x->pid);
        if (x->partition >= 0) {
            struct wire_value *topic = wire_add(resp, t, "Topics");
            wire_set_str(resp, topic, "Topic", "t");
            wire_add_int(resp, topic, "Partitions", x->partition);
        }
    }
}

static void answer(struct fake *f, const struct wire_msg *req, struct wire_msg *resp)
{
    if (f->hook && f->hook(f, req, resp)) {
        return;
    }
    switch (req->schema->api) {
    case API_API_VERSIONS:
        answer_versions(resp);
        break;
    case API_METADATA:
        answer_metadata(f, req, resp);
        break;
    case API_LIST_OFFSETS:
        answer_offsets(f, req, resp);
        break;
    case API_FETCH:
        answer_fetch(f, req, resp);
        break;
    case API_DESCRIBE_CONFIGS:
        answer_configs(req, resp);
        break;
    case API_DESCRIBE_PRODUCERS:
        answer_producers(f, resp);
        break;
    case API_LIST_TRANSACTIONS:
        answer_list(f, req, resp);
        break;
    case API_DESCRIBE_TRANSACTIONS:
        answer_describe(f, req, resp);
        break;
    case API_FIND_COORDINATOR:
        wire_set_str(resp, &resp->root, "Host", "127.0.0.1");
        wire_set_int(&resp->root, "Port", f->port);
        break;
    default:
        break;
    }
}

/* ---- frames ---------------------------------------------------------------------------------- */

static bool read_all(int fd, uint8_t *p, size_t len)
{
    return recv(fd, p, len, MSG_WAITALL) == (ssize_t)len;
}

static uint32_t number(const uint8_t *p, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

/** One request and its answer. @return false when the connection has ended. */
static bool serve(struct fake *f, int fd)
{
    static uint8_t in[REQUEST_MAX];
    if (!read_all(fd, in, 4) || number(in, 4) > sizeof in) {
        return false;
    }
    size_t len = number(in, 4);
    if (!read_all(fd, in, len)) {
        return false;
    }
    int16_t api = (int16_t)number(in, 2), version = (int16_t)number(in + 2, 2);
    const struct wire_schema *s = wire_schema(api, WIRE_REQUEST);
    size_t skip = 10 + number(in + 8, 2) + wire_header_tagged(s, version);
    struct wire_msg req, resp;
    struct err e = {0};
    if (wire_decode(&req, s, version, in + skip, len - skip, &e) < 0) {
        fprintf(stderr, "fake broker: %s\n", e.msg);
    }
    wire_init(&resp, wire_schema(api, WIRE_RESPONSE), version);
    answer(f, &req, &resp);
    struct buf out = {0};
    buf_append(&out, in, 4); /* the size, below */
    buf_append(&out, in + 4, 4);
    if (wire_header_tagged(resp.schema, version)) {
        buf_append(&out, "", 1);
    }
    if (wire_encode(&resp, &out, &e) < 0) {
        fprintf(stderr, "fake broker: %s\n", e.msg);
    }
    for (int i = 0; i < 4; i++) {
        out.data[i] = (char)((out.len - 4) >> (24 - 8 * i));
    }
    bool sent = send(fd, out.data, out.len, MSG_NOSIGNAL) == (ssize_t)out.len;
    buf_free(&out);
    wire_free(&req);
    wire_free(&resp);
    return sent;
}

static void *run(void *arg)
{
    struct fake *f = arg;
    struct pollfd fds[CONNECTIONS] = {{.fd = f->fd, .events = POLLIN}};
    nfds_t n = 1;
    while (poll(fds, n, -1) > 0) {
        if (fds[0].revents & ~POLLIN) {
            break;
        }
        if (fds[0].revents && n < CONNECTIONS) {
            int fd = accept(f->fd, NULL, NULL);
            if (fd < 0) {
                break;
            }
            fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
            continue;
        }
        for (nfds_t i = n; i-- > 1;) {
            if (fds[i].revents && !serve(f, fds[i].fd)) {
                close(fds[i].fd);
                fds[i] = fds[--n];
            }
        }
    }
    for (nfds_t i = 1; i < n; i++) {
        close(fds[i].fd);
    }
    return NULL;
}

void fake_start(struct fake *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(f->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(f->fd, 16) == 0);
    CHECK(getsockname(f->fd, (struct sockaddr *)&at, &len) == 0);
    f->port = ntohs(at.sin_port);
    snprintf(f->bootstrap, sizeof f->bootstrap, "127.0.0.1:%d", f->port);
    CHECK(pthread_create(&f->thread, NULL, run, f) == 0);
}

void fake_stop(struct fake *f)
{
    shutdown(f->fd, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->fd);
    buf_free(&f->log);
}
