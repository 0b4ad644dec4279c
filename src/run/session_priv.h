/* SPDX-License-Identifier: Apache-2.0 */
/* What session.c and its sisters share. */
#pragma once
#include "run/internal.h"
#include "run/session.h"

/** A fault that was fired by hand. */
struct session_fault {
    struct plan_fault f;
    struct fault_clock clock;
    struct session_fault *next;
};

/** A folder and what happens in it: of the session itself, or of a scenario that was started. */
struct stage {
    struct session *s;
    struct run run;
    struct run_opts o;
    struct run_result out;
    struct plan *plan;
    struct session_fault *faults;
    int nfaults;
    json_t *env;
    session_fn fn; /**< who waits for up or down */
    void *arg;
    struct stage *next; /**< older */
};

struct session {
    struct session_opts o;
    enum session_state state;
    struct err err;
    struct guard *guard;
    struct cluster *cluster;
    char *text;           /**< of the cluster */
    struct stage *base;   /**< of the session */
    struct stage *stages; /**< scenarios that were started, newest first */
    bool closing;
    session_fn closed;
    void *closed_arg;
    struct {
        bool busy;
        char *dir;
        int rc;
        struct err err;
        session_fn fn;
        void *arg;
    } audit;
    struct {
        struct proc *proc;
        session_fn fn;
        void *arg;
    } child;
};

/** session.c: the newest scenario with roles, or NULL. */
struct stage *session_stage(const struct session *s);
void session_note(struct session *s, const char *why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* session_roles.c */
/** The clock of the roles, their limit and the watch end. */
void session_stop_watching(struct run *r);
void session_fault_free(struct session_fault *f);
extern const struct run_course session_course;
