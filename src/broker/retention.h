/* SPDX-License-Identifier: Apache-2.0 */
/* Old records leave: retention.bytes and retention.ms, looked at every
 * log.retention.check.interval.ms, segment by segment, as in Kafka. */
#pragma once
#include "broker/state.h"

void retention_start(struct broker *b);
void retention_stop(struct broker *b);
