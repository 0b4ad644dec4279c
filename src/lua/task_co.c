/* SPDX-License-Identifier: Apache-2.0 */
/* coroutine.resume, wrap, yield and close for code that runs in tasks. A wait inside a coroutine of
 * the author's yields the sentinel; resume and wrap do not hand it to the author but pass it on to
 * the scheduler, and continue the coroutine with no values when the task goes on. While that lasts
 * the coroutine is marked as waiting, so that no other task resumes or closes it. */
#include <lauxlib.h>
#include <lua.h>

#include "lua/task.h"

static const char waiting_key;

/* [-0, +1] the weak table of coroutines that wait */
static void push_waiting(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &waiting_key);
}

static void mark(lua_State *L, lua_State *co, bool waiting)
{
    push_waiting(L);
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    if (waiting) {
        lua_pushboolean(L, 1);
    } else {
        lua_pushnil(L);
    }
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static bool is_waiting(lua_State *L, lua_State *co)
{
    push_waiting(L);
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    lua_rawget(L, -2);
    bool yes = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return yes;
}

/* lua_pushthread(co) needs a slot of co's stack; a dead coroutine has one, a full one is refused.
 */
static lua_State *get_co(lua_State *L, int idx)
{
    lua_State *co = lua_tothread(L, idx);
    luaL_argexpected(L, co, 1, "coroutine");
    luaL_checkstack(co, 1, "coroutine");
    return co;
}

enum { YIELDED = -2, FAILED = -1 };

/* Resumes co with nargs values from the top of L. @return the number of values moved to L, FAILED
 * with the error value on L, or YIELDED when a wait has to be passed on. */
static int go(lua_State *L, lua_State *co, int nargs)
{
    int nres = 0;
    if (!lua_checkstack(co, nargs)) {
        lua_pushliteral(L, "too many arguments to resume");
        return FAILED;
    }
    lua_xmove(L, co, nargs);
    int status = lua_resume(co, L, nargs, &nres);
    if (status == LUA_YIELD && nres == 1 && lua_touserdata(co, -1) == &task_sentinel) {
        lua_pop(co, 1);
        return YIELDED;
    }
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return FAILED;
    }
    if (!lua_checkstack(L, nres + 1)) {
        lua_pop(co, nres);
        lua_pushliteral(L, "too many results to resume");
        return FAILED;
    }
    lua_xmove(co, L, nres);
    return nres;
}

static int pass_on(lua_State *L, lua_State *co, lua_KFunction k)
{
    mark(L, co, true);
    lua_pushlightuserdata(L, (void *)&task_sentinel);
    return lua_yieldk(L, 1, (lua_KContext)co, k);
}

static int resume_k(lua_State *L, int status, lua_KContext k);

static int resume_done(lua_State *L, lua_State *co, int n)
{
    if (n == YIELDED) {
        return pass_on(L, co, resume_k);
    }
    lua_pushboolean(L, n != FAILED);
    n = n == FAILED ? 1 : n;
    lua_insert(L, -(n + 1));
    return n + 1;
}

static int resume_k(lua_State *L, int status, lua_KContext k)
{
    lua_State *co = (lua_State *)k;
    mark(L, co, false);
    return resume_done(L, co, go(L, co, 0));
}

static int l_resume(lua_State *L)
{
    lua_State *co = get_co(L, 1);
    if (is_waiting(L, co)) {
        lua_pushboolean(L, 0);
        lua_pushliteral(L, "cannot resume a coroutine that waits in another task");
        return 2;
    }
    int nargs = lua_gettop(L) - 1;
    if (lua_status(co) == LUA_OK && lua_gettop(co) == 0) {
        lua_pushboolean(L, 0);
        lua_pushliteral(L, "cannot resume dead coroutine");
        return 2;
    }
    return resume_done(L, co, go(L, co, nargs));
}

static int wrap_k(lua_State *L, int status, lua_KContext k);

static int wrap_done(lua_State *L, lua_State *co, int n)
{
    if (n == YIELDED) {
        return pass_on(L, co, wrap_k);
    }
    if (n != FAILED) {
        return n;
    }
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_resetthread(co);
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int wrap_k(lua_State *L, int status, lua_KContext k)
{
    lua_State *co = (lua_State *)k;
    mark(L, co, false);
    return wrap_done(L, co, go(L, co, 0));
}

static int call_wrapped(lua_State *L)
{
    lua_State *co = get_co(L, lua_upvalueindex(1));
    if (is_waiting(L, co)) {
        return luaL_error(L, "cannot resume a coroutine that waits in another task");
    }
    if (lua_status(co) == LUA_OK && lua_gettop(co) == 0) {
        return luaL_error(L, "cannot resume dead coroutine");
    }
    return wrap_done(L, co, go(L, co, lua_gettop(L)));
}

static int l_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

static int l_yield(lua_State *L)
{
    struct tasks *ts = tasks_of(L);
    if (ts && tasks_current(ts) && task_is_base(L)) {
        return luaL_error(L, "coroutine.yield outside of a coroutine");
    }
    return lua_yield(L, lua_gettop(L));
}

static int l_close(lua_State *L)
{
    lua_State *co = get_co(L, 1);
    if (is_waiting(L, co)) {
        return luaL_error(L, "cannot close a coroutine that waits in another task");
    }
    lua_pushvalue(L, lua_upvalueindex(1)); /* Lua's own */
    lua_pushvalue(L, 1);
    lua_call(L, 1, LUA_MULTRET);
    return lua_gettop(L) - 1;
}

void task_co_install(lua_State *L, int idx)
{
    static const luaL_Reg fns[] = {
        {"resume", l_resume}, {"wrap", l_wrap}, {"yield", l_yield}, {NULL, NULL}};
    idx = lua_absindex(L, idx);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &waiting_key);
    lua_getfield(L, idx, "close");
    lua_pushcclosure(L, l_close, 1);
    lua_setfield(L, idx, "close");
    lua_pushvalue(L, idx);
    luaL_setfuncs(L, fns, 0);
    lua_pop(L, 1);
}
