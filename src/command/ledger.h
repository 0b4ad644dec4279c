/* SPDX-License-Identifier: Apache-2.0 */
/* How each scenario ended when it last ran: STORE/outcomes.jsonl, one line per scenario and suite,
 * the last one counts. What --last-failed reads. */
#pragma once
#include "base/err.h"
#include "plan/plan.h"

struct ledger; /**< as they stand in the file */

/** Appends. path: of the file as it was asked for; id: the scenario with its point of the matrix,
 * or
 *  "" for a file that does not load. */
int ledger_add(const char *store, const char *path, const char *id, int code, struct err *e);

/** A missing file is empty; lines that are not readable are skipped. */
struct ledger *ledger_read(const char *store, struct err *e);
/** Did it end with another code than 0? Scenarios of a file that did not load count as failed. */
bool ledger_failed(const struct ledger *o, const char *path, const char *id);
/** Adds the files that have a failed scenario and still exist. */
void ledger_files(const struct ledger *o, struct plan_strings *files);
void ledger_free(struct ledger *o);
