/* SPDX-License-Identifier: Apache-2.0 */
/* What lib/kaos/repl.lua can do beyond Lua: ask the program (a call that waits), write, spawn, the
 * context whose methods make clients, topics that the prompt knows, and the events of a history. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history/events.h"
#include "lua/bind.h"
#include "lua/codec.h"
#include "lua/repl_priv.h"

#define CALL_TYPE   "kaos.prompt.call"
#define EVENTS_TYPE "kaos.prompt.events"

struct repl_call {
    struct wait wait;
    struct repl *r;
    uint64_t id;
    bool answered;
    json_t *result;
    struct err e;
    struct repl_call *next;
};

static struct repl *self(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* ---- calls ---- */

static void unlink_call(struct repl_call *c)
{
    for (struct repl_call **p = &c->r->calls; *p; p = &(*p)->next) {
        if (*p == c) {
            *p = c->next;
            return;
        }
    }
}

static void stop_call(struct wait *w)
{
    unlink_call(w->arg);
}

static int call_gc(lua_State *L)
{
    struct repl_call *c = lua_touserdata(L, 1);
    unlink_call(c);
    json_decref(c->result);
    c->result = NULL;
    return 0;
}

static void push_json(lua_State *L, struct repl *r, const json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
    r->scratch.len = 0;
    buf_puts(&r->scratch, text ? text : "null");
    free(text);
    if (!codec_push_json(L, r->scratch.data, r->scratch.len)) {
        lua_error(L);
    }
}

static int push_answer(lua_State *L, struct wait *w)
{
    struct repl_call *c = w->arg;
    if (c->e.kind != ERR_NONE) {
        lua_pushnil(L);
        lua_pushstring(L, c->e.msg);
        return 2;
    }
    push_json(L, c->r, c->result);
    return 1;
}

static int l_call(lua_State *L)
{
    struct repl *r = self(L);
    const char *verb = luaL_checkstring(L, 1);
    r->scratch.len = 0;
    if (lua_isnoneornil(L, 2)) {
        buf_puts(&r->scratch, "{}");
    } else {
        codec_write_json(L, 2, verb, false, &r->scratch);
    }
    task_check(L);
    struct repl_call *c = lua_newuserdatauv(L, sizeof *c, 0);
    *c = (struct repl_call){.wait = {.push = push_answer, .stop = stop_call, .arg = c},
                            .r = r,
                            .id = ++r->ids,
                            .next = r->calls};
    r->calls = c;
    luaL_setmetatable(L, CALL_TYPE);
    json_error_t why;
    json_t *args = json_loadb(r->scratch.data, r->scratch.len, JSON_DECODE_ANY, &why);
    r->o.ops->call(r->o.arg, c->id, verb, args);
    json_decref(args);
    return c->answered ? push_answer(L, &c->wait) : task_wait(L, &c->wait);
}

void repl_answer(struct repl *r, uint64_t id, json_t *result, const struct err *e)
{
    struct repl_call *c = r->calls;
    while (c && c->id != id) {
        c = c->next;
    }
    if (!c) {
        json_decref(result);
        return;
    }
    unlink_call(c);
    c->answered = true;
    c->result = result;
    if (e) {
        c->e = *e;
    }
    task_wake(&c->wait);
}

/* ---- small ones ---- */

static int l_write(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct repl *r = self(L);
    r->o.ops->write(r->o.arg, text, len);
    return 0;
}

static int l_outcome(lua_State *L)
{
    static const char *const words[] = {"ok", "failed", "quit", NULL};
    self(L)->outcome = (enum repl_end)luaL_checkoption(L, 1, NULL, words);
    return 0;
}

static int l_spawn(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    struct task *t = task_spawn(L, lua_gettop(L) - 1);
    task_push(L, t);
    return 1;
}

static int l_clock(lua_State *L)
{
    lua_pushnumber(L, (double)clock_mono_ns() / 1e9);
    return 1;
}

static int l_names(lua_State *L)
{
    struct repl *r = self(L);
    json_t *j = r->o.ops->names(r->o.arg);
    push_json(L, r, j);
    json_decref(j);
    return 1;
}

static int l_is_cancelled(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, task_is_cancelled(L, 1));
    return 1;
}

static void add_file(lua_State *L, const char *dir, const char *name)
{
    struct stat st;
    char *path = xasprintf("%s%s", dir, name);
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    size_t len = strlen(name);
    if (folder || (len > 4 && strcmp(name + len - 4, ".lua") == 0)) {
        lua_pushfstring(L, "%s%s", path, folder ? "/" : "");
        lua_seti(L, -2, luaL_len(L, -2) + 1);
    }
    free(path);
}

/* files(prefix): Lua files and folders that begin so, sorted by nobody. */
static int l_files(lua_State *L)
{
    const char *prefix = luaL_checkstring(L, 1);
    const char *slash = strrchr(prefix, '/');
    const char *base = slash ? slash + 1 : prefix;
    lua_pushlstring(L, prefix, (size_t)(base - prefix));
    const char *dir = lua_tostring(L, -1);
    DIR *d = opendir(*dir ? dir : ".");
    lua_newtable(L);
    for (struct dirent *ent; d && (ent = readdir(d));) {
        if (ent->d_name[0] != '.' && strncmp(ent->d_name, base, strlen(base)) == 0) {
            add_file(L, dir, ent->d_name);
        }
    }
    if (d) {
        closedir(d);
    }
    return 1;
}

/* The context of the place where clients are made, or nil before there is one. */
static int l_ctx(lua_State *L)
{
    struct repl *r = self(L);
    if (!r->stay) {
        lua_pushnil(L);
    } else {
        ctx_push(L, r->stay->rt);
    }
    return 1;
}

/* declare(name, partitions, codec): the prompt may use this topic from now on. */
static int l_declare(lua_State *L)
{
    struct repl *r = self(L);
    const char *name = luaL_checkstring(L, 1);
    int partitions = (int)luaL_checkinteger(L, 2);
    bool json = strcmp(luaL_optstring(L, 3, "bytes"), "json") == 0;
    if (!r->stay) {
        return luaL_error(L, "there is no cluster yet");
    }
    struct plan_topic *t = plan_topic(r->stay->plan, name);
    if (!t) {
        t = VEC_PUSH(&r->stay->plan->topics);
        *t = (struct plan_topic){.name = xstrdup(name)};
    }
    t->partitions = partitions;
    t->value = json ? PLAN_JSON : PLAN_BYTES;
    r->stay->rt->codec_topic = NULL; /* what it remembers may be wrong now */
    return 0;
}

/* ---- events ---- */

static int events_gc(lua_State *L)
{
    struct events **box = lua_touserdata(L, 1);
    events_free(*box);
    *box = NULL;
    return 0;
}

/* events(dir): an object and how many events it has. */
static int l_events(lua_State *L)
{
    struct err e;
    const char *dir = luaL_checkstring(L, 1);
    for (struct repl_stay *st = self(L)->stay; st; st = st->next) {
        if (st->hist) {
            hist_flush(st->hist);
        }
    }
    struct events **box = lua_newuserdatauv(L, sizeof(struct events *), 0);
    *box = NULL;
    luaL_setmetatable(L, EVENTS_TYPE);
    *box = events_open(dir, &e);
    if (!*box) {
        return luaL_error(L, "%s", e.msg);
    }
    lua_pushinteger(L, (lua_Integer)(*box)->n);
    return 2;
}

static int l_event(lua_State *L)
{
    struct events *es = *(struct events **)luaL_checkudata(L, 1, EVENTS_TYPE);
    lua_Integer i = luaL_checkinteger(L, 2);
    if (!es || i < 1 || (size_t)i > es->n) {
        return 0;
    }
    json_t *j = event_json(&es->items[i - 1]);
    push_json(L, self(L), j);
    json_decref(j);
    return 1;
}

void repl_push_host(lua_State *L, struct repl *r)
{
    static const luaL_Reg fns[] = {{"call", l_call},
                                   {"write", l_write},
                                   {"outcome", l_outcome},
                                   {"spawn", l_spawn},
                                   {"clock", l_clock},
                                   {"names", l_names},
                                   {"is_cancelled", l_is_cancelled},
                                   {"files", l_files},
                                   {"ctx", l_ctx},
                                   {"declare", l_declare},
                                   {"events", l_events},
                                   {"event", l_event},
                                   {NULL, NULL}};
    luaL_newmetatable(L, CALL_TYPE);
    lua_pushcfunction(L, call_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newmetatable(L, EVENTS_TYPE);
    lua_pushcfunction(L, events_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 2);
    luaL_newlibtable(L, fns);
    lua_pushlightuserdata(L, r);
    luaL_setfuncs(L, fns, 1);
    lua_pushboolean(L, r->o.raw);
    lua_setfield(L, -2, "raw");
    lua_pushboolean(L, r->o.utf8);
    lua_setfield(L, -2, "utf8");
    lua_pushinteger(L, r->o.columns);
    lua_setfield(L, -2, "columns");
    api_push_rows(L);
    lua_setfield(L, -2, "rows");
}
