/* SPDX-License-Identifier: Apache-2.0 */
/* Crash and abort faults of one role process: draws for records that are handed out, what is
 * pending, and the death at a point. */
#pragma once
#include "history/deliveries.h"
#include "history/hist.h"
#include "lua/runtime.h"
#include "plan/plan.h"

struct points;
struct points_setup {
    const struct plan *plan;
    const char *role;
    int index;
    uint64_t seed;
    struct hist *hist;
    struct deliveries *deliveries; /**< NULL: every delivery counts as the first */
    struct runtime_switches *switches;
};

/** Everything in setup is kept (borrowed). on: draws are made from the start. */
struct points *points_new(const struct points_setup *setup, bool on);
void points_free(struct points *p);
/** Switches draws; off also forgets what is pending. */
void points_switch(struct points *p, bool on);
/** Orders a crash at the next of these points (a bit set of plan_point) that is passed, or the
 * abort of the next transaction: what the runner fires at a time instead of drawing it. */
void points_arm(struct points *p, int fault, bool abort_it, uint32_t points);
/** Takes back what was ordered for that fault and has not happened. */
void points_disarm(struct points *p, int fault);

/** Faults (by number) that are off at present, the others are on; what is pending of these is
 * forgotten. Numbers that the plan does not have are ignored. */
void points_mix(struct points *p, const int *off, size_t n);

/* The hooks of lua/runtime.h, with p as their argument. */
void points_record(struct points *p, const struct runtime_record *r, unsigned abilities);
void points_begin(struct points *p, const struct runtime_record *first, unsigned abilities);
void points_pass(struct points *p, enum plan_point point, const struct runtime_at *at);
bool points_take_abort(struct points *p, const void *consumer);
void points_settle(struct points *p, const void *consumer);
/** Which points a role with these abilities can pass, as a bit set. */
uint32_t points_reachable(unsigned abilities);
