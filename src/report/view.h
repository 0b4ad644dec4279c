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
/** The scenario's name, with the point of the matrix: "eos[workers=3]". */
const char *view_name(const struct report *r);
/** The marks of the console: "PASS", "FAIL", "????", "ERROR", "SETUP". */
const char *view_mark(const struct verdict *v);
/** Why a run is not a pass, in a few words; "" if it is one. */
const char *view_why(const struct verdict *v);
/** FILE:LINE of a finding, or of the scenario. */
const char *view_where(const struct report *r, const struct finding *f);
/** The scenario's file, "" if it is not known. */
const char *view_path(const struct report *r);
/** What the run counts as: a twin that failed as declared, and what --at-least accepts, is a PASS;
 *  a twin that passed is a FAIL. */
enum verdict_code view_code(const struct report *r);
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
