/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop, and with proc.h, pipe.h the only door to uv.h. One loop per process; everything
 * here is called on the loop's thread, except loop_post(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct timer;
struct signals;

typedef void (*loop_fn)(void *arg);

/** A new loop; SIGPIPE is ignored from here on. Aborts only when the kernel has no descriptors
 * left. */
struct loop *loop_new(void);
/** Runs what was posted or deferred, closes what is left, waits up to 2 s for close callbacks and
 *  running work, logs each survivor; frees. */
void loop_free(struct loop *l);
/** Runs until loop_stop() or until nothing is active. */
void loop_run(struct loop *l);
/** Makes loop_run() return after the current turn. */
void loop_stop(struct loop *l);
/** Calls fn(arg) on the loop's thread, in the order of the calls. The only function for other
 * threads. */
void loop_post(struct loop *l, loop_fn fn, void *arg);
/** Calls fn(arg) in the next turn, never inside this call. Does not keep loop_run() alive by itself
 *  unless called; a pending one is always run. */
void loop_defer(struct loop *l, loop_fn fn, void *arg);
/** Runs work(arg) on a pool thread, then done(arg) on the loop's thread. */
void loop_work(struct loop *l, loop_fn work, loop_fn done, void *arg);

/** Calls fn after first_ms, then every repeat_ms (0 = once; the timer frees itself after a single
 * shot). */
struct timer *timer_start(struct loop *l, uint64_t first_ms, uint64_t repeat_ms, loop_fn fn,
                          void *arg);
/** Stops and frees; NULL is fine. A single shot that has fired must not be stopped. */
void timer_stop(struct timer *t);

/** Calls fn(arg), which may take long (the process is stopped by Ctrl-Z), and then lets every timer
 * wait for what it still had to wait before: the time of the call does not count. */
void loop_freeze(struct loop *l, loop_fn fn, void *arg);

/** Calls fn(arg) on the loop for each arrival of signum. Does not keep loop_run() alive. */
struct signals *signals_start(struct loop *l, int signum, loop_fn fn, void *arg);
void signals_stop(struct signals *s);
