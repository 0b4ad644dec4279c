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

/** Bytes that a transaction needs, from its beginning to its end. */
enum { STEP_ROOM = 4096 };

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
    t->last_producer_id = t->next_producer_id = -1;
    t->epoch = t->last_epoch = -1;
    t->state = TXN_EMPTY;
    t->start_ms = -1;
    t->update_ms = state_now_ms();
    map_sweep(&b->txns);
    map_put_str(&b->txns, id)->p = t;
    return t;
}

bool tc_is_preparing(const struct tc_txn *t)
{
    return t->state == TXN_PREPARE_COMMIT || t->state == TXN_PREPARE_ABORT;
}

/** Whether (pid, epoch) of a producer that goes on may belong to this id. */
static bool may_go_on(const struct tc_txn *t, const struct tc_init *ask)
{
    return t->epoch < 0 || ask->producer_id == t->producer_id ||
           (ask->producer_id == t->last_producer_id && ask->epoch >= TC_EPOCH_LAST);
}

static int bump(struct broker *b, struct tc_txn *t, const struct tc_init *ask)
{
    bool expects = ask->producer_id >= 0;
    bool repeats = expects && t->epoch >= 0 && ask->epoch != t->epoch; /* its answer was lost */
    if (repeats && ask->epoch != t->last_epoch) {
        return KAFKA_PRODUCER_FENCED;
    }
    t->last_producer_id = t->producer_id;
    if (!repeats) {
        t->last_epoch = expects ? t->epoch : -1;
        if (t->epoch >= TC_EPOCH_LAST) {
            t->producer_id = b->next_producer_id++;
            t->epoch = -1;
        }
        t->epoch++;
    }
    t->state = TXN_EMPTY;
    t->start_ms = -1;
    t->timeout_ms = ask->timeout_ms;
    t->update_ms = state_now_ms();
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
    if (!state_room(b, STEP_ROOM + strlen(ask->id))) {
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    struct tc_txn *t = tc_find(b, ask->id);
    if (!t) {
        t = create(b, ask->id);
    }
    if (tc_is_preparing(t)) {
        return KAFKA_CONCURRENT_TRANSACTIONS;
    }
    if (ask->producer_id >= 0 && !may_go_on(t, ask)) {
        return KAFKA_PRODUCER_FENCED;
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
static int check_owner(const struct tc_txn *t, const struct tc_owner *who)
{
    if (!t || t->producer_id != who->producer_id) {
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    }
    return t->epoch == who->epoch ? KAFKA_NONE : KAFKA_PRODUCER_FENCED;
}

static bool has(const struct tc_txn *t, const struct partition *p)
{
    for (size_t i = 0; i < t->parts.n; i++) {
        const struct tc_part *x = &t->parts.items[i];
        if (x->index == p->index && strcmp(x->topic, p->topic->name) == 0) {
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

static void open_txn(struct tc_txn *t)
{
    t->update_ms = state_now_ms();
    if (t->state != TXN_ONGOING) {
        t->state = TXN_ONGOING;
        t->last_producer_id = t->producer_id;
        t->start_ms = t->update_ms;
        t->start_mono_ms = state_mono_ms();
    }
}

int tc_add(struct broker *b, const struct tc_owner *who, int16_t client_version,
           struct partition *const *parts, size_t n)
{
    if (!who->id || !*who->id) {
        return KAFKA_INVALID_REQUEST;
    }
    struct tc_txn *t = tc_find(b, who->id);
    if (t && tc_is_preparing(t)) { /* first: the producer id may be the one that follows */
        return KAFKA_CONCURRENT_TRANSACTIONS;
    }
    int code = check_owner(t, who);
    if (code != KAFKA_NONE || (t->state == TXN_ONGOING && has_all(t, parts, n))) {
        return code;
    }
    if (!state_room(b, STEP_ROOM + n * sizeof(struct tc_part))) {
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    open_txn(t);
    t->client_version = client_version;
    for (size_t i = 0; i < n; i++) {
        if (!has(t, parts[i])) {
            struct tc_part *x = VEC_PUSH(&t->parts);
            x->topic = xstrdup(parts[i]->topic->name);
            x->index = parts[i]->index;
        }
    }
    tc_log_state(b, t);
    return KAFKA_NONE;
}

int tc_verify(struct broker *b, const struct tc_owner *who, const struct partition *p)
{
    if (!who->id || !*who->id) {
        return KAFKA_INVALID_REQUEST;
    }
    const struct tc_txn *t = tc_find(b, who->id);
    int code = check_owner(t, who);
    if (code != KAFKA_NONE) {
        return code;
    }
    if (tc_is_preparing(t)) {
        return KAFKA_CONCURRENT_TRANSACTIONS;
    }
    return has(t, p) ? KAFKA_NONE : KAFKA_TRANSACTION_ABORTABLE;
}

int tc_admit(struct broker *b, const struct tc_owner *who, enum tc_support how, struct partition *p)
{
    if (who->id && *who->id && !tc_is_there(b, who->id)) {
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    int code = how == TC_ADDS ? tc_add(b, who, TC_BUMPS, &p, 1) : tc_verify(b, who, p);
    if (code == KAFKA_PRODUCER_FENCED) {
        return KAFKA_INVALID_PRODUCER_EPOCH;
    }
    return code == KAFKA_TRANSACTION_ABORTABLE && how == TC_VERIFIES ? KAFKA_INVALID_TXN_STATE
                                                                     : code;
}
