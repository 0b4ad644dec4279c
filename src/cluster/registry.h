/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters that stay up between runs: STORE/clusters/NAME/cluster.json says where one is and which
 * processes it consists of (pid and start time, so that a reused pid is nobody's node), and the
 * file `lock` beside it is held by whoever uses it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "cluster/cluster.h"

struct registry_node {
    pid_t pid;
    uint64_t started; /**< as in /proc/PID/stat */
};

struct registry {
    char *name, *dir; /**< dir = STORE/clusters/NAME */
    char *version, *direct, *faulty;
    int64_t since_ms; /**< CLOCK_REALTIME */
    int nodes;
    struct registry_node node[CLUSTER_NODES_MAX];
    struct cluster_setting *settings; /**< it was started with; owned */
    size_t nsettings;
};

/** A name: letters, digits, '-', '_' and '.', a letter first. */
bool registry_is_name(const char *name);
/** STORE/clusters/NAME; caller frees. */
char *registry_dir(const char *store, const char *name);
/** @return 1 = it is registered, 0 = it is not, -1 with ERR_PROTOCOL (the file is damaged). Free r
 *  with registry_free() in any case. */
int registry_read(const char *store, const char *name, struct registry *r, struct err *e);
int registry_write(const struct registry *r, struct err *e);
void registry_free(struct registry *r);
/** How many of its processes live. */
int registry_alive(const struct registry *r);
/** Start time of a process, 0 if there is none. */
uint64_t registry_started(pid_t pid);
/** SIGKILL to all that live, waits until they are gone, removes the folder. */
int registry_end(const struct registry *r, struct err *e);

/** Takes the lock of a cluster for as long as the descriptor is open. @return -1 with ERR_PROCESS
 *  naming the holder, or ERR_SYSTEM. */
int registry_lock(const char *dir, const char *name, const char *who, struct err *e);
/** "pid 4711 (run 7c1e)" of who holds it now, caller frees; NULL = nobody. */
char *registry_holder(const char *dir);
