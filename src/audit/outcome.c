/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how markers and batches are matched: per producer id a chain of open batches through one
 * table, so that memory is a few words per transactional batch of the partition. */
#include "audit/outcome.h"

#include <stdlib.h>

#include "base/mem.h"

void outcomes_free(struct outcomes *o)
{
    free(o->items);
    map_free(&o->heads);
    *o = (struct outcomes){0};
}

bool outcome_marker(const struct batch *b, struct control *c)
{
    struct record_iter it;
    struct record r;
    record_iter_init(&it, b);
    bool found = record_iter_next(&it, &r) == 1 && control_read(&r, c);
    record_iter_free(&it);
    return found;
}

static bool ends_transaction(const struct control *c)
{
    return c->type == CONTROL_ABORT || c->type == CONTROL_COMMIT;
}

/** @return how many batches it ended. */
static size_t end(struct outcomes *o, const struct batch *b, bool commit)
{
    size_t ended = 0;
    struct map_entry *head = map_get(&o->heads, &b->producer_id, sizeof b->producer_id);
    uint32_t at = head ? (uint32_t)head->u : 0, left = 0, *tail = &left;
    while (at) {
        struct outcome_batch *x = &o->items[at - 1];
        if (x->epoch <= b->producer_epoch) {
            x->outcome = commit ? OUTCOME_COMMITTED : OUTCOME_ABORTED;
            ended++;
        } else {
            *tail = at;
            tail = &x->next;
        }
        at = x->next;
    }
    *tail = 0;
    if (head) {
        head->u = left;
    }
    return ended;
}

static void open_batch(struct outcomes *o, const struct batch *b)
{
    struct map_entry *head = map_put(&o->heads, &b->producer_id, sizeof b->producer_id, NULL);
    struct outcome_batch *x = VEC_PUSH(o);
    *x = (struct outcome_batch){.base = b->base_offset,
                                .pid = b->producer_id,
                                .epoch = b->producer_epoch,
                                .outcome = OUTCOME_OPEN,
                                .next = (uint32_t)head->u};
    head->u = o->n;
}

size_t outcomes_add(struct outcomes *o, const struct batch *b)
{
    struct control c;
    if (!b->control) {
        if (b->transactional) {
            open_batch(o, b);
        }
        return 0;
    }
    if (b->corrupt || !outcome_marker(b, &c) || !ends_transaction(&c)) {
        return 0;
    }
    size_t ended = end(o, b, c.type == CONTROL_COMMIT);
    return c.type == CONTROL_COMMIT ? ended : 0;
}

static bool is(const struct outcome_batch *x, const struct batch *b)
{
    return x->base == b->base_offset && x->pid == b->producer_id && x->epoch == b->producer_epoch;
}

enum outcome outcomes_get(struct outcomes *o, const struct batch *b)
{
    struct control c;
    if (b->control) {
        if (b->corrupt || !outcome_marker(b, &c) || !ends_transaction(&c)) {
            return OUTCOME_PLAIN;
        }
        return c.type == CONTROL_COMMIT ? OUTCOME_COMMITTED : OUTCOME_ABORTED;
    }
    if (!b->transactional) {
        return OUTCOME_PLAIN;
    }
    for (size_t i = 0; i < o->n; i++) {
        size_t at = (o->at + i) % o->n;
        if (is(&o->items[at], b)) {
            o->at = at + 1;
            return o->items[at].outcome;
        }
    }
    return OUTCOME_OPEN;
}

int64_t outcomes_first_open(const struct outcomes *o)
{
    int64_t first = -1;
    for (size_t i = 0; i < o->n; i++) {
        if (o->items[i].outcome == OUTCOME_OPEN && (first < 0 || o->items[i].base < first)) {
            first = o->items[i].base;
        }
    }
    return first;
}
