/* SPDX-License-Identifier: Apache-2.0 */
/* Groups, and how those of the classic protocol live (the others: cgroup.h):
 *
 *   EMPTY ─▶ PREPARING ─▶ COMPLETING ─▶ STABLE
 *     ▲          ▲ └─────────┴───────────┘ a member joins, changes or goes
 *     └──────────┘ nobody is left
 */
#pragma once
#include "broker/call.h"

enum group_state { GROUP_EMPTY, GROUP_PREPARING, GROUP_COMPLETING, GROUP_STABLE };

struct group_protocol {
    char *name;
    uint8_t *metadata;
    size_t len;
};
struct group_member {
    struct group *group;
    char *id, *instance; /**< instance NULL = dynamic */
    char *client_id, *host;
    int32_t session_ms, rebalance_ms;
    struct group_protocol *protocols;
    size_t nprotocols;
    uint8_t *assignment;
    size_t assignment_len;
    bool fresh;                         /**< has never been told its id */
    bool joining, syncing;              /**< waits for the answer, though maybe nobody listens */
    struct call *join_call, *sync_call; /**< NULL when nobody listens any more */
    bool pending_sync;                  /**< has not yet asked for its assignment */
    struct timer *session;
    size_t cost; /**< as counted */
};
struct group_pending { /**< was told its member id and has not come back yet */
    char *id;
    struct group *group;
    struct timer *timer;
    size_t cost; /**< as counted */
};
struct group_offset {
    char *topic;
    int32_t partition;
    int64_t offset;
    int32_t leader_epoch;
    char *metadata;
    int64_t commit_ms;
    size_t cost;         /**< as counted */
    int64_t record;      /**< offset of its record in __consumer_offsets: the later one wins */
    int64_t producer_id; /**< of the transaction it is pending in; unused when committed */
};
struct group_offsets {
    struct group_offset *items;
    size_t n, cap;
    struct broker *b;
};

/** What the log of __consumer_offsets says of a group: what a new coordinator begins with. */
struct group_saved;

struct group {
    struct broker *b;
    struct group_saved *saved; /**< NULL = nothing */
    char *id;
    struct cgroup *consumer; /**< of the consumer protocol; NULL = classic, as all below is */
    enum group_state state;
    int32_t generation;
    char *protocol_type, *protocol; /**< NULL = none */
    struct group_member *leader;
    struct {
        struct group_member **items;
        size_t n, cap;
    } members;
    struct {
        struct group_pending **items;
        size_t n, cap;
    } pending;
    struct {
        struct map names;
        bool known;
        size_t cost; /**< as counted */
    } topics;        /**< that its members subscribed to when the generation began */
    struct timer *join_timer, *sync_timer;
    size_t cost;                          /**< of itself, as counted */
    bool initial;                         /**< the first rebalance, which is delayed */
    bool grew;                            /**< a new member came during the initial delay */
    uint64_t initial_end;                 /**< monotonic ms: no longer than this */
    struct group_offsets committed, held; /**< held: of open transactions */
};

/** NULL = there is none. */
struct group *group_find(const struct broker *b, const char *id);
struct group *group_get(struct broker *b, const char *id);
/** The group has no members. */
void group_delete(struct group *g);
void group_free_all(struct broker *b);
/** The partition of __consumer_offsets whose leader coordinates the id. */
struct partition *group_home(struct broker *b, const char *id);
/** Whether the node that was asked coordinates the id: 0, 14 or 16. */
int group_here(const struct call *c, const char *id);
/** The same for what only reads. */
int group_readable(const struct call *c, const char *id);
/** The coordinator of the groups in this partition is gone: all that is not in the log is, too, and
 *  who waits is refused. And: another one has read the log; sessions begin anew. */
void group_unload(struct broker *b, const struct partition *home);
void group_load(struct broker *b, const struct partition *home);
/** An empty group forgets what the classic protocol knows; its offsets stay. */
void group_drop_classic(struct group *g);
/** Whether it has no members, of whatever protocol. */
bool group_is_empty(const struct group *g);
/** As Kafka names it. */
const char *group_state_name(const struct group *g);

struct group_member *group_member(const struct group *g, const char *id);
struct group_member *group_static(const struct group *g, const char *instance);
/** Members are consumers, as their protocol type says. */
bool group_is_consumers(const struct group *g);
/** Whether a member subscribed to the topic when the generation began, or may have: of consumers
 *  only. */
bool group_subscribes(const struct group *g, const char *topic);
/** Kafka's code: 25 unknown, 82 another member has the instance. */
int group_check_member(const struct group *g, const char *id, const char *instance);
/** The member has shown that it lives. */
void group_touch(struct group_member *m);

/** @return Kafka's error code. After 0, and when all of a request have gone: group_left(). */
int group_leave(struct group *g, const char *id, const char *instance);
void group_left(struct group *g);
