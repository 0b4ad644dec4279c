/* SPDX-License-Identifier: Apache-2.0 */
/* Inside io/ only: what proc.c (children) and guard_link.c (the runner's end of the guard) share.
 */
#pragma once
#include "io/guard.h"
#include "io/handle.h"
#include "io/proc.h"
#include "io/writer.h"

struct guard {
    struct handle handle;
    uv_poll_t poll;
    struct loop *loop;
    pid_t pid;
    int sock;
    int refs; /**< the poll handle, and deferred calls under way */
    bool lost, stopped;
    uint64_t last_id;
    size_t alive; /**< procs not yet reaped; while 0 the guard does not keep the loop alive */
    struct proc *procs;
    struct {
        struct guard_msg *items;
        size_t n, cap;
    } kept; /**< reports that arrived while proc_spawn() waited */
};

struct proc {
    struct guard *guard; /**< NULL once the guard was stopped */
    struct proc *next, **link;
    struct loop *loop;
    uint64_t id;
    pid_t pid;
    bool alive, released, may_outlive;
    bool frozen;      /**< by guard_freeze */
    bool late, freed; /**< on_exit is deferred; the owner has no interest any more */
    struct proc_end end;
    struct writer *control;
    proc_exit_fn on_exit;
    void *arg;
};

/** Sends with n descriptors; waits, bounded, while the socket is full. @return -1 with errno. */
int guard_send(struct guard *g, const struct guard_msg *m, const int *fds, size_t n);
/** Waits for the answer to request id; keeps other messages for later turns.
 *  @return -1 if the guard is gone, 0 if it took too long, 1 with the answer. */
int guard_await(struct guard *g, uint64_t id, struct guard_msg *m);

/** Takes note of the end and leaves the guard's list; the caller sees to on_exit. */
void proc_ended(struct proc *p, struct proc_end end);
/** Calls on_exit now. */
void proc_report(struct proc *p);
/** Calls on_exit in the next turn, unless freed before. */
void proc_report_later(struct proc *p);
/** Leaves the guard's list. */
void proc_detach(struct proc *p);
