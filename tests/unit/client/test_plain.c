/* SPDX-License-Identifier: Apache-2.0 */
/* Producer and consumer against a broker. */
#include "base/mem.h"
#include "lab.h"
#include "test.h"

static bool same_bytes(const void *a, size_t alen, const void *b, size_t blen)
{
    return a && alen == blen && memcmp(a, b, blen) == 0;
}

TEST_LIMIT(records_come_back_as_they_were_sent, 60)
{
    const char *topic = lab_name("bytes");
    lab_topic(topic, 2);
    struct lab_sender s;
    struct err e = {0};
    static const char binary[] = "a\0b\xff";
    const struct producer_header hs[] = {
        {"h", 1, {"one", 3}}, {"h", 1, {"t\0o", 3}}, {"null", 4, {NULL, 0}}, {"empty", 5, {"", 0}}};
    struct producer_record r = {.topic = topic,
                                .partition = 1,
                                .timestamp = 1234567890123,
                                .key = {binary, 4},
                                .value = {binary + 1, 3},
                                .headers = hs,
                                .nheaders = 4,
                                .tag = UINT64_MAX};
    struct producer_record nulls = {.topic = topic, .partition = 1, .tag = 2};
    struct producer_record empty = {
        .topic = topic, .partition = 1, .key = {"", 0}, .value = {"", 0}, .tag = 3};
    lab_sender_open(&s, NULL);
    CHECK_INT(producer_send(s.p, &r, &e), 0);
    CHECK_INT(producer_send(s.p, &nulls, &e), 0);
    CHECK_INT(producer_send(s.p, &empty, &e), 0);
    lab_flush(&s);
    CHECK_INT(s.acks.n, 3);
    CHECK(s.drained);
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(s.acks.items[i].status, PRODUCER_PERSISTED);
        CHECK_INT(s.acks.items[i].offset, i);
        CHECK_INT(s.acks.items[i].partition, 1);
        CHECK(s.acks.items[i].topic == client_intern(topic));
    }
    CHECK(s.acks.items[0].tag == UINT64_MAX);
    lab_sender_close(&s);

    struct lab_log l;
    struct message_header h;
    lab_log_open(&l, topic, "read_committed");
    lab_log_want(&l, 3, 15000);
    CHECK_INT(consumer_assignment(l.c)->n, 2);
    CHECK_INT(consumer_position(l.c, topic, 1), 3);
    CHECK_INT(consumer_position(l.c, topic, 0), CLIENT_NO_OFFSET);
    for (int pass = 0; pass < 2; pass++) { /* the second time without a consumer */
        struct message *m = l.seen.items[0];
        CHECK(same_bytes(m->key, m->key_len, binary, 4));
        CHECK(same_bytes(m->value, m->value_len, binary + 1, 3));
        CHECK_INT(m->timestamp, 1234567890123);
        CHECK_INT(m->partition, 1);
        CHECK(message_header(m, 0, &h) && strcmp(h.name, "h") == 0 &&
              same_bytes(h.value, h.len, "one", 3));
        CHECK(message_header(m, 1, &h) && strcmp(h.name, "h") == 0 &&
              same_bytes(h.value, h.len, "t\0o", 3));
        CHECK(message_header(m, 2, &h) && strcmp(h.name, "null") == 0 && !h.value);
        CHECK(message_header(m, 3, &h) && strcmp(h.name, "empty") == 0 && h.value && h.len == 0);
        CHECK(!message_header(m, 4, &h));
        CHECK(!l.seen.items[1]->key && !l.seen.items[1]->value);
        CHECK(!message_header(l.seen.items[1], 0, &h));
        CHECK(l.seen.items[2]->key && l.seen.items[2]->key_len == 0);
        CHECK(l.seen.items[2]->value && l.seen.items[2]->value_len == 0);
        CHECK(!message_membership(m));
        if (pass == 0)
            lab_close_consumer(l.c);
    }
    for (size_t i = 0; i < l.seen.n; i++)
        message_release(l.seen.items[i]);
    free(l.seen.items);
    lab_end();
}

/* ---- a member of a group ---- */

struct member {
    struct consumer *c;
    struct {
        struct message **items;
        size_t n, cap;
    } seen;
    struct {
        struct consumer_seek *items;
        size_t n, cap;
    } seeks;
    size_t assigns, revokes, losts, assigned;
    int32_t generation;
    char protocol[16];
    bool manual, want_none, closing, done;
    struct client_partitions result;
    struct err e;
};

static void ready(void *arg)
{
    struct member *m = arg;
    struct message *got[10];
    size_t n;
    while (!m->want_none && (n = consumer_take(m->c, got, 10)) > 0)
        for (size_t i = 0; i < n; i++)
            *VEC_PUSH(&m->seen) = got[i];
}

static void on_assign(void *arg, const struct consumer_rebalance *r)
{
    struct member *m = arg;
    m->assigns++;
    m->assigned += r->partitions->n;
    m->generation = r->generation;
    CHECK(r->member[0]);
    snprintf(m->protocol, sizeof m->protocol, "%s", r->protocol);
    if (!m->manual)
        consumer_answer(m->c);
}

static void on_revoke(void *arg, const struct consumer_rebalance *r)
{
    struct member *m = arg;
    m->revokes++;
    m->assigned -= r->partitions->n;
    m->closing |= r->closing;
    if (!m->manual)
        consumer_answer(m->c);
}

static void on_lost(void *arg, const struct consumer_rebalance *r)
{
    struct member *m = arg;
    m->losts++;
    m->assigned -= r->partitions->n;
    consumer_answer(m->c);
}

static void on_seek(void *arg, const struct consumer_seek *s)
{
    struct member *m = arg;
    *VEC_PUSH(&m->seeks) = *s;
}

static void on_result(void *arg, const struct client_partitions *ps, const struct err *e)
{
    struct member *m = arg;
    client_partitions_free(&m->result);
    m->result = client_partitions_copy(ps);
    m->e = *e;
    m->done = true;
}

static void join(struct member *m, const char *group, const char *topic, struct conf *conf)
{
    struct err e = {0};
    struct consumer_setup setup = {
        .bootstrap = lab_bootstrap(), .group = group, .topics = &topic, .ntopics = 1, .conf = conf};
    struct consumer_callbacks cb = {m, ready, on_assign, on_revoke, on_lost, on_seek, NULL, NULL};
    m->c = consumer_open(lab_loop, &setup, &cb, &e);
    if (!m->c)
        test_fail(__FILE__, __LINE__, "%s", e.msg);
}

static void leave(struct member *m)
{
    lab_close_consumer(m->c);
    for (size_t i = 0; i < m->seen.n; i++)
        message_release(m->seen.items[i]);
    free(m->seen.items);
    free(m->seeks.items);
    client_partitions_free(&m->result);
}

struct goal {
    struct member *m;
    size_t n;
};

static bool has_seen(void *arg)
{
    struct goal *g = arg;
    return g->m->seen.n >= g->n;
}

static void want(struct member *m, size_t n)
{
    struct goal g = {m, n};
    lab_until(has_seen, &g, 15000, "the member sees the records");
}

static bool is_done(void *arg)
{
    return ((struct member *)arg)->done;
}

static void wait_done(struct member *m)
{
    lab_until(is_done, m, 10000, "the call ends");
    m->done = false;
}

TEST_LIMIT(commits_are_where_the_next_member_starts, 60)
{
    const char *topic = lab_name("commit"), *group = lab_name("group");
    lab_topic(topic, 2);
    lab_fill(topic, 2, 0, 20);
    struct member m = {0}, n = {0};
    join(&m, group, topic, NULL);
    want(&m, 20);
    CHECK_INT(m.assigns, 1);
    CHECK_STR(m.protocol, "eager");
    CHECK(m.generation > 0);
    CHECK_INT(consumer_assignment_number(m.c), 1);
    CHECK_INT(membership_generation(message_membership(m.seen.items[0])), m.generation);
    struct membership *now = consumer_membership(m.c);
    CHECK(membership_same(now, message_membership(m.seen.items[19])));
    membership_free(now);

    struct client_partitions ps = {0};
    client_partitions_add(&ps, topic, 0, 4);
    client_partitions_add(&ps, topic, 1, CLIENT_NO_OFFSET);
    consumer_committed(m.c, &ps, on_result, &m);
    wait_done(&m);
    CHECK_INT(m.result.items[0].offset, CLIENT_NO_OFFSET);
    ps.items[1].offset = 10;
    consumer_commit(m.c, &ps, on_result, &m);
    CHECK(!m.done);
    wait_done(&m);
    CHECK_INT(m.e.kind, ERR_NONE);
    CHECK_INT(m.result.items[0].code, 0);
    consumer_committed(m.c, &ps, on_result, &m);
    wait_done(&m);
    CHECK_INT(client_partitions_find(&m.result, topic, 0)->offset, 4);
    CHECK_INT(client_partitions_find(&m.result, topic, 1)->offset, 10);
    leave(&m);
    CHECK(m.closing && m.revokes == 1 && m.assigned == 0);

    join(&n, group, topic, NULL);
    want(&n, 6);
    lab_run(300);
    CHECK_INT(n.seen.n, 6);
    CHECK_INT(n.seen.items[0]->offset, 4);
    CHECK_INT(n.seen.items[0]->partition, 0);
    leave(&n);
    client_partitions_free(&ps);
    lab_end();
}

TEST_LIMIT(a_commit_of_another_member_is_refused, 60)
{
    const char *topic = lab_name("wrong"), *group = lab_name("group");
    lab_topic(topic, 1);
    lab_fill(topic, 1, 0, 3);
    struct member m = {0};
    struct lab_log l;
    struct client_partitions ps = {0};
    client_partitions_add(&ps, topic, 0, 1);
    lab_log_open(&l, topic, "read_committed");
    lab_log_want(&l, 3, 15000);
    consumer_commit(l.c, &ps, on_result, &m);
    wait_done(&m);
    CHECK_INT(m.e.kind, ERR_USAGE);
    CHECK_HAS(m.e.msg, "no group");
    consumer_committed(l.c, &ps, on_result, &m);
    wait_done(&m);
    CHECK_INT(m.e.kind, ERR_USAGE);
    lab_log_close(&l);
    join(&m, group, topic, NULL);
    want(&m, 3);
    ps.items[0].partition = 77;
    consumer_commit(m.c, &ps, on_result, &m);
    wait_done(&m);
    CHECK(m.e.kind == ERR_BROKER && m.result.items[0].code != 0);
    client_partitions_free(&ps);
    leave(&m);
    lab_end();
}

TEST_LIMIT(seek_pause_resume_rewind, 60)
{
    const char *topic = lab_name("seek"), *group = lab_name("group");
    lab_topic(topic, 1);
    lab_fill(topic, 1, 0, 30);
    struct member m = {0};
    struct err e = {0};
    struct client_partitions ps = {0};
    join(&m, group, topic, NULL);
    want(&m, 30);
    client_partitions_add(&ps, topic, 0, 25);
    consumer_seek(m.c, &ps, on_result, &m);
    CHECK(!m.done);
    wait_done(&m);
    CHECK_INT(m.e.kind, ERR_NONE);
    CHECK_INT(m.seeks.n, 1);
    CHECK_INT(m.seeks.items[0].from, 30);
    CHECK_INT(m.seeks.items[0].to, 25);
    CHECK_INT(m.seeks.items[0].why, CONSUMER_SEEK_ROLE);
    want(&m, 35);
    CHECK_INT(m.seen.items[30]->offset, 25);
    CHECK_INT(consumer_position(m.c, topic, 0), 30);

    CHECK_INT(consumer_pause(m.c, &ps, &e), 0);
    lab_fill(topic, 1, 30, 5);
    lab_run(500);
    CHECK_INT(m.seen.n, 35);
    CHECK_INT(consumer_resume(m.c, &ps, &e), 0);
    want(&m, 40);

    consumer_rewind(m.c); /* nothing committed: the beginning */
    want(&m, 75);
    CHECK_INT(m.seeks.items[1].why, CONSUMER_SEEK_RESET);
    CHECK_INT(m.seeks.items[1].to, CLIENT_BEGINNING);
    CHECK_INT(m.seen.items[40]->offset, 0);
    ps.items[0].offset = 33;
    consumer_commit(m.c, &ps, on_result, &m);
    wait_done(&m);
    consumer_rewind(m.c);
    want(&m, 77);
    CHECK_INT(m.seeks.items[2].why, CONSUMER_SEEK_REWIND);
    CHECK_INT(m.seeks.items[2].to, 33);
    CHECK_INT(m.seen.items[75]->offset, 33);
    ps.items[0].partition = 9;
    CHECK_INT(consumer_pause(m.c, &ps, &e), -1);
    client_partitions_free(&ps);
    leave(&m);
    lab_end();
}

static bool revoked(void *arg)
{
    return ((struct member *)arg)->revokes > 0;
}

static bool both_assigned(void *arg)
{
    struct member *m = arg;
    return m[0].assigned == 2 && m[1].assigned == 2;
}

/* Two members; the revoke of the first is answered late: until then the second gets nothing. */
static void late_answer(const char *strategy)
{
    const char *topic = lab_name("late"), *group = lab_name("group");
    lab_topic(topic, 4);
    struct member m[2] = {{0}, {0}};
    struct conf conf = {0};
    conf_set(&conf, "partition.assignment.strategy", strategy);
    join(&m[0], group, topic, &conf);
    lab_fill(topic, 4, 0, 8);
    want(&m[0], 8);
    m[0].manual = true;
    join(&m[1], group, topic, &conf);
    lab_until(revoked, &m[0], 15000, "a revoke");
    CHECK(consumer_rebalancing(m[0].c));
    lab_fill(topic, 4, 8, 8);
    lab_run(700);
    CHECK_INT(m[0].seen.n, 8);
    CHECK_INT(m[1].assigned, 0);
    CHECK_INT(m[0].assigns, 1);
    m[0].manual = false;
    consumer_answer(m[0].c);
    lab_until(both_assigned, m, 15000, "two partitions each");
    CHECK(consumer_assignment_number(m[0].c) >= 2);
    CHECK_INT(consumer_assignment(m[0].c)->n, 2);
    leave(&m[1]);
    leave(&m[0]);
    conf_free(&conf);
    lab_end();
}

TEST_LIMIT(a_revoke_waits_for_its_answer_eager, 60)
{
    late_answer("range");
}

TEST_LIMIT(a_revoke_waits_for_its_answer_cooperative, 60)
{
    late_answer("cooperative-sticky");
}

static bool noticed(void *arg)
{
    return consumer_rebalancing(((struct member *)arg)->c);
}

TEST_LIMIT(a_rebalance_is_noticed_behind_untaken_messages, 60)
{
    const char *topic = lab_name("behind"), *group = lab_name("group");
    lab_topic(topic, 2);
    lab_fill(topic, 2, 0, 3000);
    struct member m[2] = {{0}, {0}};
    join(&m[0], group, topic, NULL);
    want(&m[0], 10);
    m[0].want_none = m[0].manual = true;
    size_t seen = m[0].seen.n;
    join(&m[1], group, topic, NULL);
    lab_until(noticed, &m[0], 5000, "the rebalance");
    struct message *none;
    CHECK_INT(consumer_take(m[0].c, &none, 1), 0);
    CHECK_INT(m[0].seen.n, seen);
    lab_until(revoked, &m[0], 1000, "the callback");
    m[0].manual = false;
    consumer_answer(m[0].c);
    want(&m[1], 1);
    leave(&m[0]);
    leave(&m[1]);
    lab_end();
}

static bool assigned_once(void *arg)
{
    struct member *m = arg;
    return m->assigns > 0;
}

/* librdkafka alone would look only twice a second whether a heartbeat is due. */
TEST_LIMIT(an_idle_member_with_a_short_session_stays_one, 60)
{
    const char *topic = lab_name("short"), *group = lab_name("group");
    lab_topic(topic, 2);
    struct conf conf = {0};
    struct member m = {0};
    conf_set(&conf, "session.timeout.ms", "500");
    join(&m, group, topic, &conf);
    lab_until(assigned_once, &m, 15000, "assigned");
    lab_run(3000); /* six sessions */
    CHECK_INT(m.assigns, 1);
    CHECK_INT(m.losts + m.revokes, 0);
    leave(&m);
    conf_free(&conf);
    lab_end();
}

static bool again(void *arg)
{
    struct member *m = arg;
    return m->assigns == 2;
}

TEST_LIMIT(rejoin_leaves_and_joins, 60)
{
    const char *topic = lab_name("rejoin"), *group = lab_name("group");
    lab_topic(topic, 2);
    struct member m = {0};
    struct err e = {0};
    join(&m, group, topic, NULL);
    lab_fill(topic, 2, 0, 4);
    want(&m, 4);
    int32_t generation = m.generation;
    CHECK_INT(consumer_rejoin(m.c, &e), 0);
    lab_until(again, &m, 15000, "assigned again");
    CHECK_INT(m.revokes, 1);
    CHECK_INT(m.losts, 0);
    CHECK(m.generation != generation);
    want(&m, 8); /* nothing was committed */
    leave(&m);
    lab_end();
}

/* At any moment of leaving and joining again. */
TEST_LIMIT(closing_while_joining_again, 120)
{
    const char *topic = lab_name("moment"), *group = lab_name("group");
    lab_topic(topic, 4);
    struct conf conf = {0};
    conf_set(&conf, "partition.assignment.strategy", "cooperative-sticky");
    struct member stays = {0};
    join(&stays, group, topic, &conf);
    for (unsigned i = 0; i < 8; i++) {
        struct member m = {0};
        struct err e = {0};
        join(&m, group, topic, &conf);
        lab_until(assigned_once, &m, 15000, "assigned");
        CHECK_INT(consumer_rejoin(m.c, &e), 0);
        if (i % 2)
            CHECK_INT(consumer_rejoin(stays.c, &e), 0);
        lab_run(60 * i);
        leave(&m);
    }
    leave(&stays);
    conf_free(&conf);
    lab_end();
}

TEST_LIMIT(auto_commit_commits_what_was_taken, 60)
{
    const char *topic = lab_name("auto"), *group = lab_name("group");
    lab_topic(topic, 1);
    lab_fill(topic, 1, 0, 50);
    struct member m = {0}, n = {0};
    struct conf conf = {0};
    struct message *one;
    conf_set(&conf, "enable.auto.commit", "true");
    conf_set(&conf, "auto.commit.interval.ms", "50");
    m.want_none = true;
    join(&m, group, topic, &conf);
    for (int i = 0; i < 300 && m.seen.n < 7; i++) {
        if (consumer_take(m.c, &one, 1) == 1)
            *VEC_PUSH(&m.seen) = one;
        lab_run(20);
    }
    CHECK_INT(m.seen.n, 7);
    lab_run(400);
    struct client_partitions ps = {0};
    client_partitions_add(&ps, topic, 0, CLIENT_NO_OFFSET);
    consumer_committed(m.c, &ps, on_result, &m);
    wait_done(&m);
    CHECK_INT(m.result.items[0].offset, 7);
    leave(&m);
    join(&n, group, topic, NULL);
    want(&n, 43);
    CHECK_INT(n.seen.items[0]->offset, 7);
    leave(&n);
    conf_free(&conf);
    client_partitions_free(&ps);
    lab_end();
}

TEST_LIMIT(without_a_callback_librdkafka_assigns, 60)
{
    const char *topic = lab_name("bare"), *group = lab_name("group");
    lab_topic(topic, 2);
    lab_fill(topic, 2, 0, 10);
    struct member m = {0};
    struct err e = {0};
    struct consumer_setup setup = {.bootstrap = lab_bootstrap(),
                                   .group = group,
                                   .topics = &topic,
                                   .ntopics = 1,
                                   .no_rebalance_callback = true};
    struct consumer_callbacks cb = {m.seen.items, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    cb = (struct consumer_callbacks){&m, ready, on_assign, on_revoke, on_lost, on_seek, NULL, NULL};
    m.c = consumer_open(lab_loop, &setup, &cb, &e);
    CHECK(m.c);
    want(&m, 10);
    CHECK_INT(m.assigns, 0);
    CHECK(membership_generation(message_membership(m.seen.items[0])) > 0);
    consumer_rewind(m.c);
    want(&m, 20);
    leave(&m);
    lab_end();
}

TEST_LIMIT(a_topic_may_come_later, 60)
{
    const char *topic = lab_name("late");
    struct lab_log l;
    lab_log_open(&l, topic, "read_committed");
    lab_run(300);
    lab_topic(topic, 3);
    lab_fill(topic, 3, 0, 6);
    lab_log_want(&l, 6, 15000);
    CHECK_INT(consumer_assignment(l.c)->n, 3);
    lab_log_close(&l);
    lab_end();
}
