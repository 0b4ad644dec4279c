/* SPDX-License-Identifier: Apache-2.0 */
/* The START frame, read and checked. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "plan/plan.h"

struct start {
    char *scenario, *role, *run, *bootstrap, *history, *deliveries, *suffix;
    char *builtin, *topic; /**< NULL for a role of the scenario */
    int index, incarnation;
    uint64_t seed;
    bool faults_on, draining;
    int64_t session_least; /**< what the brokers take, ms; 0 = not known */
    struct plan_conf params, env;
    int *off; /**< faults that their mix has off */
    size_t noff;
};

/** A JSON array of numbers of faults; caller frees *out. What is no number is left out. */
size_t start_numbers(const json_t *list, int **out);

/** @return -1 with ERR_PROTOCOL naming the member */
int start_parse(struct start *s, const char *data, size_t len, struct err *e);
void start_free(struct start *s);
