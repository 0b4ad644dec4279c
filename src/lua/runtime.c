/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a role function: one state (where the scenario was loaded), one scheduler, the
 * clients that the role created. The function ends when its task and every task it spawned have
 * ended; a task that fails while nobody joins it ends the role.
 *
 *   new -> start -> [drain] -> [stop] -> on_end -> close -> free */
#include "lua/runtime.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "lua/bind.h"
#include "lua/codec.h"
#include "lua/host.h"
#include "lua/load.h"
#include "lua/rt.h"

struct runtime *rt_of(lua_State *L)
{
    return host_user(L);
}

int64_t rt_topic_id(struct runtime *rt, const char *interned)
{
    if (interned == rt->last_topic) {
        return rt->last_id;
    }
    bool fresh;
    struct map_entry *m = map_put(&rt->names, &interned, sizeof(const char *), &fresh);
    if (fresh) {
        m->i = hist_str(rt->h, interned);
    }
    rt->last_topic = interned;
    rt->last_id = m->i;
    return m->i;
}

enum plan_codec rt_codec(const struct runtime *rt, const char *topic)
{
    const struct plan_topic *t = plan_topic(rt->s.plan, topic);
    return t ? t->value : PLAN_BYTES;
}

enum plan_codec rt_codec_of(struct runtime *rt, const char *interned)
{
    if (interned != rt->codec_topic) {
        rt->codec_topic = interned;
        rt->codec = rt_codec(rt, interned);
    }
    return rt->codec;
}

void rt_check_topic(lua_State *L, const struct runtime *rt, const char *what, const char *name)
{
    const struct plan_topics *topics = &rt->s.plan->topics;
    if (plan_topic(rt->s.plan, name)) {
        return;
    }
    lua_newtable(L);
    for (size_t i = 0; i < topics->n; i++) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, topics->items[i].name);
    }
    bind_push_hint(L, name, -1);
    luaL_error(L, "%s: %s topic `%s`%s", what,
               rt->prompt ? "there is no" : "the scenario declares no", name, lua_tostring(L, -1));
}

/* [-0, +0, e] one line of a `conf` table: name at -2, value at -1 */
static void conf_line(lua_State *L, struct conf *c)
{
    lua_pushvalue(L, -2);
    const char *name = lua_tostring(L, -1);
    const char *value = luaL_tolstring(L, -2, NULL);
    conf_set(c, name, value);
    lua_pop(L, 2);
}

void rt_conf(lua_State *L, struct runtime *rt, int idx, struct conf *c)
{
    for (size_t i = 0; i < rt->s.role->conf.n; i++) {
        conf_set(c, rt->s.role->conf.items[i].name, rt->s.role->conf.items[i].value);
    }
    if (lua_isnoneornil(L, idx) || lua_getfield(L, idx, "conf") != LUA_TTABLE) {
        return;
    }
    codec_unfreeze(L, -1);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        conf_line(L, c);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void rt_note_conf(struct runtime *rt, const struct conf *c, const char *name)
{
    const char *value = conf_get(c, name);
    if (value) {
        hist_add(rt->h, H_CONFIG, HP_FACT, 0, HS("client"), HS(name), HS(value));
    }
}

int rt_push_failure(lua_State *L, const struct err *e)
{
    lua_pushnil(L);
    host_push_err(L, e, e->kind == ERR_BROKER ? client_code_name(e->code) : NULL);
    return 2;
}

int rt_raise_setup(lua_State *L, struct runtime *rt, const struct err *e)
{
    rt->broken = true;
    host_push_err(L, e, e->kind == ERR_BROKER ? client_code_name(e->code) : NULL);
    return lua_error(L);
}

static int conf_gc(lua_State *L)
{
    conf_free(lua_touserdata(L, 1));
    return 0;
}

struct conf *rt_push_conf(lua_State *L)
{
    struct conf *c = lua_newuserdatauv(L, sizeof *c, 0);
    *c = (struct conf){0};
    if (luaL_newmetatable(L, "kaos.conf")) {
        lua_pushcfunction(L, conf_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return c;
}

void rt_check_fatal(struct runtime *rt, const struct err *e)
{
    if (e->fatal || (e->kind == ERR_BROKER && e->code == CLIENT_ERR_FENCED)) {
        rt->s.hooks->die(rt->s.arg, e, client_code_name(e->code));
    }
}

void rt_log_error(struct runtime *rt, const char *who, const struct err *e)
{
    log_debug("%s: %s", who, e->msg);
    (void)rt;
}

const char *runtime_where(const char *message)
{
    static char where[256];
    const char *colon = strchr(message, ':');
    where[0] = '\0';
    if (colon && colon[1] >= '0' && colon[1] <= '9') {
        size_t len = (size_t)(colon - message) + 1 + strspn(colon + 1, "0123456789");
        if (message[len] == ':' && len < sizeof where) {
            memcpy(where, message, len);
            where[len] = '\0';
        }
    }
    return where;
}

/* ---- start and end ---- */

static void finish(struct runtime *rt, const struct err *e, const char *trace)
{
    if (!rt->ended) {
        rt->ended = true;
        rt->s.on_end(rt->s.arg, e, trace);
    }
}

static void on_task_end(void *arg, struct task *t)
{
    struct runtime *rt = arg;
    struct err e = {0};
    if (task_state(t) == TASK_FAILED && task_unjoined(t)) {
        task_push_error(rt->L, t);
        host_to_err(rt->L, -1, &e);
        lua_pop(rt->L, 1);
        finish(rt, &e, task_trace(t));
    } else if (tasks_alive(rt->tasks) == 0) {
        finish(rt, &e, "");
    }
}

/* Runs protected: pushes nothing that outlives it but the classes. */
static int open_classes(lua_State *L)
{
    message_open(L);
    producer_open_class(L);
    tx_open(L);
    consumer_open_class(L);
    ctx_open(L);
    return 0;
}

static struct runtime *make(const struct runtime_setup *setup, lua_State *L)
{
    struct runtime *rt = xcalloc(1, sizeof *rt);
    *rt = (struct runtime){.s = *setup, .loop = setup->loop, .h = setup->hist, .L = L};
    host_set_user(rt->L, rt);
    rt->collects_always = getenv("KAOS_GC_STRESS") != NULL;
    return rt;
}

struct runtime *runtime_new_prompt(const struct runtime_setup *setup, lua_State *L, struct err *e)
{
    struct runtime *rt = make(setup, L);
    rt->tasks = tasks_of(L);
    rt->prompt = true;
    if (host_protect(rt->L, open_classes, NULL, e)) {
        runtime_free(rt);
        return NULL;
    }
    hist_add(rt->h, H_READY, HP_FACT, 0, HS(client_version()));
    return rt;
}

struct runtime *runtime_new(const struct runtime_setup *setup, struct err *e)
{
    struct runtime *rt = make(setup, load_state(setup->load));
    rt->tasks = tasks_new(rt->L, rt->loop);
    tasks_on_end(rt->tasks, on_task_end, rt);
    uint64_t seed = hash_mix(hash_str(setup->seed, setup->role->name), (uint64_t)setup->index);
    host_seed(rt->L, hash_mix(seed, (uint64_t)setup->incarnation));
    if (host_protect(rt->L, open_classes, NULL, e) ||
        load_push_role(setup->load, setup->scenario_index, setup->role->name, e)) {
        runtime_free(rt);
        return NULL;
    }
    return rt; /* the role function is on the stack */
}

static int start_main(lua_State *L)
{
    struct runtime *rt = lua_touserdata(L, 1);
    lua_pushvalue(L, 2);
    ctx_push(L, rt);
    task_spawn(L, 1);
    return 0;
}

void runtime_start(struct runtime *rt)
{
    struct err e;
    hist_add(rt->h, H_READY, HP_FACT, 0, HS(client_version()));
    lua_pushcfunction(rt->L, start_main);
    lua_insert(rt->L, -2);
    lua_pushlightuserdata(rt->L, rt);
    lua_insert(rt->L, -2);
    if (host_pcall(rt->L, 2, 0, &e)) {
        finish(rt, &e, host_trace(rt->L));
    }
}

void runtime_drain(struct runtime *rt)
{
    if (!rt->draining) {
        rt->draining = true;
        tasks_drain(rt->tasks);
    }
}

void runtime_stop(struct runtime *rt)
{
    rt->draining = rt->stopping = true;
    tasks_cancel(rt->tasks, false);
    for (struct lconsumer *c = rt->consumers; c; c = c->next) {
        consumer_on_stop(c);
    }
}

bool runtime_stopping(const struct runtime *rt)
{
    return rt->stopping;
}

bool runtime_broken(const struct runtime *rt)
{
    return rt->broken;
}

void runtime_freeze(struct runtime *rt)
{
    rt->ended = true;
    tasks_freeze(rt->tasks);
}

void runtime_cancel(struct runtime *rt)
{
    tasks_cancel(rt->tasks, true);
}

bool runtime_rejoin(struct runtime *rt, const char *group)
{
    bool any = false;
    for (struct lconsumer *c = rt->consumers; c; c = c->next) {
        struct err e;
        size_t len = c->group ? strlen(c->group) : 0;
        size_t cut = strlen(rt->s.suffix);
        bool same = c->group &&
                    (strcmp(c->group, group) == 0 || (len > cut && strlen(group) == len - cut &&
                                                      strncmp(c->group, group, len - cut) == 0));
        if (same && !c->closed) {
            any = true;
            if (consumer_rejoin(c->c, &e)) {
                rt_log_error(rt, c->name, &e);
            }
        }
    }
    return any;
}

/* ---- closing: producers first (their transactions hold consumers), then consumers ---- */

static void one_consumer_closed(void *arg)
{
    struct runtime *rt = arg;
    if (--rt->closing == 0) {
        rt->closed(rt->closed_arg);
    }
}

struct closing {
    struct runtime *rt;
    uint64_t bound_ms;
};

static void close_consumers(struct runtime *rt, uint64_t bound_ms)
{
    rt->closing = 1;
    for (struct lconsumer *c = rt->consumers; c; c = c->next) {
        rt->closing++;
        consumer_close_async(c, bound_ms, one_consumer_closed, rt);
    }
    one_consumer_closed(rt);
}

static void one_producer_closed(void *arg)
{
    struct closing *k = arg;
    if (--k->rt->closing == 0) {
        close_consumers(k->rt, k->bound_ms);
        free(k);
    }
}

void runtime_close(struct runtime *rt, uint64_t bound_ms, bool abandon, loop_fn done, void *arg)
{
    struct closing *k = xmalloc(sizeof *k);
    *k = (struct closing){rt, bound_ms};
    rt->closed = done;
    rt->closed_arg = arg;
    rt->closing = 1;
    for (struct lproducer *p = rt->producers; p; p = p->next) {
        rt->closing++;
        producer_close_async(p, bound_ms, abandon, one_producer_closed, k);
    }
    one_producer_closed(k);
}

void runtime_free(struct runtime *rt)
{
    if (!rt->prompt) {
        tasks_free(rt->tasks);
    }
    while (rt->producers) {
        struct lproducer *p = rt->producers;
        rt->producers = p->next;
        producer_free(p);
    }
    while (rt->consumers) {
        struct lconsumer *c = rt->consumers;
        rt->consumers = c->next;
        consumer_free(c);
    }
    map_free(&rt->names);
    buf_free(&rt->scratch);
    if (host_user(rt->L) == rt) {
        host_set_user(rt->L, NULL);
    }
    free(rt);
}
