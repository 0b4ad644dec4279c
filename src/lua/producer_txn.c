/* SPDX-License-Identifier: Apache-2.0 */
/* The transactions of a producer as Lua and the history see them. client/transaction.c is the state
 * machine; here its events become history, its points crash points, and what the consumer has
 * handed out becomes the offsets of the commit.
 *
 * For each partition the first and the last record that was handed out are added: their memberships
 * differ when the partition was given away and came back meanwhile, and then the machine must
 * abort. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/bind.h"
#include "lua/codec.h"
#include "lua/host.h"
#include "lua/rt.h"

/* ---- events into history ---- */

static const char *flags_of(const struct err *e)
{
    return e->fatal ? "fatal" : e->abortable ? "abortable" : e->retriable ? "retriable" : "";
}

static const char *error_of(const struct err *e)
{
    return e->kind == ERR_NONE ? "" : e->code ? client_code_name(e->code) : err_kind_name(e->kind);
}

static void record_offsets(struct lproducer *p, const struct transaction_event *ev)
{
    for (size_t i = 0; ev->offsets && i < ev->offsets->n; i++) {
        const struct client_partition *o = &ev->offsets->items[i];
        hist_add(p->rt->h, H_TXN_OFFSETS, HP_INVOKE, p->op, HS(p->name), HI(ev->txn),
                 HS(ev->group ? ev->group : ""), HS(o->topic), HI(o->partition), HI(o->offset),
                 HI(ev->generation), HI(ev->assignment), HS(""), HS(""));
    }
}

static void on_event(void *arg, const struct transaction_event *ev)
{
    static const struct err none;
    struct lproducer *p = arg;
    struct hist *h = p->rt->h;
    const struct err *e = ev->done && ev->error ? ev->error : &none;
    enum hist_phase phase = !ev->done ? HP_INVOKE : e->kind == ERR_NONE ? HP_OK : HP_FAIL;
    phase = ev->done && ev->unknown ? HP_UNKNOWN : phase;
    if (!ev->done) {
        p->op = hist_op(h);
    }
    switch (ev->op) {
    case TRANSACTION_OP_INIT:
        hist_add(h, H_TXN_INIT, phase, p->op, HS(p->name), HS(error_of(e)), HS(flags_of(e)));
        break;
    case TRANSACTION_OP_BEGIN:
        hist_add(h, H_TXN_BEGIN, phase, p->op, HS(p->name), HI(ev->txn), HS(error_of(e)));
        break;
    case TRANSACTION_OP_OFFSETS:
        if (!ev->done) {
            record_offsets(p, ev);
            break;
        }
        hist_add(h, H_TXN_OFFSETS, phase, p->op, HS(p->name), HI(ev->txn),
                 HS(ev->group ? ev->group : ""), HS(""), HI(-1), HI(-1), HI(ev->generation),
                 HI(ev->assignment), HS(error_of(e)), HS(flags_of(e)));
        break;
    case TRANSACTION_OP_COMMIT:
        hist_add(h, H_TXN_COMMIT, phase, p->op, HS(p->name), HI(ev->txn), HS(error_of(e)),
                 HS(flags_of(e)));
        break;
    case TRANSACTION_OP_ABORT:
        hist_add(h, H_TXN_ABORT, phase, p->op, HS(p->name), HI(ev->txn),
                 HS(transaction_why_name(ev->why)), HS(error_of(e)), HS(flags_of(e)));
        break;
    }
}

static void on_point(void *arg, enum transaction_point point)
{
    static const enum plan_point points[] = {
        [TRANSACTION_BEFORE_OFFSETS] = POINT_BEFORE_OFFSETS,
        [TRANSACTION_AFTER_OFFSETS] = POINT_AFTER_OFFSETS,
        [TRANSACTION_BEFORE_COMMIT] = POINT_BEFORE_COMMIT,
        [TRANSACTION_DURING_COMMIT] = POINT_DURING_COMMIT,
        [TRANSACTION_AFTER_COMMIT] = POINT_AFTER_COMMIT,
    };
    struct lproducer *p = arg;
    if (p->rt->s.switches->armed) {
        p->rt->s.hooks->point(p->rt->s.arg, points[point],
                              &(struct runtime_at){.consumer = p->consumer,
                                                   .producer = p->name,
                                                   .txn = transaction_number(p->t)});
    }
}

static void on_stuck(void *arg, const char *call, unsigned seconds)
{
    struct lproducer *p = arg;
    char *text = xasprintf("%s: %s has not returned for %u s", p->name, call, seconds);
    hist_add(p->rt->h, H_LOG, HP_FACT, 0, HB(text, strlen(text)));
    log_warn("%s", text);
    free(text);
}

const struct transaction_callbacks producer_txn_callbacks = {
    .on_event = on_event, .on_point = on_point, .on_stuck = on_stuck};

/* ---- calls ---- */

static void settle(struct lproducer *p, bool committed)
{
    const struct lconsumer *owner = p->consumer;
    if (p->consumer) {
        p->consumer->txn_draw = false;
        consumer_settle(p->consumer, !committed && !p->call.no_rewind);
    }
    p->rt->s.hooks->settle(p->rt->s.arg, owner);
    p->consumer = NULL;
    p->open_txn = 0;
}

static void on_called(void *arg, enum transaction_outcome outcome, const struct err *e)
{
    struct lproducer *p = arg;
    rt_check_fatal(p->rt, e);
    p->call.outcome = outcome;
    p->call.e = *e;
    p->call.busy = false;
    if (p->open_txn) {
        settle(p, outcome == TRANSACTION_COMMITTED);
    }
    task_wake(&p->call.wait);
}

static int push_result(lua_State *L, struct lproducer *p)
{
    struct txn_wait *k = &p->call;
    if (k->push == TXN_PUSH_NOTHING) {
        return 0;
    }
    if (k->fault) {
        struct err e = {.kind = ERR_BROKER, .abortable = true};
        snprintf(e.msg, sizeof e.msg, "%s: aborted by a declared fault", p->name);
        lua_pushnil(L);
        host_push_err(L, &e, "_KAOS_ABORT");
        lua_pushliteral(L, "fault");
        lua_setfield(L, -2, "kind");
        return 2;
    }
    if (k->e.kind != ERR_NONE) {
        return rt_push_failure(L, &k->e);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int push_called(lua_State *L, struct wait *w)
{
    struct lproducer *p = w->arg;
    if (p->call.push == TXN_PUSH_PRODUCER) {
        if (p->call.e.kind != ERR_NONE) {
            return rt_raise_setup(L, p->rt, &p->call.e);
        }
        lua_settop(L, lua_gettop(L)); /* the producer is on top */
        return 1;
    }
    return push_result(L, p);
}

/* Until the task that made the call has taken its result. */
bool producer_txn_busy(const struct lproducer *p)
{
    return p->call.busy || p->call.wait.task;
}

/* Before a call is started: nothing else runs, and this code may wait. */
static void prepare(lua_State *L, struct lproducer *p, int push)
{
    if (push != TXN_PUSH_NOTHING) {
        task_check(L);
    }
    if (producer_txn_busy(p)) {
        luaL_error(L, "%s: another call on this transaction is still running", p->name);
    }
    p->call = (struct txn_wait){.wait = {.push = push_called, .arg = p, .setup = true},
                                .busy = true,
                                .no_rewind = p->call.no_rewind,
                                .push = push};
}

void producer_txn_mistakes(struct lproducer *p, bool no_rewind, bool now)
{
    struct transaction_mistakes m = {.no_rewind = no_rewind, .membership_now = now};
    p->call.no_rewind = no_rewind;
    transaction_set_mistakes(p->t, &m);
}

int producer_txn_init(lua_State *L, struct lproducer *p)
{
    prepare(L, p, TXN_PUSH_PRODUCER);
    transaction_init(p->t, on_called, p);
    return task_wait(L, &p->call.wait);
}

/* The record that stands for the transaction in draws: the first one handed out for it, in a role
 * without input the transaction itself. */
static void draw_begin(struct lproducer *p, struct lconsumer *c, int64_t txn)
{
    struct runtime *rt = p->rt;
    struct runtime_record r = {
        .group = "", .topic = "", .partition = rt->s.index, .offset = txn, .first = true};
    if (c && c->nhanded == 0) {
        c->txn_draw = true;
        return;
    }
    if (c) {
        const struct message *m = c->handed[0].first;
        r = (struct runtime_record){.consumer = c,
                                    .group = c->group,
                                    .topic = m->topic,
                                    .partition = m->partition,
                                    .offset = m->offset,
                                    .first = true};
    }
    rt->s.hooks->begin(rt->s.arg, &r, rt->abilities);
}

int producer_txn_begin(lua_State *L, struct lproducer *p, struct lconsumer *c)
{
    struct err e;
    if (producer_txn_busy(p) || p->open_txn) {
        return luaL_error(L, "begin: transaction %I of %s is still open", (LUAI_UACINT)p->open_txn,
                          p->name);
    }
    p->consumer = c;
    int64_t txn = transaction_begin(p->t, c ? c->c : NULL, &e);
    if (txn < 0) {
        p->consumer = NULL;
        rt_check_fatal(p->rt, &e);
        return host_raise(L, &e);
    }
    p->open_txn = txn;
    producer_txn_mistakes(p, p->no_rewind, p->now);
    if (p->rt->s.switches->draws) {
        draw_begin(p, c, txn);
    }
    tx_push(L, p, txn);
    return 1;
}

static void add_handed(struct lproducer *p)
{
    struct err e;
    struct lconsumer *c = p->consumer;
    for (size_t i = 0; c && i < c->nhanded; i++) {
        struct handed *h = &c->handed[i];
        if (transaction_add(p->t, h->first, &e) == 0 && h->last != h->first) {
            transaction_add(p->t, h->last, &e);
        }
    }
}

static struct handed *find_handed(lua_State *L, struct lproducer *p, int entry)
{
    struct lconsumer *c = p->consumer;
    lua_geti(L, entry, 1);
    lua_geti(L, entry, 2);
    const char *topic = lua_tostring(L, -2);
    int64_t partition = lua_tointeger(L, -1);
    lua_pop(L, 2);
    for (size_t i = 0; c && topic && i < c->nhanded; i++) {
        struct message *m = c->handed[i].last;
        if (m->partition == partition && strcmp(m->topic, topic) == 0) {
            return &c->handed[i];
        }
    }
    luaL_error(L, "commit: offsets: no record of %s[%d] was handed out", topic ? topic : "?",
               (int)partition);
    return NULL;
}

/* The author's own offsets; what they mean is the author's business. */
static void add_given(lua_State *L, struct lproducer *p, int offsets)
{
    struct err e;
    lua_Integer n = luaL_len(L, offsets);
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_geti(L, offsets, i) != LUA_TTABLE) {
            luaL_error(L, "commit: offsets is a list of { topic, partition, offset }");
        }
        struct handed *h = find_handed(L, p, lua_gettop(L));
        lua_geti(L, -1, 3);
        if (!lua_isinteger(L, -1)) {
            luaL_error(L, "commit: offsets[%d] has no offset", (int)i);
        }
        transaction_add_offset(p->t, h->last, lua_tointeger(L, -1), &e);
        lua_pop(L, 2);
    }
}

int producer_txn_commit(lua_State *L, struct lproducer *p, int offsets, bool now)
{
    struct runtime *rt = p->rt;
    prepare(L, p, TXN_PUSH_RESULT);
    p->call.busy = false; /* until the arguments are known to be right */
    bool fault = rt->s.switches->draws && rt->s.hooks->take_abort(rt->s.arg, p->consumer);
    if (!fault && offsets) {
        add_given(L, p, offsets);
    } else if (!fault) {
        add_handed(p);
    }
    p->call.busy = true;
    p->call.fault = fault;
    producer_txn_mistakes(p, p->no_rewind, p->now || now);
    if (fault) {
        transaction_abort(p->t, TRANSACTION_WHY_FAULT, on_called, p);
    } else {
        transaction_commit(p->t, on_called, p);
    }
    return task_wait(L, &p->call.wait);
}

int producer_txn_abort(lua_State *L, struct lproducer *p, enum transaction_why why, int push)
{
    prepare(L, p, push);
    transaction_abort(p->t, why, on_called, p);
    if (push == TXN_PUSH_NOTHING && !task_can_wait(L)) {
        return 0;
    }
    return task_wait(L, &p->call.wait);
}
