/* SPDX-License-Identifier: Apache-2.0 */
/* What the history can prove: is it complete, was everything audited, did the drain end, did every
 * declared fault fire. Each "no" is a reason against PASS. */
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

static void incomplete(struct judge *j, const char *why)
{
    j->complete = false;
    judge_reason(j, "%s", why);
}

static bool is_exec(const struct judge *j, const struct m_proc *p)
{
    const struct plan_role *r = plan_role(j->plan, p->role);
    return r && r->exec.n > 0;
}

/* The process that wrote these segments is not the one that the runner started: a file of another
 * run, or under a wrong name. Nothing that it says is proof of anything here. */
static bool is_foreign(const struct m_proc *p)
{
    return p->hist && p->spawn && p->hist->pid != event_int(p->spawn, H_SPAWN_PID);
}

static bool killed(const struct m_proc *p)
{
    return p->crash || (p->exit && event_int(p->exit, H_EXIT_SIGNAL) == SIGKILL);
}

static const char *proc_gap(struct judge *j, const struct m_proc *p)
{
    if (p->spawn && !p->exit) {
        return JTEXT(j, "%s was started and its end is not in the history", p->name);
    }
    if (p->hist && !p->spawn) {
        return JTEXT(j, "%s left a history, but its start was not recorded", p->name);
    }
    if (is_foreign(p)) {
        j->foreign = true;
        return JTEXT(j, "the history of %s was written by another process", p->name);
    }
    if (p->hist && p->hist->damage) {
        return JTEXT(j, "the history of %s is damaged: %s", p->name, p->hist->damage);
    }
    if (p->reader && p->exit &&
        (event_int(p->exit, H_EXIT_SIGNAL) != 0 || event_int(p->exit, H_EXIT_CODE) != 0)) {
        return JTEXT(j, "%s died: what a reader is delivered was not compared with the log",
                     p->name);
    }
    if (p->hist && p->hist->torn && !killed(p)) {
        return JTEXT(j, "the history of %s ends in the middle of a record", p->name);
    }
    /* faults hit only processes that were ready, so a killed one had begun its history too */
    if (!p->hist && p->spawn && !is_exec(j, p)) {
        return JTEXT(j, "%s left no history", p->name);
    }
    return NULL;
}

/* A process that sent something and whose history is gone. */
static const char *silent_sender(struct judge *j)
{
    for (size_t i = 0; i < j->m->topics.n; i++) {
        const struct m_topic *t = j->m->topics.items[i];
        for (size_t k = 0; t->plan && k < t->parts.n; k++) {
            const struct m_part *p = t->parts.items[k];
            for (size_t n = 0; p && n < p->records.n; n++) {
                const struct m_proc *who = p->records.items[n].proc;
                if (who && !who->hist && who->spawn && !is_exec(j, who)) {
                    return JTEXT(j, "%s wrote %s, but its history is missing", who->name,
                                 record_name(j->pool, p, p->records.items[n].offset));
                }
            }
        }
    }
    return NULL;
}

static const struct hist_proc *find_ours(const struct model *m, const char *role)
{
    for (size_t i = 0; i < m->es->nprocs; i++) {
        if (!m->by_hist[i] && strcmp(m->es->procs[i].role, role) == 0) {
            return &m->es->procs[i];
        }
    }
    return NULL;
}

static bool probe_added(const struct model *m)
{
    for (size_t i = 0; i < m->probes.n; i++) {
        if (event_int(m->probes.items[i], H_PROBE_ADDED) != 0) {
            return true;
        }
    }
    return false;
}

/* What the runner's own process writes: runner, watch, audit, and the audit behind the probe. */
static void check_ours(struct judge *j)
{
    const struct model *m = j->m;
    const struct hist_proc *runner = find_ours(m, "runner");
    if (!runner) {
        incomplete(j, "the history of the runner is missing");
    }
    if (model_phase(m, "roles") && !find_ours(m, "watch")) {
        incomplete(j, "the history of the watch is missing");
    }
    if (probe_added(m) && !find_ours(m, "audit-probe")) {
        incomplete(j, "what the restart probe added was not audited");
    }
    for (size_t i = 0; i < m->es->nprocs; i++) {
        const struct hist_proc *h = &m->es->procs[i];
        if (m->by_hist[i]) {
            continue;
        }
        if (runner && h->pid != 0 && h->pid != runner->pid) {
            j->foreign = true;
            incomplete(j,
                       JTEXT(j, "the history of the %s was written by another process", h->role));
        } else if (h->damage) {
            incomplete(j, JTEXT(j, "the history of the %s is damaged: %s", h->role, h->damage));
        } else if (h->torn) {
            incomplete(j,
                       JTEXT(j, "the history of the %s ends in the middle of a record", h->role));
        }
    }
}

static void check_processes(struct judge *j)
{
    const char *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < j->m->procs.n; i++) {
        const char *gap = proc_gap(j, j->m->procs.items[i]);
        first = first ? first : gap;
        n += gap != NULL;
    }
    if (n == 1) {
        incomplete(j, first);
    } else if (n > 1) {
        incomplete(j, JTEXT(j, "%s (and %zu more like it)", first, n - 1));
    }
    const char *gone = silent_sender(j);
    if (gone) {
        incomplete(j, gone);
    }
    check_ours(j);
}

static void check_audit(struct judge *j)
{
    const struct model *m = j->m;
    j->audited = true;
    if (!m->audit_end) {
        j->audited = false;
        judge_reason(j, "the log was not audited");
        return;
    }
    if (event_int(m->audit_end, H_AUDIT_COMPLETE) == 0) {
        j->audited = false;
        judge_reason(j, "the audit is not complete: %s", event_str(m->audit_end, H_AUDIT_DETAIL));
    }
    for (size_t i = 0; i < m->topics.n; i++) {
        const struct m_topic *t = m->topics.items[i];
        if (!t->plan) {
            continue;
        }
        bool whole = t->parts.n > 0 && (int)t->parts.n >= t->plan->partitions;
        for (size_t k = 0; whole && k < t->parts.n; k++) {
            whole = t->parts.items[k] && t->parts.items[k]->audited && t->parts.items[k]->complete;
        }
        if (!whole) {
            j->audited = false;
            judge_reason(j, "not every partition of topic %s was audited to its end", t->name);
        }
    }
}

static bool is_named(const struct judge *j, const struct m_group *g)
{
    for (size_t i = 0; i < j->plan->roles.n; i++) {
        if (plan_strings_has(&j->plan->roles.items[i].groups, g->name)) {
            return true;
        }
    }
    for (size_t i = 0; i < j->m->delivers.n; i++) {
        if (j->m->delivers.items[i]->group == g) {
            return true;
        }
    }
    return g->assigns.n > 0 || g->claimed;
}

/* A program that reads with a group which nobody named was not waited for: it was ended when the
 * drain began, and what it left is no loss. */
static const struct m_group *unnamed_group(const struct judge *j)
{
    bool programs = false;
    for (size_t i = 0; i < j->plan->roles.n; i++) {
        programs = programs || plan_is_program(&j->plan->roles.items[i]);
    }
    for (size_t i = 0; programs && i < j->m->groups.n; i++) {
        const struct m_group *g = j->m->groups.items[i];
        for (size_t k = 0; k < g->offsets.n; k++) {
            const struct m_part *p = g->offsets.items[k]->part;
            if (p && p->topic->plan && !is_named(j, g)) {
                return g;
            }
        }
    }
    return NULL;
}

/* The runner says with a text what a drain that ran into its limit was waiting for. */
static void check_drain(struct judge *j)
{
    const struct event *drained = model_phase(j->m, "drained");
    const struct event *begun = model_phase(j->m, "drain");
    const struct event *settled = model_phase(j->m, "settled");
    const char *detail = drained ? event_str(drained, H_PHASE_DETAIL) : "";
    detail = strcmp(detail, "ok") == 0 ? "" : detail;
    j->drained = drained && !*detail && !settled;
    if (settled) {
        judge_reason(j, "the log did not come to rest after the roles had stopped: %s",
                     event_str(settled, H_PHASE_DETAIL));
    }
    const struct m_group *unnamed = unnamed_group(j);
    if (unnamed) {
        j->drained = false;
        judge_reason(j,
                     "group %s was not waited for, no role names it: write `group = \"%s\"` in the "
                     "role whose program reads with it",
                     unnamed->name, unnamed->name);
    }
    if (!begun) {
        judge_reason(j, "the run ended before its drain began");
    } else if (!drained) {
        judge_reason(j, "the drain did not end within its limit");
    } else if (*detail) {
        judge_reason(j, "the drain did not end within its limit: %s", detail);
    }
}

/* A roll has fired when its last node was back. */
static bool fires(const struct plan_fault *f, const char *edge)
{
    if (f->kind == FAULT_BROKER && f->action == BROKER_ROLL) {
        return strcmp(edge, "end") == 0;
    }
    return strcmp(edge, "fire") == 0 || strcmp(edge, "begin") == 0;
}

static int64_t fired(const struct model *m, size_t fault)
{
    int64_t crashes = 0, n = 0;
    for (size_t i = 0; i < m->crashes.n; i++) {
        crashes += event_int(m->crashes.items[i], H_CRASH_FAULT) == (int64_t)fault;
    }
    for (size_t i = 0; i < m->faults.n; i++) {
        const struct event *ev = m->faults.items[i];
        n += event_int(ev, H_FAULT_FAULT) == (int64_t)fault &&
             fires(&m->plan->faults.items[fault], event_str(ev, H_FAULT_EDGE));
    }
    return crashes > n ? crashes : n;
}

/* Why a fault did not fire, if the runner said so: its target could not be told, or a roll was cut
 * short. */
static const char *unfired(const struct model *m, size_t fault)
{
    const char *why = "";
    for (size_t i = 0; i < m->faults.n; i++) {
        const struct event *ev = m->faults.items[i];
        const char *edge = event_str(ev, H_FAULT_EDGE);
        if (event_int(ev, H_FAULT_FAULT) == (int64_t)fault &&
            (strcmp(edge, "missed") == 0 || strcmp(edge, "cut") == 0)) {
            why = event_str(ev, H_FAULT_DETAIL);
        }
    }
    return why;
}

static bool ever_on(const struct model *m, size_t fault)
{
    for (size_t i = 0; i < m->faults.n; i++) {
        const struct event *ev = m->faults.items[i];
        if (event_int(ev, H_FAULT_FAULT) == (int64_t)fault &&
            strcmp(event_str(ev, H_FAULT_EDGE), "on") == 0) {
            return true;
        }
    }
    return false;
}

/* Periods of a mix, and those of them that were whole and had no fault: one that the end of the
 * faults cut short says nothing about recovery. */
static void check_mix(struct judge *j, size_t mix)
{
    const struct model *m = j->m;
    const char *name = JTEXT(j, "mix %zu", mix + 1);
    int64_t periods = 0, calm = 0;
    bool last_calm = false;
    for (size_t i = 0; i < m->faults.n; i++) {
        const struct event *ev = m->faults.items[i];
        if (strcmp(event_str(ev, H_FAULT_EDGE), "period") == 0 &&
            strcmp(event_str(ev, H_FAULT_TARGET), name) == 0) {
            calm += last_calm;
            periods++;
            last_calm = strcmp(event_str(ev, H_FAULT_DETAIL), "none") == 0;
        }
    }
    if (calm == 0) {
        judge_reason(j,
                     "%s had no whole period without faults: %lld of the %d periods that it takes",
                     name, (long long)periods, PLAN_MIX_BLOCK);
    }
}

static const char *target_of(struct judge *j, const struct plan_fault *f)
{
    return f->node_text     ? pool_str(j->pool, f->node_text)
           : f->group       ? pool_str(j->pool, f->group)
           : f->roles.n > 0 ? pool_str(j->pool, f->roles.items[0])
                            : "";
}

static void check_faults(struct judge *j)
{
    struct verdict *v = j->v;
    v->nfaults = j->plan->faults.n;
    v->faults = pool_alloc(j->pool, (v->nfaults + 1) * sizeof *v->faults);
    for (size_t i = 0; i < v->nfaults; i++) {
        const struct plan_fault *f = &j->plan->faults.items[i];
        struct fault_count *c = &v->faults[i];
        c->fault = (int)i;
        c->kind = plan_fault_name(f->kind);
        c->where = pool_str(j->pool, f->where);
        c->target = target_of(j, f);
        c->fired = fired(j->m, i);
        if (c->fired == 0 && !j->o->no_faults && f->max != 0) {
            const char *why =
                f->mix > 0 && !ever_on(j->m, i) ? "its mix never turned it on" : unfired(j->m, i);
            judge_reason(j, "fault %zu (%s%s%s) never fired%s%s", i + 1, c->kind,
                         *c->target ? " " : "", c->target, *why ? ": " : "", why);
        }
    }
    for (size_t i = 0; i < j->plan->mixes.n && !j->o->no_faults; i++) {
        check_mix(j, i);
    }
}

static void check_lua_errors(struct judge *j)
{
    if (j->o->outcome != CHECK_RAN) {
        judge_reason(j, "%s", j->o->why ? j->o->why : "the run did not come to its end");
    }
    if (j->interrupted) {
        judge_reason(j, "the run was interrupted");
    }
    for (size_t i = 0; i < j->m->procs.n; i++) {
        const struct m_proc *p = j->m->procs.items[i];
        if (p->exit && strcmp(event_str(p->exit, H_EXIT_WHY), "lua_error") == 0) {
            size_t len = 0;
            const char *text = p->error ? event_bytes(p->error, H_ERROR_MESSAGE, &len) : NULL;
            judge_reason(j, "%s ended by a Lua error%s%.*s", p->name, text ? ": " : "", (int)len,
                         text ? text : "");
            j->lua_error = true;
            return;
        }
    }
}

void history_reasons(struct judge *j)
{
    const struct model *m = j->m;
    j->complete = true;
    check_lua_errors(j);
    if (!model_phase(m, "end")) {
        incomplete(j, "the run did not come to its end");
    }
    if (m->es->damaged) {
        incomplete(j, "a part of the history is damaged or missing");
    }
    check_processes(j);
    if (m->strange.n > 0) {
        incomplete(j, JTEXT(j, "%zu events make no sense, the first is a %s", m->strange.n,
                            hist_kind_info(m->strange.items[0]->kind)->name));
    }
    for (size_t i = 0; i < m->harness.n; i++) {
        const struct event *ev = m->harness.items[i];
        const char *detail = event_str(ev, H_HARNESS_DETAIL);
        judge_reason(j, "%s%s%s", event_str(ev, H_HARNESS_WHAT), *detail ? ": " : "", detail);
    }
    check_drain(j);
    check_audit(j);
    check_faults(j);
    if (j->plan->expect.n == 0) {
        judge_reason(j, "the scenario expects nothing");
    }
}
