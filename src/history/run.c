/* SPDX-License-Identifier: Apache-2.0 */
/* Runs: sends, acknowledgements and deliveries of consecutive records share one record of the
 * history, extended in place. Open runs stand in a small table hashed by partition; a collision
 * closes the older run. A call first stores the time of the last record and then, with one store,
 * the count (and the last offset): a writer killed in between has lost nothing and invented
 * nothing. */
#include <string.h>

#include "base/clock.h"
#include "history/format.h"
#include "history/hist.h"

enum { RUN_NS = 10000000 };

/* What the three kinds of runs need to begin or extend a record. */
struct call {
    enum hist_kind kind;
    enum hist_phase phase;
    int64_t key[7];
    int64_t at[2];  /**< where this call is; a run continues where `next` equals it */
    bool any_later; /**< at[0] may skip ahead (deliveries) */
    int count_slot, time_slot, nslots;
};

static struct run *find(struct runs *rs, const struct call *c)
{
    uint64_t x = (uint64_t)c->kind * 7 + (uint64_t)c->key[0] * 31 + (uint64_t)c->key[1] * 17 +
                 (uint64_t)c->key[2] * 5 + (uint64_t)c->key[5] * 11;
    return &rs->items[(x ^ x >> 6) % RUNS];
}

/* A time a little before the run's first (the fast clock's error) begins a new run. */
static bool continues(const struct run *run, const struct call *c, uint64_t t)
{
    const struct rec *r = run->rec;
    if (r->kind != c->kind || (r->phase & ~REC_RUN_OPEN) != (int)c->phase ||
        t - run->t0 >= RUN_NS || run->count >= RUN_COUNT_MAX ||
        memcmp(run->key, c->key, sizeof run->key) != 0) {
        return false;
    }
    if (c->any_later) {
        return c->at[0] >= run->next[0] && c->at[0] - run->first < RUN_COUNT_MAX;
    }
    return c->at[0] == run->next[0] && c->at[1] == run->next[1];
}

static void close_one(struct run *run)
{
    __atomic_store_n(&run->rec->phase, (uint8_t)(run->rec->phase & ~REC_RUN_OPEN),
                     __ATOMIC_RELEASE);
}

void runs_close(struct runs *rs)
{
    while (rs->open) {
        int i = __builtin_ctzll(rs->open);
        rs->open &= rs->open - 1;
        close_one(&rs->items[i]);
    }
}

static void advance(struct run *run, const struct call *c)
{
    run->next[0] = c->at[0] + 1;
    run->next[1] = c->at[1] < 0 ? c->at[1] : c->at[1] + 1;
}

/* Extends the run of this call if there is one. Else returns the slots of a new record, which the
 * caller fills before run_commit(); NULL if there is nothing to do. */
static int64_t *run_begin(struct hist *h, const struct call *c, struct run **out)
{
    struct runs *rs = hist_runs(h);
    struct run *run = find(rs, c);
    uint64_t bit = 1ull << (run - rs->items);
    if (rs->open & bit) {
        uint64_t t = clock_fast_ns();
        if (continues(run, c, t)) {
            int64_t *slots = (int64_t *)(run->rec + 1);
            int64_t span = c->any_later ? c->at[0] - run->first : 0;
            run->count++;
            __atomic_store_n(&slots[c->time_slot], (int64_t)t, __ATOMIC_RELEASE);
            __atomic_store_n(&slots[c->count_slot], span << 32 | run->count, __ATOMIC_RELEASE);
            advance(run, c);
            return NULL;
        }
        rs->open &= ~bit;
        close_one(run);
    }
    struct rec *r = rec_begin(h, sizeof *r + (uint64_t)c->nslots * sizeof(int64_t), c->kind,
                              c->phase | REC_RUN_OPEN);
    if (!r) {
        return NULL;
    }
    r->nslots = (uint8_t)c->nslots;
    r->op = 0;
    run->rec = r;
    *out = run;
    return (int64_t *)(r + 1);
}

static void run_commit(struct hist *h, const struct call *c, struct run *run, int64_t *slots)
{
    struct runs *rs = hist_runs(h);
    slots[c->count_slot] = 1;
    slots[c->time_slot] = (int64_t)run->rec->t;
    memcpy(run->key, c->key, sizeof run->key);
    run->first = c->at[0];
    run->count = 1;
    run->t0 = run->rec->t;
    advance(run, c);
    rs->open |= 1ull << (run - rs->items);
    rec_commit(h, run->rec, sizeof(struct rec) + (uint64_t)c->nslots * sizeof(int64_t));
}

void hist_send(struct hist *h, const struct hist_send *s)
{
    struct call c = {.kind = H_SEND,
                     .phase = HP_INVOKE,
                     .key = {s->producer, s->topic, s->partition, s->txn, s->src_topic,
                             s->src_partition, s->planned},
                     .at = {s->seq, s->src_topic ? s->src_offset : -1},
                     .count_slot = H_SEND_COUNT,
                     .time_slot = H_SEND_LAST_TIME,
                     .nslots = H_SEND_PLANNED + 1};
    struct run *run;
    int64_t *slots = run_begin(h, &c, &run);
    if (!slots) {
        return;
    }
    slots[H_SEND_PRODUCER] = s->producer;
    slots[H_SEND_TOPIC] = s->topic;
    slots[H_SEND_PARTITION] = s->partition;
    slots[H_SEND_SEQ] = s->seq;
    slots[H_SEND_TXN] = s->txn;
    slots[H_SEND_SRC_TOPIC] = s->src_topic;
    slots[H_SEND_SRC_PARTITION] = s->src_partition;
    slots[H_SEND_SRC_OFFSET] = s->src_offset;
    slots[H_SEND_PLANNED] = s->planned;
    run_commit(h, &c, run, slots);
}

void hist_ack(struct hist *h, enum hist_phase phase, const struct hist_ack *a)
{
    struct call c = {.kind = H_ACK,
                     .phase = phase,
                     .key = {a->producer, a->topic, a->partition, a->error},
                     .at = {a->seq, a->offset},
                     .count_slot = H_ACK_COUNT,
                     .time_slot = H_ACK_LAST_TIME,
                     .nslots = H_ACK_LAST_TIME + 1};
    struct run *run;
    int64_t *slots = run_begin(h, &c, &run);
    if (!slots) {
        return;
    }
    slots[H_ACK_PRODUCER] = a->producer;
    slots[H_ACK_TOPIC] = a->topic;
    slots[H_ACK_PARTITION] = a->partition;
    slots[H_ACK_SEQ] = a->seq;
    slots[H_ACK_OFFSET] = a->offset;
    slots[H_ACK_ERROR] = a->error;
    run_commit(h, &c, run, slots);
}

/* The short way for a record of the same partition as the one before: most are. */
static bool extend_delivery(struct runs *rs, const struct hist_deliver *d)
{
    struct run *run = rs->delivering;
    if (!run || !(rs->open & 1ull << (run - rs->items)) || run->rec->kind != H_DELIVER) {
        return false;
    }
    const int64_t *key = run->key;
    int64_t span = d->offset - run->first;
    if (key[0] != d->consumer || key[1] != d->topic || key[2] != d->partition ||
        key[3] != d->group || key[4] != d->assignment || key[5] != d->read_committed ||
        d->offset < run->next[0] || span >= RUN_COUNT_MAX || run->count >= RUN_COUNT_MAX) {
        return false;
    }
    uint64_t t = clock_fast_ns();
    if (t - run->t0 >= RUN_NS) { /* also when it is a little before t0 */
        return false;
    }
    int64_t *slots = (int64_t *)(run->rec + 1);
    run->count++;
    run->next[0] = d->offset + 1;
    __atomic_store_n(&slots[H_DELIVER_LAST_TIME], (int64_t)t, __ATOMIC_RELEASE);
    __atomic_store_n(&slots[H_DELIVER_COUNT], span << 32 | run->count, __ATOMIC_RELEASE);
    return true;
}

void hist_deliver(struct hist *h, const struct hist_deliver *d)
{
    if (extend_delivery(hist_runs(h), d)) {
        return;
    }
    struct call c = {
        .kind = H_DELIVER,
        .phase = HP_FACT,
        .key = {d->consumer, d->topic, d->partition, d->group, d->assignment, d->read_committed},
        .at = {d->offset, -1},
        .any_later = true,
        .count_slot = H_DELIVER_COUNT,
        .time_slot = H_DELIVER_LAST_TIME,
        .nslots = H_DELIVER_LAST_TIME + 1};
    struct run *run;
    int64_t *slots = run_begin(h, &c, &run);
    if (!slots) {
        return;
    }
    slots[H_DELIVER_CONSUMER] = d->consumer;
    slots[H_DELIVER_GROUP] = d->group;
    slots[H_DELIVER_TOPIC] = d->topic;
    slots[H_DELIVER_PARTITION] = d->partition;
    slots[H_DELIVER_FIRST] = d->offset;
    slots[H_DELIVER_LAST] = d->offset;
    slots[H_DELIVER_ASSIGNMENT] = d->assignment;
    slots[H_DELIVER_READ_COMMITTED] = d->read_committed;
    run_commit(h, &c, run, slots);
    hist_runs(h)->delivering = run;
}
