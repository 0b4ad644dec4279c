/* SPDX-License-Identifier: Apache-2.0 */
/* A line that a person edits while the loop runs: libedit, key by key. Everything on the loop's
 * thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"

struct line;

/** What the word in front of the cursor may become. */
struct line_words {
    size_t start; /**< byte of the line where the word begins */
    char **items; /**< owned by who made them */
    size_t n;
};
struct line_opts {
    struct loop *loop;
    const char *history; /**< file, or NULL; its folder exists */
    /** What stands in front of the input; borrowed until the next call. */
    const char *(*prompt)(void *arg);
    /** A line without its newline, after line_hide(); NULL = the end of the input (Ctrl-D). */
    void (*entered)(void *arg, const char *text);
    void (*complete)(void *arg, const char *text, size_t point, struct line_words *out);
    void (*complete_free)(struct line_words *w);
    void *arg;
};

/** Standard input and output must be a terminal. Hidden at first. @return NULL with ERR_SYSTEM. */
struct line *line_open(const struct line_opts *o, struct err *e);
/** Restores the terminal, frees; NULL is fine. */
void line_close(struct line *l);
/** Shows the prompt and takes keys. */
void line_show(struct line *l);
/** Takes no more keys; the terminal is as it was. */
void line_hide(struct line *l);
/** Writes whole lines above the prompt, or just writes them while hidden. */
void line_print(struct line *l, const char *text, size_t len);
/** Throws away what was typed and shows a new prompt. @return whether anything was typed. */
bool line_clear(struct line *l);
/** The last n lines that were typed. */
void line_past(const struct line *l, int n, struct buf *out);
int line_columns(void); /**< of the terminal; 80 if it does not say */
