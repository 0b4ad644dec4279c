/* SPDX-License-Identifier: Apache-2.0 */
/* The table of report formats. */
#include "report/report.h"

#include <string.h>

const struct report_kind report_kinds[] = {
    {"terminal", "the text of the console", terminal_write},
    {"junit", "JUnit XML: one test case per property", junit_write},
    {"json", "the verdicts with all evidence as JSON", json_report_write},
    {NULL, NULL, NULL},
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

int report_write(const char *kind, const char *path, const struct report *items, size_t n,
                 struct err *e)
{
    const struct report_kind *k = report_find(kind);
    if (!k) {
        return err_set(e, ERR_USAGE, 0, "no report format '%s' (terminal, junit, json)", kind);
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
