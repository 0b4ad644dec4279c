/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: look-ups, the bound of the drain, lints. */
#include "plan/plan.h"

#include "base/buf.h"
#include "base/mem.h"
#include "test.h"

static struct plan_role *add_role(struct plan *p, const char *name)
{
    struct plan_role *r = VEC_PUSH(&p->roles);
    r->name = xstrdup(name);
    r->where = xstrdup("x.lua:7");
    r->count = 1;
    r->restart_ms = 1000;
    return r;
}

static struct plan *small_plan(void)
{
    struct plan *p = plan_new();
    p->name = xstrdup("t");
    p->where = xstrdup("x.lua:3");
    add_role(p, "worker");
    p->drain_ms = plan_drain_default(p);
    return p;
}

TEST(later_settings_win)
{
    struct plan_conf c = {0};
    CHECK(!plan_conf_get(&c, "a"));
    plan_conf_set(&c, "a", "1");
    plan_conf_set(&c, "b", "2");
    plan_conf_set(&c, "a", "3");
    CHECK_STR(plan_conf_get(&c, "a"), "3");
    CHECK_INT(plan_conf_ms(&c, "b", 9), 2);
    CHECK_INT(plan_conf_ms(&c, "c", 9), 9);
    plan_conf_set(&c, "b", "2s");
    CHECK_INT(plan_conf_ms(&c, "b", 9), 9);
    plan_conf_set(&c, "b", "99999999999999999999");
    CHECK_INT(plan_conf_ms(&c, "b", 9), 9);
    plan_conf_free(&c);
}

TEST(names_go_both_ways)
{
    for (int i = 0; i < POINT_N; i++) {
        CHECK_INT(plan_point_find(plan_point_name((enum plan_point)i)), i);
    }
    for (int i = FAULT_CRASH; i <= FAULT_BROKER; i++) {
        CHECK_INT(plan_fault_find(plan_fault_name((enum plan_fault_kind)i)), i);
    }
    for (int i = 0; i < PRED_N; i++) {
        CHECK_INT(plan_pred_find(plan_pred_name((enum plan_pred_kind)i)), i);
    }
    for (int i = MODE_ALWAYS; i <= MODE_NEVER; i++) {
        CHECK_INT(plan_mode_find(plan_mode_name((enum plan_mode)i)), i);
    }
    CHECK_INT(plan_point_find("any"), -1);
    CHECK_INT(plan_fault_find(""), -1);
    CHECK_INT(POINT_ANY_N, 8);
}

TEST(topics_and_roles_are_found_by_name)
{
    struct plan *p = small_plan();
    VEC_PUSH(&p->topics)->name = xstrdup("in");
    VEC_PUSH(&p->topics)->name = xstrdup("out");
    add_role(p, "reader");
    CHECK_STR(plan_topic(p, "out")->name, "out");
    CHECK_STR(plan_role(p, "reader")->name, "reader");
    CHECK(!plan_topic(p, "reader"));
    CHECK(!plan_role(p, "out"));
    plan_strings_add(&p->tags, "eos");
    CHECK(plan_strings_has(&p->tags, "eos"));
    CHECK(!plan_strings_has(&p->tags, "eo"));
    plan_free(p);
    plan_free(NULL);
}

TEST(the_drain_waits_for_the_longest_time_out_not_their_sum)
{
    struct plan *p = small_plan();
    int64_t base = plan_drain_default(p); /* transaction 10 s + clean-up 10 s + allowances */
    CHECK_INT(base, 35000);
    struct plan_role *r = add_role(p, "b");
    plan_conf_set(&r->conf, "session.timeout.ms", "15000");
    CHECK_INT(plan_drain_default(p), base);
    plan_conf_set(&p->roles.items[1].conf, "session.timeout.ms", "45000");
    CHECK_INT(plan_drain_default(p), base + 25000);
    plan_conf_set(&p->roles.items[1].conf, "transaction.timeout.ms", "60000");
    CHECK_INT(plan_drain_default(p), base + 50000);
    plan_conf_set(&p->cluster_config, "transaction.abort.timed.out.transaction.cleanup.interval.ms",
                  "1000");
    CHECK_INT(plan_drain_default(p), base + 41000);
    p->roles.items[0].restart_ms = 90000;
    CHECK_INT(plan_drain_default(p), base + 70000);
    p->roles.items[0].restart_ms = -1;
    CHECK_INT(plan_drain_default(p), base + 41000);
    plan_free(p);
}

TEST(the_brokers_session_counts_with_the_new_protocol)
{
    struct plan *p = small_plan();
    plan_conf_set(&p->roles.items[0].conf, "group.protocol", "consumer");
    CHECK_INT(plan_drain_default(p), 60000);
    plan_conf_set(&p->cluster_config, "group.consumer.session.timeout.ms", "6000");
    CHECK_INT(plan_drain_default(p), 35000);
    plan_free(p);
}

static void collect(void *arg, bool error, const char *where, const char *message)
{
    buf_printf(arg, "%s %s %s\n", error ? "error" : "warning", where, message);
}

static void check_lint(struct plan *p, const char *want)
{
    struct buf b = {0};
    plan_lint(p, collect, &b);
    CHECK_STR(b.data ? b.data : "", want);
    buf_free(&b);
    plan_free(p);
}

TEST(a_plain_plan_has_no_lint)
{
    check_lint(small_plan(), "");
}

static struct plan *paused(int64_t hold, const char *conf, const char *value)
{
    struct plan *p = small_plan();
    struct plan_fault *f = VEC_PUSH(&p->faults);
    f->kind = FAULT_PAUSE;
    f->where = xstrdup("x.lua:9");
    f->hold = (struct plan_range){1, hold};
    plan_strings_add(&f->roles, "worker");
    if (conf) {
        plan_conf_set(&p->roles.items[0].conf, conf, value);
    }
    return p;
}

TEST(a_pause_within_the_session_is_said)
{
    check_lint(paused(3001, NULL, NULL), "");
    check_lint(paused(3000, NULL, NULL),
               "warning x.lua:9 scenario \"t\", faults[1] (pause), hold: 3000 ms are not longer "
               "than the session timeout of role `worker` (3000 ms): the group will not notice "
               "this pause\n");
    check_lint(paused(3000, "session.timeout.ms", "2000"), "");
    check_lint(paused(30000, "group.protocol", "consumer"),
               "warning x.lua:9 scenario \"t\", faults[1] (pause), hold: 30000 ms are not longer "
               "than the session timeout of role `worker` (45000 ms): the group will not notice "
               "this pause\n");
}

static struct plan *with_conf(const char *name, const char *value)
{
    struct plan *p = small_plan();
    plan_conf_set(&p->roles.items[0].conf, name, value);
    return p;
}

TEST(a_heartbeat_above_half_the_session_is_an_error)
{
    check_lint(with_conf("heartbeat.interval.ms", "1500"), "");
    check_lint(with_conf("heartbeat.interval.ms", "1501"),
               "error x.lua:7 scenario \"t\", role `worker`, conf: heartbeat.interval.ms (1501) is "
               "above half of session.timeout.ms (3000): members would be thrown out while they "
               "live\n");
}

TEST(settings_that_weaken_a_promise_are_said)
{
    check_lint(with_conf("acks", "1"),
               "warning x.lua:7 scenario \"t\", role `worker`, conf: with acks=1 an acknowledged "
               "record may be lost with a broker\n");
    check_lint(with_conf("acks", "-1"), "");
    check_lint(with_conf("enable.idempotence", "false"),
               "warning x.lua:7 scenario \"t\", role `worker`, conf: without enable.idempotence a "
               "producer may reorder and double records\n");
    check_lint(
        with_conf("auto.offset.reset", "latest"),
        "warning x.lua:7 scenario \"t\", role `worker`, conf: auto.offset.reset=latest skips "
        "what is written before the first assignment\n");
    check_lint(
        with_conf("message.timeout.ms", "300000"),
        "warning x.lua:7 scenario \"t\", role `worker`, conf: message.timeout.ms (300000) is "
        "longer than the drain (35000 ms): unknown outcomes may stay open\n");
}

TEST(a_drain_too_short_for_transactions_is_said)
{
    struct plan *p = small_plan();
    p->drain_ms = 8000;
    p->roles.items[0].restart_ms = -1;
    p->roles.items[0].transacts = true;
    check_lint(p,
               "warning x.lua:7 scenario \"t\", role `worker`: never restarted, and the drain "
               "(8000 ms) is shorter than transaction.timeout.ms (10000): read_committed readers "
               "may stall longer than the limit\n"
               "warning x.lua:3 scenario \"t\", stop, drain: 8000 ms are shorter than "
               "transaction timeout and clean-up interval together (20000 ms): an abandoned "
               "transaction may hold back readers longer\n");
}

TEST(within_may_not_exceed_the_drain)
{
    struct plan *p = small_plan();
    struct plan_prop *prop = VEC_PUSH(&p->expect);
    prop->mode = MODE_EVENTUALLY;
    prop->name = xstrdup("all");
    prop->where = xstrdup("x.lua:12");
    prop->within_ms = p->drain_ms + 1;
    check_lint(p, "error x.lua:12 scenario \"t\", expect[1] (eventually \"all\"), within: 35001 ms "
                  "are longer than the drain (35000 ms), raise stop.drain\n");
}

static struct plan *killed(int index)
{
    struct plan *p = small_plan();
    struct plan_fault *f = VEC_PUSH(&p->faults);
    f->kind = FAULT_KILL;
    f->where = xstrdup("x.lua:9");
    f->index = index;
    plan_strings_add(&f->roles, p->roles.items[0].name);
    p->roles.items[0].count = 2;
    return p;
}

TEST(an_instance_that_does_not_exist_is_an_error)
{
    struct plan *p = killed(3);
    char *want = xasprintf("error x.lua:9 scenario \"t\", faults[1] (kill), index: no instance 3, "
                           "role `%s` has 2\n",
                           p->roles.items[0].name);
    check_lint(p, want);
    check_lint(killed(2), "");
    check_lint(killed(0), "");
    free(want);
}

TEST(a_draw_with_probability_0_is_said)
{
    struct plan *p = small_plan();
    struct plan_fault *f = VEC_PUSH(&p->faults);
    f->kind = FAULT_ABORT;
    f->where = xstrdup("x.lua:9");
    f->at = (struct plan_range){-1, -1};
    check_lint(p, "warning x.lua:9 scenario \"t\", faults[1] (abort), p: with 0 it never fires\n");
}

TEST(a_program_is_given_the_time_that_clients_take_by_themselves)
{
    struct plan *p = small_plan();
    int64_t lua = plan_drain_default(p);
    plan_strings_add(&p->roles.items[0].exec, "worker");
    CHECK(plan_is_program(&p->roles.items[0]));
    CHECK(plan_drain_default(p) >= lua + 50000);
    plan_conf_set(&p->roles.items[0].conf, "transaction.timeout.ms", "10000");
    plan_conf_set(&p->roles.items[0].conf, "session.timeout.ms", "3000");
    CHECK_INT(plan_drain_default(p), lua);
    plan_free(p);
}

TEST(groups_of_programs_keep_their_names_on_shared_clusters)
{
    struct plan *p = small_plan();
    plan_strings_add(&p->roles.items[0].groups, "theirs");
    struct plan_fault *a = VEC_PUSH(&p->faults), *b;
    a->kind = FAULT_REBALANCE;
    a->group = xstrdup("theirs");
    b = VEC_PUSH(&p->faults);
    b->kind = FAULT_REBALANCE;
    b->group = xstrdup("ours");
    plan_suffix_groups(p, "-x");
    CHECK_STR(p->faults.items[0].group, "theirs");
    CHECK_STR(p->faults.items[1].group, "ours-x");
    plan_free(p);
}

static struct plan *within(int64_t ms)
{
    struct plan *p = small_plan();
    struct plan_prop *prop = VEC_PUSH(&p->expect);
    prop->mode = MODE_EVENTUALLY;
    prop->name = xstrdup("all");
    prop->where = xstrdup("x.lua:12");
    prop->within_ms = ms;
    p->roles.items[0].transacts = true;
    return p;
}

TEST(a_limit_below_the_transaction_timeout_of_an_abandoned_id_is_said)
{
    check_lint(within(9000), ""); /* it is restarted with the same id */
    struct plan *p = within(9000);
    p->roles.items[0].restart_ms = -1;
    check_lint(p,
               "warning x.lua:12 scenario \"t\", expect[1] (eventually \"all\"), within: 9000 ms "
               "are shorter than transaction.timeout.ms of role `worker` (10000), never "
               "restarted: read_committed readers may stall longer than the limit\n");
    p = within(9000);
    p->roles.items[0].changing_ids = true;
    check_lint(p,
               "warning x.lua:12 scenario \"t\", expect[1] (eventually \"all\"), within: 9000 ms "
               "are shorter than transaction.timeout.ms of role `worker` (10000), its "
               "transactional.id may change with each start (it names `incarnation`): "
               "read_committed readers may stall longer than the limit\n");
    p = within(10000);
    p->roles.items[0].changing_ids = true;
    check_lint(p, "");
    p = within(9000);
    p->roles.items[0].restart_ms = -1;
    p->roles.items[0].transacts = false;
    check_lint(p, "");
}

static struct plan *mixed(int64_t every, int64_t stable, int64_t after)
{
    struct plan *p = small_plan();
    struct plan_fault *f = VEC_PUSH(&p->faults);
    f->kind = FAULT_KILL;
    f->where = xstrdup("x.lua:9");
    f->every = (struct plan_range){1, every};
    f->mix = 1;
    struct plan_mix *m = VEC_PUSH(&p->mixes);
    m->where = xstrdup("x.lua:8");
    m->stable_ms = stable;
    p->stop_after_ms = after;
    return p;
}

TEST(a_mix_too_short_for_its_faults_is_said)
{
    check_lint(mixed(4999, 5000, 20000), "");
    check_lint(mixed(5000, 5000, 20000),
               "warning x.lua:9 scenario \"t\", faults[1] (kill), every: 5000 ms are not shorter "
               "than a period of its mix (5000 ms): it may never fire\n");
    check_lint(mixed(1000, 5000, 19999),
               "warning x.lua:8 scenario \"t\", mix 1, stable: the run lasts 19999 ms, and a mix "
               "takes 4 periods (20000 ms) to have each fault on and all off\n");
}

TEST(recovery_without_deaths_is_said)
{
    struct plan *p = mixed(1000, 5000, 20000);
    struct plan_threshold *t = VEC_PUSH(&p->thresholds);
    t->metric = METRIC_RECOVERY;
    t->where = xstrdup("x.lua:5");
    p->faults.items[0].kind = FAULT_REBALANCE;
    check_lint(p, "warning x.lua:5 scenario \"t\", thresholds, recovery: no fault ends an instance "
                  "(crash, exit, kill), there will be nothing to measure\n");
    p = mixed(1000, 5000, 20000);
    t = VEC_PUSH(&p->thresholds);
    t->metric = METRIC_RECOVERY;
    t->where = xstrdup("x.lua:5");
    check_lint(p, "");
}
