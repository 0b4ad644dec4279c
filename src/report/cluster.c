/* SPDX-License-Identifier: Apache-2.0 */
/* Two runs that failed by the same bug share a key; what differs from run to run (ids, offsets,
 * counts, times) is not in it. */
#include "report/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void cluster_plain(struct buf *b, const char *text)
{
    while (*text) {
        size_t digits = strspn(text, "0123456789");
        buf_append(b, digits ? "#" : text, 1);
        text += digits ? digits : 1;
    }
}

/* A cause says what it explains at its end: that is about ids. */
static void plain_cause(struct buf *b, const char *cause)
{
    const char *end = strstr(cause, "it explains ");
    size_t len = end ? (size_t)(end - cause) : strlen(cause);
    while (len > 0 && strchr("; ", cause[len - 1])) {
        len--;
    }
    char *head = xmemdup0(cause, len);
    cluster_plain(b, head);
    free(head);
}

void cluster_key(struct buf *b, const struct finding *f)
{
    buf_printf(b, "%s|%s|%s|%d|", f->property[0] ? f->property : f->check, f->kind, f->signature,
               f->blame_row);
    if (f->blame == BLAME_APPLICATION || f->blame == BLAME_CONFIGURATION) {
        plain_cause(b, f->cause);
    }
}

/* What one run says for itself. Strings are copied when the cluster is new. */
struct entry {
    const char *mark, *what, *text;
    const struct finding *finding;
};

static void add(struct clusters *c, const struct buf *key, const struct entry *en, size_t run)
{
    struct cluster *at = NULL;
    for (size_t i = 0; i < c->n && !at; i++) {
        at = strcmp(c->items[i].key, key->data) == 0 ? &c->items[i] : NULL;
    }
    if (!at) {
        at = VEC_PUSH(c);
        *at = (struct cluster){.key = xstrdup(key->data),
                               .mark = en->mark,
                               .what = xstrdup(en->what),
                               .text = xstrdup(en->text),
                               .finding = en->finding};
    }
    if (at->runs.n == 0 || at->runs.items[at->runs.n - 1] != run) {
        *VEC_PUSH(&at->runs) = run;
    }
}

static void add_findings(struct clusters *c, const struct verdict *v, size_t run)
{
    struct buf key = {0};
    for (size_t i = 0; i < v->nfindings; i++) {
        const struct finding *f = &v->findings[i];
        if (f->primary >= 0 || f->warning) {
            continue;
        }
        key.len = 0;
        cluster_key(&key, f);
        add(c, &key,
            &(struct entry){"✗", f->property[0] ? f->property : f->check,
                            f->signature[0] ? f->signature : f->kind, f},
            run);
    }
    buf_free(&key);
}

static void add_reason(struct clusters *c, const char *mark, const char *what, const char *text,
                       size_t run)
{
    struct buf key = {0};
    buf_printf(&key, "%s|%s|", mark, what);
    cluster_plain(&key, text);
    add(c, &key, &(struct entry){mark, what, text, NULL}, run);
    buf_free(&key);
}

static void add_doubts(struct clusters *c, const struct verdict *v, size_t run)
{
    for (size_t i = 0; i < v->nprops; i++) {
        const struct prop_result *p = &v->props[i];
        if (p->state == PROP_INCONCLUSIVE) {
            add_reason(c, "?", p->name, p->reason, run);
        }
    }
    for (size_t i = 0; i < v->nreasons; i++) {
        bool said = false;
        for (size_t k = 0; k < v->nprops; k++) {
            said = said || (v->props[k].reason[0] && strstr(v->reasons[i], v->props[k].reason));
        }
        if (!said) {
            add_reason(c, "?", "", v->reasons[i], run);
        }
    }
}

static void add_run(struct clusters *c, const struct report *r, size_t run)
{
    const struct verdict *v = r->v;
    switch (v->code) {
    case VERDICT_PASS:
        if (v->exit_code != 0) {
            add_reason(c, "✗", "did not fail as declared", v->reason, run);
        }
        break;
    case VERDICT_FAIL:
        add_findings(c, v, run);
        break;
    case VERDICT_INCONCLUSIVE:
        add_doubts(c, v, run);
        break;
    case VERDICT_SCENARIO_ERROR:
    case VERDICT_ENVIRONMENT:
        add_reason(c, "!", v->code == VERDICT_ENVIRONMENT ? "setup" : "error",
                   v->reason[0]  ? v->reason
                   : v->nreasons ? v->reasons[0]
                                 : "",
                   run);
        break;
    }
}

void clusters_make(const struct report *items, size_t n, struct clusters *out)
{
    *out = (struct clusters){0};
    for (size_t i = 0; i < n; i++) {
        add_run(out, &items[i], i);
    }
}

void clusters_free(struct clusters *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i].key);
        free(c->items[i].what);
        free(c->items[i].text);
        free(c->items[i].runs.items);
    }
    free(c->items);
    *c = (struct clusters){0};
}

bool report_same_failure(const struct report *a, const struct report *b)
{
    struct clusters x, y;
    clusters_make(a, 1, &x);
    clusters_make(b, 1, &y);
    bool same = x.n > 0 && y.n > 0 && strcmp(x.items[0].key, y.items[0].key) == 0;
    clusters_free(&x);
    clusters_free(&y);
    return same;
}
