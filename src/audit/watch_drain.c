/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what "drained" means: nothing is open, and behind the place of every reader stands no
 * record that it would still be given. A committed offset below the end proves nothing: control
 * records and aborted ones take offsets too, so what lies between is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/outcome.h"
#include "audit/scan.h"
#include "audit/watch_priv.h"
#include "base/clock.h"
#include "base/mem.h"

enum { READ_MS = 1500 };

/** Puts a reason into why; false, so that a judgement can end with it. */
#define say(why, ...) (snprintf(why, WATCH_WHY, __VA_ARGS__), false)

/* ---- open transactions ----------------------------------------------------------------------- */

static bool parts_answer(struct watch *w, char *why)
{
    for (size_t i = 0; i < w->o.plan->topics.n; i++) {
        const char *name = w->o.plan->topics.items[i].name;
        bool found = false;
        for (size_t k = 0; k < w->parts.n && !found; k++) {
            found = strcmp(w->parts.items[k]->topic, name) == 0;
        }
        if (!found) {
            return say(why, "topic %s is not in the cluster's metadata", name);
        }
    }
    for (size_t i = 0; i < w->parts.n; i++) {
        const struct watch_part *p = w->parts.items[i];
        if (p->declared && !p->fresh) {
            return say(why, "%s[%d]: its leader does not answer", p->topic, (int)p->number);
        }
    }
    return true;
}

static bool parts_are_stable(struct watch *w, bool internal, char *why)
{
    for (size_t i = 0; i < w->parts.n; i++) {
        const struct watch_part *p = w->parts.items[i];
        if (internal ? !p->internal : !p->declared) {
            continue;
        }
        if (internal && !p->fresh) {
            return say(why, "%s[%d]: its leader does not answer", p->topic, (int)p->number);
        }
        if (p->lso != p->hw) {
            return say(why, "%s[%d]: its last stable offset is %lld, its end %lld", p->topic,
                       (int)p->number, (long long)p->lso, (long long)p->hw);
        }
    }
    return true;
}

/** Producer ids that wrote to declared partitions. */
static bool learn_pids(struct watch *w)
{
    for (size_t i = 0; i < w->parts.n; i++) {
        const struct watch_part *p = w->parts.items[i];
        struct admin_producers ps;
        struct err e;
        if (!p->declared) {
            continue;
        }
        int rc = admin_describe_producers(w->admin, p->topic, p->number, WATCH_ASK_MS, &ps, &e);
        for (size_t k = 0; rc == 0 && k < ps.n; k++) {
            map_put(&w->pids, &ps.items[k].producer_id, sizeof ps.items[k].producer_id, NULL);
        }
        admin_producers_free(&ps);
        if (rc < 0) {
            return false;
        }
    }
    return true;
}

/** On a shared cluster: whether a transaction touches what the run declared, or its producer did
 *  before. */
static bool concerns_us(struct watch *w, const struct admin_txn *listed)
{
    struct admin_txns d;
    struct err e;
    bool ours = false;
    int rc = admin_describe_transactions(w->admin, &listed->id, 1, WATCH_ASK_MS, &d, &e);
    for (size_t i = 0; rc == 0 && i < d.n && !ours; i++) {
        for (size_t k = 0; k < d.items[i].npartitions && !ours; k++) {
            ours = plan_topic(w->o.plan, d.items[i].partitions[k].topic) != NULL;
        }
    }
    admin_txns_free(&d);
    return rc < 0 || ours ||
           map_get(&w->pids, &listed->producer_id, sizeof listed->producer_id) != NULL;
}

static bool no_transaction(struct watch *w, char *why)
{
    static const char *const states[] = {"Ongoing", "PrepareCommit", "PrepareAbort",
                                         "PrepareEpochFence"};
    struct admin_txns t;
    struct err e;
    bool none = true;
    int rc = admin_list_transactions(w->admin, states, ARRAY_LEN(states), WATCH_ASK_MS, &t, &e);
    if (rc < 0) {
        none = say(why, "the transactions cannot be listed: %.300s", e.msg);
    } else if (w->o.shared && t.n > 0 && !learn_pids(w)) {
        none = say(why, "the producers of the declared topics cannot be listed");
    }
    for (size_t i = 0; none && i < t.n; i++) {
        if (!w->o.shared || concerns_us(w, &t.items[i])) {
            none = say(why, "transaction %s of producer id %lld is %s", t.items[i].id,
                       (long long)t.items[i].producer_id, t.items[i].state);
        }
    }
    admin_txns_free(&t);
    return none;
}

/* ---- unread records -------------------------------------------------------------------------- */

struct unread {
    struct outcomes outcomes;
    int64_t from;
};

/** Whether the batch holds a record at or above the place of the reader. */
static bool has_record(const struct batch *b, int64_t from)
{
    struct record_iter it;
    struct record r;
    bool found = false;
    if (b->count <= 0 || b->corrupt || b->base_offset >= from) {
        return b->count > 0;
    }
    record_iter_init(&it, b);
    while (!found && record_iter_next(&it, &r) > 0) {
        found = r.offset >= from;
    }
    record_iter_free(&it);
    return found;
}

static bool until_deliverable(void *arg, const struct batch *b)
{
    struct unread *u = arg;
    if (b->control) {
        return outcomes_add(&u->outcomes, b) == 0;
    }
    if (!has_record(b, u->from)) {
        return true;
    }
    outcomes_add(&u->outcomes, b);
    return b->transactional;
}

/** @return 1 = no deliverable record in [from, end), 0 = there is one, -1 = cannot be read. */
static int is_read(struct watch *w, const struct watch_part *p, int64_t from, struct err *e)
{
    struct unread u = {.from = from};
    struct scan s = {.admin = w->admin,
                     .topic = p->topic,
                     .partition = p->number,
                     .from = from,
                     .to = p->hw,
                     .deadline_ns = clock_mono_ns() + (uint64_t)READ_MS * 1000000,
                     .batch = until_deliverable,
                     .arg = &u};
    int rc = scan_run(&s, e);
    if (rc == 0) {
        rc = !s.stopped && outcomes_first_open(&u.outcomes) < 0;
    }
    outcomes_free(&u.outcomes);
    return rc;
}

static bool place_is_read(struct watch *w, struct watch_place *x, char *why)
{
    const struct watch_part *p = x->part;
    const char *kind = x->group ? "group " : "";
    if (!x->known) {
        return say(why, "the committed offsets of group %s cannot be read", x->who);
    }
    if (!x->stable) {
        return say(why, "%s[%d]: a transaction holds an offset of group %s", p->topic,
                   (int)p->number, x->who);
    }
    if (!p->fresh) {
        return say(why, "%s[%d]: its leader does not answer", p->topic, (int)p->number);
    }
    int64_t from = x->next > p->log_start ? x->next : p->log_start;
    int64_t at = from;
    if (x->clear_from == from && x->clear_to > at) {
        at = x->clear_to;
    }
    struct err e;
    int rc = at < p->hw ? is_read(w, p, at, &e) : 1;
    if (rc < 0) {
        return say(why, "%.400s", e.msg);
    }
    if (rc == 0) {
        return say(why, "%s[%d]: records above offset %lld, where %s%s is; the end is %lld",
                   p->topic, (int)p->number, (long long)from, kind, x->who, (long long)p->hw);
    }
    x->clear_from = from;
    x->clear_to = p->hw;
    return true;
}

/* A group that shall come to rest is waited for: it is judged by what it is when the drain ends. */
static bool groups_rest(struct watch *w, char *why)
{
    const struct plan *p = w->o.plan;
    for (size_t i = 0; i < p->expect.n; i++) {
        for (size_t k = 0; k < p->expect.items[i].preds.n; k++) {
            const struct plan_pred *d = &p->expect.items[i].preds.items[k];
            bool asked = d->kind == PRED_STABLE_GROUP && d->group;
            const struct map_entry *at = asked ? map_get_str(&w->group_unrest, d->group) : NULL;
            if (at && at->u) {
                return say(why, "group %s is not stable", d->group);
            }
        }
    }
    return true;
}

bool drain_is_clean(struct watch *w, char *why)
{
    char who[WATCH_WHY] = "";
    if (!parts_answer(w, why)) {
        return false;
    }
    if (!parts_are_stable(w, false, why)) {
        size_t len = strlen(why);
        if (!no_transaction(w, who)) {
            snprintf(why + len, WATCH_WHY - len, ": %.300s", who);
        }
        return false;
    }
    for (size_t i = 0; !w->in_cut && i < w->places.n; i++) {
        if (w->places.items[i]->live && !place_is_read(w, w->places.items[i], why)) {
            return false;
        }
    }
    if ((!w->in_cut && !groups_rest(w, why)) || !no_transaction(w, why)) {
        return false;
    }
    if (!w->o.shared) {
        sample_internal(w);
    }
    return w->o.shared || parts_are_stable(w, true, why);
}
