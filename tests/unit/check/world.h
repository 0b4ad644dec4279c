/* SPDX-License-Identifier: Apache-2.0 */
/* A small world that writes histories as a run would: an in-memory log with transactions, role
 * processes with their own history files, a runner, an audit. Tests let it live, change one thing
 * and ask the checker. Events carry the time of the call, so calls are in the order of time. */
#pragma once
#include "base/mem.h"
#include "check/check.h"
#include "history/events.h"
#include "history/hist.h"
#include "plan/plan.h"
#include "test.h"

enum { PARTS = 2 };
enum { INPUT, OUTPUT, TOPICS };

struct entry { /**< one offset of a partition: a batch of one record, or a marker */
    bool control, commit, gone, plain, probe;
    long pid, sequence, seq, src_offset, txn;
    int epoch, outcome, src_part, incarnation, index, txn_incarnation;
    const char *role, *txn_id; /**< "" = no header */
    char value[32];
    bool src;      /**< has a source in input */
    long last;     /**< 0, or the last offset that the batch claims */
    long later_ms; /**< its time, from that of the audit */
};
struct log {
    struct entry *items;
    size_t n, cap;
};
struct offset_entry {
    int part, epoch, outcome;
    long offset, pid;
    bool gone, marker, commit;
};
struct proc {
    struct world *w;
    struct hist *h;
    const char *role, *txn_id;
    int index, incarnation;
    long pid, seq, txn, sequence[TOPICS][PARTS];
    int epoch;
    bool open, ended, touched[TOPICS][PARTS];
    size_t first_offset; /**< of the open transaction, in offsets */
    int assignment;
    const char *producer;
};
struct world {
    struct plan *plan;
    struct hist *runner;
    struct log log[TOPICS][PARTS];
    struct {
        struct offset_entry *items;
        size_t n, cap;
    } offsets;
    struct proc *procs[256];
    size_t nprocs;
    long next_pid;
    long log_start[TOPICS][PARTS];
    long removed[TOPICS][PARTS]; /**< what the audit says of it */
    bool compacted[TOPICS];
    long hw_short; /**< offsets that the audit says lie behind its last batch */
    bool no_end, no_audit, no_drain, incomplete_audit, stop_early;
    char *dir;
    const char *drain_detail;
    const char *off_detail;        /**< why the faults ended; NULL = the work was done */
    void (*edit)(struct world *w); /**< may change the events before they are judged, or NULL */
    struct events *es;
    struct verdict *v;
};

/** A world with topics input and output, roles controller and worker x 2, nothing expected yet. */
struct world *world_new(void);
/** The same in a folder of its own below the test's. */
struct world *world_new_in(const char *name);
void world_free(struct world *w);
struct plan_pred *world_expect(struct world *w, enum plan_mode mode, const char *name,
                               enum plan_pred_kind kind);
/** exactly_once, no_loss, committed_only: what `eos` expects. */
void world_expect_eos(struct world *w, enum plan_id id);

struct proc *proc_start(struct world *w, const char *role, int index, int incarnation);
/** Sends one record outside a transaction; value may be NULL = by counter. Returns its offset. */
long proc_send_plain(struct proc *p, int topic, int part, const char *value);
void proc_deliver(struct proc *p, int topic, int part, long first, long last, const char *group,
                  bool read_committed);
void proc_assign(struct proc *p, int part, int generation);
void proc_revoke(struct proc *p, int part);
void proc_begin(struct proc *p);
/** Sends a copy of input[src_part]@src in the open transaction. Returns its offset. */
long proc_copy(struct proc *p, int part, int src_part, long src);
void proc_offsets(struct proc *p, int part, long offset);
void proc_commit(struct proc *p);
void proc_abort(struct proc *p, const char *why);
/** Only what the log does when a transaction ends: markers and outcomes. */
void proc_end_txn(struct proc *p, bool commit);
void proc_seek(struct proc *p, int part, long from, long to);
/** A plain offset commit, in the log too. */
void proc_commit_plain(struct proc *p, int part, long offset);
void proc_crash(struct proc *p, const char *point);
void proc_exit(struct proc *p, int code, int signal, const char *why);
void world_fault(struct world *w, int fault, const char *kind, const char *target);
void world_phase(struct world *w, const char *name, const char *detail);

/** deliver, begin, copy first..last, offsets, commit. */
void proc_batch(struct proc *p, int part, long first, long last);
/** Controller sends n inputs, two workers copy them in transactions of three. */
void world_work(struct world *w, int n);
/** The end of the run: drain, stop, audit, end. */
void world_finish(struct world *w);
/** Reads the history and judges; the verdict is w->v. */
void world_check(struct world *w);

/** Primary proven findings. */
/** Prints verdict and findings to stderr. */
void world_show(const struct world *w);
size_t world_primaries(const struct world *w);
const struct finding *world_find(const struct world *w, const char *kind);
/** FAIL with exactly one primary finding, of this kind. */
void world_must_find(struct world *w, const char *kind);
void world_must_pass(struct world *w);
