/* SPDX-License-Identifier: Apache-2.0 */
/* kaos run: a suite of scenarios, or (hidden) one run of a suite in a process of its own. */
#include "command/command.h"
#include "command/item.h"
#include "command/suite.h"

int command_run(const struct cli *c)
{
    struct suite s;
    if (cli_get(c, "item")) {
        return item_serve(c, cli_get(c, "item"));
    }
    int rc = suite_parse(&s, c);
    rc = rc ? rc : suite_plan(&s);
    if (rc == 0) {
        rc = suite_run(&s);
    }
    suite_free(&s);
    return rc;
}
