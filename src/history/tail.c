/* SPDX-License-Identifier: Apache-2.0 */
/* The live tail. Per process it reads what its writer has completed, with pread() into memory of
 * its own: a mapping would end in a SIGBUS when the writer trims its file. Runs that may still grow
 * hold back what follows them in their process. A record is read a second time after it was seen
 * to be final, because the first reading may have met a run in the middle of a change. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "history/decode.h"

enum { SETTLED_NS = 1000000000, READ_MAX = 4 << 20 };

struct follow {
    struct hist_proc proc;
    struct decode decode;
    char **paths; /**< of segments, by number; NULL = not seen yet */
    size_t npaths;
    size_t segment; /**< the one being read */
    int fd;         /**< of it; -1 = not open */
    uint64_t pos;
    bool ended;
};

struct tail {
    char *dir;
    struct map names; /**< of files that were looked at */
    struct map procs; /**< key to struct follow */
    struct timespec mtime;
    uint64_t scanned_ns;
    uint8_t *mem;
    size_t mem_size;
};

struct tail *tail_new(const char *dir)
{
    struct tail *t = xcalloc(1, sizeof *t);
    t->dir = xstrdup(dir);
    return t;
}

static struct follow *follow_get(struct tail *t, const struct seg_header *hd, const char *role)
{
    struct buf key = {0};
    decode_key(&key, role, hd->index, hd->incarnation);
    bool fresh;
    struct map_entry *at = map_put(&t->procs, key.data, key.len, &fresh);
    buf_free(&key);
    if (!fresh) {
        return at->p;
    }
    struct follow *f = xcalloc(1, sizeof *f);
    f->fd = -1;
    f->proc = (struct hist_proc){.role = xstrdup(role),
                                 .index = hd->index,
                                 .incarnation = hd->incarnation,
                                 .pid = hd->pid,
                                 .mono_ns = hd->mono_ns,
                                 .real_ns = hd->real_ns};
    f->decode.who = &f->proc;
    f->decode.proc = (uint32_t)(t->procs.n - 1);
    at->p = f;
    return f;
}

static void add_segment(struct tail *t, const char *name)
{
    enum { SEGMENTS_MAX = 1 << 20 };
    uint8_t head[sizeof(struct seg_header) + SEG_ROLE_MAX + SEG_ALIGN];
    struct seg_header hd;
    char role[SEG_ROLE_MAX + 1];
    char *path = path_join(t->dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);
    if (fd >= 0) {
        close(fd);
    }
    const char *why = n < 0 ? "cannot be read" : decode_header(head, (uint64_t)n, &hd, role);
    if (why || hd.number >= SEGMENTS_MAX) {
        log_warn("history segment %s: %s", path, why ? why : "impossible number");
        free(path);
        return;
    }
    struct follow *f = follow_get(t, &hd, role);
    if (hd.number >= f->npaths) {
        f->paths = xrealloc(f->paths, (hd.number + 1) * sizeof *f->paths);
        memset(f->paths + f->npaths, 0, (hd.number + 1 - f->npaths) * sizeof *f->paths);
        f->npaths = hd.number + 1;
    }
    free(f->paths[hd.number]);
    f->paths[hd.number] = path;
}

/* The folder's time tells whether a segment has come, once it is older than its resolution. */
static void scan(struct tail *t)
{
    struct stat st;
    uint64_t now = clock_mono_ns();
    if (stat(t->dir, &st) == 0 && st.st_mtim.tv_sec == t->mtime.tv_sec &&
        st.st_mtim.tv_nsec == t->mtime.tv_nsec &&
        clock_real_ns() - ((uint64_t)st.st_mtim.tv_sec * 1000000000u) > 2u * SETTLED_NS &&
        now - t->scanned_ns < SETTLED_NS) {
        return;
    }
    DIR *d = opendir(t->dir);
    if (!d) {
        return;
    }
    t->mtime = st.st_mtim;
    t->scanned_ns = now;
    for (struct dirent *ent; (ent = readdir(d));) {
        bool fresh = false;
        if (decode_is_segment(ent->d_name)) {
            map_put(&t->names, ent->d_name, strlen(ent->d_name), &fresh);
        }
        if (fresh) {
            add_segment(t, ent->d_name);
        }
    }
    closedir(d);
}

static void stop(struct follow *f)
{
    if (f->fd >= 0) {
        close(f->fd);
    }
    f->fd = -1;
    f->ended = true;
}

static bool open_segment(struct follow *f)
{
    if (f->fd >= 0) {
        return true;
    }
    if (f->segment >= f->npaths || !f->paths[f->segment]) {
        return false;
    }
    f->fd = open(f->paths[f->segment], O_RDONLY | O_CLOEXEC);
    f->pos = 0;
    return f->fd >= 0;
}

/* Bytes [pos, end) of the segment into t->mem; returns how many there were. */
static uint64_t load(struct tail *t, const struct follow *f, uint64_t end)
{
    uint64_t want = end - f->pos, have = 0;
    if (want > t->mem_size) {
        t->mem_size = want;
        t->mem = xrealloc(t->mem, want);
    }
    while (have < want) {
        ssize_t n = pread(f->fd, t->mem + have, want - have, (off_t)(f->pos + have));
        if (n <= 0) {
            break;
        }
        have += (uint64_t)n;
    }
    return have / SEG_ALIGN * SEG_ALIGN;
}

/* How many of the len bytes are whole records that do not change any more; *need is the size of a
 * first record that is longer than len. */
static uint64_t settled(const uint8_t *p, uint64_t len, bool final, uint64_t *need)
{
    uint64_t at = 0;
    *need = 0;
    while (len - at >= sizeof(struct rec)) {
        const struct rec *r = (const struct rec *)(const void *)(p + at);
        uint64_t size = r->size;
        if (size == 0 || (!final && r->phase & REC_RUN_OPEN)) {
            break;
        }
        if (size < sizeof *r || size % SEG_ALIGN != 0) {
            return at + sizeof *r; /* bad: the decoder says why */
        }
        if (size > len - at) {
            *need = at == 0 ? size : 0;
            break;
        }
        at += size;
    }
    return at;
}

static void hand_out(struct tail *t, struct follow *f, uint64_t len, tail_fn fn, void *arg)
{
    uint64_t at = 0, size = 0;
    while (at < len) {
        struct event ev;
        const char *why = "a record vanished";
        enum decode_result res = decode_record(&f->decode, t->mem + at, len - at, &ev, &size, &why);
        if (res == DECODE_BAD || res == DECODE_END) {
            log_warn("history segment %s: %s", f->paths[f->segment], why);
            stop(f);
            return;
        }
        at += size;
        if (res == DECODE_EVENT) {
            fn(arg, &ev);
        }
    }
    f->pos += len;
}

/* One step in the open segment; false when there is nothing more now. */
static bool drain_some(struct tail *t, struct follow *f, bool flush, tail_fn fn, void *arg)
{
    struct seg_header hd;
    struct stat st;
    if (pread(f->fd, &hd, sizeof hd, 0) != sizeof hd || fstat(f->fd, &st) < 0) {
        stop(f);
        return false;
    }
    uint64_t end = hd.used;
    bool final = flush || hd.state != SEG_OPEN;
    if (flush && hd.state == SEG_OPEN) {
        end = (uint64_t)st.st_size; /* one record may be whole and not counted in `used` */
    }
    f->pos = f->pos ? f->pos : seg_first(&hd);
    if (end > f->pos) {
        uint64_t need = 0, upto = end - f->pos > READ_MAX ? f->pos + READ_MAX : end;
        uint64_t got = load(t, f, upto), len = settled(t->mem, got, final, &need);
        if (need && need <= end - f->pos) {
            got = load(t, f, f->pos + need);
            len = settled(t->mem, got, final, &need);
        }
        if (len > 0) {
            len = final ? len : load(t, f, f->pos + len);
            hand_out(t, f, len, fn, arg);
            return !f->ended;
        }
    }
    if (hd.state == SEG_CONTINUED || (flush && f->segment + 1 < f->npaths)) {
        close(f->fd);
        f->fd = -1;
        f->segment++;
        return true;
    }
    if (hd.state == SEG_CLOSED || hd.state == SEG_FAILED || flush) {
        stop(f);
    }
    return false;
}

static void drain(struct tail *t, struct follow *f, bool flush, tail_fn fn, void *arg)
{
    while (!f->ended && open_segment(f) && drain_some(t, f, flush, fn, arg)) {
    }
}

void tail_poll(struct tail *t, tail_fn fn, void *arg)
{
    scan(t);
    for (size_t i = 0; i < t->procs.n; i++) {
        drain(t, t->procs.items[i].p, false, fn, arg);
    }
}

void tail_flush(struct tail *t, const char *role, int index, int incarnation, tail_fn fn, void *arg)
{
    t->scanned_ns = 0;
    t->mtime = (struct timespec){0};
    scan(t);
    struct buf key = {0};
    decode_key(&key, role, index, incarnation);
    struct map_entry *at = map_get(&t->procs, key.data, key.len);
    buf_free(&key);
    if (at) {
        drain(t, at->p, true, fn, arg);
    }
}

void tail_free(struct tail *t)
{
    if (!t) {
        return;
    }
    for (size_t i = 0; i < t->procs.n; i++) {
        struct follow *f = t->procs.items[i].p;
        stop(f);
        for (size_t k = 0; k < f->npaths; k++) {
            free(f->paths[k]);
        }
        free(f->paths);
        free((char *)f->proc.role);
        strings_free(&f->decode.strings);
        free(f);
    }
    map_free(&t->names);
    map_free(&t->procs);
    free(t->mem);
    free(t->dir);
    free(t);
}
