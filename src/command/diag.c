/* SPDX-License-Identifier: Apache-2.0 */
#include "command/diag.h"

#include <string.h>

void diag_print(const struct load_diag *d, FILE *out)
{
    if (d->line > 0) {
        fprintf(out, "%s:%d: ", d->file, d->line);
    } else {
        fprintf(out, "%s: ", d->file);
    }
    fprintf(out, "%s: ", load_severity_name(d->severity));
    if (d->scenario && strncmp(d->message, "scenario ", 9) != 0) {
        fprintf(out, "scenario \"%s\": ", d->scenario);
    }
    fprintf(out, "%s\n", d->message);
}

void diag_print_others(const struct load *l)
{
    const struct load_diag *diags;
    size_t n = load_diags(l, &diags);
    for (size_t i = 0; i < n; i++) {
        if (diags[i].severity != LOAD_ERROR) {
            diag_print(&diags[i], stderr);
        }
    }
}
