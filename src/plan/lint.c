/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that fit together badly: values of Kafka's clients whose relation makes a scenario test
 * something else than it says. Pure functions of a plan. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/plan.h"

/* What the run sets where the author says nothing, in ms. */
enum { SESSION = 3000, TRANSACTION = 10000, CLEANUP = 10000 };

struct lint {
    const struct plan *plan;
    plan_lint_fn *fn;
    void *arg;
};

__attribute__((format(printf, 4, 5))) static void say(const struct lint *l, bool error,
                                                      const char *where, const char *fmt, ...)
{
    char message[1024];
    va_list ap;
    int n = snprintf(message, sizeof message, "scenario \"%s\"", l->plan->name);
    va_start(ap, fmt);
    vsnprintf(message + n, sizeof message - (size_t)n, fmt, ap);
    va_end(ap);
    l->fn(l->arg, error, where, message);
}

static bool broker_session(const struct plan_role *r)
{
    const char *protocol = plan_conf_get(&r->conf, "group.protocol");
    return protocol && strcmp(protocol, "consumer") == 0;
}

static int64_t session_of(const struct plan *p, const struct plan_role *r)
{
    if (broker_session(r)) {
        return plan_conf_ms(&p->cluster_config, "group.consumer.session.timeout.ms", 45000);
    }
    return plan_conf_ms(&r->conf, "session.timeout.ms", SESSION);
}

static int64_t transaction_of(const struct plan_role *r)
{
    return plan_conf_ms(&r->conf, "transaction.timeout.ms", TRANSACTION);
}

static void lint_pause(const struct lint *l, size_t i)
{
    const struct plan_fault *f = &l->plan->faults.items[i];
    for (size_t k = 0; k < f->roles.n; k++) {
        const struct plan_role *r = plan_role(l->plan, f->roles.items[k]);
        if (plan_is_program(r) && !plan_conf_get(&r->conf, "session.timeout.ms")) {
            continue; /* nobody said what the program's timeout is */
        }
        int64_t session = r ? session_of(l->plan, r) : 0;
        if (r && f->hold.max_ms <= session) {
            say(l, false, f->where,
                ", faults[%zu] (pause), hold: %" PRId64
                " ms are not longer than the session timeout "
                "of role `%s` (%" PRId64 " ms): the group will not notice this pause",
                i + 1, f->hold.max_ms, r->name, session);
        }
    }
}

static void lint_fault(const struct lint *l, size_t i)
{
    const struct plan_fault *f = &l->plan->faults.items[i];
    if (f->kind == FAULT_PAUSE) {
        lint_pause(l, i);
    }
    for (size_t k = 0; f->index > 0 && k < f->roles.n; k++) {
        const struct plan_role *r = plan_role(l->plan, f->roles.items[k]);
        if (r && f->index > r->count) {
            say(l, true, f->where, ", faults[%zu] (%s), index: no instance %d, role `%s` has %d",
                i + 1, plan_fault_name(f->kind), f->index, r->name, r->count);
        }
    }
    if ((f->kind == FAULT_CRASH || f->kind == FAULT_ABORT) && f->p == 0 && f->at.min_ms < 0) {
        say(l, false, f->where, ", faults[%zu] (%s), p: with 0 it never fires", i + 1,
            plan_fault_name(f->kind));
    }
}

/* Off again before its time comes. */
static void lint_mixed(const struct lint *l, size_t i)
{
    const struct plan_fault *f = &l->plan->faults.items[i];
    int64_t stable = f->mix > 0 ? l->plan->mixes.items[f->mix - 1].stable_ms : 0;
    if (f->mix > 0 && f->every.max_ms >= stable) {
        say(l, false, f->where,
            ", faults[%zu] (%s), every: %" PRId64 " ms are not shorter than a period of its mix "
            "(%" PRId64 " ms): it may never fire",
            i + 1, plan_fault_name(f->kind), f->every.max_ms, stable);
    }
}

/* A run that ends by the clock has to hold the periods that a mix takes. */
static void lint_mix(const struct lint *l, size_t i)
{
    const struct plan_mix *m = &l->plan->mixes.items[i];
    int64_t end = l->plan->stop_after_ms >= 0 ? l->plan->stop_after_ms : l->plan->timeout_ms;
    if (end < m->stable_ms * PLAN_MIX_BLOCK) {
        say(l, false, m->where,
            ", mix %zu, stable: the run lasts %" PRId64 " ms, and a mix takes %d periods (%" PRId64
            " ms) to have each fault on and all off",
            i + 1, end, PLAN_MIX_BLOCK, m->stable_ms * PLAN_MIX_BLOCK);
    }
}

static void lint_heartbeat(const struct lint *l, const struct plan_role *r)
{
    int64_t session = plan_conf_ms(&r->conf, "session.timeout.ms", SESSION);
    int64_t heartbeat = plan_conf_ms(&r->conf, "heartbeat.interval.ms", -1);
    if (heartbeat > session / 2 && !broker_session(r)) {
        say(l, true, r->where,
            ", role `%s`, conf: heartbeat.interval.ms (%" PRId64 ") is above half of "
            "session.timeout.ms (%" PRId64 "): members would be thrown out while they live",
            r->name, heartbeat, session);
    }
}

/* Nobody takes over the transactional id of a dead instance: its open transaction lasts until its
 * timeout. */
static bool abandons(const struct plan_role *r)
{
    return r->transacts && (r->restart_ms < 0 || r->changing_ids);
}

static const char *abandoned_why(const struct plan_role *r)
{
    return r->restart_ms < 0 ? "never restarted"
                             : "its transactional.id may change with each start (it names "
                               "`incarnation`)";
}

static void lint_times(const struct lint *l, const struct plan_role *r)
{
    int64_t drain = l->plan->drain_ms;
    int64_t message = plan_conf_ms(&r->conf, "message.timeout.ms",
                                   plan_conf_ms(&r->conf, "delivery.timeout.ms", -1));
    if (message > drain) {
        say(l, false, r->where,
            ", role `%s`, conf: message.timeout.ms (%" PRId64 ") is longer than the drain (%" PRId64
            " ms): unknown outcomes may stay open",
            r->name, message, drain);
    }
    if (abandons(r) && transaction_of(r) > drain) {
        say(l, false, r->where,
            ", role `%s`: %s, and the drain (%" PRId64 " ms) is shorter than "
            "transaction.timeout.ms (%" PRId64 "): read_committed readers may stall longer than "
            "the limit",
            r->name, abandoned_why(r), drain, transaction_of(r));
    }
}

static void lint_conf(const struct lint *l, const struct plan_role *r)
{
    const char *reset = plan_conf_get(&r->conf, "auto.offset.reset");
    const char *idempotence = plan_conf_get(&r->conf, "enable.idempotence");
    const char *acks = plan_conf_get(&r->conf, "acks");
    if (reset && (strcmp(reset, "latest") == 0 || strcmp(reset, "largest") == 0 ||
                  strcmp(reset, "end") == 0)) {
        say(l, false, r->where,
            ", role `%s`, conf: auto.offset.reset=%s skips what is written before the first "
            "assignment",
            r->name, reset);
    }
    if (idempotence && strcmp(idempotence, "false") == 0) {
        say(l, false, r->where,
            ", role `%s`, conf: without enable.idempotence a producer may reorder and double "
            "records",
            r->name);
    }
    if (acks && strcmp(acks, "all") != 0 && strcmp(acks, "-1") != 0) {
        say(l, false, r->where,
            ", role `%s`, conf: with acks=%s an acknowledged record may be lost with a broker",
            r->name, acks);
    }
}

static void lint_role(const struct lint *l, const struct plan_role *r)
{
    lint_heartbeat(l, r);
    lint_times(l, r);
    lint_conf(l, r);
}

/* Can a transaction be left open? Its records hold back readers until the broker aborts it. */
static void lint_drain(const struct lint *l)
{
    int64_t cleanup =
        plan_conf_ms(&l->plan->cluster_config,
                     "transaction.abort.timed.out.transaction.cleanup.interval.ms", CLEANUP);
    int64_t longest = 0;
    for (size_t i = 0; i < l->plan->roles.n; i++) {
        int64_t t = transaction_of(&l->plan->roles.items[i]);
        longest = t > longest ? t : longest;
    }
    if (l->plan->drain_ms < longest + cleanup) {
        say(l, false, l->plan->where,
            ", stop, drain: %" PRId64 " ms are shorter than transaction timeout and clean-up "
            "interval together (%" PRId64 " ms): an abandoned transaction may hold back readers "
            "longer",
            l->plan->drain_ms, longest + cleanup);
    }
}

static void lint_property(const struct lint *l, size_t i)
{
    const struct plan_prop *p = &l->plan->expect.items[i];
    if (p->within_ms > l->plan->drain_ms) {
        say(l, true, p->where,
            ", expect[%zu] (%s \"%s\"), within: %" PRId64 " ms are longer than the drain (%" PRId64
            " ms), raise stop.drain",
            i + 1, plan_mode_name(p->mode), p->name, p->within_ms, l->plan->drain_ms);
    }
    for (size_t k = 0; k < l->plan->roles.n && p->within_ms >= 0; k++) {
        const struct plan_role *r = &l->plan->roles.items[k];
        if (abandons(r) && p->within_ms < transaction_of(r) &&
            transaction_of(r) <= l->plan->drain_ms) {
            say(l, false, p->where,
                ", expect[%zu] (%s \"%s\"), within: %" PRId64 " ms are shorter than "
                "transaction.timeout.ms of role `%s` (%" PRId64 "), %s: read_committed readers may "
                "stall longer than the limit",
                i + 1, plan_mode_name(p->mode), p->name, p->within_ms, r->name, transaction_of(r),
                abandoned_why(r));
        }
    }
}

/* Recovery is measured from deaths. */
static void lint_thresholds(const struct lint *l)
{
    bool deaths = false;
    for (size_t i = 0; i < l->plan->faults.n; i++) {
        enum plan_fault_kind k = l->plan->faults.items[i].kind;
        deaths = deaths || k == FAULT_CRASH || k == FAULT_EXIT || k == FAULT_KILL;
    }
    for (size_t i = 0; i < l->plan->thresholds.n && !deaths; i++) {
        const struct plan_threshold *t = &l->plan->thresholds.items[i];
        if (t->metric == METRIC_RECOVERY) {
            say(l, false, t->where,
                ", thresholds, recovery: no fault ends an instance (crash, exit, kill), there will "
                "be nothing to measure");
            return;
        }
    }
}

void plan_lint(const struct plan *p, plan_lint_fn *fn, void *arg)
{
    struct lint l = {p, fn, arg};
    for (size_t i = 0; i < p->faults.n; i++) {
        lint_fault(&l, i);
        lint_mixed(&l, i);
    }
    for (size_t i = 0; i < p->mixes.n; i++) {
        lint_mix(&l, i);
    }
    for (size_t i = 0; i < p->roles.n; i++) {
        lint_role(&l, &p->roles.items[i]);
    }
    for (size_t i = 0; i < p->expect.n; i++) {
        lint_property(&l, i);
    }
    lint_drain(&l);
    lint_thresholds(&l);
}
