/* SPDX-License-Identifier: Apache-2.0 */
/* Which declared faults count as fired: edges of events, rolls, mixes. */
#include "world.h"

static struct plan_fault *fault(struct world *w, enum plan_fault_kind kind, const char *node)
{
    struct plan_fault *f = VEC_PUSH(&w->plan->faults);
    *f = (struct plan_fault){.kind = kind, .where = xstrdup("eos.lua:40"), .max = -1};
    f->node_text = node ? xstrdup(node) : NULL;
    if (!node) {
        plan_strings_add(&f->roles, "worker");
    }
    return f;
}

static void edge(struct world *w, int number, const char *edge, const char *detail)
{
    hist_add(w->runner, H_FAULT, HP_FACT, 0, HI(number), HS("broker"), HS(edge), HI(1), HS("x"),
             HS(detail));
}

static struct world *good(void)
{
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    world_work(w, 12);
    return w;
}

static void must_say(struct world *w, const char *reason)
{
    world_check(w);
    CHECK_STR(verdict_name(w->v->code), "INCONCLUSIVE");
    CHECK_INT(w->v->nreasons, 1);
    CHECK_STR(w->v->reasons[0], reason);
    world_free(w);
}

TEST(a_missed_target_is_no_firing_and_is_said)
{
    struct world *w = good();
    fault(w, FAULT_BROKER, "leader of output/0");
    edge(w, 0, "missed", "output/0 has no leader");
    must_say(w, "fault 1 (broker leader of output/0) never fired: output/0 has no leader");
}

TEST(a_target_that_was_missed_and_then_hit_has_fired)
{
    struct world *w = good();
    fault(w, FAULT_BROKER, "controller");
    edge(w, 0, "missed", "no leader");
    edge(w, 0, "begin", "controller");
    edge(w, 0, "end", "");
    world_must_pass(w);
    CHECK_INT(w->v->faults[0].fired, 1);
    CHECK_STR(w->v->faults[0].target, "controller");
    CHECK_INT(w->v->facts.broker_faults, 1);
    world_free(w);
}

TEST(a_roll_fires_when_its_last_node_is_back)
{
    struct world *w = good();
    fault(w, FAULT_BROKER, "all nodes")->action = BROKER_ROLL;
    edge(w, 0, "begin", "");
    edge(w, 0, "cut", "2 of 3 nodes");
    must_say(w, "fault 1 (broker all nodes) never fired: 2 of 3 nodes");
    w = world_new_in("whole");
    world_expect_eos(w, ID_VALUE);
    world_work(w, 12);
    fault(w, FAULT_BROKER, "all nodes")->action = BROKER_ROLL;
    edge(w, 0, "begin", "");
    edge(w, 0, "end", "3 of 3 nodes");
    world_must_pass(w);
    CHECK_INT(w->v->faults[0].fired, 1);
    world_free(w);
}

/* ---- mixes ---- */

static struct world *mixed(void)
{
    struct world *w = good();
    fault(w, FAULT_KILL, NULL)->mix = 1;
    fault(w, FAULT_PAUSE, NULL)->mix = 1;
    VEC_PUSH(&w->plan->mixes)->where = xstrdup("eos.lua:39");
    return w;
}

static void period(struct world *w, int number, const char *on)
{
    hist_add(w->runner, H_FAULT, HP_FACT, 0, HI(-1), HS("mix"), HS("period"), HI(number),
             HS("mix 1"), HS(on));
}

TEST(a_mix_with_all_on_and_all_off_passes)
{
    struct world *w = mixed();
    period(w, 1, "kill worker");
    edge(w, 0, "on", "");
    edge(w, 0, "fire", "");
    edge(w, 0, "off", "");
    period(w, 2, "none");
    period(w, 3, "pause worker");
    edge(w, 1, "on", "");
    edge(w, 1, "begin", "");
    edge(w, 1, "end", "");
    world_must_pass(w);
    CHECK_INT(w->v->faults[0].fired, 1);
    CHECK_INT(w->v->faults[1].fired, 1);
    world_free(w);
}

TEST(a_fault_that_its_mix_never_turned_on_has_not_fired)
{
    struct world *w = mixed();
    period(w, 1, "kill worker");
    edge(w, 0, "on", "");
    edge(w, 0, "fire", "");
    period(w, 2, "none");
    edge(w, 0, "off", "");
    period(w, 3, "kill worker");
    must_say(w, "fault 2 (pause worker) never fired: its mix never turned it on");
}

TEST(being_on_is_not_firing)
{
    struct world *w = mixed();
    period(w, 1, "kill worker, pause worker");
    edge(w, 0, "on", "");
    edge(w, 0, "fire", "");
    edge(w, 1, "on", "");
    period(w, 2, "none");
    edge(w, 0, "off", "");
    edge(w, 1, "off", "");
    period(w, 3, "kill worker");
    must_say(w, "fault 2 (pause worker) never fired");
}

TEST(a_mix_needs_a_whole_period_without_faults)
{
    struct world *w = mixed();
    period(w, 1, "kill worker, pause worker");
    edge(w, 0, "fire", "");
    edge(w, 1, "begin", "");
    period(w, 2, "none"); /* cut short by the end */
    must_say(w, "mix 1 had no whole period without faults: 2 of the 4 periods that it takes");
}
