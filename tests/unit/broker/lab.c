/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"
#include "wire/batch.h"

enum { READ_S = 10, SETTINGS_MAX = 8, LISTENERS = 1 };

struct lab {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t up;
    struct broker_opts o;
    struct broker_setting settings[SETTINGS_MAX];
    struct loop *loop;
    struct broker *b;
    char *address;
    int port;
};

static void *serve(void *arg)
{
    struct lab *l = arg;
    struct err e;
    l->o.loop = loop_new();
    struct broker *b = broker_start(&l->o, &e);
    if (!b) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    pthread_mutex_lock(&l->lock);
    l->address = xstrdup(broker_bootstrap(b, 0));
    l->b = b;
    l->loop = l->o.loop;
    pthread_cond_signal(&l->up);
    pthread_mutex_unlock(&l->lock);
    loop_run(l->o.loop);
    broker_free(b);
    loop_free(l->o.loop);
    return NULL;
}

struct lab *lab_start(const struct broker_opts *o, const char *const *settings, size_t n)
{
    struct lab *l = xcalloc(1, sizeof *l);
    l->o = o ? *o : (struct broker_opts){0};
    l->o.nodes = l->o.nodes ? l->o.nodes : 1;
    l->o.listeners = LISTENERS;
    l->o.listen[0].host = "127.0.0.1";
    for (size_t i = 0; i < n; i++) {
        const char *eq = strchr(settings[i], '=');
        l->settings[i].name = xmemdup0(settings[i], (size_t)(eq - settings[i]));
        l->settings[i].value = eq + 1;
    }
    l->o.settings = l->settings;
    l->o.nsettings = n;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->up, NULL);
    pthread_mutex_lock(&l->lock);
    CHECK_INT(pthread_create(&l->thread, NULL, serve, l), 0);
    while (!l->b) {
        pthread_cond_wait(&l->up, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    l->port = (int)strtol(strchr(l->address, ':') + 1, NULL, 10);
    return l;
}

static void stop(void *arg)
{
    loop_stop(arg);
}

void lab_stop(struct lab *l)
{
    loop_post(l->loop, stop, l->loop);
    pthread_join(l->thread, NULL);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->up);
    for (size_t i = 0; i < l->o.nsettings; i++) {
        free((char *)l->settings[i].name);
    }
    free(l->address);
    free(l);
}

const char *lab_address(const struct lab *l)
{
    return l->address;
}

struct admin *lab_admin(const struct lab *l)
{
    struct err e;
    struct admin *a = admin_open(l->address, NULL, &e);
    CHECK(a);
    return a;
}

static int connect_to(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval limit = {.tv_sec = READ_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

int lab_connect(const struct lab *l)
{
    int fd = connect_to(l->port);
    CHECK(fd >= 0);
    return fd;
}

int lab_connect_to(const struct lab *l, int node)
{
    const char *at = l->address;
    for (int i = 1; i < node; i++) {
        at = strchr(at, ',') + 1;
    }
    return connect_to((int)strtol(strchr(at, ':') + 1, NULL, 10));
}

struct order {
    struct lab *l;
    const char *text;
    struct err *e;
    int rc;
    bool done;
};

static void carry_out(void *arg)
{
    struct order *o = arg;
    pthread_mutex_lock(&o->l->lock);
    o->rc = broker_command(o->l->b, o->text, o->e);
    o->done = true;
    pthread_cond_signal(&o->l->up);
    pthread_mutex_unlock(&o->l->lock);
}

int lab_tell(struct lab *l, const char *command, struct err *e)
{
    struct order o = {.l = l, .text = command, .e = e};
    pthread_mutex_lock(&l->lock);
    loop_post(l->loop, carry_out, &o);
    while (!o.done) {
        pthread_cond_wait(&l->up, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return o.rc;
}

void lab_order(struct lab *l, const char *verb, int node)
{
    char text[32];
    struct err e = {0};
    snprintf(text, sizeof text, "%s %d", verb, node);
    if (lab_tell(l, text, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
}

struct look {
    struct lab *l;
    void (*fn)(struct broker *b, void *arg);
    void *arg;
    bool done;
};

static void look(void *arg)
{
    struct look *k = arg;
    pthread_mutex_lock(&k->l->lock);
    k->fn(k->l->b, k->arg);
    k->done = true;
    pthread_cond_signal(&k->l->up);
    pthread_mutex_unlock(&k->l->lock);
}

void lab_look(struct lab *l, void (*fn)(struct broker *b, void *arg), void *arg)
{
    struct look k = {.l = l, .fn = fn, .arg = arg};
    pthread_mutex_lock(&l->lock);
    loop_post(l->loop, look, &k);
    while (!k.done) {
        pthread_cond_wait(&l->up, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
}

void lab_write(int fd, const void *p, size_t len)
{
    const char *at = p;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        CHECK(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

void lab_request(struct wire_msg *m, int16_t api, int16_t version)
{
    wire_init(m, wire_schema(api, WIRE_REQUEST), version);
}

void lab_send(int fd, struct wire_msg *req)
{
    struct buf b = {0};
    struct err e;
    CHECK_INT(wire_encode_request(req, 7, "lab", &b, &e), 0);
    lab_write(fd, b.data, b.len);
    buf_free(&b);
    wire_free(req);
}

static bool read_all(int fd, char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(fd, p, len, 0);
        if (n <= 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

void lab_read(int fd, struct wire_msg *resp, int16_t api, int16_t version)
{
    uint8_t head[4];
    struct err e = {0};
    CHECK(read_all(fd, (char *)head, sizeof head));
    size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    CHECK(len >= 4);
    char *frame = xmalloc(len);
    CHECK(read_all(fd, frame, len));
    const struct wire_schema *s = wire_schema(api, WIRE_RESPONSE);
    size_t skip = wire_header_tagged(s, version) ? 5 : 4;
    int rc = wire_decode(resp, s, version, frame + skip, len - skip, &e);
    resp->frame = frame;
    if (rc < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
}

bool lab_is_closed(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET); /* reset: some of our bytes lay unread */
}

void lab_batch(struct buf *out, const char *const *values, int n)
{
    struct record r[16] = {0};
    struct batch_opts o = {.producer_id = -1};
    struct err e;
    for (int i = 0; i < n; i++) {
        r[i] = (struct record){.timestamp = 1000 + i,
                               .key_len = -1,
                               .value = (const uint8_t *)values[i],
                               .value_len = (int32_t)strlen(values[i])};
    }
    CHECK_INT(batch_write(out, &o, r, n, &e), 0);
}

void lab_produce(struct wire_msg *m, const char *topic, int32_t partition, const struct buf *blob)
{
    lab_request(m, API_PRODUCE, 7);
    wire_set_int(&m->root, "Acks", -1);
    wire_set_int(&m->root, "TimeoutMs", 1000);
    struct wire_value *t = wire_add(m, &m->root, "TopicData");
    wire_set_str(m, t, "Name", topic);
    struct wire_value *p = wire_add(m, t, "PartitionData");
    wire_set_int(p, "Index", partition);
    wire_set_blob(p, "Records", blob->data, blob->len);
}

int lab_produced(int fd, int64_t *base)
{
    struct wire_msg m;
    lab_read(fd, &m, API_PRODUCE, 7);
    const struct wire_value *p = wire_at(wire_at(&m.root, "Responses", 0), "PartitionResponses", 0);
    int code = (int)wire_int(p, "ErrorCode");
    *base = wire_int(p, "BaseOffset");
    wire_free(&m);
    return code;
}

void lab_add_to_txn(struct wire_msg *m, const struct txn *t)
{
    lab_request(m, API_ADD_PARTITIONS_TO_TXN, 1);
    wire_set_str(m, &m->root, "V3AndBelowTransactionalId", t->id);
    wire_set_int(&m->root, "V3AndBelowProducerId", t->producer_id);
    wire_set_int(&m->root, "V3AndBelowProducerEpoch", t->epoch);
    struct wire_value *topic = wire_add(m, &m->root, "V3AndBelowTopics");
    wire_set_str(m, topic, "Name", "t");
    wire_add_int(m, topic, "Partitions", 0);
}

int lab_added_to_txn(int fd)
{
    struct wire_msg m;
    lab_read(fd, &m, API_ADD_PARTITIONS_TO_TXN, 1);
    const struct wire_value *p =
        wire_at(wire_at(&m.root, "ResultsByTopicV3AndBelow", 0), "ResultsByPartition", 0);
    int code = (int)wire_int(p, "PartitionErrorCode");
    wire_free(&m);
    return code;
}
