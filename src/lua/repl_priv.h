/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the prompt share. */
#pragma once
#include <signal.h>

#include "history/hist.h"
#include "lua/host.h"
#include "lua/repl.h"
#include "lua/rt.h"

struct repl_call;

/** A runtime and what it borrows; older ones stay until the end, closed. */
struct repl_stay {
    struct repl *r;
    struct runtime *rt;
    struct hist *hist;
    struct plan *plan;
    struct plan_role role;
    char *history, *run, *suffix, *bootstrap;
    struct runtime_switches switches;
    struct repl_stay *next;
};

struct repl {
    struct repl_opts o;
    lua_State *L;
    struct tasks *tasks;
    struct task *eval;
    enum repl_end outcome;
    struct repl_call *calls; /**< not answered */
    uint64_t ids;
    int incarnations;
    struct repl_stay *stay; /**< newest first */
    volatile sig_atomic_t interrupt;
    char *prompt;
    struct buf scratch;
    size_t closing; /**< stays whose clients are being closed */
    loop_fn closed;
    void *closed_arg;
};

/** repl_host.c: pushes the table of functions that lib/kaos/repl.lua works with. [-0, +1, e] */
void repl_push_host(lua_State *L, struct repl *r);
/** Pushes the Lua object of the prompt. [-0, +1, e] */
void repl_push_self(lua_State *L);
