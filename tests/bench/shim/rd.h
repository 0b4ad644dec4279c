/* SPDX-License-Identifier: Apache-2.0 */
/* What Debian's rdkafka_performance.c needs of librdkafka's private headers, which Debian does not
 * ship. */
#pragma once
#include <stdint.h>
#include <stdio.h>

#define RD_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RD_MAX(a, b) ((a) > (b) ? (a) : (b))
#define rd_snprintf  snprintf
