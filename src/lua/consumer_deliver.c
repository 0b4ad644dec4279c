/* SPDX-License-Identifier: Apache-2.0 */
/* From the client's buffer into the loop body: iterators over records and batches, what counts as
 * handed out, and the commits of a default consumer after its loop body.
 *
 * Records are taken in packs. What a pack holds and was not handed out is dropped when its
 * partition is taken away or its position is set, so that nothing stale reaches the role. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "lua/bind.h"
#include "lua/codec.h"
#include "lua/host.h"
#include "lua/opts.h"
#include "lua/rt.h"

enum {
    PACK = 128,
    TURN_EVERY = 8, /* packs after which the loop gets a turn */
    BATCH_MAX = 10000,
    BATCH_PRESET = 100,
    COMMIT_MS = 100, /* how often a default consumer commits while records flow */
    TOLD_PART = 4,   /* one byte of so many counts as one of Lua */
    UNTOLD_MAX = 64 << 10,
    SMALL_HEAP_KB = 4 << 10,
    PAUSE_SMALL = 600, /* percent that the heap has grown to when the next cycle begins */
    PAUSE_LARGE = 200,
};

/* ---- handed out ---- */

static void note_handed(struct lconsumer *c, struct message *m)
{
    struct handed *h = NULL;
    for (size_t i = 0; i < c->nhanded && !h; i++) {
        struct message *last = c->handed[i].last;
        if (last->partition == m->partition && last->topic == m->topic) {
            h = &c->handed[i];
        }
    }
    if (!h) {
        if (c->nhanded == c->cap_handed) {
            c->cap_handed = c->cap_handed ? 2 * c->cap_handed : 8;
            c->handed = xrealloc(c->handed, c->cap_handed * sizeof *c->handed);
        }
        h = &c->handed[c->nhanded++];
        *h = (struct handed){m, m};
        message_hold(m);
        message_hold(m);
        return;
    }
    message_release(h->last);
    message_hold(m);
    h->last = m;
}

static void hand_out(struct lconsumer *c, struct message *m, bool first)
{
    struct runtime *rt = c->rt;
    hist_deliver(rt->h, &(struct hist_deliver){.consumer = c->name_id,
                                               .group = c->group_id,
                                               .topic = rt_topic_id(rt, m->topic),
                                               .partition = m->partition,
                                               .offset = m->offset,
                                               .assignment = (int64_t)m->assignment,
                                               .read_committed = c->read_committed});
    if (c->group) {
        note_handed(c, m);
    }
    if (rt->s.switches->draws) {
        struct runtime_record r = {.consumer = c,
                                   .group = c->group ? c->group : "",
                                   .topic = m->topic,
                                   .partition = m->partition,
                                   .offset = m->offset,
                                   .first = first};
        if (c->txn_draw) {
            c->txn_draw = false;
            rt->s.hooks->begin(rt->s.arg, &r, rt->abilities);
        }
        rt->s.hooks->record(rt->s.arg, &r, rt->abilities);
    }
}

void consumer_handed_offsets(const struct lconsumer *c, struct client_partitions *out)
{
    for (size_t i = 0; i < c->nhanded; i++) {
        const struct message *m = c->handed[i].last;
        client_partitions_add(out, m->topic, m->partition, m->offset + 1);
    }
}

void consumer_settle(struct lconsumer *c, bool buffer)
{
    for (size_t i = 0; i < c->nhanded; i++) {
        message_release(c->handed[i].first);
        message_release(c->handed[i].last);
    }
    c->nhanded = 0;
    if (buffer) {
        consumer_drop_taken(c, NULL);
    }
}

/* ---- commits of a default consumer ---- */

static void own_committed(void *arg, const struct client_partitions *ps, const struct err *e)
{
    struct lconsumer *c = arg;
    c->committing = false;
    consumer_record_committed(c, e);
    if (e->kind == ERR_NONE) {
        consumer_point(c, POINT_AFTER_COMMIT);
    } else {
        rt_check_fatal(c->rt, e);
    }
    consumer_answered(c);
    task_wake(&c->reader);
}

bool consumer_commit_own(struct lconsumer *c)
{
    struct client_partitions ps = {0};
    if (!c->own_commits || c->committing || c->nhanded == 0 || c->closed) {
        return false;
    }
    consumer_handed_offsets(c, &ps);
    consumer_settle(c, false);
    consumer_point(c, POINT_BEFORE_COMMIT);
    c->committing = true;
    c->commit_due = clock_mono_ns() + (uint64_t)COMMIT_MS * 1000000;
    consumer_record_commit(c, &ps);
    consumer_commit(c->c, &ps, own_committed, c);
    client_partitions_free(&ps);
    return true;
}

/* ---- packs ---- */

static void drop_pack(lua_State *L, struct lconsumer *c)
{
    luaL_unref(L, LUA_REGISTRYINDEX, c->pack_ref);
    c->pack_ref = LUA_NOREF;
    c->pack = NULL;
}

/* The collector sees the small messages, not the records behind them: it is told of a part of them,
 * so that what nobody reads any more is bounded however large it is. And while the heap is small,
 * marking it again and again would cost more than the garbage. Raises what a finalizer raises.
 * [-0, +0, e] */
static void tell_collector(lua_State *L, struct lconsumer *c, struct message **items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        c->untold += items[i]->key_len + items[i]->value_len;
    }
    if (c->untold < UNTOLD_MAX || c->rt->collects_always || !lua_gc(L, LUA_GCISRUNNING)) {
        return;
    }
    size_t told = c->untold / 1024 / TOLD_PART;
    c->untold = 0;
    bool small = lua_gc(L, LUA_GCCOUNT) < SMALL_HEAP_KB;
    lua_gc(L, LUA_GCINC, small ? PAUSE_SMALL : PAUSE_LARGE, 0, 0);
    lua_gc(L, LUA_GCSTEP, told < INT_MAX ? (int)told : INT_MAX);
}

/* Takes up to max records into the consumer's pack. [-0, +0, m] */
static size_t refill(lua_State *L, struct lconsumer *c, size_t max)
{
    struct pack *p = message_push_pack(L, max);
    p->n = consumer_take(c->c, p->items, max);
    size_t n = p->n;
    if (n > 0) {
        c->pack_ref = luaL_ref(L, LUA_REGISTRYINDEX);
        c->pack = p;
        c->refills++;
        tell_collector(L, c, p->items, n);
    } else {
        lua_pop(L, 1);
    }
    return n;
}

void consumer_on_ready(void *arg)
{
    struct lconsumer *c = arg;
    task_wake(&c->reader);
}

static void turn(void *arg)
{
    task_wake(arg);
}

static void stop_reading(struct wait *w)
{
    ((struct lconsumer *)w->arg)->reading = false;
}

static int wait_records(lua_State *L, struct lconsumer *c, wait_push_fn again, int64_t limit_ms)
{
    c->reader.push = again;
    c->reader.stop = stop_reading;
    c->reader.arg = c;
    c->reader.limit_ms = limit_ms;
    c->reading = true;
    return task_wait(L, &c->reader);
}

static struct lconsumer *begin_step(lua_State *L)
{
    /* The upvalue is our own: its type needs no look-up for each record. */
    struct lconsumer *c = *(struct lconsumer **)lua_touserdata(L, lua_upvalueindex(1));
    if (c->closed) {
        luaL_error(L, "consumer is closed");
    }
    if (c->reading) {
        luaL_error(L, "another task is already reading from this consumer");
    }
    rt_step(c->rt);
    return c;
}

/* Every TURN_EVERY packs a busy reader lets the loop go round. */
static bool turn_due(lua_State *L, struct lconsumer *c)
{
    if (c->refills >= TURN_EVERY && task_can_wait(L)) {
        c->refills = 0;
        loop_defer(c->rt->loop, turn, &c->reader);
        return true;
    }
    return false;
}

/* ---- records one by one ---- */

static int next_message(lua_State *L, struct lconsumer *c);

static int next_again(lua_State *L, struct wait *w)
{
    struct lconsumer *c = w->arg;
    c->reading = false;
    return next_message(L, c);
}

/* next < n */
static int push_one(lua_State *L, struct lconsumer *c)
{
    struct pack *p = c->pack;
    struct message *m = p->items[p->next++];
    hand_out(c, m, true);
    message_push(L, p, -c->pack_ref, m, rt_codec_of(c->rt, m->topic));
    if (p->next == p->n) {
        drop_pack(L, c);
    }
    return 1;
}

/* The body asked for the next record: those before it are done. */
static int next_message(lua_State *L, struct lconsumer *c)
{
    if (c->pack && c->pack->next == c->pack->n) {
        drop_pack(L, c);
    }
    if (c->rt->stopping || c->closed) {
        if (!c->closed && (consumer_commit_own(c) || c->committing)) {
            return wait_records(L, c, next_again, 0);
        }
        return 0;
    }
    if (c->own_commits && (!c->pack || clock_mono_ns() >= c->commit_due)) {
        consumer_commit_own(c);
    }
    if (c->pack) {
        return push_one(L, c);
    }
    if (turn_due(L, c)) {
        return wait_records(L, c, next_again, 0);
    }
    if (refill(L, c, c->auto_commit ? 1 : PACK) == 0) {
        hist_flush(c->rt->h); /* who tails it must see how far we are */
        return wait_records(L, c, next_again, 0);
    }
    return push_one(L, c);
}

static int l_next(lua_State *L)
{
    struct lconsumer *c = begin_step(L);
    if (c->pack && c->pack->next < c->pack->n && !c->own_commits && !c->rt->stopping) {
        return push_one(L, c);
    }
    lua_settop(L, 0);
    return next_message(L, c);
}

static void set_endless(lua_State *L, struct lconsumer *c)
{
    struct task *t = tasks_current(c->rt->tasks);
    if (t) {
        task_set_endless(t);
    }
}

int consumer_push_messages(lua_State *L, struct lconsumer *c)
{
    set_endless(L, c);
    lua_pushcclosure(L, l_next, 1);
    return 1;
}

int consumer_l_messages(lua_State *L)
{
    struct lconsumer *c = consumer_check(L, 1);
    lua_settop(L, 1);
    return consumer_push_messages(L, c);
}

/* ---- batches ---- */

struct filling { /* upvalue 2 of the iterator */
    size_t max;
    int64_t wait_ms;
    uint64_t due; /* 0 = nothing yet */
};

static int fill(lua_State *L, struct lconsumer *c, struct filling *f);

static int fill_again(lua_State *L, struct wait *w)
{
    struct lconsumer *c = w->arg;
    c->reading = false;
    return fill(L, c, lua_touserdata(L, lua_upvalueindex(2)));
}

static int push_batch(lua_State *L, struct lconsumer *c, size_t max)
{
    struct pack *p = c->pack;
    size_t n = p->n - p->next < max ? p->n - p->next : max;
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->pack_ref);
    int anchor = lua_gettop(L);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 1; i <= n; i++) {
        struct message *m = p->items[p->next++];
        hand_out(c, m, i == 1);
        message_push(L, p, anchor, m, rt_codec_of(c->rt, m->topic));
        lua_rawseti(L, -2, (lua_Integer)i);
    }
    if (p->next == p->n) {
        drop_pack(L, c);
    }
    return 1;
}

static int end_batches(lua_State *L, struct lconsumer *c)
{
    if (c->pack) {
        drop_pack(L, c);
    }
    if (!c->closed && (consumer_commit_own(c) || c->committing)) {
        return wait_records(L, c, fill_again, 0);
    }
    return 0;
}

static void new_pack(lua_State *L, struct lconsumer *c, size_t max)
{
    struct pack *p = message_push_pack(L, max);
    c->pack_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    c->pack = p;
    c->refills++;
}

/* A pack is filled until it is full, the wait has passed, or the consumer has to answer a
 * rebalance. */
static int fill(lua_State *L, struct lconsumer *c, struct filling *f)
{
    if (c->rt->stopping || c->closed) {
        return end_batches(L, c);
    }
    consumer_commit_own(c);
    if (!c->pack) {
        new_pack(L, c, f->max);
        f->due = 0;
        if (turn_due(L, c)) {
            return wait_records(L, c, fill_again, 0);
        }
    }
    struct pack *p = c->pack;
    size_t room = p->cap < f->max ? p->cap : f->max;
    /* Until there is nothing: only then on_ready will be called. */
    size_t got = p->next == 0 ? 1 : 0;
    while (got > 0 && p->n < room) {
        got = consumer_take(c->c, p->items + p->n, room - p->n);
        p->n += got;
        tell_collector(L, c, p->items + p->n - got, got);
    }
    if (p->n == p->next) {
        f->due = 0;
        if (p->n > 0) { /* what was left of it has been dropped */
            drop_pack(L, c);
        }
        hist_flush(c->rt->h);
        return wait_records(L, c, fill_again, 0);
    }
    uint64_t now = clock_mono_ns();
    f->due = f->due ? f->due : now + (uint64_t)f->wait_ms * 1000000;
    if (p->next == 0 && p->n < room && now < f->due && !consumer_rebalancing(c->c)) {
        return wait_records(L, c, fill_again, (int64_t)((f->due - now + 999999) / 1000000));
    }
    return push_batch(L, c, f->max);
}

static int l_next_batch(lua_State *L)
{
    struct lconsumer *c = begin_step(L);
    lua_settop(L, 0);
    return fill(L, c, lua_touserdata(L, lua_upvalueindex(2)));
}

#define OPTIONS(_)                                                                                 \
    _("max", OPT_INTEGER, "integer", "Records at most, 100 by default.")                           \
    _("wait", OPT_DURATION, "duration",                                                            \
      "How long a batch is filled after its first record, \"0s\" by default.")
static const struct opt options[] = {
#define OPTION(name, type, shape, doc) {name, type, shape, doc, false},
    OPTIONS(OPTION)};

int consumer_l_batches(lua_State *L)
{
    struct lconsumer *c = consumer_check(L, 1);
    lua_settop(L, 2);
    codec_unfreeze(L, 2);
    opts_check(L, 2, "batches", options, ARRAY_LEN(options));
    int64_t max = opts_integer(L, 2, "max", BATCH_PRESET);
    if (max < 1 || max > BATCH_MAX) {
        return luaL_error(L, "batches: max must be between 1 and %d", BATCH_MAX);
    }
    set_endless(L, c);
    lua_pushvalue(L, 1);
    struct filling *f = lua_newuserdatauv(L, sizeof *f, 0);
    *f = (struct filling){(size_t)max, opts_ms(L, 2, "wait", 0), 0};
    lua_pushcclosure(L, l_next_batch, 2);
    return 1;
}

#define OPTION_ROW(name, type, shape, doc) {"consumer.batches", name, shape, doc},
const struct api_row batch_rows[] = {OPTIONS(OPTION_ROW){NULL, NULL, NULL, NULL}};

void consumer_on_stop(struct lconsumer *c)
{
    task_wake(&c->reader);
}
