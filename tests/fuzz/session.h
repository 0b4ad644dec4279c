/* SPDX-License-Identifier: Apache-2.0 */
/* One fuzzed session: a fresh broker and what a few clients do to it, all of it by the seed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SESSION_APIS = 128 };
/** Counted over sessions; lies in memory that outlives a crash. */
struct session_stats {
    uint64_t sessions, steps, frames, spoiled, answers, closed, bytes;
    uint64_t asked[SESSION_APIS], answered[SESSION_APIS], good[SESSION_APIS]; /**< by api key */
    uint64_t seed;                                                            /**< under way */
    size_t most_memory; /**< highest use that one session needed */
};

/** Runs the session. Ends the process with abort() and a message when a promise is broken. */
void session_run(uint64_t seed, bool verbose, struct session_stats *s);
