/* SPDX-License-Identifier: Apache-2.0 */
/* A lua_State as kaos uses it: which libraries are open, how errors and interrupts travel, and what
 * a scenario file may see. Needed only inside src/lua. */
#pragma once
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/** What the code that runs now may do; decides the answers of math.random, os.time, os.getenv. */
enum host_phase {
    HOST_LOAD,  /**< a scenario file is being loaded: nothing impure */
    HOST_ROLE,  /**< inside a role: random and time work, files and programs do not exist */
    HOST_JUDGE, /**< inside a fold or an id function: nothing impure */
};

/** A state with base, table, string, utf8, math, coroutine and debug; io, os, package and the
 * functions that read files stay out of reach of scenario files. The extra space of every thread
 * (lua_getextraspace) belongs to the host. Returned, caller frees with host_free. */
lua_State *host_new(void);
void host_free(lua_State *L);

/** One pointer per state for who runs it (the role's runtime); same in every coroutine. */
void host_set_user(lua_State *L, void *user);
void *host_user(lua_State *L);

void host_set_phase(lua_State *L, enum host_phase phase);
enum host_phase host_phase(lua_State *L);
/** Seeds math.random of this state (per incarnation). */
void host_seed(lua_State *L, uint64_t seed);

/** Calls the function under nargs arguments. On failure pops everything, fills e (kaos errors keep
 * their kind and code, anything else is ERR_USAGE with "FILE:LINE: message") and returns -1;
 * host_trace() then has the traceback. [-(nargs + 1), +(nresults|0), -] */
int host_pcall(lua_State *L, int nargs, int nresults, struct err *e);
/** Runs fn(L) with arg as light userdata in slot 1, protected: for set-up code that may raise. */
int host_protect(lua_State *L, lua_CFunction fn, void *arg, struct err *e);
/** Message and traceback of the last failed host_pcall, or "". Borrowed until the next failure. */
const char *host_trace(lua_State *L);
/** Remembers the message at idx with a traceback of L1 (a dead coroutine) for host_trace, and fills
 * e. */
void host_failure(lua_State *L, lua_State *L1, int idx, struct err *e);

/** Pushes an error table {code, kind, message, retriable, fatal, abortable} with __tostring.
 * code: the name of the error code, or NULL for the number in e. [-0, +1, m] */
void host_push_err(lua_State *L, const struct err *e, const char *code);
/** Fills e from the value at idx: an error table, a string or anything else. [-0, +0, -] */
void host_to_err(lua_State *L, int idx, struct err *e);
/** Raises e as an error table. */
int host_raise(lua_State *L, const struct err *e);

/** Called every `count` instructions of every coroutine; a message (borrowed) stops the code with
 * that error, which pcall cannot swallow. NULL = go on. */
typedef const char *host_interrupt_fn(lua_State *L, void *arg);
void host_set_interrupt(lua_State *L, int count, host_interrupt_fn *fn, void *arg);

/** Pushes the value of the library module lib/kaos/NAME.lua (loaded once; KAOS_LIB=dir overrides
 * the embedded text while developing). Library modules see all of Lua. [-0, +1, e] */
void host_library(lua_State *L, const char *name);
/** Appends the text of lib/kaos/NAME.lua to out. @return 0, or -1 if there is none. */
int host_library_text(const char *name, struct buf *out);

/** Pushes "did you mean" for word among the string keys of the table at idx, or nil. [-0, +1, e] */
void host_push_nearest(lua_State *L, const char *word, int idx);
