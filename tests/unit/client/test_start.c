/* SPDX-License-Identifier: Apache-2.0 */
/* A member begins where its group stands, also when it asked while a transaction held the offsets
 * and its assignment changed before the answer: there librdkafka begins at auto.offset.reset. */
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lab.h"
#include "test.h"

enum { RECORDS = 10, STANDS = 6 };

struct member {
    struct consumer *c;
    size_t assigned;
    int64_t first, last; /* offsets taken; -1 = none */
    int64_t end;         /* told last; -1 = none */
    int seeks;
};

static void take(void *arg, const struct message *got)
{
    struct member *m = arg;
    m->first = m->first < 0 ? got->offset : m->first;
    m->last = got->offset;
}

static void on_ready(void *arg)
{
    lab_take_each(((struct member *)arg)->c, take, arg);
}

static void on_assign(void *arg, const struct consumer_rebalance *r)
{
    struct member *m = arg;
    m->assigned += r->partitions->n;
    consumer_answer(m->c);
}

static void on_taken(void *arg, const struct consumer_rebalance *r)
{
    struct member *m = arg;
    m->assigned -= r->partitions->n;
    consumer_answer(m->c);
}

static void on_seek(void *arg, const struct consumer_seek *s)
{
    struct member *m = arg;
    CHECK_INT(s->code, 0);
    CHECK_INT(s->why, CONSUMER_SEEK_START);
    CHECK_INT(s->to, STANDS);
    m->seeks++;
}

static void on_end(void *arg, const char *topic, int32_t partition, int64_t offset)
{
    ((struct member *)arg)->end = offset;
}

static void join(struct member *m, const char *group, const char *topic, const char *policy)
{
    struct err e = {0};
    struct conf conf = {0};
    *m = (struct member){.first = -1, .last = -1, .end = -1};
    conf_set(&conf, "partition.assignment.strategy", "cooperative-sticky");
    conf_set(&conf, "auto.offset.reset", policy);
    conf_set(&conf, "enable.partition.eof", "true");
    struct consumer_setup setup = {.bootstrap = lab_bootstrap(),
                                   .group = group,
                                   .topics = &topic,
                                   .ntopics = 1,
                                   .conf = &conf};
    struct consumer_callbacks cb = {.arg = m,
                                    .on_ready = on_ready,
                                    .on_assign = on_assign,
                                    .on_revoke = on_taken,
                                    .on_lost = on_taken,
                                    .on_seek = on_seek,
                                    .on_end = on_end};
    m->c = consumer_open(lab_loop, &setup, &cb, &e);
    CHECK(m->c);
    conf_free(&conf);
}

/* ---- a transaction that holds the offsets ---- */

static void must(rd_kafka_error_t *error)
{
    if (error)
        test_fail(__FILE__, __LINE__, "%s", rd_kafka_error_string(error));
}

static rd_kafka_t *pend(const char *group, const char *topic, int partitions, int64_t offset)
{
    rd_kafka_t *rk = lab_handle(lab_name("pend"));
    must(rd_kafka_init_transactions(rk, 20000));
    must(rd_kafka_begin_transaction(rk));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = offset;
    rd_kafka_consumer_group_metadata_t *md = rd_kafka_consumer_group_metadata_new(group);
    must(rd_kafka_send_offsets_to_transaction(rk, list, md, 20000));
    rd_kafka_consumer_group_metadata_destroy(md);
    rd_kafka_topic_partition_list_destroy(list);
    return rk;
}

static void commit(rd_kafka_t *rk)
{
    must(rd_kafka_commit_transaction(rk, 20000));
    rd_kafka_destroy(rk);
}

static bool has_two(void *arg)
{
    return ((struct member *)arg)->assigned == 2;
}

static bool one_each(void *arg)
{
    struct member *m = arg;
    return m[0].assigned == 1 && m[1].assigned == 1;
}

static bool at_ends(void *arg)
{
    struct member *m = arg;
    return m[0].last == RECORDS && m[1].last == RECORDS;
}

/* One partition goes to the second member while the first waits for the offsets of both. */
static void begin_during_a_rebalance(const char *policy)
{
    const char *topic = lab_name("start"), *group = lab_name("group");
    struct member m[2];
    lab_topic(topic, 2);
    lab_fill(topic, 2, 0, 2 * RECORDS);
    rd_kafka_t *txn = pend(group, topic, 2, STANDS);
    join(&m[0], group, topic, policy);
    lab_until(has_two, &m[0], 20000, "both partitions");
    join(&m[1], group, topic, policy);
    lab_until(one_each, m, 20000, "one partition each");
    lab_fill(topic, 2, 2 * RECORDS, 2);
    lab_run(300);
    CHECK_INT(m[0].first, -1);
    CHECK_INT(m[1].first, -1);
    commit(txn);
    lab_until(at_ends, m, 20000, "the last records");
    CHECK_INT(m[0].first, STANDS);
    CHECK_INT(m[1].first, STANDS);
    CHECK(m[0].seeks <= 1); /* none with a client that does it right */
    CHECK_INT(m[1].seeks, 0);
    lab_close_consumer(m[0].c);
    lab_close_consumer(m[1].c);
    lab_end();
}

TEST_LIMIT(a_member_begins_where_its_group_stands_earliest, 90)
{
    begin_during_a_rebalance("earliest");
}

TEST_LIMIT(a_member_begins_where_its_group_stands_latest, 90)
{
    begin_during_a_rebalance("latest");
}

/* ---- a position that librdkafka leaves ---- */

static bool took_all(void *arg)
{
    return ((struct member *)arg)->last == RECORDS - 1;
}

static void on_any_seek(void *arg, const struct consumer_seek *s)
{
    struct member *m = arg;
    CHECK_INT(s->code, 0);
    if (s->why == CONSUMER_SEEK_ROLE)
        m->last = s->to - 1;
    else
        CHECK_INT(s->to, m->last + 1);
    m->seeks += s->why != CONSUMER_SEEK_ROLE;
}

static void take_next(void *arg, const struct message *got)
{
    struct member *m = arg;
    CHECK(m->last < 0 || got->offset == m->last + 1);
    m->last = got->offset;
}

static void on_next(void *arg)
{
    lab_take_each(((struct member *)arg)->c, take_next, arg);
}

static void seek_to(struct member *m, const char *topic, int64_t offset)
{
    struct client_partitions ps = {0};
    client_partitions_add(&ps, topic, 1, offset);
    consumer_seek(m->c, &ps, NULL, NULL);
    client_partitions_free(&ps);
}

/* The question where the second partition begins waits behind a Fetch of the first, and the
 * position is set meanwhile: librdkafka 2.0.2 asks once more half a second later, and goes there.
 */
TEST_LIMIT(a_position_is_kept_when_librdkafka_leaves_it, 90)
{
    enum { ASKED = 250, LATER = 2000 };
    const char *topic = lab_name("back"), *group = lab_name("group");
    struct err e = {0};
    struct member m = {.first = -1, .last = -1};
    lab_topic(topic, 2);
    lab_fill(topic, 2, 0, 2 * RECORDS);
    commit(pend(group, topic, 1, RECORDS));
    struct consumer_setup setup = {
        .bootstrap = lab_bootstrap(), .group = group, .topics = &topic, .ntopics = 1};
    struct consumer_callbacks cb = {.arg = &m,
                                    .on_ready = on_next,
                                    .on_assign = on_assign,
                                    .on_revoke = on_taken,
                                    .on_lost = on_taken,
                                    .on_seek = on_any_seek};
    m.c = consumer_open(lab_loop, &setup, &cb, &e);
    CHECK(m.c);
    lab_until(has_two, &m, 20000, "both partitions");
    lab_run(ASKED);
    seek_to(&m, topic, STANDS);
    lab_until(took_all, &m, 20000, "the records behind the position");
    lab_run(LATER);
    CHECK_INT(m.last, RECORDS - 1);
    lab_close_consumer(m.c);
    lab_end();
}

/* ---- an offset that the log has no more ---- */

static void delete_records(const char *topic, int64_t before)
{
    rd_kafka_t *rk = lab_handle(NULL);
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);
    for (int i = 0; i < 2; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = before;
    rd_kafka_DeleteRecords_t *ask = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &ask, 1, NULL, q);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, 20000);
    CHECK(ev);
    CHECK_INT(rd_kafka_event_error(ev), 0);
    rd_kafka_event_destroy(ev);
    rd_kafka_DeleteRecords_destroy(ask);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(q);
    rd_kafka_destroy(rk);
}

static bool told_end(void *arg)
{
    return ((struct member *)arg)->end == RECORDS;
}

static bool took_new_one(void *arg)
{
    struct member *m = arg;
    return m->last == RECORDS && m->end == RECORDS + 1;
}

/* Back at such an offset, the policy would be applied once more, behind what has come meanwhile. */
TEST_LIMIT(an_offset_that_is_no_more_in_the_log_is_no_place_to_begin, 90)
{
    const char *topic = lab_name("gone"), *group = lab_name("group");
    struct member m;
    lab_topic(topic, 2);
    lab_fill(topic, 2, 0, 2 * RECORDS);
    commit(pend(group, topic, 2, STANDS));
    delete_records(topic, STANDS + 2);
    join(&m, group, topic, "latest");
    lab_until(told_end, &m, 20000, "the end");
    lab_fill(topic, 2, 2 * RECORDS, 2);
    lab_until(took_new_one, &m, 20000, "the new records");
    CHECK_INT(m.first, RECORDS);
    CHECK_INT(m.seeks, 0);
    lab_close_consumer(m.c);
    lab_end();
}
