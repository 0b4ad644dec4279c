/* SPDX-License-Identifier: Apache-2.0 */
/* kaos export: the whole history of a run as JSON lines. */
#include "history/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/store.h"

int command_export(const struct cli *c)
{
    struct stored s;
    struct err e;
    if (cli_nargs(c) != 1) {
        return cli_fail(EXIT_USAGE, "export: name one run, as in `kaos export latest`");
    }
    if (stored_open(cli_get(c, "store") ? cli_get(c, "store") : ".kaos", cli_arg(c, 0), &s, &e) <
        0) {
        stored_close(&s);
        return cli_fail(e.kind == ERR_USAGE ? EXIT_USAGE : EXIT_SCENARIO, "%s", e.msg);
    }
    const char *path = cli_get(c, "output");
    FILE *out = path && strcmp(path, "-") != 0 ? fopen(path, "w") : stdout;
    int rc = EXIT_PASS;
    if (!out) {
        rc = cli_fail(EXIT_ENVIRONMENT, "%s: %s", path, strerror(errno));
    } else if (export_jsonl(s.events, out, &e) < 0 || fflush(out) != 0) {
        rc = cli_fail(EXIT_ENVIRONMENT, "%s", e.msg);
    }
    if (out && out != stdout) {
        fclose(out);
    }
    stored_close(&s);
    return rc;
}
