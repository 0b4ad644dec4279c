/* SPDX-License-Identifier: Apache-2.0 */
/* Hash maps from bytes to a 64-bit value or pointer; keys are copied. Iteration is in insertion
 * order. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
    char *key; /**< NUL behind it */
    size_t len;
    union {
        uint64_t u;
        int64_t i;
        void *p;
    };
};
struct map {
    struct map_entry *items; /**< n entries in insertion order */
    size_t n, cap;
    uint32_t *slots; /**< index + 1 into items, 0 = free */
    size_t nslots;
};

/** The entry of key, or NULL; borrowed until the next map_put. */
struct map_entry *map_get(const struct map *m, const void *key, size_t len);
/** The entry of key, created with value 0 if absent; *fresh (may be NULL) says which. */
struct map_entry *map_put(struct map *m, const void *key, size_t len, bool *fresh);
struct map_entry *map_get_str(const struct map *m, const char *key);
struct map_entry *map_put_str(struct map *m, const char *key);
/** For maps whose entries with the value 0 are as good as none: forgets them now and then, when
 * there are many. To be called before a map_put; entries move. */
void map_sweep(struct map *m);
void map_free(struct map *m);
