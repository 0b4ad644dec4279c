/* SPDX-License-Identifier: Apache-2.0 */
/* The kind `kafka`: 1 to 5 KRaft nodes as child processes, from jars to ready to gone.
 *
 *   IDLE ─▶ PREPARING (kafka_cache.c) ─▶ STARTING ─▶ READY ─▶ STOPPING ─▶ STOPPED
 *                                         │  ▲  └─▶ FAILED ──▶┘
 *                             port taken  ▼  │ all ended
 *                                        CLEARING
 *
 * Nodes are in kafka_node.c. Everything runs on the loop; questions to brokers and the removal of
 * data on pool threads. */
#include "cluster/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "cluster/ports.h"

enum {
    READY_LIMIT_S = 60,
    PORT_ATTEMPTS = 3,
    LOG_LINES = 20, /* of a node that failed */
};

static void begin_nodes(struct kafka *k);

/** kafka:4.3.1 is a version; kafka:9092, a usual name in a network of containers, is an address. */
static bool kafka_accepts(const char *spec)
{
    if (strncmp(spec, "kafka:", 6) != 0) {
        return strcmp(spec, "kafka") == 0;
    }
    size_t digits = strspn(spec + 6, "0123456789");
    return digits < 4 || spec[6 + digits] != '\0';
}

static void kafka_free(struct cluster *c)
{
    struct kafka *k = (struct kafka *)c;
    timer_stop(k->timer);
    ready_cancel(k->probe);
    for (int i = 0; i < c->nodes; i++) {
        kafka_node_fini(&k->nodes[i]);
    }
    kafka_cache_free(k->cache);
    kafka_home_free(&k->home);
    free(k->dir);
    free(k->logs);
    free(k->archive);
    cluster_base_fini(c);
    free(k);
}

static int check_opts(const struct cluster_opts *o, struct err *e)
{
    if (o->brokers < 0 || o->brokers > CLUSTER_NODES_MAX) {
        return err_set(e, ERR_USAGE, 0, "a cluster of %d brokers: kaos starts 1 to %d", o->brokers,
                       CLUSTER_NODES_MAX);
    }
    if (strchr(o->run_dir, ',')) {
        return err_set(e, ERR_USAGE, 0, "Kafka cannot keep data in %s: there is a comma in it",
                       o->run_dir);
    }
    return kafka_config_check(o->settings, o->nsettings, e);
}

static struct cluster *kafka_open(const char *spec, const struct cluster_opts *o, struct err *e)
{
    struct kafka_home home;
    struct err mkdir_err;
    if (check_opts(o, e) < 0 || kafka_home_find(spec, &home, e) < 0) {
        return NULL;
    }
    char *run_dir =
        path_mkdirs(o->run_dir, 0700, &mkdir_err) == 0 ? realpath(o->run_dir, NULL) : NULL;
    if (!run_dir) {
        err_sys(e, "making the run's folder %s", o->run_dir);
        kafka_home_free(&home);
        return NULL;
    }
    struct kafka *k = xcalloc(1, sizeof *k);
    cluster_base_init(&k->base, &kafka_kind, o);
    k->home = home;
    k->dir = path_join(run_dir, "cluster");
    k->logs = path_join(run_dir, "logs");
    free(run_dir);
    free(k->base.version);
    k->base.version = xstrdup(home.version);
    k->base.nodes = k->base.brokers = o->brokers ? o->brokers : 1;
    k->base.caps = CLUSTER_CAP_TRANSACTIONS | CLUSTER_CAP_GROUPS | CLUSTER_CAP_ADMIN |
                   CLUSTER_CAP_KILL_BROKER | CLUSTER_CAP_RETENTION | CLUSTER_CAP_FRESH |
                   (k->base.nodes > 1 ? CLUSTER_CAP_REPLICATION : 0);
    for (int i = 0; i < k->base.nodes; i++) {
        kafka_node_init(&k->nodes[i], k, i + 1);
    }
    return &k->base;
}

static void fail(struct kafka *k, const struct err *e, const char *log_path)
{
    ready_cancel(k->probe);
    k->probe = NULL;
    k->phase = KAFKA_FAILED;
    if (log_path) {
        free(k->base.failure_log);
        k->base.failure_log = path_tail(log_path, LOG_LINES);
    }
    for (int i = 0; i < k->base.nodes; i++) {
        kafka_node_end(&k->nodes[i]);
    }
    cluster_base_ready(&k->base, e);
}

static void prepared(void *arg, const struct err *e)
{
    struct kafka *k = arg;
    if (e) {
        char *log_path = path_join(k->logs, "kafka-prepare.log");
        fail(k, e, log_path);
        free(log_path);
        return;
    }
    k->archive = kafka_cache_archive(k->cache);
    begin_nodes(k);
}

static void begin(void *arg)
{
    struct kafka *k = arg;
    struct err e;
    k->timer = NULL;
    if (path_mkdirs(k->logs, 0700, &e) < 0 || path_mkdirs(k->dir, 0700, &e) < 0) {
        fail(k, &e, NULL);
        return;
    }
    char *log_path = path_join(k->logs, "kafka-prepare.log");
    struct kafka_cache_opts o = {.loop = k->base.o.loop,
                                 .guard = k->base.o.guard,
                                 .home = &k->home,
                                 .work_dir = k->dir,
                                 .log_path = log_path,
                                 .nodes = k->base.nodes,
                                 .fn = prepared,
                                 .arg = k};
    k->cache = kafka_cache_start(&o);
    free(log_path);
}

static void kafka_start(struct cluster *c)
{
    struct kafka *k = (struct kafka *)c;
    k->phase = KAFKA_PREPARING;
    k->timer = timer_start(c->o.loop, 0, 0, begin, k);
}

static char *bootstrap_of(const struct kafka *k, enum kafka_port port)
{
    struct buf b = {0};
    for (int i = 0; i < k->base.nodes; i++) {
        buf_printf(&b, "%s127.0.0.1:%d", i ? "," : "", k->ports[i].at[port]);
    }
    return buf_take(&b);
}

static int limit_s(const struct kafka *k)
{
    return k->base.o.ready_timeout_s ? k->base.o.ready_timeout_s : READY_LIMIT_S;
}

static void nodes_ready(void *arg, const struct ready_result *r, const struct err *e)
{
    struct kafka *k = arg;
    k->probe = NULL;
    if (e) {
        struct err copy = *e;
        if (e->kind != ERR_USAGE) {
            copy.kind = ERR_TIMEOUT;
            err_wrap(&copy, "starting Kafka %s: not ready after %d s (logs: %s)", k->home.version,
                     limit_s(k), k->logs);
        }
        fail(k, &copy, k->nodes[0].log_path);
        return;
    }
    k->phase = KAFKA_READY;
    for (int i = 0; i < k->base.nodes; i++) {
        k->nodes[i].state = NODE_IS_UP;
    }
    cluster_base_ready(&k->base, NULL);
}

static void wait_ready(struct kafka *k)
{
    const char *addresses[CLUSTER_NODES_MAX];
    for (int i = 0; i < k->base.nodes; i++) {
        addresses[i] = k->nodes[i].address;
    }
    struct ready_opts o = {.loop = k->base.o.loop,
                           .addresses = addresses,
                           .naddresses = (size_t)k->base.nodes,
                           .brokers = k->base.nodes,
                           .coordinators = true,
                           .settings = k->base.o.settings,
                           .nsettings = k->base.o.nsettings,
                           .timeout_ms = (unsigned)limit_s(k) * 1000,
                           .fn = nodes_ready,
                           .arg = k};
    k->probe = ready_start(&o);
}

static int lay_out_and_spawn(struct kafka *k, struct err *e)
{
    if (ports_pick(k->ports[0].at, (size_t)k->base.nodes * PORT_COUNT, e) < 0) {
        return -1;
    }
    for (int i = 0; i < k->base.nodes; i++) {
        if (kafka_node_lay_out(&k->nodes[i], e) < 0 || kafka_node_spawn(&k->nodes[i], e) < 0) {
            return -1;
        }
    }
    return 0;
}

static void begin_nodes(struct kafka *k)
{
    struct err e;
    k->phase = KAFKA_STARTING;
    k->attempts++;
    if (lay_out_and_spawn(k, &e) < 0) {
        fail(k, &e, NULL);
        return;
    }
    free(k->base.bootstrap[CLUSTER_FAULTY]);
    free(k->base.bootstrap[CLUSTER_DIRECT]);
    k->base.bootstrap[CLUSTER_FAULTY] = bootstrap_of(k, PORT_FAULTY);
    k->base.bootstrap[CLUSTER_DIRECT] = bootstrap_of(k, PORT_DIRECT);
    wait_ready(k);
}

static bool all_down(const struct kafka *k)
{
    for (int i = 0; i < k->base.nodes; i++) {
        if (k->nodes[i].p) {
            return false;
        }
    }
    return true;
}

static char *how(struct proc_end end)
{
    return end.signal ? xasprintf("signal %d", end.signal) : xasprintf("exit code %d", end.code);
}

static void died_while_starting(struct kafka *k, struct node *n, struct proc_end end)
{
    bool port_taken;
    char *reason = kafka_node_reason(n, &port_taken), *ended = how(end);
    if (port_taken && k->attempts < PORT_ATTEMPTS) {
        log_debug("node %d: a port was taken, once more with others", n->id);
        ready_cancel(k->probe);
        k->probe = NULL;
        k->phase = KAFKA_CLEARING;
        for (int i = 0; i < k->base.nodes; i++) {
            kafka_node_end(&k->nodes[i]);
        }
    } else {
        struct err e;
        err_set(&e, ERR_PROCESS, 0, "starting node %d of Kafka %s: it ended with %s: %s (log: %s)",
                n->id, k->home.version, ended, reason, n->log_path);
        fail(k, &e, n->log_path);
    }
    free(reason);
    free(ended);
}

static void remove_data(void *arg)
{
    struct kafka *k = arg;
    struct err e;
    if (path_remove_all(k->dir, &e) < 0) {
        log_debug("%s", e.msg);
    }
}

static void stopped(void *arg)
{
    struct kafka *k = arg;
    k->phase = KAFKA_STOPPED;
    k->done(k->done_arg);
}

static void stop_next(void *arg)
{
    struct kafka *k = arg;
    k->timer = NULL;
    if (k->kept) {
        stopped(k);
    } else {
        loop_work(k->base.o.loop, remove_data, stopped, k);
    }
}

void kafka_node_ended(struct kafka *k, struct node *n, struct proc_end end)
{
    enum kafka_phase before = k->phase; /* a callback may call cluster_stop, which sees to itself */
    switch (k->phase) {
    case KAFKA_STARTING:
        died_while_starting(k, n, end);
        break;
    case KAFKA_READY:
        if (k->base.o.on_node) {
            char *detail = how(end);
            k->base.o.on_node(k->base.o.arg, n->id, CLUSTER_NODE_DOWN, n->asked, detail);
            free(detail);
        }
        break;
    default:
        break;
    }
    if (k->phase == KAFKA_CLEARING && all_down(k)) {
        begin_nodes(k);
    } else if (before == KAFKA_STOPPING && all_down(k) && !k->cache) {
        stop_next(k);
    }
}

static void cache_gone(void *arg)
{
    struct kafka *k = arg;
    kafka_cache_free(k->cache);
    k->cache = NULL;
    if (all_down(k)) {
        k->timer = timer_start(k->base.o.loop, 0, 0, stop_next, k);
    }
}

static void kafka_stop(struct cluster *c, cluster_done_fn done, void *arg)
{
    struct kafka *k = (struct kafka *)c;
    bool preparing = k->phase == KAFKA_PREPARING && k->cache;
    k->done = done;
    k->done_arg = arg;
    k->phase = KAFKA_STOPPING;
    timer_stop(k->timer);
    ready_cancel(k->probe);
    k->timer = NULL;
    k->probe = NULL;
    if (preparing) {
        kafka_cache_cancel(k->cache, cache_gone, k);
        return;
    }
    kafka_cache_free(k->cache);
    k->cache = NULL;
    for (int i = 0; i < c->nodes && !k->kept; i++) {
        kafka_node_end(&k->nodes[i]);
    }
    if (k->kept || all_down(k)) {
        k->timer = timer_start(c->o.loop, 0, 0, stop_next, k);
    }
}

static pid_t kafka_pid(const struct cluster *c, int node)
{
    const struct node *n = &((const struct kafka *)c)->nodes[node - 1];
    return n->p ? proc_pid(n->p) : 0;
}

static bool kafka_up(const struct cluster *c, int node)
{
    const struct node *n = &((const struct kafka *)c)->nodes[node - 1];
    return n->state == NODE_IS_UP && !n->asked;
}

static void kafka_keep(struct cluster *c, struct buf *out)
{
    struct kafka *k = (struct kafka *)c;
    struct buf pids = {0};
    for (int i = 0; i < c->nodes; i++) {
        struct node *n = &k->nodes[i];
        if (n->p) {
            ready_cancel(n->probe);
            n->probe = NULL;
            guard_release(c->o.guard, n->p);
            buf_printf(&pids, " %d", (int)proc_pid(n->p));
        }
    }
    k->kept = true;
    buf_printf(out, "bootstrap: %s\n", c->bootstrap[CLUSTER_DIRECT]);
    buf_printf(out, "data: %s\n", k->dir);
    if (pids.len) {
        buf_printf(out, "to end it: kill%s && rm -r '%s'\n", pids.data, k->dir);
    }
    buf_free(&pids);
}

const struct cluster_kind kafka_kind = {
    .name = "kafka",
    .syntax = "kafka[:VERSION]",
    .doc = "Apache Kafka, 1 to 5 nodes on this machine, started and killed by kaos",
    .accepts = kafka_accepts,
    .open = kafka_open,
    .start = kafka_start,
    .stop = kafka_stop,
    .free = kafka_free,
    .node = kafka_node_act,
    .pid = kafka_pid,
    .up = kafka_up,
    .keep = kafka_keep,
};
