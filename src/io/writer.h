/* SPDX-License-Identifier: Apache-2.0 */
/* Inside io/ only: the runner's end of a control pipe (frames as in pipe.h). */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"

struct writer;

/** Takes the descriptor. Does not keep loop_run() alive. */
struct writer *writer_new(struct loop *l, int fd);
/** Queues a frame (copied) and writes what the pipe takes. After the reader died: nothing. */
void writer_send(struct writer *w, uint8_t type, const void *data, uint32_t len);
/** Bytes that wait. */
size_t writer_queued(const struct writer *w);
/** Drops what is still queued; NULL is fine. */
void writer_free(struct writer *w);
