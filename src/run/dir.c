/* SPDX-License-Identifier: Apache-2.0 */
/* The run folder: STORE/runs/ID-NAME with run.json, bundle/, history/, logs/; `latest` points to
 * the newest. Private (0700). Secrets in settings are not written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/secret.h"
#include "run/exec.h"
#include "run/internal.h"

static char *slug(const char *name)
{
    char *s = xstrdup(name);
    for (char *p = s; *p; p++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *p)) {
            *p = '-';
        }
    }
    return s;
}

static json_t *conf_json(const struct plan_conf *c)
{
    json_t *j = json_object();
    for (size_t i = 0; i < c->n; i++) {
        json_object_set_new(j, c->items[i].name,
                            json_string(secret_shown(c->items[i].name, c->items[i].value)));
    }
    return j;
}

/** What env() read while loading, without secrets. */
static json_t *env_json(const json_t *env)
{
    json_t *j = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)env, name, value)
    {
        const char *text = json_string_value(value);
        json_object_set_new(j, name, json_string(secret_shown(name, text ? text : "")));
    }
    return j;
}

static json_t *run_json(struct run *r)
{
    const struct plan *p = r->plan;
    json_t *params = json_object(), *argv = json_array(), *roles = json_object();
    struct utsname host;
    uname(&host);
    for (size_t i = 0; i < p->params.n; i++) {
        const struct plan_param *q = &p->params.items[i];
        bool text = strcmp(q->type, "string") == 0; /* a number named tokens is none */
        json_object_set_new(params, q->name,
                            json_string(text ? secret_shown(q->name, q->value) : q->value));
    }
    for (const char *const *a = r->o->argv; a && *a; a++) {
        char *shown = secret_argument(*a);
        json_array_append_new(argv, json_string(shown));
        free(shown);
    }
    for (size_t i = 0; i < p->roles.n; i++) {
        const struct plan_role *role = &p->roles.items[i];
        json_t *about = json_pack("{s:i,s:o,s:o}", "count", role->count, "conf",
                                  conf_json(&role->conf), "env", conf_json(&role->env));
        if (plan_is_program(role)) {
            json_object_set_new(about, "program", exec_json(r, role));
        }
        json_object_set_new(roles, role->name, about);
    }
    char *seed = xasprintf("0x%016llx", (unsigned long long)r->o->seed);
    json_t *j =
        json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:s,s:i,s:b,s:o,s:o,s:s,s:s,s:I}", "run", r->out->id,
                  "scenario", p->name, "file", p->file, "where", p->where, "params", params, "seed",
                  seed, "cluster", r->o->cluster, "brokers", r->o->brokers, "no_faults",
                  (int)r->o->no_faults, "roles", roles, "argv", argv, "kaos", KAOS_VERSION, "host",
                  host.nodename, "started_ms", (json_int_t)(clock_real_ns() / 1000000));
    const char *line = strrchr(p->where, ':');
    line = line && !r->o->by_name ? line : "";
    char *select = r->o->path ? xasprintf("%s%s", r->o->path, line) : xstrdup(p->where);
    json_object_set_new(j, "select", json_string(select));
    free(select);
    if (r->o->by_name) {
        json_object_set_new(j, "select_name", json_string(p->name));
    }
    if (r->o->label) {
        json_object_set_new(j, "label", json_string(r->o->label));
    }
    if (j) {
        json_object_set_new(j, "suffix", json_string(r->suffix));
    }
    if (j && r->o->env) {
        json_object_set_new(j, "env", env_json(r->o->env));
    }
    free(seed);
    return j;
}

static int write_bundle(struct run *r, struct err *e)
{
    json_t *names = json_array();
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->o->nfiles; i++) {
        const struct run_file *f = &r->o->files[i];
        char *path = xasprintf("%s/bundle/%zu.lua", r->out->dir, i);
        rc = path_write(path, f->text, f->len, e);
        json_array_append_new(names, json_string(f->name));
        free(path);
    }
    char *path = xasprintf("%s/bundle/files.json", r->out->dir);
    rc = rc < 0 ? rc : json_write(path, names, e);
    free(path);
    json_decref(names);
    return rc;
}

static void point_latest(struct run *r)
{
    char *link = xasprintf("%s/runs/latest", r->o->store);
    char *tmp = xasprintf("%s/runs/.latest.%d", r->o->store, (int)getpid());
    if (symlink(strrchr(r->out->dir, '/') + 1, tmp) == 0 && rename(tmp, link) < 0) {
        unlink(tmp);
    }
    free(tmp);
    free(link);
}

static char *absolute(const char *path)
{
    char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
    char *full = cwd ? path_join(cwd, path) : xstrdup(path);
    free(cwd);
    return full;
}

int dir_create(struct run *r, struct err *e)
{
    char *name = slug(r->plan->name);
    char *runs = xasprintf("%s/runs", r->o->store);
    int rc = path_mkdirs(runs, 0700, e);
    for (uint64_t salt = clock_real_ns(); rc == 0 && !r->out->dir; salt++) {
        uint64_t h = hash_mix(hash_mix(salt, (uint64_t)getpid()), r->o->seed);
        char *id = xasprintf("%06x", (unsigned)(h & 0xffffff));
        char *dir = xasprintf("%s/%s-%s", runs, id, name);
        if (mkdir(dir, 0700) == 0) {
            r->out->dir = absolute(dir);
            r->out->id = xstrdup(id);
        } else if (errno != EEXIST) {
            rc = err_sys(e, "creating the run folder %s", dir);
        }
        free(dir);
        free(id);
    }
    static const char *const subs[] = {"history", "logs", "bundle"};
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(subs); i++) {
        char *sub = path_join(r->out->dir, subs[i]);
        rc = path_mkdirs(sub, 0700, e);
        free(sub);
    }
    if (rc == 0) {
        r->history = path_join(r->out->dir, "history");
        r->deliveries_path = path_join(r->out->dir, "deliveries");
        bool fresh = !r->o->reused && (strncmp(r->o->cluster, "kafka", 5) == 0 ||
                                       strncmp(r->o->cluster, "embedded", 8) == 0);
        r->suffix = xasprintf("%s%s", fresh ? "" : "-", fresh ? "" : r->out->id);
        plan_suffix_groups(r->o->plan, r->suffix);
        char *path = path_join(r->out->dir, "run.json");
        json_t *j = run_json(r);
        rc = json_write(path, j, e);
        json_decref(j);
        free(path);
        rc = rc < 0 ? rc : write_bundle(r, e);
        point_latest(r);
    }
    free(runs);
    free(name);
    return rc;
}
