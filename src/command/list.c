/* SPDX-License-Identifier: Apache-2.0 */
/* kaos list: one line per scenario: FILE:LINE name #tags. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "command/command.h"
#include "command/select.h"

static json_t *scenario_json(const struct load_scenario *s)
{
    json_t *tags = json_array(), *params = json_object(), *kinds = json_array();
    for (size_t i = 0; i < s->tags.n; i++) {
        json_array_append_new(tags, json_string(s->tags.items[i]));
    }
    for (size_t i = 0; i < s->params.n; i++) {
        json_object_set_new(params, s->params.items[i].name, json_string(s->params.items[i].value));
    }
    for (size_t i = 0; i < s->fails_with.n; i++) {
        json_array_append_new(kinds, json_string(s->fails_with.items[i]));
    }
    return json_pack("{s:s,s:s,s:s?,s:o,s:o,s:o}", "name", s->name, "where", s->where, "doc",
                     s->doc, "tags", tags, "params", params, "fails_with", kinds);
}

static void print_scenario(const struct load_scenario *s)
{
    printf("%s  %s", s->where, s->name);
    for (size_t i = 0; i < s->tags.n; i++) {
        printf("%s#%s", i ? " " : "  ", s->tags.items[i]);
    }
    for (size_t i = 0; i < s->fails_with.n; i++) {
        printf("%s%s", i ? ", " : "  fails with ", s->fails_with.items[i]);
    }
    putchar('\n');
}

static int list_all(const struct cli *c, struct plan_strings *files, struct plan_strings *names)
{
    struct err e;
    const char *words[64], *grep = cli_get(c, "grep");
    size_t n = cli_nargs(c) < 64 ? cli_nargs(c) : 64, shown = 0;
    for (size_t i = 0; i < n; i++) {
        words[i] = cli_arg(c, i);
    }
    if (select_files(words, n, files, names, &e) < 0) {
        return cli_fail(EXIT_USAGE, "%s", e.msg);
    }
    json_t *all = json_array();
    int rc = EXIT_PASS;
    for (size_t i = 0; i < files->n; i++) {
        struct load *l = load_from_file(files->items[i], &e);
        if (!l || load_errors(l)) {
            fprintf(stderr, "%s\n", l ? load_errors(l) : e.msg);
            rc = EXIT_SCENARIO;
        }
        for (size_t k = 0; l && k < load_count(l); k++) {
            const struct load_scenario *s = load_scenario(l, k);
            if (grep && !strstr(s->name, grep)) {
                continue;
            }
            shown++;
            if (cli_has(c, "json")) {
                json_array_append_new(all, scenario_json(s));
            } else {
                print_scenario(s);
            }
        }
        load_free(l);
    }
    if (cli_has(c, "json")) {
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    }
    json_decref(all);
    if (rc == EXIT_PASS && shown == 0) {
        rc = cli_fail(EXIT_NOTHING, "no scenario%s", grep ? " has such a name" : " found");
    }
    return rc;
}

int command_list(const struct cli *c)
{
    struct plan_strings files = {0}, names = {0};
    int rc = list_all(c, &files, &names);
    plan_strings_free(&files);
    plan_strings_free(&names);
    return rc;
}
