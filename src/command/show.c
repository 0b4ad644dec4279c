/* SPDX-License-Identifier: Apache-2.0 */
/* kaos show: the verdict of a stored run, or the part of its history that is asked for. */
#include "command/command.h"
#include "command/store.h"
#include "report/report.h"

static int show(const struct cli *c, struct stored *s, const struct show_opts *o)
{
    struct err e;
    struct verdict *v = stored_judge(s, &e);
    if (!v) {
        return cli_fail(EXIT_SCENARIO, "%s", e.msg);
    }
    struct report rep = {.v = v, .es = s->events, .run = s->run, .dir = s->dir};
    int rc = show_write(&rep, o, stdout, &e) < 0 ? cli_fail(EXIT_USAGE, "%s", e.msg) : EXIT_PASS;
    verdict_free(v);
    return rc;
}

int command_show(const struct cli *c)
{
    struct stored s;
    struct err e;
    long long violation = 0;
    if (cli_nargs(c) != 1) {
        return cli_fail(EXIT_USAGE, "show: name one run, as in `kaos show latest`");
    }
    if (cli_int(c, "violation", 1, 1000000, &violation) < 0) {
        return EXIT_USAGE;
    }
    struct show_opts o = {.id = cli_get(c, "id"),
                          .role = cli_get(c, "role"),
                          .around = cli_get(c, "around"),
                          .violation = (int)violation};
    int rc;
    if (stored_open(cli_get(c, "store") ? cli_get(c, "store") : ".kaos", cli_arg(c, 0), &s, &e) <
        0) {
        rc = cli_fail(e.kind == ERR_USAGE ? EXIT_USAGE : EXIT_SCENARIO, "%s", e.msg);
    } else {
        rc = show(c, &s, &o);
    }
    stored_close(&s);
    return rc;
}
