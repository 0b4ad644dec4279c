/* SPDX-License-Identifier: Apache-2.0 */
/* mutate-audit HISTORY --remove|--double|--invent TOPIC N: rewrites the audit segments of a stored
 * history so that the N-th committed record of TOPIC (from 1, by partition and offset) is gone, or
 * stands a second time at the end of its partition, or is followed there by a record that nobody
 * sent. Prints one line: id=... topic=... partition=... offset=... of the record that changed, and
 * for what was added at=OFFSET. Everything else of the history stays as it is. */
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "history/events.h"
#include "history/format.h"
#include "history/hist.h"

enum action { REMOVE, DOUBLE, INVENT };

struct job {
    const char *dir, *topic;
    enum action action;
    long n;
    struct events *es;
    uint32_t proc; /**< of the audit */
    const struct event *victim;
    int64_t partition, offset, hw;
};

static bool is_victim_topic(const struct job *j, const struct event *ev)
{
    return ev->kind == H_LOG_RECORD && strcmp(event_str(ev, H_LOG_RECORD_TOPIC), j->topic) == 0;
}

static int by_place(const void *a, const void *b)
{
    const struct event *const *x = a, *const *y = b;
    int64_t p = event_int(*x, H_LOG_RECORD_PARTITION), q = event_int(*y, H_LOG_RECORD_PARTITION);
    int64_t r = event_int(*x, H_LOG_RECORD_OFFSET), s = event_int(*y, H_LOG_RECORD_OFFSET);
    return p != q ? (p < q ? -1 : 1) : r < s ? -1 : r > s;
}

static int find_victim(struct job *j)
{
    struct {
        const struct event **items;
        size_t n, cap;
    } all = {0};
    for (size_t i = 0; i < j->es->n; i++) {
        const struct event *ev = &j->es->items[i];
        if (ev->proc == j->proc && is_victim_topic(j, ev) &&
            event_int(ev, H_LOG_RECORD_OUTCOME) <= 1) {
            *VEC_PUSH(&all) = ev;
        }
    }
    if (j->n < 1 || (size_t)j->n > all.n) {
        fprintf(stderr, "mutate-audit: topic %s has %zu committed records\n", j->topic, all.n);
        free(all.items);
        return -1;
    }
    qsort(all.items, all.n, sizeof *all.items, by_place);
    j->victim = all.items[j->n - 1];
    free(all.items);
    j->partition = event_int(j->victim, H_LOG_RECORD_PARTITION);
    j->offset = event_int(j->victim, H_LOG_RECORD_OFFSET);
    for (size_t i = 0; i < j->es->n; i++) {
        const struct event *ev = &j->es->items[i];
        if (ev->proc == j->proc && ev->kind == H_LOG_PARTITION &&
            strcmp(event_str(ev, H_LOG_PARTITION_TOPIC), j->topic) == 0 &&
            event_int(ev, H_LOG_PARTITION_PARTITION) == j->partition) {
            j->hw = event_int(ev, H_LOG_PARTITION_HW);
        }
    }
    return 0;
}

static int find_audit(struct job *j)
{
    for (size_t i = 0; i < j->es->nprocs; i++) {
        if (strcmp(j->es->procs[i].role, "audit") == 0) {
            j->proc = (uint32_t)i;
            return 0;
        }
    }
    fprintf(stderr, "mutate-audit: %s holds no audit\n", j->dir);
    return -1;
}

enum { FIELDS_MAX = 64 };

static size_t values(const struct event *ev, struct hist_val vals[static FIELDS_MAX])
{
    const struct hist_kind_info *info = hist_kind_info(ev->kind);
    size_t n = info && info->nfields <= FIELDS_MAX ? (size_t)info->nfields : 0;
    for (size_t i = 0; i < n; i++) {
        size_t len = 0;
        switch (info->fields[i].type) {
        case HT_INT:
            vals[i] = HI(event_int(ev, (int)i));
            break;
        case HT_STR:
            vals[i] = HS(event_str(ev, (int)i));
            break;
        case HT_BYTES: {
            const void *data = event_bytes(ev, (int)i, &len);
            vals[i] = HB(data, len);
            break;
        }
        }
    }
    return n;
}

static void add_record(const struct job *j, struct hist *h)
{
    struct hist_val v[FIELDS_MAX];
    size_t n = values(j->victim, v);
    hist_add(h, H_LOG_BATCH, HP_FACT, 0, HS(j->topic), HI(j->partition), HI(j->hw), HI(j->hw),
             HI(1), HI(-1), HI(-1), HI(-1), HI(0), HI(0), v[H_LOG_RECORD_TIMESTAMP],
             v[H_LOG_RECORD_TIMESTAMP], HI(0), HS(""));
    v[H_LOG_RECORD_OFFSET] = HI(j->hw);
    v[H_LOG_RECORD_PID] = v[H_LOG_RECORD_EPOCH] = HI(-1);
    v[H_LOG_RECORD_OUTCOME] = HI(0);
    v[H_LOG_RECORD_TXN_ID] = HS("");
    v[H_LOG_RECORD_TXN_INCARNATION] = v[H_LOG_RECORD_TXN] = HI(-1);
    if (j->action == INVENT) {
        enum { FAR = 1000000000 };
        v[H_LOG_RECORD_VALUE] = HB("invented", strlen("invented"));
        v[H_LOG_RECORD_SEQ].i += FAR;
        v[H_LOG_RECORD_SRC_OFFSET].i += v[H_LOG_RECORD_SRC_OFFSET].i >= 0 ? FAR : 0;
    }
    hist_addv(h, H_LOG_RECORD, HP_FACT, 0, v, n);
}

static bool is_place(const struct job *j, const struct event *ev)
{
    return ev->kind == H_LOG_PARTITION &&
           strcmp(event_str(ev, H_LOG_PARTITION_TOPIC), j->topic) == 0 &&
           event_int(ev, H_LOG_PARTITION_PARTITION) == j->partition;
}

static void copy_events(const struct job *j, struct hist *h)
{
    for (size_t i = 0; i < j->es->n; i++) {
        const struct event *ev = &j->es->items[i];
        struct hist_val v[FIELDS_MAX];
        if (ev->proc != j->proc || ev->kind == H_STRING ||
            (j->action == REMOVE && ev == j->victim)) {
            continue;
        }
        size_t n = values(ev, v);
        if (n == 0) {
            continue;
        }
        if (j->action != REMOVE && is_place(j, ev)) {
            v[H_LOG_PARTITION_HW].i++;
            v[H_LOG_PARTITION_LSO].i++;
        }
        hist_addv(h, ev->kind, ev->phase, ev->op, v, n);
        if (j->action != REMOVE && ev == j->victim) {
            add_record(j, h);
        }
    }
}

/* A segment names the process that wrote it: the runner, as before. */
static int sign(const char *path, int pid, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int32_t value = pid;
    bool good = fd >= 0 && pwrite(fd, &value, sizeof value, offsetof(struct seg_header, pid)) ==
                               (ssize_t)sizeof value;
    if (fd >= 0) {
        close(fd);
    }
    return good ? 0 : err_sys(e, "signing %s", path);
}

/* Moves the new segments into the place of the old ones. */
static int replace(const struct job *j, const char *fresh, struct err *e)
{
    char *old = xasprintf("%s/audit-0.0-*.seg", j->dir);
    char *new = xasprintf("%s/audit-0.0-*.seg", fresh);
    glob_t g;
    int rc = glob(old, 0, NULL, &g);
    for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++) {
        unlink(g.gl_pathv[i]);
    }
    if (rc == 0) {
        globfree(&g);
    }
    rc = glob(new, 0, NULL, &g);
    for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++) {
        char *to = path_join(j->dir, strrchr(g.gl_pathv[i], '/') + 1);
        if (rename(g.gl_pathv[i], to) != 0) {
            rc = err_sys(e, "moving %s", g.gl_pathv[i]);
        } else {
            rc = sign(to, j->es->procs[j->proc].pid, e);
        }
        free(to);
    }
    if (rc == 0) {
        globfree(&g);
    }
    free(old);
    free(new);
    return rc;
}

static int rewrite(struct job *j, struct err *e)
{
    char *fresh = xasprintf("%s.mutated", j->dir);
    int rc = path_mkdirs(fresh, 0700, e);
    struct hist *h = rc == 0 ? hist_open(fresh, &(struct hist_ident){.role = "audit"}, e) : NULL;
    rc = h ? 0 : -1;
    if (h) {
        copy_events(j, h);
        hist_close(h);
        rc = replace(j, fresh, e);
    }
    struct err ignored = {0};
    path_remove_all(fresh, &ignored);
    free(fresh);
    return rc;
}

static void print_id(const struct job *j)
{
    const char *src = event_str(j->victim, H_LOG_RECORD_SRC_TOPIC);
    size_t len = 0;
    const char *value = event_bytes(j->victim, H_LOG_RECORD_VALUE, &len);
    printf("id=");
    if (*src) {
        printf("%s[%" PRId64 "]@%" PRId64, src, event_int(j->victim, H_LOG_RECORD_SRC_PARTITION),
               event_int(j->victim, H_LOG_RECORD_SRC_OFFSET));
    } else {
        printf("%s[%" PRId64 "]@%" PRId64, j->topic, j->partition, j->offset);
    }
    printf(" topic=%s partition=%" PRId64 " offset=%" PRId64, j->topic, j->partition, j->offset);
    if (j->action != REMOVE) {
        printf(" at=%" PRId64, j->hw);
    }
    if (j->action == INVENT) {
        printf(" value=invented\n");
    } else {
        printf(" value=%.*s\n", value ? (int)len : 0, value ? value : "");
    }
}

static int parse(int argc, char **argv, struct job *j)
{
    static const char *const names[] = {"--remove", "--double", "--invent"};
    if (argc != 5) {
        return -1;
    }
    j->dir = argv[1];
    j->topic = argv[3];
    j->n = strtol(argv[4], NULL, 10);
    for (int i = 0; i < 3; i++) {
        if (strcmp(argv[2], names[i]) == 0) {
            j->action = (enum action)i;
            return 0;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct job j = {0};
    struct err e = {0};
    if (parse(argc, argv, &j) != 0) {
        fprintf(stderr, "usage: mutate-audit HISTORY --remove|--double|--invent TOPIC N\n");
        return 64;
    }
    j.es = events_open(j.dir, &e);
    if (!j.es) {
        fprintf(stderr, "mutate-audit: %s\n", e.msg);
        return 1;
    }
    int rc = find_audit(&j) == 0 && find_victim(&j) == 0 ? 0 : 1;
    if (rc == 0 && rewrite(&j, &e) != 0) {
        fprintf(stderr, "mutate-audit: %s\n", e.msg);
        rc = 1;
    }
    if (rc == 0) {
        print_id(&j);
    }
    events_free(j.es);
    return rc;
}
