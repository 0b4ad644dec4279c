/* SPDX-License-Identifier: Apache-2.0 */
/* The text of the console, word for word. */
#include "report/text.h"
#include "sample.h"
#include "test.h"

#include "base/mem.h"

/* No line is wider than the console. */
static void check_width(const char *text)
{
    for (const char *p = text; *p;) {
        size_t len = strcspn(p, "\n");
        char *line = xmemdup0(p, len);
        if (text_width(line) > REPORT_COLUMNS) {
            test_fail(__FILE__, __LINE__, "%zu columns: %s", text_width(line), line);
        }
        free(line);
        p += len + (p[len] == '\n');
    }
}

static void check_text(const struct report *r, const char *want)
{
    char *text = sample_text(terminal_write, r);
    check_width(text);
    CHECK_STR(text, want);
    free(text);
}

TEST(a_pass_shows_what_was_judged)
{
    struct sample s;
    sample_pass(&s);
    check_text(
        &s.r,
        "PASS  eos   1m04s   seed 0x1d0f3c5a77e2b941   run 7c1e\n"
        "      2000 ids · 2000 exactly once · 46 crashes at 8 points · 9 rebalances · 1 pause ·\n"
        "      61 transactions aborted\n"
        "      always      exactly once                     2000 judged\n"
        "      always      no aborted reads                 2000 judged, 118 aborted records stayed"
        " hidden\n"
        "      eventually  every id arrives                 2000 judged, last 6.2s after the faults"
        " stopped\n"
        "                                                   (limit 30s)\n"
        "      sometimes   died inside an open transaction  7×, first at t+3.901\n"
        "      undeclared  markers 410 · gaps 12\n"
        "      faults      crash worker 46× · rebalance copy 9×\n");
    sample_free(&s);
}

static const struct threshold_result p99 = {
    "e2e.latency", "p99", "<", "ms", "e2e.latency p99 4.31s < 5s", 4310, 5000, 2000};

TEST(a_threshold_shows_its_value_between_name_and_limit)
{
    struct sample s;
    sample_pass(&s);
    s.props[3] = (struct prop_result){.mode = "threshold",
                                      .name = "e2e.latency p99 < 5s",
                                      .where = "scenarios/eos.lua:12",
                                      .declared = true,
                                      .judged = 2000,
                                      .detail = "2000 samples",
                                      .reason = "",
                                      .threshold = &p99};
    char *text = sample_text(terminal_write, &s.r);
    check_width(text);
    CHECK_HAS(text, "      threshold   e2e.latency p99 4.31s < 5s  (2000 samples)\n");
    free(text);
    text = sample_text(json_report_write, &s.r);
    CHECK_HAS(text, "\"metric\": \"e2e.latency\"");
    CHECK_HAS(text, "\"value\": 4310.0");
    free(text);
    s.props[3].state = PROP_VIOLATED;
    s.props[3].reason = p99.text;
    text = sample_text(junit_write, &s.r);
    CHECK_HAS(text, "name=\"threshold: e2e.latency p99 &#60; 5s\"");
    CHECK_HAS(text, "<failure type=\"violated\" message=\"e2e.latency p99 4.31s &#60; 5s");
    free(text);
    sample_free(&s);
}

TEST(a_fail_shows_the_smallest_evidence)
{
    struct sample s;
    sample_fail(&s);
    check_text(
        &s.r,
        "FAIL  eos-buggy   1m04s   seed 0x1d0f3c5a77e2b941   run 7c1e\n"
        "      1391 ids · 1388 exactly once · 1 crash at 1 point\n"
        "\n"
        "✗ always \"exactly once\" — 3 of 1391 ids arrived twice"
        "                           scenarios/eos.lua:57\n"
        "  duplicate  id 1437  2 committed records of input[2]@518   (smallest of 3)\n"
        "\n"
        "      input[2]@518  ──w2#4──▶ output[1]@733  committed  t+41.244\n"
        "                    ──w3#2──▶ output[1]@741  committed  t+43.450  ← same input record"
        " again\n"
        "\n"
        "      t+41.212   w2#4    poll   input[2]@512..521\n"
        "      t+41.230   w2#4    send   output[1]@733  id 1437  tx 7\n"
        "      t+41.245   w2#4 ☠  crash  after_commit            fault 0\n"
        "      t+43.402   w3#2    poll   input[2]@512..521       second delivery\n"
        "\n"
        "      why     the offset of input[2] advanced to 522 by a plain commit, and not by the "
        "transaction:\n"
        "              messages and offsets were not in one transaction\n"
        "      blame   application (rule 6: the application committed its offsets outside the"
        " transaction)\n"
        "      see     kaos explain duplicate · scenarios/eos.lua:33\n"
        "      and so  1 output_without_offsets (consequences of it)\n"
        "      also    id 1440  2 committed records of input[2]@521\n"
        "              id evil \\x1b[2J\\xff <&>  2 committed records\n"
        "\n"
        "  ✓ no aborted reads 1391   ✓ every id arrives 1391\n"
        "  look      kaos show 7c1e --id 1437\n"
        "  again     kaos run scenarios/eos.lua:12 --seed 0x1d0f3c5a77e2b941 -p workers=3 -p"
        " 'note=it'\\''s'\n");
    sample_free(&s);
}

TEST(a_twin_that_fails_as_declared_is_short)
{
    struct sample s;
    sample_fail(&s);
    s.v.twin = s.v.expected = true;
    s.v.exit_code = 0;
    check_text(&s.r, "FAIL  eos-buggy   as declared   1m04s   seed 0x1d0f3c5a77e2b941   run 7c1e\n"
                     "      ✗ duplicate — 3 of 1391 ids arrived twice\n");
    sample_free(&s);
}

TEST(an_inconclusive_run_says_why_once)
{
    struct sample s;
    sample_inconclusive(&s);
    check_text(&s.r,
               "????  eos   INCONCLUSIVE   1m04s   seed 0x1d0f3c5a77e2b941   run 7c1e\n"
               "  ✓ exactly once 40\n"
               "  ? sometimes \"commit lost to a rebalance\" — never happened  (9 rebalances, 0 "
               "while a transaction\n"
               "    was open)\n"
               "      fault 1 (pause of worker, scenarios/eos.lua:42) never fired\n"
               "  look      kaos show 7c1e\n"
               "  again     kaos run scenarios/eos.lua:12 --seed 0x1d0f3c5a77e2b941 -p workers=3 -p"
               " 'note=it'\\''s'\n");
    sample_free(&s);
}

TEST(a_cluster_other_than_the_default_is_named_in_the_command_that_runs_it_again)
{
    struct sample s;
    sample_inconclusive(&s);
    json_object_set_new(s.run, "cluster", json_string("kafka"));
    char *text = sample_text(terminal_write, &s.r);
    CHECK_HAS(text, "--cluster kafka\n");
    free(text);
    sample_free(&s);
}

TEST(errors_show_reason_detail_and_logs)
{
    struct sample s;
    sample_error(&s, VERDICT_SCENARIO_ERROR);
    check_text(&s.r,
               "ERROR eos   1m04s   seed 0x1d0f3c5a77e2b941   run 7c1e\n"
               "      worker w2#1 failed 3 times in 3.1s\n"
               "      eos.lua:31:24: attempt to index a nil value\n"
               "        31 |  m.kay.id\n"
               "      logs    .kaos/runs/7c1e-eos/logs\n"
               "  look      kaos show 7c1e\n"
               "  again     kaos run scenarios/eos.lua:12 --seed 0x1d0f3c5a77e2b941 -p workers=3 -p"
               " 'note=it'\\''s'\n");
    sample_free(&s);
    sample_error(&s, VERDICT_ENVIRONMENT);
    s.r.run = NULL;
    check_text(&s.r, "SETUP eos   1m04s\n"
                     "      kafka broker 2 did not become ready in 60s\n"
                     "      eos.lua:31:24: attempt to index a nil value\n"
                     "        31 |  m.kay.id\n"
                     "      logs    .kaos/runs/7c1e-eos/logs\n");
    sample_free(&s);
}

TEST(long_names_and_many_params_stay_within_the_columns)
{
    struct sample s;
    sample_fail(&s);
    char *name = xmalloc(400), *words = xmalloc(400);
    memset(name, 'n', 399);
    name[399] = '\0';
    for (int i = 0; i < 399; i++) {
        words[i] = i % 7 == 6 ? ' ' : 'w';
    }
    words[399] = '\0';
    s.props[0].name = name;
    s.props[1].name = name;
    s.findings[0].title = words;
    s.findings[0].cause = name;
    s.findings[0].where = name;
    s.v.scenario = name;
    struct timeline_line line = {s.v.t0, {1, 1}, name, name, words, words, true};
    struct lineage_edge edge = {{name, 1, 2}, {words, 1, 2}, name, "committed", words, s.v.t0};
    s.findings[0].timeline = &line;
    s.findings[0].ntimeline = 1;
    s.findings[0].lineage = &edge;
    s.findings[0].nlineage = 1;
    json_t *params = json_object_get(s.run, "params");
    for (int i = 0; i < 12; i++) {
        char key[32];
        snprintf(key, sizeof key, "param_%d", i);
        json_object_set_new(params, key, json_string("some value"));
    }
    char *text = sample_text(terminal_write, &s.r);
    check_width(text);
    CHECK_HAS(text, "-p 'param_11=some value'\n");
    CHECK_HAS(text, " \\\n");
    free(text);
    free(name);
    free(words);
    sample_free(&s);
}

TEST(names_are_the_shortest_that_tell_roles_apart)
{
    struct names ns;
    struct buf b = {0};
    json_t *run = json_loads("{\"roles\":{\"worker\":{\"count\":3},\"watcher\":{\"count\":1},"
                             "\"controller\":{\"count\":1}}}",
                             0, NULL);
    names_init(&ns, run, NULL);
    names_put(&b, &ns, "worker", 2, 9);
    buf_puts(&b, " ");
    names_put(&b, &ns, "watcher", 1, 2);
    buf_puts(&b, " ");
    names_put(&b, &ns, "controller", 1, 1);
    buf_puts(&b, " ");
    names_put(&b, &ns, "runner", 0, 0);
    CHECK_STR(b.data, "wo2#9 wa#2 c#1 runner");
    buf_free(&b);
    names_free(&ns);
    json_decref(run);
}

TEST(times_and_durations_read_as_people_write_them)
{
    char t[32];
    text_time(t, 41212 * 1000000ull + 5, 5);
    CHECK_STR(t, "t+41.212");
    text_time(t, 5, 300000005);
    CHECK_STR(t, "t-0.300");
    text_time(t, 0, 5);
    CHECK_STR(t, "");
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{310, "310ms"},     {48600, "48.6s"}, {30000, "30s"},  {64000, "1m04s"},
                {7500000, "2h05m"}, {0, "0ms"},       {-1500, "-1.5s"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        text_duration(t, rows[i].ms);
        CHECK_STR(t, rows[i].text);
    }
}
