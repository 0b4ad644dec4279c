/* SPDX-License-Identifier: Apache-2.0 */
/* The admin client against a real Apache Kafka: KAOS_TEST_BOOTSTRAP=host:port, else skipped. */
#include "test.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "wire/admin.h"
#include "wire/internal.h"
#include "wire/txn.h"

enum { MS = 15000 };
/** Old timestamps would make the broker begin a new segment at the marker. */
static int64_t now_ms;
static char topic[64], txid[64], group[64];

static struct admin *start(int partitions)
{
    struct err e = {0};
    const char *bootstrap = getenv("KAOS_TEST_BOOTSTRAP");
    if (!bootstrap) {
        test_skip("KAOS_TEST_BOOTSTRAP is not set");
    }
    now_ms = (int64_t)(clock_real_ns() / 1000000);
    unsigned id = (unsigned)(clock_real_ns() / 1000);
    snprintf(topic, sizeof topic, "wire-%x-%d", id, (int)getpid());
    snprintf(txid, sizeof txid, "tx-%x-%d", id, (int)getpid());
    snprintf(group, sizeof group, "g-%x-%d", id, (int)getpid());
    struct admin *a = admin_open(bootstrap, "wire-test", &e);
    const struct admin_pair configs[] = {{"retention.ms", "-1"}};
    struct admin_new_topic t = {topic, partitions, 1, configs, 1};
    if (!a || admin_create_topics(a, &t, 1, MS, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    return a;
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        struct err *e_ = &e;                                                                       \
        if ((call) < 0)                                                                            \
            test_fail(__FILE__, __LINE__, "%s", e_->msg);                                          \
    } while (0)

static int64_t produce(struct admin *a, const struct txn *t, int32_t partition, int codec,
                       int32_t sequence, const char *value)
{
    struct err e = {0};
    struct buf b = {0};
    struct record_header h = {"n", NULL, 1, -1};
    struct record r[2] = {
        {.timestamp = now_ms,
         .key_len = -1,
         .value = (const uint8_t *)value,
         .value_len = (int32_t)strlen(value),
         .headers = &h,
         .nheaders = 1},
        {.timestamp = now_ms + 1000, .key = (const uint8_t *)"k", .key_len = 1, .value_len = -1}};
    struct batch_opts o = {.codec = codec % 5,
                           .snappy_raw = false,
                           .transactional = t->id != NULL,
                           .producer_id = t->producer_id,
                           .producer_epoch = t->epoch,
                           .base_sequence = sequence};
    int64_t at = -1;
    OK(batch_write(&b, &o, r, 2, &e));
    struct admin_tp to = {topic, partition};
    OK(txn_produce(a, t, &to, b.data, b.len, MS, &at, &e));
    buf_free(&b);
    return at;
}

static void fetch(struct admin *a, int32_t partition, int64_t offset, enum admin_isolation iso,
                  struct admin_fetched *out)
{
    struct err e = {0};
    struct admin_fetch f = {topic, partition, offset, iso, 1 << 20, 0};
    OK(admin_fetch(a, &f, MS, out, &e));
}

TEST_LIMIT(metadata_and_configs_are_read, 60)
{
    struct admin *a = start(3);
    struct err e = {0};
    struct admin_metadata m;
    const char *names[] = {topic, "no-such-topic"};
    OK(admin_metadata(a, names, 2, MS, &m, &e));
    CHECK(m.nbrokers >= 1 && m.cluster_id && m.controller >= 0);
    CHECK_INT(m.ntopics, 2);
    for (size_t i = 0; i < 2; i++) {
        bool known = strcmp(m.topics[i].name, topic) == 0;
        CHECK_INT(m.topics[i].error, known ? 0 : KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
        CHECK_INT(m.topics[i].npartitions, known ? 3 : 0);
        if (known) {
            CHECK(m.topics[i].partitions[2].leader >= 0 && m.topics[i].partitions[2].nisr == 1);
            CHECK(memcmp(m.topics[i].id, (uint8_t[16]){0}, 16) != 0);
        }
    }
    char node[16];
    snprintf(node, sizeof node, "%d", m.brokers[0].id);
    admin_metadata_free(&m);
    struct admin_configs c;
    OK(admin_describe_configs(a, ADMIN_TOPIC, topic, MS, &c, &e));
    CHECK_STR(admin_config_get(&c, "retention.ms"), "-1");
    CHECK_STR(admin_config_get(&c, "cleanup.policy"), "delete");
    admin_configs_free(&c);
    OK(admin_describe_configs(a, ADMIN_BROKER, node, MS, &c, &e));
    CHECK(admin_config_get(&c, "transaction.max.timeout.ms") != NULL);
    admin_configs_free(&c);
    CHECK(admin_feature(a, "metadata.version", MS, &e) > 0 ||
          admin_feature(a, "transaction.version", MS, &e) > 0);
    CHECK(admin_feature(a, "no.such.feature", MS, &e) <= 0);
    printf("# transaction.version %d\n", admin_feature(a, "transaction.version", MS, &e));
    struct admin_new_topic again = {topic, 1, 1, NULL, 0};
    CHECK_INT(admin_create_topics(a, &again, 1, MS, &e), -1);
    CHECK_INT(e.kind, ERR_BROKER);
    CHECK_INT(e.code, KAFKA_TOPIC_ALREADY_EXISTS);
    CHECK_HAS(e.msg, topic);
    OK(admin_delete_topics(a, names, 2, MS, &e));
    OK(admin_metadata(a, NULL, 0, MS, &m, &e));
    for (size_t i = 0; i < m.ntopics; i++) {
        CHECK(strcmp(m.topics[i].name, topic) != 0);
    }
    admin_metadata_free(&m);
    admin_close(a);
}

TEST_LIMIT(every_codec_is_taken_and_given_back, 60)
{
    struct admin *a = start(1);
    struct txn t = {.producer_id = -1};
    struct admin_fetched f;
    struct batch_iter it;
    struct batch b;
    for (int codec = CODEC_NONE; codec <= CODEC_ZSTD; codec++) {
        CHECK_INT(produce(a, &t, 0, codec, -1, "some value"), codec * 2);
    }
    fetch(a, 0, 0, ADMIN_READ_UNCOMMITTED, &f);
    CHECK_INT(f.high_watermark, 10);
    CHECK_INT(f.last_stable, 10);
    CHECK_INT(f.log_start, 0);
    batch_iter_init(&it, f.records, f.len);
    for (int codec = CODEC_NONE; codec <= CODEC_ZSTD; codec++) {
        struct record_iter ri;
        struct record r;
        CHECK_INT(batch_iter_next(&it, &b), BATCH_OK);
        CHECK_INT(b.codec, codec);
        CHECK_INT(b.base_offset, codec * 2);
        CHECK_INT(b.producer_id, -1);
        record_iter_init(&ri, &b);
        CHECK_INT(record_iter_next(&ri, &r), 1);
        CHECK_INT(r.value_len, 10);
        CHECK(memcmp(r.value, "some value", 10) == 0);
        CHECK_INT(r.headers[0].value_len, -1);
        CHECK_INT(record_iter_next(&ri, &r), 1);
        CHECK_INT(r.value_len, -1);
        CHECK_INT(r.timestamp, now_ms + 1000);
        CHECK_INT(record_iter_next(&ri, &r), 0);
        record_iter_free(&ri);
    }
    CHECK_INT(batch_iter_next(&it, &b), BATCH_END);
    admin_fetched_free(&f);
    struct err e = {0};
    struct admin_offset o;
    OK(admin_list_offsets(a, topic, 0, ADMIN_EARLIEST, 0, MS, &o, &e));
    CHECK_INT(o.offset, 0);
    OK(admin_list_offsets(a, topic, 0, now_ms + 500, 0, MS, &o, &e));
    CHECK_INT(o.offset, 1);
    CHECK_INT(o.timestamp, now_ms + 1000);
    struct admin_fetch beyond = {topic, 0, 99, 0, 0, 0};
    CHECK_INT(admin_fetch(a, &beyond, MS, &f, &e), -1);
    CHECK_INT(e.code, KAFKA_OFFSET_OUT_OF_RANGE);
    admin_fetched_free(&f);
    admin_close(a);
}

static int16_t last_marker(const struct admin_fetched *f, struct batch *b)
{
    struct batch_iter it;
    int16_t type = -1;
    struct batch one;
    batch_iter_init(&it, f->records, f->len);
    while (batch_iter_next(&it, &one) == BATCH_OK) {
        struct record_iter ri;
        struct record r;
        struct control c;
        if (!one.control) {
            continue;
        }
        record_iter_init(&ri, &one);
        CHECK_INT(record_iter_next(&ri, &r), 1);
        CHECK(control_read(&r, &c));
        type = c.type;
        *b = one;
        record_iter_free(&ri);
    }
    return type;
}

static void wait_stable(struct admin *a, int32_t partition, int64_t lso)
{
    struct err e = {0};
    struct admin_offset o = {0};
    for (int i = 0; i < 500 && o.offset != lso; i++) {
        OK(admin_list_offsets(a, topic, partition, ADMIN_LATEST, ADMIN_READ_COMMITTED, MS, &o, &e));
        usleep(10000);
    }
    CHECK_INT(o.offset, lso);
}

static void one_transaction(bool v2, bool commit)
{
    struct admin *a = start(2);
    struct err e = {0};
    struct txn t = {.id = txid, .v2 = v2};
    struct admin_tp parts[] = {{topic, 0}, {topic, 1}};
    struct admin_fetched f;
    struct admin_producers p;
    struct admin_txns x;
    const char *ids[] = {txid, "no-such-id"};
    if (v2 && admin_feature(a, "transaction.version", MS, &e) < 2) {
        test_skip("transaction.version is below 2");
    }
    OK(txn_init(a, &t, 30000, MS, &e));
    int16_t epoch = t.epoch;
    if (!v2) {
        OK(txn_add_partitions(a, &t, parts, 2, MS, &e));
    }
    CHECK_INT(produce(a, &t, 0, CODEC_LZ4, 0, "in a transaction"), 0);
    CHECK_INT(produce(a, &t, 1, CODEC_NONE, 0, "in a transaction"), 0);
    fetch(a, 0, 0, ADMIN_READ_UNCOMMITTED, &f);
    CHECK_INT(f.high_watermark, 2);
    CHECK_INT(f.last_stable, 0);
    admin_fetched_free(&f);
    OK(admin_describe_producers(a, topic, 0, MS, &p, &e));
    CHECK_INT(p.n, 1);
    CHECK_INT(p.items[0].producer_id, t.producer_id);
    CHECK_INT(p.items[0].txn_start, 0);
    CHECK_INT(p.items[0].last_sequence, 1);
    admin_producers_free(&p);
    OK(admin_describe_transactions(a, ids, 2, MS, &x, &e));
    CHECK_STR(x.items[0].state, "Ongoing");
    CHECK_INT(x.items[0].npartitions, 2);
    CHECK_INT(x.items[0].timeout_ms, 30000);
    CHECK(x.items[0].start_ms > 0);
    CHECK_INT(x.items[1].error, KAFKA_TRANSACTIONAL_ID_NOT_FOUND);
    admin_txns_free(&x);
    const char *states[] = {"Ongoing"};
    OK(admin_list_transactions(a, states, 1, MS, &x, &e));
    bool seen = false;
    for (size_t i = 0; i < x.n; i++) {
        seen = seen || strcmp(x.items[i].id, txid) == 0;
    }
    CHECK(seen);
    admin_txns_free(&x);
    OK(txn_end(a, &t, commit, MS, &e));
    wait_stable(a, 0, 3);
    wait_stable(a, 1, 3);
    fetch(a, 0, 0, ADMIN_READ_COMMITTED, &f);
    struct batch marker = {0};
    CHECK_INT(last_marker(&f, &marker), commit ? CONTROL_COMMIT : CONTROL_ABORT);
    CHECK_INT(marker.base_offset, 2);
    CHECK_INT(marker.producer_epoch, v2 ? epoch + 1 : epoch);
    CHECK_INT(t.epoch, v2 ? epoch + 1 : epoch);
    CHECK_INT(f.naborted, commit ? 0 : 1);
    if (!commit) {
        CHECK_INT(f.aborted[0].first_offset, 0);
        CHECK_INT(f.aborted[0].producer_id, t.producer_id);
    }
    admin_fetched_free(&f);
    admin_close(a);
}

TEST_LIMIT(a_transaction_commits, 60)
{
    one_transaction(false, true);
}

TEST_LIMIT(a_transaction_aborts, 60)
{
    one_transaction(false, false);
}

TEST_LIMIT(a_version_2_transaction_commits, 60)
{
    one_transaction(true, true);
}

TEST_LIMIT(a_version_2_transaction_aborts, 60)
{
    one_transaction(true, false);
}

/** Counts a record of an internal topic, if it is ours, by state or offset. */
static void count_record(const struct record *r, bool txn, int counts[8])
{
    struct internal_record ir;
    struct err e = {0};
    OK(txn ? internal_read_txn(r, &ir, &e) : internal_read_offsets(r, &ir, &e));
    if (ir.kind == INTERNAL_TXN && strcmp(ir.txn.id, txid) == 0) {
        counts[ir.txn.state]++;
        CHECK_INT(ir.txn.timeout_ms, 30000);
    }
    if (ir.kind == INTERNAL_OFFSET && strcmp(ir.offset.group, group) == 0) {
        counts[ir.offset.offset % 8]++;
        CHECK_STR(ir.offset.topic, topic);
        CHECK(!ir.offset.tombstone && ir.offset.commit_ms > 0);
        CHECK_STR(ir.offset.metadata, "meta");
    }
    internal_free(&ir);
}

static void count_batch(const struct batch *b, bool txn, int counts[8])
{
    struct record_iter ri;
    struct record r;
    record_iter_init(&ri, b);
    while (!b->control && record_iter_next(&ri, &r) > 0) {
        count_record(&r, txn, counts);
    }
    CHECK(!ri.corrupt);
    record_iter_free(&ri);
}

/** Reads all of partition 0 of an internal topic. */
static void read_internal(struct admin *a, const char *name, bool txn, int counts[8])
{
    struct err e = {0};
    bool end = false;
    memset(counts, 0, 8 * sizeof *counts);
    for (int64_t at = 0; !end;) {
        struct admin_fetch f = {name, 0, at, ADMIN_READ_UNCOMMITTED, 1 << 20, 0};
        struct admin_fetched out;
        struct batch_iter it;
        struct batch b;
        OK(admin_fetch(a, &f, MS, &out, &e));
        batch_iter_init(&it, out.records, out.len);
        while (batch_iter_next(&it, &b) == BATCH_OK) {
            at = b.base_offset + b.last_offset_delta + 1;
            count_batch(&b, txn, counts);
        }
        end = out.len == 0 || at >= out.high_watermark;
        admin_fetched_free(&out);
    }
}

static int64_t committed(struct admin *a, bool stable, int16_t *error)
{
    struct err e = {0};
    struct admin_offsets o;
    struct admin_tp tp = {topic, 0};
    OK(admin_offset_fetch(a, group, &tp, 1, stable, MS, &o, &e));
    CHECK_INT(o.n, 1);
    int64_t offset = o.items[0].offset;
    *error = o.items[0].error;
    admin_offsets_free(&o);
    return offset;
}

static void offsets_in_transactions(bool v2)
{
    struct admin *a = start(1);
    struct err e = {0};
    struct txn t = {.id = txid, .v2 = v2};
    struct admin_committed o = {.topic = topic, .offset = 1, .metadata = "meta"};
    int16_t error = 0;
    int counts[8] = {0};
    if (v2 && admin_feature(a, "transaction.version", MS, &e) < 2) {
        test_skip("transaction.version is below 2");
    }
    OK(txn_commit_offsets(a, NULL, group, &o, 1, MS, &e));
    CHECK_INT(committed(a, true, &error), 1);
    CHECK_INT(error, 0);
    OK(txn_init(a, &t, 30000, MS, &e));
    o.offset = 2;
    OK(txn_commit_offsets(a, &t, group, &o, 1, MS, &e));
    CHECK_INT(committed(a, false, &error), 1);
    CHECK_INT(error, 0);
    committed(a, true, &error);
    CHECK_INT(error, KAFKA_UNSTABLE_OFFSET_COMMIT);
    OK(txn_end(a, &t, true, MS, &e));
    for (int i = 0; i < 500 && (committed(a, true, &error) != 2 || error); i++) {
        usleep(10000);
    }
    CHECK_INT(committed(a, true, &error), 2);
    struct admin_offsets all;
    OK(admin_offset_fetch(a, group, NULL, 0, true, MS, &all, &e));
    CHECK_INT(all.n, 1);
    CHECK_STR(all.items[0].metadata, "meta");
    admin_offsets_free(&all);
    read_internal(a, "__consumer_offsets", false, counts);
    CHECK(counts[1] == 1 && counts[2] == 1);
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < 500 && counts[TXN_COMPLETE_COMMIT] == 0; i++) {
        read_internal(a, "__transaction_state", true, counts);
        usleep(10000);
    }
    CHECK(counts[TXN_EMPTY] >= 1 && counts[TXN_ONGOING] >= 1 && counts[TXN_PREPARE_COMMIT] >= 1);
    CHECK_INT(counts[TXN_COMPLETE_COMMIT], 1);
    struct admin_group g;
    OK(admin_describe_group(a, group, MS, &g, &e));
    CHECK_STR(g.state, "Empty");
    CHECK_INT(g.nmembers, 0);
    admin_group_free(&g);
    admin_close(a);
}

TEST_LIMIT(offsets_in_a_transaction_show_88_then_the_offset, 60)
{
    offsets_in_transactions(false);
}

TEST_LIMIT(offsets_in_a_version_2_transaction_too, 60)
{
    offsets_in_transactions(true);
}
