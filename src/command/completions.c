/* SPDX-License-Identifier: Apache-2.0 */
/* kaos completions: what a shell needs to complete verbs, options and their fixed values, made from
 * the table of verbs. A usage or a metavariable of the form `a|b|c` (lower case) is a list of
 * words.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "command/command.h"

static bool hidden(const struct command *c)
{
    return strncmp(c->name, "__", 2) == 0;
}

/** Headings of groups have no name, hidden options no text. */
static bool visible(const struct command_option *o)
{
    return o->name[0] && o->doc && o->doc[0];
}

/** "up|down|ls" or "bash | zsh | fish", and nothing that stands for something else. */
static bool is_list(const char *text)
{
    bool bar = false;
    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '|') {
            bar = true;
        } else if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '-' &&
                   *p != ' ' && *p != ':') {
            return false;
        }
    }
    return bar;
}

/** The words of a list with `gap` between them. */
static void put_list(const char *text, char gap)
{
    bool space = false;
    for (const char *p = text; *p; p++) {
        if (*p == '|') {
            space = true;
        } else if (*p != ' ') {
            if (space) {
                putchar(gap);
            }
            putchar(*p);
            space = false;
        }
    }
}

static void put_verbs(char gap)
{
    bool more = false;
    for (const struct command *c = commands; c->name; c++) {
        if (!hidden(c)) {
            if (more) {
                putchar(gap);
            }
            printf("%s", c->name);
            more = true;
        }
    }
}

/** Text between single quotes; the characters of `also` get a backslash. */
static void put_quoted(const char *text, const char *also)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\'') {
            printf("'\\''");
        } else if (strchr(also, *p)) {
            printf("\\%c", *p);
        } else {
            putchar(*p);
        }
    }
}

/* ---- bash ---- */

static void bash_verb(const struct command *c)
{
    printf("    %s)\n        options='", c->name);
    bool more = false;
    for (const struct command_option *o = c->options; o && o->name; o++) {
        if (command_option_shown(o)) {
            printf("%s--%s", more ? " " : "", o->name);
            more = true;
        }
    }
    printf("%s--help'\n", more ? " " : "");
    if (is_list(c->usage)) {
        printf("        words='");
        put_list(c->usage, ' ');
        printf("'\n");
    } else if (strcmp(c->name, "help") == 0) {
        printf("        words='");
        put_verbs(' ');
        printf("'\n");
    }
    bool values = false;
    for (const struct command_option *o = c->options; o && o->name; o++) {
        if (command_option_shown(o) && is_list(o->value)) {
            printf("%s        --%s) words='", values ? "" : "        case $before in\n", o->name);
            put_list(o->value, ' ');
            printf("' ;;\n");
            values = true;
        }
    }
    printf("%s        ;;\n", values ? "        esac\n" : "");
}

static void bash(void)
{
    printf("# bash completion of kaos; in ~/.bashrc: eval \"$(kaos completions bash)\"\n"
           "_kaos() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    local options='' words=''\n"
           "    COMPREPLY=()\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W '");
    put_verbs(' ');
    printf("' -- \"$word\")\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (const struct command *c = commands; c->name; c++) {
        if (!hidden(c)) {
            bash_verb(c);
        }
    }
    printf("    esac\n"
           "    if [[ $word == -* ]]; then\n"
           "        words=$options\n"
           "    fi\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
           "}\n"
           "complete -o default -F _kaos kaos\n");
}

/* ---- zsh ---- */

static void zsh_option(const struct command_option *o)
{
    printf(" \\\n            '*--%s%s[", o->name, o->value ? "=" : "");
    put_quoted(o->doc, "[]:");
    putchar(']');
    if (is_list(o->value)) {
        printf(":value:(");
        put_list(o->value, ' ');
        putchar(')');
    } else if (o->value) {
        printf(":");
        put_quoted(o->value, "[]:");
        printf(":%s",
               strcmp(o->value, "FILE") == 0 || strcmp(o->value, "DIR") == 0 ? "_files" : "");
    }
    putchar('\'');
}

static void zsh_verb(const struct command *c)
{
    printf("    %s)\n        _arguments", c->name);
    for (const struct command_option *o = c->options; o && o->name; o++) {
        if (command_option_shown(o)) {
            if (visible(o)) {
                zsh_option(o);
            }
        }
    }
    if (is_list(c->usage) || strcmp(c->name, "help") == 0) {
        printf(" \\\n            '1:word:(");
        if (is_list(c->usage)) {
            put_list(c->usage, ' ');
        } else {
            put_verbs(' ');
        }
        printf(")'");
    } else {
        printf(" \\\n            '*:file:_files'");
    }
    printf("\n        ;;\n");
}

static void zsh(void)
{
    printf("#compdef kaos\n"
           "# zsh completion of kaos; as the file _kaos in a folder of $fpath\n"
           "_kaos() {\n"
           "    local -a verbs\n"
           "    verbs=(\n");
    for (const struct command *c = commands; c->name; c++) {
        if (!hidden(c)) {
            printf("        '%s:", c->name);
            put_quoted(c->doc, ":");
            printf("'\n");
        }
    }
    printf("    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        _describe verb verbs\n"
           "        return\n"
           "    fi\n"
           "    local verb=$words[2]\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $verb in\n");
    for (const struct command *c = commands; c->name; c++) {
        if (!hidden(c)) {
            zsh_verb(c);
        }
    }
    printf("    esac\n"
           "}\n"
           "compdef _kaos kaos\n");
}

/* ---- fish ---- */

static void fish_verb(const struct command *c)
{
    printf("complete -c kaos -n __fish_use_subcommand -f -a %s -d '", c->name);
    put_quoted(c->doc, "");
    printf("'\n");
    for (const struct command_option *o = c->options; o && o->name; o++) {
        if (!command_option_shown(o)) {
            continue;
        }
        printf("complete -c kaos -n '__fish_seen_subcommand_from %s' -l %s", c->name, o->name);
        if (o->letter) {
            printf(" -s %c", o->letter);
        }
        if (is_list(o->value)) {
            printf(" -x -a '");
            put_list(o->value, ' ');
            printf("'");
        } else if (o->value) {
            printf(" -r");
        }
        printf(" -d '");
        put_quoted(o->doc, "");
        printf("'\n");
    }
    if (is_list(c->usage)) {
        printf("complete -c kaos -n '__fish_seen_subcommand_from %s' -f -a '", c->name);
        put_list(c->usage, ' ');
        printf("'\n");
    }
}

static void fish(void)
{
    printf("# fish completion of kaos; as ~/.config/fish/completions/kaos.fish\n");
    for (const struct command *c = commands; c->name; c++) {
        if (!hidden(c)) {
            fish_verb(c);
        }
    }
}

int command_completions(const struct cli *c)
{
    static const struct {
        const char *name;
        void (*write)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    const char *name = cli_arg(c, 0);
    for (size_t i = 0; name && i < ARRAY_LEN(shells); i++) {
        if (strcmp(shells[i].name, name) == 0) {
            shells[i].write();
            return EXIT_PASS;
        }
    }
    return cli_fail(EXIT_USAGE, "completions: %s%s name one shell: bash, zsh or fish",
                    name ? name : "no shell", name ? " is not known;" : ":");
}
