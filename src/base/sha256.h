/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, to say which program ran. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SHA256_TEXT = 65 };

struct sha256 {
    uint32_t h[8];
    uint64_t len;
    uint8_t block[64];
};
void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
/** Lower-case hexadecimal with a NUL. */
void sha256_end(struct sha256 *s, char out[static SHA256_TEXT]);
/** Of a file's content. @return -1 with ERR_SYSTEM. */
int sha256_file(const char *path, char out[static SHA256_TEXT], struct err *e);
