/* SPDX-License-Identifier: Apache-2.0 */
/* Host names with a deadline. */
#pragma once
#include <netdb.h>
#include <stdint.h>

#include "base/err.h"

/** Addresses of host:port; caller frees with freeaddrinfo. @return NULL with ERR_TIMEOUT or
 *  ERR_SYSTEM naming the host. */
struct addrinfo *resolve(const char *host, int port, uint64_t deadline_ns, struct err *e);
