/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold in the broker's state at any time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct broker;
/** NULL, or what is wrong (in a static buffer). */
const char *invariants_broken(const struct broker *b);
/** Bytes that the process has allocated. */
size_t invariants_memory(void);
/** Prints where what nobody can free any more was allocated. @return false without the sanitizer:
 *  then the allocator's own caches count, and more memory than before is no leak. */
bool invariants_show_leaks(void);
