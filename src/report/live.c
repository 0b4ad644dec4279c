/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the pages of the live view. Each line is composed in full, then cut to the screen's width;
 * without a UTF-8 locale every character beyond ASCII is replaced, so no page may rely on one. What
 * comes from outside (names, log lines) passes text_put() and cannot garble the terminal. */
#include "report/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "report/text.h"

enum { LABEL = 12, LOG_LINES = 5, KILL_KEYS = 35, ROLE_ROWS = 3, COLUMNS_LEAST = 20 };

struct page {
    const struct status *s;
    const struct status_screen *o;
    struct {
        char **items;
        size_t n, cap;
    } lines;
    struct buf line; /**< being composed */
};

/* ---- lines ---- */

static void end_line(struct page *p)
{
    *VEC_PUSH(&p->lines) = p->line.data ? buf_take(&p->line) : xstrdup("");
    p->line = (struct buf){0};
}

static void put(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct page *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&p->line, fmt, ap);
    va_end(ap);
}

static void label(struct page *p, const char *text)
{
    buf_puts(&p->line, "  ");
    text_pad(&p->line, text, LABEL);
    if (p->line.data[p->line.len - 1] != ' ') {
        buf_puts(&p->line, " ");
    }
}

static const struct {
    const char *wide, *plain;
} fallbacks[] = {
    {"▶", ">"}, {"·", "."}, {"✓", "+"},  {"✗", "x"}, {"…", "..."}, {"×", "x"},
    {"→", ">"}, {"›", ">"}, {"≤", "<="}, {"↻", "~"}, {"☠", "X"},   {"─", "-"},
};

/** The n bytes of one character without UTF-8. */
static const char *fallback(const char *s, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(fallbacks); i++) {
        if (strlen(fallbacks[i].wide) == n && memcmp(fallbacks[i].wide, s, n) == 0) {
            return fallbacks[i].plain;
        }
    }
    return "?";
}

/** Colour of a character that stands for a state, NULL for all others. */
static const char *colour(const char *s, size_t n)
{
    static const struct {
        const char *mark, *code;
    } marks[] = {{"✓", "32"}, {"✗", "31;1"}, {"☠", "31"}, {"▶", "36"}, {"↻", "33"}};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        if (strlen(marks[i].mark) == n && memcmp(marks[i].mark, s, n) == 0) {
            return marks[i].code;
        }
    }
    return NULL;
}

/** Appends a line cut to the width of the screen. */
static void emit(const struct status_screen *o, const char *line, struct buf *out)
{
    size_t width = (size_t)(o->columns > COLUMNS_LEAST ? o->columns : COLUMNS_LEAST), used = 0;
    for (const char *p = line; *p;) {
        size_t n = text_utf8(p, strlen(p));
        n = n ? n : 1;
        const char *plain = n > 1 && !o->utf8 ? fallback(p, n) : NULL;
        size_t cells = plain ? strlen(plain) : 1;
        if (used + cells > width) {
            break;
        }
        const char *code = o->color && n > 1 ? colour(p, n) : NULL;
        if (code) {
            buf_printf(out, "\033[%sm", code);
        }
        if (plain) {
            buf_puts(out, plain);
        } else {
            buf_append(out, p, n);
        }
        if (code) {
            buf_puts(out, "\033[0m");
        }
        used += cells;
        p += n;
    }
    buf_puts(out, "\n");
}

/** Writes what fits: the first lines, and always the last `foot` ones. */
static void write_page(struct page *p, size_t foot, struct buf *out)
{
    const struct status_screen *o = p->o;
    size_t n = p->lines.n, rows = o->rows > 0 ? (size_t)o->rows : n;
    size_t body = n - foot, room = rows > foot ? rows - foot : 0;
    for (size_t i = 0; i < body && i < room; i++) {
        emit(o, p->lines.items[i], out);
    }
    for (size_t i = body; i < n && i - body < rows; i++) {
        emit(o, p->lines.items[i], out);
    }
    for (size_t i = 0; i < n; i++) {
        free(p->lines.items[i]);
    }
    free(p->lines.items);
    buf_free(&p->line);
}

/* ---- parts ---- */

static void put_name(struct page *p, const struct status_proc *q)
{
    text_put(&p->line, q->role, 24);
    put(p, ".%d", q->index);
    if (q->incarnation > 0) {
        put(p, "#%d", q->incarnation);
    }
}

static void put_clock(struct page *p, int64_t ms)
{
    put(p, "%02lld:%02lld", (long long)(ms / 60000), (long long)(ms / 1000 % 60));
}

static void put_ms(struct page *p, int64_t ms)
{
    char text[32];
    text_duration(text, ms);
    put(p, "%s", text);
}

static void head(struct page *p)
{
    const struct status *s = p->s;
    put(p, "kaos %s   ", s->version);
    text_put(&p->line, s->file, 40);
    put(p, " › ");
    text_put(&p->line, s->name, 40);
    put(p, "   seed 0x%016llx   run %s   ", (unsigned long long)s->seed, s->run);
    text_put(&p->line, s->cluster, 40);
    if (s->nodes > 1) {
        put(p, " ×%d", s->nodes);
    }
    if (s->cluster_version[0]) {
        put(p, " (%s)", s->cluster_version);
    }
    end_line(p);
    if (s->params[0]) {
        put(p, "  ");
        text_put(&p->line, s->params, 0);
        end_line(p);
    }
    put(p, "▶ ");
    if (s->elapsed_ms >= 0) {
        put_clock(p, s->elapsed_ms);
        if (s->limit_ms > 0) {
            put(p, " of ≤");
            put_ms(p, s->limit_ms);
        }
        put(p, "   ");
    }
    put(p, "%s   faults %s", s->phase, s->faults_on ? "on" : "off");
    if (s->node_down) {
        put(p, "   node %d is held down", s->node_down);
    }
    if (s->interrupted) {
        put(p, "   stopping");
    }
    end_line(p);
    end_line(p);
}

static void put_record(struct page *p, const struct status_proc *q)
{
    text_put(&p->line, q->topic, 32);
    put(p, "[%d]@%lld", q->partition, (long long)q->offset);
}

/** "w.1#9 in tx, 4 records", "w.2 dead, back in 0.6s". */
static void put_instance(struct page *p, const struct status_proc *q)
{
    put(p, ".%d", q->index);
    if (q->incarnation > 1) {
        put(p, "#%d", q->incarnation);
    }
    if (q->pid == 0 && q->back_ms >= 0) {
        put(p, " ↻ back in ");
        put_ms(p, q->back_ms);
    } else if (q->in_txn) {
        put(p, " in tx, %lld sent", (long long)q->txn_records);
    } else {
        put(p, " %s", q->state);
        if (q->topic && strcmp(q->state, "running") == 0) {
            put(p, " ");
            put_record(p, q);
        }
    }
}

/** One row for a role: how many are up, deaths, then its instances. procs [i, end). */
static void role_row(struct page *p, size_t i, size_t end)
{
    const struct status_proc *q = &p->s->procs[i];
    size_t up = 0;
    unsigned deaths = 0;
    for (size_t k = i; k < end; k++) {
        up += p->s->procs[k].pid != 0;
        deaths += p->s->procs[k].deaths;
    }
    label(p, q->role);
    put(p, "%zu/%zu up", up, end - i);
    if (deaths) {
        put(p, "  ☠ %u", deaths);
    }
    size_t width = (size_t)(p->o->columns > COLUMNS_LEAST ? p->o->columns : COLUMNS_LEAST);
    size_t rows = 1;
    for (size_t k = i; k < end; k++) {
        struct page one = {.s = p->s, .o = p->o};
        put_instance(&one, &p->s->procs[k]);
        if (text_width(p->line.data) + 3 + text_width(one.line.data) > width) {
            end_line(p);
            text_spaces(&p->line, LABEL + 2);
            if (++rows > ROLE_ROWS) {
                put(p, "   … %zu more: t", end - k);
                buf_free(&one.line);
                break;
            }
        }
        put(p, "   %s", one.line.data);
        buf_free(&one.line);
    }
    end_line(p);
}

static void roles(struct page *p)
{
    const struct status *s = p->s;
    for (size_t i = 0; i < s->nprocs;) {
        size_t end = i + 1;
        while (end < s->nprocs && strcmp(s->procs[end].role, s->procs[i].role) == 0) {
            end++;
        }
        if (!s->procs[i].reader) {
            role_row(p, i, end);
        }
        i = end;
    }
    for (size_t i = 0; i < s->ngroups; i++) {
        const struct status_group *g = &s->groups[i];
        struct buf name = {0};
        buf_printf(&name, "group %s", g->name);
        label(p, name.data);
        buf_free(&name);
        if (g->generation >= 0) {
            put(p, "generation %lld   ", (long long)g->generation);
        }
        for (const char *c = g->owners; *c; c++) {
            buf_puts(&p->line, *c == '>' ? "→" : (char[]){*c, '\0'});
        }
        end_line(p);
    }
}

static void flow(struct page *p)
{
    const struct status *s = p->s;
    label(p, "flow");
    put(p, "in %.0f/s  out %.0f/s   sent %llu  acked %llu", s->delivered_rate, s->sent_rate,
        (unsigned long long)s->sent, (unsigned long long)s->acked);
    if (s->failed + s->unknown) {
        put(p, "  failed %llu  unknown %llu", (unsigned long long)s->failed,
            (unsigned long long)s->unknown);
    }
    put(p, "  delivered %llu", (unsigned long long)s->delivered);
    if (s->commits + s->aborts) {
        put(p, "  commits %llu  aborts %llu", (unsigned long long)s->commits,
            (unsigned long long)s->aborts);
    }
    end_line(p);
    if (s->nfaults) {
        label(p, "faults");
        for (size_t i = 0; i < s->nfaults; i++) {
            const struct status_fault *f = &s->faults[i];
            put(p, "%s%s ", i ? " · " : "", f->kind);
            text_put(&p->line, f->target, 24);
            put(p, "%s%llu×", f->target[0] ? " " : "", (unsigned long long)f->fired);
            if (f->max >= 0) {
                put(p, " of %lld", (long long)f->max);
            }
        }
        end_line(p);
    }
    end_line(p);
}

static void props(struct page *p)
{
    static const char *const marks[] = {"…", "✓", "✗"};
    const struct status *s = p->s;
    size_t most = 0;
    for (size_t i = 0; i < s->nprops; i++) {
        size_t w = text_width(s->props[i].name);
        most = w > most ? w : most;
    }
    most = most > 40 ? 40 : most;
    if (s->nprops) {
        put(p, "  so far (a preview: judged when the run has ended)");
        end_line(p);
    }
    for (size_t i = 0; i < s->nprops; i++) {
        const struct status_prop *q = &s->props[i];
        label(p, q->mode);
        text_pad(&p->line, q->name, most);
        put(p, "  %s %s", marks[q->mark], q->preview);
        end_line(p);
    }
    if (s->nprops) {
        end_line(p);
    }
}

static void recent(struct page *p)
{
    size_t width = (size_t)(p->o->columns > COLUMNS_LEAST ? p->o->columns : COLUMNS_LEAST);
    size_t rows = 1;
    for (size_t i = 0; i < p->s->nevents; i++) {
        struct buf b = {0};
        buf_printf(&b, "%s%.1f ", p->line.len ? "    " : "  ",
                   (double)p->s->events[i].at_ms / 1000);
        text_put(&b, p->s->events[i].text, 0);
        if (p->line.len && text_width(p->line.data) + text_width(b.data) > width) {
            end_line(p);
            if (++rows > 3) {
                buf_free(&b);
                return;
            }
            put(p, "%s", b.data + 2);
        } else {
            put(p, "%s", b.data);
        }
        buf_free(&b);
    }
    end_line(p);
}

static void keys_line(struct page *p, const char *text)
{
    if (p->s->notice[0]) {
        put(p, "  ");
        text_put(&p->line, p->s->notice, 0);
        end_line(p);
    }
    if (p->o->keys) {
        put(p, "  %s", text);
        end_line(p);
    }
}

static size_t foot_lines(const struct page *p)
{
    return (p->s->notice[0] != '\0') + (size_t)p->o->keys;
}

/* ---- pages ---- */

static void main_page(struct page *p)
{
    head(p);
    roles(p);
    flow(p);
    props(p);
    recent(p);
    keys_line(p, p->o->columns >= 76
                     ? "t details  f faults off/on  k kill  l logs  q stop & judge  ^C^C abort"
                     : "t f k l q ^C^C");
}

static void log_tail(struct page *p, const char *path, int n, const char *indent)
{
    char *text = path_tail(path, n), *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        put(p, "%s", indent);
        text_put(&p->line, line, 0);
        end_line(p);
    }
    free(text);
}

static void details(struct page *p)
{
    const struct status *s = p->s;
    for (size_t i = 0; i < s->nprocs; i++) {
        const struct status_proc *q = &s->procs[i];
        put(p, "  ");
        put_name(p, q);
        if (q->pid) {
            put(p, "  pid %d  age ", q->pid);
            put_ms(p, q->age_ms);
        }
        put(p, "  %s", q->state);
        if (q->back_ms >= 0) {
            put(p, ", back in ");
            put_ms(p, q->back_ms);
        }
        if (q->deaths) {
            put(p, "  deaths %u (last: %s)", q->deaths, q->last_end);
        }
        if (q->topic) {
            put(p, "  at ");
            put_record(p, q);
        }
        if (q->in_txn) {
            put(p, "  transaction %lld open for ", (long long)q->txn);
            put_ms(p, q->txn_age_ms);
            put(p, ", %lld records sent", (long long)q->txn_records);
        }
        end_line(p);
        log_tail(p, q->log, LOG_LINES, "      | ");
    }
}

/** Leaves out the lines between the head and `skip` lines further. */
static void skip_lines(struct page *p, size_t from)
{
    size_t n = p->o->skip, left = p->lines.n - from;
    n = n < left ? n : left ? left - 1 : 0;
    for (size_t i = 0; i < n; i++) {
        free(p->lines.items[from + i]);
    }
    memmove(p->lines.items + from, p->lines.items + from + n, (left - n) * sizeof *p->lines.items);
    p->lines.n -= n;
}

static void details_page(struct page *p)
{
    head(p);
    size_t from = p->lines.n;
    details(p);
    skip_lines(p, from);
    keys_line(p, "t back   space further down");
}

static void kill_page(struct page *p)
{
    static const char names[] = "123456789abcdefghijklmnopqrstuvwxyz";
    head(p);
    put(p, "  kill with SIGKILL, now:");
    end_line(p);
    size_t k = 0;
    for (size_t i = 0; i < p->s->nprocs && k < KILL_KEYS; i++) {
        const struct status_proc *q = &p->s->procs[i];
        if (!q->reader) {
            put(p, "    %c  ", names[k++]);
            put_name(p, q);
            put(p, "  %s%s", q->state, q->in_txn ? ", in a transaction" : "");
            end_line(p);
        }
    }
    keys_line(p, "a number or letter kills   any other key: back");
}

static void logs_page(struct page *p)
{
    head(p);
    size_t n = p->s->nprocs;
    if (n) {
        const struct status_proc *q = &p->s->procs[p->o->chosen % n];
        put(p, "  ");
        put_name(p, q);
        put(p, "   %s", q->log);
        end_line(p);
        int room = p->o->rows > 0 ? p->o->rows - (int)p->lines.n - (int)foot_lines(p) : 100;
        log_tail(p, q->log, room > 1 ? room : 1, "    ");
    }
    keys_line(p, "l next process   any other key: back");
}

void live_draw(const struct status *s, const struct status_screen *o, struct buf *out)
{
    static void (*const pages[])(struct page *) = {[PAGE_MAIN] = main_page,
                                                   [PAGE_DETAILS] = details_page,
                                                   [PAGE_KILL] = kill_page,
                                                   [PAGE_LOGS] = logs_page};
    struct page p = {.s = s, .o = o};
    pages[o->page](&p);
    write_page(&p, foot_lines(&p), out);
}
