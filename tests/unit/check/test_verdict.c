/* SPDX-License-Identifier: Apache-2.0 */
/* Modes, vacuity, incomplete histories, fails_with, counting checks, progress. */
#include <glob.h>
#include <signal.h>
#include <unistd.h>

#include "world.h"

static struct world *good(void)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    world_work(w, 12);
    return w;
}

static void must_be(struct world *w, enum verdict_code code, const char *reason)
{
    world_check(w);
    CHECK_STR(verdict_name(w->v->code), verdict_name(code));
    bool said = false;
    for (size_t i = 0; i < w->v->nreasons; i++) {
        said = said || strstr(w->v->reasons[i], reason);
    }
    if (!said) {
        CHECK_HAS(w->v->nreasons ? w->v->reasons[0] : "", reason);
    }
    world_free(w);
}

static struct plan_fault *fault(struct world *w, enum plan_fault_kind kind)
{
    struct plan_fault *f = VEC_PUSH(&w->plan->faults);
    *f = (struct plan_fault){.kind = kind, .where = xstrdup("eos.lua:40"), .max = -1};
    plan_strings_add(&f->roles, "worker");
    return f;
}

/* ---- vacuity ---- */

TEST(empty_topics_are_inconclusive)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    must_be(w, VERDICT_INCONCLUSIVE, "nothing was judged");
}

TEST(fault_that_never_fired_is_inconclusive)
{
    struct world *w = good();
    fault(w, FAULT_KILL);
    must_be(w, VERDICT_INCONCLUSIVE, "fault 1 (kill worker) never fired");
}

TEST(crash_fault_counts_crash_events)
{
    struct world *w = good();
    fault(w, FAULT_CRASH);
    fault(w, FAULT_PAUSE);
    proc_crash(w->procs[1], "before_commit");
    world_fault(w, 1, "pause", "worker");
    world_must_pass(w);
    CHECK_INT(w->v->faults[0].fired, 1);
    CHECK_INT(w->v->faults[1].fired, 1);
    world_free(w);
}

TEST(sometimes_that_never_happened_is_inconclusive)
{
    struct world *w = good();
    world_expect(w, MODE_SOMETIMES, "a commit was lost", PRED_REACHED);
    must_be(w, VERDICT_INCONCLUSIVE, "never happened");
}

TEST(reached_and_crashed_are_counted)
{
    struct world *w = good();
    world_expect(w, MODE_SOMETIMES, "a commit was lost", PRED_REACHED);
    struct plan_pred *p = world_expect(w, MODE_SOMETIMES, "died inside", PRED_CRASHED);
    p->points = 1u << POINT_BEFORE_COMMIT;
    plan_strings_add(&p->roles, "worker");
    hist_add(w->procs[1]->h, H_REACHED, HP_FACT, 0, HS("a commit was lost"));
    hist_add(w->procs[2]->h, H_REACHED, HP_FACT, 0, HS("a commit was lost"));
    proc_crash(w->procs[2], "before_commit");
    world_must_pass(w);
    CHECK_INT(w->v->props[3].times, 2);
    CHECK_INT(w->v->props[4].times, 1);
    CHECK(w->v->props[4].first_t > 0);
    world_free(w);
}

TEST(crash_elsewhere_does_not_count)
{
    struct world *w = good();
    struct plan_pred *p = world_expect(w, MODE_SOMETIMES, "died inside", PRED_CRASHED);
    p->points = 1u << POINT_BEFORE_COMMIT;
    proc_crash(w->procs[2], "after_send");
    must_be(w, VERDICT_INCONCLUSIVE, "never happened");
}

TEST(never_that_happened_fails)
{
    struct world *w = good();
    world_expect(w, MODE_NEVER, "the impossible", PRED_REACHED);
    hist_add(w->procs[1]->h, H_REACHED, HP_FACT, 0, HS("the impossible"));
    world_must_find(w, "reached");
    world_free(w);
}

TEST(never_that_did_not_happen_holds)
{
    struct world *w = good();
    world_expect(w, MODE_NEVER, "the impossible", PRED_REACHED);
    world_must_pass(w);
    world_free(w);
}

TEST(messages_are_counted)
{
    struct world *w = good();
    struct plan_pred *p = world_expect(w, MODE_EVENTUALLY, "enough", PRED_MESSAGES);
    p->topic = xstrdup("output");
    p->at_least = 12;
    world_must_pass(w);
    world_free(w);
}

TEST(too_few_messages_fail)
{
    struct world *w = good();
    struct plan_pred *p = world_expect(w, MODE_EVENTUALLY, "enough", PRED_MESSAGES);
    p->topic = xstrdup("output");
    p->at_least = 13;
    world_must_find(w, "not_reached");
    world_free(w);
}

TEST(failed_assertion_fails)
{
    struct world *w = good();
    world_expect(w, MODE_ALWAYS, "sane", PRED_ASSERTED);
    hist_add(w->procs[1]->h, H_ASSERT, HP_FACT, 0, HS("sane"), HI(1), HB(NULL, 0),
             HS("eos.lua:31"));
    hist_add(w->procs[1]->h, H_ASSERT, HP_FACT, 0, HS("sane"), HI(0), HB("x", 1), HS("eos.lua:31"));
    world_must_find(w, "assertion");
    CHECK_STR(world_find(w, "assertion")->call_site, "eos.lua:31");
    world_free(w);
}

TEST(eventually_has_a_margin_and_a_limit)
{
    struct world *w = good();
    w->plan->expect.items[2].within_ms = 30000;
    world_must_pass(w);
    const struct prop_result *p = &w->v->props[2];
    CHECK(p->has_margin);
    CHECK_INT(p->limit_ms, 30000);
    CHECK(p->last_ms <= 0);
    world_free(w);
}

/* ---- incomplete histories ---- */

TEST(run_without_end_is_inconclusive)
{
    struct world *w = good();
    w->no_end = true;
    must_be(w, VERDICT_INCONCLUSIVE, "did not come to its end");
}

TEST(run_without_audit_is_inconclusive)
{
    struct world *w = good();
    w->no_audit = true;
    must_be(w, VERDICT_INCONCLUSIVE, "not audited");
}

TEST(incomplete_audit_is_inconclusive)
{
    struct world *w = good();
    w->incomplete_audit = true;
    must_be(w, VERDICT_INCONCLUSIVE, "audit is not complete");
}

TEST(drain_that_did_not_end_is_inconclusive)
{
    struct world *w = good();
    w->no_drain = true;
    must_be(w, VERDICT_INCONCLUSIVE, "drain did not end");
}

TEST(process_without_an_end_is_inconclusive)
{
    struct world *w = good();
    w->stop_early = true;
    must_be(w, VERDICT_INCONCLUSIVE, "its end is not in the history");
}

TEST(harness_event_is_inconclusive)
{
    struct world *w = good();
    hist_add(w->runner, H_HARNESS, HP_FACT, 0, HS("the clock stood still"), HS("3 s"));
    must_be(w, VERDICT_INCONCLUSIVE, "the clock stood still");
}

TEST(duplicate_in_the_log_fails_even_without_an_end)
{
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    proc_batch(w1, 0, 4, 4);
    proc_offsets(w1, 0, 6);
    proc_end_txn(w1, true);
    w->no_end = w->no_drain = true;
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_FAIL);
    CHECK(world_find(w, "duplicate")->proven);
    world_free(w);
}

/* Who is late while the runner stands still is not late by itself. */
TEST(delay_while_the_runner_stood_still_proves_nothing)
{
    for (int still = 0; still < 2; still++) {
        struct world *w = world_new_in(still ? "still" : "awake");
        world_expect_eos(w, ID_VALUE);
        world_work(w, 12);
        world_expect(w, MODE_EVENTUALLY, "settles", PRED_STABLE_GROUP)->group = xstrdup("copy");
        w->drain_detail = "group copy is not stable";
        hist_add(w->runner, H_GROUP, HP_FACT, 0, HS("copy"), HS("PreparingRebalance"), HI(2),
                 HS(""));
        if (still) {
            hist_add(w->runner, H_HARNESS, HP_FACT, 0, HS(HIST_STOOD_STILL), HS("for 20000 ms"));
            must_be(w, VERDICT_INCONCLUSIVE, "the runner stood still: for 20000 ms");
        } else {
            world_must_find(w, "stall");
            world_free(w);
        }
    }
}

TEST(lua_error_is_a_scenario_error)
{
    struct world *w = good();
    hist_add(w->procs[1]->h, H_ERROR, HP_FACT, 0, HS("lua"), HS(""), HB("boom", 4),
             HS("eos.lua:31"), HI(1));
    proc_exit(w->procs[1], 3, 0, "lua_error");
    world_check(w);
    CHECK_INT(w->v->code, VERDICT_SCENARIO_ERROR);
    CHECK_INT(w->v->exit_code, 3);
    CHECK_HAS(w->v->reason, "boom");
    world_free(w);
}

TEST(missing_segment_of_a_sender_is_inconclusive)
{
    struct world *w = good();
    char *pattern = xasprintf("%s/worker-1.1-*.seg", w->dir);
    glob_t found;
    world_finish(w);
    CHECK_INT(glob(pattern, 0, NULL, &found), 0);
    CHECK_INT(remove(found.gl_pathv[0]), 0);
    globfree(&found);
    free(pattern);
    world_check(w);
    CHECK(w->v->code != VERDICT_PASS);
    world_free(w);
}

static char *segment(const struct world *w, const char *name)
{
    char *path = xasprintf("%s/%s-0.seg", w->dir, name);
    CHECK_INT(access(path, F_OK), 0);
    return path;
}

/* A killed process that only read left nothing in the log that tells of it. */
TEST(missing_segment_of_a_killed_reader_is_inconclusive)
{
    struct world *w = good();
    struct proc *reader = proc_start(w, "controller", 1, 2);
    proc_deliver(reader, OUTPUT, 0, 0, 0, "", true);
    proc_exit(reader, 0, SIGKILL, "fault");
    world_finish(w);
    char *path = segment(w, "controller-1.2");
    CHECK_INT(remove(path), 0);
    free(path);
    must_be(w, VERDICT_INCONCLUSIVE, "left no history");
}

TEST(missing_watch_is_inconclusive)
{
    struct world *w = good();
    world_finish(w);
    char *path = segment(w, "watch-0.0");
    CHECK_INT(remove(path), 0);
    free(path);
    must_be(w, VERDICT_INCONCLUSIVE, "the history of the watch is missing");
}

static void set_pid(const char *path, int pid)
{
    enum { PID_AT = 24 }; /* of the segment header */
    FILE *f = fopen(path, "r+b");
    CHECK(f);
    CHECK_INT(fseek(f, PID_AT, SEEK_SET), 0);
    CHECK_INT(fwrite(&pid, sizeof pid, 1, f), 1);
    fclose(f);
}

/* A file of another run says nothing of this one: neither PASS nor a proven finding. */
TEST(segments_of_another_process_prove_nothing)
{
    static const char *const names[] = {"worker-1.1", "audit-0.0", "watch-0.0", "runner-0.0"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (int bug = 0; bug < 2; bug++) {
            char folder[32];
            snprintf(folder, sizeof folder, "%s-%d", names[i], bug);
            struct world *w = world_new_in(folder);
            world_expect_eos(w, ID_VALUE);
            world_work(w, 12);
            if (bug) {
                proc_batch(w->procs[1], 0, 4, 4);
                proc_offsets(w->procs[1], 0, 6);
                proc_end_txn(w->procs[1], true);
            }
            world_finish(w);
            char *path = segment(w, names[i]);
            set_pid(path, getpid() + 1);
            free(path);
            must_be(w, VERDICT_INCONCLUSIVE, "was written by another process");
        }
    }
}

/* ---- fails_with ---- */

static void twin(bool planted, const char *kind, int exit_code, bool expected)
{
    struct world *w = good();
    plan_strings_add(&w->plan->fails_with, kind);
    if (planted) {
        proc_batch(w->procs[1], 0, 4, 4);
        proc_offsets(w->procs[1], 0, 6);
        proc_end_txn(w->procs[1], true);
    }
    world_check(w);
    CHECK_INT(w->v->exit_code, exit_code);
    CHECK_INT(w->v->expected, expected);
    CHECK(w->v->twin);
    world_free(w);
}

TEST(twin_that_fails_as_declared_exits_zero)
{
    twin(true, "duplicate", 0, true);
}

TEST(twin_that_fails_otherwise_exits_one)
{
    twin(true, "lost", 1, false);
}

TEST(twin_that_passes_exits_one)
{
    twin(false, "lost", 1, false);
}

/* ---- committed_only ---- */

static struct world *aborted(bool read_committed)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "no aborted output", PRED_COMMITTED_ONLY);
    p->topic = xstrdup("output");
    world_work(w, 12);
    struct proc *w1 = w->procs[1], *c = w->procs[0];
    long a = proc_send_plain(c, INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    long o = proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    if (!read_committed) {
        proc_deliver(c, OUTPUT, 0, 0, o, "", false);
    }
    proc_abort(w1, "fault");
    proc_seek(w1, 0, a + 1, a);
    proc_batch(w1, 0, a, a);
    if (read_committed) {
        proc_deliver(c, OUTPUT, 0, 0, (long)w->log[OUTPUT][0].n - 1, "", true);
    }
    return w;
}

TEST(read_uncommitted_reader_is_an_aborted_read)
{
    struct world *w = aborted(false);
    world_must_find(w, "aborted_read");
    CHECK_INT(world_find(w, "aborted_read")->blame, BLAME_APPLICATION);
    CHECK_INT(world_find(w, "aborted_read")->blame_row, 6);
    world_free(w);
}

TEST(read_committed_reader_sees_nothing_of_it)
{
    struct world *w = aborted(true);
    world_must_pass(w);
    CHECK_INT(w->v->facts.aborted_hidden, 1);
    world_free(w);
}

static struct world *delivered_before_the_commit(void)
{
    struct world *w = world_new();
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "no dirty output", PRED_COMMITTED_ONLY);
    p->topic = xstrdup("output");
    world_work(w, 12);
    struct proc *w1 = w->procs[1], *c = w->procs[0];
    long a = proc_send_plain(c, INPUT, 0, "900");
    proc_deliver(w1, INPUT, 0, a, a, "copy", true);
    proc_begin(w1);
    long o = proc_copy(w1, 0, 0, a);
    proc_offsets(w1, 0, a + 1);
    proc_deliver(c, OUTPUT, 0, o, o, "", false);
    proc_commit(w1);
    return w;
}

TEST(delivery_before_the_commit_is_a_dirty_read)
{
    struct world *w = delivered_before_the_commit();
    world_must_find(w, "dirty_read");
    world_free(w);
}

static void move_workers(struct world *w)
{
    for (size_t i = 0; i < w->es->nprocs; i++) {
        w->es->procs[i].boot += strcmp(w->es->procs[i].role, "worker") == 0;
    }
}

TEST(times_of_two_hosts_prove_no_dirty_read)
{
    struct world *w = delivered_before_the_commit();
    w->edit = move_workers;
    world_must_pass(w);
    world_free(w);
}

/* ---- progress ---- */

static void state(struct world *w, const char *name, int members)
{
    hist_add(w->runner, H_GROUP, HP_FACT, 0, HS("copy"), HS(name), HI(members), HS("a,b"));
}

TEST(group_that_settles_is_stable)
{
    struct world *w = good();
    world_expect(w, MODE_EVENTUALLY, "settles", PRED_STABLE_GROUP)->group = xstrdup("copy");
    state(w, "PreparingRebalance", 2);
    state(w, "Stable", 2);
    world_must_pass(w);
    world_free(w);
}

TEST(group_that_does_not_settle_is_a_stall)
{
    struct world *w = good();
    world_expect(w, MODE_EVENTUALLY, "settles", PRED_STABLE_GROUP)->group = xstrdup("copy");
    w->drain_detail = "group copy is not stable";
    state(w, "Stable", 2);
    state(w, "PreparingRebalance", 2);
    world_must_find(w, "stall");
    world_free(w);
}

/* All work was done before the limit: that the group would not have settled is not proven. */
TEST(group_in_a_rebalance_when_all_was_drained_is_inconclusive)
{
    struct world *w = good();
    world_expect(w, MODE_EVENTUALLY, "settles", PRED_STABLE_GROUP)->group = xstrdup("copy");
    state(w, "Stable", 2);
    state(w, "PreparingRebalance", 2);
    must_be(w, VERDICT_INCONCLUSIVE, "settles");
}

TEST(drain_without_end_is_not_drained_when_liveness_is_asked)
{
    struct world *w = good();
    world_expect(w, MODE_EVENTUALLY, "all done", PRED_LIVENESS);
    proc_send_plain(w->procs[0], INPUT, 0, "900");
    w->drain_detail = "input[0]: 1 record above the committed offset of group copy";
    world_must_find(w, "not_drained");
    CHECK_INT(world_find(w, "not_drained")->class, CLASS_LIVENESS);
    world_free(w);
}

TEST(shared_transactional_id_is_a_stall_of_the_application)
{
    struct world *w = good();
    world_expect(w, MODE_EVENTUALLY, "all done", PRED_LIVENESS);
    for (int i = 1; i <= 2; i++) {
        hist_add(w->procs[i]->h, H_TXN_INIT, HP_OK, 0, HS("one-for-all"), HS(""), HS(""));
    }
    proc_exit(w->procs[1], 5, 0, "fenced");
    proc_send_plain(w->procs[0], INPUT, 0, "900");
    w->drain_detail = "input[0]: 1 record above the committed offset of group copy";
    world_must_find(w, "stall");
    CHECK_INT(world_find(w, "stall")->blame, BLAME_APPLICATION);
    world_free(w);
}

TEST(three_fatal_ends_are_a_stall)
{
    struct world *w = good();
    for (int i = 2; i < 5; i++) {
        struct proc *p = proc_start(w, "worker", 1, i);
        hist_add(p->h, H_ERROR, HP_FACT, 0, HS("kafka"), HS("AUTHORIZATION"), HB("no", 2), HS(""),
                 HI(1));
        proc_exit(p, 4, 0, "kafka_error");
    }
    world_must_find(w, "stall");
    world_free(w);
}

TEST(facts_are_counted)
{
    struct world *w = good();
    hist_add(w->runner, H_SIGNAL, HP_FACT, 0, HS("worker"), HI(1), HI(1), HI(101), HI(SIGSTOP),
             HI(0), HI(1));
    proc_revoke(w->procs[1], 0);
    proc_assign(w->procs[1], 0, 2);
    proc_assign(w->procs[2], 1, 2);
    proc_assign(w->procs[2], 1, 3);
    hist_add(w->procs[1]->h, H_DRAW, HP_FACT, 0, HI(0), HS("input"), HI(0), HI(3), HI(1), HI(1),
             HS("after_send"));
    world_must_pass(w);
    CHECK_INT(w->v->facts.pauses, 1);
    CHECK_INT(w->v->facts.rebalances, 2);
    CHECK_INT(w->v->facts.draws, 1);
    CHECK_INT(w->v->facts.draws_hit, 1);
    CHECK_INT(w->v->facts.sends, 24);
    CHECK_INT(w->v->facts.acked, 24);
    CHECK_INT(w->v->facts.unknown, 0);
    world_free(w);
}

/* ---- invariants ---- */

static int begun, finals;

static const char *fold_on(void *arg, int fold)
{
    return "effect";
}
static const char *fold_name(void *arg, int fold)
{
    return "seq rises";
}
static int fold_begin(void *arg, int fold, struct err *e)
{
    begun = 0;
    return 0;
}
static int fold_step(void *arg, int fold, const json_t *ev, struct fold_violation *v, struct err *e)
{
    int seq = (int)json_integer_value(json_object_get(ev, "seq"));
    if (seq <= begun) {
        v->message = xasprintf("seq %d after %d", seq, begun);
        v->events = json_pack("[O]", ev);
    }
    begun = seq;
    return 0;
}
static int fold_final(void *arg, int fold, struct fold_violation *v, struct err *e)
{
    finals++;
    return 0;
}

static void emit(struct proc *p, int seq, bool txn)
{
    char text[32];
    int len = snprintf(text, sizeof text, "{\"seq\": %d}", seq);
    hist_add(p->h, H_EMIT, HP_FACT, 0, HS("effect"), HB(text, (size_t)len),
             HS(txn ? p->producer : ""), HI(txn ? p->txn : -1));
}

TEST(facts_of_aborted_transactions_do_not_count)
{
    static const struct fold_ops ops = {.on = fold_on,
                                        .name = fold_name,
                                        .begin = fold_begin,
                                        .step = fold_step,
                                        .final = fold_final};
    struct err e = {0};
    struct world *w = good();
    struct proc *w1 = w->procs[1];
    world_expect(w, MODE_ALWAYS, "order", PRED_INVARIANT)->fold = 0;
    long a = proc_send_plain(w->procs[0], INPUT, 0, "900");
    for (int turn = 0; turn < 2; turn++) {
        proc_deliver(w1, INPUT, 0, a, a, "copy", true);
        proc_begin(w1);
        proc_copy(w1, 0, 0, a);
        emit(w1, 1, true);
        proc_offsets(w1, 0, a + 1);
        if (turn == 0) {
            proc_abort(w1, "fault");
        } else {
            proc_commit(w1);
        }
    }
    world_finish(w);
    w->es = events_open(w->dir, &e);
    w->v = check_run(w->es, w->plan, &ops, NULL, &e);
    CHECK(w->v);
    CHECK_STR(verdict_name(w->v->code), "PASS");
    CHECK_INT(w->v->props[3].judged, 1);
    CHECK_INT(finals, 1);
    world_free(w);
}

TEST(violated_invariant_names_its_events)
{
    static const struct fold_ops ops = {.on = fold_on,
                                        .name = fold_name,
                                        .begin = fold_begin,
                                        .step = fold_step,
                                        .final = fold_final};
    struct err e = {0};
    struct world *w = good();
    world_expect(w, MODE_ALWAYS, "order", PRED_INVARIANT)->fold = 0;
    emit(w->procs[1], 2, false);
    emit(w->procs[1], 1, false);
    world_finish(w);
    w->es = events_open(w->dir, &e);
    w->v = check_run(w->es, w->plan, &ops, NULL, &e);
    CHECK(w->v);
    CHECK_INT(w->v->code, VERDICT_FAIL);
    const struct finding *f = world_find(w, "invariant");
    CHECK(f);
    CHECK_STR(f->cases[0].text, "seq 1 after 2");
    CHECK_INT(f->cases[0].nevents, 1);
    world_free(w);
}

TEST(history_of_an_interrupted_run_never_passes)
{
    static const char *const ends[] = {"interrupted", "stopped by hand"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct world *w = world_new_in(ends[i]);
        struct plan_pred *p = world_expect(w, MODE_ALWAYS, "none twice", PRED_NO_DUPLICATES);
        p->from = xstrdup("input");
        p->to = xstrdup("output");
        world_work(w, 12);
        w->off_detail = ends[i];
        world_check(w);
        CHECK_INT(w->v->code, VERDICT_INCONCLUSIVE);
        world_free(w);
    }
}
