/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a command line against the option table of its verb. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "command/command.h"

struct given {
    const struct command_option *option;
    const char *value;
};
struct cli {
    const struct command *command;
    const char *const *argv;
    struct {
        struct given *items;
        size_t n, cap;
    } options;
    struct {
        const char **items;
        size_t n, cap;
    } args;
    struct {
        char **items;
        size_t n, cap;
    } owned; /**< values from the environment */
};

int cli_fail(int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "kaos: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    return code;
}

static const struct command_option *find(const struct command *cmd, const char *name, size_t len,
                                         char letter)
{
    for (const struct command_option *o = cmd->options; o && o->name; o++) {
        if (letter ? o->letter == letter
                   : o->name[0] && strlen(o->name) == len && memcmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return NULL;
}

/** One option at argv[*i]; its value may be the next word. @return 0, or an exit code. */
static int parse_option(struct cli *c, char **argv, int *i)
{
    const char *word = argv[*i];
    bool is_long = word[1] == '-';
    const char *eq = is_long ? strchr(word, '=') : NULL;
    size_t len = eq ? (size_t)(eq - word) - 2 : strlen(word) - (is_long ? 2 : 1);
    const struct command_option *o =
        is_long ? find(c->command, word + 2, len, 0) : find(c->command, NULL, 0, word[1]);
    if (!o || (!is_long && !o->value && word[2])) {
        return cli_fail(EXIT_USAGE, "%s: unknown option %s; see `kaos help %s`", c->command->name,
                        word, c->command->name);
    }
    const char *value = eq ? eq + 1 : !is_long && word[2] ? word + 2 : NULL;
    if (!o->value && value) {
        return cli_fail(EXIT_USAGE, "%s: --%s takes no value", c->command->name, o->name);
    }
    if (o->value && !value) {
        value = argv[*i + 1];
        if (!value) {
            return cli_fail(EXIT_USAGE, "%s: --%s needs a value (%s)", c->command->name, o->name,
                            o->value);
        }
        (*i)++;
    }
    *VEC_PUSH(&c->options) = (struct given){o, value ? value : ""};
    return 0;
}

static int parse(struct cli *c, int argc, char **argv)
{
    bool plain = false;
    for (int i = 2; i < argc; i++) {
        if (!plain && strcmp(argv[i], "--") == 0) {
            plain = true;
        } else if (!plain && argv[i][0] == '-' && argv[i][1]) {
            int rc = parse_option(c, argv, &i);
            if (rc) {
                return rc;
            }
        } else {
            *VEC_PUSH(&c->args) = argv[i];
        }
    }
    return 0;
}

/** Is the environment form of an option taken by the contract with a role's program? Such a
 * program may run kaos itself. */
static bool is_contract(const char *name)
{
    static const char *const names[] = {"bootstrap", "role", "index", "incarnation", "seed"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *environment_of(const char *name, char var[64])
{
    static const char prefix[] = "KAOS_";
    size_t n = strlen(prefix);
    memcpy(var, prefix, n);
    for (; *name && n + 1 < 64; name++) {
        var[n++] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
    }
    var[n] = '\0';
    const char *v = getenv(var);
    return v && *v ? v : NULL;
}

/** A switch in the environment is a word for yes or no. */
static int add_switch(struct cli *c, const struct command_option *o, const char *var,
                      const char *text)
{
    static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"0", "false", "no",
                                                                                "off"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0) {
            *VEC_PUSH(&c->options) = (struct given){o, ""};
            return 0;
        }
        if (strcasecmp(text, no[i]) == 0) {
            return 0;
        }
    }
    return cli_fail(EXIT_USAGE, "%s: %s is not 1 or 0", var, text);
}

/** One value per line. */
static void add_lines(struct cli *c, const struct command_option *o, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (len > 0) {
            char *value = xmemdup0(text, len);
            *VEC_PUSH(&c->owned) = value;
            *VEC_PUSH(&c->options) = (struct given){o, value};
        }
        text += len + (text[len] == '\n');
    }
}

/** Options that were not typed and stand in the environment as KAOS_NAME. */
static int add_environment(struct cli *c)
{
    size_t typed = c->options.n;
    for (const struct command_option *o = c->command->options; o && o->name; o++) {
        char var[64];
        bool given = !o->name[0] || !o->doc || is_contract(o->name);
        for (size_t i = 0; i < typed && !given; i++) {
            given = c->options.items[i].option == o;
        }
        const char *text = given ? NULL : environment_of(o->name, var);
        if (text && o->value) {
            add_lines(c, o, text);
        } else if (text && add_switch(c, o, var, text)) {
            return EXIT_USAGE;
        }
    }
    return 0;
}

const char *cli_nth(const struct cli *c, const char *name, size_t k)
{
    for (size_t i = 0; i < c->options.n; i++) {
        if (strcmp(c->options.items[i].option->name, name) == 0 && k-- == 0) {
            return c->options.items[i].value;
        }
    }
    return NULL;
}

const char *cli_get(const struct cli *c, const char *name)
{
    const char *last = NULL, *v;
    for (size_t k = 0; (v = cli_nth(c, name, k)); k++) {
        last = v;
    }
    return last;
}

bool cli_has(const struct cli *c, const char *name)
{
    return cli_get(c, name) != NULL;
}

int cli_int(const struct cli *c, const char *name, long long min, long long max, long long *out)
{
    const char *text = cli_get(c, name);
    char *end;
    if (!text) {
        return 0;
    }
    errno = 0;
    long long v = strtoll(text, &end, 0);
    if (errno || end == text || *end || v < min || v > max) {
        cli_fail(EXIT_USAGE, "--%s: %s is not a number from %lld to %lld", name, text, min, max);
        return -1;
    }
    *out = v;
    return 0;
}

int cli_duration(const struct cli *c, const char *name, long long *ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
    const char *text = cli_get(c, name);
    char *end;
    if (!text) {
        return 0;
    }
    double v = strtod(text, &end);
    for (size_t i = 0; end != text && v >= 0 && v < 1e9 && i < ARRAY_LEN(units); i++) {
        if (strcmp(end, units[i].unit) == 0) {
            *ms = (long long)(v * units[i].ms);
            return 0;
        }
    }
    cli_fail(EXIT_USAGE, "--%s: %s is not a duration (250ms, 90s, 2m)", name, text);
    return -1;
}

size_t cli_nargs(const struct cli *c)
{
    return c->args.n;
}

const char *cli_arg(const struct cli *c, size_t i)
{
    return i < c->args.n ? c->args.items[i] : NULL;
}

const char *const *cli_argv(const struct cli *c)
{
    return c->argv;
}

int cli_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : isatty(0) && isatty(1) ? "repl" : "help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    struct cli c = {.command = command_find(name), .argv = (const char *const *)argv};
    if (!c.command) {
        return cli_fail(EXIT_USAGE, "no verb %s; see `kaos help`", name);
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 && strcmp(name, "help") != 0) {
            c.command = command_find("help");
            *VEC_PUSH(&c.args) = name;
            argc = 0;
        }
    }
    int rc = parse(&c, argc, argv);
    rc = rc ? rc : add_environment(&c);
    if (rc == 0) {
        rc = c.command->run(&c);
    }
    for (size_t i = 0; i < c.owned.n; i++) {
        free(c.owned.items[i]);
    }
    free(c.owned.items);
    free(c.options.items);
    free(c.args.items);
    return rc;
}
