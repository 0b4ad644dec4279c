/* SPDX-License-Identifier: Apache-2.0 */
/* Rebalances of a consumer as Lua and the history see them. The client calls when partitions come
 * or go and waits for the answer; in between the author's callback runs as a task of its own, crash
 * points fire, and a default consumer commits what its loop body has finished. The events are
 * written when the answer is given. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/host.h"
#include "lua/rt.h"

struct rebalance {
    struct lconsumer *c;
    struct client_partitions partitions;
    struct client_partitions starts; /**< positions that on_assign returned */
    bool assign, lost;
    char *member, *protocol;
    int32_t generation;
    uint64_t assignment;
};

static void record_one(const struct rebalance *r, const char *topic, int32_t partition)
{
    struct lconsumer *c = r->c;
    const char *group = c->group ? c->group : "";
    if (r->assign) {
        hist_add(c->rt->h, H_ASSIGN, HP_FACT, 0, HS(c->name), HS(group), HS(topic), HI(partition),
                 HI(r->assignment), HS(r->protocol), HI(-1), HS(r->member), HI(r->generation));
    } else {
        hist_add(c->rt->h, H_REVOKE, HP_FACT, 0, HS(c->name), HS(group), HS(topic), HI(partition),
                 HI(r->assignment), HI(r->lost));
    }
}

static void record(const struct rebalance *r)
{
    for (size_t i = 0; i < r->partitions.n; i++) {
        record_one(r, r->partitions.items[i].topic, r->partitions.items[i].partition);
    }
    if (r->partitions.n == 0) {
        record_one(r, "", -1);
    }
}

/* Where the author lets partitions start is a seek of his. */
static void record_starts(const struct rebalance *r)
{
    for (size_t i = 0; i < r->starts.n; i++) {
        const struct client_partition *p = &r->starts.items[i];
        hist_add(r->c->rt->h, H_SEEK, HP_FACT, 0, HS(r->c->name), HS(p->topic), HI(p->partition),
                 HI(-1), HI(p->offset), HS("role"));
    }
}

static void free_rebalance(struct rebalance *r)
{
    client_partitions_free(&r->partitions);
    client_partitions_free(&r->starts);
    free(r->member);
    free(r->protocol);
    free(r);
}

static void answer(struct lconsumer *c)
{
    struct rebalance *r = c->rebalance;
    c->rebalance = NULL;
    record(r);
    record_starts(r);
    consumer_start_at(c->c, &r->starts);
    free_rebalance(r);
    consumer_answer(c->c);
}

/* A commit that the answer may have waited for has ended. */
void consumer_answered(struct lconsumer *c)
{
    if (c->rebalance && c->rebalance_ready && !c->closed) {
        c->rebalance_ready = false;
        answer(c);
    }
}

/* While the iterator waits, everything handed out is finished: commit it while it is still ours. */
static void answer_when_committed(struct lconsumer *c)
{
    struct rebalance *r = c->rebalance;
    bool busy = c->committing;
    if (!r->assign && !r->lost && c->own_commits && c->reading) {
        busy |= consumer_commit_own(c);
    }
    if (busy && !r->assign && !r->lost) {
        c->rebalance_ready = true;
    } else {
        answer(c);
    }
}

bool consumer_to_position(lua_State *L, int idx, int64_t *out)
{
    static const char *const names[] = {"beginning", "end", "committed"};
    static const int64_t offsets[] = {CLIENT_BEGINNING, CLIENT_END, CLIENT_STORED};
    for (size_t i = 0; i < ARRAY_LEN(names) && lua_type(L, idx) == LUA_TSTRING; i++) {
        if (strcmp(lua_tostring(L, idx), names[i]) == 0) {
            *out = offsets[i];
            return true;
        }
    }
    int is = 0;
    *out = lua_tointegerx(L, idx, &is);
    return is && *out >= 0;
}

/* The list of { topic, partition, position } at idx, of partitions that are being assigned. */
static void read_starts(lua_State *L, int idx, struct rebalance *r)
{
    lua_Integer n = luaL_len(L, idx);
    luaL_checkstack(L, 8, "on_assign");
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_geti(L, idx, i) != LUA_TTABLE || lua_geti(L, -1, 1) != LUA_TSTRING ||
            lua_geti(L, -2, 2) != LUA_TNUMBER) {
            luaL_error(L, "on_assign: it returns a list of { topic, partition, position }");
        }
        lua_geti(L, -3, 3);
        const char *topic = client_intern(lua_tostring(L, -3));
        int32_t partition = (int32_t)lua_tointeger(L, -2);
        int64_t to;
        if (!consumer_to_position(L, -1, &to)) {
            luaL_error(L,
                       "on_assign: %s is no position; write an offset, \"beginning\", \"end\" or "
                       "\"committed\"",
                       luaL_tolstring(L, -1, NULL));
        }
        if (!client_partitions_find(&r->partitions, topic, partition)) {
            luaL_error(L, "on_assign: %s[%d] is not being assigned, so it can not start anywhere",
                       topic, (int)partition);
        }
        client_partitions_add(&r->starts, topic, partition, to);
        lua_pop(L, 4);
    }
}

/* Runs in a task: function, list, consumer; what the function returned is on top. */
static int callback_done(lua_State *L, int status, lua_KContext k)
{
    struct lconsumer *c = (struct lconsumer *)k;
    if (c->rebalance && !c->closed) {
        if (c->rebalance->assign && lua_istable(L, -1)) {
            read_starts(L, lua_gettop(L), c->rebalance);
        }
        answer_when_committed(c);
    }
    return 0;
}

static int run_callback(lua_State *L)
{
    struct lconsumer *c = lua_touserdata(L, 3);
    lua_settop(L, 2);
    lua_callk(L, 1, 1, (lua_KContext)c, callback_done);
    return callback_done(L, LUA_OK, (lua_KContext)c);
}

static int spawn_callback(lua_State *L)
{
    struct lconsumer *c = lua_touserdata(L, 1);
    const struct rebalance *r = c->rebalance;
    lua_pushcfunction(L, run_callback);
    lua_rawgeti(L, LUA_REGISTRYINDEX,
                r->assign ? c->on_assign
                : r->lost ? c->on_lost
                          : c->on_revoke);
    lua_createtable(L, (int)r->partitions.n, 0);
    for (size_t i = 0; i < r->partitions.n; i++) {
        lua_createtable(L, 2, 0);
        lua_pushstring(L, r->partitions.items[i].topic);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, r->partitions.items[i].partition);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushlightuserdata(L, c);
    task_set_endless(task_spawn(L, 3));
    return 0;
}

static struct rebalance *note(struct lconsumer *c, const struct consumer_rebalance *from,
                              bool assign, bool lost)
{
    struct rebalance *r = xmalloc(sizeof *r);
    *r = (struct rebalance){.c = c,
                            .partitions = client_partitions_copy(from->partitions),
                            .assign = assign,
                            .lost = lost,
                            .member = xstrdup(from->member),
                            .protocol = xstrdup(from->protocol),
                            .generation = from->generation,
                            .assignment = from->assignment};
    return r;
}

static void on_rebalance(struct lconsumer *c, const struct consumer_rebalance *from, bool assign,
                         bool lost)
{
    struct err e;
    int fn = assign ? c->on_assign : lost ? c->on_lost : c->on_revoke;
    struct rebalance *r = note(c, from, assign, lost);
    if (!assign) {
        consumer_drop_taken(c, &r->partitions);
    }
    if (from->closing) {
        record(r);
        free_rebalance(r);
        return;
    }
    c->rebalance = r;
    c->rebalance_ready = false;
    consumer_point(c, assign ? POINT_IN_ON_ASSIGN : POINT_IN_ON_REVOKE);
    if (fn == LUA_NOREF || c->rt->ended || host_protect(c->rt->L, spawn_callback, c, &e)) {
        answer_when_committed(c);
    }
}

static void on_assign(void *arg, const struct consumer_rebalance *r)
{
    on_rebalance(arg, r, true, false);
}

static void on_revoke(void *arg, const struct consumer_rebalance *r)
{
    on_rebalance(arg, r, false, false);
}

static void on_lost(void *arg, const struct consumer_rebalance *r)
{
    on_rebalance(arg, r, false, true);
}

static void on_seek(void *arg, const struct consumer_seek *s)
{
    static const char *const why[] = {[CONSUMER_SEEK_ROLE] = "role",
                                      [CONSUMER_SEEK_REWIND] = "rewind",
                                      [CONSUMER_SEEK_RESET] = "reset",
                                      [CONSUMER_SEEK_START] = "start"};
    struct lconsumer *c = arg;
    struct client_partition one = {.topic = s->topic, .partition = s->partition};
    consumer_drop_taken(c, &(struct client_partitions){&one, 1, 1});
    if (s->code == 0) {
        hist_add(c->rt->h, H_SEEK, HP_FACT, 0, HS(c->name), HS(s->topic), HI(s->partition),
                 HI(s->from), HI(s->to), HS(why[s->why]));
    }
}

/* ---- news that are no rebalance ---- */

struct news { /**< for a callback of the author's, as the argument of a protected call */
    int fn;
    const struct err *e; /**< on_error */
    const char *topic;   /**< on_eof */
    int32_t partition;
    int64_t offset;
};

static int spawn_news(lua_State *L)
{
    const struct news *n = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, n->fn);
    if (n->e) {
        host_push_err(L, n->e, n->e->kind == ERR_BROKER ? client_code_name(n->e->code) : NULL);
        task_set_endless(task_spawn(L, 1));
        return 0;
    }
    lua_pushstring(L, n->topic);
    lua_pushinteger(L, n->partition);
    lua_pushinteger(L, n->offset);
    task_set_endless(task_spawn(L, 3));
    return 0;
}

static void tell(struct lconsumer *c, const struct news *n)
{
    struct err e;
    if (n->fn != LUA_NOREF && !c->rt->ended && host_protect(c->rt->L, spawn_news, (void *)n, &e)) {
        rt_log_error(c->rt, c->name, &e);
    }
}

static void on_end(void *arg, const char *topic, int32_t partition, int64_t offset)
{
    struct lconsumer *c = arg;
    tell(c,
         &(struct news){.fn = c->on_eof, .topic = topic, .partition = partition, .offset = offset});
}

static void on_error(void *arg, const struct err *e)
{
    struct lconsumer *c = arg;
    rt_check_fatal(c->rt, e);
    rt_log_error(c->rt, c->name, e);
    tell(c, &(struct news){.fn = c->on_error, .e = e});
}

void consumer_callbacks_init(struct consumer_callbacks *cb, struct lconsumer *c)
{
    *cb = (struct consumer_callbacks){.arg = c,
                                      .on_ready = consumer_on_ready,
                                      .on_assign = on_assign,
                                      .on_revoke = on_revoke,
                                      .on_lost = on_lost,
                                      .on_seek = on_seek,
                                      .on_error = on_error,
                                      .on_end = on_end};
}

void consumer_free_rebalance(struct lconsumer *c)
{
    if (c->rebalance) {
        free_rebalance(c->rebalance);
        c->rebalance = NULL;
    }
}
