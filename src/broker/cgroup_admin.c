/* SPDX-License-Identifier: Apache-2.0 */
/* What others may ask of a consumer group: commits, the classic protocol, its state. Loop thread
 * only. */
#include <stdlib.h>
#include <string.h>

#include "broker/cgroup.h"

enum { COMMIT_FROM = 9 }; /**< OffsetCommit of members */

static struct cmember *of_instance(const struct cgroup *g, const char *instance)
{
    for (size_t i = 0; i < g->members.n; i++) {
        struct cmember *m = g->members.items[i];
        if (m->instance && strcmp(m->instance, instance) == 0) {
            return m;
        }
    }
    return NULL;
}

int cgroup_put_out(const struct group *g, const char *member, const char *instance)
{
    struct cmember *m =
        instance ? of_instance(g->consumer, instance) : cgroup_member(g->consumer, member);
    if (!m) {
        return KAFKA_UNKNOWN_MEMBER_ID;
    }
    if (instance && *member && strcmp(m->id, member) != 0) {
        return KAFKA_FENCED_INSTANCE_ID;
    }
    cgroup_remove(m);
    return KAFKA_NONE;
}

int cgroup_check_classic(const struct group *g, const char *member, const char *instance)
{
    const struct cmember *m = instance ? of_instance(g->consumer, instance) : NULL;
    return m && strcmp(m->id, member) != 0 ? KAFKA_FENCED_INSTANCE_ID : KAFKA_UNKNOWN_MEMBER_ID;
}

int cgroup_yield(struct group *g)
{
    if (g->consumer && g->consumer->members.n > 0) {
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    }
    cgroup_free(g->consumer);
    return KAFKA_NONE;
}

int cgroup_check_commit(const struct group *g, const char *member, const char *instance,
                        int64_t epoch, int version, bool txn)
{
    const struct cgroup *c = g->consumer;
    if (epoch < 0 && c->members.n == 0) {
        return KAFKA_NONE; /* an admin, or a consumer that manages no group */
    }
    if (txn && epoch == -1 && !*member && !instance) {
        return KAFKA_NONE;
    }
    const struct cmember *m = cgroup_member(c, member);
    if (!m) {
        return KAFKA_UNKNOWN_MEMBER_ID;
    }
    if (!txn && version < COMMIT_FROM) {
        return KAFKA_UNSUPPORTED_VERSION;
    }
    return epoch > m->epoch ? txn ? KAFKA_ILLEGAL_GENERATION : KAFKA_STALE_MEMBER_EPOCH
                            : KAFKA_NONE;
}

int cgroup_check_partition(const struct group *g, const char *member, int64_t epoch,
                           const struct partition *p)
{
    const struct cmember *m = cgroup_member(g->consumer, member);
    struct cpart key = {.index = p->index};
    memcpy(key.topic, p->topic->id, sizeof key.topic);
    if (!m || epoch == m->epoch) {
        return KAFKA_NONE;
    }
    const struct cpart *has = cparts_find(&m->assigned, &key);
    has = has ? has : cparts_find(&m->revoking, &key);
    return has && epoch >= has->epoch ? KAFKA_NONE : KAFKA_STALE_MEMBER_EPOCH;
}

int cgroup_check_fetch(const struct group *g, const char *member, int64_t epoch)
{
    if (!member) { /* who says an epoch and no name gets what Kafka has for it */
        return epoch < 0 ? KAFKA_NONE : KAFKA_UNKNOWN_SERVER_ERROR;
    }
    const struct cmember *m = cgroup_member(g->consumer, member);
    return !m ? KAFKA_UNKNOWN_MEMBER_ID : m->epoch != epoch ? KAFKA_STALE_MEMBER_EPOCH : KAFKA_NONE;
}

bool cgroup_subscribed(const struct group *g, const char *topic)
{
    const struct cgroup *c = g->consumer;
    for (size_t i = 0; i < c->members.n; i++) {
        if (cgroup_wants(c->members.items[i], topic)) {
            return true;
        }
    }
    return false;
}

const char *cgroup_state_name(const struct cgroup *g)
{
    if (g->members.n == 0) {
        return "Empty";
    }
    if (g->epoch > g->assignment_epoch) {
        return "Assigning";
    }
    for (size_t i = 0; i < g->members.n; i++) {
        const struct cmember *m = g->members.items[i];
        if (m->state != CMEMBER_STABLE || m->epoch != g->assignment_epoch) {
            return "Reconciling";
        }
    }
    return "Stable";
}
