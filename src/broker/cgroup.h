/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of the consumer protocol (KIP-848). The broker assigns: each change of members or topics
 * raises the group's epoch; a new target follows; each member is then led to its target, heartbeat
 * by heartbeat. A partition is given only when nobody has it any more:
 *
 *             has to give up partitions              has given them up
 *   STABLE ─────────────────────────────▶ UNREVOKED ──────────────────▶ STABLE
 *     │ ▲                                     │                           ▲
 *     │ └── the others have let go ──┐        ▼                           │
 *     └─────────────────────────▶ UNRELEASED ◀┘ waits for what others have ┘
 */
#pragma once
#include "broker/cparts.h"
#include "broker/group.h"

enum { CGROUP_LEAVE = -1, CGROUP_LEAVE_STATIC = -2 }; /**< epochs in a heartbeat */

struct cnames {
    char **items; /**< sorted */
    size_t n, cap;
};
enum cmember_state { CMEMBER_STABLE, CMEMBER_UNREVOKED, CMEMBER_UNRELEASED };
struct cmember {
    struct cgroup *group;
    char *id, *instance, *rack, *client_id, *host;
    char *assignor; /**< the one it wants, NULL = any */
    char *regex;    /**< NULL = none */
    struct tregex *matcher;
    struct cnames topics;
    struct cnames found; /**< topics that the pattern stands for, as of the last look */
    uint64_t found_ms;   /**< monotonic, of that look; 0 = nobody has looked yet */
    int32_t rebalance_ms, epoch, previous; /**< epoch CGROUP_LEAVE_STATIC = it will be back */
    enum cmember_state state;
    struct cparts assigned, revoking, target;
    struct timer *session, *rebalance;
    size_t cost; /**< as counted */
};
struct cgroup {
    struct group *base; /**< id, offsets */
    int32_t epoch, assignment_epoch;
    uint64_t assigned_ms; /**< monotonic, of the last target; 0 = never */
    uint64_t topics_hash; /**< of the topics subscribed to: ids and numbers of partitions */
    uint64_t topics_at;   /**< broker.topics_at when that was computed */
    uint64_t checked_at;  /**< broker.topics_at when it was seen whether patterns stand for more */
    struct {
        struct cmember **items;
        size_t n, cap;
    } members;
};

/** One heartbeat, all borrowed; NULL = not said, that is, as before. */
struct cgroup_ask {
    const char *member, *instance, *rack, *assignor, *regex, *client_id, *host;
    const struct wire_value *topics; /**< a list of names */
    const struct cparts *owned;
    int32_t epoch, rebalance_ms; /**< -1 = as before */
};
struct cgroup_told {
    const struct cmember *member;
    bool changed;    /**< it has other partitions than before */
    const char *why; /**< for errors, NULL = nothing to say */
};

/** A member joins or shows that it lives. @return Kafka's code. */
int cgroup_beat(struct broker *b, const char *group, const struct cgroup_ask *ask,
                struct cgroup_told *told);
/** A member leaves, epoch CGROUP_LEAVE or CGROUP_LEAVE_STATIC. @return Kafka's code. */
int cgroup_leave(struct broker *b, const char *group, const struct cgroup_ask *ask,
                 const char **why);
/** LeaveGroup: "" = whoever has the instance. @return Kafka's code. */
int cgroup_put_out(const struct group *g, const char *member, const char *instance);
/** What other requests of the classic protocol get here: none of its members is in the group. */
int cgroup_check_classic(const struct group *g, const char *member, const char *instance);
/** Somebody joins by the classic protocol: an empty group becomes a classic one. @return Kafka's
 *  code. */
int cgroup_yield(struct group *g);
/** Whether a commit is of a member of now. @return Kafka's code. */
int cgroup_check_commit(const struct group *g, const char *member, const char *instance,
                        int64_t epoch, int version, bool txn);
/** The same for one partition: an old epoch counts for what the member has had since. */
int cgroup_check_partition(const struct group *g, const char *member, int64_t epoch,
                           const struct partition *p);
/** Whether OffsetFetch may be answered. @return Kafka's code. */
int cgroup_check_fetch(const struct group *g, const char *member, int64_t epoch);
/** Whether a member subscribes to the topic. */
bool cgroup_subscribed(const struct group *g, const char *topic);
/** As Kafka names it. */
const char *cgroup_state_name(const struct cgroup *g);
/** The assignor that most members want. When as many want another one, Kafka takes the wish of
 *  `by`, whose heartbeat it is, if nobody shares it; NULL = nobody's. */
const char *cgroup_assignor(const struct cgroup *g, const struct cmember *by);
bool cgroup_is_assignor(const char *name);
int32_t cgroup_interval_ms(const struct group *g);
void cgroup_free(struct cgroup *g);
/** The coordinator is gone: nobody's time runs. And: another one has read the log, where all of it
 *  is; all times begin anew. */
void cgroup_unload(struct cgroup *g);
void cgroup_load(struct cgroup *g);

/* Shared by the files of consumer groups. */
struct cmember *cgroup_member(const struct cgroup *g, const char *id);
/** Appends the topics that exist and that the member subscribes to; index = how many partitions. */
void cgroup_topics(const struct cmember *m, struct cparts *out);
bool cgroup_wants(const struct cmember *m, const char *topic);
/** cgroup_assign.c: computes the targets of all members, at a heartbeat of `by`. */
void cgroup_assign(struct cgroup *g, const struct cmember *by);
/** cgroup_reconcile.c: leads a member one step towards its target; owned NULL = not said;
 *  resubscribed: its subscription has changed. */
void cgroup_reconcile(struct cmember *m, const struct cparts *owned, bool resubscribed);
/** The time in which a member has to give up what it must begins, if it must. */
void cgroup_watch(struct cmember *m);
/** Out with the member; the group's epoch rises. */
void cgroup_remove(struct cmember *m);
