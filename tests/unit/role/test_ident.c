/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ident.h"
#include "test.h"

TEST(headers_survive_the_round_trip)
{
    uint8_t out[IDENT_MAX];
    struct ident_header h = {ident_text("r1"), ident_text("worker"), ident_text("output"), 3, 9,
                             UINT64_MAX - 1},
                        back;
    size_t len = ident_put(out, &h);
    CHECK(ident_get(out, len, &back));
    CHECK(ident_is(back.run, "r1") && ident_is(back.role, "worker") &&
          ident_is(back.topic, "output"));
    CHECK_INT(back.index, 3);
    CHECK_INT(back.incarnation, 9);
    CHECK(back.seq == UINT64_MAX - 1);
    ident_set_last(out, len, 77);
    CHECK(ident_get(out, len, &back) && back.seq == 77);

    struct ident_src s = {ident_text("in"), 2, 518}, s2;
    len = ident_put_src(out, &s);
    ident_set_src(out, len, 5, INT64_MAX);
    CHECK(ident_get_src(out, len, &s2) && ident_is(s2.topic, "in"));
    CHECK(s2.partition == 5 && s2.offset == INT64_MAX);

    struct ident_txn t = {ident_text("eos-worker-1"), 4, 12}, t2;
    len = ident_put_txn(out, &t);
    CHECK(ident_get_txn(out, len, &t2) && ident_is(t2.id, "eos-worker-1"));
    CHECK(t2.incarnation == 4 && t2.number == 12);
}

TEST(the_longest_names_fit)
{
    char name[IDENT_TEXT_MAX + 10];
    uint8_t out[IDENT_MAX];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    struct ident_text t = ident_text(name);
    struct ident_header h = {t, t, t, 1, 1, 1}, back;
    CHECK_INT(t.len, IDENT_TEXT_MAX);
    CHECK_INT(ident_put(out, &h), IDENT_MAX);
    CHECK(ident_get(out, IDENT_MAX, &back) && back.topic.len == IDENT_TEXT_MAX);
}

TEST(every_cut_and_every_addition_is_refused)
{
    uint8_t out[IDENT_MAX + 1];
    struct ident_header h = {ident_text("run"), ident_text("role"), ident_text("t"), 1, 1, 1};
    size_t len = ident_put(out, &h);
    for (size_t n = 0; n < len; n++) {
        uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees a read too far */
        memcpy(exact, out, n);
        CHECK(!ident_get(exact, n, &h));
        struct ident_src s;
        struct ident_txn t;
        ident_get_src(exact, n, &s);
        ident_get_txn(exact, n, &t);
        free(exact);
    }
    CHECK(!ident_get(out, len + 1, &h));
    out[0] = 2;
    CHECK(!ident_get(out, len, &h));
    CHECK(!ident_get(NULL, 0, &h));
}
