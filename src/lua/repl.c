/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the state of the prompt and who runs what in it: one task for what was typed, any number
 * that it spawned. The Lua object (lib/kaos/repl.lua) decides what a line is; here it is only
 * called, protected, and what it wants to run becomes a task. */
#include "lua/repl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/codec.h"
#include "lua/repl_priv.h"

enum { HOOK_COUNT = 10000 };

static const char self_key;

void repl_push_self(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &self_key);
}

static void say(struct repl *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct repl *r, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    r->o.ops->write(r->o.arg, b.data, b.len);
    buf_free(&b);
}

/* ---- what runs ---- */

static const char *check_interrupt(lua_State *L, void *arg)
{
    struct repl *r = arg;
    if (!r->interrupt) {
        return NULL;
    }
    r->interrupt = 0;
    return "interrupted";
}

static void eval_ended(struct repl *r, struct task *t)
{
    enum repl_end end = r->outcome;
    r->eval = NULL;
    if (task_state(t) == TASK_CANCELLED) {
        say(r, "cancelled\n");
        end = REPL_FAILED;
    }
    r->o.ops->done(r->o.arg, end);
}

static void on_task_end(void *arg, struct task *t)
{
    struct repl *r = arg;
    bool eval = t == r->eval;
    if (task_state(t) == TASK_FAILED && (eval || task_unjoined(t))) {
        struct err e;
        task_push_error(r->L, t);
        host_to_err(r->L, -1, &e);
        lua_pop(r->L, 1);
        say(r, "%s%s\n", eval ? "error: " : "a task failed: ", e.msg);
        r->outcome = eval ? REPL_FAILED : r->outcome;
    }
    if (eval) {
        eval_ended(r, t);
    }
}

static int do_open(lua_State *L)
{
    struct repl *r = lua_touserdata(L, 1);
    host_library(L, "repl");
    lua_getfield(L, -1, "new");
    repl_push_host(L, r);
    lua_call(L, 1, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &self_key);
    return 0;
}

struct repl *repl_new(const struct repl_opts *o, struct err *e)
{
    struct repl *r = xcalloc(1, sizeof *r);
    r->o = *o;
    r->L = host_new();
    host_set_phase(r->L, HOST_ROLE);
    host_set_interrupt(r->L, HOOK_COUNT, check_interrupt, r);
    r->tasks = tasks_new(r->L, o->loop);
    tasks_on_end(r->tasks, on_task_end, r);
    if (host_protect(r->L, do_open, r, e)) {
        repl_free(r);
        return NULL;
    }
    return r;
}

/* ---- lines ---- */

struct line {
    struct repl *r;
    const char *text;
    enum repl_line what;
};

static int do_line(lua_State *L)
{
    static const char *const words[] = {"idle", "more", "run", "wrong", NULL};
    struct line *l = lua_touserdata(L, 1);
    repl_push_self(L);
    lua_getfield(L, -1, "feed");
    lua_insert(L, -2);
    lua_pushstring(L, l->text);
    lua_call(L, 2, 2);
    l->what = (enum repl_line)luaL_checkoption(L, -2, NULL, words);
    if (l->what == REPL_RUNS) {
        luaL_checktype(L, -1, LUA_TFUNCTION);
        l->r->eval = task_spawn(L, 0);
    }
    return 0;
}

enum repl_line repl_line(struct repl *r, const char *line)
{
    struct line l = {.r = r, .text = line, .what = REPL_WRONG};
    struct err e;
    host_set_interrupt(r->L, HOOK_COUNT, check_interrupt, r); /* one that fired sticks */
    r->outcome = REPL_OK;
    if (host_protect(r->L, do_line, &l, &e)) {
        say(r, "error: %s\n", e.msg);
        return REPL_WRONG;
    }
    return l.what;
}

static int do_reset(lua_State *L)
{
    bool *any = lua_touserdata(L, 1);
    repl_push_self(L);
    lua_getfield(L, -1, "reset");
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    *any = lua_toboolean(L, -1);
    return 0;
}

bool repl_reset(struct repl *r)
{
    bool any = false;
    struct err e;
    host_protect(r->L, do_reset, &any, &e);
    return any;
}

static int do_prompt(lua_State *L)
{
    struct repl *r = lua_touserdata(L, 1);
    repl_push_self(L);
    lua_getfield(L, -1, "prompt");
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    free(r->prompt);
    r->prompt = xstrdup(luaL_checkstring(L, -1));
    return 0;
}

const char *repl_prompt(struct repl *r)
{
    struct err e;
    host_protect(r->L, do_prompt, r, &e);
    return r->prompt ? r->prompt : "kaos> ";
}

void repl_cancel(struct repl *r)
{
    if (r->eval) {
        task_cancel(r->eval);
    }
}

bool repl_busy(const struct repl *r)
{
    return r->eval != NULL;
}

void repl_interrupt(struct repl *r)
{
    r->interrupt = 1;
}

bool repl_interrupted(struct repl *r)
{
    bool yes = r->interrupt;
    r->interrupt = 0;
    return yes;
}

/* ---- completion ---- */

struct completing {
    const char *line;
    size_t point;
    struct repl_completion *out;
};

static int do_complete(lua_State *L)
{
    struct completing *c = lua_touserdata(L, 1);
    repl_push_self(L);
    lua_getfield(L, -1, "complete");
    lua_insert(L, -2);
    lua_pushlstring(L, c->line, c->point);
    lua_call(L, 2, 2);
    c->out->start = (size_t)luaL_checkinteger(L, -2) - 1;
    lua_Integer n = luaL_len(L, -1);
    c->out->items = xcalloc((size_t)n + 1, sizeof *c->out->items);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_geti(L, -1, i);
        c->out->items[c->out->n++] = xstrdup(luaL_checkstring(L, -1));
        lua_pop(L, 1);
    }
    return 0;
}

void repl_complete(struct repl *r, const char *line, size_t point, struct repl_completion *out)
{
    struct completing c = {line, point, out};
    struct err e;
    *out = (struct repl_completion){.start = point};
    if (host_protect(r->L, do_complete, &c, &e) || out->start > point) {
        repl_completion_free(out);
        out->start = point;
    }
}

void repl_completion_free(struct repl_completion *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i]);
    }
    free(c->items);
    *c = (struct repl_completion){.start = c->start};
}

/* ---- where the clients are ---- */

static void no_record(void *arg, const struct runtime_record *rec, unsigned abilities)
{
}
static void no_point(void *arg, enum plan_point p, const struct runtime_at *at)
{
}
static bool no_abort(void *arg, const void *consumer)
{
    return false;
}
static void no_settle(void *arg, const void *consumer)
{
}

/* A dead client is no reason to end the prompt: the call that met it says so as well. */
static void note_fatal(void *arg, const struct err *e, const char *code)
{
    struct repl_stay *st = arg;
    say(st->r, "the client is dead: %s (%s)\n", e->msg, code);
}

static const struct runtime_hooks hooks = {.record = no_record,
                                           .begin = no_record,
                                           .point = no_point,
                                           .take_abort = no_abort,
                                           .settle = no_settle,
                                           .die = note_fatal};

static void free_stay(struct repl_stay *st)
{
    if (st->rt) {
        runtime_free(st->rt);
    }
    hist_close(st->hist);
    plan_free(st->plan);
    free(st->history);
    free(st->run);
    free(st->suffix);
    free(st->bootstrap);
    free(st);
}

static void stay_closed(void *arg)
{
    struct repl *r = arg;
    if (--r->closing == 0 && r->closed) {
        r->closed(r->closed_arg);
    }
}

enum { MOVE_MS = 3000 };

int repl_move(struct repl *r, const struct repl_place *p, struct err *e)
{
    struct repl_stay *st = xcalloc(1, sizeof *st), *old = r->stay;
    *st = (struct repl_stay){.r = r,
                             .plan = plan_new(),
                             .role = {.name = (char *)(uintptr_t) "prompt", .count = 1},
                             .history = xstrdup(p->history),
                             .run = xstrdup(p->run),
                             .suffix = xstrdup(p->suffix),
                             .bootstrap = xstrdup(p->bootstrap)};
    st->plan->name = xstrdup("prompt");
    const struct hist_ident who = {"prompt", 1, ++r->incarnations};
    st->hist = hist_open(st->history, &who, e);
    const struct runtime_setup setup = {.loop = r->o.loop,
                                        .hist = st->hist,
                                        .plan = st->plan,
                                        .role = &st->role,
                                        .run = st->run,
                                        .bootstrap = st->bootstrap,
                                        .suffix = st->suffix,
                                        .index = 1,
                                        .incarnation = r->incarnations,
                                        .seed = p->seed,
                                        .hooks = &hooks,
                                        .switches = &st->switches,
                                        .arg = st};
    st->rt = st->hist ? runtime_new_prompt(&setup, r->L, e) : NULL;
    if (!st->rt) {
        free_stay(st);
        return -1;
    }
    st->next = old;
    r->stay = st;
    if (old) {
        r->closing++;
        runtime_close(old->rt, MOVE_MS, false, stay_closed, r);
    }
    return 0;
}

void repl_close(struct repl *r, uint64_t bound_ms, loop_fn done, void *arg)
{
    r->closed = done;
    r->closed_arg = arg;
    tasks_freeze(r->tasks);
    r->closing++;
    if (r->stay) {
        runtime_close(r->stay->rt, bound_ms, false, stay_closed, r);
    } else {
        loop_defer(r->o.loop, stay_closed, r);
    }
}

void repl_free(struct repl *r)
{
    tasks_free(r->tasks);
    while (r->stay) {
        struct repl_stay *st = r->stay;
        r->stay = st->next;
        free_stay(st);
    }
    host_free(r->L);
    buf_free(&r->scratch);
    free(r->prompt);
    free(r);
}
