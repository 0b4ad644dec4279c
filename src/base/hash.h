/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing: the same value on every machine and in every version (decisions and signatures rest on
 * it). */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(uint64_t seed, const void *data, size_t len);
uint64_t hash_str(uint64_t seed, const char *s);
/** Folds a number into a hash. */
uint64_t hash_mix(uint64_t h, uint64_t value);
/** A hash as a number in [0, 1). */
double hash_unit(uint64_t h);
