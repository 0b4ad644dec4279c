/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the parts of a verdict, and its end. */
#include "check/verdict.h"

#include <stdlib.h>

#include "base/mem.h"
#include "check/pool.h"

const char *verdict_name(enum verdict_code code)
{
    static const char *const names[] = {"PASS", "FAIL", "INCONCLUSIVE", "ERROR", "SETUP"};
    return names[code];
}

const char *finding_class_name(enum finding_class c)
{
    static const char *const names[] = {"safety", "liveness", "threshold"};
    return names[c];
}

const char *finding_blame_name(enum finding_blame b)
{
    static const char *const names[] = {"application", "client_library", "client_side",
                                        "broker",      "protocol",       "configuration",
                                        "harness",     "undetermined"};
    return names[b];
}

const char *prop_state_name(enum prop_state s)
{
    static const char *const names[] = {"held", "violated", "inconclusive"};
    return names[s];
}

struct verdict *verdict_error(enum verdict_code code, const char *scenario, const char *reason)
{
    struct verdict *v = xcalloc(1, sizeof *v);
    v->pool = pool_new();
    v->code = code;
    v->exit_code = code == VERDICT_ENVIRONMENT ? 4 : 3;
    v->scenario = pool_str(v->pool, scenario);
    v->reason = pool_str(v->pool, reason);
    v->reasons = pool_alloc(v->pool, sizeof *v->reasons);
    v->reasons[0] = v->reason;
    v->nreasons = 1;
    return v;
}

void verdict_free(struct verdict *v)
{
    if (v) {
        pool_free(v->pool);
        free(v);
    }
}
