/* SPDX-License-Identifier: Apache-2.0 */
/* Hides which EndTxn may be answered again and which one ends a transaction: with the epoch kept
 * (versions up to 4), and with the epoch moved by every end (version 5, KIP-890). */
#include "broker/tc.h"
#include "broker/tc_log.h"

/** What to do: answer with code, or decide the transaction. */
struct rule {
    int code;
    bool decide;
};

static struct rule answer(int code)
{
    return (struct rule){.code = code};
}

static struct rule decide(void)
{
    return (struct rule){.code = KAFKA_NONE, .decide = true};
}

static bool same_outcome(const struct tc_txn *t, bool commit)
{
    return t->state == (commit ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT);
}

static struct rule end_kept(const struct tc_txn *t, const struct tc_owner *who, bool commit)
{
    if (t->producer_id != who->producer_id) {
        return answer(KAFKA_INVALID_PRODUCER_ID_MAPPING);
    }
    if (t->epoch != who->epoch) {
        return answer(KAFKA_PRODUCER_FENCED);
    }
    if (tc_is_preparing(t)) {
        return answer(KAFKA_CONCURRENT_TRANSACTIONS);
    }
    if (t->state == TXN_ONGOING) {
        return decide();
    }
    return answer(same_outcome(t, commit) ? KAFKA_NONE : KAFKA_INVALID_TXN_STATE);
}

static bool is_complete(const struct tc_txn *t)
{
    return t->state == TXN_COMPLETE_COMMIT || t->state == TXN_COMPLETE_ABORT;
}

static struct rule end_bumping(const struct tc_txn *t, const struct tc_owner *who, bool commit)
{
    if (tc_is_preparing(t)) {
        return answer(KAFKA_CONCURRENT_TRANSACTIONS);
    }
    /* the answer was lost: the owner still has what it had before */
    bool rotated =
        t->last_producer_id == who->producer_id && who->epoch == TC_EPOCH_LAST && t->epoch == 0;
    bool again = is_complete(t) && (rotated || t->epoch == who->epoch + 1);
    if (t->producer_id != who->producer_id && !rotated) {
        return answer(KAFKA_INVALID_PRODUCER_ID_MAPPING);
    }
    if (again) {
        return answer(same_outcome(t, commit) ? KAFKA_NONE : KAFKA_INVALID_TXN_STATE);
    }
    if (t->epoch != who->epoch) {
        return answer(KAFKA_PRODUCER_FENCED);
    }
    /* an abort needs no transaction: the owner may not know whether one was begun */
    return t->state == TXN_ONGOING || !commit ? decide() : answer(KAFKA_INVALID_TXN_STATE);
}

static void bump(struct broker *b, struct tc_txn *t)
{
    if (t->epoch >= TC_EPOCH_LAST) {
        t->next_producer_id = b->next_producer_id++;
    }
    if (t->state != TXN_ONGOING) {
        t->start_ms = state_now_ms();
    }
    t->last_epoch = t->epoch;
    t->epoch++;
}

int tc_end(struct broker *b, const struct tc_owner *who, bool commit, bool bumps,
           int64_t *producer_id, int16_t *epoch)
{
    if (!who->id || !*who->id) {
        return KAFKA_INVALID_REQUEST;
    }
    struct tc_txn *t = tc_find(b, who->id);
    if (!t) {
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    }
    struct rule r = bumps ? end_bumping(t, who, commit) : end_kept(t, who, commit);
    if (r.decide) {
        if (bumps) {
            bump(b, t);
        }
        t->client_version = bumps ? TC_BUMPS : 0;
        tc_prepare(b, t, commit);
    }
    bool rotates = t->next_producer_id >= 0;
    *producer_id = rotates ? t->next_producer_id : t->producer_id;
    *epoch = (int16_t)(rotates ? 0 : t->epoch);
    return r.code;
}
