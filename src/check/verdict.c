/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the parts of a verdict, and its end. */
#include "check/verdict.h"

#include <stdlib.h>

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

void verdict_free(struct verdict *v)
{
    if (v) {
        pool_free(v->pool);
        free(v);
    }
}
