/* SPDX-License-Identifier: Apache-2.0 */
/* What may happen and is counted (late, repeated, held_back, saw_aborted, aborted messages), and
 * ids over topics (unique, together). */
#include <unistd.h>

#include "world.h"

static struct plan_pred *expect(struct world *w, enum plan_mode mode, enum plan_pred_kind kind)
{
    struct plan_pred *p = world_expect(w, mode, "the property", kind);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    p->id = ID_VALUE;
    p->over_ms = 2000;
    return p;
}

static struct plan_pred *expect_topic(struct world *w, enum plan_mode mode,
                                      enum plan_pred_kind kind, const char *topic)
{
    struct plan_pred *p = world_expect(w, mode, "the property", kind);
    p->topic = xstrdup(topic);
    p->id = ID_VALUE;
    p->over_ms = 2000;
    return p;
}

static const struct prop_result *last(const struct world *w)
{
    return &w->v->props[w->plan->expect.n - 1];
}

static void must_be_inconclusive(struct world *w, const char *reason)
{
    world_check(w);
    CHECK_STR(verdict_name(w->v->code), "INCONCLUSIVE");
    CHECK_STR(last(w)->reason, reason);
    world_free(w);
}

/* The last marker of a partition of the output is written this much later (ms) than the rest. */
static void delay_marker(struct world *w, int part, long ms)
{
    struct log *l = &w->log[OUTPUT][part];
    for (size_t i = l->n; i-- > 0;) {
        if (l->items[i].control) {
            l->items[i].later_ms = ms;
            return;
        }
    }
}

static struct world *working(void)
{
    struct world *w = world_new();
    world_work(w, 12);
    return w;
}

/* ---- late ---- */

TEST(effects_in_time_are_not_late)
{
    struct world *w = working();
    expect(w, MODE_NEVER, PRED_LATE);
    delay_marker(w, 0, 1500);
    world_must_pass(w);
    CHECK_HAS(last(w)->detail, "0 of 12 effects");
    world_free(w);
}

TEST(effects_of_a_late_commit_are_late)
{
    struct world *w = working();
    expect(w, MODE_NEVER, PRED_LATE);
    delay_marker(w, 0, 5000);
    world_must_find(w, "late");
    CHECK_INT(last(w)->times, 3);
    CHECK_HAS(world_find(w, "late")->cases[0].text, "3 in all");
    world_free(w);
}

TEST(late_effects_happen_sometimes)
{
    struct world *w = working();
    expect(w, MODE_SOMETIMES, PRED_LATE)->at_least = 3;
    delay_marker(w, 0, 5000);
    world_must_pass(w);
    world_free(w);
}

TEST(no_late_effect_is_never_sometimes)
{
    struct world *w = working();
    expect(w, MODE_SOMETIMES, PRED_LATE);
    must_be_inconclusive(w, "never happened");
}

/* Its own transaction was committed at once, but a reader has to wait for the one in front. */
TEST(effect_behind_an_open_transaction_is_late)
{
    struct world *w = working();
    struct proc *w1 = w->procs[1], *w2 = w->procs[2], *c = w->procs[0];
    long a = proc_send_plain(c, INPUT, 0, "900"), b = proc_send_plain(c, INPUT, 1, "901");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_deliver(w2, INPUT, 1, b, b, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_begin(w2);
    proc_copy(w2, 0, 1, b);
    proc_offsets(w1, 0, a + 1);
    proc_offsets(w2, 1, b + 1);
    proc_commit(w2);
    proc_commit(w1);
    delay_marker(w, 0, 5000);
    expect(w, MODE_NEVER, PRED_LATE);
    world_must_find(w, "late");
    CHECK_INT(last(w)->times, 2);
    world_free(w);
}

/* Its first effect in the log is a late one, an earlier one stands in another partition. */
TEST(the_earliest_effect_counts)
{
    struct world *w = working();
    struct proc *w1 = w->procs[1];
    proc_begin(w1);
    proc_copy(w1, 1, 0, 4);
    proc_offsets(w1, 0, 5);
    proc_commit(w1);
    delay_marker(w, 0, 5000);
    expect(w, MODE_SOMETIMES, PRED_LATE);
    world_check(w);
    CHECK_INT(last(w)->times, 2);
    world_free(w);
}

TEST(late_without_an_effect_judges_nothing)
{
    struct world *w = world_new();
    expect(w, MODE_NEVER, PRED_LATE);
    proc_send_plain(proc_start(w, "controller", 1, 1), INPUT, 0, NULL);
    must_be_inconclusive(w, "nothing was judged");
}

TEST(late_without_an_audit_is_not_known)
{
    struct world *w = working();
    expect(w, MODE_NEVER, PRED_LATE);
    w->incomplete_audit = true;
    must_be_inconclusive(w, "the audit is not complete");
}

/* ---- repeated ---- */

static void repeat(struct world *w)
{
    struct proc *w1 = w->procs[1];
    proc_deliver(w1, INPUT, 0, 2, 2, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, 2);
    proc_offsets(w1, 0, 3);
    proc_commit(w1);
}

TEST(repeated_inputs_are_counted)
{
    struct world *w = working();
    expect(w, MODE_SOMETIMES, PRED_REPEATED);
    repeat(w);
    world_must_pass(w);
    CHECK_INT(last(w)->times, 1);
    CHECK(last(w)->first_t > 0);
    world_free(w);
}

TEST(inputs_done_once_are_not_repeated)
{
    struct world *w = working();
    expect(w, MODE_SOMETIMES, PRED_REPEATED);
    must_be_inconclusive(w, "never happened");
}

TEST(repeated_that_must_never_be_is_duplicate)
{
    struct world *w = working();
    expect(w, MODE_NEVER, PRED_REPEATED);
    repeat(w);
    world_must_find(w, "duplicate");
    world_free(w);
}

/* ---- held_back ---- */

TEST(transactions_that_end_soon_hold_nobody_back)
{
    struct world *w = working();
    expect_topic(w, MODE_NEVER, PRED_HELD_BACK, "output");
    world_must_pass(w);
    CHECK_HAS(last(w)->detail, "0 of 4 transactions");
    world_free(w);
}

TEST(transaction_with_a_late_marker_holds_readers_back)
{
    struct world *w = working();
    expect_topic(w, MODE_NEVER, PRED_HELD_BACK, "output");
    delay_marker(w, 1, 5000);
    world_must_find(w, "held_back");
    CHECK_INT(last(w)->times, 1);
    CHECK_HAS(world_find(w, "held_back")->cases[0].text, "until it was committed");
    CHECK(world_find(w, "held_back")->blame != BLAME_BROKER);
    world_free(w);
}

/* A worker dies in its transaction; another start takes its transactional.id, or nobody does. */
static struct world *abandoned(bool successor)
{
    struct world *w = working();
    struct proc *w1 = w->procs[1];
    expect_topic(w, MODE_NEVER, PRED_HELD_BACK, "output");
    proc_begin(w1);
    proc_copy(w1, 0, 0, proc_send_plain(w->procs[0], INPUT, 0, "900"));
    proc_crash(w1, "before_commit");
    if (successor) {
        struct proc *next = proc_start(w, "worker", 1, 2);
        hist_add(next->h, H_TXN_INIT, HP_INVOKE, hist_op(next->h), HS(w1->producer), HS(""),
                 HS(""));
    }
    proc_end_txn(w1, false);
    delay_marker(w, 0, 5000);
    world_must_find(w, "held_back");
    CHECK_HAS(world_find(w, "held_back")->cases[0].text, "until it was aborted");
    return w;
}

TEST(transaction_that_nobody_took_over_is_the_application)
{
    struct world *w = abandoned(false);
    CHECK_INT(world_find(w, "held_back")->blame, BLAME_APPLICATION);
    CHECK_HAS(world_find(w, "held_back")->cause, "nobody initialised transactional.id");
    world_free(w);
}

TEST(transaction_that_was_taken_over_blames_nobody)
{
    struct world *w = abandoned(true);
    CHECK_INT(world_find(w, "held_back")->blame, BLAME_UNDETERMINED);
    world_free(w);
}

TEST(held_back_elsewhere_does_not_count)
{
    struct world *w = working();
    expect_topic(w, MODE_NEVER, PRED_HELD_BACK, "input");
    delay_marker(w, 1, 5000);
    must_be_inconclusive(w, "nothing was judged");
}

TEST(transaction_without_a_marker_holds_back_to_the_end)
{
    struct world *w = working();
    struct proc *w1 = w->procs[1];
    expect_topic(w, MODE_SOMETIMES, PRED_HELD_BACK, "output")->over_ms = 0;
    for (int part = 0; part < PARTS; part++) {
        for (size_t i = 0; i < w->log[OUTPUT][part].n; i++) {
            w->log[OUTPUT][part].items[i].later_ms = -60000;
        }
    }
    proc_begin(w1);
    proc_copy(w1, 0, 0, 0);
    world_check(w);
    CHECK_INT(last(w)->times, 1);
    world_free(w);
}

TEST(time_without_a_node_does_not_count)
{
    for (int up = 0; up < 2; up++) {
        struct world *w = world_new_in(up ? "up" : "down");
        expect_topic(w, MODE_NEVER, PRED_HELD_BACK, "output")->over_ms = 1000;
        world_work(w, 12);
        usleep(1200 * 1000);
        if (up) {
            hist_add(w->runner, H_NODE, HP_FACT, 0, HI(1), HS("up"), HI(0));
        }
        world_check(w);
        CHECK_INT(last(w)->times, up ? 0 : 4);
        world_free(w);
    }
}

/* ---- aborted records ---- */

static struct world *aborted(bool uncommitted)
{
    struct world *w = working();
    struct proc *w1 = w->procs[1], *c = w->procs[0];
    long a = proc_send_plain(c, INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    long o = proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    proc_deliver(c, OUTPUT, 0, 0, uncommitted ? o : o - 1, "", !uncommitted);
    proc_abort(w1, "fault");
    proc_seek(w1, 0, a + 1, a);
    proc_batch(w1, 0, a, a);
    return w;
}

TEST(aborted_records_that_a_role_saw_are_counted)
{
    struct world *w = aborted(true);
    struct plan_pred *p = expect_topic(w, MODE_SOMETIMES, PRED_SAW_ABORTED, "output");
    plan_strings_add(&p->roles, "controller");
    world_must_pass(w);
    CHECK_INT(last(w)->times, 1);
    world_free(w);
}

TEST(aborted_records_that_another_role_saw_do_not_count)
{
    struct world *w = aborted(true);
    struct plan_pred *p = expect_topic(w, MODE_SOMETIMES, PRED_SAW_ABORTED, "output");
    plan_strings_add(&p->roles, "worker");
    must_be_inconclusive(w, "never happened");
}

TEST(aborted_record_that_must_never_be_seen_is_aborted_read)
{
    struct world *w = aborted(true);
    expect_topic(w, MODE_NEVER, PRED_SAW_ABORTED, "output");
    world_must_find(w, "aborted_read");
    CHECK_INT(world_find(w, "aborted_read")->blame, BLAME_APPLICATION);
    world_free(w);
}

TEST(aborted_record_that_nobody_saw_is_right)
{
    struct world *w = aborted(false);
    expect_topic(w, MODE_NEVER, PRED_SAW_ABORTED, "output");
    world_must_pass(w);
    world_free(w);
}

TEST(committed_only_judges_the_role_that_saw_it)
{
    struct world *w = aborted(true);
    struct plan_pred *p = expect_topic(w, MODE_ALWAYS, PRED_COMMITTED_ONLY, "output");
    plan_strings_add(&p->roles, "controller");
    world_must_find(w, "aborted_read");
    world_free(w);
}

TEST(committed_only_leaves_other_roles_alone)
{
    struct world *w = aborted(true);
    struct plan_pred *p = expect_topic(w, MODE_ALWAYS, PRED_COMMITTED_ONLY, "output");
    plan_strings_add(&p->roles, "worker");
    proc_deliver(w->procs[1], OUTPUT, 0, 0, 2, "", true);
    world_must_pass(w);
    CHECK_INT(last(w)->judged, 3);
    world_free(w);
}

TEST(aborted_messages_are_counted)
{
    struct world *w = aborted(false);
    struct plan_pred *p = expect_topic(w, MODE_SOMETIMES, PRED_MESSAGES, "output");
    p->aborted = true;
    world_must_pass(w);
    CHECK_INT(last(w)->times, 1);
    world_free(w);
}

TEST(no_aborted_messages_are_never_sometimes)
{
    struct world *w = working();
    struct plan_pred *p = expect_topic(w, MODE_SOMETIMES, PRED_MESSAGES, "output");
    p->aborted = true;
    must_be_inconclusive(w, "never happened");
}

/* ---- ids ---- */

TEST(different_ids_are_unique)
{
    struct world *w = aborted(false); /* one record stands there aborted, and again */
    expect_topic(w, MODE_ALWAYS, PRED_UNIQUE, "output");
    world_must_pass(w);
    CHECK_INT(last(w)->judged, 13);
    world_free(w);
}

TEST(equal_ids_are_duplicate)
{
    struct world *w = working();
    expect_topic(w, MODE_ALWAYS, PRED_UNIQUE, "input");
    proc_send_plain(w->procs[0], INPUT, 1, "4");
    world_must_find(w, "duplicate");
    CHECK_STR(world_find(w, "duplicate")->cases[0].id, "4");
    CHECK_HAS(world_find(w, "duplicate")->title, "1 of 12 ids stands in two records");
    world_free(w);
}

static struct plan_pred *expect_together(struct world *w)
{
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "the property", PRED_TOGETHER);
    p->id = ID_VALUE;
    plan_strings_add(&p->topics, "input");
    plan_strings_add(&p->topics, "output");
    return p;
}

TEST(ids_in_all_topics_are_together)
{
    struct world *w = working();
    expect_together(w);
    world_must_pass(w);
    CHECK_INT(last(w)->judged, 12);
    world_free(w);
}

TEST(id_that_one_topic_lacks_is_torn)
{
    struct world *w = working();
    expect_together(w);
    proc_send_plain(w->procs[0], INPUT, 1, "900");
    world_must_find(w, "torn_write");
    CHECK_STR(world_find(w, "torn_write")->cases[0].id, "900");
    CHECK_HAS(world_find(w, "torn_write")->cases[0].text, "1 in input, 0 in output");
    CHECK_INT(world_find(w, "torn_write")->blame, BLAME_APPLICATION);
    CHECK_HAS(world_find(w, "torn_write")->cause, "sent outside a transaction");
    world_free(w);
}

TEST(id_that_stands_twice_in_one_topic_is_torn)
{
    struct world *w = working();
    expect_together(w);
    repeat(w);
    world_must_find(w, "torn_write");
    CHECK_HAS(world_find(w, "torn_write")->cases[0].text, "1 in input, 2 in output");
    world_free(w);
}

TEST(as_many_as_declared_have_to_be_together)
{
    struct world *w = working();
    expect_together(w)->times = 2;
    world_must_find(w, "torn_write");
    CHECK_INT(world_find(w, "torn_write")->ncases, 12);
    world_free(w);
}

/* The rest of an aborted transaction is not there: neither half counts. */
TEST(aborted_records_belong_to_nothing)
{
    struct world *w = working();
    struct plan_pred *p = expect_together(w);
    free(p->topics.items[0]);
    p->topics.items[0] = xstrdup("output");
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_abort(w1, "role");
    world_must_pass(w);
    CHECK_INT(last(w)->judged, 12);
    world_free(w);
}

TEST(without_a_drain_nothing_is_torn)
{
    struct world *w = working();
    expect_together(w);
    proc_send_plain(w->procs[0], INPUT, 1, "900");
    w->drain_detail = "input[1]: records above offset 6";
    world_check(w);
    CHECK_STR(verdict_name(w->v->code), "INCONCLUSIVE");
    world_free(w);
}
