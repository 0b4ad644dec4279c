/* SPDX-License-Identifier: Apache-2.0 */
/* TAP 13: the cases of JUnit as lines, with a YAML block for what is not ok. */
#include <string.h>

#include "report/cases.h"

struct tap {
    struct buf lines;
    size_t n;
};

/* One line of a description: '#' would begin a directive. */
static void description(struct buf *b, const char *text)
{
    struct buf plain = {0};
    text_put(&plain, text, 0);
    for (const char *p = plain.data ? plain.data : ""; *p; p++) {
        buf_puts(b, *p == '#' || *p == '\\' ? "\\" : "");
        buf_append(b, p, 1);
    }
    buf_free(&plain);
}

/* A double-quoted YAML scalar. text_put() leaves no control characters. */
static void yaml(struct buf *b, const char *key, const char *value)
{
    struct buf plain = {0};
    text_put(&plain, value, 0);
    buf_printf(b, "  %s: \"", key);
    for (const char *p = plain.data ? plain.data : ""; *p; p++) {
        buf_puts(b, *p == '"' || *p == '\\' ? "\\" : "");
        buf_append(b, p, 1);
    }
    buf_puts(b, "\"\n");
    buf_free(&plain);
}

/* A literal block. Its first line decides how far it is indented, and the reader of prove ends it
 * at a line that is indented less: so the first line begins without spaces, and an empty line has
 * its indentation too. */
static void yaml_block(struct buf *b, const char *key, const char *text)
{
    text += strspn(text, " \n");
    if (!*text) {
        return;
    }
    buf_printf(b, "  %s: |\n", key);
    while (*text) {
        size_t len = strcspn(text, "\n");
        buf_puts(b, "    ");
        text_putn(b, text, len, 0);
        buf_puts(b, "\n");
        text += len + (text[len] == '\n');
    }
}

static void put_case(void *arg, const struct test_case_view *c)
{
    struct tap *t = arg;
    struct buf name = {0}, again = {0};
    bool bad = c->state == CASE_FAILURE || c->state == CASE_ERROR;
    cases_class(&name, c->r);
    buf_printf(&name, " %s", c->name);
    buf_printf(&t->lines, "%sok %zu - ", bad ? "not " : "", ++t->n);
    description(&t->lines, name.data);
    if (c->state == CASE_SKIPPED) {
        buf_puts(&t->lines, " # SKIP ");
        description(&t->lines, c->message);
    }
    buf_puts(&t->lines, "\n");
    if (bad) {
        view_again(&again, c->r);
        buf_puts(&t->lines, "  ---\n");
        yaml(&t->lines, "severity", c->state == CASE_FAILURE ? "fail" : "error");
        yaml(&t->lines, "type", c->type);
        yaml(&t->lines, "message", c->message);
        yaml(&t->lines, "where", view_run(c->r, "where"));
        yaml(&t->lines, "seed", view_run(c->r, "seed"));
        yaml(&t->lines, "run", view_run(c->r, "run"));
        yaml_block(&t->lines, "again", again.data ? again.data : "");
        yaml_block(&t->lines, "evidence", c->text);
        buf_puts(&t->lines, "  ...\n");
    }
    buf_free(&name);
    buf_free(&again);
}

int tap_write(const struct report *items, size_t n, FILE *out, struct err *e)
{
    struct tap t = {0};
    for (size_t i = 0; i < n; i++) {
        cases_each(&items[i], put_case, &t);
    }
    struct buf head = {0};
    buf_printf(&head, "TAP version 13\n1..%zu%s\n", t.n, t.n ? "" : " # SKIP nothing ran");
    bool bad = fwrite(head.data, 1, head.len, out) != head.len ||
               (t.lines.len && fwrite(t.lines.data, 1, t.lines.len, out) != t.lines.len) ||
               fflush(out) != 0;
    buf_free(&head);
    buf_free(&t.lines);
    return bad ? err_sys(e, "writing the TAP report") : 0;
}
