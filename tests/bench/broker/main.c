/* SPDX-License-Identifier: Apache-2.0 */
/* kaos-bench-broker ROW ARGS SERVER...: one figure of one server. */
#include <string.h>

#include "rows.h"

static const struct {
    const char *name;
    int nargs;
    void (*run)(char **argv, char **server);
} table[] = {
    {"first", 1, row_first},
    {"txn-raw", 3, row_txn_raw},
    {"connections", 2, row_connections},
    {"partitions", 1, row_partitions},
    {"memory", 4, row_memory},
    {"produce", 3, row_produce},
    {"fetch", 4, row_fetch},
    {"txn-client", 3, row_txn_client},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (argc > 1 && strcmp(argv[1], table[i].name) == 0) {
            if (argc - 2 <= table[i].nargs) {
                bench_die("%s takes %d arguments and a server", argv[1], table[i].nargs);
            }
            table[i].run(argv + 2, argv + 2 + table[i].nargs);
            return 0;
        }
    }
    bench_die("unknown row");
}
