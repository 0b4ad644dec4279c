/* SPDX-License-Identifier: Apache-2.0 */
/* One line about an event while it is made; shared by the printers of lines_*.c. */
#pragma once
#include "report/lines.h"

struct line {
    const struct event *ev;
    const struct names *ns;
    struct buf who, what, text, note;
    uint64_t t;
    bool death, hidden;
};

#define INT(slot) event_int(l->ev, slot)
#define STR(slot) event_str(l->ev, slot)

/** A printer fills who (preset to the writing process), what, text and note. */
typedef void (*line_fn)(struct line *l);
/** Printers by kind, NULL for kinds that are for programs; three tables, by writer. */
extern const line_fn lines_runner[H_NKINDS], lines_role[H_NKINDS], lines_log[H_NKINDS];

void line_who(struct line *l, const char *role, int64_t index, int64_t incarnation);
void line_group_who(struct line *l, const char *group);
/** "topic[p]@first..last"; -1 leaves a part out. */
void line_put_record(struct buf *b, const char *topic, int64_t partition, int64_t first,
                     int64_t last);
/** "seq 5..9". */
void line_put_range(struct buf *b, const char *word, int64_t first, int64_t count);
void line_put_txn(struct buf *b, int64_t txn);
/** "fault 1" is the first one that the scenario declares. */
void line_put_fault(struct buf *b, int64_t fault);
/** " asked", " ok", " failed: CODE", " outcome unknown: CODE" behind the text. */
void line_put_outcome(struct line *l, const char *error);
void line_put_bytes(struct buf *b, const struct event *ev, int slot);
/** Of a record in the log: "plain", "committed", "aborted", "open". */
const char *line_outcome(int64_t outcome);
