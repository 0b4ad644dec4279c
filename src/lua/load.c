/* SPDX-License-Identifier: Apache-2.0 */
/* Hides where the text of a scenario comes from (disk or bundle) and how the Lua side, which does
 * the judging (lib/kaos/load.lua), is driven: texts in, diagnostics and scenarios out. The Lua
 * object of a load lives in the registry of its own state. Main thread only. */
#include "lua/load.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "lua/load_state.h"

enum {
    MAX_SOURCE = 4 << 20, /* bytes of one file */
    MAX_SOURCES = 1000,   /* files of one scenario */
    HOOK_COUNT = 100000,  /* instructions between two looks at the budget */
    BUDGET = 100000000,   /* instructions of one load */
};

static const char object_key;

/* Finds the text of a module and puts it into the bundle. */
static const struct load_source *find_module(struct load *l, const char *name, const char *path,
                                             const char *library)
{
    const struct load_source *s = load_bundle_find(l->given ? l->given : &l->bundle, name);
    struct buf text = {0};
    struct err e;
    if (!load_bundle_clean(name) || l->bundle.n >= MAX_SOURCES) {
        return NULL;
    }
    if (l->given) {
        if (s) {
            load_bundle_add(&l->bundle, s->name, s->text, s->len);
        }
    } else if (path_read(path, MAX_SOURCE, &text, &e) == 0 ||
               (library && host_library_text(library, &text) == 0)) {
        load_bundle_add(&l->bundle, name, text.data ? text.data : "", text.len);
    }
    buf_free(&text);
    return load_bundle_find(&l->bundle, name);
}

/* read(module, library): text and name, or nil and where it was looked for. */
static int l_read(lua_State *L)
{
    struct load *l = lua_touserdata(L, lua_upvalueindex(1));
    const char *module = luaL_checkstring(L, 1);
    bool library = lua_toboolean(L, 2);
    char *dir = load_bundle_folder(l->main);
    char *name = load_bundle_module(dir, module);
    char *path = l->folder ? load_bundle_module(l->folder, module) : NULL;
    const struct load_source *s = find_module(l, name, path, library ? module : NULL);
    free(dir);
    free(path);
    /* The strings below may raise: the name goes into Lua's memory first. */
    char shown[PATH_MAX];
    snprintf(shown, sizeof shown, "%s", name);
    free(name);
    if (!s) {
        lua_pushnil(L);
        lua_pushstring(L, shown);
        return 2;
    }
    lua_pushlstring(L, s->text, s->len);
    lua_pushstring(L, shown);
    return 2;
}

/* read_env(name): the value, recorded for the processes of the run. */
static int l_read_env(lua_State *L)
{
    struct load *l = lua_touserdata(L, lua_upvalueindex(1));
    const char *name = luaL_checkstring(L, 1);
    const char *v = plan_conf_get(&l->env, name);
    if (!v) {
        v = l->given ? (l->given_env ? plan_conf_get(l->given_env, name) : NULL) : getenv(name);
        if (v) {
            plan_conf_set(&l->env, name, v);
        }
    }
    lua_pushstring(L, v);
    return 1;
}

static const char *count_down(lua_State *L, void *arg)
{
    static const char *const message = "loading takes too long: is there an endless loop?";
    int *left = arg;
    *left -= HOOK_COUNT;
    return *left > 0 ? NULL : message;
}

static int run_load(lua_State *L)
{
    struct load *l = lua_touserdata(L, 1);
    const struct load_source *s = &l->bundle.items[0];
    host_library(L, "load");
    lua_getfield(L, -1, "load");
    lua_pushstring(L, l->main);
    lua_pushlstring(L, s->text, s->len);
    lua_pushlightuserdata(L, l);
    lua_pushcclosure(L, l_read, 1);
    lua_pushlightuserdata(L, l);
    lua_pushcclosure(L, l_read_env, 1);
    lua_call(L, 4, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &object_key);
    return 0;
}

void load_push_method(struct load *l, const char *name)
{
    luaL_checkstack(l->L, 8, "load");
    lua_rawgetp(l->L, LUA_REGISTRYINDEX, &object_key);
    lua_getfield(l->L, -1, name);
    lua_insert(l->L, -2);
}

static char *field_text(lua_State *L, int idx, const char *name)
{
    lua_getfield(L, idx, name);
    char *s = xstrdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    return s;
}

void load_add_diag(struct load *l, struct load_diag d)
{
    struct load_diag *slot = VEC_PUSH(&l->diags);
    slot->severity = d.severity;
    slot->file = xstrdup(d.file);
    slot->line = d.line;
    slot->scenario = xstrdup(d.scenario);
    slot->message = xstrdup(d.message);
}

static void read_diag(struct load *l, lua_State *L)
{
    struct load_diag *d = VEC_PUSH(&l->diags);
    int t = lua_gettop(L);
    char *severity = field_text(L, t, "severity");
    d->severity = !severity                        ? LOAD_ERROR
                  : strcmp(severity, "note") == 0  ? LOAD_NOTE
                  : strcmp(severity, "error") == 0 ? LOAD_ERROR
                                                   : LOAD_WARNING;
    free(severity);
    d->file = field_text(L, t, "file");
    d->scenario = field_text(L, t, "scenario");
    d->message = field_text(L, t, "message");
    lua_getfield(L, t, "line");
    d->line = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
}

static void copy_strings(struct plan_strings *to, const struct plan_strings *from)
{
    for (size_t i = 0; i < from->n; i++) {
        plan_strings_add(to, from->items[i]);
    }
}

static void copy_params(struct plan_params *to, const struct plan_params *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct plan_param *p = VEC_PUSH(to);
        *p = (struct plan_param){
            .name = xstrdup(from->items[i].name),
            .value = xstrdup(from->items[i].value),
            .doc = xstrdup(from->items[i].doc),
            .type = xstrdup(from->items[i].type),
            .preset = xstrdup(from->items[i].preset),
        };
    }
}

struct lint_target {
    struct load *load;
    const char *scenario;
};

static void on_lint(void *arg, bool error, const char *where, const char *message)
{
    struct lint_target *t = arg;
    const char *colon = strrchr(where, ':');
    char *file = xmemdup0(where, colon ? (size_t)(colon - where) : strlen(where));
    load_add_diag(t->load, (struct load_diag){
                               .severity = error ? LOAD_ERROR : LOAD_WARNING,
                               .file = file,
                               .line = colon ? (int)strtol(colon + 1, NULL, 10) : 0,
                               .scenario = (char *)(uintptr_t)t->scenario,
                               .message = (char *)(uintptr_t)message,
                           });
    free(file);
}

/* One scenario: its name and place from the file; the rest where it has a plan. */
static void read_scenario(struct load *l, lua_State *L)
{
    struct load_scenario *s = VEC_PUSH(&l->scenarios);
    int t = lua_gettop(L);
    s->name = field_text(L, t, "name");
    lua_getfield(L, t, "place");
    char *file = field_text(L, t + 1, "file");
    lua_getfield(L, t + 1, "line");
    s->where = xasprintf("%s:%d", file, (int)lua_tointeger(L, -1));
    free(file);
    lua_settop(L, t);
    lua_getfield(L, t, "plan");
    if (lua_istable(L, -1)) {
        struct plan *p = load_read_plan(L, -1);
        struct lint_target target = {l, s->name};
        s->doc = xstrdup(p->doc);
        copy_strings(&s->tags, &p->tags);
        copy_strings(&s->fails_with, &p->fails_with);
        copy_params(&s->params, &p->params);
        plan_lint(p, on_lint, &target);
        plan_free(p);
    }
    lua_settop(L, t);
}

static int read_result(lua_State *L)
{
    struct load *l = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &object_key);
    lua_getfield(L, -1, "diags");
    for (lua_Integer i = 1; lua_geti(L, -1, i) == LUA_TTABLE; i++) {
        read_diag(l, L);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    lua_getfield(L, -1, "scenarios");
    for (lua_Integer i = 1; lua_geti(L, -1, i) == LUA_TTABLE; i++) {
        read_scenario(l, L);
        lua_pop(L, 1);
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct load_diag *x = a, *y = b;
    int c = strcmp(x->file ? x->file : "", y->file ? y->file : "");
    if (c == 0) {
        c = (x->line > y->line) - (x->line < y->line);
    }
    if (c == 0) {
        c = (int)y->severity - (int)x->severity;
    }
    return c ? c : strcmp(x->message, y->message);
}

static void sum_up(struct load *l)
{
    struct buf b = {0};
    if (l->diags.n) {
        qsort(l->diags.items, l->diags.n, sizeof *l->diags.items, by_place);
    }
    for (size_t i = 0; i < l->diags.n; i++) {
        const struct load_diag *d = &l->diags.items[i];
        if (d->severity != LOAD_ERROR) {
            continue;
        }
        buf_printf(&b, "%s%s:", b.len ? "\n" : "", d->file);
        if (d->line) {
            buf_printf(&b, "%d:", d->line);
        }
        buf_printf(&b, " %s", d->message);
    }
    l->errors = b.len ? buf_take(&b) : NULL;
    buf_free(&b);
}

static void add_failure(struct load *l, const struct err *e)
{
    load_add_diag(l, (struct load_diag){.severity = LOAD_ERROR,
                                        .file = l->main,
                                        .message = (char *)(uintptr_t)e->msg});
}

static struct load *start(struct load *l)
{
    struct err inner;
    int left = BUDGET;
    l->L = host_new();
    host_set_interrupt(l->L, HOOK_COUNT, count_down, &left);
    if (host_protect(l->L, run_load, l, &inner)) {
        add_failure(l, &inner);
    } else {
        host_set_interrupt(l->L, 0, NULL, NULL);
        if (host_protect(l->L, read_result, l, &inner)) {
            add_failure(l, &inner);
        }
    }
    host_set_interrupt(l->L, 0, NULL, NULL);
    l->folds = xcalloc(l->scenarios.n + 1, sizeof *l->folds);
    sum_up(l);
    return l;
}

struct load *load_from_file(const char *path, struct err *e)
{
    struct buf text = {0};
    if (path_read(path, MAX_SOURCE, &text, e)) {
        buf_free(&text);
        return NULL;
    }
    struct load *l = xcalloc(1, sizeof *l);
    l->main = load_bundle_name(path);
    l->folder = load_bundle_folder(path);
    load_bundle_add(&l->bundle, l->main, text.data ? text.data : "", text.len);
    buf_free(&text);
    return start(l);
}

struct load *load_from_bundle(const struct load_bundle *b, const struct plan_conf *env,
                              struct err *e)
{
    if (b->n == 0) {
        err_set(e, ERR_PROTOCOL, 0, "the source bundle is empty");
        return NULL;
    }
    for (size_t i = 0; i < b->n; i++) {
        if (!load_bundle_clean(b->items[i].name)) {
            err_set(e, ERR_PROTOCOL, 0, "the source bundle has a file with the name \"%s\"",
                    b->items[i].name);
            return NULL;
        }
    }
    struct load *l = xcalloc(1, sizeof *l);
    l->main = xstrdup(b->items[0].name);
    l->given = b;
    l->given_env = env;
    load_bundle_add(&l->bundle, l->main, b->items[0].text, b->items[0].len);
    start(l);
    l->given = NULL;
    l->given_env = NULL;
    return l;
}

static void scenario_free(struct load_scenario *s)
{
    free((char *)(uintptr_t)s->name);
    free((char *)(uintptr_t)s->where);
    free((char *)(uintptr_t)s->doc);
    plan_strings_free(&s->tags);
    plan_strings_free(&s->fails_with);
    plan_params_free(&s->params);
}

void load_free(struct load *l)
{
    if (!l) {
        return;
    }
    host_free(l->L);
    for (size_t i = 0; i < l->scenarios.n; i++) {
        scenario_free(&l->scenarios.items[i]);
    }
    for (size_t i = 0; i < l->diags.n; i++) {
        free(l->diags.items[i].file);
        free(l->diags.items[i].scenario);
        free(l->diags.items[i].message);
    }
    load_bundle_free(&l->bundle);
    plan_conf_free(&l->env);
    free(l->scenarios.items);
    free(l->diags.items);
    free(l->folds);
    free(l->main);
    free(l->folder);
    free(l->errors);
    free(l);
}

const char *load_errors(const struct load *l)
{
    return l->errors;
}

size_t load_diags(const struct load *l, const struct load_diag **out)
{
    *out = l->diags.items;
    return l->diags.n;
}

const char *load_severity_name(enum load_severity s)
{
    static const char *const names[] = {"note", "warning", "error"};
    return (unsigned)s < ARRAY_LEN(names) ? names[s] : "?";
}

size_t load_count(const struct load *l)
{
    return l->scenarios.n;
}

const struct load_scenario *load_scenario(const struct load *l, size_t i)
{
    return i < l->scenarios.n ? &l->scenarios.items[i] : NULL;
}

int load_find(const struct load *l, const char *name)
{
    for (size_t i = 0; i < l->scenarios.n; i++) {
        if (strcmp(l->scenarios.items[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const struct load_bundle *load_sources(const struct load *l)
{
    return &l->bundle;
}

const struct plan_conf *load_env(const struct load *l)
{
    return &l->env;
}

struct lua_State *load_state(struct load *l)
{
    return l->L;
}
