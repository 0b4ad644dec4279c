/* SPDX-License-Identifier: Apache-2.0 */
/* Lua values as bytes and back. "bytes": strings as they are, numbers in decimal. "json": 64-bit
 * integers survive; a table with the keys 1..n is an array, any other an object, an empty one an
 * object; null becomes nil (the field is absent). Needed only inside src/lua. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct lua_State;

struct codec_bytes {
    const void *data; /**< NULL = null */
    size_t len;
};

/** The value at idx as bytes; number is scratch space for a number in decimal. Raises for tables,
 * booleans and functions, naming what (a field of a function). The string at idx keeps the data
 * alive. */
enum { CODEC_NUMBER = 48 };
struct codec_bytes codec_check_bytes(struct lua_State *L, int idx, const char *what,
                                     char number[CODEC_NUMBER]);
/** Appends the value at idx as JSON. lenient: what JSON cannot carry is written as a string
 * (functions, invalid numbers) or {"base64": ...} (strings that are not UTF-8), for facts of the
 * history; else it raises. [-0, +0, e] */
void codec_write_json(struct lua_State *L, int idx, const char *what, bool lenient,
                      struct buf *out);
/** Pushes the value of a JSON text. false: pushes what is wrong. [-0, +1, m] */
bool codec_push_json(struct lua_State *L, const void *data, size_t len);
/** If the table at idx is a read-only view of a file-level table, puts the table itself there.
 * [-0, +0, e] */
void codec_unfreeze(struct lua_State *L, int idx);
