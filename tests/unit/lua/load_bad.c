/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong scenarios and what is said about them. Each file of tests/lua/bad ends with lines
 * `--> SEVERITY LINE: MESSAGE`: exactly these diagnostics, in this order, no others. LINE 0 means
 * that no line is known. A file without an error line has to load. */
#include <dirent.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "lua/load.h"
#include "test.h"

/* tests/lua/NAME, from the place of this file. */
static const char *folder(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s", __FILE__);
    for (int i = 0; i < 3; i++) {
        *strrchr(path, '/') = 0;
    }
    snprintf(path + strlen(path), sizeof path - strlen(path), "/lua/%s", name);
    return path;
}

static char *wanted(const char *text)
{
    struct buf b = {0};
    for (const char *p = strstr(text, "\n--> "); p; p = strstr(p + 1, "\n--> ")) {
        buf_append(&b, p + 5, strcspn(p + 5, "\n") + 1);
    }
    return buf_take(&b);
}

/* A message of several lines is compared by its first. */
static char *found(const struct load *l)
{
    struct buf b = {0};
    const struct load_diag *d;
    size_t n = load_diags(l, &d);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&b, "%s %d: %.*s\n", load_severity_name(d[i].severity), d[i].line,
                   (int)strcspn(d[i].message, "\n"), d[i].message);
    }
    return buf_take(&b);
}

static int compare(const char *path)
{
    struct buf text = {0};
    struct err e;
    if (path_read(path, 0, &text, &e)) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    struct load *l = load_from_file(path, &e);
    CHECK(l);
    char *want = wanted(text.data), *got = found(l);
    int wrong = strcmp(want, got) != 0;
    if (wrong) {
        printf("# %s says:\n%s# and should say:\n%s", path, got, want);
    }
    if ((load_errors(l) != NULL) != (strstr(want, "error ") != NULL)) {
        printf("# %s: load_errors() does not agree\n", path);
        wrong = 1;
    }
    free(want);
    free(got);
    buf_free(&text);
    load_free(l);
    return wrong;
}

static int compare_all(const char *dir, int *files)
{
    struct dirent *d;
    int wrong = 0;
    DIR *f = opendir(dir);
    CHECK(f);
    CHECK_INT(chdir(dir), 0); /* names are shown relative to the working directory */
    while ((d = readdir(f))) {
        size_t len = strlen(d->d_name);
        if (len > 4 && strcmp(d->d_name + len - 4, ".lua") == 0) {
            wrong += compare(d->d_name);
            ++*files;
        }
    }
    closedir(f);
    return wrong;
}

TEST_LIMIT(every_wrong_scenario_gets_its_messages, 60)
{
    int files = 0;
    CHECK_INT(compare_all(folder("bad"), &files), 0);
    CHECK(files >= 20);
}

TEST_LIMIT(good_scenarios_get_none, 60)
{
    int files = 0;
    CHECK_INT(compare_all(folder("good"), &files), 0);
    CHECK(files >= 3);
}
