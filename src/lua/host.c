/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how a lua_State is made and entered: which libraries exist, the allocator with its limit,
 * the error table, the traceback handler and the count hook. One struct host hangs in the extra
 * space of the main thread, from where lua_newthread copies it into every coroutine. Main thread
 * only. */
#include "lua/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/mem.h"
#include "base/path.h"
#include "lua/blocks.h"

enum {
    LIMIT_LOAD = 512 << 20, /* bytes that loading a file may use */
};
static const size_t limit_judge = (size_t)4 << 30;

struct host {
    enum host_phase phase;
    void *user;
    host_interrupt_fn *interrupt;
    void *interrupt_arg;
    const char *stop; /* message of a fired interrupt: sticky */
    char *trace;
    size_t used, limit; /* bytes of this state; limit 0 = none */
    struct blocks blocks;
};

static const char library_key, error_key; /* registry keys by address */

static struct host *host_of(lua_State *L)
{
    struct host *h;
    memcpy(&h, lua_getextraspace(L), sizeof(struct host *));
    return h;
}

static void *allocate(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct host *h = ud;
    size_t old = ptr ? osize : 0;
    if (h->limit && nsize > old && (nsize > h->limit || h->used - old + nsize > h->limit)) {
        return NULL;
    }
    void *p = blocks_realloc(&h->blocks, ptr, old, nsize);
    if (p || nsize == 0) {
        h->used += nsize - old;
    }
    return p;
}

/* Failures outside every host_pcall: a bug in kaos. */
static int on_panic(lua_State *L)
{
    const char *msg = lua_tostring(L, -1);
    fprintf(stderr, "kaos: unprotected error in Lua: %s\n", msg ? msg : "?");
    return 0;
}

static int l_phase(lua_State *L)
{
    static const char *const names[] = {"load", "role", "judge"};
    lua_pushstring(L, names[host_of(L)->phase]);
    return 1;
}

static int l_require(lua_State *L)
{
    host_library(L, luaL_checkstring(L, 1));
    return 1;
}

static int l_error_text(lua_State *L)
{
    lua_getfield(L, 1, "message");
    return 1;
}

static void remove_fields(lua_State *L, const char *const *names)
{
    for (; *names; names++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *names);
    }
}

static int open_all(lua_State *L)
{
    static const luaL_Reg libs[] = {
        {"_G", luaopen_base},
        {LUA_TABLIBNAME, luaopen_table},
        {LUA_STRLIBNAME, luaopen_string},
        {LUA_UTF8LIBNAME, luaopen_utf8},
        {LUA_MATHLIBNAME, luaopen_math},
        {LUA_COLIBNAME, luaopen_coroutine},
        {LUA_DBLIBNAME, luaopen_debug},
        {LUA_OSLIBNAME, luaopen_os},
    };
    static const char *const no_base[] = {"dofile", "loadfile", NULL};
    static const char *const no_os[] = {"execute", "exit",      "remove", "rename",
                                        "tmpname", "setlocale", "getenv", NULL};
    for (size_t i = 0; i < ARRAY_LEN(libs); i++) {
        luaL_requiref(L, libs[i].name, libs[i].func, 1);
        lua_pop(L, 1);
    }
    lua_pushglobaltable(L);
    remove_fields(L, no_base);
    lua_getfield(L, -1, LUA_OSLIBNAME);
    remove_fields(L, no_os);
    lua_pop(L, 1);
    lua_pushcfunction(L, l_require);
    lua_setfield(L, -2, "require");

    lua_createtable(L, 0, 16);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_phase);
    lua_setfield(L, -2, "phase");
    lua_setfield(L, -2, "host");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &library_key);

    lua_createtable(L, 0, 3);
    lua_pushliteral(L, "kaos.error");
    lua_setfield(L, -2, "__name");
    lua_pushcfunction(L, l_error_text);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "kaos.error");
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &error_key);
    return 0;
}

lua_State *host_new(void)
{
    struct host *h = xcalloc(1, sizeof *h);
    lua_State *L = lua_newstate(allocate, h);
    struct err e;
    if (!L) {
        abort();
    }
    memcpy(lua_getextraspace(L), &h, sizeof(struct host *));
    lua_atpanic(L, on_panic);
    if (host_protect(L, open_all, NULL, &e)) {
        fprintf(stderr, "kaos: cannot open the Lua libraries: %s\n", e.msg);
        abort();
    }
    host_set_phase(L, HOST_LOAD);
    host_seed(L, 0);
    if (getenv("KAOS_GC_STRESS")) {
        lua_gc(L, LUA_GCINC, 4, 1000, 1);
    }
    return L;
}

void host_free(lua_State *L)
{
    if (L) {
        struct host *h = host_of(L);
        h->limit = 0;
        lua_close(L);
        blocks_free(&h->blocks);
        free(h->trace);
        free(h);
    }
}

void host_set_user(lua_State *L, void *user)
{
    host_of(L)->user = user;
}

void *host_user(lua_State *L)
{
    return host_of(L)->user;
}

void host_set_phase(lua_State *L, enum host_phase phase)
{
    struct host *h = host_of(L);
    h->phase = phase;
    h->limit = phase == HOST_LOAD ? (size_t)LIMIT_LOAD : phase == HOST_JUDGE ? limit_judge : 0;
}

enum host_phase host_phase(lua_State *L)
{
    return host_of(L)->phase;
}

static int seed_random(lua_State *L)
{
    uint64_t *seed = lua_touserdata(L, 1);
    lua_getglobal(L, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, (lua_Integer)*seed);
    lua_pushinteger(L, 0);
    lua_call(L, 2, 0);
    return 0;
}

void host_seed(lua_State *L, uint64_t seed)
{
    struct err e;
    host_protect(L, seed_random, &seed, &e);
}

/* Remembers message and traceback of L1; the value at idx of L stays where it is. */
static void keep_trace(lua_State *L, lua_State *L1, int idx, int level)
{
    struct host *h = host_of(L);
    idx = lua_absindex(L, idx);
    luaL_traceback(L, L1, luaL_tolstring(L, idx, NULL), level);
    free(h->trace);
    h->trace = xstrdup(lua_tostring(L, -1));
    lua_pop(L, 2);
}

static int on_error(lua_State *L)
{
    keep_trace(L, L, 1, 1);
    lua_settop(L, 1);
    return 1;
}

int host_pcall(lua_State *L, int nargs, int nresults, struct err *e)
{
    int base = lua_gettop(L) - nargs;
    lua_pushcfunction(L, on_error);
    lua_insert(L, base);
    int status = lua_pcall(L, nargs, nresults, base);
    lua_remove(L, base);
    if (status == LUA_OK) {
        return 0;
    }
    host_to_err(L, -1, e);
    lua_pop(L, 1);
    if (status != LUA_ERRRUN) { /* the handler did not run */
        struct host *h = host_of(L);
        free(h->trace);
        h->trace = xstrdup(e->msg);
    }
    return -1;
}

int host_protect(lua_State *L, lua_CFunction fn, void *arg, struct err *e)
{
    if (!lua_checkstack(L, 4)) {
        return err_set(e, ERR_INTERNAL, 0, "the Lua stack is full");
    }
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, arg);
    return host_pcall(L, 1, 0, e);
}

const char *host_trace(lua_State *L)
{
    struct host *h = host_of(L);
    return h->trace ? h->trace : "";
}

struct failure {
    lua_State *L1;
};

static int do_failure(lua_State *L)
{
    struct failure *f = lua_touserdata(L, 1);
    keep_trace(L, f->L1, 2, 0);
    return 0;
}

void host_failure(lua_State *L, lua_State *L1, int idx, struct err *e)
{
    struct failure f = {L1};
    struct err inner;
    idx = lua_absindex(L, idx);
    lua_pushcfunction(L, do_failure);
    lua_pushlightuserdata(L, &f);
    lua_pushvalue(L, idx);
    host_pcall(L, 2, 0, &inner);
    host_to_err(L, idx, e);
}

void host_push_err(lua_State *L, const struct err *e, const char *code)
{
    lua_createtable(L, 0, 6);
    if (code) {
        lua_pushstring(L, code);
    } else {
        lua_pushinteger(L, e->code);
    }
    lua_setfield(L, -2, "code");
    lua_pushstring(L, err_kind_name(e->kind));
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, e->msg);
    lua_setfield(L, -2, "message");
    lua_pushboolean(L, e->retriable);
    lua_setfield(L, -2, "retriable");
    lua_pushboolean(L, e->fatal);
    lua_setfield(L, -2, "fatal");
    lua_pushboolean(L, e->abortable);
    lua_setfield(L, -2, "abortable");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &error_key);
    lua_setmetatable(L, -2);
}

static bool is_error(lua_State *L, int idx)
{
    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx)) {
        return false;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &error_key);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static void raw_field(lua_State *L, int idx, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, idx);
}

static bool raw_flag(lua_State *L, int idx, const char *name)
{
    raw_field(L, idx, name);
    bool on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

static void error_to_err(lua_State *L, int idx, struct err *e)
{
    raw_field(L, idx, "message");
    raw_field(L, idx, "code");
    raw_field(L, idx, "kind");
    const char *msg = lua_type(L, -3) == LUA_TSTRING ? lua_tostring(L, -3) : "?";
    const char *kind = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    int code = (int)lua_tointeger(L, -2);
    enum err_kind k = ERR_USAGE;
    for (int i = ERR_NONE; i <= ERR_INTERNAL; i++) {
        k = strcmp(kind, err_kind_name((enum err_kind)i)) == 0 ? (enum err_kind)i : k;
    }
    err_set(e, k, code, "%s", msg);
    lua_pop(L, 3);
    e->retriable = raw_flag(L, idx, "retriable");
    e->fatal = raw_flag(L, idx, "fatal");
    e->abortable = raw_flag(L, idx, "abortable");
}

static int to_text(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    return 1;
}

void host_to_err(lua_State *L, int idx, struct err *e)
{
    idx = lua_absindex(L, idx);
    if (!lua_checkstack(L, 8)) {
        err_set(e, ERR_INTERNAL, 0, "the Lua stack is full");
        return;
    }
    if (is_error(L, idx)) {
        error_to_err(L, idx, e);
        return;
    }
    if (lua_type(L, idx) == LUA_TSTRING) {
        err_set(e, ERR_USAGE, 0, "%s", lua_tostring(L, idx));
        return;
    }
    lua_pushcfunction(L, to_text);
    lua_pushvalue(L, idx);
    int status = lua_pcall(L, 1, 1, 0);
    const char *text = status == LUA_OK ? lua_tostring(L, -1) : NULL;
    err_set(e, ERR_USAGE, 0, "%s", text ? text : "an error value that cannot be printed");
    lua_pop(L, 1);
}

int host_raise(lua_State *L, const struct err *e)
{
    host_push_err(L, e, NULL);
    return lua_error(L);
}

/* Does a function of a scenario file run (not one of the library)? */
static bool in_file(lua_State *L, lua_Debug *ar)
{
    return lua_getinfo(L, "S", ar) && ar->source[0] == '@';
}

/* Once fired, every further instruction of the file raises again, so that pcall cannot swallow it.
 */
static void on_count(lua_State *L, lua_Debug *ar)
{
    struct host *h = host_of(L);
    bool again = h->stop != NULL;
    if (!again && h->interrupt) {
        h->stop = h->interrupt(L, h->interrupt_arg);
    }
    if (h->stop && (!again || in_file(L, ar))) {
        lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
        lua_getinfo(L, "Sl", ar);
        lua_pushfstring(L, "%s:%d: %s", ar->short_src, ar->currentline, h->stop);
        lua_error(L);
    }
}

void host_set_interrupt(lua_State *L, int count, host_interrupt_fn *fn, void *arg)
{
    struct host *h = host_of(L);
    h->interrupt = fn;
    h->interrupt_arg = arg;
    h->stop = NULL;
    lua_sethook(L, fn ? on_count : NULL, fn ? LUA_MASKCOUNT : 0, count);
}

int host_library_text(const char *name, struct buf *out)
{
    const char *dir = getenv("KAOS_LIB");
    char *file = xasprintf("%s.lua", name);
    const struct embedded *f = embed_find(lua_embedded, file);
    int rc = -1;
    if (dir && *dir && !strchr(name, '/')) {
        struct err e;
        char *path = path_join(dir, file);
        rc = path_read(path, 0, out, &e);
        free(path);
    } else if (f) {
        buf_append(out, f->data, f->len);
        rc = 0;
    }
    free(file);
    return rc;
}

static int load_library(lua_State *L, const char *name)
{
    struct buf text = {0};
    if (host_library_text(name, &text)) {
        return -1;
    }
    char *chunk = xasprintf("=kaos/%s", name);
    int status = luaL_loadbufferx(L, text.data ? text.data : "", text.len, chunk, "t");
    buf_free(&text);
    free(chunk);
    return status == LUA_OK ? 0 : 1;
}

void host_library(lua_State *L, const char *name)
{
    luaL_checkstack(L, 6, "library");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &library_key);
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        lua_remove(L, -2);
        return;
    }
    lua_pop(L, 1);
    int rc = load_library(L, name);
    if (rc < 0) {
        luaL_error(L, "no library module `%s`", name);
    } else if (rc > 0) {
        lua_error(L);
    }
    lua_call(L, 0, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
    lua_remove(L, -2);
}

void host_push_nearest(lua_State *L, const char *word, int idx)
{
    idx = lua_absindex(L, idx);
    host_library(L, "text");
    lua_getfield(L, -1, "nearest");
    lua_remove(L, -2);
    lua_pushstring(L, word);
    lua_pushvalue(L, idx);
    lua_call(L, 2, 1);
}
