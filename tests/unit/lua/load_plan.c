/* SPDX-License-Identifier: Apache-2.0 */
/* From scenario files to plans: every field, params and their overrides, bundles. */
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "load_util.h"

static struct load *load_good(const char *name)
{
    struct err e;
    CHECK_INT(chdir(util_folder()), 0);
    char *path = xasprintf("good/%s", name);
    struct load *l = load_from_file(path, &e);
    free(path);
    CHECK(l);
    if (load_errors(l)) {
        test_fail(__FILE__, __LINE__, "%s", load_errors(l));
    }
    return l;
}

static struct plan *plan_of(struct load *l, size_t i, const struct plan_conf *params)
{
    struct err e;
    struct plan *p = load_plan(l, i, params, &e);
    if (!p) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    return p;
}

TEST(scenarios_are_listed_with_place_tags_and_params)
{
    struct load *l = load_good("all.lua");
    CHECK_INT(load_count(l), 2);
    const struct load_scenario *s = load_scenario(l, 1);
    CHECK_STR(s->name, "all/one");
    CHECK_STR(s->where, "good/all.lua:4");
    CHECK_STR(s->doc, "every field");
    CHECK_INT(s->tags.n, 2);
    CHECK_STR(s->tags.items[1], "b");
    CHECK_INT(s->params.n, 4);
    CHECK_STR(s->params.items[1].name, "n");
    CHECK_STR(s->params.items[1].preset, "3");
    CHECK_STR(s->params.items[1].type, "integer");
    CHECK_STR(s->params.items[1].doc, "a number");
    CHECK_INT(s->fails_with.n, 2);
    CHECK_INT(load_scenario(l, 0)->fails_with.n, 0);
    CHECK_INT(load_find(l, "all/one"), 1);
    CHECK_INT(load_find(l, "all"), -1);
    CHECK(!load_scenario(l, 2));
    load_free(l);
}

TEST(topics_roles_and_limits_reach_the_plan)
{
    struct load *l = load_good("all.lua");
    struct plan *p = plan_of(l, 0, NULL);
    CHECK_STR(p->where, "good/all.lua:4");
    CHECK_STR(p->file, "good/all.lua");
    CHECK_INT(p->brokers, 3);
    CHECK_STR(p->cluster_kind, "kafka:4.3.1");
    CHECK_STR(plan_conf_get(&p->cluster_config, "x.y"), "5");
    CHECK_INT(p->topics.n, 2);
    struct plan_topic *t = plan_topic(p, "input");
    CHECK_INT(t->partitions, 4);
    CHECK_INT(t->replicas, 2);
    CHECK_INT(t->value, PLAN_BYTES);
    CHECK_STR(plan_conf_get(&t->config, "retention.ms"), "-1");
    t = plan_topic(p, "output");
    CHECK_INT(t->partitions, 1);
    CHECK_INT(t->replicas, 3);
    CHECK_INT(t->value, PLAN_JSON);
    CHECK(t->existing);
    struct plan_role *r = plan_role(p, "work");
    CHECK_INT(r->count, 3);
    CHECK_INT(r->restart_ms, 2500);
    CHECK_STR(plan_conf_get(&r->conf, "session.timeout.ms"), "2000");
    CHECK_STR(plan_conf_get(&r->conf, "flag"), "true");
    CHECK_STR(plan_conf_get(&r->conf, "ratio"), "0.5");
    CHECK_STR(plan_conf_get(&r->env, "A"), "b");
    CHECK_INT(plan_role(p, "last")->restart_ms, -1);
    CHECK_INT(plan_role(p, "src")->restart_ms, 1000);
    CHECK_STR(p->stop_after, "all sent");
    CHECK_INT(p->stop_after_ms, -1);
    CHECK_INT(p->drain_ms, 45000);
    CHECK_INT(p->timeout_ms, 180000);
    plan_free(p);
    load_free(l);
}

TEST(faults_reach_the_plan)
{
    struct load *l = load_good("all.lua");
    struct plan *p = plan_of(l, 0, NULL);
    const struct plan_fault *f = p->faults.items;
    CHECK_INT(p->faults.n, 7);
    CHECK_INT(f[0].kind, FAULT_CRASH);
    CHECK(f[0].p == 0.25);
    CHECK_INT(f[0].per, PER_BATCH);
    CHECK_INT(f[0].points, 1u << POINT_AFTER_POLL | 1u << POINT_IN_ON_REVOKE);
    CHECK_INT(f[0].max, 7);
    CHECK_STR(f[0].roles.items[0], "work");
    CHECK_STR(f[0].where, "good/all.lua:21");
    CHECK_INT(f[1].kind, FAULT_EXIT);
    CHECK_INT(f[1].roles.n, 2);
    CHECK_INT(f[1].at.min_ms, 3000);
    CHECK_INT(f[1].every.min_ms, -1);
    CHECK_INT(f[1].max, -1);
    CHECK_INT(f[2].signum, SIGTERM);
    CHECK_INT(f[2].every.min_ms, 1000);
    CHECK_INT(f[2].every.max_ms, 2000);
    CHECK_INT(f[3].every.max_ms, 5000);
    CHECK_INT(f[3].hold.max_ms, 6000);
    CHECK(f[3].replace);
    CHECK(f[4].p == 1.0);
    CHECK_STR(f[5].group, "g");
    CHECK_INT(f[6].action, BROKER_KILL);
    CHECK_INT(f[6].node, 0);
    CHECK_INT(f[6].hold.min_ms, 3000);
    plan_free(p);
    load_free(l);
}

TEST(properties_reach_the_plan)
{
    struct load *l = load_good("all.lua");
    struct plan *p = plan_of(l, 0, NULL);
    const struct plan_prop *e = p->expect.items;
    CHECK_INT(p->expect.n, 17);
    CHECK_INT(e[0].mode, MODE_ALWAYS);
    CHECK_STR(e[0].name, "exact");
    CHECK_INT(e[0].preds.n, 2);
    CHECK_INT(e[0].preds.items[0].kind, PRED_EXACTLY_ONCE);
    CHECK_INT(e[0].preds.items[0].id, ID_HEADER);
    CHECK_STR(e[0].preds.items[0].id_header, "n");
    CHECK_INT(e[0].preds.items[0].times, 2);
    CHECK_INT(e[0].preds.items[1].id, ID_KEY);
    CHECK_INT(e[1].within_ms, 40000);
    CHECK_INT(e[1].preds.items[0].id, ID_FUNCTION);
    CHECK_INT(e[1].preds.items[0].fold, 0);
    CHECK_INT(e[2].preds.items[0].kind, PRED_CRASHED);
    CHECK_INT(e[2].preds.items[0].points, 0xff);
    CHECK_INT(e[2].preds.items[0].at_least, 2);
    CHECK_INT(e[3].preds.items[0].kind, PRED_REACHED);
    CHECK_INT(e[4].mode, MODE_NEVER);
    CHECK_INT(e[5].preds.items[0].kind, PRED_ASSERTED);
    CHECK_INT(e[6].preds.items[0].at_least, 1000);
    CHECK_INT(e[7].mode, MODE_EVENTUALLY);
    CHECK_STR(e[7].name, "committed_only output");
    CHECK_INT(e[7].within_ms, -1);
    CHECK_STR(e[8].name, "atomic");
    CHECK(!e[8].preds.items[0].topic);
    CHECK_STR(e[9].preds.items[0].topic, "input");
    CHECK(e[10].preds.items[0].per_key);
    CHECK_STR(e[11].preds.items[0].group, "g");
    CHECK(!e[12].preds.items[0].group);
    CHECK_INT(e[13].preds.items[0].kind, PRED_INVARIANT);
    CHECK_INT(e[13].preds.items[0].fold, 1);
    CHECK_INT(e[14].preds.items[0].over_ms, 3000);
    CHECK_INT(e[14].preds.items[1].over_ms, 2500);
    CHECK_INT(e[14].preds.items[1].at_least, 2);
    CHECK_STR(e[15].preds.items[0].roles.items[0], "work");
    CHECK(e[15].preds.items[1].aborted);
    CHECK(!e[15].preds.items[2].aborted);
    CHECK_INT(e[15].preds.items[2].kind, PRED_REPEATED);
    CHECK_INT(e[16].preds.items[0].id, ID_KEY);
    CHECK_INT(e[16].preds.items[1].topics.n, 2);
    CHECK_STR(e[16].preds.items[1].topics.items[1], "output");
    CHECK_INT(e[16].preds.items[1].times, 2);
    CHECK_INT(e[16].preds.items[2].roles.n, 2);
    plan_free(p);
    load_free(l);
}

TEST(the_example_scenarios_mean_what_they_say)
{
    struct load *l = load_good("eos.lua");
    struct plan *p = plan_of(l, 0, NULL);
    CHECK_INT(p->faults.items[0].points, 0xff);
    CHECK(p->faults.items[0].p == 0.02);
    CHECK_INT(plan_role(p, "worker")->count, 3);
    CHECK_STR(plan_conf_get(&plan_role(p, "worker")->conf, "session.timeout.ms"), "2000");
    CHECK_INT(p->expect.n, 6);
    CHECK_INT(p->expect.items[4].preds.items[0].points,
              1u << POINT_BEFORE_OFFSETS | 1u << POINT_AFTER_OFFSETS | 1u << POINT_BEFORE_COMMIT);
    plan_free(p);
    load_free(l);
    l = load_good("smoke.lua");
    p = plan_of(l, 0, NULL);
    CHECK_STR(p->expect.items[0].name, "no_loss numbers -> reader");
    CHECK(!p->stop_after);
    plan_free(p);
    load_free(l);
    l = load_good("retry.lua");
    CHECK_INT(load_count(l), 2);
    p = plan_of(l, 1, NULL);
    CHECK_STR(plan_conf_get(&plan_role(p, "main")->conf, "partition.assignment.strategy"),
              "cooperative-sticky");
    plan_free(p);
    load_free(l);
}

static void check_refused(struct load *l, const char *name, const char *value, const char *want)
{
    struct plan_conf c = {0};
    struct err e = {0};
    plan_conf_set(&c, name, value);
    CHECK(!load_plan(l, 0, &c, &e));
    CHECK_INT(e.kind, ERR_USAGE);
    CHECK_INT(e.code, LOAD_BAD_PARAM);
    CHECK_HAS(e.msg, want);
    plan_conf_free(&c);
}

TEST(wrong_params_are_usage_errors_that_list_the_declared_ones)
{
    struct load *l = load_good("all.lua");
    check_refused(l, "m", "1",
                  "no param `m` (did you mean `b`?); declared: b = true (boolean), "
                  "n = 3 (integer: a number), p = 0.25 (number), s = 5s (string)");
    check_refused(l, "n", "many", "param `n`: \"many\" is not a whole number; declared: ");
    check_refused(l, "n", "2.5", "param `n`: \"2.5\" is not a whole number");
    check_refused(l, "n", "", "param `n`: \"\" is not a whole number");
    check_refused(l, "n", "0", "param `n`: 0 is too small, at least 1");
    check_refused(l, "n", "10", "param `n`: 10 is too large, at most 9");
    check_refused(l, "n", "99999999999999999999", "is not a whole number");
    check_refused(l, "p", "nan", "param `p`: \"nan\" is not a number");
    check_refused(l, "p", "1e999", "is not a number");
    check_refused(l, "b", "yes", "param `b`: \"yes\" is not true or false");
    check_refused(l, "p", "1.5", "p: 1.5 is not a probability, write 0..1 (2 % is 0.02)");
    check_refused(l, "s", "5", "every: a duration needs a unit, write \"5s\" or \"5ms\"");
    load_free(l);
}

TEST(params_are_filled_in)
{
    struct load *l = load_good("all.lua");
    struct plan_conf c = {0};
    plan_conf_set(&c, "n", "7");
    plan_conf_set(&c, "p", "1");
    plan_conf_set(&c, "s", "9s");
    plan_conf_set(&c, "b", "false");
    struct plan *p = plan_of(l, 0, &c);
    CHECK_INT(plan_role(p, "work")->count, 7);
    CHECK(p->faults.items[0].p == 1.0);
    CHECK_INT(p->faults.items[3].every.min_ms, 9000);
    CHECK_STR(p->params.items[1].value, "7");
    CHECK_STR(p->params.items[1].preset, "3");
    plan_free(p);
    plan_conf_free(&c);
    p = plan_of(l, 0, NULL);
    CHECK_INT(plan_role(p, "work")->count, 3);
    plan_free(p);
    load_free(l);
}

TEST(param_values_survive_the_way_through_text)
{
    struct load *l = util_scenario("", "roles = { a = function() end },"
                                       "params = { f = 0.1, g = 2.0, i = -9007199254740993,"
                                       " s = ' x=1 ', t = true }");
    struct plan *p = plan_of(l, 0, NULL);
    struct err e;
    lua_State *L = load_state(l);
    CHECK_INT(load_push_params(l, p, &e), 0);
    lua_setglobal(L, "P");
    static const char *const text =
        "assert(P.f == 0.1 and math.type(P.g) == 'float' and P.g == 2.0)\n"
        "assert(P.i == -9007199254740993 and math.type(P.i) == 'integer')\n"
        "assert(P.s == ' x=1 ' and P.t == true)\n"
        "local n = 0 for _ in pairs(P) do n = n + 1 end assert(n == 5)\n"
        "local ok, why = pcall(function() return P.ff end)\n"
        "assert(not ok and why:find('no param `ff` (did you mean `f`?)', 1, true), why)\n"
        "ok, why = pcall(function() P.f = 1 end)\n"
        "assert(not ok and why:find('read-only', 1, true))\n";
    if (luaL_loadstring(L, text) || host_pcall(L, 0, 0, &e)) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    plan_free(p);
    load_free(l);
}

TEST(a_bundle_loads_without_the_disk)
{
    struct load *disk = load_good("all.lua");
    const struct load_bundle *b = load_sources(disk);
    CHECK_INT(b->n, 2);
    CHECK_STR(b->items[0].name, "good/all.lua");
    CHECK_STR(b->items[1].name, "good/tools/mod.lua");
    CHECK(b->items[0].hash != 0 && b->items[0].hash != b->items[1].hash);
    CHECK_INT(chdir("/"), 0);
    struct err e;
    struct load *l = load_from_bundle(b, load_env(disk), &e);
    CHECK(l && !load_errors(l));
    CHECK_INT(load_sources(l)->n, 2);
    CHECK_STR(load_scenario(l, 0)->where, load_scenario(disk, 0)->where);
    CHECK_INT(load_push_role(l, 0, "plain", &e), 0);
    CHECK_INT(host_pcall(load_state(l), 0, 1, &e), 0);
    CHECK_INT(lua_tointeger(load_state(l), -1), 42);
    load_free(l);
    load_free(disk);
}

TEST(a_bundle_without_the_module_does_not_look_at_the_disk)
{
    CHECK_INT(chdir(util_folder()), 0);
    struct load_bundle b = {0};
    static const char text[] = "require 'tools.mod'";
    struct err e;
    load_bundle_add(&b, "good/x.lua", text, sizeof text - 1);
    struct load *l = load_from_bundle(&b, NULL, &e);
    CHECK_HAS(load_errors(l), "no module `tools.mod`");
    load_free(l);
    load_bundle_free(&b);
}

TEST(a_bundle_with_a_name_that_leads_outside_is_refused)
{
    static const char *const names[] = {"/etc/x.lua", "../x.lua", "a/../../x", "", "a//b", "./x"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct load_bundle b = {0};
        struct err e = {0};
        load_bundle_add(&b, names[i], "", 0);
        CHECK(!load_from_bundle(&b, NULL, &e));
        CHECK_INT(e.kind, ERR_PROTOCOL);
        load_bundle_free(&b);
    }
}

TEST(env_is_read_once_and_travels)
{
    static const char text[] = "local v = env('KAOS_TEST_VALUE', 'none')\n"
                               "scenario('t-' .. v) { topics = { x = {} },"
                               " roles = { a = function() end }, expect = { messages 'x' } }";
    struct err e;
    char *path = path_join(test_dir(), "e.lua");
    CHECK_INT(path_write(path, text, sizeof text - 1, &e), 0);
    setenv("KAOS_TEST_VALUE", "one", 1);
    struct load *l = load_from_file(path, &e);
    CHECK_STR(load_scenario(l, 0)->name, "t-one");
    CHECK_STR(plan_conf_get(load_env(l), "KAOS_TEST_VALUE"), "one");
    setenv("KAOS_TEST_VALUE", "two", 1);
    struct load *child = load_from_bundle(load_sources(l), load_env(l), &e);
    CHECK_STR(load_scenario(child, 0)->name, "t-one");
    load_free(child);
    child = load_from_bundle(load_sources(l), NULL, &e);
    CHECK_STR(load_scenario(child, 0)->name, "t-none");
    load_free(child);
    load_free(l);
    free(path);
}

TEST(a_missing_file_is_an_error_that_names_it)
{
    struct err e = {0};
    CHECK(!load_from_file("/nonexistent/x.lua", &e));
    CHECK_HAS(e.msg, "/nonexistent/x.lua");
}

TEST(pairs_has_one_order_while_loading)
{
    static const char text[] = "local t = {}\n"
                               "for i = 1, 50 do t['k' .. i * 7919 % 50] = i end\n"
                               "for k in pairs(t) do scenario(k) { topics = { x = {} },"
                               " roles = { a = function() end }, expect = { messages 'x' } } end\n";
    struct load *l = util_load(text);
    CHECK_INT(load_count(l), 50);
    for (size_t i = 1; i < load_count(l); i++) {
        CHECK(strcmp(load_scenario(l, i - 1)->name, load_scenario(l, i)->name) < 0);
    }
    load_free(l);
}

static const char *setting(const struct plan_role *r, const char *name)
{
    return plan_conf_get(&r->env, name);
}

TEST(programs_keep_what_differs_between_processes_and_get_their_params)
{
    struct load *l = load_good("program.lua");
    struct plan_conf given = {0};
    plan_conf_set(&given, "size", "12");
    struct plan *p = plan_of(l, 0, &given);
    const struct plan_role *r = plan_role(p, "work");
    CHECK(plan_is_program(r));
    CHECK(!plan_is_program(plan_role(p, "seed")));
    CHECK_INT(r->exec.n, 4);
    CHECK_STR(r->exec.items[0], "python3");
    CHECK_STR(r->exec.items[2], "--size=12");
    CHECK_STR(r->exec.items[3], "12");
    CHECK_INT(r->groups.n, 2);
    CHECK_STR(r->groups.items[1], "second");
    CHECK_STR(r->build, "make work");
    CHECK_STR(setting(r, "ID"), "{role}-{index}-{incarnation}-{seed}@{bootstrap}");
    CHECK_STR(setting(r, "SIZE"), "12");
    CHECK_STR(setting(r, "JSON"), "{\"a\": 12, \"b\": {}}");
    CHECK_INT(r->count, 2);
    plan_free(p);
    plan_conf_free(&given);
    load_free(l);
}
