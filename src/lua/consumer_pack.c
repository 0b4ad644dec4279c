/* SPDX-License-Identifier: Apache-2.0 */
/* What a consumer has taken from the client and not handed out: the rest of its pack, and records
 * of paused partitions that were put aside. Whatever is dropped here comes again from the broker if
 * the partition is still ours: its position was set, or it is assigned anew. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/rt.h"

static bool in(const struct client_partitions *ps, const struct message *m)
{
    return !ps || client_partitions_find(ps, m->topic, m->partition);
}

static void put_aside(struct lconsumer *c, struct message *m)
{
    if (c->held.n == c->held.cap) {
        c->held.cap = c->held.cap ? 2 * c->held.cap : 64;
        c->held.items = xrealloc(c->held.items, c->held.cap * sizeof(struct message *));
    }
    c->held.items[c->held.n++] = m;
}

/* Keeps the items from `from` on that are not in ps; the others go to aside, or are released. */
static size_t sift(struct message **items, size_t from, size_t n,
                   const struct client_partitions *ps, struct lconsumer *aside)
{
    size_t kept = from;
    for (size_t i = from; i < n; i++) {
        struct message *m = items[i];
        if (!in(ps, m)) {
            items[kept++] = m;
        } else if (aside) {
            put_aside(aside, m);
        } else {
            message_release(m);
        }
    }
    return kept;
}

void consumer_drop_taken(struct lconsumer *c, const struct client_partitions *ps)
{
    if (c->pack) {
        c->pack->n = sift(c->pack->items, c->pack->next, c->pack->n, ps, NULL);
    }
    c->held.n = sift(c->held.items, 0, c->held.n, ps, NULL);
}

void consumer_hold_taken(struct lconsumer *c, const struct client_partitions *ps)
{
    if (c->pack) {
        c->pack->n = sift(c->pack->items, c->pack->next, c->pack->n, ps, c);
    }
}

/* What was put aside goes before the rest of the pack, in a new one. */
void consumer_unhold_taken(lua_State *L, struct lconsumer *c, const struct client_partitions *ps)
{
    size_t rest = c->pack ? c->pack->n - c->pack->next : 0;
    struct pack *p = message_push_pack(L, c->held.n + rest + 1);
    size_t kept = 0;
    for (size_t i = 0; i < c->held.n; i++) {
        if (in(ps, c->held.items[i])) {
            p->items[p->n++] = c->held.items[i];
        } else {
            c->held.items[kept++] = c->held.items[i];
        }
    }
    c->held.n = kept;
    if (p->n == 0) {
        lua_pop(L, 1);
        return;
    }
    for (size_t i = 0; i < rest; i++) {
        p->items[p->n++] = c->pack->items[c->pack->next + i];
    }
    if (c->pack) {
        c->pack->n = c->pack->next; /* moved */
        luaL_unref(L, LUA_REGISTRYINDEX, c->pack_ref);
    }
    c->pack_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    c->pack = p;
    task_wake(&c->reader);
}

int64_t consumer_first_taken(const struct lconsumer *c, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < c->held.n; i++) {
        const struct message *m = c->held.items[i];
        if (m->partition == partition && strcmp(m->topic, topic) == 0) {
            return m->offset;
        }
    }
    for (size_t i = c->pack ? c->pack->next : 0; c->pack && i < c->pack->n; i++) {
        const struct message *m = c->pack->items[i];
        if (m->partition == partition && strcmp(m->topic, topic) == 0) {
            return m->offset;
        }
    }
    return -1;
}
