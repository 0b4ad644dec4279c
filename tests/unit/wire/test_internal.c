/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the internal topics, from bytes. */
#include "test.h"

#include "wire/internal.h"

#define BYTES(s) (const uint8_t *)(s), (int32_t)sizeof(s) - 1

static struct record make(const uint8_t *key, int32_t key_len, const uint8_t *value, int32_t len)
{
    return (struct record){.key = key, .key_len = key_len, .value = value, .value_len = len};
}

#define OFFSET_KEY "\0\1\0\2g1\0\1t\0\0\0\4"

TEST(offset_commits_of_version_3_are_read)
{
    struct record r =
        make(BYTES(OFFSET_KEY),
             BYTES("\0\3\0\0\0\0\0\0\0\x2a\xff\xff\xff\xff\0\2md\0\0\0\0\0\0\x03\xe8"));
    struct internal_record out;
    struct err e = {0};
    CHECK_INT(internal_read_offsets(&r, &out, &e), 0);
    CHECK_INT(out.kind, INTERNAL_OFFSET);
    CHECK_STR(out.offset.group, "g1");
    CHECK_STR(out.offset.topic, "t");
    CHECK_INT(out.offset.partition, 4);
    CHECK_INT(out.offset.offset, 42);
    CHECK_INT(out.offset.leader_epoch, -1);
    CHECK_STR(out.offset.metadata, "md");
    CHECK_INT(out.offset.commit_ms, 1000);
    CHECK_INT(out.offset.expire_ms, -1);
    internal_free(&out);
}

TEST(offset_commits_of_version_1_expire)
{
    struct record r =
        make(BYTES(OFFSET_KEY), BYTES("\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3"));
    struct internal_record out;
    struct err e = {0};
    CHECK_INT(internal_read_offsets(&r, &out, &e), 0);
    CHECK_INT(out.offset.commit_ms, 2);
    CHECK_INT(out.offset.expire_ms, 3);
    internal_free(&out);
}

TEST(tombstones_and_other_records_are_told_apart)
{
    struct record r = make(BYTES(OFFSET_KEY), NULL, -1);
    struct internal_record out;
    struct err e = {0};
    CHECK_INT(internal_read_offsets(&r, &out, &e), 0);
    CHECK_INT(out.kind, INTERNAL_OFFSET);
    CHECK(out.offset.tombstone);
    internal_free(&out);
    r = make(BYTES("\0\2\0\2g1"), BYTES("anything"));
    CHECK_INT(internal_read_offsets(&r, &out, &e), 0);
    CHECK_INT(out.kind, INTERNAL_OTHER);
    internal_free(&out);
}

#define TXN_KEY  "\0\0\0\2tx"
#define TXN_BODY "\0\0\0\0\0\0\0\7\0\3\0\0\xea\x60"

TEST(transaction_states_of_both_versions_are_read)
{
    static const char v0[] = "\0\0" TXN_BODY "\1\0\0\0\1\0\1t\0\0\0\2\0\0\0\0\0\0\0\5"
                             "\0\0\0\0\0\0\0\x0b\0\0\0\0\0\0\0\x0a";
    static const char v1[] =
        "\0\1" TXN_BODY "\4\0\0\0\0\0\0\0\0\x0b\xff\xff\xff\xff\xff\xff\xff\xff"
        "\2\0\x08\0\0\0\0\0\0\0\6\2\2\0\2";
    struct record r = make(BYTES(TXN_KEY), BYTES(v0));
    struct internal_record out;
    struct err e = {0};
    CHECK_INT(internal_read_txn(&r, &out, &e), 0);
    CHECK_INT(out.kind, INTERNAL_TXN);
    CHECK_STR(out.txn.id, "tx");
    CHECK_INT(out.txn.producer_id, 7);
    CHECK_INT(out.txn.epoch, 3);
    CHECK_INT(out.txn.timeout_ms, 60000);
    CHECK_STR(internal_txn_state_name(out.txn.state), "Ongoing");
    CHECK_INT(out.txn.npartitions, 2);
    CHECK_STR(out.txn.partitions[1].topic, "t");
    CHECK_INT(out.txn.partitions[1].partition, 5);
    CHECK_INT(out.txn.update_ms, 11);
    CHECK_INT(out.txn.start_ms, 10);
    internal_free(&out);
    r = make(BYTES(TXN_KEY), BYTES(v1));
    if (internal_read_txn(&r, &out, &e) < 0) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    CHECK_STR(internal_txn_state_name(out.txn.state), "CompleteCommit");
    CHECK_INT(out.txn.npartitions, 0);
    CHECK_INT(out.txn.start_ms, -1);
    CHECK_INT(out.txn.prev_producer_id, 6);
    CHECK_INT(out.txn.next_producer_id, -1);
    CHECK_INT(out.txn.client_version, 2);
    internal_free(&out);
}

TEST(cut_or_unknown_records_are_protocol_errors)
{
    static const char value[] = "\0\0" TXN_BODY "\1\0\0\0\1\0\1t\0\0\0\2\0\0\0\0\0\0\0\5"
                                "\0\0\0\0\0\0\0\x0b\0\0\0\0\0\0\0\x0a";
    struct internal_record out;
    struct err e = {0};
    for (int32_t len = 0; len < (int32_t)sizeof value - 1; len++) {
        struct record r = make(BYTES(TXN_KEY), (const uint8_t *)value, len);
        CHECK_INT(internal_read_txn(&r, &out, &e), -1);
        CHECK_INT(e.kind, ERR_PROTOCOL);
        internal_free(&out);
    }
    struct record r = make(BYTES(TXN_KEY), BYTES("\0\x09zz"));
    CHECK_INT(internal_read_txn(&r, &out, &e), -1);
    CHECK_HAS(e.msg, "version 9 is not known");
    internal_free(&out);
    r = make(NULL, -1, NULL, -1);
    CHECK_INT(internal_read_offsets(&r, &out, &e), -1);
    internal_free(&out);
}
