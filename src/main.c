/* SPDX-License-Identifier: Apache-2.0 */
/* argv to verb. Children of kaos are this same binary under hidden names. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "io/proc.h"
#include "role/far.h"
#include "role/role.h"

int main(int argc, char **argv)
{
    proc_init();
    if (argc > 1 && strcmp(argv[1], "__guard") == 0) {
        return guard_main(argc, argv);
    }
    if (argc > 1 && strcmp(argv[1], "__tree") == 0) {
        return tree_main(argc, argv);
    }
    if (argc > 1 && strcmp(argv[1], "__role") == 0) {
        return role_main(argc, argv);
    }
    if (argc > 1 && strcmp(argv[1], "__far") == 0) {
        return standin_main(argc, argv);
    }
    return cli_main(argc, argv);
}
