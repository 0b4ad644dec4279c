/* SPDX-License-Identifier: Apache-2.0 */
/* Hides a stand-in for io/loop.h, io/tcp.h, base/clock.h and getrandom(), with the same promises: a
 * write is borrowed until it is done, a closed connection is freed in a later turn, a deferred call
 * never runs inside of another. What is borrowed is read only when the peer reads, so that memory
 * which was freed too early is found. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/tcp.h"

enum { NS_PER_MS = 1000000, FIRST_PORT = 10000, CHUNK = 70000 };
static const uint64_t first_real_ns = 1700000000ull * 1000 * NS_PER_MS;

struct deferred {
    struct deferred *next;
    loop_fn fn;
    void *arg;
};
struct timer {
    struct timer *next;
    uint64_t due_ns, repeat_ns, order;
    loop_fn fn;
    void *arg;
};
struct tcp_server {
    struct tcp_server *next;
    tcp_accept_fn fn;
    void *arg;
    struct loop *loop;
    int port;
};
struct tcp {
    struct tcp *next;
    struct peer *peer; /**< NULL = the client has ended it */
    struct loop *loop;
    struct tcp_calls calls;
    void *arg;
    bool started, reading, closing, told;
    loop_fn done;
    void *done_arg;
    struct tcp_part *parts;
    size_t nparts;
    char name[32];
};
struct peer {
    struct tcp *tcp; /**< NULL = the broker has ended it */
    struct buf to, from;
    bool reads;
};
struct loop {
    struct deferred *first, **last;
    struct timer *timers;
    struct tcp_server *servers;
    struct tcp *tcps;
    uint64_t ns, orders;
    int next_port, next_peer;
    struct dice dice;
};
static struct loop *world;

/* ---- dice and clocks --------------------------------------------------------------------------
 */

uint64_t dice_next(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

uint64_t dice_below(struct dice *d, uint64_t n)
{
    return n ? dice_next(d) % n : 0;
}

bool dice_one_in(struct dice *d, uint64_t n)
{
    return dice_below(d, n) == 0;
}

uint64_t clock_mono_ns(void)
{
    return world->ns;
}

uint64_t clock_fast_ns(void)
{
    return world->ns;
}

uint64_t clock_real_ns(void)
{
    return first_real_ns + world->ns;
}

ssize_t getrandom(void *p, size_t len, unsigned flags)
{
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)p)[i] = (uint8_t)dice_next(&world->dice);
    }
    return (ssize_t)len;
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

struct loop *world_new(uint64_t seed)
{
    struct loop *l = xcalloc(1, sizeof *l);
    l->last = &l->first;
    l->ns = 1000ull * NS_PER_MS;
    l->next_port = FIRST_PORT;
    l->dice.state = seed ^ 0x5bd1e995;
    world = l;
    return l;
}

void loop_defer(struct loop *l, loop_fn fn, void *arg)
{
    struct deferred *d = xmalloc(sizeof *d);
    *d = (struct deferred){NULL, fn, arg};
    *l->last = d;
    l->last = &d->next;
}

struct timer *timer_start(struct loop *l, uint64_t first_ms, uint64_t repeat_ms, loop_fn fn,
                          void *arg)
{
    struct timer *t = xmalloc(sizeof *t);
    *t = (struct timer){
        l->timers, l->ns + first_ms * NS_PER_MS, repeat_ms * NS_PER_MS, ++l->orders, fn, arg};
    l->timers = t;
    return t;
}

void timer_stop(struct timer *t)
{
    for (struct timer **at = &world->timers; t; at = &(*at)->next) {
        if (!*at) {
            fprintf(stderr, "a timer is stopped that does not run\n");
            abort();
        }
        if (*at == t) {
            *at = t->next;
            free(t);
            return;
        }
    }
}

static struct timer *next_timer(const struct loop *l, uint64_t until_ns)
{
    struct timer *best = NULL;
    for (struct timer *t = l->timers; t; t = t->next) {
        bool sooner = !best || t->due_ns < best->due_ns ||
                      (t->due_ns == best->due_ns && t->order < best->order);
        if (t->due_ns <= until_ns && sooner) {
            best = t;
        }
    }
    return best;
}

void world_pass(struct loop *l, uint64_t ms)
{
    uint64_t until = l->ns + ms * NS_PER_MS;
    struct timer *t;
    for (int fired = 0; fired < 1000 && (t = next_timer(l, until)); fired++) {
        loop_fn fn = t->fn;
        void *arg = t->arg;
        l->ns = t->due_ns > l->ns ? t->due_ns : l->ns;
        if (t->repeat_ns) {
            t->due_ns = l->ns + t->repeat_ns;
            t->order = ++l->orders;
        } else {
            timer_stop(t);
        }
        fn(arg);
    }
    l->ns = until;
}

static void run_deferred(struct loop *l)
{
    struct deferred *d = l->first;
    l->first = NULL;
    l->last = &l->first;
    while (d) {
        struct deferred *next = d->next;
        d->fn(d->arg);
        free(d);
        d = next;
    }
}

/* ---- the broker's end -------------------------------------------------------------------------
 */

struct tcp_server *tcp_listen(struct loop *l, const char *host, int port, tcp_accept_fn fn,
                              void *arg, struct err *e)
{
    struct tcp_server *s = xcalloc(1, sizeof *s);
    *s = (struct tcp_server){l->servers, fn, arg, l, port ? port : l->next_port++};
    l->servers = s;
    return s;
}

int tcp_server_port(const struct tcp_server *s)
{
    return s->port;
}

void tcp_server_close(struct tcp_server *s)
{
    struct tcp_server **at = s ? &s->loop->servers : NULL;
    while (at && *at != s) {
        at = &(*at)->next;
    }
    if (at) {
        *at = s->next;
        free(s);
    }
}

int tcp_reserve(const char *host, int port)
{
    return -1;
}

void tcp_release(int reserved)
{
}

void tcp_start(struct tcp *t, const struct tcp_calls *calls, void *arg)
{
    t->calls = *calls;
    t->arg = arg;
    t->started = t->reading = true;
}

void tcp_pause(struct tcp *t, bool paused)
{
    t->reading = !paused;
}

const char *tcp_peer(const struct tcp *t)
{
    return t->name;
}

static void finish_write(struct tcp *t)
{
    loop_fn done = t->done;
    t->done = NULL;
    free(t->parts);
    t->parts = NULL;
    if (done) {
        done(t->done_arg);
    }
}

/** The bytes of the write under way go to the peer. */
static void deliver(struct tcp *t)
{
    for (size_t i = 0; i < t->nparts; i++) {
        buf_append(&t->peer->from, t->parts[i].p, t->parts[i].len);
    }
    finish_write(t);
}

bool tcp_write(struct tcp *t, const struct tcp_part *parts, size_t n, loop_fn done, void *arg)
{
    if (t->closing || t->done) {
        fprintf(stderr, "a write on a connection that is closed or written to\n");
        abort();
    }
    t->done = done;
    t->done_arg = arg;
    t->parts = xmalloc((n + 1) * sizeof *parts);
    memcpy(t->parts, parts, n * sizeof *parts);
    t->nparts = n;
    if (!t->peer) {
        finish_write(t);
        return true;
    }
    if (t->peer->reads && !dice_one_in(&t->loop->dice, 3)) {
        deliver(t);
        return true;
    }
    return false;
}

size_t tcp_unsent(const struct tcp *t)
{
    size_t sum = 0;
    for (size_t i = 0; t->done && i < t->nparts; i++) {
        sum += t->parts[i].len;
    }
    return sum;
}

void tcp_close(struct tcp *t)
{
    if (t && !t->closing) {
        t->closing = true;
        t->reading = false;
        if (t->peer) {
            t->peer->tcp = NULL;
            t->peer = NULL;
        }
    }
}

/** Bytes in, as many as there is room for. @return whether something was done. */
static bool feed(struct tcp *t)
{
    size_t len = 0;
    if (!t->started || !t->reading || t->peer->to.len == 0) {
        return false;
    }
    char *room = t->calls.room(t->arg, &len);
    size_t chunk = dice_one_in(&t->loop->dice, 4) ? 1 + dice_below(&t->loop->dice, 40) : CHUNK;
    size_t n = t->peer->to.len < len ? t->peer->to.len : len;
    n = n < chunk ? n : chunk;
    memcpy(room, t->peer->to.data, n);
    buf_consume(&t->peer->to, n);
    t->calls.data(t->arg, n);
    return true;
}

static bool serve(struct tcp *t)
{
    if (t->closing) {
        return false;
    }
    if (!t->peer) {
        /* as libuv: the end shows only in reading */
        if (t->started && t->reading && !t->told) {
            t->told = true;
            t->calls.closed(t->arg);
            return true;
        }
        return false;
    }
    if (t->done && t->peer->reads) {
        deliver(t);
        return true;
    }
    return feed(t);
}

static void bury(struct loop *l)
{
    for (struct tcp **at = &l->tcps; *at;) {
        struct tcp *t = *at;
        if (t->closing) {
            *at = t->next;
            finish_write(t);
            free(t);
        } else {
            at = &t->next;
        }
    }
}

bool world_turn(struct loop *l)
{
    bool more = false;
    run_deferred(l);
    for (struct tcp *t = l->tcps; t; t = t->next) {
        more = serve(t) || more;
    }
    bury(l);
    l->ns += 1000;
    return more || l->first;
}

bool world_settle(struct loop *l, int limit)
{
    while (limit-- > 0) {
        if (!world_turn(l)) {
            return true;
        }
    }
    return false;
}

const char *world_free(struct loop *l)
{
    const char *left = l->first     ? "a deferred call"
                       : l->timers  ? "a timer"
                       : l->servers ? "a listener"
                       : l->tcps    ? "a connection"
                                    : NULL;
    if (!left) {
        free(l);
        world = NULL;
    }
    return left;
}

/* ---- the client's end -------------------------------------------------------------------------
 */

struct peer *world_connect(struct loop *l, int port)
{
    struct tcp_server *s = l->servers;
    while (s && s->port != port) {
        s = s->next;
    }
    if (!s) {
        return NULL;
    }
    struct peer *p = xcalloc(1, sizeof *p);
    struct tcp *t = xcalloc(1, sizeof *t);
    *t = (struct tcp){.next = l->tcps, .peer = p, .loop = l};
    snprintf(t->name, sizeof t->name, "127.0.0.1:%d", 30000 + l->next_peer++);
    l->tcps = t;
    p->tcp = t;
    p->reads = true;
    s->fn(s->arg, t);
    return p;
}

void peer_send(struct peer *p, const void *data, size_t len)
{
    buf_append(&p->to, data, len);
}

void peer_read(struct peer *p, bool reads)
{
    p->reads = reads;
}

bool peer_reads(const struct peer *p)
{
    return p->reads;
}

void peer_close(struct peer *p)
{
    if (p->tcp) {
        p->tcp->peer = NULL;
        if (p->tcp->done) {
            finish_write(p->tcp);
        }
    }
    buf_free(&p->to);
    buf_free(&p->from);
    free(p);
}

bool peer_ended(const struct peer *p)
{
    return !p->tcp;
}

struct buf *peer_received(struct peer *p)
{
    return &p->from;
}

size_t peer_unsent(const struct peer *p)
{
    return p->to.len;
}
