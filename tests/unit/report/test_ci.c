/* SPDX-License-Identifier: Apache-2.0 */
/* TAP, GitHub annotations, Markdown, JSON lines, and reading a verdict back. */
#include "sample.h"
#include "test.h"

#include "base/mem.h"
#include "check/pool.h"
#include "report/cases.h"

static char *several(report_fn fn, const struct report *items, size_t n)
{
    struct err e;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CHECK_INT(fn(items, n, out, &e), 0);
    fclose(out);
    return text;
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, part)); p++) {
        n++;
    }
    return n;
}

TEST(tap_has_one_test_per_property_and_a_yaml_block_for_each_failure)
{
    struct sample s;
    sample_fail(&s);
    char *text = sample_text(tap_write, &s.r);
    CHECK_HAS(text, "TAP version 13\n1..5\n");
    CHECK_HAS(text, "ok 1 - eos.eos-buggy run\n");
    CHECK_HAS(text, "not ok 2 - eos.eos-buggy always: exactly once\n  ---\n  severity: \"fail\"\n"
                    "  type: \"duplicate\"\n  message: \"3 of 1391 ids arrived twice\"\n");
    CHECK_HAS(text, "\n  ...\nok 3 - ");
    CHECK_INT(count(text, "\n  ---\n"), count(text, "\nnot ok "));
    CHECK_INT(count(text, "\n  ...\n"), 2);
    free(text);
    sample_free(&s);
}

TEST(tap_of_hostile_text_stays_in_its_line)
{
    struct sample s;
    sample_fail(&s);
    s.props[0].name = "a # SKIP b\nnot ok 9 - c \\ \"d\"";
    s.findings[0].title = "e\n  ...\nok 1 - \"f\" \\";
    char *text = sample_text(tap_write, &s.r);
    CHECK_HAS(text, "always: a \\# SKIP b\\\\x0anot ok 9 - c \\\\ \"d\"\n");
    CHECK_HAS(text, "  message: \"e\\\\x0a  ...\\\\x0aok 1 - \\\"f\\\" \\\\\"\n");
    CHECK_INT(count(text, "\nok "), 3);
    CHECK_INT(count(text, "\nnot ok "), 2);
    free(text);
    sample_free(&s);
}

TEST(what_was_not_judged_is_no_success)
{
    struct sample s;
    sample_error(&s, VERDICT_ENVIRONMENT);
    s.props[0] = (struct prop_result){.mode = "",
                                      .name = "atomic",
                                      .where = "",
                                      .state = PROP_HELD,
                                      .detail = "0 transactions judged",
                                      .reason = ""};
    s.v.nprops = 1;
    char *text = sample_text(tap_write, &s.r);
    CHECK_HAS(text, "not ok 1 - eos.eos run\n");
    CHECK_HAS(text, "ok 2 - eos.eos check: atomic # SKIP 0 transactions judged\n");
    free(text);
    sample_free(&s);
    sample_inconclusive(&s);
    s.r.accepted = true;
    text = sample_text(tap_write, &s.r);
    CHECK_HAS(text, " # SKIP ");
    CHECK_INT(count(text, "not ok"), 0);
    free(text);
    text = sample_text(junit_write, &s.r);
    CHECK_HAS(text, "failures=\"0\" errors=\"0\" skipped=\"2\"");
    free(text);
    sample_free(&s);
}

TEST(tap_of_nothing_is_a_plan)
{
    char *text = several(tap_write, NULL, 0);
    CHECK_STR(text, "TAP version 13\n1..0 # SKIP nothing ran\n");
    free(text);
}

TEST(runs_of_a_sweep_have_numbers)
{
    struct sample s;
    sample_pass(&s);
    s.r.repetition = 3;
    char *text = sample_text(tap_write, &s.r);
    CHECK_HAS(text, "ok 1 - eos.eos run \\#3\n");
    free(text);
    sample_free(&s);
}

TEST(annotations_are_escaped_and_stand_once_per_signature)
{
    struct sample s[4];
    struct report items[4];
    for (int i = 0; i < 4; i++) {
        sample_fail(&s[i]);
        s[i].findings[0].signature = i == 3 ? "duplicate after kill" : "duplicate after 100% crash";
        s[i].findings[0].cause = "line 1\nline 2";
        items[i] = s[i].r;
    }
    char *text = several(github_write, items, 4);
    CHECK_INT(count(text, "::error "), 2);
    CHECK_INT(count(text, "\n"), 2);
    CHECK_HAS(text, "::error file=scenarios/eos.lua,line=57,title=eos-buggy%3A duplicate id 1437::"
                    "\"exactly once\": 3 of 1391 ids arrived twice%0Awhy: line 1%0Aline 2%0A"
                    "signature: duplicate after 100%25 crash%0A");
    CHECK_HAS(text, "%0Ain 3 of 4 runs%0A");
    CHECK_HAS(text, "%0Aagain: kaos run scenarios/eos.lua:12 --seed 0x1d0f3c5a77e2b941");
    free(text);
    for (int i = 0; i < 4; i++) {
        sample_free(&s[i]);
    }
}

TEST(an_annotation_cannot_be_forged)
{
    struct sample s;
    sample_inconclusive(&s);
    s.props[1].name = "a,b:c\n::error::forged\x1b[0m";
    s.props[1].reason = "never\r\n::set-output name=x::y";
    char *text = sample_text(github_write, &s.r);
    for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        CHECK(strncmp(p, "::error file=scenarios/eos.lua,line=12,title=eos%3A inconclusive::",
                      66) == 0);
    }
    CHECK(!strchr(text, '\r') && !strchr(text, '\x1b'));
    free(text);
    s.r.accepted = true;
    text = sample_text(github_write, &s.r);
    CHECK_INT(count(text, "::error file"), 0);
    CHECK(count(text, "::warning ") > 0);
    free(text);
    sample_free(&s);
}

TEST(an_annotation_of_a_broken_file_points_into_it)
{
    struct sample s;
    sample_error(&s, VERDICT_SCENARIO_ERROR);
    s.v.reason = "w1 failed: scenarios/eos.lua is odd: scenarios/eos.lua:31: attempt to index";
    char *text = sample_text(github_write, &s.r);
    CHECK_HAS(text, "::error file=scenarios/eos.lua,line=31,title=eos%3A error::");
    free(text);
    sample_free(&s);
}

TEST(what_passes_or_fails_as_declared_has_no_annotation)
{
    struct sample s;
    sample_pass(&s);
    char *text = sample_text(github_write, &s.r);
    CHECK_STR(text, "");
    free(text);
    sample_free(&s);
    sample_fail(&s);
    s.v.twin = s.v.expected = true;
    s.v.exit_code = 0;
    text = sample_text(github_write, &s.r);
    CHECK_STR(text, "");
    free(text);
    sample_free(&s);
}

TEST(markdown_has_a_row_per_run_and_nothing_leaves_its_cell)
{
    struct sample s;
    sample_fail(&s);
    json_object_set_new(s.run, "label", json_string("a|b\n# <script> `x`"));
    char *text = sample_text(markdown_write, &s.r);
    CHECK_HAS(text, "### kaos: 0 of 1 run passes\n");
    CHECK_HAS(text, "| ✗ FAIL | a&#124;b | 64.0 | duplicate | 0x1d0f3c5a77e2b941 | 7c1e |\n");
    CHECK_HAS(text, "<details><summary>a|b\n# &lt;script&gt; `x`: exactly once (1×)</summary>");
    CHECK_HAS(text, "<pre>\n✗ always \"exactly once\" — 3 of 1391 ids arrived twice");
    CHECK_INT(count(text, "<script>"), 0);
    free(text);
    sample_free(&s);
    sample_pass(&s);
    text = sample_text(markdown_write, &s.r);
    CHECK_HAS(text, "### kaos: 1 of 1 run passes\n");
    CHECK_HAS(text, "| ✓ PASS | eos | ");
    CHECK_INT(count(text, "<details>"), 0);
    free(text);
    sample_free(&s);
}

TEST(json_lines_are_one_object_per_run_and_an_end)
{
    struct sample a, b;
    sample_pass(&a);
    sample_fail(&b);
    struct report items[] = {a.r, b.r};
    char *text = several(jsonl_write, items, 2);
    size_t lines = 0;
    for (char *p = text; *p; lines++) {
        size_t n = strcspn(p, "\n");
        json_t *j = json_loadb(p, n, 0, NULL);
        CHECK_INT(json_integer_value(json_object_get(j, "format")), 1);
        CHECK_STR(json_string_value(json_object_get(j, "event")), lines < 2 ? "run" : "end");
        CHECK(json_is_object(json_object_get(j, "verdict")) == (lines < 2));
        if (lines == 2) {
            CHECK_INT(json_integer_value(json_object_get(j, "runs")), 2);
            CHECK_INT(json_integer_value(json_object_get(j, "pass")), 1);
        }
        json_decref(j);
        p += n + 1;
    }
    CHECK_INT(lines, 3);
    free(text);
    sample_free(&a);
    sample_free(&b);
}

/* ---- verdict.json and back ---- */

static void round_trip(struct sample *s)
{
    struct err e;
    json_t *j = json_report_verdict(&s->r);
    struct verdict *v = verdict_read(j, &e);
    CHECK(v != NULL);
    struct report again = s->r;
    again.v = v;
    json_t *k = json_report_verdict(&again);
    CHECK(json_equal(j, k));
    char *one = sample_text(terminal_write, &s->r), *two = sample_text(terminal_write, &again);
    CHECK_STR(two, one);
    free(one);
    free(two);
    json_decref(j);
    json_decref(k);
    verdict_free(v);
    sample_free(s);
}

TEST(a_verdict_survives_its_file)
{
    struct sample s;
    sample_pass(&s);
    round_trip(&s);
    sample_fail(&s);
    static struct finding_case plain[2]; /* a text that is no UTF-8 comes back as its base64 */
    memcpy(plain, s.findings[0].cases, sizeof plain);
    s.findings[0].cases = plain;
    s.findings[0].ncases = 2;
    round_trip(&s);
    sample_inconclusive(&s);
    round_trip(&s);
    sample_error(&s, VERDICT_ENVIRONMENT);
    round_trip(&s);
    sample_error(&s, VERDICT_SCENARIO_ERROR);
    round_trip(&s);
}

TEST(every_fact_survives_its_file)
{
    struct sample s;
    sample_pass(&s);
    int64_t *facts = (int64_t *)&s.v.facts;
    for (size_t i = 0; i < sizeof s.v.facts / sizeof *facts; i++) {
        facts[i] = (int64_t)i + 100;
    }
    s.v.facts.crash_points = 0x1f;
    round_trip(&s);
}

TEST(what_is_no_verdict_is_refused)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"format\":1,\"verdict\":\"fine\",\"exit_code\":0}",
        "{\"format\":2,\"verdict\":\"pass\",\"exit_code\":0}",
        "{\"format\":1,\"verdict\":\"pass\"}",
        "{\"format\":1,\"verdict\":\"pass\",\"exit_code\":0,\"findings\":[{}]}",
        "{\"format\":1,\"verdict\":\"fail\",\"exit_code\":1,\"findings\":[{\"kind\":\"lost\"}]}",
        "{\"format\":1,\"verdict\":\"pass\",\"exit_code\":0,\"properties\":[{\"state\":\"held\","
        "\"findings\":[0]}]}",
        "{\"format\":1,\"verdict\":\"pass\",\"exit_code\":0,\"properties\":[3]}",
        "{\"format\":1,\"verdict\":\"fail\",\"exit_code\":1,\"findings\":[{\"kind\":\"lost\","
        "\"primary\":7,\"cases\":[{}]}]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e;
        json_t *j = json_loads(bad[i], 0, NULL);
        CHECK(j != NULL);
        CHECK(verdict_read(j, &e) == NULL);
        CHECK(*e.msg);
        json_decref(j);
    }
}

TEST(a_verdict_with_members_of_wrong_types_is_read_as_far_as_it_goes)
{
    struct err e;
    json_t *j = json_loads("{\"format\":1,\"verdict\":\"fail\",\"exit_code\":1,\"scenario\":7,"
                           "\"reasons\":[1,null],\"faults\":[[]],\"facts\":[],\"properties\":[{"
                           "\"state\":\"held\",\"name\":{},\"judged\":\"9\"}],\"findings\":[{"
                           "\"kind\":\"lost\",\"cases\":[5],\"lineage\":[7],\"timeline\":[{"
                           "\"event\":\"x\"}],\"blame\":3}]}",
                           0, NULL);
    struct verdict *v = verdict_read(j, &e);
    CHECK(v != NULL);
    CHECK_STR(v->scenario, "");
    CHECK_INT(v->nreasons, 2);
    CHECK_STR(v->reasons[0], "");
    CHECK_STR(v->findings[0].title, "");
    CHECK_INT(v->findings[0].blame, BLAME_UNDETERMINED);
    struct report r = {.v = v};
    char *text = sample_text(terminal_write, &r);
    free(text);
    verdict_free(v);
    json_decref(j);
}

TEST(an_error_is_a_verdict_of_its_own)
{
    struct verdict *v = verdict_error(VERDICT_SCENARIO_ERROR, "all/wrong.lua", "wrong.lua:1: x");
    CHECK_INT(v->exit_code, 3);
    CHECK_INT(v->nreasons, 1);
    struct report r = {.v = v, .run = NULL};
    char *text = sample_text(junit_write, &r);
    CHECK_HAS(text, "<error type=\"scenario_error\" message=\"wrong.lua:1: x\">");
    free(text);
    verdict_free(v);
    v = verdict_error(VERDICT_ENVIRONMENT, "a", "b");
    CHECK_INT(v->exit_code, 4);
    verdict_free(v);
}
