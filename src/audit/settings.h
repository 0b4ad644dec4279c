/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of the cluster that bound times and promises, as CONFIG events. */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "history/hist.h"
#include "wire/admin.h"

/** Scope "broker". */
int settings_broker(struct admin *a, struct hist *h, int timeout_ms, struct err *e);
/** Scope "topic NAME"; *compacted: its cleanup policy removes records in the middle of the log. */
int settings_topic(struct admin *a, struct hist *h, const char *topic, int timeout_ms,
                   bool *compacted, struct err *e);
