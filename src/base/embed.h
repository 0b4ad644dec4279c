/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are compiled into the binary; a table ends with a NULL name. */
#pragma once
#include <stddef.h>

struct embedded {
    const char *name;
    const char *data; /**< NUL behind it */
    size_t len;
};

extern const struct embedded lua_embedded[];     /**< lib/kaos */
extern const struct embedded explain_embedded[]; /**< docs/explain */
extern const struct embedded kafka_embedded[];   /**< lib/kafka */

const struct embedded *embed_find(const struct embedded *table, const char *name);
