/* SPDX-License-Identifier: Apache-2.0 */
/* A file of values is data that happens to be written in Lua: text only, an empty environment, a
 * bounded number of instructions. */
#include "lua/params_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "lua/host.h"

enum { MAX_TEXT = 1 << 20, STEP = 10000, STEPS = 1000 };

struct reading {
    const char *path;
    struct buf text;
    struct plan_conf *out;
    int steps;
};

static const char *count_down(lua_State *L, void *arg)
{
    struct reading *rd = arg;
    return ++rd->steps > STEPS ? "the file runs too long; it should only return a table" : NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct plan_kv *)a)->name, ((const struct plan_kv *)b)->name);
}

/* The pair on top of the stack. */
static void read_pair(lua_State *L, struct reading *rd)
{
    int type = lua_type(L, -1);
    if (lua_type(L, -2) != LUA_TSTRING) {
        luaL_error(L, "%s: the table has an entry without a name", rd->path);
    }
    const char *name = lua_tostring(L, -2);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
        luaL_error(L, "%s: %s is no number, string or boolean", rd->path, name);
    }
    size_t len;
    const char *text = luaL_tolstring(L, -1, &len);
    if (strlen(text) != len) {
        luaL_error(L, "%s: %s holds a zero byte", rd->path, name);
    }
    plan_conf_set(rd->out, name, text);
    lua_pop(L, 1);
}

static int read_all(lua_State *L)
{
    struct reading *rd = lua_touserdata(L, 1);
    char chunk[512];
    snprintf(chunk, sizeof chunk, "@%s", rd->path);
    if (luaL_loadbufferx(L, rd->text.data ? rd->text.data : "", rd->text.len, chunk, "t")) {
        return lua_error(L);
    }
    lua_newtable(L);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1)) {
        return luaL_error(L, "%s: returns no table; write `return { workers = 5 }`", rd->path);
    }
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        read_pair(L, rd);
    }
    return 0;
}

int params_file_lua(const char *path, struct plan_conf *out, struct err *e)
{
    size_t first = out->n;
    struct reading rd = {.path = path, .out = out};
    if (path_read(path, MAX_TEXT, &rd.text, e) < 0) {
        buf_free(&rd.text);
        return -1;
    }
    lua_State *L = host_new();
    host_set_interrupt(L, STEP, count_down, &rd);
    int rc = host_protect(L, read_all, &rd, e);
    host_set_interrupt(L, 0, NULL, NULL);
    host_free(L);
    buf_free(&rd.text);
    if (out->n > first) {
        qsort(out->items + first, out->n - first, sizeof *out->items, by_name);
    }
    return rc;
}
