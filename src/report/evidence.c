/* SPDX-License-Identifier: Apache-2.0 */
/* One finding as text: its head, the smallest case as a lineage picture and a timeline, why, and
 * who is to blame. */
#include <string.h>

#include "report/report.h"
#include "report/view.h"

enum { INDENT = 6, WHO_MAX = 24, WHAT_MAX = 14, TEXT_MAX = 44 };

void view_record(struct buf *b, const struct record_ref *r)
{
    if (r->offset < 0) {
        buf_printf(b, "%s[%d]", r->topic, (int)r->partition);
    } else {
        buf_printf(b, "%s[%d]@%lld", r->topic, (int)r->partition, (long long)r->offset);
    }
}

/* The property that a finding violates, or NULL. */
static const struct prop_result *prop_of(const struct verdict *v, size_t finding)
{
    for (size_t i = 0; i < v->nprops; i++) {
        for (size_t k = 0; k < v->props[i].nfindings; k++) {
            if (v->props[i].findings[k] == finding) {
                return &v->props[i];
            }
        }
    }
    return NULL;
}

/* Text, and at its right edge a place in the source, on the same line if there is room. */
static void with_where(struct buf *b, const char *text, const char *where)
{
    size_t start = b->len, w;
    text_wrap(b, text, 2, REPORT_COLUMNS);
    const char *line = strrchr(b->data + start, '\n');
    w = line ? text_width(line + 1) : text_width(b->data + start) + 2;
    if (where[0]) {
        size_t need = text_width(where);
        need = need < REPORT_COLUMNS ? need : REPORT_COLUMNS;
        if (w + 2 + need > REPORT_COLUMNS) {
            buf_puts(b, "\n");
            w = 0;
        }
        text_spaces(b, REPORT_COLUMNS - w - need);
        text_put(b, where, REPORT_COLUMNS);
    }
    buf_puts(b, "\n");
}

static void head(struct buf *b, const struct verdict *v, size_t i)
{
    const struct finding *f = &v->findings[i];
    const struct prop_result *p = prop_of(v, i);
    struct buf text = {0};
    if (p && p->mode[0]) {
        buf_printf(&text, "%s \"%s\" — %s", p->mode, p->name, f->title);
    } else {
        buf_printf(&text, "%s — %s", p ? p->name : f->check, f->title);
    }
    if (!f->proven) {
        buf_puts(&text, " (not proven: the history is incomplete)");
    }
    buf_puts(b, f->warning ? "! " : f->proven ? "✗ " : "? ");
    with_where(b, text.data, f->where);
    buf_free(&text);
}

static void case_line(struct buf *b, const struct finding_case *c, size_t left)
{
    struct buf text = {0};
    if (c->id[0]) {
        buf_printf(&text, "id %s  ", c->id);
    } else if (c->nrecords > 0) {
        view_record(&text, &c->records[0]);
        buf_puts(&text, "  ");
    }
    buf_puts(&text, c->text);
    text_wrap(b, text.data ? text.data : "", left, REPORT_COLUMNS);
    buf_free(&text);
}

static void edge_end(struct buf *b, const struct record_ref *r)
{
    struct buf name = {0};
    view_record(&name, r);
    text_put(b, name.data, 0);
    buf_free(&name);
}

static size_t record_width(const struct record_ref *r)
{
    struct buf name = {0};
    view_record(&name, r);
    size_t w = r->topic[0] ? text_width(name.data) : 0;
    buf_free(&name);
    return w;
}

static bool same_record(const struct record_ref *a, const struct record_ref *b)
{
    return strcmp(a->topic, b->topic) == 0 && a->partition == b->partition &&
           a->offset == b->offset;
}

static void lineage(struct buf *b, const struct verdict *v, const struct finding *f)
{
    size_t from = 0, to = 0, who = 0;
    for (size_t i = 0; i < f->nlineage; i++) {
        const struct lineage_edge *e = &f->lineage[i];
        size_t w[3] = {record_width(&e->from), record_width(&e->to), text_width(e->who)};
        from = w[0] > from ? w[0] : from;
        to = w[1] > to ? w[1] : to;
        who = w[2] > who ? w[2] : who;
    }
    for (size_t i = 0; i < f->nlineage; i++) {
        const struct lineage_edge *e = &f->lineage[i];
        char time[32];
        struct buf line = {0};
        text_spaces(&line, INDENT);
        bool again = i > 0 && same_record(&e->from, &e[-1].from);
        if (e->from.topic[0] && !again) {
            edge_end(&line, &e->from);
        }
        text_spaces(&line, INDENT + from - text_width(line.data));
        buf_puts(&line, from ? "  ──" : "──");
        text_put(&line, e->who, 0);
        for (size_t k = text_width(e->who); k < who; k++) {
            buf_puts(&line, "─");
        }
        buf_puts(&line, "──▶ ");
        if (e->to.topic[0]) {
            edge_end(&line, &e->to);
        }
        text_spaces(&line, to > record_width(&e->to) ? to - record_width(&e->to) : 0);
        text_time(time, e->t, v->t0);
        buf_printf(&line, "  %-9s  %s", e->outcome, time);
        if (e->note[0]) {
            buf_printf(&line, "  ← %s", e->note);
        }
        text_put(b, line.data, REPORT_COLUMNS);
        buf_puts(b, "\n");
        buf_free(&line);
    }
    buf_puts(b, f->nlineage ? "\n" : "");
}

void view_timeline(struct buf *b, const struct timeline_line *lines, size_t n, uint64_t t0)
{
    size_t who = 0, what = 0, text = 0;
    for (size_t i = 0; i < n; i++) {
        size_t w[3] = {text_width(lines[i].who) + (lines[i].death ? 2 : 0),
                       text_width(lines[i].what), text_width(lines[i].text)};
        who = w[0] > who ? w[0] : who;
        what = w[1] > what ? w[1] : what;
        text = w[2] > text && lines[i].note[0] ? w[2] : text;
    }
    who = who < WHO_MAX ? who : WHO_MAX;
    what = what < WHAT_MAX ? what : WHAT_MAX;
    text = text < TEXT_MAX ? text : TEXT_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct timeline_line *l = &lines[i];
        struct buf line = {0}, name = {0};
        char time[32];
        text_time(time, l->t, t0);
        buf_printf(&name, "%s%s", l->who, l->death ? " ☠" : "");
        buf_printf(&line, "%*s%-9s  ", INDENT, "", time);
        text_pad(&line, name.data, who);
        buf_puts(&line, "  ");
        text_pad(&line, l->what, what);
        buf_puts(&line, "  ");
        if (l->note[0]) {
            text_pad(&line, l->text, text > text_width(l->text) ? text : text_width(l->text));
            buf_puts(&line, "  ");
            buf_puts(&line, l->note);
        } else {
            buf_puts(&line, l->text);
        }
        while (line.len > 0 && line.data[line.len - 1] == ' ') {
            line.data[--line.len] = '\0';
        }
        text_put(b, line.data, REPORT_COLUMNS);
        buf_puts(b, "\n");
        buf_free(&line);
        buf_free(&name);
    }
    buf_puts(b, n ? "\n" : "");
}

void view_labelled(struct buf *b, const char *label, const char *text)
{
    enum { LABEL = 8 };
    if (text[0]) {
        text_spaces(b, INDENT);
        text_pad(b, label, LABEL);
        text_wrap(b, text, INDENT + LABEL, REPORT_COLUMNS);
        buf_puts(b, "\n");
    }
}

static void reasons(struct buf *b, const struct finding *f)
{
    struct buf text = {0};
    view_labelled(b, "why", f->cause);
    buf_printf(&text, "%s", finding_blame_name(f->blame));
    for (char *p = text.data; *p; p++) {
        *p = *p == '_' ? ' ' : *p;
    }
    if (f->blame_text[0]) {
        buf_printf(&text, " (rule %d: %s)", f->blame_row, f->blame_text);
    }
    view_labelled(b, "blame", text.data);
    view_labelled(b, "try", f->hint);
    text.len = 0;
    buf_printf(&text, "kaos explain %s%s%s", f->kind, f->call_site[0] ? " · " : "", f->call_site);
    view_labelled(b, "see", text.data);
    buf_free(&text);
}

/* "12 lost, 3 duplicate" of what this finding explains. */
static void consequences(struct buf *b, const struct verdict *v, size_t finding)
{
    struct buf text = {0};
    for (size_t i = 0; i < v->nfindings; i++) {
        if (v->findings[i].primary == (int)finding) {
            buf_printf(&text, "%s%zu %s", text.len ? ", " : "", v->findings[i].ncases,
                       v->findings[i].kind);
        }
    }
    if (text.len) {
        buf_puts(&text, " (consequences of it)");
        view_labelled(b, "and so", text.data);
    }
    buf_free(&text);
}

void view_finding(struct buf *b, const struct report *r, size_t finding, int cases)
{
    const struct verdict *v = r->v;
    const struct finding *f = &v->findings[finding];
    struct buf first = {0};
    head(b, v, finding);
    buf_puts(b, "  ");
    text_put(b, f->kind, 0);
    buf_puts(b, "  ");
    case_line(b, &f->cases[0], 2 + text_width(f->kind) + 2);
    if (f->ncases > 1) {
        buf_printf(b, "   (%s of %zu)", f->class == CLASS_THRESHOLD ? "worst" : "smallest",
                   f->ncases);
    }
    buf_puts(b, "\n\n");
    lineage(b, v, f);
    view_timeline(b, f->timeline, f->ntimeline, v->t0);
    reasons(b, f);
    consequences(b, v, finding);
    size_t most = cases < 0 || (size_t)cases > f->ncases ? f->ncases : (size_t)cases;
    for (size_t i = 1; i < most; i++) {
        first.len = 0;
        case_line(&first, &f->cases[i], 0);
        view_labelled(b, i == 1 ? "also" : "", first.data);
    }
    buf_free(&first);
}

void terminal_finding(const struct report *r, size_t finding, int cases, FILE *out)
{
    struct buf b = {0};
    view_finding(&b, r, finding, cases);
    fwrite(b.data, 1, b.len, out);
    buf_free(&b);
}
