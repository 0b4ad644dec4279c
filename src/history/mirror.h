/* SPDX-License-Identifier: Apache-2.0 */
/* Carries the history of a process on another host here while it grows: the source reads what the
 * writer has completed in one folder, the copy writes the same files in another. A reader of the
 * copy sees what a reader of the original would have seen a little earlier. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct mirror_source;
struct mirror_copy;

/** A piece of history, to be given to mirror_copy_write() in order. Borrowed during the call. */
typedef void (*mirror_fn)(void *arg, const char *piece, size_t len);

/** Reads every segment in dir; the folder belongs to one process. */
struct mirror_source *mirror_source_new(const char *dir);
/** Hands out what has come or changed since the last call, about limit bytes at most.
 *  @return 1 if there is more, 0 if that was all, -1 if a segment cannot be read. */
int mirror_source_poll(struct mirror_source *s, size_t limit, mirror_fn fn, void *arg,
                       struct err *e);
void mirror_source_free(struct mirror_source *s);

/** The copy names pid as its writer: that of the child which stands in for the writer on this host
 *  (0 = as it came). */
struct mirror_copy *mirror_copy_new(const char *dir, int pid);
/** @return -1 with ERR_PROTOCOL (not a piece) or ERR_SYSTEM (disk full). */
int mirror_copy_write(struct mirror_copy *c, const char *piece, size_t len, struct err *e);
void mirror_copy_free(struct mirror_copy *c);
