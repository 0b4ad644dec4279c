/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at the logs themselves: offsets dense from batch to batch, sums right, start <= last stable
 * offset <= end, nothing beyond the memory limit. */
#include "invariants.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>

#include "broker/part.h"
#include "broker/state.h"

#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc 12 has it without a header */

int __lsan_do_recoverable_leak_check(void);
bool invariants_show_leaks(void)
{
    __lsan_do_recoverable_leak_check();
    return true;
}
size_t invariants_memory(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
bool invariants_show_leaks(void)
{
    return false;
}
size_t invariants_memory(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}
#endif

static char why[300];

static const char *broken(const struct partition *p, const char *what, int64_t a, int64_t b)
{
    snprintf(why, sizeof why, "%s-%d: %s (%" PRId64 ", %" PRId64 ")", p->topic->name, (int)p->index,
             what, a, b);
    return why;
}

static const char *check_segment(const struct partition *p, const struct plog_segment *s,
                                 int64_t *next)
{
    struct batch_iter it;
    struct batch x;
    enum batch_next got;
    batch_iter_init(&it, s->data, s->len);
    if (s->base != *next) {
        return broken(p, "a segment does not follow the one before", s->base, *next);
    }
    while ((got = batch_iter_next(&it, &x)) == BATCH_OK) {
        if (x.base_offset != *next) {
            return broken(p, "a batch does not follow the one before", x.base_offset, *next);
        }
        *next = x.base_offset + x.last_offset_delta + 1;
    }
    if (got == BATCH_BAD || it.pos != s->len) {
        return broken(p, "a stored batch makes no sense", (int64_t)it.pos, (int64_t)s->len);
    }
    return s->next == *next ? NULL : broken(p, "a segment's end is wrong", s->next, *next);
}

static const char *check_partition(const struct partition *p, uint64_t *bytes)
{
    const struct plog *l = &p->log;
    int64_t lso = part_lso(p), next = l->segments.n ? l->segments.items[0]->base : l->end;
    size_t sum = 0;
    for (size_t i = 0; i < l->segments.n; i++) {
        const char *bad = check_segment(p, l->segments.items[i], &next);
        if (bad) {
            return bad;
        }
        const struct plog_segment *x = l->segments.items[i];
        size_t data = x->kept.cap ? x->kept.cap : x->cap;
        sum += sizeof *x + data + x->marks.cap * sizeof *x->marks.items;
    }
    if (next != l->end) {
        return broken(p, "the log does not end where its batches do", l->end, next);
    }
    if (l->start < 0 || l->start > l->end || plog_batch_base(l, l->start) > lso || lso > l->end) {
        return broken(p, "start, last stable offset and end are out of order", l->start, lso);
    }
    if (sum != l->bytes) {
        return broken(p, "the size of the log is wrong", (int64_t)sum, (int64_t)l->bytes);
    }
    *bytes += sum;
    return NULL;
}

const char *invariants_broken(const struct broker *b)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < b->topics.n; i++) {
        const struct topic *t = b->topics.items[i].p;
        for (int32_t k = 0; t && k < t->nparts; k++) {
            const char *bad = check_partition(t->parts[k], &bytes);
            if (bad) {
                return bad;
            }
        }
    }
    if (bytes > b->used) {
        snprintf(why, sizeof why, "logs of %" PRIu64 " bytes are counted as %" PRIu64, bytes,
                 b->used);
        return why;
    }
    return NULL;
}
