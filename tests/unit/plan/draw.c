/* SPDX-License-Identifier: Apache-2.0 */
/* Draws: frozen vectors, rates, independence. */
#include "plan/draw.h"

#include <math.h>

#include "test.h"

enum { TRIALS = 20000 };

static struct draw_key key(int64_t offset)
{
    return (struct draw_key){"worker", "input", 2, offset, 1};
}

TEST(draws_are_frozen_for_ever)
{
    struct draw_key k = {"worker", "input", 2, 518, 1};
    struct plan_range r = {5000, 10000};
    char got[400];
    int n = 0;
    for (int f = 0; f < 4; f++) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
            n +=
                snprintf(got + n, sizeof got - (size_t)n, "%d%d,%d,%d ", draw_hit(seed, f, 0.5, &k),
                         draw_hit(seed, f, 0.02, &k), (int)draw_point(seed, f, 0xff, &k),
                         (int)draw_range(seed, f, "every", 7, r));
        }
    }
    CHECK_STR(got, "00,7,8001 00,7,5401 10,3,7823 00,0,5054 00,1,7110 11,0,6237 10,7,8336 "
                   "00,2,6118 10,2,7082 10,7,7479 00,7,5160 00,1,7423 ");
    CHECK_INT(draw_index(0x1d0f3c5a77e2b941, 3, "who", 17, 1000000), 226601);
    CHECK_INT(draw_index(UINT64_MAX, 0, "", 0, UINT64_MAX) >> 1, 4282728966764489711);
}

/* Is hits out of n within 5 standard deviations of a rate p? */
static void check_rate(int hits, int n, double p)
{
    double off = fabs(hits - n * p), sd = sqrt(n * p * (1 - p));
    if (off > 5 * sd) {
        test_fail(__FILE__, __LINE__, "%d of %d hits at p = %g: %.1f deviations", hits, n, p,
                  off / sd);
    }
}

TEST(rates_are_binomial)
{
    static const double ps[] = {0.001, 0.02, 0.1, 0.5, 0.98};
    for (size_t i = 0; i < sizeof ps / sizeof *ps; i++) {
        for (uint64_t seed = 10; seed < 15; seed++) {
            int hits = 0;
            for (int64_t o = 0; o < TRIALS; o++) {
                struct draw_key k = key(o);
                hits += draw_hit(seed, 0, ps[i], &k);
            }
            check_rate(hits, TRIALS, ps[i]);
        }
    }
}

TEST(never_at_0_and_always_at_1)
{
    for (int64_t o = 0; o < TRIALS; o++) {
        struct draw_key k = key(o);
        CHECK(!draw_hit(7, 0, 0.0, &k));
        CHECK(draw_hit(7, 0, 1.0, &k));
    }
}

TEST(a_hit_at_a_small_p_is_a_hit_at_a_larger_one)
{
    for (int64_t o = 0; o < TRIALS; o++) {
        struct draw_key k = key(o);
        CHECK(!draw_hit(7, 0, 0.01, &k) || draw_hit(7, 0, 0.02, &k));
    }
}

/* Counts how often two draws agree at p = 0.5. */
static void check_independent(int fault_a, int fault_b, uint32_t delivery_b, const char *role_b)
{
    int both = 0;
    for (int64_t o = 0; o < TRIALS; o++) {
        struct draw_key a = key(o), b = {role_b, "input", 2, o, delivery_b};
        both += draw_hit(99, fault_a, 0.5, &a) == draw_hit(99, fault_b, 0.5, &b);
    }
    check_rate(both, TRIALS, 0.5);
}

TEST(faults_deliveries_and_roles_are_independent)
{
    check_independent(0, 1, 1, "worker");
    check_independent(1, 2, 1, "worker");
    check_independent(0, 0, 2, "worker");
    check_independent(0, 0, 1, "reader");
}

TEST(neighbouring_seeds_are_independent)
{
    int same = 0;
    for (int64_t o = 0; o < TRIALS; o++) {
        struct draw_key k = key(o);
        same += draw_hit(1, 0, 0.5, &k) == draw_hit(2, 0, 0.5, &k);
    }
    check_rate(same, TRIALS, 0.5);
}

TEST(topic_and_role_do_not_run_into_each_other)
{
    int same = 0;
    for (int64_t o = 0; o < TRIALS; o++) {
        struct draw_key a = {"ab", "c", 0, o, 1}, b = {"a", "bc", 0, o, 1};
        same += draw_hit(5, 0, 0.5, &a) == draw_hit(5, 0, 0.5, &b);
    }
    check_rate(same, TRIALS, 0.5);
}

TEST(points_are_drawn_evenly_from_the_set)
{
    int seen[POINT_N] = {0};
    uint32_t set = 1u << POINT_BEFORE_SEND | 1u << POINT_AFTER_COMMIT | 1u << POINT_IN_ON_REVOKE;
    for (int64_t o = 0; o < TRIALS; o++) {
        struct draw_key k = key(o);
        seen[draw_point(3, 1, set, &k)]++;
    }
    for (int p = 0; p < POINT_N; p++) {
        if (set & 1u << p) {
            check_rate(seen[p], TRIALS, 1.0 / 3);
        } else {
            CHECK_INT(seen[p], 0);
        }
    }
}

TEST(the_point_does_not_depend_on_the_hit)
{
    int hits = 0, first = 0;
    for (int64_t o = 0; o < 20 * TRIALS; o++) {
        struct draw_key k = key(o);
        if (draw_hit(3, 0, 0.05, &k)) {
            hits++;
            first += draw_point(3, 0, 0x3, &k) == POINT_AFTER_POLL;
        }
    }
    check_rate(first, hits, 0.5);
}

TEST(ranges_reach_both_ends_and_stay_inside)
{
    struct plan_range r = {10, 14};
    int seen[5] = {0};
    for (uint64_t n = 0; n < TRIALS; n++) {
        int64_t v = draw_range(11, 2, "hold", n, r);
        CHECK(v >= 10 && v <= 14);
        seen[v - 10]++;
    }
    for (int i = 0; i < 5; i++) {
        check_rate(seen[i], TRIALS, 0.2);
    }
    CHECK_INT(draw_range(11, 2, "hold", 1, (struct plan_range){42, 42}), 42);
    CHECK_INT(draw_range(11, 2, "hold", 1, (struct plan_range){-1, -1}), -1);
}

TEST(purposes_are_independent)
{
    int same = 0;
    for (uint64_t n = 0; n < TRIALS; n++) {
        same += draw_index(1, 0, "every", n, 2) == draw_index(1, 0, "hold", n, 2);
    }
    check_rate(same, TRIALS, 0.5);
}

TEST(each_block_of_a_mix_is_whole)
{
    enum { FAULTS = 5, BLOCKS = 200 };
    int on = 0, full = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        for (uint64_t b = 0; b < BLOCKS; b++) {
            int seen[FAULTS] = {0}, calm = 0;
            for (uint64_t p = b * PLAN_MIX_BLOCK; p < (b + 1) * PLAN_MIX_BLOCK; p++) {
                int n = 0;
                for (int f = 0; f < FAULTS; f++) {
                    bool hit = draw_mix(seed, 0, f, p);
                    CHECK_INT(hit, draw_mix(seed, 0, f, p));
                    seen[f] += hit;
                    n += hit;
                }
                calm += n == 0;
                full += n == FAULTS;
                on += n;
            }
            CHECK(calm >= 1);
            for (int f = 0; f < FAULTS; f++) {
                CHECK(seen[f] >= 1 && seen[f] <= PLAN_MIX_BLOCK - 1);
            }
        }
    }
    /* in each of the three periods that are not calm: 1/3 + 2/3 * 1/2 */
    check_rate(on, 5 * BLOCKS * 3 * FAULTS, 2.0 / 3);
    CHECK(full > 0); /* combinations of all happen too */
}

TEST(mixes_differ_between_seeds_and_are_frozen)
{
    char got[200];
    int n = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        for (uint64_t p = 0; p < 8; p++) {
            n += snprintf(got + n, sizeof got - (size_t)n, "%d%d", draw_mix(seed, 0, 0, p),
                          draw_mix(seed, 0, 1, p));
        }
        n += snprintf(got + n, sizeof got - (size_t)n, " ");
    }
    CHECK_STR(got, "0100100100110101 1001000101101000 1111100011001001 ");
}
