/* SPDX-License-Identifier: Apache-2.0 */
/* The host: errors, tracebacks, interrupts, libraries; and the API table. */
#include "base/mem.h"
#include "load_util.h"
#include "lua/api.h"

static int run(lua_State *L, const char *text, struct err *e)
{
    CHECK_INT(luaL_loadbuffer(L, text, strlen(text), "@x.lua"), LUA_OK);
    return host_pcall(L, 0, 0, e);
}

TEST(errors_keep_their_kind_through_lua)
{
    lua_State *L = host_new();
    struct err in = {.kind = ERR_BROKER, .code = 47, .fatal = true, .abortable = true};
    struct err e = {0};
    snprintf(in.msg, sizeof in.msg, "fenced");
    host_push_err(L, &in, "INVALID_PRODUCER_EPOCH");
    lua_setglobal(L, "why");
    CHECK_INT(run(L, "error(why)", &e), -1);
    CHECK_INT(e.kind, ERR_BROKER);
    CHECK_STR(e.msg, "fenced");
    CHECK(e.fatal && e.abortable && !e.retriable);
    CHECK_INT(run(L,
                  "assert(why.code == 'INVALID_PRODUCER_EPOCH' and why.kind == 'broker')\n"
                  "assert(tostring(why) == 'fenced' and why.fatal and not why.retriable)\n"
                  "assert(getmetatable(why) == 'kaos.error')",
                  &e),
              0);
    host_push_err(L, &in, NULL);
    host_to_err(L, -1, &e);
    CHECK_INT(e.code, 47);
    host_free(L);
}

TEST(any_value_can_be_an_error)
{
    lua_State *L = host_new();
    struct err e = {0};
    CHECK_INT(run(L, "error('plain')", &e), -1);
    CHECK_STR(e.msg, "x.lua:1: plain");
    CHECK_INT(e.kind, ERR_USAGE);
    CHECK_HAS(host_trace(L), "x.lua:1: plain\nstack traceback:");
    CHECK_INT(run(L, "error(nil)", &e), -1);
    CHECK_STR(e.msg, "nil");
    CHECK_INT(run(L, "error(setmetatable({}, { __tostring = function() return 'mine' end }))", &e),
              -1);
    CHECK_STR(e.msg, "mine");
    CHECK_HAS(host_trace(L), "mine\nstack traceback:");
    CHECK_INT(run(L, "error(setmetatable({}, { __tostring = function() error 'no' end }))", &e),
              -1);
    CHECK(e.msg[0]);
    CHECK_INT(run(L, "error(setmetatable({}, { __name = 'thing' }))", &e), -1);
    CHECK_HAS(e.msg, "thing");
    CHECK_INT(run(L, "local function f() return 1 + f() end f()", &e), -1);
    CHECK_HAS(e.msg, "stack overflow");
    CHECK_INT(lua_gettop(L), 0);
    host_free(L);
}

TEST(files_and_programs_do_not_exist_for_the_library_either)
{
    lua_State *L = host_new();
    struct err e;
    CHECK_INT(run(L,
                  "assert(not io and not package and not dofile and not loadfile)\n"
                  "assert(not os.execute and not os.exit and not os.getenv and not os.remove)",
                  &e),
              0);
    host_free(L);
}

static const char *stop_now(lua_State *L, void *arg)
{
    int *calls = arg;
    return ++*calls >= 3 ? "stop" : NULL;
}

TEST(an_interrupt_cannot_be_caught)
{
    lua_State *L = host_new();
    struct err e = {0};
    int calls = 0;
    host_set_interrupt(L, 1000, stop_now, &calls);
    CHECK_INT(run(L,
                  "while true do pcall(function()\n pcall(function() while true do end end)\n"
                  "end) end",
                  &e),
              -1);
    CHECK_HAS(e.msg, "stop");
    CHECK_INT(calls, 3);
    host_set_interrupt(L, 0, NULL, NULL);
    CHECK_INT(run(L, "for i = 1, 1e6 do end", &e), 0);
    calls = 0;
    host_set_interrupt(L, 1000, stop_now, &calls);
    CHECK_INT(run(L, "local co = coroutine.wrap(function() while true do end end) co()", &e), -1);
    CHECK_HAS(e.msg, "stop");
    host_free(L);
}

TEST(an_unknown_library_module_is_an_error)
{
    lua_State *L = host_new();
    struct err e = {0};
    CHECK_INT(run(L, "require 'nosuch'", &e), -1);
    CHECK_HAS(e.msg, "no library module `nosuch`");
    CHECK_INT(run(L, "assert(require 'text' == require 'text')", &e), 0);
    host_free(L);
}

TEST(the_user_pointer_and_phase_are_seen_in_every_coroutine)
{
    lua_State *L = host_new();
    int x;
    host_set_user(L, &x);
    lua_State *L1 = lua_newthread(L);
    CHECK(host_user(L1) == &x);
    host_set_phase(L1, HOST_JUDGE);
    CHECK_INT(host_phase(L), HOST_JUDGE);
    host_free(L);
}

TEST(a_dead_coroutine_leaves_its_traceback)
{
    lua_State *L = host_new(), *L1 = lua_newthread(L);
    struct err e = {0};
    int n;
    static const char text[] = "local function deep() error('in co') end deep()";
    CHECK_INT(luaL_loadbuffer(L1, text, sizeof text - 1, "@x.lua"), 0);
    CHECK_INT(lua_resume(L1, L, 0, &n), LUA_ERRRUN);
    lua_xmove(L1, L, 1);
    host_failure(L, L1, -1, &e);
    CHECK_STR(e.msg, "x.lua:1: in co");
    CHECK_HAS(host_trace(L), "in local 'deep'");
    host_free(L);
}

TEST(every_row_of_the_api_is_complete)
{
    struct err e;
    size_t n;
    struct api *a = api_open(&e);
    CHECK(a);
    const struct api_row *rows = api_rows(a, &n);
    CHECK(n > 80);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(rows[i].doc);
        if (!*rows[i].module || !*rows[i].name || !*rows[i].signature || len < 5) {
            test_fail(__FILE__, __LINE__, "row %s.%s is not complete", rows[i].module,
                      rows[i].name);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(rows[i].module, rows[k].module) == 0 &&
                strcmp(rows[i].name, rows[k].name) == 0) {
                test_fail(__FILE__, __LINE__, "row %s.%s is there twice", rows[i].module,
                          rows[i].name);
            }
        }
    }
    api_close(a);
}

static char *printed(int (*write)(FILE *f, struct err *e))
{
    struct err e;
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    CHECK_INT(write(f, &e), 0);
    fclose(f);
    return text;
}

TEST(documents_hold_every_name)
{
    struct err e;
    size_t n;
    struct api *a = api_open(&e);
    const struct api_row *rows = api_rows(a, &n);
    char *docs = printed(api_write_docs), *meta = printed(api_write_meta);
    char *lint = printed(api_write_luacheck);
    for (size_t i = 0; i < n; i++) {
        CHECK_HAS(docs, rows[i].name);
        CHECK_HAS(docs, rows[i].doc);
        bool typed =
            strcmp(rows[i].module, "prompt") == 0 || strcmp(rows[i].module, "command") == 0;
        if (!typed && strcmp(rows[i].module, "param") != 0 &&
            strcmp(rows[i].name, "require") != 0) {
            CHECK_HAS(meta, rows[i].name);
        }
    }
    CHECK_HAS(lint, "\"exactly_once\"");
    CHECK_HAS(lint, "\"scenario\"");
    lua_State *L = host_new();
    CHECK_INT(luaL_loadstring(L, meta), LUA_OK);
    CHECK_INT(luaL_loadstring(L, lint), LUA_OK);
    host_free(L);
    free(docs);
    free(meta);
    free(lint);
    api_close(a);
}

static int help_duration(FILE *f, struct err *e)
{
    return api_help(f, "pause.hold", e);
}

TEST(help_finds_a_word_or_the_nearest)
{
    struct err e = {0};
    char *text = printed(help_duration);
    CHECK_HAS(text, "pause.hold: duration or range\n    How long it stands still. Required.");
    free(text);
    CHECK_INT(api_help(stdout, "puase", &e), -1);
    CHECK_STR(e.msg, "no help for `puase` (did you mean `pause`?)");
    CHECK_INT(api_help(stdout, "pause.hodl", &e), -1);
    CHECK_HAS(e.msg, "did you mean `hold`?");
}
