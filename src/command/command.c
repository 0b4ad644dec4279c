/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs. */
#include "command/command.h"

#include <string.h>

#include "base/mem.h"

static const struct command_option run_options[] = {
    {"grep", 'g', "TEXT", "only scenarios whose name contains TEXT"},
    {"param", 'p', "NAME=VALUE", "sets a declared param (repeatable)"},
    {"seed", 's', "N",
     "seed of all decisions, decimal or 0x; random by default, printed first and last"},
    {"repeat", 0, "N", "runs each scenario N times with seeds derived from the seed"},
    {"at-least", 0, "M", "of the repeated runs at least M must end as declared (default: all)"},
    {"no-faults", 0, NULL, "baseline: declared faults do not fire"},
    {"cluster", 0, "KIND", "kafka (default), kafka:VERSION or HOST:PORT[,HOST:PORT]"},
    {"brokers", 0, "N", "nodes of a managed cluster, 1 to 5"},
    {"keep", 0, NULL, "leaves a managed cluster running and says how to reach and end it"},
    {"timeout", 0, "DURATION", "hard limit of the work phase"},
    {"report", 'r', "KIND=PATH", "also writes a report: junit=PATH or json=PATH (repeatable)"},
    {"store", 0, "DIR", "where runs are kept (default .kaos)"},
    {"evidence", 0, "N", "cases shown per finding (default 3; all are stored)"},
    {"quiet", 'q', NULL, "no status lines"},
    {0},
};
static const struct command_option lint_options[] = {
    {"format", 0, "KIND", "text (default) or json"},
    {0},
};
static const struct command_option list_options[] = {
    {"json", 0, NULL, "one JSON array"},
    {"grep", 'g', "TEXT", "only scenarios whose name contains TEXT"},
    {0},
};
static const struct command_option show_options[] = {
    {"id", 0, "X", "events of one id"},
    {"role", 0, "NAME", "events of one process (worker.2) or role"},
    {"around", 0, "T", "events around t+T seconds, as SECONDS or SECONDS+-WIDTH"},
    {"violation", 0, "N", "evidence of the N-th finding, all its cases"},
    {"store", 0, "DIR", "where runs are kept (default .kaos)"},
    {0},
};
static const struct command_option analyze_options[] = {
    {"report", 'r', "KIND=PATH", "also writes a report: junit=PATH or json=PATH (repeatable)"},
    {"evidence", 0, "N", "cases shown per finding (default 3)"},
    {"store", 0, "DIR", "where runs are kept (default .kaos)"},
    {0},
};
static const struct command_option export_options[] = {
    {"output", 'o', "FILE", "default: standard output"},
    {"store", 0, "DIR", "where runs are kept (default .kaos)"},
    {0},
};
static const struct command_option new_options[] = {
    {"template", 't', "NAME", "smoke (default) or eos"},
    {0},
};
static const struct command_option version_options[] = {
    {"json", 0, NULL, "one JSON object"},
    {0},
};

const struct command commands[] = {
    {"run", "[DIR | FILE | FILE:LINE | NAME]...",
     "runs scenarios and judges them (default: scenarios/)", run_options, command_run},
    {"lint", "[DIR | FILE]...", "checks scenario files without running anything", lint_options,
     command_lint},
    {"list", "[DIR | FILE]...", "lists scenarios, one per line", list_options, command_list},
    {"show", "RUN", "shows verdict, evidence and timeline of a stored run", show_options,
     command_show},
    {"analyze", "RUN", "judges a stored history again; nothing runs", analyze_options,
     command_analyze},
    {"explain", "[WORD]", "explains a finding, a verdict or a term", NULL, command_explain},
    {"export", "RUN", "writes the whole history as JSON lines", export_options, command_export},
    {"new", "FILE", "writes a scenario from a template", new_options, command_new},
    {"version", "", "versions of kaos and of what it is built on", version_options,
     command_version},
    {"help", "[VERB | NAME]", "help on a verb, or on a name of the scenario language", NULL,
     command_help},
    {"__docs", "KIND", "writes a generated file: api, meta, luacheck, kinds", NULL, command_docs},
    {0},
};

const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}
