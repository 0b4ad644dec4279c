/* SPDX-License-Identifier: Apache-2.0 */
/* What only the broker itself can show: completion in steps, expiry, what it writes down. */
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "lab.h"
#include "test.h"
#include "wire/batch.h"
#include "wire/internal.h"
#include "wire/kafka_error.h"

enum { MS = 5000 };

static void create(struct admin *a, const char *name, int32_t partitions)
{
    struct admin_new_topic t = {.name = name, .partitions = partitions, .replicas = 1};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, MS, &e), 0);
}

static void begin(struct admin *a, struct txn *t, const struct admin_tp *parts, size_t n)
{
    struct err e;
    CHECK_INT(txn_init(a, t, 60000, MS, &e), 0);
    CHECK_INT(txn_add_partitions(a, t, parts, n, MS, &e), 0);
}

static void put(struct buf *b, struct wire_msg *m)
{
    struct err e;
    CHECK_INT(wire_encode_request(m, 1, "lab", b, &e), 0);
    wire_free(m);
}

static void put_end(struct buf *b, const struct txn *t)
{
    struct wire_msg m;
    lab_request(&m, API_END_TXN, 1);
    wire_set_str(&m, &m.root, "TransactionalId", t->id);
    wire_set_int(&m.root, "ProducerId", t->producer_id);
    wire_set_int(&m.root, "ProducerEpoch", t->epoch);
    wire_set_int(&m.root, "Committed", 1);
    put(b, &m);
}

static void put_add(struct buf *b, const struct txn *t)
{
    struct wire_msg m;
    lab_add_to_txn(&m, t);
    put(b, &m);
}

TEST(end_txn_is_answered_before_the_transaction_has_ended)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    struct txn t = {.id = "id"};
    struct admin_tp parts[] = {{"t", 0}, {"t", 1}, {"t", 2}};
    struct wire_msg m;
    struct buf both = {0};
    create(a, "t", 3);
    begin(a, &t, parts, 3);
    put_end(&both, &t);
    put_add(&both, &t); /* on its heels: they arrive in one piece */
    int fd = lab_connect(l);
    lab_write(fd, both.data, both.len);
    lab_read(fd, &m, API_END_TXN, 1);
    CHECK_INT(wire_int(&m.root, "ErrorCode"), KAFKA_NONE);
    wire_free(&m);
    CHECK_INT(lab_added_to_txn(fd), KAFKA_CONCURRENT_TRANSACTIONS);
    buf_free(&both);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

TEST(one_partition_is_free_again_when_the_answer_has_been_read)
{
    enum { TIMES = 100 };
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    struct txn t = {.id = "id"};
    struct admin_tp part = {"t", 0};
    struct buf end = {0}, add = {0};
    create(a, "t", 1);
    begin(a, &t, &part, 1);
    put_end(&end, &t);
    put_add(&add, &t);
    int fd = lab_connect(l);
    for (int i = 0; i < TIMES; i++) {
        struct wire_msg m;
        lab_write(fd, end.data, end.len);
        lab_read(fd, &m, API_END_TXN, 1);
        CHECK_INT(wire_int(&m.root, "ErrorCode"), KAFKA_NONE);
        wire_free(&m);
        lab_write(fd, add.data, add.len);
        CHECK_INT(lab_added_to_txn(fd), KAFKA_NONE);
    }
    buf_free(&end);
    buf_free(&add);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

TEST_LIMIT(an_idle_transactional_id_expires, 20)
{
    static const char *const settings[] = {
        "transactional.id.expiration.ms=200",
        "transaction.remove.expired.transaction.cleanup.interval.ms=50",
    };
    struct lab *l = lab_start(NULL, settings, 2);
    struct admin *a = lab_admin(l);
    struct txn t = {.id = "id"};
    struct admin_tp part = {"t", 0};
    struct admin_txns list;
    struct err e = {0};
    const char *ids[] = {"id"};
    create(a, "t", 1);
    CHECK_INT(txn_init(a, &t, 60000, MS, &e), 0);
    int16_t error = 0;
    while (error == 0) {
        CHECK_INT(admin_describe_transactions(a, ids, 1, MS, &list, &e), 0);
        error = list.items[0].error;
        admin_txns_free(&list);
        usleep(10000);
    }
    CHECK_INT(error, KAFKA_TRANSACTIONAL_ID_NOT_FOUND);
    CHECK_INT(txn_add_partitions(a, &t, &part, 1, MS, &e), -1);
    CHECK_INT(e.code, KAFKA_INVALID_PRODUCER_ID_MAPPING);
    admin_close(a);
    lab_stop(l);
}

/** All records of partition 0 of an internal topic. */
static int count_states(struct admin *a, const char *topic, int want)
{
    struct admin_fetch f = {.topic = topic, .partition = 0};
    struct admin_fetched got;
    struct err e;
    int n = 0;
    CHECK_INT(admin_fetch(a, &f, MS, &got, &e), 0);
    struct batch_iter it;
    struct batch b;
    batch_iter_init(&it, got.records, got.len);
    while (batch_iter_next(&it, &b) == BATCH_OK) {
        struct record_iter records;
        struct record r;
        record_iter_init(&records, &b);
        while (!b.control && record_iter_next(&records, &r) > 0) {
            struct internal_record x;
            bool txns = strcmp(topic, "__transaction_state") == 0;
            CHECK_INT((txns ? internal_read_txn : internal_read_offsets)(&r, &x, &e), 0);
            n += txns ? x.txn.state == want : x.kind == INTERNAL_OFFSET && x.offset.offset == want;
            internal_free(&x);
        }
        record_iter_free(&records);
    }
    admin_fetched_free(&got);
    return n;
}

TEST(internal_topics_tell_what_happened)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    struct txn t = {.id = "id"};
    struct admin_tp part = {"t", 0};
    struct admin_committed offset = {.topic = "t", .partition = 0, .offset = 42};
    struct err e;
    create(a, "t", 1);
    begin(a, &t, &part, 1);
    CHECK_INT(txn_commit_offsets(a, &t, "group", &offset, 1, MS, &e), 0);
    struct admin_offset lso, hw;
    CHECK_INT(admin_list_offsets(a, "__consumer_offsets", 0, ADMIN_LATEST, ADMIN_READ_COMMITTED, MS,
                                 &lso, &e),
              0);
    CHECK_INT(admin_list_offsets(a, "__consumer_offsets", 0, ADMIN_LATEST, ADMIN_READ_UNCOMMITTED,
                                 MS, &hw, &e),
              0);
    CHECK_INT(lso.offset, 0);
    CHECK_INT(hw.offset, 1);
    CHECK_INT(txn_end(a, &t, true, MS, &e), 0);
    while (lso.offset != 2) { /* the offset and the marker */
        CHECK_INT(admin_list_offsets(a, "__consumer_offsets", 0, ADMIN_LATEST, ADMIN_READ_COMMITTED,
                                     MS, &lso, &e),
                  0);
    }
    while (count_states(a, "__transaction_state", TXN_COMPLETE_COMMIT) == 0) {
        usleep(1000);
    }
    CHECK_INT(count_states(a, "__transaction_state", TXN_PREPARE_COMMIT), 1);
    CHECK(count_states(a, "__transaction_state", TXN_ONGOING) >= 2);
    CHECK_INT(count_states(a, "__consumer_offsets", 42), 1);
    admin_close(a);
    lab_stop(l);
}

TEST(coordinators_and_leaders_are_spread_over_virtual_nodes)
{
    struct broker_opts o = {.nodes = 3};
    struct lab *l = lab_start(&o, NULL, 0);
    struct admin *a = lab_admin(l);
    struct admin_metadata m;
    struct err e;
    int seen[4] = {0};
    create(a, "t", 6);
    const char *names[] = {"t"};
    CHECK_INT(admin_metadata(a, names, 1, MS, &m, &e), 0);
    CHECK_INT(m.nbrokers, 3);
    for (size_t i = 0; i < m.topics[0].npartitions; i++) {
        seen[m.topics[0].partitions[i].leader]++;
    }
    CHECK(seen[1] == 2 && seen[2] == 2 && seen[3] == 2);
    admin_metadata_free(&m);
    /* a partition's other nodes refuse */
    int fd = lab_connect(l); /* node 1 */
    struct buf blob = {0};
    const char *const values[] = {"v"};
    int refused = 0;
    lab_batch(&blob, values, 1);
    for (int32_t p = 0; p < 6; p++) {
        struct wire_msg msg;
        int64_t base;
        lab_produce(&msg, "t", p, &blob);
        lab_send(fd, &msg);
        refused += lab_produced(fd, &base) == KAFKA_NOT_LEADER_OR_FOLLOWER;
    }
    CHECK_INT(refused, 4);
    buf_free(&blob);
    close(fd);
    admin_close(a);
    lab_stop(l);
}

TEST(properties_are_checked)
{
    struct err e;
    CHECK_INT(broker_check_setting("num.partitions", "3", &e), 0);
    CHECK_INT(broker_check_setting("num.partitions", "0", &e), -1);
    CHECK_HAS(e.msg, "'0' is not a value of the broker property 'num.partitions'");
    CHECK_INT(broker_check_setting("auto.create.topics.enable", "maybe", &e), -1);
    CHECK_INT(broker_check_setting("unclean.leader.election.enable", "true", &e), -1);
    CHECK_HAS(e.msg, "only as false");
    CHECK_INT(broker_check_setting("log.cleanup.policy", "compact", &e), -1);
    CHECK_HAS(e.msg, "only as delete");
    CHECK_INT(broker_check_setting("log.retention.ms", "1000", &e), 0);
    CHECK_INT(broker_check_setting("log.retention.ms", "-1", &e), 0);
    CHECK_INT(broker_check_setting("log.retention.ms", "-2", &e), -1);
    CHECK_INT(broker_check_setting("log.retention.bytes", "1000", &e), 0);
    CHECK_INT(broker_check_setting("log.message.timestamp.type", "LogAppendTime", &e), 0);
    CHECK_INT(broker_check_setting("zookeeper.connect", "x", &e), -1);
    CHECK_HAS(e.msg, "does not know the broker property 'zookeeper.connect'");
}
