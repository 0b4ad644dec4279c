/* SPDX-License-Identifier: Apache-2.0 */
/* kaos init: what an editor and a CI server need beside the scenarios of a project. Everything is
 * generated or compiled in; a file that is there already stays unless --force is given. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/embed.h"
#include "base/mem.h"
#include "base/path.h"
#include "command/command.h"
#include "lua/api.h"

extern const struct embedded init_embedded[]; /* YAML files of lib/templates */

static int write_luarc(FILE *f, struct err *e)
{
    fputs("{\n"
          "  \"runtime.version\": \"Lua 5.4\",\n"
          "  \"workspace.library\": [\".kaos/meta\"],\n"
          "  \"workspace.checkThirdParty\": false\n"
          "}\n",
          f);
    return 0;
}

/** The generated settings are for kaos's own folders; a project keeps scenarios where it likes. */
static int write_luacheck(FILE *f, struct err *e)
{
    char *text = NULL, *save = NULL;
    size_t len = 0;
    FILE *all = open_memstream(&text, &len);
    int rc = all ? api_write_luacheck(all, e) : err_sys(e, "memory for .luacheckrc");
    if (all) {
        fclose(all);
    }
    for (char *line = strtok_r(text, "\n", &save); rc == 0 && line;
         line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "files[", 6) != 0) {
            fprintf(f, "%s\n", line);
        }
    }
    if (rc == 0) {
        fputs("std = \"lua54+kaos\"\n", f);
    }
    free(text);
    return rc;
}

static int write_workflow(FILE *f, struct err *e)
{
    const struct embedded *t = embed_find(init_embedded, "github-workflow.yml");
    fwrite(t->data, 1, t->len, f);
    return 0;
}

static const struct init_file {
    const char *path, *folder, *doc;
    int (*write)(FILE *f, struct err *e);
} init_files[] = {
    {".kaos/meta/kaos.lua", ".kaos/meta", "the language, for the Lua language server",
     api_write_meta},
    {".luarc.json", NULL, "its settings", write_luarc},
    {".luacheckrc", NULL, "names that luacheck should know", write_luacheck},
    {".github/workflows/kaos.yml", ".github/workflows", "runs scenarios/ in GitHub Actions",
     write_workflow},
};

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool available(const struct init_file *f)
{
    return f->write != write_workflow || embed_find(init_embedded, "github-workflow.yml");
}

static int write_one(const struct init_file *f, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int rc = out ? f->write(out, e) : err_sys(e, "memory for %s", f->path);
    if (out) {
        fclose(out);
    }
    if (rc == 0 && f->folder) {
        rc = path_mkdirs(f->folder, 0755, e);
    }
    if (rc == 0) {
        rc = path_write(f->path, text, len, e);
    }
    free(text);
    return rc;
}

int command_init(const struct cli *c)
{
    bool force = cli_has(c, "force");
    size_t there = 0;
    if (cli_nargs(c) > 0) {
        return cli_fail(EXIT_USAGE, "init: takes no names; it writes into the working directory");
    }
    for (size_t i = 0; i < ARRAY_LEN(init_files); i++) {
        const struct init_file *f = &init_files[i];
        struct err e;
        if (!available(f)) {
            continue;
        }
        if (!force && exists(f->path)) {
            printf("%-28s is there already, left as it is\n", f->path);
            there++;
        } else if (write_one(f, &e) < 0) {
            return cli_fail(EXIT_ENVIRONMENT, "init: %s", e.msg);
        } else {
            printf("%-28s %s\n", f->path, f->doc);
        }
    }
    if (there) {
        printf("--force writes them anew\n");
    }
    return EXIT_PASS;
}
