/* SPDX-License-Identifier: Apache-2.0 */
/* Hides that librdkafka may begin a partition at auto.offset.reset although its group has an
 * offset. It does so (2.0.2 to 2.15 at least, rdkafka_assignment.c) when it asked for the offset
 * while an open transaction held it, and its assignment changed before the answer, which is
 * "unstable": the partition then begins as one without an offset. An application that does all
 * right reads records twice, or misses some. So before the first message of an assigned partition
 * is taken, the group's offset is read once more; what began at the end of the log (policy
 * "latest") is seen with the next record. */
#include "client/consumer_internal.h"

/* An offset that the log does not have (any more) is no place to begin at. */
static bool is_in_log(const struct consumer *c, const struct client_partition *p)
{
    int64_t low = CLIENT_NO_OFFSET, high = CLIENT_NO_OFFSET; /* of the last answer to a fetch */
    rd_kafka_get_watermark_offsets(c->rk, p->topic, p->partition, &low, &high);
    return p->offset >= 0 && p->offset >= low && (high < 0 || p->offset <= high);
}

/* Where nothing is committed, librdkafka asks where the log begins or ends. When the partition gets
 * another position before the answer, 2.0.2 takes that for outdated, asks once more half a second
 * later, and goes there, wherever the partition is by then. So nothing in front of the position is
 * taken, unless the log does not have the position any more. */
bool consumer_went_back(struct consumer *c, const struct slot *s, const struct message *m)
{
    if (!s->assigned || c->no_callback || s->next < 0 || m->offset >= s->next)
        return false;
    struct client_partitions ps = {0};
    client_partitions_add(&ps, s->topic, s->partition, s->next);
    bool back = is_in_log(c, &ps.items[0]);
    if (back)
        consumer_add_seek(c, ps, CONSUMER_SEEK_START, NULL, NULL);
    else
        client_partitions_free(&ps);
    return back;
}

/* What began before the group's offset; with "latest" also behind it. Otherwise behind it only
 * means that what stands there is not for the application. */
static bool began_wrong(const struct consumer *c, const struct client_partition *committed,
                        int64_t first)
{
    return is_in_log(c, committed) &&
           (first < committed->offset || (first > committed->offset && c->reset == CLIENT_END));
}

static void began_right(struct consumer *c, struct slot *s)
{
    s->doubtful = false;
    consumer_tell_ready(c); /* before the end is told */
    consumer_tell_held_end(c, s);
}

static void correct(struct consumer *c, const struct client_partitions *committed)
{
    struct client_partitions wrong = {0};
    for (size_t i = 0; i < committed->n; i++) {
        const struct client_partition *p = &committed->items[i];
        struct slot *s = consumer_slot(c, p->topic, p->partition, false);
        if (!s->doubtful)
            continue; /* it was given another position meanwhile */
        if (began_wrong(c, p, client_partitions_find(&c->began, p->topic, p->partition)->offset))
            client_partitions_add(&wrong, p->topic, p->partition, p->offset);
        else
            began_right(c, s);
    }
    if (wrong.n > 0)
        consumer_add_seek(c, wrong, CONSUMER_SEEK_START, NULL, NULL);
}

static void again(void *arg)
{
    struct consumer *c = arg;
    c->verifying = false;
    consumer_tell_ready(c);
    consumer_job_done(c);
}

static bool failed(const struct client_partitions *ps, const struct err *e)
{
    bool any = e->kind;
    for (size_t i = 0; i < ps->n; i++)
        any |= ps->items[i].code != 0;
    return any;
}

static void done(void *arg, const struct client_partitions *ps, const struct err *e)
{
    struct consumer *c = arg;
    c->jobs++;
    if (failed(ps, e)) {
        timer_start(c->loop, AGAIN_MS, 0, again, c);
        return;
    }
    /* During a rebalance, or while somebody else sets positions, nothing is set: what is doubtful
     * then is verified again. */
    if (!c->notes && !consumer_positioning(c) && c->began_number == c->number)
        correct(c, ps);
    again(c);
}

void consumer_verify(struct consumer *c)
{
    if (c->verifying)
        return;
    client_partitions_free(&c->began);
    for (size_t i = c->buffer.head; i < c->buffer.n; i++) {
        const struct message *m = c->buffer.items[i];
        const struct slot *s = consumer_slot(c, m->topic, m->partition, false);
        if (s && s->doubtful && !client_partitions_find(&c->began, m->topic, m->partition))
            client_partitions_add(&c->began, m->topic, m->partition, m->offset);
    }
    c->began_number = c->number;
    c->verifying = true;
    consumer_committed(c, &c->began, done, c);
}
