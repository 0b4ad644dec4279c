/* SPDX-License-Identifier: Apache-2.0 */
/* kaos help: verbs from their table, names of the language from the API table. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "history/export.h"
#include "history/hist.h"
#include "lua/api.h"

static void print_overview(void)
{
    printf("kaos finds out whether Kafka applications, clients and brokers keep their promises "
           "under faults.\n\n"
           "  kaos new eos.lua -t eos        writes a scenario\n"
           "  kaos lint eos.lua              checks it without running anything\n"
           "  kaos run eos.lua               runs and judges it; --cluster kafka: on a real Kafka\n"
           "  kaos run scenarios/ --seed 7   a folder of scenarios, with chosen dice\n"
           "  kaos explain duplicate         what a finding means\n\nverbs\n");
    for (const struct command *c = commands; c->name; c++) {
        if (strncmp(c->name, "__", 2) != 0) {
            printf("  %-11s %s\n", c->name, c->doc);
        }
    }
    printf(
        "\n`kaos help VERB` lists its options, `kaos help NAME` explains a name of the language.\n"
        "exit codes: 0 pass, 1 fail, 2 inconclusive, 3 scenario error, 4 environment, 5 nothing "
        "ran,\n"
        "            64 usage, 70 bug in kaos, 130 and 143 interrupted\n");
}

/** Each example on a line, what it does in a column of its own. */
static void print_examples(const struct command *c)
{
    size_t width = 0;
    const char *all = c->examples ? c->examples : "";
    for (const char *p = all; *p; p += strcspn(p, "\n") + 1) {
        size_t n = strcspn(p, "\t");
        width = n > width ? n : width;
    }
    for (const char *p = all; *p; p += strcspn(p, "\n") + 1) {
        int left = (int)strcspn(p, "\t"), right = (int)strcspn(p, "\n") - left - 1;
        printf("%s  %-*.*s  %.*s\n", p == all ? "\n" : "", (int)width, left, p, right,
               p + left + 1);
    }
    if (*all && c->options) {
        printf("\n");
    }
}

enum { LEFT = 26 };

static void print_command(const struct command *c)
{
    printf("kaos %s %s\n  %s\n", c->name, c->usage, c->doc);
    print_examples(c);
    for (const struct command_option *o = c->options; o && o->name; o++) {
        char left[64];
        if (!o->doc) {
            continue;
        }
        if (!o->name[0]) {
            printf("%s  %s\n", o == c->options ? "" : "\n", o->doc);
            continue;
        }
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : "  ",
                 o->letter ? o->letter : ' ', o->letter ? ", " : " ", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        if (strlen(left) > LEFT) {
            printf("  %s\n  %*s %s\n", left, LEFT, "", o->doc);
        } else {
            printf("  %-*s %s\n", LEFT, left, o->doc);
        }
    }
}

int command_help(const struct cli *c)
{
    struct err e;
    if (cli_nargs(c) == 0) {
        print_overview();
        return EXIT_PASS;
    }
    const struct command *cmd = command_find(cli_arg(c, 0));
    if (cmd) {
        print_command(cmd);
        return EXIT_PASS;
    }
    if (api_help(stdout, cli_arg(c, 0), &e) < 0) {
        return cli_fail(EXIT_USAGE, "%s; see `kaos help`", e.msg);
    }
    return EXIT_PASS;
}

int command_docs(const struct cli *c)
{
    const char *kind = cli_arg(c, 0) ? cli_arg(c, 0) : "";
    struct err e;
    int rc = -1;
    if (strcmp(kind, "api") == 0) {
        rc = api_write_docs(stdout, &e);
    } else if (strcmp(kind, "meta") == 0) {
        rc = api_write_meta(stdout, &e);
    } else if (strcmp(kind, "luacheck") == 0) {
        rc = api_write_luacheck(stdout, &e);
    } else if (strcmp(kind, "kinds") == 0) {
        hist_doc_kinds(stdout);
        rc = 0;
    } else {
        return cli_fail(EXIT_USAGE, "__docs: api, meta, luacheck or kinds");
    }
    return rc < 0 ? cli_fail(EXIT_BUG, "%s", e.msg) : EXIT_PASS;
}
