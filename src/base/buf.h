/* SPDX-License-Identifier: Apache-2.0 */
/* A growable byte buffer; always NUL-terminated behind len once written to. {0} is empty and valid.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /**< NULL while nothing was appended */
    size_t len, cap;
};

void buf_append(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/** Room for len more bytes; returns where they go. The caller adds to b->len. */
char *buf_reserve(struct buf *b, size_t len);
/** The same, and for no more than those: the buffer is not expected to grow on. */
char *buf_reserve_exact(struct buf *b, size_t len);
/** Removes the first n bytes. */
void buf_consume(struct buf *b, size_t n);
void buf_free(struct buf *b);
/** Moves the bytes out ("" if empty); caller frees with free(). */
char *buf_take(struct buf *b);
