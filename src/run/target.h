/* SPDX-License-Identifier: Apache-2.0 */
/* Which node of the cluster has a role now: leader of a partition, coordinator, controller. */
#pragma once
#include "plan/plan.h"
#include "wire/admin.h"

/** Who is looked for; strings are borrowed. */
struct target {
    enum plan_target kind; /**< none of ANY, NUMBER, ROLE_TXN */
    const char *of;        /**< topic, group or transactional id */
    int partition;
    bool known; /**< the group or id is in use: every cluster has a coordinator for any name */
};

/** Asks the cluster. @return the node, -1 with why there is none. Blocks for at most timeout_ms. */
int target_resolve(struct admin *a, const struct target *t, int timeout_ms, struct err *e);
/** Whether a node is in sync on every partition that has a replica on it. @return -1 with the first
 *  partition that lacks it, or why the cluster could not be asked. */
int target_in_sync(struct admin *a, int node, int timeout_ms, struct err *e);

struct run;
struct fault_clock;
/** node <= 0: e says why there is none. meant is the target in words. */
typedef void (*target_fn)(struct fault_clock *c, int node, const char *meant, const struct err *e);
/** Resolves the target of a clock's fault on a pool thread, then calls fn on the loop; not after
 *  the run failed. @return false: it cannot be asked yet, *why says why. */
bool target_ask(struct fault_clock *c, target_fn fn, const char **why);
/** The same for target_in_sync: node is 0 until it is in sync. */
void target_ask_sync(struct fault_clock *c, int node, target_fn fn);
