/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of Lua objects made in C: a metatable whose methods are looked up strictly. */
#include "lua/bind.h"

#include <stdio.h>
#include <string.h>

#include "lua/host.h"

void bind_push_hint(lua_State *L, const char *word, int idx)
{
    host_push_nearest(L, word, idx);
    if (lua_isstring(L, -1)) {
        lua_pushfstring(L, " (did you mean `%s`?)", lua_tostring(L, -1));
    } else {
        lua_pushliteral(L, "");
    }
    lua_remove(L, -2);
}

int bind_unknown(lua_State *L, const char *type, const char *word, int idx)
{
    idx = lua_absindex(L, idx);
    const char *name = strncmp(type, "kaos.", 5) == 0 ? type + 5 : type;
    bind_push_hint(L, word, idx);
    return luaL_error(L, "a %s has no field or method `%s`%s", name, word, lua_tostring(L, -1));
}

/* Upvalues: the methods, the name of the type. */
static int unknown_method(lua_State *L)
{
    const char *word = luaL_tolstring(L, 2, NULL);
    return bind_unknown(L, lua_tostring(L, lua_upvalueindex(2)), word, lua_upvalueindex(1));
}

void bind_class(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *meta)
{
    if (!luaL_newmetatable(L, type)) {
        lua_pop(L, 1);
        return;
    }
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, -2);
    lua_pushstring(L, type);
    lua_pushcclosure(L, unknown_method, 2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    luaL_setfuncs(L, meta, 0);
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

const struct api_row *const api_modules[] = {
    ctx_rows,     producer_rows, tx_rows,    consumer_rows, batch_rows,
    message_rows, task_rows,     error_rows, NULL,
};
