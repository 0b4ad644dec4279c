/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a suite, sweeps and their clusters. */
#include "sample.h"
#include "test.h"

#include "base/mem.h"
#include "report/cluster.h"

enum { RUNS = 12 };

/* Runs of one sweep: copies of the samples, each with an id of its own. */
struct sweep {
    struct sample s[RUNS];
    struct report items[RUNS];
    size_t n;
};

static struct sample *add(struct sweep *w, void (*make)(struct sample *))
{
    struct sample *s = &w->s[w->n];
    char *id = xasprintf("run%zu", w->n);
    make(s);
    json_object_set_new(s->run, "run", json_string(id));
    json_object_set_new(s->run, "label", json_string("eos[workers=3]"));
    free(id);
    s->r.duration_ms = 1000 * (int64_t)(w->n + 1);
    s->r.repetition = (int)w->n + 1;
    w->n++;
    return s;
}

/* The samples hold pointers into themselves: reports are taken when they stand still. */
static const struct report *reports(struct sweep *w)
{
    for (size_t i = 0; i < w->n; i++) {
        w->items[i] = w->s[i].r;
    }
    return w->items;
}

static void sweep_free(struct sweep *w)
{
    for (size_t i = 0; i < w->n; i++) {
        sample_free(&w->s[i]);
    }
}

static char *text_of(void (*write)(struct sweep *, FILE *), struct sweep *w)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    write(w, out);
    fclose(out);
    return text;
}

static void write_summary(struct sweep *w, FILE *out)
{
    struct suite_end end = {.exit_code = 1, .wall_ms = 372000, .not_run = 2};
    terminal_summary(reports(w), w->n, &end, out);
}

static void write_sweep(struct sweep *w, FILE *out)
{
    sweep_write(reports(w), w->n, 41000, out);
}

static void twin(struct sample *s)
{
    sample_fail(s);
    s->v.twin = s->v.expected = true;
    s->v.exit_code = 0;
}

static void setup_error(struct sample *s)
{
    sample_error(s, VERDICT_ENVIRONMENT);
}

static struct sample *refused(struct sample *s, bool accepted)
{
    s->r.refused = true;
    s->r.accepted = accepted;
    return s;
}

static void own_name(struct sample *s, const char *label)
{
    json_object_set_new(s->run, "label", json_string(label));
}

TEST(a_summary_counts_scenarios_and_lists_what_is_not_right)
{
    static struct sweep w;
    own_name(add(&w, sample_pass), "eos");
    own_name(add(&w, sample_fail), "eos-buggy");
    own_name(add(&w, sample_inconclusive), "retry-order/range");
    own_name(add(&w, twin), "eos/no-rewind");
    own_name(add(&w, setup_error), "stream/join");
    char *text = text_of(write_summary, &w);
    CHECK_HAS(text, "\n5 scenarios   2 pass   1 FAIL   1 inconclusive   1 setup   2 not run   6m12s"
                    "   exit 1\n");
    CHECK_HAS(text, "  FAIL  eos-buggy          duplicate  ");
    CHECK_HAS(text, "  kaos show run1\n");
    CHECK_HAS(text, "  ????  retry-order/range  sometimes \"commit lost to a rebalance\"");
    CHECK_HAS(text, "  SETUP stream/join        kafka broker 2 did not become ready");
    CHECK_HAS(text, "again: kaos run --last-failed\n");
    CHECK(!strstr(text, "no-rewind"));
    free(text);
    sweep_free(&w);
}

TEST(what_a_cluster_refused_is_no_pass_whether_it_is_accepted_or_not)
{
    static struct sweep w;
    own_name(add(&w, sample_pass), "eos");
    own_name(refused(add(&w, setup_error), false), "eos-brokers");
    own_name(refused(add(&w, setup_error), true), "idempotence-scope");
    own_name(add(&w, setup_error), "stream/join");
    char *text = text_of(write_summary, &w);
    CHECK_HAS(text, "\n4 scenarios   1 pass   1 setup   2 refused   2 not run");
    CHECK_HAS(text, "  SETUP eos-brokers  ");
    CHECK_HAS(text, "  SETUP idempotence-scope  ");
    CHECK_HAS(text, "  (accepted)\n");
    CHECK_HAS(text, "what was refused: kaos run --last-failed --cluster kafka\n");
    free(text);
    sweep_free(&w);
}

TEST(repeated_runs_are_one_scenario_and_its_worst_run_speaks)
{
    static struct sweep w;
    add(&w, sample_pass);
    add(&w, sample_inconclusive);
    add(&w, sample_fail);
    add(&w, sample_fail);
    char *text = text_of(write_summary, &w);
    CHECK_HAS(text, "\n1 scenario   4 runs   1 FAIL   2 not run");
    CHECK_HAS(text, "kaos show run2\n");
    CHECK(!strstr(text, "run3"));
    free(text);
    sweep_free(&w);
}

TEST(what_at_least_accepts_counts_as_a_pass)
{
    static struct sweep w;
    add(&w, sample_fail)->r.accepted = true;
    add(&w, sample_inconclusive)->r.accepted = true;
    own_name(&w.s[0], "one");
    char *text = text_of(write_summary, &w);
    CHECK_HAS(text, "\n2 scenarios   1 pass   1 inconclusive");
    CHECK_HAS(text, "(accepted)\n");
    CHECK(!strstr(text, "FAIL"));
    free(text);
    sweep_free(&w);
}

TEST(a_sweep_clusters_its_failures)
{
    static struct sweep w;
    for (int i = 0; i < 3; i++) {
        add(&w, sample_pass);
    }
    for (int i = 0; i < 5; i++) {
        add(&w, sample_fail)->findings[0].signature = i == 4 ? "duplicate after kill in worker"
                                                             : "duplicate after crash at "
                                                               "after_commit in worker";
    }
    add(&w, sample_inconclusive);
    add(&w, setup_error);
    for (size_t i = 0; i < w.n; i++) {
        w.s[i].v.facts.deaths = (int64_t)(10 * i);
    }
    char *text = text_of(write_sweep, &w);
    CHECK_HAS(text,
              "eos[workers=3]   10 runs   3 pass   5 FAIL   1 inconclusive   1 setup   41s\n");
    CHECK_HAS(text,
              "  ✗ exactly once  4×   duplicate after crash at after_commit in worker   run3 run4 "
              "run5 run6\n");
    CHECK_HAS(text, "  ✗ exactly once  1×   duplicate after kill in worker   run7\n");
    CHECK_HAS(text, "  ? commit lost to a rebalance  1×   never happened   run8\n");
    CHECK_HAS(text, "  ! setup  1×   kafka broker 2 did not become ready in 60s   run9\n");
    CHECK_HAS(text,
              "  seconds per run  min 1.0  med 5.0  max 9.0     deaths per run  min 0  med 40  "
              "max 80\n");
    CHECK_HAS(text, "  smallest failing run run3      kaos show run3 --id 1437\n");
    free(text);
    sweep_free(&w);
}

TEST(more_than_four_runs_of_a_cluster_are_cut)
{
    static struct sweep w;
    for (int i = 0; i < 6; i++) {
        add(&w, sample_fail);
    }
    char *text = text_of(write_sweep, &w);
    CHECK_HAS(text, "6×");
    CHECK_HAS(text, "run0 run1 run2 run3 ...\n");
    free(text);
    sweep_free(&w);
}

TEST(the_smallest_failing_run_is_the_one_with_the_fewest_events)
{
    static struct sweep w;
    json_t *sizes[3];
    static const int events[] = {900, 312, 700};
    for (int i = 0; i < 3; i++) {
        sizes[i] = json_pack("{s:{s:i}}", "history", "events", events[i]);
        add(&w, sample_fail)->r.json = sizes[i];
    }
    char *text = text_of(write_sweep, &w);
    CHECK_HAS(text, "  smallest failing run run1 (312 events)      kaos show run1 --id 1437\n");
    free(text);
    for (int i = 0; i < 3; i++) {
        json_decref(sizes[i]);
    }
    sweep_free(&w);
}

static size_t clusters_of(struct sweep *w)
{
    struct clusters c;
    clusters_make(reports(w), w->n, &c);
    size_t n = c.n;
    clusters_free(&c);
    return n;
}

TEST(ids_offsets_and_numbers_make_no_cluster_of_their_own)
{
    static struct sweep w;
    static const struct finding_case other[] = {
        {"9", "3 committed records of input[0]@7", NULL, 0, NULL, 0, 0}};
    add(&w, sample_fail);
    struct sample *s = add(&w, sample_fail);
    s->findings[0].cases = other;
    s->findings[0].ncases = 1;
    s->findings[0].title = "1 of 12 ids has more effects than one";
    s->findings[0].cause = "the offset of input[7] advanced to 3 by a plain commit, and not by the "
                           "transaction: messages and offsets were not in one transaction; it "
                           "explains lost 17, lost 4 and 2 more";
    CHECK_INT(clusters_of(&w), 1);
    s->findings[0].cause = "the offset of input[7] advanced to 3 by a plain commit, and not by the "
                           "transaction: messages and offsets were not in one transaction";
    CHECK_INT(clusters_of(&w), 1);
    sweep_free(&w);
}

TEST(property_kind_fault_and_rule_tell_clusters_apart)
{
    static struct sweep w;
    add(&w, sample_fail);
    struct finding *f = &add(&w, sample_fail)->findings[0];
    CHECK_INT(clusters_of(&w), 1);
    struct finding same = *f;
    f->property = "another promise";
    CHECK_INT(clusters_of(&w), 2);
    *f = same;
    f->kind = "lost";
    CHECK_INT(clusters_of(&w), 2);
    *f = same;
    f->signature = "duplicate after kill in worker";
    CHECK_INT(clusters_of(&w), 2);
    *f = same;
    f->blame_row = 8;
    CHECK_INT(clusters_of(&w), 2);
    *f = same;
    f->cause = "it sent them again";
    CHECK_INT(clusters_of(&w), 2);
    *f = same;
    CHECK_INT(clusters_of(&w), 1);
    sweep_free(&w);
}

TEST(consequences_and_warnings_are_in_no_cluster)
{
    static struct sweep w;
    struct sample *s = add(&w, sample_fail);
    CHECK_INT(clusters_of(&w), 1); /* the second finding is a consequence */
    s->findings[1].primary = -1;
    CHECK_INT(clusters_of(&w), 2);
    s->findings[1].warning = true;
    CHECK_INT(clusters_of(&w), 1);
    sweep_free(&w);
}

TEST(a_twin_that_passed_is_a_failure_of_its_own_kind)
{
    static struct sweep w;
    struct sample *s = add(&w, sample_pass);
    s->v.twin = true;
    s->v.exit_code = 1;
    s->v.reason = "did not fail";
    char *text = text_of(write_sweep, &w);
    CHECK_HAS(text, "   1 run   1 FAIL");
    CHECK_HAS(text, "✗ did not fail as declared  1×");
    free(text);
    sweep_free(&w);
}

TEST(the_same_failure_is_known_again)
{
    static struct sweep w;
    add(&w, sample_fail);
    add(&w, sample_fail);
    add(&w, sample_inconclusive);
    add(&w, sample_pass);
    const struct report *r = reports(&w);
    CHECK(report_same_failure(&r[0], &r[1]));
    CHECK(!report_same_failure(&r[0], &r[2]));
    CHECK(!report_same_failure(&r[3], &r[3]));
    w.s[1].findings[0].signature = "duplicate after kill in worker";
    CHECK(!report_same_failure(&r[0], &r[1]));
    sweep_free(&w);
}
