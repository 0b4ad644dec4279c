/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of Produce and Fetch that say at once who leads, so that clients need not ask. */
#pragma once
#include "broker/call.h"

/** Puts the partition's leader into its answer, and its node into the answer's list of nodes. */
void hint_leader(struct call *c, struct wire_value *out, const struct partition *p);
