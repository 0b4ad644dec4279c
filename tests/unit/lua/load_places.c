/* SPDX-License-Identifier: Apache-2.0 */
/* Instances that start later, and predicates with several places, as they reach the plan. */
#include <unistd.h>

#include "load_util.h"

static struct load *load_good(void)
{
    struct err e;
    CHECK_INT(chdir(util_folder()), 0);
    struct load *l = load_from_file("good/places.lua", &e);
    CHECK(l && !load_errors(l));
    return l;
}

static struct plan *plan_of(struct load *l)
{
    struct err e;
    struct plan *p = load_plan(l, 0, NULL, &e);
    CHECK(p);
    return p;
}

TEST(starts_of_instances_reach_the_plan)
{
    struct load *l = load_good();
    struct plan *p = plan_of(l);
    const struct plan_role *r = plan_role(p, "first");
    CHECK(!plan_role_start(r, 1));
    r = plan_role(p, "named");
    CHECK_STR(plan_role_start(r, 1)->after, "first is done");
    CHECK_STR(plan_role_start(r, 2)->after, "first is done");
    r = plan_role(p, "timed");
    CHECK(!plan_role_start(r, 1)->after);
    CHECK_INT(plan_role_start(r, 1)->ms, 2000);
    r = plan_role(p, "rising");
    CHECK(!plan_role_start(r, 1));
    CHECK_STR(plan_role_start(r, 2)->after, "first is done");
    CHECK_INT(plan_role_start(r, 3)->ms, 1000);
    CHECK_INT(plan_role_start(r, 4)->ms, 1000);
    plan_free(p);
    load_free(l);
}

TEST(places_and_limits_of_predicates_reach_the_plan)
{
    struct load *l = load_good();
    struct plan *p = plan_of(l);
    const struct plan_prop *e = p->expect.items;
    CHECK_INT(e[0].preds.items[0].kind, PRED_ACCOUNTED);
    CHECK_STR(e[0].preds.items[0].from, "input");
    CHECK(!e[0].preds.items[0].to);
    CHECK_INT(e[0].preds.items[0].places.n, 3);
    CHECK_STR(e[0].preds.items[0].places.items[2], "named");
    CHECK_INT(e[0].preds.items[0].id, ID_LINEAGE);
    CHECK_STR(e[1].name, "accounted input -> dlq");
    CHECK_INT(e[1].preds.items[0].places.n, 1);
    CHECK_INT(e[1].preds.items[0].id, ID_KEY);
    CHECK_STR(e[2].name, "takeover g");
    CHECK_INT(e[2].preds.items[0].within_ms, 1500);
    plan_free(p);
    load_free(l);
}
