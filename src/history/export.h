/* SPDX-License-Identifier: Apache-2.0 */
/* History as text. */
#pragma once
#include <stdio.h>

#include "base/err.h"
#include "history/events.h"

/** Every event as one line of JSON (event_json), in the order of es. @return -1 with ERR_SYSTEM. */
int export_jsonl(const struct events *es, FILE *out, struct err *e);
/** The table of kinds as docs/history-format.md holds it. */
void hist_doc_kinds(FILE *out);
