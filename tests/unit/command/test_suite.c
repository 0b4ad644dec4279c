/* SPDX-License-Identifier: Apache-2.0 */
/* What a suite remembers, how it counts, and where it writes. */
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "command/ledger.h"
#include "command/reports.h"
#include "command/suite.h"
#include "test.h"

/* ---- exit codes and seeds ---- */

TEST(the_worst_exit_code_of_a_suite_wins)
{
    static const int order[] = {EXIT_BUG,          EXIT_FAIL,    EXIT_SCENARIO, EXIT_ENVIRONMENT,
                                EXIT_INCONCLUSIVE, EXIT_NOTHING, EXIT_PASS};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        for (size_t k = i; k < ARRAY_LEN(order); k++) {
            CHECK_INT(suite_worse(order[i], order[k]), order[i]);
            CHECK_INT(suite_worse(order[k], order[i]), order[i]);
        }
    }
    CHECK_INT(suite_worse(130, EXIT_BUG), 130);
    CHECK_INT(suite_worse(EXIT_BUG, 143), 143);
}

TEST(the_first_repetition_has_the_seed_itself_and_all_differ)
{
    uint64_t seen[200];
    CHECK(suite_seed(7, 0) == 7);
    for (int i = 0; i < 200; i++) {
        seen[i] = suite_seed(7, i);
        CHECK(seen[i] == suite_seed(7, i));
        for (int k = 0; k < i; k++) {
            CHECK(seen[k] != seen[i]);
        }
    }
    CHECK(suite_seed(7, 1) == 0x72a4cd336531fd6e); /* frozen: a report names it */
    CHECK(suite_seed(8, 1) != suite_seed(7, 1));
}

/* ---- the ledger ---- */

static void enter(void)
{
    CHECK_INT(chdir(test_dir()), 0);
}

static void touch(const char *path)
{
    struct err e;
    CHECK_INT(path_write(path, "", 0, &e), 0);
}

static void add(const char *path, const char *id, int code)
{
    struct err e;
    CHECK_INT(ledger_add(".kaos", path, id, code, &e), 0);
}

static bool failed(const char *path, const char *id)
{
    struct err e;
    struct ledger *l = ledger_read(".kaos", &e);
    CHECK(l != NULL);
    bool yes = ledger_failed(l, path, id);
    ledger_free(l);
    return yes;
}

TEST(the_last_outcome_of_a_scenario_counts)
{
    enter();
    touch("a.lua");
    CHECK(!failed("a.lua", "eos"));
    add("a.lua", "eos", EXIT_FAIL);
    add("a.lua", "eos[n=1]", EXIT_PASS);
    CHECK(failed("a.lua", "eos"));
    CHECK(failed("./a.lua", "eos"));
    CHECK(!failed("a.lua", "eos[n=1]"));
    CHECK(!failed("b.lua", "eos"));
    add("a.lua", "eos", EXIT_PASS);
    CHECK(!failed("a.lua", "eos"));
    add("a.lua", "eos", EXIT_INCONCLUSIVE);
    CHECK(failed("a.lua", "eos"));
}

TEST(a_file_that_did_not_load_stands_for_all_its_scenarios)
{
    enter();
    touch("a.lua");
    add("a.lua", "", EXIT_SCENARIO);
    CHECK(failed("a.lua", "anything"));
    add("a.lua", "", EXIT_PASS);
    CHECK(!failed("a.lua", "anything"));
}

TEST(files_with_failures_are_named_while_they_exist)
{
    struct err e;
    struct plan_strings files = {0};
    enter();
    CHECK_INT(path_mkdirs("sub", 0755, &e), 0);
    touch("a.lua");
    touch("sub/b.lua");
    touch("gone.lua");
    touch("right.lua");
    add("a.lua", "one", EXIT_FAIL);
    add("a.lua", "two", EXIT_FAIL);
    add("sub/b.lua", "one", EXIT_ENVIRONMENT);
    add("gone.lua", "one", EXIT_FAIL);
    add("right.lua", "one", EXIT_PASS);
    CHECK_INT(unlink("gone.lua"), 0);
    struct ledger *l = ledger_read(".kaos", &e);
    ledger_files(l, &files);
    CHECK_INT(files.n, 2);
    CHECK_STR(files.items[0], "a.lua");
    CHECK_STR(files.items[1], "sub/b.lua");
    ledger_free(l);
    plan_strings_free(&files);
}

TEST(a_damaged_ledger_is_read_as_far_as_it_goes)
{
    struct err e;
    struct buf b = {0};
    enter();
    touch("a.lua");
    add("a.lua", "one", EXIT_FAIL);
    CHECK_INT(path_read(".kaos/outcomes.jsonl", 0, &b, &e), 0);
    buf_puts(&b,
             "{\"file\":7}\nnothing\n{\"file\":\"a.lua\",\"id\":\"one\",\"code\":\"x\"}\n{\"fi");
    CHECK_INT(path_write(".kaos/outcomes.jsonl", b.data, b.len, &e), 0);
    CHECK(failed("a.lua", "one"));
    CHECK(!failed("a.lua", "two"));
    buf_free(&b);
}

TEST_LIMIT(a_ledger_that_has_grown_is_cut_to_the_last_outcomes, 60)
{
    struct err e;
    struct buf b = {0};
    enter();
    touch("a.lua");
    for (int i = 0; i < 30000; i++) {
        buf_printf(&b, "{\"file\":\"a.lua\",\"id\":\"s%d\",\"code\":%d}\n", i % 50, i < 29950);
    }
    CHECK_INT(path_mkdirs(".kaos", 0700, &e), 0);
    CHECK_INT(path_write(".kaos/outcomes.jsonl", b.data, b.len, &e), 0);
    CHECK(b.len > 1 << 20);
    add("a.lua", "s7", EXIT_FAIL);
    b.len = 0;
    CHECK_INT(path_read(".kaos/outcomes.jsonl", 0, &b, &e), 0);
    CHECK(b.len < 4096);
    CHECK(failed("a.lua", "s7"));
    CHECK(!failed("a.lua", "s8"));
    buf_free(&b);
}

/* ---- paths of reports ---- */

TEST(a_path_of_a_report_names_the_run)
{
    struct verdict v = {.scenario = "retry-order/range"};
    json_t *run = json_pack("{s:s, s:s}", "run", "7c1e00", "seed", "0x07");
    struct report r = {.v = &v, .run = run};
    char *path = reports_path("out/{name}-{run}/{seed}{seed}.xml", &r);
    CHECK_STR(path, "out/retry-order-range-7c1e00/0x070x07.xml");
    free(path);
    json_object_set_new(run, "label", json_string("eos[workers=3,s=../x]"));
    path = reports_path("{name}", &r);
    CHECK_STR(path, "eos-workers=3,s=..-x-");
    free(path);
    json_object_clear(run);
    path = reports_path("{run}{seed}plain", &r);
    CHECK_STR(path, "nonenoneplain");
    free(path);
    json_decref(run);
}

TEST(unknown_placeholders_are_found)
{
    size_t len;
    CHECK(reports_unknown("a/{name}{run}-{seed}", &len) == NULL);
    CHECK(reports_unknown("plain", &len) == NULL);
    const char *at = reports_unknown("a/{nam}/{run}", &len);
    CHECK(at && len == 5 && memcmp(at, "{nam}", 5) == 0);
    CHECK_STR(reports_unknown("{run}{", &len), "{");
}

/* ---- outcomes between processes ---- */

TEST(an_outcome_without_an_answer_is_an_error)
{
    struct err e;
    struct outcome out;
    enter();
    CHECK_INT(item_answer("missing", &out, &e), -1);
    CHECK_INT(path_write("a", "{\"code\": 0}", 11, &e), 0);
    CHECK_INT(item_answer("a", &out, &e), -1); /* no verdict: never a pass */
    outcome_free(&out);
    CHECK_INT(path_write("a", "{\"code\": 0, \"verdict\": {}}", 26, &e), 0);
    CHECK_INT(item_answer("a", &out, &e), -1);
    outcome_free(&out);
    CHECK_INT(path_write("a", "{\"code\": 130, \"signal\": 2}", 26, &e), 0);
    CHECK_INT(item_answer("a", &out, &e), 0);
    CHECK_INT(out.signum, 2);
    CHECK(out.v == NULL);
    outcome_free(&out);
}

TEST(what_could_not_run_keeps_its_name_and_place)
{
    struct outcome out = {0};
    outcome_error(&out, EXIT_SCENARIO, "all/wrong.lua", "all/wrong.lua:3", "all/wrong.lua", "bad");
    CHECK_INT(out.code, EXIT_SCENARIO);
    CHECK_INT(out.v->code, VERDICT_SCENARIO_ERROR);
    CHECK_STR(json_string_value(json_object_get(out.run, "select")), "all/wrong.lua:3");
    outcome_free(&out);
    outcome_error(&out, EXIT_BUG, "a.lua", "a.lua:1", "eos", "died");
    CHECK_INT(out.code, EXIT_BUG);
    CHECK_INT(out.v->code, VERDICT_ENVIRONMENT);
    outcome_free(&out);
}
