/* SPDX-License-Identifier: Apache-2.0 */
/* Copies the plan table that lib/kaos/build.lua made, which is checked and complete, into struct
 * plan; and asks the Lua side for plans, roles and params. Main thread only. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/load_state.h"

/* All of these read field `name` of the table at idx. [-0, +0, m] */
static char *get_text(lua_State *L, int idx, const char *name)
{
    lua_getfield(L, idx, name);
    char *s = lua_type(L, -1) == LUA_TSTRING ? xstrdup(lua_tostring(L, -1)) : NULL;
    lua_pop(L, 1);
    return s;
}

static int64_t get_int(lua_State *L, int idx, const char *name, int64_t preset)
{
    lua_getfield(L, idx, name);
    int64_t v = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : preset;
    lua_pop(L, 1);
    return v;
}

static double get_number(lua_State *L, int idx, const char *name)
{
    lua_getfield(L, idx, name);
    double v = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return v;
}

static bool get_flag(lua_State *L, int idx, const char *name)
{
    lua_getfield(L, idx, name);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

/* The place of a word in a list of names; a word that C does not know is a bug in schema.lua. */
static int get_word(lua_State *L, int idx, const char *name, int (*find)(const char *))
{
    lua_getfield(L, idx, name);
    const char *word = lua_tostring(L, -1);
    int v = word ? find(word) : -1;
    if (v < 0) {
        luaL_error(L, "kaos: `%s` has the unknown word `%s`", name, word ? word : "nil");
    }
    lua_pop(L, 1);
    return v;
}

static int find_among(const char *word, const char *const *names)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

static int find_codec(const char *word)
{
    static const char *const names[] = {"bytes", "json", NULL};
    return find_among(word, names);
}

static int find_per(const char *word)
{
    static const char *const names[] = {"message", "batch", "transaction", NULL};
    return find_among(word, names);
}

static int find_action(const char *word)
{
    static const char *const names[] = {"kill", "stop", "pause", "restart", "roll", NULL};
    return find_among(word, names);
}

static int find_target(const char *word)
{
    static const char *const names[] = {"any",      "number", "leader",     "group",
                                        "role_txn", "txn",    "controller", NULL};
    return find_among(word, names);
}

static int find_id(const char *word)
{
    static const char *const names[] = {"lineage", "value", "key", "header", "function", NULL};
    return find_among(word, names);
}

/* Pushes field `name` and then calls read for each element on top of the stack. */
static void each(lua_State *L, int idx, const char *name, void (*read)(lua_State *L, void *list),
                 void *list)
{
    luaL_checkstack(L, 10, "plan");
    lua_getfield(L, idx, name);
    if (lua_istable(L, -1)) {
        lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1; i <= n; i++) {
            lua_geti(L, -1, i);
            read(L, list);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

static void read_string(lua_State *L, void *list)
{
    plan_strings_add(list, lua_tostring(L, -1));
}

static void read_setting(lua_State *L, void *list)
{
    lua_geti(L, -1, 1);
    lua_geti(L, -2, 2);
    plan_conf_set(list, lua_tostring(L, -2), lua_tostring(L, -1));
    lua_pop(L, 2);
}

static void read_point(lua_State *L, void *list)
{
    uint32_t *points = list;
    int p = plan_point_find(lua_tostring(L, -1));
    if (p < 0) {
        luaL_error(L, "kaos: unknown crash point `%s`", lua_tostring(L, -1));
    }
    *points |= 1u << p;
}

static struct plan_range get_range(lua_State *L, int idx, const char *name)
{
    struct plan_range r = {-1, -1};
    lua_getfield(L, idx, name);
    if (lua_istable(L, -1)) {
        lua_geti(L, -1, 1);
        lua_geti(L, -2, 2);
        r = (struct plan_range){lua_tointeger(L, -2), lua_tointeger(L, -1)};
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return r;
}

static void read_param(lua_State *L, void *list)
{
    struct plan_param *p = VEC_PUSH((struct plan_params *)list);
    int t = lua_gettop(L);
    p->name = get_text(L, t, "name");
    p->value = get_text(L, t, "value");
    p->doc = get_text(L, t, "doc");
    p->type = get_text(L, t, "type");
    p->preset = get_text(L, t, "preset");
}

static void read_topic(lua_State *L, void *list)
{
    struct plan_topic *p = VEC_PUSH((struct plan_topics *)list);
    int t = lua_gettop(L);
    p->name = get_text(L, t, "name");
    p->partitions = (int)get_int(L, t, "partitions", 1);
    p->replicas = (int)get_int(L, t, "replicas", 1);
    p->existing = get_flag(L, t, "existing");
    p->value = (enum plan_codec)get_word(L, t, "value", find_codec);
    each(L, t, "config", read_setting, &p->config);
}

static void read_start(lua_State *L, void *list)
{
    struct plan_start *s = VEC_PUSH((struct plan_starts *)list);
    int t = lua_gettop(L);
    s->after = get_text(L, t, "name");
    s->ms = get_int(L, t, "ms", 0);
}

static void read_role(lua_State *L, void *list)
{
    struct plan_role *p = VEC_PUSH((struct plan_roles *)list);
    int t = lua_gettop(L);
    p->name = get_text(L, t, "name");
    p->where = get_text(L, t, "where");
    p->count = (int)get_int(L, t, "count", 1);
    p->restart_ms = get_int(L, t, "restart", 1000);
    each(L, t, "start_after", read_start, &p->starts);
    each(L, t, "conf", read_setting, &p->conf);
    each(L, t, "env", read_setting, &p->env);
    each(L, t, "exec", read_string, &p->exec);
    each(L, t, "groups", read_string, &p->groups);
    p->build = get_text(L, t, "build");
    p->transacts = get_flag(L, t, "transacts");
    p->changing_ids = get_flag(L, t, "changing_ids");
}

static void read_fault(lua_State *L, void *list)
{
    struct plan_fault *p = VEC_PUSH((struct plan_faults *)list);
    int t = lua_gettop(L);
    p->kind = (enum plan_fault_kind)get_word(L, t, "kind", plan_fault_find);
    p->where = get_text(L, t, "where");
    each(L, t, "roles", read_string, &p->roles);
    p->index = (int)get_int(L, t, "index", 0);
    p->group = get_text(L, t, "group");
    p->p = get_number(L, t, "p");
    p->per = (enum plan_per)get_word(L, t, "per", find_per);
    each(L, t, "points", read_point, &p->points);
    p->every = get_range(L, t, "every");
    p->at = get_range(L, t, "at");
    p->hold = get_range(L, t, "hold");
    lua_getfield(L, t, "signal");
    p->signum = strcmp(lua_tostring(L, -1), "TERM") == 0 ? SIGTERM : SIGKILL;
    lua_pop(L, 1);
    p->replace = get_flag(L, t, "replace");
    if (p->kind == FAULT_BROKER) {
        p->action = (enum plan_broker_action)get_word(L, t, "action", find_action);
        p->target = (enum plan_target)get_word(L, t, "target", find_target);
    }
    p->node = (int)get_int(L, t, "node", 0);
    p->of = get_text(L, t, "of");
    p->partition = (int)get_int(L, t, "partition", -1);
    p->node_text = get_text(L, t, "node_text");
    p->max = get_int(L, t, "max", -1);
    p->mix = (int)get_int(L, t, "mix", 0);
}

static void read_mix(lua_State *L, void *list)
{
    struct plan_mix *p = VEC_PUSH((struct plan_mixes *)list);
    int t = lua_gettop(L);
    p->where = get_text(L, t, "where");
    p->stable_ms = get_int(L, t, "stable", 1);
}

static void read_pred(lua_State *L, void *list)
{
    struct plan_pred *p = VEC_PUSH((struct plan_preds *)list);
    int t = lua_gettop(L);
    p->kind = (enum plan_pred_kind)get_word(L, t, "kind", plan_pred_find);
    p->where = get_text(L, t, "where");
    p->from = get_text(L, t, "from");
    p->to = get_text(L, t, "to");
    p->id = (enum plan_id)get_word(L, t, "id", find_id);
    p->id_header = get_text(L, t, "id_header");
    p->fold = (int)get_int(L, t, "fold", -1);
    p->topic = get_text(L, t, "topic");
    p->per_key = get_flag(L, t, "per_key");
    p->group = get_text(L, t, "group");
    each(L, t, "topics", read_string, &p->topics);
    each(L, t, "roles", read_string, &p->roles);
    each(L, t, "points", read_point, &p->points);
    p->over_ms = get_int(L, t, "over", -1);
    p->aborted = get_flag(L, t, "aborted");
    each(L, t, "places", read_string, &p->places);
    p->within_ms = get_int(L, t, "within", -1);
    p->at_least = get_int(L, t, "at_least", 1);
    p->times = get_int(L, t, "times", 1);
}

static void read_prop(lua_State *L, void *list)
{
    struct plan_prop *p = VEC_PUSH((struct plan_props *)list);
    int t = lua_gettop(L);
    p->mode = (enum plan_mode)get_word(L, t, "mode", plan_mode_find);
    p->name = get_text(L, t, "name");
    p->where = get_text(L, t, "where");
    p->within_ms = get_int(L, t, "within", -1);
    each(L, t, "preds", read_pred, &p->preds);
}

static int find_metric(const char *word)
{
    static const char *const names[] = {"e2e", "send", "rate", "recovery", NULL};
    return find_among(word, names);
}

static int find_stat(const char *word)
{
    static const char *const names[] = {"quantile", "avg", "min", "max", NULL};
    return find_among(word, names);
}

static int find_op(const char *word)
{
    static const char *const names[] = {"<", "<=", ">", ">=", NULL};
    return find_among(word, names);
}

static void read_threshold(lua_State *L, void *list)
{
    struct plan_threshold *p = VEC_PUSH((struct plan_thresholds *)list);
    int t = lua_gettop(L);
    p->name = get_text(L, t, "name");
    p->where = get_text(L, t, "where");
    p->label = get_text(L, t, "label");
    p->metric = (enum plan_metric)get_word(L, t, "metric", find_metric);
    p->topic = get_text(L, t, "topic");
    p->prop = (int)get_int(L, t, "prop", -1);
    p->pred = (int)get_int(L, t, "pred", -1);
    p->stat = (enum plan_stat)get_word(L, t, "stat", find_stat);
    p->quantile = get_number(L, t, "quantile");
    p->stat_text = get_text(L, t, "stat_text");
    p->op = (enum plan_op)get_word(L, t, "op", find_op);
    p->limit = get_number(L, t, "limit");
    p->limit_text = get_text(L, t, "limit_text");
}

/* The limit of the drain, if the author gave none: long enough for every `within`. */
static int64_t drain_of(const struct plan *p)
{
    int64_t ms = plan_drain_default(p);
    for (size_t i = 0; i < p->expect.n; i++) {
        ms = p->expect.items[i].within_ms > ms ? p->expect.items[i].within_ms : ms;
    }
    return ms;
}

struct plan *load_read_plan(lua_State *L, int idx)
{
    struct plan *p = plan_new();
    int t = lua_absindex(L, idx);
    p->name = get_text(L, t, "name");
    p->file = get_text(L, t, "file");
    p->where = get_text(L, t, "where");
    p->doc = get_text(L, t, "doc");
    p->brokers = (int)get_int(L, t, "brokers", 0);
    p->cluster_kind = get_text(L, t, "cluster_kind");
    p->stop_after = get_text(L, t, "stop_after");
    p->stop_after_ms = get_int(L, t, "stop_after_ms", -1);
    p->timeout_ms = get_int(L, t, "timeout", p->timeout_ms);
    each(L, t, "tags", read_string, &p->tags);
    each(L, t, "fails_with", read_string, &p->fails_with);
    each(L, t, "params", read_param, &p->params);
    each(L, t, "cluster_config", read_setting, &p->cluster_config);
    each(L, t, "topics", read_topic, &p->topics);
    each(L, t, "roles", read_role, &p->roles);
    each(L, t, "faults", read_fault, &p->faults);
    each(L, t, "mixes", read_mix, &p->mixes);
    each(L, t, "expect", read_prop, &p->expect);
    each(L, t, "thresholds", read_threshold, &p->thresholds);
    p->drain_ms = get_int(L, t, "drain", -1);
    if (p->drain_ms < 0) {
        p->drain_ms = drain_of(p);
    }
    return p;
}

struct call {
    struct load *load;
    size_t scenario;
    const char *role;
    const struct plan_conf *given;
    const struct plan_params *values;
    struct plan *plan;
    char *failure;
    bool usage;
};

static void push_given(lua_State *L, const struct plan_conf *given)
{
    lua_newtable(L);
    for (size_t i = 0; given && i < given->n; i++) {
        lua_pushstring(L, given->items[i].value);
        lua_setfield(L, -2, given->items[i].name);
    }
}

static int do_plan(lua_State *L)
{
    struct call *c = lua_touserdata(L, 1);
    load_push_method(c->load, "plan");
    lua_pushinteger(L, (lua_Integer)c->scenario + 1);
    push_given(L, c->given);
    lua_call(L, 3, 3);
    if (lua_istable(L, -3)) {
        c->plan = load_read_plan(L, -3);
        return 0;
    }
    c->failure = xstrdup(lua_tostring(L, -2));
    c->usage = lua_toboolean(L, -1);
    return 0;
}

static void first_error(void *arg, bool error, const char *where, const char *message)
{
    struct call *c = arg;
    if (error && !c->failure) {
        c->failure = xasprintf("%s: %s", where, message);
    }
}

struct plan *load_plan(struct load *l, size_t i, const struct plan_conf *params, struct err *e)
{
    struct call c = {.load = l, .scenario = i, .given = params};
    if (i >= l->scenarios.n) {
        err_set(e, ERR_USAGE, 0, "%s has no scenario %zu", l->main, i + 1);
        return NULL;
    }
    if (host_protect(l->L, do_plan, &c, e)) {
        return NULL;
    }
    if (c.plan) {
        plan_lint(c.plan, first_error, &c);
        c.usage = params && params->n > 0;
    }
    if (c.failure) {
        err_set(e, ERR_USAGE, c.usage ? LOAD_BAD_PARAM : 0, "%s", c.failure);
        free(c.failure);
        plan_free(c.plan);
        return NULL;
    }
    return c.plan;
}

static int do_role(lua_State *L)
{
    struct call *c = lua_touserdata(L, 1);
    load_push_method(c->load, "role");
    lua_pushinteger(L, (lua_Integer)c->scenario + 1);
    lua_pushstring(L, c->role);
    lua_call(L, 3, 1);
    if (!lua_isfunction(L, -1)) {
        luaL_error(L, "role `%s` is not a function", c->role);
    }
    return 1;
}

static int do_params(lua_State *L)
{
    struct call *c = lua_touserdata(L, 1);
    load_push_method(c->load, "params");
    lua_pushinteger(L, (lua_Integer)c->scenario + 1);
    lua_newtable(L);
    for (size_t i = 0; i < c->values->n; i++) {
        lua_pushstring(L, c->values->items[i].value);
        lua_setfield(L, -2, c->values->items[i].name);
    }
    lua_call(L, 3, 1);
    return 1;
}

/* As host_protect, for a function that leaves one value. */
static int push_result(lua_State *L, lua_CFunction fn, struct call *c, struct err *e)
{
    if (!lua_checkstack(L, 4)) {
        return err_set(e, ERR_INTERNAL, 0, "the Lua stack is full");
    }
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, c);
    return host_pcall(L, 1, 1, e);
}

int load_push_role(struct load *l, size_t i, const char *role, struct err *e)
{
    struct call c = {.load = l, .scenario = i, .role = role};
    if (i >= l->scenarios.n || l->errors) {
        return err_set(e, ERR_USAGE, 0, "%s", l->errors ? l->errors : "no such scenario");
    }
    if (push_result(l->L, do_role, &c, e)) {
        return -1;
    }
    host_set_phase(l->L, HOST_ROLE);
    return 0;
}

int load_push_params(struct load *l, const struct plan *p, struct err *e)
{
    int i = load_find(l, p->name);
    struct call c = {.load = l, .scenario = (size_t)i, .values = &p->params};
    if (i < 0) {
        return err_set(e, ERR_USAGE, 0, "%s has no scenario \"%s\"", l->main, p->name);
    }
    return push_result(l->L, do_params, &c, e);
}
