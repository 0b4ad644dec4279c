/* SPDX-License-Identifier: Apache-2.0 */
/* Fetch. Hides the long poll: a fetch that finds too little is tried again whenever one of its
 * partitions moves, and answered at the latest when its time is up. Sessions are refused the way a
 * broker with a full cache refuses them: session id 0. Loop thread only. */
#include <stdlib.h>

#include "base/mem.h"
#include "broker/call.h"
#include "broker/fetch.h"
#include "broker/nodes.h"
#include "broker/part.h"

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
    int64_t left; /**< of max bytes */
    size_t bytes; /**< in the answer, or that could be read */
    bool any;     /**< there is a batch in the answer */
    size_t known; /**< partitions that exist */
    bool now;     /**< something that cannot wait: an error */
};

static int check_epoch(const struct partition *p, int64_t asked)
{
    if (asked < 0 || asked == p->leader_epoch) {
        return KAFKA_NONE;
    }
    return asked < p->leader_epoch ? KAFKA_FENCED_LEADER_EPOCH : KAFKA_UNKNOWN_LEADER_EPOCH;
}

static int find(struct call *c, const char *topic, const struct wire_value *ask,
                struct partition **p)
{
    *p = part_find(c->b, topic, (int32_t)wire_int(ask, "Partition"));
    if (!*p) {
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if ((*p)->leader != c->node->id) {
        return KAFKA_NOT_LEADER_OR_FOLLOWER;
    }
    return check_epoch(*p, wire_int(ask, "CurrentLeaderEpoch"));
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
    for (size_t i = 0; i < p->producers.aborted.n; i++) {
        const struct pstate_aborted *a = &p->producers.aborted.items[i];
        if (a->last >= from && a->first < next) {
            struct wire_value *v = wire_add(&c->resp, out, "AbortedTransactions");
            wire_set_int(v, "ProducerId", a->producer_id);
            wire_set_int(v, "FirstOffset", a->first);
        }
    }
}

static void put_records(struct pass *s, struct wire_value *out, const struct partition *p,
                        const struct wire_value *ask)
{
    struct call *c = s->call;
    int64_t from = wire_int(ask, "FetchOffset"), max = wire_int(ask, "PartitionMaxBytes");
    int64_t upto = committed(c) ? part_lso(p) : p->log.end;
    int64_t limit = max < s->left ? max : s->left;
    struct plog_slice r = {.next = from};
    if (limit > 0 || !s->any) {
        r = plog_read(&p->log, from, upto, limit > 0 ? (size_t)limit : 0, !s->any);
    }
    put_aborted(s, out, p, from, r.next);
    if (r.segment) {
        *VEC_PUSH(&c->kept) = plog_keep(r.segment);
        wire_set_blob(out, "Records", r.p, r.len);
        s->any = true;
        s->bytes += r.len;
        s->left -= (int64_t)r.len;
    }
}

static void read_one(struct pass *s, struct wire_value *topic, const char *name,
                     const struct wire_value *ask)
{
    struct call *c = s->call;
    struct partition *p;
    struct wire_value *out = wire_add(&c->resp, topic, "Partitions");
    int64_t from = wire_int(ask, "FetchOffset");
    int code = find(c, name, ask, &p);
    if (code == KAFKA_NONE && (from < p->log.start || from > p->log.end)) {
        code = KAFKA_OFFSET_OUT_OF_RANGE;
    }
    wire_set_int(out, "PartitionIndex", wire_int(ask, "Partition"));
    wire_set_int(out, "ErrorCode", code);
    if (code != KAFKA_NONE) {
        wire_set_int(out, "HighWatermark", -1);
        if (p) { /* one that does not exist lets the others wait */
            wire_set_null(out, "AbortedTransactions");
            s->now = true;
        }
        return;
    }
    s->known++;
    wire_set_int(out, "HighWatermark", p->log.end);
    wire_set_int(out, "LastStableOffset", part_lso(p));
    wire_set_int(out, "LogStartOffset", p->log.start);
    put_records(s, out, p, ask);
}

/** Fills the answer. @return whether it is worth sending now. */
static bool try_fetch(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct pass s = {.call = c, .left = wire_int(req, "MaxBytes")};
    for (size_t i = 0; i < wire_count(req, "Topics") && !c->resp.over; i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        struct wire_value *out = wire_add(&c->resp, &c->resp.root, "Responses");
        const char *name = wire_str(t, "Topic");
        wire_set_str(&c->resp, out, "Topic", name);
        for (size_t k = 0; k < wire_count(t, "Partitions") && !c->resp.over; k++) {
            read_one(&s, out, name, wire_at(t, "Partitions", k));
        }
    }
    return s.now || s.known == 0 || (int64_t)s.bytes >= wire_int(req, "MinBytes");
}

static void forget_answer(struct call *c)
{
    for (size_t i = 0; i < c->kept.n; i++) {
        plog_drop(c->kept.items[i]);
    }
    c->kept.n = 0;
    call_new_answer(c);
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

static size_t count_partitions(const struct call *c)
{
    size_t n = 0;
    for (size_t i = 0; i < wire_count(&c->req.root, "Topics") && !c->resp.over; i++) {
        n += wire_count(wire_at(&c->req.root, "Topics", i), "Partitions");
    }
    return n;
}

static void add_hooks(struct fetch_wait *w)
{
    struct call *c = w->call;
    for (size_t i = 0; i < wire_count(&c->req.root, "Topics") && !c->resp.over; i++) {
        const struct wire_value *t = wire_at(&c->req.root, "Topics", i);
        const char *name = wire_str(t, "Topic");
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            struct partition *p =
                part_find(c->b, name, (int32_t)wire_int(wire_at(t, "Partitions", k), "Partition"));
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
}

static void wait(struct call *c, int64_t max_wait_ms)
{
    struct fetch_wait *w = xcalloc(1, sizeof *w + count_partitions(c) * sizeof w->hooks[0]);
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
            call_reply(c);
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
    if (wire_int(&c->req.root, "SessionEpoch") > 0) { /* goes on with a session: there is none */
        wire_set_int(&c->resp.root, "ErrorCode", KAFKA_FETCH_SESSION_ID_NOT_FOUND);
        call_reply(c);
    } else if (try_fetch(c) || max_wait <= 0 || wire_count(&c->req.root, "Topics") == 0) {
        call_reply(c);
    } else {
        forget_answer(c);
        wait(c, max_wait);
    }
}
