/* SPDX-License-Identifier: Apache-2.0 */
/* Faults in plans: nodes by role. */
#include <unistd.h>

#include "base/mem.h"
#include "load_util.h"

static struct plan *plan_named(const char *name, struct load **out)
{
    struct err e;
    CHECK_INT(chdir(util_folder()), 0);
    struct load *l = load_from_file("good/faults.lua", &e);
    CHECK(l);
    if (load_errors(l)) {
        test_fail(__FILE__, __LINE__, "%s", load_errors(l));
    }
    struct plan *p = load_plan(l, (size_t)load_find(l, name), NULL, &e);
    CHECK(p);
    *out = l;
    return p;
}

TEST(nodes_are_named_by_number_or_role)
{
    struct load *l;
    struct plan *p = plan_named("nodes", &l);
    static const struct {
        enum plan_broker_action action;
        enum plan_target target;
        const char *of, *text;
    } want[] = {
        {BROKER_KILL, TARGET_ANY, NULL, "any node"},
        {BROKER_KILL, TARGET_NUMBER, NULL, "node 2"},
        {BROKER_STOP, TARGET_LEADER, "output", "leader of output/2"},
        {BROKER_PAUSE, TARGET_GROUP, NULL, "group coordinator of a group of mine"},
        {BROKER_RESTART, TARGET_ROLE_TXN, "worker", "transaction coordinator of worker"},
        {BROKER_KILL, TARGET_TXN, "worker", "transaction coordinator of id worker"},
        {BROKER_KILL, TARGET_CONTROLLER, NULL, "controller"},
        {BROKER_ROLL, TARGET_ANY, NULL, "all nodes"},
    };
    CHECK_INT(p->faults.n, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct plan_fault *f = &p->faults.items[i];
        CHECK_INT(f->kind, FAULT_BROKER);
        CHECK_INT(f->action, want[i].action);
        CHECK_INT(f->target, want[i].target);
        CHECK_STR(f->of ? f->of : "", want[i].of ? want[i].of : "");
        CHECK_STR(f->node_text, want[i].text);
    }
    CHECK_INT(p->faults.items[1].node, 2);
    CHECK_INT(p->faults.items[2].partition, 2);
    CHECK_STR(p->faults.items[3].group, "a group of mine");
    plan_suffix_groups(p, "-x");
    CHECK_STR(p->faults.items[2].of, "output");
    CHECK_STR(p->faults.items[3].group, "a group of mine-x");
    CHECK_STR(p->faults.items[4].of, "worker");
    CHECK_STR(p->faults.items[5].of, "worker-x");
    plan_free(p);
    load_free(l);
}

TEST(thresholds_reach_the_plan)
{
    struct load *l;
    struct plan *p = plan_named("thresholds", &l);
    static const struct {
        const char *name;
        enum plan_metric metric;
        enum plan_stat stat;
        enum plan_op op;
        double quantile, limit;
    } want[] = {
        {"e2e.latency p99 < 5s", METRIC_E2E, STAT_QUANTILE, OP_BELOW, 99, 5000},
        {"e2e.latency p99.9 <= 1.5m", METRIC_E2E, STAT_QUANTILE, OP_AT_MOST, 99.9, 90000},
        {"output.rate avg > 2k/m", METRIC_RATE, STAT_AVG, OP_ABOVE, 0, 2000.0 / 60},
        {"output.rate min >= 1/s", METRIC_RATE, STAT_MIN, OP_AT_LEAST, 0, 1},
        {"recovery max < 10s", METRIC_RECOVERY, STAT_MAX, OP_BELOW, 0, 10000},
        {"send.latency avg < 0.5ms", METRIC_SEND, STAT_AVG, OP_BELOW, 0, 0.5},
    };
    CHECK_INT(p->thresholds.n, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct plan_threshold *t = &p->thresholds.items[i];
        CHECK_STR(t->name, want[i].name);
        CHECK_INT(t->metric, want[i].metric);
        CHECK_INT(t->stat, want[i].stat);
        CHECK_INT(t->op, want[i].op);
        CHECK(t->quantile == want[i].quantile);
        CHECK(t->limit == want[i].limit);
        CHECK(strncmp(t->where, "good/faults.lua:", 16) == 0);
    }
    CHECK_INT(p->thresholds.items[0].prop, 0);
    CHECK_INT(p->thresholds.items[0].pred, 0);
    CHECK_STR(p->thresholds.items[2].topic, "output");
    CHECK_STR(p->thresholds.items[2].limit_text, "2k/m");
    plan_free(p);
    load_free(l);
}

TEST(each_way_has_a_latency_of_its_own)
{
    struct load *l;
    struct plan *p = plan_named("two ways", &l);
    CHECK_INT(p->thresholds.n, 2);
    CHECK_STR(p->thresholds.items[0].name, "e2e.latency input -> dlq p50 < 1s");
    CHECK_STR(p->thresholds.items[1].name, "e2e.latency input -> output p50 < 1s");
    CHECK_INT(p->thresholds.items[1].prop, 1);
    plan_free(p);
    load_free(l);
}

TEST(faults_of_mixes_stand_among_the_others)
{
    struct load *l;
    struct plan *p = plan_named("mixes", &l);
    static const int mixes[] = {0, 1, 1, 2};
    CHECK_INT(p->faults.n, 4);
    for (size_t i = 0; i < p->faults.n; i++) {
        CHECK_INT(p->faults.items[i].mix, mixes[i]);
    }
    CHECK_INT(p->faults.items[2].kind, FAULT_CRASH);
    CHECK_INT(p->mixes.n, 2);
    CHECK_INT(p->mixes.items[0].stable_ms, 30000);
    CHECK_INT(p->mixes.items[1].stable_ms, 5000);
    plan_free(p);
    load_free(l);
}

TEST(a_fault_may_mean_one_instance_and_come_at_a_time)
{
    struct load *l;
    struct plan *p = plan_named("instances", &l);
    const struct plan_fault *f = p->faults.items;
    CHECK_INT(p->faults.n, 4);
    CHECK_INT(f[0].index, 2);
    CHECK_INT(f[1].index, 3);
    CHECK_INT(f[1].at.min_ms, 1500);
    CHECK(f[1].p == 0);
    CHECK_INT(f[1].points, 1u << POINT_BEFORE_COMMIT);
    CHECK_INT(f[2].index, 0);
    CHECK_INT(f[2].at.max_ms, 2000);
    CHECK_INT(f[3].at.min_ms, -1);
    CHECK(f[3].p == 0.5);
    plan_free(p);
    load_free(l);
}
