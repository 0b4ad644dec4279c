/* SPDX-License-Identifier: Apache-2.0 */
#include "base/embed.h"

#include <string.h>

const struct embedded *embed_find(const struct embedded *table, const char *name)
{
    for (; table->name; table++) {
        if (strcmp(table->name, name) == 0) {
            return table;
        }
    }
    return NULL;
}
