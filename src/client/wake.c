/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how a queue of librdkafka wakes the loop: a callback under the queue's lock, in a thread of
 * librdkafka, which may only post. */
#include "client/internal.h"

static void on_loop(void *arg)
{
    struct wake *w = arg;
    atomic_store(&w->posted, false);
    w->fn(w->arg);
}

static void on_event(rd_kafka_t *rk, void *opaque)
{
    struct wake *w = opaque;
    if (!atomic_exchange(&w->posted, true))
        loop_post(w->loop, on_loop, w);
}

void wake_start(struct wake *w, struct loop *l, rd_kafka_queue_t *queue, loop_fn fn, void *arg)
{
    w->loop = l;
    w->fn = fn;
    w->arg = arg;
    w->queue = queue;
    atomic_init(&w->posted, true);
    rd_kafka_queue_cb_event_enable(queue, on_event, w);
    loop_post(l, on_loop, w); /* for what came in before: a queue that is not empty tells nothing */
}

void wake_stop(struct wake *w)
{
    if (!w->queue)
        return;
    rd_kafka_queue_cb_event_enable(w->queue, NULL, NULL);
    rd_kafka_queue_destroy(w->queue);
    w->queue = NULL;
}
