/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions by hash: hash(seed, purpose, logical key). The same key gives the same answer in every
 * process and every run with the same seed, whatever the timing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

/** A record (or, in a role without input: topic = "", partition = index, offset = send number). */
struct draw_key {
    const char *role, *topic;
    int32_t partition;
    int64_t offset;
    uint32_t delivery; /**< 1 = first delivery */
};
/** Does fault number `fault` hit this record? Probability p. */
bool draw_hit(uint64_t seed, int fault, double p, const struct draw_key *k);
/** Which of the set points (bit set, not empty). A second, independent hash. */
enum plan_point draw_point(uint64_t seed, int fault, uint32_t points, const struct draw_key *k);
/** The n-th value of a range for a purpose ("every", "hold"), in milliseconds. */
int64_t draw_range(uint64_t seed, int fault, const char *purpose, uint64_t n, struct plan_range r);
/** Is fault `fault` of a mix on in a period (from 0)? In each PLAN_MIX_BLOCK periods one, by hash,
 * has no fault at all, and each fault is on in one of the others at least, in more of them by
 * chance. */
bool draw_mix(uint64_t seed, int mix, int fault, uint64_t period);
/** An index below n for the k-th firing (who is hit). */
uint64_t draw_index(uint64_t seed, int fault, const char *purpose, uint64_t k, uint64_t n);
