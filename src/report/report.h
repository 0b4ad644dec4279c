/* SPDX-License-Identifier: Apache-2.0 */
/* Pure views of a verdict and the history behind it. A report format is one file and one row of
 * report_kinds. Nothing here judges. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "check/verdict.h"
#include "history/events.h"

/** One run to report on; everything is borrowed. */
struct report {
    const struct verdict *v;
    const struct events *es; /**< its history, or NULL: kaos show needs it */
    const json_t *run;       /**< run.json, or NULL: seed, run id, file, params, cluster */
    const char *dir;         /**< the run's folder as a person types it, or NULL */
    const char *detail;      /**< more lines for ERROR and SETUP (last lines of a log), or NULL */
    const json_t *json;      /**< its verdict.json, or NULL: made from v and es when needed */
    int64_t duration_ms;     /**< used without es; 0 = not known */
    int evidence;            /**< cases shown per finding; 0 = REPORT_EVIDENCE */
    size_t order;            /**< of its scenario in the suite */
    int repetition;          /**< number of the run in a sweep, from 1; 0 = it ran once */
    bool accepted; /**< not a pass, and no failure (--at-least, --inconclusive, --refused) */
    bool refused;  /**< the cluster cannot do what the scenario asks of it */
};
enum { REPORT_EVIDENCE = 3, REPORT_COLUMNS = 100 };

typedef int (*report_fn)(const struct report *items, size_t n, FILE *out, struct err *e);
/** The formats of `--report KIND[=PATH]`; ends with a NULL name. */
struct report_kind {
    const char *name, *doc;
    report_fn write;
    bool among; /**< may stand among the console's text on standard output */
};
extern const struct report_kind report_kinds[];
/** NULL if there is no such kind. */
const struct report_kind *report_find(const char *name);
/** "terminal, junit, ..."; caller frees. */
char *report_names(void);
/** Writes the report of that kind to path ("-" = standard output). @return -1 with ERR_USAGE (no
 *  such kind) or ERR_SYSTEM. */
int report_write(const char *kind, const char *path, const struct report *items, size_t n,
                 struct err *e);

/** Console text of runs; at most REPORT_COLUMNS columns. */
int terminal_write(const struct report *items, size_t n, FILE *out, struct err *e);
/** The first line alone: verdict, name, duration, seed, run. */
void terminal_headline(const struct report *r, FILE *out);
/** One finding with its evidence; cases < 0 = all. */
void terminal_finding(const struct report *r, size_t finding, int cases, FILE *out);
/** Brings runs that ended in any order into that of their scenarios and repetitions. */
void report_sort(struct report *items, size_t n);

/** Milliseconds from the first to the last event; -1 = not known. */
int64_t report_duration_ms(const struct report *r);

/** Do two runs that are no pass have the first of their failures in common (property and signature,
 * or the reason)? */
bool report_same_failure(const struct report *a, const struct report *b);

/** The end of a suite. */
struct suite_end {
    int exit_code;
    int64_t wall_ms;
    size_t not_run; /**< runs that were planned and did not take place */
};
void terminal_summary(const struct report *items, size_t n, const struct suite_end *end, FILE *out);
/** All runs of one scenario as one block: counts, failures by signature, seconds, deaths, the
 * smallest failing run. */
void sweep_write(const struct report *items, size_t n, int64_t wall_ms, FILE *out);
/** One test case per property; valid XML whatever ids contain, and valid by Jenkins' JUnit schema.
 */
int junit_write(const struct report *items, size_t n, FILE *out, struct err *e);
/** The same cases as TAP 13 with YAML blocks. */
int tap_write(const struct report *items, size_t n, FILE *out, struct err *e);
/** Workflow commands of GitHub Actions, one per property and signature. */
int github_write(const struct report *items, size_t n, FILE *out, struct err *e);
/** A table, and evidence in folded blocks. */
int markdown_write(const struct report *items, size_t n, FILE *out, struct err *e);
/** One line per run {"format": 1, "event": "run", "verdict": {...}}, at last "end" with numbers. */
int jsonl_write(const struct report *items, size_t n, FILE *out, struct err *e);
/** {"format": 1, "runs": [verdict...]}; see docs/verdict-format.md. */
int json_report_write(const struct report *items, size_t n, FILE *out, struct err *e);
/** What verdict.json holds; caller frees with json_decref(). */
json_t *json_report_verdict(const struct report *r);
/** The verdict that such an object describes. Members of a newer version are ignored; strings are
 * copied. @return caller frees with verdict_free(); NULL with ERR_PROTOCOL when it is no verdict.
 */
struct verdict *verdict_read(const json_t *j, struct err *e);

/** What `kaos show` is asked for; zero = the terminal report. Filters combine. */
struct show_opts {
    const char *id;     /**< events of one id: business id, key, value or TOPIC[P]@OFFSET */
    const char *role;   /**< a role ("worker"), an instance ("worker.2", "w2") or "w2#4" */
    const char *around; /**< "T", "T+-W", "T±Ws": seconds since the faults began; W defaults to 2 */
    int violation;      /**< the N-th finding from 1, with all its cases; 0 = none */
};
/** @return -1 with ERR_USAGE: a filter that is not understood or matches nothing. */
int show_write(const struct report *r, const struct show_opts *o, FILE *out, struct err *e);

/** The page on a word (a finding, a verdict, an exit code, a term), or the list of pages for NULL.
 *  @return -1 with ERR_USAGE naming the nearest page. */
int explain_write(const char *word, FILE *out, struct err *e);
