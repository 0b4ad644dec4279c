/* SPDX-License-Identifier: Apache-2.0 */
/* The varints of records: zigzag, seven bits a byte. Private to src/wire. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { VARINT32_BYTES = 5, VARINT64_BYTES = 10 }; /**< at most */

static inline const uint8_t *varint_read_long(const uint8_t *p, const uint8_t *end, int max,
                                              int64_t *v)
{
    uint64_t u = 0;
    for (int i = 0; i < max && p < end; i++) {
        uint8_t c = *p++;
        u |= (uint64_t)(c & 0x7f) << 7 * i;
        if (c < 0x80) {
            *v = (int64_t)(u >> 1 ^ (0 - (u & 1)));
            return p;
        }
    }
    return NULL;
}

/** Reads a varint of at most `max` bytes; nearly all have one or two.
 *  @return what follows it, NULL = it has no end.
 */
static inline const uint8_t *varint_read(const uint8_t *p, const uint8_t *end, int max, int64_t *v)
{
    if (end - p < 2 || (p[0] & p[1] & 0x80)) {
        return varint_read_long(p, end, max, v);
    }
    bool two = p[0] & 0x80;
    uint32_t u = two ? (uint32_t)(p[0] & 0x7f) | (uint32_t)p[1] << 7 : p[0];
    *v = (int32_t)(u >> 1) ^ -(int32_t)(u & 1);
    return p + (two ? 2 : 1);
}
