/* SPDX-License-Identifier: Apache-2.0 */
/* Inside a role: what it may do, and file-level tables that it may not change. */
#include "base/mem.h"
#include "load_util.h"

#define DATA                                                                                       \
    "local T = { a = { b = 1 }, list = { 10, 20, 30 }, f = function() return 7 end }\n"            \
    "local M = setmetatable({ n = 2 }, { __add = function(x, y) return x.n + y.n end })\n"         \
    "local Class = {} Class.__index = Class\n"                                                     \
    "function Class.new() return setmetatable({ v = 5 }, Class) end\n"                             \
    "function Class:get() return self.v end\n"

/* Runs body as role a behind DATA. */
static int run(const char *body, struct err *e)
{
    char *role = xasprintf("roles = { a = function()\n%s\nend }", body);
    struct load *l = util_scenario(DATA, role);
    int rc = util_run(l, "a", e);
    load_free(l);
    free(role);
    return rc;
}

static void check_runs(const char *body)
{
    struct err e = {0};
    if (run(body, &e)) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
}

static void check_raises(const char *body, const char *want)
{
    struct err e = {0};
    CHECK_INT(run(body, &e), -1);
    CHECK_HAS(e.msg, want);
}

TEST(frozen_tables_read_like_tables)
{
    check_runs(
        "assert(T.a == T.a and T.a.b == 1 and T.zzz == nil)\n"
        "assert(#T.list == 3 and T.list[2] == 20 and T.f() == 7)\n"
        "local n = 0 for k, v in pairs(T) do n = n + 1 assert(T[k] == v) end assert(n == 3)\n"
        "local s = 0 for _, v in ipairs(T.list) do s = s + v end assert(s == 60)\n"
        "assert(table.concat(T.list, ',') == '10,20,30')\n"
        "assert(select('#', table.unpack(T.list)) == 3)\n"
        "assert(next(T) ~= nil and rawget(T.a, 'b') == 1 and rawlen(T.list) == 3)\n"
        "local k, v = next(T.a) assert(k == 'b' and v == 1)\n"
        "for k, v in next, T do assert(T[k] == v) end\n"
        "assert(M + M == 4 and type(T) == 'table')\n"
        "local set = { [T.a] = true } assert(set[T.a])\n");
}

TEST(classes_of_the_file_work_inside_roles)
{
    check_runs("local o = Class.new() assert(o:get() == 5) o.v = 6 assert(o:get() == 6)\n"
               "local p = setmetatable({ v = 8 }, Class) assert(p:get() == 8)\n"
               "assert(getmetatable(p) == Class)\n"
               "local ok = pcall(function() getmetatable(p).get = nil end) assert(not ok)\n");
}

#define TEXT(name, key)                                                                            \
    "`" name "` is a file-level table seen by a; every process has its own copy, so writing `" key \
    "` here would not be seen elsewhere.\n  use w:table(\"" name "\")"

TEST(writing_raises_at_that_line)
{
    check_raises("\nT.x = 1", "t.lua:9: " TEXT("T", "x"));
    check_raises("T.a.b = 2", "t.lua:8: " TEXT("T.a", "b"));
    check_raises("\n\ntable.insert(T.list, 1)", "t.lua:10: " TEXT("T.list", "4"));
    check_raises("table.sort(T.list, function(x, y) return x > y end)", TEXT("T.list", "1"));
    check_raises("table.remove(T.list)", TEXT("T.list", "3"));
    check_raises("for _, v in pairs(T) do if type(v) == 'table' then v.q = 1 end end", "`q` here");
    check_raises("Class.get = nil", TEXT("Class", "get"));
    check_raises("setmetatable(T, {})", "a file-level table is read-only inside roles");
}

TEST(a_written_table_is_unchanged)
{
    check_runs("pcall(function() T.a.b = 2 end) assert(T.a.b == 1)\n"
               "pcall(table.insert, T.list, 1) assert(#T.list == 3)\n"
               "pcall(table.remove, T.list, 1) assert(T.list[1] == 10 and #T.list == 3)\n");
}

TEST(modules_are_read_only_too)
{
    struct load_bundle b = {0};
    static const char main_text[] = "local m = require 'm'\n"
                                    "scenario 't' { topics = { x = {} }, roles = { a = function()\n"
                                    "m.count = 1 end }, expect = { messages 'x' } }";
    static const char mod_text[] = "return { count = 0 }";
    struct err e = {0};
    load_bundle_add(&b, "d/t.lua", main_text, sizeof main_text - 1);
    load_bundle_add(&b, "d/m.lua", mod_text, sizeof mod_text - 1);
    struct load *l = load_from_bundle(&b, NULL, &e);
    const struct load_diag *d;
    CHECK_INT(load_diags(l, &d), 0);
    CHECK_INT(util_run(l, "a", &e), -1);
    CHECK_HAS(e.msg, "d/t.lua:3: `m` is a file-level table seen by a");
    load_free(l);
    load_bundle_free(&b);
}

TEST(hidden_module_state_is_found)
{
    struct load_bundle b = {0};
    static const char main_text[] =
        "local m = require 'm'\n"
        "scenario 't' { topics = { x = {} }, roles = { a = function() m.up() end,\n"
        "b = function() return m.get() end }, expect = { messages 'x' } }";
    static const char mod_text[] = "local n = 0\n"
                                   "return { up = function()\nn = n + 1 end,\n"
                                   "get = function() return n end }";
    struct err e = {0};
    load_bundle_add(&b, "t.lua", main_text, sizeof main_text - 1);
    load_bundle_add(&b, "m.lua", mod_text, sizeof mod_text - 1);
    struct load *l = load_from_bundle(&b, NULL, &e);
    CHECK_STR(load_errors(l), "m.lua:3: role a assigns file-level `n` (line 3), which a, b also "
                              "use: they are separate processes with separate copies");
    load_free(l);
    load_bundle_free(&b);
}

TEST(time_and_chance_exist_inside_roles_and_nothing_else)
{
    check_runs("assert(os.time() > 1e9 and os.clock() >= 0 and math.random(5) <= 5)\n"
               "assert(os.date('%Y') > '2000')");
    check_raises("os.getenv('HOME')", "write env(\"NAME\", default)");
    check_raises("os.execute('true')", "os.execute is not available");
    check_raises("os.exit(1)", "os.exit is not available");
    check_raises("io.open('x')", "io.open is not available");
    check_raises("load('return 1')", "load is not available");
    check_raises("newglobal = 1", "global `newglobal` assigned; write `local newglobal`");
    check_raises("retrun()", "unknown name `retrun`");
    check_raises("string.dump(function() end)", "nil value (field 'dump')");
    check_raises("getmetatable('').__index.rep = nil", "");
    check_raises("debug.getinfo(1)", "unknown name `debug`");
}

static void two_draws(uint64_t seed, char out[64])
{
    struct err e;
    struct load *l =
        util_scenario("", "roles = { a = function()"
                          " return math.random(1 << 40) .. ' ' .. math.random() end }");
    host_seed(load_state(l), seed);
    CHECK_INT(load_push_role(l, 0, "a", &e), 0);
    CHECK_INT(host_pcall(load_state(l), 0, 1, &e), 0);
    snprintf(out, 64, "%s", lua_tostring(load_state(l), -1));
    load_free(l);
}

TEST(random_numbers_follow_the_seed)
{
    char a[64], b[64], c[64];
    two_draws(1, a);
    two_draws(1, b);
    two_draws(2, c);
    CHECK_STR(a, b);
    CHECK(strcmp(a, c) != 0);
}

TEST(an_unknown_role_is_an_error)
{
    struct load *l = util_scenario("", "roles = { a = function() end }");
    struct err e = {0};
    CHECK_INT(load_push_role(l, 0, "b", &e), -1);
    CHECK_HAS(e.msg, "role `b` is not a function");
    CHECK_INT(load_push_role(l, 1, "a", &e), -1);
    CHECK_INT(lua_gettop(load_state(l)), 0);
    load_free(l);
}

TEST(a_scenario_with_errors_has_no_roles)
{
    struct load *l = util_load_any("scenario 't' { roles = { a = function() end } }");
    struct err e = {0};
    CHECK_INT(load_push_role(l, 0, "a", &e), -1);
    CHECK_HAS(e.msg, "expects nothing");
    CHECK(!load_plan(l, 0, NULL, &e));
    CHECK_INT(e.code, 0);
    load_free(l);
}

TEST_LIMIT(loading_survives_a_collector_that_runs_all_the_time, 60)
{
    setenv("KAOS_GC_STRESS", "1", 1);
    struct load *l = util_scenario(DATA, "roles = { a = function() return T, M, Class end }");
    lua_State *L = load_state(l);
    struct err e;
    for (int i = 0; i < 20; i++) {
        struct plan *p = load_plan(l, 0, NULL, &e);
        CHECK(p);
        plan_free(p);
        CHECK_INT(load_push_role(l, 0, "a", &e), 0);
        lua_gc(L, LUA_GCCOLLECT);
        CHECK_INT(host_pcall(L, 0, 1, &e), 0);
        CHECK_INT(lua_getfield(L, -1, "list"), LUA_TTABLE);
        lua_settop(L, 0);
        lua_gc(L, LUA_GCCOLLECT);
    }
    load_free(l);
}
