/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a Lua state: small blocks come from free lists by size, so that the many short-lived
 * strings and messages of a role cost no malloc() and free(). Needed only inside src/lua. */
#pragma once
#include <stddef.h>

enum { BLOCKS_STEP = 16, BLOCKS_SMALL = 256 };

/** One per state, used by its thread alone. Zeroed at first. */
struct blocks {
    struct block *free[BLOCKS_SMALL / BLOCKS_STEP];
    struct block_chunk *chunks;
    char *at, *end; /**< what is left of the newest chunk */
};

/** As lua_Alloc: osize is the size that p was asked for with (0 with NULL), nsize 0 frees.
 *  @return NULL if memory is short; then p is as it was */
void *blocks_realloc(struct blocks *bs, void *p, size_t osize, size_t nsize);
/** Frees the small blocks, used or not; larger ones belong to who asked for them. */
void blocks_free(struct blocks *bs);
