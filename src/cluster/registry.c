/* SPDX-License-Identifier: Apache-2.0 */
/* Files of registered clusters. Nothing here is trusted to be true: processes are looked at again
 * each time, by start time as well, and killed through a pidfd that was checked after it was
 * opened.
 */
#include "cluster/registry.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"

enum { NAME_LONGEST = 64, END_MS = 10000, HOLDER_MAX = 200 };

bool registry_is_name(const char *name)
{
    size_t n = strlen(name);
    for (const char *p = name; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) {
            return false;
        }
    }
    return n > 0 && n <= NAME_LONGEST && isalpha((unsigned char)*name);
}

char *registry_dir(const char *store, const char *name)
{
    return xasprintf("%s/clusters/%s", store, name);
}

uint64_t registry_started(pid_t pid)
{
    char path[64];
    struct buf b = {0};
    struct err e;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (pid <= 0 || path_read(path, 4096, &b, &e) < 0 || !b.data) {
        buf_free(&b);
        return 0;
    }
    const char *p = strrchr(b.data, ')'); /* the name before it may hold anything */
    uint64_t started = 0;
    if (p && p[1] == ' ' && p[2] != 'Z' && p[2] != 'X') {
        for (int field = 2; p && field < 22; field++) { /* the name is field 2 */
            p = strchr(p + 1, ' ');
        }
        started = p ? strtoull(p + 1, NULL, 10) : 0;
    }
    buf_free(&b);
    return started;
}

/* ---- the file ---- */

static const char *text(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "";
}

static int from_json(struct registry *r, const json_t *j)
{
    const json_t *nodes = json_object_get(j, "nodes");
    const char *name;
    json_t *value;
    r->version = xstrdup(text(j, "version"));
    r->direct = xstrdup(text(j, "direct"));
    r->faulty = xstrdup(text(j, "faulty"));
    r->since_ms = json_integer_value(json_object_get(j, "since_ms"));
    r->nodes = (int)json_array_size(nodes);
    if (r->nodes < 1 || r->nodes > CLUSTER_NODES_MAX || !*r->direct || !*r->faulty) {
        return -1;
    }
    for (int i = 0; i < r->nodes; i++) {
        const json_t *n = json_array_get(nodes, (size_t)i);
        r->node[i].pid = (pid_t)json_integer_value(json_object_get(n, "pid"));
        r->node[i].started = (uint64_t)json_integer_value(json_object_get(n, "started"));
    }
    const json_t *settings = json_object_get(j, "settings");
    r->settings = xcalloc(json_object_size(settings) + 1, sizeof *r->settings);
    json_object_foreach((json_t *)settings, name, value)
    {
        const char *v = json_string_value(value);
        r->settings[r->nsettings++] = (struct cluster_setting){xstrdup(name), xstrdup(v ? v : "")};
    }
    return 0;
}

int registry_read(const char *store, const char *name, struct registry *r, struct err *e)
{
    *r = (struct registry){.name = xstrdup(name), .dir = registry_dir(store, name)};
    char *path = path_join(r->dir, "cluster.json");
    struct stat st;
    int rc = stat(path, &st) == 0;
    json_t *j = rc ? json_read(path, e) : NULL;
    if (rc && (!j || from_json(r, j) < 0)) {
        rc = err_set(e, ERR_PROTOCOL, 0, "%s says nothing of a cluster: remove it", path);
    }
    json_decref(j);
    free(path);
    return rc;
}

int registry_write(const struct registry *r, struct err *e)
{
    json_t *nodes = json_array(), *settings = json_object();
    for (int i = 0; i < r->nodes; i++) {
        json_array_append_new(nodes, json_pack("{s:i,s:I}", "pid", (int)r->node[i].pid, "started",
                                               (json_int_t)r->node[i].started));
    }
    for (size_t i = 0; i < r->nsettings; i++) {
        json_object_set_new(settings, r->settings[i].name, json_string(r->settings[i].value));
    }
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:I,s:o,s:o}", "name", r->name, "version", r->version,
                          "direct", r->direct, "faulty", r->faulty, "since_ms",
                          (json_int_t)r->since_ms, "nodes", nodes, "settings", settings);
    char *path = path_join(r->dir, "cluster.json");
    int rc = json_write(path, j, e);
    json_decref(j);
    free(path);
    return rc;
}

void registry_free(struct registry *r)
{
    for (size_t i = 0; i < r->nsettings; i++) {
        free((char *)r->settings[i].name);
        free((char *)r->settings[i].value);
    }
    free(r->settings);
    free(r->name);
    free(r->dir);
    free(r->version);
    free(r->direct);
    free(r->faulty);
    *r = (struct registry){0};
}

int registry_alive(const struct registry *r)
{
    int n = 0;
    for (int i = 0; i < r->nodes; i++) {
        uint64_t started = registry_started(r->node[i].pid);
        n += started != 0 && started == r->node[i].started;
    }
    return n;
}

/** @return -1 if it still lives after a while. */
static int end_node(const struct registry_node *n)
{
    int fd = (int)syscall(SYS_pidfd_open, n->pid, 0);
    int rc = 0;
    if (fd >= 0 && registry_started(n->pid) == n->started) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
        rc = poll(&p, 1, END_MS) == 1 ? 0 : -1;
    }
    if (fd >= 0) {
        close(fd);
    }
    return rc;
}

int registry_end(const struct registry *r, struct err *e)
{
    for (int i = 0; i < r->nodes; i++) {
        if (end_node(&r->node[i]) < 0) {
            return err_set(e, ERR_PROCESS, 0, "process %d of cluster %s does not end",
                           (int)r->node[i].pid, r->name);
        }
    }
    return path_remove_all(r->dir, e);
}

/* ---- the lock ---- */

static char *read_holder(int fd)
{
    char line[HOLDER_MAX];
    ssize_t n = pread(fd, line, sizeof line - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    return xstrdup(n > 0 ? line : "somebody");
}

int registry_lock(const char *dir, const char *name, const char *who, struct err *e)
{
    char *path = path_join(dir, "lock");
    int fd = path_mkdirs(dir, 0700, e) < 0 ? -2 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd == -1) {
        err_sys(e, "opening %s", path);
    } else if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        char *holder = read_holder(fd);
        err_set(e, ERR_PROCESS, 0,
                "cluster %s is in use by %s: wait, or use another one, as in --cluster reuse:NAME",
                name, holder);
        free(holder);
        close(fd);
        fd = -1;
    } else if (fd >= 0) {
        char line[HOLDER_MAX];
        int n = snprintf(line, sizeof line, "pid %d (%s)", (int)getpid(), who);
        n = n < (int)sizeof line ? n : (int)sizeof line - 1;
        if (ftruncate(fd, 0) < 0 || pwrite(fd, line, (size_t)n, 0) != n) {
            err_sys(e, "writing %s", path);
            close(fd);
            fd = -1;
        }
    }
    free(path);
    return fd < 0 ? -1 : fd;
}

char *registry_holder(const char *dir)
{
    char *path = path_join(dir, "lock"), *holder = NULL;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        holder = read_holder(fd);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    return holder;
}
