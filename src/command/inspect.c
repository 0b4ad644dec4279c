/* SPDX-License-Identifier: Apache-2.0 */
/* kaos inspect: what a scenario means, as JSON: params with their origin, topics, roles,
 * properties, needs, limits, and of the faults what this seed decides already. Starts nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "cluster/cluster.h"
#include "command/command.h"
#include "command/diag.h"
#include "command/select.h"
#include "plan/draw.h"

enum { FIRINGS_MAX = 100 };

struct inspect {
    const struct cli *c;
    struct plan_conf params; /**< given by -p */
    uint64_t seed;
    bool seeded;
    const char *name; /**< of FILE:NAME, or NULL */
};

static json_t *strings_json(const struct plan_strings *s)
{
    json_t *j = json_array();
    for (size_t i = 0; i < s->n; i++) {
        json_array_append_new(j, json_string(s->items[i]));
    }
    return j;
}

static json_t *conf_json(const struct plan_conf *c)
{
    json_t *j = json_object();
    for (size_t i = 0; i < c->n; i++) {
        json_object_set_new(j, c->items[i].name,
                            json_string(secret_shown(c->items[i].name, c->items[i].value)));
    }
    return j;
}

static json_t *range_json(struct plan_range r)
{
    if (r.min_ms < 0) {
        return json_null();
    }
    return r.min_ms == r.max_ms ? json_integer(r.min_ms)
                                : json_pack("[I,I]", (json_int_t)r.min_ms, (json_int_t)r.max_ms);
}

static json_t *params_json(const struct inspect *in, const struct plan *p)
{
    json_t *j = json_object();
    for (size_t i = 0; i < p->params.n; i++) {
        const struct plan_param *q = &p->params.items[i];
        bool flag = plan_conf_get(&in->params, q->name) != NULL;
        bool text = strcmp(q->type, "string") == 0; /* a number named tokens is no secret */
        const char *name = text ? q->name : "";
        json_t *one = json_pack("{s:s,s:s,s:s,s:s?,s:s?}", "value", secret_shown(name, q->value),
                                "type", q->type, "origin", flag ? "flag" : "scenario", "default",
                                secret_shown(name, q->preset), "doc", q->doc);
        json_object_set_new(j, q->name, one);
    }
    return j;
}

static json_t *topics_json(const struct plan *p)
{
    json_t *j = json_object();
    for (size_t i = 0; i < p->topics.n; i++) {
        const struct plan_topic *t = &p->topics.items[i];
        json_object_set_new(j, t->name,
                            json_pack("{s:i,s:i,s:b,s:s,s:o}", "partitions", t->partitions,
                                      "replicas", t->replicas, "existing", (int)t->existing,
                                      "value", t->value == PLAN_JSON ? "json" : "bytes", "config",
                                      conf_json(&t->config)));
    }
    return j;
}

static json_t *roles_json(const struct plan *p)
{
    json_t *j = json_object();
    for (size_t i = 0; i < p->roles.n; i++) {
        const struct plan_role *r = &p->roles.items[i];
        json_t *restart = r->restart_ms < 0 ? json_string("never") : json_integer(r->restart_ms);
        json_t *one = json_pack("{s:i,s:s,s:o,s:o}", "count", r->count, "where", r->where,
                                "restart_ms", restart, "conf", conf_json(&r->conf));
        if (r->exec.n) {
            json_object_set_new(one, "exec", strings_json(&r->exec));
            json_object_set_new(one, "env", conf_json(&r->env));
        }
        json_object_set_new(j, r->name, one);
    }
    return j;
}

static json_t *properties_json(const struct plan *p)
{
    json_t *j = json_array();
    for (size_t i = 0; i < p->expect.n; i++) {
        const struct plan_prop *q = &p->expect.items[i];
        json_t *preds = json_array();
        for (size_t k = 0; k < q->preds.n; k++) {
            json_array_append_new(preds, json_string(plan_pred_name(q->preds.items[k].kind)));
        }
        json_t *one = json_pack("{s:s,s:s,s:s,s:o}", "mode", plan_mode_name(q->mode), "name",
                                q->name, "where", q->where, "predicates", preds);
        if (q->within_ms >= 0) {
            json_object_set_new(one, "within_ms", json_integer(q->within_ms));
        }
        json_array_append_new(j, one);
    }
    return j;
}

static bool by_time(const struct plan_fault *f)
{
    return f->every.min_ms >= 0 || f->at.min_ms >= 0;
}

/** The number of the node, where the seed alone decides; else the role it must have. */
static json_t *node_json(const struct inspect *in, const struct plan *p, int fault, uint64_t n)
{
    const struct plan_fault *f = &p->faults.items[fault];
    uint64_t nodes = p->brokers > 0 ? (uint64_t)p->brokers : 1;
    if (f->target == TARGET_NUMBER) {
        return json_integer(f->node);
    }
    if (f->target != TARGET_ANY || f->action == BROKER_ROLL) {
        return json_string(f->node_text);
    }
    return json_integer(1 + (json_int_t)draw_index(in->seed, fault, "node", n, nodes));
}

/** Times since the faults began at which this seed lets the fault look for its victim. A fault that
 * finds none yet fires later, and what follows it moves with it. */
static json_t *firings_json(const struct inspect *in, const struct plan *p, int fault)
{
    const struct plan_fault *f = &p->faults.items[fault];
    json_t *j = json_array();
    int64_t end = p->stop_after_ms >= 0 ? p->stop_after_ms : p->timeout_ms, t = 0;
    uint64_t max = f->max >= 0 && f->max < FIRINGS_MAX ? (uint64_t)f->max : FIRINGS_MAX;
    for (uint64_t n = 0; n < max; n++) {
        t += f->every.min_ms >= 0 ? draw_range(in->seed, fault, "every", n, f->every)
                                  : draw_range(in->seed, fault, "at", n, f->at);
        if (t > end) {
            break;
        }
        json_t *one = json_pack("{s:I}", "at_ms", (json_int_t)t);
        if (f->hold.min_ms >= 0) {
            json_object_set_new(one, "hold_ms",
                                json_integer(draw_range(in->seed, fault, "hold", n + 1, f->hold)));
        }
        if (f->kind == FAULT_BROKER) {
            json_object_set_new(one, "node", node_json(in, p, fault, n));
        }
        json_array_append_new(j, one);
        if (f->every.min_ms < 0) {
            break;
        }
    }
    return j;
}

static json_t *fault_json(const struct inspect *in, const struct plan *p, int i)
{
    const struct plan_fault *f = &p->faults.items[i];
    json_t *j = json_pack("{s:i,s:s,s:s}", "fault", i + 1, "kind", plan_fault_name(f->kind),
                          "where", f->where);
    if (f->roles.n) {
        json_object_set_new(j, "roles", strings_json(&f->roles));
    }
    if (f->group) {
        json_object_set_new(j, "group", json_string(f->group));
    }
    if (f->max >= 0) {
        json_object_set_new(j, "max", json_integer(f->max));
    }
    if (!by_time(f)) {
        json_object_set_new(j, "p", json_real(f->p));
        json_object_set_new(j, "decided", json_string("by hash of each record's place"));
        return j;
    }
    json_object_set_new(j, "every_ms", range_json(f->every));
    json_object_set_new(j, "first_ms", range_json(f->at));
    json_object_set_new(j, "hold_ms", range_json(f->hold));
    if (f->mix > 0) { /* its times are drawn anew whenever its mix turns it on */
        json_object_set_new(j, "mix", json_integer(f->mix));
        json_object_set_new(j, "decided", json_string("by time, in the periods of its mix"));
        return j;
    }
    json_object_set_new(j, "decided", json_string("by time; not before these times"));
    json_object_set_new(j, "schedule", firings_json(in, p, i));
    return j;
}

static json_t *needs_json(const struct plan *p)
{
    json_t *j = json_array();
    bool txns = false, kill = false, copies = p->brokers > 1, groups = false;
    for (size_t i = 0; i < p->faults.n; i++) {
        kill = kill || p->faults.items[i].kind == FAULT_BROKER;
        groups = groups || p->faults.items[i].kind == FAULT_REBALANCE;
    }
    for (size_t i = 0; i < p->expect.n; i++) {
        for (size_t k = 0; k < p->expect.items[i].preds.n; k++) {
            enum plan_pred_kind kind = p->expect.items[i].preds.items[k].kind;
            txns = txns || kind == PRED_ATOMIC || kind == PRED_MARKERS ||
                   kind == PRED_COMMITTED_ONLY || kind == PRED_SAW_ABORTED ||
                   kind == PRED_HELD_BACK;
            groups = groups || kind == PRED_STABLE_GROUP;
        }
    }
    const struct {
        bool yes;
        const char *name;
    } all[] = {{txns, "transactions"},
               {groups, "groups"},
               {true, "admin"},
               {kill, "kill_broker"},
               {copies, "replication"}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i].yes) {
            json_array_append_new(j, json_string(all[i].name));
        }
    }
    return j;
}

static json_t *time_json(const struct plan *p)
{
    json_t *j = json_pack("{s:I,s:I}", "timeout_ms", (json_int_t)p->timeout_ms, "drain_limit_ms",
                          (json_int_t)p->drain_ms);
    if (p->stop_after_ms >= 0) {
        json_object_set_new(j, "work_ms", json_integer(p->stop_after_ms));
    } else {
        char *until = p->stop_after ? xasprintf("a role says done(\"%s\")", p->stop_after)
                                    : xstrdup("all roles that read nothing have returned");
        json_object_set_new(j, "work_until", json_string(until));
        free(until);
    }
    return j;
}

static json_t *plan_json(const struct inspect *in, const struct plan *p, const struct cli *c)
{
    json_t *faults = json_array();
    for (size_t i = 0; i < p->faults.n; i++) {
        json_array_append_new(faults, fault_json(in, p, (int)i));
    }
    const char *flag = cli_get(c, "cluster");
    const char *kind = flag ? flag : p->cluster_kind ? p->cluster_kind : CLUSTER_DEFAULT;
    char seed[32];
    snprintf(seed, sizeof seed, "0x%016llx", (unsigned long long)in->seed);
    json_t *cluster =
        json_pack("{s:s,s:s,s:i,s:o}", "kind", kind, "origin",
                  flag              ? "flag"
                  : p->cluster_kind ? "scenario"
                                    : "default",
                  "brokers", p->brokers ? p->brokers : 1, "config", conf_json(&p->cluster_config));
    json_t *j = json_pack("{s:s,s:s,s:s?,s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name",
                          p->name, "where", p->where, "doc", p->doc, "tags", strings_json(&p->tags),
                          "seed", seed, "seed_origin", in->seeded ? "flag" : "default", "cluster",
                          cluster, "params", params_json(in, p), "topics", topics_json(p), "roles",
                          roles_json(p), "faults", faults, "expect", properties_json(p), "needs",
                          needs_json(p), "time", time_json(p));
    if (p->fails_with.n) {
        json_object_set_new(j, "fails_with", strings_json(&p->fails_with));
    }
    return j;
}

static int read_options(struct inspect *in)
{
    const char *text = cli_get(in->c, "seed");
    if (text) {
        char *end;
        errno = 0;
        in->seed = strtoull(text, &end, 0);
        in->seeded = true;
        if (errno || end == text || *end || *text == '-') {
            return cli_fail(EXIT_USAGE, "--seed: %s is not a 64-bit number, decimal or 0x", text);
        }
    }
    for (size_t k = 0; (text = cli_nth(in->c, "param", k)); k++) {
        const char *eq = strchr(text, '=');
        if (!eq || eq == text) {
            return cli_fail(EXIT_USAGE, "--param: %s is not NAME=VALUE", text);
        }
        char *name = xmemdup0(text, (size_t)(eq - text));
        plan_conf_set(&in->params, name, eq + 1);
        free(name);
    }
    return 0;
}

static int inspect_file(struct inspect *in, const char *word, const char *path, json_t *all)
{
    struct err e;
    struct load *l = load_from_file(path, &e);
    int rc = 0;
    if (!l || load_errors(l)) {
        fprintf(stderr, "%s\n", l ? load_errors(l) : e.msg);
        rc = EXIT_SCENARIO;
    }
    for (size_t i = 0; rc == 0 && i < load_count(l); i++) {
        if (in->name ? strcmp(load_scenario(l, i)->name, in->name) != 0
                     : !select_line(&word, 1, l, i, NULL)) {
            continue;
        }
        struct plan *p = load_plan(l, i, &in->params, &e);
        if (!p) {
            rc = cli_fail(e.code == LOAD_BAD_PARAM ? EXIT_USAGE : EXIT_SCENARIO, "%s", e.msg);
        } else {
            json_array_append_new(all, plan_json(in, p, in->c));
            plan_free(p);
        }
    }
    load_free(l);
    return rc;
}

/** "FILE:NAME" -> the file, and in->name; any other word is left as it is. Caller frees. */
static char *split_name(struct inspect *in, const char *word)
{
    struct stat st;
    const char *lua = strstr(word, ".lua:");
    if (stat(word, &st) == 0 || !lua || strspn(lua + 5, "0123456789") == strlen(lua + 5)) {
        return xstrdup(word);
    }
    in->name = lua + 5;
    return xmemdup0(word, (size_t)(lua + 4 - word));
}

static int inspect_word(struct inspect *in, const char *word, json_t *all)
{
    struct err e;
    struct plan_strings files = {0}, names = {0};
    char *path = split_name(in, word);
    const char *words[] = {path};
    int rc = select_files(words, 1, &files, &names, &e) < 0 ? cli_fail(EXIT_USAGE, "%s", e.msg) : 0;
    for (size_t i = 0; rc == 0 && i < files.n; i++) {
        in->name = names.n ? names.items[0] : in->name;
        rc = inspect_file(in, path, files.items[i], all);
    }
    plan_strings_free(&files);
    plan_strings_free(&names);
    free(path);
    return rc;
}

int command_inspect(const struct cli *c)
{
    struct inspect in = {.c = c};
    const char *word = cli_arg(c, 0);
    if (!word || cli_nargs(c) != 1) {
        return cli_fail(EXIT_USAGE, "inspect: name one scenario, as in `kaos inspect eos.lua:eos`");
    }
    json_t *all = json_array();
    int rc = read_options(&in);
    rc = rc ? rc : inspect_word(&in, word, all);
    if (rc == 0 && json_array_size(all) == 0) {
        rc = cli_fail(EXIT_NOTHING, "%s: no such scenario; `kaos list` shows what there is", word);
    }
    if (rc == 0) {
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    }
    json_decref(all);
    plan_conf_free(&in.params);
    return rc;
}
