/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb prints and writes of verdicts: the console, and the files that --report asked for. */
#pragma once
#include <stdio.h>

#include "base/json.h"
#include "command/command.h"
#include "command/item.h"
#include "report/report.h"

struct reports_wanted {
    const struct report_kind *kind;
    char *path; /**< "-" = standard output; may hold {name} {run} {seed} */
};
struct reports {
    struct {
        struct reports_wanted *items;
        size_t n, cap;
    } wanted;
    long long evidence;
    bool json; /**< standard output gets a line of JSON for each verdict instead of text */
    struct {
        struct report *items;
        size_t n, cap;
    } all;
    FILE *console; /**< standard output, or standard error when a report stands there */
};
/** @return -1 after printing what is wrong. */
int reports_parse(struct reports *r, const struct cli *c);
/** In a job of GitHub Actions annotations are written without being asked for. */
void reports_automatic(struct reports *r);
/** Keeps an outcome for the files; out is taken (its verdict must not be NULL). repetition: its
 *  number in a sweep from 1, or 0. @return its report, borrowed until the next call. */
struct report *reports_add(struct reports *r, struct outcome *out, int repetition);
/** Prints the block of a run, or its first line alone. */
void reports_print(struct reports *r, const struct report *rep, bool line_only);
/** Writes the files. @return -1 after printing why. */
int reports_end(struct reports *r);
void reports_free(struct reports *r);

/** PATH with {name}, {run} and {seed} of a run; caller frees. */
char *reports_path(const char *path, const struct report *rep);
/** @return the first {word} of a path that is no placeholder, length in *len; NULL if there is
 *  none. */
const char *reports_unknown(const char *path, size_t *len);
