/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit XML: a suite per scenario file, a test case per property, so that the history of a CI shows
 * which promise broke. A twin is one case: that it fails as declared. Text is made valid XML 1.0
 * whatever it contains. */
#include <string.h>

#include "report/view.h"

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
        buf_puts(b, "        <property");
        attribute(b, "name", name);
        attribute(b, "value", value);
        buf_puts(b, "/>\n");
    }
}

struct suite {
    struct buf cases;
    size_t tests, failures, errors;
    double seconds;
};

static void case_begin(struct suite *s, const struct report *r, const char *name, double seconds)
{
    struct buf class = {0};
    const char *file = view_run(r, "file"), *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
    buf_append(&class, base, dot ? (size_t)(dot - base) : strlen(base));
    buf_printf(&class, "%s%s", class.len ? "." : "", r->v->scenario);
    buf_puts(&s->cases, "    <testcase");
    attribute(&s->cases, "classname", class.data);
    attribute(&s->cases, "name", name);
    buf_printf(&s->cases, " time=\"%.3f\">\n", seconds);
    buf_puts(&s->cases, "      <properties>\n");
    property(&s->cases, "seed", view_run(r, "seed"));
    property(&s->cases, "run", view_run(r, "run"));
    property(&s->cases, "cluster", view_run(r, "cluster"));
    struct buf again = {0};
    view_again(&again, r);
    property(&s->cases, "again", again.data ? again.data : "");
    buf_free(&again);
    buf_puts(&s->cases, "      </properties>\n");
    buf_free(&class);
    s->tests++;
}

static void case_end(struct suite *s)
{
    buf_puts(&s->cases, "    </testcase>\n");
}

static void problem(struct suite *s, const char *element, const char *type, const char *message,
                    const char *text)
{
    size_t *count = strcmp(element, "failure") == 0 ? &s->failures : &s->errors;
    (*count)++;
    buf_printf(&s->cases, "      <%s", element);
    attribute(&s->cases, "type", type);
    attribute(&s->cases, "message", message);
    buf_puts(&s->cases, ">");
    xml(&s->cases, text, false);
    buf_printf(&s->cases, "</%s>\n", element);
}

static void system_out(struct suite *s, const char *text)
{
    buf_puts(&s->cases, "      <system-out>");
    xml(&s->cases, text, false);
    buf_puts(&s->cases, "</system-out>\n");
}

static void evidence(struct buf *b, const struct report *r, const struct prop_result *p)
{
    for (size_t i = 0; i < p->nfindings; i++) {
        buf_puts(b, i ? "\n" : "");
        view_finding(b, r, p->findings[i], r->evidence > 0 ? r->evidence : REPORT_EVIDENCE);
    }
}

static void prop_case(struct suite *s, const struct report *r, const struct prop_result *p)
{
    struct buf name = {0}, text = {0}, out = {0};
    buf_printf(&name, "%s: %s", p->mode[0] ? p->mode : "check", p->name);
    view_prop(&text, r->v, p);
    evidence(&out, r, p);
    case_begin(s, r, name.data, 0);
    if (p->state == PROP_VIOLATED) {
        const struct finding *f = p->nfindings ? &r->v->findings[p->findings[0]] : NULL;
        problem(s, "failure", f ? f->kind : "violated", f ? f->title : text.data,
                out.len ? out.data : text.data);
    } else if (p->state == PROP_INCONCLUSIVE && p->declared) {
        problem(s, "error", "inconclusive", text.data, out.len ? out.data : text.data);
    } else {
        system_out(s, text.data);
    }
    case_end(s);
    buf_free(&name);
    buf_free(&text);
    buf_free(&out);
}

/* The run as a whole: what no property says. Always there, so that it has a history. */
static void run_case(struct suite *s, const struct report *r, double seconds)
{
    static const char *const types[] = {"pass", "fail", "inconclusive", "scenario_error",
                                        "environment"};
    const struct verdict *v = r->v;
    struct buf text = {0};
    bool bad = v->twin ? v->exit_code != 0 : v->code != VERDICT_PASS && v->code != VERDICT_FAIL;
    for (size_t i = 0; i < v->nreasons; i++) {
        buf_printf(&text, "%s\n", v->reasons[i]);
    }
    buf_puts(&text, v->nreasons == 0 ? v->reason : "");
    buf_puts(&text, r->detail ? r->detail : "");
    case_begin(s, r, v->twin ? "fails as declared" : "run", seconds);
    const char *message = v->reason[0] ? v->reason : v->nreasons ? v->reasons[0] : types[v->code];
    if (bad && v->twin && v->code <= VERDICT_FAIL) {
        problem(s, "failure", v->code == VERDICT_PASS ? "did_not_fail" : "fails_with", message,
                text.data);
    } else if (bad) {
        problem(s, "error", types[v->code], message, text.data);
    } else {
        struct buf out = {0};
        view_facts(&out, v, 0);
        if (out.len) {
            system_out(s, out.data);
        }
        buf_free(&out);
    }
    case_end(s);
    buf_free(&text);
}

static void add_run(struct suite *s, const struct report *r)
{
    int64_t ms = view_duration_ms(r);
    double seconds = ms > 0 ? (double)ms / 1000 : 0;
    s->seconds += seconds;
    run_case(s, r, seconds);
    for (size_t i = 0; !r->v->twin && i < r->v->nprops; i++) {
        prop_case(s, r, &r->v->props[i]);
    }
}

static void suite_put(struct buf *b, const char *name, const struct suite *s)
{
    buf_puts(b, "  <testsuite");
    attribute(b, "name", name);
    buf_printf(b, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n", s->tests,
               s->failures, s->errors, s->seconds);
    buf_append(b, s->cases.data, s->cases.len);
    buf_puts(b, "  </testsuite>\n");
}

int junit_write(const struct report *items, size_t n, FILE *out, struct err *e)
{
    struct buf b = {0};
    buf_puts(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"kaos\">\n");
    for (size_t i = 0; i < n; i++) {
        const char *file = view_run(&items[i], "file");
        bool done = false;
        for (size_t k = 0; k < i && !done; k++) {
            done = strcmp(view_run(&items[k], "file"), file) == 0;
        }
        struct suite s = {0};
        for (size_t k = i; !done && k < n; k++) {
            if (strcmp(view_run(&items[k], "file"), file) == 0) {
                add_run(&s, &items[k]);
            }
        }
        if (!done) {
            suite_put(&b, file[0] ? file : "kaos", &s);
        }
        buf_free(&s.cases);
    }
    buf_puts(&b, "</testsuites>\n");
    bool bad = fwrite(b.data, 1, b.len, out) != b.len || fflush(out) != 0;
    buf_free(&b);
    return bad ? err_sys(e, "writing the JUnit report") : 0;
}
