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

static void free_rebalance(struct rebalance *r)
{
    client_partitions_free(&r->partitions);
    free(r->member);
    free(r->protocol);
    free(r);
}

static void answer(struct lconsumer *c)
{
    struct rebalance *r = c->rebalance;
    c->rebalance = NULL;
    record(r);
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

/* Runs in a task: function, list, consumer. */
static int callback_done(lua_State *L, int status, lua_KContext k)
{
    struct lconsumer *c = (struct lconsumer *)k;
    if (c->rebalance && !c->closed) {
        answer_when_committed(c);
    }
    return 0;
}

static int run_callback(lua_State *L)
{
    struct lconsumer *c = lua_touserdata(L, 3);
    lua_settop(L, 2);
    lua_callk(L, 1, 0, (lua_KContext)c, callback_done);
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
                                      [CONSUMER_SEEK_RESET] = "reset"};
    struct lconsumer *c = arg;
    struct client_partition one = {.topic = s->topic, .partition = s->partition};
    consumer_drop_taken(c, &(struct client_partitions){&one, 1, 1});
    if (s->code == 0) {
        hist_add(c->rt->h, H_SEEK, HP_FACT, 0, HS(c->name), HS(s->topic), HI(s->partition),
                 HI(s->from), HI(s->to), HS(why[s->why]));
    }
}

static void on_error(void *arg, const struct err *e)
{
    struct lconsumer *c = arg;
    rt_check_fatal(c->rt, e);
    rt_log_error(c->rt, c->name, e);
}

void consumer_callbacks_init(struct consumer_callbacks *cb, struct lconsumer *c)
{
    *cb = (struct consumer_callbacks){.arg = c,
                                      .on_ready = consumer_on_ready,
                                      .on_assign = on_assign,
                                      .on_revoke = on_revoke,
                                      .on_lost = on_lost,
                                      .on_seek = on_seek,
                                      .on_error = on_error};
}

void consumer_free_rebalance(struct lconsumer *c)
{
    if (c->rebalance) {
        free_rebalance(c->rebalance);
        c->rebalance = NULL;
    }
}
