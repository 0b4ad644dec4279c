/* SPDX-License-Identifier: Apache-2.0 */
/* A table of all runs and the evidence of what failed, as Markdown: for a job's summary page, a
 * comment, a chat. Nothing from outside can leave its cell or its block. */
#include <string.h>

#include "report/cluster.h"

static void html(struct buf *b, const char *text)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '<':
            buf_puts(b, "&lt;");
            break;
        case '>':
            buf_puts(b, "&gt;");
            break;
        case '&':
            buf_puts(b, "&amp;");
            break;
        default:
            buf_append(b, p, 1);
        }
    }
}

/* A cell of a table: one line, no character that means something in Markdown. */
static void cell(struct buf *b, const char *text)
{
    struct buf plain = {0};
    text_putn(&plain, text, strcspn(text, "\n"), 120);
    for (const char *p = plain.data ? plain.data : ""; *p; p++) {
        if (strchr("|`*_[]<>&#\\~!", *p)) {
            buf_printf(b, "&#%d;", (unsigned char)*p);
        } else {
            buf_append(b, p, 1);
        }
    }
    buf_free(&plain);
}

static void row(struct buf *b, const struct report *r)
{
    int64_t ms = report_duration_ms(r);
    buf_printf(b, "| %s ", view_code(r) == VERDICT_PASS ? "✓" : "✗");
    cell(b, verdict_name(r->v->code));
    buf_puts(b, r->v->expected ? " as declared | " : " | ");
    cell(b, view_name(r));
    buf_printf(b, " | %.1f | ", ms > 0 ? (double)ms / 1000 : 0);
    cell(b, view_why(r->v));
    buf_puts(b, " | ");
    cell(b, view_run(r, "seed"));
    buf_puts(b, " | ");
    cell(b, view_run(r, "run"));
    buf_puts(b, " |\n");
}

static void details(struct buf *b, const struct report *items, const struct cluster *c)
{
    const struct report *r = &items[c->runs.items[0]];
    struct buf text = {0}, again = {0};
    buf_puts(b, "\n<details><summary>");
    html(b, view_name(r));
    buf_puts(b, ": ");
    html(b, c->what);
    buf_printf(b, " (%zu×)</summary>\n\n<pre>\n", c->runs.n);
    if (c->finding) {
        view_finding(&text, r, (size_t)(c->finding - r->v->findings), 1);
    } else {
        text_wrap(&text, c->text, 0, REPORT_COLUMNS);
        buf_puts(&text, "\n");
    }
    view_again(&again, r);
    if (again.len) {
        buf_printf(&text, "again     %s\n", again.data);
    }
    html(b, text.data);
    buf_puts(b, "</pre>\n</details>\n");
    buf_free(&text);
    buf_free(&again);
}

int markdown_write(const struct report *items, size_t n, FILE *out, struct err *e)
{
    struct clusters all;
    struct buf b = {0};
    size_t pass = 0;
    for (size_t i = 0; i < n; i++) {
        pass += view_code(&items[i]) == VERDICT_PASS;
    }
    buf_printf(&b, "### kaos: %zu of %zu %s\n\n", pass, n, n == 1 ? "run passes" : "runs pass");
    buf_puts(&b,
             "| verdict | scenario | seconds | why | seed | run |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        row(&b, &items[i]);
    }
    clusters_make(items, n, &all);
    for (size_t i = 0; i < all.n; i++) {
        if (view_code(&items[all.items[i].runs.items[0]]) != VERDICT_PASS) {
            details(&b, items, &all.items[i]);
        }
    }
    clusters_free(&all);
    bool bad = fwrite(b.data, 1, b.len, out) != b.len || fflush(out) != 0;
    buf_free(&b);
    return bad ? err_sys(e, "writing the Markdown report") : 0;
}
