/* SPDX-License-Identifier: Apache-2.0 */
/* What a real cluster does rarely, here on purpose and drawn from a seed: connections that die on
 * either side of an append, transactions whose end takes its time. All of it is legal. */
#pragma once
#include "broker/call.h"

enum chaos_fate {
    CHAOS_NONE,
    CHAOS_BEFORE, /**< the connection dies before the request has had its effect */
    CHAOS_AFTER,  /**< behind it, before the answer: the client does not know */
};
/** Drawn for each request that writes, at the first listener of a node: where clients are, when the
 *  second one is kaos's own. */
enum chaos_fate chaos_fate(struct broker *b, const struct call *c);
/** How long the end of a transaction takes, ms; 0 = only the next turns of the loop. */
uint64_t chaos_window(struct broker *b);
/** A number below n, n > 0. */
uint64_t chaos_below(struct broker *b, uint64_t n);
