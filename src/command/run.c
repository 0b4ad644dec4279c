/* SPDX-License-Identifier: Apache-2.0 */
/* kaos run: loads the selected files, runs each selected scenario (and each repetition), judges it,
 * reports. The suite's exit code is the worst by the order of suite_worse(). */
#include "run/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "cluster/cluster.h"
#include "command/command.h"
#include "command/diag.h"
#include "command/reports.h"
#include "command/select.h"
#include "command/store.h"

enum { WORDS_MAX = 64 };

struct suite {
    const struct cli *c;
    const char *words[WORDS_MAX];
    size_t nwords;
    struct plan_strings files, names;
    struct plan_conf params;
    uint64_t seed;
    long long repeat, at_least, brokers, timeout_ms;
    const char *store;
    struct reports reports;
    size_t as_declared; /**< runs that ended as declared */
    int worst;
    bool stopped; /**< interrupted */
};

/** The order in which outcomes of a suite win: a bug, a violation, errors, doubt, nothing. */
static int severity(int code)
{
    static const int order[] = {EXIT_PASS,     EXIT_NOTHING, EXIT_INCONCLUSIVE, EXIT_ENVIRONMENT,
                                EXIT_SCENARIO, EXIT_FAIL,    EXIT_BUG};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (order[i] == code) {
            return (int)i;
        }
    }
    return (int)ARRAY_LEN(order); /* usage and interruption end everything */
}

static void note(struct suite *s, int code)
{
    if (severity(code) > severity(s->worst)) {
        s->worst = code;
    }
}

static int parse_params(struct suite *s)
{
    const char *text;
    for (size_t k = 0; (text = cli_nth(s->c, "param", k)); k++) {
        const char *eq = strchr(text, '=');
        if (!eq || eq == text) {
            return cli_fail(EXIT_USAGE, "--param: %s is not NAME=VALUE", text);
        }
        char *name = xmemdup0(text, (size_t)(eq - text));
        plan_conf_set(&s->params, name, eq + 1);
        free(name);
    }
    return 0;
}

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

static int parse_suite(struct suite *s)
{
    struct err e;
    s->repeat = 1;
    s->timeout_ms = -1;
    s->at_least = -1;
    s->store = cli_get(s->c, "store") ? cli_get(s->c, "store") : ".kaos";
    s->nwords = cli_nargs(s->c);
    if (s->nwords > WORDS_MAX) {
        return cli_fail(EXIT_USAGE, "run: more than %d names", WORDS_MAX);
    }
    for (size_t i = 0; i < s->nwords; i++) {
        s->words[i] = cli_arg(s->c, i);
    }
    if (cli_int(s->c, "repeat", 1, 1000000, &s->repeat) < 0 ||
        cli_int(s->c, "at-least", 0, s->repeat, &s->at_least) < 0 ||
        cli_int(s->c, "brokers", 1, 5, &s->brokers) < 0 ||
        cli_duration(s->c, "timeout", &s->timeout_ms) < 0 || parse_seed(s) || parse_params(s) ||
        reports_parse(&s->reports, s->c) < 0) {
        return EXIT_USAGE;
    }
    const char *cluster = cli_get(s->c, "cluster");
    if (cluster && cluster_check(cluster, &e) < 0) {
        return cli_fail(EXIT_USAGE, "--cluster: %s", e.msg);
    }
    if (select_files(s->words, s->nwords, &s->files, &s->names, &e) < 0) {
        return cli_fail(EXIT_USAGE, "%s", e.msg);
    }
    return 0;
}

static bool wanted(const struct suite *s, const struct load *l, size_t i)
{
    const char *name = load_scenario(l, i)->name, *grep = cli_get(s->c, "grep");
    if (grep && !strstr(name, grep)) {
        return false;
    }
    if (s->names.n && !plan_strings_has(&s->names, name)) {
        return false;
    }
    return select_line(s->words, s->nwords, l, i);
}

static struct verdict *judge(struct suite *s, struct load *l, size_t i, const struct plan *p,
                             struct run_result *r, struct events **es, struct err *e)
{
    char *history = path_join(r->dir, "history");
    struct check_opts o = {.interrupted = r->signum != 0,
                           .no_faults = cli_has(s->c, "no-faults"),
                           .outcome = r->end == RUN_SCENARIO ? CHECK_SCENARIO_ERROR
                                      : r->end == RUN_JUDGE  ? CHECK_RAN
                                                             : CHECK_ENVIRONMENT,
                           .why = r->end == RUN_JUDGE ? NULL : r->err.msg};
    *es = events_open(history, e);
    struct verdict *v = *es ? store_judge(l, i, p, *es, &o, e) : NULL;
    free(history);
    return v;
}

/** What a run that could not be judged says; the rest of the suite goes on. */
static void report_unjudged(struct suite *s, const struct plan *p, const struct run_result *r,
                            const struct err *e)
{
    int code = r->end == RUN_JUDGE      ? EXIT_SCENARIO
               : r->end == RUN_SCENARIO ? EXIT_SCENARIO
                                        : EXIT_ENVIRONMENT;
    if (r->end == RUN_CANCELLED) {
        printf("STOP  %s   interrupted; what was recorded: kaos analyze %s\n", p->name, r->id);
        return;
    }
    printf("%s %s   %s\n", code == EXIT_SCENARIO ? "ERROR" : "SETUP", p->name, e->msg);
    if (r->detail) {
        printf("%s\n", r->detail);
    }
    note(s, code);
}

static void run_once(struct suite *s, struct load *l, size_t i, struct plan *p, const char *path,
                     uint64_t seed)
{
    const struct load_bundle *b = load_sources(l);
    struct run_file *files = xcalloc(b->n + 1, sizeof *files);
    for (size_t k = 0; k < b->n; k++) {
        files[k] = (struct run_file){b->items[k].name, b->items[k].text, b->items[k].len};
    }
    json_t *env = json_object();
    for (size_t k = 0; k < load_env(l)->n; k++) {
        json_object_set_new(env, load_env(l)->items[k].name,
                            json_string(load_env(l)->items[k].value));
    }
    const char *cluster = cli_get(s->c, "cluster");
    struct run_opts o = {.plan = p,
                         .path = path,
                         .files = files,
                         .nfiles = b->n,
                         .env = env,
                         .seed = seed,
                         .cluster = cluster           ? cluster
                                    : p->cluster_kind ? p->cluster_kind
                                                      : "kafka",
                         .brokers = (int)s->brokers,
                         .no_faults = cli_has(s->c, "no-faults"),
                         .keep = cli_has(s->c, "keep"),
                         .timeout_ms = s->timeout_ms,
                         .store = s->store,
                         .argv = cli_argv(s->c),
                         .out = cli_has(s->c, "quiet") ? NULL : stdout};
    struct run_result r;
    struct events *es = NULL;
    struct err e = {0};
    run_scenario(&o, &r);
    struct verdict *v = r.end == RUN_CANCELLED || !r.dir ? NULL : judge(s, l, i, p, &r, &es, &e);
    if (v) {
        s->as_declared += v->exit_code == EXIT_PASS;
        note(s, v->exit_code);
        reports_add(&s->reports, v, es, r.dir, r.detail);
    } else {
        report_unjudged(s, p, &r, r.end == RUN_JUDGE ? &e : &r.err);
        events_free(es);
    }
    if (r.kept) {
        printf("%s", r.kept);
    }
    fflush(stdout);
    if (r.signum) {
        s->stopped = true;
        s->worst = 128 + r.signum;
    }
    run_result_free(&r);
    json_decref(env);
    free(files);
}

/** @return 0, or the exit code of a wrong parameter. */
static int run_repeated(struct suite *s, struct load *l, size_t i, const char *path)
{
    size_t before = s->as_declared;
    int worst = s->worst;
    for (long long k = 0; k < s->repeat && !s->stopped; k++) {
        struct err e;
        struct plan *p = load_plan(l, i, &s->params, &e);
        if (!p) {
            return cli_fail(e.code == LOAD_BAD_PARAM ? EXIT_USAGE : EXIT_SCENARIO, "%s", e.msg);
        }
        run_once(s, l, i, p, path, k == 0 ? s->seed : hash_mix(s->seed, (uint64_t)k));
        plan_free(p);
    }
    if (s->repeat > 1 && !s->stopped) {
        long long good = (long long)(s->as_declared - before),
                  need = s->at_least >= 0 ? s->at_least : s->repeat;
        const struct load_scenario *sc = load_scenario(l, i);
        printf("%s: %s %lld of %lld (at least %lld)\n", sc->name,
               sc->fails_with.n ? "found in" : "as declared in", good, s->repeat, need);
        fflush(stdout);
        if (s->at_least >= 0) {
            s->worst = worst;
            note(s, good >= need ? EXIT_PASS : EXIT_FAIL);
        }
    }
    return 0;
}

static int run_file(struct suite *s, const char *path, size_t *selected)
{
    struct err e;
    struct load *l = load_from_file(path, &e);
    if (!l) {
        return cli_fail(EXIT_SCENARIO, "%s", e.msg);
    }
    int rc = 0;
    if (load_errors(l)) {
        fprintf(stderr, "%s\n", load_errors(l));
        note(s, EXIT_SCENARIO);
    }
    if (!load_errors(l)) {
        diag_print_others(l);
    }
    for (size_t i = 0; !load_errors(l) && i < load_count(l) && rc == 0 && !s->stopped; i++) {
        if (wanted(s, l, i)) {
            (*selected)++;
            rc = run_repeated(s, l, i, path);
        }
    }
    load_free(l);
    return rc;
}

int command_run(const struct cli *c)
{
    struct suite s = {.c = c};
    size_t selected = 0;
    int rc = parse_suite(&s);
    for (size_t i = 0; rc == 0 && i < s.files.n && !s.stopped; i++) {
        rc = run_file(&s, s.files.items[i], &selected);
    }
    if (rc == 0 && selected == 0 && s.worst == EXIT_PASS) {
        rc = cli_fail(EXIT_NOTHING, "nothing selected; `kaos list` shows what there is");
    }
    if (rc == 0) {
        rc = reports_end(&s.reports, s.worst) < 0 ? EXIT_ENVIRONMENT : s.worst;
    }
    reports_free(&s.reports);
    plan_strings_free(&s.files);
    plan_strings_free(&s.names);
    plan_conf_free(&s.params);
    return rc;
}
