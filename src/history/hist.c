/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of a process's history. Segments are files that posix_fallocate() has filled with real
 * blocks and that are mapped shared: a record is a few stores, and what was stored survives a
 * SIGKILL in the page cache. A record becomes visible by its size, stored last; `used` in the
 * header follows, so that a reader can tell a torn tail from damage in the middle. A segment
 * appears under its name complete with its header (rename), and the one before it is marked as
 * continued only then. One thread per struct hist. */
#include "history/hist.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "history/format.h"

struct hist {
    uint8_t *base; /**< the mapped segment; NULL after a failure */
    uint64_t used, cap;
    int fd;
    char *path;             /**< of the segment */
    char *stem;             /**< DIR/ROLE-INDEX.INCARNATION */
    struct seg_header head; /**< what every segment of the process begins with */
    char role[SEG_ROLE_MAX + 1];
    uint64_t ops;
    struct map strings;
    hist_fail_fn fail;
    void *fail_arg;
    struct runs runs;
};

static struct seg_header *header(struct hist *h)
{
    return (struct seg_header *)(void *)h->base;
}

static uint64_t boot_hash(void)
{
    struct buf b = {0};
    struct err e;
    uint64_t hash = 0;
    if (path_read("/proc/sys/kernel/random/boot_id", 0, &b, &e) == 0 && b.data) {
        hash = hash_bytes(0, b.data, b.len);
    }
    buf_free(&b);
    return hash;
}

/* A limit on the size of files answers with SIGXFSZ besides EFBIG: swallow the signal. */
static int allocate(int fd, uint64_t size)
{
    sigset_t xfsz, old;
    sigemptyset(&xfsz);
    sigaddset(&xfsz, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &xfsz, &old);
    int rc;
    do {
        rc = posix_fallocate(fd, 0, (off_t)size);
    } while (rc == EINTR);
    if (rc == EFBIG) {
        sigtimedwait(&xfsz, NULL, &(struct timespec){0});
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

/* Nothing of an unfinished segment stays behind. */
static int create_failed(int fd, char *tmp, char *path, const char *what, struct err *e)
{
    err_sys(e, "%s history segment %s", what, path);
    if (fd >= 0) {
        close(fd);
        unlink(tmp);
    }
    free(tmp);
    free(path);
    return -1;
}

static int segment_create(struct hist *h, uint32_t number, uint64_t cap, struct err *e)
{
    char *path = xasprintf("%s-%u.seg", h->stem, number);
    char *tmp = xasprintf("%s.tmp", path);
    if (access(path, F_OK) == 0) {
        errno = EEXIST;
        return create_failed(-1, tmp, path, "creating", e);
    }
    int fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return create_failed(fd, tmp, path, "creating", e);
    }
    errno = allocate(fd, cap);
    if (errno != 0) {
        return create_failed(fd, tmp, path, "allocating", e);
    }
    uint8_t *base = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        return create_failed(fd, tmp, path, "mapping", e);
    }
    h->head.number = number;
    h->head.used = seg_first(&h->head);
    memcpy(base, &h->head, sizeof h->head);
    memcpy(base + sizeof h->head, h->role, h->head.role_len);
    if (rename(tmp, path) < 0) {
        munmap(base, cap);
        return create_failed(fd, tmp, path, "naming", e);
    }
    free(tmp);
    h->base = base;
    h->used = h->head.used;
    h->cap = cap;
    h->fd = fd;
    h->path = path;
    return 0;
}

/* Marks, trims and forgets a segment. A zero size stays behind the last record, so that a reader
 * that maps the file never looks beyond its end. */
static void segment_end(uint8_t *base, uint64_t cap, uint64_t used, int fd, enum seg_state state)
{
    struct seg_header *hd = (struct seg_header *)(void *)base;
    __atomic_store_n(&hd->state, (uint32_t)state, __ATOMIC_RELEASE);
    munmap(base, cap);
    if (used + SEG_TAIL < cap && ftruncate(fd, (off_t)(used + SEG_TAIL)) < 0) {
        /* The file keeps its length; it reads the same. */
        errno = 0;
    }
    close(fd);
}

static void fail(struct hist *h, const struct err *e)
{
    runs_close(&h->runs);
    segment_end(h->base, h->cap, h->used, h->fd, SEG_FAILED);
    h->base = NULL;
    h->fd = -1;
    if (h->fail) {
        h->fail(h->fail_arg, e);
    }
}

/* Goes on in a new segment with room for a record of size bytes. */
static int grow(struct hist *h, uint64_t size)
{
    struct hist old = *h;
    struct err e = {0};
    uint64_t need = seg_first(&h->head) + size + SEG_TAIL;
    uint64_t cap = h->cap * 2 < SEG_MAX_BYTES ? h->cap * 2 : SEG_MAX_BYTES;
    while (cap < need) {
        cap *= 2;
    }
    runs_close(&h->runs);
    if (cap > SEG_LIMIT_BYTES) {
        errno = EFBIG;
        err_sys(&e, "appending %llu bytes to history segment %s", (unsigned long long)size,
                h->path);
        fail(h, &e);
        return -1;
    }
    if (segment_create(h, h->head.number + 1, cap, &e) < 0) {
        fail(h, &e);
        return -1;
    }
    segment_end(old.base, old.cap, old.used, old.fd, SEG_CONTINUED);
    free(old.path);
    return 0;
}

struct rec *rec_begin(struct hist *h, uint64_t size, unsigned kind, unsigned phase)
{
    if (!h->base || (h->used + size + SEG_TAIL > h->cap && grow(h, size) < 0)) {
        return NULL;
    }
    struct rec *r = (struct rec *)(void *)(h->base + h->used);
    r->t = clock_mono_ns();
    r->kind = (uint16_t)kind;
    r->phase = (uint8_t)phase;
    return r;
}

void rec_commit(struct hist *h, struct rec *r, uint64_t size)
{
    __atomic_store_n(&r->size, (uint32_t)size, __ATOMIC_RELEASE);
    h->used += size;
    __atomic_store_n(&header(h)->used, h->used, __ATOMIC_RELEASE);
}

struct runs *hist_runs(struct hist *h)
{
    return &h->runs;
}

/* Role names are identifiers; anything else must not become a path. */
static char *make_stem(const char *dir, const struct hist_ident *who)
{
    char *name = xstrdup(who->role);
    for (char *p = name; *p; p++) {
        if (*p == '/' || (unsigned char)*p <= ' ') {
            *p = '_';
        }
    }
    char *stem = xasprintf("%s/%s-%d.%d", dir, name, who->index, who->incarnation);
    free(name);
    return stem;
}

/* KAOS_BENCH_HISTORY=off, only to measure what a history costs: the segments of roles say from
 * their start that their writer could not go on, so such a run is incomplete and never passes. */
static bool is_switched_off(const struct hist_ident *who)
{
    const char *value = getenv("KAOS_BENCH_HISTORY");
    return who->index > 0 && value && strcmp(value, "off") == 0;
}

struct hist *hist_open(const char *dir, const struct hist_ident *who, struct err *e)
{
    size_t len = strlen(who->role);
    if (len == 0 || len > SEG_ROLE_MAX) {
        err_set(e, ERR_SYSTEM, ENAMETOOLONG, "opening history of role '%.40s': name of %zu bytes",
                who->role, len);
        return NULL;
    }
    struct hist *h = xcalloc(1, sizeof *h);
    h->stem = make_stem(dir, who);
    memcpy(h->role, who->role, len);
    h->head = (struct seg_header){
        .version = SEG_VERSION,
        .role_len = (uint16_t)len,
        .index = who->index,
        .incarnation = who->incarnation,
        .pid = getpid(),
        .state = SEG_OPEN,
        .boot = boot_hash(),
        .mono_ns = clock_mono_ns(),
        .real_ns = clock_real_ns(),
    };
    memcpy(h->head.magic, SEG_MAGIC, sizeof h->head.magic);
    if (segment_create(h, 0, SEG_FIRST_BYTES, e) < 0) {
        free(h->stem);
        free(h);
        return NULL;
    }
    if (is_switched_off(who)) {
        segment_end(h->base, h->cap, h->used, h->fd, SEG_FAILED);
        h->base = NULL;
        h->fd = -1;
    }
    return h;
}

void hist_on_fail(struct hist *h, hist_fail_fn fn, void *arg)
{
    h->fail = fn;
    h->fail_arg = arg;
}

void hist_close(struct hist *h)
{
    if (!h) {
        return;
    }
    if (h->base) {
        runs_close(&h->runs);
        segment_end(h->base, h->cap, h->used, h->fd, SEG_CLOSED);
    }
    map_free(&h->strings);
    free(h->path);
    free(h->stem);
    free(h);
}

uint64_t hist_op(struct hist *h)
{
    return ++h->ops;
}

void hist_flush(struct hist *h)
{
    runs_close(&h->runs);
}

int64_t hist_str(struct hist *h, const char *s)
{
    return s ? hist_strn(h, s, strlen(s)) : 0;
}

int64_t hist_strn(struct hist *h, const char *s, size_t len)
{
    if (len == 0) {
        return 0;
    }
    bool fresh;
    struct map_entry *at = map_put(&h->strings, s, len, &fresh);
    if (!fresh) {
        return at->i;
    }
    at->i = (int64_t)h->strings.n;
    enum { HEAD = sizeof(struct rec) + 2 * sizeof(int64_t) };
    if (len > REC_BYTES_MAX) {
        len = REC_BYTES_MAX;
    }
    uint64_t size = seg_pad(HEAD + len);
    struct rec *r = rec_begin(h, size, H_STRING, HP_FACT);
    if (r) {
        int64_t *slots = (int64_t *)(r + 1);
        r->nslots = 2;
        r->op = 0;
        slots[H_STRING_ID] = at->i;
        slots[H_STRING_TEXT] = rec_bytes_pack(HEAD, (uint32_t)len);
        memcpy((char *)r + HEAD, s, len);
        rec_commit(h, r, size);
    }
    return at->i;
}

/* The slots of the values; strings are defined on the way. Returns the bytes that follow them. */
static uint64_t fill_slots(struct hist *h, const struct hist_val *vals, size_t n, int64_t *slots)
{
    uint64_t off = sizeof(struct rec) + n * sizeof *slots;
    for (size_t i = 0; i < n; i++) {
        if (vals[i].type == HT_STR) {
            slots[i] = hist_str(h, vals[i].p);
        } else if (vals[i].type == HT_BYTES) {
            size_t len = vals[i].p ? vals[i].len : 0;
            if (len > REC_BYTES_MAX || off + len > REC_BYTES_MAX) {
                memset(slots + i, 0, (n - i) * sizeof *slots);
                return SEG_LIMIT_BYTES;
            }
            slots[i] = vals[i].p ? rec_bytes_pack((uint32_t)off, (uint32_t)len) : 0;
            off += len;
        } else {
            slots[i] = vals[i].i;
        }
    }
    return off;
}

void hist_addv(struct hist *h, enum hist_kind kind, enum hist_phase phase, uint64_t op,
               const struct hist_val *vals, size_t n)
{
    enum { MAX_FIELDS = 32 };
    const struct hist_kind_info *info = hist_kind_info(kind);
    int64_t slots[MAX_FIELDS];
    assert(info && n == (size_t)info->nfields && n <= MAX_FIELDS);
    for (size_t i = 0; i < n; i++) {
        assert(vals[i].type == info->fields[i].type);
    }
    runs_close(&h->runs);
    uint64_t len = fill_slots(h, vals, n, slots), size = seg_pad(len);
    struct rec *r = rec_begin(h, size, kind, phase);
    if (!r) {
        return;
    }
    r->nslots = (uint8_t)n;
    r->op = op;
    memcpy(r + 1, slots, n * sizeof *slots);
    for (size_t i = 0; i < n; i++) {
        if (vals[i].type == HT_BYTES && vals[i].p && vals[i].len) {
            memcpy((char *)r + ((uint64_t)slots[i] >> 32), vals[i].p, vals[i].len);
        }
    }
    rec_commit(h, r, size);
}
