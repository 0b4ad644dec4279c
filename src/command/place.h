/* SPDX-License-Identifier: Apache-2.0 */
/* --place ROLE=HOST:PORT[,HOST:PORT]...: where role instances live that do not live here. */
#pragma once
#include "command/command.h"
#include "plan/plan.h"

/** @return 0, or EXIT_USAGE after printing why. */
int place_parse(const struct cli *c, struct plan_conf *out);
/** Every placed role must exist in the scenario. @return 0, or EXIT_USAGE after printing why. */
int place_check(const struct plan_conf *places, const struct plan *p);
