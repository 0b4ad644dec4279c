/* SPDX-License-Identifier: Apache-2.0 */
/* The codecs of record batches. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "wire/batch.h"

/** Appends the decompressed bytes to out, at most limit. @return NULL, or what is wrong. */
const char *compress_decode(int codec, const void *data, size_t len, size_t limit, struct buf *out);
/** Appends the compressed bytes to out. @return NULL, or what is wrong. */
const char *compress_encode(int codec, bool snappy_raw, const void *data, size_t len,
                            struct buf *out);
