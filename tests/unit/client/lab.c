/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "test.h"

struct loop *lab_loop;

static struct loop *loop(void)
{
    if (!lab_loop)
        lab_loop = loop_new();
    return lab_loop;
}

struct until {
    bool (*cond)(void *arg);
    void *arg;
    uint64_t end;
    bool held;
};

static void look(void *arg)
{
    struct until *u = arg;
    u->held = u->cond && u->cond(u->arg);
    if (u->held || clock_mono_ns() > u->end)
        loop_stop(lab_loop);
}

static bool run(bool (*cond)(void *arg), void *arg, unsigned ms)
{
    const char *slow = getenv("KAOS_TEST_SLOW");
    unsigned scale = slow && cond ? (unsigned)strtoul(slow, NULL, 10) : 1;
    struct until u = {cond, arg, clock_mono_ns() + (scale ? scale : 1) * ms * 1000000ULL, false};
    struct timer *t = timer_start(loop(), 1, 5, look, &u);
    loop_run(lab_loop);
    timer_stop(t);
    return u.held;
}

void lab_until(bool (*cond)(void *arg), void *arg, unsigned ms, const char *what)
{
    if (!run(cond, arg, ms))
        test_fail(__FILE__, __LINE__, "not within %u ms: %s", ms, what);
}

void lab_run(unsigned ms)
{
    run(NULL, NULL, ms);
}

void lab_end(void)
{
    if (lab_loop)
        loop_free(lab_loop);
    lab_loop = NULL;
}

const char *lab_bootstrap(void)
{
    const char *address = getenv("KAOS_TEST_BOOTSTRAP");
    loop();
    if (!address || !*address)
        test_skip("KAOS_TEST_BOOTSTRAP names no broker");
    return address;
}

const char *lab_name(const char *stem)
{
    static char names[8][96];
    static unsigned n;
    char *name = names[n++ % 8];
    snprintf(name, sizeof names[0], "client-%s-%d-%llx-%u", stem, (int)getpid(),
             (unsigned long long)clock_real_ns(), n);
    return name;
}

rd_kafka_t *lab_handle(const char *txn_id)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", lab_bootstrap(), reason, sizeof reason);
    if (txn_id)
        rd_kafka_conf_set(conf, "transactional.id", txn_id, reason, sizeof reason);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    CHECK(rk);
    return rk;
}

void lab_topic(const char *topic, int partitions)
{
    char reason[256];
    rd_kafka_t *rk = lab_handle(NULL);
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(topic, partitions, 1, reason, sizeof reason);
    rd_kafka_CreateTopics(rk, &t, 1, NULL, q);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, 20000);
    CHECK(ev);
    size_t n = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ev), &n);
    CHECK_INT(n, 1);
    CHECK_INT(rd_kafka_topic_result_error(results[0]), 0);
    rd_kafka_event_destroy(ev);
    rd_kafka_NewTopic_destroy(t);
    rd_kafka_queue_destroy(q);
    rd_kafka_destroy(rk);
}

/* ---- sender ---- */

static void on_ack(void *arg, const struct producer_ack *acks, size_t n)
{
    struct lab_sender *s = arg;
    for (size_t i = 0; i < n; i++)
        *VEC_PUSH(&s->acks) = acks[i];
}

static void on_room(void *arg)
{
    ((struct lab_sender *)arg)->room = true;
}

static void on_drained(void *arg)
{
    ((struct lab_sender *)arg)->drained = true;
}

static void on_error(void *arg, const struct err *e)
{
    ((struct lab_sender *)arg)->error = *e;
}

void lab_sender_open(struct lab_sender *s, const char *txn_id)
{
    struct err e = {0};
    struct conf conf = {0};
    if (getenv("LAB_DEBUG"))
        conf_set(&conf, "debug", getenv("LAB_DEBUG"));
    struct producer_setup setup = {
        .bootstrap = lab_bootstrap(), .transactional_id = txn_id, .conf = &conf};
    struct producer_callbacks cb = {s, on_ack, on_room, on_drained, on_error};
    memset(s, 0, sizeof *s);
    s->p = producer_open(loop(), &setup, &cb, &e);
    if (!s->p)
        test_fail(__FILE__, __LINE__, "%s", e.msg);
}

void lab_send(struct lab_sender *s, const char *topic, int partition, const char *value,
              uint64_t tag)
{
    struct err e = {0};
    struct producer_record r = {
        .topic = topic, .partition = partition, .value = {value, strlen(value)}, .tag = tag};
    if (producer_send(s->p, &r, &e))
        test_fail(__FILE__, __LINE__, "%s", e.msg);
}

static bool nothing_pending(void *arg)
{
    return producer_pending(((struct lab_sender *)arg)->p) == 0;
}

void lab_flush(struct lab_sender *s)
{
    lab_until(nothing_pending, s, 20000, "all sends are acknowledged");
}

void lab_fill(const char *topic, int partitions, int from, int n)
{
    struct lab_sender s;
    char text[16];
    lab_sender_open(&s, NULL);
    for (int i = from; i < from + n; i++) {
        snprintf(text, sizeof text, "%d", i);
        lab_send(&s, topic, i % partitions, text, (uint64_t)i);
    }
    lab_flush(&s);
    for (size_t i = 0; i < s.acks.n; i++)
        CHECK_INT(s.acks.items[i].status, PRODUCER_PERSISTED);
    lab_sender_close(&s);
}

static bool is_true(void *arg)
{
    return *(bool *)arg;
}

static void set_true(void *arg)
{
    *(bool *)arg = true;
}

void lab_sender_close(struct lab_sender *s)
{
    bool done = false;
    producer_close(s->p, 5000, set_true, &done);
    lab_until(is_true, &done, 6000, "the producer is closed");
    free(s->acks.items);
}

void lab_close_consumer(struct consumer *c)
{
    bool done = false;
    consumer_close(c, 8000, set_true, &done);
    lab_until(is_true, &done, 9000, "the consumer is closed");
}

static void on_closed(void *arg, bool hung)
{
    CHECK(!hung);
    *(bool *)arg = true;
}

void lab_close_transaction(struct transaction *t)
{
    bool done = false;
    transaction_close(t, 8000, on_closed, &done);
    lab_until(is_true, &done, 9000, "the transaction is closed");
}

void lab_take_each(struct consumer *c, void (*fn)(void *arg, const struct message *m), void *arg)
{
    struct message *got[16];
    size_t n;
    while ((n = consumer_take(c, got, ARRAY_LEN(got))) > 0) {
        for (size_t i = 0; i < n; i++) {
            fn(arg, got[i]);
            message_release(got[i]);
        }
    }
}

/* ---- log ---- */

static void log_ready(void *arg)
{
    struct lab_log *l = arg;
    struct message *got[64];
    size_t n;
    while ((n = consumer_take(l->c, got, ARRAY_LEN(got))) > 0)
        for (size_t i = 0; i < n; i++)
            *VEC_PUSH(&l->seen) = got[i];
}

void lab_log_open(struct lab_log *l, const char *topic, const char *isolation)
{
    struct err e = {0};
    struct conf conf = {0};
    conf_set(&conf, "isolation.level", isolation);
    struct consumer_setup setup = {
        .bootstrap = lab_bootstrap(), .topics = &topic, .ntopics = 1, .conf = &conf};
    struct consumer_callbacks cb = {.arg = l, .on_ready = log_ready};
    memset(l, 0, sizeof *l);
    l->c = consumer_open(loop(), &setup, &cb, &e);
    conf_free(&conf);
    if (!l->c)
        test_fail(__FILE__, __LINE__, "%s", e.msg);
}

struct want {
    struct lab_log *l;
    size_t n;
};

static bool enough(void *arg)
{
    struct want *w = arg;
    return w->l->seen.n >= w->n;
}

void lab_log_want(struct lab_log *l, size_t n, unsigned ms)
{
    struct want w = {l, n};
    lab_until(enough, &w, ms, "the log has all records");
}

void lab_log_close(struct lab_log *l)
{
    lab_close_consumer(l->c);
    for (size_t i = 0; i < l->seen.n; i++)
        message_release(l->seen.items[i]);
    free(l->seen.items);
}
