/* SPDX-License-Identifier: Apache-2.0 */
/* Hides libuv. Three ways lead into the loop's thread: posts from other threads (a locked list and
 * one uv_async), deferred calls (a list run by an idle handle, which exists only to make the loop
 * turn once more without waiting) and libuv's own callbacks. Only loop_post() may be called from
 * other threads; it also orders memory between the poster and the posted function. */
#include "io/loop.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/handle.h"

enum { CLOSE_WAIT_MS = 2000 };

struct call {
    loop_fn fn;
    void *arg;
    struct call *next;
};

struct calls {
    struct call *first, **last;
};

struct loop {
    uv_loop_t uv;
    uv_async_t async;
    uv_idle_t idle;
    uv_timer_t end; /**< the bound of loop_free */
    struct handle async_handle, idle_handle, end_handle;
    uv_mutex_t lock;     /**< guards posted */
    struct calls posted; /**< from any thread */
    struct calls deferred;
    bool stopped, late;
};

struct timer {
    struct handle handle;
    uv_timer_t uv;
    loop_fn fn;
    void *arg;
    bool single;
};

struct signals {
    struct handle handle;
    uv_signal_t uv;
    loop_fn fn;
    void *arg;
};

struct work {
    uv_work_t uv;
    loop_fn work, done;
    void *arg;
};

static void must(int rc, const char *what)
{
    if (rc != 0) {
        log_warn("%s: %s", what, uv_strerror(rc));
        abort();
    }
}

static void calls_push(struct calls *q, loop_fn fn, void *arg)
{
    struct call *c = xmalloc(sizeof *c);
    *c = (struct call){fn, arg, NULL};
    *q->last = c;
    q->last = &c->next;
}

static struct call *calls_take(struct calls *q)
{
    struct call *first = q->first;
    q->first = NULL;
    q->last = &q->first;
    return first;
}

static bool calls_run(struct call *c)
{
    bool any = c != NULL;
    while (c) {
        struct call *next = c->next;
        c->fn(c->arg);
        free(c);
        c = next;
    }
    return any;
}

static bool run_posted(struct loop *l)
{
    uv_mutex_lock(&l->lock);
    struct call *c = calls_take(&l->posted);
    uv_mutex_unlock(&l->lock);
    return calls_run(c);
}

static void on_async(uv_async_t *async)
{
    run_posted((struct loop *)async->loop->data);
}

static void on_idle(uv_idle_t *idle)
{
    struct loop *l = idle->loop->data;
    uv_idle_stop(idle);
    calls_run(calls_take(&l->deferred)); /* one that defers again starts the idle handle again */
}

uv_loop_t *loop_uv(struct loop *l)
{
    return &l->uv;
}

struct loop *loop_new(void)
{
    struct loop *l = xcalloc(1, sizeof *l);
    signal(SIGPIPE, SIG_IGN);
    l->posted.last = &l->posted.first;
    l->deferred.last = &l->deferred.first;
    must(uv_loop_init(&l->uv), "creating the event loop");
    must(uv_mutex_init(&l->lock), "creating a lock");
    must(uv_async_init(&l->uv, &l->async, on_async), "creating a wake-up descriptor");
    must(uv_idle_init(&l->uv, &l->idle), "creating an idle handle");
    l->uv.data = l;
    l->async_handle.name = "posts";
    l->async.data = &l->async_handle;
    l->idle_handle.name = "deferred calls";
    l->idle.data = &l->idle_handle;
    l->end_handle.name = "end of loop";
    uv_unref((uv_handle_t *)&l->async);
    return l;
}

void loop_run(struct loop *l)
{
    do {
        uv_run(&l->uv, UV_RUN_DEFAULT);
        /* A post that came when nothing else was active has not been seen by libuv. */
    } while (!l->stopped && (run_posted(l) || uv_loop_alive(&l->uv)));
    l->stopped = false;
}

void loop_stop(struct loop *l)
{
    l->stopped = true;
    uv_stop(&l->uv);
}

void loop_post(struct loop *l, loop_fn fn, void *arg)
{
    uv_mutex_lock(&l->lock);
    calls_push(&l->posted, fn, arg);
    /* Inside the lock: the loop cannot take the call, finish and be freed before we have signalled.
     */
    uv_async_send(&l->async);
    uv_mutex_unlock(&l->lock);
}

void loop_defer(struct loop *l, loop_fn fn, void *arg)
{
    calls_push(&l->deferred, fn, arg);
    must(uv_idle_start(&l->idle, on_idle), "deferring a call");
}

static void on_work(uv_work_t *req)
{
    struct work *w = (struct work *)req->data;
    w->work(w->arg);
}

static void on_work_done(uv_work_t *req, int status)
{
    struct work *w = req->data;
    if (w->done) {
        w->done(w->arg);
    }
    free(w);
}

void loop_work(struct loop *l, loop_fn work, loop_fn done, void *arg)
{
    struct work *w = xcalloc(1, sizeof *w);
    w->work = work;
    w->done = done;
    w->arg = arg;
    w->uv.data = w;
    must(uv_queue_work(&l->uv, &w->uv, on_work, on_work_done), "queueing work");
}

/* Timers. */

static void free_timer(uv_handle_t *h)
{
    free((char *)h->data - offsetof(struct timer, handle));
}

static void close_timer(struct handle *h)
{
    timer_stop((struct timer *)((char *)h - offsetof(struct timer, handle)));
}

static void on_timer(uv_timer_t *uv)
{
    struct timer *t = (struct timer *)((char *)uv->data - offsetof(struct timer, handle));
    if (t->single) {
        uv_close((uv_handle_t *)uv, free_timer); /* freed in a later phase of this turn */
    }
    t->fn(t->arg);
}

struct timer *timer_start(struct loop *l, uint64_t first_ms, uint64_t repeat_ms, loop_fn fn,
                          void *arg)
{
    struct timer *t = xcalloc(1, sizeof *t);
    t->handle = (struct handle){"timer", close_timer};
    t->fn = fn;
    t->arg = arg;
    t->single = repeat_ms == 0;
    must(uv_timer_init(&l->uv, &t->uv), "creating a timer");
    t->uv.data = &t->handle;
    uv_update_time(&l->uv); /* the loop's cached time is older than a long callback */
    must(uv_timer_start(&t->uv, on_timer, first_ms, repeat_ms), "starting a timer");
    return t;
}

void timer_stop(struct timer *t)
{
    if (t && !uv_is_closing((uv_handle_t *)&t->uv)) {
        uv_close((uv_handle_t *)&t->uv, free_timer);
    }
}

struct frozen {
    struct frozen_timer {
        uv_timer_t *uv;
        uint64_t left_ms;
    } * items;
    size_t n, cap;
};

static void note_left(uv_handle_t *h, void *arg)
{
    struct frozen *f = arg;
    if (h->type == UV_TIMER && uv_is_active(h)) {
        *VEC_PUSH(f) = (struct frozen_timer){(uv_timer_t *)h, uv_timer_get_due_in((uv_timer_t *)h)};
    }
}

void loop_freeze(struct loop *l, loop_fn fn, void *arg)
{
    struct frozen f = {0};
    uv_update_time(&l->uv);
    uv_walk(&l->uv, note_left, &f);
    fn(arg);
    uv_update_time(&l->uv);
    for (size_t i = 0; i < f.n; i++) {
        uv_timer_t *t = f.items[i].uv;
        if (uv_is_active((uv_handle_t *)t)) { /* fn may have stopped it */
            must(uv_timer_start(t, on_timer, f.items[i].left_ms, uv_timer_get_repeat(t)),
                 "restarting a timer");
        }
    }
    free(f.items);
}

/* Signals. */

static void free_signals(uv_handle_t *h)
{
    free((char *)h->data - offsetof(struct signals, handle));
}

static void close_signals(struct handle *h)
{
    signals_stop((struct signals *)((char *)h - offsetof(struct signals, handle)));
}

static void on_signal(uv_signal_t *uv, int signum)
{
    struct signals *s = (struct signals *)((char *)uv->data - offsetof(struct signals, handle));
    s->fn(s->arg);
}

struct signals *signals_start(struct loop *l, int signum, loop_fn fn, void *arg)
{
    struct signals *s = xcalloc(1, sizeof *s);
    s->handle = (struct handle){"signal", close_signals};
    s->fn = fn;
    s->arg = arg;
    must(uv_signal_init(&l->uv, &s->uv), "creating a signal watcher");
    s->uv.data = &s->handle;
    must(uv_signal_start(&s->uv, on_signal, signum), "watching a signal");
    uv_unref((uv_handle_t *)&s->uv);
    return s;
}

void signals_stop(struct signals *s)
{
    if (s && !uv_is_closing((uv_handle_t *)&s->uv)) {
        uv_close((uv_handle_t *)&s->uv, free_signals);
    }
}

/* The end. */

static void close_one(uv_handle_t *uv, void *arg)
{
    struct handle *h = uv->data;
    if (h->close && !uv_is_closing(uv)) {
        h->close(h);
    }
}

static void name_one(uv_handle_t *uv, void *arg)
{
    log_warn("event loop: %s is still open at the end", ((struct handle *)uv->data)->name);
}

static void on_late(uv_timer_t *t)
{
    ((struct loop *)t->loop->data)->late = true;
}

/* Turns until nothing is active, or late: a hanging piece of work would hold uv_run() for ever. */
static void drain(struct loop *l)
{
    while (!l->late && uv_loop_alive(&l->uv)) {
        uv_run(&l->uv, UV_RUN_ONCE);
    }
}

static void close_all(struct loop *l)
{
    do {
        uv_walk(&l->uv, close_one, NULL);
        drain(l);
    } while (!l->late && (run_posted(l) || uv_loop_alive(&l->uv)));
}

void loop_free(struct loop *l)
{
    must(uv_timer_init(&l->uv, &l->end), "creating a timer");
    l->end.data = &l->end_handle;
    uv_update_time(&l->uv); /* what came before may have taken longer than the wait itself */
    must(uv_timer_start(&l->end, on_late, CLOSE_WAIT_MS, 0), "starting a timer");
    uv_unref((uv_handle_t *)&l->end);
    run_posted(l);
    close_all(l);
    if (l->late) {
        uv_walk(&l->uv, name_one, NULL);
        log_warn("event loop: not everything ended within %d ms", CLOSE_WAIT_MS);
        return; /* a pool thread may still use it: leaking is the only safe thing */
    }
    uv_close((uv_handle_t *)&l->end, NULL);
    uv_close((uv_handle_t *)&l->idle, NULL);
    uv_close((uv_handle_t *)&l->async, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    must(uv_loop_close(&l->uv), "closing the event loop");
    uv_mutex_destroy(&l->lock);
    free(l);
}
