/* SPDX-License-Identifier: Apache-2.0 */
/* What the members of a program's group are assigned: bytes that a client made. */
#include "audit/watch_priv.h"
#include "test.h"

/* version 0; input: 0, 2; empty: none; output: 1 */
static const uint8_t good[] = "\0\0\0\0\0\3"
                              "\0\5input\0\0\0\2\0\0\0\0\0\0\0\2"
                              "\0\5empty\0\0\0\0"
                              "\0\6output\0\0\0\1\0\0\0\1"
                              "\0\0\0\0";
enum { GOOD = sizeof good - 1 };

TEST(assigned_topics_are_those_with_partitions)
{
    struct plan_strings topics = {0};
    CHECK_INT(watch_assigned_topics(good, GOOD, &topics), 2);
    CHECK_INT(watch_assigned_topics(good, GOOD, &topics), 2);
    CHECK_INT(topics.n, 2);
    CHECK_STR(topics.items[0], "input");
    CHECK_STR(topics.items[1], "output");
    plan_strings_free(&topics);
}

TEST(nothing_is_read_behind_the_end_of_an_assignment)
{
    for (size_t len = 0; len < GOOD; len++) {
        struct plan_strings topics = {0};
        uint8_t *exact = malloc(len ? len : 1); /* a reader beyond it is seen by ASan */
        memcpy(exact, good, len);
        CHECK(watch_assigned_topics(exact, len, &topics) <= 2);
        CHECK_INT(topics.n, len < 25 ? 0 : len < 52 ? 1 : 2);
        free(exact);
        plan_strings_free(&topics);
    }
    struct plan_strings topics = {0};
    CHECK_INT(watch_assigned_topics(NULL, 0, &topics), 0);
    plan_strings_free(&topics);
}

TEST(senseless_numbers_in_an_assignment_end_its_reading)
{
    static const uint8_t bad[][13] = {
        "\0\0\0\0\0\1\0\0\0\0\0\1",        /* a name of no bytes */
        "\0\0\0\0\0\1\377\377\0\0\0\1",    /* a negative one */
        "\0\0\377\377\377\377\0\1x\0\0\0", /* a negative number of topics */
        "\0\0\0\0\0\1\0\1x\177\377\377",   /* cut */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct plan_strings topics = {0};
        CHECK_INT(watch_assigned_topics(bad[i], 12, &topics), 0);
        CHECK_INT(topics.n, 0);
        plan_strings_free(&topics);
    }
    static const uint8_t many[] = "\0\0\0\0\0\1\0\1x\177\377\377\377\0\0\0\1";
    struct plan_strings topics = {0};
    CHECK_INT(watch_assigned_topics(many, sizeof many - 1, &topics), 0);
    plan_strings_free(&topics);
}
