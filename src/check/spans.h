/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as they lie in one partition, and what they mean for its readers: until the marker
 * of the earliest open one stands in the log, a read_committed reader is given nothing behind its
 * first record. */
#pragma once
#include "check/model.h"

struct span {
    const struct m_record *first; /**< of the transaction in this partition */
    int64_t marker;               /**< offset; INT64_MAX = none in the log */
    uint64_t begin, end;          /**< monotonic ns; end 0 = no marker */
    bool commit;
};
struct spans {
    VEC(struct span) list; /**< by first offset */
};

/** All transactions with data in a partition that was audited to its end. */
void spans_make(struct spans *s, const struct model *m, const struct m_part *p);
void spans_free(struct spans *s);
/** No read_committed reader can have been given records[i] before when[i] (monotonic ns, 0 = not
 * known, UINT64_MAX = never). @return one for each record of p; caller frees */
uint64_t *spans_visible(const struct spans *s, const struct model *m, const struct m_part *p);
