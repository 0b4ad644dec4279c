/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how memory is handed out in chunks: a new chunk when the newest has no room; large requests
 * get a chunk of their own. Any thread, one at a time per arena. */
#include "wire/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CHUNK_MIN = 4096, CHUNK_MAX = 1 << 20 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    uint64_t data[];
};

static void grow(struct arena *a, size_t size)
{
    size_t want = a->chunks ? a->chunks->size * 2 : CHUNK_MIN;
    if (want > CHUNK_MAX) {
        want = CHUNK_MAX;
    }
    if (want < size) {
        want = size;
    }
    struct arena_chunk *c = xmalloc(sizeof *c + want);
    c->next = a->chunks;
    c->size = want;
    a->chunks = c;
    a->used = 0;
    a->total += want;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (!a->chunks || a->chunks->size - a->used < size) {
        grow(a, size);
    }
    void *p = (char *)a->chunks->data + a->used;
    a->used += size;
    memset(p, 0, size);
    return p;
}

char *arena_dup(struct arena *a, const void *data, size_t len)
{
    if (!data) {
        return NULL;
    }
    char *p = arena_alloc(a, len + 1);
    memcpy(p, data, len);
    return p;
}

char *arena_str(struct arena *a, const char *s)
{
    return s ? arena_dup(a, s, strlen(s)) : NULL;
}

void arena_free(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
    a->used = a->total = 0;
}
