/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold in the broker's state at any time. */
#pragma once
#include <stddef.h>

struct broker;
/** NULL, or what is wrong (in a static buffer). */
const char *invariants_broken(const struct broker *b);
/** Bytes that the process has allocated. */
size_t invariants_memory(void);
/** Prints where what nobody can free any more was allocated, if the sanitizer is there. */
void invariants_show_leaks(void);
