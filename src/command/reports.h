/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb prints and writes of verdicts: the console, verdict.json in the run folder, and the
 * files that --report asked for. */
#pragma once
#include "base/json.h"
#include "command/command.h"
#include "report/report.h"

struct reports {
    struct {
        char **items;
        size_t n, cap;
    } wanted; /**< "KIND=PATH" */
    long long evidence;
    struct {
        struct report *items;
        size_t n, cap;
    } all;
};
/** @return -1 after printing what is wrong. */
int reports_parse(struct reports *r, const struct cli *c);
/** Prints one verdict, writes DIR/verdict.json and keeps it for the files. v, es and detail are
 * taken; run.json is read from dir. */
void reports_add(struct reports *r, struct verdict *v, struct events *es, const char *dir,
                 const char *detail);
/** Writes the files, and the summary of a suite of several runs. @return -1 after printing why. */
int reports_end(struct reports *r, int exit_code);
void reports_free(struct reports *r);
