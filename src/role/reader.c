/* SPDX-License-Identifier: Apache-2.0 */
/* The reader takes what the consumer has as soon as it has it. STOP comes after the drain, when the
 * last stable offset stands still; the reader is at the end when nothing has arrived for QUIET_MS
 * since then, and gives up after BOUND_MS. */
#include "role/reader.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/consumer.h"

enum { TAKE = 500, QUIET_MS = 1000, BOUND_MS = 10000, TICK_MS = 50, CLOSE_MS = 3000 };

struct reader {
    struct reader_setup s;
    struct consumer *c;
    int64_t name_id, topic_id;
    uint64_t last_ns, stop_ns;
    struct timer *tick;
    bool again;
};

static void take(struct reader *r)
{
    struct message *ms[TAKE];
    size_t n = consumer_take(r->c, ms, TAKE);
    for (size_t i = 0; i < n; i++) {
        hist_deliver(r->s.hist, &(struct hist_deliver){.consumer = r->name_id,
                                                       .topic = r->topic_id,
                                                       .partition = ms[i]->partition,
                                                       .offset = ms[i]->offset,
                                                       .assignment = (int64_t)ms[i]->assignment,
                                                       .read_committed = true});
        message_release(ms[i]);
    }
    if (n > 0) {
        r->last_ns = clock_mono_ns();
    }
    r->again = n == TAKE;
}

static void take_more(void *arg)
{
    struct reader *r = arg;
    if (r->c) {
        take(r);
        if (r->again) {
            loop_defer(r->s.loop, take_more, r);
        }
    }
}

static void on_ready(void *arg)
{
    struct reader *r = arg;
    if (!r->again) {
        take_more(r);
    }
}

static void on_assign(void *arg, const struct consumer_rebalance *a)
{
    struct reader *r = arg;
    for (size_t i = 0; i < a->partitions->n; i++) {
        hist_add(r->s.hist, H_ASSIGN, HP_FACT, 0, HS(r->s.name), HS(""),
                 HS(a->partitions->items[i].topic), HI(a->partitions->items[i].partition),
                 HI(a->assignment), HS(a->protocol), HI(-1), HS(""), HI(-1));
    }
    consumer_answer(r->c);
}

static void on_error(void *arg, const struct err *e)
{
    struct reader *r = arg;
    if (e->fatal) {
        r->s.on_fatal(r->s.arg, e);
    } else {
        log_debug("reader: %s", e->msg);
    }
}

struct reader *reader_start(const struct reader_setup *setup, struct err *e)
{
    struct reader *r = xcalloc(1, sizeof *r);
    const struct consumer_callbacks cb = {
        .arg = r, .on_ready = on_ready, .on_assign = on_assign, .on_error = on_error};
    r->s = *setup;
    const struct consumer_setup s = {.bootstrap = setup->bootstrap,
                                     .client_id = setup->name,
                                     .topics = &r->s.topic,
                                     .ntopics = 1};
    r->name_id = hist_str(setup->hist, setup->name);
    r->topic_id = hist_str(setup->hist, setup->topic);
    r->c = consumer_open(setup->loop, &s, &cb, e);
    if (!r->c) {
        free(r);
        return NULL;
    }
    return r;
}

static void on_tick(void *arg)
{
    struct reader *r = arg;
    uint64_t now = clock_mono_ns();
    uint64_t since = r->last_ns > r->stop_ns ? r->last_ns : r->stop_ns;
    take_more(r);
    if (now - since >= (uint64_t)QUIET_MS * 1000000 ||
        now - r->stop_ns >= (uint64_t)BOUND_MS * 1000000) {
        timer_stop(r->tick);
        r->tick = NULL;
        r->s.on_end(r->s.arg);
    }
}

void reader_stop(struct reader *r)
{
    if (!r->stop_ns) {
        r->stop_ns = clock_mono_ns();
        r->tick = timer_start(r->s.loop, TICK_MS, TICK_MS, on_tick, r);
    }
}

void reader_close(struct reader *r, loop_fn done, void *arg)
{
    timer_stop(r->tick);
    consumer_close(r->c, CLOSE_MS, done, arg);
    r->c = NULL;
}
