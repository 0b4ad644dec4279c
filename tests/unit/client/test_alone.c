/* SPDX-License-Identifier: Apache-2.0 */
/* What clients do when there is no broker. */
#include "base/clock.h"
#include "lab.h"
#include "test.h"

#define NOWHERE "127.0.0.1:1"

static bool is_true(void *arg)
{
    return *(bool *)arg;
}

static void set_true(void *arg)
{
    *(bool *)arg = true;
}

static struct producer *open_producer(const char *txn_id, const struct conf *conf,
                                      const struct producer_callbacks *cb)
{
    struct err e = {0};
    struct producer_setup setup = {.bootstrap = NOWHERE, .transactional_id = txn_id, .conf = conf};
    struct producer *p = producer_open(lab_loop, &setup, cb, &e);
    if (!p)
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    return p;
}

TEST(a_wrong_property_is_said_when_opening)
{
    struct err e = {0};
    struct conf conf = {0};
    lab_run(1);
    conf_set(&conf, "fetch.wait.max", "5");
    const char *topic = "t";
    struct producer_setup ps = {.bootstrap = NOWHERE, .conf = &conf};
    struct consumer_setup cs = {
        .bootstrap = NOWHERE, .topics = &topic, .ntopics = 1, .conf = &conf};
    CHECK(!producer_open(lab_loop, &ps, &(struct producer_callbacks){0}, &e));
    CHECK_INT(e.kind, ERR_USAGE);
    CHECK_HAS(e.msg, "fetch.wait.max.ms");
    err_clear(&e);
    CHECK(!consumer_open(lab_loop, &cs, &(struct consumer_callbacks){0}, &e));
    CHECK_HAS(e.msg, "fetch.wait.max.ms");
    err_clear(&e);
    cs.ntopics = 0;
    CHECK(!consumer_open(lab_loop, &cs, &(struct consumer_callbacks){0}, &e));
    CHECK_HAS(e.msg, "topic");
    conf_free(&conf);
    lab_end();
}

TEST(contradicting_lines_are_said_when_opening)
{
    struct err e = {0};
    struct conf conf = {0};
    lab_run(1);
    conf_set(&conf, "acks", "1");
    struct producer_setup ps = {.bootstrap = NOWHERE, .conf = &conf};
    CHECK(!producer_open(lab_loop, &ps, &(struct producer_callbacks){0}, &e));
    CHECK_HAS(e.msg, "acks");
    conf_set(&conf, "enable.idempotence", "false");
    struct producer *p = open_producer(NULL, &conf, &(struct producer_callbacks){0});
    bool done = false;
    producer_close(p, 3000, set_true, &done);
    lab_until(is_true, &done, 4000, "closed");
    conf_free(&conf);
    lab_end();
}

static struct producer_ack last;
static size_t nacks;
static void on_ack(void *arg, const struct producer_ack *acks, size_t n)
{
    last = acks[n - 1];
    nacks += n;
}

static bool has_acks(void *arg)
{
    return nacks >= *(size_t *)arg;
}

TEST_LIMIT(a_full_queue_is_said_and_room_too, 20)
{
    struct conf conf = {0};
    struct err e = {0};
    bool room = false;
    lab_run(1);
    conf_set(&conf, "queue.buffering.max.messages", "3");
    conf_set(&conf, "message.timeout.ms", "300");
    struct producer_callbacks cb = {.arg = &room, .on_ack = on_ack, .on_room = set_true};
    struct producer *p = open_producer(NULL, &conf, &cb);
    struct producer_record r = {.topic = "t", .partition = 0, .tag = 1};
    for (r.tag = 1; r.tag <= 3; r.tag++)
        CHECK_INT(producer_send(p, &r, &e), 0);
    CHECK_INT(producer_send(p, &r, &e), -1);
    CHECK_INT(e.code, CLIENT_ERR_QUEUE_FULL);
    CHECK(e.retriable && !room);
    CHECK_INT(producer_pending(p), 3);
    size_t want = 3;
    lab_until(has_acks, &want, 5000, "the messages time out");
    CHECK(room);
    CHECK_INT(last.status, PRODUCER_NOT);
    CHECK_STR(client_code_name(last.code), "_MSG_TIMED_OUT");
    CHECK_INT(last.offset, -1);
    CHECK_INT(producer_pending(p), 0);
    bool done = false;
    producer_close(p, 3000, set_true, &done);
    lab_until(is_true, &done, 4000, "closed");
    conf_free(&conf);
    lab_end();
}

TEST_LIMIT(closing_does_not_block_the_loop, 20)
{
    bool closed = false, left = false;
    const char *topic = "t";
    struct err e = {0};
    lab_run(1);
    struct producer *p = open_producer(NULL, NULL, &(struct producer_callbacks){0});
    struct producer_record r = {.topic = "t", .partition = 0};
    CHECK_INT(producer_send(p, &r, &e), 0);
    struct consumer_setup cs = {.bootstrap = NOWHERE, .topics = &topic, .ntopics = 1, .group = "g"};
    struct consumer *c = consumer_open(lab_loop, &cs, &(struct consumer_callbacks){0}, &e);
    CHECK(c);
    lab_run(100);
    uint64_t before = clock_mono_ns();
    producer_close(p, 5000, set_true, &closed);
    consumer_close(c, 5000, set_true, &left);
    CHECK(clock_mono_ns() - before < 200 * 1000000ULL);
    lab_until(is_true, &closed, 6000, "the producer is closed");
    lab_until(is_true, &left, 6000, "the consumer is closed");
    lab_end();
}

TEST_LIMIT(a_reader_without_broker_closes_within_its_bound, 20)
{
    bool left = false;
    const char *topic = "t";
    struct err e = {0};
    lab_run(1);
    struct consumer_setup cs = {.bootstrap = NOWHERE, .topics = &topic, .ntopics = 1};
    struct consumer *c = consumer_open(lab_loop, &cs, &(struct consumer_callbacks){0}, &e);
    CHECK(c);
    CHECK(!consumer_group(c));
    lab_run(50);
    consumer_close(c, 4000, set_true, &left);
    lab_until(is_true, &left, 5000, "the consumer is closed or left behind");
    lab_end();
}

struct ended {
    bool called;
    enum transaction_outcome outcome;
    struct err e;
};

static void on_ended(void *arg, enum transaction_outcome outcome, const struct err *e)
{
    *(struct ended *)arg = (struct ended){true, outcome, *e};
}

TEST(calls_in_the_wrong_state_are_refused)
{
    struct err e = {0};
    struct ended end = {0};
    bool hung = false;
    lab_run(1);
    struct producer *p = open_producer("x", NULL, &(struct producer_callbacks){0});
    struct transaction *t =
        transaction_open(p, &(struct transaction_setup){0}, &(struct transaction_callbacks){0});
    CHECK_INT(transaction_state(t), TRANSACTION_NEW);
    CHECK_INT(transaction_begin(t, NULL, &e), -1);
    CHECK_HAS(e.msg, "not initialised");
    transaction_commit(t, on_ended, &end);
    CHECK(!end.called);
    lab_until(is_true, &end.called, 1000, "the refusal");
    CHECK_INT(end.e.kind, ERR_USAGE);
    CHECK_INT(transaction_number(t), 0);
    lab_close_transaction(t);
    producer_close(p, 3000, set_true, &hung);
    lab_until(is_true, &hung, 4000, "closed");
    lab_end();
}

static unsigned stuck_s;
static void on_stuck(void *arg, const char *call, unsigned seconds)
{
    CHECK_STR(call, "init_transactions");
    stuck_s = seconds;
}

static bool is_stuck(void *arg)
{
    return stuck_s >= 2;
}

static bool hung_flag;
static void on_closed(void *arg, bool hung)
{
    hung_flag = hung;
    set_true(arg);
}

TEST_LIMIT(a_hung_call_is_seen_and_left_behind, 20)
{
    struct ended end = {0};
    bool closed = false;
    lab_run(1);
    struct producer *p = open_producer("x", NULL, &(struct producer_callbacks){0});
    struct transaction_setup setup = {.stuck_s = 1};
    struct transaction_callbacks cb = {.on_stuck = on_stuck};
    struct transaction *t = transaction_open(p, &setup, &cb);
    transaction_init(t, on_ended, &end);
    lab_until(is_stuck, NULL, 5000, "told twice that it hangs");
    CHECK_INT(transaction_state(t), TRANSACTION_BUSY);
    transaction_close(t, 300, on_closed, &closed);
    lab_until(is_true, &closed, 1000, "left behind");
    CHECK(hung_flag && !end.called);
    producer_abandon(p);
    lab_run(50);
    lab_end();
}
