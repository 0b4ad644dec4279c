/* SPDX-License-Identifier: Apache-2.0 */
/* Time, in nanoseconds. */
#pragma once
#include <stdint.h>

uint64_t clock_mono_ns(void); /**< CLOCK_MONOTONIC: what events carry */
uint64_t clock_real_ns(void); /**< CLOCK_REALTIME since 1970 */
