/* SPDX-License-Identifier: Apache-2.0 */
/* Hides that metadata may lag behind what was created a moment ago or behind a broker's death. */
#include "audit/topics.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/scan.h"
#include "base/clock.h"
#include "base/mem.h"

enum { ASK_MS = 10000, PAUSE_US = 100000 };

static const struct admin_topic *find(const struct admin_metadata *md, const char *name)
{
    for (size_t i = 0; i < md->ntopics; i++) {
        if (strcmp(md->topics[i].name, name) == 0) {
            return &md->topics[i];
        }
    }
    return NULL;
}

/** @return -1 with what is missing. */
static int judge(const struct admin_metadata *md, const struct plan *p, struct err *missing)
{
    for (size_t i = 0; i < p->topics.n; i++) {
        const struct plan_topic *want = &p->topics.items[i];
        const struct admin_topic *t = find(md, want->name);
        if (!t || t->error) {
            int code = t ? t->error : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            return err_set(missing, ERR_BROKER, code, "topic %s is not there: %s", want->name,
                           kafka_error_name(code));
        }
        if (t->npartitions < (size_t)(want->partitions > 0 ? want->partitions : 1)) {
            return err_set(missing, ERR_BROKER, 0, "topic %s has %zu partitions, not %d",
                           want->name, t->npartitions, want->partitions);
        }
        for (size_t k = 0; k < t->npartitions; k++) {
            if (t->partitions[k].leader < 0) {
                return err_set(missing, ERR_BROKER, KAFKA_LEADER_NOT_AVAILABLE,
                               "%s-%d has no leader", want->name, (int)t->partitions[k].index);
            }
        }
    }
    return 0;
}

int topics_read(struct admin *a, const struct plan *p, bool declared_only, int timeout_ms,
                struct admin_metadata *out, struct err *missing, struct err *e)
{
    uint64_t deadline = clock_mono_ns() + (uint64_t)timeout_ms * 1000000;
    const char **names = xcalloc(p->topics.n + 1, sizeof *names);
    bool have = false, good = false;
    *out = (struct admin_metadata){0};
    for (size_t i = 0; i < p->topics.n; i++) {
        names[i] = p->topics.items[i].name;
    }
    do {
        struct admin_metadata md;
        int rc = admin_metadata(a, declared_only ? names : NULL, declared_only ? p->topics.n : 0,
                                scan_left_ms(deadline, ASK_MS), &md, e);
        if (rc == 0) {
            admin_metadata_free(out);
            *out = md;
            have = true;
            err_clear(missing);
            good = judge(out, p, missing) == 0;
        } else {
            admin_metadata_free(&md);
        }
    } while (!good && clock_mono_ns() + (uint64_t)PAUSE_US * 1000 < deadline &&
             usleep(PAUSE_US) == 0);
    free(names);
    return have ? 0 : err_wrap(e, "reading the cluster's metadata");
}
