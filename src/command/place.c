/* SPDX-License-Identifier: Apache-2.0 */
/* Reading --place. */
#include "command/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/** HOST:PORT, with a port from 1 to 65535. */
static bool is_address(const char *s, size_t len)
{
    const char *colon = memchr(s, ':', len);
    char *end;
    if (!colon || colon == s) {
        return false;
    }
    unsigned long port = strtoul(colon + 1, &end, 10);
    return end == s + len && port >= 1 && port <= 65535;
}

static bool all_addresses(const char *list)
{
    for (const char *s = list;; s++) {
        size_t len = strcspn(s, ",");
        if (!is_address(s, len)) {
            return false;
        }
        s += len;
        if (!*s) {
            return true;
        }
    }
}

int place_parse(const struct cli *c, struct plan_conf *out)
{
    const char *text;
    for (size_t k = 0; (text = cli_nth(c, "place", k)); k++) {
        const char *eq = strchr(text, '=');
        if (!eq || eq == text || !all_addresses(eq + 1)) {
            return cli_fail(EXIT_USAGE, "--place: %s is not ROLE=HOST:PORT[,HOST:PORT]...", text);
        }
        char *role = xmemdup0(text, (size_t)(eq - text));
        plan_conf_set(out, role, eq + 1);
        free(role);
    }
    return 0;
}

int place_check(const struct plan_conf *places, const struct plan *p)
{
    for (size_t i = 0; i < places->n; i++) {
        if (!plan_role(p, places->items[i].name)) {
            return cli_fail(EXIT_USAGE, "--place: scenario %s has no role `%s`", p->name,
                            places->items[i].name);
        }
    }
    return 0;
}
