/* SPDX-License-Identifier: Apache-2.0 */
/* The undeclared checks of the raw log: markers, atomic, sequences, gaps, offsets_agree. */
#include <signal.h>

#include "world.h"

static struct world *good(void)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    world_work(w, 12);
    return w;
}

static struct entry *at(struct world *w, int topic, int part, long offset)
{
    return &w->log[topic][part].items[offset];
}

/* ---- markers ---- */

/* Two transactions of one client of the first protocol in one open segment. */
TEST(commit_marker_that_was_skipped_is_marker_missing)
{
    struct world *w = good();
    struct proc *c = w->procs[0], *w1 = w->procs[1];
    long a = proc_send_plain(c, INPUT, 0, "900"), b = proc_send_plain(c, INPUT, 0, "901");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    /* answered ok, and the partition gets no marker */
    uint64_t op = hist_op(w1->h);
    hist_add(w1->h, H_TXN_COMMIT, HP_INVOKE, op, HS(w1->producer), HI(w1->txn), HS(""), HS(""));
    hist_add(w1->h, H_TXN_COMMIT, HP_OK, op, HS(w1->producer), HI(w1->txn), HS(""), HS(""));
    w->offsets.items[w->offsets.n - 1].outcome = 1;
    proc_deliver(w1, INPUT, 0, b, b, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, b);
    proc_offsets(w1, 0, b + 1);
    proc_abort(w1, "fault");
    proc_seek(w1, 0, b + 1, b);
    proc_batch(w1, 0, b, b);
    world_must_find(w, "marker_missing");
    const struct finding *f = world_find(w, "marker_missing");
    CHECK_INT(f->blame, BLAME_BROKER);
    CHECK(f->consequences >= 2);
    CHECK(world_find(w, "false_ok")->primary >= 0);
    const struct finding *lost = world_find(w, "lost");
    CHECK(lost && lost->primary >= 0);
    CHECK_INT(lost->blame, BLAME_BROKER);
    world_free(w);
}

TEST(epoch_that_rises_in_an_open_segment_is_marker_missing)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_crash(w1, "after_send");
    struct proc *next = proc_start(w, "worker", 1, 2);
    next->pid = w1->pid;
    next->epoch = 1;
    proc_batch(next, 0, a, a); /* its COMMIT makes the record of the dead one visible too */
    world_must_find(w, "marker_missing");
    CHECK(world_find(w, "duplicate")->primary >= 0);
    world_free(w);
}

TEST(abort_markers_with_a_higher_epoch_are_legal)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_crash(w1, "after_send");
    w1->epoch = 1;
    proc_end_txn(w1, false);
    struct proc *next = proc_start(w, "worker", 1, 2);
    next->pid = w1->pid;
    next->epoch = 2;
    proc_batch(next, 0, a, a);
    world_must_pass(w);
    CHECK_INT(w->v->facts.crashes, 1);
    CHECK_INT(w->v->facts.crash_points, 1u << POINT_AFTER_SEND);
    world_free(w);
}

TEST(markers_without_data_and_repeated_are_legal)
{
    struct world *w = good();
    struct entry m = {
        .control = true, .commit = true, .pid = w->procs[1]->pid, .role = "", .txn_id = ""};
    *VEC_PUSH(&w->log[OUTPUT][0]) = m;
    *VEC_PUSH(&w->log[OUTPUT][0]) = m;
    m.pid = 4711;
    m.commit = false;
    m.epoch = 7;
    *VEC_PUSH(&w->log[OUTPUT][1]) = m;
    world_must_pass(w);
    world_free(w);
}

TEST(marker_of_a_lower_epoch_is_stale)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    w1->epoch = 5;
    w1->sequence[OUTPUT][0] = 0;
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    w1->epoch = 4;
    proc_commit(w1);
    world_must_find(w, "stale_marker");
    world_free(w);
}

TEST(record_behind_the_marker_of_its_transaction_is_a_crossed_request)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    struct log *l = &w->log[OUTPUT][0];
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    w1->seq++;
    hist_send(w1->h, &(struct hist_send){.producer = hist_str(w1->h, w1->producer),
                                         .topic = hist_str(w1->h, "output"),
                                         .partition = 0,
                                         .seq = w1->seq,
                                         .txn = w1->txn,
                                         .src_topic = hist_str(w1->h, "input"),
                                         .src_partition = 0,
                                         .src_offset = a});
    proc_abort(w1, "fault");
    proc_seek(w1, 0, a + 1, a);
    struct entry late = l->items[l->n - 2]; /* a second record came behind the marker */
    late.seq = w1->seq;
    late.sequence++;
    late.outcome = 3;
    w1->sequence[OUTPUT][0]++;
    *VEC_PUSH(l) = late;
    w1->touched[OUTPUT][0] = true;
    proc_batch(w1, 0, a, a);
    world_check(w);
    const struct finding *f = world_find(w, "crossed_request");
    CHECK(f);
    CHECK(f->primary < 0);
    CHECK_INT(f->blame, BLAME_PROTOCOL);
    world_free(w);
}

TEST(segment_that_is_never_closed_is_found_with_proof_only)
{
    for (int proven = 0; proven < 2; proven++) {
        struct world *w = world_new_in(proven ? "proven" : "open");
        world_expect_eos(w, ID_VALUE);
        world_work(w, 12);
        struct proc *w1 = w->procs[1];
        long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
        proc_deliver(w1, INPUT, 0, a, a, "copy", true);
        proc_begin(w1);
        long o = proc_copy(w1, 0, 0, a);
        proc_offsets(w1, 0, a + 1);
        uint64_t op = hist_op(w1->h);
        hist_add(w1->h, H_TXN_COMMIT, HP_INVOKE, op, HS(w1->producer), HI(w1->txn), HS(""), HS(""));
        hist_add(w1->h, H_TXN_COMMIT, HP_OK, op, HS(w1->producer), HI(w1->txn), HS(""), HS(""));
        w->drain_detail = "output[0]: the last stable offset is behind";
        hist_add(w->runner, H_OPEN_TXN, HP_FACT, 0, HS("output"), HI(0), HI(w1->pid), HI(0), HI(o),
                 HS("eos-worker-1"), HS("CompleteCommit"), HI(proven));
        world_check(w);
        CHECK_INT(w->v->code, proven ? VERDICT_FAIL : VERDICT_INCONCLUSIVE);
        CHECK((world_find(w, "marker_missing") != NULL) == proven);
        world_free(w);
    }
}

/* The commit reaches the output, not the offsets; the successor's abort takes them along. */
TEST(marker_that_the_offsets_lack_is_found)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_batch(w1, 0, a, a);
    struct offset_entry *o = &w->offsets.items[w->offsets.n - 2];
    o->outcome = 2;
    o[1].gone = true;
    proc_crash(w1, "after_commit");
    struct proc *next = proc_start(w, "worker", 1, 2);
    next->pid = w1->pid;
    next->epoch = 2;
    proc_batch(next, 0, a, a);
    world_must_find(w, "marker_missing");
    CHECK_HAS(world_find(w, "marker_missing")->cases[0].id, "__consumer_offsets");
    CHECK(world_find(w, "duplicate")->primary >= 0);
    CHECK_INT(world_find(w, "duplicate")->blame, BLAME_BROKER);
    world_free(w);
}

/* ---- atomic ---- */

TEST(transaction_with_one_record_aborted_is_torn)
{
    struct world *w = good();
    at(w, OUTPUT, 0, 1)->outcome = 2;
    world_must_find(w, "torn_transaction");
    const struct finding *f = world_find(w, "torn_transaction");
    CHECK_INT(f->cases[0].records[0].offset, 1);
    CHECK(world_find(w, "lost")->primary >= 0);
    world_free(w);
}

static void flip_transaction(struct world *w, struct proc *p, long txn, int outcome)
{
    for (int t = 0; t < TOPICS; t++) {
        for (int i = 0; i < PARTS; i++) {
            struct log *l = &w->log[t][i];
            for (size_t k = 0; k < l->n; k++) {
                if (!l->items[k].control && l->items[k].pid == p->pid && l->items[k].txn == txn) {
                    l->items[k].outcome = outcome;
                    l->items[k + 1].commit = outcome == 1;
                }
            }
        }
    }
}

TEST(commit_that_the_log_aborted_is_false_ok)
{
    struct world *w = good();
    flip_transaction(w, w->procs[1], 1, 2);
    w->offsets.items[0].outcome = 2;
    world_must_find(w, "false_ok");
    world_free(w);
}

TEST(committed_offsets_of_an_aborted_transaction_are_found)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    proc_abort(w1, "fault");
    w->offsets.items[w->offsets.n - 2].outcome = 1;
    world_must_find(w, "offsets_without_output");
    CHECK(world_find(w, "lost")->primary >= 0);
    world_free(w);
}

TEST(committed_records_without_their_offsets_are_found)
{
    struct world *w = good();
    w->offsets.items[2].gone = true;
    world_must_find(w, "output_without_offsets");
    world_free(w);
}

TEST(aborted_and_committed_with_the_same_offset_are_legal)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    for (int turn = 0; turn < 3; turn++) {
        proc_deliver(w1, INPUT, 0, a, a, "copy", true);
        proc_begin(w1);
        proc_copy(w1, 0, 0, a);
        proc_offsets(w1, 0, a + 1);
        proc_abort(w1, "fault");
        proc_seek(w1, 0, a + 1, a);
    }
    proc_batch(w1, 0, a, a);
    world_must_pass(w);
    world_free(w);
}

static void ended_by(struct world *w, int phase, const char *error)
{
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    uint64_t op = hist_op(w1->h);
    hist_add(w1->h, H_TXN_COMMIT, HP_INVOKE, op, HS(w1->producer), HI(w1->txn), HS(""), HS(""));
    proc_end_txn(w1, true);
    hist_add(w1->h, H_TXN_COMMIT, phase, op, HS(w1->producer), HI(w1->txn), HS(error), HS(""));
}

TEST(fenced_commit_that_was_applied_is_legal)
{
    struct world *w = good();
    ended_by(w, HP_FAIL, "_FENCED");
    world_must_pass(w);
    world_free(w);
}

TEST(unknown_commit_that_was_applied_is_legal)
{
    struct world *w = good();
    ended_by(w, HP_UNKNOWN, "_STATE");
    world_must_pass(w);
    world_free(w);
}

TEST(failed_commit_that_was_applied_is_false_fail)
{
    struct world *w = good();
    ended_by(w, HP_FAIL, "TOPIC_AUTHORIZATION_FAILED");
    world_must_find(w, "false_fail");
    world_free(w);
}

TEST(reported_abort_that_was_committed_is_false_fail)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    proc_abort(w1, "error");
    flip_transaction(w, w1, w1->txn, 1);
    w->offsets.items[w->offsets.n - 2].outcome = 1;
    world_must_find(w, "false_fail");
    world_free(w);
}

/* ---- sequences and gaps ---- */

TEST(sequences_may_wrap_and_start_anywhere)
{
    struct world *w = good();
    struct proc *c = w->procs[0];
    long s = 0x7ffffffe;
    for (size_t i = 0; i < w->log[INPUT][0].n; i++) {
        at(w, INPUT, 0, (long)i)->sequence = (s + (long)i) & 0x7fffffff;
    }
    c->sequence[INPUT][0] = (s + 6) & 0x7fffffff;
    world_must_pass(w);
    world_free(w);
}

TEST(batch_twice_is_duplicate_batch)
{
    struct world *w = good();
    struct proc *c = w->procs[0];
    long o = proc_send_plain(c, INPUT, 0, "900");
    *VEC_PUSH(&w->log[INPUT][0]) = *at(w, INPUT, 0, o);
    proc_batch(w->procs[1], 0, o, o + 1);
    world_check(w);
    const struct finding *f = world_find(w, "duplicate_batch");
    CHECK(f);
    CHECK(f->primary < 0);
    CHECK_INT(f->blame, BLAME_BROKER);
    CHECK_INT(world_primaries(w), 1);
    world_free(w);
}

/** One more transaction of the first worker, with that epoch. */
static void one_more(struct world *w, const char *id, int epoch)
{
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, id);
    w1->epoch = epoch;
    w1->sequence[OUTPUT][0] = 0;
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    proc_commit(w1);
}

TEST(epochs_of_a_producer_may_rise)
{
    struct world *w = good();
    one_more(w, "900", 5);
    one_more(w, "901", 6);
    world_must_pass(w);
    world_free(w);
}

TEST(batch_behind_a_higher_epoch_is_stale_epoch)
{
    struct world *w = good();
    one_more(w, "900", 6);
    one_more(w, "901", 5);
    world_must_find(w, "stale_epoch");
    CHECK_INT(world_find(w, "stale_epoch")->blame, BLAME_BROKER);
    CHECK_HAS(world_find(w, "stale_epoch")->cause, "wrote with epoch 5");
    CHECK_HAS(world_find(w, "stale_epoch")->cause, "of epoch 6");
    world_free(w);
}

TEST(batch_behind_a_marker_that_fenced_it_is_stale_epoch)
{
    struct world *w = good();
    struct entry m = {
        .control = true, .pid = w->procs[1]->pid, .epoch = 6, .role = "", .txn_id = ""};
    *VEC_PUSH(&w->log[OUTPUT][0]) = m;
    one_more(w, "900", 5);
    world_must_find(w, "stale_epoch");
    CHECK_HAS(world_find(w, "stale_epoch")->cause, "behind the marker of epoch 6");
    world_free(w);
}

TEST(sequence_that_skips_is_sequence_gap)
{
    struct world *w = good();
    w->procs[0]->sequence[INPUT][0] += 3;
    long o = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_batch(w->procs[1], 0, o, o);
    world_must_find(w, "sequence_gap");
    world_free(w);
}

TEST(end_of_the_log_without_batches_is_a_gap)
{
    struct world *w = good();
    w->hw_short = 2;
    world_must_find(w, "unexplained_gap");
    world_free(w);
}

TEST(gap_of_a_foreign_cluster_is_a_warning)
{
    struct world *w = good();
    world_phase(w, "cluster", "broker.example:9092");
    w->hw_short = 2;
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_PASS);
    CHECK(world_find(w, "unexplained_gap")->warning);
    world_free(w);
}

TEST(log_may_begin_above_zero)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "none twice", PRED_NO_DUPLICATES);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    world_work(w, 12);
    w->log_start[OUTPUT][0] = w->log_start[INPUT][0] = 2;
    world_must_pass(w);
    world_free(w);
}

TEST(batch_over_the_next_one_is_overlapping)
{
    struct world *w = good();
    at(w, OUTPUT, 0, 3)->last = 4;
    world_check(w);
    CHECK(world_find(w, "overlapping_batches"));
    CHECK(world_find(w, "overlapping_batches")->primary < 0);
    CHECK_INT(w->v->code, VERDICT_FAIL);
    world_free(w);
}

TEST(another_record_at_an_acknowledged_offset_is_phantom_ack)
{
    struct world *w = good();
    struct entry *e = at(w, INPUT, 0, 2);
    e->role = "";
    world_must_find(w, "phantom_ack");
    world_free(w);
}

/* Less than acks=all promises no place in the log. */
TEST(weak_acknowledgement_is_no_phantom)
{
    struct world *w = good();
    hist_add(w->procs[0]->h, H_CONFIG, HP_FACT, 0, HS("client"), HS("acks"), HS("1"));
    at(w, INPUT, 0, 2)->role = "";
    world_check(w);
    CHECK(!world_find(w, "phantom_ack"));
    world_free(w);
}

TEST(swapped_records_are_found)
{
    struct world *w = good();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "order", PRED_ORDER);
    p->topic = xstrdup("output");
    struct entry x = *at(w, OUTPUT, 0, 0), *a = at(w, OUTPUT, 0, 0), *b = at(w, OUTPUT, 0, 1);
    long sequence = a->sequence;
    *a = *b;
    *b = x;
    b->sequence = a->sequence;
    a->sequence = sequence;
    world_check(w);
    CHECK(world_find(w, "phantom_ack"));
    CHECK(world_find(w, "reordered"));
    CHECK(world_find(w, "reordered")->primary >= 0);
    world_free(w);
}

/* ---- kaos's own reader ---- */

static struct world *with_reader(long skip)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    proc_abort(w1, "fault");
    proc_seek(w1, 0, a + 1, a);
    proc_batch(w1, 0, a, a);
    struct proc *r = proc_start(w, "kaos-reader", 1, 1);
    for (int i = 0; i < PARTS; i++) {
        hist_add(r->h, H_ASSIGN, HP_FACT, 0, HS("kaos-reader"), HS(""), HS("output"), HI(i), HI(1),
                 HS("range"), HI(-1), HS(""), HI(-1));
        long last = (long)w->log[OUTPUT][i].n - 1;
        if (i == 0 && skip >= 0) {
            proc_deliver(r, OUTPUT, i, 0, skip - 1, "", true);
            proc_deliver(r, OUTPUT, i, skip + 1, last, "", true);
        } else {
            proc_deliver(r, OUTPUT, i, 0, last, "", true);
        }
    }
    return w;
}

TEST(reader_that_was_delivered_all_is_right)
{
    struct world *w = with_reader(-1);
    world_must_pass(w);
    world_free(w);
}

/* It stops when nothing comes for a while: what is missing at the end is no proof. */
TEST(reader_that_was_stopped_early_proves_nothing)
{
    struct world *w = with_reader(-1);
    struct proc *c = w->procs[0];
    long a = proc_send_plain(c, INPUT, 0, "901");
    proc_batch(w->procs[1], 0, a, a);
    world_check(w);
    CHECK(!world_find(w, "library_delivery"));
    CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
    CHECK_HAS(w->v->reasons[0], "before it had read output[0] to its end");
    world_free(w);
}

TEST(reader_that_died_is_inconclusive)
{
    struct world *w = with_reader(-1);
    proc_exit(w->procs[w->nprocs - 1], 0, SIGKILL, "died");
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
    CHECK_HAS(w->v->reasons[0], "died: what a reader is delivered");
    world_free(w);
}

TEST(record_that_the_reader_missed_is_library_delivery)
{
    struct world *w = with_reader(2);
    world_must_find(w, "library_delivery");
    world_free(w);
}

TEST(aborted_record_that_the_reader_saw_is_library_delivery)
{
    struct world *w = with_reader(-1);
    struct proc *r = w->procs[w->nprocs - 1];
    hist_add(r->h, H_LOG, HP_FACT, 0, HB("x", 1)); /* begins a new run of deliveries */
    for (long o = 0; o < (long)w->log[OUTPUT][0].n; o++) {
        if (w->log[OUTPUT][0].items[o].outcome == 2) {
            proc_deliver(r, OUTPUT, 0, o, o, "", false);
        }
    }
    world_must_find(w, "library_delivery");
    world_free(w);
}
