/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches that wait for records. */
#pragma once
#include "broker/state.h"

/** The partition's end or last stable offset has moved: who waits for it is looked at in the next
 *  turn of the loop. */
void fetch_wake(struct broker *b, struct partition *p);
/** Nodes go on: what was to be looked at meanwhile is. */
void fetch_thaw(struct broker *b);
/** The partition is about to vanish. */
void fetch_forget(struct broker *b, struct partition *p);
