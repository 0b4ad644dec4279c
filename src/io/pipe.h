/* SPDX-License-Identifier: Apache-2.0 */
/* The child's end of the control pipe: frames of u32 little-endian length, u8 type, payload. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"

struct pipe_reader;
/** type and payload are borrowed during the call. At end of file: type = PIPE_EOF, len 0, once. */
typedef void (*pipe_fn)(void *arg, uint8_t type, const char *data, size_t len);
enum { PIPE_EOF = 0, PIPE_FRAME_MAX = 64 << 20 };

/** Reads frames from fd on the loop; takes the descriptor. Frames above PIPE_FRAME_MAX end the
 * pipe. */
struct pipe_reader *pipe_reader_new(struct loop *l, int fd, pipe_fn fn, void *arg);
void pipe_reader_free(struct pipe_reader *r);
