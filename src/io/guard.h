/* SPDX-License-Identifier: Apache-2.0 */
/* Inside io/ only: what runner (proc.c) and guard (guard.c) say to each other over a SOCK_SEQPACKET
 * pair. Both ends are the same binary, so the message is a plain struct. Descriptors travel with
 * SPAWN in the order request, log (flag), control (flag). The request is a memfd: the strings
 * directory ("" = the guard's), argv and environment, each with its NUL. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum guard_type {
    GUARD_SPAWN = 1, /**< id, flags, argc, envc; answered by SPAWNED or FAILED */
    GUARD_SIGNAL,    /**< id, value = signal, flags GROUP or TREE */
    GUARD_RELEASE,   /**< id */
    GUARD_SPAWNED,   /**< id, pid */
    GUARD_FAILED,    /**< id, value = errno, flags = enum guard_stage */
    GUARD_EXIT,      /**< id, pid, value = wait status; once per id */
};
enum {
    GUARD_LOG = 1,
    GUARD_CONTROL = 2,
    GUARD_SELF = 4,
    GUARD_OUTLIVE = 8,
    GUARD_GROUP = 16,
    GUARD_TREE = 32
};
enum guard_stage { STAGE_REQUEST, STAGE_FORK, STAGE_DIRECTORY, STAGE_EXEC };

struct guard_msg {
    uint32_t type, flags;
    uint64_t id;
    int32_t pid, value;
    uint32_t argc, envc;
};

/** Where the guard finds its socket and the binary to spawn. */
enum { GUARD_SOCK_FD = 3, GUARD_EXE_FD = 4, GUARD_FDS_MAX = 3 };
enum { GUARD_KILL_MS = 1500 }; /**< how long it tries to kill what is left */

/** Kills and reaps all descendants of this subreaper except those under (or in the process group
 * of) one of the n spared children, within limit_ms; reaped(arg, pid, status) is called for each
 * child.
 *  @return how many are left. */
int guard_kill_tree(const pid_t *spared, int n, int limit_ms,
                    void (*reaped)(void *arg, pid_t pid, int status), void *arg);

/** Sends a signal to every descendant of root, a child of the caller that runs tree_main(). A tree
 * that is stopped or killed is frozen first, so that nothing is born meanwhile; SIGSTOP reaches
 * root too, and only when all under it have stopped (its state tells). */
void guard_signal_tree(pid_t root, int signum);
