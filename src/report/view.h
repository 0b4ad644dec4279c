/* SPDX-License-Identifier: Apache-2.0 */
/* What the text views share; private to src/report. */
#pragma once
#include <stdbool.h>

#include "report/report.h"
#include "report/text.h"

/** "input[2]@518". */
void view_record(struct buf *b, const struct record_ref *r);
/** Lines in columns, a blank line behind them. */
void view_timeline(struct buf *b, const struct timeline_line *lines, size_t n, uint64_t t0);
/** "      label   text", wrapped; nothing for an empty text. */
void view_labelled(struct buf *b, const char *label, const char *text);
/** The evidence of a finding; cases < 0 = all. */
void view_finding(struct buf *b, const struct report *r, size_t finding, int cases);

/** A member of run.json, "" if it is none. */
const char *view_run(const struct report *r, const char *key);
/** Milliseconds from the first to the last event; -1 = not known. */
int64_t view_duration_ms(const struct report *r);
/** What holds of a property in a few words: "2000 judged", "7×, first at t+3.901", or why not. */
void view_prop(struct buf *b, const struct verdict *v, const struct prop_result *p);
/** The numbers of the run, "2000 ids · 2000 exactly once · ...", wrapped. */
void view_facts(struct buf *b, const struct verdict *v, size_t left);
/** "kaos run FILE:LINE --seed 0x... -p a=b". */
void view_again(struct buf *b, const struct report *r);
/** An argument as a shell takes it. */
void view_quoted(struct buf *b, const char *s);
/** The primary finding that names the verdict, or -1. */
int view_first_finding(const struct verdict *v);
