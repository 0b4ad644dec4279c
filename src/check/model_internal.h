/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that build the model. */
#pragma once
#include <stdint.h>

#include "check/model.h"

enum { PARTITIONS_MAX = 100000, RUN_MAX = 1 << 18 };

/** Offsets and numbers that arithmetic may touch; what is outside is damage. */
static inline bool model_sane(int64_t v)
{
    return v >= -1 && v < INT64_C(1) << 60;
}

/** Created when absent. */
struct m_topic *model_want_topic(struct model *m, const char *name);
/** NULL when the number makes no sense. */
struct m_part *model_want_part(struct model *m, const char *topic, int64_t number);
struct m_group *model_want_group(struct model *m, const char *name);
struct m_proc *model_want_proc(struct model *m, const char *role, int64_t index,
                               int64_t incarnation);
struct m_txn *model_want_txn(struct model *m, struct m_proc *p, const char *producer,
                             int64_t number);
void model_strange(struct model *m, const struct event *ev);

/** Events of a role process. */
void model_add_role(struct model *m, struct m_proc *p, const struct event *ev);
/** Events of the audit. */
struct audit_pass {
    bool probe; /**< inside the pass of the restart probe */
};
void model_add_audit(struct model *m, struct audit_pass *pass, const struct event *ev);
/** After all events: order, links, totals. */
void model_finish_roles(struct model *m);
void model_finish_log(struct model *m);
/** "w2#9": shortest prefixes that tell the roles apart. */
void model_name_procs(struct model *m);
