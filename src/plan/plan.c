/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and look-ups of struct plan, and the bound of the drain. A plan is made once by lua/ and
 * only read afterwards; any thread may read it. */
#include "plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Defaults of clients and brokers that the drain waits for, in ms. */
enum {
    DEFAULT_SESSION = 3000,
    DEFAULT_BROKER_SESSION = 45000, /* group.protocol=consumer: the broker's */
    DEFAULT_TRANSACTION = 10000,
    PROGRAM_SESSION = 45000, /* what clients have where nobody sets it */
    PROGRAM_TRANSACTION = 60000,
    DEFAULT_CLEANUP = 10000,
    BACKLOG = 10000, /* allowance for work that waits when the faults end */
    MARGIN = 5000,
};

static int find(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *const point_names[] = {
#define _(id, name) name,
    PLAN_POINTS(_)
#undef _
};

const char *plan_point_name(enum plan_point p)
{
    return (unsigned)p < POINT_N ? point_names[p] : "?";
}

int plan_point_find(const char *name)
{
    return find(point_names, POINT_N, name);
}

static const char *const fault_names[] = {"crash", "exit",      "kill",  "pause",
                                          "abort", "rebalance", "broker"};

const char *plan_fault_name(enum plan_fault_kind k)
{
    return (unsigned)k < ARRAY_LEN(fault_names) ? fault_names[k] : "?";
}

int plan_fault_find(const char *name)
{
    return find(fault_names, (int)ARRAY_LEN(fault_names), name);
}

static const char *const pred_names[] = {
#define _(id, name) name,
    PLAN_PREDS(_)
#undef _
};

const char *plan_pred_name(enum plan_pred_kind k)
{
    return (unsigned)k < PRED_N ? pred_names[k] : "?";
}

int plan_pred_find(const char *name)
{
    return find(pred_names, PRED_N, name);
}

static const char *const mode_names[] = {"always", "eventually", "sometimes", "never"};

const char *plan_mode_name(enum plan_mode m)
{
    return (unsigned)m < ARRAY_LEN(mode_names) ? mode_names[m] : "?";
}

int plan_mode_find(const char *name)
{
    return find(mode_names, (int)ARRAY_LEN(mode_names), name);
}

const char *plan_op_text(enum plan_op op)
{
    static const char *const texts[] = {"<", "<=", ">", ">="};
    return (unsigned)op < ARRAY_LEN(texts) ? texts[op] : "?";
}

struct plan *plan_new(void)
{
    struct plan *p = xcalloc(1, sizeof *p);
    p->stop_after_ms = -1;
    p->timeout_ms = 10 * 60 * 1000;
    return p;
}

static void strings_free(struct plan_strings *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->items[i]);
    }
    free(s->items);
    *s = (struct plan_strings){0};
}

static void conf_free(struct plan_conf *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i].name);
        free(c->items[i].value);
    }
    free(c->items);
    *c = (struct plan_conf){0};
}

static void params_free(struct plan_params *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->items[i].name);
        free(p->items[i].value);
        free(p->items[i].doc);
        free(p->items[i].type);
        free(p->items[i].preset);
    }
    free(p->items);
    *p = (struct plan_params){0};
}

static void topics_free(struct plan_topics *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->items[i].name);
        conf_free(&t->items[i].config);
    }
    free(t->items);
}

static void roles_free(struct plan_roles *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->items[i].name);
        free(r->items[i].where);
        conf_free(&r->items[i].conf);
        conf_free(&r->items[i].env);
        strings_free(&r->items[i].exec);
        for (size_t k = 0; k < r->items[i].starts.n; k++) {
            free(r->items[i].starts.items[k].after);
        }
        free(r->items[i].starts.items);
        strings_free(&r->items[i].groups);
        free(r->items[i].build);
    }
    free(r->items);
}

static void faults_free(struct plan_faults *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->items[i].where);
        free(f->items[i].group);
        free(f->items[i].of);
        free(f->items[i].node_text);
        strings_free(&f->items[i].roles);
    }
    free(f->items);
}

static void preds_free(struct plan_preds *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct plan_pred *pred = &p->items[i];
        free(pred->where);
        free(pred->from);
        free(pred->to);
        free(pred->id_header);
        free(pred->topic);
        free(pred->group);
        strings_free(&pred->topics);
        strings_free(&pred->roles);
        strings_free(&pred->places);
    }
    free(p->items);
}

static void mixes_free(struct plan_mixes *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->items[i].where);
    }
    free(m->items);
}

static void thresholds_free(struct plan_thresholds *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct plan_threshold *x = &t->items[i];
        char *texts[] = {x->name, x->where, x->label, x->topic, x->stat_text, x->limit_text};
        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            free(texts[k]);
        }
    }
    free(t->items);
}

static void props_free(struct plan_props *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->items[i].name);
        free(p->items[i].where);
        preds_free(&p->items[i].preds);
    }
    free(p->items);
}

void plan_free(struct plan *p)
{
    if (!p) {
        return;
    }
    free(p->name);
    free(p->file);
    free(p->where);
    free(p->doc);
    free(p->cluster_kind);
    free(p->stop_after);
    strings_free(&p->tags);
    strings_free(&p->fails_with);
    params_free(&p->params);
    conf_free(&p->cluster_config);
    topics_free(&p->topics);
    roles_free(&p->roles);
    faults_free(&p->faults);
    mixes_free(&p->mixes);
    props_free(&p->expect);
    thresholds_free(&p->thresholds);
    free(p);
}

void plan_strings_free(struct plan_strings *s)
{
    strings_free(s);
}

void plan_conf_free(struct plan_conf *c)
{
    conf_free(c);
}

void plan_params_free(struct plan_params *p)
{
    params_free(p);
}

struct plan_topic *plan_topic(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->topics.n; i++) {
        if (strcmp(p->topics.items[i].name, name) == 0) {
            return &p->topics.items[i];
        }
    }
    return NULL;
}

struct plan_role *plan_role(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->roles.n; i++) {
        if (strcmp(p->roles.items[i].name, name) == 0) {
            return &p->roles.items[i];
        }
    }
    return NULL;
}

const struct plan_start *plan_role_start(const struct plan_role *r, int index)
{
    size_t at = (size_t)index < r->starts.n ? (size_t)index : r->starts.n;
    const struct plan_start *s = at > 0 ? &r->starts.items[at - 1] : NULL;
    return s && (s->after || s->ms > 0) ? s : NULL;
}

const char *plan_conf_get(const struct plan_conf *c, const char *name)
{
    for (size_t i = c->n; i-- > 0;) {
        if (strcmp(c->items[i].name, name) == 0) {
            return c->items[i].value;
        }
    }
    return NULL;
}

void plan_conf_set(struct plan_conf *c, const char *name, const char *value)
{
    struct plan_kv *kv = VEC_PUSH(c);
    kv->name = xstrdup(name);
    kv->value = xstrdup(value);
}

void plan_strings_add(struct plan_strings *s, const char *text)
{
    *VEC_PUSH(s) = xstrdup(text);
}

bool plan_strings_has(const struct plan_strings *s, const char *text)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

int64_t plan_conf_ms(const struct plan_conf *c, const char *name, int64_t preset)
{
    const char *text = plan_conf_get(c, name);
    char *end = NULL;
    if (!text) {
        return preset;
    }
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || end == text || *end || v < 0 || v > INT32_MAX) {
        return preset;
    }
    return v;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What may have to expire before the last record of a dead or stuck instance of r is taken over. */
static int64_t role_bound(const struct plan *p, const struct plan_role *r)
{
    const char *protocol = plan_conf_get(&r->conf, "group.protocol");
    int64_t cleanup = plan_conf_ms(&p->cluster_config,
                                   "transaction.abort.timed.out.transaction.cleanup.interval.ms",
                                   DEFAULT_CLEANUP);
    bool program = plan_is_program(r);
    int64_t bound =
        plan_conf_ms(&r->conf, "session.timeout.ms", program ? PROGRAM_SESSION : DEFAULT_SESSION);
    if (protocol && strcmp(protocol, "consumer") == 0) {
        bound = plan_conf_ms(&p->cluster_config, "group.consumer.session.timeout.ms",
                             DEFAULT_BROKER_SESSION);
    }
    bound = larger(bound, plan_conf_ms(&r->conf, "transaction.timeout.ms",
                                       program ? PROGRAM_TRANSACTION : DEFAULT_TRANSACTION) +
                              cleanup);
    bound = larger(bound, plan_conf_ms(&r->conf, "max.poll.interval.ms", 0));
    bound = larger(bound, plan_conf_ms(&r->conf, "message.timeout.ms", 0));
    bound = larger(bound, plan_conf_ms(&r->conf, "delivery.timeout.ms", 0));
    return larger(bound, r->restart_ms);
}

int64_t plan_drain_default(const struct plan *p)
{
    int64_t bound = 0;
    for (size_t i = 0; i < p->roles.n; i++) {
        bound = larger(bound, role_bound(p, &p->roles.items[i]));
    }
    return bound + BACKLOG + MARGIN;
}

/* A program takes the names of its groups from its author. */
static bool is_of_program(const struct plan *p, const char *group)
{
    for (size_t i = 0; group && i < p->roles.n; i++) {
        if (plan_strings_has(&p->roles.items[i].groups, group)) {
            return true;
        }
    }
    return false;
}

static void add_suffix(const struct plan *p, char **name, const char *suffix)
{
    if (is_of_program(p, *name)) {
        return;
    }
    char *old = *name;
    *name = old ? xasprintf("%s%s", old, suffix) : NULL;
    free(old);
}

void plan_suffix_groups(struct plan *p, const char *suffix)
{
    for (size_t i = 0; i < p->faults.n; i++) {
        struct plan_fault *f = &p->faults.items[i];
        add_suffix(p, &f->group, suffix);
        if (f->target == TARGET_TXN) {
            add_suffix(p, &f->of, suffix);
        }
    }
    for (size_t i = 0; i < p->expect.n; i++) {
        for (size_t k = 0; k < p->expect.items[i].preds.n; k++) {
            add_suffix(p, &p->expect.items[i].preds.items[k].group, suffix);
        }
    }
}
