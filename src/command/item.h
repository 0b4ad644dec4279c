/* SPDX-License-Identifier: Apache-2.0 */
/* One run of one scenario, from a loaded file to a stored verdict: in this process, or in a process
 * of its own that hands its outcome back as a file. */
#pragma once
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"
#include "command/command.h"
#include "command/store.h"
#include "run/run.h"

/** What is run: a scenario of a loaded file at a point of the matrix. */
struct item {
    struct load *load; /**< borrowed */
    size_t scenario;
    const char *path; /**< of its file as it was asked for; borrowed */
    char *id;         /**< "eos[workers=3]" */
    struct plan_conf params;
};

/** How: the flags that every run of a suite shares. */
struct item_opts {
    const struct cli *c;
    const char *cluster, *store;
    long long brokers, timeout_ms; /**< 0, -1 = as the scenario says */
    bool no_faults, external_faults, keep,
        thin;  /**< thin: no history is kept of what ends as declared */
    FILE *out; /**< status lines, or NULL */
    enum run_ui ui;
    struct plan_conf places; /**< command/place.h */
};
/** plan_conf_free(&o->places) when done. @return -1 after printing what is wrong. */
int item_opts_parse(struct item_opts *o, const struct cli *c);

/** The spec of the cluster: of the flag, else of the scenario, else CLUSTER_DEFAULT; borrowed. */
const char *item_cluster(const struct item_opts *o, const struct plan *p);

struct outcome {
    int code;                  /**< exit code of this run alone */
    bool refused;              /**< the cluster cannot do what the scenario asks of it */
    int signum;                /**< interrupted by it, or 0 */
    struct verdict *v;         /**< NULL only when interrupted before there was anything to judge */
    json_t *run;               /**< run.json, or what is known without */
    json_t *json;              /**< the verdict as it was stored */
    char *dir, *detail, *kept; /**< each may be NULL */
    int64_t duration_ms;
};
/** Runs, judges, and stores verdict.json. */
void item_run(const struct item *it, const struct item_opts *o, uint64_t seed, struct outcome *out);
/** Makes the JSON of the verdict and writes it into the run's folder if there is one. es may be
 *  NULL. */
void outcome_store(struct outcome *out, const struct events *es);
/** What stands for a scenario or a file that could not run: code is EXIT_SCENARIO, EXIT_ENVIRONMENT
 *  or EXIT_BUG. path, where and id: what is known of it. */
void outcome_error(struct outcome *out, int code, const char *path, const char *where,
                   const char *id, const char *reason);
void outcome_free(struct outcome *out);

/** The two files between a suite and the process of one run. */
json_t *item_request(const struct item *it, uint64_t seed, const char *answer);
/** @return -1 with ERR_PROTOCOL when the file is missing or no answer. */
int item_answer(const char *path, struct outcome *out, struct err *e);
/** The child: runs what the request file says. @return exit code. */
int item_serve(const struct cli *c, const char *request);
