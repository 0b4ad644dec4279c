/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: small userdata whose fields are made when they are asked for. Messages that were taken
 * together share one pack, whose finalizer releases them all: a finalizer per message would cost
 * more than everything else. What keeps the pack alive is the metatable of its messages, which each
 * pack has for itself: that costs a message no user value. User value 1 caches a decoded value. */
#include <string.h>

#include "lua/bind.h"
#include "lua/codec.h"
#include "lua/rt.h"

#define PACK_TYPE "kaos.pack"

static const char shared_key; /* in the registry: what the metatables of messages have in common */

struct lmessage {
    const char *tag; /* &shared_key: tells messages from other userdata without a look-up */
    struct message *m;
    const struct pack *pack;
    enum plan_codec codec;
    bool decoded;
};

/* Shared metamethods are copied: Lua looks for them in the metatable alone. */
static void push_metatable(lua_State *L)
{
    static const char *const names[] = {"__index", "__newindex",  "__tostring",
                                        "__name",  "__metatable", NULL};
    lua_createtable(L, 1, 5);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &shared_key);
    for (int i = 0; names[i]; i++) {
        lua_getfield(L, -1, names[i]);
        lua_setfield(L, -3, names[i]);
    }
    lua_pop(L, 1);
}

struct pack *message_push_pack(lua_State *L, size_t n)
{
    push_metatable(L);
    struct pack *p = lua_newuserdatauv(L, sizeof *p + n * sizeof(struct message *), 0);
    *p = (struct pack){.items = (struct message **)(p + 1), .cap = n};
    luaL_setmetatable(L, PACK_TYPE);
    lua_rawseti(L, -2, 1);
    return p;
}

static int l_pack_gc(lua_State *L)
{
    struct pack *p = lua_touserdata(L, 1);
    for (size_t i = 0; i < p->n; i++) {
        message_release(p->items[i]);
    }
    p->n = 0;
    p->released = true;
    return 0;
}

void message_push(lua_State *L, struct pack *p, int idx, struct message *m, enum plan_codec codec)
{
    struct lmessage *lm = lua_newuserdatauv(L, sizeof *lm, codec == PLAN_JSON ? 1 : 0);
    *lm = (struct lmessage){.tag = &shared_key, .m = m, .pack = p, .codec = codec};
    if (idx > 0) {
        lua_pushvalue(L, idx);
    } else {
        lua_rawgeti(L, LUA_REGISTRYINDEX, -idx);
    }
    lua_setmetatable(L, -2);
}

static struct lmessage *test(lua_State *L, int idx)
{
    struct lmessage *lm = lua_touserdata(L, idx);
    return lm && lua_rawlen(L, idx) == sizeof *lm && lm->tag == &shared_key ? lm : NULL;
}

/* At the end of a state finalizers may see messages whose pack is gone. */
static struct lmessage *alive(lua_State *L, struct lmessage *lm)
{
    if (lm && lm->pack->released) {
        luaL_error(L, "this message was collected before the finalizer that reads it");
    }
    return lm;
}

static struct lmessage *check(lua_State *L, int idx)
{
    struct lmessage *lm = test(L, idx);
    return lm ? alive(L, lm) : luaL_checkudata(L, idx, MESSAGE_TYPE); /* raises */
}

struct message *message_test(lua_State *L, int idx)
{
    struct lmessage *lm = alive(L, test(L, idx));
    return lm ? lm->m : NULL;
}

struct message *message_check(lua_State *L, int idx)
{
    return check(L, idx)->m;
}

static bool own_header(const char *name)
{
    return strcmp(name, IDENT_HEADER) == 0 || strcmp(name, IDENT_SRC) == 0 ||
           strcmp(name, IDENT_TXN) == 0;
}

static void push_bytes(lua_State *L, const void *data, size_t len)
{
    if (data) {
        lua_pushlstring(L, data, len);
    } else {
        lua_pushnil(L);
    }
}

static int push_headers(lua_State *L, struct message *m)
{
    struct message_header h;
    lua_Integer n = 0;
    lua_newtable(L);
    for (size_t i = 0; message_header(m, i, &h); i++) {
        if (own_header(h.name)) {
            continue;
        }
        lua_createtable(L, 2, 0);
        lua_pushstring(L, h.name);
        lua_rawseti(L, -2, 1);
        push_bytes(L, h.value, h.len);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int push_value(lua_State *L, struct lmessage *lm)
{
    struct message *m = lm->m;
    if (lm->codec != PLAN_JSON || !m->value) {
        push_bytes(L, m->value, m->value_len);
        return 1;
    }
    if (lm->decoded) {
        lua_getiuservalue(L, 1, 1);
        return 1;
    }
    if (!codec_push_json(L, m->value, m->value_len)) {
        return luaL_error(L, "%s[%d]@%I: the value is not JSON: %s", m->topic, (int)m->partition,
                          (LUAI_UACINT)m->offset, lua_tostring(L, -1));
    }
    lm->decoded = true;
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, 1);
    return 1;
}

static int l_header(lua_State *L)
{
    struct message *m = message_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    struct message_header h, last = {0};
    for (size_t i = 0; message_header(m, i, &h); i++) {
        if (strcmp(h.name, name) == 0) {
            last = h;
        }
    }
    push_bytes(L, last.value, last.len);
    return 1;
}

static int l_tostring(lua_State *L)
{
    struct message *m = message_check(L, 1);
    lua_pushfstring(L, "%s[%d]@%I", m->topic, (int)m->partition, (LUAI_UACINT)m->offset);
    return 1;
}

#define ROWS(_) _("header", l_header, "(name) -> string | nil", "Gives the last value of a header.")
static const luaL_Reg methods[] = {ROWS(BIND_REG){NULL, NULL}};
#define ROW(...) BIND_ROW("message", __VA_ARGS__)
const struct api_row message_rows[] = {
    {"message", "topic", "string", "The topic that the record was read from."},
    {"message", "partition", "integer", "The partition that the record was read from."},
    {"message", "offset", "integer", "The record's offset."},
    {"message", "timestamp", "integer", "Kafka's timestamp in milliseconds since 1970."},
    {"message", "key", "string | nil", "The key as bytes; nil is null."},
    {"message", "value", "string | table | ... | nil",
     "The value by the codec of its topic: a string (bytes) or what the JSON text says."},
    {"message", "headers", "{ { name, value }, ... }",
     "The headers in order, without those of kaos; a missing value is null."},
    ROWS(ROW){NULL, NULL, NULL, NULL},
};

/* Upvalue 1: the methods. */
static int push_other(lua_State *L, const char *name)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    lua_newtable(L);
    for (const struct api_row *r = message_rows; r->name; r++) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, r->name);
    }
    return bind_unknown(L, MESSAGE_TYPE, name, -1);
}

/* The length first: what is compared then is short enough to need no call. */
#define IS(field) (len == sizeof field - 1 && memcmp(name, field, sizeof field - 1) == 0)

static int l_index(lua_State *L)
{
    size_t len;
    struct lmessage *lm = check(L, 1);
    const char *name = luaL_checklstring(L, 2, &len);
    if (IS("value")) {
        return push_value(L, lm);
    }
    if (IS("offset")) {
        lua_pushinteger(L, lm->m->offset);
    } else if (IS("key")) {
        push_bytes(L, lm->m->key, lm->m->key_len);
    } else if (IS("partition")) {
        lua_pushinteger(L, lm->m->partition);
    } else if (IS("topic")) {
        lua_pushstring(L, lm->m->topic);
    } else if (IS("timestamp")) {
        lua_pushinteger(L, lm->m->timestamp);
    } else if (IS("headers")) {
        return push_headers(L, lm->m);
    } else {
        return push_other(L, name);
    }
    return 1;
}

static int l_newindex(lua_State *L)
{
    return luaL_error(L,
                      "a message is read-only: send a table { key = ..., value = ..., from = m }");
}

void message_open(lua_State *L)
{
    static const luaL_Reg meta[] = {
        {"__tostring", l_tostring}, {"__newindex", l_newindex}, {NULL, NULL}};
    bind_class(L, MESSAGE_TYPE, methods, meta);
    luaL_getmetatable(L, MESSAGE_TYPE);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &shared_key);
    luaL_newmetatable(L, PACK_TYPE);
    lua_pushcfunction(L, l_pack_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
