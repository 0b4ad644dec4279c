/* SPDX-License-Identifier: Apache-2.0 */
/* Events as lines: what the printers share, and lists of lines. Kinds without a printer are for
 * programs. */
#include <stdlib.h>

#include "base/mem.h"
#include "report/line.h"

void line_who(struct line *l, const char *role, int64_t index, int64_t incarnation)
{
    l->who.len = 0;
    names_put(&l->who, l->ns, role, index, incarnation);
}

void line_put_record(struct buf *b, const char *topic, int64_t partition, int64_t first,
                     int64_t last)
{
    buf_puts(b, topic);
    if (partition >= 0) {
        buf_printf(b, "[%lld]", (long long)partition);
    }
    if (first >= 0) {
        buf_printf(b, "@%lld", (long long)first);
    }
    if (first >= 0 && last > first) {
        buf_printf(b, "..%lld", (long long)last);
    }
}

void line_put_range(struct buf *b, const char *word, int64_t first, int64_t count)
{
    buf_printf(b, "%s %lld", word, (long long)first);
    if (count > 1) {
        buf_printf(b, "..%lld", (long long)(first + count - 1));
    }
}

void line_put_txn(struct buf *b, int64_t txn)
{
    if (txn >= 0) {
        buf_printf(b, "%stx %lld", b->len ? "  " : "", (long long)txn);
    }
}

void line_put_fault(struct buf *b, int64_t fault)
{
    if (fault >= 0) {
        buf_printf(b, "%sfault %lld", b->len ? "  " : "", (long long)fault + 1);
    }
}

/* "asked", "ok", "failed: CODE", "unknown: CODE". */
void line_put_outcome(struct line *l, const char *error)
{
    static const char *const words[] = {"asked", "ok", "failed", "outcome unknown", ""};
    buf_printf(&l->text, " %s%s%s", words[l->ev->phase], error[0] ? ": " : "", error);
}

void line_put_bytes(struct buf *b, const struct event *ev, int slot)
{
    size_t len;
    const char *p = event_bytes(ev, slot, &len);
    text_putn(b, p ? p : "null", p ? len : 4, 0);
}

const char *line_outcome(int64_t outcome)
{
    static const char *const names[] = {"plain", "committed", "aborted", "open"};
    return outcome >= 0 && outcome < 4 ? names[outcome] : "?";
}

void line_group_who(struct line *l, const char *group)
{
    l->who.len = 0;
    buf_puts(&l->who, group);
}

static line_fn printer_of(unsigned kind)
{
    if (kind >= H_NKINDS) {
        return NULL;
    }
    return lines_runner[kind] ? lines_runner[kind]
           : lines_role[kind] ? lines_role[kind]
                              : lines_log[kind];
}

bool lines_add(struct lines *ls, const struct names *ns, const struct event *ev)
{
    struct line l = {.ev = ev, .ns = ns, .t = ev->t};
    line_fn printer = printer_of(ev->kind);
    if (!printer || ev->phase > HP_FACT) {
        return false;
    }
    line_who(&l, ev->who->role, ev->who->index, ev->who->incarnation);
    printer(&l);
    if (l.hidden) {
        buf_free(&l.who);
        buf_free(&l.what);
        buf_free(&l.text);
        buf_free(&l.note);
        return false;
    }
    *VEC_PUSH(ls) = (struct timeline_line){.t = l.t,
                                           .event = {ev->proc, ev->seq},
                                           .who = buf_take(&l.who),
                                           .what = buf_take(&l.what),
                                           .text = buf_take(&l.text),
                                           .note = buf_take(&l.note),
                                           .death = l.death};
    return true;
}

void lines_drop(struct lines *ls)
{
    struct timeline_line *l = &ls->items[--ls->n];
    free((char *)l->who);
    free((char *)l->what);
    free((char *)l->text);
    free((char *)l->note);
}

static int by_time(const void *a, const void *b)
{
    const struct timeline_line *x = a, *y = b;
    if (x->t != y->t) {
        return x->t < y->t ? -1 : 1;
    }
    if (x->event.proc != y->event.proc) {
        return x->event.proc < y->event.proc ? -1 : 1;
    }
    return x->event.seq < y->event.seq ? -1 : x->event.seq > y->event.seq;
}

void lines_sort(struct lines *ls)
{
    if (ls->n > 0) {
        qsort(ls->items, ls->n, sizeof *ls->items, by_time);
    }
}

void lines_free(struct lines *ls)
{
    while (ls->n > 0) {
        lines_drop(ls);
    }
    free(ls->items);
    *ls = (struct lines){0};
}
