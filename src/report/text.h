/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of text for people; private to src/report. Bytes that are not printable UTF-8 come out as
 * \xNN, so that ids from the outside cannot garble a terminal. Columns are code points. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "history/events.h"

/** Length of the valid UTF-8 sequence at s (of n bytes), 0 if it is none. */
size_t text_utf8(const char *s, size_t n);
/** Appends s made printable; with width > 0 cut to that many columns, the last being "…". */
void text_put(struct buf *b, const char *s, size_t width);
void text_putn(struct buf *b, const char *s, size_t len, size_t width);
/** text_put, then spaces up to width columns (at least one if s is longer and gap is set). */
void text_pad(struct buf *b, const char *s, size_t width);
/** Appends s in lines of at most `right` columns; the cursor stands at column `left`, where
 *  further lines are indented to. No newline at the end. */
void text_wrap(struct buf *b, const char *s, size_t left, size_t right);
size_t text_width(const char *s);
void text_spaces(struct buf *b, size_t n);

/** "t+41.212", "t-0.300"; "" for t 0. */
void text_time(char out[32], uint64_t t, uint64_t t0);
/** "310ms", "48.6s", "1m04s", "2h05m". */
void text_duration(char out[32], int64_t ms);

/** Names of instances: the shortest prefix that tells the roles apart, the index (left out when the
 *  role's count is 1), '#' and the incarnation. */
struct names {
    struct name_role {
        const char *name; /**< borrowed */
        size_t prefix;
        int64_t count;
    } * items;
    size_t n, cap;
};
/** Roles from run.json, else from the processes of es; either may be NULL. */
void names_init(struct names *ns, const json_t *run, const struct events *es);
void names_free(struct names *ns);
/** "w2#9"; "runner" and roles that are not declared keep their whole name. */
void names_put(struct buf *b, const struct names *ns, const char *role, int64_t index,
               int64_t incarnation);
