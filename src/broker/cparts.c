/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how sets of partitions are kept: sorted arrays, searched by halving. Loop thread only. */
#include "broker/cparts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int compare(const void *x, const void *y)
{
    const struct cpart *a = x, *b = y;
    int d = memcmp(a->topic, b->topic, sizeof a->topic);
    return d ? d : (a->index > b->index) - (a->index < b->index);
}

void cparts_add(struct cparts *s, const uint8_t topic[static TOPIC_ID_BYTES], int32_t index,
                int32_t epoch)
{
    struct cpart *p = VEC_PUSH(s);
    memcpy(p->topic, topic, sizeof p->topic);
    p->index = index;
    p->epoch = epoch;
}

void cparts_sort(struct cparts *s)
{
    size_t n = 0;
    if (s->n == 0) {
        return;
    }
    qsort(s->items, s->n, sizeof *s->items, compare);
    for (size_t i = 1; i < s->n; i++) {
        if (compare(&s->items[n], &s->items[i]) != 0) {
            s->items[++n] = s->items[i];
        }
    }
    s->n = n + 1;
}

const struct cpart *cparts_find(const struct cparts *s, const struct cpart *p)
{
    return s->n ? bsearch(p, s->items, s->n, sizeof *s->items, compare) : NULL;
}

bool cparts_within(const struct cparts *a, const struct cparts *whole)
{
    for (size_t i = 0; i < a->n; i++) {
        if (!cparts_find(whole, &a->items[i])) {
            return false;
        }
    }
    return true;
}

bool cparts_equal(const struct cparts *a, const struct cparts *b)
{
    return a->n == b->n && cparts_within(a, b);
}

bool cparts_meet(const struct cparts *a, const struct cparts *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (cparts_find(b, &a->items[i])) {
            return true;
        }
    }
    return false;
}

void cparts_take(struct cparts *to, const struct cparts *from, const struct cparts *other, bool in)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct cpart *p = &from->items[i];
        if ((cparts_find(other, p) != NULL) == in) {
            cparts_add(to, p->topic, p->index, p->epoch);
        }
    }
}

void cparts_free(struct cparts *s)
{
    free(s->items);
    *s = (struct cparts){0};
}

void cparts_move(struct cparts *s, struct cparts *from)
{
    free(s->items);
    *s = *from;
    *from = (struct cparts){0};
}
