/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the consumer handle: opening, the buffer between librdkafka's queue and the owner, the end.
 */
#include "client/consumer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/consumer_internal.h"

enum {
    FETCH = 500,   /* messages fetched at a time */
    TICK_MS = 100, /* how late a rebalance is noticed behind messages that nobody takes */
};

static void on_wake(void *arg);
static void on_ops(void *arg);
static void on_tick(void *arg);

/* ---- opening ---- */

static void on_error_event(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct consumer *c = opaque;
    struct err e = {0};
    char text[256];
    bool fatal = code == RD_KAFKA_RESP_ERR__FATAL;
    if (fatal) {
        code = rd_kafka_fatal_error(rk, text, sizeof text);
        reason = text;
    }
    err_set(&e, ERR_BROKER, code, "consumer: %s (%s)", reason, client_code_name(code));
    e.fatal = fatal;
    consumer_tell_error(c, &e);
}

static int64_t reset_of(const char *value)
{
    static const char *const names[] = {"smallest", "earliest", "beginning", "error"};
    for (size_t i = 0; value && i < ARRAY_LEN(names); i++)
        if (strcmp(value, names[i]) == 0)
            return i == 3 ? CLIENT_NO_OFFSET : CLIENT_BEGINNING;
    return CLIENT_END;
}

/* Reads what kaos itself needs, and takes the store of offsets over: librdkafka would store what
 * lies in our buffer. */
static void read_lines(struct consumer *c, struct conf *lines)
{
    const char *session = conf_get(lines, "session.timeout.ms");
    c->session = strtoull(session, NULL, 10);
    c->heartbeat = strtoull(conf_get(lines, "heartbeat.interval.ms"), NULL, 10);
    c->reset = reset_of(conf_get(lines, "auto.offset.reset"));
    c->auto_store = conf_true(conf_get(lines, "enable.auto.commit")) &&
                    conf_true(conf_get(lines, "enable.auto.offset.store"));
    c->stable = c->group && !c->no_callback &&
                strcmp(conf_get(lines, "isolation.level"), "read_committed") == 0;
    conf_set(lines, "enable.auto.offset.store", "false");
    if (!c->group)
        conf_set(lines, "enable.auto.commit", "false");
}

static rd_kafka_t *make_handle(struct consumer *c, const struct consumer_setup *setup,
                               struct err *e)
{
    struct conf_base base = {setup->bootstrap, setup->client_id,
                             setup->group ? setup->group : "kaos-no-group", NULL};
    struct conf lines = conf_resolve(CONF_CONSUMER, setup->conf);
    read_lines(c, &lines);
    rd_kafka_conf_t *conf = conf_make(CONF_CONSUMER, &base, &lines, e);
    conf_free(&lines);
    if (!conf)
        return NULL;
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_error_cb(conf, on_error_event);
    if (!setup->no_rebalance_callback)
        rd_kafka_conf_set_rebalance_cb(conf, consumer_on_rebalance);
    char reason[256] = "";
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        err_set(e, ERR_USAGE, rd_kafka_last_error(), "opening a consumer: %s", reason);
    }
    return rk;
}

static void begin(struct consumer *c)
{
    rd_kafka_poll_set_consumer(c->rk);
    wake_start(&c->wake, c->loop, rd_kafka_queue_get_consumer(c->rk), on_wake, c);
    wake_start(&c->ops, c->loop, rd_kafka_queue_new(c->rk), on_ops, c);
    c->tick = timer_start(c->loop, TICK_MS, TICK_MS, on_tick, c);
    if (!c->group) {
        consumer_look_up(c);
        return;
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(c->rk, c->topics);
    if (code) {
        struct err e = {0};
        client_fail(&e, code, "subscribing as group %s", c->group);
        e.fatal = true;
        consumer_tell_error(c, &e);
    }
    consumer_group_beat(c);
}

static void release(struct consumer *c)
{
    for (size_t i = c->buffer.head; i < c->buffer.n; i++)
        message_release(c->buffer.items[i]);
    free(c->buffer.items);
    batches_release(c->batches);
    membership_free(c->membership);
    consumer_offsets_free(c);
    client_partitions_free(&c->assignment);
    client_partitions_free(&c->began);
    rd_kafka_topic_partition_list_destroy(c->topics);
    free(c->slots.items);
    free(c->group);
    free(c);
}

struct consumer *consumer_open(struct loop *l, const struct consumer_setup *setup,
                               const struct consumer_callbacks *cb, struct err *e)
{
    if (setup->ntopics == 0) {
        err_set(e, ERR_USAGE, 0, "a consumer needs at least one topic");
        return NULL;
    }
    struct consumer *c = xcalloc(1, sizeof *c);
    c->loop = l;
    c->cb = *cb;
    c->group = xstrdup(setup->group);
    c->no_callback = setup->no_rebalance_callback;
    c->notes_end = &c->notes;
    c->batches = batches_new();
    c->topics = rd_kafka_topic_partition_list_new((int)setup->ntopics);
    for (size_t i = 0; i < setup->ntopics; i++)
        rd_kafka_topic_partition_list_add(c->topics, setup->topics[i], RD_KAFKA_PARTITION_UA);
    c->rk = make_handle(c, setup, e);
    if (!c->rk) {
        release(c);
        return NULL;
    }
    begin(c);
    return c;
}

const char *consumer_group(const struct consumer *c)
{
    return c->group;
}

/* ---- delivery ---- */

struct tell {
    struct consumer *c;
    struct err e;
};

static void tell_later(void *arg)
{
    struct tell *t = arg;
    struct consumer *c = t->c;
    if (!c->closing && c->cb.on_error)
        c->cb.on_error(c->cb.arg, &t->e);
    free(t);
    consumer_job_done(c);
}

void consumer_tell_error(struct consumer *c, const struct err *e)
{
    if (c->closing)
        return;
    struct tell *t = xmalloc(sizeof *t);
    *t = (struct tell){c, *e};
    c->jobs++;
    loop_defer(c->loop, tell_later, t);
}

static void ready_later(void *arg)
{
    struct consumer *c = arg;
    if (!c->closing && c->cb.on_ready)
        c->cb.on_ready(c->cb.arg);
    consumer_job_done(c);
}

void consumer_tell_ready(struct consumer *c)
{
    if (c->closing)
        return;
    c->jobs++;
    loop_defer(c->loop, ready_later, c);
}

struct slot *consumer_slot(struct consumer *c, const char *topic, int32_t partition, bool make)
{
    for (size_t i = 0; i < c->slots.n; i++) {
        struct slot *s = &c->slots.items[i];
        if (s->partition == partition && (s->topic == topic || strcmp(s->topic, topic) == 0))
            return s;
    }
    if (!make)
        return NULL;
    struct slot *s = VEC_PUSH(&c->slots);
    *s = (struct slot){.topic = client_intern(topic),
                       .partition = partition,
                       .next = CLIENT_NO_OFFSET,
                       .first = CLIENT_NO_OFFSET,
                       .stored = CLIENT_NO_OFFSET,
                       .start = CLIENT_NO_OFFSET,
                       .end = CLIENT_NO_OFFSET};
    return s;
}

void consumer_drop(struct consumer *c, const struct client_partitions *ps)
{
    size_t kept = 0;
    for (size_t i = c->buffer.head; i < c->buffer.n; i++) {
        struct message *m = c->buffer.items[i];
        const struct slot *s = consumer_slot(c, m->topic, m->partition, false);
        const struct client_partition *p =
            ps ? client_partitions_find(ps, m->topic, m->partition) : NULL;
        bool drop = ps ? p && !p->code : !c->no_callback && !(s && s->assigned);
        if (drop)
            message_release(m);
        else
            c->buffer.items[kept++] = m;
    }
    c->buffer.head = 0;
    c->buffer.n = kept;
}

static void message_error(struct consumer *c, const rd_kafka_message_t *m)
{
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        consumer_tell_end(c, m);
        return;
    }
    struct err e = {0};
    if (m->rkt)
        client_fail(&e, m->err, "consuming %s[%d]: %s", rd_kafka_topic_name(m->rkt), m->partition,
                    rd_kafka_message_errstr(m));
    else
        client_fail(&e, m->err, "consuming: %s", rd_kafka_message_errstr(m));
    consumer_tell_error(c, &e);
}

static void keep(struct consumer *c, rd_kafka_message_t **raw, size_t n)
{
    size_t old = c->buffer.n - c->buffer.head;
    if (old > 0)
        memmove(c->buffer.items, c->buffer.items + c->buffer.head, old * sizeof c->buffer.items[0]);
    c->buffer.head = 0;
    if (old + n > c->buffer.cap) {
        c->buffer.cap = 2 * (old + n);
        c->buffer.items = xrealloc(c->buffer.items, c->buffer.cap * sizeof c->buffer.items[0]);
    }
    c->buffer.n = old + n;
    if (c->no_callback) {
        membership_free(c->membership);
        c->membership = membership_now(c->rk);
    }
    batches_add(c->batches, raw, n, c->group ? c->membership : NULL, c->number,
                &c->buffer.items[old]);
}

void consumer_fetch(struct consumer *c, size_t max)
{
    rd_kafka_message_t *raw[FETCH];
    max = max < FETCH ? max : FETCH;
    ssize_t got = rd_kafka_consume_batch_queue(c->wake.queue, 0, raw, max);
    size_t n = 0;
    for (ssize_t i = 0; i < got; i++) {
        if (!raw[i]->err) {
            raw[n++] = raw[i];
            continue;
        }
        message_error(c, raw[i]);
        rd_kafka_message_destroy(raw[i]);
    }
    if (n > 0)
        keep(c, raw, n);
}

static bool blocked(const struct consumer *c)
{
    return c->closing || c->notes || consumer_positioning(c) || c->rejoin_ticks > 0;
}

/* Hands the message out: positions follow what the owner has, not what lies in the buffer. */
static void hand_out(struct consumer *c, struct slot **last, struct message *m)
{
    struct slot *s = *last;
    if (!s || s->topic != m->topic || s->partition != m->partition)
        s = *last = consumer_slot(c, m->topic, m->partition, true);
    if (s->first == CLIENT_NO_OFFSET)
        s->first = m->offset;
    s->next = m->offset + 1;
}

static size_t take_buffered(struct consumer *c, struct message **out, size_t max)
{
    struct slot *last = NULL;
    size_t n = 0, kept = c->buffer.head, i = c->buffer.head;
    bool doubt = false;
    for (; i < c->buffer.n && n < max; i++) {
        struct message *m = c->buffer.items[i];
        const struct slot *s = last && last->topic == m->topic && last->partition == m->partition
                                   ? last
                                   : consumer_slot(c, m->topic, m->partition, false);
        if (s && (s->paused || s->doubtful)) {
            doubt |= s->doubtful;
            c->buffer.items[kept++] = m;
            continue;
        }
        if (s && consumer_went_back(c, s, m))
            break; /* the seek drops it */
        hand_out(c, &last, m);
        out[n++] = m;
    }
    /* Those of paused partitions stay in front of the rest. */
    size_t paused = kept - c->buffer.head;
    if (i == c->buffer.head)
        return 0;
    memmove(&c->buffer.items[i - paused], &c->buffer.items[c->buffer.head],
            paused * sizeof c->buffer.items[0]);
    c->buffer.head = i - paused;
    if (doubt)
        consumer_verify(c);
    return n;
}

static void store_taken(struct consumer *c)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    for (size_t i = 0; i < c->slots.n; i++) {
        struct slot *s = &c->slots.items[i];
        if (s->next < 0 || s->stored == s->next)
            continue;
        s->stored = s->next;
        rd_kafka_topic_partition_list_add(list, s->topic, s->partition)->offset = s->next;
    }
    if (list->cnt > 0)
        rd_kafka_offsets_store(c->rk, list); /* a partition that is gone is no error here */
    rd_kafka_topic_partition_list_destroy(list);
}

size_t consumer_take(struct consumer *c, struct message **out, size_t max)
{
    if (blocked(c))
        return 0;
    size_t n = take_buffered(c, out, max);
    if (n < max && !blocked(c) && (!c->verifying || c->buffer.n - c->buffer.head < FETCH)) {
        consumer_fetch(c, FETCH);
        c->taken = true;
        if (!blocked(c))
            n += take_buffered(c, out + n, max - n);
    }
    if (n > 0 && c->auto_store)
        store_taken(c);
    return n;
}

static void on_wake(void *arg)
{
    struct consumer *c = arg;
    if (!c->closing && c->cb.on_ready)
        c->cb.on_ready(c->cb.arg);
}

static void on_ops(void *arg)
{
    struct consumer *c = arg;
    if (!c->closing || c->jobs > 0)
        rd_kafka_queue_poll_callback(c->ops.queue, 0);
}

/* An owner that takes nothing must still notice rebalances and stay in the group. */
static void on_tick(void *arg)
{
    struct consumer *c = arg;
    bool had = c->buffer.n > c->buffer.head;
    if (!c->taken && !c->seeking)
        consumer_fetch(c, 1);
    c->taken = false;
    if (!had && c->buffer.n > c->buffer.head)
        consumer_tell_ready(c);
    consumer_group_tick(c);
}

/* ---- the end ---- */

static void leave(void *arg)
{
    struct consumer *c = arg;
    if (c->rejoined) /* a subscribe that was postponed by a rebalance would end in an assertion */
        rd_kafka_unsubscribe(c->rk);
    rd_kafka_consumer_close(c->rk);
    rd_kafka_destroy(c->rk);
}

static void left(void *arg)
{
    struct consumer *c = arg;
    if (c->abandoned)
        return;
    timer_stop(c->bound);
    loop_fn done = c->done;
    void *done_arg = c->done_arg;
    release(c);
    if (done)
        done(done_arg);
}

static void start_leaving(struct consumer *c)
{
    if (c->destroying || c->jobs > 0 || c->abandoned)
        return;
    c->destroying = true;
    wake_stop(&c->wake);
    wake_stop(&c->ops);
    batches_detach(c->batches);
    job_start(c->loop, leave, left, c);
}

void consumer_job_done(struct consumer *c)
{
    c->jobs--;
    if (c->closing)
        start_leaving(c);
}

static void bound_passed(void *arg)
{
    struct consumer *c = arg;
    c->bound = NULL;
    c->abandoned = true;
    job_leak(c);
    if (c->done)
        c->done(c->done_arg);
}

void consumer_close(struct consumer *c, uint64_t bound, loop_fn done, void *arg)
{
    c->done = done;
    c->done_arg = arg;
    consumer_give_up(c);
    c->closing = true;
    timer_stop(c->tick);
    timer_stop(c->beat);
    c->tick = c->beat = NULL;
    consumer_drop(c, NULL);
    c->bound = timer_start(c->loop, bound, 0, bound_passed, c);
    start_leaving(c);
}

void consumer_abandon(struct consumer *c)
{
    c->closing = c->abandoned = true;
    timer_stop(c->tick);
    timer_stop(c->beat);
    wake_stop(&c->wake);
    wake_stop(&c->ops);
    batches_detach(c->batches);
    job_leak(c);
}
