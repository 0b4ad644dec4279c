/* SPDX-License-Identifier: Apache-2.0 */
/* Generated files are fresh: docs/api.md, the editor stub and .luacheckrc say what the tables say.
 * KAOS_UPDATE=1 writes them anew. */
#include "base/mem.h"
#include "base/path.h"
#include "load_util.h"
#include "lua/api.h"

static void check_fresh(const char *name, int (*write)(FILE *f, struct err *e))
{
    struct buf text = {0};
    struct err e;
    char *want = NULL, *path = xasprintf("%s/../../%s", util_folder(), name);
    size_t len;
    FILE *f = open_memstream(&want, &len);
    CHECK_INT(write(f, &e), 0);
    fclose(f);
    if (getenv("KAOS_UPDATE")) {
        CHECK_INT(path_write(path, want, len, &e), 0);
    }
    CHECK_INT(path_read(path, 0, &text, &e), 0);
    if (strcmp(text.data, want) != 0) {
        test_fail(__FILE__, __LINE__, "%s is stale: run this test with KAOS_UPDATE=1", name);
    }
    buf_free(&text);
    free(want);
    free(path);
}

TEST(docs_api_md_is_fresh)
{
    check_fresh("docs/api.md", api_write_docs);
}

TEST(the_editor_stub_is_fresh)
{
    check_fresh("lib/kaos/_meta.lua", api_write_meta);
}

TEST(luacheckrc_is_fresh)
{
    check_fresh(".luacheckrc", api_write_luacheck);
}

/* `fails_with` accepts exactly the kinds of findings that the checker makes. */
TEST(kinds_of_findings_are_those_of_the_checker)
{
    struct buf text = {0};
    struct err e;
    char *path = xasprintf("%s/../../src/check/kinds.c", util_folder());
    int n = 0;
    CHECK_INT(path_read(path, 0, &text, &e), 0);
    lua_State *L = host_new();
    static const char count[] =
        "local n = 0 for _ in pairs(require 'schema'.kinds) do n = n + 1 end"
        " return n, require 'schema'.kinds";
    CHECK_INT(luaL_loadstring(L, count), LUA_OK);
    CHECK_INT(host_pcall(L, 0, 2, &e), 0);
    for (const char *p = strstr(text.data, "\n    {\""); p; p = strstr(p + 1, "\n    {\"")) {
        char *kind = xmemdup0(p + 7, strcspn(p + 7, "\""));
        if (lua_getfield(L, -1, kind) != LUA_TBOOLEAN) {
            test_fail(__FILE__, __LINE__, "schema.lua does not know the finding `%s`", kind);
        }
        lua_pop(L, 1);
        free(kind);
        n++;
    }
    CHECK_INT(n, lua_tointeger(L, -2));
    host_free(L);
    buf_free(&text);
    free(path);
}
