/* SPDX-License-Identifier: Apache-2.0 */
/* Records that left the log before it was audited: what asks about all of them is not judged to
 * hold, and what seems to lack because of them is nobody's fault. */
#include <string.h>

#include "world.h"

/* Retention has taken the first offsets of input[0] and input[1], or of output. */
static struct world *shortened(int topic, long offsets)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    world_work(w, 12);
    for (int i = 0; i < PARTS; i++) {
        w->log_start[topic][i] = w->removed[topic][i] = offsets;
    }
    return w;
}

static struct plan_pred *expect_way(struct world *w, const char *name, enum plan_pred_kind kind,
                                    const char *from, const char *to, enum plan_id id)
{
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, name, kind);
    p->from = xstrdup(from);
    p->to = xstrdup(to);
    p->id = id;
    return p;
}

static const struct prop_result *prop(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->v->nprops; i++) {
        if (strcmp(w->v->props[i].name, name) == 0) {
            return &w->v->props[i];
        }
    }
    CHECK(!"no such property");
    return NULL;
}

static void must_doubt(struct world *w, const char *topic)
{
    world_check(w);
    if (w->v->code != VERDICT_INCONCLUSIVE) {
        world_show(w);
    }
    CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
    bool said = false;
    for (size_t i = 0; i < w->v->nreasons; i++) {
        said =
            said || (strstr(w->v->reasons[i], "left the log") && strstr(w->v->reasons[i], topic));
    }
    CHECK(said);
}

TEST(inputs_that_left_the_log_are_not_judged_to_be_copied)
{
    struct world *w = shortened(INPUT, 2);
    must_doubt(w, "topic input");
    CHECK_INT(prop(w, "exactly once")->state, PROP_INCONCLUSIVE);
    CHECK_HAS(prop(w, "exactly once")->reason, "4 offsets of topic input");
    world_free(w);
}

TEST(inputs_by_lineage_too)
{
    struct world *w = world_new();
    expect_way(w, "no loss", PRED_NO_LOSS, "input", "output", ID_LINEAGE);
    expect_way(w, "once", PRED_EXACTLY_ONCE, "input", "output", ID_LINEAGE);
    expect_way(w, "none twice", PRED_NO_DUPLICATES, "input", "output", ID_LINEAGE);
    world_work(w, 12);
    w->log_start[INPUT][0] = w->removed[INPUT][0] = 2;
    must_doubt(w, "topic input");
    CHECK_INT(prop(w, "no loss")->state, PROP_INCONCLUSIVE);
    CHECK_INT(prop(w, "once")->state, PROP_INCONCLUSIVE);
    CHECK_INT(prop(w, "none twice")->state, PROP_INCONCLUSIVE);
    world_free(w);
}

TEST(outputs_that_left_the_log_are_not_lost)
{
    struct world *w = shortened(OUTPUT, 2);
    must_doubt(w, "topic output");
    CHECK(world_find(w, "lost"));
    CHECK(!world_find(w, "lost")->proven);
    world_free(w);
}

TEST(acknowledged_records_that_left_the_log_are_not_lost)
{
    struct world *w = world_new();
    expect_way(w, "sent", PRED_NO_LOSS, "controller", "input", ID_LINEAGE);
    world_work(w, 12);
    w->log_start[INPUT][0] = w->removed[INPUT][0] = 2;
    must_doubt(w, "topic input");
    world_free(w);
}

TEST(records_between_two_roles_that_left_the_log_are_not_lost)
{
    struct world *w = world_new();
    expect_way(w, "seen", PRED_NO_LOSS, "controller", "worker", ID_LINEAGE);
    world_work(w, 12);
    w->log_start[INPUT][0] = w->removed[INPUT][0] = 2;
    must_doubt(w, "topic input");
    world_free(w);
}

TEST(what_counts_messages_misses_those_that_left)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "all twelve", PRED_MESSAGES);
    p->topic = xstrdup("output");
    p->at_least = 12;
    world_work(w, 12);
    w->log_start[OUTPUT][0] = w->removed[OUTPUT][0] = 2;
    must_doubt(w, "topic output");
    world_free(w);
}

TEST(what_is_made_of_removed_inputs_is_not_missing)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "all twenty", PRED_MESSAGES);
    p->topic = xstrdup("output");
    p->at_least = 20;
    world_work(w, 12);
    w->log_start[INPUT][0] = w->removed[INPUT][0] = 2;
    must_doubt(w, "topic input");
    world_free(w);
}

/* By id, the second record may be the effect of an input that is gone; by lineage it may not. */
TEST(a_second_effect_is_proven_where_the_lineage_tells)
{
    for (int k = 0; k < 2; k++) {
        struct world *w = world_new_in(k ? "lineage" : "value");
        expect_way(w, "none twice", PRED_NO_DUPLICATES, "input", "output",
                   k ? ID_LINEAGE : ID_VALUE);
        world_work(w, 12);
        struct proc *w1 = w->procs[1];
        proc_begin(w1);
        proc_copy(w1, 0, 0, 3);
        proc_commit(w1);
        w->log_start[INPUT][0] = w->removed[INPUT][0] = 2;
        if (k) {
            world_must_find(w, "duplicate");
        } else {
            must_doubt(w, "topic input");
        }
        world_free(w);
    }
}

/* What must never happen did, if what shows it is still there. */
TEST(never_is_violated_by_what_is_left)
{
    for (int k = 0; k < 2; k++) {
        struct world *w = world_new_in(k ? "messages" : "repeated");
        struct plan_pred *p =
            world_expect(w, MODE_NEVER, "never", k ? PRED_MESSAGES : PRED_REPEATED);
        p->topic = k ? xstrdup("output") : NULL;
        p->from = k ? NULL : xstrdup("input");
        p->to = k ? NULL : xstrdup("output");
        p->id = ID_VALUE;
        world_work(w, 12);
        proc_begin(w->procs[1]);
        proc_copy(w->procs[1], 0, 0, 3);
        proc_commit(w->procs[1]);
        w->log_start[INPUT][0] = w->removed[INPUT][0] = 2;
        if (k) {
            world_must_find(w, "reached");
        } else {
            must_doubt(w, "topic input");
            CHECK_HAS(prop(w, "never")->reason, "left the log");
        }
        world_free(w);
    }
}

/* A loss between topics that lost nothing is one, whatever left a topic on no way. */
TEST(a_topic_beside_the_way_hides_no_loss)
{
    struct world *w = world_new();
    expect_way(w, "sent", PRED_NO_LOSS, "controller", "input", ID_LINEAGE);
    world_work(w, 12);
    w->log[INPUT][1].items[2].gone = true;
    w->log_start[OUTPUT][0] = w->removed[OUTPUT][0] = 2;
    world_check(w);
    CHECK(world_find(w, "lost")->proven);
    CHECK_INT(w->v->code, VERDICT_FAIL);
    world_free(w);
}

/* A topic that was there before: the audit begins where it ended then. */
TEST(a_log_that_begins_above_zero_has_not_lost_anything)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "some", PRED_MESSAGES);
    p->topic = xstrdup("output");
    world_work(w, 12);
    w->log_start[OUTPUT][0] = 2;
    world_must_pass(w);
    world_free(w);
}

/* Compaction takes records from the middle: the offsets tell. */
TEST(compacted_records_are_neither_lost_nor_judged)
{
    for (int topic = 0; topic < TOPICS; topic++) {
        struct world *w = world_new_in(topic ? "output" : "input");
        expect_way(w, "once", PRED_EXACTLY_ONCE, "input", "output", ID_VALUE);
        world_work(w, 12);
        w->compacted[topic] = true;
        w->log[topic][0].items[1].gone = true;
        must_doubt(w, topic ? "topic output" : "topic input");
        world_free(w);
    }
}

TEST(a_compacted_topic_that_is_whole_is_judged)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    world_work(w, 12);
    w->compacted[INPUT] = w->compacted[OUTPUT] = true;
    world_must_pass(w);
    world_free(w);
}

/* A run of deliveries that begins below the log start counts records that are not in the log: it
 * proves no delivery of an aborted one above it. */
TEST(a_run_over_the_log_start_accuses_nobody)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "committed", PRED_COMMITTED_ONLY);
    p->topic = xstrdup("output");
    world_work(w, 12);
    struct proc *c = w->procs[0], *w1 = w->procs[1];
    long first = (long)w->log[OUTPUT][0].n;
    for (int k = 0; k < 3; k++) {
        proc_begin(w1);
        proc_copy(w1, 0, 0, k);
        k == 1 ? proc_abort(w1, "") : proc_commit(w1);
    }
    long end = (long)w->log[OUTPUT][0].n - 1;
    proc_deliver(c, OUTPUT, 0, 0, end, NULL, true);
    w->log_start[OUTPUT][0] = first;
    world_check(w);
    CHECK(!world_find(w, "aborted_read"));
    CHECK(w->v->code != VERDICT_FAIL);
    world_free(w);
}
