/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/plog.h"

#include "base/mem.h"
#include "lab.h"
#include "test.h"

static void append(struct plog *l, const char *const *values, int n)
{
    struct buf b = {0};
    struct batch_iter it;
    struct batch x;
    lab_batch(&b, values, n);
    batch_iter_init(&it, b.data, b.len);
    CHECK_INT(batch_iter_next(&it, &x), BATCH_OK);
    plog_append(l, &x, 5, NULL);
    buf_free(&b);
}

static void fill(struct plog *l, int batches)
{
    const char *const two[] = {"one", "two"};
    for (int i = 0; i < batches; i++) {
        append(l, two, 2);
    }
}

/** Checks that a slice holds whole batches with offsets from `from`. @return how many. */
static int check_slice(const struct plog_slice *s, int64_t from)
{
    struct batch_iter it;
    struct batch b;
    int n = 0;
    batch_iter_init(&it, s->p, s->len);
    while (batch_iter_next(&it, &b) == BATCH_OK) {
        CHECK_INT(b.base_offset, from);
        CHECK_INT(b.leader_epoch, 5);
        from += b.last_offset_delta + 1;
        n++;
    }
    CHECK_INT(it.pos, s->len);
    CHECK_INT(s->next, from);
    return n;
}

TEST(an_empty_log_has_nothing)
{
    struct plog l = {0};
    int64_t offset, found;
    CHECK(!plog_read(&l, 0, 10, 1000, true).segment);
    CHECK(!plog_find_time(&l, 0, 10, &offset, &found));
    CHECK(!plog_find_max_time(&l, 10, &offset, &found));
    plog_free(&l);
}

TEST(all_that_was_appended_is_read_in_order_across_segments)
{
    struct plog l = {0};
    fill(&l, 5000);
    CHECK_INT(l.end, 10000);
    CHECK(l.segments.n > 3);
    int64_t at = 0;
    int n = 0;
    while (at < l.end) {
        struct plog_slice s = plog_read(&l, at, l.end, 1 << 20, true);
        CHECK(s.segment);
        n += check_slice(&s, at);
        at = s.next;
    }
    CHECK_INT(n, 5000);
    CHECK_INT(plog_size(&l, 0, l.end, SIZE_MAX),
              plog_size(&l, 0, 4000, SIZE_MAX) + plog_size(&l, 4000, l.end, SIZE_MAX));
    plog_free(&l);
}

TEST(every_offset_finds_its_batch)
{
    struct plog l = {0};
    fill(&l, 1000);
    for (int64_t at = 0; at < l.end; at++) {
        struct plog_slice s = plog_read(&l, at, l.end, 1, true);
        CHECK_INT(check_slice(&s, at - at % 2), 1);
    }
    CHECK(!plog_read(&l, l.end, l.end, 1000, true).segment);
    plog_free(&l);
}

TEST(a_limit_is_kept_but_for_the_first_batch)
{
    struct plog l = {0};
    fill(&l, 10);
    size_t one = plog_read(&l, 0, 2, 1000, true).len;
    struct plog_slice s = plog_read(&l, 0, l.end, 3 * one + 1, true);
    CHECK_INT(check_slice(&s, 0), 3);
    CHECK_INT(plog_read(&l, 0, l.end, 1, true).len, one);
    CHECK(!plog_read(&l, 0, l.end, one - 1, false).segment);
    s = plog_read(&l, 4, 8, 100000, true); /* the last stable offset */
    CHECK_INT(check_slice(&s, 4), 2);
    CHECK(!plog_read(&l, 4, 4, 1000, true).segment);
    plog_free(&l);
}

TEST(at_the_last_stable_offset_inside_a_batch_there_is_nothing)
{
    struct plog l = {0};
    fill(&l, 3);
    plog_trim(&l, 3); /* inside of an open transaction: the log's start is its last stable offset */
    CHECK(!plog_read(&l, 3, 3, 1000, true).segment);
    CHECK(!plog_read(&l, 4, 3, 1000, true).segment);
    struct plog_slice s = plog_read(&l, 3, 4, 1000, true);
    CHECK_INT(check_slice(&s, 2), 1);
    CHECK_INT(plog_batch_base(&l, 3), 2);
    CHECK_INT(plog_batch_base(&l, 4), 4);
    CHECK_INT(plog_batch_base(&l, 6), 6);
    plog_free(&l);
}

TEST(trimmed_segments_go_and_one_that_is_kept_stays_readable)
{
    struct plog l = {0};
    fill(&l, 5000);
    size_t before = l.bytes;
    struct plog_slice s = plog_read(&l, 0, l.end, 100, true);
    struct plog_segment *kept = plog_keep(s.segment);
    plog_trim(&l, 9001);
    CHECK_INT(l.start, 9001);
    CHECK(l.bytes < before);
    check_slice(&s, 0); /* the bytes are still there */
    plog_drop(kept);
    s = plog_read(&l, 9001, l.end, 1, true);
    CHECK_INT(check_slice(&s, 9000), 1);
    plog_trim(&l, l.end);
    CHECK(!plog_read(&l, l.end, l.end, 1000, true).segment);
    fill(&l, 1);
    s = plog_read(&l, 10000, l.end, 1000, true);
    CHECK_INT(check_slice(&s, 10000), 1);
    plog_free(&l);
}

TEST(records_are_found_by_time)
{
    struct plog l = {0};
    const char *const three[] = {"a", "b", "c"}; /* times 1000, 1001, 1002 */
    int64_t offset = -1, found = -1;
    append(&l, three, 3);
    append(&l, three, 3);
    CHECK(plog_find_time(&l, 1001, l.end, &offset, &found));
    CHECK_INT(offset, 1);
    CHECK_INT(found, 1001);
    CHECK(!plog_find_time(&l, 1003, l.end, &offset, &found));
    CHECK(!plog_find_time(&l, 1001, 1, &offset, &found));
    plog_trim(&l, 2);
    CHECK(plog_find_time(&l, 0, l.end, &offset, &found));
    CHECK_INT(offset, 2);
    CHECK(plog_find_max_time(&l, l.end, &offset, &found));
    CHECK_INT(found, 1002);
    plog_free(&l);
}

TEST(an_append_costs_at_most_what_was_said)
{
    struct plog l = {0};
    const char *const one[] = {"value"};
    for (int i = 0; i < 200; i++) {
        struct buf b = {0};
        lab_batch(&b, one, 1);
        size_t cost = plog_cost(&l, b.len), before = l.bytes;
        buf_free(&b);
        append(&l, one, 1);
        CHECK((int64_t)(l.bytes - before) <= (int64_t)cost);
        CHECK(cost > 0 || l.bytes == before);
    }
    plog_free(&l);
}

/** Appends batches of a value of that size; @return how many bytes were stored. */
static size_t append_large(struct plog *l, int batches, size_t size)
{
    char *value = xmalloc(size + 1);
    const char *const one[] = {value};
    size_t stored = 0;
    memset(value, 'x', size);
    value[size] = '\0';
    for (int i = 0; i < batches; i++) {
        append(l, one, 1);
        stored += size;
    }
    free(value);
    return stored;
}

TEST(a_full_segment_gives_its_rest_back)
{
    struct plog l = {0};
    enum { SIZE = 600 << 10, LAST = 1 << 20 };
    size_t stored = append_large(&l, 10, SIZE);
    CHECK(l.bytes >= stored);
    CHECK(l.bytes < stored + stored / 50 + LAST - SIZE);
    plog_free(&l);
}

TEST(a_segment_that_is_being_read_stays_where_it_is)
{
    struct plog l = {0};
    enum { SIZE = 600 << 10 };
    append_large(&l, 1, SIZE);
    struct plog_slice s = plog_read(&l, 0, l.end, SIZE_MAX, true);
    struct plog_segment *kept = plog_keep(s.segment);
    append_large(&l, 1, SIZE);
    CHECK(l.segments.items[0] == kept);
    CHECK_INT(s.p[s.len - 2], 'x');
    plog_drop(kept);
    plog_free(&l);
}

TEST(a_log_that_has_let_go_takes_over_the_buffer_of_a_large_batch)
{
    enum { SIZE = 300 << 10 };
    struct plog l = {0};
    struct buf b = {0};
    struct batch_iter it;
    struct batch x;
    char *value = xmalloc(SIZE + 1);
    const char *const one[] = {value};
    memset(value, 'x', SIZE);
    value[SIZE] = '\0';
    fill(&l, 100);
    plog_trim(&l, 150);
    buf_append(&b, "head", 4);
    lab_batch(&b, one, 1);
    b.data = xrealloc(b.data, b.len); /* a frame's buffer has no spare room */
    b.cap = b.len;
    const char *data = b.data;
    batch_iter_init(&it, b.data + 4, b.len - 4);
    CHECK_INT(batch_iter_next(&it, &x), BATCH_OK);
    size_t cap = b.cap;
    plog_append(&l, &x, 5, &b);
    CHECK(!b.data);
    CHECK(memcmp(data, "head", 4) == 0);
    CHECK_INT(l.segments.items[l.segments.n - 1]->kept.cap, cap);
    CHECK(l.bytes >= cap);
    struct plog_slice s = plog_read(&l, 200, l.end, SIZE_MAX, true);
    CHECK(s.p == (const uint8_t *)data + 4);
    CHECK_INT(check_slice(&s, 200), 1);
    fill(&l, 1); /* goes elsewhere */
    s = plog_read(&l, 201, l.end, SIZE_MAX, true);
    CHECK_INT(check_slice(&s, 201), 1);
    plog_free(&l);
    free(value);
}

TEST(whole_segments_may_leave_when_the_rest_is_enough_or_all_of_them_is_old)
{
    struct plog l = {0};
    CHECK_INT(plog_retained(&l, 0, INT64_MAX), 0);
    fill(&l, 1000);
    CHECK(l.segments.n > 4);
    size_t all = plog_size(&l, 0, l.end, SIZE_MAX);
    int64_t first = l.segments.items[0]->next;
    CHECK_INT(plog_retained(&l, SIZE_MAX, INT64_MIN), 0);
    CHECK_INT(plog_retained(&l, all, INT64_MIN), 0);
    size_t less = plog_size(&l, first, l.end, SIZE_MAX);
    CHECK_INT(plog_retained(&l, less + 1, INT64_MIN), 0);
    CHECK_INT(plog_retained(&l, less, INT64_MIN), first);
    CHECK_INT(plog_retained(&l, 0, INT64_MIN), l.end);
    int64_t newest = l.segments.items[0]->max_time;
    for (size_t i = 1; i < l.segments.n; i++) {
        l.segments.items[i]->max_time = newest + 1;
    }
    CHECK_INT(plog_retained(&l, SIZE_MAX, newest), 0);
    CHECK_INT(plog_retained(&l, SIZE_MAX, newest + 1), first);
    CHECK_INT(plog_retained(&l, SIZE_MAX, newest + 2), l.end);
    plog_free(&l);
}
