/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: allocation never fails (out of memory aborts with a message). */
#pragma once
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);                 /**< NULL stays NULL */
char *xmemdup0(const void *data, size_t len); /**< copy with a NUL behind it */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** From now on large blocks that are freed stay with the process, to be used again without page
 * faults: for programs whose memory goes round. */
void mem_keep_freed(void);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/** Appends a slot to a growing array held as {T *items; size_t n, cap;} and returns its address,
 * zeroed. */
#define VEC_PUSH(v)                                                                                \
    (vec_grow((void **)&(v)->items, &(v)->n, &(v)->cap, sizeof *(v)->items),                       \
     &(v)->items[(v)->n - 1])
void vec_grow(void **items, size_t *n, size_t *cap, size_t size);
