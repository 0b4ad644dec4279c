/* SPDX-License-Identifier: Apache-2.0 */
/* How a C module shows itself to Lua: one table of rows per class, from which registration, help
 * and documents are made. Needed only inside src/lua.
 *
 *   #define ROWS(_) \
 *       _("close", l_close, "() -> nil", "Closes the producer.")
 *   static const luaL_Reg methods[] = {ROWS(BIND_REG){NULL, NULL}};
 *   #define ROW(...) BIND_ROW("producer", __VA_ARGS__)
 *   const struct api_row producer_rows[] = {ROWS(ROW){NULL, NULL, NULL, NULL}};
 */
#pragma once
#include <lauxlib.h>
#include <lua.h>

#include "lua/api.h"

#define BIND_REG(name, fn, signature, doc)         {name, fn},
#define BIND_ROW(module, name, fn, signature, doc) {module, name, signature, doc},

/** Creates the metatable `type` ("kaos.NAME"): __index finds methods and raises on unknown names
 * with a suggestion (unless meta brings an __index of its own). [-0, +0, m] */
void bind_class(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *meta);
/** Raises "NAME has no field or method `word` (did you mean ...)" from the names of the table at
 * idx. */
int bind_unknown(lua_State *L, const char *type, const char *word, int idx);
/** Pushes " (did you mean `x`?)" for word among the string keys of the table at idx, or "". */
void bind_push_hint(lua_State *L, const char *word, int idx);
/** Pushes the rows of the C modules as a list. [-0, +1, e] */
void api_push_rows(lua_State *L);

extern const struct api_row ctx_rows[], task_rows[], producer_rows[], tx_rows[], consumer_rows[],
    message_rows[], error_rows[], batch_rows[];
