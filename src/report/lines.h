/* SPDX-License-Identifier: Apache-2.0 */
/* Events as lines for people; private to src/report. */
#pragma once
#include "report/view.h"

/** Lines that own their strings. */
struct lines {
    struct timeline_line *items;
    size_t n, cap;
};
/** Appends the line of an event. @return false: events of this kind are not for people. */
bool lines_add(struct lines *ls, const struct names *ns, const struct event *ev);
/** Removes the last line. */
void lines_drop(struct lines *ls);
/** By time. */
void lines_sort(struct lines *ls);
void lines_free(struct lines *ls);
