/* SPDX-License-Identifier: Apache-2.0 */
/* What a run looks like at a moment, as plain facts: the runner fills it (run/status.c), pure
 * functions of report/ draw it. Everything is borrowed and valid during the call; times are in
 * milliseconds. Counts come from the tailed history, so they lag by moments, and a count of a
 * property is a preview: only the checker judges. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/** A process of a role instance: the newest one. */
struct status_proc {
    const char *role;
    int index, incarnation; /**< incarnation 0: not started yet */
    bool reader;            /**< kaos's own, not a role of the scenario */
    int pid;                /**< 0 = none runs */
    int64_t age_ms;         /**< since it was started */
    const char *state;      /**< "starting" "running" "paused" "stopping" "dead" "finished" */
    int64_t back_ms;        /**< dead: starts again in so many ms; -1 = not planned */
    unsigned deaths;        /**< of this instance so far */
    const char *last_end;   /**< how the last one ended ("fault", "died", ...), or "" */
    const char *topic;      /**< the last record it was handed: topic, or NULL */
    int partition;
    int64_t offset;
    bool in_txn;
    int64_t txn, txn_records, txn_age_ms;
    const char *log; /**< path of its output */
};

struct status_group {
    const char *name;
    const char *owners; /**< "input: 0>w1 1>w2 3>-"; ">" stands for an arrow */
    int64_t generation; /**< -1 = not known */
    unsigned changes;   /**< generations seen */
};

enum status_mark { MARK_WAIT, MARK_GOOD, MARK_BAD };
struct status_prop {
    const char *mode, *name;
    enum status_mark mark;
    const char *preview; /**< "1388 in, 1371 out", "6x", "judged at the end" */
};

struct status_fault {
    const char *kind, *target;
    uint64_t fired;
    int64_t max; /**< -1 = no bound */
};

struct status_event {
    int64_t at_ms; /**< since the faults began; may be negative */
    const char *text;
};

struct status {
    const char *version, *file, *name, *run, *cluster, *cluster_version, *params, *phase;
    int nodes, node_down; /**< managed nodes; the one a fault holds, 0 = none */
    uint64_t seed;
    int64_t elapsed_ms, limit_ms; /**< since the work began (-1 = not yet); limit of the phase */
    bool faults_on, interrupted;
    uint64_t sent, acked, failed, unknown, delivered, commits, aborts, crashes, deaths;
    double sent_rate, delivered_rate; /**< per second, over the last seconds */
    const struct status_proc *procs;
    size_t nprocs;
    const struct status_group *groups;
    size_t ngroups;
    const struct status_prop *props;
    size_t nprops;
    const struct status_fault *faults;
    size_t nfaults;
    const struct status_event *events; /**< newest first */
    size_t nevents;
    const char *notice; /**< an answer to the last key, or "" */
};

enum status_page { PAGE_MAIN, PAGE_DETAILS, PAGE_KILL, PAGE_LOGS };

/** Where a page is drawn. */
struct status_screen {
    int columns, rows; /**< rows 0 = no bound (a dump) */
    bool utf8, color;
    bool keys; /**< somebody can type: show what */
    enum status_page page;
    size_t skip;   /**< lines left out at the top (details, logs) */
    size_t chosen; /**< PAGE_LOGS: which process */
};

/** Appends the lines of a page, each at most `columns` wide and ended by "\n", at most `rows` of
 * them. src/report/live.c has the one implementation. */
typedef void status_draw_fn(const struct status *s, const struct status_screen *o, struct buf *out);
