/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of topics: 16 bytes, all zero = none. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TOPIC_ID_BYTES = 16 };

static inline bool topic_id_is_none(const uint8_t id[static TOPIC_ID_BYTES])
{
    static const uint8_t none[TOPIC_ID_BYTES];
    return memcmp(id, none, sizeof none) == 0;
}
