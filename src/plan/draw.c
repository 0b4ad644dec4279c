/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions as pure functions of (seed, purpose, key): see draw.h. Each kind of decision folds its
 * own word into the hash first, so that decisions about the same record are independent of one
 * another. Test vectors are frozen: a change here changes what every stored seed means. Any thread.
 */
#include "plan/draw.h"

#include <assert.h>

#include "base/hash.h"

static uint64_t start(uint64_t seed, const char *purpose, int fault)
{
    return hash_mix(hash_str(seed, purpose), (uint64_t)fault);
}

static uint64_t record(uint64_t h, const struct draw_key *k)
{
    h = hash_str(h, k->role);
    h = hash_str(h, k->topic);
    h = hash_mix(h, (uint64_t)(int64_t)k->partition);
    h = hash_mix(h, (uint64_t)k->offset);
    return hash_mix(h, k->delivery);
}

bool draw_hit(uint64_t seed, int fault, double p, const struct draw_key *k)
{
    return hash_unit(record(start(seed, "hit", fault), k)) < p;
}

enum plan_point draw_point(uint64_t seed, int fault, uint32_t points, const struct draw_key *k)
{
    assert(points != 0 && points < 1u << POINT_N);
    int n = __builtin_popcount(points);
    int nth = (int)(record(start(seed, "point", fault), k) % (unsigned)n);
    int p = 0;
    for (; p < POINT_N; p++) {
        if ((points & 1u << p) && nth-- == 0) {
            break;
        }
    }
    return (enum plan_point)p;
}

int64_t draw_range(uint64_t seed, int fault, const char *purpose, uint64_t n, struct plan_range r)
{
    if (r.max_ms <= r.min_ms) {
        return r.min_ms;
    }
    uint64_t width = (uint64_t)(r.max_ms - r.min_ms) + 1;
    return r.min_ms + (int64_t)draw_index(seed, fault, purpose, n, width);
}

uint64_t draw_index(uint64_t seed, int fault, const char *purpose, uint64_t k, uint64_t n)
{
    assert(n > 0);
    return hash_mix(start(seed, purpose, fault), k) % n;
}

bool draw_mix(uint64_t seed, int mix, int fault, uint64_t period)
{
    uint64_t block = period / PLAN_MIX_BLOCK, at = period % PLAN_MIX_BLOCK;
    uint64_t calm = draw_index(seed, mix, "calm period", block, PLAN_MIX_BLOCK);
    if (at == calm) {
        return false;
    }
    uint64_t home = draw_index(seed, fault, "home period", block, PLAN_MIX_BLOCK - 1);
    return at - (at > calm) == home || draw_index(seed, fault, "mixed in", period, 2) == 0;
}
