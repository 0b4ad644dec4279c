/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks share: the context of a judgement, one occurrence of an anomaly, and the
 * interface of a check. */
#pragma once
#include "check/check.h"
#include "check/model.h"

struct anomaly_record {
    struct m_part *part;
    int64_t offset;
};

/** One occurrence, before it is grouped into findings. */
struct anomaly {
    const struct finding_kind *kind;
    const char *check;
    int prop; /**< index of its result in the verdict */
    const char *id, *text;
    VEC(struct anomaly_record) records; /**< the first is the one to look at */
    VEC(const struct event *) events;
    VEC(struct m_txn *) txns;
    VEC(struct m_proc *) procs;
    struct m_part *in; /**< source record, or NULL */
    int64_t in_offset;
    struct m_part *seg; /**< a stretch of the log that it explains, or NULL */
    int64_t seg_first, seg_last;
    struct m_group *group;
    uint64_t t;
    bool proven, warning;
    bool hang;                       /**< holds back the last stable offset to the end of the run */
    const struct m_deliver *deliver; /**< the delivery that is wrong, or NULL */
    /* filled by blame.c */
    int primary; /**< index of the anomaly that explains it, or -1 */
    enum finding_blame blame;
    int row;
    const char *cause, *hint, *call_site, *signature;
};

struct judge {
    const struct model *m;
    const struct plan *plan;
    const struct fold_ops *folds;
    const struct check_opts *o;
    bool interrupted;  /**< by the user: the runner says so, or the history */
    struct pool *pool; /**< the verdict's */
    struct verdict *v;
    struct err *e;
    bool failed; /**< e is set: give up */
    VEC(struct anomaly *) anomalies;
    VEC(const char *) reasons;
    int prop; /**< under judgement */
    const char *check;
    bool quiet;    /**< sometimes, never: count, report nothing */
    size_t hushed; /**< anomalies not reported while quiet */
    bool complete, audited, drained;
    bool lua_error; /**< a role ended by one */
    bool foreign;   /**< a part of the history is of another run: nothing is proven */
};

/** The worst case of what a counting check counted: what a `never` reports. */
struct eval_case {
    const char *kind, *id, *text;    /**< kind NULL = "reached", named by the property */
    const struct m_record *record;   /**< or NULL */
    const struct m_record *source;   /**< what it was made from, or NULL */
    const struct m_deliver *deliver; /**< the delivery that is wrong, or NULL */
};

/** What a check says of one predicate. */
struct eval {
    int64_t judged;
    int64_t times; /**< counting checks: how often */
    bool counting; /**< holds when times >= at_least */
    int64_t at_least;
    uint64_t first_t;    /**< counting: when first */
    uint64_t last_t;     /**< when the last item came true; 0 = not known */
    const char *detail;  /**< replaces "N judged", or NULL */
    const char *unknown; /**< why it cannot be said, or NULL */
    struct eval_case worst;
};

/** pred is NULL for an undeclared judgement. */
typedef void (*check_fn)(struct judge *j, const struct plan_pred *pred, struct eval *out);
struct check_row {
    const char *name;
    check_fn fn;
    int pred;        /**< enum plan_pred_kind, or -1 */
    bool undeclared; /**< judged on every run */
};
extern const struct check_row check_rows[];

/** A new occurrence of a kind (must be in the table). NULL while quiet. */
struct anomaly *anomaly_add(struct judge *j, const char *kind);
void anomaly_record(struct anomaly *a, struct m_part *p, int64_t offset);
/** The record with its transaction, process and the events that speak of it. */
void anomaly_log_record(struct anomaly *a, const struct m_record *r);
void anomaly_event(struct anomaly *a, const struct event *ev);
void anomaly_txn(struct anomaly *a, struct m_txn *t);
void anomaly_proc(struct anomaly *a, struct m_proc *p);
/** Deliveries of the source record: events and processes. */
void anomaly_source(struct anomaly *a, struct m_part *p, int64_t offset);
void anomaly_free(struct anomaly *a);
/** Adds a reason for INCONCLUSIVE; text is kept in the verdict's pool. */
void judge_reason(struct judge *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define JTEXT(j, ...) pool_printf((j)->pool, __VA_ARGS__)
/** "w2#4 transaction 7". */
const char *txn_name(struct judge *j, const struct m_txn *t);

/* checks */
void check_exactly_once(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_no_loss(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_no_duplicates(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_committed_only(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_atomic(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_markers(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_sequences(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_gaps(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_offsets_agree(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_probe(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_deaths(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_order(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_stable_group(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_takeover(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_accounted(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_liveness(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_crashed(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_saw_aborted(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_late(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_repeated(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_held_back(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_unique(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_together(struct judge *j, const struct plan_pred *p, struct eval *out);
/** Notes that what a counting check looks for happened, at time t (0 = not known). */
void eval_count(struct eval *out, uint64_t t);
/** The last words of a counting check: what it counted, and that it looked at something. */
void eval_counted(struct judge *j, struct eval *out, const char *things);
void check_messages(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_invariant(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_reached(struct judge *j, const struct plan_pred *p, struct eval *out);
void check_asserted(struct judge *j, const struct plan_pred *p, struct eval *out);

/* removed.c */
/** Why a predicate cannot be judged in full, because records left the log; NULL = it can. */
const char *removed_of(const struct judge *j, const struct plan_pred *pred);
/** Records left some topic. */
const char *removed_any(const struct judge *j);
/** The same of one topic. */
const char *removed_topic(const struct judge *j, const char *topic);
/** Of the anomalies from number `from` on, those that such records may explain are not proven. */
void removed_doubt(struct judge *j, const struct plan_pred *pred, size_t from);

/* thresholds.c */
void threshold_judge(struct judge *j, const struct plan_threshold *t, struct prop_result *r);

/* after the checks */
void blame_all(struct judge *j);
void findings_make(struct judge *j);
void evidence_make(struct judge *j, const struct anomaly *a, struct finding *f);
void facts_make(struct judge *j);
void history_reasons(struct judge *j);
