/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "base/mem.h"
#include "history/hist.h"
#include "test.h"

enum { MS = 1000000 };
#define T0    ((uint64_t)1000 * 1000 * MS)
#define T(ms) (T0 + (uint64_t)(ms)*MS)

static const struct record_ref in = {"input", 2, 518}, out1 = {"output", 1, 733},
                               out2 = {"output", 1, 741}, none = {"", 0, 0};

static void common(struct sample *s, const char *name)
{
    *s = (struct sample){0};
    s->v = (struct verdict){.scenario = name,
                            .reason = "",
                            .t0 = T0,
                            .t_off = T(58000),
                            .t_end = T(64000),
                            .complete = true,
                            .drained = true,
                            .props = s->props,
                            .findings = s->findings,
                            .faults = s->faults,
                            .reasons = s->reasons};
    s->run = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s},s:{s:{s:i},s:{s:i}}}", "run", "7c1e",
                       "seed", "0x1d0f3c5a77e2b941", "file", "scenarios/eos.lua", "where",
                       "scenarios/eos.lua:12", "scenario", name, "cluster", "embedded", "params",
                       "workers", "3", "note", "it's", "roles", "controller", "count", 1, "worker",
                       "count", 3);
    s->r = (struct report){.v = &s->v, .run = s->run};
}

static void prop(struct sample *s, const char *mode, const char *name, enum prop_state state,
                 int64_t judged)
{
    s->props[s->v.nprops++] = (struct prop_result){.mode = mode,
                                                   .name = name,
                                                   .where = "scenarios/eos.lua:57",
                                                   .state = state,
                                                   .declared = mode[0] != '\0',
                                                   .judged = judged,
                                                   .limit_ms = -1,
                                                   .detail = "",
                                                   .reason = ""};
}

void sample_pass(struct sample *s)
{
    common(s, "eos");
    prop(s, "always", "exactly once", PROP_HELD, 2000);
    prop(s, "always", "no aborted reads", PROP_HELD, 2000);
    s->props[1].detail = "2000 judged, 118 aborted records stayed hidden";
    prop(s, "eventually", "every id arrives", PROP_HELD, 2000);
    s->props[2].has_margin = true;
    s->props[2].last_ms = 6200;
    s->props[2].limit_ms = 30000;
    prop(s, "sometimes", "died inside an open transaction", PROP_HELD, 46);
    s->props[3].times = 7;
    s->props[3].first_t = T(3901);
    prop(s, "", "markers", PROP_HELD, 410);
    prop(s, "", "gaps", PROP_HELD, 12);
    s->v.facts = (struct verdict_facts){.ids = 2000,
                                        .exactly_once = 2000,
                                        .crashes = 46,
                                        .crash_points = 0xff,
                                        .rebalances = 9,
                                        .pauses = 1,
                                        .txns_aborted = 61};
    s->faults[0] = (struct fault_count){0, "crash", "scenarios/eos.lua:40", "worker", 46};
    s->faults[1] = (struct fault_count){1, "rebalance", "scenarios/eos.lua:41", "copy", 9};
    s->v.nfaults = 2;
}

void sample_fail(struct sample *s)
{
    static const struct record_ref records[] = {{"output", 1, 741}, {"output", 1, 733}};
    static const struct event_ref events[] = {{1, 1}, {2, 2}};
    static const struct finding_case cases[] = {
        {"1437", "2 committed records of input[2]@518", records, 2, events, 2, T(43450)},
        {"1440", "2 committed records of input[2]@521", records, 1, events, 1, T(43450)},
        {"evil \x1b[2J\xff <&>", "2 committed records", records, 1, NULL, 0, 0},
    };
    static const struct lineage_edge edges[] = {
        {{"input", 2, 518}, {"output", 1, 733}, "w2#4", "committed", "", T(41244)},
        {{"input", 2, 518},
         {"output", 1, 741},
         "w3#2",
         "committed",
         "same input record again",
         T(43450)},
    };
    static const struct timeline_line lines[] = {
        {T(41212), {1, 1}, "w2#4", "poll", "input[2]@512..521", "", false},
        {T(41230), {1, 2}, "w2#4", "send", "output[1]@733  id 1437", "tx 7", false},
        {T(41245), {1, 3}, "w2#4", "crash", "after_commit", "fault 0", true},
        {T(43402), {2, 1}, "w3#2", "poll", "input[2]@512..521", "second delivery", false},
    };
    common(s, "eos-buggy");
    prop(s, "always", "exactly once", PROP_VIOLATED, 1391);
    prop(s, "always", "no aborted reads", PROP_HELD, 1391);
    prop(s, "eventually", "every id arrives", PROP_HELD, 1391);
    prop(s, "", "atomic", PROP_VIOLATED, 40);
    static const size_t first[] = {0}, second[] = {1};
    s->props[0].findings = first;
    s->props[0].nfindings = 1;
    s->props[3].findings = second;
    s->props[3].nfindings = 1;
    s->findings[0] = (struct finding){
        .kind = "duplicate",
        .check = "exactly_once",
        .property = "exactly once",
        .where = "scenarios/eos.lua:57",
        .blame = BLAME_APPLICATION,
        .blame_row = 6,
        .blame_text = "the application committed its offsets outside the transaction",
        .title = "3 of 1391 ids arrived twice",
        .cause = "the offset of input[2] advanced to 522 by a plain commit, and not by the "
                 "transaction: messages and offsets were not in one transaction",
        .hint = "",
        .call_site = "scenarios/eos.lua:33",
        .signature = "duplicate/after_commit",
        .cases = cases,
        .ncases = 3,
        .judged = 1391,
        .lineage = edges,
        .nlineage = 2,
        .timeline = lines,
        .ntimeline = 4,
        .primary = -1,
        .consequences = 1,
        .proven = true};
    s->findings[1] = (struct finding){.kind = "output_without_offsets",
                                      .check = "atomic",
                                      .property = "",
                                      .where = "",
                                      .blame = BLAME_APPLICATION,
                                      .blame_row = 6,
                                      .blame_text = "",
                                      .title = "1 transaction",
                                      .cause = "",
                                      .hint = "",
                                      .call_site = "",
                                      .signature = "",
                                      .cases = cases,
                                      .ncases = 1,
                                      .primary = 0,
                                      .proven = true};
    s->v.nfindings = 2;
    s->v.code = VERDICT_FAIL;
    s->v.exit_code = 1;
    s->v.facts =
        (struct verdict_facts){.ids = 1391, .exactly_once = 1388, .crashes = 1, .crash_points = 1};
}

void sample_inconclusive(struct sample *s)
{
    common(s, "eos");
    prop(s, "always", "exactly once", PROP_HELD, 40);
    prop(s, "sometimes", "commit lost to a rebalance", PROP_INCONCLUSIVE, 9);
    s->props[1].reason = "never happened";
    s->props[1].detail = "9 rebalances, 0 while a transaction was open";
    s->v.code = VERDICT_INCONCLUSIVE;
    s->v.exit_code = 2;
    s->reasons[0] = "sometimes \"commit lost to a rebalance\" never happened";
    s->reasons[1] = "fault 1 (pause of worker, scenarios/eos.lua:42) never fired";
    s->v.nreasons = 2;
    s->v.reason = s->reasons[0];
}

void sample_error(struct sample *s, enum verdict_code code)
{
    common(s, "eos");
    s->v.code = code;
    s->v.exit_code = code == VERDICT_ENVIRONMENT ? 4 : 3;
    s->reasons[0] = code == VERDICT_ENVIRONMENT ? "kafka broker 2 did not become ready in 60s"
                                                : "worker w2#1 failed 3 times in 3.1s";
    s->v.nreasons = 1;
    s->v.reason = s->reasons[0];
    s->r.detail = "eos.lua:31:24: attempt to index a nil value\n  31 |  m.kay.id\n";
    s->r.dir = ".kaos/runs/7c1e-eos";
    (void)in, (void)out1, (void)out2, (void)none;
}

void sample_free(struct sample *s)
{
    json_decref(s->run);
}

static struct hist *writer(const char *role, int index, int incarnation)
{
    struct err e;
    struct hist *h = hist_open(test_dir(), &(struct hist_ident){role, index, incarnation}, &e);
    CHECK(h != NULL);
    return h;
}

static void log_record(struct hist *a, const char *topic, int64_t offset, const char *value,
                       const char *role, int64_t index, const char *src, int64_t outcome)
{
    hist_add(a, H_LOG_RECORD, HP_FACT, 0, HS(topic), HI(0), HI(offset), HI(0), HI(9), HI(0),
             HI(outcome), HB("k", 1), HB(value, strlen(value)), HB(NULL, 0), HS("7c1e"), HS(role),
             HI(index), HI(1), HI(src ? 0 : offset), HS(src), HI(src ? 0 : -1), HI(src ? 1 : -1),
             HS(src ? "tid" : ""), HI(src ? 1 : -1), HI(src ? 1 : -1));
}

struct events *sample_history(void)
{
    struct err e;
    struct hist *run = writer("runner", 0, 0), *c = writer("controller", 1, 1);
    hist_add(run, H_PHASE, HP_FACT, 0, HS("faults_on"), HS(""));
    for (int i = 0; i < 3; i++) {
        hist_send(c, &(struct hist_send){.producer = hist_str(c, "p"),
                                         .topic = hist_str(c, "input"),
                                         .partition = 0,
                                         .seq = i,
                                         .txn = -1});
    }
    hist_close(c);
    struct hist *w1 = writer("worker", 1, 1);
    hist_deliver(w1, &(struct hist_deliver){.consumer = hist_str(w1, "c"),
                                            .group = hist_str(w1, "copy"),
                                            .topic = hist_str(w1, "input"),
                                            .offset = 1});
    hist_add(w1, H_CRASH, HP_FACT, 0, HI(0), HS("after_poll"), HS("input"), HI(0), HI(1), HI(1),
             HS("p"), HI(-1));
    hist_close(w1);
    hist_add(run, H_EXIT, HP_FACT, 0, HS("worker"), HI(1), HI(1), HI(5), HI(0), HI(9), HI(0),
             HS("fault"));
    struct hist *w2 = writer("worker", 2, 1);
    hist_add(w2, H_ASSIGN, HP_FACT, 0, HS("c"), HS("copy"), HS("input"), HI(0), HI(1), HS("eager"),
             HI(1), HS("m"), HI(4));
    hist_deliver(w2, &(struct hist_deliver){.consumer = hist_str(w2, "c"),
                                            .group = hist_str(w2, "copy"),
                                            .topic = hist_str(w2, "input"),
                                            .offset = 1});
    hist_send(w2, &(struct hist_send){.producer = hist_str(w2, "p"),
                                      .topic = hist_str(w2, "output"),
                                      .partition = 0,
                                      .seq = 0,
                                      .txn = 1,
                                      .src_topic = hist_str(w2, "input"),
                                      .src_offset = 1});
    hist_add(w2, H_TXN_COMMIT, HP_OK, 3, HS("p"), HI(1), HS(""), HS(""));
    hist_add(w2, H_DRAW, HP_FACT, 0, HI(0), HS("input"), HI(0), HI(1), HI(2), HI(0), HS(""));
    hist_close(w2);
    struct hist *a = writer("audit", 0, 0);
    log_record(a, "input", 0, "{\"id\": 1436}", "controller", 1, NULL, 0);
    log_record(a, "input", 1, "{\"id\": 1437}", "controller", 1, NULL, 0);
    log_record(a, "output", 0, "copied", "worker", 2, "input", 1);
    hist_close(a);
    hist_close(run);
    struct events *es = events_open(test_dir(), &e);
    CHECK(es && !es->damaged);
    return es;
}

char *sample_text(report_fn fn, const struct report *r)
{
    struct err e;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CHECK_INT(fn(r, 1, out, &e), 0);
    fclose(out);
    return text;
}
