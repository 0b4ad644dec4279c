/* SPDX-License-Identifier: Apache-2.0 */
#include "command/ui.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/term.h"

static const char *variable(const char *name)
{
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

int ui_parse(const struct cli *c, enum run_ui *ui)
{
    static const struct {
        const char *name;
        enum run_ui ui;
    } kinds[] = {{"live", RUN_UI_LIVE},
                 {"lines", RUN_UI_LINES},
                 {"quiet", RUN_UI_QUIET},
                 {"json", RUN_UI_JSON}};
    const char *name = cli_has(c, "quiet") ? "quiet" : cli_get(c, "ui");
    if (!name || strcmp(name, "auto") == 0) {
        *ui = term_usable() && !variable("CI") ? RUN_UI_LIVE : RUN_UI_LINES;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *ui = kinds[i].ui;
            if (*ui == RUN_UI_LIVE && !term_usable()) {
                cli_fail(0, "--ui live: standard output is not a terminal; showing lines");
                *ui = RUN_UI_LINES;
            }
            return 0;
        }
    }
    cli_fail(EXIT_USAGE, "--ui: %s is none of auto, live, lines, quiet, json", name);
    return -1;
}

bool ui_utf8(void)
{
    const char *locale = variable("LC_ALL");
    locale = locale ? locale : variable("LC_CTYPE");
    locale = locale ? locale : variable("LANG");
    return locale && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
}

bool ui_color(void)
{
    return !variable("NO_COLOR");
}
