/* SPDX-License-Identifier: Apache-2.0 */
/* What a broker would refuse again and again without a word in the client: a consumer whose session
 * timeout is outside the broker's limits (INVALID_SESSION_TIMEOUT) joins for ever. Kafka's default
 * lower limit is 6 s, and kaos's clients ask for 3 s unless they are told otherwise, so that deaths
 * are noticed early. */
#include <stdlib.h>
#include <string.h>

#include "run/internal.h"
#include "wire/admin.h"

enum { TIMEOUT_MS = 10000 };

/** A role that names no session timeout gets the broker's least; one that names too short a one is
 * refused. */
static int check_role(const struct plan_role *role, int64_t least, struct err *e)
{
    const char *protocol = plan_conf_get(&role->conf, "group.protocol");
    int64_t asked = plan_conf_ms(&role->conf, "session.timeout.ms", least);
    if (asked >= least || (protocol && strcmp(protocol, "consumer") == 0)) {
        return 0;
    }
    return err_set(e, ERR_USAGE, 26,
                   "role %s: session.timeout.ms is %lld, and this cluster takes none below %lld "
                   "(group.min.session.timeout.ms): raise the one in the `conf` of the role, or "
                   "lower the other on the brokers",
                   role->name, (long long)asked, (long long)least);
}

int limits_check(struct run *r, struct admin *a, struct err *e)
{
    struct admin_metadata md;
    struct admin_configs conf;
    struct err ignored;
    char node[16];
    int rc = 0;
    if (admin_metadata(a, (const char *const[]){NULL}, 0, TIMEOUT_MS, &md, e) < 0) {
        return err_wrap(e, "asking for the brokers");
    }
    snprintf(node, sizeof node, "%d", md.nbrokers ? md.brokers[0].id : -1);
    if (md.nbrokers &&
        admin_describe_configs(a, ADMIN_BROKER, node, TIMEOUT_MS, &conf, &ignored) == 0) {
        const char *least = admin_config_get(&conf, "group.min.session.timeout.ms");
        r->session_least = least ? strtoll(least, NULL, 10) : 0;
        for (size_t i = 0; rc == 0 && i < r->plan->roles.n; i++) {
            const struct plan_role *role = &r->plan->roles.items[i];
            rc = plan_is_program(role) ? 0 : check_role(role, r->session_least, e);
        }
        admin_configs_free(&conf);
    } /* a cluster that keeps its settings to itself is not asked */
    admin_metadata_free(&md);
    return rc;
}
