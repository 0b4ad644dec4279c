/* SPDX-License-Identifier: Apache-2.0 */
/* Hides where a partition begins for its reader, and where it ends: positions given with an
 * assignment, offsets by time, and the news that the end has been reached. */
#include <stdlib.h>

#include "base/mem.h"
#include "client/consumer_internal.h"

enum { TIMES_MS = 5000 };

/* ---- positions of an assignment ---- */

void consumer_start_at(struct consumer *c, const struct client_partitions *ps)
{
    struct note *n = c->notes;
    for (size_t i = 0; n && n->told && n->assign && i < ps->n; i++) {
        rd_kafka_topic_partition_t *mine =
            rd_kafka_topic_partition_list_find(n->list, ps->items[i].topic, ps->items[i].partition);
        if (mine)
            mine->offset = ps->items[i].offset;
    }
}

/* ---- offsets by time ---- */

struct times {
    struct consumer *c;
    consumer_fn fn;
    void *arg;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
};

static void times_work(void *arg)
{
    struct times *t = arg;
    t->code = rd_kafka_offsets_for_times(t->c->rk, t->list, TIMES_MS);
}

static void times_done(void *arg)
{
    struct times *t = arg;
    struct consumer *c = t->c;
    struct client_partitions ps = client_from_list(t->list);
    struct err e = {0};
    if (t->code)
        client_fail(&e, t->code, "looking up offsets by time");
    if (!c->closing && t->fn)
        t->fn(t->arg, &ps, &e);
    client_partitions_free(&ps);
    rd_kafka_topic_partition_list_destroy(t->list);
    free(t);
    consumer_job_done(c);
}

void consumer_at_time(struct consumer *c, const struct client_partitions *ps, consumer_fn fn,
                      void *arg)
{
    struct times *t = xcalloc(1, sizeof *t);
    *t = (struct times){.c = c, .fn = fn, .arg = arg, .list = client_list(ps)};
    c->jobs++;
    job_start(c->loop, times_work, times_done, t);
}

/* ---- the end ---- */

struct ending {
    struct consumer *c;
    const char *topic; /* interned */
    int32_t partition;
    int64_t offset;
};

static bool is_held(const struct consumer *c, const struct slot *s)
{
    for (size_t i = c->buffer.head; s->doubtful && i < c->buffer.n; i++)
        if (c->buffer.items[i]->topic == s->topic && c->buffer.items[i]->partition == s->partition)
            return true;
    return false;
}

static void end_later(void *arg)
{
    struct ending *n = arg;
    struct consumer *c = n->c;
    struct slot *s = consumer_slot(c, n->topic, n->partition, false);
    if (!c->closing && s && s->assigned && is_held(c, s))
        s->end = n->offset;
    else if (!c->closing && s && s->assigned)
        c->cb.on_end(c->cb.arg, n->topic, n->partition, n->offset);
    free(n);
    consumer_job_done(c);
}

static void tell(struct consumer *c, const char *topic, int32_t partition, int64_t offset)
{
    struct ending *n = xmalloc(sizeof *n);
    *n = (struct ending){c, topic, partition, offset};
    c->jobs++;
    loop_defer(c->loop, end_later, n);
}

void consumer_tell_end(struct consumer *c, const rd_kafka_message_t *m)
{
    if (!c->closing && c->cb.on_end && m->rkt)
        tell(c, client_intern(rd_kafka_topic_name(m->rkt)), m->partition, m->offset);
}

void consumer_tell_held_end(struct consumer *c, struct slot *s)
{
    if (!c->closing && s->end >= 0)
        tell(c, s->topic, s->partition, s->end);
    s->end = CLIENT_NO_OFFSET;
}
