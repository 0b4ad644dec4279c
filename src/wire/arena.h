/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed all at once: decoded messages and results. {0} is empty and valid. */
#pragma once
#include <stddef.h>

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
    size_t used;  /**< bytes taken from the newest chunk */
    size_t total; /**< bytes of all chunks */
};

/** Zeroed, 8-byte aligned; lives until arena_free. */
void *arena_alloc(struct arena *a, size_t size);
/** A copy with a NUL behind it; NULL data stays NULL. */
char *arena_dup(struct arena *a, const void *data, size_t len);
char *arena_str(struct arena *a, const char *s); /**< NULL stays NULL */
void arena_free(struct arena *a);
