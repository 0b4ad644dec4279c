/* SPDX-License-Identifier: Apache-2.0 */
/* A scenario at the prompt: loading a file, its roles up and down, faults by hand, the properties
 * so far, the timeline, and the whole of it as `kaos run`. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "cluster/cluster.h"
#include "command/repl_priv.h"
#include "report/report.h"

static const char *text_of(const json_t *args, const char *name)
{
    return json_string_value(json_object_get(args, name));
}

static void refuse(struct prompt *p, uint64_t id, const char *why)
{
    struct err e;
    err_set(&e, ERR_USAGE, 0, "%s", why);
    prompt_fail(p, id, &e);
}

static void answered(struct prompt *p, uint64_t id, const struct err *e, json_t *result)
{
    if (e) {
        json_decref(result);
        prompt_fail(p, id, e);
    } else {
        prompt_ok(p, id, result);
    }
}

/** An answer that comes later. */
struct later {
    struct prompt *p;
    uint64_t id;
};

static struct later *later(struct prompt *p, uint64_t id)
{
    struct later *l = xmalloc(sizeof *l);
    *l = (struct later){p, id};
    return l;
}

/* ---- load ---- */

static json_t *describe(struct prompt *p, const struct plan *plan)
{
    json_t *roles = json_array(), *params = json_array(), *topics = json_array(),
           *others = json_array();
    for (size_t i = 0; i < plan->roles.n; i++) {
        json_array_append_new(roles, json_pack("{s:s,s:i}", "name", plan->roles.items[i].name,
                                               "count", plan->roles.items[i].count));
    }
    for (size_t i = 0; i < plan->params.n; i++) {
        json_array_append_new(params, json_pack("{s:s,s:s,s:s}", "name", plan->params.items[i].name,
                                                "value", plan->params.items[i].value, "type",
                                                plan->params.items[i].type));
    }
    for (size_t i = 0; i < plan->topics.n; i++) {
        const struct plan_topic *t = &plan->topics.items[i];
        json_array_append_new(topics, json_pack("{s:s,s:i,s:s}", "name", t->name, "partitions",
                                                t->partitions, "value",
                                                t->value == PLAN_JSON ? "json" : "bytes"));
    }
    for (size_t i = 0; i < load_count(p->load); i++) {
        if (i != p->scenario) {
            json_array_append_new(others, json_string(load_scenario(p->load, i)->name));
        }
    }
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:i,s:i}", "name", plan->name, "roles", roles, "params",
                     params, "topics", topics, "others", others, "faults", (int)plan->faults.n,
                     "properties", (int)plan->expect.n);
}

void scenario_load(struct prompt *p, uint64_t id, const json_t *args)
{
    struct err e;
    const char *path = text_of(args, "path"), *name = text_of(args, "name");
    if (session_is_up(p->session)) {
        refuse(p, id, "roles run; down() stops them first");
        return;
    }
    struct load *l = load_from_file(path ? path : "", &e);
    if (!l) {
        prompt_fail(p, id, &e);
        return;
    }
    int i = name ? load_find(l, name) : 0;
    struct plan *plan = NULL;
    if (load_errors(l)) {
        err_set(&e, ERR_USAGE, 0, "%s", load_errors(l));
    } else if (i < 0) {
        err_set(&e, ERR_USAGE, 0, "%s has no scenario \"%s\"", path, name);
    } else {
        plan = load_plan(l, (size_t)i, NULL, &e);
    }
    if (!plan) {
        load_free(l);
        prompt_fail(p, id, &e);
        return;
    }
    load_free(p->load);
    char *copy = xstrdup(path);
    free(p->path);
    p->load = l;
    p->scenario = (size_t)i;
    p->path = copy;
    prompt_ok(p, id, describe(p, plan));
    plan_free(plan);
}

void scenario_source(struct prompt *p, uint64_t id, const json_t *args)
{
    const struct load_bundle *b = p->load ? load_sources(p->load) : NULL;
    if (!b || b->n == 0) {
        refuse(p, id, "no scenario is loaded; .load FILE");
        return;
    }
    if (b->n > 1) {
        refuse(p, id, "the scenario requires other files; copy it and write the faults by hand");
        return;
    }
    json_t *text = json_stringn(b->items[0].text, b->items[0].len);
    if (!text) {
        refuse(p, id, "the scenario file is not UTF-8");
        return;
    }
    prompt_ok(p, id, json_pack("{s:s,s:o}", "path", p->path, "text", text));
}

/* ---- up and down ---- */

static void on_up(void *arg, const struct err *e)
{
    struct later *l = arg;
    struct err own;
    bool bad = !e && prompt_move(l->p, &own) < 0;
    answered(l->p, l->id, bad ? &own : e, e || bad ? NULL : session_ps(l->p->session));
    free(l);
}

static json_t *env_of(const struct load *l)
{
    json_t *env = json_object();
    for (size_t k = 0; k < load_env(l)->n; k++) {
        json_object_set_new(env, load_env(l)->items[k].name,
                            json_string(load_env(l)->items[k].value));
    }
    return env;
}

static struct plan *plan_with(struct prompt *p, const json_t *given, struct err *e)
{
    struct plan_conf params = {0};
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)given, key, v)
    {
        plan_conf_set(&params, key, json_string_value(v) ? json_string_value(v) : "");
    }
    struct plan *plan = load_plan(p->load, p->scenario, &params, e);
    plan_conf_free(&params);
    return plan;
}

void scenario_up(struct prompt *p, uint64_t id, const json_t *args)
{
    struct err e;
    uint64_t seed = 0;
    if (!p->load) {
        refuse(p, id, "no scenario is loaded; .load FILE");
        return;
    }
    struct plan *plan = plan_with(p, json_object_get(args, "params"), &e);
    if (!plan) {
        prompt_fail(p, id, &e);
        return;
    }
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
        seed = hash_str(1, plan->name);
    }
    const struct load_bundle *b = load_sources(p->load);
    struct run_file *files = xcalloc(b->n + 1, sizeof *files);
    for (size_t k = 0; k < b->n; k++) {
        files[k] = (struct run_file){b->items[k].name, b->items[k].text, b->items[k].len};
    }
    json_t *env = env_of(p->load);
    struct later *l = later(p, id);
    const struct session_scenario sc = {
        .plan = plan, .path = p->path, .files = files, .nfiles = b->n, .env = env, .seed = seed};
    if (session_up(p->session, &sc, on_up, l, &e) < 0) {
        free(l);
        prompt_fail(p, id, &e);
    }
    json_decref(env);
    free(files);
}

static void on_down(void *arg, const struct err *e)
{
    struct later *l = arg;
    answered(l->p, l->id, e, NULL);
    free(l);
}

void scenario_down(struct prompt *p, uint64_t id, const json_t *args)
{
    struct err e;
    struct later *l = later(p, id);
    if (session_down(p->session, on_down, l, &e) < 0) {
        free(l);
        prompt_fail(p, id, &e);
    }
}

/* ---- faults ---- */

static int word_of(const char *word, const char *const *names)
{
    for (int i = 0; word && names[i]; i++) {
        if (strcmp(names[i], word) == 0) {
            return i;
        }
    }
    return 0;
}

/** The words are those of lib/kaos/schema.lua, which has checked them. */
static void read_node(const json_t *args, struct plan_fault *f)
{
    static const char *const actions[] = {"kill", "stop", "pause", "restart", "roll", NULL};
    static const char *const targets[] = {"any",      "number", "leader",     "group",
                                          "role_txn", "txn",    "controller", NULL};
    const json_t *node = json_object_get(args, "node");
    const char *text = text_of(node, "text");
    f->action = (enum plan_broker_action)word_of(text_of(args, "action"), actions);
    f->target = (enum plan_target)word_of(text_of(node, "target"), targets);
    f->node = (int)json_integer_value(json_object_get(node, "number"));
    f->of = xstrdup(text_of(node, "of"));
    f->partition = (int)json_integer_value(json_object_get(node, "partition"));
    f->node_text = xstrdup(text ? text : "any node");
    if (text_of(node, "group")) {
        free(f->group);
        f->group = xstrdup(text_of(node, "group"));
    }
}

static int read_fault(struct prompt *p, const json_t *args, struct plan_fault *f, struct err *e)
{
    const char *kind = text_of(args, "kind"), *target = text_of(args, "target");
    const char *signal_name = text_of(args, "signal");
    const json_t *points = json_object_get(args, "points"),
                 *hold = json_object_get(args, "hold_ms");
    *f = (struct plan_fault){.max = -1, .hold = {-1, -1}, .p = 0};
    f->kind = (enum plan_fault_kind)plan_fault_find(kind ? kind : "");
    f->signum = signal_name && strcmp(signal_name, "TERM") == 0 ? SIGTERM : SIGKILL;
    f->replace = json_is_true(json_object_get(args, "replace"));
    if (json_is_integer(hold)) {
        f->hold.min_ms = f->hold.max_ms = json_integer_value(hold);
    }
    for (size_t i = 0; i < json_array_size(points); i++) {
        const char *name = json_string_value(json_array_get(points, i));
        int point = name ? plan_point_find(name) : -1;
        f->points |= point >= 0 ? 1u << point : (1u << POINT_ANY_N) - 1;
    }
    f->group = xstrdup(text_of(args, "group"));
    if (f->kind == FAULT_BROKER) {
        read_node(args, f);
    }
    if (!target) {
        return 0;
    }
    int index;
    const struct plan_role *role = session_find(p->session, target, &index, e);
    if (!role) {
        return -1;
    }
    json_int_t given = json_integer_value(json_object_get(args, "index"));
    f->index = given > 0 ? (int)given : index;
    plan_strings_add(&f->roles, role->name);
    return 0;
}

void scenario_fire(struct prompt *p, uint64_t id, const json_t *args)
{
    struct err e;
    struct plan_fault f;
    struct session_fired done;
    if (read_fault(p, args, &f, &e) < 0 || session_fire(p->session, &f, &done, &e) < 0) {
        prompt_fail(p, id, &e);
    } else {
        prompt_ok(p, id,
                  json_pack("{s:s,s:I,s:s?,s:i}", "text", done.text, "at_ms",
                            (json_int_t)done.at_ms, "role", f.roles.n ? f.roles.items[0] : NULL,
                            "index", f.index));
    }
    plan_strings_free(&f.roles);
    free(f.group);
    free(f.of);
    free(f.node_text);
}

/* ---- judge ---- */

/** Nothing that comes later undoes it. */
static bool is_final(const struct finding *f)
{
    return f->proven && f->class == CLASS_SAFETY;
}

/** A preview: what may still come true is open, an `eventually` in any case. */
static const char *state_of(const struct verdict *v, const struct prop_result *r)
{
    bool final = false;
    for (size_t i = 0; i < r->nfindings; i++) {
        final = final || is_final(&v->findings[r->findings[i]]);
    }
    bool may_come = r->state == PROP_INCONCLUSIVE || !final || strcmp(r->mode, "eventually") == 0;
    return r->state == PROP_HELD ? "holds so far" : may_come ? "open" : "VIOLATED";
}

static char *to_text(int (*write)(void *arg, FILE *f, struct err *e), void *arg, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int rc = f ? write(arg, f, e) : err_sys(e, "writing to memory");
    if (f) {
        fclose(f);
    }
    if (rc < 0) {
        free(text);
        return NULL;
    }
    return text;
}

struct found {
    struct report rep;
    bool running, final;
};

/** Whether a finding is one that judge() called a violation. */
static bool was_shown(const struct found *fd, size_t finding)
{
    const struct verdict *v = fd->rep.v;
    if (fd->final) {
        return v->findings[finding].proven;
    }
    for (size_t i = 0; i < v->nprops; i++) {
        const struct prop_result *r = &v->props[i];
        for (size_t k = 0; k < r->nfindings; k++) {
            if (r->findings[k] == finding) {
                return is_final(&v->findings[finding]) && (r->declared || !fd->running) &&
                       strcmp(r->mode, "eventually") != 0;
            }
        }
    }
    return false;
}

static int write_findings(void *arg, FILE *f, struct err *e)
{
    const struct found *fd = arg;
    const struct verdict *v = fd->rep.v;
    size_t n = 0;
    for (size_t i = 0; i < v->nfindings; i++) {
        if (v->findings[i].primary < 0 && was_shown(fd, i)) {
            terminal_finding(&fd->rep, i, 1, f);
            n++;
        }
    }
    return n > 0 ? 0 : err_set(e, ERR_USAGE, 0, "no violation");
}

/** The declared properties, and what else is violated. While roles run the audit sees more than the
 * history: what only compares the two is not judged then. */
static json_t *props_of(const struct verdict *v, bool final, bool running)
{
    json_t *props = json_array();
    for (size_t i = 0; i < v->nprops; i++) {
        const struct prop_result *r = &v->props[i];
        const char *state = final ? prop_state_name(r->state) : state_of(v, r);
        if (!r->declared && (running || r->state != PROP_VIOLATED)) {
            continue;
        }
        bool open = strcmp(state, "open") == 0;
        const char *what = !open               ? r->detail
                           : r->reason[0]      ? r->reason
                           : r->nfindings == 0 ? r->detail
                                               : "does not hold now";
        json_array_append_new(props, json_pack("{s:s,s:s,s:s,s:s}", "mode",
                                               r->declared ? r->mode : "always", "property",
                                               r->name, "state", state, "what", what));
    }
    return props;
}

static void answer_verdict(struct prompt *p, uint64_t id, const struct verdict *v,
                           const struct events *es, bool final)
{
    struct err e;
    bool running = !final && session_is_up(p->session);
    struct found fd = {.rep = {.v = v, .es = es}, .running = running, .final = final};
    free(p->findings);
    p->findings = to_text(write_findings, &fd, &e);
    prompt_ok(p, id, json_pack("{s:o}", "props", props_of(v, final, running)));
}

static void on_audited(void *arg, const struct err *e)
{
    struct later *l = arg;
    struct prompt *p = l->p;
    struct err own;
    struct check_opts o = {.no_faults = true};
    struct events *es = e ? NULL : events_open(session_preview(p->session), &own);
    struct verdict *v =
        es ? store_judge(p->load, p->scenario, session_plan(p->session), es, &o, &own) : NULL;
    if (v) {
        answer_verdict(p, l->id, v, es, false);
        verdict_free(v);
    } else {
        prompt_fail(p, l->id, e ? e : &own);
    }
    events_free(es);
    free(l);
}

void scenario_judge(struct prompt *p, uint64_t id, const json_t *args)
{
    struct err e;
    if (p->attached) {
        struct verdict *v = stored_judge(&p->stored, &e);
        if (v) {
            answer_verdict(p, id, v, p->stored.events, true);
            verdict_free(v);
        } else {
            prompt_fail(p, id, &e);
        }
        return;
    }
    struct later *l = later(p, id);
    if (session_audit(p->session, on_audited, l, &e) < 0) {
        free(l);
        prompt_fail(p, id, &e);
    }
}

void scenario_why(struct prompt *p, uint64_t id, const json_t *args)
{
    struct buf b = {0};
    if (p->findings) {
        buf_puts(&b, p->findings);
    }
    for (size_t i = 0; !p->findings && i < p->nchanges; i++) {
        const struct prompt_change *c = &p->changes[i];
        buf_printf(&b, "%s\n", c->text);
        if (c->why && *c->why) {
            buf_printf(&b, "    %s\n", c->why);
        }
    }
    if (b.len == 0) {
        buf_puts(&b, "nothing has happened yet\n");
    }
    json_t *text = json_stringn(b.data, b.len);
    prompt_ok(
        p, id,
        json_pack("{s:o}", "text", text ? text : json_string("(the text cannot be shown)\n")));
    buf_free(&b);
}

/* ---- timeline ---- */

struct timeline {
    struct report rep;
    struct show_opts o;
};

static int write_timeline(void *arg, FILE *f, struct err *e)
{
    struct timeline *t = arg;
    return show_write(&t->rep, &t->o, f, e);
}

static void answer_timeline(struct prompt *p, uint64_t id, const json_t *args,
                            const struct events *es, const struct plan *plan, const json_t *run)
{
    struct err e;
    struct check_opts co = {.no_faults = true};
    struct verdict *v = check_run(es, plan, NULL, &co, &e);
    struct timeline t = {.rep = {.v = v, .es = es, .run = run}};
    t.o.id = text_of(args, "id");
    t.o.around = t.o.id ? NULL : "0+-100000"; /* all of it */
    char *text = v ? to_text(write_timeline, &t, &e) : NULL;
    if (text) {
        prompt_ok(p, id, json_pack("{s:o}", "text", json_string(text)));
    } else {
        prompt_fail(p, id, &e);
    }
    free(text);
    verdict_free(v);
}

/** The events of a folder. */
static void timeline_of(struct prompt *p, uint64_t id, const json_t *args, const char *folder)
{
    struct err e;
    struct events *es = events_open(folder, &e);
    char *path = path_join(session_place(p->session).dir, "run.json");
    json_t *run = es ? json_read(path, &e) : NULL;
    if (run) {
        answer_timeline(p, id, args, es, session_plan(p->session), run);
    } else {
        prompt_fail(p, id, &e);
    }
    json_decref(run);
    free(path);
    events_free(es);
}

struct asked {
    struct prompt *p;
    uint64_t id;
    json_t *args;
};

static void on_timeline_audited(void *arg, const struct err *e)
{
    struct asked *a = arg;
    if (e) {
        prompt_fail(a->p, a->id, e);
    } else {
        timeline_of(a->p, a->id, a->args, session_preview(a->p->session));
    }
    json_decref(a->args);
    free(a);
}

/** An id is found in the records of the log, so the events of one need an audit first. */
void scenario_timeline(struct prompt *p, uint64_t id, const json_t *args)
{
    struct err e;
    if (p->attached) {
        answer_timeline(p, id, args, p->stored.events, p->stored.plan, p->stored.run);
    } else if (!session_plan(p->session)) {
        refuse(p, id, "no scenario was up yet; .load FILE, then up()");
    } else if (!text_of(args, "id")) {
        timeline_of(p, id, args, session_place(p->session).history);
    } else {
        struct asked *a = xmalloc(sizeof *a);
        *a = (struct asked){p, id, json_deep_copy(args)};
        if (session_audit(p->session, on_timeline_audited, a, &e) < 0) {
            json_decref(a->args);
            free(a);
            prompt_fail(p, id, &e);
        }
    }
}

/* ---- the whole run ---- */

static void on_run(void *arg, const struct err *e)
{
    struct later *l = arg;
    answered(l->p, l->id, e, NULL);
    free(l);
}

void scenario_run(struct prompt *p, uint64_t id, const json_t *args)
{
    struct err e;
    const char *where = p->load ? load_scenario(p->load, p->scenario)->where : NULL;
    const char *line = where ? strrchr(where, ':') : NULL;
    if (!line) {
        refuse(p, id, "no scenario is loaded; .load FILE");
        return;
    }
    char *select = xasprintf("%s%s", p->path, line);
    const char *cluster = p->cluster ? p->cluster : CLUSTER_DEFAULT;
    const char *argv[] = {NULL, "run", select, "--store", p->store, "--cluster", cluster, NULL};
    struct later *l = later(p, id);
    if (session_run_child(p->session, argv, on_run, l, &e) < 0) {
        free(l);
        prompt_fail(p, id, &e);
    }
    free(select);
}
