/* SPDX-License-Identifier: Apache-2.0 */
/* Hides that librdkafka may begin a partition at auto.offset.reset although its group has an
 * offset. It does so (2.0.2 to 2.15 at least, rdkafka_assignment.c) when it asked for the offset
 * while an open transaction held it, and its assignment changed before the answer, which is
 * "unstable": the partition then begins as one without an offset. An application that does all
 * right reads records twice, or misses some. So before the first message of an assigned partition
 * is taken, the group's offset is read once more; what began at the end of the log (policy
 * "latest") is seen with the next record. */
#include <stdlib.h>

#include "base/mem.h"
#include "client/consumer_internal.h"

struct verify {
    struct consumer *c;
    uint64_t number; /* the assignment that it is about */
    struct client_partitions first;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
};

static void work(void *arg)
{
    struct verify *v = arg;
    v->code = rd_kafka_committed(v->c->rk, v->list, COMMITTED_MS);
}

static bool failed(const struct verify *v)
{
    bool any = v->code != 0;
    for (int i = 0; i < v->list->cnt; i++)
        any |= v->list->elems[i].err != 0;
    return any;
}

/* An offset that the log does not have (any more) is no place to begin at. */
static bool is_in_log(const struct consumer *c, const rd_kafka_topic_partition_t *p)
{
    int64_t low = CLIENT_NO_OFFSET, high = CLIENT_NO_OFFSET; /* of the last answer to a fetch */
    rd_kafka_get_watermark_offsets(c->rk, p->topic, p->partition, &low, &high);
    return p->offset >= 0 && p->offset >= low && (high < 0 || p->offset <= high);
}

/* What began before the group's offset; with "latest" also behind it. Otherwise behind it only
 * means that what stands there is not for the application. */
static bool began_wrong(const struct consumer *c, const rd_kafka_topic_partition_t *committed,
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

static void correct(struct verify *v)
{
    struct consumer *c = v->c;
    struct client_partitions wrong = {0};
    for (int i = 0; i < v->list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &v->list->elems[i];
        struct slot *s = consumer_slot(c, p->topic, p->partition, false);
        if (!s->doubtful)
            continue; /* it was given another position meanwhile */
        int64_t first = client_partitions_find(&v->first, p->topic, p->partition)->offset;
        if (began_wrong(c, p, first))
            client_partitions_add(&wrong, p->topic, p->partition, p->offset);
        else
            began_right(c, s);
    }
    if (wrong.n > 0)
        consumer_add_seek(c, wrong, CONSUMER_SEEK_START, NULL, NULL);
    else
        client_partitions_free(&wrong);
}

static void again(void *arg)
{
    struct consumer *c = arg;
    c->verifying = false;
    consumer_tell_ready(c);
    consumer_job_done(c);
}

static void done(void *arg)
{
    struct verify *v = arg;
    struct consumer *c = v->c;
    bool late = failed(v) && !c->closing;
    /* During a rebalance, or while somebody else sets positions, nothing is set: what is doubtful
     * then is verified again. */
    bool free_to = !c->closing && !c->notes && !consumer_positioning(c) && v->number == c->number;
    if (!late && free_to)
        correct(v);
    client_partitions_free(&v->first);
    rd_kafka_topic_partition_list_destroy(v->list);
    free(v);
    if (late)
        timer_start(c->loop, AGAIN_MS, 0, again, c);
    else
        again(c);
}

void consumer_verify(struct consumer *c)
{
    if (c->verifying)
        return;
    struct verify *v = xcalloc(1, sizeof *v);
    v->c = c;
    v->number = c->number;
    for (size_t i = c->buffer.head; i < c->buffer.n; i++) {
        const struct message *m = c->buffer.items[i];
        const struct slot *s = consumer_slot(c, m->topic, m->partition, false);
        if (s && s->doubtful && !client_partitions_find(&v->first, m->topic, m->partition))
            client_partitions_add(&v->first, m->topic, m->partition, m->offset);
    }
    v->list = client_list(&v->first);
    for (int i = 0; i < v->list->cnt; i++)
        v->list->elems[i].offset = CLIENT_NO_OFFSET;
    c->verifying = true;
    c->jobs++;
    job_start(c->loop, work, done, v);
}
