/* SPDX-License-Identifier: Apache-2.0 */
/* Time, in nanoseconds. */
#pragma once
#include <stdint.h>

uint64_t clock_mono_ns(void); /**< CLOCK_MONOTONIC: what events carry */
/** As clock_mono_ns(), by the processor's counter where it is the kernel's clock too: a third of
 * the price, at most a microsecond away from it, never behind an earlier call of the same thread.
 */
uint64_t clock_fast_ns(void);
uint64_t clock_real_ns(void); /**< CLOCK_REALTIME since 1970 */
