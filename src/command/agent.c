/* SPDX-License-Identifier: Apache-2.0 */
/* kaos agent: hosts role processes for a runner on another host. */
#include "command/command.h"
#include "role/far.h"

int command_agent(const struct cli *c)
{
    const char *listen = cli_get(c, "listen");
    if (cli_nargs(c) > 0) {
        return cli_fail(EXIT_USAGE, "agent: unexpected '%s'", cli_arg(c, 0));
    }
    return agent_main(listen ? listen : "127.0.0.1:7070");
}
