/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit XML: a suite per scenario file, a test case per property, so that the history of a CI shows
 * which promise broke. A twin is one case: that it fails as declared. Text is made valid XML 1.0
 * whatever it contains. */
#include <string.h>

#include "base/mem.h"
#include "report/cases.h"

/* Characters that XML 1.0 does not allow come out as \xNN. */
static void xml(struct buf *b, const char *s, bool attribute)
{
    for (size_t n = strlen(s), len; n > 0; s += len, n -= len) {
        len = text_utf8(s, n);
        unsigned char c = (unsigned char)*s;
        bool noncharacter =
            len == 3 && memcmp(s, "\xef\xbf", 2) == 0 && (unsigned char)s[2] >= 0xbe;
        if (len == 0 || noncharacter || c == 0x7f ||
            (c < 0x20 && c != '\n' && c != '\t' && c != '\r')) {
            len = len > 1 ? len : 1;
            for (size_t i = 0; i < len; i++) {
                buf_printf(b, "\\x%02x", (unsigned char)s[i]);
            }
        } else if (c < 0x20 && attribute) {
            buf_printf(b, "&#%d;", c);
        } else if (strchr("<>&\"'\r", c) && c) {
            buf_printf(b, "&#%d;", c);
        } else {
            buf_append(b, s, len);
        }
    }
}

static void attribute(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, " %s=\"", name);
    xml(b, value, true);
    buf_puts(b, "\"");
}

static void property(struct buf *b, const char *name, const char *value)
{
    if (value[0]) {
        buf_puts(b, "      <property");
        attribute(b, "name", name);
        attribute(b, "value", value);
        buf_puts(b, "/>\n");
    }
}

struct suite {
    struct buf properties, cases;
    size_t tests, failures, errors, skipped;
    double seconds;
};

/* Properties stand in the suite: the schema has none in a test case. */
static void run_properties(struct suite *s, const struct report *r)
{
    static const char *const keys[] = {"seed", "run", "cluster"};
    struct buf name = {0}, again = {0};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        name.len = 0;
        buf_printf(&name, "%s.%s", view_name(r), keys[i]);
        property(&s->properties, name.data, view_run(r, keys[i]));
    }
    name.len = 0;
    buf_printf(&name, "%s.again", view_name(r));
    view_again(&again, r);
    property(&s->properties, name.data, again.data ? again.data : "");
    buf_free(&name);
    buf_free(&again);
}

static void element(struct suite *s, const struct test_case_view *c, const char *name)
{
    buf_printf(&s->cases, "      <%s", name);
    attribute(&s->cases, "type", c->type);
    attribute(&s->cases, "message", c->message);
    buf_puts(&s->cases, ">");
    xml(&s->cases, c->text, false);
    buf_printf(&s->cases, "</%s>\n", name);
}

/* How to do it again stands with every case: a viewer shows one case at a time. */
static void system_out(struct suite *s, const struct test_case_view *c)
{
    struct buf text = {0}, again = {0};
    if (c->state == CASE_OK && c->text[0]) {
        buf_printf(&text, "%s\n", c->text);
    }
    view_again(&again, c->r);
    if (again.len && (c->state == CASE_FAILURE || c->state == CASE_ERROR || c->ms > 0)) {
        buf_printf(&text, "run %s\n%s\n", view_run(c->r, "run"), again.data);
    }
    if (text.len) {
        buf_puts(&s->cases, "      <system-out>");
        xml(&s->cases, text.data, false);
        buf_puts(&s->cases, "</system-out>\n");
    }
    buf_free(&text);
    buf_free(&again);
}

static void put_case(void *arg, const struct test_case_view *c)
{
    struct suite *s = arg;
    struct buf class = {0};
    double seconds = c->ms > 0 ? (double)c->ms / 1000 : 0;
    cases_class(&class, c->r);
    buf_puts(&s->cases, "    <testcase");
    attribute(&s->cases, "classname", class.data);
    attribute(&s->cases, "name", c->name);
    buf_printf(&s->cases, " time=\"%.3f\">\n", seconds);
    if (c->state == CASE_FAILURE) {
        element(s, c, "failure");
    } else if (c->state != CASE_OK) {
        element(s, c, c->state == CASE_ERROR ? "error" : "skipped");
    }
    system_out(s, c);
    buf_puts(&s->cases, "    </testcase>\n");
    s->tests++;
    s->failures += c->state == CASE_FAILURE;
    s->errors += c->state == CASE_ERROR;
    s->skipped += c->state == CASE_SKIPPED;
    s->seconds += seconds;
    buf_free(&class);
}

static void suite_put(struct buf *b, const char *name, const struct suite *s)
{
    buf_puts(b, "  <testsuite");
    attribute(b, "name", name);
    buf_printf(b, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
               s->tests, s->failures, s->errors, s->skipped, s->seconds);
    if (s->properties.len) {
        buf_puts(b, "    <properties>\n");
        buf_append(b, s->properties.data, s->properties.len);
        buf_puts(b, "    </properties>\n");
    }
    buf_append(b, s->cases.data, s->cases.len);
    buf_puts(b, "  </testsuite>\n");
}

int junit_write(const struct report *items, size_t n, FILE *out, struct err *e)
{
    struct buf b = {0};
    buf_puts(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"kaos\">\n");
    for (size_t i = 0; i < n; i++) {
        const char *file = view_path(&items[i]);
        bool done = false;
        for (size_t k = 0; k < i && !done; k++) {
            done = strcmp(view_path(&items[k]), file) == 0;
        }
        struct suite s = {0};
        for (size_t k = i; !done && k < n; k++) {
            if (strcmp(view_path(&items[k]), file) == 0) {
                run_properties(&s, &items[k]);
                cases_each(&items[k], put_case, &s);
            }
        }
        if (!done) {
            suite_put(&b, file[0] ? file : "kaos", &s);
        }
        buf_free(&s.cases);
        buf_free(&s.properties);
    }
    buf_puts(&b, "</testsuites>\n");
    bool bad = fwrite(b.data, 1, b.len, out) != b.len || fflush(out) != 0;
    buf_free(&b);
    return bad ? err_sys(e, "writing the JUnit report") : 0;
}
