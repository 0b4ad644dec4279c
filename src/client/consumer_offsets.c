/* SPDX-License-Identifier: Apache-2.0 */
/* Hides committed offsets and positions: commits, reads of the committed, seeks, rewinds, flow. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/consumer_internal.h"

/* ---- commit ---- */

struct commit {
    struct consumer *c;
    consumer_fn fn;
    void *arg;
    struct client_partitions ps;
    struct err e;
};

static void end_commit(struct commit *k)
{
    struct consumer *c = k->c;
    if (!c->closing && k->fn)
        k->fn(k->arg, &k->ps, &k->e);
    client_partitions_free(&k->ps);
    free(k);
    consumer_job_done(c);
}

static void commit_ended(void *arg)
{
    end_commit(arg);
}

/* Runs in on_ops(), on the loop. */
static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                      rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct commit *k = opaque;
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        struct client_partition *mine = client_partitions_find(&k->ps, p->topic, p->partition);
        if (mine)
            mine->code = p->err ? p->err : err;
    }
    if (err)
        client_fail(&k->e, err, "committing offsets of group %s", k->c->group);
    loop_defer(k->c->loop, commit_ended, k); /* not from within a call of librdkafka */
}

void consumer_commit(struct consumer *c, const struct client_partitions *ps, consumer_fn fn,
                     void *arg)
{
    struct commit *k = xcalloc(1, sizeof *k);
    *k = (struct commit){.c = c, .fn = fn, .arg = arg, .ps = client_partitions_copy(ps)};
    c->jobs++;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__UNKNOWN_GROUP;
    if (!c->group) {
        err_set(&k->e, ERR_USAGE, code, "this consumer has no group to commit for");
    } else if (ps->n > 0) {
        rd_kafka_topic_partition_list_t *list = client_list(ps);
        code = rd_kafka_commit_queue(c->rk, list, c->ops.queue, on_commit, k);
        rd_kafka_topic_partition_list_destroy(list);
        if (!code)
            return;
        client_fail(&k->e, code, "committing offsets of group %s", c->group);
    }
    for (size_t i = 0; i < k->ps.n; i++)
        k->ps.items[i].code = code;
    loop_defer(c->loop, commit_ended, k);
}

/* ---- committed ---- */

struct ask {
    struct consumer *c;
    consumer_fn fn;
    void *arg;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
};

static void ask_work(void *arg)
{
    struct ask *a = arg;
    a->code = rd_kafka_committed(a->c->rk, a->list, COMMITTED_MS);
}

static void ask_done(void *arg)
{
    struct ask *a = arg;
    struct consumer *c = a->c;
    struct client_partitions ps = client_from_list(a->list);
    struct err e = {0};
    if (!c->group)
        err_set(&e, ERR_USAGE, a->code, "this consumer has no group with committed offsets");
    else if (a->code)
        client_fail(&e, a->code, "reading committed offsets of group %s", c->group);
    if (!c->closing && a->fn)
        a->fn(a->arg, &ps, &e);
    client_partitions_free(&ps);
    rd_kafka_topic_partition_list_destroy(a->list);
    free(a);
    consumer_job_done(c);
}

void consumer_committed(struct consumer *c, const struct client_partitions *ps, consumer_fn fn,
                        void *arg)
{
    struct ask *a = xcalloc(1, sizeof *a);
    *a = (struct ask){.c = c, .fn = fn, .arg = arg, .list = client_list(ps)};
    for (int i = 0; i < a->list->cnt; i++)
        a->list->elems[i].offset = CLIENT_NO_OFFSET;
    c->jobs++;
    a->code = RD_KAFKA_RESP_ERR__UNKNOWN_GROUP;
    if (c->group && ps->n > 0)
        job_start(c->loop, ask_work, ask_done, a);
    else {
        a->code = c->group ? 0 : a->code;
        loop_defer(c->loop, ask_done, a);
    }
}

/* ---- seek and rewind: one after the other ---- */

struct seek {
    struct seek *next;
    struct consumer *c;
    enum consumer_seek_why why;
    enum { SEEK_WAITS, SEEK_READS, SEEK_SETS } step;
    struct client_partitions ps;
    rd_kafka_topic_partition_list_t *list; /* while the thread has it */
    rd_kafka_resp_err_t code;
    struct err e;
    consumer_fn fn;
    void *arg;
};

static void next_seek(struct consumer *c);

bool consumer_positioning(const struct consumer *c)
{
    return c->seeks != NULL;
}

static void report(struct consumer *c, const struct seek *s)
{
    for (size_t i = 0; i < s->ps.n; i++) {
        const struct client_partition *p = &s->ps.items[i];
        struct slot *slot = consumer_slot(c, p->topic, p->partition, false);
        struct consumer_seek ev = {
            .topic = p->topic,
            .partition = p->partition,
            .from = slot && slot->next >= 0 ? slot->next : -1,
            .to = p->offset,
            .why = s->why == CONSUMER_SEEK_REWIND && p->offset < 0 ? CONSUMER_SEEK_RESET : s->why,
            .code = p->code,
        };
        if (slot && !p->code) {
            slot->next = p->offset >= 0 ? p->offset : CLIENT_NO_OFFSET;
            slot->stored = slot->next;
            slot->doubtful = false;
            slot->end = CLIENT_NO_OFFSET;
        }
        if (c->cb.on_seek && !c->closing)
            c->cb.on_seek(c->cb.arg, &ev);
    }
}

static void free_seek(struct seek *s)
{
    client_partitions_free(&s->ps);
    free(s);
}

static void end_seek(struct consumer *c)
{
    struct seek *s = c->seeks;
    c->seeks = s->next;
    c->seeking = false;
    if (!c->closing) {
        consumer_drop(c, &s->ps);
        report(c, s);
        if (s->fn)
            s->fn(s->arg, &s->ps, &s->e);
    }
    free_seek(s);
    if (c->seeks)
        next_seek(c);
    else {
        consumer_dispatch(c);
        consumer_tell_ready(c);
    }
    consumer_job_done(c);
}

static void set_work(void *arg)
{
    struct seek *s = arg;
    /* Positive timeouts are 1000 times too short in 2.0.2; it is answered at once anyway. */
    rd_kafka_error_t *error = rd_kafka_seek_partitions(s->c->rk, s->list, -1);
    client_fail_error(&s->e, error, "seeking");
}

/* librdkafka answers "outdated", and has done nothing, when it paused a partition for a rebalance
 * in the same moment. That rebalance is told to nobody while positions are being set, so the
 * partition is still ours. */
static bool outdated(struct seek *s)
{
    bool any = false;
    for (int i = 0; i < s->list->cnt && !s->e.kind; i++) {
        any |= s->list->elems[i].err == RD_KAFKA_RESP_ERR__OUTDATED;
    }
    for (int i = 0; i < s->list->cnt && any; i++) {
        s->list->elems[i].err = 0;
    }
    return any && !s->c->closing;
}

static void set_done(void *arg)
{
    struct seek *s = arg;
    if (outdated(s)) {
        job_start(s->c->loop, set_work, set_done, s);
        return;
    }
    for (int i = 0; i < s->list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &s->list->elems[i];
        struct client_partition *mine = client_partitions_find(&s->ps, p->topic, p->partition);
        if (mine && !mine->code)
            mine->code = s->e.kind ? s->e.code : p->err;
        if (mine && mine->code && !s->e.kind)
            client_fail(&s->e, mine->code, "seeking %s[%d]", p->topic, p->partition);
    }
    rd_kafka_topic_partition_list_destroy(s->list);
    s->list = NULL;
    end_seek(s->c);
}

/* From here on nothing is fetched until it is done: a message of before could else set librdkafka's
 * position again. */
static void set_positions(struct seek *s)
{
    s->list = rd_kafka_topic_partition_list_new((int)s->ps.n);
    for (size_t i = 0; i < s->ps.n; i++)
        if (!s->ps.items[i].code)
            rd_kafka_topic_partition_list_add(s->list, s->ps.items[i].topic,
                                              s->ps.items[i].partition)
                ->offset = s->ps.items[i].offset;
    s->step = SEEK_SETS;
    s->c->seeking = true;
    if (s->list->cnt > 0)
        job_start(s->c->loop, set_work, set_done, s);
    else
        loop_defer(s->c->loop, set_done, s);
}

/* Where nothing was committed: as at the start. At the end of the log that would skip what was
 * taken since, so there it is the first message taken. */
static int64_t reset_position(struct consumer *c, const struct client_partition *p)
{
    const struct slot *slot = consumer_slot(c, p->topic, p->partition, false);
    bool given =
        slot && (slot->start >= 0 || slot->start == CLIENT_BEGINNING || slot->start == CLIENT_END);
    int64_t start = given ? slot->start : c->reset;
    if (start < 0 && start != CLIENT_BEGINNING && slot && slot->first >= 0)
        return slot->first;
    return start;
}

static void read_again(void *arg)
{
    struct seek *s = arg;
    s->step = SEEK_WAITS;
    next_seek(s->c);
}

static bool reads_failed(const struct seek *s)
{
    if (s->code)
        return true;
    for (int i = 0; i < s->list->cnt; i++)
        if (s->list->elems[i].err)
            return true;
    return false;
}

static void apply_reads(struct seek *s)
{
    for (int i = 0; i < s->list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &s->list->elems[i];
        struct client_partition *mine = client_partitions_find(&s->ps, p->topic, p->partition);
        mine->offset = p->offset >= 0 ? p->offset : reset_position(s->c, mine);
        if (mine->offset == CLIENT_NO_OFFSET)
            mine->code = RD_KAFKA_RESP_ERR__NO_OFFSET;
    }
}

static void read_done(void *arg)
{
    struct seek *s = arg;
    struct consumer *c = s->c;
    bool failed = reads_failed(s);
    if (!failed)
        apply_reads(s);
    rd_kafka_topic_partition_list_destroy(s->list);
    s->list = NULL;
    if (failed && !c->closing)
        timer_start(c->loop, AGAIN_MS, 0, read_again, s);
    else if (failed)
        end_seek(c);
    else
        set_positions(s);
}

static void read_work(void *arg)
{
    struct seek *s = arg;
    s->code = rd_kafka_committed(s->c->rk, s->list, COMMITTED_MS);
}

/* Partitions that are about to be taken away need no position. */
static void forget_revoked(struct seek *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->ps.n; i++) {
        const struct client_partition *p = &s->ps.items[i];
        bool gone = false;
        for (const struct note *n = s->c->notes; n; n = n->next)
            gone |= !n->assign && client_partitions_find(&n->partitions, p->topic, p->partition);
        if (!gone)
            s->ps.items[kept++] = *p;
    }
    s->ps.n = kept;
}

static void end_now(void *arg)
{
    end_seek(arg);
}

static void next_seek(struct consumer *c)
{
    struct seek *s = c->seeks;
    if (s->step != SEEK_WAITS)
        return;
    if (s->why == CONSUMER_SEEK_REWIND)
        forget_revoked(s);
    s->step = SEEK_READS;
    s->list = rd_kafka_topic_partition_list_new((int)s->ps.n);
    for (size_t i = 0; i < s->ps.n; i++)
        if (s->ps.items[i].offset == CLIENT_STORED)
            rd_kafka_topic_partition_list_add(s->list, s->ps.items[i].topic,
                                              s->ps.items[i].partition);
    if (s->list->cnt > 0 && c->group && !c->closing) {
        job_start(c->loop, read_work, read_done, s);
        return;
    }
    if (!c->group)
        apply_reads(s);
    rd_kafka_topic_partition_list_destroy(s->list);
    s->list = NULL;
    if (s->ps.n == 0 || c->closing)
        loop_defer(c->loop, end_now, c);
    else
        set_positions(s);
}

void consumer_add_seek(struct consumer *c, struct client_partitions ps, enum consumer_seek_why why,
                       consumer_fn fn, void *arg)
{
    struct seek *s = xcalloc(1, sizeof *s), **end = &c->seeks;
    s->c = c;
    s->why = why;
    s->ps = ps;
    s->fn = fn;
    s->arg = arg;
    c->jobs++;
    while (*end)
        end = &(*end)->next;
    *end = s;
    if (c->seeks == s)
        next_seek(c);
}

void consumer_seek(struct consumer *c, const struct client_partitions *ps, consumer_fn fn,
                   void *arg)
{
    consumer_add_seek(c, client_partitions_copy(ps), CONSUMER_SEEK_ROLE, fn, arg);
}

/* Without a rebalance callback only librdkafka knows what is assigned. */
static struct client_partitions assigned(struct consumer *c)
{
    struct client_partitions ps = {0};
    rd_kafka_topic_partition_list_t *list = NULL;
    if (!c->no_callback)
        ps = client_partitions_copy(consumer_assignment(c));
    else if (!rd_kafka_assignment(c->rk, &list)) {
        ps = client_from_list(list);
        rd_kafka_topic_partition_list_destroy(list);
    }
    return ps;
}

void consumer_rewind(struct consumer *c)
{
    struct client_partitions ps = assigned(c);
    for (size_t i = 0; i < ps.n; i++) {
        ps.items[i].offset = CLIENT_STORED;
        ps.items[i].code = 0;
    }
    if (c->closing || ps.n == 0) {
        client_partitions_free(&ps);
        return;
    }
    consumer_add_seek(c, ps, CONSUMER_SEEK_REWIND, NULL, NULL);
}

void consumer_offsets_free(struct consumer *c)
{
    while (c->seeks) {
        struct seek *s = c->seeks;
        c->seeks = s->next;
        free_seek(s);
    }
}

/* ---- flow ---- */

static int flow(struct consumer *c, const struct client_partitions *ps, bool pause, struct err *e)
{
    rd_kafka_topic_partition_list_t *list = client_list(ps);
    rd_kafka_resp_err_t code =
        pause ? rd_kafka_pause_partitions(c->rk, list) : rd_kafka_resume_partitions(c->rk, list);
    int rc = 0;
    for (int i = 0; i < list->cnt; i++) {
        struct slot *s = consumer_slot(c, list->elems[i].topic, list->elems[i].partition, true);
        int bad = code ? code : list->elems[i].err;
        if (!bad && !s->assigned && !c->no_callback)
            bad = RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
        if (!bad)
            s->paused = pause;
        else if (rc == 0)
            rc = client_fail(e, bad, "%s %s[%d]", pause ? "pausing" : "resuming", s->topic,
                             s->partition);
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (!pause)
        consumer_tell_ready(c);
    return rc;
}

int consumer_pause(struct consumer *c, const struct client_partitions *ps, struct err *e)
{
    return flow(c, ps, true, e);
}

int consumer_resume(struct consumer *c, const struct client_partitions *ps, struct err *e)
{
    return flow(c, ps, false, e);
}

int64_t consumer_position(const struct consumer *c, const char *topic, int32_t partition)
{
    const struct slot *s = consumer_slot((struct consumer *)c, topic, partition, false);
    return s ? s->next : CLIENT_NO_OFFSET;
}
