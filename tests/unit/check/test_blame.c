/* SPDX-License-Identifier: Apache-2.0 */
/* Planted bugs of applications: the finding, and that the application is to blame with the fact
 * that proves it; and that a right application is not blamed for what a broker did. */
#include "world.h"

static struct world *base(void)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    world_work(w, 12);
    return w;
}

static void application(struct world *w, const char *kind, const char *cause)
{
    world_must_find(w, kind);
    const struct finding *f = world_find(w, kind);
    CHECK_STR(finding_blame_name(f->blame), "application");
    CHECK_INT(f->blame_row, 6);
    CHECK_HAS(f->cause, cause);
    CHECK(*f->signature);
    world_free(w);
}

static struct proc *restart(struct world *w)
{
    struct proc *p = proc_start(w, "worker", 1, 2);
    p->assignment = 1;
    return p;
}

/* The successor starts at the committed offset. */
static void again(struct world *w, long offset)
{
    proc_batch(restart(w), 0, offset, offset);
}

TEST(offsets_committed_after_the_transaction)
{
    struct world *w = base();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_commit(w1);
    proc_crash(w1, "after_commit"); /* before consumer:commit() */
    struct proc *w2 = restart(w);
    proc_deliver(w2, INPUT, 0, a, a, "copy", true);
    proc_begin(w2);
    proc_copy(w2, 0, 0, a);
    proc_commit(w2);
    proc_commit_plain(w2, 0, a + 1);
    world_must_find(w, "duplicate");
    CHECK_HAS(world_find(w, "duplicate")->signature, "crash at after_commit in worker");
    CHECK_INT(world_find(w, "duplicate")->blame, BLAME_APPLICATION);
    world_free(w);
}

TEST(output_by_a_plain_producer)
{
    struct world *w = base();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_copy(w1, 0, 0, a); /* no transaction is open */
    proc_crash(w1, "before_offsets");
    again(w, a);
    application(w, "duplicate", "outside a transaction");
}

TEST(no_rewind_after_abort)
{
    struct world *w = base();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_send_plain(w->procs[0], INPUT, 0, "901");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    proc_abort(w1, "fault");
    proc_batch(w1, 0, a + 1, a + 1);
    application(w, "lost", "without going back");
}

TEST(offset_instead_of_offset_plus_one)
{
    struct world *w = base();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a);
    proc_commit(w1);
    proc_crash(w1, "after_poll");
    again(w, a);
    application(w, "duplicate", "does not pass it");
}

TEST(offsets_committed_before_processing)
{
    struct world *w = base();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_commit_plain(w1, 0, a + 1);
    proc_crash(w1, "after_poll");
    application(w, "lost", "outside a transaction");
}

TEST(auto_commit_left_on)
{
    struct world *w = base();
    plan_conf_set(&w->plan->roles.items[1].conf, "enable.auto.commit", "true");
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    *VEC_PUSH(&w->offsets) =
        (struct offset_entry){.part = 0, .epoch = -1, .outcome = 0, .offset = a + 1, .pid = -1};
    proc_crash(w1, "before_send");
    application(w, "lost", "by auto-commit");
}

TEST(group_metadata_of_a_later_assignment)
{
    struct world *w = base();
    struct proc *w1 = w->procs[1], *w2 = w->procs[2];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_revoke(w1, 0); /* the partition moves, the transaction goes on */
    proc_assign(w2, 0, 2);
    proc_batch(w2, 0, a, a);
    proc_offsets(w1, 0, a + 1);
    proc_commit(w1);
    application(w, "duplicate", "later assignment");
}

TEST(duplicate_without_a_proof_is_undetermined)
{
    struct world *w = base();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_batch(w1, 0, a, a);
    proc_crash(w1, "after_commit");
    again(w, a); /* as if the committed offset had been forgotten */
    world_must_find(w, "duplicate");
    CHECK_INT(world_find(w, "duplicate")->blame, BLAME_UNDETERMINED);
    world_free(w);
}
