/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of the command line: one file and one row in command.c each. A verb returns the exit
 * code (exits of architecture: 0 pass, 1 fail, 2 inconclusive, 3 scenario error, 4 environment,
 * 5 nothing run, 64 usage, 70 bug in kaos, 130 and 143 interrupted). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum exit_code {
    EXIT_PASS = 0,
    EXIT_FAIL = 1,
    EXIT_INCONCLUSIVE = 2,
    EXIT_SCENARIO = 3,
    EXIT_ENVIRONMENT = 4,
    EXIT_NOTHING = 5,
    EXIT_USAGE = 64,
    EXIT_BUG = 70,
};

struct command_option {
    const char *name;  /**< "seed" for --seed; NULL ends the table; "" = doc is a heading */
    char letter;       /**< 's' for -s, or 0 */
    const char *value; /**< metavariable, NULL = a switch */
    const char *doc;   /**< NULL hides it: it is kaos's own */
};

/** Is a row an option that people are told of? */
static inline bool command_option_shown(const struct command_option *o)
{
    return o->name[0] && o->doc;
}

struct cli;
struct command {
    const char *name;                     /**< NULL ends the table; a leading "__" hides it */
    const char *usage;                    /**< arguments after the name */
    const char *doc;                      /**< one line */
    const struct command_option *options; /**< or NULL */
    int (*run)(const struct cli *c);
    const char *examples; /**< "COMMAND\tWHAT IT DOES\n", at least three; hidden verbs have none */
};
extern const struct command commands[];
const struct command *command_find(const char *name);

/** The last value of an option, else of its environment form KAOS_NAME (one value per line; a
 * switch is 1 or 0), else NULL. KAOS_BOOTSTRAP, ROLE, INDEX, INCARNATION and SEED are no such
 * forms. */
const char *cli_get(const struct cli *c, const char *name);
bool cli_has(const struct cli *c, const char *name);
/** The k-th value of a repeatable option, NULL behind the last. */
const char *cli_nth(const struct cli *c, const char *name, size_t k);
/** A whole number; *out is unchanged when the option is absent. @return -1 after printing why. */
int cli_int(const struct cli *c, const char *name, long long min, long long max, long long *out);
/** A duration ("90s", "250ms", "2m", "1h"), in milliseconds. As cli_int. */
int cli_duration(const struct cli *c, const char *name, long long *ms);
size_t cli_nargs(const struct cli *c);
const char *cli_arg(const struct cli *c, size_t i);
/** The whole argument vector as it was typed. */
const char *const *cli_argv(const struct cli *c);

/** main without the process: parses argv for its verb and runs it. */
int cli_main(int argc, char **argv);

/** Prints "kaos: message" to stderr; returns code. */
int cli_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int command_run(const struct cli *c);
int command_lint(const struct cli *c);
int command_list(const struct cli *c);
int command_show(const struct cli *c);
int command_analyze(const struct cli *c);
int command_explain(const struct cli *c);
int command_export(const struct cli *c);
int command_new(const struct cli *c);
int command_broker(const struct cli *c);
int command_init(const struct cli *c);
int command_inspect(const struct cli *c);
int command_completions(const struct cli *c);
int command_repl(const struct cli *c);
int command_cluster(const struct cli *c);
int command_agent(const struct cli *c);
int command_doctor(const struct cli *c);
int command_version(const struct cli *c);
int command_help(const struct cli *c);
int command_docs(const struct cli *c);
