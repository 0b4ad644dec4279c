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
