/* SPDX-License-Identifier: Apache-2.0 */
/* Hides which connections must go: those on which nothing moves for connections.max.idle.ms (a
 * request that the broker itself holds is no idleness), and, when requests and answers under way
 * take too much memory, the ones that hold some and have been still for the longest. A peer that
 * stops in the middle of a frame, or does not read, so costs others nothing. Loop thread only. */
#include "broker/conn.h"
#include "broker/nodes.h"
#include "broker/trace.h"

enum {
    MB = 1 << 20,
    TRANSIT_MIN = 64, /* MB for requests and answers under way: a quarter of the limit, not less */
    TRANSIT_FREE = 1024, /* MB without a limit */
    ANSWER_MIN = 64,     /* MB for the making of one answer, likewise */
    ANSWER_FREE = 512,
    SHARE_MIN = 16 << 10, /* one that holds less is no help */
    LOOK_MIN_MS = 10,
    LOOK_MAX_MS = 30000,
    LOOKS = 4, /* per idle time */
};

static uint64_t part_of_limit(const struct broker *b, uint64_t least_mb, uint64_t free_mb)
{
    if (b->memory == 0) {
        return free_mb * MB;
    }
    return b->memory / 4 > least_mb * MB ? b->memory / 4 : least_mb * MB;
}

size_t bounds_answer(const struct broker *b)
{
    return part_of_limit(b, ANSWER_MIN, ANSWER_FREE);
}

void bounds_touch(struct conn *c)
{
    c->active_ms = state_mono_ms();
}

static size_t held_by(const struct conn *c)
{
    const struct call *call = c->call;
    size_t sum = c->in.cap;
    if (call) {
        sum += call->size + call->req.mem.total + call->resp.mem.total + call->out.cap;
    }
    for (size_t i = 0; call && i < call->kept.n; i++) {
        sum += call->kept.items[i]->gone ? call->kept.items[i]->cap : 0;
    }
    return sum;
}

void bounds_forget(struct conn *c)
{
    c->b->transit -= c->counted;
    c->counted = 0;
}

static void end(struct conn *c, const char *why)
{
    trace_note(c->b, tcp_peer(c->tcp), why);
    front_end(c);
}

/** The one that has been still for the longest among those that hold much. */
static struct conn *stillest(const struct broker *b)
{
    struct conn *best = NULL;
    for (struct conn *c = b->conns; c; c = c->next) {
        if (c->counted >= SHARE_MIN && (!best || c->active_ms < best->active_ms)) {
            best = c;
        }
    }
    return best;
}

static void count(struct conn *c)
{
    size_t now = held_by(c);
    c->b->transit += now - c->counted;
    c->counted = now;
}

/** Ends connections until the rest takes no more than it may. */
static void shed(struct broker *b)
{
    uint64_t max = part_of_limit(b, TRANSIT_MIN, TRANSIT_FREE);
    struct conn *victim;
    while (b->transit > max && (victim = stillest(b))) {
        end(victim, "closed: requests and answers under way take too much memory");
    }
}

void bounds_count(struct conn *c)
{
    count(c);
    shed(c->b);
}

/* ---- idle ones --------------------------------------------------------------------------------
 */

/** Whether the peer has taken some of the answer since this was asked. */
static bool drains(struct conn *c)
{
    size_t left = tcp_unsent(c->tcp);
    bool less = left < c->unsent;
    c->unsent = left;
    return less;
}

static void look(void *arg)
{
    struct broker *b = arg;
    uint64_t idle = (uint64_t)props_get(&b->props, NULL, PROP_MAX_IDLE), now = state_mono_ms();
    struct conn *next;
    for (struct conn *c = b->conns; c; c = next) {
        next = c->next;
        bool held = (c->call && !c->writing) || !nodes_runs(c->node);
        if (held || (c->writing && drains(c))) {
            c->active_ms = now;
        } else if (now - c->active_ms >= idle) {
            end(c, "closed: idle for connections.max.idle.ms");
            continue;
        }
        count(c); /* what it has of a log may have left the log */
    }
    shed(b);
}

void bounds_start(struct broker *b)
{
    uint64_t every = (uint64_t)props_get(&b->props, NULL, PROP_MAX_IDLE) / LOOKS;
    every = every < LOOK_MIN_MS ? LOOK_MIN_MS : every > LOOK_MAX_MS ? LOOK_MAX_MS : every;
    b->idle_timer = timer_start(b->loop, every, every, look, b);
}

void bounds_stop(struct broker *b)
{
    timer_stop(b->idle_timer);
    b->idle_timer = NULL;
}
