/* SPDX-License-Identifier: Apache-2.0 */
/* Producers: opening, flush, begin, close, and the outcomes that librdkafka reports. Sending is in
 * producer_send.c, transactions are in producer_txn.c. The C object lives until the role ends; a
 * closed one answers every call with an error. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/bind.h"
#include "lua/host.h"
#include "lua/opts.h"
#include "lua/producer_internal.h"

/* ---- outcomes ---- */

static void note_failure(struct lproducer *p, const struct producer_ack *a)
{
    if (p->failure.kind == ERR_NONE) {
        err_set(&p->failure, ERR_BROKER, a->code, "sending a record to %s: %s", a->topic,
                client_code_text(a->code));
    }
}

static void wake_sender(struct lproducer *p, const struct producer_ack *a)
{
    for (struct send_wait **at = &p->waiting; *at; at = &(*at)->next) {
        struct send_wait *sw = *at;
        if (sw->seq == a->tag) {
            *at = sw->next;
            sw->ack = *a;
            task_wake(&sw->wait);
            return;
        }
    }
}

static void on_ack(void *arg, const struct producer_ack *acks, size_t n)
{
    static const enum hist_phase phases[] = {
        [PRODUCER_NOT] = HP_FAIL, [PRODUCER_POSSIBLY] = HP_UNKNOWN, [PRODUCER_PERSISTED] = HP_OK};
    struct lproducer *p = arg;
    struct hist *h = p->rt->h;
    for (size_t i = 0; i < n; i++) {
        const struct producer_ack *a = &acks[i];
        hist_ack(h, phases[a->status],
                 &(struct hist_ack){
                     .producer = p->name_id,
                     .topic = rt_topic_id(p->rt, a->topic),
                     .partition = a->partition,
                     .seq = (int64_t)a->tag,
                     .offset = a->offset,
                     .error = a->code ? hist_str(h, client_code_name(a->code)) : 0,
                 });
        if (a->status != PRODUCER_PERSISTED) {
            note_failure(p, a);
        }
        if (p->waiting) {
            wake_sender(p, a);
        }
    }
}

static void on_room(void *arg)
{
    struct lproducer *p = arg;
    struct room_wait *rw = p->full;
    p->full = NULL;
    for (; rw; rw = rw->next) {
        task_wake(&rw->wait);
    }
}

static void finish_close(struct lproducer *p);

static void on_drained(void *arg)
{
    struct lproducer *p = arg;
    struct flush_wait *fw = p->flushing;
    p->flushing = NULL;
    for (; fw; fw = fw->next) {
        task_wake(&fw->wait);
    }
    if (p->bound) {
        timer_stop(p->bound);
        p->bound = NULL;
        finish_close(p);
    }
}

static void on_error(void *arg, const struct err *e)
{
    struct lproducer *p = arg;
    rt_check_fatal(p->rt, e);
    rt_log_error(p->rt, p->name, e);
}

/* ---- opening ---- */

#define OPTIONS(_)                                                                                 \
    _("transactional", OPT_NAME_OR_TRUE, "true | \"id\"",                                          \
      "Makes it transactional; true names it SCENARIO-ROLE-INDEX.")                                \
    _("idempotent", OPT_BOOLEAN, "boolean", "Switches idempotence, on by default.")                \
    _("conf", OPT_TABLE, "{ [property] = value }", "Properties of librdkafka, untouched.")         \
    _("rewind", OPT_BOOLEAN, "boolean",                                                            \
      "false: a wrong application that goes on reading after an abort instead of rewinding.")      \
    _("metadata", OPT_STRING, "\"batch\" | \"now\"",                                               \
      "\"now\": a wrong application that takes the group's membership at commit time.")
static const struct opt options[] = {
#define OPTION(name, type, shape, doc) {name, type, shape, doc, false},
    OPTIONS(OPTION)};

static char *default_name(const struct runtime *rt)
{
    int n = 1;
    for (const struct lproducer *p = rt->producers; p; p = p->next) {
        n++;
    }
    return n == 1 ? xasprintf("%s-%d", rt->s.role->name, rt->s.index)
                  : xasprintf("%s-%d.%d", rt->s.role->name, rt->s.index, n);
}

static char *transactional_id(lua_State *L, struct runtime *rt, int idx)
{
    const char *id = opts_string(L, idx, "transactional", NULL);
    if (id) {
        return xasprintf("%s%s", id, rt->s.suffix);
    }
    return xasprintf("%s-%s-%d%s", rt->s.plan->name, rt->s.role->name, rt->s.index, rt->s.suffix);
}

static void prepare_txn_header(struct lproducer *p)
{
    struct ident_txn t = {ident_text(p->name), (uint32_t)p->rt->s.incarnation, 0};
    p->txn_header_len = ident_put_txn(p->txn_header, &t);
}

struct opening {
    bool transactional, now, no_rewind;
    const struct conf *conf;
};

/* Makes the C object; nothing in here raises. @return NULL with e */
static struct lproducer *open_producer(struct runtime *rt, char *name, const struct opening *o,
                                       struct err *e)
{
    const struct producer_callbacks cb = {
        .on_ack = on_ack, .on_room = on_room, .on_drained = on_drained, .on_error = on_error};
    struct lproducer *p = xcalloc(1, sizeof *p);
    char *client_id = xasprintf("%s-%d", rt->s.role->name, rt->s.index);
    const struct producer_setup setup = {.bootstrap = rt->s.bootstrap,
                                         .client_id = client_id,
                                         .transactional_id = o->transactional ? name : NULL,
                                         .conf = o->conf};
    struct producer_callbacks with = cb;
    with.arg = p;
    *p = (struct lproducer){.rt = rt, .name = name, .no_rewind = o->no_rewind, .now = o->now};
    p->p = producer_open(rt->loop, &setup, &with, e);
    free(client_id);
    if (!p->p) {
        free(p);
        free(name);
        return NULL;
    }
    p->name_id = hist_str(rt->h, name);
    rt_note_conf(rt, o->conf, "acks");
    rt_note_conf(rt, o->conf, "request.required.acks");
    if (o->transactional) {
        const struct transaction_setup ts = {
            .mistakes = {.no_rewind = o->no_rewind, .membership_now = o->now}};
        struct transaction_callbacks tcb = producer_txn_callbacks;
        tcb.arg = p;
        p->t = transaction_open(p->p, &ts, &tcb);
        prepare_txn_header(p);
    }
    p->next = rt->producers;
    rt->producers = p;
    rt->abilities |= ABLE_SEND | (o->transactional ? ABLE_TRANSACT : 0u);
    return p;
}

static void push_producer(lua_State *L, struct lproducer *p)
{
    struct lproducer **box = lua_newuserdatauv(L, sizeof(struct lproducer *), 0);
    *box = p;
    luaL_setmetatable(L, PRODUCER_TYPE);
}

int producer_push_new(lua_State *L, struct runtime *rt, int idx)
{
    struct err e;
    codec_unfreeze(L, idx);
    opts_check(L, idx, "producer", options, ARRAY_LEN(options));
    const char *metadata = opts_string(L, idx, "metadata", "batch");
    if (strcmp(metadata, "batch") != 0 && strcmp(metadata, "now") != 0) {
        return luaL_error(L, "producer: metadata must be \"batch\" or \"now\", not \"%s\"",
                          metadata);
    }
    struct conf *conf = rt_push_conf(L);
    rt_conf(L, rt, idx, conf);
    if (opts_has(L, idx, "idempotent")) {
        conf_set(conf, "enable.idempotence",
                 opts_bool(L, idx, "idempotent", true) ? "true" : "false");
    }
    bool named = opts_string(L, idx, "transactional", NULL) != NULL;
    struct opening o = {.transactional = named || opts_bool(L, idx, "transactional", false),
                        .now = strcmp(metadata, "now") == 0,
                        .no_rewind = !opts_bool(L, idx, "rewind", true),
                        .conf = conf};
    if (o.transactional) {
        task_check(L);
    }
    char *name = o.transactional ? transactional_id(L, rt, idx) : default_name(rt);
    struct lproducer *p = open_producer(rt, name, &o, &e);
    if (!p) {
        return rt_raise_setup(L, rt, &e);
    }
    push_producer(L, p);
    return p->t ? producer_txn_init(L, p) : 1;
}

struct lproducer *producer_sender(lua_State *L, struct runtime *rt)
{
    struct err e;
    if (!rt->sender || rt->sender->closed) {
        struct conf *conf = rt_push_conf(L);
        rt_conf(L, rt, lua_gettop(L) + 1, conf);
        rt->sender = open_producer(rt, default_name(rt), &(struct opening){.conf = conf}, &e);
        lua_pop(L, 1);
        if (!rt->sender) {
            rt_raise_setup(L, rt, &e);
        }
    }
    return rt->sender;
}

/* ---- methods ---- */

struct lproducer *producer_check(lua_State *L, int idx)
{
    struct lproducer *p = *(struct lproducer **)luaL_checkudata(L, idx, PRODUCER_TYPE);
    if (p->closed) {
        luaL_error(L, "producer is closed");
    }
    rt_step(p->rt);
    return p;
}

static int l_send(lua_State *L)
{
    struct lproducer *p = producer_check(L, 1);
    if (p->t) {
        return luaL_error(L, "send: this producer is transactional, write `local tx <close> = "
                             "producer:begin(consumer)` and tx:send(...)");
    }
    return producer_push_send(L, p, 2, false);
}

static int push_flushed(lua_State *L, struct wait *w)
{
    struct lproducer *p = ((struct flush_wait *)w->arg)->p;
    if (p->failure.kind != ERR_NONE) {
        struct err e = p->failure;
        p->failure.kind = ERR_NONE;
        return rt_push_failure(L, &e);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static void stop_flush(struct wait *w)
{
    struct flush_wait *fw = w->arg;
    for (struct flush_wait **at = &fw->p->flushing; *at; at = &(*at)->next) {
        if (*at == fw) {
            *at = fw->next;
            return;
        }
    }
}

static int l_flush(lua_State *L)
{
    struct lproducer *p = producer_check(L, 1);
    struct flush_wait *fw = lua_newuserdatauv(L, sizeof *fw, 0);
    *fw =
        (struct flush_wait){.wait = {.push = push_flushed, .stop = stop_flush, .arg = fw}, .p = p};
    if (producer_pending(p->p) == 0) {
        return push_flushed(L, &fw->wait);
    }
    task_check(L);
    fw->next = p->flushing;
    p->flushing = fw;
    return task_wait(L, &fw->wait);
}

static int l_begin(lua_State *L)
{
    struct lproducer *p = producer_check(L, 1);
    if (!p->t) {
        return luaL_error(L, "begin: this producer is not transactional, write w:producer { "
                             "transactional = true }");
    }
    struct lconsumer *c = lua_isnoneornil(L, 2) ? NULL : consumer_check(L, 2);
    if (c && !c->group) {
        return luaL_error(L,
                          "begin: this consumer has no group, so its offsets cannot be committed");
    }
    return producer_txn_begin(L, p, c);
}

struct close_wait {
    struct wait wait;
};

static void on_closed(void *arg)
{
    task_wake(&((struct close_wait *)arg)->wait);
}

static int l_close(lua_State *L)
{
    enum { BOUND_MS = 10000 };
    struct lproducer *p = *(struct lproducer **)luaL_checkudata(L, 1, PRODUCER_TYPE);
    if (p->closed) {
        return 0;
    }
    if (producer_txn_busy(p)) {
        return luaL_error(L, "close: a call on the transaction is still running");
    }
    task_check(L);
    struct close_wait *cw = lua_newuserdatauv(L, sizeof *cw, 0);
    *cw = (struct close_wait){{0}};
    producer_close_async(p, BOUND_MS, false, on_closed, cw);
    return task_wait(L, &cw->wait);
}

static int l_tostring(lua_State *L)
{
    struct lproducer *p = *(struct lproducer **)luaL_checkudata(L, 1, PRODUCER_TYPE);
    lua_pushfstring(L, "producer %s%s", p->name, p->closed ? " (closed)" : "");
    return 1;
}

#define ROWS(_)                                                                                    \
    _("send", l_send, "(topic, record | message | value, key) -> true | nil, err",                 \
      "Enqueues a record; waits only for room. A record is { key, value, headers, partition, "     \
      "timestamp, from }.")                                                                        \
    _("flush", l_flush, "() -> true | nil, err",                                                   \
      "Waits for the outcomes of everything sent; the error is the first failure.")                \
    _("begin", l_begin, "(consumer | nil) -> tx",                                                  \
      "Begins a transaction over what the consumer hands out; use `local tx <close> =`.")          \
    _("close", l_close, "() -> nil", "Waits for outcomes, bounded, and closes the producer.")
static const luaL_Reg methods[] = {ROWS(BIND_REG){NULL, NULL}};
#define ROW(...)                           BIND_ROW("producer", __VA_ARGS__)
#define OPTION_ROW(name, type, shape, doc) {"ctx.producer", name, shape, doc},
const struct api_row producer_rows[] = {
    ROWS(ROW) OPTIONS(OPTION_ROW){"record", "key", "string | number",
                                  "The key; nil is null, \"\" is empty."},
    {"record", "value", "string | number | table", "The value, by the codec of the topic."},
    {"record", "headers", "{ { name, value }, ... } | { [name] = value }",
     "Headers, in order when given as a list; a missing value is null."},
    {"record", "partition", "integer", "The partition; by default the key decides."},
    {"record", "timestamp", "integer", "Milliseconds since 1970; by default now."},
    {"record", "from", "message", "The input that this record was made from: its lineage."},
    {NULL, NULL, NULL, NULL}};

void producer_open_class(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__close", l_close}, {"__tostring", l_tostring}, {NULL, NULL}};
    bind_class(L, PRODUCER_TYPE, methods, meta);
}

/* ---- closing: transaction, outcomes (bounded), client ---- */

static void call_done(struct lproducer *p)
{
    loop_fn done = p->done;
    p->done = NULL;
    if (done) {
        done(p->done_arg);
    }
}

static void on_client_closed(void *arg)
{
    call_done(arg);
}

static void finish_close(struct lproducer *p)
{
    struct producer *client = p->p;
    p->p = NULL;
    producer_close(client, p->bound_ms, on_client_closed, p);
}

static void on_bound(void *arg)
{
    struct lproducer *p = arg;
    p->bound = NULL;
    finish_close(p);
}

static void wait_outcomes(struct lproducer *p)
{
    if (producer_pending(p->p) == 0) {
        finish_close(p);
    } else {
        p->bound = timer_start(p->rt->loop, p->bound_ms, 0, on_bound, p);
    }
}

static void on_txn_closed(void *arg, bool hung)
{
    struct lproducer *p = arg;
    p->t = NULL;
    if (hung) {
        producer_abandon(p->p);
        p->p = NULL;
        call_done(p);
    } else {
        wait_outcomes(p);
    }
}

void producer_close_async(struct lproducer *p, uint64_t bound_ms, bool abandon, loop_fn done,
                          void *arg)
{
    p->done = done;
    p->done_arg = arg;
    p->bound_ms = bound_ms;
    if (p->closed) {
        loop_defer(p->rt->loop, on_client_closed, p);
        return;
    }
    p->closed = true;
    if (abandon && p->t) {
        /* The transaction stays open on the broker: what a process leaves that just ends. */
        p->open_txn = 0;
        loop_defer(p->rt->loop, on_client_closed, p);
    } else if (p->t) {
        transaction_close(p->t, bound_ms, on_txn_closed, p);
    } else {
        wait_outcomes(p);
    }
}

void producer_free(struct lproducer *p)
{
    while (p->topics) {
        struct ltopic *t = p->topics;
        p->topics = t->next;
        free(t);
    }
    timer_stop(p->bound);
    free(p->name);
    free(p);
}
