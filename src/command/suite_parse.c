/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of a suite. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "command/suite.h"

enum { SWEEP_FAILURES = 10, JOBS_MAX = 64 };

static int parse_seed(struct suite *s)
{
    const char *text = cli_get(s->c, "seed");
    char *end;
    if (!text) {
        return getrandom(&s->seed, sizeof s->seed, 0) == sizeof s->seed
                   ? 0
                   : cli_fail(EXIT_BUG, "no random numbers");
    }
    errno = 0;
    s->seed = strtoull(text, &end, 0);
    if (errno || end == text || *end || *text == '-') {
        return cli_fail(EXIT_USAGE, "--seed: %s is not a 64-bit number, decimal or 0x", text);
    }
    return 0;
}

/** One of three words. */
static int parse_lenience(const struct cli *c, const char *name, enum suite_lenience *out)
{
    static const char *const words[] = {
        [LENIENT_FAIL] = "fail", [LENIENT_WARN] = "warn", [LENIENT_PASS] = "pass"};
    const char *text = cli_get(c, name);
    for (int i = LENIENT_FAIL; i <= LENIENT_PASS; i++) {
        if (!text || strcmp(text, words[i]) == 0) {
            *out = text ? (enum suite_lenience)i : LENIENT_FAIL;
            return 0;
        }
    }
    return cli_fail(EXIT_USAGE, "--%s: %s is not fail, warn or pass", name, text);
}

static int parse_selection(struct suite *s)
{
    const char *text;
    struct err e;
    for (size_t k = 0; (text = cli_nth(s->c, "tags", k)); k++) {
        if (choose_tags_check(text, &e) < 0) {
            return cli_fail(EXIT_USAGE, "--tags: %s", e.msg);
        }
    }
    for (size_t k = 0; (text = cli_nth(s->c, "matrix", k)); k++) {
        if (choose_matrix_add(&s->matrix, text, &e) < 0) {
            return cli_fail(EXIT_USAGE, "--matrix: %s", e.msg);
        }
    }
    text = cli_get(s->c, "shard");
    if (text && choose_shard_parse(text, &s->shard, &e) < 0) {
        return cli_fail(EXIT_USAGE, "--shard: %s", e.msg);
    }
    return parse_lenience(s->c, "no-match", &s->no_match) ||
                   parse_lenience(s->c, "inconclusive", &s->inconclusive) ||
                   parse_lenience(s->c, "refused", &s->refused)
               ? EXIT_USAGE
               : 0;
}

/** How often, and when to stop. Without a number --for and --until-fail have no end of their own.
 */
static int parse_repetition(struct suite *s)
{
    bool given = cli_has(s->c, "repeat");
    s->repeat = 1;
    s->for_ms = s->at_least = s->max_fail = -1;
    s->jobs = 1;
    s->until_fail = cli_has(s->c, "until-fail");
    if (cli_int(s->c, "repeat", 1, 1000000, &s->repeat) < 0 ||
        cli_int(s->c, "at-least", 0, s->repeat, &s->at_least) < 0 ||
        cli_duration(s->c, "for", &s->for_ms) < 0 ||
        cli_int(s->c, "max-fail", 1, 1000000, &s->max_fail) < 0 ||
        cli_int(s->c, "jobs", 1, JOBS_MAX, &s->jobs) < 0) {
        return EXIT_USAGE;
    }
    if (s->at_least >= 0 && (s->for_ms >= 0 || s->until_fail)) {
        return cli_fail(EXIT_USAGE, "--at-least goes with --repeat alone");
    }
    if (s->jobs > 1 && s->opts.keep) {
        return cli_fail(EXIT_USAGE, "--keep leaves one cluster running: not with --jobs");
    }
    s->sweep = s->repeat > 1 || s->for_ms >= 0 || s->until_fail;
    if (!given && (s->for_ms >= 0 || s->until_fail)) {
        s->repeat = 0;
    }
    if (s->max_fail < 0 && s->sweep && s->at_least < 0) {
        s->max_fail = s->until_fail ? 1 : SWEEP_FAILURES;
    }
    return 0;
}

/** Runs of a sweep keep their history only when they did not end as declared. */
static int parse_history(struct suite *s)
{
    const char *text = cli_get(s->c, "history");
    bool on_fail = text && strcmp(text, "on-fail") == 0;
    if (text && !on_fail && strcmp(text, "on") != 0) {
        return cli_fail(EXIT_USAGE, "--history: %s is not on or on-fail", text);
    }
    s->opts.thin = text ? on_fail : s->sweep;
    return 0;
}

int suite_parse(struct suite *s, const struct cli *c)
{
    struct err e;
    *s = (struct suite){.c = c, .worst = EXIT_PASS};
    for (size_t i = 0; i < cli_nargs(c); i++) {
        plan_strings_add(&s->words, cli_arg(c, i));
    }
    if (item_opts_parse(&s->opts, c) < 0 || parse_repetition(s) || parse_history(s) ||
        parse_seed(s) || params_parse(&s->params, c) < 0 || parse_selection(s) ||
        reports_parse(&s->reports, c) < 0) {
        return EXIT_USAGE;
    }
    if (s->opts.ui == RUN_UI_JSON) { /* standard output has lines of JSON, text goes beside it */
        s->reports.json = true;
        s->reports.console = stderr;
    }
    reports_automatic(&s->reports);
    if (cli_has(c, "last-failed")) {
        s->last = ledger_read(s->opts.store, &e);
        if (!s->last) {
            return cli_fail(EXIT_ENVIRONMENT, "--last-failed: %s", e.msg);
        }
    }
    return 0;
}
