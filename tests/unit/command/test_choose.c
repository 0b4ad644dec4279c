/* SPDX-License-Identifier: Apache-2.0 */
/* Tags, shards and the matrix of a suite. */
#include "command/choose.h"

#include "base/buf.h"
#include "base/mem.h"
#include "test.h"

static bool has(const char *spec)
{
    struct plan_strings tags = {0};
    plan_strings_add(&tags, "eos");
    plan_strings_add(&tags, "twin");
    struct err e;
    CHECK_INT(choose_tags_check(spec, &e), 0);
    bool yes = choose_tags(spec, &tags);
    plan_strings_free(&tags);
    return yes;
}

TEST(tags_select_any_of_the_words_and_none_of_the_excluded)
{
    CHECK(has("eos"));
    CHECK(has("slow,eos"));
    CHECK(has("~slow"));
    CHECK(has("eos,~slow"));
    CHECK(!has("slow"));
    CHECK(!has("~twin"));
    CHECK(!has("eos,~twin"));
    CHECK(!has("slow,~fast"));
    CHECK(!has("eo"));
}

TEST(a_scenario_without_tags_is_selected_by_exclusions_alone)
{
    struct plan_strings none = {0};
    CHECK(choose_tags("~slow", &none));
    CHECK(!choose_tags("eos", &none));
    CHECK(!choose_tags("eos,~slow", &none));
}

TEST(an_empty_tag_is_refused)
{
    struct err e;
    CHECK_INT(choose_tags_check("", &e), -1);
    CHECK_INT(choose_tags_check("a,,b", &e), -1);
    CHECK_INT(choose_tags_check("a,~", &e), -1);
    CHECK_HAS(e.msg, "a,~ has an empty tag");
}

TEST(shards_split_everything_and_overlap_nowhere)
{
    struct err e;
    size_t most = 0;
    for (int n = 1; n <= 7; n++) {
        size_t sizes[7] = {0};
        for (int k = 0; k < 300; k++) {
            char *id = xasprintf("scenario-%d[workers=%d]", k, k % 5);
            int in = 0;
            for (int i = 1; i <= n; i++) {
                char *text = xasprintf("%d/%d", i, n);
                struct choose_shard s;
                CHECK_INT(choose_shard_parse(text, &s, &e), 0);
                if (choose_shard(&s, id)) {
                    in++;
                    sizes[i - 1]++;
                }
                free(text);
            }
            CHECK_INT(in, 1);
            free(id);
        }
        for (int i = 0; i < n; i++) {
            CHECK(sizes[i] > 150u / (unsigned)n);
            most = sizes[i] > most ? sizes[i] : most;
        }
    }
    CHECK_INT(most, 300);
}

TEST(a_scenario_stays_in_its_shard_for_ever)
{
    struct choose_shard s = {0};
    struct err e;
    CHECK(choose_shard(&s, "anything")); /* no shard asked for */
    CHECK_INT(choose_shard_parse("3/5", &s, &e), 0);
    static const char *const there[] = {"smoke", "dlq", "d"};
    for (size_t i = 0; i < ARRAY_LEN(there); i++) {
        CHECK(choose_shard(&s, there[i]));
    }
}

TEST(what_is_no_shard_is_refused)
{
    static const char *const bad[] = {
        "",     "1",    "/",    "1/",    "/2",
        "0/2",  "3/2",  "1/2x", "-1/-2", "1/0",
        " 1/2", "1/ 2", "a/b",  "1/2/3", "99999999999999999999999/99999999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct choose_shard s;
        struct err e;
        CHECK_INT(choose_shard_parse(bad[i], &s, &e), -1);
        CHECK_HAS(e.msg, "is not a shard");
    }
}

static void expect_id(const struct choose_matrix *m, size_t point, const char *want)
{
    char *id = choose_matrix_id(m, point, "eos");
    CHECK_STR(id, want);
    free(id);
}

TEST(a_matrix_is_the_cross_product_in_a_stable_order)
{
    struct choose_matrix m = {0};
    struct err e;
    CHECK_INT(choose_matrix_points(&m), 1);
    expect_id(&m, 0, "eos");
    CHECK_INT(choose_matrix_add(&m, "workers=3,5", &e), 0);
    CHECK_INT(choose_matrix_add(&m, "strategy=range,roundrobin,a=b", &e), 0);
    CHECK_INT(choose_matrix_points(&m), 6);
    expect_id(&m, 0, "eos[workers=3,strategy=range]");
    expect_id(&m, 1, "eos[workers=3,strategy=roundrobin]");
    expect_id(&m, 3, "eos[workers=5,strategy=range]");
    expect_id(&m, 5, "eos[workers=5,strategy=a=b]");
    struct plan_conf c = {0};
    plan_conf_set(&c, "workers", "9");
    choose_matrix_params(&m, 4, &c);
    CHECK_STR(plan_conf_get(&c, "workers"), "5");
    CHECK_STR(plan_conf_get(&c, "strategy"), "roundrobin");
    plan_conf_free(&c);
    choose_matrix_free(&m);
}

TEST(a_matrix_that_repeats_itself_is_refused)
{
    static const struct {
        const char *spec, *why;
    } bad[] = {{"workers", "is not NAME=a,b,c"},   {"=1", "is not NAME=a,b,c"},
               {"workers=", "has an empty value"}, {"workers=1,,2", "has an empty value"},
               {"workers=1,2,1", "a value twice"}, {"ids=1", "ids has its values already"}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct choose_matrix m = {0};
        struct err e;
        CHECK_INT(choose_matrix_add(&m, "ids=1,2", &e), 0);
        CHECK_INT(choose_matrix_add(&m, bad[i].spec, &e), -1);
        CHECK_HAS(e.msg, bad[i].why);
        choose_matrix_free(&m);
    }
}

TEST(a_matrix_has_a_limit)
{
    struct choose_matrix m = {0};
    struct err e;
    struct buf b = {0};
    for (int axis = 0; axis < 2; axis++) {
        b.len = 0;
        buf_printf(&b, "n%d=0", axis);
        for (int i = 1; i < 150; i++) {
            buf_printf(&b, ",%d", i);
        }
        CHECK_INT(choose_matrix_add(&m, b.data, &e), axis ? -1 : 0);
    }
    CHECK_HAS(e.msg, "more than 10000 points");
    buf_free(&b);
    choose_matrix_free(&m);
}
