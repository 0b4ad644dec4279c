/* SPDX-License-Identifier: Apache-2.0 */
/* Hides where the small blocks of a Lua state lie: in chunks that are never given back before the
 * state ends. Under AddressSanitizer every block is malloc()'s own, so that it can watch them. */
#include "lua/blocks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
};
struct block_chunk {
    struct block_chunk *next;
    size_t pad; /* keeps blocks aligned to BLOCKS_STEP */
};

enum { CHUNK = 64 << 10 };

#if defined(__SANITIZE_ADDRESS__)
enum { SMALL = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { SMALL = 0 };
#else
enum { SMALL = BLOCKS_SMALL };
#endif
#else
enum { SMALL = BLOCKS_SMALL };
#endif

static size_t row(size_t size)
{
    return (size - 1) / BLOCKS_STEP;
}

/* What is left of the old chunk goes to the lists. */
static bool next_chunk(struct blocks *bs)
{
    struct block_chunk *c = malloc(CHUNK);
    if (!c) {
        return false;
    }
    size_t rest = (size_t)(bs->end - bs->at);
    if (rest > 0) {
        struct block *b = (struct block *)(void *)bs->at;
        b->next = bs->free[row(rest)];
        bs->free[row(rest)] = b;
    }
    *c = (struct block_chunk){.next = bs->chunks};
    bs->chunks = c;
    bs->at = (char *)(c + 1);
    bs->end = (char *)c + CHUNK;
    return true;
}

static void *get(struct blocks *bs, size_t size)
{
    struct block **list = &bs->free[row(size)], *b = *list;
    if (b) {
        *list = b->next;
        return b;
    }
    size = (row(size) + 1) * BLOCKS_STEP;
    if ((size_t)(bs->end - bs->at) < size && !next_chunk(bs)) {
        return NULL;
    }
    void *p = bs->at;
    bs->at += size;
    return p;
}

static void put(struct blocks *bs, void *p, size_t size)
{
    struct block *b = p;
    b->next = bs->free[row(size)];
    bs->free[row(size)] = b;
}

/* Between a small block and one of malloc(), or between small ones of two sizes. */
static void *move(struct blocks *bs, void *p, size_t osize, size_t nsize)
{
    void *q = nsize <= SMALL ? get(bs, nsize) : malloc(nsize);
    if (!q) {
        return NULL;
    }
    memcpy(q, p, osize < nsize ? osize : nsize);
    if (osize <= SMALL) {
        put(bs, p, osize);
    } else {
        free(p);
    }
    return q;
}

void *blocks_realloc(struct blocks *bs, void *p, size_t osize, size_t nsize)
{
    if (!p) {
        if (nsize == 0) {
            return NULL;
        }
        return nsize <= SMALL ? get(bs, nsize) : malloc(nsize);
    }
    if (nsize == 0) {
        if (osize <= SMALL) {
            put(bs, p, osize);
        } else {
            free(p);
        }
        return NULL;
    }
    if (osize > SMALL && nsize > SMALL) {
        return realloc(p, nsize);
    }
    if (osize <= SMALL && nsize <= SMALL && row(osize) == row(nsize)) {
        return p;
    }
    return move(bs, p, osize, nsize);
}

void blocks_free(struct blocks *bs)
{
    while (bs->chunks) {
        struct block_chunk *c = bs->chunks;
        bs->chunks = c->next;
        free(c);
    }
    *bs = (struct blocks){.chunks = NULL};
}
