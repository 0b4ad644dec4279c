/* SPDX-License-Identifier: Apache-2.0 */
/* Records that left the log before the audit could read them, by retention, DeleteRecords or
 * compaction. Nobody looked at them: what asks about all records of their topic cannot hold, and
 * what seems to lack or to stand alone for want of them is not proven. What two records prove that
 * are both still there stays proven. */
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

static int64_t removed(const struct m_topic *t)
{
    int64_t n = 0;
    for (size_t i = 0; t && t->plan && i < t->parts.n; i++) {
        n += t->parts.items[i] ? t->parts.items[i]->removed : 0;
    }
    return n;
}

static const char *text(const struct judge *j, const struct m_topic *t)
{
    return JTEXT(j,
                 "%lld offsets of topic %s left the log (retention, DeleteRecords or compaction) "
                 "before it was audited",
                 (long long)removed(t), t->name);
}

const char *removed_topic(const struct judge *j, const char *topic)
{
    const struct m_topic *t = topic ? model_topic(j->m, topic) : NULL;
    return removed(t) > 0 ? text(j, t) : NULL;
}

const char *removed_any(const struct judge *j)
{
    for (size_t i = 0; i < j->m->topics.n; i++) {
        if (removed(j->m->topics.items[i]) > 0) {
            return text(j, j->m->topics.items[i]);
        }
    }
    return NULL;
}

static bool is_topic(const struct judge *j, const char *name)
{
    return name && plan_topic(j->plan, name);
}

/* Judges what went through topics that it does not name. */
static bool asks_all(const struct judge *j, const struct plan_pred *p)
{
    switch (p->kind) {
    case PRED_ATOMIC:
    case PRED_MARKERS:
    case PRED_HELD_BACK:
        return !p->topic;
    case PRED_LIVENESS:
        return true;
    default:
        return p->from && !is_topic(j, p->from) && p->to && !is_topic(j, p->to);
    }
}

static bool names(const struct plan_pred *p, const char *topic)
{
    const char *one[] = {p->from, p->to, p->topic};
    for (size_t i = 0; i < ARRAY_LEN(one); i++) {
        if (one[i] && strcmp(one[i], topic) == 0) {
            return true;
        }
    }
    return plan_strings_has(&p->topics, topic) || plan_strings_has(&p->places, topic);
}

const char *removed_of(const struct judge *j, const struct plan_pred *pred)
{
    bool all = asks_all(j, pred);
    for (size_t i = 0; i < j->m->topics.n; i++) {
        const struct m_topic *t = j->m->topics.items[i];
        if (removed(t) > 0 && (all || names(pred, t->name))) {
            return text(j, t);
        }
    }
    return NULL;
}

/* Whether what was made from records may have gone through a topic: a role sent to it what it had
 * read somewhere, or a program may have. */
static bool on_the_way(const struct judge *j, const struct m_topic *t)
{
    for (size_t i = 0; i < j->plan->roles.n; i++) {
        if (plan_is_program(&j->plan->roles.items[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < j->m->procs.n; i++) {
        const struct m_proc *p = j->m->procs.items[i];
        for (size_t k = 0; k < p->sends.n; k++) {
            if (p->sends.items[k].topic == t && p->sends.items[k].src) {
                return true;
            }
        }
    }
    return false;
}

static bool way_removed(const struct judge *j, const struct plan_pred *p)
{
    if (!is_topic(j, p->from) && is_topic(j, p->to)) {
        return false; /* what a role sent is there, or it is not */
    }
    for (size_t i = 0; i < j->m->topics.n; i++) {
        const struct m_topic *t = j->m->topics.items[i];
        if (removed(t) > 0 && on_the_way(j, t)) {
            return true;
        }
    }
    return false;
}

static bool is_one(const char *kind, const char *const *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Two effects of one id may be those of two inputs, one of which is gone; what came first may be
 * gone too. */
static bool may_be_due(const struct judge *j, const struct plan_pred *p, const char *kind)
{
    static const char *const absent[] = {"lost",    "unprocessed", "unaccounted", "invented",
                                         "garbage", "torn_write",  "late"};
    static const char *const twice[] = {"duplicate", "double_accounted"};
    if (is_one(kind, twice, ARRAY_LEN(twice))) {
        return p->id != ID_LINEAGE && removed_topic(j, p->from);
    }
    return is_one(kind, absent, ARRAY_LEN(absent)) ||
           (p->per_key && strcmp(kind, "reordered") == 0);
}

void removed_doubt(struct judge *j, const struct plan_pred *pred, size_t from)
{
    static const char *const gone[] = {"lost", "unprocessed", "unaccounted"};
    bool named = removed_of(j, pred) != NULL, way = way_removed(j, pred), any = removed_any(j);
    for (size_t i = from; i < j->anomalies.n; i++) {
        struct anomaly *a = j->anomalies.items[i];
        bool due = (named && may_be_due(j, pred, a->kind->name)) ||
                   (way && is_one(a->kind->name, gone, ARRAY_LEN(gone))) ||
                   (any && strcmp(a->kind->name, "not_reached") == 0);
        a->proven = a->proven && !due;
    }
}
