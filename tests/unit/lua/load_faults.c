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
