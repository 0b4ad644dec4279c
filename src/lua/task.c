/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler. A task is a coroutine whose body is pcall(run, ...): once a coroutine itself has
 * failed, `__close` may no longer wait, and the abort of an open transaction would be lost. So an
 * error unwinds inside, closes what is open (waiting if it must), and only then the coroutine ends.
 *
 *   spawn -> ready -> running -> waiting -> ready ...        (each arrow to running is a loop turn)
 *                       |
 *                       +-> ended: joiners are woken, on_end is called
 *
 * All of it runs on the loop's thread. A wait is woken at most once; who wakes is the operation, a
 * deadline, or a cancel, whichever comes first. */
#include "lua/task.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lua/bind.h"
#include "lua/host.h"

#define TASK_TYPE "kaos.task"

const char task_sentinel;
static const char tasks_key, cancelled_key;

struct task {
    struct tasks *ts;
    lua_State *L;
    int ref;  /**< anchors L */
    int refs; /**< scheduler + Lua objects */
    int nargs;
    enum task_state state;
    struct wait *wait; /**< what it waits for */
    bool cancel;       /**< to be raised at the next occasion */
    bool drain;        /**< that cancel is one of a drain */
    bool endless, unjoined, queued, started;
    struct join *joiners;
    char *trace;
    struct task_pace pace;
    struct task *next, *prev; /**< all alive tasks */
    struct task *next_ready;
};
struct tasks {
    lua_State *L;
    struct loop *loop;
    struct task *first;
    struct task *ready, **ready_tail;
    bool deferred, stress;
    bool frozen, draining;
    bool closed; /**< the state is about to go: references need no release */
    int refs;    /**< the owner, tasks that exist, a deferred run */
    struct task *current;
    int alive;
    task_end_fn on_end;
    void *on_end_arg;
};
struct join {
    struct wait wait;
    struct task *of;
    struct join *next;
};

static void run_ready(void *arg);

struct tasks *tasks_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &tasks_key);
    struct tasks *ts = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return ts;
}

static void release_scheduler(struct tasks *ts)
{
    if (--ts->refs == 0) {
        free(ts);
    }
}

static void make_ready(struct task *t)
{
    struct tasks *ts = t->ts;
    if (t->queued) {
        return;
    }
    t->queued = true;
    t->next_ready = NULL;
    *ts->ready_tail = t;
    ts->ready_tail = &t->next_ready;
    if (!ts->deferred) {
        ts->deferred = true;
        ts->refs++;
        loop_defer(ts->loop, run_ready, ts);
    }
}

/* ---- waiting ---- */

bool task_can_wait(lua_State *L)
{
    struct tasks *ts = tasks_of(L);
    return ts && ts->current && lua_isyieldable(L);
}

bool task_waiting(const struct wait *w)
{
    return w->task && !w->woken;
}

void task_wake(struct wait *w)
{
    if (!task_waiting(w)) {
        return;
    }
    w->woken = true;
    timer_stop(w->timer);
    w->timer = NULL;
    make_ready(w->task);
}

static void on_deadline(void *arg)
{
    struct wait *w = arg;
    w->timer = NULL; /* a single shot frees itself */
    w->timed_out = true;
    w->stop(w);
    task_wake(w);
}

static bool cancel_due(const struct task *t, const struct wait *w)
{
    return t->cancel && !(t->drain && w->setup);
}

/* The task was resumed: raise a pending cancel, else return what the operation left. */
static int waited(lua_State *L, int status, lua_KContext k)
{
    struct wait *w = (struct wait *)k;
    struct task *t = w->task;
    w->task = NULL;
    if (cancel_due(t, w)) {
        t->cancel = false;
        task_push_cancelled(L);
        return lua_error(L);
    }
    return w->push ? w->push(L, w) : 0;
}

struct task *task_check(lua_State *L)
{
    struct tasks *ts = tasks_of(L);
    if (!ts || !ts->current) {
        luaL_error(L, "this call waits, and that is possible only inside a role");
        return NULL;
    }
    if (!lua_isyieldable(L)) {
        luaL_error(L, "cannot wait inside table.sort, string.gsub, require, a metamethod called "
                      "from C or a finalizer");
    }
    return ts->current;
}

int task_wait(lua_State *L, struct wait *w)
{
    struct task *t = task_check(L);
    if (w->task) {
        return luaL_error(L, "another task is already waiting for this");
    }
    w->task = t;
    w->woken = w->timed_out = false;
    w->timer =
        w->limit_ms > 0 ? timer_start(t->ts->loop, (uint64_t)w->limit_ms, 0, on_deadline, w) : NULL;
    t->wait = w;
    if (cancel_due(t, w) && w->stop) {
        w->stop(w);
        task_wake(w);
    }
    lua_pushlightuserdata(L, (void *)&task_sentinel);
    return lua_yieldk(L, 1, (lua_KContext)w, waited);
}

/* ---- running ---- */

/* Message handler: keeps the traceback, leaves the value as it is. */
static int keep_trace(lua_State *L)
{
    struct tasks *ts = tasks_of(L);
    struct task *t = ts ? ts->current : NULL;
    if (t && !task_is_cancelled(L, 1)) {
        luaL_traceback(L, L, NULL, 1);
        free(t->trace);
        t->trace = xstrdup(lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    return 1;
}

/* The end of the body: on the stack are the handler and the results, or the error value on top. */
static int body_done(lua_State *L, int status, lua_KContext k)
{
    struct task *t = (struct task *)k;
    if (status == LUA_OK || status == LUA_YIELD) {
        t->state = TASK_DONE;
        return lua_gettop(L) - 1;
    }
    t->state = task_is_cancelled(L, -1) ? TASK_CANCELLED : TASK_FAILED;
    return 1;
}

static int body(lua_State *L)
{
    struct task *t = lua_touserdata(L, 1);
    lua_pushcfunction(L, keep_trace);
    lua_replace(L, 1);
    if (t->cancel && !t->drain) {
        t->state = TASK_CANCELLED;
        return 0;
    }
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, (lua_KContext)t, body_done);
    return body_done(L, status, (lua_KContext)t);
}

static void release(struct task *t)
{
    if (--t->refs == 0) {
        if (!t->ts->closed) {
            luaL_unref(t->ts->L, LUA_REGISTRYINDEX, t->ref);
        }
        release_scheduler(t->ts);
        free(t->trace);
        free(t);
    }
}

static void end(struct task *t)
{
    struct tasks *ts = t->ts;
    *(t->prev ? &t->prev->next : &ts->first) = t->next;
    if (t->next) {
        t->next->prev = t->prev;
    }
    ts->alive--;
    t->unjoined = t->state == TASK_FAILED && !t->joiners;
    for (struct join *j = t->joiners; j; j = j->next) {
        task_wake(&j->wait);
    }
    t->joiners = NULL;
    if (ts->on_end) {
        ts->on_end(ts->on_end_arg, t);
    }
    release(t);
}

/* A coroutine that ended with an error of its own (never by the body, which catches): out of
 * memory, an error in the handler, or a foreign yield. */
static void broke(struct task *t, int status, int nres)
{
    if (status == LUA_YIELD) {
        lua_pop(t->L, nres);
        lua_pushliteral(t->L, "coroutine.yield outside of a coroutine");
    }
    t->state = TASK_FAILED;
}

static void resume(struct tasks *ts, struct task *t)
{
    int nres = 0, nargs = t->started ? 0 : t->nargs;
    t->started = true;
    t->wait = NULL;
    ts->current = t;
    int status = lua_resume(t->L, ts->L, nargs, &nres);
    ts->current = NULL;
    if (ts->stress) {
        lua_gc(ts->L, LUA_GCCOLLECT);
    }
    if (status == LUA_YIELD && t->wait && nres == 1 && lua_touserdata(t->L, -1) == &task_sentinel) {
        lua_pop(t->L, 1);
        return;
    }
    if (status != LUA_OK) {
        broke(t, status, nres);
    }
    end(t);
}

static void run_ready(void *arg)
{
    struct tasks *ts = arg;
    struct task *t = ts->closed || ts->frozen ? NULL : ts->ready;
    ts->deferred = false;
    ts->ready = NULL;
    ts->ready_tail = &ts->ready;
    while (t && !ts->frozen) {
        struct task *next = t->next_ready;
        t->queued = false;
        resume(ts, t);
        t = next;
    }
    release_scheduler(ts);
}

/* ---- life ---- */

static int cancelled_tostring(lua_State *L)
{
    lua_pushliteral(L, "cancelled");
    return 1;
}

void task_push_cancelled(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &cancelled_key);
}

bool task_is_cancelled(lua_State *L, int idx)
{
    idx = lua_absindex(L, idx);
    task_push_cancelled(L);
    bool same = lua_istable(L, -1) && lua_rawequal(L, -1, idx);
    lua_pop(L, 1);
    return same;
}

static int l_join(lua_State *L);
static int l_cancel(lua_State *L);
static int l_task_tostring(lua_State *L);
static int l_task_gc(lua_State *L);

#define ROWS(_)                                                                                    \
    _("join", l_join, "() -> true, ... | nil, err",                                                \
      "Waits for the end of the task and returns what its function returned.")                     \
    _("cancel", l_cancel, "() -> nil", "Ends the task where it waits; its `<close>` variables run.")
static const luaL_Reg methods[] = {ROWS(BIND_REG){NULL, NULL}};
static const luaL_Reg meta[] = {{"__tostring", l_task_tostring}, {"__gc", l_task_gc}, {NULL, NULL}};
const struct api_row task_rows[] = {
#define ROW(...) BIND_ROW("task", __VA_ARGS__)
    ROWS(ROW){NULL, NULL, NULL, NULL},
};

struct tasks *tasks_new(lua_State *L, struct loop *loop)
{
    struct tasks *ts = xcalloc(1, sizeof *ts);
    const char *stress = getenv("KAOS_GC_STRESS");
    *ts = (struct tasks){.L = L, .loop = loop, .stress = stress && *stress == '1', .refs = 1};
    ts->ready_tail = &ts->ready;
    lua_pushlightuserdata(L, ts);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &tasks_key);
    lua_newtable(L);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, cancelled_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "kaos.cancelled");
    lua_setfield(L, -2, "__name");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &cancelled_key);
    bind_class(L, TASK_TYPE, methods, meta);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, LUA_COLIBNAME) == LUA_TTABLE) {
        task_co_install(L, lua_gettop(L));
    }
    lua_pop(L, 2);
    return ts;
}

void tasks_free(struct tasks *ts)
{
    lua_pushnil(ts->L);
    lua_rawsetp(ts->L, LUA_REGISTRYINDEX, &tasks_key);
    while (ts->first) {
        struct task *t = ts->first;
        ts->first = t->next;
        if (t->wait && t->wait->stop && task_waiting(t->wait)) {
            t->wait->stop(t->wait);
        }
        if (t->wait) {
            timer_stop(t->wait->timer);
            t->wait->timer = NULL;
        }
        release(t);
    }
    ts->closed = true;
    release_scheduler(ts);
}

void tasks_on_end(struct tasks *ts, task_end_fn fn, void *arg)
{
    ts->on_end = fn;
    ts->on_end_arg = arg;
}

struct task *tasks_current(struct tasks *ts)
{
    return ts->current;
}

bool task_is_base(lua_State *L)
{
    struct tasks *ts = tasks_of(L);
    return ts && ts->current && ts->current->L == L;
}

int tasks_alive(const struct tasks *ts)
{
    return ts->alive;
}

void tasks_freeze(struct tasks *ts)
{
    ts->frozen = true;
}

void tasks_cancel(struct tasks *ts, bool all)
{
    for (struct task *t = ts->first; t; t = t->next) {
        if (all || !t->endless) {
            task_cancel(t);
        }
    }
}

struct task *task_spawn(lua_State *L, int nargs)
{
    struct tasks *ts = tasks_of(L);
    lua_State *co = lua_newthread(L);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    struct task *t = xcalloc(1, sizeof *t);
    *t = (struct task){.ts = ts, .L = co, .ref = ref, .refs = 1, .nargs = nargs + 2};
    lua_pushcfunction(co, body);
    lua_pushlightuserdata(co, t);
    lua_xmove(L, co, nargs + 1);
    t->endless = ts->current && ts->current->endless;
    t->cancel = t->drain = ts->draining && !t->endless;
    t->next = ts->first;
    if (ts->first) {
        ts->first->prev = t;
    }
    ts->first = t;
    ts->alive++;
    ts->refs++;
    make_ready(t);
    return t;
}

static void cancel(struct task *t, bool drain)
{
    if (t->state != TASK_ALIVE || (t->cancel && t->drain <= drain)) {
        return;
    }
    t->cancel = true;
    t->drain = drain;
    if (t->wait && task_waiting(t->wait) && t->wait->stop && cancel_due(t, t->wait)) {
        t->wait->stop(t->wait);
        task_wake(t->wait);
    }
}

void task_cancel(struct task *t)
{
    cancel(t, false);
}

void tasks_drain(struct tasks *ts)
{
    ts->draining = true;
    for (struct task *t = ts->first; t; t = t->next) {
        if (!t->endless) {
            cancel(t, true);
        }
    }
}

bool tasks_drained(const struct tasks *ts)
{
    return ts->current && ts->current->cancel && ts->current->drain;
}

void task_set_endless(struct task *t)
{
    if (t->drain) {
        t->cancel = t->drain = false;
    }
    t->endless = true;
}

bool task_endless(const struct task *t)
{
    return t->endless;
}

enum task_state task_state(const struct task *t)
{
    return t->state;
}

bool task_unjoined(const struct task *t)
{
    return t->unjoined;
}

void task_push_error(lua_State *L, struct task *t)
{
    lua_pushvalue(t->L, -1);
    lua_xmove(t->L, L, 1);
}

const char *task_trace(const struct task *t)
{
    return t->trace ? t->trace : "";
}

struct task_pace *task_pace(struct task *t)
{
    return &t->pace;
}

/* ---- the Lua object ---- */

void task_push(lua_State *L, struct task *t)
{
    struct task **box = lua_newuserdatauv(L, sizeof(struct task *), 0);
    *box = t;
    t->refs++;
    luaL_setmetatable(L, TASK_TYPE);
}

static struct task *check_task(lua_State *L)
{
    return *(struct task **)luaL_checkudata(L, 1, TASK_TYPE);
}

static int push_outcome(lua_State *L, struct task *t)
{
    if (t->state == TASK_DONE) {
        int n = lua_gettop(t->L);
        lua_pushboolean(L, 1);
        luaL_checkstack(L, n, "results of a task");
        luaL_checkstack(t->L, n, "results of a task");
        for (int i = 1; i <= n; i++) {
            lua_pushvalue(t->L, i);
        }
        lua_xmove(t->L, L, n);
        return n + 1;
    }
    lua_pushnil(L);
    if (t->state == TASK_CANCELLED) {
        task_push_cancelled(L);
    } else {
        task_push_error(L, t);
    }
    return 2;
}

static int push_joined(lua_State *L, struct wait *w)
{
    return push_outcome(L, ((struct join *)w->arg)->of);
}

static void stop_join(struct wait *w)
{
    struct join *j = w->arg;
    for (struct join **p = &j->of->joiners; *p; p = &(*p)->next) {
        if (*p == j) {
            *p = j->next;
            return;
        }
    }
}

static int l_join(lua_State *L)
{
    struct task *t = check_task(L);
    if (t->state != TASK_ALIVE) {
        return push_outcome(L, t);
    }
    if (t == t->ts->current) {
        return luaL_error(L, "a task cannot join itself");
    }
    struct join *j = lua_newuserdatauv(L, sizeof *j, 0);
    *j = (struct join){.wait = {.push = push_joined, .stop = stop_join, .arg = j}, .of = t};
    j->next = t->joiners;
    t->joiners = j;
    return task_wait(L, &j->wait);
}

static int l_cancel(lua_State *L)
{
    task_cancel(check_task(L));
    return 0;
}

static int l_task_tostring(lua_State *L)
{
    static const char *const names[] = {"alive", "done", "failed", "cancelled"};
    lua_pushfstring(L, "task (%s)", names[check_task(L)->state]);
    return 1;
}

static int l_task_gc(lua_State *L)
{
    struct task **box = luaL_checkudata(L, 1, TASK_TYPE);
    if (*box) {
        release(*box);
        *box = NULL;
    }
    return 0;
}
