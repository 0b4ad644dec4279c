/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/pstate.h"

#include "test.h"
#include "wire/kafka_error.h"

static struct batch made(int16_t epoch, int32_t seq, int32_t count, bool txn)
{
    return (struct batch){.producer_id = 7,
                          .producer_epoch = epoch,
                          .base_sequence = seq,
                          .last_offset_delta = count - 1,
                          .count = count,
                          .transactional = txn,
                          .max_timestamp = 1000};
}

static int check(const struct pstate *s, int16_t epoch, int32_t seq)
{
    struct batch b = made(epoch, seq, 1, false);
    return pstate_check(s, &b);
}

static void append(struct pstate *s, int16_t epoch, int32_t seq, int32_t count, bool txn,
                   int64_t base)
{
    struct batch b = made(epoch, seq, count, txn);
    pstate_append(s, &b, base, 0);
}

TEST(the_last_five_batches_are_known_again)
{
    struct pstate s = {0};
    for (int i = 0; i < 6; i++) {
        append(&s, 0, i, 1, false, 100 + i);
    }
    for (int i = 1; i < 6; i++) {
        struct batch b = made(0, i, 1, false);
        CHECK(pstate_duplicate(&s, &b));
        CHECK_INT(pstate_duplicate(&s, &b)->first_offset, 100 + i);
    }
    struct batch old = made(0, 0, 1, false), longer = made(0, 4, 2, false),
                 other = made(1, 5, 1, false);
    CHECK(!pstate_duplicate(&s, &old));
    CHECK_INT(pstate_check(&s, &old), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK(!pstate_duplicate(&s, &longer));
    CHECK(!pstate_duplicate(&s, &other));
    pstate_free(&s);
}

TEST(sequences_follow_each_other_and_wrap)
{
    struct pstate s = {0};
    CHECK_INT(check(&s, 0, 9), KAFKA_NONE); /* nothing is known */
    append(&s, 0, INT32_MAX - 1, 2, false, 0);
    CHECK_INT(check(&s, 0, 0), KAFKA_NONE);
    CHECK_INT(check(&s, 0, 1), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    append(&s, 0, INT32_MAX, 3, false, 0);
    CHECK_INT(check(&s, 0, 2), KAFKA_NONE);
    pstate_free(&s);
}

TEST(epochs_only_grow_and_begin_at_sequence_zero)
{
    struct pstate s = {0};
    append(&s, 3, 0, 1, false, 0);
    CHECK_INT(check(&s, 2, 1), KAFKA_INVALID_PRODUCER_EPOCH);
    CHECK_INT(check(&s, 4, 1), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(check(&s, 4, 0), KAFKA_NONE);
    pstate_marker(&s, 7, 5, false, 0, 10, 0, 0);
    CHECK_INT(check(&s, 4, 0), KAFKA_INVALID_PRODUCER_EPOCH);
    CHECK_INT(check(&s, 5, 0), KAFKA_NONE);
    pstate_free(&s);
}

TEST(an_attempt_that_was_refused_is_remembered)
{
    struct pstate s = {0};
    pstate_note_attempt(&s, 7, 0, 0, false);
    CHECK_INT(check(&s, 0, 9), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(check(&s, 0, 0), KAFKA_NONE);
    append(&s, 0, 0, 1, false, 0); /* outside of transactions: nothing has come of the attempt */
    CHECK_INT(check(&s, 0, 1), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    append(&s, 0, 0, 1, true, 1);
    pstate_marker(&s, 7, 0, true, 0, 2, 0, 0);
    CHECK_INT(check(&s, 0, 1), KAFKA_NONE);
    pstate_free(&s);
}

TEST(a_client_of_transaction_version_2_begins_with_sequence_0)
{
    struct pstate s = {0};
    pstate_note_attempt(&s, 7, 0, 9, false);
    CHECK_INT(check(&s, 0, 9), KAFKA_NONE); /* an older one need not */
    pstate_free(&s);
    pstate_note_attempt(&s, 7, 0, 9, true);
    CHECK_INT(check(&s, 0, 9), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    pstate_note_attempt(&s, 7, 0, 0, true);
    CHECK_INT(check(&s, 0, 0), KAFKA_NONE);
    append(&s, 0, 0, 1, true, 0);
    pstate_marker(&s, 7, 0, true, 0, 1, 0, 0);
    CHECK_INT(check(&s, 0, 1), KAFKA_NONE);
    pstate_free(&s);
}

TEST(open_transactions_hold_the_oldest_offset_and_aborts_are_listed_as_they_end)
{
    struct pstate s = {0};
    struct batch other = made(0, 0, 1, true);
    CHECK_INT(pstate_first_open(&s), -1);
    append(&s, 0, 0, 1, true, 10);
    append(&s, 0, 1, 1, true, 12);
    other.producer_id = 8;
    pstate_append(&s, &other, 11, 0);
    CHECK_INT(pstate_first_open(&s), 10);
    CHECK(pstate_in_txn(&s, 7, 0) && !pstate_in_txn(&s, 7, 1));
    CHECK_INT(check(&s, 0, 2), KAFKA_INVALID_TXN_STATE); /* without the transactional bit */
    pstate_marker(&s, 8, 0, false, 0, 13, 0, 0);
    CHECK_INT(pstate_first_open(&s), 10);
    pstate_marker(&s, 7, 0, false, 0, 14, 0, 0);
    CHECK_INT(pstate_first_open(&s), -1);
    CHECK_INT(s.aborted.n, 2);
    CHECK_INT(s.aborted.items[0].producer_id, 8);
    CHECK_INT(s.aborted.items[1].first, 10);
    pstate_marker(&s, 7, 0, false, 0, 15, 0, 0); /* nothing is open */
    CHECK_INT(s.aborted.n, 2);
    pstate_free(&s);
}

TEST(aborted_transactions_below_the_log_are_forgotten)
{
    struct pstate s = {0};
    for (int i = 0; i < 5; i++) { /* aborted: 0-9, 10-19, ... */
        append(&s, 0, i, 1, true, 10 * i);
        pstate_marker(&s, 7, 0, false, 0, 10 * i + 9, 0, 0);
    }
    CHECK_INT(pstate_aborted_from(&s, 0), 0);
    CHECK_INT(pstate_aborted_from(&s, 9), 0);
    CHECK_INT(pstate_aborted_from(&s, 10), 1);
    CHECK_INT(pstate_aborted_from(&s, 50), 5);
    pstate_trim(&s, 9); /* the first marker is still there */
    CHECK_INT(s.aborted.n, 5);
    pstate_trim(&s, 25);
    CHECK_INT(s.aborted.n, 3);
    CHECK_INT(s.aborted.items[0].first, 20);
    CHECK_INT(s.aborted.items[2].last, 49);
    pstate_trim(&s, 50);
    CHECK_INT(s.aborted.n, 0);
    append(&s, 0, 5, 1, true, 50);
    pstate_marker(&s, 7, 0, false, 0, 51, 0, 0);
    CHECK_INT(s.aborted.items[0].first, 50);
    pstate_free(&s);
}

TEST(silent_producers_are_forgotten_but_not_inside_a_transaction)
{
    struct pstate s = {0};
    struct batch other = made(0, 0, 1, true);
    append(&s, 5, 0, 1, false, 0);
    other.producer_id = 8;
    pstate_append(&s, &other, 1, 0);
    pstate_expire(&s, 100);
    CHECK(!pstate_find(&s, 7) && pstate_find(&s, 8));
    CHECK_INT(check(&s, 1, 9), KAFKA_NONE); /* an older epoch, any sequence */
    append(&s, 1, 9, 1, false, 2);
    CHECK_INT(pstate_find(&s, 7)->epoch, 1);
    pstate_free(&s);
}
