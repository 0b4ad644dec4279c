/* SPDX-License-Identifier: Apache-2.0 */
/* Runs go round by round: every scenario once, then every scenario with the next seed, so that a
 * sweep with a time limit is fair. Rounds end by their number, the clock, failures or a signal; a
 * scenario that has failed often enough is left out of the next ones. */
#include "command/suite.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "command/jobs.h"

int suite_worse(int a, int b)
{
    static const int order[] = {EXIT_PASS,     EXIT_NOTHING, EXIT_INCONCLUSIVE, EXIT_ENVIRONMENT,
                                EXIT_SCENARIO, EXIT_FAIL,    EXIT_BUG};
    size_t x = ARRAY_LEN(order), y = ARRAY_LEN(order);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        x = order[i] == a ? i : x;
        y = order[i] == b ? i : y;
    }
    return x > y ? a : b; /* usage and interruption are in no order: they end everything */
}

uint64_t suite_seed(uint64_t seed, long long number)
{
    return number == 0 ? seed : hash_mix(seed, (uint64_t)number);
}

static bool over(const struct suite *s)
{
    bool timed_out = s->for_ms >= 0 && s->round > 0 &&
                     clock_mono_ns() - s->begin_ns >= (uint64_t)s->for_ms * 1000000;
    bool failed =
        s->max_fail >= 0 && (!s->sweep || s->until_fail) && s->failures >= (size_t)s->max_fail;
    return s->signum || timed_out || failed || (s->repeat > 0 && s->round >= s->repeat);
}

static bool given_up(const struct suite *s, const struct suite_item *si)
{
    return s->max_fail >= 0 && s->sweep && si->failed >= (size_t)s->max_fail;
}

/** The next run: fills seed and number (of the repetition, from 0). NULL when there is none. */
static struct suite_item *next(struct suite *s, uint64_t *seed, long long *number)
{
    for (size_t tried = 0; tried <= s->items.n && !over(s); tried++) {
        if (s->at == s->items.n) {
            s->at = 0;
            s->round++;
            continue;
        }
        struct suite_item *si = &s->items.items[s->at++];
        if (!given_up(s, si)) {
            *number = s->round;
            *seed = suite_seed(s->seed, s->round);
            si->begin_ns = si->started ? si->begin_ns : clock_mono_ns();
            si->started = true;
            return si;
        }
    }
    return NULL;
}

static bool is_failure(const struct suite *s, int code)
{
    return code != EXIT_PASS && (code != EXIT_INCONCLUSIVE || s->inconclusive == LENIENT_FAIL);
}

/** A failure whose like was seen before in this sweep needs no second page of evidence. */
static bool seen_before(const struct suite *s, const struct report *rep)
{
    size_t here = (size_t)(rep - s->reports.all.items);
    for (size_t i = 0; i < here; i++) {
        if (report_same_failure(&s->reports.all.items[i], rep)) {
            return true;
        }
    }
    return false;
}

/** No pass, and no failure either, because the command line says so. */
static bool is_accepted(const struct suite *s, int code, bool refused)
{
    return (code == EXIT_INCONCLUSIVE && s->inconclusive != LENIENT_FAIL) ||
           (refused && s->refused != LENIENT_FAIL);
}

static void note(struct suite *s, struct suite_item *si, int code, bool refused)
{
    bool accepted = is_accepted(s, code, refused);
    si->runs++;
    si->refused += refused;
    si->judged += code == EXIT_PASS || code == EXIT_FAIL || code == EXIT_INCONCLUSIVE;
    si->good += code == EXIT_PASS;
    si->failed += !accepted && is_failure(s, code) && code != EXIT_INCONCLUSIVE;
    s->failures += !accepted && is_failure(s, code) && code != EXIT_INCONCLUSIVE;
    si->worst = suite_worse(si->worst, accepted ? EXIT_PASS : code);
    si->wall_ns = clock_mono_ns() - si->begin_ns;
}

/** Takes out. */
static void done(struct suite *s, struct suite_item *si, long long number, struct outcome *out)
{
    int code = out->code;
    bool refused = out->refused;
    if (out->signum) {
        s->signum = s->signum ? s->signum : out->signum;
    }
    if (!out->v) {
        fprintf(s->reports.console, "STOP  %s   interrupted%s%s\n", si->it.id,
                out->dir ? "; what was recorded: kaos analyze " : "", out->dir ? out->dir : "");
        fflush(s->reports.console);
        outcome_free(out);
        return;
    }
    char *kept = out->kept;
    out->kept = NULL;
    note(s, si, code, refused);
    struct report *rep = reports_add(&s->reports, out, s->sweep ? (int)number + 1 : 0);
    rep->order = 2 * (size_t)(si - s->items.items) + 1; /* what did not load stands between */
    rep->accepted = is_accepted(s, code, refused);
    rep->refused = refused;
    reports_print(&s->reports, rep,
                  s->many && (code == EXIT_PASS || (s->sweep && seen_before(s, rep))));
    if (kept) {
        fprintf(s->reports.console, "%s", kept);
        fflush(s->reports.console);
    }
    free(kept);
}

static void run_here(struct suite *s)
{
    struct suite_item *si;
    uint64_t seed;
    long long number;
    s->opts.out = s->reports.json ? stdout : s->many ? NULL : s->reports.console;
    while ((si = next(s, &seed, &number))) {
        struct outcome out;
        item_run(&si->it, &s->opts, seed, &out);
        done(s, si, number, &out);
    }
}

static const struct item *next_job(void *arg, uint64_t *seed, long long *number)
{
    struct suite_item *si = next(arg, seed, number);
    return si ? &si->it : NULL;
}

static void job_done(void *arg, const struct item *it, long long number, struct outcome *out)
{
    done(arg, (struct suite_item *)(uintptr_t)it, number, out);
}

static int run_jobs(struct suite *s)
{
    struct err e;
    _Static_assert(offsetof(struct suite_item, it) == 0, "an item is the head of a suite item");
    int rc = jobs_run(&(struct jobs_opts){.item = &s->opts,
                                          .parallel = (int)s->jobs,
                                          .quiet = s->opts.ui == RUN_UI_QUIET || s->reports.json,
                                          .next = next_job,
                                          .done = job_done,
                                          .arg = s},
                      &e);
    s->signum = rc > 0 ? rc : s->signum;
    return rc < 0 ? cli_fail(EXIT_ENVIRONMENT, "%s", e.msg) : 0;
}

/** --at-least: the scenario as a whole ended well when enough of its runs did. "At least 0" says
 * nothing of runs that did not take place. */
static void count_good(struct suite *s, struct suite_item *si)
{
    const struct load_scenario *sc = load_scenario(si->it.load, si->it.scenario);
    bool enough = si->good >= (size_t)s->at_least;
    fprintf(s->reports.console, "%s: %s %zu of %lld (at least %lld)\n", si->it.id,
            sc->fails_with.n ? "found in" : "as declared in", si->good, s->repeat, s->at_least);
    if (si->judged == 0) {
        return;
    }
    si->worst = enough ? EXIT_PASS : EXIT_FAIL;
    for (size_t i = 0; enough && i < s->reports.all.n; i++) {
        struct report *rep = &s->reports.all.items[i];
        const char *label = json_string_value(json_object_get(rep->run, "label"));
        if (strcmp(label ? label : rep->v->scenario, si->it.id) == 0) {
            rep->accepted = true;
        }
    }
}

static void print_sweep(struct suite *s, const struct suite_item *si)
{
    struct report *some = xcalloc(s->reports.all.n + 1, sizeof *some);
    size_t n = 0;
    for (size_t i = 0; i < s->reports.all.n; i++) {
        const struct report *rep = &s->reports.all.items[i];
        const char *label = json_string_value(json_object_get(rep->run, "label")),
                   *select = json_string_value(json_object_get(rep->run, "select"));
        size_t len = strlen(si->it.path);
        bool same_file = select && strncmp(select, si->it.path, len) == 0 &&
                         (select[len] == '\0' || select[len] == ':');
        if (same_file && strcmp(label ? label : rep->v->scenario, si->it.id) == 0) {
            some[n++] = *rep;
        }
    }
    sweep_write(some, n, (int64_t)(si->wall_ns / 1000000), s->reports.console);
    free(some);
}

static void remember(struct suite *s)
{
    struct err e;
    int rc = 0;
    for (size_t i = 0; i < s->files.n && rc == 0; i++) {
        const struct suite_file *f = &s->files.items[i];
        if (f->load && !load_errors(f->load)) {
            rc = ledger_add(s->opts.store, f->path, "", EXIT_PASS, &e);
        }
    }
    for (size_t i = 0; i < s->items.n && rc == 0; i++) {
        const struct suite_item *si = &s->items.items[i];
        if (si->runs > 0) {
            rc = ledger_add(s->opts.store, si->it.path, si->it.id,
                            si->refused ? suite_worse(si->worst, EXIT_ENVIRONMENT) : si->worst, &e);
        }
    }
    if (rc < 0) {
        cli_fail(0, "--last-failed will not know of this suite: %s", e.msg);
    }
}

static size_t not_run(const struct suite *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->items.n; i++) {
        long long left = s->repeat - (long long)s->items.items[i].runs;
        n += s->repeat > 0 && left > 0 ? (size_t)left : 0;
    }
    return n;
}

static void sum_up(struct suite *s)
{
    size_t runs = 0, refused = 0;
    for (size_t i = 0; i < s->items.n; i++) {
        struct suite_item *si = &s->items.items[i];
        runs += si->runs;
        refused += si->refused;
        if (s->sweep && si->runs > 0) {
            print_sweep(s, si);
        }
        if (s->at_least >= 0 && si->runs > 0 && !s->signum) {
            count_good(s, si);
        }
        s->worst = suite_worse(s->worst, si->worst);
    }
    if (refused > 0 && refused == runs) { /* nothing was looked at: that is nobody's wish */
        s->worst = suite_worse(s->worst, EXIT_ENVIRONMENT);
    }
    fflush(s->reports.console);
}

int suite_run(struct suite *s)
{
    s->begin_ns = clock_mono_ns();
    int rc = 0;
    s->many = s->sweep || s->items.n + s->reports.all.n > 1;
    if (s->jobs > 1) {
        rc = run_jobs(s);
    } else {
        run_here(s);
    }
    report_sort(s->reports.all.items, s->reports.all.n);
    sum_up(s);
    remember(s);
    int code = s->signum ? 128 + s->signum : suite_worse(s->worst, rc);
    if (s->many) {
        struct suite_end end = {.exit_code = code,
                                .wall_ms = (int64_t)((clock_mono_ns() - s->begin_ns) / 1000000),
                                .not_run = not_run(s)};
        terminal_summary(s->reports.all.items, s->reports.all.n, &end, s->reports.console);
        fflush(s->reports.console);
    }
    return reports_end(&s->reports) < 0 && code == EXIT_PASS ? EXIT_ENVIRONMENT : code;
}

void suite_free(struct suite *s)
{
    reports_free(&s->reports);
    params_free(&s->params);
    plan_conf_free(&s->opts.places);
    choose_matrix_free(&s->matrix);
    for (size_t i = 0; i < s->items.n; i++) {
        free(s->items.items[i].it.id);
        plan_conf_free(&s->items.items[i].it.params);
    }
    for (size_t i = 0; i < s->files.n; i++) {
        load_free(s->files.items[i].load);
        free(s->files.items[i].path);
    }
    free(s->items.items);
    free(s->files.items);
    ledger_free(s->last);
    plan_strings_free(&s->words);
    plan_strings_free(&s->files_asked);
    plan_strings_free(&s->names);
}
