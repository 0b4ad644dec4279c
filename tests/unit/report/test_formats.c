/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit and JSON. */
#include "sample.h"
#include "test.h"

#include "base/mem.h"

/* A small check that text is well-formed XML: tags balance, no raw control characters, every & is a
 * character reference. */
static void check_xml(const char *p)
{
    char stack[32][32];
    int depth = 0;
    for (; *p; p++) {
        CHECK((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
        if (*p == '&') {
            size_t n = strspn(p + 2, "0123456789");
            CHECK(p[1] == '#' && n > 0 && p[2 + n] == ';');
        }
        if (*p != '<') {
            continue;
        }
        const char *end = strchr(p, '>');
        CHECK(end != NULL);
        if (p[1] == '/') {
            size_t n = (size_t)(end - p - 2);
            CHECK(depth > 0 && strlen(stack[depth - 1]) == n);
            CHECK(strncmp(stack[--depth], p + 2, n) == 0);
        } else if (p[1] != '?' && end[-1] != '/') {
            size_t n = strcspn(p + 1, " >");
            CHECK(depth < 32 && n < 32);
            memcpy(stack[depth], p + 1, n);
            stack[depth++][n] = '\0';
        }
        p = end;
    }
    CHECK_INT(depth, 0);
}

TEST(junit_has_one_case_per_property)
{
    struct sample s;
    sample_fail(&s);
    char *text = sample_text(junit_write, &s.r);
    check_xml(text);
    CHECK_HAS(text,
              "<testsuite name=\"scenarios/eos.lua\" tests=\"5\" failures=\"2\" errors=\"0\"");
    CHECK_HAS(text, "<testcase classname=\"eos.eos-buggy\" name=\"always: exactly once\"");
    CHECK_HAS(text, "<failure type=\"duplicate\" message=\"3 of 1391 ids arrived twice\">");
    CHECK_HAS(text, "name=\"check: atomic\"");
    CHECK_HAS(text, "evil \\x1b[2J\\xff &#60;&#38;&#62;");
    CHECK_HAS(text, "<property name=\"eos-buggy.seed\" value=\"0x1d0f3c5a77e2b941\"/>");
    free(text);
    sample_free(&s);
}

TEST(junit_of_hostile_text_is_valid)
{
    struct sample s;
    sample_fail(&s);
    s.props[0].name = "a\x01\x1f\"<b>\n\t\xef\xbf\xbf\xed\xa0\x80\xf4\x90\x80\x80 ü";
    s.findings[0].title = "]]> & \x7f \xc3";
    char *text = sample_text(junit_write, &s.r);
    check_xml(text);
    CHECK_HAS(text, "always: a\\x01\\x1f&#34;&#60;b&#62;&#10;&#9;\\xef\\xbf\\xbf");
    CHECK_HAS(text, " ü");
    free(text);
    sample_free(&s);
}

TEST(junit_of_other_verdicts)
{
    struct sample s;
    sample_inconclusive(&s);
    char *text = sample_text(junit_write, &s.r);
    check_xml(text);
    CHECK_HAS(text, "failures=\"0\" errors=\"2\"");
    CHECK_HAS(text, "<error type=\"inconclusive\"");
    free(text);
    sample_free(&s);
    sample_error(&s, VERDICT_ENVIRONMENT);
    text = sample_text(junit_write, &s.r);
    check_xml(text);
    CHECK_HAS(text, "<error type=\"environment\" message=\"kafka broker 2 did not become ready");
    free(text);
    sample_free(&s);
    sample_fail(&s);
    s.v.twin = s.v.expected = true;
    s.v.exit_code = 0;
    text = sample_text(junit_write, &s.r);
    check_xml(text);
    CHECK_HAS(text, "tests=\"1\" failures=\"0\" errors=\"0\"");
    CHECK_HAS(text, "name=\"fails as declared\"");
    free(text);
    s.v.code = VERDICT_PASS;
    s.v.expected = false;
    s.v.exit_code = 1;
    s.v.reason = "did not fail";
    text = sample_text(junit_write, &s.r);
    check_xml(text);
    CHECK_HAS(text, "<failure type=\"did_not_fail\" message=\"did not fail\">");
    free(text);
    sample_free(&s);
}

static json_t *at(json_t *j, const char *key)
{
    json_t *member = json_object_get(j, key);
    if (!member) {
        test_fail(__FILE__, __LINE__, "no member %s", key);
    }
    return member;
}

TEST(json_holds_the_whole_verdict)
{
    struct sample s;
    sample_fail(&s);
    char *text = sample_text(json_report_write, &s.r);
    json_t *j = json_loads(text, 0, NULL), *v = json_array_get(at(j, "runs"), 0);
    CHECK_STR(json_string_value(at(v, "verdict")), "fail");
    CHECK_INT(json_integer_value(at(v, "exit_code")), 1);
    CHECK_STR(json_string_value(at(v, "seed")), "0x1d0f3c5a77e2b941");
    CHECK_INT(json_integer_value(at(at(v, "facts"), "crash_points")), 1);
    CHECK_INT(json_integer_value(at(at(v, "facts"), "log_records")), 0);
    json_t *f = json_array_get(at(v, "findings"), 0);
    CHECK_STR(json_string_value(at(f, "kind")), "duplicate");
    CHECK_STR(json_string_value(at(at(f, "blame"), "party")), "application");
    CHECK(json_is_null(at(f, "primary")));
    CHECK_INT(json_integer_value(at(json_array_get(at(v, "findings"), 1), "primary")), 0);
    CHECK_INT(json_array_size(at(f, "cases")), 3);
    json_t *c = json_array_get(at(f, "cases"), 0);
    CHECK_STR(json_string_value(at(c, "id")), "1437");
    CHECK_STR(json_string_value(json_array_get(at(c, "events"), 1)), "2:2");
    CHECK_INT(json_integer_value(at(json_array_get(at(c, "records"), 0), "offset")), 741);
    CHECK(json_is_object(at(json_array_get(at(f, "cases"), 2), "id"))); /* no UTF-8: base64 */
    CHECK_INT(json_array_size(at(f, "lineage")), 2);
    CHECK_INT(json_array_size(at(f, "timeline")), 4);
    json_t *p = json_array_get(at(v, "properties"), 0);
    CHECK_STR(json_string_value(at(p, "state")), "violated");
    CHECK_INT(json_integer_value(json_array_get(at(p, "findings"), 0)), 0);
    json_decref(j);
    free(text);
    sample_free(&s);
}

TEST(reports_are_found_by_name)
{
    struct sample s;
    struct err e;
    sample_pass(&s);
    char *path = xasprintf("%s/out.xml", test_dir());
    CHECK_INT(report_write("junit", path, &s.r, 1, &e), 0);
    CHECK_INT(report_write("html", path, &s.r, 1, &e), -1);
    CHECK_INT(e.kind, ERR_USAGE);
    CHECK_HAS(e.msg, "junit");
    CHECK_INT(report_write("json", "/nonexistent/x", &s.r, 1, &e), -1);
    CHECK_INT(e.kind, ERR_SYSTEM);
    CHECK_INT(report_write("json", "/dev/full", &s.r, 1, &e), -1);
    CHECK(report_find("html") == NULL);
    free(path);
    sample_free(&s);
}
