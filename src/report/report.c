/* SPDX-License-Identifier: Apache-2.0 */
/* The table of report formats. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

const struct report_kind report_kinds[] = {
    {"terminal", "the text of the console", terminal_write, true},
    {"junit", "JUnit XML: one test case per property", junit_write, false},
    {"tap", "TAP 13: one test per property", tap_write, false},
    {"github", "annotations of GitHub Actions, and a table on the job's page", github_write, true},
    {"md", "Markdown: a table, and evidence", markdown_write, false},
    {"json", "the verdicts with all evidence as JSON", json_report_write, false},
    {"jsonl", "the same, one line per run", jsonl_write, false},
    {NULL, NULL, NULL, false},
};

const struct report_kind *report_find(const char *name)
{
    for (const struct report_kind *k = report_kinds; k->name; k++) {
        if (strcmp(k->name, name) == 0) {
            return k;
        }
    }
    return NULL;
}

char *report_names(void)
{
    struct buf b = {0};
    for (const struct report_kind *k = report_kinds; k->name; k++) {
        buf_printf(&b, "%s%s", b.len ? ", " : "", k->name);
    }
    return buf_take(&b);
}

int report_write(const char *kind, const char *path, const struct report *items, size_t n,
                 struct err *e)
{
    const struct report_kind *k = report_find(kind);
    if (!k) {
        char *names = report_names();
        err_set(e, ERR_USAGE, 0, "no report format '%s' (%s)", kind, names);
        free(names);
        return -1;
    }
    if (strcmp(path, "-") == 0) {
        return k->write(items, n, stdout, e);
    }
    FILE *out = fopen(path, "w");
    if (!out) {
        return err_sys(e, "creating report %s", path);
    }
    int rc = k->write(items, n, out, e);
    if (fclose(out) != 0 && rc == 0) {
        rc = err_sys(e, "writing report %s", path);
    }
    return rc;
}

static int by_order(const void *a, const void *b)
{
    const struct report *x = a, *y = b;
    if (x->order != y->order) {
        return x->order < y->order ? -1 : 1;
    }
    return (x->repetition > y->repetition) - (x->repetition < y->repetition);
}

void report_sort(struct report *items, size_t n)
{
    if (n > 1) {
        qsort(items, n, sizeof *items, by_order);
    }
}
