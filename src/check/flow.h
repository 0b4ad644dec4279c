/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs and their effects, matched: what exactly_once, no_loss and no_duplicates look at. */
#pragma once
#include "check/anomaly.h"

struct flow_effect {
    const struct m_record *r;  /**< in the destination topic, or delivered to the role */
    const struct m_deliver *d; /**< destination is a role */
    uint32_t next;             /**< index + 1 of the next effect of the item, 0 = none */
    bool maybe;                /**< of a transaction whose end is not known */
};
struct flow_input {
    struct m_record *r;
    uint32_t next;
};
struct flow_item {
    const char *id;               /**< as text; NULL = the record's or send's name */
    struct m_proc *proc;          /**< source is a role: who sent it */
    int64_t seq;                  /**< and its number */
    uint32_t input, effect, last; /**< index + 1 of first input, first and last effect */
    int32_t inputs, sure, maybe;
    int32_t probes; /**< effects that only the restart probe added */
    bool required;
};
struct flow {
    struct judge *j;
    const struct plan_pred *pred;
    struct m_topic *from, *to;       /**< NULL: a role, or never seen */
    const char *from_role, *to_role; /**< NULL: a topic */
    int64_t times;
    VEC(struct flow_item) items;
    VEC(struct flow_input) inputs;
    VEC(struct flow_effect) effects;
    VEC(struct m_record *) strangers; /**< outputs without input */
    VEC(const char *) workers;        /**< roles between the two ends */
    VEC(struct m_group *) groups;     /**< through which they read */
    struct map ids;
    struct pool *scratch;
    bool sources_complete; /**< all inputs are known */
    bool nameless; /**< some stranger has neither id nor lineage: of whom it is, nobody knows */
    /** runs of deliveries that hold fewer records than could be delivered */
    VEC(const struct m_deliver *) thin;
};

/** Reads both ends. @return -1 when a Lua function raised (j->e). */
int flow_make(struct flow *f, struct judge *j, const struct plan_pred *pred);
void flow_free(struct flow *f);
/** The id of an item as text. */
const char *flow_id(struct flow *f, const struct flow_item *it);
/** Whether the position of those who read the source has passed an offset for good. */
bool flow_passed(const struct flow *f, const struct m_part *p, int64_t offset);
/** The id of a record of the log. @return 0, 1 = none, -1 = error in j->e. */
int flow_record_id(struct judge *j, const struct plan_pred *pred, const struct m_record *r,
                   struct buf *out);
const char *flow_id_text(struct pool *pool, const struct buf *id);
