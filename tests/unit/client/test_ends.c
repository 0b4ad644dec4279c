/* SPDX-License-Identifier: Apache-2.0 */
/* Where a partition begins for its reader and where it ends: positions given with an assignment,
 * offsets by time, the news that the end was reached, a missing offset without a policy. */
#include <stdlib.h>

#include "base/mem.h"
#include "lab.h"
#include "test.h"

struct reader {
    struct consumer *c;
    const char *topic;
    bool gives; /**< positions with the assignment */
    int64_t first[2], last[2], end[2];
    int seen, error;
    struct client_partitions result;
    bool done;
};

static void take(void *arg, const struct message *m)
{
    struct reader *r = arg;
    int p = m->partition;
    r->first[p] = r->first[p] < 0 ? m->offset : r->first[p];
    r->last[p] = m->offset;
    r->seen++;
}

static void on_ready(void *arg)
{
    lab_take_each(((struct reader *)arg)->c, take, arg);
}

static void on_assign(void *arg, const struct consumer_rebalance *a)
{
    struct reader *r = arg;
    struct client_partitions ps = {0};
    client_partitions_add(&ps, r->topic, 0, 3);
    client_partitions_add(&ps, r->topic, 1, CLIENT_END);
    client_partitions_add(&ps, "of another topic", 0, 7);
    if (r->gives) {
        consumer_start_at(r->c, &ps);
    }
    client_partitions_free(&ps);
    consumer_answer(r->c);
}

static void on_error(void *arg, const struct err *e)
{
    ((struct reader *)arg)->error = e->code;
}

static void on_end(void *arg, const char *topic, int32_t partition, int64_t offset)
{
    struct reader *r = arg;
    CHECK_STR(topic, r->topic);
    r->end[partition] = offset;
}

static void on_result(void *arg, const struct client_partitions *ps, const struct err *e)
{
    struct reader *r = arg;
    CHECK_INT(e->kind, ERR_NONE);
    client_partitions_free(&r->result);
    r->result = client_partitions_copy(ps);
    r->done = true;
}

static void open_reader(struct reader *r, const char *topic, const char *policy, bool gives)
{
    struct err e = {0};
    struct conf conf = {0};
    *r = (struct reader){
        .topic = topic, .gives = gives, .first = {-1, -1}, .last = {-1, -1}, .end = {-1, -1}};
    conf_set(&conf, "auto.offset.reset", policy);
    conf_set(&conf, "enable.partition.eof", "true");
    struct consumer_setup setup = {.bootstrap = lab_bootstrap(),
                                   .group = lab_name("group"),
                                   .topics = &topic,
                                   .ntopics = 1,
                                   .conf = &conf};
    struct consumer_callbacks cb = {.arg = r,
                                    .on_ready = on_ready,
                                    .on_assign = on_assign,
                                    .on_error = on_error,
                                    .on_end = on_end};
    r->c = consumer_open(lab_loop, &setup, &cb, &e);
    CHECK(r->c);
    conf_free(&conf);
}

static void close_reader(struct reader *r)
{
    lab_close_consumer(r->c);
    client_partitions_free(&r->result);
}

static bool at_ends(void *arg)
{
    struct reader *r = arg;
    return r->end[0] == 10 && r->end[1] == 10 && r->last[0] == 9;
}

static bool is_done(void *arg)
{
    return ((struct reader *)arg)->done;
}

static bool has_error(void *arg)
{
    return ((struct reader *)arg)->error != 0;
}

static bool read_again(void *arg)
{
    return ((struct reader *)arg)->seen == 14;
}

/* And a rewind without a committed offset goes there again, not to where the policy says. */
TEST_LIMIT(an_assignment_starts_where_it_was_told, 60)
{
    const char *topic = lab_name("starts");
    struct reader r;
    lab_topic(topic, 2);
    lab_fill(topic, 2, 0, 20);
    open_reader(&r, topic, "earliest", true);
    lab_until(at_ends, &r, 20000, "both ends are told");
    CHECK_INT(r.first[0], 3);
    CHECK_INT(r.first[1], -1);
    CHECK_INT(r.seen, 7);
    consumer_rewind(r.c);
    lab_until(read_again, &r, 20000, "partition 0 is read again");
    CHECK_INT(r.last[0], 9);
    CHECK_INT(r.first[1], -1);
    close_reader(&r);
    lab_end();
}

TEST_LIMIT(offsets_are_found_by_time, 60)
{
    const char *topic = lab_name("times");
    struct reader r;
    struct client_partitions ps = {0};
    lab_topic(topic, 2);
    lab_fill(topic, 2, 0, 20);
    open_reader(&r, topic, "earliest", false);
    lab_until(at_ends, &r, 20000, "both ends are told");
    client_partitions_add(&ps, topic, 0, 1);
    client_partitions_add(&ps, topic, 1, (int64_t)4102444800000); /* the year 2100 */
    consumer_at_time(r.c, &ps, on_result, &r);
    CHECK(!r.done);
    lab_until(is_done, &r, 10000, "the call ends");
    CHECK_INT(client_partitions_find(&r.result, topic, 0)->offset, 0);
    CHECK_INT(client_partitions_find(&r.result, topic, 1)->offset, CLIENT_END);
    client_partitions_free(&ps);
    close_reader(&r);
    lab_end();
}

TEST_LIMIT(without_a_policy_a_missing_offset_is_told, 60)
{
    enum { AUTO_OFFSET_RESET = -140 };
    const char *topic = lab_name("none");
    struct reader r;
    lab_topic(topic, 2);
    lab_fill(topic, 2, 0, 20);
    open_reader(&r, topic, "error", false);
    lab_until(has_error, &r, 20000, "the error is told");
    CHECK_INT(r.error, AUTO_OFFSET_RESET);
    CHECK_INT(r.seen, 0);
    close_reader(&r);
    lab_end();
}
