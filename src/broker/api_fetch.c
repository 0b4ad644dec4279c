/* SPDX-License-Identifier: Apache-2.0 */
/* Fetch. Hides the long poll: a fetch that finds too little is tried again whenever one of its
 * partitions moves, and answered at the latest when its time is up. Loop thread only. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/call.h"
#include "broker/fetch.h"
#include "broker/fetch_plan.h"
#include "broker/hint.h"
#include "broker/leaders.h"
#include "broker/nodes.h"
#include "broker/part.h"

enum {
    HINTS_FROM = 16,
    ANSWER_BYTES = 8 << 20, /* of records, whatever was allowed: clients read in pieces they like */
    ENOUGH = ANSWER_BYTES / 2,
};

struct fetch_wait {
    struct call *call;
    struct timer *timer;
    struct fetch_wait *next; /**< in the list of those to be looked at */
    bool ready;
    bool late; /**< its time is up */
    size_t nhooks;
    struct fetch_hook hooks[];
};

/** What one pass over the request found. */
struct pass {
    struct call *call;
    int64_t left;             /**< of max bytes */
    size_t bytes;             /**< in the answer */
    bool any;                 /**< there is a batch in the answer */
    size_t known;             /**< partitions that exist */
    bool now;                 /**< something that cannot wait: an error */
    struct wire_value *topic; /**< the last element of the answer, NULL = none yet */
    const struct fetch_ask *topic_ask;
};

static int check_epoch(const struct partition *p, int64_t asked)
{
    if (asked < 0 || asked == p->leader_epoch) {
        return KAFKA_NONE;
    }
    return asked < p->leader_epoch ? KAFKA_FENCED_LEADER_EPOCH : KAFKA_UNKNOWN_LEADER_EPOCH;
}

/** Where what is asked for is; NULL with Kafka's code when it is not there. */
static struct partition *locate(const struct broker *b, const struct fetch_ask *ask, int *code)
{
    const struct topic *t = ask->id ? part_topic_by_id(b, ask->id) : part_topic(b, ask->name);
    if (t && ask->partition >= 0 && ask->partition < t->nparts) {
        *code = KAFKA_NONE;
        return t->parts[ask->partition];
    }
    bool gone = ask->id && !t;
    *code = !gone                      ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
            : !ask->name               ? KAFKA_UNKNOWN_TOPIC_ID
            : part_topic(b, ask->name) ? KAFKA_INCONSISTENT_TOPIC_ID
                                       : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    return NULL;
}

static bool committed(const struct call *c)
{
    return wire_int(&c->req.root, "IsolationLevel") == 1;
}

/** Aborted transactions that overlap [from, next), in order of completion. */
static void put_aborted(struct pass *s, struct wire_value *out, const struct partition *p,
                        int64_t from, int64_t next)
{
    struct call *c = s->call;
    if (!committed(c)) {
        wire_set_null(out, "AbortedTransactions");
        return;
    }
    for (size_t i = pstate_aborted_from(&p->producers, from); i < p->producers.aborted.n; i++) {
        const struct pstate_aborted *a = &p->producers.aborted.items[i];
        if (a->first < next) {
            struct wire_value *v = wire_add(&c->resp, out, "AbortedTransactions");
            wire_set_int(v, "ProducerId", a->producer_id);
            wire_set_int(v, "FirstOffset", a->first);
        }
    }
}

/** What a partition has to say. */
struct reading {
    int code;
    struct partition *p; /**< NULL = it does not exist */
    bool diverges;
    int32_t epoch; /**< where it does: the greatest common epoch and its end */
    int64_t end;
    struct plog_slice slice;
};

/** The records that the asker has may not be those of this log. */
static int check_history(const struct fetch_ask *ask, struct reading *r)
{
    if (ask->last_epoch < 0) {
        return KAFKA_NONE;
    }
    leaders_epoch_end(r->p, ask->last_epoch, &r->epoch, &r->end);
    if (r->end < 0) {
        return KAFKA_OFFSET_OUT_OF_RANGE;
    }
    r->diverges = r->epoch < ask->last_epoch || r->end < ask->offset;
    return KAFKA_NONE;
}

static void read_records(struct pass *s, const struct fetch_ask *ask, struct reading *r)
{
    const struct partition *p = r->p;
    int64_t upto = committed(s->call) ? part_lso(p) : p->log.end;
    int64_t limit = ask->max_bytes < s->left ? ask->max_bytes : s->left;
    r->slice = (struct plog_slice){.next = ask->offset};
    if (limit > 0 || !s->any) {
        r->slice = plog_read(&p->log, ask->offset, upto, limit > 0 ? (size_t)limit : 0, !s->any);
    }
}

static void read_log(struct pass *s, const struct fetch_ask *ask, struct reading *r)
{
    r->p = locate(s->call->b, ask, &r->code);
    if (r->code == KAFKA_NONE && r->p->leader != s->call->node->id) {
        r->code = KAFKA_NOT_LEADER_OR_FOLLOWER;
    }
    if (r->code == KAFKA_NONE) {
        r->code = check_epoch(r->p, ask->epoch);
    }
    if (r->code == KAFKA_NONE) {
        r->code = check_history(ask, r);
    }
    if (r->code != KAFKA_NONE) {
        return;
    }
    if (ask->offset < r->p->log.start || (ask->offset > r->p->log.end && !r->diverges)) {
        r->code = KAFKA_OFFSET_OUT_OF_RANGE;
    } else if (!r->diverges) {
        read_records(s, ask, r);
    }
}

static void put_error(struct pass *s, struct wire_value *out, const struct reading *r)
{
    struct call *c = s->call;
    wire_set_int(out, "HighWatermark", -1);
    if (!r->p && r->code != KAFKA_INCONSISTENT_TOPIC_ID) {
        return; /* one that does not exist lets the others wait */
    }
    wire_set_null(out, "AbortedTransactions");
    bool moved = r->code == KAFKA_NOT_LEADER_OR_FOLLOWER || r->code == KAFKA_FENCED_LEADER_EPOCH;
    if (moved && c->version >= HINTS_FROM) {
        hint_leader(c, out, r->p);
    }
}

static void put_log(struct pass *s, struct wire_value *out, const struct fetch_ask *ask,
                    const struct reading *r)
{
    const struct partition *p = r->p;
    wire_set_int(out, "HighWatermark", p->log.end);
    wire_set_int(out, "LastStableOffset", part_lso(p));
    wire_set_int(out, "LogStartOffset", p->log.start);
    if (r->diverges) {
        struct wire_value *v = wire_member(out, "DivergingEpoch");
        wire_set_int(v, "Epoch", r->epoch);
        wire_set_int(v, "EndOffset", r->end);
        wire_set_null(out, "AbortedTransactions");
        return;
    }
    put_aborted(s, out, p, ask->offset, r->slice.next);
    if (r->slice.segment) {
        *VEC_PUSH(&s->call->kept) = plog_keep(r->slice.segment);
        wire_set_blob(out, "Records", r->slice.p, r->slice.len);
    }
}

static bool same_topic(const struct fetch_ask *a, const struct fetch_ask *b)
{
    if (a->id && b->id) {
        return memcmp(a->id, b->id, TOPIC_ID_BYTES) == 0;
    }
    return a->name && b->name && strcmp(a->name, b->name) == 0;
}

/** The answer's element of the partition; those of a topic that follow each other stand together.
 */
static struct wire_value *add_partition(struct pass *s, const struct fetch_ask *ask)
{
    struct call *c = s->call;
    if (!s->topic || !same_topic(s->topic_ask, ask)) {
        s->topic = wire_add(&c->resp, &c->resp.root, "Responses");
        s->topic_ask = ask;
        if (ask->id) {
            wire_set_blob(s->topic, "TopicId", ask->id, TOPIC_ID_BYTES);
        } else {
            wire_set_str(&c->resp, s->topic, "Topic", ask->name);
        }
    }
    return wire_add(&c->resp, s->topic, "Partitions");
}

static void read_one(struct pass *s, struct fetch_ask *ask)
{
    struct reading r = {0};
    read_log(s, ask, &r);
    ask->failed = r.code != KAFKA_NONE;
    ask->some = r.slice.segment || r.diverges;
    ask->high = ask->failed ? -1 : r.p->log.end;
    ask->start = ask->failed ? -1 : r.p->log.start;
    s->known += !ask->failed;
    s->now |= r.diverges || (ask->failed && (r.p || r.code == KAFKA_INCONSISTENT_TOPIC_ID));
    if (r.slice.segment) {
        s->any = true;
        s->bytes += r.slice.len;
        s->left -= (int64_t)r.slice.len;
    }
    if (!fetch_session_changed(ask)) {
        return;
    }
    struct wire_value *out = add_partition(s, ask);
    wire_set_int(out, "PartitionIndex", ask->partition);
    wire_set_int(out, "ErrorCode", r.code);
    if (ask->failed) {
        put_error(s, out, &r);
    } else {
        put_log(s, out, ask, &r);
    }
}

/** Fills the answer. @return whether it is worth sending now. */
static bool try_fetch(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    int64_t max = wire_int(req, "MaxBytes"), min = wire_int(req, "MinBytes");
    struct pass s = {.call = c, .left = max < ANSWER_BYTES ? max : ANSWER_BYTES};
    for (size_t i = 0; i < c->plan->n && !c->resp.over; i++) {
        read_one(&s, &c->plan->asks[i]);
    }
    return s.now || s.known == 0 || (int64_t)s.bytes >= (min < ENOUGH ? min : ENOUGH);
}

static void forget_answer(struct call *c)
{
    for (size_t i = 0; i < c->kept.n; i++) {
        plog_drop(c->kept.items[i]);
    }
    c->kept.n = 0;
    call_new_answer(c);
}

/** Sends what try_fetch has filled in, and notes in the session what has been said. */
static void answer(struct call *c)
{
    struct fetch_plan *plan = c->plan;
    struct fetch_session *s = plan->session;
    if (plan->begins) {
        s = fetch_session_new(c, plan->asks, plan->n);
    } else if (s && s->epoch != plan->epoch) { /* another request has used it meanwhile */
        forget_answer(c);
        wire_set_int(&c->resp.root, "ErrorCode", KAFKA_INVALID_FETCH_SESSION_EPOCH);
    } else {
        for (size_t i = 0; s && i < plan->n; i++) {
            fetch_session_said(s, &plan->asks[i]);
        }
    }
    wire_set_int(&c->resp.root, "SessionId", s ? s->id : FETCH_NO_SESSION);
    call_reply(c);
}

/* ---- waiting ----------------------------------------------------------------------------------
 */

static void hook_remove(struct fetch_hook *h)
{
    if (h->link) {
        *h->link = h->next;
        if (h->next) {
            h->next->link = h->link;
        }
        h->link = NULL;
    }
}

static void unlist(struct fetch_wait **at, const struct fetch_wait *w)
{
    for (; w->ready && *at; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            return;
        }
    }
}

static void mark_ready(struct broker *b, struct fetch_wait *w);

static void stop_waiting(struct fetch_wait *w)
{
    struct broker *b = w->call->b;
    for (size_t i = 0; i < w->nhooks; i++) {
        hook_remove(&w->hooks[i]);
    }
    unlist(&b->fetch_ready, w);
    unlist(&b->fetch_frozen, w);
    timer_stop(w->timer);
    w->call->cancel = NULL;
    w->call->owner = NULL;
    free(w);
}

static void answer_late(void *arg)
{
    struct fetch_wait *w = arg;
    w->timer = NULL;
    w->late = true;
    mark_ready(w->call->b, w);
}

static void cancel(struct call *c)
{
    stop_waiting(c->owner);
    call_done(c);
}

static void add_hooks(struct fetch_wait *w)
{
    struct call *c = w->call;
    for (size_t i = 0; i < c->plan->n; i++) {
        int code;
        struct partition *p = locate(c->b, &c->plan->asks[i], &code);
        struct fetch_hook *h = &w->hooks[w->nhooks];
        if (p) {
            *h = (struct fetch_hook){w, p->waiting, &p->waiting};
            if (h->next) {
                h->next->link = &h->next;
            }
            p->waiting = h;
            w->nhooks++;
        }
    }
}

static void wait(struct call *c, int64_t max_wait_ms)
{
    struct fetch_wait *w = xcalloc(1, sizeof *w + c->plan->n * sizeof w->hooks[0]);
    w->call = c;
    c->owner = w;
    c->cancel = cancel;
    add_hooks(w);
    w->timer = timer_start(c->b->loop, (uint64_t)max_wait_ms, 0, answer_late, w);
}

static void look_again(void *arg)
{
    struct broker *b = arg;
    b->fetch_deferred = false;
    while (b->fetch_ready) {
        struct fetch_wait *w = b->fetch_ready;
        struct call *c = w->call;
        b->fetch_ready = w->next;
        if (!nodes_runs(c->node)) {
            w->next = b->fetch_frozen;
            b->fetch_frozen = w;
            continue;
        }
        w->ready = false;
        if (try_fetch(c) || w->late) {
            stop_waiting(w);
            answer(c);
        } else {
            forget_answer(c);
        }
    }
}

static void mark_ready(struct broker *b, struct fetch_wait *w)
{
    if (w->ready) {
        return;
    }
    w->ready = true;
    w->next = b->fetch_ready;
    b->fetch_ready = w;
    if (!b->fetch_deferred) {
        b->fetch_deferred = true;
        loop_defer(b->loop, look_again, b);
    }
}

void fetch_thaw(struct broker *b)
{
    struct fetch_wait *list = b->fetch_frozen;
    b->fetch_frozen = NULL;
    while (list) {
        struct fetch_wait *w = list;
        list = w->next;
        w->ready = false;
        mark_ready(b, w);
    }
}

void fetch_wake(struct broker *b, struct partition *p)
{
    for (struct fetch_hook *h = p->waiting; h; h = h->next) {
        mark_ready(b, h->wait);
    }
}

void fetch_forget(struct broker *b, struct partition *p)
{
    while (p->waiting) {
        struct fetch_hook *h = p->waiting;
        mark_ready(b, h->wait);
        hook_remove(h);
    }
}

void api_fetch(struct call *c)
{
    int64_t max_wait = wire_int(&c->req.root, "MaxWaitMs");
    int code = fetch_plan_make(c);
    if (code != KAFKA_NONE) {
        wire_set_int(&c->resp.root, "ErrorCode", code);
        call_reply(c);
    } else if (try_fetch(c) || max_wait <= 0 || c->plan->n == 0) {
        answer(c);
    } else {
        forget_answer(c);
        wait(c, max_wait);
    }
}
