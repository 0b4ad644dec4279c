/* SPDX-License-Identifier: Apache-2.0 */
/* The text of the console: one block per run. */
#include <stdlib.h>
#include <string.h>

#include "report/view.h"

enum { INDENT = 6, MODE = 12, NAME_MAX_COLUMNS = 44, FINDINGS_MAX = 5 };

static void headline(struct buf *b, const struct report *r)
{
    const struct verdict *v = r->v;
    char time[32];
    text_pad(b, view_mark(v), INDENT);
    text_put(b, view_name(r), 48);
    buf_puts(b, v->code == VERDICT_INCONCLUSIVE ? "   INCONCLUSIVE" : "");
    buf_puts(b, v->expected ? "   as declared" : "");
    buf_puts(b, v->code == VERDICT_PASS && v->exit_code != 0 ? "   passed, not as declared" : "");
    if (report_duration_ms(r) >= 0) {
        text_duration(time, report_duration_ms(r));
        buf_printf(b, "   %s", time);
    }
    if (view_run(r, "seed")[0]) {
        buf_printf(b, "   seed %s", view_run(r, "seed"));
    }
    if (view_run(r, "run")[0]) {
        buf_printf(b, "   run %s", view_run(r, "run"));
    }
    buf_puts(b, "\n");
}

void terminal_headline(const struct report *r, FILE *out)
{
    struct buf b = {0};
    headline(&b, r);
    fwrite(b.data, 1, b.len, out);
    buf_free(&b);
}

static void reason_line(struct buf *b, const char *text)
{
    text_spaces(b, INDENT);
    text_wrap(b, text, INDENT, REPORT_COLUMNS);
    buf_puts(b, "\n");
}

/* Reasons of the verdict, but for those that a property has said (shown = true). */
static void reasons(struct buf *b, const struct verdict *v, bool shown)
{
    if (v->reason[0] && !(v->nreasons > 0 && strcmp(v->reason, v->reasons[0]) == 0)) {
        reason_line(b, v->reason);
    }
    for (size_t i = 0; i < v->nreasons; i++) {
        bool said = false;
        for (size_t k = 0; shown && k < v->nprops; k++) {
            const char *reason = v->props[k].reason;
            said |= reason[0] && strstr(v->reasons[i], reason) != NULL;
        }
        if (!said) {
            reason_line(b, v->reasons[i]);
        }
    }
}

static void facts(struct buf *b, const struct verdict *v)
{
    struct buf text = {0};
    view_facts(&text, v, INDENT);
    if (text.len) {
        text_spaces(b, INDENT);
        buf_append(b, text.data, text.len);
        buf_puts(b, "\n");
    }
    buf_free(&text);
}

static size_t name_columns(const struct verdict *v)
{
    size_t most = 0;
    for (size_t i = 0; i < v->nprops; i++) {
        bool named = v->props[i].declared && !v->props[i].threshold;
        size_t w = named ? text_width(v->props[i].name) : 0;
        most = w > most ? w : most;
    }
    return most < NAME_MAX_COLUMNS ? most : NAME_MAX_COLUMNS;
}

static void prop_row(struct buf *b, const struct verdict *v, const struct prop_result *p,
                     size_t name)
{
    struct buf text = {0};
    text_spaces(b, INDENT);
    text_pad(b, p->mode, MODE);
    if (p->threshold) { /* its name is its limit: shown with the value between */
        buf_printf(&text, "%s  (%s)", p->threshold->text, p->reason[0] ? p->reason : p->detail);
        text_wrap(b, text.data, INDENT + MODE, REPORT_COLUMNS);
    } else {
        text_pad(b, p->name, name);
        buf_puts(b, "  ");
        view_prop(&text, v, p);
        text_wrap(b, text.data ? text.data : "", INDENT + MODE + name + 2, REPORT_COLUMNS);
    }
    buf_puts(b, "\n");
    buf_free(&text);
}

/* "also  markers 61 · gaps 12": what was judged without being asked for. */
static void undeclared(struct buf *b, const struct verdict *v)
{
    struct buf text = {0};
    for (size_t i = 0; i < v->nprops; i++) {
        const struct prop_result *p = &v->props[i];
        if (!p->declared && p->state == PROP_HELD) {
            buf_printf(&text, "%s%s %lld", text.len ? " · " : "", p->name, (long long)p->judged);
        }
    }
    if (text.len) {
        text_spaces(b, INDENT);
        text_pad(b, "undeclared", MODE);
        text_wrap(b, text.data, INDENT + MODE, REPORT_COLUMNS);
        buf_puts(b, "\n");
    }
    buf_free(&text);
}

static void fired(struct buf *b, const struct verdict *v)
{
    struct buf text = {0};
    for (size_t i = 0; i < v->nfaults; i++) {
        const struct fault_count *f = &v->faults[i];
        buf_printf(&text, "%s%s%s%s %lld×", i ? " · " : "", f->kind, f->target[0] ? " " : "",
                   f->target, (long long)f->fired);
    }
    if (text.len) {
        text_spaces(b, INDENT);
        text_pad(b, "faults", MODE);
        text_wrap(b, text.data, INDENT + MODE, REPORT_COLUMNS);
        buf_puts(b, "\n");
    }
    buf_free(&text);
}

static void pass(struct buf *b, const struct report *r)
{
    const struct verdict *v = r->v;
    size_t name = name_columns(v);
    facts(b, v);
    for (size_t i = 0; i < v->nprops; i++) {
        if (v->props[i].declared) {
            prop_row(b, v, &v->props[i], name);
        }
    }
    undeclared(b, v);
    fired(b, v);
    reasons(b, v, true);
}

/* The properties that held in one paragraph, those that could not be judged one by one. */
static void others(struct buf *b, const struct verdict *v)
{
    struct buf text = {0};
    for (size_t i = 0; i < v->nprops; i++) {
        const struct prop_result *p = &v->props[i];
        if (p->declared && p->state == PROP_HELD) {
            buf_printf(&text, "%s✓ %s", text.len ? "   " : "",
                       p->threshold ? p->threshold->text : p->name);
            if (!p->threshold) {
                buf_printf(&text, " %lld", (long long)(p->judged ? p->judged : p->times));
            }
        }
    }
    if (text.len) {
        buf_puts(b, "  ");
        text_wrap(b, text.data, 2, REPORT_COLUMNS);
        buf_puts(b, "\n");
    }
    for (size_t i = 0; i < v->nprops; i++) {
        const struct prop_result *p = &v->props[i];
        if (p->state == PROP_INCONCLUSIVE) {
            text.len = 0;
            buf_printf(&text, "? %s \"%s\" — ", p->mode[0] ? p->mode : "check", p->name);
            view_prop(&text, v, p);
            buf_puts(b, "  ");
            text_wrap(b, text.data, 4, REPORT_COLUMNS);
            buf_puts(b, "\n");
        }
    }
    buf_free(&text);
}

static void commands(struct buf *b, const struct report *r)
{
    struct buf text = {0};
    const char *run = view_run(r, "run");
    bool judged = r->v->code == VERDICT_FAIL || r->v->code == VERDICT_INCONCLUSIVE;
    int first = judged ? view_first_finding(r->v) : -1;
    if (run[0]) {
        buf_printf(b, "  look      kaos show %s", run);
        if (first >= 0 && r->v->findings[first].cases[0].id[0]) {
            buf_puts(b, " --id ");
            view_quoted(b, r->v->findings[first].cases[0].id);
        }
        buf_puts(b, "\n");
    }
    view_again(&text, r);
    if (text.len) {
        buf_printf(b, "  again     %s\n", text.data);
    }
    buf_free(&text);
}

static void declared_failure(struct buf *b, const struct verdict *v)
{
    struct buf text = {0};
    for (size_t i = 0; i < v->nfindings; i++) {
        const struct finding *f = &v->findings[i];
        if (f->primary < 0 && !f->warning) {
            text.len = 0;
            buf_printf(&text, "✗ %s — %s", f->kind, f->title);
            reason_line(b, text.data);
        }
    }
    buf_free(&text);
}

static void findings(struct buf *b, const struct report *r)
{
    const struct verdict *v = r->v;
    size_t shown = 0, more = 0;
    for (size_t i = 0; i < v->nfindings; i++) {
        const struct finding *f = &v->findings[i];
        if (f->primary >= 0) {
            continue;
        }
        if (shown == FINDINGS_MAX) {
            more++;
            continue;
        }
        buf_puts(b, "\n");
        view_finding(b, r, i, r->evidence > 0 ? r->evidence : REPORT_EVIDENCE);
        shown++;
    }
    if (more) {
        buf_printf(b, "\n  and %zu more: kaos show %s --violation %zu and up\n", more,
                   view_run(r, "run")[0] ? view_run(r, "run") : "RUN", shown + 1);
    }
    buf_puts(b, shown ? "\n" : "");
}

/* The last lines of a log or a place in the scenario, as they are. */
static void detail(struct buf *b, const struct report *r)
{
    for (const char *p = r->detail; p && *p;) {
        size_t len = strcspn(p, "\n");
        text_spaces(b, INDENT);
        text_putn(b, p, len, REPORT_COLUMNS - INDENT);
        buf_puts(b, "\n");
        p += len + (p[len] == '\n');
    }
    if (r->dir) {
        buf_printf(b, "%*slogs    %s/logs\n", INDENT, "", r->dir);
    }
}

/* What went wrong. That nothing was judged because of it goes without saying: the rest is in
 * verdict.json. */
static void error_reasons(struct buf *b, const struct verdict *v)
{
    if (v->reason[0]) {
        reason_line(b, v->reason);
    } else {
        reasons(b, v, false);
    }
}

static void block(struct buf *b, const struct report *r)
{
    const struct verdict *v = r->v;
    headline(b, r);
    switch (v->code) {
    case VERDICT_PASS:
        pass(b, r);
        if (v->nfindings > 0) {
            findings(b, r);
        }
        break;
    case VERDICT_FAIL:
        if (v->expected) {
            declared_failure(b, v);
            break;
        }
        facts(b, v);
        reasons(b, v, true);
        findings(b, r);
        others(b, v);
        commands(b, r);
        break;
    case VERDICT_INCONCLUSIVE:
        others(b, v);
        reasons(b, v, true);
        facts(b, v);
        fired(b, v);
        findings(b, r);
        commands(b, r);
        break;
    case VERDICT_SCENARIO_ERROR:
    case VERDICT_ENVIRONMENT:
        error_reasons(b, v);
        detail(b, r);
        commands(b, r);
        break;
    }
}

int terminal_write(const struct report *items, size_t n, FILE *out, struct err *e)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        block(&b, &items[i]);
    }
    bool bad = b.len > 0 && fwrite(b.data, 1, b.len, out) != b.len;
    buf_free(&b);
    return bad || fflush(out) != 0 ? err_sys(e, "writing the report") : 0;
}
