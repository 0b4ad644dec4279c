/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the scenario's author that the checker calls, as the vtable of plan/fold.h:
 * invariants are folds with a state, id functions name a record. Each call is protected, in the
 * phase "judge" (nothing impure), and has a budget of instructions. Functions and states of a
 * scenario live in one table of the registry: { list = folds, states = {}, codecs = {} }. */
#include "lua/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/codec.h"
#include "lua/load_state.h"

enum {
    HOOK_COUNT = 100000, /* instructions between two looks at the budget */
    BUDGET = 100000000,  /* instructions of one call */
    MAX_DEPTH = 100,
    MAX_MESSAGE = 4096,
};

static const char folds_key;

struct fold_call {
    struct load_folds_of *of;
    int fold;
    const char *member;
    const struct fold_message *message;
    const json_t *event;
    struct buf *out;
    bool none; /* id: the function returned nil */
    const char *text;
    char *violation;   /* its message, or NULL */
    struct buf events; /* of the violation, as JSON */
};

/* Pushes the table of the scenario's folds. */
static void push_folds(lua_State *L, const struct load_folds_of *of)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &folds_key) != LUA_TTABLE) {
        luaL_error(L, "kaos: no folds");
    }
    if (lua_rawgeti(L, -1, (lua_Integer)of->scenario + 1) != LUA_TTABLE) {
        luaL_error(L, "kaos: no folds of this scenario");
    }
    lua_remove(L, -2);
}

/* Pushes the folds of the scenario, and the one that is called above it. */
static void push_fold(lua_State *L, const struct fold_call *c)
{
    luaL_checkstack(L, 20, "fold");
    push_folds(L, c->of);
    lua_getfield(L, -1, "list");
    if (lua_rawgeti(L, -1, (lua_Integer)c->fold + 1) != LUA_TTABLE) {
        luaL_error(L, "kaos: no fold %d", c->fold);
    }
    lua_remove(L, -2);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

/* Pushes the decoded bytes; false, and nothing pushed, if s is not base64. */
static bool push_base64(lua_State *L, const char *s, size_t len)
{
    luaL_Buffer b;
    unsigned bits = 0, n = 0;
    while (len > 0 && s[len - 1] == '=') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        if (base64_digit(s[i]) < 0) {
            return false;
        }
    }
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < len; i++) {
        bits = bits << 6 | (unsigned)base64_digit(s[i]);
        n += 6;
        if (n >= 8) {
            n -= 8;
            luaL_addchar(&b, (char)(bits >> n & 0xff));
        }
    }
    luaL_pushresult(&b);
    return true;
}

static void push_value(lua_State *L, const json_t *j, int depth);

static void push_object(lua_State *L, const json_t *j, int depth)
{
    json_t *obj = (json_t *)(uintptr_t)j, *base64 = json_object_get(j, "base64");
    if (json_is_string(base64) && json_object_size(j) == 1 &&
        push_base64(L, json_string_value(base64), json_string_length(base64))) {
        return;
    }
    lua_createtable(L, 0, (int)json_object_size(j));
    for (void *it = json_object_iter(obj); it; it = json_object_iter_next(obj, it)) {
        lua_pushstring(L, json_object_iter_key(it));
        push_value(L, json_object_iter_value(it), depth + 1);
        lua_rawset(L, -3);
    }
}

static void push_value(lua_State *L, const json_t *j, int depth)
{
    luaL_checkstack(L, 6, "json");
    if (depth > MAX_DEPTH) {
        luaL_error(L, "an event is nested too deeply");
    }
    switch (j ? json_typeof(j) : JSON_NULL) {
    case JSON_OBJECT:
        push_object(L, j, depth);
        break;
    case JSON_ARRAY:
        lua_createtable(L, (int)json_array_size(j), 0);
        for (size_t i = 0; i < json_array_size(j); i++) {
            push_value(L, json_array_get(j, i), depth + 1);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(j), json_string_length(j));
        break;
    case JSON_INTEGER:
        lua_pushinteger(L, json_integer_value(j));
        break;
    case JSON_REAL:
        lua_pushnumber(L, json_real_value(j));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(j));
        break;
    default:
        lua_pushnil(L);
    }
}

void fold_push_json(struct lua_State *L, const json_t *j)
{
    push_value(L, j, 0);
}

static const char *count_down(lua_State *L, void *arg)
{
    int *left = arg;
    *left -= HOOK_COUNT;
    return *left > 0 ? NULL : "this function takes too long: is there an endless loop?";
}

/* Runs fn(L) protected, in the phase of judging, within the budget. */
static int guarded(struct fold_call *c, lua_CFunction fn, struct err *e)
{
    lua_State *L = c->of->load->L;
    enum host_phase before = host_phase(L);
    int left = BUDGET;
    host_set_phase(L, HOST_JUDGE);
    host_set_interrupt(L, HOOK_COUNT, count_down, &left);
    int rc = host_protect(L, fn, c, e);
    host_set_interrupt(L, 0, NULL, NULL);
    host_set_phase(L, before);
    return rc;
}

static void push_bytes(lua_State *L, const void *data, size_t len)
{
    if (data) {
        lua_pushlstring(L, data, len);
    } else {
        lua_pushnil(L);
    }
}

/* Sets the field `value` of the message on top; false if it is not what the topic's codec says.
 * folds: index of the table of the scenario. */
static bool set_value(lua_State *L, int folds, const struct fold_message *m)
{
    lua_getfield(L, folds, "codecs");
    lua_getfield(L, -1, m->topic);
    const char *codec = lua_tostring(L, -1);
    bool json = codec && strcmp(codec, "json") == 0;
    lua_pop(L, 2);
    bool good = true;
    if (json && m->value) {
        good = codec_push_json(L, m->value, m->value_len);
    } else {
        push_bytes(L, m->value, m->value_len);
    }
    lua_setfield(L, -2, "value");
    return good;
}

static void add_id(lua_State *L, struct fold_call *c)
{
    size_t len;
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
        c->none = true;
        break;
    case LUA_TSTRING:
    case LUA_TNUMBER:
    case LUA_TBOOLEAN: {
        const char *s = luaL_tolstring(L, -1, &len);
        buf_append(c->out, s, len);
        break;
    }
    default:
        luaL_error(L, "an id function returned a %s, not a string or number", luaL_typename(L, -1));
    }
}

static int do_id(lua_State *L)
{
    struct fold_call *c = lua_touserdata(L, 1);
    const struct fold_message *m = c->message;
    push_fold(L, c);
    int folds = lua_gettop(L) - 1;
    lua_getfield(L, -1, "fn");
    lua_createtable(L, 0, 6);
    lua_pushstring(L, m->topic);
    lua_setfield(L, -2, "topic");
    lua_pushinteger(L, m->partition);
    lua_setfield(L, -2, "partition");
    lua_pushinteger(L, m->offset);
    lua_setfield(L, -2, "offset");
    lua_pushinteger(L, m->timestamp_ms);
    lua_setfield(L, -2, "timestamp");
    push_bytes(L, m->key, m->key_len);
    lua_setfield(L, -2, "key");
    if (!set_value(L, folds, m)) {
        c->none = true;
        return 0;
    }
    lua_call(L, 1, 1);
    add_id(L, c);
    return 0;
}

static int fold_id(void *arg, int fold, const struct fold_message *m, struct buf *out,
                   struct err *e)
{
    struct fold_call c = {.of = arg, .fold = fold, .message = m, .out = out};
    if (guarded(&c, do_id, e)) {
        return err_wrap(e, "id of %s[%d]@%lld", m->topic, (int)m->partition, (long long)m->offset);
    }
    return c.none ? 1 : 0;
}

static int do_text(lua_State *L)
{
    struct fold_call *c = lua_touserdata(L, 1);
    push_fold(L, c);
    lua_getfield(L, -1, c->member);
    c->text = lua_tostring(L, -1);
    return 0;
}

static const char *text_of(void *arg, int fold, const char *member)
{
    struct err e;
    struct fold_call c = {.of = arg, .fold = fold, .member = member};
    return guarded(&c, do_text, &e) || !c.text ? "" : c.text;
}

static const char *fold_on(void *arg, int fold)
{
    return text_of(arg, fold, "on");
}

static const char *fold_name(void *arg, int fold)
{
    return text_of(arg, fold, "name");
}

static int do_begin(lua_State *L)
{
    struct fold_call *c = lua_touserdata(L, 1);
    push_fold(L, c);
    int folds = lua_gettop(L) - 1;
    if (lua_getfield(L, -1, "init") == LUA_TFUNCTION) {
        lua_call(L, 0, 1);
    } else {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    if (lua_isnil(L, -1)) {
        luaL_error(L, "init returned nil, it has to return the first state");
    }
    lua_getfield(L, folds, "states");
    lua_insert(L, -2);
    lua_rawseti(L, -2, (lua_Integer)c->fold + 1);
    return 0;
}

/* Pushes the list of events of the violation on top; one event stands for a list of one. */
static void push_events(lua_State *L)
{
    lua_pushliteral(L, "events");
    lua_rawget(L, -2);
    lua_pushliteral(L, "event");
    if (lua_rawget(L, -2) != LUA_TNIL) {
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, -3);
        lua_rawseti(L, -2, 1);
        lua_replace(L, -3);
    }
    lua_pop(L, 1);
}

/* Reads what step or final returned (on top) into c. */
static void read_violation(lua_State *L, struct fold_call *c)
{
    if (lua_isnil(L, -1)) {
        return;
    }
    host_library(L, "dsl");
    lua_getfield(L, -1, "is_violation");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 1);
    if (!lua_toboolean(L, -1)) {
        luaL_error(L, "%s returned a %s; return violation(...) or nothing", c->member,
                   luaL_typename(L, -3));
    }
    lua_pop(L, 2);
    push_events(L);
    if (lua_rawlen(L, -1) > 0) {
        codec_write_json(L, -1, "the events of a violation", true, &c->events);
    }
    lua_pop(L, 1);
    lua_getfield(L, -1, "message");
    c->violation = xstrdup(lua_tostring(L, -1));
    lua_pop(L, 1);
}

/* step(state, event) or final(state). */
static int do_call(lua_State *L)
{
    struct fold_call *c = lua_touserdata(L, 1);
    push_fold(L, c);
    int folds = lua_gettop(L) - 1;
    if (lua_getfield(L, -1, c->member) != LUA_TFUNCTION) {
        return 0;
    }
    lua_getfield(L, folds, "states");
    if (lua_rawgeti(L, -1, (lua_Integer)c->fold + 1) == LUA_TNIL) {
        luaL_error(L, "kaos: fold %d has not begun", c->fold);
    }
    lua_remove(L, -2);
    if (c->event) {
        fold_push_json(L, c->event);
    }
    lua_call(L, c->event ? 2 : 1, 1);
    read_violation(L, c);
    return 0;
}

static int fold_begin(void *arg, int fold, struct err *e)
{
    struct fold_call c = {.of = arg, .fold = fold};
    return guarded(&c, do_begin, e);
}

static int call(struct fold_call *c, struct fold_violation *v, struct err *e)
{
    json_error_t why;
    *v = (struct fold_violation){0};
    int rc = guarded(c, do_call, e);
    if (rc == 0 && c->violation) {
        v->message = c->violation;
        v->events = c->events.len ? json_loadb(c->events.data, c->events.len, 0, &why) : NULL;
        if (!json_is_array(v->events)) {
            json_decref(v->events);
            v->events = json_array();
        }
    } else {
        free(c->violation);
    }
    buf_free(&c->events);
    return rc;
}

static int fold_step(void *arg, int fold, const json_t *event, struct fold_violation *v,
                     struct err *e)
{
    struct fold_call c = {.of = arg, .fold = fold, .member = "step", .event = event};
    return call(&c, v, e);
}

static int fold_final(void *arg, int fold, struct fold_violation *v, struct err *e)
{
    struct fold_call c = {.of = arg, .fold = fold, .member = "final"};
    return call(&c, v, e);
}

/* Makes the table of the scenario, with the functions of its latest plan. */
static int do_prepare(lua_State *L)
{
    struct fold_call *c = lua_touserdata(L, 1);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &folds_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &folds_key);
    }
    load_push_method(c->of->load, "folds");
    lua_pushinteger(L, (lua_Integer)c->of->scenario + 1);
    lua_call(L, 2, 1);
    lua_rawseti(L, -2, (lua_Integer)c->of->scenario + 1);
    return 0;
}

void load_folds(struct load *l, size_t i, struct fold_ops *ops)
{
    struct err e;
    l->folds[i] = (struct load_folds_of){l, i};
    struct fold_call c = {.of = &l->folds[i]};
    /* A failure leaves no table behind: each call then says so. */
    host_protect(l->L, do_prepare, &c, &e);
    *ops = (struct fold_ops){
        .arg = &l->folds[i],
        .id = fold_id,
        .on = fold_on,
        .name = fold_name,
        .begin = fold_begin,
        .step = fold_step,
        .final = fold_final,
    };
}
