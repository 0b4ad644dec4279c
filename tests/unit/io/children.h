/* SPDX-License-Identifier: Apache-2.0 */
/* The test program is its own guard and its own child programs (roles named by argv[1]). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Asks cond(arg) every few milliseconds until it holds or limit_ms passed. @return whether it
 * held. */
bool wait_until(bool (*cond)(void *arg), void *arg, int limit_ms);
/** How many living processes have this text in their environment. */
int marked(const char *text);
/** Sends them a signal, and says how many they are. */
int signal_marked(const char *text, int signum);
/** The parent of a process, 0 if it is gone (or a zombie). */
pid_t parent_of(pid_t pid);
