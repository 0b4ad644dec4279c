/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing over an insertion-ordered array of entries. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum { SWEEP_MIN = 64 };

static uint32_t *find(const struct map *m, const void *key, size_t len)
{
    size_t mask = m->nslots - 1;
    for (size_t i = hash_bytes(0, key, len) & mask;; i = (i + 1) & mask) {
        if (m->slots[i] == 0) {
            return &m->slots[i];
        }
        const struct map_entry *e = &m->items[m->slots[i] - 1];
        if (e->len == len && (len == 0 || memcmp(e->key, key, len) == 0)) {
            return &m->slots[i];
        }
    }
}

static void index_all(struct map *m)
{
    free(m->slots);
    m->slots = xcalloc(m->nslots, sizeof *m->slots);
    for (size_t i = 0; i < m->n; i++) {
        *find(m, m->items[i].key, m->items[i].len) = (uint32_t)i + 1;
    }
}

static void grow(struct map *m)
{
    m->nslots = m->nslots ? m->nslots * 2 : 16;
    index_all(m);
}

struct map_entry *map_get(const struct map *m, const void *key, size_t len)
{
    if (m->nslots == 0) {
        return NULL;
    }
    uint32_t slot = *find(m, key, len);
    return slot ? &m->items[slot - 1] : NULL;
}

struct map_entry *map_put(struct map *m, const void *key, size_t len, bool *fresh)
{
    if ((m->n + 1) * 2 > m->nslots) {
        grow(m);
    }
    uint32_t *slot = find(m, key, len);
    if (fresh) {
        *fresh = *slot == 0;
    }
    if (*slot == 0) {
        struct map_entry *e = VEC_PUSH(m);
        e->key = xmemdup0(key, len);
        e->len = len;
        *slot = (uint32_t)m->n;
    }
    return &m->items[*slot - 1];
}

struct map_entry *map_get_str(const struct map *m, const char *key)
{
    return map_get(m, key, strlen(key));
}

struct map_entry *map_put_str(struct map *m, const char *key)
{
    return map_put(m, key, strlen(key), NULL);
}

static size_t count_dead(const struct map *m)
{
    size_t dead = 0;
    for (size_t i = 0; i < m->n; i++) {
        dead += m->items[i].u == 0;
    }
    return dead;
}

void map_sweep(struct map *m)
{
    bool look = m->n >= SWEEP_MIN && (m->n & (m->n - 1)) == 0; /* each time it has doubled */
    if (!look || count_dead(m) < m->n / 2) {
        return;
    }
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (m->items[i].u == 0) {
            free(m->items[i].key);
        } else {
            m->items[n++] = m->items[i];
        }
    }
    m->n = n;
    index_all(m);
}

void map_free(struct map *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->items[i].key);
    }
    free(m->items);
    free(m->slots);
    *m = (struct map){0};
}
