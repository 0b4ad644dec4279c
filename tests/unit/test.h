/* SPDX-License-Identifier: Apache-2.0 */
/* The whole test framework: TEST(name) { ... } registers a case; each case runs in a process of its
 * own with a time limit; output is TAP. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_case {
    const char *name;
    void (*fn)(void);
    int limit_s;
    struct test_case *next;
};

void test_register(struct test_case *t);
_Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Reports the running case as skipped, with a reason that is printed. */
_Noreturn void test_skip(const char *why);
/** A fresh directory for the running case, removed afterwards; borrowed. */
const char *test_dir(void);
/** The next state of a generator that draws the same in every run; use its upper bits. */
void test_draw(uint64_t *state);

#define TEST_LIMIT(id, seconds)                                                                    \
    static void id(void);                                                                          \
    static struct test_case case_##id = {#id, id, seconds, NULL};                                  \
    __attribute__((constructor)) static void reg_##id(void)                                        \
    {                                                                                              \
        test_register(&case_##id);                                                                 \
    }                                                                                              \
    static void id(void)
#define TEST(id) TEST_LIMIT(id, 10)

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            test_fail(__FILE__, __LINE__, "%s", #cond);                                            \
    } while (0)
#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        long long g_ = (long long)(got), w_ = (long long)(want);                                   \
        if (g_ != w_)                                                                              \
            test_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, g_, w_);                   \
    } while (0)
#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *g_ = (got), *w_ = (want);                                                      \
        if (!g_ || strcmp(g_, w_) != 0)                                                            \
            test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #got, g_ ? g_ : "NULL", w_); \
    } while (0)
#define CHECK_HAS(got, part)                                                                       \
    do {                                                                                           \
        const char *g_ = (got), *p_ = (part);                                                      \
        if (!g_ || !strstr(g_, p_))                                                                \
            test_fail(__FILE__, __LINE__, "%s is \"%s\", without \"%s\"", #got, g_ ? g_ : "NULL",  \
                      p_);                                                                         \
    } while (0)
