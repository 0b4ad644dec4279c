/* SPDX-License-Identifier: Apache-2.0 */
/* The context `w` that a role function gets: clients, tasks and time, decisions by hash, facts for
 * the history. What belongs to a client is in its own file. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "lua/bind.h"
#include "lua/codec.h"
#include "lua/host.h"
#include "lua/load.h"
#include "lua/opts.h"
#include "lua/rt.h"

static const char tables_key, format_key;

static struct runtime *check_ctx(lua_State *L)
{
    luaL_checkudata(L, 1, CTX_TYPE);
    struct runtime *rt = rt_of(L);
    rt_step(rt);
    return rt;
}

/* ---- time ---- */

struct sleep {
    struct wait wait;
    struct timer *timer;
};

static void on_timer(void *arg)
{
    struct sleep *s = arg;
    s->timer = NULL;
    task_wake(&s->wait);
}

static void stop_sleep(struct wait *w)
{
    struct sleep *s = w->arg;
    timer_stop(s->timer);
    s->timer = NULL;
}

static int sleep_ms(lua_State *L, struct runtime *rt, int64_t ms)
{
    task_check(L);
    struct sleep *s = lua_newuserdatauv(L, sizeof *s, 0);
    *s = (struct sleep){.wait = {.stop = stop_sleep, .arg = s}};
    s->timer = timer_start(rt->loop, (uint64_t)ms, 0, on_timer, s);
    return task_wait(L, &s->wait);
}

static int l_sleep(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    struct plan_range r = opts_check_duration(L, 2, "sleep");
    int64_t ms = r.min_ms;
    if (r.max_ms > r.min_ms) {
        uint64_t h = hash_mix(hash_str(rt->s.seed, "sleep"), (uint64_t)rt->s.index);
        h = hash_mix(hash_str(h, rt->s.role->name), rt->draws++);
        ms += (int64_t)(hash_unit(h) * (double)(r.max_ms - r.min_ms + 1));
    }
    return sleep_ms(L, rt, ms);
}

static int l_pace(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    double per_s = opts_check_rate(L, 2, "pace");
    struct task_pace *p = task_pace(task_check(L));
    uint64_t now = clock_mono_ns();
    if (p->per_s != per_s) {
        *p = (struct task_pace){.per_s = per_s, .start_ns = now};
    }
    uint64_t due = p->start_ns + (uint64_t)((double)++p->n * 1e9 / per_s);
    p->due_ns = due;
    if (due > now) {
        return sleep_ms(L, rt, (int64_t)((due - now + 999999) / 1000000));
    }
    if (p->n % 256 == 0) { /* late: no wait, but the loop gets its turn */
        return sleep_ms(L, rt, 0);
    }
    return 0;
}

static int l_spawn(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (rt->ended) {
        return luaL_error(L, "spawn: the role has ended");
    }
    int nargs = lua_gettop(L) - 2;
    if (nargs == 0) {
        lua_pushvalue(L, 1);
        nargs = 1;
    }
    struct task *t = task_spawn(L, nargs);
    task_push(L, t);
    return 1;
}

/* ---- decisions ---- */

static uint64_t hash_key(lua_State *L, int idx, uint64_t h)
{
    size_t len;
    struct message *m = message_test(L, idx);
    if (m) {
        h = hash_mix(hash_str(h, m->topic), (uint64_t)m->partition);
        return hash_mix(h, (uint64_t)m->offset);
    }
    switch (lua_type(L, idx)) {
    case LUA_TNIL:
        return hash_mix(h, 0);
    case LUA_TBOOLEAN:
        return hash_mix(h, 1 + (uint64_t)lua_toboolean(L, idx));
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx)) {
            return hash_mix(hash_mix(h, 3), (uint64_t)lua_tointeger(L, idx));
        } else {
            double d = lua_tonumber(L, idx);
            return hash_bytes(hash_mix(h, 4), &d, sizeof d);
        }
    case LUA_TSTRING: {
        const char *s = lua_tolstring(L, idx, &len);
        return hash_bytes(hash_mix(h, 5), s, len);
    }
    default:
        luaL_error(L, "a key must be a string, number, boolean or message, not a %s",
                   luaL_typename(L, idx));
        return h;
    }
}

/* Hash of the seed, the label at idx and the keys behind it. */
static double draw(lua_State *L, struct runtime *rt, const char *purpose, int idx)
{
    uint64_t h = hash_str(hash_str(rt->s.seed, purpose), luaL_checkstring(L, idx));
    int top = lua_gettop(L);
    for (int i = idx + 1; i <= top; i++) {
        h = hash_key(L, i, h);
    }
    return hash_unit(h);
}

static int l_chance(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    lua_Number p = luaL_checknumber(L, 2);
    luaL_argcheck(L, p >= 0 && p <= 1, 2, "not a probability, write 0..1 (2 % is 0.02)");
    lua_pushboolean(L, draw(L, rt, "chance", 3) < p);
    return 1;
}

static int l_int(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    lua_Integer lo = luaL_checkinteger(L, 2), hi = luaL_checkinteger(L, 3);
    luaL_argcheck(L, lo <= hi, 3, "the upper bound is below the lower one");
    double u = draw(L, rt, "int", 4);
    uint64_t span = (uint64_t)hi - (uint64_t)lo;
    uint64_t k = (uint64_t)(u * ((double)span + 1));
    uint64_t value = (uint64_t)lo + (k > span ? span : k);
    lua_pushinteger(L, (lua_Integer)value);
    return 1;
}

/* ---- facts ---- */

static const char *caller(lua_State *L)
{
    luaL_where(L, 1);
    const char *where = runtime_where(lua_tostring(L, -1));
    lua_pop(L, 1);
    return where;
}

/* The table at idx (or nil) as JSON in the scratch buffer. */
static void fields(lua_State *L, struct runtime *rt, int idx, const char *what)
{
    rt->scratch.len = 0;
    if (lua_isnoneornil(L, idx)) {
        buf_puts(&rt->scratch, "{}");
        return;
    }
    luaL_checktype(L, idx, LUA_TTABLE);
    codec_write_json(L, idx, what, true, &rt->scratch);
}

static int l_emit(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    const char *kind = luaL_checkstring(L, 2);
    fields(L, rt, 3, "emit");
    hist_add(rt->h, H_EMIT, HP_FACT, 0, HS(kind), HB(rt->scratch.data, rt->scratch.len), HS(""),
             HI(-1));
    return 0;
}

/* Raises unless a property of `expect` has this name. */
static void check_declared(lua_State *L, const struct runtime *rt, const char *what,
                           const char *name)
{
    const struct plan_props *props = &rt->s.plan->expect;
    for (size_t i = 0; i < props->n; i++) {
        if (strcmp(props->items[i].name, name) == 0) {
            return;
        }
    }
    lua_newtable(L);
    for (size_t i = 0; i < props->n; i++) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, props->items[i].name);
    }
    bind_push_hint(L, name, -1);
    luaL_error(L, "%s: `expect` declares nothing named \"%s\"%s", what, name, lua_tostring(L, -1));
}

static int l_reached(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    const char *name = luaL_checkstring(L, 2);
    check_declared(L, rt, "reached", name);
    hist_add(rt->h, H_REACHED, HP_FACT, 0, HS(name));
    return 0;
}

static int l_assert(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    luaL_checkany(L, 2);
    bool ok = lua_toboolean(L, 2);
    const char *name = luaL_checkstring(L, 3);
    check_declared(L, rt, "assert", name);
    fields(L, rt, 4, "assert");
    hist_add(rt->h, H_ASSERT, HP_FACT, 0, HS(name), HI(ok), HB(rt->scratch.data, rt->scratch.len),
             HS(caller(L)));
    lua_settop(L, 2);
    return 1;
}

static int l_log(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    size_t len;
    luaL_checkstring(L, 2);
    if (lua_gettop(L) > 2) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &format_key);
        lua_replace(L, 1);
        lua_call(L, lua_gettop(L) - 1, 1);
    }
    const char *text = lua_tolstring(L, -1, &len);
    hist_add(rt->h, H_LOG, HP_FACT, 0, HB(text, len));
    fprintf(stderr, "%s\n", text);
    return 0;
}

static int l_done(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    hist_add(rt->h, H_DONE, HP_FACT, 0, HS(luaL_checkstring(L, 2)));
    return 0;
}

static int l_table(lua_State *L)
{
    check_ctx(L);
    luaL_checkstring(L, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &tables_key);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    return 1;
}

/* ---- clients ---- */

static int l_send(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    return producer_push_send(L, producer_sender(L, rt), 2, true);
}

static int l_messages(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "topics");
    consumer_push_new(L, rt, 3, "messages");
    return consumer_push_messages(L, consumer_check(L, -1));
}

static int l_producer(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    lua_settop(L, 2);
    return producer_push_new(L, rt, 2);
}

static int l_consumer(lua_State *L)
{
    struct runtime *rt = check_ctx(L);
    lua_settop(L, 2);
    return consumer_push_new(L, rt, 2, "consumer");
}

#define ROWS(_)                                                                                    \
    _("producer", l_producer, "{ options } -> producer",                                           \
      "Creates a producer; a transactional one first fences older ones of its id.")                \
    _("consumer", l_consumer, "{ options } -> consumer",                                           \
      "Creates a consumer; it joins its group in the background.")                                 \
    _("send", l_send, "(topic, record | message | value, key) -> offset, partition | nil, err",    \
      "Sends one record and waits for its outcome.")                                               \
    _("messages", l_messages, "(topic) -> iterator",                                               \
      "Iterates over the records of a topic with a default consumer; offsets are committed after " \
      "the loop body.")                                                                            \
    _("spawn", l_spawn, "(function, ...) -> task",                                                 \
      "Runs a function as a further task of this process.")                                        \
    _("sleep", l_sleep, "(duration) -> nil", "Waits in this task.")                                \
    _("pace", l_pace, "(rate) -> nil",                                                             \
      "Waits until the planned time of the next step at a rate, however late the last one was.")   \
    _("chance", l_chance, "(p, label, ...) -> boolean",                                            \
      "Decides by the run's seed, the label and the keys: the same answer in every process.")      \
    _("int", l_int, "(low, high, label, ...) -> integer",                                          \
      "Draws a number by the run's seed, the label and the keys.")                                 \
    _("emit", l_emit, "(kind, fields) -> nil", "Writes a fact for invariants into the history.")   \
    _("reached", l_reached, "(name) -> nil", "Says that a declared `sometimes` has happened.")     \
    _("assert", l_assert, "(condition, name, details) -> condition",                               \
      "Judges a declared `always` at this place.")                                                 \
    _("log", l_log, "(format, ...) -> nil", "Writes a line into the history and the role's log.")  \
    _("done", l_done, "(name) -> nil",                                                             \
      "Says that a named piece of work is done; `stop.after` waits for it.")                       \
    _("table", l_table, "(name) -> table", "Gives a table of this process, lost with it.")
static const luaL_Reg methods[] = {ROWS(BIND_REG){NULL, NULL}};
#define ROW(...) BIND_ROW("ctx", __VA_ARGS__)
const struct api_row ctx_rows[] = {
    ROWS(ROW){"ctx", "params", "table", "The values of the scenario's params, read-only."},
    {"ctx", "role", "string", "The name of this role."},
    {"ctx", "index", "integer", "Which instance of the role this is, from 1."},
    {"ctx", "incarnation", "integer", "1 on the first start, one more after each death."},
    {NULL, NULL, NULL, NULL},
};
const struct api_row error_rows[] = {
    {"error", "code", "string | integer", "The name of Kafka's or librdkafka's code."},
    {"error", "kind", "string", "What failed: broker, timeout, usage, ..., or fault."},
    {"error", "message", "string", "What was tried on what, and why it failed."},
    {"error", "retriable", "boolean", "The same call may work later."},
    {"error", "fatal", "boolean", "The client is dead."},
    {"error", "abortable", "boolean", "The transaction has to be aborted."},
    {NULL, NULL, NULL, NULL},
};

/* Upvalue 1: the fields and methods. */
static int l_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    return bind_unknown(L, "kaos.role context", luaL_tolstring(L, 2, NULL), lua_upvalueindex(1));
}

static int l_newindex(lua_State *L)
{
    return luaL_error(L, "the context is read-only; use w:table(name) for state of this process");
}

static int l_tostring(lua_State *L)
{
    struct runtime *rt = rt_of(L);
    lua_pushfstring(L, "role %s %d", rt->s.role->name, rt->s.index);
    return 1;
}

void ctx_open(lua_State *L)
{
    static const luaL_Reg meta[] = {
        {"__tostring", l_tostring}, {"__newindex", l_newindex}, {NULL, NULL}};
    bind_class(L, CTX_TYPE, methods, meta);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &tables_key);
    lua_getglobal(L, LUA_STRLIBNAME);
    lua_getfield(L, -1, "format");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &format_key);
    lua_pop(L, 1);
}

void ctx_push(lua_State *L, struct runtime *rt)
{
    struct err e;
    lua_newuserdatauv(L, 1, 0);
    luaL_getmetatable(L, CTX_TYPE);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    if (rt->prompt) {
        lua_newtable(L);
    } else if (load_push_params(rt->s.load, rt->s.plan, &e)) {
        host_raise(L, &e);
    }
    lua_setfield(L, -2, "params");
    lua_pushstring(L, rt->s.role->name);
    lua_setfield(L, -2, "role");
    lua_pushinteger(L, rt->s.index);
    lua_setfield(L, -2, "index");
    lua_pushinteger(L, rt->s.incarnation);
    lua_setfield(L, -2, "incarnation");
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}
