/* SPDX-License-Identifier: Apache-2.0 */
/* The history as objects that point at each other: one pass over the events builds it, the checks
 * only read it. Pointers to events are borrowed from the struct events given to model_new(). */
#pragma once
#include "base/err.h"
#include "base/map.h"
#include "check/pool.h"
#include "history/events.h"
#include "plan/plan.h"

#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *items;                                                                                  \
        size_t n, cap;                                                                             \
    }

enum log_outcome { OUT_PLAIN, OUT_COMMITTED, OUT_ABORTED, OUT_OPEN };
static inline bool outcome_visible(int outcome)
{
    return outcome == OUT_PLAIN || outcome == OUT_COMMITTED;
}

struct m_record { /**< a data record of the audited log */
    int64_t offset;
    int64_t pid;
    int64_t seq; /**< of its producer process; -1 = no kaos header */
    int64_t src_offset;
    int32_t epoch;
    int8_t outcome;      /**< enum log_outcome */
    bool probe;          /**< added after the cut, by the restart probe */
    struct m_proc *proc; /**< who sent it, by its header; NULL = unknown */
    struct m_txn *txn;   /**< or NULL */
    struct m_part *part, *src;
    const struct event *ev;
};
struct m_batch {
    int64_t base, last, count, pid, sequence;
    int32_t epoch;
    int16_t attributes;
    int8_t outcome;
    const struct event *ev;
};
struct m_control {
    int64_t offset, pid;
    int32_t epoch;
    bool commit;
    const struct event *ev;
};
struct m_part {
    struct m_topic *topic;
    int32_t number;
    bool audited, complete, compacted, declared;
    int64_t log_start, lso, hw;
    int64_t removed; /**< offsets that left the log in the run, before the audit could read them */
    VEC(struct m_record) records; /**< by offset */
    VEC(struct m_batch) batches;  /**< by base offset */
    VEC(struct m_control) controls;
    VEC(const struct event *) open;   /**< OPEN_TXN events */
    VEC(struct m_deliver *) delivers; /**< by first offset */
    int64_t span;                     /**< widest of them, last - first */
    int64_t *visible;                 /**< visible[i] = visible records among records[0..i) */
    size_t *items;                    /**< scratch of flow.c: item of each record + 1 */
};
struct m_topic {
    const char *name;
    const struct plan_topic *plan; /**< NULL if not declared */
    VEC(struct m_part *) parts;    /**< by number; items may be NULL */
};

struct m_send { /**< a run of sends */
    int64_t seq, count, partition, src_offset;
    struct m_topic *topic;
    struct m_part *src;
    struct m_txn *txn;
    const char *producer;
    const struct event *ev;
};
struct m_ack { /**< a run of outcomes */
    int64_t seq, count, offset;
    struct m_part *part; /**< NULL = not known */
    int phase;           /**< enum hist_phase */
    const char *error;
    const struct event *ev;
};
struct m_deliver { /**< a run of deliveries */
    struct m_proc *proc;
    struct m_part *part;
    struct m_group *group; /**< NULL = none */
    struct m_txn *txn;     /**< the transaction that handled it, or NULL */
    int64_t first, last, count, assignment;
    bool read_committed;
    const struct event *ev;
};
struct m_claim { /**< an offset given to a transaction */
    struct m_txn *txn;
    struct m_group *group;
    struct m_part *part;
    int64_t offset, assignment, generation;
    int phase; /**< of the completion; HP_UNKNOWN until there is one */
    const struct event *ev;
};
struct m_txn { /**< (process, producer, number) */
    struct m_proc *proc;
    const char *producer; /**< the transactional id */
    int64_t number;
    const struct event *begin, *commit, *commit_done, *abort, *abort_done;
    VEC(struct m_claim *) claims;
    VEC(struct m_record *) records;   /**< in the log, by its headers */
    int64_t committed, aborted, open; /**< of these, by the log's outcome */
    int64_t sends;                    /**< records handed to it */
    int64_t pid;                      /**< of its records; -1 = none in the log */
    int32_t epoch;
};
struct m_commit { /**< a plain offset commit */
    struct m_proc *proc;
    struct m_group *group;
    struct m_part *part;
    int64_t offset;
    int phase;
    const struct event *ev, *done; /**< done: its completion, or NULL */
};
struct m_assign { /**< ownership of a partition begins or ends */
    struct m_proc *proc;
    struct m_group *group;
    struct m_part *part; /**< NULL: an empty assignment */
    int64_t assignment, generation;
    bool given; /**< false = revoked or lost */
    bool lost;
    const struct event *ev;
};
struct m_logoff { /**< an offset record in __consumer_offsets */
    struct m_group *group;
    struct m_part *part;
    int64_t offset, pid, position, log_partition;
    int32_t epoch;
    int8_t outcome;
    const struct event *ev;
};
struct m_group {
    const char *name;
    VEC(struct m_logoff *) offsets;      /**< by (log partition, position) */
    VEC(struct m_assign *) assigns;      /**< in time order */
    VEC(const struct event *) committed; /**< COMMITTED samples */
    VEC(const struct event *) states;    /**< GROUP samples */
    struct map final;                    /**< part pointer -> stable committed offset at the end */
    bool claimed;                        /**< some transaction took offsets of it */
};
struct m_proc { /**< one incarnation of a role instance */
    const char *role;
    int index, incarnation;
    const char *name;             /**< "w2#9" */
    const struct hist_proc *hist; /**< NULL: left no history */
    const struct event *spawn, *exit, *crash, *ready, *error;
    bool probe, reader;       /**< started by the restart probe; the built-in reader */
    bool weak_acks;           /**< a producer of it asked for less than acks=all */
    bool latest;              /**< a consumer of it starts at the end of the log */
    VEC(struct m_send) sends; /**< by seq */
    VEC(struct m_ack) acks;   /**< by seq */
    VEC(struct m_deliver *) delivers;
    VEC(struct m_txn *) txns;
    VEC(struct m_commit *) commits;
    VEC(const struct event *) seeks;
    VEC(const struct event *) own; /**< all events of the process, in order */
    struct map txn_index;          /**< producer and number -> m_txn */
};

struct model {
    const struct events *es;
    const struct plan *plan;
    struct pool *pool;
    VEC(struct m_topic *) topics;
    VEC(struct m_proc *) procs; /**< role processes, by first sight */
    VEC(struct m_group *) groups;
    VEC(struct m_txn *) txns;
    VEC(struct m_deliver *) delivers;
    VEC(struct m_claim *) claims;
    VEC(struct m_commit *) commits;
    VEC(const struct event *) faults;  /**< FAULT */
    VEC(const struct event *) crashes; /**< CRASH */
    VEC(const struct event *) nodes;   /**< NODE */
    VEC(const struct event *) signals; /**< SIGNAL */
    VEC(const struct event *) harness; /**< HARNESS */
    VEC(const struct event *) probes;  /**< PROBE */
    VEC(const struct event *) draws;   /**< DRAW */
    VEC(const struct event *) emits;   /**< EMIT */
    VEC(const struct event *) reached; /**< REACHED */
    VEC(const struct event *) asserts; /**< ASSERT */
    VEC(const struct event *) configs; /**< CONFIG */
    VEC(const struct event *) phases;  /**< PHASE */
    VEC(const struct event *) logtxns; /**< LOG_TXN */
    VEC(const struct event *) strange; /**< events whose fields make no sense */
    const struct event *audit_end;     /**< of the main pass, or NULL */
    const char *run;         /**< id of the run, from acknowledged records; "" = unknown */
    bool internal_read;      /**< __consumer_offsets was read whole, nothing compacted */
    int64_t real_minus_mono; /**< ns, on the runner's host */
    uint64_t t0, t_off, t_end;
    struct map topic_index, proc_index, group_index;
    struct m_proc **by_hist; /**< hist proc number -> m_proc or NULL */
};

struct model *model_new(const struct events *es, const struct plan *p);
void model_free(struct model *m);

struct m_topic *model_topic(const struct model *m, const char *name); /**< NULL if never seen */
struct m_group *model_group(const struct model *m, const char *name);
struct m_proc *model_proc(const struct model *m, const char *role, int index, int incarnation);
/** First PHASE of that name, or NULL. */
const struct event *model_phase(const struct model *m, const char *name);
/** The record at an offset, or NULL. */
struct m_record *part_record(const struct m_part *p, int64_t offset);
/** Index of the first record at or above an offset. */
size_t part_lower(const struct m_part *p, int64_t offset);
/** Records in [first, last] that a read_committed reader may see. */
int64_t part_visible(const struct m_part *p, int64_t first, int64_t last);
/** The run that holds seq, or NULL. */
const struct m_send *model_send(const struct m_proc *p, int64_t seq);
const struct m_ack *model_ack(const struct m_proc *p, int64_t seq);
/** Of the records of a run that are in the log, so many were delivered at least: offsets of which
 * the log tells nothing any more (retention, compaction) may be among those that it counts. */
int64_t deliver_least(const struct m_deliver *d);
/** What the log says of a transaction: OUT_COMMITTED, OUT_ABORTED or OUT_OPEN when it has records
 * of one outcome only, else -1. */
int txn_log_outcome(const struct m_txn *t);
/** Index of the first run of deliveries that may hold an offset; look on while first <= offset. */
size_t part_deliver_from(const struct m_part *p, int64_t offset);
/** Whether a commit of it is sure (1), sure not (0) or not known (-1), the log before the claims.
 */
int txn_committed(const struct m_txn *t);
/** When it ended, or 0. */
uint64_t txn_end_time(const struct m_txn *t);
/** The stable committed offset of a group at the end; -1 = none. */
int64_t group_final(const struct m_group *g, const struct m_part *p);
/** When a visible record became visible, as far as known: monotonic ns. */
uint64_t record_time(const struct model *m, const struct m_record *r);
/** "input[2]@518". */
const char *record_name(struct pool *pool, const struct m_part *p, int64_t offset);
