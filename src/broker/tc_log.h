/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the transaction coordinator. */
#pragma once
#include "broker/tc.h"

/** Higher epochs are never given to a producer: the last step is the coordinator's own. */
enum { TC_EPOCH_LAST = INT16_MAX - 1 };

/** Writes the state into __transaction_state. */
void tc_log_state(struct broker *b, struct tc_txn *t);
/** Decides an open transaction; its completion follows in later turns. */
void tc_prepare(struct broker *b, struct tc_txn *t, bool commit);
/** Fences the owner of an open transaction and aborts it. */
void tc_fence(struct broker *b, struct tc_txn *t);
