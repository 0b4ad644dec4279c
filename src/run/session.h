/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster and what a person does with it at the prompt: a scenario's roles as real processes with
 * its faults off, any fault fired by hand, the history so far. Made of the same parts as a run
 * (run.h), but nobody drains and nobody judges at the end.
 *
 *   session_open -> session_start -> ready -> (session_up -> ... -> session_down)* -> session_close
 *
 * Everything on the loop's thread; callbacks never come inside the call that asked for them, but
 * for notices. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "plan/plan.h"
#include "run/run.h"

struct session;
struct loop;

/** e is NULL when it was done. */
typedef void (*session_fn)(void *arg, const struct err *e);

struct session_opts {
    struct loop *loop;
    const char *cluster;     /**< spec, see cluster/cluster.h; NULL = none */
    int brokers;             /**< of a managed cluster, 0 = 1 */
    const char *store;       /**< ".kaos": folders go to STORE/runs */
    const char *const *argv; /**< for run.json */
    /** Something happened that a person wants to see at once: one line, and why it happened. */
    void (*notice)(void *arg, const char *text, const char *why);
    /** The cluster is up (e NULL) or will never be; log: last lines of a broker's log, or NULL. */
    void (*ready)(void *arg, const struct err *e, const char *log);
    void *arg;
};

/** Nothing is created or started yet. Strings are borrowed. */
struct session *session_open(const struct session_opts *o);
/** Creates the folder of the session and starts the cluster; `ready` follows. Once. */
void session_start(struct session *s);

enum session_state { SESSION_IDLE, SESSION_STARTING, SESSION_READY, SESSION_FAILED };
enum session_state session_state(const struct session *s);
/** Why it is SESSION_FAILED. */
const struct err *session_error(const struct session *s);
/** "kafka 4.3.1 at 127.0.0.1:9092"; once ready. Borrowed. */
const char *session_cluster_text(const struct session *s);
bool session_can_kill_brokers(const struct session *s);

/** Where the prompt's own history goes: that of the scenario that is up, else of the session. */
struct session_place {
    const char *dir, *history, *run, *suffix, *bootstrap;
};
/** Once ready. Borrowed until session_free. */
struct session_place session_place(const struct session *s);

/** A scenario to start; the plan is taken, the rest is copied where it is needed. */
struct session_scenario {
    struct plan *plan;
    const char *path;
    const struct run_file *files;
    size_t nfiles;
    const json_t *env;
    uint64_t seed;
};
/** Creates its topics (on a cluster of kaos's own deletes older ones first) and starts its roles in
 * a folder of their own; fn when all have begun. @return -1: ERR_USAGE, roles run already. */
int session_up(struct session *s, const struct session_scenario *sc, session_fn fn, void *arg,
               struct err *e);
/** Stops the roles politely (SIGKILL after a grace); fn when all are gone. @return -1: none run. */
int session_down(struct session *s, session_fn fn, void *arg, struct err *e);
bool session_is_up(const struct session *s);
/** The plan of the scenario that is or was up, or NULL. Borrowed. */
const struct plan *session_plan(const struct session *s);
uint64_t session_seed(const struct session *s);

/** What one fault did. */
struct session_fired {
    char text[256]; /**< for a person */
    int64_t at_ms;  /**< since the roles had begun */
};
/** Fires a fault now. f is copied; `every` and `at` mean nothing. @return -1 with ERR_USAGE: nobody
 * is there to be hit, the cluster cannot do it. */
int session_fire(struct session *s, const struct plan_fault *f, struct session_fired *out,
                 struct err *e);

/** The processes as a list of objects: name, role, index, incarnation, pid, state, age_s, txn. */
json_t *session_ps(const struct session *s);
/** Consumer groups that roles have used, as a list of strings. */
json_t *session_groups(const struct session *s);
/** The log of the newest process of an instance ("w2", "worker.2", "worker"), caller frees; NULL
 * with ERR_USAGE. */
char *session_log_path(const struct session *s, const char *name, struct err *e);
/** What the name of an instance means: the role and an index (0 = any); NULL with ERR_USAGE. */
const struct plan_role *session_find(const struct session *s, const char *name, int *index,
                                     struct err *e);

/** Reads the declared topics as they are now and writes DIR/preview: links to the history so far
 * and an audit beside them. fn on the loop; the folder (borrowed, from session_preview) is replaced
 * by the next call. @return -1: no scenario was up, or another audit runs. */
int session_audit(struct session *s, session_fn fn, void *arg, struct err *e);
const char *session_preview(const struct session *s);

/** `kaos run` of a file with the given words as a process of its own with this terminal's output;
 * fn when it has ended: e says how unless it passed. session_interrupt stops it. */
int session_run_child(struct session *s, const char *const *argv, session_fn fn, void *arg,
                      struct err *e);
void session_interrupt(struct session *s);

/** Kills all roles, ends the cluster, then fn. */
void session_close(struct session *s, session_fn fn, void *arg);
/** Behind session_close's fn, before loop_free. */
void session_free(struct session *s);
