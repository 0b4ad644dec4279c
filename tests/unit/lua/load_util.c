/* SPDX-License-Identifier: Apache-2.0 */
/* See load_util.h. */
#include "load_util.h"

#include "base/mem.h"

struct load *util_load_any(const char *text)
{
    struct load_bundle b = {0};
    struct err e;
    load_bundle_add(&b, "t.lua", text, strlen(text));
    struct load *l = load_from_bundle(&b, NULL, &e);
    load_bundle_free(&b);
    CHECK(l);
    return l;
}

struct load *util_load(const char *text)
{
    struct load *l = util_load_any(text);
    if (load_errors(l)) {
        test_fail(__FILE__, __LINE__, "%s", load_errors(l));
    }
    return l;
}

struct load *util_scenario(const char *before, const char *more)
{
    char *text = xasprintf("%s\nscenario 't' { topics = { x = {} }, %s,\n"
                           "expect = { no_loss { from = 'x', to = 'a' } } }\n",
                           before, more);
    struct load *l = util_load(text);
    free(text);
    return l;
}

int util_run(struct load *l, const char *role, struct err *e)
{
    if (load_push_role(l, 0, role, e)) {
        return -1;
    }
    return host_pcall(load_state(l), 0, 0, e);
}

const char *util_folder(void)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s", __FILE__);
    for (int i = 0; i < 3; i++) {
        *strrchr(path, '/') = 0;
    }
    snprintf(path + strlen(path), sizeof path - strlen(path), "/lua");
    return path;
}
