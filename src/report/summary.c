/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a suite, and of a sweep (one scenario many times): counts, and what was not a pass. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/cluster.h"

enum { CODES = VERDICT_ENVIRONMENT + 1, NAME_COLUMNS = 32, WHY_COLUMNS = 40, RUNS_SHOWN = 4 };

static const char *const code_words[CODES] = {"pass", "FAIL", "inconclusive", "error", "setup"};

/* Which outcome of several runs of a scenario names it. */
static int weight(enum verdict_code code)
{
    static const int weights[CODES] = {[VERDICT_PASS] = 0,
                                       [VERDICT_INCONCLUSIVE] = 1,
                                       [VERDICT_ENVIRONMENT] = 2,
                                       [VERDICT_SCENARIO_ERROR] = 3,
                                       [VERDICT_FAIL] = 4};
    return weights[code];
}

static void counts(struct buf *b, const size_t n[CODES])
{
    for (size_t i = 0; i < CODES; i++) {
        if (n[i]) {
            buf_printf(b, "   %zu %s", n[i], code_words[i]);
        }
    }
}

static bool same_scenario(const struct report *a, const struct report *b)
{
    return strcmp(view_name(a), view_name(b)) == 0 && strcmp(view_path(a), view_path(b)) == 0;
}

/* The run that speaks for the scenario of items[i]; n if an earlier one was of the same. */
static size_t spokesman(const struct report *items, size_t n, size_t i)
{
    size_t worst = i;
    for (size_t k = 0; k < n; k++) {
        if (!same_scenario(&items[k], &items[i])) {
            continue;
        }
        if (k < i) {
            return n;
        }
        worst = weight(view_code(&items[k])) > weight(view_code(&items[worst])) ? k : worst;
    }
    return worst;
}

static size_t name_width(const struct report *items, size_t n)
{
    size_t most = 12;
    for (size_t i = 0; i < n; i++) {
        size_t w = view_code(&items[i]) == VERDICT_PASS ? 0 : text_width(view_name(&items[i]));
        most = w > most ? w : most;
    }
    return most < NAME_COLUMNS ? most : NAME_COLUMNS;
}

static void trim(struct buf *b)
{
    while (b->len > 0 && b->data[b->len - 1] == ' ') {
        b->data[--b->len] = '\0';
    }
}

/* What could not run has no evidence to show: its reason stands there as a whole. */
static void summary_row(struct buf *b, const struct report *r, size_t name)
{
    const char *text = view_why(r->v);
    size_t first = strcspn(text, "\n");
    bool judged = r->v->code <= VERDICT_INCONCLUSIVE && view_run(r, "run")[0];
    struct buf why = {0};
    buf_append(&why, text, first);
    buf_puts(b, "  ");
    text_pad(b, view_mark(r->v), 6);
    text_pad(b, view_name(r), name);
    buf_puts(b, "  ");
    if (judged) {
        text_pad(b, why.data ? why.data : "", WHY_COLUMNS);
        buf_printf(b, "  kaos show %s", view_run(r, "run"));
    } else {
        text_wrap(b, why.data ? why.data : "", 2 + 6 + name + 2, REPORT_COLUMNS);
    }
    buf_puts(b, r->accepted ? "  (accepted)" : "");
    trim(b);
    buf_puts(b, "\n");
    buf_free(&why);
}

void terminal_summary(const struct report *items, size_t n, const struct suite_end *end, FILE *out)
{
    size_t number[CODES] = {0}, scenarios = 0, refused = 0, name = name_width(items, n);
    struct buf b = {0}, rows = {0};
    char time[32];
    for (size_t i = 0; i < n; i++) {
        size_t worst = spokesman(items, n, i);
        if (worst == n) {
            continue;
        }
        enum verdict_code code = view_code(&items[worst]);
        scenarios++;
        if (items[worst].refused && code == VERDICT_ENVIRONMENT) {
            refused++;
        } else {
            number[code]++;
        }
        if (code != VERDICT_PASS) {
            summary_row(&rows, &items[worst], name);
        }
    }
    text_duration(time, end->wall_ms);
    for (int i = 0; i < REPORT_COLUMNS; i++) {
        buf_puts(&b, "─");
    }
    buf_printf(&b, "\n%zu %s", scenarios, scenarios == 1 ? "scenario" : "scenarios");
    if (n != scenarios) {
        buf_printf(&b, "   %zu runs", n);
    }
    counts(&b, number);
    if (refused) {
        buf_printf(&b, "   %zu refused", refused);
    }
    if (end->not_run) {
        buf_printf(&b, "   %zu not run", end->not_run);
    }
    buf_printf(&b, "   %s   exit %d\n", time, end->exit_code);
    buf_append(&b, rows.data ? rows.data : "", rows.len);
    if (rows.len && scenarios > 1) {
        buf_puts(&b, "again: kaos run --last-failed\n");
    }
    if (refused) {
        buf_puts(&b, "what was refused: kaos run --last-failed --cluster kafka\n");
    }
    fwrite(b.data, 1, b.len, out);
    buf_free(&b);
    buf_free(&rows);
}

/* ---- one scenario many times ---- */

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct numbers {
    int64_t *items;
    size_t n, cap;
};

static int64_t median(struct numbers *s)
{
    return s->n ? s->items[(s->n - 1) / 2] : 0;
}

static void times(struct buf *b, const struct report *items, size_t n)
{
    struct numbers ms = {0}, deaths = {0};
    for (size_t i = 0; i < n; i++) {
        if (items[i].v->code > VERDICT_INCONCLUSIVE) {
            continue; /* it did not take place, or not to its end */
        }
        if (report_duration_ms(&items[i]) >= 0) {
            *VEC_PUSH(&ms) = report_duration_ms(&items[i]);
        }
        *VEC_PUSH(&deaths) = items[i].v->facts.deaths;
    }
    if (ms.n) {
        qsort(ms.items, ms.n, sizeof *ms.items, by_size);
        buf_printf(b, "  seconds per run  min %.1f  med %.1f  max %.1f", (double)ms.items[0] / 1000,
                   (double)median(&ms) / 1000, (double)ms.items[ms.n - 1] / 1000);
    }
    if (deaths.n) {
        qsort(deaths.items, deaths.n, sizeof *deaths.items, by_size);
        buf_printf(b, "%sdeaths per run  min %lld  med %lld  max %lld", ms.n ? "     " : "  ",
                   (long long)deaths.items[0], (long long)median(&deaths),
                   (long long)deaths.items[deaths.n - 1]);
    }
    buf_puts(b, ms.n || deaths.n ? "\n" : "");
    free(ms.items);
    free(deaths.items);
}

static void run_ids(struct buf *b, const struct report *items, const struct cluster *c)
{
    for (size_t i = 0; i < c->runs.n && i < RUNS_SHOWN; i++) {
        buf_printf(b, " %s", view_run(&items[c->runs.items[i]], "run"));
    }
    buf_puts(b, c->runs.n > RUNS_SHOWN ? " ..." : "");
}

/* "✗ exactly once  4×   duplicate after crash at after_commit in worker   81aa b133" */
static void cluster_row(struct buf *b, const struct report *items, const struct cluster *c)
{
    struct buf text = {0};
    text_put(&text, c->mark, 0);
    buf_puts(&text, " ");
    text_put(&text, c->what, 0);
    buf_printf(&text, "%s%zu×   ", c->what[0] ? "  " : "", c->runs.n);
    text_putn(&text, c->text, strcspn(c->text, "\n"), 0);
    buf_puts(&text, "  ");
    run_ids(&text, items, c);
    buf_puts(b, "  ");
    text_wrap(b, text.data, 4, REPORT_COLUMNS);
    buf_puts(b, "\n");
    buf_free(&text);
}

/* Events of the history when they are known, else of the smallest case. */
static int64_t size_of(const struct report *r)
{
    const json_t *n = json_object_get(json_object_get(r->json, "history"), "events");
    return json_is_integer(n) ? json_integer_value(n) : r->es ? (int64_t)r->es->n : -1;
}

static void smallest(struct buf *b, const struct report *items, size_t n)
{
    const struct report *best = NULL;
    for (size_t i = 0; i < n; i++) {
        bool failed = view_code(&items[i]) == VERDICT_FAIL && view_first_finding(items[i].v) >= 0;
        if (failed && (!best || size_of(&items[i]) < size_of(best))) {
            best = &items[i];
        }
    }
    if (!best) {
        return;
    }
    const struct finding_case *c = &best->v->findings[view_first_finding(best->v)].cases[0];
    buf_printf(b, "  smallest failing run %s", view_run(best, "run"));
    if (size_of(best) >= 0) {
        buf_printf(b, " (%lld events)", (long long)size_of(best));
    }
    buf_printf(b, "      kaos show %s", view_run(best, "run"));
    if (c->id[0]) {
        buf_puts(b, " --id ");
        view_quoted(b, c->id);
    }
    buf_puts(b, "\n");
}

void sweep_write(const struct report *items, size_t n, int64_t wall_ms, FILE *out)
{
    size_t number[CODES] = {0};
    struct clusters c;
    struct buf b = {0};
    char time[32];
    if (n == 0) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        number[view_code(&items[i])]++;
    }
    text_duration(time, wall_ms);
    text_put(&b, view_name(&items[0]), 60);
    buf_printf(&b, "   %zu %s", n, n == 1 ? "run" : "runs");
    counts(&b, number);
    buf_printf(&b, "   %s\n", time);
    clusters_make(items, n, &c);
    for (size_t i = 0; i < c.n; i++) {
        cluster_row(&b, items, &c.items[i]);
    }
    times(&b, items, n);
    smallest(&b, items, n);
    fwrite(b.data, 1, b.len, out);
    clusters_free(&c);
    buf_free(&b);
}
