/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed all at once. */
#pragma once
#include <stddef.h>

struct pool;
struct pool *pool_new(void);
void pool_free(struct pool *p);
/** Zeroed. */
void *pool_alloc(struct pool *p, size_t size);
void *pool_copy(struct pool *p, const void *data, size_t size);
/** NULL becomes "". */
const char *pool_str(struct pool *p, const char *s);
const char *pool_printf(struct pool *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
