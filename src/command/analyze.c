/* SPDX-License-Identifier: Apache-2.0 */
/* kaos analyze: judges a stored history again, with the scenario as it was when it ran. */
#include "base/mem.h"
#include "command/command.h"
#include "command/reports.h"
#include "command/store.h"

/** @return the exit code of the verdict. */
static int judge(const struct cli *c, struct stored *s, struct reports *reports)
{
    struct err e;
    struct outcome out = {.v = stored_judge(s, &e)};
    if (!out.v) {
        return cli_fail(EXIT_SCENARIO, "%s", e.msg);
    }
    int code = out.v->exit_code;
    out.run = json_incref(s->run);
    out.dir = xstrdup(s->dir);
    outcome_store(&out, s->events);
    reports_print(reports, reports_add(reports, &out, 0), false);
    return reports_end(reports) < 0 ? EXIT_ENVIRONMENT : code;
}

int command_analyze(const struct cli *c)
{
    struct stored s;
    struct err e;
    struct reports reports = {0};
    if (cli_nargs(c) != 1) {
        return cli_fail(EXIT_USAGE, "analyze: name one run, as in `kaos analyze latest`");
    }
    if (reports_parse(&reports, c) < 0) {
        reports_free(&reports);
        return EXIT_USAGE;
    }
    int rc;
    if (stored_open(cli_get(c, "store") ? cli_get(c, "store") : ".kaos", cli_arg(c, 0), &s, &e) <
        0) {
        rc = cli_fail(e.kind == ERR_USAGE ? EXIT_USAGE : EXIT_SCENARIO, "%s", e.msg);
    } else {
        rc = judge(c, &s, &reports);
    }
    reports_free(&reports);
    stored_close(&s);
    return rc;
}
