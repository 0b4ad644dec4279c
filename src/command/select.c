/* SPDX-License-Identifier: Apache-2.0 */
#include "command/select.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_folder(const char *dir, struct plan_strings *files, struct err *e)
{
    DIR *d = opendir(dir);
    if (!d) {
        return err_sys(e, "opening folder %s", dir);
    }
    size_t first = files->n, len = strlen(dir);
    for (struct dirent *ent; (ent = readdir(d));) {
        size_t n = strlen(ent->d_name);
        if (n > 4 && strcmp(ent->d_name + n - 4, ".lua") == 0 && ent->d_name[0] != '.') {
            char *path =
                xasprintf("%s%s%s", dir, len && dir[len - 1] == '/' ? "" : "/", ent->d_name);
            plan_strings_add(files, path);
            free(path);
        }
    }
    closedir(d);
    if (files->n > first) {
        qsort(files->items + first, files->n - first, sizeof *files->items, by_name);
    }
    return 0;
}

static bool is_kind(const char *path, mode_t kind)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/** The folders of a folder. What stands there is for those who name it: it may need programs that
 * are not built. */
static int add_subfolders(const char *dir, struct plan_strings *files, struct err *e)
{
    DIR *d = opendir(dir);
    struct plan_strings subs = {0};
    for (struct dirent *ent; d && (ent = readdir(d));) {
        char *path = xasprintf("%s/%s", dir, ent->d_name);
        if (ent->d_name[0] != '.' && is_kind(path, S_IFDIR)) {
            plan_strings_add(&subs, path);
        }
        free(path);
    }
    if (d) {
        closedir(d);
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < subs.n; i++) {
        rc = add_folder(subs.items[i], files, e);
    }
    plan_strings_free(&subs);
    return rc;
}

/** The file of "FILE:LINE", caller frees; NULL if the word is not of that form. */
static char *file_of_line(const char *word, long *line)
{
    const char *colon = strrchr(word, ':');
    char *end;
    if (!colon || colon == word) {
        return NULL;
    }
    *line = strtol(colon + 1, &end, 10);
    return end == colon + 1 || *end ? NULL : xmemdup0(word, (size_t)(colon - word));
}

static int add_word(const char *word, struct plan_strings *files, struct plan_strings *names,
                    struct err *e)
{
    long line;
    if (is_kind(word, S_IFDIR)) {
        return add_folder(word, files, e);
    }
    char *file = is_kind(word, S_IFREG) ? xstrdup(word) : file_of_line(word, &line);
    if (file && is_kind(file, S_IFREG)) {
        plan_strings_add(files, file);
        free(file);
        return 0;
    }
    free(file);
    if (strchr(word, '/') && strstr(word, ".lua")) {
        return err_set(e, ERR_USAGE, 0, "%s: no such file", word);
    }
    size_t n = strlen(word);
    if (n > 4 && strcmp(word + n - 4, ".lua") == 0) {
        return err_set(e, ERR_USAGE, 0, "%s: no such file", word);
    }
    plan_strings_add(names, word);
    return 0;
}

int select_files(const char *const *words, size_t n, struct plan_strings *files,
                 struct plan_strings *names, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (add_word(words[i], files, names, e) < 0) {
            return -1;
        }
    }
    if (files->n == 0) {
        if (!is_kind("scenarios", S_IFDIR)) {
            return names->n ? err_set(e, ERR_USAGE, 0,
                                      "%s: no such file or folder, and no folder scenarios/ here",
                                      names->items[0])
                            : err_set(e, ERR_USAGE, 0, "no folder scenarios/ here; name a file");
        }
        int rc = add_folder("scenarios", files, e);
        return rc == 0 && names->n > 0 ? add_subfolders("scenarios", files, e) : rc;
    }
    return 0;
}

static long line_of(const struct load *l, size_t i)
{
    const char *where = load_scenario(l, i)->where;
    const char *colon = where ? strrchr(where, ':') : NULL;
    return colon ? strtol(colon + 1, NULL, 10) : 0;
}

bool select_line(const char *const *words, size_t n, const struct load *l, size_t i, bool *asked)
{
    bool any = false;
    for (size_t k = 0; k < n; k++) {
        long line;
        char *file = is_kind(words[k], S_IFREG) ? NULL : file_of_line(words[k], &line);
        bool same = file && strcmp(file, load_sources(l)->items[0].name) == 0;
        const char *base = file ? strrchr(file, '/') : NULL;
        same = same || (base && strcmp(base + 1, load_sources(l)->items[0].name) == 0);
        free(file);
        if (!same) {
            continue;
        }
        any = true;
        if (asked) {
            *asked = true;
        }
        long best = 0;
        for (size_t s = 0; s < load_count(l); s++) {
            long at = line_of(l, s);
            best = at <= line && at > best ? at : best;
        }
        if (line_of(l, i) == best) {
            return true;
        }
    }
    return !any;
}
