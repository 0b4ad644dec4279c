/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces that several views show: see view.h. */
#include "report/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *view_run(const struct report *r, const char *key)
{
    const char *s = json_string_value(json_object_get(r->run, key));
    return s ? s : "";
}

const char *view_name(const struct report *r)
{
    return view_run(r, "label")[0] ? view_run(r, "label") : r->v->scenario;
}

const char *view_mark(const struct verdict *v)
{
    bool undeclared = v->code == VERDICT_PASS && v->exit_code != 0; /* a twin that passed */
    return v->code == VERDICT_INCONCLUSIVE ? "????"
           : undeclared                    ? verdict_name(VERDICT_FAIL)
                                           : verdict_name(v->code);
}

const char *view_why(const struct verdict *v)
{
    int first = view_first_finding(v);
    if (v->exit_code == 0) {
        return "";
    }
    return v->code == VERDICT_FAIL && first >= 0 ? v->findings[first].kind
           : v->reason[0]                        ? v->reason
           : v->nreasons > 0                     ? v->reasons[0]
                                                 : "";
}

const char *view_where(const struct report *r, const struct finding *f)
{
    return f && f->where[0] ? f->where : view_run(r, "where");
}

const char *view_path(const struct report *r)
{
    return view_run(r, "file");
}

enum verdict_code view_code(const struct report *r)
{
    const struct verdict *v = r->v;
    if (v->exit_code == 0 ||
        (r->accepted && v->code != VERDICT_INCONCLUSIVE && v->code != VERDICT_ENVIRONMENT)) {
        return VERDICT_PASS;
    }
    return v->code == VERDICT_PASS ? VERDICT_FAIL : v->code;
}

int64_t report_duration_ms(const struct report *r)
{
    if (!r->es && r->duration_ms > 0) {
        return r->duration_ms;
    }
    if (!r->es || r->es->n == 0) { /* the history was let go: from the faults on */
        return r->v->t0 && r->v->t_end > r->v->t0 ? (int64_t)((r->v->t_end - r->v->t0) / 1000000)
                                                  : -1;
    }
    uint64_t first = r->es->items[0].t, last = r->v->t_end;
    last = last > first ? last : r->es->items[r->es->n - 1].t;
    return (int64_t)((last - first) / 1000000);
}

int view_first_finding(const struct verdict *v)
{
    for (size_t i = 0; i < v->nfindings; i++) {
        if (v->findings[i].primary < 0 && !v->findings[i].warning) {
            return (int)i;
        }
    }
    return -1;
}

static void margin(struct buf *b, const struct prop_result *p)
{
    char text[32];
    if (p->last_ms <= 0) {
        buf_puts(b, "before the faults stopped");
    } else {
        text_duration(text, p->last_ms);
        buf_printf(b, "%s after the faults stopped", text);
    }
    if (p->limit_ms >= 0) {
        text_duration(text, p->limit_ms);
        buf_printf(b, " (limit %s)", text);
    }
}

static void counted(struct buf *b, const struct verdict *v, const struct prop_result *p)
{
    char text[32];
    if (p->times == 0) {
        buf_puts(b, "never");
    } else {
        text_time(text, p->first_t, v->t0);
        buf_printf(b, "%lld×%s%s", (long long)p->times, text[0] ? ", first at " : "", text);
    }
    if (p->detail[0]) {
        buf_printf(b, "  (%s)", p->detail);
    }
}

void view_prop(struct buf *b, const struct verdict *v, const struct prop_result *p)
{
    if (p->threshold && p->state != PROP_INCONCLUSIVE) {
        buf_printf(b, "%s  (%s)", p->threshold->text, p->detail);
        return;
    }
    if (p->reason[0]) {
        buf_puts(b, p->reason);
        if (p->detail[0] && !strstr(p->reason, p->detail)) {
            buf_printf(b, "  (%s)", p->detail);
        }
        return;
    }
    if (strcmp(p->mode, "sometimes") == 0 || strcmp(p->mode, "never") == 0) {
        counted(b, v, p);
        return;
    }
    if (p->detail[0]) {
        buf_puts(b, p->detail);
    } else {
        buf_printf(b, "%lld judged", (long long)p->judged);
    }
    if (p->has_margin) {
        buf_puts(b, ", last ");
        margin(b, p);
    }
}

/* Appends one number with its word, unless it is 0. */
struct fact_list {
    struct buf *b;
    size_t left, at;
};

static void fact(struct fact_list *l, int64_t n, const char *one, const char *many)
{
    if (n == 0) {
        return;
    }
    char text[128];
    snprintf(text, sizeof text, "%lld %s", (long long)n, n == 1 ? one : many);
    size_t w = text_width(text);
    if (l->b->len == 0) {
        l->at = l->left;
    } else if (l->at + 3 + w > REPORT_COLUMNS) {
        buf_puts(l->b, " ·\n");
        text_spaces(l->b, l->left);
        l->at = l->left;
    } else {
        buf_puts(l->b, " · ");
        l->at += 3;
    }
    buf_puts(l->b, text);
    l->at += w;
}

void view_facts(struct buf *b, const struct verdict *v, size_t left)
{
    const struct verdict_facts *f = &v->facts;
    struct fact_list l = {.b = b, .left = left};
    char one[64], many[64];
    int points = __builtin_popcount(f->crash_points);
    snprintf(one, sizeof one, "crash at %d %s", points, points == 1 ? "point" : "points");
    snprintf(many, sizeof many, "crashes at %d %s", points, points == 1 ? "point" : "points");
    fact(&l, f->ids, "id", "ids");
    fact(&l, f->exactly_once, "exactly once", "exactly once");
    fact(&l, f->crashes, one, many);
    fact(&l, f->kills, "kill", "kills");
    fact(&l, f->exits, "exit", "exits");
    fact(&l, f->rebalances, "rebalance", "rebalances");
    fact(&l, f->pauses, "pause", "pauses");
    fact(&l, f->broker_faults, "broker fault", "broker faults");
    fact(&l, f->txns_aborted, "transaction aborted", "transactions aborted");
    fact(&l, f->unknown, "send with unknown outcome", "sends with unknown outcome");
    fact(&l, f->fenced, "fenced producer", "fenced producers");
    fact(&l, f->deaths_unexpected, "death that kaos did not cause",
         "deaths that kaos did not cause");
}

void view_quoted(struct buf *b, const char *s)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-./:=@%+,";
    if (s[0] && s[strspn(s, safe)] == '\0') {
        buf_puts(b, s);
        return;
    }
    buf_puts(b, "'");
    for (; *s; s++) {
        if (*s == '\'') {
            buf_puts(b, "'\\''");
        } else {
            text_putn(b, s, text_utf8(s, strlen(s)) ? text_utf8(s, strlen(s)) : 1, 0);
            s += text_utf8(s, strlen(s)) ? text_utf8(s, strlen(s)) - 1 : 0;
        }
    }
    buf_puts(b, "'");
}

/* One more word of a command that may go on in another line. */
static void word(struct buf *b, size_t *at, const char *text)
{
    enum { LEFT = 12, CONTINUED = 2 };
    size_t w = text_width(text);
    if (*at > 0 && LEFT + *at + 1 + w + CONTINUED > REPORT_COLUMNS) {
        buf_puts(b, " \\\n");
        text_spaces(b, LEFT + 2);
        *at = 2;
    } else if (*at > 0) {
        buf_puts(b, " ");
        (*at)++;
    }
    buf_puts(b, text);
    *at += w;
}

static void option(struct buf *b, size_t *at, const char *name, const char *value)
{
    struct buf text = {0};
    buf_printf(&text, "%s ", name);
    view_quoted(&text, value);
    word(b, at, text.data);
    buf_free(&text);
}

void view_again(struct buf *b, const struct report *r)
{
    const char *where = view_run(r, "select")[0]  ? view_run(r, "select")
                        : view_run(r, "where")[0] ? view_run(r, "where")
                                                  : view_run(r, "file");
    const char *key;
    json_t *value;
    size_t at = 0;
    if (!where[0]) {
        return;
    }
    option(b, &at, "kaos run", where);
    if (view_run(r, "select_name")[0]) {
        struct buf name = {0};
        view_quoted(&name, view_run(r, "select_name"));
        word(b, &at, name.data);
        buf_free(&name);
    }
    if (view_run(r, "seed")[0]) {
        option(b, &at, "--seed", view_run(r, "seed"));
    }
    json_object_foreach(json_object_get(r->run, "params"), key, value)
    {
        char *text =
            xasprintf("%s=%s", key, json_string_value(value) ? json_string_value(value) : "");
        option(b, &at, "-p", text);
        free(text);
    }
    if (view_run(r, "cluster")[0] && strcmp(view_run(r, "cluster"), "embedded") != 0) {
        option(b, &at, "--cluster", view_run(r, "cluster"));
    }
    json_int_t brokers = json_integer_value(json_object_get(r->run, "brokers"));
    if (brokers > 0) {
        char *text = xasprintf("%lld", (long long)brokers);
        option(b, &at, "--brokers", text);
        free(text);
    }
    if (json_is_true(json_object_get(r->run, "no_faults"))) {
        word(b, &at, "--no-faults");
    }
}
