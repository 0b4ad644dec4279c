/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the rules of idempotence and which transactions are open: Kafka's producer state of one
 * partition. Loop thread only. */
#include "broker/pstate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/kafka_error.h"

void pstate_free(struct pstate *s)
{
    for (size_t i = 0; i < s->producers.n; i++) {
        free(s->producers.items[i].p);
    }
    map_free(&s->producers);
    free(s->aborted.items);
    *s = (struct pstate){0};
}

struct pstate_producer *pstate_find(const struct pstate *s, int64_t producer_id)
{
    struct map_entry *at = map_get(&s->producers, &producer_id, sizeof producer_id);
    return at ? at->p : NULL;
}

static struct pstate_producer *produce(struct pstate *s, int64_t id)
{
    map_sweep(&s->producers);
    struct map_entry *at = map_put(&s->producers, &id, sizeof id, NULL);
    if (!at->p) {
        struct pstate_producer *p = xcalloc(1, sizeof *p);
        p->id = id;
        p->epoch = -1;
        p->coordinator_epoch = -1;
        p->last_time = -1;
        p->txn_start = -1;
        p->refused_seq = -1;
        at->p = p;
    }
    return at->p;
}

void pstate_note_attempt(struct pstate *s, int64_t producer_id, int16_t epoch, int32_t sequence,
                         bool bumps)
{
    struct pstate_producer *p = produce(s, producer_id);
    bool first = p->refused_seq < 0;
    if (first) {
        p->bumps = bumps;
    }
    if (first || epoch > p->refused_epoch ||
        (epoch == p->refused_epoch && sequence < p->refused_seq)) {
        p->refused_epoch = epoch;
        p->refused_seq = sequence;
    }
}

bool pstate_in_txn(const struct pstate *s, int64_t producer_id, int16_t epoch)
{
    const struct pstate_producer *p = pstate_find(s, producer_id);
    return p && p->txn_start >= 0 && p->epoch == epoch;
}

static int32_t last_sequence(const struct batch *b)
{
    int64_t last = (int64_t)b->base_sequence + b->last_offset_delta;
    return (int32_t)(last > INT32_MAX ? last - INT32_MAX - 1 : last);
}

const struct pstate_batch *pstate_duplicate(const struct pstate *s, const struct batch *b)
{
    const struct pstate_producer *p = pstate_find(s, b->producer_id);
    if (!p || p->epoch != b->producer_epoch) {
        return NULL;
    }
    for (int i = 0; i < p->nbatches; i++) {
        const struct pstate_batch *x = &p->batches[i];
        if (x->first_seq == b->base_sequence && x->last_seq == last_sequence(b)) {
            return x;
        }
    }
    return NULL;
}

static int check_sequence(const struct pstate_producer *p, const struct batch *b)
{
    bool from_nothing = p->nbatches == 0 && b->base_sequence != 0;
    if (p->refused_seq >= 0 && (b->base_sequence > p->refused_seq || (p->bumps && from_nothing))) {
        return KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    if (p->epoch < 0) {
        return KAFKA_NONE; /* nothing is known: any sequence is accepted */
    }
    if (b->producer_epoch != p->epoch) {
        return b->base_sequence == 0 ? KAFKA_NONE : KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    int32_t last = p->nbatches ? p->batches[p->nbatches - 1].last_seq : -1;
    bool follows =
        b->base_sequence == (int64_t)last + 1 || (b->base_sequence == 0 && last == INT32_MAX);
    return follows ? KAFKA_NONE : KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

int pstate_check(const struct pstate *s, const struct batch *b)
{
    const struct pstate_producer *p = pstate_find(s, b->producer_id);
    if (!p) {
        return KAFKA_NONE;
    }
    if (b->producer_epoch < p->epoch) {
        return KAFKA_INVALID_PRODUCER_EPOCH;
    }
    int code = check_sequence(p, b);
    if (code == KAFKA_NONE && !b->transactional && p->txn_start >= 0) {
        code = KAFKA_INVALID_TXN_STATE;
    }
    return code;
}

static void open_add(struct pstate *s, struct pstate_producer *p, int64_t offset)
{
    p->txn_start = offset;
    p->prev_open = s->last_open;
    p->next_open = NULL;
    if (s->last_open) {
        s->last_open->next_open = p;
    } else {
        s->first_open = p;
    }
    s->last_open = p;
}

static void open_remove(struct pstate *s, struct pstate_producer *p)
{
    if (p->prev_open) {
        p->prev_open->next_open = p->next_open;
    } else {
        s->first_open = p->next_open;
    }
    if (p->next_open) {
        p->next_open->prev_open = p->prev_open;
    } else {
        s->last_open = p->prev_open;
    }
    p->next_open = p->prev_open = NULL;
    p->txn_start = -1;
}

static void set_epoch(struct pstate_producer *p, int16_t epoch)
{
    if (p->epoch != epoch) {
        p->epoch = epoch;
        p->nbatches = 0;
    }
}

void pstate_append(struct pstate *s, const struct batch *b, int64_t base, uint64_t now_ms)
{
    struct pstate_producer *p = produce(s, b->producer_id);
    set_epoch(p, b->producer_epoch);
    p->refused_seq = b->transactional ? -1 : p->refused_seq;
    if (p->nbatches == PSTATE_WINDOW) {
        memmove(p->batches, p->batches + 1, (PSTATE_WINDOW - 1) * sizeof *p->batches);
        p->nbatches--;
    }
    p->batches[p->nbatches++] = (struct pstate_batch){
        b->base_sequence, b->base_sequence < 0 ? -1 : last_sequence(b), base, b->max_timestamp};
    p->last_time = b->max_timestamp;
    p->touched_ms = now_ms;
    if (b->transactional && p->txn_start < 0) {
        open_add(s, p, base);
    }
}

void pstate_marker(struct pstate *s, int64_t producer_id, int16_t epoch, bool commit,
                   int32_t coordinator_epoch, int64_t offset, int64_t time, uint64_t now_ms)
{
    struct pstate_producer *p = produce(s, producer_id);
    set_epoch(p, epoch);
    p->refused_seq = -1;
    p->coordinator_epoch = coordinator_epoch;
    p->last_time = time;
    p->touched_ms = now_ms;
    if (p->txn_start >= 0) {
        if (!commit) {
            *VEC_PUSH(&s->aborted) = (struct pstate_aborted){producer_id, p->txn_start, offset};
        }
        open_remove(s, p);
    }
}

int64_t pstate_first_open(const struct pstate *s)
{
    return s->first_open ? s->first_open->txn_start : -1;
}

size_t pstate_aborted_from(const struct pstate *s, int64_t offset)
{
    size_t low = 0, high = s->aborted.n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (s->aborted.items[mid].last < offset) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

void pstate_trim(struct pstate *s, int64_t offset)
{
    size_t gone = pstate_aborted_from(s, offset);
    if (gone > 0) {
        s->aborted.n -= gone;
        memmove(s->aborted.items, s->aborted.items + gone, s->aborted.n * sizeof *s->aborted.items);
    }
}

void pstate_expire(struct pstate *s, uint64_t before_ms)
{
    for (size_t i = 0; i < s->producers.n; i++) {
        struct pstate_producer *p = s->producers.items[i].p;
        if (p && p->txn_start < 0 && p->touched_ms < before_ms) {
            free(p);
            s->producers.items[i].p = NULL;
        }
    }
}
