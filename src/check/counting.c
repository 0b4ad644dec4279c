/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that count: crashed, messages, reached; and those that the scenario's author wrote:
 * asserted and invariant folds. An emitted fact with a transaction counts only if that transaction
 * is committed in the log. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

static struct m_proc *proc_of(const struct judge *j, const struct event *ev)
{
    return j->m->by_hist[ev->proc];
}

void eval_count(struct eval *out, uint64_t t)
{
    out->times++;
    if (out->first_t == 0 || t < out->first_t) {
        out->first_t = t;
    }
    if (out->times == out->at_least) {
        out->last_t = t;
    }
}

void eval_counted(struct judge *j, struct eval *out, const char *things)
{
    out->counting = true;
    out->detail =
        JTEXT(j, "%lld of %lld %s", (long long)out->times, (long long)out->judged, things);
    if (!j->audited) {
        out->unknown = "the audit is not complete";
    } else if (out->judged == 0) {
        out->unknown = "nothing was judged";
    }
}

void check_crashed(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    out->counting = true;
    for (size_t i = 0; i < j->m->crashes.n; i++) {
        const struct event *ev = j->m->crashes.items[i];
        out->judged++;
        int point = plan_point_find(event_str(ev, H_CRASH_POINT));
        bool role = p->roles.n == 0 || plan_strings_has(&p->roles, proc_of(j, ev)->role);
        bool at = p->points == 0 || (point >= 0 && (p->points >> point & 1));
        if (role && at) {
            eval_count(out, ev->t);
        }
    }
    out->detail = JTEXT(j, "%lld times", (long long)out->times);
}

void check_messages(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    out->counting = true;
    const struct m_topic *t = p->topic ? model_topic(j->m, p->topic) : NULL;
    for (size_t i = 0; t && i < t->parts.n; i++) {
        const struct m_part *part = t->parts.items[i];
        for (size_t k = 0; part && k < part->records.n; k++) {
            const struct m_record *r = &part->records.items[k];
            out->judged++;
            bool wanted = p->aborted ? r->outcome == OUT_ABORTED : outcome_visible(r->outcome);
            if (wanted && !r->probe) {
                eval_count(out, record_time(j->m, r));
            }
        }
    }
    out->detail = JTEXT(j, "%lld messages", (long long)out->times);
    if (!j->audited) {
        out->unknown = "the audit is not complete";
    }
    out->judged += j->audited && out->judged == 0; /* an empty topic was looked at as well */
}

/* The property's own name is what w:reached names; from carries it. */
static const char *name_of(const struct judge *j, const struct plan_pred *p)
{
    const struct plan_props *props = &j->plan->expect;
    for (size_t i = 0; i < props->n; i++) {
        const struct plan_prop *prop = &props->items[i];
        if (p >= prop->preds.items && p < prop->preds.items + prop->preds.n) {
            return prop->name;
        }
    }
    return "";
}

void check_reached(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    const char *name = name_of(j, p);
    out->counting = true;
    for (size_t i = 0; i < j->m->reached.n; i++) {
        const struct event *ev = j->m->reached.items[i];
        if (strcmp(event_str(ev, H_REACHED_NAME), name) == 0) {
            out->judged++;
            eval_count(out, ev->t);
        }
    }
    out->detail = JTEXT(j, "%lld times", (long long)out->times);
}

void check_asserted(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    const char *name = name_of(j, p);
    for (size_t i = 0; i < j->m->asserts.n; i++) {
        const struct event *ev = j->m->asserts.items[i];
        if (strcmp(event_str(ev, H_ASSERT_NAME), name) != 0) {
            continue;
        }
        out->judged++;
        out->last_t = ev->t;
        if (event_int(ev, H_ASSERT_OK) != 0) {
            continue;
        }
        struct anomaly *a = anomaly_add(j, "assertion");
        if (!a) {
            continue;
        }
        size_t len = 0;
        const char *details = event_bytes(ev, H_ASSERT_DETAILS, &len);
        a->id = pool_str(j->pool, name);
        a->t = ev->t;
        a->call_site = pool_str(j->pool, event_str(ev, H_ASSERT_WHERE));
        anomaly_event(a, ev);
        anomaly_proc(a, proc_of(j, ev));
        a->text = JTEXT(j, "failed in %s%s%.*s", proc_of(j, ev)->name, len ? ": " : "", (int)len,
                        details ? details : "");
    }
}

/* ---- folds ---- */

static bool emit_counts(const struct judge *j, const struct event *ev, bool *unknown)
{
    int64_t number = event_int(ev, H_EMIT_TXN);
    if (number < 0) {
        return true;
    }
    const struct m_proc *p = proc_of(j, ev);
    const char *producer = event_str(ev, H_EMIT_PRODUCER);
    for (size_t i = 0; i < p->txns.n; i++) {
        const struct m_txn *t = p->txns.items[i];
        if (t->number == number && strcmp(t->producer, producer) == 0) {
            int committed = txn_committed(t);
            *unknown = *unknown || committed < 0;
            return committed == 1;
        }
    }
    *unknown = true;
    return false;
}

static json_t *emit_json(const struct judge *j, const struct event *ev)
{
    size_t len = 0;
    const char *text = event_bytes(ev, H_EMIT_FIELDS, &len);
    json_t *obj = text ? json_loadb(text, len, 0, NULL) : NULL;
    if (!json_is_object(obj)) {
        json_decref(obj);
        obj = json_object();
    }
    const struct m_proc *p = proc_of(j, ev);
    char id[32];
    snprintf(id, sizeof id, "%u:%u", ev->proc, ev->seq);
    json_object_set_new(obj, "event", json_string(id));
    json_object_set_new(obj, "time", json_integer((json_int_t)ev->t));
    json_object_set_new(obj, "role", json_string(p->role));
    json_object_set_new(obj, "index", json_integer(p->index));
    return obj;
}

static void add_named(const struct judge *j, struct anomaly *a, const json_t *ev)
{
    const char *id = json_string_value(json_object_get(ev, "event"));
    char *colon = NULL;
    unsigned long proc = id ? strtoul(id, &colon, 10) : 0;
    if (!colon || *colon != ':') {
        return;
    }
    unsigned long seq = strtoul(colon + 1, NULL, 10);
    for (size_t i = 0; i < j->m->emits.n; i++) {
        const struct event *e = j->m->emits.items[i];
        if (e->proc == proc && e->seq == seq) {
            anomaly_event(a, e);
            anomaly_proc(a, proc_of(j, e));
            a->t = e->t > a->t ? e->t : a->t;
            return;
        }
    }
}

static void take_violation(struct judge *j, int fold, struct fold_violation *v)
{
    struct anomaly *a = v->message ? anomaly_add(j, "invariant") : NULL;
    if (a) {
        const char *name = j->folds->name ? j->folds->name(j->folds->arg, fold) : NULL;
        a->id = pool_str(j->pool, name);
        a->text = pool_str(j->pool, v->message);
        size_t i;
        json_t *ev;
        json_array_foreach(v->events, i, ev)
        {
            add_named(j, a, ev);
        }
    }
    free(v->message);
    json_decref(v->events);
    *v = (struct fold_violation){0};
}

static int run_fold(struct judge *j, int fold, struct eval *out, bool *unknown)
{
    const struct fold_ops *ops = j->folds;
    const char *on = ops->on ? ops->on(ops->arg, fold) : NULL;
    if (ops->begin(ops->arg, fold, j->e) != 0) {
        return -1;
    }
    struct fold_violation v = {0};
    for (size_t i = 0; i < j->m->emits.n; i++) {
        const struct event *ev = j->m->emits.items[i];
        if ((on && strcmp(event_str(ev, H_EMIT_KIND), on) != 0) || !emit_counts(j, ev, unknown)) {
            continue;
        }
        out->judged++;
        json_t *obj = emit_json(j, ev);
        int rc = ops->step(ops->arg, fold, obj, &v, j->e);
        json_decref(obj);
        if (rc != 0) {
            return -1;
        }
        take_violation(j, fold, &v);
    }
    if (ops->final && ops->final(ops->arg, fold, &v, j->e) != 0) {
        return -1;
    }
    take_violation(j, fold, &v);
    return 0;
}

void check_invariant(struct judge *j, const struct plan_pred *p, struct eval *out)
{
    bool unknown = false;
    if (!j->folds || p->fold < 0) {
        j->failed = true;
        err_set(j->e, ERR_INTERNAL, 0, "no function for the invariant at %s",
                p->where ? p->where : "?");
        return;
    }
    if (run_fold(j, p->fold, out, &unknown) != 0) {
        j->failed = true;
        return;
    }
    if (unknown) {
        out->unknown = "it is not known whether some transactions with emitted facts committed";
    }
}
