/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the producer handle, its topic handles and the queue of delivery reports. */
#include "client/producer.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "client/internal.h"

enum { ACKS = 1000 }; /* delivery reports per turn of the loop */

struct producer {
    struct loop *loop;
    struct producer_callbacks cb;
    rd_kafka_t *rk;
    struct wake wake;
    struct map topics; /* name -> rd_kafka_topic_t */
    rd_kafka_topic_t *last;
    const char *last_name; /* interned */
    struct producer_ack *acks;
    size_t pending;
    uint64_t acked; /* in all */
    bool full, deferred, closing, abandoned;
    struct {
        loop_fn fn;
        void *arg;
    } drained, first_ack;
    struct timer *bound;
    loop_fn done;
    void *done_arg;
};

static void serve(void *arg);

rd_kafka_t *producer_handle(struct producer *p)
{
    return p->rk;
}

struct loop *producer_loop(struct producer *p)
{
    return p->loop;
}

size_t producer_pending(const struct producer *p)
{
    return p->pending;
}

struct producer *producer_open(struct loop *l, const struct producer_setup *setup,
                               const struct producer_callbacks *cb, struct err *e)
{
    enum conf_kind kind = setup->transactional_id ? CONF_TRANSACTIONAL : CONF_PRODUCER;
    struct conf_base base = {setup->bootstrap, setup->client_id, NULL, setup->transactional_id};
    struct conf lines = conf_resolve(kind, setup->conf);
    rd_kafka_conf_t *conf = conf_make(kind, &base, &lines, e);
    conf_free(&lines);
    if (!conf)
        return NULL;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    char reason[256] = "";
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        err_set(e, ERR_USAGE, rd_kafka_last_error(), "opening a producer: %s", reason);
        return NULL;
    }
    struct producer *p = xcalloc(1, sizeof *p);
    p->loop = l;
    p->cb = *cb;
    p->rk = rk;
    p->acks = xcalloc(ACKS, sizeof *p->acks);
    wake_start(&p->wake, l, rd_kafka_queue_get_main(rk), serve, p);
    return p;
}

/* ---- outcomes ---- */

static void note_ack(struct producer_ack *a, const rd_kafka_message_t *m)
{
    rd_kafka_msg_status_t status = rd_kafka_message_status(m);
    *a = (struct producer_ack){
        .tag = (uint64_t)(uintptr_t)m->_private,
        .topic = client_intern(rd_kafka_topic_name(m->rkt)),
        .partition = m->partition,
        .offset = m->offset >= 0 ? m->offset : -1,
        .status = status == RD_KAFKA_MSG_STATUS_PERSISTED            ? PRODUCER_PERSISTED
                  : status == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED ? PRODUCER_POSSIBLY
                                                                     : PRODUCER_NOT,
        .code = m->err,
    };
}

static size_t serve_reports(struct producer *p, rd_kafka_event_t *ev)
{
    size_t total = 0, n = 0;
    const rd_kafka_message_t *m;
    while ((m = rd_kafka_event_message_next(ev))) {
        note_ack(&p->acks[n++], m);
        total++;
        p->pending--;
        p->acked++;
        if (n == ACKS && p->cb.on_ack && !p->closing)
            p->cb.on_ack(p->cb.arg, p->acks, n);
        n = n == ACKS ? 0 : n;
    }
    if (n > 0 && p->cb.on_ack && !p->closing)
        p->cb.on_ack(p->cb.arg, p->acks, n);
    return total;
}

static void serve_error(struct producer *p, rd_kafka_event_t *ev)
{
    struct err e = {0};
    char text[256];
    int code = rd_kafka_event_error(ev);
    bool fatal = rd_kafka_event_error_is_fatal(ev) || code == RD_KAFKA_RESP_ERR__FATAL;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(p->rk, text, sizeof text);
        err_set(&e, ERR_BROKER, code, "producer: %s (%s)", text, client_code_name(code));
    } else {
        err_set(&e, ERR_BROKER, code, "producer: %s (%s)", rd_kafka_event_error_string(ev),
                client_code_name(code));
    }
    e.fatal = fatal;
    if (p->cb.on_error && !p->closing)
        p->cb.on_error(p->cb.arg, &e);
}

static void tell_drained(struct producer *p)
{
    if (p->pending > 0)
        return;
    loop_fn fn = p->drained.fn;
    p->drained.fn = NULL;
    if (fn)
        fn(p->drained.arg);
    if (p->cb.on_drained && !p->closing)
        p->cb.on_drained(p->cb.arg);
}

static void serve_again(void *arg)
{
    struct producer *p = arg;
    p->deferred = false;
    serve(p);
}

static void tell(struct producer *p, size_t acked)
{
    if (acked > 0 && p->full) {
        p->full = false;
        if (p->cb.on_room && !p->closing)
            p->cb.on_room(p->cb.arg);
    }
    loop_fn fn = p->first_ack.fn;
    if (acked > 0 && fn) {
        p->first_ack.fn = NULL;
        fn(p->first_ack.arg);
    }
    if (acked > 0)
        tell_drained(p);
}

static void serve(void *arg)
{
    struct producer *p = arg;
    size_t acked = 0;
    rd_kafka_event_t *ev = NULL;
    while (!p->closing && acked < ACKS && (ev = rd_kafka_queue_poll(p->wake.queue, 0))) {
        if (rd_kafka_event_type(ev) == RD_KAFKA_EVENT_DR)
            acked += serve_reports(p, ev);
        else if (rd_kafka_event_type(ev) == RD_KAFKA_EVENT_ERROR)
            serve_error(p, ev);
        rd_kafka_event_destroy(ev);
    }
    if (p->closing)
        return;
    if (ev && !p->deferred) {
        p->deferred = true;
        loop_defer(p->loop, serve_again, p);
    }
    tell(p, acked);
}

static void drained_now(void *arg)
{
    struct producer *p = arg;
    p->deferred = false;
    if (!p->closing)
        serve(p);
    loop_fn fn = p->drained.fn;
    if (p->closing || p->pending > 0 || !fn)
        return;
    p->drained.fn = NULL;
    fn(p->drained.arg);
}

void producer_when_drained(struct producer *p, loop_fn fn, void *arg)
{
    p->drained.fn = fn;
    p->drained.arg = arg;
    if (fn && p->pending == 0 && !p->deferred) {
        p->deferred = true;
        loop_defer(p->loop, drained_now, p);
    }
}

void producer_when_acked(struct producer *p, loop_fn fn, void *arg)
{
    p->first_ack.fn = fn;
    p->first_ack.arg = arg;
}

uint64_t producer_acked(const struct producer *p)
{
    return p->acked;
}

/* ---- sending ---- */

static rd_kafka_topic_t *topic_handle(struct producer *p, const char *topic, struct err *e)
{
    if (p->last_name && strcmp(p->last_name, topic) == 0)
        return p->last;
    struct map_entry *en = map_put(&p->topics, topic, strlen(topic), NULL);
    if (!en->p)
        en->p = rd_kafka_topic_new(p->rk, topic, NULL);
    if (!en->p) {
        client_fail(e, rd_kafka_last_error(), "topic %s", topic);
        return NULL;
    }
    p->last = en->p;
    p->last_name = client_intern(topic);
    return p->last;
}

static rd_kafka_headers_t *make_headers(const struct producer_record *r)
{
    if (r->nheaders == 0)
        return NULL;
    rd_kafka_headers_t *hs = rd_kafka_headers_new(r->nheaders);
    for (size_t i = 0; i < r->nheaders; i++) {
        const struct producer_header *h = &r->headers[i];
        rd_kafka_header_add(hs, h->name, (ssize_t)h->name_len, h->value.data,
                            h->value.data ? (ssize_t)h->value.len : 0);
    }
    return hs;
}

int producer_send(struct producer *p, const struct producer_record *r, struct err *e)
{
    rd_kafka_topic_t *rkt = topic_handle(p, r->topic, e);
    if (!rkt)
        return -1;
    rd_kafka_headers_t *hs = make_headers(r);
    rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = rkt},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = r->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)r->key.data, r->key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)r->value.data, r->value.len}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = r->timestamp},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)r->tag},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = hs},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(p->rk, vus, ARRAY_LEN(vus) - (hs ? 0 : 1));
    if (!error) {
        p->pending++;
        return 0;
    }
    if (hs)
        rd_kafka_headers_destroy(hs);
    bool full = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
    client_fail_error(e, error, r->topic);
    if (full) {
        p->full = true;
        e->retriable = true;
    }
    return -1;
}

/* ---- the end ---- */

static void destroy(void *arg)
{
    struct producer *p = arg;
    for (size_t i = 0; i < p->topics.n; i++)
        if (p->topics.items[i].p)
            rd_kafka_topic_destroy(p->topics.items[i].p);
    rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                              RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_destroy(p->rk);
}

static void release(struct producer *p)
{
    map_free(&p->topics);
    free(p->acks);
    free(p);
}

static void destroyed(void *arg)
{
    struct producer *p = arg;
    if (p->abandoned)
        return; /* its owner has been told; it stays reachable until the process ends */
    if (p->deferred) {
        loop_defer(p->loop, destroyed, p);
        return;
    }
    timer_stop(p->bound);
    loop_fn done = p->done;
    void *done_arg = p->done_arg;
    release(p);
    if (done)
        done(done_arg);
}

static void bound_passed(void *arg)
{
    struct producer *p = arg;
    p->abandoned = true;
    p->bound = NULL;
    job_leak(p);
    if (p->done)
        p->done(p->done_arg);
}

/* Not at once: the owner may have been called while an event is being served. */
static void start_destroy(void *arg)
{
    struct producer *p = arg;
    wake_stop(&p->wake);
    job_start(p->loop, destroy, destroyed, p);
}

void producer_close(struct producer *p, uint64_t bound, loop_fn done, void *arg)
{
    p->closing = true;
    p->done = done;
    p->done_arg = arg;
    p->bound = timer_start(p->loop, bound, 0, bound_passed, p);
    loop_defer(p->loop, start_destroy, p);
}

void producer_abandon(struct producer *p)
{
    p->closing = p->abandoned = true;
    wake_stop(&p->wake);
    job_leak(p);
}
