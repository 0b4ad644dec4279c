/* SPDX-License-Identifier: Apache-2.0 */
#include "command/reports.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

int reports_parse(struct reports *r, const struct cli *c)
{
    const char *text;
    if (cli_int(c, "evidence", 0, 1000000, &r->evidence) < 0) {
        return -1;
    }
    for (size_t k = 0; (text = cli_nth(c, "report", k)); k++) {
        const char *eq = strchr(text, '=');
        char *kind = xmemdup0(text, eq ? (size_t)(eq - text) : strlen(text));
        bool known = report_find(kind) != NULL;
        free(kind);
        if (!eq || !eq[1] || !known) {
            cli_fail(EXIT_USAGE,
                     "--report: %s is not KIND=PATH with a kind that exists (junit, json)", text);
            return -1;
        }
        *VEC_PUSH(&r->wanted) = xstrdup(text);
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

void reports_add(struct reports *r, struct verdict *v, struct events *es, const char *dir,
                 const char *detail)
{
    struct err e;
    char *run_path = path_join(dir, "run.json"), *verdict_path = path_join(dir, "verdict.json");
    struct report *rep = VEC_PUSH(&r->all);
    *rep = (struct report){.v = v,
                           .es = es,
                           .run = json_read(run_path, &e),
                           .dir = short_dir(dir),
                           .detail = xstrdup(detail),
                           .evidence = (int)r->evidence};
    json_t *j = json_report_verdict(rep);
    if (json_write(verdict_path, j, &e) < 0 || terminal_write(rep, 1, stdout, &e) < 0) {
        cli_fail(0, "%s", e.msg);
    }
    fflush(stdout);
    json_decref(j);
    free(run_path);
    free(verdict_path);
    if (r->wanted.n == 0) { /* nothing needs the history again */
        events_free(es);
        rep->es = NULL;
    }
}

int reports_end(struct reports *r, int exit_code)
{
    int rc = 0;
    for (size_t i = 0; i < r->wanted.n; i++) {
        struct err e;
        char *kind = r->wanted.items[i], *eq = strchr(kind, '=');
        *eq = '\0';
        if (report_write(kind, eq + 1, r->all.items, r->all.n, &e) < 0) {
            cli_fail(0, "%s", e.msg);
            rc = -1;
        }
        *eq = '=';
    }
    if (r->all.n > 1) {
        terminal_summary(r->all.items, r->all.n, exit_code, stdout);
        fflush(stdout);
    }
    return rc;
}

void reports_free(struct reports *r)
{
    for (size_t i = 0; i < r->all.n; i++) {
        struct report *rep = &r->all.items[i];
        json_decref((json_t *)rep->run);
        free((char *)rep->dir);
        free((char *)rep->detail);
        events_free((struct events *)rep->es);
        verdict_free((struct verdict *)rep->v);
    }
    for (size_t i = 0; i < r->wanted.n; i++) {
        free(r->wanted.items[i]);
    }
    free(r->wanted.items);
    free(r->all.items);
}
