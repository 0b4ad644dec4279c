/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of text that arrive on a descriptor: commands from a person or a script. */
#pragma once
#include "base/err.h"
#include "io/loop.h"

struct line_reader;
/** line: without its end, borrowed during the call; NULL at end of file, once. Longer lines than
 *  LINES_MAX bytes are cut. */
typedef void (*line_fn)(void *arg, const char *line);
enum { LINES_MAX = 1024 };

/** Reads fd (a pipe, a socket or a terminal) on the loop; the descriptor stays the caller's.
 *  @return NULL with ERR_SYSTEM for one that cannot be waited for, such as a file. */
struct line_reader *line_reader_new(struct loop *l, int fd, line_fn fn, void *arg, struct err *e);
/** NULL is fine; not inside fn. */
void line_reader_free(struct line_reader *r);
