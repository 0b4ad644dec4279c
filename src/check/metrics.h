/* SPDX-License-Identifier: Apache-2.0 */
/* Measured values of a run, for thresholds. All times are CLOCK_MONOTONIC of the run's host. */
#pragma once
#include "check/anomaly.h"
#include "check/flow.h"

/** One measured value; key means something to the metric that made it. */
struct sample {
    double value; /**< ms, or records per second */
    int64_t key;
    struct m_proc *proc;
};

/** What a commit of a group did for one partition, or an instance's death on one that it owned. */
struct metric_commit {
    struct m_group *group;
    struct m_part *part;
    int64_t offset;
    uint64_t t;
    const struct event *ev;
};
struct metric_death {
    struct m_proc *proc;
    struct m_group *group;
    struct m_part *part;
    uint64_t t;
    const struct metric_commit *commit; /**< the first one after it */
};

struct metric {
    struct judge *j;
    const struct plan_threshold *t;
    VEC(struct sample) samples;
    struct flow flow; /**< METRIC_E2E */
    bool flowing;
    int64_t missing;  /**< items without a sample */
    uint64_t late_ns; /**< METRIC_E2E: how far a sender was behind its plan at most */
    double average;   /**< METRIC_RATE: over the whole time */
    VEC(struct metric_commit) commits;
    VEC(struct metric_death) deaths;
};

/** Fills samples. @return -1 when a function of the author raised (j->e). */
int metric_collect(struct metric *x, struct judge *j, const struct plan_threshold *t);
/** Says of a sample what it is: id, text, records, events. */
void metric_describe(struct metric *x, const struct sample *s, struct anomaly *a);
void metric_free(struct metric *x);
/** "4.31s", "812ms", "36/s". */
void metric_text(char out[32], const struct plan_threshold *t, double value);
