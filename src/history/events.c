/* SPDX-License-Identifier: Apache-2.0 */
/* All segments of a folder as one list. Files are copied into memory (a mapping of a file that
 * somebody cuts is a SIGBUS), grouped by process, decoded in the order of their numbers and merged
 * by time. What is wrong with a process's segments ends its reading there and is said. */
#include "history/events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "history/decode.h"

struct segment {
    char *name;
    uint8_t *data;
    uint64_t len;
    struct seg_header hd;
    char role[SEG_ROLE_MAX + 1];
    const char *why; /**< not readable at all */
};

/* A process while it is read. */
struct reading {
    struct hist_proc proc;
    struct segment *segs; /**< in the array of all, by number */
    size_t nsegs;
    struct decode decode;
    struct event *items;
    size_t n, cap;
    size_t merged;
};

struct all {
    struct events pub;
    struct segment *segs;
    size_t nsegs;
    struct reading *reading;
};

static const char *read_all(int fd, struct segment *s)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        return "not a regular file";
    }
    if (st.st_size > (off_t)SEG_LIMIT_BYTES + SEG_TAIL) {
        return "larger than a segment can be";
    }
    s->data = xmalloc((size_t)st.st_size + SEG_ALIGN);
    while (s->len < (uint64_t)st.st_size) {
        ssize_t n = pread(fd, s->data + s->len, (size_t)st.st_size - s->len, (off_t)s->len);
        if (n < 0 && errno != EINTR) {
            return "not readable";
        }
        if (n == 0) {
            break;
        }
        s->len += n > 0 ? (uint64_t)n : 0;
    }
    return NULL;
}

static void segment_load(struct segment *s, const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    s->name = xstrdup(name);
    s->why = fd < 0 ? "cannot be opened" : read_all(fd, s);
    if (!s->why) {
        s->why = decode_header(s->data, s->len, &s->hd, s->role);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(path);
}

static int by_process(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;
    if (!x->why != !y->why) {
        return x->why ? 1 : -1;
    }
    int c = x->why ? 0 : strcmp(x->role, y->role);
    if (c == 0 && !x->why) {
        c = x->hd.index != y->hd.index ? (x->hd.index < y->hd.index ? -1 : 1)
            : x->hd.incarnation != y->hd.incarnation
                ? (x->hd.incarnation < y->hd.incarnation ? -1 : 1)
            : x->hd.number != y->hd.number ? (x->hd.number < y->hd.number ? -1 : 1)
                                           : 0;
    }
    return c ? c : strcmp(x->name, y->name);
}

static bool same_process(const struct segment *a, const struct segment *b)
{
    return !a->why && !b->why && strcmp(a->role, b->role) == 0 && a->hd.index == b->hd.index &&
           a->hd.incarnation == b->hd.incarnation;
}

static int load_folder(struct all *a, const char *dir, struct err *e)
{
    DIR *d = opendir(dir);
    if (!d) {
        return err_sys(e, "opening history folder %s", dir);
    }
    struct {
        struct segment *items;
        size_t n, cap;
    } v = {0};
    for (struct dirent *ent; (ent = readdir(d));) {
        if (decode_is_segment(ent->d_name)) {
            segment_load(VEC_PUSH(&v), dir, ent->d_name);
        }
    }
    closedir(d);
    if (v.n > 0) {
        qsort(v.items, v.n, sizeof *v.items, by_process);
    }
    a->segs = v.items;
    a->nsegs = v.n;
    if (v.n == 0) {
        return err_set(e, ERR_PROTOCOL, 0, "no history segment in %s", dir);
    }
    if (v.items[0].why) {
        return err_set(e, ERR_PROTOCOL, 0, "no readable history segment in %s: %s is %s", dir,
                       v.items[0].name, v.items[0].why);
    }
    return 0;
}

static void damage(struct reading *r, const struct segment *s, const char *why)
{
    if (!r->proc.damage) {
        r->proc.damage = xasprintf("%s: %s", s->name, why);
    }
}

static bool all_zero(const uint8_t *p, uint64_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* The events of one segment. */
static void read_records(struct reading *r, struct segment *s)
{
    bool open = s->hd.state == SEG_OPEN;
    uint64_t at = seg_first(&s->hd), size = 0;
    uint64_t limit = open || s->len < s->hd.used ? s->len : s->hd.used;
    const char *why = NULL;
    for (;;) {
        struct event ev;
        enum decode_result res =
            decode_record(&r->decode, s->data + at, limit - at, &ev, &size, &why);
        if (res == DECODE_BAD) {
            damage(r, s, s->len < s->hd.used ? "the file was cut" : why);
            return;
        }
        if (res == DECODE_END) {
            break;
        }
        at += size;
        if (res == DECODE_EVENT) {
            *VEC_PUSH(r) = ev;
        }
    }
    if (s->len < s->hd.used) {
        damage(r, s, "the file was cut");
    } else if (at < s->hd.used) {
        damage(r, s, "records are missing in the middle");
    } else if (!all_zero(s->data + at, s->len - at)) {
        r->proc.torn = open;
        if (!open) {
            damage(r, s, "bytes behind its end");
        }
    }
}

/* Whether segment i of r may follow the one before it; says why not. */
static bool follows(struct reading *r, size_t i)
{
    const struct segment *s = &r->segs[i], *first = r->segs;
    if (s->hd.number != i) {
        r->proc.damage = xasprintf("segment %zu is missing or there twice (%s)", i, s->name);
        return false;
    }
    if (s->hd.pid != first->hd.pid || s->hd.boot != first->hd.boot ||
        s->hd.mono_ns != first->hd.mono_ns || s->hd.real_ns != first->hd.real_ns) {
        damage(r, s, "belongs to another process");
        return false;
    }
    if (i == 0) {
        return true;
    }
    /* A writer killed right after it began this segment has not marked the one before. */
    uint32_t before = r->segs[i - 1].hd.state;
    if (before != SEG_CONTINUED && !(before == SEG_OPEN && s->hd.used == seg_first(&s->hd))) {
        damage(r, &r->segs[i - 1], "should be the last segment");
    }
    return true;
}

static void read_process(struct reading *r)
{
    for (size_t i = 0; i < r->nsegs && !r->proc.damage; i++) {
        if (follows(r, i)) {
            read_records(r, &r->segs[i]);
        }
    }
    const struct segment *last = &r->segs[r->nsegs - 1];
    if (last->hd.state == SEG_CONTINUED) {
        damage(r, last, "the segment after it is missing");
    } else if (last->hd.state == SEG_FAILED) {
        damage(r, last, "its writer could not go on: later events are missing");
    }
    r->proc.closed = last->hd.state == SEG_CLOSED && !r->proc.damage;
}

static int by_start(const void *a, const void *b)
{
    const struct hist_proc *x = &((const struct reading *)a)->proc,
                           *y = &((const struct reading *)b)->proc;
    uint64_t p = x->real_ns, q = y->real_ns;
    if (p != q) {
        return p < q ? -1 : 1;
    }
    int c = strcmp(x->role, y->role);
    if (c != 0) {
        return c;
    }
    return x->index != y->index              ? (x->index < y->index ? -1 : 1)
           : x->incarnation < y->incarnation ? -1
           : x->incarnation > y->incarnation ? 1
                                             : 0;
}

static void group_segments(struct all *a)
{
    size_t n = 0;
    a->reading = xcalloc(a->nsegs, sizeof *a->reading);
    for (size_t i = 0; i < a->nsegs; i++) {
        struct segment *s = &a->segs[i];
        if (i == 0 || !same_process(s, s - 1)) {
            struct reading *r = &a->reading[n++];
            r->segs = s;
            r->proc = (struct hist_proc){.role = s->why ? s->name : s->role,
                                         .index = s->hd.index,
                                         .incarnation = s->hd.incarnation,
                                         .pid = s->hd.pid,
                                         .boot = s->hd.boot,
                                         .mono_ns = s->hd.mono_ns,
                                         .real_ns = s->hd.real_ns};
            if (s->why) {
                r->proc.real_ns = UINT64_MAX;
                damage(r, s, s->why);
            }
        }
        a->reading[n - 1].nsegs++;
    }
    a->pub.nprocs = n;
    qsort(a->reading, n, sizeof *a->reading, by_start);
}

static bool before(const struct reading *x, const struct reading *y)
{
    uint64_t a = x->items[x->merged].t, b = y->items[y->merged].t;
    return a != b ? a < b : x->decode.proc < y->decode.proc;
}

static void sift_down(struct reading **heap, size_t n, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(heap[child + 1], heap[child])) {
            child++;
        }
        if (!before(heap[child], heap[i])) {
            return;
        }
        struct reading *t = heap[i];
        heap[i] = heap[child];
        heap[child] = t;
    }
}

static void merge(struct all *a)
{
    size_t n = 0, total = 0;
    struct reading **heap = xcalloc(a->pub.nprocs, sizeof(struct reading *));
    for (size_t i = 0; i < a->pub.nprocs; i++) {
        total += a->reading[i].n;
        if (a->reading[i].n > 0) {
            heap[n++] = &a->reading[i];
        }
    }
    for (size_t i = n; i-- > 0;) {
        sift_down(heap, n, i);
    }
    a->pub.items = xcalloc(total ? total : 1, sizeof *a->pub.items);
    while (n > 0) {
        struct reading *r = heap[0];
        a->pub.items[a->pub.n++] = r->items[r->merged++];
        if (r->merged == r->n) {
            heap[0] = heap[--n];
        }
        sift_down(heap, n, 0);
    }
    free(heap);
}

struct events *events_open(const char *dir, struct err *e)
{
    struct all *a = xcalloc(1, sizeof *a);
    if (load_folder(a, dir, e) < 0) {
        events_free(&a->pub);
        return NULL;
    }
    group_segments(a);
    a->pub.procs = xcalloc(a->pub.nprocs, sizeof *a->pub.procs);
    const struct seg_header *base = &a->reading[0].segs->hd;
    for (size_t i = 0; i < a->pub.nprocs; i++) {
        struct reading *r = &a->reading[i];
        const struct seg_header *hd = &r->segs->hd;
        r->decode.proc = (uint32_t)i;
        r->decode.who = &a->pub.procs[i];
        if (hd->boot != base->boot) {
            r->decode.shift_ns =
                (int64_t)((hd->real_ns - hd->mono_ns) - (base->real_ns - base->mono_ns));
        }
        if (!r->proc.damage) {
            read_process(r);
        }
        a->pub.procs[i] = r->proc;
        a->pub.damaged |= r->proc.damage != NULL;
    }
    merge(a);
    for (size_t i = 0; i < a->pub.nprocs; i++) {
        free(a->reading[i].items);
        a->reading[i].items = NULL;
    }
    return &a->pub;
}

void events_free(struct events *es)
{
    if (!es) {
        return;
    }
    struct all *a = (struct all *)(void *)es;
    for (size_t i = 0; i < a->nsegs; i++) {
        free(a->segs[i].name);
        free(a->segs[i].data);
    }
    for (size_t i = 0; i < es->nprocs; i++) {
        strings_free(&a->reading[i].decode.strings);
        free((char *)a->reading[i].proc.damage);
    }
    free(a->segs);
    free(a->reading);
    free(es->procs);
    free(es->items);
    free(a);
}
