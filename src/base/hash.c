/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a over bytes with a splitmix64 finaliser: small, portable, well spread. */
#include "base/hash.h"

#include <string.h>

static uint64_t finish(uint64_t h)
{
    h ^= h >> 30;
    h *= 0xbf58476d1ce4e5b9u;
    h ^= h >> 27;
    h *= 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

uint64_t hash_bytes(uint64_t seed, const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t h = 0xcbf29ce484222325u ^ finish(seed + 0x9e3779b97f4a7c15u);
    for (size_t i = 0; i < len; i++) {
        h = (h ^ p[i]) * 0x100000001b3u;
    }
    return finish(h ^ len);
}

uint64_t hash_str(uint64_t seed, const char *s)
{
    return hash_bytes(seed, s, strlen(s));
}

uint64_t hash_mix(uint64_t h, uint64_t value)
{
    return finish(h * 0x9e3779b97f4a7c15u + finish(value + 0x632be59bd9b4e019u));
}

double hash_unit(uint64_t h)
{
    return (double)(h >> 11) * 0x1p-53;
}
