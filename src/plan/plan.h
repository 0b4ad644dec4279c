/* SPDX-License-Identifier: Apache-2.0 */
/* What a loaded scenario means, as plain structs: made by lua/ from the file, with params resolved;
 * read by run/, role/, audit/ and check/. Durations are in milliseconds. Strings are owned by the
 * plan; lists are {items, n}. Places are "FILE:LINE". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan_strings {
    char **items;
    size_t n, cap;
};
struct plan_kv {
    char *name, *value;
};
struct plan_conf { /**< settings, later ones win */
    struct plan_kv *items;
    size_t n, cap;
};
struct plan_range {         /**< a duration or a range of durations, drawn anew each time */
    int64_t min_ms, max_ms; /**< equal when fixed; -1 = not given */
};

enum plan_codec { PLAN_BYTES, PLAN_JSON };
struct plan_topic {
    char *name;
    int partitions, replicas; /**< replicas as asked; the run uses min(asked, brokers) */
    bool existing;            /**< must exist on an external cluster */
    enum plan_codec value;
    struct plan_conf config;
};
struct plan_topics {
    struct plan_topic *items;
    size_t n, cap;
};

struct plan_start { /**< when an instance of a role starts */
    char *after;    /**< name given to w:done, or NULL */
    int64_t ms;     /**< or this long after the faults began */
};
struct plan_starts {
    struct plan_start *items;
    size_t n, cap;
};
struct plan_role {
    char *name;
    char *where;
    int count;
    int64_t restart_ms;        /**< delay before a dead instance starts again; -1 = never */
    struct plan_starts starts; /**< by instance, the last one for the rest; empty = with the run */
    struct plan_conf conf;
    struct plan_conf env;
    bool transacts;             /**< its function names `transactional` */
    bool changing_ids;          /**< and `incarnation`: ids may differ from start to start */
    struct plan_strings exec;   /**< program and arguments; empty = a Lua function */
    struct plan_strings groups; /**< exec: consumer groups that the program reads with */
    char *build;                /**< exec: the command that builds the program, or NULL */
};
struct plan_roles {
    struct plan_role *items;
    size_t n, cap;
};

/* Crash points, in the order of a transaction's life. */
#define PLAN_POINTS(_)                                                                             \
    _(AFTER_POLL, "after_poll")                                                                    \
    _(BEFORE_SEND, "before_send")                                                                  \
    _(AFTER_SEND, "after_send")                                                                    \
    _(BEFORE_OFFSETS, "before_offsets")                                                            \
    _(AFTER_OFFSETS, "after_offsets")                                                              \
    _(BEFORE_COMMIT, "before_commit")                                                              \
    _(DURING_COMMIT, "during_commit")                                                              \
    _(AFTER_COMMIT, "after_commit")                                                                \
    _(IN_ON_ASSIGN, "in_on_assign")                                                                \
    _(IN_ON_REVOKE, "in_on_revoke")
enum plan_point {
#define _(id, name) POINT_##id,
    PLAN_POINTS(_)
#undef _
        POINT_N,
    POINT_ANY_N = POINT_IN_ON_ASSIGN, /**< `any` draws among the first eight */
};
const char *plan_point_name(enum plan_point p);
/** -1 if unknown. */
int plan_point_find(const char *name);

enum plan_fault_kind {
    FAULT_CRASH,
    FAULT_EXIT,
    FAULT_KILL,
    FAULT_PAUSE,
    FAULT_ABORT,
    FAULT_REBALANCE,
    FAULT_BROKER
};
const char *plan_fault_name(enum plan_fault_kind k);
int plan_fault_find(const char *name); /**< -1 if unknown, as all *_find */
enum plan_per { PER_MESSAGE, PER_BATCH, PER_TRANSACTION };
/* kill = SIGKILL, stop = SIGTERM (a clean shutdown), restart = stop and start at once, roll =
 * restart of all nodes, one after the other. */
enum plan_broker_action { BROKER_KILL, BROKER_STOP, BROKER_PAUSE, BROKER_RESTART, BROKER_ROLL };
/** Which node a broker fault means; all but the first two are asked of the cluster when it fires.
 */
enum plan_target {
    TARGET_ANY,
    TARGET_NUMBER,
    TARGET_LEADER,     /**< of a partition */
    TARGET_GROUP,      /**< coordinator of `group` */
    TARGET_ROLE_TXN,   /**< coordinator of the transactional id of an instance of a role */
    TARGET_TXN,        /**< coordinator of a transactional id */
    TARGET_CONTROLLER, /**< leader of the metadata quorum */
};
struct plan_fault {
    enum plan_fault_kind kind;
    char *where;
    struct plan_strings roles; /**< crash, exit, kill, pause, abort */
    int index;                 /**< only this instance of the role; 0 = any */
    char *group;               /**< rebalance; broker: TARGET_GROUP */
    double p;                  /**< crash, abort */
    enum plan_per per;         /**< crash */
    uint32_t points;           /**< crash: bit set of plan_point */
    struct plan_range every, at, hold;
    int signum;   /**< kill: SIGKILL or SIGTERM */
    bool replace; /**< pause: a second process of the same index runs meanwhile */
    enum plan_broker_action action;
    enum plan_target target; /**< broker */
    int node;                /**< TARGET_NUMBER */
    char *of;                /**< TARGET_LEADER: topic; TARGET_ROLE_TXN: role; TARGET_TXN: id */
    int partition;           /**< TARGET_LEADER */
    char *node_text;         /**< broker: the target as declared */
    int64_t max;             /**< bounds the firings; -1 = none */
    int mix;                 /**< number of its mix, from 1; 0 = none: it is always on */
};
struct plan_faults {
    struct plan_fault *items;
    size_t n, cap;
};
enum { PLAN_MIX_BLOCK = 4 }; /**< periods in which a mix shows all that it has */
struct plan_mix {            /**< faults of which a part is on in each period */
    char *where;
    int64_t stable_ms; /**< length of a period */
};
struct plan_mixes {
    struct plan_mix *items;
    size_t n, cap;
};

/* Predicates of `expect`. */
#define PLAN_PREDS(_)                                                                              \
    _(EXACTLY_ONCE, "exactly_once")                                                                \
    _(NO_LOSS, "no_loss")                                                                          \
    _(NO_DUPLICATES, "no_duplicates")                                                              \
    _(COMMITTED_ONLY, "committed_only")                                                            \
    _(ATOMIC, "atomic")                                                                            \
    _(MARKERS, "markers")                                                                          \
    _(ORDER, "order")                                                                              \
    _(STABLE_GROUP, "stable_group")                                                                \
    _(LIVENESS, "liveness")                                                                        \
    _(TAKEOVER, "takeover")                                                                        \
    _(ACCOUNTED, "accounted")                                                                      \
    _(CRASHED, "crashed")                                                                          \
    _(MESSAGES, "messages")                                                                        \
    _(SAW_ABORTED, "saw_aborted")                                                                  \
    _(LATE, "late")                                                                                \
    _(REPEATED, "repeated")                                                                        \
    _(HELD_BACK, "held_back")                                                                      \
    _(UNIQUE, "unique")                                                                            \
    _(TOGETHER, "together")                                                                        \
    _(INVARIANT, "invariant") /**< a fold of the author's */                                       \
    _(REACHED, "reached")     /**< bare `sometimes "name"`, `never "name"` */                      \
    _(ASSERTED, "asserted")   /**< bare `always "name"`: judged by w:assert */
enum plan_pred_kind {
#define _(id, name) PRED_##id,
    PLAN_PREDS(_)
#undef _
        PRED_N
};
const char *plan_pred_name(enum plan_pred_kind k);
int plan_pred_find(const char *name);

enum plan_id { ID_LINEAGE, ID_VALUE, ID_KEY, ID_HEADER, ID_FUNCTION };
struct plan_pred {
    enum plan_pred_kind kind;
    char *where;
    char *from, *to; /**< topic or role */
    enum plan_id id;
    char *id_header; /**< ID_HEADER */
    int fold; /**< INVARIANT, ID_FUNCTION: number of the Lua function set in the loader; else -1 */
    char *topic; /**< committed_only, saw_aborted, order, messages, unique; atomic, markers,
                    held_back: NULL = all */
    struct plan_strings topics; /**< together */
    bool per_key;               /**< order: per key, else per partition */
    char *group;                /**< stable_group, takeover; liveness: NULL = all */
    struct plan_strings roles;  /**< crashed; committed_only, saw_aborted: empty = all */
    uint32_t points;            /**< crashed: bit set, 0 = any death at a crash point */
    int64_t at_least;           /**< of predicates that count: default 1 */
    int64_t times;              /**< exactly_once: outputs per input, default 1 */
    int64_t over_ms;            /**< late, held_back: what takes longer counts; else -1 */
    bool aborted;               /**< messages: those of aborted transactions instead */
    int64_t within_ms;          /**< takeover */
    struct plan_strings places; /**< accounted: topics and roles */
};
struct plan_preds {
    struct plan_pred *items;
    size_t n, cap;
};

enum plan_mode { MODE_ALWAYS, MODE_EVENTUALLY, MODE_SOMETIMES, MODE_NEVER };
const char *plan_mode_name(enum plan_mode m);
int plan_mode_find(const char *name);
struct plan_prop {
    enum plan_mode mode;
    char *name;
    char *where;
    struct plan_preds preds; /**< all must hold */
    int64_t within_ms;       /**< eventually: from the end of the faults; -1 = drain limit */
};
struct plan_props {
    struct plan_prop *items;
    size_t n, cap;
};

enum plan_metric {
    METRIC_E2E,     /**< planned send of an input to the first committed sight of its effect */
    METRIC_SEND,    /**< send to acknowledgement */
    METRIC_RATE,    /**< committed records of a topic per second, while faults were on */
    METRIC_RECOVERY /**< death of an instance to the next commit on what it owned */
};
enum plan_stat { STAT_QUANTILE, STAT_AVG, STAT_MIN, STAT_MAX };
enum plan_op { OP_BELOW, OP_AT_MOST, OP_ABOVE, OP_AT_LEAST };
const char *plan_op_text(enum plan_op op); /**< "<", "<=", ">", ">=" */
struct plan_threshold {
    char *name; /**< its identity: "e2e.latency p99 < 5s" */
    char *where;
    char *label; /**< "e2e.latency", with the way where there are several */
    enum plan_metric metric;
    char *topic;    /**< METRIC_RATE */
    int prop, pred; /**< METRIC_E2E: the predicate of `expect` that names the way */
    enum plan_stat stat;
    double quantile; /**< STAT_QUANTILE: above 0, at most 100 */
    char *stat_text; /**< "p99" */
    enum plan_op op;
    double limit;     /**< milliseconds; METRIC_RATE: records per second */
    char *limit_text; /**< as written */
};
struct plan_thresholds {
    struct plan_threshold *items;
    size_t n, cap;
};

struct plan_param {
    char *name, *value, *doc; /**< value as text after resolution */
    char *type;               /**< "integer", "number", "string", "boolean" */
    char *preset;             /**< the default as text */
};
struct plan_params {
    struct plan_param *items;
    size_t n, cap;
};

struct plan {
    char *name, *file, *where, *doc;
    struct plan_strings tags;
    struct plan_params params;
    int brokers;        /**< asked nodes of a managed cluster; 0 = default (1) */
    char *cluster_kind; /**< or NULL */
    struct plan_conf cluster_config;
    struct plan_topics topics;
    struct plan_roles roles;
    struct plan_faults faults;
    struct plan_mixes mixes;
    struct plan_props expect;
    struct plan_thresholds thresholds;
    char *stop_after;      /**< name given to w:done, or NULL */
    int64_t stop_after_ms; /**< or a duration; -1 = none */
    int64_t drain_ms;      /**< limit of the drain; default computed by plan_drain_default() */
    int64_t timeout_ms;    /**< default 10 minutes */
    struct plan_strings fails_with; /**< finding kinds that must occur */
};

/** Adds the suffix to every group and transactional id that faults and predicates name: on a
 * cluster that is not fresh those of a run carry its id. */
void plan_suffix_groups(struct plan *p, const char *suffix);
struct plan *plan_new(void);
void plan_free(struct plan *p);
struct plan_topic *plan_topic(const struct plan *p, const char *name); /**< NULL if not declared */
struct plan_role *plan_role(const struct plan *p, const char *name);
/** When an instance (index from 1) starts; NULL = with the run. */
const struct plan_start *plan_role_start(const struct plan_role *r, int index);
static inline bool plan_is_program(const struct plan_role *r)
{
    return r && r->exec.n > 0;
}
/** Value of the last entry of that name, or NULL. */
const char *plan_conf_get(const struct plan_conf *c, const char *name);
void plan_conf_set(struct plan_conf *c, const char *name, const char *value);
void plan_strings_add(struct plan_strings *s, const char *text);
bool plan_strings_has(const struct plan_strings *s, const char *text);
/** Value of a setting as a number of milliseconds; preset if absent or not such a number. */
int64_t plan_conf_ms(const struct plan_conf *c, const char *name, int64_t preset);
/** Free the members of lists that stand outside a plan. */
void plan_strings_free(struct plan_strings *s);
void plan_conf_free(struct plan_conf *c);
void plan_params_free(struct plan_params *p);
/** Bound B of the drain: the longest of the timeouts of all roles that a takeover may have to wait
 * for (as set, or the presets of kaos), an allowance for backlog, and a margin. */
int64_t plan_drain_default(const struct plan *p);

/** Settings that fit together badly. where and message are borrowed; error: the scenario is
 * refused. */
typedef void plan_lint_fn(void *arg, bool error, const char *where, const char *message);
void plan_lint(const struct plan *p, plan_lint_fn *fn, void *arg);
