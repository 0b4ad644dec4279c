/* SPDX-License-Identifier: Apache-2.0 */
/* exactly_once, no_loss, no_duplicates: good histories pass, each planted thing is found. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "world.h"

static struct world *good(enum plan_id id)
{
    struct world *w = world_new();
    world_expect_eos(w, id);
    world_work(w, 12);
    return w;
}

static struct entry *at(struct world *w, int topic, int part, long offset)
{
    return &w->log[topic][part].items[offset];
}

TEST(good_history_passes_by_lineage)
{
    struct world *w = good(ID_LINEAGE);
    world_must_pass(w);
    CHECK_INT(w->v->facts.ids, 12);
    CHECK_INT(w->v->facts.exactly_once, 12);
    CHECK_INT(w->v->facts.txns_committed, 4);
    CHECK_INT(w->v->props[0].judged, 12);
    world_free(w);
}

TEST(good_history_passes_by_value)
{
    struct world *w = good(ID_VALUE);
    world_must_pass(w);
    CHECK_INT(w->v->facts.ids, 12);
    world_free(w);
}

/* An input that nobody copied although the offsets passed it. */
TEST(skipped_input_is_lost)
{
    struct world *w = good(ID_VALUE);
    struct proc *c = w->procs[0], *w1 = w->procs[1];
    long o = proc_send_plain(c, INPUT, 0, "900");
    proc_send_plain(c, INPUT, 0, "901");
    proc_batch(w1, 0, o + 1, o + 1);
    world_must_find(w, "lost");
    const struct finding *f = world_find(w, "lost");
    CHECK_INT(f->ncases, 1);
    CHECK_STR(f->cases[0].id, "900");
    CHECK_STR(f->cases[0].records[0].topic, "input");
    CHECK_INT(f->cases[0].records[0].offset, o);
    CHECK_STR(f->property, "exactly once");
    world_free(w);
}

TEST(input_behind_the_committed_offset_is_unprocessed)
{
    struct world *w = good(ID_VALUE);
    proc_send_plain(w->procs[0], INPUT, 0, "900");
    world_must_find(w, "unprocessed");
    CHECK_INT(world_find(w, "unprocessed")->class, CLASS_LIVENESS);
    CHECK(!world_find(w, "lost"));
    world_free(w);
}

/* What another group has passed says nothing of a role that never read. */
TEST(a_role_that_never_read_has_lost_nothing)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_EVENTUALLY, "every id", PRED_NO_LOSS);
    p->from = xstrdup("input");
    p->to = xstrdup("controller");
    p->id = ID_VALUE;
    world_work(w, 12);
    world_must_find(w, "unprocessed");
    CHECK(!world_find(w, "lost"));
    world_free(w);
}

/* Nobody lives who could come back to it. */
TEST(without_a_drain_what_the_offset_has_passed_is_lost)
{
    struct world *w = good(ID_VALUE);
    struct proc *c = w->procs[0];
    long o = proc_send_plain(c, INPUT, 0, "900");
    proc_send_plain(c, INPUT, 0, "901");
    proc_batch(w->procs[1], 0, o + 1, o + 1);
    w->drain_detail = "output[0]: 3 records above the committed offset";
    world_must_find(w, "lost");
    world_free(w);
}

TEST(without_a_drain_what_is_ahead_of_the_offset_is_not_judged)
{
    struct world *w = good(ID_VALUE);
    proc_send_plain(w->procs[0], INPUT, 0, "900");
    w->drain_detail = "input[0]: 1 record above the committed offset";
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
    CHECK_INT(w->v->exit_code, 2);
    CHECK_INT(w->v->props[0].state, PROP_INCONCLUSIVE);
    CHECK(!w->v->findings[0].proven);
    world_free(w);
}

TEST(without_a_drain_a_log_that_did_not_settle_proves_no_loss)
{
    struct world *w = good(ID_VALUE);
    struct proc *c = w->procs[0];
    long o = proc_send_plain(c, INPUT, 0, "900");
    proc_send_plain(c, INPUT, 0, "901");
    proc_batch(w->procs[1], 0, o + 1, o + 1);
    w->drain_detail = "output[0]: a transaction is open";
    world_phase(w, "settled", "output[0]: a transaction is open");
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
    world_free(w);
}

TEST(input_copied_in_two_transactions_is_duplicate)
{
    struct world *w = good(ID_VALUE);
    struct proc *w1 = w->procs[1];
    proc_batch(w1, 0, 4, 4);
    proc_offsets(w1, 0, 6);
    proc_end_txn(w1, true);
    world_must_find(w, "duplicate");
    const struct finding *f = world_find(w, "duplicate");
    CHECK_STR(f->cases[0].id, "9");
    CHECK_INT(f->nlineage, 2);
    CHECK(f->ntimeline > 0 && f->ntimeline <= 12);
    world_free(w);
}

TEST(two_effects_are_right_when_two_are_declared)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "twice", PRED_EXACTLY_ONCE);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    p->times = 2;
    world_work(w, 6);
    for (int part = 0; part < PARTS; part++) {
        proc_batch(w->procs[1 + part], part, 0, 2);
    }
    world_must_pass(w);
    world_free(w);
}

TEST(record_of_nobody_is_garbage)
{
    struct world *w = good(ID_LINEAGE);
    struct entry *e = VEC_PUSH(&w->log[OUTPUT][1]);
    *e = (struct entry){.pid = -1, .sequence = -1, .role = "", .txn_id = "", .src_offset = -1};
    snprintf(e->value, sizeof e->value, "zzz");
    world_must_find(w, "garbage");
    world_free(w);
}

TEST(value_that_nobody_sent_is_invented)
{
    struct world *w = good(ID_VALUE);
    struct entry *e = VEC_PUSH(&w->log[OUTPUT][1]);
    *e = (struct entry){.pid = -1, .sequence = -1, .role = "", .txn_id = "", .src_offset = -1};
    snprintf(e->value, sizeof e->value, "777");
    world_must_find(w, "invented");
    CHECK_STR(world_find(w, "invented")->cases[0].id, "777");
    world_free(w);
}

TEST(source_that_is_not_in_the_log_is_invented)
{
    struct world *w = good(ID_LINEAGE);
    struct entry copy = *at(w, OUTPUT, 0, 0);
    copy.src_offset = 500;
    copy.pid = copy.sequence = -1;
    copy.role = copy.txn_id = "";
    copy.outcome = 0;
    copy.plain = true;
    *VEC_PUSH(&w->log[OUTPUT][0]) = copy;
    world_must_find(w, "invented");
    world_free(w);
}

TEST(relabelled_source_is_wrong_content)
{
    struct world *w = good(ID_VALUE);
    at(w, OUTPUT, 0, 1)->src_offset = 0;
    world_must_find(w, "wrong_content");
    world_free(w);
}

TEST(relabelled_source_by_lineage_is_wrong_content)
{
    struct world *w = good(ID_LINEAGE);
    at(w, OUTPUT, 0, 1)->src_offset = 0;
    world_must_find(w, "wrong_content");
    CHECK(world_find(w, "lost")->primary >= 0);
    CHECK(world_find(w, "duplicate")->primary >= 0);
    world_free(w);
}

TEST(record_removed_from_the_audit_is_named)
{
    struct world *w = good(ID_VALUE);
    at(w, OUTPUT, 0, 1)->gone = true;
    world_must_find(w, "unexplained_gap");
    const struct finding *f = world_find(w, "lost");
    CHECK(f && f->primary >= 0);
    CHECK_STR(f->cases[0].id, "3");
    CHECK_STR(world_find(w, "unexplained_gap")->cases[0].id, "output[0]@1");
    world_free(w);
}

/* ---- legal and odd ---- */

TEST(aborted_and_rewound_record_is_no_duplicate)
{
    struct world *w = good(ID_VALUE);
    struct proc *c = w->procs[0], *w1 = w->procs[1];
    long o = proc_send_plain(c, INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, o, o, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, o);
    proc_offsets(w1, 0, o + 1);
    proc_abort(w1, "fault");
    proc_seek(w1, 0, o + 1, o);
    proc_batch(w1, 0, o, o);
    world_must_pass(w);
    CHECK_INT(w->v->facts.txns_aborted, 1);
    CHECK_INT(w->v->facts.aborted_records, 1);
    CHECK_INT(w->v->facts.aborted_hidden, 1);
    CHECK_INT(w->v->facts.redelivered, 1);
    world_free(w);
}

static void unknown_send(struct proc *c, int part, const char *value, bool in_log)
{
    c->seq++;
    hist_send(c->h, &(struct hist_send){.producer = hist_str(c->h, "p1"),
                                        .topic = hist_str(c->h, "input"),
                                        .partition = -1,
                                        .seq = c->seq,
                                        .txn = -1});
    hist_ack(c->h, HP_UNKNOWN,
             &(struct hist_ack){.producer = hist_str(c->h, "p1"),
                                .topic = hist_str(c->h, "input"),
                                .partition = part,
                                .seq = c->seq,
                                .offset = -1,
                                .error = hist_str(c->h, "_TIMED_OUT")});
    if (in_log) {
        struct entry *e = VEC_PUSH(&c->w->log[INPUT][part]);
        *e = (struct entry){.pid = c->pid,
                            .sequence = c->sequence[INPUT][part]++,
                            .role = c->role,
                            .index = 1,
                            .incarnation = 1,
                            .seq = c->seq,
                            .txn_id = "",
                            .txn = -1,
                            .plain = true,
                            .src_offset = -1};
        snprintf(e->value, sizeof e->value, "%s", value);
    }
}

static void from_controller(struct world *w)
{
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "all sent", PRED_EXACTLY_ONCE);
    p->from = xstrdup("controller");
    p->to = xstrdup("input");
}

TEST(unknown_send_that_is_in_the_log_is_no_finding)
{
    struct world *w = good(ID_VALUE);
    from_controller(w);
    unknown_send(w->procs[0], 0, "900", true);
    proc_batch(w->procs[1], 0, 6, 6);
    world_must_pass(w);
    world_free(w);
}

TEST(unknown_send_that_is_not_in_the_log_is_no_finding)
{
    struct world *w = good(ID_VALUE);
    from_controller(w);
    unknown_send(w->procs[0], 0, "900", false);
    world_must_pass(w);
    world_free(w);
}

TEST(unknown_send_that_was_sent_again_is_no_duplicate)
{
    struct world *w = good(ID_VALUE);
    unknown_send(w->procs[0], 0, "900", true);
    proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_batch(w->procs[1], 0, 6, 7);
    world_must_pass(w);
    world_free(w);
}

TEST(acknowledged_send_that_is_not_in_the_log_is_found)
{
    struct world *w = good(ID_VALUE);
    from_controller(w);
    w->log[INPUT][0].n--;
    w->log[OUTPUT][0].n -= 4;
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_FAIL);
    CHECK(world_find(w, "phantom_ack"));
    CHECK(world_find(w, "phantom_ack")->primary < 0);
    world_free(w);
}

/* ---- roles as destinations ---- */

static struct world *readers(void)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_EVENTUALLY, "no_loss input -> worker", PRED_NO_LOSS);
    p->from = xstrdup("input");
    p->to = xstrdup("worker");
    struct proc *c = proc_start(w, "controller", 1, 1);
    struct proc *w1 = proc_start(w, "worker", 1, 1);
    for (int i = 0; i < 6; i++) {
        proc_send_plain(c, INPUT, 0, NULL);
    }
    proc_deliver(w1, INPUT, 0, 0, 3, "g", true);
    return w;
}

static void commit_to(struct world *w, long offset)
{
    hist_add(w->runner, H_COMMITTED, HP_FACT, 0, HS("g"), HS("input"), HI(0), HI(offset), HI(1));
}

TEST(redelivery_to_a_role_is_no_loss)
{
    struct world *w = readers();
    proc_deliver(w->procs[1], INPUT, 0, 2, 5, "g", true);
    commit_to(w, 6);
    world_must_pass(w);
    CHECK_INT(w->v->facts.redelivered, 2);
    world_free(w);
}

TEST(redelivery_to_a_role_is_duplicate_when_that_is_asked)
{
    struct world *w = readers();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "once", PRED_NO_DUPLICATES);
    p->from = xstrdup("input");
    p->to = xstrdup("worker");
    proc_deliver(w->procs[1], INPUT, 0, 2, 5, "g", true);
    commit_to(w, 6);
    world_must_find(w, "duplicate");
    CHECK_INT(world_find(w, "duplicate")->ncases, 2);
    world_free(w);
}

TEST(record_that_no_role_was_delivered_is_lost)
{
    struct world *w = readers();
    proc_deliver(w->procs[1], INPUT, 0, 5, 5, "g", true);
    commit_to(w, 6);
    world_must_find(w, "lost");
    /* one run of deliveries holds 0..5 and counts five: one of the four between is missing */
    CHECK_STR(world_find(w, "lost")->cases[0].id, "input[0]@1..4");
    CHECK_HAS(world_find(w, "lost")->cases[0].text, "1 of the records");
    world_free(w);
}

TEST(restart_probe_that_adds_a_copy_is_duplicate)
{
    struct world *w = good(ID_VALUE);
    struct entry copy = *at(w, OUTPUT, 0, 0);
    copy.probe = true;
    copy.incarnation = 9;
    copy.outcome = 1;
    copy.txn = 1;
    copy.txn_incarnation = 9;
    *VEC_PUSH(&w->log[OUTPUT][0]) = copy;
    world_must_find(w, "duplicate");
    world_free(w);
}

/* At least once may do its last work again: nothing promises single effects here. */
TEST(restart_probe_may_repeat_where_nothing_asks_for_single_effects)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_EVENTUALLY, "no loss", PRED_NO_LOSS);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    p->id = ID_VALUE;
    world_work(w, 12);
    struct entry copy = *at(w, OUTPUT, 0, 0);
    copy.probe = true;
    copy.incarnation = 9;
    copy.outcome = 1;
    copy.txn = 1;
    copy.txn_incarnation = 9;
    *VEC_PUSH(&w->log[OUTPUT][0]) = copy;
    world_must_pass(w);
    world_free(w);
}

static void client_setting(struct proc *p, const char *name, const char *value)
{
    hist_add(p->h, H_CONFIG, HP_FACT, 0, HS("client"), HS(name), HS(value));
}

/* A consumer that the program itself lets start at the end owes nothing that stood before. */
TEST(inputs_before_a_start_at_the_end_are_not_lost)
{
    for (int latest = 0; latest < 2; latest++) {
        struct world *w = world_new_in(latest ? "latest" : "earliest");
        world_expect_eos(w, ID_VALUE);
        for (int i = 1; i <= 2; i++) {
            client_setting(proc_start(w, "worker", i, 1), "auto.offset.reset",
                           latest ? "latest" : "earliest");
        }
        struct proc *c = proc_start(w, "controller", 1, 1);
        for (int i = 0; i < 3; i++) {
            char value[16];
            snprintf(value, sizeof value, "%d", i);
            proc_send_plain(c, INPUT, 0, value);
        }
        proc_batch(w->procs[0], 0, 1, 2);
        proc_deliver(c, OUTPUT, 0, 0, 1, "", true);
        if (latest) {
            world_must_pass(w);
        } else {
            world_must_find(w, "lost");
        }
        world_free(w);
    }
}

/* It had read the first input, died before it committed, and began at the end again. */
TEST(loss_by_a_second_start_at_the_end_is_the_configuration)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    struct proc *first = proc_start(w, "worker", 1, 1);
    client_setting(first, "auto.offset.reset", "latest");
    struct proc *c = proc_start(w, "controller", 1, 1);
    proc_send_plain(c, INPUT, 0, "0");
    proc_deliver(first, INPUT, 0, 0, 0, "copy", true);
    proc_exit(first, 0, SIGKILL, "fault");
    proc_send_plain(c, INPUT, 0, "1");
    proc_send_plain(c, INPUT, 0, "2");
    struct proc *second = proc_start(w, "worker", 1, 2);
    client_setting(second, "auto.offset.reset", "latest");
    proc_batch(second, 0, 2, 2);
    proc_deliver(c, OUTPUT, 0, 0, 0, "", true);
    world_must_find(w, "lost");
    CHECK_INT(world_find(w, "lost")->blame, BLAME_CONFIGURATION);
    CHECK_INT(world_find(w, "lost")->ncases, 2);
    world_free(w);
}

/* Two producers in one process: what becomes of the transactions of the one that takes no offsets
 * says nothing of deliveries; an abort of the other one undoes them, though it took no offsets. */
TEST(a_delivery_is_handled_by_the_producer_that_takes_its_offsets)
{
    static const struct {
        const char *name;
        bool log, commit, abort;
    } cases[] = {{"log aborts", true, false, false},
                 {"own aborts", false, false, true},
                 {"log commits, own aborts", true, true, true}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = world_new_in(cases[i].name);
        struct plan_pred *p = world_expect(w, MODE_ALWAYS, "seen", PRED_EXACTLY_ONCE);
        p->from = xstrdup("input");
        p->to = xstrdup("worker");
        world_work(w, 12);
        struct proc *w1 = w->procs[1];
        const char *id = w1->producer;
        long o = proc_send_plain(w->procs[0], INPUT, 0, NULL);
        proc_deliver(w1, INPUT, 0, o, o, "copy", true);
        if (cases[i].log) {
            w1->producer = "log";
            proc_begin(w1);
            cases[i].commit ? proc_commit(w1) : proc_abort(w1, "");
            w1->producer = id;
        }
        if (cases[i].abort) {
            proc_begin(w1);
            proc_abort(w1, "");
            proc_deliver(w1, INPUT, 0, o, o, "copy", true);
        }
        proc_begin(w1);
        proc_copy(w1, 0, 0, o);
        proc_offsets(w1, 0, o + 1);
        proc_commit(w1);
        world_must_pass(w);
        world_free(w);
    }
}

/* ---- records without an id: keys are null in this world ---- */

TEST(records_without_an_id_are_told_by_lineage)
{
    struct world *w = good(ID_KEY);
    world_must_pass(w);
    CHECK_INT(w->v->facts.ids, 12);
    CHECK_INT(w->v->facts.exactly_once, 12);
    world_free(w);
}

TEST(an_input_without_an_id_can_be_lost)
{
    struct world *w = good(ID_KEY);
    long o = proc_send_plain(w->procs[0], INPUT, 0, NULL);
    proc_send_plain(w->procs[0], INPUT, 0, NULL);
    proc_batch(w->procs[1], 0, o + 1, o + 1);
    world_must_find(w, "lost");
    CHECK_INT(world_find(w, "lost")->cases[0].records[0].offset, o);
    world_free(w);
}

TEST(an_input_without_an_id_can_have_two_effects)
{
    struct world *w = good(ID_KEY);
    proc_begin(w->procs[1]);
    proc_copy(w->procs[1], 0, 0, 2);
    proc_commit(w->procs[1]);
    world_must_find(w, "duplicate");
    world_free(w);
}

/* The output of nobody may be that of the input that lacks one. */
TEST(an_output_without_id_and_lineage_leaves_a_loss_open)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "all", PRED_NO_LOSS);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    p->id = ID_KEY;
    world_work(w, 12);
    struct entry *e = at(w, OUTPUT, 0, 1);
    e->src = false;
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
    CHECK(!world_find(w, "lost")->proven);
    CHECK_HAS(w->v->reasons[0], "outputs without id and lineage");
    world_free(w);
}

/* ---- a function that wants only some records ---- */

static int even_id(void *arg, int fold, const struct fold_message *m, struct buf *out,
                   struct err *e)
{
    const char *value = m->value;
    if (m->value_len == 0 || (value[m->value_len - 1] - '0') % 2 != 0) {
        return 1;
    }
    buf_append(out, value, m->value_len);
    return 0;
}

static void check_even(struct world *w)
{
    static const struct fold_ops ops = {.id = even_id};
    struct err e = {0};
    world_expect_eos(w, ID_FUNCTION);
    world_finish(w);
    w->es = events_open(w->dir, &e);
    w->v = check_run(w->es, w->plan, &ops, NULL, &e);
    CHECK(w->v);
}

TEST(what_the_id_function_does_not_want_is_neither_input_nor_output)
{
    struct world *w = world_new();
    world_work(w, 12);
    check_even(w);
    CHECK_INT(w->v->code, VERDICT_PASS);
    CHECK_INT(w->v->facts.ids, 6);
    world_free(w);
}

TEST(an_unwanted_output_of_a_wanted_input_is_invented)
{
    struct world *w = world_new();
    world_work(w, 12);
    struct entry *e = at(w, OUTPUT, 1, 0); /* the even ones are in partition 1 */
    snprintf(e->value, sizeof e->value, "7");
    check_even(w);
    CHECK_INT(w->v->code, VERDICT_FAIL);
    CHECK(world_find(w, "invented"));
    CHECK_HAS(world_find(w, "invented")->cases[0].text, "and has no id");
    CHECK(world_find(w, "lost"));
    world_free(w);
}
