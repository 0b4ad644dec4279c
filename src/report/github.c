/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations of GitHub Actions: workflow commands on standard output, one per cluster of failures,
 * so that a matrix or a sweep does not flood the page. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/cluster.h"

/* The data of a workflow command; a property also must not hold ':' or ','. */
static void escaped(struct buf *b, const char *text, bool property)
{
    struct buf plain = {0};
    for (const char *p = text; *p;) {
        size_t len = strcspn(p, "\n");
        text_putn(&plain, p, len, 0);
        p += len;
        if (*p == '\n') {
            buf_puts(&plain, "\n");
            p++;
        }
    }
    for (const char *p = plain.data ? plain.data : ""; *p; p++) {
        if (strchr("%\n", *p) || (property && strchr(":,", *p))) {
            buf_printf(b, "%%%02X", (unsigned char)*p);
        } else {
            buf_append(b, p, 1);
        }
    }
    buf_free(&plain);
}

/* "FILE:LINE..." apart: @return the line, 0 if there is none; *len = length of FILE. */
static long place(const char *where, size_t *len)
{
    const char *colon = strrchr(where, ':');
    char *end = NULL;
    long line = colon ? strtol(colon + 1, &end, 10) : 0;
    bool good = colon && end != colon + 1 && *end == '\0' && line > 0;
    *len = good ? (size_t)(colon - where) : strlen(where);
    return good ? line : 0;
}

static void location(struct buf *b, const char *where)
{
    size_t len;
    long line = place(where, &len);
    char *file = xmemdup0(where, len);
    if (file[0]) {
        buf_puts(b, "file=");
        escaped(b, file, true);
        if (line > 0) {
            buf_printf(b, ",line=%ld", line);
        }
        buf_puts(b, ",");
    }
    free(file);
}

/* A reason that names a place in the scenario's file ("FILE:LINE: message") is about that place. */
static char *place_of_reason(const struct report *r)
{
    const char *file = view_path(r);
    size_t n = strlen(file);
    for (const char *p = r->v->reason; n && (p = strstr(p, file)); p += n) {
        size_t digits = p[n] == ':' ? strspn(p + n + 1, "0123456789") : 0;
        if (digits && p[n + 1 + digits] == ':') {
            return xmemdup0(p, n + 1 + digits);
        }
    }
    return xstrdup(view_run(r, "where")[0] ? view_run(r, "where") : file);
}

static void title(struct buf *b, const struct cluster *c, const struct report *r)
{
    struct buf text = {0};
    buf_printf(&text, "%s: ", view_name(r));
    if (c->finding) {
        buf_printf(&text, "%s", c->finding->kind);
        if (c->finding->cases[0].id[0]) {
            buf_printf(&text, " id %s", c->finding->cases[0].id);
        }
    } else {
        buf_printf(&text, "%s", r->v->code == VERDICT_INCONCLUSIVE ? "inconclusive" : c->what);
    }
    buf_puts(b, "title=");
    escaped(b, text.data, true);
    buf_free(&text);
}

static void message(struct buf *b, const struct cluster *c, const struct report *r, size_t n)
{
    struct buf text = {0}, again = {0};
    const struct finding *f = c->finding;
    if (f) {
        buf_printf(&text, "\"%s\": %s", c->what, f->title);
        if (f->cause[0]) {
            buf_printf(&text, "\nwhy: %s", f->cause);
        }
        buf_printf(&text, "\nsignature: %s\nsee: kaos explain %s", c->text, f->kind);
    } else {
        buf_printf(&text, "%s%s%s", c->what, c->what[0] && c->text[0] ? ": " : "", c->text);
    }
    if (c->runs.n > 1) {
        buf_printf(&text, "\nin %zu of %zu runs", c->runs.n, n);
    }
    view_again(&again, r);
    if (again.len) {
        buf_printf(&text, "\nagain: %s", again.data);
    }
    buf_puts(b, "::");
    escaped(b, text.data, false);
    buf_puts(b, "\n");
    buf_free(&text);
    buf_free(&again);
}

int github_write(const struct report *items, size_t n, FILE *out, struct err *e)
{
    struct clusters all;
    struct buf b = {0};
    clusters_make(items, n, &all);
    for (size_t i = 0; i < all.n; i++) {
        const struct cluster *c = &all.items[i];
        const struct report *r = &items[c->runs.items[0]];
        if (view_code(r) == VERDICT_PASS) {
            continue; /* a twin that found what it declares */
        }
        char *where = c->finding ? xstrdup(view_where(r, c->finding)) : place_of_reason(r);
        buf_printf(&b, "::%s ", r->accepted ? "warning" : "error");
        location(&b, where);
        title(&b, c, r);
        message(&b, c, r, n);
        free(where);
    }
    clusters_free(&all);
    bool bad = (b.len && fwrite(b.data, 1, b.len, out) != b.len) || fflush(out) != 0;
    buf_free(&b);
    return bad ? err_sys(e, "writing the GitHub annotations") : 0;
}
