/* SPDX-License-Identifier: Apache-2.0 */
/* kaos lint: loads files and resolves every scenario with its presets; starts nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/diag.h"
#include "command/select.h"

static json_t *diag_json(const struct load_diag *d)
{
    return json_pack("{s:s,s:i,s:s,s:s?,s:s}", "file", d->file, "line", d->line, "severity",
                     load_severity_name(d->severity), "scenario", d->scenario, "message",
                     d->message);
}

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_GITHUB };

/* Text of a workflow command; in properties `:` and `,` end a value. */
static void put_escaped(const char *s, bool property)
{
    for (; *s; s++) {
        bool escape = strchr("%\r\n", *s) || (property && strchr(":,", *s));
        if (escape) {
            printf("%%%02X", (unsigned char)*s);
        } else {
            putchar(*s);
        }
    }
}

/* An annotation of GitHub Actions. */
static void diag_github(const struct load_diag *d)
{
    const char *command = d->severity == LOAD_ERROR     ? "error"
                          : d->severity == LOAD_WARNING ? "warning"
                                                        : "notice";
    printf("::%s file=", command);
    put_escaped(d->file, true);
    printf(",line=%d,title=kaos lint::", d->line > 0 ? d->line : 1);
    put_escaped(d->message, false);
    putchar('\n');
}

/** @return whether the file is free of errors. */
static bool lint_file(const char *path, enum format format, json_t *all)
{
    struct err e;
    struct load *l = load_from_file(path, &e);
    if (!l) {
        cli_fail(0, "%s", e.msg);
        return false;
    }
    bool good = true;
    for (size_t i = 0; !load_errors(l) && i < load_count(l); i++) {
        struct plan *p = load_plan(l, i, NULL, &e);
        if (!p) {
            fprintf(stderr, "%s\n", e.msg);
            good = false;
        }
        plan_free(p);
    }
    const struct load_diag *diags;
    size_t n = load_diags(l, &diags);
    for (size_t i = 0; i < n; i++) {
        good = good && diags[i].severity != LOAD_ERROR;
        if (format == FORMAT_JSON) {
            json_array_append_new(all, diag_json(&diags[i]));
        } else if (format == FORMAT_GITHUB) {
            diag_github(&diags[i]);
        } else {
            diag_print(&diags[i], stdout);
        }
    }
    if (format == FORMAT_TEXT && good) {
        printf("%s: %zu scenario%s, no errors\n", path, load_count(l),
               load_count(l) == 1 ? "" : "s");
    }
    load_free(l);
    return good;
}

static int lint_all(const struct cli *c, struct plan_strings *files, struct plan_strings *names)
{
    struct err e;
    static const char *const names_of[] = {"text", "json", "github"};
    const char *word = cli_get(c, "format");
    size_t format = 0;
    while (word && format < ARRAY_LEN(names_of) && strcmp(word, names_of[format]) != 0) {
        format++;
    }
    if (format == ARRAY_LEN(names_of)) {
        return cli_fail(EXIT_USAGE, "--format: %s is not text, json or github", word);
    }
    bool json = format == FORMAT_JSON;
    size_t n = cli_nargs(c);
    const char *words[64];
    for (size_t i = 0; i < n && i < 64; i++) {
        words[i] = cli_arg(c, i);
    }
    if (n > 64 || select_files(words, n, files, names, &e) < 0) {
        return cli_fail(EXIT_USAGE, "%s", n > 64 ? "too many arguments" : e.msg);
    }
    json_t *all = json_array();
    int rc = files->n ? EXIT_PASS : EXIT_NOTHING;
    for (size_t i = 0; i < files->n; i++) {
        rc = lint_file(files->items[i], (enum format)format, all) ? rc : EXIT_SCENARIO;
    }
    if (json) {
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    }
    json_decref(all);
    return rc;
}

int command_lint(const struct cli *c)
{
    struct plan_strings files = {0}, names = {0};
    int rc = lint_all(c, &files, &names);
    plan_strings_free(&files);
    plan_strings_free(&names);
    return rc;
}
