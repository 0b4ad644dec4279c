/* SPDX-License-Identifier: Apache-2.0 */
/* Formats templates and trains the class-data archive: see kafka_cache.h.
 *
 *   step: all there? ──yes──▶ unlock, done
 *     │ no: lock (wait while another process holds it), look again
 *     ├─ a template is missing: run StorageTool on a folder beside, rename, step
 *     └─ the archive is missing: start a broker that writes one at exit, SIGTERM when it answers,
 *        rename, step; a broker that fails here is not an error (starts are only slower)
 *
 * Loop thread only. The lock is an flock on an open descriptor: it goes with the process. */
#include "cluster/kafka_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "cluster/kafka_config.h"
#include "cluster/kafka_jvm.h"
#include "cluster/ports.h"
#include "cluster/ready.h"

/* Every managed cluster has the same id: templates are copies of each other, data is private. */
static const char cluster_id[] = "a2Fvcy1jbHVzdGVyLTAwMQ";

enum {
    LOCK_PAUSE_MS = 100,
    LOCK_LIMIT_S = 180,
    FORMAT_LIMIT_MS = 60000,
    TRAIN_LIMIT_MS = 60000,
    LAYOUT = 1, /* counted up when templates of older binaries no longer fit */
};

struct kafka_cache {
    struct kafka_cache_opts o;
    char *work_dir, *log_path;
    char *archive; /**< final name */
    char *making;  /**< what the running process makes, before its rename */
    char *target;  /**< its final name */
    struct timer *timer;
    struct proc *proc; /**< at most one at a time */
    struct ready *probe;
    uint64_t deadline_ns;
    int lock_fd;
    bool trained; /**< tried, whatever the outcome */
    loop_fn gone;
    void *gone_arg;
};

static void step(void *arg);

char *kafka_cache_template(const struct kafka_cache *k, int node)
{
    return xasprintf("%s/template-%d-%d", k->o.home->cache, LAYOUT, node);
}

char *kafka_cache_archive(const struct kafka_cache *k)
{
    return access(k->archive, R_OK) == 0 ? xstrdup(k->archive) : NULL;
}

struct kafka_cache *kafka_cache_start(const struct kafka_cache_opts *o)
{
    struct kafka_cache *k = xcalloc(1, sizeof *k);
    k->o = *o;
    k->work_dir = xstrdup(o->work_dir);
    k->log_path = xstrdup(o->log_path);
    k->lock_fd = -1;
    k->deadline_ns = clock_mono_ns() + (uint64_t)LOCK_LIMIT_S * 1000000000;
    uint64_t h = hash_str(0, o->home->key);
    for (size_t i = 0; kafka_jvm_options[i]; i++) {
        h = hash_str(h, kafka_jvm_options[i]);
    }
    k->archive = xasprintf("%s/classes-%016llx.jsa", o->home->cache, (unsigned long long)h);
    k->timer = timer_start(o->loop, 0, 0, step, k);
    return k;
}

static void unlock(struct kafka_cache *k)
{
    if (k->lock_fd >= 0) {
        close(k->lock_fd);
        k->lock_fd = -1;
    }
}

static void finish(struct kafka_cache *k, const struct err *e)
{
    unlock(k);
    k->o.fn(k->o.arg, e);
}

void kafka_cache_cancel(struct kafka_cache *k, loop_fn gone, void *arg)
{
    timer_stop(k->timer);
    ready_cancel(k->probe);
    k->timer = NULL;
    k->probe = NULL;
    if (!k->proc) {
        gone(arg);
        return;
    }
    k->gone = gone;
    k->gone_arg = arg;
    proc_signal(k->proc, SIGKILL, true);
}

static void forget_making(struct kafka_cache *k)
{
    struct err ignored;
    if (k->making) {
        path_remove_all(k->making, &ignored);
    }
    free(k->making);
    free(k->target);
    k->making = k->target = NULL;
}

void kafka_cache_free(struct kafka_cache *k)
{
    if (!k) {
        return;
    }
    timer_stop(k->timer);
    unlock(k);
    forget_making(k);
    free(k->work_dir);
    free(k->log_path);
    free(k->archive);
    free(k);
}

static int missing_template(const struct kafka_cache *k)
{
    for (int node = 1; node <= k->o.nodes; node++) {
        char *path = kafka_cache_template(k, node);
        bool there = access(path, R_OK) == 0;
        free(path);
        if (!there) {
            return node;
        }
    }
    return 0;
}

static bool missing_archive(const struct kafka_cache *k)
{
    return !k->trained && access(k->archive, R_OK) < 0;
}

/* @return 1 = ours, 0 = somebody else's for now. */
static int take_lock(struct kafka_cache *k, struct err *e)
{
    if (k->lock_fd >= 0) {
        return 1;
    }
    if (path_mkdirs(k->o.home->cache, 0755, e) < 0) {
        return -1;
    }
    char *path = path_join(k->o.home->cache, "lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    int rc = fd < 0 ? err_sys(e, "opening %s", path) : 1;
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        rc = errno == EWOULDBLOCK ? 0 : err_sys(e, "locking %s", path);
        close(fd);
        fd = -1;
    }
    if (rc == 0 && clock_mono_ns() > k->deadline_ns) {
        rc = err_set(e, ERR_TIMEOUT, 0,
                     "waiting for another kaos that prepares Kafka: %s is locked", path);
    }
    k->lock_fd = fd;
    free(path);
    return rc;
}

/* A fresh folder with the server.properties of a node that stands alone or is to be formatted;
 * address (may be NULL) becomes its DIRECT one, caller frees. Returned, caller frees. */
static char *prepare_folder(struct kafka_cache *k, int node, const char *data, char **address,
                            struct err *e)
{
    struct kafka_ports ports[CLUSTER_NODES_MAX];
    int nodes = node % 2 ? node : node + 1;
    char *dir = path_join(k->work_dir, "prepare");
    if (path_remove_all(dir, e) < 0 || path_mkdirs(dir, 0700, e) < 0 ||
        ports_pick(ports[0].at, (size_t)nodes * PORT_COUNT, e) < 0) {
        free(dir);
        return NULL;
    }
    struct kafka_config c = {.node = node, .nodes = nodes, .ports = ports, .data = data};
    char *text = kafka_config_render(&c), *path = path_join(dir, "server.properties");
    int rc = path_write(path, text, strlen(text), e);
    free(text);
    free(path);
    if (rc < 0) {
        free(dir);
        return NULL;
    }
    if (address) {
        *address = xasprintf("127.0.0.1:%d", ports[node - 1].at[PORT_DIRECT]);
    }
    return dir;
}

static void limit_passed(void *arg)
{
    struct kafka_cache *k = arg;
    k->timer = NULL;
    ready_cancel(k->probe);
    k->probe = NULL;
    proc_signal(k->proc, SIGKILL, true);
}

static int spawn(struct kafka_cache *k, struct kafka_jvm *j, struct err *e)
{
    j->home = k->o.home;
    j->guard = k->o.guard;
    j->log_path = k->log_path;
    j->arg = k;
    k->proc = kafka_jvm_spawn(j, e);
    return k->proc ? 0 : -1;
}

/* The process was reaped: true when its end is the cancel's, and nothing else is to be done. */
static bool process_gone(struct kafka_cache *k)
{
    proc_free(k->proc);
    k->proc = NULL;
    timer_stop(k->timer);
    ready_cancel(k->probe);
    k->timer = NULL;
    k->probe = NULL;
    if (k->gone) {
        k->gone(k->gone_arg);
        return true;
    }
    return false;
}

static void formatted(void *arg, struct proc *p, struct proc_end end)
{
    struct kafka_cache *k = arg;
    struct err e;
    if (process_gone(k)) {
        return;
    }
    char *meta = path_join(k->making, "meta.properties");
    bool whole = end.signal == 0 && end.code == 0 && access(meta, R_OK) == 0;
    free(meta);
    if (!whole) {
        char *tail = path_tail(k->log_path, 1);
        err_set(&e, ERR_PROCESS, 0, "formatting a data folder for Kafka %s: %s%d: %s",
                k->o.home->version, end.signal ? "signal " : "exit code ",
                end.signal ? end.signal : end.code, tail);
        free(tail);
        finish(k, &e);
        return;
    }
    if (rename(k->making, k->target) < 0) {
        err_sys(&e, "renaming %s to %s", k->making, k->target);
        finish(k, &e);
        return;
    }
    forget_making(k);
    step(k);
}

static int format_node(struct kafka_cache *k, int node, struct err *e)
{
    k->target = kafka_cache_template(k, node);
    k->making = xasprintf("%s.new", k->target);
    if (path_remove_all(k->making, e) < 0) {
        return -1;
    }
    char *dir = prepare_folder(k, node, k->making, NULL, e);
    if (!dir) {
        return -1;
    }
    const char *argv[] = {"kafka.tools.StorageTool", "format", "-t", cluster_id, "-c",
                          "server.properties",       NULL};
    struct kafka_jvm j = {.dir = dir, .argv = argv, .on_exit = formatted};
    int rc = spawn(k, &j, e);
    free(dir);
    if (rc == 0) {
        k->timer = timer_start(k->o.loop, FORMAT_LIMIT_MS, 0, limit_passed, k);
    }
    return rc;
}

static void trained(void *arg, struct proc *p, struct proc_end end)
{
    struct kafka_cache *k = arg;
    if (process_gone(k)) {
        return;
    }
    if (access(k->making, R_OK) < 0 || rename(k->making, k->target) < 0) {
        log_debug("no class-data archive for Kafka %s (%s %d): starts will be slower",
                  k->o.home->version, end.signal ? "signal" : "exit code",
                  end.signal ? end.signal : end.code);
    }
    forget_making(k);
    step(k);
}

static void train_ready(void *arg, const struct ready_result *r, const struct err *e)
{
    struct kafka_cache *k = arg;
    k->probe = NULL;
    proc_signal(k->proc, e ? SIGKILL : SIGTERM, false);
}

static int train(struct kafka_cache *k, struct err *e)
{
    k->trained = true;
    k->target = xstrdup(k->archive);
    k->making = xasprintf("%s.new", k->archive);
    char *data = path_join(k->work_dir, "prepare/data"), *template = kafka_cache_template(k, 1);
    char *address = NULL, *dir = prepare_folder(k, 1, data, &address, e);
    const char *argv[] = {"kafka.Kafka", "server.properties", NULL};
    struct kafka_jvm j = {
        .dir = dir, .argv = argv, .on_exit = trained, .archive = k->making, .dump = true};
    int rc = dir && path_copy_all(template, data, e) == 0 ? spawn(k, &j, e) : -1;
    if (rc == 0) {
        const char *addresses[] = {address};
        struct ready_opts o = {.loop = k->o.loop,
                               .addresses = addresses,
                               .naddresses = 1,
                               .coordinators = true,
                               .timeout_ms = TRAIN_LIMIT_MS,
                               .fn = train_ready,
                               .arg = k};
        k->probe = ready_start(&o);
        k->timer = timer_start(k->o.loop, TRAIN_LIMIT_MS, 0, limit_passed, k);
    }
    free(data);
    free(template);
    free(address);
    free(dir);
    return rc;
}

static void step(void *arg)
{
    struct kafka_cache *k = arg;
    struct err e;
    k->timer = NULL;
    int node = missing_template(k);
    if (node == 0 && !missing_archive(k)) {
        finish(k, NULL);
        return;
    }
    bool fresh = k->lock_fd < 0;
    int rc = take_lock(k, &e);
    if (rc == 0 || (rc > 0 && fresh)) {
        /* Look again: the one who had the lock may have made what was missing. */
        k->timer = timer_start(k->o.loop, rc ? 0 : LOCK_PAUSE_MS, 0, step, k);
        return;
    }
    if (rc > 0) {
        rc = node ? format_node(k, node, &e) : train(k, &e);
    }
    if (rc < 0) {
        finish(k, &e);
    }
}
