/* SPDX-License-Identifier: Apache-2.0 */
/* Joins the rows of the C modules with those of lib/kaos/schema.lua. The joining and the writing is
 * Lua (api.lua, stub.lua); here are its entry points, each in a state of its own. */
#include "lua/api.h"

#include <stdlib.h>

#include "base/mem.h"
#include "lua/bind.h"
#include "lua/host.h"

struct rows {
    struct api_row *items;
    size_t n, cap;
};
struct api {
    struct rows rows;
};

void api_push_rows(lua_State *L)
{
    lua_Integer n = 0;
    luaL_checkstack(L, 6, "api");
    lua_newtable(L);
    for (const struct api_row *const *m = api_modules; *m; m++) {
        for (const struct api_row *r = *m; r->name; r++) {
            lua_createtable(L, 0, 4);
            lua_pushstring(L, r->module);
            lua_setfield(L, -2, "module");
            lua_pushstring(L, r->name);
            lua_setfield(L, -2, "name");
            lua_pushstring(L, r->signature);
            lua_setfield(L, -2, "signature");
            lua_pushstring(L, r->doc);
            lua_setfield(L, -2, "doc");
            lua_rawseti(L, -2, ++n);
        }
    }
}

static char *take_field(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    char *s = xstrdup(luaL_checkstring(L, -1));
    lua_pop(L, 1);
    return s;
}

static int do_rows(lua_State *L)
{
    struct api *a = lua_touserdata(L, 1);
    host_library(L, "api");
    lua_getfield(L, -1, "rows");
    api_push_rows(L);
    lua_call(L, 1, 1);
    for (lua_Integer i = 1; lua_geti(L, -1, i) == LUA_TTABLE; i++) {
        struct api_row *r = VEC_PUSH(&a->rows);
        r->module = take_field(L, "module");
        r->name = take_field(L, "name");
        r->signature = take_field(L, "signature");
        r->doc = take_field(L, "doc");
        lua_pop(L, 1);
    }
    return 0;
}

struct api *api_open(struct err *e)
{
    struct api *a = xcalloc(1, sizeof *a);
    lua_State *L = host_new();
    int rc = host_protect(L, do_rows, a, e);
    host_free(L);
    if (rc) {
        api_close(a);
        return NULL;
    }
    return a;
}

void api_close(struct api *a)
{
    if (!a) {
        return;
    }
    for (size_t i = 0; i < a->rows.n; i++) {
        free((char *)(uintptr_t)a->rows.items[i].module);
        free((char *)(uintptr_t)a->rows.items[i].name);
        free((char *)(uintptr_t)a->rows.items[i].signature);
        free((char *)(uintptr_t)a->rows.items[i].doc);
    }
    free(a->rows.items);
    free(a);
}

const struct api_row *api_rows(const struct api *a, size_t *n)
{
    *n = a->rows.n;
    return a->rows.items;
}

struct text {
    const char *module, *function, *name;
    char *out;
};

/* Calls module.function(native rows, name), which returns a text, or nil and a message. */
static int do_text(lua_State *L)
{
    struct text *t = lua_touserdata(L, 1);
    host_library(L, t->module);
    lua_getfield(L, -1, t->function);
    api_push_rows(L);
    lua_pushstring(L, t->name);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) {
        return lua_error(L);
    }
    t->out = xstrdup(luaL_checkstring(L, -2));
    return 0;
}

static int write_text(FILE *f, struct text t, struct err *e)
{
    lua_State *L = host_new();
    int rc = host_protect(L, do_text, &t, e);
    host_free(L);
    if (rc) {
        return -1;
    }
    if (fputs(t.out, f) == EOF || fflush(f) == EOF) {
        rc = err_sys(e, "writing %s.%s", t.module, t.function);
    }
    free(t.out);
    return rc;
}

int api_write_docs(FILE *f, struct err *e)
{
    return write_text(f, (struct text){"api", "docs", NULL, NULL}, e);
}

int api_write_meta(FILE *f, struct err *e)
{
    return write_text(f, (struct text){"stub", "write", NULL, NULL}, e);
}

int api_write_luacheck(FILE *f, struct err *e)
{
    return write_text(f, (struct text){"api", "luacheck", NULL, NULL}, e);
}

int api_help(FILE *f, const char *name, struct err *e)
{
    return write_text(f, (struct text){"api", "help", name, NULL}, e);
}
