/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes of transactions by the markers of a log that is made here. */
#include "test.h"

#include "audit/outcome.h"

struct log {
    struct buf bytes;
    int64_t end;
};

static void data(struct log *l, int64_t pid, int16_t epoch, bool transactional, int n)
{
    struct record r[8] = {0};
    struct err e = {0};
    for (int i = 0; i < n; i++) {
        r[i] = (struct record){.timestamp = 1000 + i, .value_len = -1, .key_len = -1};
    }
    struct batch_opts o = {.base_offset = l->end,
                           .codec = CODEC_LZ4,
                           .transactional = transactional,
                           .producer_id = pid,
                           .producer_epoch = epoch};
    CHECK_INT(batch_write(&l->bytes, &o, r, n, &e), 0);
    l->end += n;
}

static void control(struct log *l, int64_t pid, int16_t epoch, int16_t type)
{
    const uint8_t key[4] = {0, 0, 0, (uint8_t)type}, value[6] = {0};
    struct record r = {.timestamp = 1000, .key = key, .key_len = 4, .value = value, .value_len = 6};
    struct err e = {0};
    struct batch_opts o = {.base_offset = l->end,
                           .transactional = true,
                           .control = true,
                           .producer_id = pid,
                           .producer_epoch = epoch,
                           .base_sequence = -1};
    CHECK_INT(batch_write(&l->bytes, &o, &r, 1, &e), 0);
    l->end++;
}

/** Outcomes of all data batches, a digit each; asked for in log order. */
static const char *outcomes_of(struct log *l, int64_t *first_open)
{
    static char text[32];
    struct outcomes o = {0};
    struct batch_iter it;
    struct batch b;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        batch_iter_init(&it, l->bytes.data, l->bytes.len);
        while (batch_iter_next(&it, &b) != BATCH_END) {
            if (pass == 0) {
                outcomes_add(&o, &b);
            } else if (!b.control) {
                text[n++] = (char)('0' + outcomes_get(&o, &b));
            }
        }
    }
    text[n] = '\0';
    *first_open = outcomes_first_open(&o);
    outcomes_free(&o);
    buf_free(&l->bytes);
    return text;
}

#define CHECK_OUTCOMES(want, first)                                                                \
    do {                                                                                           \
        int64_t open_;                                                                             \
        CHECK_STR(outcomes_of(&l, &open_), want);                                                  \
        CHECK_INT(open_, first);                                                                   \
    } while (0)

TEST(records_without_transaction_have_no_outcome)
{
    struct log l = {0};
    data(&l, -1, -1, false, 2);
    data(&l, 5, 0, false, 2);
    control(&l, 5, 0, CONTROL_ABORT);
    CHECK_OUTCOMES("00", -1);
}

TEST(a_marker_ends_all_open_batches_of_its_producer)
{
    struct log l = {0};
    data(&l, 5, 0, true, 2);
    data(&l, 5, 0, true, 1);
    control(&l, 5, 0, CONTROL_COMMIT);
    data(&l, 5, 0, true, 1);
    control(&l, 5, 0, CONTROL_ABORT);
    data(&l, 5, 0, true, 1);
    CHECK_OUTCOMES("1123", 6);
}

TEST(producers_interleave_without_touching_each_other)
{
    struct log l = {0};
    data(&l, 5, 0, true, 1);
    data(&l, 6, 0, true, 1);
    data(&l, 7, 3, true, 1);
    data(&l, 5, 0, true, 1);
    control(&l, 6, 0, CONTROL_ABORT);
    data(&l, 6, 0, true, 1);
    control(&l, 5, 0, CONTROL_COMMIT);
    control(&l, 6, 0, CONTROL_COMMIT);
    CHECK_OUTCOMES("12311", 2);
}

TEST(an_abort_by_init_or_timeout_carries_the_next_epoch)
{
    struct log l = {0};
    data(&l, 5, 4, true, 1);
    control(&l, 5, 5, CONTROL_ABORT);
    data(&l, 5, 6, true, 1);
    control(&l, 5, 7, CONTROL_COMMIT);
    CHECK_OUTCOMES("21", -1);
}

TEST(a_marker_of_a_lower_epoch_ends_nothing)
{
    struct log l = {0};
    data(&l, 5, 4, true, 1);
    data(&l, 5, 6, true, 1);
    data(&l, 5, 4, true, 1);
    control(&l, 5, 5, CONTROL_ABORT);
    data(&l, 5, 6, true, 1);
    CHECK_OUTCOMES("2323", 1);
}

TEST(what_stayed_open_is_ended_by_a_later_marker)
{
    struct log l = {0};
    data(&l, 5, 6, true, 1);
    data(&l, 5, 4, true, 1);
    data(&l, 5, 7, true, 1);
    control(&l, 5, 4, CONTROL_COMMIT);
    control(&l, 5, 6, CONTROL_ABORT);
    control(&l, 5, 7, CONTROL_COMMIT);
    CHECK_OUTCOMES("211", -1);
}

TEST(repeated_markers_and_markers_without_data_change_nothing)
{
    struct log l = {0};
    control(&l, 5, 0, CONTROL_COMMIT);
    data(&l, 5, 0, true, 1);
    control(&l, 9, 0, CONTROL_ABORT);
    control(&l, 5, 0, CONTROL_COMMIT);
    control(&l, 5, 0, CONTROL_COMMIT);
    control(&l, 5, 1, CONTROL_ABORT);
    data(&l, 5, 1, true, 1);
    CHECK_OUTCOMES("13", 6);
}

TEST(other_control_records_end_nothing)
{
    struct log l = {0};
    data(&l, 5, 0, true, 1);
    control(&l, 5, 0, 2);
    CHECK_OUTCOMES("3", 0);
}

TEST(a_damaged_marker_ends_nothing)
{
    struct log l = {0};
    data(&l, 5, 0, true, 1);
    control(&l, 5, 0, CONTROL_COMMIT);
    l.bytes.data[l.bytes.len - 1] ^= 1;
    data(&l, 5, 0, true, 1);
    control(&l, 5, 0, CONTROL_ABORT);
    CHECK_OUTCOMES("22", -1);
}

TEST(a_marker_says_how_many_batches_it_commits)
{
    struct log l = {0};
    struct outcomes o = {0};
    struct batch_iter it;
    struct batch b;
    const size_t want[] = {0, 0, 2, 0, 0};
    size_t at = 0;
    data(&l, 5, 0, true, 1);
    data(&l, 5, 0, true, 1);
    control(&l, 5, 0, CONTROL_COMMIT);
    data(&l, 5, 0, true, 1);
    control(&l, 5, 0, CONTROL_ABORT);
    batch_iter_init(&it, l.bytes.data, l.bytes.len);
    while (batch_iter_next(&it, &b) == BATCH_OK) {
        CHECK_INT(outcomes_add(&o, &b), want[at++]);
    }
    CHECK_INT(at, 5);
    outcomes_free(&o);
    buf_free(&l.bytes);
}

TEST(a_batch_that_was_never_seen_is_open)
{
    struct log l = {0};
    struct outcomes o = {0};
    struct batch_iter it;
    struct batch b;
    data(&l, 5, 0, true, 1);
    batch_iter_init(&it, l.bytes.data, l.bytes.len);
    CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
    CHECK_INT(outcomes_get(&o, &b), OUTCOME_OPEN);
    outcomes_add(&o, &b);
    CHECK_INT(outcomes_get(&o, &b), OUTCOME_OPEN);
    CHECK_INT(outcomes_get(&o, &b), OUTCOME_OPEN);
    outcomes_free(&o);
    buf_free(&l.bytes);
}
