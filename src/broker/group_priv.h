/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of groups. */
#pragma once
#include "broker/group.h"

/* group.c: members */
struct group_member *group_add(struct group *g, struct call *c, char *id);
void group_remove(struct group *g, struct group_member *m);
void group_set_protocols(struct group_member *m, const struct wire_value *join);
/** Counts what the member takes, and what of it is saved. */
void group_charge(struct group_member *m);
void group_set_assignment(struct group_member *m, const uint8_t *p, size_t len);
bool group_same_protocols(const struct group_member *m, const struct wire_value *join);
/** Metadata of the member for the group's protocol; NULL with *len 0 if none. */
const uint8_t *group_metadata(const struct group_member *m, size_t *len);
struct group_pending *group_find_pending(const struct group *g, const char *id);
void group_add_pending(struct group *g, char *id, int32_t session_ms);
void group_remove_pending(struct group *g, const char *id);
/** Whether a client with these protocols can be a member. */
bool group_supports(const struct group *g, const struct wire_value *join);
/** The protocol that most members prefer among those that all have. */
char *group_vote(const struct group *g);

/* group_topics.c */
/** A generation begins: notes the topics of its members. */
void group_read_topics(struct group *g);
void group_forget_topics(struct group *g);

/* group_saved.c */
/** The group's state goes into the log. */
void group_save(struct group *g);
void group_saved_free(struct group_saved *s);
/** Its coordinator does not run or is not there: whatever is due waits. */
bool group_is_frozen(const struct group *g);
enum { GROUP_FROZEN_MS = 50 }; /**< until it is looked at again */
/** Members are made by joins, or from the log; the caller fills them in. */
struct group_member *group_new_member(struct group *g, char *id);

/* group_rebalance.c */
/** A member came, changed or went. */
void group_rebalance(struct group *g);
/** Who was waited for will not come: looks whether the join phase can end, be it the first one. */
void group_try_complete(struct group *g);
/** A member's session is over. */
void group_gone(struct group *g, struct group_member *m);
/** Answers the call of a join with an error. */
void group_fail_join(struct call *c, int code, const char *member_id);
/** Answers a parked join or sync with an error, if somebody waits. */
void group_refuse_join(struct group_member *m, int code);
void group_refuse_sync(struct group_member *m, int code);
/** Answers the call of a join at once with the current generation. */
void group_answer_join(struct group_member *m, struct call *c, const char *leader, bool members);
void group_answer_sync(struct group_member *m, struct call *c);
/** Parks the call. */
void group_wait_join(struct group_member *m, struct call *c);
void group_wait_sync(struct group_member *m, struct call *c);
/** The leader has assigned. */
void group_assigned(struct group *g);
