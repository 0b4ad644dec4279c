/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what happens to a transaction once it is decided: one marker per turn of the loop,
 * beginning at a partition that depends on the transaction, with the last one also the last entry
 * of the transaction's own log. So between the answer to EndTxn and the end of it, other requests
 * see it half done; a window that was drawn makes that longer. Also here: the transaction's log,
 * and time-outs. Loop thread only. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "broker/chaos.h"
#include "broker/goffsets.h"
#include "broker/nodes.h"
#include "broker/part.h"
#include "broker/tc.h"
#include "broker/tc_log.h"
#include "wire/internal.h"

/** A completion under way. */
struct tc_step {
    struct tc_step *next;
    struct tc_txn *txn;
    bool commit;
    uint64_t due, end; /**< of its next marker and of all (monotonic ms), 0 = the next turn */
};

/* ---- the transaction's log --------------------------------------------------------------------
 */

static void tombstone(struct broker *b, const char *id)
{
    struct buf key = {0};
    internal_write_txn_key(&key, id);
    part_append_own(b, tc_home(b, id), key.data, key.len, NULL, 0);
    buf_free(&key);
}

static size_t cost_of(const struct tc_txn *t)
{
    return sizeof *t + STATE_ENTRY + 2 * strlen(t->id) +
           (t->parts.n + t->decided.n) * (sizeof *t->parts.items + STATE_ENTRY);
}

void tc_log_state(struct broker *b, struct tc_txn *t)
{
    state_charge(b, &t->cost, cost_of(t));
    struct internal_tp *parts = xcalloc(t->parts.n + 1, sizeof *parts);
    for (size_t i = 0; i < t->parts.n; i++) {
        parts[i] = (struct internal_tp){t->parts.items[i].topic, t->parts.items[i].index};
    }
    struct internal_txn x = {.id = t->id,
                             .producer_id = t->producer_id,
                             .prev_producer_id = t->last_producer_id,
                             .next_producer_id = t->next_producer_id,
                             .epoch = t->epoch,
                             .next_epoch = -1,
                             .timeout_ms = t->timeout_ms,
                             .state = (int8_t)t->state,
                             .update_ms = state_now_ms(),
                             .start_ms = t->start_ms,
                             .client_version = t->client_version,
                             .partitions = parts,
                             .npartitions = (int32_t)t->parts.n};
    struct buf key = {0}, value = {0};
    internal_write_txn_key(&key, t->id);
    internal_write_txn(&value, &x);
    part_append_own(b, tc_home(b, t->id), key.data, key.len, value.data, value.len);
    buf_free(&key);
    buf_free(&value);
    free(parts);
}

/* ---- completion -------------------------------------------------------------------------------
 */

void tc_write_marker(struct broker *b, struct partition *p, int64_t producer_id, int16_t epoch,
                     bool commit, int32_t coordinator_epoch)
{
    part_marker(b, p, producer_id, epoch, commit, coordinator_epoch);
    if (p->topic->internal) {
        goffsets_marker(b, p->index, producer_id, commit);
    }
}

static void forget_part(struct tc_parts *list, size_t i)
{
    free(list->items[i].topic);
    list->items[i] = list->items[--list->n];
}

static void forget_parts(struct tc_parts *list)
{
    while (list->n > 0) {
        forget_part(list, list->n - 1);
    }
    free(list->items);
    *list = (struct tc_parts){0};
}

static void copy_parts(struct tc_parts *to, const struct tc_parts *from)
{
    forget_parts(to);
    for (size_t i = 0; i < from->n; i++) {
        struct tc_part *x = VEC_PUSH(to);
        *x = from->items[i];
        x->topic = xstrdup(x->topic);
    }
}

enum step_result {
    STEP_WAITS, /* for a node */
    STEP_LATER, /* it takes its time */
    STEP_WENT,
    STEP_ENDED,
};

/** One marker, to a partition whose leader can take it. */
static enum step_result mark_one(struct broker *b, struct tc_step *s)
{
    struct tc_txn *t = s->txn;
    size_t first = s->end ? chaos_below(b, t->parts.n)
                          : hash_mix((uint64_t)t->producer_id, (uint64_t)t->start_ms) % t->parts.n;
    for (size_t k = 0; k < t->parts.n; k++) {
        size_t i = (first + k) % t->parts.n;
        struct tc_part *x = &t->parts.items[i];
        struct partition *p = part_find(b, x->topic, x->index);
        if (p && !nodes_writable(b, p)) {
            continue;
        }
        if (p) {
            tc_write_marker(b, p, t->producer_id, t->epoch, s->commit,
                            tc_home(b, t->id)->leader_epoch);
        }
        forget_part(&t->parts, i);
        return STEP_WENT;
    }
    return STEP_WAITS;
}

static enum step_result step(struct broker *b, struct tc_step *s)
{
    struct tc_txn *t = s->txn;
    if (!tc_is_there(b, t->id)) {
        return STEP_WAITS;
    }
    if (t->parts.n > 0) {
        return mark_one(b, s);
    }
    if (!nodes_writable(b, tc_home(b, t->id))) {
        return STEP_WAITS;
    }
    t->state = s->commit ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT;
    t->update_ms = state_now_ms();
    forget_parts(&t->decided);
    if (t->next_producer_id >= 0) {
        t->last_producer_id = t->producer_id;
        t->producer_id = t->next_producer_id;
        t->next_producer_id = -1;
        t->epoch = 0;
    }
    tc_log_state(b, t);
    return STEP_ENDED;
}

/** When the next one of those that take their time is due: within the window, the last at its end.
 */
static void set_due(struct broker *b, struct tc_step *s, uint64_t now)
{
    bool last = s->txn->parts.n == 0;
    s->due = last || s->end <= now ? s->end : now + chaos_below(b, s->end - now + 1);
}

static enum step_result step_if_due(struct broker *b, struct tc_step *s, uint64_t now)
{
    if (s->due > now) {
        return STEP_LATER;
    }
    enum step_result r = step(b, s);
    if (r == STEP_WENT && s->end) {
        set_due(b, s, now);
    } else if (r == STEP_WENT && s->txn->parts.n == 0) {
        r = step(b, s); /* or a client of one partition would often find it not quite done */
    }
    return r;
}

static void on_due(void *arg)
{
    struct broker *b = arg;
    b->step_timer = NULL;
    tc_go_on(b);
}

static void wait_until_due(struct broker *b, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    for (const struct tc_step *s = b->steps; s; s = s->next) {
        next = s->due > now && s->due < next ? s->due : next;
    }
    timer_stop(b->step_timer);
    b->step_timer = next == UINT64_MAX ? NULL : timer_start(b->loop, next - now, 0, on_due, b);
}

static void turn(void *arg)
{
    struct broker *b = arg;
    bool went = false, waits = false;
    uint64_t now = state_mono_ms();
    b->steps_due = false;
    for (struct tc_step **at = &b->steps; *at && !b->closing;) {
        struct tc_step *s = *at;
        enum step_result r = step_if_due(b, s, now);
        went = went || r == STEP_WENT || r == STEP_ENDED;
        waits = waits || r == STEP_WAITS;
        if (r == STEP_ENDED) {
            *at = s->next;
            free(s);
        } else {
            at = &s->next;
        }
    }
    if (b->closing) {
        return;
    }
    wait_until_due(b, now);
    if (went) {
        tc_go_on(b);
    } else if (waits) {
        nodes_watch(b);
    }
}

void tc_go_on(struct broker *b)
{
    if (b->steps && !b->steps_due && !b->closing) {
        b->steps_due = true;
        loop_defer(b->loop, turn, b);
    }
}

void tc_load(struct broker *b, const struct partition *home)
{
    for (const struct tc_step *s = b->steps; s; s = s->next) {
        if (tc_home(b, s->txn->id) == home) {
            copy_parts(&s->txn->parts, &s->txn->decided);
        }
    }
}

void tc_prepare(struct broker *b, struct tc_txn *t, bool commit)
{
    t->state = commit ? TXN_PREPARE_COMMIT : TXN_PREPARE_ABORT;
    t->update_ms = state_now_ms();
    tc_log_state(b, t);
    copy_parts(&t->decided, &t->parts);
    struct tc_step *s = xcalloc(1, sizeof *s), **at = &b->steps;
    s->txn = t;
    s->commit = commit;
    uint64_t window = chaos_window(b), now = state_mono_ms();
    if (window) {
        s->end = now + window;
        set_due(b, s, now);
    }
    while (*at) {
        at = &(*at)->next;
    }
    *at = s;
    tc_go_on(b);
}

void tc_fence(struct broker *b, struct tc_txn *t)
{
    bool may_return = b->transaction_version >= TC_BUMPS; /* its former owner, to go on */
    t->last_epoch = may_return ? t->epoch : -1;
    t->client_version = may_return ? TC_BUMPS : 0;
    t->epoch++;
    tc_prepare(b, t, false);
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void on_timer(void *arg)
{
    struct broker *b = arg;
    uint64_t now = state_mono_ms();
    for (size_t i = 0; i < b->txns.n; i++) {
        struct tc_txn *t = b->txns.items[i].p;
        if (t && t->state == TXN_ONGOING && now > t->start_mono_ms + (uint64_t)t->timeout_ms &&
            tc_is_there(b, t->id)) {
            tc_fence(b, t);
        }
    }
}

static void free_txn(struct broker *b, struct tc_txn *t)
{
    state_charge(b, &t->cost, 0);
    forget_parts(&t->parts);
    forget_parts(&t->decided);
    free(t->id);
    free(t);
}

static void on_expiry(void *arg)
{
    struct broker *b = arg;
    int64_t before = state_now_ms() - props_get(&b->props, NULL, PROP_TXN_ID_EXPIRATION);
    for (size_t i = 0; i < b->txns.n; i++) {
        struct tc_txn *t = b->txns.items[i].p;
        bool idle = t && (t->state == TXN_EMPTY || t->state == TXN_COMPLETE_COMMIT ||
                          t->state == TXN_COMPLETE_ABORT);
        if (idle && t->update_ms < before && tc_is_there(b, t->id)) {
            tombstone(b, t->id);
            free_txn(b, t);
            b->txns.items[i].p = NULL;
        }
    }
}

void tc_start(struct broker *b)
{
    uint64_t cleanup = (uint64_t)props_get(&b->props, NULL, PROP_TXN_CLEANUP);
    uint64_t removal = (uint64_t)props_get(&b->props, NULL, PROP_TXN_REMOVE_INTERVAL);
    b->txn_timer = timer_start(b->loop, cleanup, cleanup, on_timer, b);
    b->expiry_timer = timer_start(b->loop, removal, removal, on_expiry, b);
}

void tc_free_all(struct broker *b)
{
    timer_stop(b->step_timer);
    timer_stop(b->txn_timer);
    timer_stop(b->expiry_timer);
    while (b->steps) {
        struct tc_step *s = b->steps;
        b->steps = s->next;
        free(s);
    }
    for (size_t i = 0; i < b->txns.n; i++) {
        if (b->txns.items[i].p) {
            free_txn(b, b->txns.items[i].p);
        }
    }
    map_free(&b->txns);
}
