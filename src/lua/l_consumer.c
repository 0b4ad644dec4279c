/* SPDX-License-Identifier: Apache-2.0 */
/* Consumers: opening, commits and positions, close. Iterators are in consumer_deliver.c, rebalances
 * in consumer_group.c. Commit, seek and committed run one at a time per consumer. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/bind.h"
#include "lua/codec.h"
#include "lua/host.h"
#include "lua/opts.h"
#include "lua/rt.h"

/* ---- opening ---- */

#define OPTIONS(_)                                                                                 \
    _("topics", OPT_STRINGS, "\"topic\" | { \"topic\", ... }", "What is read.", true)              \
    _("group", OPT_NAME_OR_TRUE, "string | false",                                                 \
      "The group; false: all partitions without a group. By default SCENARIO-ROLE if the role "    \
      "has several instances, else none.",                                                         \
      false)                                                                                       \
    _("isolation", OPT_STRING, "\"read_committed\" | \"read_uncommitted\"",                        \
      "Whether records of open and aborted transactions are seen; read_committed by default.",     \
      false)                                                                                       \
    _("conf", OPT_TABLE, "{ [property] = value }", "Properties of librdkafka, untouched.", false)  \
    _("on_assign", OPT_FUNCTION, "function(partitions)",                                           \
      "Called when partitions come, before records of them are delivered. May return where to "    \
      "start: a list of { topic, partition, position }, with positions as in consumer:seek.",      \
      false)                                                                                       \
    _("on_revoke", OPT_FUNCTION, "function(partitions)", "Called before partitions are given up.", \
      false)                                                                                       \
    _("on_lost", OPT_FUNCTION, "function(partitions)",                                             \
      "Called when partitions were lost: others may own them already.", false)                     \
    _("on_eof", OPT_FUNCTION, "function(topic, partition, offset)",                                \
      "Called when the broker has no more; what lies in front of that offset may still be on its " \
      "way to the loop.",                                                                          \
      false)                                                                                       \
    _("on_error", OPT_FUNCTION, "function(error)",                                                 \
      "Called with errors of the consumer that no call returns.", false)                           \
    _("rebalance", OPT_STRING, "\"none\"",                                                         \
      "A wrong application that has no rebalance callback: librdkafka assigns by itself.", false)
static const struct opt options[] = {
#define OPTION(name, type, shape, doc, required) {name, type, shape, doc, required},
    OPTIONS(OPTION)};

static void check_options(lua_State *L, int idx, const char *what)
{
    codec_unfreeze(L, idx);
    opts_check(L, idx, what, options, ARRAY_LEN(options));
    const char *isolation = opts_string(L, idx, "isolation", "read_committed");
    if (strcmp(isolation, "read_committed") != 0 && strcmp(isolation, "read_uncommitted") != 0) {
        luaL_error(L,
                   "%s: isolation must be \"read_committed\" or \"read_uncommitted\", not \"%s\"",
                   what, isolation);
    }
    if (opts_bool(L, idx, "group", false)) {
        luaL_error(L, "%s: group is a name, or false for no group, not true", what);
    }
    const char *rebalance = opts_string(L, idx, "rebalance", "none");
    if (strcmp(rebalance, "none") != 0) {
        luaL_error(L, "%s: rebalance must be \"none\", not \"%s\"", what, rebalance);
    }
}

struct opening {
    const char *group; /**< as given, or NULL */
    bool alone;        /**< no group at all */
    const char *const *topics;
    size_t ntopics;
    const struct conf *conf;
    bool no_callback, own_commits;
};

static char *group_name(const struct runtime *rt, const struct opening *o)
{
    if (o->group) {
        return xasprintf("%s%s", o->group, rt->s.suffix);
    }
    if (rt->s.role->count > 1 && !o->alone) {
        return xasprintf("%s-%s%s", rt->s.plan->name, rt->s.role->name, rt->s.suffix);
    }
    return NULL;
}

static bool is_true(const char *value)
{
    return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

/* Makes the C object; nothing in here raises. @return NULL with e */
static struct lconsumer *open_consumer(struct runtime *rt, const struct opening *o, struct err *e)
{
    struct lconsumer *c = xcalloc(1, sizeof *c);
    struct consumer_callbacks cb;
    const char *isolation = conf_get(o->conf, "isolation.level");
    int n = 1;
    for (const struct lconsumer *other = rt->consumers; other; other = other->next) {
        n++;
    }
    *c = (struct lconsumer){.rt = rt,
                            .read_committed =
                                !isolation || strcmp(isolation, "read_uncommitted") != 0,
                            .own_commits = o->own_commits,
                            .auto_commit = is_true(conf_get(o->conf, "enable.auto.commit")),
                            .pack_ref = LUA_NOREF,
                            .on_assign = LUA_NOREF,
                            .on_revoke = LUA_NOREF,
                            .on_lost = LUA_NOREF,
                            .on_eof = LUA_NOREF,
                            .on_error = LUA_NOREF};
    c->name = n == 1 ? xasprintf("%s-%d", rt->s.role->name, rt->s.index)
                     : xasprintf("%s-%d.%d", rt->s.role->name, rt->s.index, n);
    c->group = group_name(rt, o);
    c->own_commits = o->own_commits && c->group && !c->auto_commit;
    consumer_callbacks_init(&cb, c);
    const struct consumer_setup setup = {.bootstrap = rt->s.bootstrap,
                                         .client_id = c->name,
                                         .group = c->group,
                                         .topics = o->topics,
                                         .ntopics = o->ntopics,
                                         .conf = o->conf,
                                         .no_rebalance_callback = o->no_callback};
    c->c = consumer_open(rt->loop, &setup, &cb, e);
    if (!c->c) {
        consumer_free(c);
        return NULL;
    }
    c->name_id = hist_str(rt->h, c->name);
    c->group_id = c->group ? hist_str(rt->h, c->group) : 0;
    c->next = rt->consumers;
    rt->consumers = c;
    rt->abilities |= ABLE_CONSUME;
    rt->abilities |= c->group && !c->auto_commit ? ABLE_COMMIT : 0u;
    rt->abilities |= c->group && !o->no_callback ? ABLE_JOIN : 0u;
    return c;
}

/* [-0, +1, m] a userdata with the names, which stay anchored in the option table at idx */
static const char **push_topics(lua_State *L, int idx, size_t *n)
{
    bool list = lua_getfield(L, idx, "topics") == LUA_TTABLE;
    *n = list ? (size_t)luaL_len(L, -1) : 1;
    const char **names = lua_newuserdatauv(L, *n * sizeof *names, 0);
    for (size_t i = 0; i < *n; i++) {
        if (list) {
            lua_geti(L, -2, (lua_Integer)i + 1);
            names[i] = lua_tostring(L, -1);
            lua_pop(L, 1);
        } else {
            names[i] = lua_tostring(L, -2);
        }
    }
    lua_remove(L, -2);
    return names;
}

static int callback_ref(lua_State *L, int idx, const char *name)
{
    if (lua_getfield(L, idx, name) != LUA_TFUNCTION) {
        lua_pop(L, 1);
        return LUA_NOREF;
    }
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

int consumer_push_new(lua_State *L, struct runtime *rt, int idx, const char *what)
{
    struct err e;
    size_t ntopics;
    check_options(L, idx, what);
    const char *group = opts_string(L, idx, "group", NULL);
    const char **topics = push_topics(L, idx, &ntopics);
    for (size_t i = 0; i < ntopics; i++) {
        if (topics[i][0] != '^') { /* a pattern */
            rt_check_topic(L, rt, what, topics[i]);
        }
    }
    struct conf *conf = rt_push_conf(L);
    rt_conf(L, rt, idx, conf);
    if (opts_has(L, idx, "isolation")) {
        conf_set(conf, "isolation.level", opts_string(L, idx, "isolation", NULL));
    }
    if (opts_has(L, idx, "on_eof")) {
        conf_set(conf, "enable.partition.eof", "true");
    }
    struct lconsumer **box = lua_newuserdatauv(L, sizeof(struct lconsumer *), 0);
    const struct opening o = {.group = group,
                              .alone = !group && opts_has(L, idx, "group"),
                              .topics = topics,
                              .ntopics = ntopics,
                              .conf = conf,
                              .no_callback = opts_has(L, idx, "rebalance"),
                              .own_commits = group == NULL};
    struct lconsumer *c = open_consumer(rt, &o, &e);
    if (!c) {
        return rt_raise_setup(L, rt, &e);
    }
    rt_note_conf(rt, conf, "auto.offset.reset");
    *box = c;
    luaL_setmetatable(L, CONSUMER_TYPE);
    c->on_assign = callback_ref(L, idx, "on_assign");
    c->on_revoke = callback_ref(L, idx, "on_revoke");
    c->on_lost = callback_ref(L, idx, "on_lost");
    c->on_eof = callback_ref(L, idx, "on_eof");
    c->on_error = callback_ref(L, idx, "on_error");
    return 1;
}

struct lconsumer *consumer_check(lua_State *L, int idx)
{
    struct lconsumer *c = *(struct lconsumer **)luaL_checkudata(L, idx, CONSUMER_TYPE);
    if (c->closed) {
        luaL_error(L, "consumer is closed");
    }
    return c;
}

/* ---- commits ---- */

void consumer_point(struct lconsumer *c, enum plan_point p)
{
    if (c->rt->s.switches->armed) {
        c->rt->s.hooks->point(c->rt->s.arg, p,
                              &(struct runtime_at){.consumer = c, .producer = "", .txn = -1});
    }
}

void consumer_record_commit(struct lconsumer *c, const struct client_partitions *ps)
{
    c->commit_op = hist_op(c->rt->h);
    for (size_t i = 0; i < ps->n; i++) {
        hist_add(c->rt->h, H_COMMIT, HP_INVOKE, c->commit_op, HS(c->name),
                 HS(c->group ? c->group : ""), HS(ps->items[i].topic), HI(ps->items[i].partition),
                 HI(ps->items[i].offset), HS(""));
    }
}

/* A commit that failed for want of an answer may have been applied. */
static enum hist_phase outcome(const struct err *e)
{
    if (e->kind == ERR_NONE) {
        return HP_OK;
    }
    return e->code < 0 || e->code == 7 ? HP_UNKNOWN : HP_FAIL;
}

void consumer_record_committed(struct lconsumer *c, const struct err *e)
{
    hist_add(c->rt->h, H_COMMIT, outcome(e), c->commit_op, HS(c->name),
             HS(c->group ? c->group : ""), HS(""), HI(-1), HI(-1),
             HS(e->kind == ERR_NONE ? "" : client_code_name(e->code)));
}

static struct lconsumer *begin_call(lua_State *L)
{
    struct lconsumer *c = consumer_check(L, 1);
    task_check(L);
    if (c->calling || c->call.task) {
        luaL_error(L, "another call on this consumer is still running");
    }
    return c;
}

static int push_called(lua_State *L, struct wait *w)
{
    struct lconsumer *c = w->arg;
    if (c->e.kind != ERR_NONE) {
        return rt_push_failure(L, &c->e);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int wait_call(lua_State *L, struct lconsumer *c, wait_push_fn push)
{
    c->call = (struct wait){.push = push, .arg = c};
    c->calling = true;
    return task_wait(L, &c->call);
}

static void called(void *arg, const struct client_partitions *ps, const struct err *e)
{
    struct lconsumer *c = arg;
    rt_check_fatal(c->rt, e);
    client_partitions_free(&c->result);
    c->result = client_partitions_copy(ps);
    c->e = *e;
    for (size_t i = 0; i < ps->n && c->e.kind == ERR_NONE; i++) {
        if (ps->items[i].code) {
            err_set(&c->e, ERR_BROKER, ps->items[i].code, "%s[%d]: %s", ps->items[i].topic,
                    (int)ps->items[i].partition, client_code_text(ps->items[i].code));
        }
    }
    c->calling = false;
    task_wake(&c->call);
}

static void committed(void *arg, const struct client_partitions *ps, const struct err *e)
{
    struct lconsumer *c = arg;
    called(c, ps, e);
    consumer_record_committed(c, &c->e);
    if (c->e.kind == ERR_NONE) {
        consumer_point(c, POINT_AFTER_COMMIT);
    }
    rt_step(c->rt);
}

/* The list of { topic, partition, offset } at idx; its names are interned. */
static void given_offsets(lua_State *L, int idx, struct client_partitions *out)
{
    lua_Integer n = luaL_len(L, idx);
    for (lua_Integer i = 1; i <= n; i++) {
        bool ok = lua_geti(L, idx, i) == LUA_TTABLE && lua_geti(L, -1, 1) == LUA_TSTRING &&
                  lua_geti(L, -2, 2) == LUA_TNUMBER && lua_geti(L, -3, 3) == LUA_TNUMBER;
        if (!ok) {
            client_partitions_free(out);
            luaL_error(L, "commit: offsets is a list of { topic, partition, offset }");
        }
        client_partitions_add(out, client_intern(lua_tostring(L, -3)),
                              (int32_t)lua_tointeger(L, -2), lua_tointeger(L, -1));
        lua_pop(L, 4);
    }
}

static int l_commit(lua_State *L)
{
    struct lconsumer *c = begin_call(L);
    struct client_partitions ps = {0};
    lua_settop(L, 2);
    if (!c->group) {
        return luaL_error(L, "commit: this consumer has no group to commit for");
    }
    if (lua_isnil(L, 2)) {
        consumer_handed_offsets(c, &ps);
    } else {
        luaL_checktype(L, 2, LUA_TTABLE);
        luaL_checkstack(L, 8, "commit");
        given_offsets(L, 2, &ps);
    }
    if (ps.n == 0) {
        lua_pushboolean(L, 1);
        return 1;
    }
    consumer_settle(c, false);
    consumer_point(c, POINT_BEFORE_COMMIT);
    consumer_record_commit(c, &ps);
    consumer_commit(c->c, &ps, committed, c);
    client_partitions_free(&ps);
    return wait_call(L, c, push_called);
}

/* ---- positions ---- */

static void one_partition(lua_State *L, int64_t offset, struct client_partitions *ps)
{
    const char *topic = luaL_checkstring(L, 2);
    lua_Integer partition = luaL_checkinteger(L, 3);
    luaL_argcheck(L, partition >= 0 && partition <= INT32_MAX, 3, "not a partition");
    client_partitions_add(ps, client_intern(topic), (int32_t)partition, offset);
}

static int l_seek(lua_State *L)
{
    struct lconsumer *c = begin_call(L);
    struct client_partitions ps = {0};
    rt_step(c->rt);
    int64_t to = 0;
    luaL_argcheck(L, consumer_to_position(L, 4, &to), 4,
                  "write an offset, \"beginning\", \"end\" or \"committed\"");
    one_partition(L, to, &ps);
    consumer_seek(c->c, &ps, called, c);
    client_partitions_free(&ps);
    return wait_call(L, c, push_called);
}

static int push_committed(lua_State *L, struct wait *w)
{
    struct lconsumer *c = w->arg;
    if (c->e.kind != ERR_NONE) {
        return rt_push_failure(L, &c->e);
    }
    if (c->result.n == 1 && c->result.items[0].offset >= 0) {
        lua_pushinteger(L, c->result.items[0].offset);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static int l_committed(lua_State *L)
{
    struct lconsumer *c = begin_call(L);
    struct client_partitions ps = {0};
    rt_step(c->rt);
    one_partition(L, CLIENT_NO_OFFSET, &ps);
    consumer_committed(c->c, &ps, called, c);
    client_partitions_free(&ps);
    return wait_call(L, c, push_committed);
}

static int l_offset_at(lua_State *L)
{
    struct lconsumer *c = begin_call(L);
    struct client_partitions ps = {0};
    rt_step(c->rt);
    one_partition(L, luaL_checkinteger(L, 4), &ps);
    consumer_at_time(c->c, &ps, called, c);
    client_partitions_free(&ps);
    return wait_call(L, c, push_committed);
}

static int l_position(lua_State *L)
{
    struct lconsumer *c = consumer_check(L, 1);
    const char *topic = luaL_checkstring(L, 2);
    lua_Integer partition = luaL_checkinteger(L, 3);
    int64_t at = consumer_position(c->c, client_intern(topic), (int32_t)partition);
    int64_t taken = consumer_first_taken(c, topic, (int32_t)partition);
    at = taken >= 0 ? taken : at;
    if (at >= 0) {
        lua_pushinteger(L, at);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static int flow(lua_State *L, bool pause)
{
    struct lconsumer *c = consumer_check(L, 1);
    struct client_partitions ps = {0};
    struct err e = {0};
    rt_step(c->rt);
    if (lua_isnoneornil(L, 2)) {
        ps = client_partitions_copy(consumer_assignment(c->c));
    } else {
        one_partition(L, 0, &ps);
    }
    int rc = pause ? consumer_pause(c->c, &ps, &e) : consumer_resume(c->c, &ps, &e);
    for (size_t i = 0; rc == 0 && i < ps.n; i++) {
        hist_add(c->rt->h, H_FLOW, HP_FACT, 0, HS(c->name), HS(ps.items[i].topic),
                 HI(ps.items[i].partition), HI(pause));
    }
    if (rc == 0 && pause) {
        consumer_hold_taken(c, &ps);
    } else if (rc == 0) {
        consumer_unhold_taken(L, c, &ps);
    }
    client_partitions_free(&ps);
    if (rc) {
        return rt_push_failure(L, &e);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int l_pause(lua_State *L)
{
    return flow(L, true);
}

static int l_resume(lua_State *L)
{
    return flow(L, false);
}

static void on_closed(void *arg)
{
    task_wake(arg);
}

static int l_close(lua_State *L)
{
    enum { BOUND_MS = 10000 };
    struct lconsumer *c = *(struct lconsumer **)luaL_checkudata(L, 1, CONSUMER_TYPE);
    if (c->closed) {
        return 0;
    }
    for (struct lproducer *p = c->rt->producers; p; p = p->next) {
        if (p->consumer == c && p->open_txn) {
            return luaL_error(L, "close: transaction %I of %s with this consumer is still open",
                              (LUAI_UACINT)p->open_txn, p->name);
        }
    }
    task_check(L);
    struct wait *w = lua_newuserdatauv(L, sizeof *w, 0);
    *w = (struct wait){0};
    consumer_close_async(c, BOUND_MS, on_closed, w);
    return task_wait(L, w);
}

static int l_tostring(lua_State *L)
{
    struct lconsumer *c = *(struct lconsumer **)luaL_checkudata(L, 1, CONSUMER_TYPE);
    lua_pushfstring(L, "consumer %s%s", c->name, c->closed ? " (closed)" : "");
    return 1;
}

#define ROWS(_)                                                                                    \
    _("messages", consumer_l_messages, "() -> iterator",                                           \
      "Iterates over records one by one; ends when the run has drained.")                          \
    _("batches", consumer_l_batches, "({ options }) -> iterator",                                  \
      "Iterates over lists of records; ends when the run has drained.")                            \
    _("commit", l_commit, "({ { topic, partition, offset }, ... } | nil) -> true | nil, err",      \
      "Commits the offsets behind what was handed out, or the given ones.")                        \
    _("seek", l_seek,                                                                              \
      "(topic, partition, offset | \"beginning\" | \"end\" | \"committed\") -> true | nil, err",   \
      "Sets the position of a partition.")                                                         \
    _("pause", l_pause, "(topic, partition | nothing for all) -> true | nil, err",                 \
      "Stops the delivery of a partition.")                                                        \
    _("resume", l_resume, "(topic, partition | nothing for all) -> true | nil, err",               \
      "Continues the delivery of a partition.")                                                    \
    _("position", l_position, "(topic, partition) -> offset | nil",                                \
      "Gives the offset of the next record that will be handed out, once one was.")                \
    _("offset_at", l_offset_at, "(topic, partition, milliseconds) -> offset | nil, err",           \
      "Finds the first record with this timestamp or a later one; nil if there is none.")          \
    _("committed", l_committed, "(topic, partition) -> offset | nil, err",                         \
      "Reads the committed offset of the group; nil if there is none.")                            \
    _("close", l_close, "() -> nil", "Leaves the group and closes the consumer.")
static const luaL_Reg methods[] = {ROWS(BIND_REG){NULL, NULL}};
#define ROW(...)                                     BIND_ROW("consumer", __VA_ARGS__)
#define OPTION_ROW(name, type, shape, doc, required) {"ctx.consumer", name, shape, doc},
const struct api_row consumer_rows[] = {ROWS(ROW) OPTIONS(OPTION_ROW){NULL, NULL, NULL, NULL}};

void consumer_open_class(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__close", l_close}, {"__tostring", l_tostring}, {NULL, NULL}};
    bind_class(L, CONSUMER_TYPE, methods, meta);
}

/* ---- closing ---- */

static void on_client_closed(void *arg)
{
    struct lconsumer *c = arg;
    loop_fn done = c->done;
    c->done = NULL;
    if (done) {
        done(c->done_arg);
    }
}

void consumer_close_async(struct lconsumer *c, uint64_t bound_ms, loop_fn done, void *arg)
{
    c->done = done;
    c->done_arg = arg;
    if (c->closed) {
        loop_defer(c->rt->loop, on_client_closed, c);
        return;
    }
    struct consumer *client = c->c;
    consumer_close(client, bound_ms, on_client_closed, c);
    c->closed = true;
    c->c = NULL;
    task_wake(&c->reader);
    if (c->calling) {
        err_set(&c->e, ERR_USAGE, 0, "the consumer was closed");
        c->calling = false;
        task_wake(&c->call);
    }
}

void consumer_free(struct lconsumer *c)
{
    consumer_settle(c, true);
    consumer_free_rebalance(c);
    free(c->held.items);
    client_partitions_free(&c->result);
    free(c->handed);
    free(c->name);
    free(c->group);
    free(c);
}
