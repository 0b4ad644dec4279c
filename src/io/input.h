/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor that the loop watches: the terminal, a pipe of one's own. Loop thread only. */
#pragma once
#include "io/loop.h"

struct input;

/** Calls fn(arg) in every turn in which fd can be read without waiting, at its end of file too. fd
 * is borrowed and becomes non-blocking: open a terminal anew for this. It must be one that can be
 * polled (a terminal, a pipe, a socket, not a file). Keeps loop_run() alive. @return NULL with
 * ERR_SYSTEM. */
struct input *input_start(struct loop *l, int fd, loop_fn fn, void *arg, struct err *e);
/** Stops and frees; NULL is fine. */
void input_stop(struct input *in);
