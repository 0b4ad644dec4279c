/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of partitions, by topic id. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/topic_id.h"

struct cpart {
    uint8_t topic[TOPIC_ID_BYTES];
    int32_t index;
    int32_t epoch; /**< of the member when it got the partition; no part of the identity */
};
/** Sorted, without duplicates; {0} is empty. */
struct cparts {
    struct cpart *items;
    size_t n, cap;
};

/** Appends without sorting. */
void cparts_add(struct cparts *s, const uint8_t topic[static TOPIC_ID_BYTES], int32_t index,
                int32_t epoch);
/** Brings what was appended into order. */
void cparts_sort(struct cparts *s);
/** The element, or NULL. */
const struct cpart *cparts_find(const struct cparts *s, const struct cpart *p);
bool cparts_equal(const struct cparts *a, const struct cparts *b);
bool cparts_meet(const struct cparts *a, const struct cparts *b);
bool cparts_within(const struct cparts *a, const struct cparts *whole);
/** Appends those of `from` that are, or are not, in `other`. */
void cparts_take(struct cparts *to, const struct cparts *from, const struct cparts *other, bool in);
void cparts_free(struct cparts *s);
/** s becomes what *from was; *from becomes empty. */
void cparts_move(struct cparts *s, struct cparts *from);
