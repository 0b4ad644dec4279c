/* SPDX-License-Identifier: Apache-2.0 */
/* Values of params from the outside: --param, KAOS_PARAM_NAME, --params FILE; in this order of
 * precedence. */
#pragma once
#include "command/command.h"
#include "lua/load.h"

struct params_given {
    struct plan_conf flags; /**< --param: every selected scenario must declare the name */
    struct plan_conf loose; /**< the others: for the scenarios that declare the name */
};
/** @return -1 after printing what is wrong. */
int params_parse(struct params_given *g, const struct cli *c);
/** What applies to a scenario, in rising precedence. */
void params_for(const struct params_given *g, const struct load_scenario *s, struct plan_conf *out);
bool params_declared(const struct load_scenario *s, const char *name);
void params_free(struct params_given *g);
