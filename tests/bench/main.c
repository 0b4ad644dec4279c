/* SPDX-License-Identifier: Apache-2.0 */
/* kaos-bench VERB ARGS: the helper program of script/bench. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const struct {
    const char *name;
    int nargs;
    void (*run)(char **argv);
} verbs[] = {
    {"create", 3, loop_create}, {"produce", 3, loop_produce},  {"consume", 3, loop_consume},
    {"copy", 4, loop_copy},     {"span", 1, marks_span},       {"starts", 1, marks_starts},
    {"group", 2, marks_group},  {"history", 2, history_alone},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (argc > 1 && strcmp(argv[1], verbs[i].name) == 0) {
            if (argc - 2 != verbs[i].nargs) {
                bench_die("%s takes %d arguments", argv[1], verbs[i].nargs);
            }
            verbs[i].run(argv + 2);
            return 0;
        }
    }
    bench_die("unknown verb");
}
