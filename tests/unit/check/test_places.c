/* SPDX-License-Identifier: Apache-2.0 */
/* accounted and takeover: good histories pass, each planted thing is found, and what looks wrong
 * and is not does no harm. */
#include <signal.h>

#include "base/clock.h"
#include "world.h"

/* ---- accounted: input ends in output or with the controller ---- */

static struct world *branches(void)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "accounted", PRED_ACCOUNTED);
    p->from = xstrdup("input");
    p->id = ID_VALUE;
    plan_strings_add(&p->places, "output");
    plan_strings_add(&p->places, "controller");
    world_work(w, 12);
    return w;
}

/* A worker passes an input without a copy; offset o of partition 0 is given back. */
static long swallow(struct world *w)
{
    struct proc *c = w->procs[0], *w1 = w->procs[1];
    long o = proc_send_plain(c, INPUT, 0, "900");
    proc_send_plain(c, INPUT, 0, "901");
    proc_batch(w1, 0, o + 1, o + 1);
    return o;
}

TEST(each_input_in_one_place_is_accounted_for)
{
    struct world *w = branches();
    long o = swallow(w);
    proc_deliver(w->procs[0], INPUT, 0, o, o, "letters", true);
    world_must_pass(w);
    CHECK_INT(w->v->props[0].judged, 14);
    world_free(w);
}

TEST(swallowed_input_is_unaccounted)
{
    struct world *w = branches();
    long o = swallow(w);
    world_must_find(w, "unaccounted");
    const struct finding *f = world_find(w, "unaccounted");
    CHECK_INT(f->ncases, 1);
    CHECK_STR(f->cases[0].id, "900");
    CHECK_INT(f->cases[0].records[0].offset, o);
    world_free(w);
}

TEST(input_in_two_places_is_double_accounted)
{
    struct world *w = branches();
    proc_deliver(w->procs[0], INPUT, 1, 2, 2, "letters", true);
    world_must_find(w, "double_accounted");
    const struct finding *f = world_find(w, "double_accounted");
    CHECK_INT(f->ncases, 1);
    CHECK_INT(f->cases[0].records[0].offset, 2);
    world_free(w);
}

/* Twice in the log, twice accounted for: an id may have as many effects as inputs. */
TEST(two_inputs_of_one_id_may_have_two_effects)
{
    struct world *w = branches();
    struct proc *c = w->procs[0], *w1 = w->procs[1];
    long o = proc_send_plain(c, INPUT, 0, "900");
    proc_send_plain(c, INPUT, 0, "900");
    proc_batch(w1, 0, o, o + 1);
    world_must_pass(w);
    world_free(w);
}

TEST(waiting_input_is_not_unaccounted)
{
    struct world *w = branches();
    proc_send_plain(w->procs[0], INPUT, 0, "900");
    world_must_find(w, "unprocessed");
    world_free(w);
}

TEST(nothing_is_accounted_for_without_a_drain)
{
    struct world *w = branches();
    swallow(w);
    w->no_drain = true;
    world_finish(w);
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
    world_free(w);
}

/* ---- takeover ---- */

enum { LIMIT_MS = 2 };

static struct world *group(int64_t within_ms)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "owned", PRED_TAKEOVER);
    p->group = xstrdup("copy");
    p->within_ms = within_ms;
    world_work(w, 12);
    return w;
}

/* Longer than LIMIT_MS, by the clock of the history. */
static void let_pass(void)
{
    uint64_t end = clock_mono_ns() + (LIMIT_MS + 2) * 1000000u;
    while (clock_mono_ns() < end) {
    }
}

TEST(takeover_in_time_passes)
{
    struct world *w = group(60000);
    proc_crash(w->procs[1], "after_commit");
    let_pass();
    proc_assign(w->procs[2], 0, 2);
    world_must_pass(w);
    CHECK_INT(w->v->props[0].judged, 1);
    world_free(w);
}

TEST(late_takeover_after_a_death_is_unowned)
{
    struct world *w = group(LIMIT_MS);
    proc_crash(w->procs[1], "after_commit");
    let_pass();
    proc_assign(w->procs[2], 0, 2);
    world_must_find(w, "unowned");
    CHECK_STR(world_find(w, "unowned")->cases[0].id, "input[0]");
    world_free(w);
}

TEST(late_takeover_after_a_revoke_is_unowned)
{
    struct world *w = group(LIMIT_MS);
    proc_revoke(w->procs[1], 0);
    let_pass();
    proc_assign(w->procs[2], 0, 2);
    world_must_find(w, "unowned");
    world_free(w);
}

TEST(partition_that_nobody_takes_over_is_unowned)
{
    struct world *w = group(LIMIT_MS);
    proc_crash(w->procs[1], "after_commit");
    let_pass();
    world_must_find(w, "unowned");
    world_free(w);
}

/* The new owner has it before the old one has noticed: nobody waited. */
TEST(late_loss_of_a_zombie_is_no_gap)
{
    struct world *w = group(LIMIT_MS);
    proc_assign(w->procs[2], 0, 2);
    proc_revoke(w->procs[1], 0);
    let_pass();
    proc_crash(w->procs[2], "after_commit");
    proc_assign(w->procs[1], 0, 3);
    world_must_pass(w);
    world_free(w);
}

/* What happens when the roles are stopped is no gap. */
TEST(without_a_takeover_nothing_is_judged)
{
    struct world *w = group(LIMIT_MS);
    world_finish(w);
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
    CHECK_INT(w->v->props[0].judged, 0);
    world_free(w);
}

/* ---- duplicates after a rebalance ---- */

/* Partition 0 moves from worker 1 to worker 2, which is delivered its last two records again. */
static struct world *moved(bool committed)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "nothing twice", PRED_NO_DUPLICATES);
    p->from = xstrdup("input");
    p->to = xstrdup("worker");
    struct proc *c = proc_start(w, "controller", 1, 1);
    struct proc *w1 = proc_start(w, "worker", 1, 1), *w2 = proc_start(w, "worker", 2, 1);
    for (int i = 0; i < 4; i++) {
        proc_send_plain(c, INPUT, 0, NULL);
    }
    proc_assign(w1, 0, 1);
    proc_deliver(w1, INPUT, 0, 0, 3, "copy", true);
    proc_commit_plain(w1, 0, committed ? 4 : 2);
    proc_revoke(w1, 0);
    proc_assign(w2, 0, 2);
    proc_deliver(w2, INPUT, 0, 2, 3, "copy", true);
    proc_commit_plain(w2, 0, 4);
    return w;
}

TEST(uncommitted_records_of_a_moved_partition_are_explained)
{
    struct world *w = moved(false);
    world_must_find(w, "duplicate");
    const struct finding *f = world_find(w, "duplicate");
    CHECK_INT(f->ncases, 2);
    CHECK_INT(f->blame, BLAME_APPLICATION);
    CHECK_HAS(f->cause, "w1#1 gave it up and its offset was not committed; w2#1 got input[0]");
    CHECK_HAS(f->hint, "before partitions are given up");
    world_free(w);
}

/* The group had the offset: nobody who worked on it is to blame. */
TEST(committed_records_that_come_again_are_not_explained_by_a_move)
{
    struct world *w = moved(true);
    world_must_find(w, "duplicate");
    const struct finding *f = world_find(w, "duplicate");
    CHECK_INT(f->blame, BLAME_UNDETERMINED);
    CHECK_STR(f->hint, "");
    world_free(w);
}
