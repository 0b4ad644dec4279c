/* SPDX-License-Identifier: Apache-2.0 */
/* The table of checks, and the order of a judgement: model, what the history can prove, each
 * property by its mode, the undeclared checks, causes and blame, findings, verdict. */
#include "check/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

const struct check_row check_rows[] = {
    {"exactly_once", check_exactly_once, PRED_EXACTLY_ONCE, false},
    {"no_loss", check_no_loss, PRED_NO_LOSS, false},
    {"no_duplicates", check_no_duplicates, PRED_NO_DUPLICATES, false},
    {"committed_only", check_committed_only, PRED_COMMITTED_ONLY, false},
    {"atomic", check_atomic, PRED_ATOMIC, true},
    {"markers", check_markers, PRED_MARKERS, true},
    {"sequences", check_sequences, -1, true},
    {"gaps", check_gaps, -1, true},
    {"offsets_agree", check_offsets_agree, -1, true},
    {"probe", check_probe, -1, true},
    {"deaths", check_deaths, -1, true},
    {"order", check_order, PRED_ORDER, false},
    {"stable_group", check_stable_group, PRED_STABLE_GROUP, false},
    {"liveness", check_liveness, PRED_LIVENESS, false},
    {"takeover", check_takeover, PRED_TAKEOVER, false},
    {"accounted", check_accounted, PRED_ACCOUNTED, false},
    {"crashed", check_crashed, PRED_CRASHED, false},
    {"messages", check_messages, PRED_MESSAGES, false},
    {"saw_aborted", check_saw_aborted, PRED_SAW_ABORTED, false},
    {"late", check_late, PRED_LATE, false},
    {"repeated", check_repeated, PRED_REPEATED, false},
    {"held_back", check_held_back, PRED_HELD_BACK, false},
    {"unique", check_unique, PRED_UNIQUE, false},
    {"together", check_together, PRED_TOGETHER, false},
    {"invariant", check_invariant, PRED_INVARIANT, false},
    {"reached", check_reached, PRED_REACHED, false},
    {"asserted", check_asserted, PRED_ASSERTED, false},
    {NULL, NULL, -1, false},
};

const struct check_info check_infos[] = {
    {"exactly_once", "inputs and committed outputs correspond one to one", false},
    {"no_loss", "every input has an effect", false},
    {"no_duplicates", "no input has two effects", false},
    {"committed_only", "only committed records are delivered", false},
    {"atomic", "a transaction is committed whole or not at all", true},
    {"markers", "every transaction is closed by a marker of its own", true},
    {"sequences", "producer sequences are dense", true},
    {"gaps", "offsets are dense", true},
    {"offsets_agree", "acknowledgements and deliveries agree with the log", true},
    {"probe", "a fresh instance of a group has nothing left to do", true},
    {"deaths", "no role dies again and again of fatal Kafka errors", true},
    {"order", "committed records keep the order of their sends", false},
    {"stable_group", "the group comes to rest after the faults", false},
    {"liveness", "all work is done within the drain", false},
    {"takeover", "no partition is without an owner for long", false},
    {"accounted", "every input ends in exactly one place", false},
    {"crashed", "roles died at crash points", false},
    {"messages", "a topic holds visible records", false},
    {"saw_aborted", "a role was delivered records of aborted transactions", false},
    {"late", "effects came later than so long after their inputs", false},
    {"repeated", "inputs have more than one effect", false},
    {"held_back", "transactions held back readers for longer than this", false},
    {"unique", "no two records of a topic have the same id", false},
    {"together", "records with one id are all there or none is", false},
    {"invariant", "a fold of the scenario's author holds", false},
    {"reached", "a role reached a named point", false},
    {"asserted", "assertions inside roles held", false},
    {NULL, NULL, false},
};

static const struct check_row *row_of(enum plan_pred_kind kind)
{
    for (const struct check_row *r = check_rows; r->name; r++) {
        if (r->pred == (int)kind) {
            return r;
        }
    }
    return NULL;
}

struct judged { /**< the predicates of a property together */
    int64_t judged, times;
    uint64_t first_t, last_t;
    bool counting, enough;
    size_t violations;
    const char *unknown, *detail;
    struct eval_case worst;
};

static void judge_pred(struct judge *j, const struct plan_pred *pred, struct judged *sum)
{
    const struct check_row *row = row_of(pred->kind);
    if (!row) {
        sum->unknown = "no such check";
        return;
    }
    struct eval e = {.at_least = pred->at_least > 0 ? pred->at_least : 1};
    size_t before = j->anomalies.n + j->hushed, first = j->anomalies.n;
    const char *removed = removed_of(j, pred);
    j->check = row->name;
    row->fn(j, pred, &e);
    removed_doubt(j, pred, first);
    e.unknown = e.unknown ? e.unknown : removed;
    sum->judged += e.judged;
    sum->violations += j->anomalies.n + j->hushed - before;
    sum->last_t = e.last_t > sum->last_t ? e.last_t : sum->last_t;
    sum->unknown = sum->unknown ? sum->unknown : e.unknown;
    sum->detail = e.detail ? e.detail : sum->detail;
    if (e.counting) {
        sum->counting = true;
        sum->times += e.times;
        sum->enough = sum->enough && e.times >= e.at_least;
        if (e.first_t && (!sum->first_t || e.first_t < sum->first_t)) {
            sum->first_t = e.first_t;
        }
        if (e.times > 0 && !sum->worst.kind) {
            sum->worst = e.worst;
        }
    }
}

static int64_t since_ms(uint64_t t, uint64_t from)
{
    return ((int64_t)t - (int64_t)from) / 1000000;
}

static void not_reached(struct judge *j, const struct plan_prop *prop, struct prop_result *r)
{
    struct anomaly *a = anomaly_add(j, "not_reached");
    if (a) {
        a->id = pool_str(j->pool, prop->name);
        a->text = JTEXT(j, "happened %lld times", (long long)r->times);
        a->proven = j->complete && j->audited && j->drained;
    }
}

/* An eventually that came true, but after its limit. */
static void too_late(struct judge *j, const struct plan_prop *prop, struct prop_result *r)
{
    struct anomaly *a = anomaly_add(j, "late");
    if (a) {
        a->id = pool_str(j->pool, prop->name);
        a->text = JTEXT(j, "came true %lld ms after the faults stopped, the limit is %lld ms",
                        (long long)r->last_ms, (long long)r->limit_ms);
    }
}

static void settle_must(struct judge *j, const struct plan_prop *prop, const struct judged *s,
                        struct prop_result *r)
{
    size_t violations = s->violations;
    if (s->counting && !s->enough) {
        not_reached(j, prop, r);
        violations++;
    }
    if (prop->mode == MODE_EVENTUALLY && s->last_t && j->m->t_off) {
        r->has_margin = true;
        r->last_ms = since_ms(s->last_t, j->m->t_off);
        r->limit_ms = prop->within_ms;
        if (r->limit_ms >= 0 && r->last_ms > r->limit_ms && violations == 0) {
            too_late(j, prop, r);
            violations++;
        }
    }
    if (violations > 0) {
        r->state = PROP_VIOLATED;
        const char *why = s->unknown ? s->unknown : removed_any(j);
        r->reason = why ? why : ""; /* should no violation be proven */
    } else if (s->unknown) {
        r->state = PROP_INCONCLUSIVE;
        r->reason = s->unknown;
    } else if (s->judged == 0) {
        r->state = PROP_INCONCLUSIVE;
        r->reason = "nothing was judged";
    } else {
        r->state = PROP_HELD;
    }
}

/* A `never` that happened: the worst case, if the check knows it. */
static void happened_once(struct judge *j, const struct plan_prop *prop, const struct judged *s,
                          int64_t times)
{
    const struct eval_case *w = &s->worst;
    struct anomaly *a = anomaly_add(j, w->kind ? w->kind : "reached");
    a->id = w->id ? w->id : pool_str(j->pool, prop->name);
    a->t = s->first_t;
    a->text = w->text       ? JTEXT(j, "%s (%lld in all)", w->text, (long long)times)
              : s->counting ? JTEXT(j, "happened %lld times", (long long)times)
                            : "happened";
    if (w->record) {
        anomaly_log_record(a, w->record);
    }
    if (w->source) {
        anomaly_source(a, w->source->part, w->source->offset);
    }
    a->deliver = w->deliver;
}

static void settle_may(struct judge *j, const struct plan_prop *prop, const struct judged *s,
                       struct prop_result *r)
{
    bool happened = s->counting ? s->enough : s->violations == 0 && s->judged > 0 && !s->unknown;
    if (prop->mode == MODE_SOMETIMES) {
        r->state = happened ? PROP_HELD : PROP_INCONCLUSIVE;
        r->reason = happened ? "" : "never happened";
        return;
    }
    j->quiet = false;
    if (happened) {
        r->state = PROP_VIOLATED;
        r->reason = s->unknown ? s->unknown : "";
        happened_once(j, prop, s, s->times);
    } else if (s->unknown || !j->complete) {
        r->state = PROP_INCONCLUSIVE;
        r->reason = s->unknown ? s->unknown : "the history is not complete";
    } else {
        r->state = PROP_HELD;
    }
}

static void judge_prop(struct judge *j, const struct plan_prop *prop, struct prop_result *r)
{
    struct judged sum = {.enough = true};
    r->mode = plan_mode_name(prop->mode);
    r->name = pool_str(j->pool, prop->name);
    r->where = pool_str(j->pool, prop->where);
    r->declared = true;
    r->limit_ms = -1;
    r->detail = r->reason = "";
    bool may = prop->mode == MODE_SOMETIMES || prop->mode == MODE_NEVER;
    j->quiet = may;
    for (size_t i = 0; i < prop->preds.n && !j->failed; i++) {
        judge_pred(j, &prop->preds.items[i], &sum);
    }
    r->judged = sum.judged;
    r->times = sum.times;
    r->first_t = sum.first_t;
    size_t first = j->anomalies.n;
    if (may) {
        settle_may(j, prop, &sum, r);
    } else {
        settle_must(j, prop, &sum, r);
    }
    for (size_t i = 0; i < prop->preds.n; i++) {
        removed_doubt(j, &prop->preds.items[i], first);
    }
    j->quiet = false;
    r->detail = sum.detail ? sum.detail : JTEXT(j, "%lld judged", (long long)r->judged);
    if (r->state == PROP_INCONCLUSIVE) {
        judge_reason(j, "%s \"%s\": %s", r->mode, r->name, r->reason);
    }
}

static void judge_undeclared(struct judge *j, const struct check_row *row, struct prop_result *r)
{
    struct eval e = {0};
    size_t before = j->anomalies.n;
    j->check = row->name;
    row->fn(j, NULL, &e);
    *r = (struct prop_result){.mode = "",
                              .name = row->name,
                              .where = "",
                              .judged = e.judged,
                              .limit_ms = -1,
                              .reason = ""};
    r->detail = e.detail ? e.detail : JTEXT(j, "%lld judged", (long long)e.judged);
    r->state = j->anomalies.n > before ? PROP_VIOLATED : PROP_HELD;
    if (e.unknown) {
        r->reason = e.unknown;
        r->state = r->state == PROP_HELD ? PROP_INCONCLUSIVE : r->state;
    }
}

static void judge_all(struct judge *j)
{
    struct verdict *v = j->v;
    size_t undeclared = 0;
    for (const struct check_row *r = check_rows; r->name; r++) {
        undeclared += r->undeclared;
    }
    v->nprops = j->plan->expect.n + j->plan->thresholds.n + undeclared;
    v->props = pool_alloc(j->pool, (v->nprops + 1) * sizeof *v->props);
    for (size_t i = 0; i < j->plan->expect.n && !j->failed; i++) {
        j->prop = (int)i;
        judge_prop(j, &j->plan->expect.items[i], &v->props[i]);
    }
    size_t at = j->plan->expect.n;
    for (size_t i = 0; i < j->plan->thresholds.n && !j->failed; i++) {
        j->prop = (int)at;
        threshold_judge(j, &j->plan->thresholds.items[i], &v->props[at++]);
    }
    for (const struct check_row *r = check_rows; r->name && !j->failed; r++) {
        if (r->undeclared) {
            j->prop = (int)at;
            judge_undeclared(j, r, &v->props[at++]);
        }
    }
}

static bool declared_all_found(const struct judge *j)
{
    for (size_t i = 0; i < j->plan->fails_with.n; i++) {
        bool found = false;
        for (size_t k = 0; k < j->v->nfindings; k++) {
            const struct finding *f = &j->v->findings[k];
            found = found || (f->proven && strcmp(f->kind, j->plan->fails_with.items[i]) == 0);
        }
        if (!found) {
            return false;
        }
    }
    return j->plan->fails_with.n > 0;
}

static int exit_code(const struct verdict *v)
{
    static const int codes[] = {[VERDICT_PASS] = 0,
                                [VERDICT_FAIL] = 1,
                                [VERDICT_INCONCLUSIVE] = 2,
                                [VERDICT_SCENARIO_ERROR] = 3,
                                [VERDICT_ENVIRONMENT] = 4};
    if (v->twin && v->code == VERDICT_PASS) {
        return 1;
    }
    return v->expected ? 0 : codes[v->code];
}

static void decide(struct judge *j)
{
    struct verdict *v = j->v;
    bool fail = false;
    for (size_t i = 0; i < v->nfindings; i++) {
        fail = fail || (v->findings[i].proven && !v->findings[i].warning);
    }
    v->code = fail                                                    ? VERDICT_FAIL
              : j->o->outcome == CHECK_ENVIRONMENT                    ? VERDICT_ENVIRONMENT
              : j->o->outcome == CHECK_SCENARIO_ERROR || j->lua_error ? VERDICT_SCENARIO_ERROR
              : j->reasons.n > 0                                      ? VERDICT_INCONCLUSIVE
                                                                      : VERDICT_PASS;
    v->twin = j->plan->fails_with.n > 0;
    v->expected = fail && declared_all_found(j);
    v->exit_code = exit_code(v);
    v->nreasons = j->reasons.n;
    v->reasons = pool_copy(j->pool, j->reasons.items, j->reasons.n * sizeof *v->reasons);
    v->reason = "";
    if (j->o->outcome != CHECK_RAN && j->o->why) {
        v->reason = pool_str(j->pool, j->o->why);
    } else if (v->twin && v->code == VERDICT_PASS) {
        v->reason =
            "the planted bug did not show: the scenario declares fails_with and did not fail";
    } else if (v->twin && fail && !v->expected) {
        v->reason = "it failed, but not with all the kinds that fails_with declares";
    } else if (v->code != VERDICT_PASS && v->code != VERDICT_FAIL && v->nreasons > 0) {
        v->reason = v->reasons[0];
    }
}

static void free_judge(struct judge *j, struct model *m)
{
    for (size_t i = 0; i < j->anomalies.n; i++) {
        anomaly_free(j->anomalies.items[i]);
    }
    free(j->anomalies.items);
    free(j->reasons.items);
    model_free(m);
}

static bool stood_still(const struct model *m)
{
    for (size_t i = 0; i < m->harness.n; i++) {
        if (strcmp(event_str(m->harness.items[i], H_HARNESS_WHAT), HIST_STOOD_STILL) == 0) {
            return true;
        }
    }
    return false;
}

/* What the history as a whole does not allow to prove: nothing where a part of it is of another
 * run, no delay where the runner itself stood still. */
static void doubt(struct judge *j)
{
    bool still = stood_still(j->m);
    for (size_t i = 0; i < j->anomalies.n; i++) {
        struct anomaly *a = j->anomalies.items[i];
        a->proven = a->proven && !j->foreign && !(still && a->kind->class != CLASS_SAFETY);
    }
}

/** What the faults ended for: a person, before the work was done. */
static bool was_interrupted(const struct model *m)
{
    const struct event *off = model_phase(m, "faults_off");
    const char *why = off ? event_str(off, H_PHASE_DETAIL) : "";
    return strcmp(why, "interrupted") == 0 || strcmp(why, "stopped by hand") == 0;
}

struct verdict *check_run(const struct events *es, const struct plan *p,
                          const struct fold_ops *folds, const struct check_opts *o, struct err *e)
{
    static const struct check_opts none;
    struct model *m = model_new(es, p);
    struct verdict *v = xcalloc(1, sizeof *v);
    v->pool = pool_new();
    struct judge j = {.m = m,
                      .plan = p,
                      .folds = folds,
                      .o = o ? o : &none,
                      .interrupted = (o && o->interrupted) || was_interrupted(m),
                      .pool = v->pool,
                      .v = v,
                      .e = e,
                      .prop = -1};
    v->scenario = pool_str(v->pool, p->name);
    v->t0 = m->t0;
    v->t_off = m->t_off;
    v->t_end = m->t_end;
    history_reasons(&j);
    v->complete = j.complete && j.audited;
    v->drained = j.drained;
    judge_all(&j);
    doubt(&j);
    if (!j.failed) {
        facts_make(&j);
        blame_all(&j);
        findings_make(&j);
        decide(&j);
    }
    bool failed = j.failed;
    free_judge(&j, m);
    if (failed) {
        verdict_free(v);
        return NULL;
    }
    return v;
}
