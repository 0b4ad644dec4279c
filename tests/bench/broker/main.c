/* SPDX-License-Identifier: Apache-2.0 */
/* kaos-bench-broker ROW ARGS SERVER...: one figure of one server. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

void rows_die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "kaos-bench-broker: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    _Exit(1);
}

long rows_number(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || n < 1) {
        rows_die("%s is not a positive number", text);
    }
    return n;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (argc > 1 && strcmp(argv[1], table[i].name) == 0) {
            if (argc - 2 <= table[i].nargs) {
                rows_die("%s takes %d arguments and a server", argv[1], table[i].nargs);
            }
            table[i].run(argv + 2, argv + 2 + table[i].nargs);
            return 0;
        }
    }
    rows_die("unknown row");
}
