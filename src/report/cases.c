/* SPDX-License-Identifier: Apache-2.0 */
/* One case per property, so that the history of a CI shows which promise broke. */
#include "report/cases.h"

#include <string.h>

void cases_class(struct buf *b, const struct report *r)
{
    const char *file = view_path(r), *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
    buf_append(b, base, dot ? (size_t)(dot - base) : strlen(base));
    buf_printf(b, "%s%s", b->len ? "." : "", view_name(r));
}

static void number(struct buf *b, const struct report *r)
{
    if (r->repetition > 0) {
        buf_printf(b, " #%d", r->repetition);
    }
}

static void evidence(struct buf *b, const struct report *r, const struct prop_result *p)
{
    for (size_t i = 0; i < p->nfindings; i++) {
        buf_puts(b, i ? "\n" : "");
        view_finding(b, r, p->findings[i], r->evidence > 0 ? r->evidence : REPORT_EVIDENCE);
    }
}

static void prop_case(const struct report *r, const struct prop_result *p, case_fn fn, void *arg)
{
    struct buf name = {0}, text = {0}, out = {0};
    buf_printf(&name, "%s: %s", p->mode[0] ? p->mode : "check", p->name);
    number(&name, r);
    view_prop(&text, r->v, p);
    evidence(&out, r, p);
    const char *judged = text.data ? text.data : "", *shown = out.len ? out.data : judged;
    struct test_case_view c = {
        .r = r, .name = name.data, .type = "", .message = judged, .text = judged};
    if (p->state == PROP_VIOLATED) {
        const struct finding *f = p->nfindings ? &r->v->findings[p->findings[0]] : NULL;
        c.state = CASE_FAILURE;
        c.type = f ? f->kind : "violated";
        c.message = f ? f->title : judged;
        c.text = shown;
    } else if (p->state == PROP_INCONCLUSIVE && p->declared) {
        c.state = r->accepted ? CASE_SKIPPED : CASE_ERROR;
        c.type = "inconclusive";
        c.text = shown;
    } else if (!p->declared && (p->state == PROP_INCONCLUSIVE || p->judged == 0)) {
        c.state = CASE_SKIPPED; /* it looked at nothing, or cannot say: no success */
        c.type = "nothing_judged";
    }
    fn(arg, &c);
    buf_free(&name);
    buf_free(&text);
    buf_free(&out);
}

/* What no property says. */
static void run_text(struct buf *b, const struct report *r)
{
    const struct verdict *v = r->v;
    for (size_t i = 0; i < v->nreasons; i++) {
        buf_printf(b, "%s\n", v->reasons[i]);
    }
    buf_puts(b, v->nreasons == 0 ? v->reason : "");
    buf_puts(b, r->detail ? r->detail : "");
}

static void run_case(const struct report *r, case_fn fn, void *arg)
{
    static const char *const types[] = {"pass", "fail", "inconclusive", "scenario_error",
                                        "environment"};
    const struct verdict *v = r->v;
    struct buf name = {0}, text = {0};
    bool bad = v->twin ? v->exit_code != 0 : v->code != VERDICT_PASS && v->code != VERDICT_FAIL;
    buf_puts(&name, v->twin ? "fails as declared" : "run");
    number(&name, r);
    struct test_case_view c = {.r = r, .name = name.data, .type = "", .ms = report_duration_ms(r)};
    if (bad) {
        bool undeclared = v->twin && v->code <= VERDICT_FAIL;
        run_text(&text, r);
        c.state = r->accepted ? CASE_SKIPPED : undeclared ? CASE_FAILURE : CASE_ERROR;
        c.type = !undeclared               ? types[v->code]
                 : v->code == VERDICT_PASS ? "did_not_fail"
                                           : "fails_with";
        c.message = v->reason[0] ? v->reason : v->nreasons ? v->reasons[0] : types[v->code];
    } else {
        view_facts(&text, v, 0);
        c.message = "";
    }
    c.text = text.data ? text.data : "";
    fn(arg, &c);
    buf_free(&name);
    buf_free(&text);
}

void cases_each(const struct report *r, case_fn fn, void *arg)
{
    run_case(r, fn, arg);
    for (size_t i = 0; !r->v->twin && i < r->v->nprops; i++) {
        prop_case(r, &r->v->props[i], fn, arg);
    }
}
