/* SPDX-License-Identifier: Apache-2.0 */
#include "command/store.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"

static bool is_run(const char *dir)
{
    char *path = path_join(dir, "run.json");
    struct stat st;
    bool yes = stat(path, &st) == 0;
    free(path);
    return yes;
}

/** The folder of a run, caller frees; NULL with ERR_USAGE. */
static char *find_dir(const char *store, const char *word, struct err *e)
{
    if (is_run(word)) {
        return xstrdup(word);
    }
    char *runs = path_join(store, "runs"), *found = path_join(runs, word);
    if (is_run(found)) {
        free(runs);
        return found;
    }
    free(found);
    found = NULL;
    DIR *d = opendir(runs);
    size_t n = 0;
    for (struct dirent *ent; d && (ent = readdir(d));) {
        if (strncmp(ent->d_name, word, strlen(word)) == 0 && ent->d_name[0] != '.' &&
            strcmp(ent->d_name, "latest") != 0) {
            free(found);
            found = path_join(runs, ent->d_name);
            n++;
        }
    }
    if (d) {
        closedir(d);
    }
    if (n != 1) {
        free(found);
        found = NULL;
        err_set(e, ERR_USAGE, 0, "%s names %s in %s", word, n ? "more than one run" : "no run",
                runs);
    }
    free(runs);
    return found;
}

static int load_bundle_dir(struct stored *s, struct err *e)
{
    struct load_bundle bundle = {0};
    struct plan_conf env = {0};
    char *path = path_join(s->dir, "bundle/files.json");
    json_t *names = json_read(path, e);
    free(path);
    int rc = names && json_is_array(names) ? 0 : -1;
    if (names && rc < 0) {
        err_set(e, ERR_PROTOCOL, 0, "%s/bundle/files.json is not a list", s->dir);
    }
    for (size_t i = 0; rc == 0 && i < json_array_size(names); i++) {
        struct buf b = {0};
        const char *name = json_string_value(json_array_get(names, i));
        path = xasprintf("%s/bundle/%zu.lua", s->dir, i);
        rc = name ? path_read(path, 64 << 20, &b, e)
                  : err_set(e, ERR_PROTOCOL, 0, "%s: bad bundle", s->dir);
        if (rc == 0) {
            load_bundle_add(&bundle, name, b.data ? b.data : "", b.len);
        }
        buf_free(&b);
        free(path);
    }
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(s->run, "env"), key, value)
    {
        plan_conf_set(&env, key, json_string_value(value) ? json_string_value(value) : "");
    }
    s->load = rc == 0 ? load_from_bundle(&bundle, &env, e) : NULL;
    load_bundle_free(&bundle);
    json_decref(names);
    for (size_t i = 0; i < env.n; i++) {
        free(env.items[i].name);
        free(env.items[i].value);
    }
    free(env.items);
    return s->load ? 0 : -1;
}

static int load_stored_plan(struct stored *s, struct err *e)
{
    if (load_bundle_dir(s, e) < 0) {
        return -1;
    }
    if (load_errors(s->load)) {
        return err_set(e, ERR_PROTOCOL, 0, "%s: the stored scenario does not load: %s", s->dir,
                       load_errors(s->load));
    }
    const char *name = json_string_value(json_object_get(s->run, "scenario"));
    s->scenario = name ? load_find(s->load, name) : -1;
    if (s->scenario < 0) {
        return err_set(e, ERR_PROTOCOL, 0, "%s: the bundle has no scenario %s", s->dir,
                       name ? name : "(none)");
    }
    struct plan_conf params = {0};
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(s->run, "params"), key, value)
    {
        plan_conf_set(&params, key, json_string_value(value) ? json_string_value(value) : "");
    }
    s->plan = load_plan(s->load, (size_t)s->scenario, &params, e);
    for (size_t i = 0; i < params.n; i++) {
        free(params.items[i].name);
        free(params.items[i].value);
    }
    free(params.items);
    const char *suffix = json_string_value(json_object_get(s->run, "suffix"));
    if (s->plan && suffix) {
        plan_suffix_groups(s->plan, suffix);
    }
    return s->plan ? 0 : -1;
}

/** A history that says it belongs to another run is not judged as this one. */
static int check_run_id(const struct stored *s, struct err *e)
{
    const char *id = json_string_value(json_object_get(s->run, "run"));
    for (size_t i = 0; i < s->events->n; i++) {
        const struct event *ev = &s->events->items[i];
        if (ev->kind != H_CONFIG || strcmp(event_str(ev, H_CONFIG_SCOPE), "run") != 0) {
            continue;
        }
        const char *other = event_str(ev, H_CONFIG_VALUE);
        if (!id || strcmp(other, id) != 0) {
            return err_set(e, ERR_PROTOCOL, 0, "%s: run.json is of run %s, the history of run %s",
                           s->dir, id ? id : "(none)", other);
        }
    }
    return 0;
}

int stored_open(const char *store, const char *word, struct stored *s, struct err *e)
{
    *s = (struct stored){.scenario = -1};
    s->dir = find_dir(store, word, e);
    if (!s->dir) {
        return -1;
    }
    char *path = path_join(s->dir, "run.json"), *history = path_join(s->dir, "history");
    s->run = json_read(path, e);
    int rc = s->run ? load_stored_plan(s, e) : -1;
    if (rc == 0) {
        s->events = events_open(history, e);
        rc = s->events ? check_run_id(s, e) : -1;
    }
    free(path);
    free(history);
    return rc;
}

void stored_close(struct stored *s)
{
    free(s->dir);
    json_decref(s->run);
    plan_free(s->plan);
    load_free(s->load);
    events_free(s->events);
}

struct verdict *store_judge(struct load *l, size_t scenario, const struct plan *p,
                            const struct events *es, const struct check_opts *o, struct err *e)
{
    struct fold_ops folds;
    load_folds(l, scenario, &folds);
    return check_run(es, p, &folds, o, e);
}

struct verdict *stored_judge(struct stored *s, struct err *e)
{
    struct check_opts o = {.no_faults = json_is_true(json_object_get(s->run, "no_faults"))};
    return store_judge(s->load, (size_t)s->scenario, s->plan, s->events, &o, e);
}
