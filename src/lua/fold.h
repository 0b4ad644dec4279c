/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values of the checker as Lua values. Needed only inside src/lua. */
#pragma once
#include "base/json.h"

struct lua_State;

/** Pushes j: objects and arrays as tables, null as nil, {"base64": text} as the bytes. [-0, +1, e]
 */
void fold_push_json(struct lua_State *L, const json_t *j);
