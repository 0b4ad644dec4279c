/* SPDX-License-Identifier: Apache-2.0 */
/* What the checker found, as plain structs: made by check_run(), read by report/. All strings and
 * arrays are owned by the verdict and live until verdict_free(); strings are never NULL ("" =
 * none) unless a member says so. Times are CLOCK_MONOTONIC nanoseconds as in the history. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict_code {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_INCONCLUSIVE,
    VERDICT_SCENARIO_ERROR,
    VERDICT_ENVIRONMENT
};
/** "PASS", "FAIL", "INCONCLUSIVE", "ERROR", "SETUP". */
const char *verdict_name(enum verdict_code code);

enum finding_class { CLASS_SAFETY, CLASS_LIVENESS, CLASS_THRESHOLD };
const char *finding_class_name(enum finding_class c);

enum finding_blame {
    BLAME_APPLICATION,
    BLAME_CLIENT_LIBRARY,
    BLAME_CLIENT_SIDE,
    BLAME_BROKER,
    BLAME_PROTOCOL,
    BLAME_CONFIGURATION,
    BLAME_HARNESS,
    BLAME_UNDETERMINED
};
const char *finding_blame_name(enum finding_blame b);

/** A record of a topic; offset -1 = the partition as a whole. */
struct record_ref {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/** The event "proc:seq" of the history. */
struct event_ref {
    uint32_t proc, seq;
};

/** One occurrence of an anomaly. */
struct finding_case {
    const char *id;                   /**< business id or lineage, as text */
    const char *text;                 /**< one line: what happened to it */
    const struct record_ref *records; /**< the first is the one to look at */
    size_t nrecords;
    const struct event_ref *events;
    size_t nevents;
    uint64_t t; /**< when it showed; 0 = not known */
};

/** One arrow of the lineage picture: FROM (a record, topic "" = none) by WHO to TO. */
struct lineage_edge {
    struct record_ref from, to; /**< to.topic "" = nothing arrived */
    const char *who;            /**< "w2#4" or "" */
    const char *outcome; /**< "committed", "aborted", "open", "plain", "delivered", "nothing" */
    const char *note;    /**< "same input record again" or "" */
    uint64_t t;          /**< when its transaction ended, or it was sent; 0 = not known */
};

struct timeline_line {
    uint64_t t;
    struct event_ref event;
    const char *who;  /**< "w2#4", a group, "broker 2", or "" */
    const char *what; /**< "poll", "send", "commit", "abort", "crash", ... */
    const char *text; /**< "input[2]@512..521" */
    const char *note; /**< right column: "tx 7", "second delivery", "fault 17", or "" */
    bool death;       /**< a process or a broker died here */
};

/** Occurrences of one kind of anomaly in one property that have the same explanation. */
struct finding {
    const char *kind;     /**< row of finding_kinds */
    const char *check;    /**< "exactly_once", "markers", ... */
    const char *property; /**< its name, or "" for the undeclared checks */
    const char *where;    /**< FILE:LINE of the property or of the scenario */
    enum finding_class class;
    enum finding_blame blame;
    int blame_row;          /**< 1..10 of the blame table */
    const char *blame_text; /**< the matching row, in words */
    const char *title;      /**< "3 of 1391 ids arrived twice" */
    const char *cause;      /**< why, proven by the history; "" = nothing proven */
    const char *hint;       /**< what to do or where to look; only when a rule matched, else "" */
    const char *call_site;  /**< FILE:LINE of the author's call, or "" */
    const char *signature;  /**< kind, crash point or fault before it, roles: groups runs */
    const struct finding_case *cases; /**< all, the smallest first; at least one */
    size_t ncases;
    size_t judged;                      /**< items its property judged */
    const struct lineage_edge *lineage; /**< of cases[0] */
    size_t nlineage;
    const struct timeline_line *timeline; /**< of cases[0], in time order, at most 12 */
    size_t ntimeline;
    int primary;         /**< index of the finding that explains it, or -1: it is primary */
    size_t consequences; /**< findings whose primary is this one */
    bool proven;         /**< false: only shown; the history is too incomplete to FAIL for it */
    bool warning;        /**< shown, never fails a run */
};

enum prop_state { PROP_HELD, PROP_VIOLATED, PROP_INCONCLUSIVE };
const char *prop_state_name(enum prop_state s);

/** What a threshold measured. */
struct threshold_result {
    const char *label; /**< "e2e.latency" */
    const char *stat;  /**< "p99" */
    const char *op;    /**< "<" */
    const char *unit;  /**< "ms" or "/s" */
    const char *text;  /**< "e2e.latency p99 4.31s < 5s"; without samples the limit alone */
    double value, limit;
    int64_t samples; /**< 0: value means nothing */
};

struct prop_result {
    const char *mode;  /**< "always", "eventually", "sometimes", "never", "threshold"; "" for
                          undeclared checks */
    const char *name;  /**< of the property, or of the undeclared check */
    const char *where; /**< FILE:LINE or "" */
    enum prop_state state;
    bool declared;
    int64_t judged;     /**< items looked at */
    int64_t times;      /**< sometimes, never: how often it happened */
    uint64_t first_t;   /**< sometimes, never: when first; 0 = never */
    bool has_margin;    /**< eventually: */
    int64_t last_ms;    /**< when it came true, from the end of the faults (may be negative) */
    int64_t limit_ms;   /**< allowed; -1 = only bounded by the drain */
    const char *detail; /**< "2000 judged, 118 aborted records stayed hidden" */
    const char *reason; /**< why not HELD, one line; "" when held */
    const struct threshold_result *threshold; /**< mode "threshold", else NULL */
    const size_t *findings;                   /**< indexes into findings */
    size_t nfindings;
};

struct fault_count {
    int fault;          /**< number in plan->faults */
    const char *kind;   /**< "crash" */
    const char *where;  /**< FILE:LINE */
    const char *target; /**< role, group or node as declared */
    int64_t fired;
};

/** Numbers of the facts line; each is counted from the history or from the audited log. */
struct verdict_facts {
    int64_t ids;           /**< input items judged by exactly_once, no_loss or no_duplicates */
    int64_t exactly_once;  /**< of these, those with exactly the declared effect */
    int64_t crashes;       /**< deaths at crash points */
    uint32_t crash_points; /**< bit set of enum plan_point that were hit */
    int64_t deaths;        /**< processes that ended by a signal or an error, whatever the cause */
    int64_t deaths_unexpected; /**< of these, those that kaos did not cause */
    int64_t fenced;            /**< ends by a fence */
    int64_t kills, exits;      /**< firings of kill and exit */
    int64_t rebalances;        /**< group generations with a changed assignment, after the first */
    int64_t pauses;            /**< SIGSTOPs that were confirmed */
    int64_t broker_faults;     /**< node kills, pauses, restarts */
    int64_t txns_committed, txns_aborted, txns_open; /**< with data or offsets in the log */
    int64_t aborted_records;                         /**< in declared topics */
    int64_t aborted_hidden;   /**< of these, those that no read_committed reader was delivered */
    int64_t draws, draws_hit; /**< decisions by hash */
    int64_t redelivered;      /**< records delivered more than once to one group */
    int64_t moved_in_txn;     /**< partitions that changed hands with a transaction open on them */
    int64_t sends, acked, failed, unknown; /**< records handed to producers, by outcome */
    int64_t log_records;                   /**< data records in declared topics */
};

struct verdict {
    enum verdict_code code;
    bool expected; /**< FAIL with all kinds of fails_with: counts as a pass in a suite */
    bool twin;     /**< the scenario declares fails_with */
    int exit_code; /**< of the process, with expected taken into account */
    const char *scenario;
    const char *reason;   /**< one line; "" when PASS or when findings say it */
    const char **reasons; /**< all reasons for INCONCLUSIVE and for errors */
    size_t nreasons;
    struct prop_result
        *props; /**< in the order of `expect`, the thresholds, the undeclared checks */
    size_t nprops;
    struct finding *findings; /**< primary ones first, in order of rank */
    size_t nfindings;
    struct fault_count *faults; /**< in the order of plan->faults */
    size_t nfaults;
    struct verdict_facts facts;
    bool complete;     /**< the history is complete: nothing is missing that a check needs */
    bool drained;      /**< the drain ended before its limit */
    uint64_t t0;       /**< the moment the faults began: what t+SS.mmm counts from */
    uint64_t t_off;    /**< the end of the faults; 0 = never */
    uint64_t t_end;    /**< the last event */
    struct pool *pool; /**< owns everything above; private */
};
void verdict_free(struct verdict *v);
/** A verdict without properties, for what could not run at all: code SCENARIO_ERROR or ENVIRONMENT;
 * all strings are copied. Freed with verdict_free(). */
struct verdict *verdict_error(enum verdict_code code, const char *scenario, const char *reason);

/** The closed list of finding kinds; ends with a NULL name. */
struct finding_kind {
    const char *name;
    const char *check; /**< that reports it */
    int rank;          /**< of the primary cause, 1..10 */
    enum finding_class class;
    const char *doc; /**< one line */
};
extern const struct finding_kind finding_kinds[];
/** NULL if there is no such kind. */
const struct finding_kind *finding_kind_find(const char *name);
