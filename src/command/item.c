/* SPDX-License-Identifier: Apache-2.0 */
#include "command/item.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cluster/cluster.h"
#include "command/place.h"
#include "command/ui.h"
#include "report/live.h"
#include "report/report.h"

int item_opts_parse(struct item_opts *o, const struct cli *c)
{
    struct err e;
    *o = (struct item_opts){.c = c,
                            .cluster = cli_get(c, "cluster"),
                            .store = cli_get(c, "store") ? cli_get(c, "store") : ".kaos",
                            .timeout_ms = -1,
                            .no_faults = cli_has(c, "no-faults"),
                            .external_faults = cli_has(c, "allow-faults-on-external"),
                            .keep = cli_has(c, "keep")};
    if (cli_int(c, "brokers", 1, 5, &o->brokers) < 0 ||
        cli_duration(c, "timeout", &o->timeout_ms) < 0 || ui_parse(c, &o->ui) < 0 ||
        place_parse(c, &o->places) != 0) {
        return -1;
    }
    if (o->cluster && cluster_check(o->cluster, &e) < 0) {
        cli_fail(EXIT_USAGE, "--cluster: %s", e.msg);
        return -1;
    }
    return 0;
}

/** The folder as a person types it: relative when it lies below the working directory. */
static char *short_dir(const char *dir)
{
    char *cwd = getcwd(NULL, 0);
    size_t n = cwd ? strlen(cwd) : 0;
    bool below = n && strncmp(dir, cwd, n) == 0 && dir[n] == '/';
    char *out = xstrdup(below ? dir + n + 1 : dir);
    free(cwd);
    return out;
}

static struct verdict *judge(const struct item *it, const struct item_opts *o, const struct plan *p,
                             struct run_result *r, struct events **es, struct err *e)
{
    char *history = path_join(r->dir, "history");
    struct check_opts c = {.interrupted = r->signum != 0 || r->stopped,
                           .no_faults = o->no_faults,
                           .outcome = r->end == RUN_SCENARIO ? CHECK_SCENARIO_ERROR
                                      : r->end == RUN_JUDGE  ? CHECK_RAN
                                                             : CHECK_ENVIRONMENT,
                           .why = r->end == RUN_JUDGE ? NULL : r->err.msg};
    *es = events_open(history, e);
    struct verdict *v = *es ? store_judge(it->load, it->scenario, p, *es, &c, e) : NULL;
    free(history);
    return v;
}

static void bare_run(struct outcome *out, const char *path, const char *where, const char *id)
{
    const char *line = strrchr(where, ':');
    char *select = xasprintf("%s%s", path, line ? line : "");
    json_decref(out->run);
    out->run = json_pack("{s:s, s:s, s:s, s:s}", "file", path, "where", where, "label", id,
                         "select", select);
    free(select);
}

void outcome_error(struct outcome *out, int code, const char *path, const char *where,
                   const char *id, const char *reason)
{
    enum verdict_code kind = code == EXIT_SCENARIO ? VERDICT_SCENARIO_ERROR : VERDICT_ENVIRONMENT;
    out->code = code;
    out->v = verdict_error(kind, id, reason);
    if (!out->run) {
        bare_run(out, path, where, id);
    }
}

/* Without a history the run cannot be judged again: what ended as declared is known to be right. */
static void make_thin(const char *dir)
{
    static const char *const parts[] = {"history", "deliveries"};
    struct err e;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char *path = path_join(dir, parts[i]);
        if (path_remove_all(path, &e) < 0) {
            cli_fail(0, "%s", e.msg);
        }
        free(path);
    }
}

void outcome_store(struct outcome *out, const struct events *es)
{
    struct err e;
    struct report rep = {.v = out->v, .es = es, .run = out->run};
    char *path = out->dir ? path_join(out->dir, "verdict.json") : NULL;
    out->duration_ms = es && report_duration_ms(&rep) > 0 ? report_duration_ms(&rep) : 0;
    out->json = json_report_verdict(&rep);
    if (path && json_write(path, out->json, &e) < 0) {
        cli_fail(0, "%s", e.msg);
    }
    free(path);
}

static void finish(const struct item *it, const struct item_opts *o, const struct plan *p,
                   struct run_result *r, struct outcome *out)
{
    struct events *es = NULL;
    struct err e = r->err;
    out->signum = r->signum;
    out->kept = xstrdup(r->kept);
    out->detail = xstrdup(r->detail);
    out->refused = r->end == RUN_ENVIRONMENT && r->err.kind == ERR_REFUSED;
    if (r->dir) {
        char *path = path_join(r->dir, "run.json");
        out->dir = short_dir(r->dir);
        out->run = json_read(path, &e);
        free(path);
    }
    if (r->end == RUN_CANCELLED) {
        out->code = 128 + r->signum;
        return;
    }
    if (r->dir) {
        out->v = judge(it, o, p, r, &es, &e);
    }
    if (out->v) {
        out->code = out->v->exit_code;
    } else {
        outcome_error(out, r->end == RUN_ENVIRONMENT ? EXIT_ENVIRONMENT : EXIT_SCENARIO, it->path,
                      p->where, it->id, e.msg);
    }
    outcome_store(out, es);
    events_free(es);
    if (out->dir && o->thin && out->code == EXIT_PASS) {
        make_thin(out->dir);
    }
}

const char *item_cluster(const struct item_opts *o, const struct plan *p)
{
    return o->cluster ? o->cluster : p->cluster_kind ? p->cluster_kind : CLUSTER_DEFAULT;
}

/** Does another scenario stand on the same line (a loop)? */
static bool shares_line(const struct item *it)
{
    const char *where = load_scenario(it->load, it->scenario)->where;
    for (size_t i = 0; i < load_count(it->load); i++) {
        if (i != it->scenario && strcmp(load_scenario(it->load, i)->where, where) == 0) {
            return true;
        }
    }
    return false;
}

void item_run(const struct item *it, const struct item_opts *o, uint64_t seed, struct outcome *out)
{
    const struct load_bundle *b = load_sources(it->load);
    struct err e;
    *out = (struct outcome){0};
    struct plan *p = load_plan(it->load, it->scenario, &it->params, &e);
    if (!p) {
        outcome_error(out, EXIT_SCENARIO, it->path, load_scenario(it->load, it->scenario)->where,
                      it->id, e.msg);
        return;
    }
    struct run_file *files = xcalloc(b->n + 1, sizeof *files);
    for (size_t k = 0; k < b->n; k++) {
        files[k] = (struct run_file){b->items[k].name, b->items[k].text, b->items[k].len};
    }
    json_t *env = json_object();
    for (size_t k = 0; k < load_env(it->load)->n; k++) {
        json_object_set_new(env, load_env(it->load)->items[k].name,
                            json_string(load_env(it->load)->items[k].value));
    }
    struct run_opts ro = {.plan = p,
                          .path = it->path,
                          .label = strcmp(it->id, p->name) != 0 ? it->id : NULL,
                          .by_name = shares_line(it),
                          .files = files,
                          .nfiles = b->n,
                          .env = env,
                          .seed = seed,
                          .cluster = item_cluster(o, p),
                          .brokers = (int)o->brokers,
                          .places = &o->places,
                          .no_faults = o->no_faults,
                          .external_faults = o->external_faults,
                          .keep = o->keep,
                          .timeout_ms = o->timeout_ms,
                          .store = o->store,
                          .argv = cli_argv(o->c),
                          .out = o->out,
                          .ui = o->ui,
                          .draw = live_draw,
                          .utf8 = ui_utf8(),
                          .color = ui_color()};
    struct run_result r;
    run_scenario(&ro, &r);
    finish(it, o, p, &r, out);
    run_result_free(&r);
    plan_free(p);
    json_decref(env);
    free(files);
}

void outcome_free(struct outcome *out)
{
    verdict_free(out->v);
    json_decref(out->run);
    json_decref(out->json);
    free(out->dir);
    free(out->detail);
    free(out->kept);
    *out = (struct outcome){0};
}

/* ---- a run in a process of its own ---- */

json_t *item_request(const struct item *it, uint64_t seed, const char *answer)
{
    json_t *params = json_object();
    for (size_t i = 0; i < it->params.n; i++) {
        json_object_set_new(params, it->params.items[i].name,
                            json_string(it->params.items[i].value));
    }
    char *text = xasprintf("0x%016llx", (unsigned long long)seed);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "path", it->path, "scenario",
                          load_scenario(it->load, it->scenario)->name, "id", it->id, "seed", text,
                          "params", params, "answer", answer);
    free(text);
    return j;
}

/** Lines of logs may hold any bytes: what is no UTF-8 becomes '?'. */
static json_t *text_json(const char *s)
{
    json_t *j = s ? json_string(s) : json_null();
    if (!j) {
        char *copy = xstrdup(s);
        for (char *p = copy; *p; p++) {
            *p = (unsigned char)*p < 0x80 ? *p : '?';
        }
        j = json_string(copy);
        free(copy);
    }
    return j;
}

static int write_answer(const struct outcome *out, const char *path, struct err *e)
{
    json_t *j =
        json_pack("{s:i, s:b, s:i, s:O?, s:O?, s:o, s:o, s:o, s:I}", "code", out->code, "refused",
                  out->refused, "signal", out->signum, "verdict", out->json, "run", out->run, "dir",
                  text_json(out->dir), "detail", text_json(out->detail), "kept",
                  text_json(out->kept), "duration_ms", (json_int_t)out->duration_ms);
    int rc = j ? json_write(path, j, e) : err_set(e, ERR_INTERNAL, 0, "the outcome is not JSON");
    json_decref(j);
    return rc;
}

int item_answer(const char *path, struct outcome *out, struct err *e)
{
    json_t *j = json_read(path, e), *v = json_object_get(j, "verdict");
    *out = (struct outcome){0};
    if (!j) {
        return -1;
    }
    out->code = (int)json_integer_value(json_object_get(j, "code"));
    out->refused = json_is_true(json_object_get(j, "refused"));
    out->signum = (int)json_integer_value(json_object_get(j, "signal"));
    out->duration_ms = json_integer_value(json_object_get(j, "duration_ms"));
    out->dir = xstrdup(json_string_value(json_object_get(j, "dir")));
    out->detail = xstrdup(json_string_value(json_object_get(j, "detail")));
    out->kept = xstrdup(json_string_value(json_object_get(j, "kept")));
    out->run = json_incref(json_object_get(j, "run"));
    int rc = 0;
    if (v && !json_is_null(v)) {
        out->v = verdict_read(v, e);
        out->json = json_incref(v);
        rc = out->v ? 0 : -1;
    } else if (out->signum == 0) {
        rc = err_set(e, ERR_PROTOCOL, 0, "%s has no verdict", path);
    }
    json_decref(j);
    return rc;
}

static const char *member(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "";
}

/** @return 0, or -1 with e: the file is no longer what the suite has read. */
static int serve(const json_t *req, const struct item_opts *o, struct outcome *out, struct err *e)
{
    struct item it = {.path = member(req, "path"), .id = xstrdup(member(req, "id"))};
    const char *key;
    json_t *value;
    it.load = load_from_file(it.path, e);
    int found = it.load && !load_errors(it.load) ? load_find(it.load, member(req, "scenario")) : -1;
    json_object_foreach(json_object_get(req, "params"), key, value)
    {
        plan_conf_set(&it.params, key, json_string_value(value) ? json_string_value(value) : "");
    }
    if (found >= 0) {
        it.scenario = (size_t)found;
        item_run(&it, o, strtoull(member(req, "seed"), NULL, 0), out);
    } else if (it.load) {
        err_set(e, ERR_USAGE, 0, "%s has changed: %s", it.path,
                load_errors(it.load) ? load_errors(it.load) : "the scenario is gone");
    }
    plan_conf_free(&it.params);
    free(it.id);
    load_free(it.load);
    return found >= 0 ? 0 : -1;
}

int item_serve(const struct cli *c, const char *request)
{
    struct err e;
    struct item_opts o;
    struct outcome out = {0};
    if (item_opts_parse(&o, c) < 0) {
        return EXIT_USAGE;
    }
    o.thin = cli_has(c, "thin");
    o.ui = RUN_UI_QUIET; /* the suite has the terminal */
    json_t *req = json_read(request, &e);
    if (!req) {
        return cli_fail(EXIT_BUG, "%s", e.msg);
    }
    if (serve(req, &o, &out, &e) < 0) {
        outcome_error(&out, EXIT_SCENARIO, member(req, "path"), member(req, "path"),
                      member(req, "id"), e.msg);
        outcome_store(&out, NULL);
    }
    int code = out.code;
    if (write_answer(&out, member(req, "answer"), &e) < 0) {
        code = cli_fail(EXIT_BUG, "%s", e.msg);
    }
    plan_conf_free(&o.places);
    outcome_free(&out);
    json_decref(req);
    return code;
}
