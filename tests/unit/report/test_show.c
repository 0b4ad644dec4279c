/* SPDX-License-Identifier: Apache-2.0 */
/* kaos show and kaos explain. */
#include "sample.h"
#include "test.h"

#include "base/embed.h"
#include "base/mem.h"

static char *show(const struct report *r, const struct show_opts *o, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int rc = show_write(r, o, out, e);
    fclose(out);
    if (rc < 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* Whether the parts stand in the text in this order. */
static void check_order(const char *text, const char *const *parts, size_t n)
{
    const char *p = text;
    for (size_t i = 0; i < n; i++) {
        const char *next = strstr(p, parts[i]);
        if (!next) {
            test_fail(__FILE__, __LINE__, "no \"%s\" behind the others in:\n%s", parts[i], text);
        }
        p = next;
    }
}

TEST(an_id_shows_the_life_of_its_record)
{
    struct sample s;
    struct err e;
    sample_pass(&s);
    struct events *es = sample_history();
    s.r.es = es;
    s.v.t0 = es->items[0].t;
    static const char *const ids[] = {"1437", "input[0]@1", "output[0]@0"};
    static const char *const parts[] = {"c#1",
                                        "send",
                                        "input[0] seq 0..2",
                                        "w1#1",
                                        "poll",
                                        "input[0]@1",
                                        "w1#1 ☠",
                                        "crash",
                                        "after_poll  input[0]@1",
                                        "fault 1",
                                        "w2#1",
                                        "assign",
                                        "input[0]@1",
                                        "poll",
                                        "input[0]@1",
                                        "send",
                                        "output[0] seq 0  from input[0]@1",
                                        "tx 1",
                                        "commit",
                                        "tx 1 ok",
                                        "record",
                                        "output[0]@0 of w2#1 seq 0",
                                        "committed  tx 1"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        char *text = show(&s.r, &(struct show_opts){.id = ids[i]}, &e);
        CHECK(text != NULL);
        CHECK(strstr(text, "input[0]@0") == NULL);
        CHECK_HAS(text, "input[0]@1 of c#1 seq 1");
        check_order(text, parts, ARRAY_LEN(parts));
        free(text);
    }
    char *text = show(&s.r, &(struct show_opts){.id = "1437", .role = "w2"}, &e);
    static const char *const w2[] = {"assign",     "input[0]@1", "poll",
                                     "input[0]@1", "send",       "output[0] seq 0  from input[0]@1",
                                     "tx 1",       "commit",     "tx 1 ok"};
    check_order(text, w2, ARRAY_LEN(w2));
    CHECK(strstr(text, "w1#1") == NULL);
    free(text);
    events_free(es);
    sample_free(&s);
}

TEST(a_role_shows_its_processes_and_what_was_done_to_them)
{
    struct sample s;
    struct err e;
    sample_pass(&s);
    struct events *es = sample_history();
    s.r.es = es;
    static const char *const words[] = {"worker.1", "w1", "w1#1"};
    static const char *const parts[] = {"poll",   "w1#1 ☠", "crash",
                                        "w1#1 ☠", "exit",   "fault, signal 9"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        char *text = show(&s.r, &(struct show_opts){.role = words[i]}, &e);
        CHECK(text != NULL);
        check_order(text, parts, ARRAY_LEN(parts));
        CHECK(strstr(text, "w2#1") == NULL);
        free(text);
    }
    char *text = show(&s.r, &(struct show_opts){.role = "worker"}, &e);
    CHECK_HAS(text, "w2#1");
    CHECK(strstr(text, "c#1") == NULL);
    free(text);
    events_free(es);
    sample_free(&s);
}

TEST(a_moment_is_given_in_several_ways)
{
    struct sample s;
    struct err e;
    sample_pass(&s);
    struct events *es = sample_history();
    s.r.es = es;
    s.v.t0 = es->items[0].t - 40000000000u;
    static const char *const good[] = {"40", "t+40", "40s", "40+-5", "t+41.5±2s", "40+-5s"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        char *text = show(&s.r, &(struct show_opts){.around = good[i], .role = "w2"}, &e);
        CHECK_HAS(text, "t+40.0");
        CHECK_HAS(text, "poll");
        free(text);
    }
    static const char *const bad[] = {"", "x", "40+-", "40x", "40+-2x", "nan", "40+--1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK(show(&s.r, &(struct show_opts){.around = bad[i]}, &e) == NULL);
        CHECK_INT(e.kind, ERR_USAGE);
    }
    CHECK(show(&s.r, &(struct show_opts){.around = "90", .role = "w2"}, &e) == NULL);
    CHECK_HAS(e.msg, "nothing in the history matches --role w2 --around 90");
    events_free(es);
    sample_free(&s);
}

TEST(a_violation_shows_all_its_cases)
{
    struct sample s;
    struct err e;
    sample_fail(&s);
    struct events *es = sample_history();
    s.r.es = es;
    char *text = show(&s.r, &(struct show_opts){.violation = 1}, &e);
    CHECK_HAS(text, "case 1 of 3  id 1437");
    CHECK_HAS(text, "case 3 of 3");
    CHECK(strstr(text, "\x1b") == NULL);
    free(text);
    CHECK(show(&s.r, &(struct show_opts){.violation = 9}, &e) == NULL);
    CHECK_HAS(e.msg, "2 findings");
    text = show(&s.r, &(struct show_opts){0}, &e);
    CHECK_HAS(text, "FAIL  eos-buggy");
    free(text);
    events_free(es);
    sample_free(&s);
}

TEST(every_kind_of_finding_has_a_page)
{
    static const char *const others[] = {"pass",        "fail",   "inconclusive", "scenario_error",
                                         "environment", "zombie", "crash_points", "2"};
    struct err e;
    FILE *out = fopen("/dev/null", "w");
    for (const struct finding_kind *k = finding_kinds; k->name; k++) {
        if (explain_write(k->name, out, &e) < 0) {
            test_fail(__FILE__, __LINE__, "%s", e.msg);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        CHECK_INT(explain_write(others[i], out, &e), 0);
    }
    fclose(out);
}

TEST(every_page_has_a_title_and_a_sentence)
{
    for (const struct embedded *f = explain_embedded; f->name; f++) {
        char *title = xasprintf("# %.*s\n\n", (int)strlen(f->name) - 3, f->name);
        CHECK(strncmp(f->data, title, strlen(title)) == 0);
        CHECK(strstr(f->data, "\n## ") != NULL && f->data[f->len - 1] == '\n');
        for (const char *p = f->data; *p;) {
            size_t len = strcspn(p, "\n");
            if (len > REPORT_COLUMNS + 5) {
                test_fail(__FILE__, __LINE__, "%s: %zu columns", f->name, len);
            }
            p += len + (p[len] == '\n');
        }
        free(title);
    }
}

TEST(an_unknown_word_gets_a_suggestion)
{
    struct err e;
    CHECK_INT(explain_write("duplicat", stdout, &e), -1);
    CHECK_INT(e.kind, ERR_USAGE);
    CHECK_HAS(e.msg, "did you mean 'duplicate'?");
    CHECK_INT(explain_write("aborted-raed", stdout, &e), -1);
    CHECK_HAS(e.msg, "'aborted_read'");
    CHECK_INT(explain_write("xyzzy", stdout, &e), -1);
    CHECK_HAS(e.msg, "lists the pages");
    CHECK_INT(explain_write("", stdout, &e), -1);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CHECK_INT(explain_write(NULL, out, &e), 0);
    fclose(out);
    CHECK_HAS(text, "  duplicate                An input has more effects than declared.\n");
    free(text);
}
