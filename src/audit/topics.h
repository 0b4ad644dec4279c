/* SPDX-License-Identifier: Apache-2.0 */
/* Which partitions there are, as soon as all of the declared ones have a leader. */
#pragma once
#include "base/err.h"
#include "plan/plan.h"
#include "wire/admin.h"

/** Metadata of all topics (declared_only: of the declared ones). Waits within the bound until every
 *  declared topic is there with a leader for each partition; then, or when the bound has passed,
 *  what is missing is said in missing ("" = nothing) and the rest is usable.
 *  @return -1 when there is no metadata at all. */
int topics_read(struct admin *a, const struct plan *p, bool declared_only, int timeout_ms,
                struct admin_metadata *out, struct err *missing, struct err *e);
