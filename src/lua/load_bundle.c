/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a scenario and their names: what a file is called where it is shown and bundled, and
 * which file a module is. Nothing here touches Lua or reads a file. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "lua/load_state.h"

void load_bundle_add(struct load_bundle *b, const char *name, const void *text, size_t len)
{
    struct load_source *s = VEC_PUSH(b);
    s->name = xstrdup(name);
    s->text = xmemdup0(text, len);
    s->len = len;
    s->hash = hash_bytes(0, text, len);
}

void load_bundle_free(struct load_bundle *b)
{
    for (size_t i = 0; i < b->n; i++) {
        free(b->items[i].name);
        free(b->items[i].text);
    }
    free(b->items);
    *b = (struct load_bundle){0};
}

const struct load_source *load_bundle_find(const struct load_bundle *b, const char *name)
{
    for (size_t i = 0; i < b->n; i++) {
        if (strcmp(b->items[i].name, name) == 0) {
            return &b->items[i];
        }
    }
    return NULL;
}

bool load_bundle_clean(const char *path)
{
    if (*path == '/' || *path == 0) {
        return false;
    }
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 0 || (len == 1 && path[0] == '.') ||
            (len == 2 && path[0] == '.' && path[1] == '.')) {
            return false;
        }
        path += len + (path[len] == '/');
    }
    return true;
}

char *load_bundle_name(const char *path)
{
    char cwd[PATH_MAX];
    while (path[0] == '.' && path[1] == '/') {
        path += 2;
        path += strspn(path, "/");
    }
    if (*path == '/' && getcwd(cwd, sizeof cwd)) {
        size_t len = strlen(cwd);
        if (strncmp(path, cwd, len) == 0 && path[len] == '/') {
            path += len + 1;
        }
    }
    if (!load_bundle_clean(path)) {
        const char *slash = strrchr(path, '/');
        path = slash ? slash + 1 : path;
    }
    return xstrdup(load_bundle_clean(path) ? path : "scenario.lua");
}

char *load_bundle_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? xmemdup0(path, (size_t)(slash + 1 - path)) : xstrdup("");
}

char *load_bundle_module(const char *folder, const char *module)
{
    char *file = xasprintf("%s%s.lua", folder, module);
    for (char *p = file + strlen(folder); p[4]; p++) {
        *p = *p == '.' ? '/' : *p;
    }
    return file;
}
