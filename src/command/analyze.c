/* SPDX-License-Identifier: Apache-2.0 */
/* kaos analyze: judges a stored history again, with the scenario as it was when it ran. */
#include "command/command.h"
#include "command/reports.h"
#include "command/store.h"

int command_analyze(const struct cli *c)
{
    struct stored s;
    struct err e;
    struct reports reports = {0};
    if (cli_nargs(c) != 1) {
        return cli_fail(EXIT_USAGE, "analyze: name one run, as in `kaos analyze latest`");
    }
    if (reports_parse(&reports, c) < 0) {
        return EXIT_USAGE;
    }
    int rc;
    if (stored_open(cli_get(c, "store") ? cli_get(c, "store") : ".kaos", cli_arg(c, 0), &s, &e) <
        0) {
        rc = cli_fail(e.kind == ERR_USAGE ? EXIT_USAGE : EXIT_SCENARIO, "%s", e.msg);
    } else {
        struct verdict *v = stored_judge(&s, &e);
        rc = v ? v->exit_code : cli_fail(EXIT_SCENARIO, "%s", e.msg);
        if (v) {
            reports_add(&reports, v, s.events, s.dir, NULL);
            s.events = NULL;
            rc = reports_end(&reports, rc) < 0 ? EXIT_ENVIRONMENT : rc;
        }
    }
    reports_free(&reports);
    stored_close(&s);
    return rc;
}
