/* SPDX-License-Identifier: Apache-2.0 */
#include "command/reports.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"

static const char *const placeholders[] = {"{name}", "{run}", "{seed}"};

const char *reports_unknown(const char *path, size_t *len)
{
    for (const char *p = path; (p = strchr(p, '{')); p++) {
        const char *end = strchr(p, '}');
        bool known = false;
        *len = end ? (size_t)(end + 1 - p) : strlen(p);
        for (size_t i = 0; i < ARRAY_LEN(placeholders); i++) {
            known =
                known || (strlen(placeholders[i]) == *len && memcmp(p, placeholders[i], *len) == 0);
        }
        if (!known) {
            return p;
        }
    }
    return NULL;
}

static const char *run_text(const struct report *rep, const char *key)
{
    const char *s = json_string_value(json_object_get(rep->run, key));
    return s ? s : "none";
}

/* A value as a part of a file's name. */
static void put_name(struct buf *b, const char *s)
{
    for (; *s; s++) {
        bool plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_=,",
                            *s) != NULL;
        buf_append(b, plain ? s : "-", 1);
    }
}

char *reports_path(const char *path, const struct report *rep)
{
    struct buf b = {0};
    const char *label = json_string_value(json_object_get(rep->run, "label"));
    const char *values[] = {label ? label : rep->v->scenario, run_text(rep, "run"),
                            run_text(rep, "seed")};
    while (*path) {
        size_t i = 0, n = 1;
        while (i < ARRAY_LEN(placeholders) &&
               strncmp(path, placeholders[i], strlen(placeholders[i])) != 0) {
            i++;
        }
        if (i < ARRAY_LEN(placeholders)) {
            put_name(&b, values[i]);
            n = strlen(placeholders[i]);
        } else {
            buf_append(&b, path, 1);
        }
        path += n;
    }
    return buf_take(&b);
}

static int add_wanted(struct reports *r, const char *text)
{
    const char *eq = strchr(text, '=');
    char *name = xmemdup0(text, eq ? (size_t)(eq - text) : strlen(text));
    const struct report_kind *kind = report_find(name);
    size_t len = 0;
    const char *unknown = eq ? reports_unknown(eq, &len) : NULL;
    free(name);
    if (!kind || (eq && !eq[1])) {
        char *names = report_names();
        cli_fail(EXIT_USAGE, "--report: %s is not KIND or KIND=PATH with a kind that exists (%s)",
                 text, names);
        free(names);
        return -1;
    }
    if (unknown) {
        cli_fail(EXIT_USAGE, "--report: %s: %.*s is not {name}, {run} or {seed}", text, (int)len,
                 unknown);
        return -1;
    }
    struct reports_wanted *w = VEC_PUSH(&r->wanted);
    *w = (struct reports_wanted){kind, xstrdup(eq ? eq + 1 : "-")};
    if (strcmp(w->path, "-") == 0 && !kind->among) {
        r->console = stderr;
    }
    return 0;
}

int reports_parse(struct reports *r, const struct cli *c)
{
    const char *text;
    r->console = stdout;
    if (cli_int(c, "evidence", 0, 1000000, &r->evidence) < 0) {
        return -1;
    }
    for (size_t k = 0; (text = cli_nth(c, "report", k)); k++) {
        if (add_wanted(r, text) < 0) {
            return -1;
        }
    }
    return 0;
}

void reports_automatic(struct reports *r)
{
    const char *actions = getenv("GITHUB_ACTIONS");
    bool has = !actions || strcmp(actions, "true") != 0;
    for (size_t i = 0; i < r->wanted.n && !has; i++) {
        has = strcmp(r->wanted.items[i].kind->name, "github") == 0;
    }
    if (!has) {
        *VEC_PUSH(&r->wanted) = (struct reports_wanted){report_find("github"), xstrdup("-")};
    }
}

/** Whole verdicts as JSON are large: kept where a file will hold them, and of what failed. */
static bool needs_json(const struct reports *r, const struct verdict *v)
{
    bool needed = v->exit_code != 0;
    for (size_t i = 0; i < r->wanted.n && !needed; i++) {
        needed = strncmp(r->wanted.items[i].kind->name, "json", 4) == 0;
    }
    return needed;
}

struct report *reports_add(struct reports *r, struct outcome *out, int repetition)
{
    struct report *rep = VEC_PUSH(&r->all);
    *rep = (struct report){.v = out->v,
                           .run = out->run,
                           .dir = out->dir,
                           .detail = out->detail,
                           .json = out->json,
                           .duration_ms = out->duration_ms,
                           .evidence = (int)r->evidence,
                           .repetition = repetition};
    if (!needs_json(r, out->v)) {
        json_decref(out->json);
        rep->json = NULL;
    }
    free(out->kept);
    *out = (struct outcome){0};
    return rep;
}

void reports_print(struct reports *r, const struct report *rep, bool line_only)
{
    struct err e;
    if (r->json) {
        json_t *line =
            json_pack("{s:i,s:s,s:o}", "v", 1, "type", "verdict", "verdict",
                      rep->json ? json_incref((json_t *)rep->json) : json_report_verdict(rep));
        json_dumpf(line, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(line);
    } else if (line_only) {
        terminal_headline(rep, r->console);
    } else if (terminal_write(rep, 1, r->console, &e) < 0) {
        cli_fail(0, "%s", e.msg);
    }
    fflush(r->console);
}

static int make_folder(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash && slash != path ? xmemdup0(path, (size_t)(slash - path)) : NULL;
    int rc = dir ? path_mkdirs(dir, 0777, e) : 0;
    free(dir);
    return rc;
}

/** One file for the runs whose path it is. */
static int write_file(struct reports *r, const struct reports_wanted *w, const char *path,
                      char *const *paths)
{
    struct err e;
    struct report *some = xcalloc(r->all.n + 1, sizeof *some);
    size_t n = 0;
    for (size_t i = 0; i < r->all.n; i++) {
        if (strcmp(paths[i], path) == 0) {
            some[n++] = r->all.items[i];
        }
    }
    int rc = strcmp(path, "-") == 0 ? 0 : make_folder(path, &e);
    rc = rc < 0 ? rc : report_write(w->kind->name, path, some, n, &e);
    free(some);
    return rc < 0 ? (cli_fail(0, "%s", e.msg), -1) : 0;
}

static int write_wanted(struct reports *r, const struct reports_wanted *w)
{
    int rc = 0;
    char **paths = xcalloc(r->all.n + 1, sizeof *paths);
    for (size_t i = 0; i < r->all.n; i++) {
        paths[i] = reports_path(w->path, &r->all.items[i]);
    }
    if (r->all.n == 0 && !strchr(w->path, '{')) {
        rc = write_file(r, w, w->path, paths);
    }
    for (size_t i = 0; i < r->all.n; i++) {
        bool done = false;
        for (size_t k = 0; k < i && !done; k++) {
            done = strcmp(paths[k], paths[i]) == 0;
        }
        if (!done && write_file(r, w, paths[i], paths) < 0) {
            rc = -1;
        }
    }
    for (size_t i = 0; i < r->all.n; i++) {
        free(paths[i]);
    }
    free(paths);
    return rc;
}

/** The page of a job of GitHub Actions: its file is added to. */
static int write_summary(struct reports *r)
{
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    struct err e;
    if (!path || !*path) {
        return 0;
    }
    FILE *out = fopen(path, "a");
    int rc =
        out ? markdown_write(r->all.items, r->all.n, out, &e) : err_sys(&e, "opening %s", path);
    if (out && fclose(out) != 0 && rc == 0) {
        rc = err_sys(&e, "writing %s", path);
    }
    return rc < 0 ? (cli_fail(0, "%s", e.msg), -1) : 0;
}

int reports_end(struct reports *r)
{
    int rc = 0;
    for (size_t i = 0; i < r->wanted.n; i++) {
        const struct reports_wanted *w = &r->wanted.items[i];
        rc = write_wanted(r, w) < 0 ? -1 : rc;
        if (strcmp(w->kind->name, "github") == 0 && write_summary(r) < 0) {
            rc = -1;
        }
    }
    return rc;
}

void reports_free(struct reports *r)
{
    for (size_t i = 0; i < r->all.n; i++) {
        struct report *rep = &r->all.items[i];
        json_decref((json_t *)(uintptr_t)rep->run);
        json_decref((json_t *)(uintptr_t)rep->json);
        free((char *)(uintptr_t)rep->dir);
        free((char *)(uintptr_t)rep->detail);
        verdict_free((struct verdict *)(uintptr_t)rep->v);
    }
    for (size_t i = 0; i < r->wanted.n; i++) {
        free(r->wanted.items[i].path);
    }
    free(r->wanted.items);
    free(r->all.items);
}
