/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how the memory of a verdict is held: chunks that grow, freed together. */
#include "check/pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CHUNK = 64 * 1024, ALIGN = 16 };

struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(ALIGN) char data[];
};
struct pool {
    struct chunk *chunks;
};

struct pool *pool_new(void)
{
    return xcalloc(1, sizeof(struct pool));
}

void pool_free(struct pool *p)
{
    if (!p) {
        return;
    }
    while (p->chunks) {
        struct chunk *c = p->chunks;
        p->chunks = c->next;
        free(c);
    }
    free(p);
}

void *pool_alloc(struct pool *p, size_t size)
{
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct chunk *c = p->chunks;
    if (!c || c->size - c->used < size) {
        size_t room = size > CHUNK ? size : CHUNK;
        c = xmalloc(sizeof *c + room);
        c->used = 0;
        c->size = room;
        if (p->chunks && size > CHUNK) {
            c->next = p->chunks->next;
            p->chunks->next = c;
        } else {
            c->next = p->chunks;
            p->chunks = c;
        }
    }
    void *at = c->data + c->used;
    c->used += size;
    memset(at, 0, size);
    return at;
}

void *pool_copy(struct pool *p, const void *data, size_t size)
{
    void *at = pool_alloc(p, size);
    if (size > 0) {
        memcpy(at, data, size);
    }
    return at;
}

const char *pool_str(struct pool *p, const char *s)
{
    if (!s || !*s) {
        return "";
    }
    return pool_copy(p, s, strlen(s) + 1);
}

const char *pool_printf(struct pool *p, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = pool_alloc(p, (size_t)(n < 0 ? 0 : n) + 1);
    if (n > 0) {
        vsnprintf(s, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    return s;
}
