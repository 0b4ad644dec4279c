/* SPDX-License-Identifier: Apache-2.0 */
/* The table of deliveries: a file mapped by all processes of a run, entries of a 128-bit hash of
 * the key and a counter. An entry is claimed by compare-and-swap of the first half and then of the
 * second; whoever meets an entry whose second half is still free may complete it with its own, so
 * that a process killed between the two leaves nothing that others wait for. Lock-free; any
 * thread. */
#include "history/deliveries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

#define DELIVERIES_MAGIC 0x315345495645444bull
enum { LOG2_MIN = 4, LOG2_MAX = 30, PROBES_MAX = 4096 };

struct entry {
    uint64_t key[2]; /**< 0 = free */
    uint64_t count;
};
struct head {
    uint64_t magic, capacity_log2;
    uint64_t reserved[6];
};
struct deliveries {
    struct head *head;
    struct entry *entries;
    uint64_t mask;
    size_t size;
};

static size_t table_size(int log2)
{
    return sizeof(struct head) + ((size_t)1 << log2) * sizeof(struct entry);
}

static int create(const char *path, int log2, struct err *e)
{
    char *tmp = xasprintf("%s.%d.tmp", path, (int)getpid());
    int fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct head hd = {.magic = DELIVERIES_MAGIC, .capacity_log2 = (uint64_t)log2};
    int rc = fd < 0 ? err_sys(e, "creating table of deliveries %s", path) : 0;
    if (rc == 0 && (errno = posix_fallocate(fd, 0, (off_t)table_size(log2))) != 0) {
        rc = err_sys(e, "allocating table of deliveries %s", path);
    }
    if (rc == 0 && pwrite(fd, &hd, sizeof hd, 0) != sizeof hd) {
        rc = err_sys(e, "writing table of deliveries %s", path);
    }
    if (rc == 0 && rename(tmp, path) < 0) {
        rc = err_sys(e, "naming table of deliveries %s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (rc < 0) {
        unlink(tmp);
    }
    free(tmp);
    return rc;
}

static struct head *map_table(int fd, const char *path, size_t *size, struct err *e)
{
    struct head hd;
    struct stat st;
    if (fstat(fd, &st) < 0 || pread(fd, &hd, sizeof hd, 0) != sizeof hd ||
        hd.magic != DELIVERIES_MAGIC || hd.capacity_log2 < LOG2_MIN ||
        hd.capacity_log2 > LOG2_MAX || (size_t)st.st_size != table_size((int)hd.capacity_log2)) {
        err_set(e, ERR_PROTOCOL, 0, "%s is not a table of deliveries", path);
        return NULL;
    }
    *size = (size_t)st.st_size;
    void *p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        err_sys(e, "mapping table of deliveries %s", path);
        return NULL;
    }
    return p;
}

struct deliveries *deliveries_open(const char *path, int capacity_log2, struct err *e)
{
    if (capacity_log2 != 0) {
        int log2 = capacity_log2 < LOG2_MIN ? LOG2_MIN : capacity_log2;
        if (create(path, log2 > LOG2_MAX ? LOG2_MAX : log2, e) < 0) {
            return NULL;
        }
    }
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        err_sys(e, "opening table of deliveries %s", path);
        return NULL;
    }
    size_t size = 0;
    struct head *hd = map_table(fd, path, &size, e);
    close(fd);
    if (!hd) {
        return NULL;
    }
    struct deliveries *d = xcalloc(1, sizeof *d);
    d->head = hd;
    d->entries = (struct entry *)(hd + 1);
    d->mask = ((uint64_t)1 << hd->capacity_log2) - 1;
    d->size = size;
    return d;
}

/* Whether the half is, or now becomes, value. */
static bool claim(uint64_t *half, uint64_t value)
{
    uint64_t was = __atomic_load_n(half, __ATOMIC_ACQUIRE);
    if (was == 0 &&
        __atomic_compare_exchange_n(half, &was, value, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        return true;
    }
    return was == value;
}

uint32_t deliveries_add(struct deliveries *d, const char *group, const char *topic,
                        int32_t partition, int64_t offset)
{
    uint64_t key[2];
    for (int i = 0; i < 2; i++) {
        uint64_t h = hash_str(hash_str((uint64_t)i + 1, group), topic);
        h = hash_mix(hash_mix(h, (uint64_t)partition), (uint64_t)offset);
        key[i] = h ? h : 1;
    }
    for (uint64_t i = 0; i <= d->mask && i < PROBES_MAX; i++) {
        struct entry *en = &d->entries[(key[0] + i) & d->mask];
        if (claim(&en->key[0], key[0]) && claim(&en->key[1], key[1])) {
            return (uint32_t)__atomic_add_fetch(&en->count, 1, __ATOMIC_RELAXED);
        }
    }
    return 0;
}

void deliveries_close(struct deliveries *d)
{
    if (d) {
        munmap(d->head, d->size);
        free(d);
    }
}
