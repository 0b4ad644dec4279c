/* SPDX-License-Identifier: Apache-2.0 */
/* The runner: takes a plan through cluster, topics, roles, faults, drain, cut, audit and probe, and
 * leaves a run folder whose history can be judged. Owns the loop while it runs. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "plan/plan.h"
#include "run/status.h"

struct run_file { /**< a file of the source bundle; the scenario's own file first */
    const char *name, *text;
    size_t len;
};

enum run_ui { RUN_UI_LINES, RUN_UI_QUIET, RUN_UI_LIVE, RUN_UI_JSON };

struct run_opts {
    struct plan *plan; /**< its groups get the run's suffix on a cluster that is not fresh */
    const char *path;  /**< of the scenario file as it was asked for; NULL = the plan's */
    const char *label; /**< "eos[workers=3]" of a matrix, or NULL */
    bool by_name;      /**< FILE:LINE means other scenarios too: this one needs its name */
    const struct run_file *files;
    size_t nfiles;
    const json_t *env; /**< object: values recorded at load for env(); may be NULL */
    uint64_t seed;
    const char *cluster;            /**< spec, see cluster/cluster.h */
    const struct plan_conf *places; /**< role to "HOST:PORT,..." of agents; NULL = all here */
    int brokers;                    /**< 0 = as the plan says */
    bool no_faults;                 /**< baseline: declared faults do not fire */
    bool reused;             /**< other runs were on this cluster: names of groups get a suffix */
    bool external_faults;    /**< faults may touch brokers that kaos did not start */
    bool keep;               /**< leave the cluster running */
    int64_t timeout_ms;      /**< -1 = as the plan says */
    const char *store;       /**< ".kaos": runs go to STORE/runs/ID-NAME */
    const char *const *argv; /**< for run.json */
    FILE *out;               /**< status lines; NULL = quiet */
    enum run_ui ui;
    status_draw_fn *draw; /**< of live view and status dump; NULL = neither */
    bool utf8, color;     /**< of the live view */
};

enum run_end {
    RUN_JUDGE,       /**< the history is to be judged */
    RUN_SCENARIO,    /**< scenario error: exit 3 */
    RUN_ENVIRONMENT, /**< exit 4 */
    RUN_CANCELLED,   /**< interrupted before there was anything to judge */
};
struct run_result {
    enum run_end end;
    bool stopped;   /**< ended early by a key: judged, but never PASS */
    int signum;     /**< SIGINT or SIGTERM when interrupted (also with RUN_JUDGE), else 0 */
    struct err err; /**< why, unless RUN_JUDGE */
    char *detail;   /**< more lines for a person (last lines of a log), or NULL */
    char *dir, *id; /**< the run folder and its id */
    char *kept;     /**< how to reach and end a kept cluster, or NULL */
};
void run_scenario(const struct run_opts *o, struct run_result *out);
void run_result_free(struct run_result *r);
