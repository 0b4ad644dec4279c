/* SPDX-License-Identifier: Apache-2.0 */
/* Inside io/ only: what /proc says about a process. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct procfs_stat {
    char state; /**< 'R', 'S', 'T', 'Z' ... */
    pid_t parent, group;
};

/** @return false if there is no such process. */
bool procfs_read_stat(pid_t pid, struct procfs_stat *s);
