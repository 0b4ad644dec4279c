/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders: see path.h. */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

int path_mkdirs(const char *path, unsigned mode, struct err *e)
{
    char *copy = xstrdup(path);
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0') {
            continue;
        }
        char was = *p;
        *p = '\0';
        if (mkdir(copy, (mode_t)mode) < 0 && errno != EEXIST) {
            err_sys(e, "creating folder %s", copy);
            free(copy);
            return -1;
        }
        *p = was;
        if (was == '\0') {
            break;
        }
    }
    free(copy);
    return 0;
}

int path_read(const char *path, size_t limit, struct buf *b, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_sys(e, "opening %s", path);
    }
    size_t total = 0;
    for (;;) {
        ssize_t n = read(fd, buf_reserve(b, 65536), 65536);
        if (n < 0) {
            err_sys(e, "reading %s", path);
            close(fd);
            return -1;
        }
        if (n == 0) {
            break;
        }
        b->len += (size_t)n;
        b->data[b->len] = '\0';
        total += (size_t)n;
        if (limit && total > limit) {
            close(fd);
            return err_set(e, ERR_USAGE, 0, "%s is larger than %zu bytes", path, limit);
        }
    }
    close(fd);
    return 0;
}

int path_write(const char *path, const void *data, size_t len, struct err *e)
{
    char *tmp = xasprintf("%s.tmp", path);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = fd < 0 ? err_sys(e, "creating %s", tmp) : 0;
    for (size_t done = 0; rc == 0 && done < len;) {
        ssize_t n = write(fd, (const char *)data + done, len - done);
        if (n < 0 && errno != EINTR) {
            rc = err_sys(e, "writing %s", tmp);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0 && close(fd) < 0 && rc == 0) {
        rc = err_sys(e, "closing %s", tmp);
    }
    if (rc == 0 && rename(tmp, path) < 0) {
        rc = err_sys(e, "renaming %s", tmp);
    }
    free(tmp);
    return rc;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

int path_remove_all(const char *path, struct err *e)
{
    struct stat st;
    if (lstat(path, &st) < 0) {
        return errno == ENOENT ? 0 : err_sys(e, "looking at %s", path);
    }
    if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) != 0) {
        return err_sys(e, "removing %s", path);
    }
    return 0;
}

static int copy_file(const char *from, const char *to, struct err *e)
{
    struct buf b = {0};
    int rc = path_read(from, 0, &b, e);
    if (rc == 0) {
        rc = path_write(to, b.data ? b.data : "", b.len, e);
    }
    buf_free(&b);
    return rc;
}

int path_copy_all(const char *from, const char *to, struct err *e)
{
    struct stat st;
    if (stat(from, &st) < 0) {
        return err_sys(e, "looking at %s", from);
    }
    if (!S_ISDIR(st.st_mode)) {
        return copy_file(from, to, e);
    }
    DIR *d = opendir(from);
    if (!d || path_mkdirs(to, 0700, e) < 0) {
        err_sys(e, "copying folder %s", from);
        if (d) {
            closedir(d);
        }
        return -1;
    }
    int rc = 0;
    for (struct dirent *ent; rc == 0 && (ent = readdir(d));) {
        if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0) {
            continue;
        }
        char *a = path_join(from, ent->d_name), *b = path_join(to, ent->d_name);
        rc = path_copy_all(a, b, e);
        free(a);
        free(b);
    }
    closedir(d);
    return rc;
}

char *path_join(const char *dir, const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

/** The last TAIL_BYTES of a file: a log may be long, and people look at it again and again. */
static int read_end(const char *path, struct buf *b)
{
    enum { TAIL_BYTES = 256 << 10 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    off_t at = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    while (size > at) {
        ssize_t n = pread(fd, buf_reserve(b, 64 << 10), 64 << 10, at);
        if (n <= 0) {
            break;
        }
        b->len += (size_t)n;
        at += n;
    }
    if (fd >= 0) {
        close(fd);
    }
    return size < 0 ? -1 : 0;
}

char *path_tail(const char *path, int lines)
{
    struct buf b = {0};
    if (read_end(path, &b) < 0) {
        buf_free(&b);
        return xstrdup("");
    }
    size_t at = b.len;
    while (at > 0 && b.data[at - 1] == '\n') {
        at--;
    }
    size_t end = at;
    for (int seen = 0; at > 0; at--) {
        if (b.data[at - 1] == '\n' && ++seen == lines) {
            break;
        }
    }
    char *out = b.data ? xmemdup0(b.data + at, end - at) : xstrdup("");
    buf_free(&b);
    return out;
}
