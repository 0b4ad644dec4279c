/* SPDX-License-Identifier: Apache-2.0 */
/* Free TCP ports on 127.0.0.1 for listeners that must survive a restart. */
#pragma once
#include <stddef.h>

#include "base/err.h"

/** Fills out with n different ports that can be bound now. They lie outside the kernel's range for
 *  outgoing connections: while a node is down nobody's client socket may take its port, and a
 * client that connects to it again and again cannot meet itself. ERR_SYSTEM when there are none. */
int ports_pick(int *out, size_t n, struct err *e);
