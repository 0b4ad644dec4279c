/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how a growing segment is copied without ever showing half a record. Records become visible
 * by their size: what is appended is written behind its first eight bytes, and these last. Runs
 * that are still open change in place, so everything from the first open record on is read again
 * and sent again where it differs.
 *
 * A piece: u8 length of the file's name, the name, u8 enum piece, u64 offset, bytes. */
#include "history/mirror.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "history/decode.h"

enum piece {
    PIECE_NEW,    /**< header and role of a segment that begins */
    PIECE_CHANGE, /**< bytes that replace what is there */
    PIECE_APPEND, /**< complete records behind what is there */
    PIECE_HEADER, /**< the 64 bytes of the header */
};
enum { APPEND_MAX = 1 << 20, GROW_BYTES = 256 << 10, PIECE_HEAD = 1 + 1 + 8 };

/* The source. */

struct source_segment {
    char *name;
    int fd;
    struct seg_header head; /**< as it was sent last */
    uint64_t fixed;         /**< nothing before it changes any more */
    uint64_t sent;          /**< the copy has everything up to here */
    struct buf shown;       /**< what the copy has between fixed and sent */
    bool done;
};
struct mirror_source {
    char *dir;
    struct map names;
    struct {
        struct source_segment *items;
        size_t n, cap;
    } segments;
};

struct mirror_source *mirror_source_new(const char *dir)
{
    struct mirror_source *s = xcalloc(1, sizeof *s);
    s->dir = xstrdup(dir);
    return s;
}

static void send_piece(const struct source_segment *g, enum piece kind, uint64_t at,
                       const void *data, size_t len, mirror_fn fn, void *arg)
{
    struct buf b = {0};
    uint8_t name_len = (uint8_t)strlen(g->name), k = (uint8_t)kind;
    buf_append(&b, &name_len, 1);
    buf_append(&b, g->name, name_len);
    buf_append(&b, &k, 1);
    buf_append(&b, &at, sizeof at);
    buf_append(&b, data, len);
    fn(arg, b.data, b.len);
    buf_free(&b);
}

/** Reads exactly len bytes at a place. */
static int read_at(const struct mirror_source *s, const struct source_segment *g, uint64_t at,
                   void *into, size_t len, struct err *e)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(g->fd, (char *)into + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n < 0 ? errno : EIO;
            return err_sys(e, "reading history segment %s/%s", s->dir, g->name);
        }
        done += (size_t)n;
    }
    return 0;
}

static void add_segment(struct mirror_source *s, const char *name, mirror_fn fn, void *arg)
{
    uint8_t head[sizeof(struct seg_header) + SEG_ROLE_MAX + SEG_ALIGN];
    char role[SEG_ROLE_MAX + 1];
    struct source_segment g = {.name = xstrdup(name)};
    char *path = path_join(s->dir, name);
    g.fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    ssize_t n = g.fd < 0 ? -1 : pread(g.fd, head, sizeof head, 0);
    if (n < 0 || decode_header(head, (uint64_t)n, &g.head, role)) {
        if (g.fd >= 0) {
            close(g.fd);
        }
        free(g.name);
        return;
    }
    g.fixed = g.sent = seg_first(&g.head);
    /* What stands behind the header is sent as records; until then the segment is empty. */
    struct seg_header empty = g.head;
    empty.used = g.fixed;
    empty.state = SEG_OPEN;
    memcpy(head, &empty, sizeof empty);
    send_piece(&g, PIECE_NEW, 0, head, g.fixed, fn, arg);
    g.head = empty;
    *VEC_PUSH(&s->segments) = g;
}

static int scan(struct mirror_source *s, mirror_fn fn, void *arg, struct err *e)
{
    DIR *d = opendir(s->dir);
    if (!d) {
        return err_sys(e, "reading history folder %s", s->dir);
    }
    for (struct dirent *ent; (ent = readdir(d));) {
        bool fresh = false;
        if (decode_is_segment(ent->d_name) && strlen(ent->d_name) < 256) {
            map_put(&s->names, ent->d_name, strlen(ent->d_name), &fresh);
        }
        if (fresh) {
            add_segment(s, ent->d_name, fn, arg);
        }
    }
    closedir(d);
    return 0;
}

/** How far whole records go in len bytes, at most about APPEND_MAX; 0 = damaged. */
static size_t whole_records(const char *data, size_t len)
{
    size_t at = 0;
    while (at < len && at < APPEND_MAX) {
        struct rec r;
        if (len - at < sizeof r) {
            return 0;
        }
        memcpy(&r, data + at, sizeof r);
        if (r.size < sizeof r || r.size % SEG_ALIGN || r.size > len - at) {
            return 0;
        }
        at += r.size;
    }
    return at;
}

/** Records at the start of shown that are closed do not change any more. */
static void advance(struct source_segment *g)
{
    size_t at = 0;
    while (g->shown.len - at >= sizeof(struct rec)) {
        struct rec r;
        memcpy(&r, g->shown.data + at, sizeof r);
        if (r.phase & REC_RUN_OPEN) {
            break;
        }
        at += r.size;
    }
    buf_consume(&g->shown, at);
    g->fixed += at;
}

/** @return bytes handed out, or -1. */
static long long poll_segment(const struct mirror_source *s, struct source_segment *g, mirror_fn fn,
                              void *arg, struct err *e)
{
    struct seg_header hd;
    struct buf now = {0};
    if (read_at(s, g, 0, &hd, sizeof hd, e) < 0) {
        return -1;
    }
    if (hd.used < g->sent || hd.used > SEG_LIMIT_BYTES) {
        return err_set(e, ERR_PROTOCOL, 0, "history segment %s/%s is damaged", s->dir, g->name);
    }
    size_t len = hd.used - g->fixed, old = g->sent - g->fixed, more = 0;
    int rc = read_at(s, g, g->fixed, buf_reserve(&now, len), len, e);
    now.len = len;
    if (rc == 0 && len > old && (more = whole_records(now.data + old, len - old)) == 0) {
        rc = err_set(e, ERR_PROTOCOL, 0, "history segment %s/%s is damaged", s->dir, g->name);
    }
    if (rc < 0) {
        buf_free(&now);
        return -1;
    }
    if (old > 0 && memcmp(g->shown.data, now.data, old) != 0) {
        send_piece(g, PIECE_CHANGE, g->fixed, now.data, old, fn, arg);
    }
    if (more > 0) {
        send_piece(g, PIECE_APPEND, g->sent, now.data + old, more, fn, arg);
    }
    g->sent += more;
    now.len = old + more;
    buf_free(&g->shown);
    g->shown = now;
    hd.state = g->sent == hd.used ? hd.state : SEG_OPEN;
    hd.used = g->sent;
    if (memcmp(&hd, &g->head, sizeof hd) != 0) {
        send_piece(g, PIECE_HEADER, 0, &hd, sizeof hd, fn, arg);
    }
    g->head = hd;
    g->done = hd.state != SEG_OPEN;
    advance(g);
    return (long long)more;
}

int mirror_source_poll(struct mirror_source *s, size_t limit, mirror_fn fn, void *arg,
                       struct err *e)
{
    size_t done = 0;
    if (scan(s, fn, arg, e) < 0) {
        return -1;
    }
    for (size_t i = 0; i < s->segments.n; i++) {
        struct source_segment *g = &s->segments.items[i];
        for (long long n = 1; !g->done && n > 0;) {
            n = poll_segment(s, g, fn, arg, e);
            if (n < 0) {
                return -1;
            }
            done += (size_t)n;
            if (done > limit) {
                return 1;
            }
        }
    }
    return 0;
}

void mirror_source_free(struct mirror_source *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->segments.n; i++) {
        struct source_segment *g = &s->segments.items[i];
        close(g->fd);
        buf_free(&g->shown);
        free(g->name);
    }
    free(s->segments.items);
    map_free(&s->names);
    free(s->dir);
    free(s);
}

/* The copy. */

struct copy_segment {
    char *name;
    int fd;
    uint64_t size, used;
};
struct mirror_copy {
    char *dir;
    int pid;
    struct {
        struct copy_segment *items;
        size_t n, cap;
    } segments;
};
struct received { /**< a piece, taken apart */
    char name[256];
    enum piece kind;
    uint64_t at;
    const char *data;
    size_t len;
};

struct mirror_copy *mirror_copy_new(const char *dir, int pid)
{
    struct mirror_copy *c = xcalloc(1, sizeof *c);
    c->dir = xstrdup(dir);
    c->pid = pid;
    return c;
}

static int parse(const char *piece, size_t len, struct received *r)
{
    size_t name = len > 0 ? (uint8_t)piece[0] : 0;
    if (len < PIECE_HEAD + name || name == 0) {
        return -1;
    }
    memcpy(r->name, piece + 1, name);
    r->name[name] = '\0';
    r->kind = (enum piece)piece[1 + name];
    memcpy(&r->at, piece + 2 + name, sizeof r->at);
    r->data = piece + PIECE_HEAD + name;
    r->len = len - PIECE_HEAD - name;
    bool fits = r->at <= SEG_LIMIT_BYTES && r->len <= SEG_LIMIT_BYTES - r->at;
    bool safe = strlen(r->name) == name && !strchr(r->name, '/') && decode_is_segment(r->name);
    return fits && safe && r->kind <= PIECE_HEADER ? 0 : -1;
}

static int write_at(const struct mirror_copy *c, const struct copy_segment *g, uint64_t at,
                    const char *data, size_t len, struct err *e)
{
    while (len > 0) {
        ssize_t n = pwrite(g->fd, data, len, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_sys(e, "writing history segment %s/%s", c->dir, g->name);
        }
        data += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

/** Zeros stand behind what is written, also on a full disk. */
static int reserve(const struct mirror_copy *c, struct copy_segment *g, uint64_t end, struct err *e)
{
    if (end + SEG_TAIL <= g->size) {
        return 0;
    }
    uint64_t size = (end + SEG_TAIL + GROW_BYTES - 1) / GROW_BYTES * GROW_BYTES;
    errno = posix_fallocate(g->fd, 0, (off_t)size);
    if (errno != 0) {
        return err_sys(e, "allocating history segment %s/%s", c->dir, g->name);
    }
    g->size = size;
    return 0;
}

static int write_header(const struct mirror_copy *c, const struct copy_segment *g,
                        struct seg_header hd, struct err *e)
{
    hd.pid = c->pid ? c->pid : hd.pid;
    return write_at(c, g, 0, (const char *)&hd, sizeof hd, e);
}

static int begin(struct mirror_copy *c, const struct received *r, struct err *e)
{
    struct seg_header hd;
    char role[SEG_ROLE_MAX + 1];
    if (decode_header((const uint8_t *)r->data, r->len, &hd, role) || hd.used != r->len) {
        return err_set(e, ERR_PROTOCOL, 0, "%s does not begin as a history segment", r->name);
    }
    struct copy_segment g = {.name = xstrdup(r->name), .used = r->len};
    char *path = path_join(c->dir, r->name), *tmp = xasprintf("%s.tmp", path);
    g.fd = access(path, F_OK) == 0 ? (errno = EEXIST, -1)
                                   : open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = g.fd < 0 ? err_sys(e, "creating history segment %s", path) : 0;
    if (rc == 0 && (rc = reserve(c, &g, r->len, e)) == 0 &&
        (rc = write_at(c, &g, 0, r->data, r->len, e)) == 0 &&
        (rc = write_header(c, &g, hd, e)) == 0 && rename(tmp, path) != 0) {
        rc = err_sys(e, "naming history segment %s", path);
    }
    free(tmp);
    free(path);
    *VEC_PUSH(&c->segments) = g; /* also a failed one: freed with the rest */
    return rc;
}

static int append(const struct mirror_copy *c, struct copy_segment *g, const struct received *r,
                  struct err *e)
{
    enum { FIRST = 8 };
    if (r->at != g->used || r->len < sizeof(struct rec) ||
        whole_records(r->data, r->len) != r->len) {
        return err_set(e, ERR_PROTOCOL, 0, "%s: not the records that follow", g->name);
    }
    if (reserve(c, g, r->at + r->len, e) < 0 ||
        write_at(c, g, r->at + FIRST, r->data + FIRST, r->len - FIRST, e) < 0) {
        return -1;
    }
    g->used += r->len;
    return write_at(c, g, r->at, r->data, FIRST, e);
}

static int set_header(const struct mirror_copy *c, struct copy_segment *g, const struct received *r,
                      struct err *e)
{
    struct seg_header hd;
    if (r->at != 0 || r->len != sizeof hd) {
        return err_set(e, ERR_PROTOCOL, 0, "%s: not a header", g->name);
    }
    memcpy(&hd, r->data, sizeof hd);
    if (memcmp(hd.magic, SEG_MAGIC, sizeof hd.magic) != 0 || hd.used != g->used) {
        return err_set(e, ERR_PROTOCOL, 0, "%s: not its header", g->name);
    }
    if (hd.state != SEG_OPEN && g->used + SEG_TAIL < g->size &&
        ftruncate(g->fd, (off_t)(g->used + SEG_TAIL)) == 0) {
        g->size = g->used + SEG_TAIL;
    }
    return write_header(c, g, hd, e);
}

int mirror_copy_write(struct mirror_copy *c, const char *piece, size_t len, struct err *e)
{
    struct received r;
    struct copy_segment *g = NULL;
    if (parse(piece, len, &r) < 0) {
        return err_set(e, ERR_PROTOCOL, 0, "not a piece of a history (%zu bytes)", len);
    }
    for (size_t i = 0; i < c->segments.n; i++) {
        if (strcmp(c->segments.items[i].name, r.name) == 0) {
            g = &c->segments.items[i];
        }
    }
    if (!g != (r.kind == PIECE_NEW)) {
        return err_set(e, ERR_PROTOCOL, 0, "%s begins twice, or not at all", r.name);
    }
    switch (r.kind) {
    case PIECE_NEW:
        return begin(c, &r, e);
    case PIECE_APPEND:
        return append(c, g, &r, e);
    case PIECE_HEADER:
        return set_header(c, g, &r, e);
    case PIECE_CHANGE:
        break;
    }
    if (r.at + r.len > g->used) {
        return err_set(e, ERR_PROTOCOL, 0, "%s: a change behind its end", g->name);
    }
    return write_at(c, g, r.at, r.data, r.len, e);
}

void mirror_copy_free(struct mirror_copy *c)
{
    if (!c) {
        return;
    }
    for (size_t i = 0; i < c->segments.n; i++) {
        if (c->segments.items[i].fd >= 0) {
            close(c->segments.items[i].fd);
        }
        free(c->segments.items[i].name);
    }
    free(c->segments.items);
    free(c->dir);
    free(c);
}
