/* SPDX-License-Identifier: Apache-2.0 */
/* Roles that are programs: a black box with an environment, signals, an exit code, and a consumer
 * group that the broker tells about. Used by the files of run/ only. */
#pragma once
#include "run/internal.h"

/** Whether a process is a program of the author's and not a role of ours. */
bool exec_is(const struct member *m);

/* exec_file.c */
/** Finds the programs of all roles. @return -1 with ERR_PROCESS that names program and fix. */
int exec_check(struct run *r, struct err *e);
/** For run.json: the command, where its program is, and the SHA-256 of it and of the files among
 * its arguments. */
json_t *exec_json(const struct run *r, const struct plan_role *role);
/** The folder of the scenario file, absolute; caller frees. */
char *exec_folder(const struct run *r);
/** PATH of programs: what kaos's scripts installed stands in front; caller frees. */
char *exec_path(void);

/* exec.c */
/** Starts the program of a member. @return NULL with the error. */
struct proc *exec_spawn(struct member *m, const char *log, proc_exit_fn on_exit, struct err *e);
/** The `env` of a role for one process, and for a program what the contract says, as
 * "NAME=value"; NULL-terminated; freed with exec_env_free. */
char **exec_env(const struct member *m);
void exec_env_free(char **env);
/** Once the watch is there: it looks at the groups of programs. */
void exec_watch(struct run *r);
/** Now and then: what is known of programs by now. */
void exec_tick(struct run *r);
/** The drain begins: sources end, and so do the guests of rebalances. */
void exec_drain(struct run *r);
/** SIGTERM to the whole tree, SIGKILL after the grace. */
void exec_stop(struct member *m);
const char *exec_classify(const struct member *m, struct proc_end end);
/** Whether deaths of it may go on for ever: it has worked, so it is the application that dies. */
bool exec_may_die(const struct member *m);
/** The role whose program reads with a group, or NULL. */
const struct plan_role *exec_role_of(const struct run *r, const char *group);

/* exec_group.c */
/** One more instance joins the group for a few seconds. */
void exec_rebalance(struct fault_clock *c, const struct plan_role *role);
/** The restart probe of a program is under way: ends it when its group has come to rest. */
void exec_probe(struct run *r);
