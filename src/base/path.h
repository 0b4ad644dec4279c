/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders. Returned strings: caller frees with free(). */
#pragma once
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/** mkdir -p with the given mode for what is created. */
int path_mkdirs(const char *path, unsigned mode, struct err *e);
/** Reads a whole file into b (appended); limit 0 = no limit. */
int path_read(const char *path, size_t limit, struct buf *b, struct err *e);
/** Writes through a temporary file and rename. */
int path_write(const char *path, const void *data, size_t len, struct err *e);
/** rm -rf; a missing path is fine. */
int path_remove_all(const char *path, struct err *e);
/** cp -r of regular files and folders. */
int path_copy_all(const char *from, const char *to, struct err *e);
char *path_join(const char *dir, const char *name);
/** The last n lines of a text file, "" if unreadable. */
char *path_tail(const char *path, int lines);
