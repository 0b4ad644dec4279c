/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks: coroutines over the loop, and the one way to wait. Needed only inside src/lua.
 *
 * A C function that waits ends in `return task_wait(L, w)`. The operation behind it calls
 * task_wake(w) when it is done; the task goes on in a later turn of the loop, never inside the
 * call, and the function returns what w->push pushes. */
#pragma once
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/loop.h"

struct tasks;
struct task;
struct wait;

/** Pushes the results and returns their number; may raise. */
typedef int (*wait_push_fn)(lua_State *L, struct wait *w);
/** The task stopped waiting (cancelled, deadline): the operation must not wake w any more. */
typedef void (*wait_stop_fn)(struct wait *w);

/** Lives in the operation, which must stay valid while a task waits (a userdata on the stack of the
 * waiting function does). Zeroed at first. */
struct wait {
    wait_push_fn push; /**< NULL = no results */
    wait_stop_fn stop; /**< NULL = cannot be abandoned: a cancel is raised after the wake */
    void *arg;         /**< for the operation */
    bool setup;        /**< setting up a client: a drain does not interrupt it */
    int64_t limit_ms;  /**< deadline from now, 0 = none; needs stop */
    bool timed_out;    /**< for push: the deadline passed */

    struct task *task; /**< who waits; the rest belongs to task.c */
    struct timer *timer;
    bool woken;
};

/** Checks that L may wait, and yields. Only as `return task_wait(L, w)`. [-, +, e] */
int task_wait(lua_State *L, struct wait *w);
/** Ends the wait; a second call, or one while nobody waits, does nothing. */
void task_wake(struct wait *w);
bool task_waiting(const struct wait *w);
/** May the code that runs in L wait here? */
bool task_can_wait(lua_State *L);
/** The running task; raises where waiting is not possible. [-, +0, e] */
struct task *task_check(lua_State *L);

enum task_state { TASK_ALIVE, TASK_DONE, TASK_FAILED, TASK_CANCELLED };
/** Called on the loop, outside of Lua, after a task has ended; t is valid during the call. */
typedef void (*task_end_fn)(void *arg, struct task *t);

/** One per state; kept in its registry. Replaces coroutine.resume, wrap, yield and close of L by
 * versions that let waits through. */
struct tasks *tasks_new(lua_State *L, struct loop *loop);
/** Before host_free(). Tasks that are alive are forgotten, not run. */
void tasks_free(struct tasks *ts);
void tasks_on_end(struct tasks *ts, task_end_fn fn, void *arg);
struct tasks *tasks_of(lua_State *L);
/** The running task, or NULL outside of tasks. */
struct task *tasks_current(struct tasks *ts);
int tasks_alive(const struct tasks *ts);
/** Cancels the tasks that are alive and own no endless iterator (all = true: every one). */
void tasks_cancel(struct tasks *ts, bool all);

/** Sources end: every task without an endless iterator is cancelled, now and later, but not while
 * it sets up clients: a role that was restarted just now may become a consumer yet. */
void tasks_drain(struct tasks *ts);
/** Must the running task stop being a source? Raise task_push_cancelled() then. */
bool tasks_drained(const struct tasks *ts);
/** From now on nothing is resumed. */
void tasks_freeze(struct tasks *ts);

/** Starts a task from the function under nargs arguments on L; it first runs in the next turn. What
 * a task with an endless iterator starts is part of its work and left alone by drain like itself.
 * Borrowed from ts until the end callback has returned. [-(nargs + 1), +0, m] */
struct task *task_spawn(lua_State *L, int nargs);
/** Raises "cancelled" in the task, once, where it waits or will wait next. */
void task_cancel(struct task *t);
/** The task drives an endless iterator of a consumer: drain leaves it alone. */
void task_set_endless(struct task *t);
bool task_endless(const struct task *t);
enum task_state task_state(const struct task *t);
/** A failed task: nobody joined it, so the role has to end. */
bool task_unjoined(const struct task *t);
/** Pushes the error value of a failed task onto L. [-0, +1, -] */
void task_push_error(lua_State *L, struct task *t);
/** Traceback of a failed task, or "". */
const char *task_trace(const struct task *t);
/** A slot for the bindings: state of `pace` of this task. */
struct task_pace {
    double per_s;
    uint64_t start_ns, n;
    uint64_t due_ns; /**< planned time of the step that runs now; 0 = no plan */
};
struct task_pace *task_pace(struct task *t);

/** Pushes the Lua object of a task: join, cancel. [-0, +1, m] */
void task_push(lua_State *L, struct task *t);
/** Pushes the value that a cancelled task is resumed with. [-0, +1, -] */
void task_push_cancelled(lua_State *L);
/** Is the value at idx the one above? */
bool task_is_cancelled(lua_State *L, int idx);

/** Is L the coroutine of the running task itself (not one that the author created)? */
bool task_is_base(lua_State *L);

/** task_co.c: the coroutine functions that let waits through. The table at idx gets them. */
void task_co_install(lua_State *L, int idx);
/** The light userdata that a wait yields. */
extern const char task_sentinel;
