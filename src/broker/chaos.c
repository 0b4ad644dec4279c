/* SPDX-License-Identifier: Apache-2.0 */
/* Hides which requests may be struck and how draws follow from the seed: the n-th draw of a broker
 * is always the same. Loop thread only. */
#include "broker/chaos.h"

#include "base/hash.h"

enum { PERCENT = 100, SIDES = 2, CLIENTS = 0 };

static uint64_t draw(struct broker *b)
{
    return hash_mix(b->seed, ++b->draws);
}

uint64_t chaos_below(struct broker *b, uint64_t n)
{
    return draw(b) % n;
}

/** Only what changes the state of a log, a group or a transaction: nothing else has an outcome that
 * could be unknown. */
static bool writes(const struct call *c)
{
    switch (c->api->key) {
    case API_PRODUCE:
        return wire_int(&c->req.root, "Acks") != 0;
    case API_OFFSET_COMMIT:
    case API_INIT_PRODUCER_ID:
    case API_ADD_PARTITIONS_TO_TXN:
    case API_ADD_OFFSETS_TO_TXN:
    case API_TXN_OFFSET_COMMIT:
    case API_END_TXN:
        return true;
    default:
        return false;
    }
}

enum chaos_fate chaos_fate(struct broker *b, const struct call *c)
{
    uint64_t percent = (uint64_t)props_get(&b->props, NULL, PROP_CHAOS_CONNECTIONS);
    if (percent == 0 || c->listener != CLIENTS || !writes(c) ||
        chaos_below(b, PERCENT) >= percent) {
        return CHAOS_NONE;
    }
    return chaos_below(b, SIDES) ? CHAOS_BEFORE : CHAOS_AFTER;
}

uint64_t chaos_window(struct broker *b)
{
    uint64_t max = (uint64_t)props_get(&b->props, NULL, PROP_CHAOS_COMPLETION);
    return max ? chaos_below(b, max + 1) : 0;
}
