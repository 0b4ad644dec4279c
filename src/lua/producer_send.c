/* SPDX-License-Identifier: Apache-2.0 */
/* Sending one record: the arguments become a producer_record without copies (the Lua strings on the
 * stack hold the bytes), the identity headers are patched into prepared bytes, the invoke is
 * written to the history, then librdkafka gets the record. When its queue is full the call waits
 * for room and goes on from there, with the same sequence number. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "lua/bind.h"
#include "lua/host.h"
#include "lua/producer_internal.h"

enum {
    OWN_HEADERS = 3,
    SMALL_HEADERS = 16,
    TURN_EVERY = 512,  /* sends after which the loop gets a turn */
    LATE_NS = 2000000, /* a send behind its plan by less is on time */
};

struct out {
    struct lproducer *p;
    struct ltopic *t;
    struct message *from;
    struct producer_record r;
    char key[CODEC_NUMBER], value[CODEC_NUMBER];
    struct producer_header small[SMALL_HEADERS], *headers;
    size_t nheaders;
};

/* ---- topics ---- */

static struct ltopic *new_topic(struct lproducer *p, const char *name)
{
    struct runtime *rt = p->rt;
    struct ltopic *t = xcalloc(1, sizeof *t);
    t->name = client_intern(name);
    t->id = rt_topic_id(rt, t->name);
    t->codec = rt_codec(rt, name);
    struct ident_header h = {.run = ident_text(rt->s.run),
                             .role = ident_text(rt->s.role->name),
                             .topic = ident_text(name),
                             .index = (uint32_t)rt->s.index,
                             .incarnation = (uint32_t)rt->s.incarnation};
    t->header_len = ident_put(t->header, &h);
    t->next = p->topics;
    p->topics = t;
    return t;
}

static struct ltopic *find_topic(lua_State *L, struct lproducer *p, const char *name)
{
    if (p->last && strcmp(p->last->name, name) == 0) {
        return p->last;
    }
    struct ltopic *t = p->topics;
    while (t && strcmp(t->name, name) != 0) {
        t = t->next;
    }
    if (!t) {
        rt_check_topic(L, p->rt, "send", name);
        t = new_topic(p, name);
    }
    p->last = t;
    return t;
}

/* ---- arguments ---- */

static struct producer_bytes to_bytes(struct codec_bytes b)
{
    return (struct producer_bytes){b.data, b.len};
}

static void set_value(lua_State *L, struct out *o, int idx)
{
    if (o->t->codec == PLAN_JSON) {
        struct buf *b = &o->p->rt->scratch;
        b->len = 0;
        codec_write_json(L, idx, "send: value", false, b);
        o->r.value = (struct producer_bytes){b->data, b->len};
        return;
    }
    o->r.value = to_bytes(codec_check_bytes(L, idx, "send: value", o->value));
}

static void room_for_headers(lua_State *L, struct out *o, size_t n)
{
    o->headers = o->small;
    if (n + OWN_HEADERS > SMALL_HEADERS) {
        o->headers = lua_newuserdatauv(L, (n + OWN_HEADERS) * sizeof *o->headers, 0);
    }
}

static void add_header(struct out *o, const char *name, size_t name_len, struct producer_bytes v)
{
    o->headers[o->nheaders++] = (struct producer_header){name, name_len, v};
}

/* The value on top as header bytes; numbers become a string that stays on the stack. */
static void take_header(lua_State *L, struct out *o, const char *name, size_t name_len)
{
    struct producer_bytes v = {NULL, 0};
    if (lua_type(L, -1) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER) {
        v.data = lua_tolstring(L, -1, &v.len);
    } else if (!lua_isnil(L, -1)) {
        luaL_error(L, "send: header %s must be a string, a number or nil, not a %s", name,
                   luaL_typename(L, -1));
    }
    add_header(o, name, name_len, v);
}

static void list_headers(lua_State *L, struct out *o, int idx, size_t n)
{
    for (size_t i = 1; i <= n; i++) {
        size_t len;
        if (lua_geti(L, idx, (lua_Integer)i) != LUA_TTABLE || lua_geti(L, -1, 1) != LUA_TSTRING) {
            luaL_error(L, "send: headers[%d] must be { name, value }", (int)i);
        }
        const char *name = lua_tolstring(L, -1, &len);
        lua_geti(L, -2, 2);
        take_header(L, o, name, len); /* the three stay: they hold the bytes */
    }
}

static void map_headers(lua_State *L, struct out *o, int idx)
{
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        size_t len;
        if (lua_type(L, -2) != LUA_TSTRING) {
            luaL_error(L, "send: headers is a list of { name, value } or a table [name] = value");
        }
        const char *name = lua_tolstring(L, -2, &len);
        take_header(L, o, name, len);
        lua_insert(L, -2); /* the value stays below the key */
    }
}

static void user_headers(lua_State *L, struct out *o, int idx)
{
    if (!lua_istable(L, idx)) {
        luaL_error(L, "send: headers must be a table, not a %s", luaL_typename(L, idx));
    }
    codec_unfreeze(L, idx);
    size_t n = lua_rawlen(L, idx), fields = 0;
    if (n == 0) {
        lua_pushnil(L);
        while (lua_next(L, idx)) {
            lua_pop(L, 1);
            fields++;
        }
    }
    luaL_checkstack(L, (int)(3 * n + fields) + 8, "headers");
    room_for_headers(L, o, n + fields);
    if (n > 0) {
        list_headers(L, o, idx, n);
    } else {
        map_headers(L, o, idx);
    }
}

static void own_record(lua_State *L, struct out *o, struct message *m)
{
    struct message_header h;
    size_t n = 0;
    while (message_header(m, n, &h)) {
        n++;
    }
    room_for_headers(L, o, n);
    for (size_t i = 0; message_header(m, i, &h); i++) {
        if (strncmp(h.name, IDENT_HEADER, sizeof IDENT_HEADER - 1) != 0 ||
            (strcmp(h.name, IDENT_HEADER) != 0 && strcmp(h.name, IDENT_SRC) != 0 &&
             strcmp(h.name, IDENT_TXN) != 0)) {
            add_header(o, h.name, strlen(h.name), (struct producer_bytes){h.value, h.len});
        }
    }
    o->from = m;
    o->r.key = (struct producer_bytes){m->key, m->key_len};
    o->r.value = (struct producer_bytes){m->value, m->value_len};
}

static int64_t integer_field(lua_State *L, const char *name, int64_t low, int64_t high)
{
    if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < low || lua_tointeger(L, -1) > high) {
        luaL_error(L, "send: %s must be an integer from %I, not %s", name, (LUAI_UACINT)low,
                   luaL_tolstring(L, -1, NULL));
    }
    return lua_tointeger(L, -1);
}

static int unknown_field(lua_State *L, const char *name)
{
    static const char *const names[] = {"key",       "value", "headers", "partition",
                                        "timestamp", "from",  NULL};
    lua_newtable(L);
    for (int i = 0; names[i]; i++) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, names[i]);
    }
    bind_push_hint(L, name, -1);
    return luaL_error(L, "send: a record has no field `%s`%s", name, lua_tostring(L, -1));
}

/* One field of a record table: name at -2, value at -1. @return true for headers (done later) */
static bool field(lua_State *L, struct out *o)
{
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "1";
    int idx = lua_gettop(L);
    if (strcmp(name, "value") == 0) {
        set_value(L, o, idx);
    } else if (strcmp(name, "key") == 0) {
        o->r.key = to_bytes(codec_check_bytes(L, idx, "send: key", o->key));
    } else if (strcmp(name, "from") == 0) {
        o->from = message_test(L, idx);
        if (!o->from) {
            luaL_error(L, "send: from must be a message, not a %s", luaL_typename(L, idx));
        }
    } else if (strcmp(name, "partition") == 0) {
        o->r.partition = (int32_t)integer_field(L, "partition", 0, INT32_MAX);
    } else if (strcmp(name, "timestamp") == 0) {
        o->r.timestamp = integer_field(L, "timestamp", 1, INT64_MAX);
    } else if (strcmp(name, "headers") == 0) {
        return true;
    } else {
        unknown_field(L, name);
    }
    return false;
}

static void table_record(lua_State *L, struct out *o, int idx)
{
    bool headers = false;
    codec_unfreeze(L, idx);
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        headers |= field(L, o);
        lua_pop(L, 1);
    }
    if (headers) {
        lua_getfield(L, idx, "headers");
        user_headers(L, o, lua_gettop(L));
    }
}

/* Topic at idx, then a message, a record table, or value and key. What it pushes holds bytes. */
static void arguments(lua_State *L, struct out *o, int idx)
{
    o->t = find_topic(L, o->p, luaL_checkstring(L, idx));
    o->r = (struct producer_record){.topic = o->t->name, .partition = -1};
    o->headers = o->small;
    struct message *m = lua_type(L, idx + 1) == LUA_TUSERDATA ? message_check(L, idx + 1) : NULL;
    if (m) {
        own_record(L, o, m);
    } else if (lua_istable(L, idx + 1)) {
        table_record(L, o, idx + 1);
    } else {
        set_value(L, o, idx + 1);
        if (!lua_isnoneornil(L, idx + 2)) {
            o->r.key = to_bytes(codec_check_bytes(L, idx + 2, "send: key", o->key));
        }
    }
}

/* ---- identity ---- */

static void identity(struct out *o, uint64_t seq)
{
    struct lproducer *p = o->p;
    ident_set_last(o->t->header, o->t->header_len, seq);
    add_header(o, IDENT_HEADER, sizeof IDENT_HEADER - 1,
               (struct producer_bytes){o->t->header, o->t->header_len});
    if (o->from) {
        const struct message *m = o->from;
        if (p->src_topic != m->topic) {
            struct ident_src s = {.topic = ident_text(m->topic)};
            p->src_header_len = ident_put_src(p->src_header, &s);
            p->src_topic = m->topic;
        }
        ident_set_src(p->src_header, p->src_header_len, m->partition, m->offset);
        add_header(o, IDENT_SRC, sizeof IDENT_SRC - 1,
                   (struct producer_bytes){p->src_header, p->src_header_len});
    }
    if (p->open_txn) {
        ident_set_last(p->txn_header, p->txn_header_len, (uint64_t)p->open_txn);
        add_header(o, IDENT_TXN, sizeof IDENT_TXN - 1,
                   (struct producer_bytes){p->txn_header, p->txn_header_len});
    }
    o->r.headers = o->headers;
    o->r.nheaders = o->nheaders;
    o->r.tag = seq;
}

/* When the plan of w:pace had this record go out, if that is long past. What is made from another
 * record has no plan of its own. */
static int64_t planned(const struct out *o)
{
    struct task *t = o->from ? NULL : tasks_current(o->p->rt->tasks);
    uint64_t due = t ? task_pace(t)->due_ns : 0;
    return due && clock_mono_ns() >= due + LATE_NS ? (int64_t)due : 0;
}

static void record_send(const struct out *o, uint64_t seq)
{
    struct lproducer *p = o->p;
    const struct message *m = o->from;
    hist_send(p->rt->h, &(struct hist_send){
                            .producer = p->name_id,
                            .topic = o->t->id,
                            .partition = o->r.partition,
                            .seq = (int64_t)seq,
                            .txn = p->open_txn ? p->open_txn : -1,
                            .src_topic = m ? rt_topic_id(p->rt, m->topic) : 0,
                            .src_partition = m ? m->partition : -1,
                            .src_offset = m ? m->offset : -1,
                            .planned = planned(o),
                        });
}

static void point(const struct out *o, enum plan_point which, uint64_t seq)
{
    struct lproducer *p = o->p;
    struct runtime_at at = {
        .consumer = p->consumer, .producer = p->name, .txn = p->open_txn ? p->open_txn : -1};
    if (o->from) {
        at.topic = o->from->topic;
        at.partition = o->from->partition;
        at.offset = o->from->offset;
    } else if (!(p->rt->abilities & ABLE_CONSUME)) {
        at.topic = "";
        at.partition = p->rt->s.index;
        at.offset = (int64_t)seq;
    }
    p->rt->s.hooks->point(p->rt->s.arg, which, &at);
}

/* In a role without input the record of the decisions is the send itself. */
static void draw(const struct out *o, uint64_t seq)
{
    struct runtime *rt = o->p->rt;
    if (!(rt->abilities & ABLE_CONSUME)) {
        struct runtime_record r = {.group = "",
                                   .topic = "",
                                   .partition = rt->s.index,
                                   .offset = (int64_t)seq,
                                   .first = true};
        rt->s.hooks->record(rt->s.arg, &r, rt->abilities);
    }
}

/* ---- sending ---- */

static int send_again(lua_State *L, struct wait *w);
static int pushed(lua_State *L, struct lproducer *p, uint64_t seq, bool outcome);

static int wait_room(lua_State *L, struct lproducer *p, int idx, uint64_t seq, bool outcome)
{
    struct room_wait *rw = lua_newuserdatauv(L, sizeof *rw, 0);
    *rw = (struct room_wait){.wait = {.push = send_again, .arg = rw},
                             .p = p,
                             .next = p->full,
                             .seq = seq,
                             .idx = idx,
                             .outcome = outcome};
    p->full = rw;
    return task_wait(L, &rw->wait);
}

static int refuse(lua_State *L, const struct out *o, uint64_t seq, const struct err *e)
{
    struct hist *h = o->p->rt->h;
    hist_ack(h, HP_FAIL,
             &(struct hist_ack){.producer = o->p->name_id,
                                .topic = o->t->id,
                                .partition = o->r.partition,
                                .seq = (int64_t)seq,
                                .offset = -1,
                                .error = hist_str(h, client_code_name(e->code))});
    if (o->p->failure.kind == ERR_NONE) {
        o->p->failure = *e;
    }
    rt_check_fatal(o->p->rt, e);
    return rt_push_failure(L, e);
}

/* seq 0: the first try. */
static int send(lua_State *L, struct lproducer *p, int idx, uint64_t seq, bool outcome)
{
    struct out o;
    struct err e;
    int top = lua_gettop(L);
    const struct runtime_switches *sw = p->rt->s.switches;
    o.p = p;
    o.from = NULL;
    o.nheaders = 0;
    arguments(L, &o, idx);
    if (p->rt->draining && !o.from && tasks_drained(p->rt->tasks)) {
        task_push_cancelled(L);
        return lua_error(L);
    }
    bool first = seq == 0;
    seq = first ? ++p->rt->seq : seq;
    if (first && sw->draws) {
        draw(&o, seq);
    }
    if (first && sw->armed) {
        point(&o, POINT_BEFORE_SEND, seq);
    }
    identity(&o, seq);
    if (first) {
        record_send(&o, seq);
    }
    int rc = producer_send(p->p, &o.r, &e);
    lua_settop(L, top);
    if (rc && e.code == CLIENT_ERR_QUEUE_FULL && task_can_wait(L)) {
        return wait_room(L, p, idx, seq, outcome);
    }
    if (rc) {
        return refuse(L, &o, seq, &e);
    }
    if (sw->armed) {
        point(&o, POINT_AFTER_SEND, seq);
    }
    return pushed(L, p, seq, outcome);
}

static int send_again(lua_State *L, struct wait *w)
{
    struct room_wait *rw = w->arg;
    if (rw->p->closed) {
        return luaL_error(L, "producer is closed");
    }
    return send(L, rw->p, rw->idx, rw->seq, rw->outcome);
}

static int push_outcome(lua_State *L, struct wait *w)
{
    struct send_wait *sw = w->arg;
    if (sw->ack.status == PRODUCER_PERSISTED) {
        lua_pushinteger(L, sw->ack.offset);
        lua_pushinteger(L, sw->ack.partition);
        return 2;
    }
    struct err e;
    err_set(&e, ERR_BROKER, sw->ack.code, "sending a record to %s: %s", sw->ack.topic,
            client_code_text(sw->ack.code));
    return rt_push_failure(L, &e);
}

static void stop_outcome(struct wait *w)
{
    struct send_wait *sw = w->arg;
    for (struct send_wait **at = &sw->p->waiting; *at; at = &(*at)->next) {
        if (*at == sw) {
            *at = sw->next;
            return;
        }
    }
}

static int push_true(lua_State *L, struct wait *w)
{
    lua_pushboolean(L, 1);
    return 1;
}

static void end_turn(void *arg)
{
    task_wake(arg);
}

static int pushed(lua_State *L, struct lproducer *p, uint64_t seq, bool outcome)
{
    if (outcome) {
        struct send_wait *sw = lua_newuserdatauv(L, sizeof *sw, 0);
        *sw = (struct send_wait){.wait = {.push = push_outcome, .stop = stop_outcome, .arg = sw},
                                 .p = p,
                                 .seq = seq,
                                 .next = p->waiting};
        p->waiting = sw;
        return task_wait(L, &sw->wait);
    }
    if (seq % TURN_EVERY == 0 && task_can_wait(L)) {
        struct wait *w = lua_newuserdatauv(L, sizeof *w, 0);
        *w = (struct wait){.push = push_true};
        loop_defer(p->rt->loop, end_turn, w);
        return task_wait(L, w);
    }
    lua_pushboolean(L, 1);
    return 1;
}

int producer_push_send(lua_State *L, struct lproducer *p, int idx, bool wait_outcome)
{
    if (wait_outcome) {
        task_check(L);
    }
    return send(L, p, idx, 0, wait_outcome);
}
