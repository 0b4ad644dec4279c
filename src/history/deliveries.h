/* SPDX-License-Identifier: Apache-2.0 */
/* How often each record was delivered in this run: one table in shared memory (a file in the run
 * folder), open addressing, atomic adds, shared by the runner and all roles of the run. */
#pragma once
#include <stdint.h>

#include "base/err.h"

struct deliveries;
/** Creates (runner) or opens (role: capacity_log2 0) the file.
 *  @return NULL with ERR_SYSTEM, or ERR_PROTOCOL if the file is something else. */
struct deliveries *deliveries_open(const char *path, int capacity_log2, struct err *e);
/** Adds one delivery and returns its number, from 1; 0 when the table is full. */
uint32_t deliveries_add(struct deliveries *d, const char *group, const char *topic,
                        int32_t partition, int64_t offset);
void deliveries_close(struct deliveries *d);
