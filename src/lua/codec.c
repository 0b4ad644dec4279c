/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding walks the Lua value and appends text; decoding lets jansson parse (its integers are 64
 * bits) and walks its tree. Neither keeps C memory across a call that may raise, but for the buffer
 * of the caller and the tree, which hangs in a userdata with a finalizer. */
#include "lua/codec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "lua/bind.h"
#include "lua/host.h"

enum { DEPTH_MAX = 100 };
#define TREE_TYPE "kaos.json"

void codec_unfreeze(lua_State *L, int idx)
{
    idx = lua_absindex(L, idx);
    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx)) {
        return;
    }
    lua_pop(L, 1);
    host_library(L, "frozen");
    lua_getfield(L, -1, "raw");
    lua_pushvalue(L, idx);
    lua_call(L, 1, 1);
    if (lua_istable(L, -1)) {
        lua_replace(L, idx);
        lua_pop(L, 1);
    } else {
        lua_pop(L, 2);
    }
}

/* ---- bytes ---- */

/* Decimal without snprintf, which would cost as much as the rest of a small send. */
static size_t integer_text(int64_t v, char *out)
{
    char digits[24];
    size_t n = 0, len = 0;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        digits[n++] = (char)('0' + u % 10);
        u /= 10;
    } while (u > 0);
    if (v < 0) {
        out[len++] = '-';
    }
    while (n > 0) {
        out[len++] = digits[--n];
    }
    out[len] = '\0';
    return len;
}

static size_t number_text(lua_State *L, int idx, char *out, size_t size)
{
    if (lua_isinteger(L, idx)) {
        return integer_text(lua_tointeger(L, idx), out);
    }
    return (size_t)snprintf(out, size, "%.17g", lua_tonumber(L, idx));
}

struct codec_bytes codec_check_bytes(lua_State *L, int idx, const char *what,
                                     char number[CODEC_NUMBER])
{
    struct codec_bytes b = {NULL, 0};
    switch (lua_type(L, idx)) {
    case LUA_TNONE:
    case LUA_TNIL:
        return b;
    case LUA_TSTRING:
        b.data = lua_tolstring(L, idx, &b.len);
        return b;
    case LUA_TNUMBER:
        b.len = number_text(L, idx, number, CODEC_NUMBER);
        b.data = number;
        return b;
    case LUA_TTABLE:
        luaL_error(L,
                   "%s: a table is not bytes; declare the topic with value = \"json\", or make "
                   "a string of it",
                   what);
        return b;
    default:
        luaL_error(L, "%s: a %s is not bytes, give a string or a number", what,
                   luaL_typename(L, idx));
        return b;
    }
}

/* ---- JSON out ---- */

struct writer {
    lua_State *L;
    const char *what;
    bool lenient;
    struct buf *out;
};

static void write_value(struct writer *w, int idx, int depth);

/* Length of the UTF-8 sequence at s (up to n bytes), 0 if it is none. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
    size_t len = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 : 0;
    len = *s >= 0xf0 && *s < 0xf5 ? 4 : len;
    if (len == 0 || len > n) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
        (*s == 0xf4 && s[1] > 0x8f)) {
        return 0;
    }
    return len;
}

static bool is_utf8(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = utf8_len((const unsigned char *)s + i, n - i);
        if (len == 0) {
            return false;
        }
        i += len;
    }
    return true;
}

static void write_string(struct writer *w, const char *s, size_t n)
{
    if (!is_utf8(s, n)) {
        if (!w->lenient) {
            luaL_error(w->L, "%s: a string that is not UTF-8 cannot be JSON", w->what);
        }
        json_t *j = json_bytes(s, n);
        char *text = json_dumps(j, JSON_COMPACT);
        buf_puts(w->out, text ? text : "null");
        free(text);
        json_decref(j);
        return;
    }
    buf_append(w->out, "\"", 1);
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        buf_append(w->out, s + from, i - from);
        if (c < 0x20) {
            buf_printf(w->out, "\\u%04x", c);
        } else {
            buf_printf(w->out, "\\%c", c);
        }
        from = i + 1;
    }
    buf_append(w->out, s + from, n - from);
    buf_append(w->out, "\"", 1);
}

static void write_number(struct writer *w, int idx)
{
    char text[CODEC_NUMBER];
    double d = lua_tonumber(w->L, idx);
    if (!lua_isinteger(w->L, idx) && !isfinite(d)) {
        if (!w->lenient) {
            luaL_error(w->L, "%s: %f cannot be JSON", w->what, d);
        }
        buf_puts(w->out, d > 0 ? "\"inf\"" : d < 0 ? "\"-inf\"" : "\"nan\"");
        return;
    }
    size_t len = number_text(w->L, idx, text, sizeof text);
    buf_append(w->out, text, len);
    if (!lua_isinteger(w->L, idx) && !strpbrk(text, ".e")) {
        buf_puts(w->out, ".0");
    }
}

static void write_array(struct writer *w, int idx, lua_Integer n, int depth)
{
    buf_append(w->out, "[", 1);
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1) {
            buf_append(w->out, ",", 1);
        }
        lua_rawgeti(w->L, idx, i);
        write_value(w, lua_gettop(w->L), depth + 1);
        lua_pop(w->L, 1);
    }
    buf_append(w->out, "]", 1);
}

static void write_key(struct writer *w)
{
    lua_State *L = w->L;
    if (lua_type(L, -2) != LUA_TSTRING && !(w->lenient && lua_type(L, -2) == LUA_TNUMBER)) {
        luaL_error(L, "%s: a table with the key %s is neither an array nor an object of JSON",
                   w->what, luaL_tolstring(L, -2, NULL));
    }
    size_t n;
    lua_pushvalue(L, -2);
    const char *s = lua_tolstring(L, -1, &n);
    bool lenient = w->lenient;
    if (!is_utf8(s, n)) {
        s = "?";
        n = 1;
        if (!lenient) {
            luaL_error(L, "%s: a key that is not UTF-8 cannot be JSON", w->what);
        }
    }
    write_string(w, s, n);
    lua_pop(L, 1);
}

static void write_object(struct writer *w, int idx, int depth)
{
    bool first = true;
    buf_append(w->out, "{", 1);
    lua_pushnil(w->L);
    while (lua_next(w->L, idx)) {
        if (!first) {
            buf_append(w->out, ",", 1);
        }
        first = false;
        write_key(w);
        buf_append(w->out, ":", 1);
        write_value(w, lua_gettop(w->L), depth + 1);
        lua_pop(w->L, 1);
    }
    buf_append(w->out, "}", 1);
}

/* n if the keys are exactly 1..n with n > 0, else 0 */
static lua_Integer array_len(lua_State *L, int idx)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, idx), count = 0;
    if (n == 0) {
        return 0;
    }
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        count++;
    }
    return count == n ? n : 0;
}

static void write_table(struct writer *w, int idx, int depth)
{
    if (depth >= DEPTH_MAX) {
        luaL_error(w->L, "%s: tables nested more than %d deep (a table inside itself?)", w->what,
                   DEPTH_MAX);
    }
    luaL_checkstack(w->L, 8, "json");
    lua_pushvalue(w->L, idx);
    codec_unfreeze(w->L, -1);
    int raw = lua_gettop(w->L);
    lua_Integer n = array_len(w->L, raw);
    if (n > 0) {
        write_array(w, raw, n, depth);
    } else {
        write_object(w, raw, depth);
    }
    lua_pop(w->L, 1);
}

static void write_value(struct writer *w, int idx, int depth)
{
    size_t n;
    const char *s;
    switch (lua_type(w->L, idx)) {
    case LUA_TNIL:
        buf_puts(w->out, "null");
        return;
    case LUA_TBOOLEAN:
        buf_puts(w->out, lua_toboolean(w->L, idx) ? "true" : "false");
        return;
    case LUA_TNUMBER:
        write_number(w, idx);
        return;
    case LUA_TSTRING:
        s = lua_tolstring(w->L, idx, &n);
        write_string(w, s, n);
        return;
    case LUA_TTABLE:
        write_table(w, idx, depth);
        return;
    default:
        if (!w->lenient) {
            luaL_error(w->L, "%s: a %s cannot be JSON", w->what, luaL_typename(w->L, idx));
        }
        s = luaL_tolstring(w->L, idx, &n);
        write_string(w, s, n);
        lua_pop(w->L, 1);
    }
}

void codec_write_json(lua_State *L, int idx, const char *what, bool lenient, struct buf *out)
{
    struct writer w = {L, what, lenient, out};
    write_value(&w, lua_absindex(L, idx), 0);
}

/* ---- JSON in ---- */

static int tree_gc(lua_State *L)
{
    json_t **box = lua_touserdata(L, 1);
    json_decref(*box);
    *box = NULL;
    return 0;
}

static void push_tree(lua_State *L, const json_t *j);

static void push_object(lua_State *L, const json_t *j)
{
    const char *key;
    json_t *value;
    lua_createtable(L, 0, (int)json_object_size(j));
    json_object_foreach((json_t *)j, key, value)
    {
        push_tree(L, value);
        lua_setfield(L, -2, key);
    }
}

static void push_array(lua_State *L, const json_t *j)
{
    lua_createtable(L, (int)json_array_size(j), 0);
    for (size_t i = 0; i < json_array_size(j); i++) {
        push_tree(L, json_array_get(j, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_tree(lua_State *L, const json_t *j)
{
    luaL_checkstack(L, 6, "json");
    switch (json_typeof(j)) {
    case JSON_OBJECT:
        push_object(L, j);
        return;
    case JSON_ARRAY:
        push_array(L, j);
        return;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(j), json_string_length(j));
        return;
    case JSON_INTEGER:
        lua_pushinteger(L, json_integer_value(j));
        return;
    case JSON_REAL:
        lua_pushnumber(L, json_real_value(j));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(j));
        return;
    case JSON_NULL:
        lua_pushnil(L);
        return;
    }
}

bool codec_push_json(lua_State *L, const void *data, size_t len)
{
    json_error_t why;
    json_t **box = lua_newuserdatauv(L, sizeof(json_t *), 0);
    *box = NULL;
    if (luaL_newmetatable(L, TREE_TYPE)) {
        lua_pushcfunction(L, tree_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    *box = json_loadb(data, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    bool ok = *box != NULL;
    if (ok) {
        push_tree(L, *box);
    } else {
        lua_pushstring(L, why.text);
    }
    json_decref(*box);
    *box = NULL;
    lua_remove(L, -2);
    return ok;
}
