/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs. */
#include "command/command.h"

#include <string.h>

#include "base/mem.h"

static const struct command_option run_options[] = {
    {"", 0, NULL, "select"},
    {"grep", 'g', "TEXT", "only scenarios whose name contains TEXT (repeatable)"},
    {"grep-invert", 'G', "TEXT", "only scenarios whose name does not contain TEXT (repeatable)"},
    {"tags", 't', "A,B,~C",
     "with tag A or B, and not C (repeatable); names and FILE:LINE need none"},
    {"last-failed", 0, NULL, "only what was no pass when it last ran"},
    {"shard", 0, "I/N", "the I-th of N parts, by a hash of the name"},
    {"no-match", 0, "fail|warn|pass", "when nothing is selected (default fail: exit 5)"},
    {"", 0, NULL, "vary"},
    {"param", 'p', "NAME=VALUE", "sets a declared param (repeatable)"},
    {"params", 0, "FILE", "values of params from FILE.json or FILE.lua (repeatable)"},
    {"matrix", 0, "NAME=A,B,C",
     "each scenario with each of the values (repeatable: their cross product)"},
    {"", 0, NULL, "randomness and repetition"},
    {"seed", 's', "N",
     "seed of all decisions, decimal or 0x; random by default, printed first and last"},
    {"repeat", 0, "N", "runs each scenario N times with seeds derived from the seed"},
    {"for", 0, "DURATION", "repeats until the time is over"},
    {"until-fail", 0, NULL, "repeats until a run fails"},
    {"max-fail", 0, "N", "stops after N failing runs (default in sweeps: 10 of a scenario)"},
    {"at-least", 0, "M", "of the repeated runs at least M must end as declared (default: all)"},
    {"inconclusive", 0, "pass|warn|fail", "what INCONCLUSIVE counts as (default fail: exit 2)"},
    {"", 0, NULL, "faults"},
    {"no-faults", 0, NULL, "baseline: declared faults do not fire"},
    {"", 0, NULL, "cluster"},
    {"cluster", 0, "KIND",
     "embedded (default), kafka[:VERSION], reuse[:NAME] or HOST:PORT[,HOST:PORT]"},
    {"refused", 0, "fail|warn|pass",
     "when the cluster cannot do what a scenario asks (default fail: exit 4)"},
    {"brokers", 0, "N", "nodes of a managed cluster, 1 to 5"},
    {"allow-faults-on-external", 0, NULL,
     "faults may touch brokers of a cluster that kaos did not start"},
    {"keep", 0, NULL, "leaves a managed cluster running and says how to reach and end it"},
    {"place", 0, "ROLE=HOST:PORT,...", "instances of a role live under these agents (repeatable)"},
    {"", 0, NULL, "execute"},
    {"jobs", 'j', "N", "runs in parallel (default 1)"},
    {"timeout", 0, "DURATION", "hard limit of the work phase"},
    {"", 0, NULL, "output"},
    {"report", 'r', "KIND[=PATH]",
     "also writes junit, tap, github, md, json or jsonl (repeatable)"},
    {"store", 0, "DIR", "where runs are kept (default .kaos)"},
    {"history", 0, "on|on-fail",
     "on-fail: none is kept of what ends as declared (default in sweeps)"},
    {"evidence", 0, "N", "cases shown per finding (default 3; all are stored)"},
    {"ui", 0, "auto|live|lines|quiet|json",
     "how the run shows itself; auto: live on a terminal, lines elsewhere"},
    {"quiet", 'q', NULL, "the same as --ui quiet"},
    {"item", 0, "FILE", NULL},
    {"thin", 0, NULL, NULL},
    {0},
};
static const struct command_option lint_options[] = {
    {"format", 0, "KIND", "text (default), json or github"},
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
    {"report", 'r', "KIND[=PATH]",
     "also writes junit, tap, github, md, json or jsonl (repeatable)"},
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
static const struct command_option broker_options[] = {
    {"listen", 'l', "HOST:PORT",
     "where node 1 listens (default 127.0.0.1:9092, port 0 = a free one); a second one is a second "
     "listener"},
    {"nodes", 0, "N", "virtual nodes, 1 (default) to 5; the others take the following ports"},
    {"topic", 't', "NAME:PARTITIONS", "a topic that exists from the start (repeatable)"},
    {"config", 0, "NAME=VALUE", "a broker property of Kafka (repeatable)"},
    {"transaction-version", 0, "N",
     "level of the feature transaction.version: 2 (default), or 1 as of Kafka 3"},
    {"seed", 0, "N",
     "of what the properties kaos.* have the broker draw, decimal or 0x (default 0)"},
    {"memory", 0, "SIZE", "limit of what is stored (512m, 2g); more is refused"},
    {"trace", 0, "FILE", "writes each request and answer as a line; - is standard output"},
    {"control", 0, "-",
     "reads from standard input what happens to nodes: kill 2, also stop, pause, isolate, resume, "
     "restart"},
    {0},
};
static const struct command_option inspect_options[] = {
    {"param", 'p', "NAME=VALUE", "sets a declared param (repeatable)"},
    {"seed", 's', "N", "seed of all decisions (default 0)"},
    {"cluster", 0, "KIND", "as for run"},
    {0},
};
static const struct command_option init_options[] = {
    {"force", 0, NULL, "writes files anew that are there already"},
    {0},
};
static const struct command_option repl_options[] = {
    {"attach", 0, "RUN | HOST:PORT", "reads a stored run, or works on a cluster that exists"},
    {"cluster", 0, "KIND", "embedded (default), kafka[:VERSION], HOST:PORT[,HOST:PORT] or none"},
    {"store", 0, "DIR", "where runs are kept (default .kaos)"},
    {0},
};
static const struct command_option cluster_options[] = {
    {"name", 0, "NAME", "of the cluster (default: default)"},
    {"brokers", 0, "N", "up: nodes, 1 to 5 (default 1)"},
    {"cluster", 0, "KIND", "up: kafka (default) or kafka:VERSION"},
    {"all", 0, NULL, "down: all of them"},
    {"force", 0, NULL, "down: also while a run uses it"},
    {"store", 0, "DIR", "where clusters are registered (default .kaos)"},
    {0},
};
static const struct command_option agent_options[] = {
    {"listen", 0, "[HOST]:PORT", "default 127.0.0.1:7070; another HOST needs KAOS_AGENT_TOKEN"},
    {0},
};
static const struct command_option doctor_options[] = {
    {"bootstrap", 0, "HOST:PORT",
     "looks at a cluster, too: name, port, protocol, each advertised address"},
    {0},
};
static const struct command_option version_options[] = {
    {"json", 0, NULL, "one JSON object"},
    {0},
};

const struct command commands[] = {
    {"run", "[DIR | FILE | FILE:LINE | NAME]...",
     "runs scenarios and judges them (default: scenarios/)", run_options, command_run,
     "kaos run eos.lua\tall scenarios of a file, on a broker of kaos's own\n"
     "kaos run eos.lua --cluster kafka\ton a real Kafka\n"
     "kaos run scenarios/ --seed 7\ta folder, with chosen dice\n"
     "kaos run eos.lua -g eos -p ids=200\tone scenario, with a param changed\n"
     "kaos run eos.lua --repeat 20 -r junit=out.xml\ttwenty seeds, and a report for CI\n"},
    {"lint", "[DIR | FILE]...", "checks scenario files without running anything", lint_options,
     command_lint,
     "kaos lint\tall of scenarios/\n"
     "kaos lint eos.lua\tone file\n"
     "kaos lint eos.lua --format json\tfor programs\n"},
    {"list", "[DIR | FILE]...", "lists scenarios, one per line", list_options, command_list,
     "kaos list\tall of scenarios/\n"
     "kaos list eos.lua --json\tfor programs\n"
     "kaos list -g eos\tby name\n"},
    {"show", "RUN", "shows verdict, evidence and timeline of a stored run", show_options,
     command_show,
     "kaos show latest\tthe newest run\n"
     "kaos show latest --violation 1\tall cases of the first finding\n"
     "kaos show latest --id 1437\tthe life of one id\n"
     "kaos show latest --role worker.2 --around 41+-2\tone process around t+41 s\n"},
    {"analyze", "RUN", "judges a stored history again; nothing runs", analyze_options,
     command_analyze,
     "kaos analyze latest\tjudges the newest run again\n"
     "kaos analyze 7c1e\ta run by the start of its id\n"
     "kaos analyze latest -r json=verdict.json\tand writes a report\n"},
    {"explain", "[WORD]", "explains a finding, a verdict or a term", NULL, command_explain,
     "kaos explain\tlists the pages\n"
     "kaos explain duplicate\ta finding\n"
     "kaos explain inconclusive\ta verdict\n"},
    {"export", "RUN", "writes the whole history as JSON lines", export_options, command_export,
     "kaos export latest\tJSON lines on standard output\n"
     "kaos export latest -o all.jsonl\tinto a file\n"
     "kaos export 7c1e -o run.jsonl\ta run by the start of its id\n"},
    {"new", "FILE", "writes a scenario from a template", new_options, command_new,
     "kaos new smoke.lua\tthe smallest scenario\n"
     "kaos new eos.lua -t eos\texactly-once under crashes\n"
     "kaos new scenarios/eos.lua -t eos\tinto a folder\n"},
    {"broker", "", "serves Kafka's protocol from memory: a broker for tests, without Java",
     broker_options, command_broker,
     "kaos broker --topic orders:3\tat 127.0.0.1:9092, with a topic\n"
     "kaos broker --listen 127.0.0.1:0 --trace -\ta free port; shows every request\n"
     "kaos broker --nodes 3\tthree nodes, at ports 9092 to 9094\n"},
    {"init", "", "writes what editors and CI need beside scenarios: stub, settings, workflow",
     init_options, command_init,
     "kaos init\twrites what is not there yet\n"
     "kaos init --force\twrites all files anew\n"
     "kaos init && luacheck scenarios\tthen luacheck knows the names\n"},
    {"inspect", "FILE[:NAME]", "prints what a scenario means as JSON, with the faults of a seed",
     inspect_options, command_inspect,
     "kaos inspect eos.lua\tevery scenario of a file\n"
     "kaos inspect eos.lua:eos --seed 7\tone, with the faults of this seed\n"
     "kaos inspect eos.lua:eos -p workers=5\twith a param changed\n"},
    {"completions", "bash|zsh|fish", "writes the completion of a shell", NULL, command_completions,
     "eval \"$(kaos completions bash)\"\tin ~/.bashrc\n"
     "kaos completions zsh > ~/.zfunc/_kaos\ta folder of $fpath\n"
     "kaos completions fish > ~/.config/fish/completions/kaos.fish\tfor fish\n"},
    {"repl", "[FILE]", "the prompt: a cluster, roles and faults by hand", repl_options,
     command_repl,
     "kaos repl\ta cluster comes up behind the prompt\n"
     "kaos repl eos.lua\twith a scenario loaded\n"
     "kaos repl --attach latest\treads the newest run\n"
     "echo 'print(1 + 1)' | kaos repl --cluster none\tlines of standard input\n"},
    {"cluster", "up | down | ls", "clusters that stay up between runs (run --cluster reuse)",
     cluster_options, command_cluster,
     "kaos cluster up\tstarts one and leaves it up\n"
     "kaos run eos.lua --cluster reuse\truns on it; starts it if need be\n"
     "kaos cluster up --name three --brokers 3\tanother one: --cluster reuse:three\n"
     "kaos cluster ls\twhich there are, and who uses them\n"
     "kaos cluster down\tends it\n"},
    {"agent", "", "hosts role processes for a runner on another host", agent_options, command_agent,
     "kaos agent\ton this host only, port 7070\n"
     "KAOS_AGENT_TOKEN=... kaos agent --listen :7070\tfor other hosts\n"
     "kaos run eos.lua --cluster kafka:9092 --place worker=host:7070\tthe runner's side\n"},
    {"doctor", "[DIR | FILE]...", "says what this machine, or a cluster, lacks, and what to do",
     doctor_options, command_doctor,
     "kaos doctor\tjava, Kafka, ports, limits, disk\n"
     "kaos doctor scenarios/\tand what these scenarios need\n"
     "kaos doctor --bootstrap localhost:9092\twhy a cluster does not answer\n"},
    {"version", "", "versions of kaos and of what it is built on", version_options, command_version,
     "kaos version\tkaos and what it is built on\n"
     "kaos version --json\tfor programs\n"
     "kaos --version\tthe same\n"},
    {"help", "[VERB | NAME]", "help on a verb, or on a name of the scenario language", NULL,
     command_help,
     "kaos help run\ta verb and its options\n"
     "kaos help crash\ta name of the scenario language\n"
     "kaos run --help\tthe same as kaos help run\n"},
    {"__docs", "KIND", "writes a generated file: api, meta, luacheck, kinds", NULL, command_docs,
     NULL},
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
