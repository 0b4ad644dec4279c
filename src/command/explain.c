/* SPDX-License-Identifier: Apache-2.0 */
/* kaos explain: a page on a finding, a verdict or a term. */
#include "command/command.h"
#include "report/report.h"

int command_explain(const struct cli *c)
{
    struct err e;
    if (explain_write(cli_arg(c, 0), stdout, &e) < 0) {
        return cli_fail(EXIT_USAGE, "%s", e.msg);
    }
    return EXIT_PASS;
}
