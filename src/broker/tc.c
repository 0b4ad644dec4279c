/* SPDX-License-Identifier: Apache-2.0 */
/* Hides who owns a transactional id and what may happen next. How a transaction that was decided
 * reaches its partitions is in tc_complete.c. Loop thread only. */
#include "broker/tc.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/nodes.h"
#include "broker/part.h"
#include "broker/tc_log.h"

enum { EPOCH_LAST = INT16_MAX - 1, ABORTABLE_FROM = 11, CONCURRENT_FROM = 12 };

struct tc_txn *tc_find(const struct broker *b, const char *id)
{
    struct map_entry *at = id ? map_get_str(&b->txns, id) : NULL;
    return at ? at->p : NULL;
}

struct partition *tc_home(struct broker *b, const char *id)
{
    struct topic *t = part_internal(b, TXN_TOPIC);
    return t->parts[state_hash(id) % (uint32_t)t->nparts];
}

int tc_here(const struct call *c, const char *id)
{
    return nodes_coordinates(c, tc_home(c->b, id));
}

bool tc_is_there(struct broker *b, const char *id)
{
    return nodes_coordinated(b, tc_home(b, id));
}

static struct tc_txn *create(struct broker *b, const char *id)
{
    struct tc_txn *t = xcalloc(1, sizeof *t);
    t->id = xstrdup(id);
    t->producer_id = b->next_producer_id++;
    t->last_producer_id = -1;
    t->epoch = t->last_epoch = -1;
    t->state = TXN_EMPTY;
    t->start_ms = -1;
    map_put_str(&b->txns, id)->p = t;
    return t;
}

static bool is_preparing(const struct tc_txn *t)
{
    return t->state == TXN_PREPARE_COMMIT || t->state == TXN_PREPARE_ABORT;
}

/** Whether (pid, epoch) of a producer that goes on may belong to this id. */
static bool may_go_on(const struct tc_txn *t, const struct tc_init *ask)
{
    return t->epoch < 0 || ask->producer_id == t->producer_id ||
           (ask->producer_id == t->last_producer_id && ask->epoch >= EPOCH_LAST);
}

static int bump(struct broker *b, struct tc_txn *t, const struct tc_init *ask)
{
    bool expects = ask->producer_id >= 0;
    if (expects && t->epoch >= 0 && ask->epoch != t->epoch) {
        /* the answer to an earlier call was lost: it gets the same answer again */
        bool retry = ask->epoch == t->last_epoch ||
                     (ask->producer_id == t->last_producer_id && t->epoch == 0);
        return retry ? KAFKA_NONE : KAFKA_PRODUCER_FENCED;
    }
    if (t->epoch >= EPOCH_LAST) {
        t->last_producer_id = t->producer_id;
        t->producer_id = b->next_producer_id++;
        t->last_epoch = expects ? t->epoch : -1;
        t->epoch = 0;
    } else {
        t->last_epoch = expects ? t->epoch : -1;
        t->epoch++;
    }
    t->state = TXN_EMPTY;
    t->start_ms = -1;
    t->timeout_ms = ask->timeout_ms;
    tc_log_state(b, t);
    return KAFKA_NONE;
}

int tc_init_producer(struct broker *b, const struct tc_init *ask, int64_t *producer_id,
                     int16_t *epoch)
{
    if (!ask->id) {
        *producer_id = b->next_producer_id++;
        *epoch = 0;
        return KAFKA_NONE;
    }
    if (!*ask->id || (ask->producer_id < 0) != (ask->epoch < 0)) {
        return KAFKA_INVALID_REQUEST;
    }
    if (ask->timeout_ms <= 0 ||
        ask->timeout_ms > props_get(&b->props, NULL, PROP_TXN_MAX_TIMEOUT)) {
        return KAFKA_INVALID_TRANSACTION_TIMEOUT;
    }
    struct tc_txn *t = tc_find(b, ask->id);
    if (!t) {
        t = create(b, ask->id);
    }
    if (ask->producer_id >= 0 && !may_go_on(t, ask)) {
        return KAFKA_PRODUCER_FENCED;
    }
    if (is_preparing(t)) {
        return KAFKA_CONCURRENT_TRANSACTIONS;
    }
    if (t->state == TXN_ONGOING) {
        tc_fence(b, t);
        return KAFKA_CONCURRENT_TRANSACTIONS;
    }
    int code = bump(b, t, ask);
    *producer_id = t->producer_id;
    *epoch = t->epoch;
    return code;
}

/** Who asks: the id is known and the producer is its owner. */
static int check_owner(const struct tc_txn *t, int64_t producer_id, int16_t epoch)
{
    if (!t || t->producer_id != producer_id) {
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    }
    return t->epoch == epoch ? KAFKA_NONE : KAFKA_PRODUCER_FENCED;
}

static bool has(const struct tc_txn *t, const struct partition *p)
{
    for (size_t i = 0; i < t->parts.n; i++) {
        const struct tc_part *x = &t->parts.items[i];
        if (x->index == p->index && memcmp(x->topic_id, p->topic->id, sizeof x->topic_id) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_all(const struct tc_txn *t, struct partition *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!has(t, parts[i])) {
            return false;
        }
    }
    return true;
}

int tc_add(struct broker *b, const char *id, int64_t producer_id, int16_t epoch,
           struct partition *const *parts, size_t n)
{
    if (!id || !*id) {
        return KAFKA_INVALID_REQUEST;
    }
    struct tc_txn *t = tc_find(b, id);
    int code = check_owner(t, producer_id, epoch);
    if (code != KAFKA_NONE) {
        return code;
    }
    if (is_preparing(t)) {
        return KAFKA_CONCURRENT_TRANSACTIONS;
    }
    if (t->state == TXN_ONGOING && has_all(t, parts, n)) {
        return KAFKA_NONE;
    }
    t->update_ms = state_now_ms();
    if (t->state != TXN_ONGOING) {
        t->state = TXN_ONGOING;
        t->start_ms = t->update_ms;
        t->start_mono_ms = state_mono_ms();
    }
    for (size_t i = 0; i < n; i++) {
        if (!has(t, parts[i])) {
            struct tc_part *x = VEC_PUSH(&t->parts);
            memcpy(x->topic_id, parts[i]->topic->id, sizeof x->topic_id);
            x->topic = xstrdup(parts[i]->topic->name);
            x->index = parts[i]->index;
        }
    }
    tc_log_state(b, t);
    return KAFKA_NONE;
}

int tc_end(struct broker *b, const char *id, int64_t producer_id, int16_t epoch, bool commit)
{
    if (!id || !*id) {
        return KAFKA_INVALID_REQUEST;
    }
    struct tc_txn *t = tc_find(b, id);
    int code = check_owner(t, producer_id, epoch);
    if (code != KAFKA_NONE) {
        return code;
    }
    switch (t->state) {
    case TXN_ONGOING:
        tc_prepare(b, t, commit);
        return KAFKA_NONE;
    case TXN_PREPARE_COMMIT:
        return commit ? KAFKA_CONCURRENT_TRANSACTIONS : KAFKA_INVALID_TXN_STATE;
    case TXN_PREPARE_ABORT:
        return commit ? KAFKA_INVALID_TXN_STATE : KAFKA_CONCURRENT_TRANSACTIONS;
    case TXN_COMPLETE_COMMIT:
        return commit ? KAFKA_NONE : KAFKA_INVALID_TXN_STATE;
    case TXN_COMPLETE_ABORT:
        return commit ? KAFKA_INVALID_TXN_STATE : KAFKA_NONE;
    default:
        return KAFKA_INVALID_TXN_STATE;
    }
}

int tc_verify(struct broker *b, const char *id, int64_t producer_id, int16_t epoch,
              const struct partition *p, int16_t version)
{
    const struct tc_txn *t = tc_find(b, id);
    int code = check_owner(t, producer_id, epoch);
    if (code == KAFKA_PRODUCER_FENCED) {
        return KAFKA_INVALID_PRODUCER_EPOCH;
    }
    if (code != KAFKA_NONE) {
        return code;
    }
    if (is_preparing(t)) { /* older clients repeat on this one */
        return version < CONCURRENT_FROM ? KAFKA_NOT_ENOUGH_REPLICAS
                                         : KAFKA_CONCURRENT_TRANSACTIONS;
    }
    if (t->state != TXN_ONGOING || !has(t, p)) {
        return version < ABORTABLE_FROM ? KAFKA_INVALID_TXN_STATE : KAFKA_TRANSACTION_ABORTABLE;
    }
    return KAFKA_NONE;
}

void tc_topic_deleted(struct broker *b, const struct topic *topic)
{
    for (size_t i = 0; i < b->txns.n; i++) {
        struct tc_txn *t = b->txns.items[i].p;
        for (size_t k = 0; t && k < t->parts.n;) {
            struct tc_part *x = &t->parts.items[k];
            if (memcmp(x->topic_id, topic->id, sizeof x->topic_id) != 0) {
                k++;
                continue;
            }
            free(x->topic);
            *x = t->parts.items[--t->parts.n];
        }
    }
}
