/* SPDX-License-Identifier: Apache-2.0 */
/* Hides that a partition is read twice: the first pass finds what became of each transaction, the
 * second one writes events. So memory is a few words per transactional batch of one partition,
 * whatever the size of the log. */
#include <string.h>

#include "audit/audit_priv.h"
#include "audit/scan.h"

struct reading {
    struct audit *a;
    struct audit_target *t;
    struct outcomes outcomes;
    struct emit emit;
    size_t first_pass, second_pass; /**< batches seen */
};

static bool is_declared(const struct audit_target *t)
{
    return strcmp(t->what, "declared") == 0;
}

static void add_pid(struct audit *a, int64_t pid)
{
    if (pid >= 0) {
        map_put(&a->pids, &pid, sizeof pid, NULL);
    }
}

static bool on_first_pass(void *arg, const struct batch *b)
{
    struct reading *r = arg;
    r->first_pass++;
    outcomes_add(&r->outcomes, b);
    if (is_declared(r->t) && !r->t->existing && !b->corrupt) {
        add_pid(r->a, b->producer_id);
    }
    return true;
}

static bool on_second_pass(void *arg, const struct batch *b)
{
    struct reading *r = arg;
    r->second_pass++;
    r->emit.ours = false;
    emit_batch(&r->emit, b, outcomes_get(&r->outcomes, b));
    if (r->emit.ours && !b->corrupt) {
        add_pid(r->a, b->producer_id);
    }
    return true;
}

static void on_aborted(void *arg, const struct admin_aborted *x)
{
    struct reading *r = arg;
    int64_t key[2] = {x->producer_id, x->first_offset};
    bool fresh;
    map_put(&r->a->seen, key, sizeof key, &fresh);
    if (fresh) {
        hist_add(r->a->h, H_LOG_ABORTED, HP_FACT, 0, HS(r->t->topic), HI(r->t->partition),
                 HI(x->producer_id), HI(x->first_offset));
    }
}

/** What changed under the audit's eyes. */
static int steady(const struct audit_target *t, const struct scan *s, struct err *e)
{
    if (s->log_start > t->from) {
        return err_set(e, ERR_BROKER, 0, "the log start of %s-%d moved from %lld to %lld meanwhile",
                       t->topic, (int)t->partition, (long long)t->from, (long long)s->log_start);
    }
    if (s->hw >= 0 && s->hw < t->hw) {
        return err_set(e, ERR_BROKER, 0, "%s-%d shrank from %lld to %lld meanwhile", t->topic,
                       (int)t->partition, (long long)t->hw, (long long)s->hw);
    }
    return 0;
}

/** One pass up to an offset; *reached gets how far it came. */
static int pass(struct reading *r, bool second, int64_t to, int64_t *reached, struct err *e)
{
    struct audit_target *t = r->t;
    struct scan s = {.admin = r->a->admin,
                     .topic = t->topic,
                     .partition = t->partition,
                     .from = t->from,
                     .to = to,
                     .lso = second ? t->lso : 0,
                     .deadline_ns = r->a->deadline_ns,
                     .batch = second ? on_second_pass : on_first_pass,
                     .aborted = second && t->emit == EMIT_DATA ? on_aborted : NULL,
                     .arg = r};
    int rc = scan_run(&s, e);
    *reached = s.reached;
    return rc == 0 ? steady(t, &s, e) : rc;
}

static int read_both(struct reading *r, struct err *e)
{
    struct err second;
    int64_t reached, ignored;
    int rc = pass(r, false, r->t->hw, &reached, e);
    int64_t to = r->t->hw;
    if (rc < 0 && reached < to) {
        to = reached + (e->kind == ERR_PROTOCOL); /* the damaged batch itself is data */
    }
    if (pass(r, true, to, &ignored, &second) < 0 && rc == 0) {
        *e = second;
        rc = -1;
    }
    if (rc < 0) {
        return -1;
    }
    if (r->first_pass != r->second_pass) {
        return err_set(e, ERR_BROKER, 0, "%s-%d changed between two readings: %zu, %zu batches",
                       r->t->topic, (int)r->t->partition, r->first_pass, r->second_pass);
    }
    if (r->emit.problem.kind != ERR_NONE) {
        *e = r->emit.problem;
        return err_wrap(e, "%s-%d at offset %lld", r->t->topic, (int)r->t->partition,
                        (long long)r->emit.problem_at);
    }
    return 0;
}

void audit_part(struct audit *a, struct audit_target *t)
{
    struct err e = {0};
    struct reading r = {.a = a,
                        .t = t,
                        .emit = {.h = a->h,
                                 .what = t->emit,
                                 .topic = t->topic,
                                 .partition = t->partition,
                                 .from = t->from,
                                 .run = a->o->run}};
    bool complete = read_both(&r, &e) == 0;
    if (!complete) {
        audit_problem(a, &e);
    }
    hist_add(a->h, H_LOG_PARTITION, HP_FACT, 0, HS(t->topic), HI(t->partition), HS(t->id),
             HI(t->from), HI(t->lso), HI(t->hw), HS(t->what), HI(complete), HI(t->compacted),
             HI(t->from - t->since));
    map_free(&a->seen);
    a->seen = (struct map){0};
    outcomes_free(&r.outcomes);
    emit_free(&r.emit);
}
