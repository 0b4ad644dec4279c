/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how a rebalance is answered: librdkafka's callback only notes it, and returns; the answer
 * comes later, on the loop. Nothing is delivered in between (librdkafka has paused everything). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/consumer_internal.h"

static bool cooperative(const struct consumer *c)
{
    const char *protocol = rd_kafka_rebalance_protocol(c->rk);
    return protocol && strcmp(protocol, "COOPERATIVE") == 0;
}

static const char *protocol_name(const struct consumer *c)
{
    const char *protocol = rd_kafka_rebalance_protocol(c->rk);
    if (!c->group || !protocol || strcmp(protocol, "NONE") == 0)
        return "none";
    return strcmp(protocol, "COOPERATIVE") == 0 ? "cooperative" : "eager";
}

/* ---- noting ---- */

static void add_note(struct consumer *c, bool assign, bool lost,
                     rd_kafka_topic_partition_list_t *list)
{
    struct note *n = xcalloc(1, sizeof *n);
    n->assign = assign;
    n->lost = lost;
    n->list = list;
    n->partitions = client_from_list(list);
    *c->notes_end = n;
    c->notes_end = &n->next;
    consumer_dispatch(c);
}

static void pop_note(struct consumer *c)
{
    struct note *n = c->notes;
    c->notes = n->next;
    if (!c->notes)
        c->notes_end = &c->notes;
    rd_kafka_topic_partition_list_destroy(n->list);
    client_partitions_free(&n->partitions);
    free(n);
}

/* In a close this runs on the closing thread, which alone uses the consumer then. */
static void answer_in_close(rd_kafka_t *rk, bool assign, rd_kafka_topic_partition_list_t *list)
{
    const char *protocol = rd_kafka_rebalance_protocol(rk);
    if (!assign && protocol && strcmp(protocol, "COOPERATIVE") == 0) {
        rd_kafka_error_t *error = rd_kafka_incremental_unassign(rk, list);
        if (error)
            rd_kafka_error_destroy(error);
        return;
    }
    rd_kafka_assign(rk, NULL);
}

void consumer_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                           rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct consumer *c = opaque;
    bool assign = err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (c->closing) {
        answer_in_close(rk, assign, list);
        return;
    }
    if (!assign && err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        struct err e = {0};
        client_fail(&e, err, "rebalance of group %s", c->group);
        consumer_tell_error(c, &e);
        rd_kafka_assign(rk, NULL);
        return;
    }
    add_note(c, assign, !assign && rd_kafka_assignment_lost(rk),
             rd_kafka_topic_partition_list_copy(list));
}

/* ---- telling the owner ---- */

static void tell_owner(struct consumer *c, const struct note *n, bool closing)
{
    struct membership *now = c->group ? membership_now(c->rk) : NULL;
    struct consumer_rebalance r = {
        .partitions = &n->partitions,
        .member = membership_member(now),
        .generation = membership_generation(now),
        .protocol = protocol_name(c),
        .assignment = c->number + 1,
        .closing = closing,
    };
    void (*fn)(void *, const struct consumer_rebalance *) = n->assign ? c->cb.on_assign
                                                            : n->lost ? c->cb.on_lost
                                                                      : c->cb.on_revoke;
    if (fn)
        fn(c->cb.arg, &r);
    membership_free(now);
    if (!fn && !closing)
        consumer_answer(c);
}

/* A revoke waits for the transaction; everything waits for positions that are being set, else a
 * seek could hit the next assignment. */
static void dispatch(void *arg)
{
    struct consumer *c = arg;
    struct note *n = c->notes;
    c->dispatching = false;
    if (!c->closing && n && !n->told && !c->seeking) {
        if (!n->assign && c->hold)
            c->hold(c->hold_arg, n->lost);
        else if (!consumer_positioning(c)) {
            n->told = true;
            tell_owner(c, n, false);
        }
    }
    consumer_job_done(c);
}

void consumer_dispatch(struct consumer *c)
{
    if (c->dispatching || c->closing || !c->notes || c->notes->told)
        return;
    c->dispatching = true;
    c->jobs++;
    loop_defer(c->loop, dispatch, c);
}

bool consumer_rebalancing(const struct consumer *c)
{
    return c->notes != NULL || c->rejoin_ticks > 0;
}

/* ---- answering ---- */

static void apply_assign(struct consumer *c, const struct note *n)
{
    for (size_t i = 0; i < n->partitions.n; i++) {
        struct slot *s =
            consumer_slot(c, n->partitions.items[i].topic, n->partitions.items[i].partition, true);
        s->assigned = true;
        s->paused = false;
        s->next = s->first = s->stored = CLIENT_NO_OFFSET;
        const rd_kafka_topic_partition_t *given =
            rd_kafka_topic_partition_list_find(n->list, s->topic, s->partition);
        s->start = given ? given->offset : CLIENT_NO_OFFSET;
        s->end = CLIENT_NO_OFFSET;
        s->doubtful = c->stable && (s->start == CLIENT_NO_OFFSET || s->start == CLIENT_STORED);
    }
}

static void apply_revoke(struct consumer *c, const struct note *n, bool all)
{
    for (size_t i = 0; i < c->slots.n; i++) {
        struct slot *s = &c->slots.items[i];
        if (all || client_partitions_find(&n->partitions, s->topic, s->partition))
            s->assigned = false;
    }
    consumer_drop(c, NULL);
}

static int call(struct consumer *c, const struct note *n, bool incremental, struct err *e)
{
    rd_kafka_error_t *error = NULL;
    rd_kafka_resp_err_t code = 0;
    if (incremental && n->assign)
        error = rd_kafka_incremental_assign(c->rk, n->list);
    else if (incremental)
        error = rd_kafka_incremental_unassign(c->rk, n->list);
    else
        code = rd_kafka_assign(c->rk, n->assign ? n->list : NULL);
    if (error)
        return client_fail_error(e, error, n->assign ? "assigning" : "unassigning");
    return code ? client_fail(e, code, "%s", n->assign ? "assigning" : "unassigning") : 0;
}

void consumer_answer(struct consumer *c)
{
    struct note *n = c->notes;
    if (!n || !n->told)
        return;
    bool incremental = c->group && cooperative(c);
    struct err e = {0};
    /* Before the call: while the answer is due the generation can not move on. */
    membership_free(c->membership);
    c->membership = c->group ? membership_now(c->rk) : NULL;
    if (n->assign && !incremental)
        apply_revoke(c, n, true);
    if (n->assign)
        apply_assign(c, n);
    else
        apply_revoke(c, n, !incremental);
    int rc = call(c, n, incremental, &e);
    c->number++;
    pop_note(c);
    if (rc)
        consumer_tell_error(c, &e);
    consumer_dispatch(c);
    consumer_tell_ready(c);
}

uint64_t consumer_assignment_number(const struct consumer *c)
{
    return c->number;
}

const struct client_partitions *consumer_assignment(const struct consumer *c)
{
    struct consumer *mine = (struct consumer *)c;
    mine->assignment.n = 0;
    for (size_t i = 0; i < c->slots.n; i++) {
        const struct slot *s = &c->slots.items[i];
        if (s->assigned)
            client_partitions_add(&mine->assignment, s->topic, s->partition, s->next);
    }
    return &c->assignment;
}

struct membership *consumer_membership(struct consumer *c)
{
    return c->group ? membership_now(c->rk) : NULL;
}

/* ---- transactions ---- */

int consumer_hold(struct consumer *c, consumer_hold_fn fn, void *arg)
{
    if (c->hold)
        return -1;
    c->hold = fn;
    c->hold_arg = arg;
    consumer_dispatch(c);
    return 0;
}

void consumer_unhold(struct consumer *c)
{
    c->hold = NULL;
    consumer_dispatch(c);
}

bool consumer_lost(struct consumer *c)
{
    for (const struct note *n = c->notes; n; n = n->next)
        if (!n->assign && (n->lost || rd_kafka_assignment_lost(c->rk)))
            return true;
    return false;
}

bool consumer_revoke_held(struct consumer *c)
{
    return c->notes && !c->notes->assign && !c->notes->next && !consumer_lost(c);
}

uint64_t consumer_patience(const struct consumer *c)
{
    return c->session / 2 > 0 ? c->session / 2 : 1;
}

/* ---- leaving and joining again ---- */

int consumer_rejoin(struct consumer *c, struct err *e)
{
    if (!c->group || c->rejoin_ticks > 0)
        return 0;
    rd_kafka_resp_err_t code = rd_kafka_unsubscribe(c->rk);
    if (code)
        return client_fail(e, code, "leaving group %s", c->group);
    c->rejoin_ticks = 1;
    c->rejoined = true;
    return 0;
}

/* librdkafka postpones an unsubscribe while it rebalances, and a subscribe then cancels it. */
static bool unsubscribed(struct consumer *c)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    if (rd_kafka_subscription(c->rk, &list))
        return true;
    bool empty = list->cnt == 0;
    rd_kafka_topic_partition_list_destroy(list);
    return empty;
}

static void join_again(struct consumer *c)
{
    enum { MOST = 50 };
    c->rejoin_ticks++;
    if (c->notes || consumer_positioning(c))
        return;
    /* One tick more, so that the leave is on its way. */
    if (c->rejoin_ticks < 3 || (!unsubscribed(c) && c->rejoin_ticks < MOST))
        return;
    rd_kafka_resp_err_t code = rd_kafka_subscribe(c->rk, c->topics);
    struct err e = {0};
    if (code) {
        client_fail(&e, code, "joining group %s again", c->group);
        consumer_tell_error(c, &e);
        return;
    }
    c->rejoin_ticks = 0;
}

void consumer_group_tick(struct consumer *c)
{
    struct note *n = c->notes;
    if (n && !n->assign && !n->lost && !n->told && rd_kafka_assignment_lost(c->rk)) {
        n->lost = true; /* held too long: say so to the holder */
        consumer_dispatch(c);
    }
    if (c->rejoin_ticks > 0)
        join_again(c);
}

/* librdkafka's main thread looks whether a heartbeat is due when it has something else to do, and
 * at least every LOOKS_MS. An idle member whose session is not several times as long is evicted.
 * Any request to that thread makes it look; this one is the smallest. */
enum { LOOKS_MS = 500, BEAT_LEAST_MS = 10 };

static void on_beat(void *arg)
{
    struct consumer *c = arg;
    char *member = rd_kafka_memberid(c->rk);
    if (member)
        rd_kafka_mem_free(c->rk, member);
}

void consumer_group_beat(struct consumer *c)
{
    uint64_t every = c->heartbeat / 2 > BEAT_LEAST_MS ? c->heartbeat / 2 : BEAT_LEAST_MS;
    if (c->heartbeat < LOOKS_MS)
        c->beat = timer_start(c->loop, every, every, on_beat, c);
}

void consumer_give_up(struct consumer *c)
{
    while (c->notes) {
        if (!c->notes->assign && !c->notes->told)
            tell_owner(c, c->notes, true);
        c->notes->told = true;
        if (c->notes->assign)
            pop_note(c);
        else
            consumer_answer(c);
    }
    struct note rest = {.partitions = client_partitions_copy(consumer_assignment(c))};
    if (rest.partitions.n > 0)
        tell_owner(c, &rest, true);
    client_partitions_free(&rest.partitions);
    for (size_t i = 0; i < c->slots.n; i++)
        c->slots.items[i].assigned = false;
}

/* ---- all partitions, without a group ---- */

struct look {
    struct consumer *c;
    rd_kafka_topic_partition_list_t *found; /* NULL: not all topics are known */
};

static bool add_topic(struct look *k, const char *topic, int64_t reset)
{
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(k->c->rk, topic, NULL);
    bool ok = rkt && rd_kafka_metadata(k->c->rk, 0, rkt, &md, 2000) == 0 && md->topic_cnt == 1 &&
              md->topics[0].err == 0 && md->topics[0].partition_cnt > 0;
    for (int i = 0; ok && i < md->topics[0].partition_cnt; i++)
        rd_kafka_topic_partition_list_add(k->found, topic, md->topics[0].partitions[i].id)->offset =
            reset;
    if (md)
        rd_kafka_metadata_destroy(md);
    if (rkt)
        rd_kafka_topic_destroy(rkt);
    return ok;
}

static void look(void *arg)
{
    struct look *k = arg;
    const rd_kafka_topic_partition_list_t *topics = k->c->topics;
    k->found = rd_kafka_topic_partition_list_new(8);
    for (int i = 0; i < topics->cnt; i++) {
        if (add_topic(k, topics->elems[i].topic, k->c->reset))
            continue;
        rd_kafka_topic_partition_list_destroy(k->found);
        k->found = NULL;
        return;
    }
}

static void look_again(void *arg)
{
    struct consumer *c = arg;
    if (!c->closing)
        consumer_look_up(c);
    consumer_job_done(c);
}

static void looked(void *arg)
{
    struct look *k = arg;
    struct consumer *c = k->c;
    if (k->found && !c->closing)
        add_note(c, true, false, k->found);
    else if (k->found)
        rd_kafka_topic_partition_list_destroy(k->found);
    else if (!c->closing) {
        c->jobs++;
        timer_start(c->loop, 200, 0, look_again, c);
    }
    free(k);
    consumer_job_done(c);
}

void consumer_look_up(struct consumer *c)
{
    struct look *k = xcalloc(1, sizeof *k);
    k->c = c;
    c->jobs++;
    job_start(c->loop, look, looked, k);
}
