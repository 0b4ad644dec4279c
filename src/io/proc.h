/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes. All children of a run stand under one guard process (`kaos __guard`): a
 * subreaper that spawns on request, reports exits and, at the end of file of the runner's socket
 * (the runner ended, also by SIGKILL), kills every descendant, grandchildren included, and ends.
 * The guard has a session of its own (terminal signals do not reach children). Each child gets
 * PR_SET_PDEATHSIG = SIGKILL and a process group of its own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "io/loop.h"

struct guard;
struct proc;

/** How a process ended. */
struct proc_end {
    int code;   /**< exit code, if signal is 0 */
    int signal; /**< terminating signal or 0 */
};
typedef void (*proc_exit_fn)(void *arg, struct proc *p, struct proc_end end);

struct proc_opts {
    const char *const *argv; /**< NULL-terminated; argv[0] NULL = this very binary (by descriptor)
                                and then argv + 1 are its arguments */
    const char *const *env;  /**< "NAME=value" added to or replacing our environment; NULL = none */
    const char *cwd;         /**< NULL = ours */
    const char *log_path;    /**< stdout and stderr, appended; NULL = inherited */
    bool may_outlive;        /**< may be released later: no death signal, so that it can outlive the
                                  guard */
    bool tree;            /**< stands under a process of kaos's own (tree_main) that lives as long
                               as the program and whatever it started: for programs that may be
                               wrappers; proc_signal_tree() reaches them all */
    bool control;         /**< a pipe whose read end is the child's descriptor PROC_CONTROL_FD */
    proc_exit_fn on_exit; /**< called once, on the loop, after the process was reaped */
    void *arg;
};
enum { PROC_CONTROL_FD = 3 };

/** Opens /proc/self/exe, so that a rebuilt binary does not break a running test; call first in
 * main. */
void proc_init(void);
/** Starts the guard. @return NULL with ERR_PROCESS or ERR_SYSTEM. */
struct guard *guard_start(struct loop *l, struct err *e);
/** Kills all remaining descendants (unless released), waits for the guard to end (bounded), frees.
 *  on_exit of the killed ones comes in the next turn, unless proc_free() is called before. If
 * somebody kills the guard itself, all children die with it: on_exit with SIGKILL, and proc_spawn()
 * fails. */
void guard_stop(struct guard *g);
/** The guard leaves this child, its descendants and its process group alone when it ends (clusters
 * that are kept). The child must have been spawned with may_outlive. */
void guard_release(struct guard *g, struct proc *p);

/** Stops (SIGSTOP) all children, with their process groups, that are not stopped already; and lets
 * those and only those go on. */
void guard_freeze(struct guard *g);
void guard_thaw(struct guard *g);

/** Starts a child under the guard; a program that cannot be executed is an error here, named.
 *  @return NULL with ERR_PROCESS. Freed with proc_free. */
struct proc *proc_spawn(struct guard *g, const struct proc_opts *o, struct err *e);
pid_t proc_pid(const struct proc *p);
bool proc_alive(const struct proc *p); /**< not yet reaped */
/** Sends a signal to the process (group = true: to its process group) through the guard, so that a
 *  reused pid is never hit. Signals arrive in the order of the calls. @return -1 if it was reaped
 *  already. */
int proc_signal(struct proc *p, int signum, bool group);
/** Sends a signal to the program of a `tree` child and to all that it started, whatever session or
 *  process group they took. proc_state() is 'T' when all of them have stopped. */
int proc_signal_tree(struct proc *p, int signum);
/** 'R', 'S', 'T', 'Z' ... from /proc/PID/stat; 0 if gone. */
char proc_state(const struct proc *p);
/** Queues one frame (u32 little-endian length, u8 type, payload) on the control pipe; the data is
 *  copied, a slow reader never blocks us. type is not PIPE_EOF, len at most PIPE_FRAME_MAX. A dead
 *  reader is not an error. */
void proc_send(struct proc *p, uint8_t type, const void *data, uint32_t len);
/** Frees; the process must have been reaped or released. May be called inside on_exit; NULL is
 * fine. */
void proc_free(struct proc *p);

/** Main of `kaos __tree PROGRAM ARGUMENT...`: ends as the program ended, once all that it started
 * has ended too. What is left TREE_GRACE_MS after the program's end is killed. */
int tree_main(int argc, char **argv);
enum { TREE_GRACE_MS = 5000 };
/** The guard's own main, for `kaos __guard`. @return exit code. */
int guard_main(int argc, char **argv);
