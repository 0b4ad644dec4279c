/* SPDX-License-Identifier: Apache-2.0 */
/* Hides CRC-32C (Castagnoli): the processor's instruction where it has one, else eight bytes at a
 * time by tables that are made on first use. An instruction waits for the one before it, so that
 * three lanes side by side are nearly three times as fast; a table then moves a lane's register
 * over the bytes of the next. */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#ifdef __x86_64__
#include <nmmintrin.h>
#endif

#include "wire/batch.h"

enum { SLICES = 8 };
static const uint32_t polynomial = 0x82f63b78; /* reflected */
static uint32_t table[SLICES][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) {
            c = c & 1 ? c >> 1 ^ polynomial : c >> 1;
        }
        table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++) {
        for (int s = 1; s < SLICES; s++) {
            table[s][i] = table[s - 1][i] >> 8 ^ table[0][table[s - 1][i] & 0xff];
        }
    }
}

#ifdef __x86_64__
static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}

enum { LANE = 1024, WORD = 8 };
static uint32_t over_lane[4][256]; /* what LANE zero bytes make of each byte of the register */
static pthread_once_t once_lane = PTHREAD_ONCE_INIT;

__attribute__((target("sse4.2"))) static void make_over_lane(void)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        uint64_t c = 1u << bit;
        for (int i = 0; i < LANE / WORD; i++) {
            c = _mm_crc32_u64(c, 0);
        }
        for (unsigned v = 0; v < 256; v++) {
            over_lane[bit / 8][v] ^= v >> bit % 8 & 1 ? (uint32_t)c : 0;
        }
    }
}

static uint64_t skip_lane(uint64_t c)
{
    return over_lane[0][c & 0xff] ^ over_lane[1][c >> 8 & 0xff] ^ over_lane[2][c >> 16 & 0xff] ^
           over_lane[3][c >> 24 & 0xff];
}

static uint64_t word_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/** Three lanes of bytes. */
__attribute__((target("sse4.2"))) static uint64_t three_lanes(uint64_t c, const uint8_t *p)
{
    uint64_t second = 0, third = 0;
    for (int i = 0; i < LANE; i += WORD) {
        c = _mm_crc32_u64(c, word_at(p + i));
        second = _mm_crc32_u64(second, word_at(p + LANE + i));
        third = _mm_crc32_u64(third, word_at(p + 2 * LANE + i));
    }
    return skip_lane(skip_lane(c) ^ second) ^ third;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *p,
                                                                 size_t len)
{
    uint64_t c = ~crc, word;
    pthread_once(&once_lane, make_over_lane);
    for (; len >= 3 * LANE; len -= 3 * LANE, p += 3 * LANE) {
        c = three_lanes(c, p);
    }
    for (; len >= sizeof word; len -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        c = _mm_crc32_u64(c, word);
    }
    for (; len > 0; len--, p++) {
        c = _mm_crc32_u8((uint32_t)c, *p);
    }
    return ~(uint32_t)c;
}
#else
static bool has_instruction(void)
{
    return false;
}

static uint32_t by_instruction(uint32_t crc, const uint8_t *p, size_t len)
{
    return 0;
}
#endif

static uint32_t by_tables(uint32_t crc, const uint8_t *p, size_t len)
{
    pthread_once(&once, make_tables);
    uint32_t c = ~crc;
    for (; len >= SLICES; len -= SLICES, p += SLICES) {
        uint32_t lo = c ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                           (uint32_t)p[3] << 24);
        c = table[7][lo & 0xff] ^ table[6][lo >> 8 & 0xff] ^ table[5][lo >> 16 & 0xff] ^
            table[4][lo >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    }
    for (; len > 0; len--, p++) {
        c = c >> 8 ^ table[0][(c ^ *p) & 0xff];
    }
    return ~c;
}

uint32_t crc32c_tables(const void *data, size_t len)
{
    return by_tables(0, data, len);
}

uint32_t crc32c_more(uint32_t crc, const void *data, size_t len)
{
    return has_instruction() ? by_instruction(crc, data, len) : by_tables(crc, data, len);
}

uint32_t crc32c(const void *data, size_t len)
{
    return crc32c_more(0, data, len);
}
