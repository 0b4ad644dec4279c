/* SPDX-License-Identifier: Apache-2.0 */
/* What the tailed history tells about a run under way, for status.c alone: nothing here decides
 * anything. Loop thread. */
#pragma once
#include "run/internal.h"

enum { PROGRESS_EVENTS = 12, PROGRESS_SAMPLES = 8 };

/** The newest process of a slot; parallel to run.slots. */
struct progress_slot {
    int incarnation, pid;
    uint64_t born_ns, died_ns; /**< died_ns 0 = not yet */
    unsigned deaths;
    char ended[16];
    char *topic; /**< of the last record, or NULL */
    int partition;
    int64_t offset, txn, txn_records;
    uint64_t txn_ns; /**< begin of the open transaction; 0 = none is open */
};

struct progress_owner {
    char *topic;
    int partition;
    size_t slot;
};
struct progress_group {
    char *name;
    int64_t generation; /**< -1 = not known */
    unsigned changes;
    struct {
        struct progress_owner *items;
        size_t n, cap;
    } owners;
};

struct progress {
    struct progress_slot *slots; /**< of run.nslots */
    size_t nslots;
    struct {
        struct progress_group *items;
        size_t n, cap;
    } groups;
    struct map acked, delivered, read; /**< records by topic: acknowledged; delivered to roles; to
                                            kaos's own readers */
    struct map by_role;                /**< records delivered, by role */
    struct {
        uint64_t hits, bad;
    } * props;       /**< of plan.expect: crashes, points reached, assertions */
    uint64_t *fired; /**< of plan.faults */
    struct {
        uint64_t sent, acked, failed, unknown, delivered, commits, aborts, crashes, deaths;
    } count;
    struct {
        uint64_t t;
        char *text;
    } events[PROGRESS_EVENTS]; /**< a ring */
    size_t nevents;            /**< ever */
};

/** m: the process that wrote ev, NULL for kaos's own (runner, watch, audit). */
void progress_event(struct run *r, const struct member *m, const struct event *ev);
void progress_free(struct run *r);
