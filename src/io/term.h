/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal while a view stands on it: a screen of its own (the shell's comes back afterwards)
 * and single keys. Its state is put back at term_close(), at exit and before any signal that ends
 * the process, SIGKILL excepted. One at a time; loop thread only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "io/loop.h"

struct term;
/** Keys as they came, at least one byte; borrowed. */
typedef void (*term_keys_fn)(void *arg, const char *keys, size_t n);

struct term_opts {
    struct loop *loop;
    term_keys_fn on_keys;
    loop_fn on_resize; /**< the size changed, or the screen must be drawn anew */
    void *arg;
};

/** Is standard output a terminal that understands cursor movement? */
bool term_usable(void);
/** Takes the terminal over. NULL if it is none. */
struct term *term_open(const struct term_opts *o);
void term_close(struct term *t); /**< NULL is fine */
/** Keys can be typed: standard input is a terminal too. */
bool term_has_keys(const struct term *t);
void term_size(const struct term *t, int *columns, int *rows);
/** Replaces the screen by text, lines ended by "\n". Does nothing while the terminal takes no
 * output (^S), or while we are not its foreground job; never waits. */
void term_draw(struct term *t, const char *text, size_t len);
/** Gives the terminal back to the shell for a while (Ctrl-Z) and takes it again. */
void term_leave(struct term *t);
void term_enter(struct term *t);
