/* SPDX-License-Identifier: Apache-2.0 */
/* kaos version. */
#include <stdio.h>

#include "base/json.h"
#include "client/client.h"
#include "cluster/cluster.h"
#include "command/command.h"

int command_version(const struct cli *c)
{
    if (cli_has(c, "json")) {
        json_t *j = json_pack("{s:s,s:s,s:s,s:s}", "kaos", KAOS_VERSION, "lua", "5.4", "librdkafka",
                              client_version(), "kafka", CLUSTER_KAFKA_DEFAULT);
        json_dumpf(j, stdout, JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(j);
        return EXIT_PASS;
    }
    printf("kaos %s (Lua 5.4, librdkafka %s, default Apache Kafka %s)\n", KAOS_VERSION,
           client_version(), CLUSTER_KAFKA_DEFAULT);
    return EXIT_PASS;
}
