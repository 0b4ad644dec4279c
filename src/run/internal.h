/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of run/ share. One thread. */
#pragma once
#include <stdatomic.h>

#include "audit/audit.h"
#include "audit/watch.h"
#include "base/map.h"
#include "base/mem.h"
#include "cluster/cluster.h"
#include "history/events.h"
#include "history/hist.h"
#include "io/loop.h"
#include "io/proc.h"
#include "run/run.h"

enum run_phase {
    PH_CLUSTER,
    PH_TOPICS,
    PH_ROLES,
    PH_WORK,
    PH_DRAIN,
    PH_CUT,
    PH_AUDIT,
    PH_PROBE,
    PH_PROBED,
    PH_END
};

struct slot;
struct progress;
struct status_store;
struct ui;

/** One process of a role instance; stays in the list after its end. */
struct member {
    struct run *r;
    struct slot *slot;
    struct member *next;
    struct proc *proc;
    int incarnation;
    bool up, paused, ready, returned, stopping;
    bool in_txn;                   /**< as far as the tailed history shows */
    uint64_t since_ns;             /**< when it was started */
    int64_t assignment;            /**< number of the last one that a session told of */
    int64_t unanswered;            /**< records sent whose outcome is not known yet */
    bool has_txn;                  /**< had a transaction at some time */
    bool works;                    /**< has sent something, or was given a record */
    bool endless;                  /**< owns a consumer */
    bool crashed;                  /**< wrote a CRASH event */
    bool by_hand;                  /**< killed because a person said so */
    bool left;                     /**< wrote a RETURNED event with why exit */
    struct fault_clock *paused_by; /**< the pause that holds or held it, or NULL */
    struct timer *wake, *confirm;  /**< end of the pause; look whether SIGSTOP took effect */
    int confirms;
    int fault;            /**< the fault that ended or paused it, or -1 */
    char *error, *source; /**< last ERROR event */
    char *txn_id;         /**< transactional id that it used last, or NULL */
};

/** A role instance: role and index; its processes come and go. */
struct slot {
    struct run *r;
    const struct plan_role *role; /**< NULL for kaos's own readers */
    const char *name;             /**< role name */
    const char *topic;            /**< readers: their topic */
    char *agent;                  /**< where its processes live: "HOST:PORT"; NULL = here */
    unsigned turn;                /**< which host of that name, role/far.h */
    int index, incarnations;
    bool finished;          /**< returned: not restarted */
    bool guest;             /**< program: one more instance that comes for a rebalance only */
    bool reads;             /**< some process of it was assigned something */
    struct member *current; /**< the newest process, or NULL */
    struct timer *restart;
    const struct plan_start *start; /**< what it waits for before its first start, or NULL */
};

/** A group that some role reads with, learnt from the history. */
struct group_use {
    char *group;
    const struct plan_role *role;
    bool sends; /**< the role produces too: a transformer */
};

struct fault_clock {
    struct run *r;
    int index;
    const struct plan_fault *f;
    uint64_t drawn, fired;
    struct timer *timer;
    uint64_t armed_ns;                      /**< looking for a victim since, or 0 */
    uint64_t guest_changes, guest_until_ns; /**< rebalance of a program: see exec_group.c */
    struct timer *held;                     /**< broker: end of the hold */
    struct timer *late; /**< broker: a node that was asked to stop has not stopped */
    bool asking;        /**< broker: which node is meant is being asked */
    char *missed;       /**< why it could not be told the last time, or NULL */
    bool rolling;
    bool on;                     /**< its mix has it on; without a mix always */
    unsigned turn;               /**< counts the times its mix turned it off */
    int roll_from, rolled;       /**< the first node of a roll, from 0; nodes that came back */
    const struct member *victim; /**< of the last firing, or NULL */
    bool ordered;                /**< crash, abort: the victim has not done it yet */
    uint64_t moves;              /**< of that order, from one victim to the next */
};

/** A run whose course is not that of run.c: one at the prompt (session.c). */
struct run_course {
    void (*fail)(struct run *r, enum run_end end, const struct err *e, const char *detail);
    void (*topics_ready)(struct run *r);
    void (*roles_gone)(struct run *r);
    void (*drain)(struct run *r, const char *why);
    void (*born)(struct member *m, const char *why);
    void (*gone)(struct member *m, const char *why); /**< why: as in EXIT */
    void (*event)(struct member *m, const struct event *ev);
};

/** The periods of a mix, see mix.c. */
struct mix_clock {
    struct run *r;
    int index; /**< from 0 */
    uint64_t period;
    struct timer *timer;
};

struct run {
    const struct run_course *course; /**< NULL = that of run.c */
    void *course_arg;
    const struct run_opts *o;
    const struct plan *plan;
    struct run_result *out;
    struct loop *loop;
    struct guard *guard;
    struct cluster *cluster;
    struct hist *hist;
    struct {
        struct audit_start *items;
        size_t n, cap;
    } starts; /**< where topics that existed before ended when the run began */
    struct tail *tail;
    struct watch *watch;
    struct deliveries *deliveries;
    char *history, *deliveries_path;
    char *suffix; /**< of group and transactional ids: "" or "-RUN" */
    enum run_phase phase;
    bool failed, faults_on, roles_stopped;
    bool draining; /**< the watch looks for the end of the drain */
    bool given_up; /**< the work could not be done: nobody is waited for who may never come */
    bool settling; /**< behind the cut: waiting for transactions to end */
    uint64_t faults_ns;
    struct timer *tick, *limit;
    struct signals *sigint, *sigterm;

    struct slot *slots;
    size_t nslots;
    struct member *members; /**< newest first */
    struct {
        uint64_t *items;
        size_t n, cap;
    } deaths; /**< times of deaths that kaos did not cause */
    struct {
        struct group_use *items;
        size_t n, cap;
    } groups;
    struct map done; /**< names given to w:done */
    struct {
        struct fault_clock *items;
        size_t n, cap;
    } clocks;
    struct {
        uint64_t sent, acked, delivered, crashes, deaths, commits, aborts, generations;
    } count;
    struct progress
        *progress; /**< what people want to see (progress.h); NULL before the first event */
    struct status_store *status;
    struct ui *ui;
    uint64_t next_status_ns;
    uint64_t tick_ns;        /**< when on_tick() ran last */
    int64_t session_least;   /**< group.min.session.timeout.ms of the brokers, 0 = not known */
    struct mix_clock *mixes; /**< as many as the plan has */
    int node_down;           /**< broker node that a fault holds down or paused, 0 = none */
    struct fault_clock *node_fault;
    int asks; /**< questions of target.c on pool threads */
    struct {
        struct member *member; /**< running now, or NULL */
        size_t group;          /**< next of groups */
        uint64_t since_ns, quiet_ns, delivered;
        struct buf before, after; /**< end offsets, audit_ends() */
    } probe;
    struct {
        bool complete;
        struct err err;
        bool busy;
        atomic_bool unwanted; /**< its questions end early */
        loop_fn fn, done;
    } work;    /**< the job on the pool thread */
    bool down; /**< the cluster is gone, nothing but the job is waited for */
};

/* run.c */
/** Ends the run without a judgement; the first call wins. Everything is taken down. */
void run_fail(struct run *r, enum run_end end, const struct err *e, const char *detail);
void run_say(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void run_phase(struct run *r, const char *name, const char *detail);
/** Work is done (or time is over): faults off, drain. */
void run_drain(struct run *r, const char *why);
/** All roles are gone after STOP. */
void run_roles_gone(struct run *r);
void run_topics_ready(struct run *r);
/** The topics are there: watches the brokers and starts the roles. drained is the watch's, tick
 * comes all the time, late when RUN_START_MS have passed: it then clears r->limit. All get r. */
void run_start_roles(struct run *r, loop_fn drained, loop_fn tick, loop_fn late);
enum { RUN_START_MS = 60000 };
/** Everything was done: the history is complete. */
void run_end(struct run *r);

/** fn(r) on a pool thread, then done(r) on the loop unless the run failed meanwhile. One at a time.
 */
void run_work(struct run *r, loop_fn fn, loop_fn done);
/** A job on a pool thread has ended: the last one ends the loop when the cluster is gone. */
void run_job_ended(struct run *r);

/** The files of a run: its folder, history, deliveries. */
int run_open_files(struct run *r, struct err *e);
/** Frees everything but loop, guard, cluster and watch, which must be gone or another's. */
void run_close_files(struct run *r);

/* dir.c */
int dir_create(struct run *r, struct err *e);

/* topics.c */
void topics_create(struct run *r);

/* limits.c */
struct admin;
/** Whether the cluster would take the settings of the roles; on a pool thread. */
int limits_check(struct run *r, struct admin *a, struct err *e);

/* members.c */
void members_start(struct run *r);
struct member *member_spawn(struct slot *s, const char *why);
void members_stop(struct run *r); /**< STOP to all; kills after the grace */
void members_kill(struct run *r); /**< SIGKILL to all */
void members_send(struct run *r, uint8_t frame, const char *json);
void members_resume(struct run *r);
void members_free(struct run *r);
size_t members_up(const struct run *r);
struct member *member_find(struct run *r, const char *role, int index, int incarnation);
/** "worker#1" style name for lines and reports: role, index when there are several, # incarnation.
 */
const char *member_name(const struct member *m);
/** Where a process of this instance writes its output; caller frees. */
char *member_log_path(const struct slot *s, int incarnation);
void member_signal(struct member *m, int signum, int fault);

/* starts.c */
void starts_begin(struct run *r); /**< the faults begin: clocks of instances that start later */
void starts_poll(struct run *r);  /**< starts those whose work is done that they wait for */
void starts_end(struct run *r);   /**< the work is over: nobody starts any more */

/* digest.c */
void digest_poll(struct run *r);
void digest_flush(struct member *m);
/** The first role that still runs and of which it is not known what it reads; NULL if none. */
const char *digest_unknown_reader(const struct run *r);
/** A role that lives, with records that it sent and whose outcome is not known yet; NULL = none.
 */
const char *digest_unanswered(const struct run *r);
/** Has the run done its work? */
bool digest_work_done(struct run *r);

/* faults.c */
enum { FAULTS_RETRY_MS = 200 };
void faults_start(struct run *r);
void faults_stop(struct run *r);
/** Looks again after ms. */
void faults_wait(struct fault_clock *c, uint64_t ms);
/** A role says that it did what a fault ordered. */
void faults_done(struct run *r, int64_t fault, const struct member *m);
/** A process is gone: what was ordered of it and not done is ordered of another one. */
void faults_gone(struct run *r, const struct member *m);
/** Draws the time of the next firing. */
void faults_schedule(struct fault_clock *c);
void faults_record(struct fault_clock *c, const char *edge, const char *target, const char *detail);

/** Does it fire at present? */
static inline bool faults_active(const struct fault_clock *c)
{
    return c->r->faults_on && c->on;
}
/** Its mix turns it off: what it holds is let go. */
void faults_heal(struct fault_clock *c);

/* mix.c */
void mixes_start(struct run *r);
void mixes_stop(struct run *r);
/** JSON array of the numbers of faults that are off by their mix; caller owns it. */
json_t *mixes_off(const struct run *r);

/* faults_node.c */
void faults_node_fire(struct fault_clock *c);
void faults_node_heal(struct fault_clock *c);
void faults_node_stop(struct run *r); /**< what is down comes back */
/** Off and on again, while roles work. */
void faults_switch(struct run *r, bool on);
/** Fires a fault now, without patience; c belongs to the caller and lives as long as the run. */
void faults_fire(struct run *r, struct fault_clock *c);
void faults_on_node(struct run *r, int node, enum cluster_event ev);

/* finish.c */
void finish_audit(struct run *r);
void finish_probe_gone(struct run *r);
