/* SPDX-License-Identifier: Apache-2.0 */
/* From words to items: files are loaded, scenarios selected, the matrix multiplied, and every value
 * of every param tried, so that what is wrong on the command line is said before anything runs. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "command/diag.h"
#include "command/place.h"
#include "command/select.h"
#include "command/suite.h"

/** The place of the first error of a file that does not load, else the file alone; caller frees. */
static char *first_place(const struct load *l, const char *path)
{
    const struct load_diag *d = NULL;
    size_t n = l ? load_diags(l, &d) : 0;
    for (size_t i = 0; i < n; i++) {
        if (d[i].severity == LOAD_ERROR && d[i].line > 0) {
            return xasprintf("%s:%d", d[i].file, d[i].line);
        }
    }
    return xstrdup(path);
}

/** A file that does not load stands in every report, and makes the suite an error. */
static void add_broken(struct suite *s, const struct suite_file *f, const struct err *e)
{
    struct outcome out = {0};
    struct err ignored;
    const char *why = f->load ? load_errors(f->load) : e->msg;
    char *where = first_place(f->load, f->path);
    fprintf(stderr, "%s%s\n", f->load ? "" : "kaos: ", why);
    outcome_error(&out, EXIT_SCENARIO, f->path, where, f->path, why);
    reports_add(&s->reports, &out, 0)->order = 2 * s->items.n;
    s->worst = suite_worse(s->worst, EXIT_SCENARIO);
    if (ledger_add(s->opts.store, f->path, "", EXIT_SCENARIO, &ignored) < 0) {
        cli_fail(0, "%s", ignored.msg);
    }
    free(where);
}

static bool by_grep(const struct suite *s, const char *id)
{
    const char *text;
    for (size_t k = 0; (text = cli_nth(s->c, "grep", k)); k++) {
        if (!strstr(id, text)) {
            return false;
        }
    }
    for (size_t k = 0; (text = cli_nth(s->c, "grep-invert", k)); k++) {
        if (strstr(id, text)) {
            return false;
        }
    }
    return true;
}

static bool by_tags(const struct suite *s, const struct plan_strings *tags)
{
    const char *text;
    for (size_t k = 0; (text = cli_nth(s->c, "tags", k)); k++) {
        if (!choose_tags(text, tags)) {
            return false;
        }
    }
    return true;
}

static bool wanted(struct suite *s, const struct suite_file *f, size_t i, const char *id)
{
    const struct load_scenario *sc = load_scenario(f->load, i);
    bool lines = false;
    bool named = plan_strings_has(&s->names, sc->name) || plan_strings_has(&s->names, id);
    if (!select_line((const char *const *)s->words.items, s->words.n, f->load, i, &lines) ||
        (s->names.n && !named) || !by_grep(s, id)) {
        return false;
    }
    if (!named && !lines && !by_tags(s, &sc->tags)) {
        return false;
    }
    return !s->last || ledger_failed(s->last, f->path, id);
}

static void add_item(struct suite *s, const struct suite_file *f, size_t i, size_t point)
{
    const struct load_scenario *sc = load_scenario(f->load, i);
    char *id = choose_matrix_id(&s->matrix, point, sc->name);
    if (!wanted(s, f, i, id)) {
        free(id);
        return;
    }
    s->before_shard++;
    if (!choose_shard(&s->shard, id)) {
        free(id);
        return;
    }
    struct suite_item *si = VEC_PUSH(&s->items);
    *si = (struct suite_item){.it = {.load = f->load, .scenario = i, .path = f->path, .id = id}};
    params_for(&s->params, sc, &si->it.params);
    choose_matrix_params(&s->matrix, point, &si->it.params);
}

static void load_file(struct suite *s, const char *path)
{
    struct err e;
    struct suite_file *f = VEC_PUSH(&s->files);
    *f = (struct suite_file){.path = xstrdup(path), .load = load_from_file(path, &e)};
    if (!f->load || load_errors(f->load)) {
        add_broken(s, f, &e);
        return;
    }
    diag_print_others(f->load);
    for (size_t i = 0; i < load_count(f->load); i++) {
        for (size_t k = 0; k < choose_matrix_points(&s->matrix); k++) {
            add_item(s, f, i, k);
        }
    }
}

/** A name that no scenario has. */
static const char *unknown_name(const struct suite *s)
{
    for (size_t k = 0; k < s->names.n; k++) {
        bool found = false;
        for (size_t i = 0; i < s->files.n; i++) {
            const struct load *l = s->files.items[i].load;
            found = found || !l || load_errors(l);
            for (size_t n = 0; !found && n < load_count(l); n++) {
                const char *name = load_scenario(l, n)->name;
                size_t len = strlen(name);
                found = strncmp(s->names.items[k], name, len) == 0 &&
                        (s->names.items[k][len] == '\0' || s->names.items[k][len] == '[');
            }
        }
        if (!found) {
            return s->names.items[k];
        }
    }
    return NULL;
}

static int nothing(const struct suite *s)
{
    struct buf b = {0};
    const char *name = unknown_name(s);
    if (name) {
        buf_printf(&b, "no scenario has the name %s; `kaos list` shows what there is", name);
    } else if (s->before_shard) {
        buf_printf(&b,
                   "shard %llu/%llu has none of the %zu selected scenarios; --no-match pass takes "
                   "that as it is",
                   s->shard.index, s->shard.count, s->before_shard);
    } else if (s->last) {
        buf_puts(&b, "nothing that is selected has failed when it last ran");
    } else {
        buf_puts(&b, "nothing selected; `kaos list` shows what there is");
    }
    int rc = EXIT_PASS;
    if (s->no_match == LENIENT_FAIL) {
        rc = cli_fail(EXIT_NOTHING, "%s", b.data);
    } else if (s->no_match == LENIENT_WARN) {
        cli_fail(0, "warning: %s", b.data);
    }
    buf_free(&b);
    return rc;
}

static bool declared_by_any(const struct suite *s, const char *name)
{
    for (size_t i = 0; i < s->items.n; i++) {
        const struct item *it = &s->items.items[i].it;
        if (params_declared(load_scenario(it->load, it->scenario), name)) {
            return true;
        }
    }
    return false;
}

/** Does every run get a cluster of its own? */
static bool has_own_cluster(const char *kind)
{
    return strncmp(kind, "kafka", 5) == 0 || strncmp(kind, "embedded", 8) == 0;
}

/** Runs at the same time on one cluster must not share a topic: each would judge the other's
 * records. seen: topic -> item + 1. @return 0, or an exit code after printing. */
static int check_topics(const struct suite *s, size_t i, const struct plan *p, struct map *seen)
{
    const char *kind = item_cluster(&s->opts, p);
    if (s->jobs == 1 || has_own_cluster(kind)) {
        return 0;
    }
    if (strncmp(kind, "reuse", 5) == 0) {
        return cli_fail(EXIT_USAGE, "--jobs: a cluster that stays up (%s) serves one run at a time",
                        kind);
    }
    if (s->sweep) {
        return cli_fail(EXIT_USAGE,
                        "--jobs: runs of %s at the same time would share its topics on %s",
                        s->items.items[i].it.id, kind);
    }
    for (size_t k = 0; k < p->topics.n; k++) {
        struct map_entry *at = map_put_str(seen, p->topics.items[k].name);
        if (at->u && at->u != i + 1) {
            return cli_fail(EXIT_USAGE, "--jobs: %s and %s would share the topic %s on %s",
                            s->items.items[at->u - 1].it.id, s->items.items[i].it.id,
                            p->topics.items[k].name, kind);
        }
        at->u = i + 1;
    }
    return 0;
}

/** @return 0, or an exit code after printing. */
static int check_plans(const struct suite *s)
{
    struct map seen = {0};
    struct err e;
    int rc = 0;
    for (size_t i = 0; i < s->items.n && rc == 0; i++) {
        const struct item *it = &s->items.items[i].it;
        struct plan *p = load_plan(it->load, it->scenario, &it->params, &e);
        rc = p ? check_topics(s, i, p, &seen)
               : cli_fail(e.code == LOAD_BAD_PARAM ? EXIT_USAGE : EXIT_SCENARIO, "%s", e.msg);
        rc = rc == 0 ? place_check(&s->opts.places, p) : rc;
        plan_free(p);
    }
    map_free(&seen);
    return rc;
}

/** @return 0, or an exit code after printing. */
static int check_params(const struct suite *s)
{
    for (size_t i = 0; i < s->params.loose.n && s->items.n; i++) {
        if (!declared_by_any(s, s->params.loose.items[i].name)) {
            return cli_fail(EXIT_USAGE,
                            "no selected scenario declares the param `%s` (from --params or "
                            "KAOS_PARAM_%s)",
                            s->params.loose.items[i].name, s->params.loose.items[i].name);
        }
    }
    for (size_t i = 0; i < s->matrix.n; i++) {
        if (plan_conf_get(&s->params.flags, s->matrix.items[i].name)) {
            return cli_fail(EXIT_USAGE, "--matrix and --param both set %s",
                            s->matrix.items[i].name);
        }
    }
    return check_plans(s);
}

int suite_plan(struct suite *s)
{
    struct err e;
    if (s->last && s->words.n == 0) {
        ledger_files(s->last, &s->files_asked);
    }
    if (s->files_asked.n == 0 && (!s->last || s->words.n > 0) &&
        select_files((const char *const *)s->words.items, s->words.n, &s->files_asked, &s->names,
                     &e) < 0) {
        return cli_fail(EXIT_USAGE, "%s", e.msg);
    }
    for (size_t i = 0; i < s->files_asked.n; i++) {
        load_file(s, s->files_asked.items[i]);
    }
    int rc = check_params(s);
    if (rc == 0 && (s->items.n == 0 ? s->worst == EXIT_PASS : unknown_name(s) != NULL)) {
        rc = nothing(s);
    }
    return rc;
}
