/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `kaos repl` share. */
#pragma once
#include "command/command.h"
#include "command/line.h"
#include "command/store.h"
#include "lua/repl.h"
#include "run/session.h"

/** What happened last, for why(). */
struct prompt_change {
    char *text, *why;
};
enum { PROMPT_CHANGES = 5 };

struct prompt {
    const struct cli *c;
    struct loop *loop;
    struct repl *repl;
    struct session *session;
    struct line *line; /**< NULL: not a terminal */
    const char *store;
    const char *cluster; /**< spec; NULL = none */
    bool tty, quiet, quitting;
    int code; /**< of the process */
    int interrupts;
    char *then; /**< a line that follows what runs first, or NULL */
    /* a scenario that was loaded */
    struct load *load;
    size_t scenario;
    char *path;
    /* a stored run */
    struct stored stored;
    bool attached;
    struct {
        uint64_t *items;
        size_t n, cap;
    } waiting; /**< calls for the cluster */
    struct prompt_change changes[PROMPT_CHANGES];
    size_t nchanges;
    char *findings;  /**< of the last judge(), as text */
    uint64_t run_id; /**< call of .run */
};

/** Writes to the person. */
void prompt_write(struct prompt *p, const char *text, size_t len);

/* repl_calls.c */
void prompt_call(void *arg, uint64_t id, const char *verb, const json_t *args);
json_t *prompt_names(void *arg);
/** The cluster is up, or will never be. */
void prompt_cluster(struct prompt *p, const struct err *e);

/** The clients of the prompt work where the session is now. */
int prompt_move(struct prompt *p, struct err *e);

/** One call at work; freed with its answer. */
struct prompt_job {
    struct prompt *p;
    uint64_t id;
    json_t *args; /**< owned */
    char *bootstrap;
    json_t *result;
    struct err err;
    int rc;
    int (*work)(struct prompt_job *j); /**< on a pool thread: result, or -1 with err */
};
/** Runs a job on a pool thread and answers; args is borrowed. */
void prompt_work(struct prompt *p, uint64_t id, const json_t *args,
                 int (*work)(struct prompt_job *j));
void prompt_fail(struct prompt *p, uint64_t id, const struct err *e);
void prompt_ok(struct prompt *p, uint64_t id, json_t *result);

/* repl_topics.c: work of jobs */
int topics_work_list(struct prompt_job *j);
int topics_work_topic(struct prompt_job *j);
int topics_work_tail(struct prompt_job *j);
int topics_work_groups(struct prompt_job *j);

/* repl_scenario.c */
void scenario_load(struct prompt *p, uint64_t id, const json_t *args);
void scenario_up(struct prompt *p, uint64_t id, const json_t *args);
void scenario_down(struct prompt *p, uint64_t id, const json_t *args);
void scenario_fire(struct prompt *p, uint64_t id, const json_t *args);
void scenario_judge(struct prompt *p, uint64_t id, const json_t *args);
void scenario_timeline(struct prompt *p, uint64_t id, const json_t *args);
void scenario_why(struct prompt *p, uint64_t id, const json_t *args);
void scenario_source(struct prompt *p, uint64_t id, const json_t *args);
void scenario_run(struct prompt *p, uint64_t id, const json_t *args);
