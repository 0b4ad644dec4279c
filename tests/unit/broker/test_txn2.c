/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of version 2, where a window of time or the level decides. */
#include <unistd.h>

#include "lab.h"
#include "test.h"
#include "wire/kafka_error.h"

enum { MS = 5000 };

static void create(struct admin *a, const char *name, int32_t partitions)
{
    struct admin_new_topic t = {.name = name, .partitions = partitions, .replicas = 1};
    struct err e;
    CHECK_INT(admin_create_topics(a, &t, 1, MS, &e), 0);
}

/** Ends it, and again while the one before is being ended. */
static void end(struct admin *a, struct txn *t, bool commit)
{
    struct err e = {0};
    int rc;
    do {
        rc = txn_end(a, t, commit, MS, &e);
    } while (rc < 0 && e.code == KAFKA_CONCURRENT_TRANSACTIONS);
    if (rc < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
}

static void wait_for_state(struct admin *a, const char *id, const char *state)
{
    struct admin_txns list;
    struct err e;
    bool there = false;
    while (!there) {
        CHECK_INT(admin_describe_transactions(a, &id, 1, MS, &list, &e), 0);
        there = strcmp(list.items[0].state, state) == 0;
        admin_txns_free(&list);
        usleep(1000);
    }
}

TEST(each_end_moves_the_epoch_and_the_old_one_is_answered_again)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    struct txn t = {.id = "id", .v2 = true};
    struct admin_committed offset = {.topic = "t", .partition = 0, .offset = 42};
    struct admin_offset end_offset;
    struct err e;
    create(a, "t", 1);
    CHECK_INT(txn_init(a, &t, 60000, MS, &e), 0);
    CHECK_INT(t.epoch, 0);
    CHECK_INT(txn_commit_offsets(a, &t, "group", &offset, 1, MS, &e), 0);
    struct txn before = t;
    end(a, &t, true);
    CHECK_INT(t.epoch, 1);
    end(a, &before, true);
    CHECK_INT(before.epoch, 1);
    CHECK(before.producer_id == t.producer_id);
    end(a, &t, false); /* nothing was begun */
    CHECK_INT(t.epoch, 2);
    wait_for_state(a, "id", "CompleteAbort");
    CHECK_INT(admin_list_offsets(a, "__consumer_offsets", 0, ADMIN_LATEST, ADMIN_READ_COMMITTED, MS,
                                 &end_offset, &e),
              0);
    CHECK_INT(end_offset.offset, 2); /* an offset and one marker */
    admin_close(a);
    lab_stop(l);
}

/** InitProducerId of one who has an epoch already. @return the error; *epoch gets the answer's. */
static int init_again(int fd, const struct txn *t, int16_t *epoch)
{
    struct wire_msg m;
    lab_request(&m, API_INIT_PRODUCER_ID, 4);
    wire_set_str(&m, &m.root, "TransactionalId", t->id);
    wire_set_int(&m.root, "TransactionTimeoutMs", 60000);
    wire_set_int(&m.root, "ProducerId", t->producer_id);
    wire_set_int(&m.root, "ProducerEpoch", t->epoch);
    lab_send(fd, &m);
    lab_read(fd, &m, API_INIT_PRODUCER_ID, 4);
    int code = (int)wire_int(&m.root, "ErrorCode");
    *epoch = (int16_t)wire_int(&m.root, "ProducerEpoch");
    wire_free(&m);
    return code;
}

TEST(the_level_decides_whether_a_time_out_is_the_end_of_the_owner)
{
    static const char *const settings[] = {
        "transaction.abort.timed.out.transaction.cleanup.interval.ms=10"};
    for (int level = 1; level <= 2; level++) {
        struct broker_opts o = {.transaction_version = level};
        struct lab *l = lab_start(&o, settings, 1);
        struct admin *a = lab_admin(l);
        struct txn t = {.id = "id"};
        struct admin_tp part = {"t", 0};
        struct err e;
        int16_t epoch;
        create(a, "t", 1);
        CHECK_INT(txn_init(a, &t, 20, MS, &e), 0);
        CHECK_INT(txn_add_partitions(a, &t, &part, 1, MS, &e), 0);
        wait_for_state(a, "id", "CompleteAbort");
        int fd = lab_connect(l);
        CHECK_INT(init_again(fd, &t, &epoch), level == 1 ? KAFKA_PRODUCER_FENCED : KAFKA_NONE);
        CHECK_INT(epoch, level == 1 ? -1 : t.epoch + 1);
        close(fd);
        admin_close(a);
        lab_stop(l);
    }
}

/** InitProducerId with what the producer has, until it has its last epoch. */
static void use_up(int fd, struct txn *t)
{
    while (t->epoch < INT16_MAX - 1) {
        CHECK_INT(init_again(fd, t, &t->epoch), KAFKA_NONE);
    }
}

TEST_LIMIT(the_end_with_the_last_epoch_gives_a_new_producer_id, 60)
{
    struct lab *l = lab_start(NULL, NULL, 0);
    struct admin *a = lab_admin(l);
    struct txn t = {.id = "id", .v2 = true};
    struct admin_committed offset = {.topic = "t", .partition = 0, .offset = 42};
    struct err e;
    int fd = lab_connect(l);
    create(a, "t", 1);
    CHECK_INT(txn_init(a, &t, 60000, MS, &e), 0);
    use_up(fd, &t);
    CHECK_INT(txn_commit_offsets(a, &t, "group", &offset, 1, MS, &e), 0);
    struct txn before = t;
    end(a, &t, true);
    CHECK(t.producer_id != before.producer_id);
    CHECK_INT(t.epoch, 0);
    struct txn again = before;
    end(a, &again, true);
    CHECK(again.producer_id == t.producer_id);
    CHECK_INT(again.epoch, 0);
    again = before;
    CHECK_INT(txn_end(a, &again, false, MS, &e), -1);
    CHECK_INT(e.code, KAFKA_INVALID_TXN_STATE);
    CHECK_INT(txn_commit_offsets(a, &t, "group", &offset, 1, MS, &e), 0);
    again = before; /* too late: the next transaction has begun */
    CHECK_INT(txn_end(a, &again, true, MS, &e), -1);
    CHECK_INT(e.code, KAFKA_INVALID_PRODUCER_ID_MAPPING);
    end(a, &t, true);
    CHECK_INT(t.epoch, 1);
    close(fd);
    admin_close(a);
    lab_stop(l);
}
