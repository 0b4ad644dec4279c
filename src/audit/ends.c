/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how the ends of the declared topics become text that can be compared. */
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/scan.h"
#include "audit/topics.h"
#include "base/clock.h"
#include "base/mem.h"

enum { ASK_MS = 30000 };

static int by_name(const void *a, const void *b)
{
    const struct admin_topic *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int write_topic(struct admin *a, const struct admin_topic *t, uint64_t deadline_ns,
                       struct buf *out, struct err *e)
{
    for (size_t i = 0; i < t->npartitions; i++) {
        struct admin_offset at;
        int32_t partition = t->partitions[i].index;
        if (admin_list_offsets(a, t->name, partition, ADMIN_LATEST, ADMIN_READ_UNCOMMITTED,
                               scan_left_ms(deadline_ns, ASK_MS), &at, e) < 0) {
            return err_wrap(e, "finding the end of %s-%d", t->name, (int)partition);
        }
        buf_printf(out, "%s %d %lld\n", t->name, (int)partition, (long long)at.offset);
    }
    return 0;
}

int audit_ends(const char *bootstrap, const struct plan *p, int timeout_ms, struct buf *out,
               struct err *e)
{
    uint64_t deadline = clock_mono_ns() + (uint64_t)timeout_ms * 1000000;
    struct admin_metadata md = {0};
    struct err missing = {0};
    struct admin *a = admin_open(bootstrap, "kaos-audit", e);
    int rc = a ? topics_read(a, p, true, timeout_ms, &md, &missing, e) : -1;
    if (rc == 0 && missing.kind != ERR_NONE) {
        *e = missing;
        rc = -1;
    }
    if (rc == 0 && md.ntopics > 0) {
        qsort(md.topics, md.ntopics, sizeof *md.topics, by_name);
    }
    for (size_t i = 0; rc == 0 && i < md.ntopics; i++) {
        rc = write_topic(a, &md.topics[i], deadline, out, e);
    }
    admin_metadata_free(&md);
    admin_close(a);
    return rc;
}
