/* SPDX-License-Identifier: Apache-2.0 */
/* Reading history: all segments of a folder as one list of events in time order, and a live tail.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "history/hist.h"

/** One writing process: its segments together. */
struct hist_proc {
    const char *role; /**< "runner", "audit" or a role's name */
    int index, incarnation;
    int pid;
    uint64_t boot;             /**< of its host: processes with the same one have the same clocks */
    uint64_t mono_ns, real_ns; /**< the pair of clocks at its start */
    bool torn;                 /**< the last segment ends in an incomplete record */
    bool closed;               /**< ended by hist_close */
    const char *damage;        /**< what is wrong with its segments, or NULL */
};

struct event {
    uint64_t t;    /**< CLOCK_MONOTONIC, ns; of the host of procs[0] if there are several */
    uint64_t op;   /**< 0 = none */
    uint32_t proc; /**< index into procs */
    uint32_t seq;  /**< from 1 in the process; "proc:seq" is the event's id */
    uint16_t kind;
    uint8_t phase;
    const struct hist_proc *who;
    const int64_t *slots; /**< unresolved; use the functions below */
    const struct strings *strings;
    uint32_t nslots, size;
};

struct events {
    struct hist_proc *procs;
    size_t nprocs;
    struct event *items; /**< in order of (t, proc, seq) */
    size_t n;
    bool damaged; /**< some segment is torn in the middle, missing or not readable */
};

/** Reads DIR. Damaged and torn segments are read as far as they are sound, and said in procs.
 *  @return NULL with ERR_PROTOCOL or ERR_SYSTEM when there is no readable segment at all. */
struct events *events_open(const char *dir, struct err *e);
void events_free(struct events *es);

int64_t event_int(const struct event *ev, int slot);
/** NUL-terminated, borrowed from es; "" for none, never NULL. */
const char *event_str(const struct event *ev, int slot);
/** NULL for null bytes; borrowed. */
const void *event_bytes(const struct event *ev, int slot, size_t *len);
/** The event as a JSON object (all fields by name, time, process, id); caller frees. */
json_t *event_json(const struct event *ev);

/** A live tail over DIR: new segments are found, events are handed out once, in order per process;
 *  a run is handed out when it was closed (or its process ended, by tail_flush). */
struct tail;
typedef void (*tail_fn)(void *arg, const struct event *ev);
struct tail *tail_new(const char *dir);
/** Hands out what is new; events are borrowed during the call. */
void tail_poll(struct tail *t, tail_fn fn, void *arg);
/** Hands out everything left of one process (after it was reaped). */
void tail_flush(struct tail *t, const char *role, int index, int incarnation, tail_fn fn,
                void *arg);
void tail_free(struct tail *t);
