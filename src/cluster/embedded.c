/* SPDX-License-Identifier: Apache-2.0 */
/* The kind `embedded`: kaos's own broker as one child process with virtual nodes, `kaos broker`
 * under the guard. It says in its log where it listens; then it is asked as any other cluster. Loop
 * thread only. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "cluster/embedded.h"

enum {
    READY_LIMIT_S = 10,
    LOOK_MS = 2, /* how often the log is looked at while it starts */
    LOOKS_MAX = 5000,
    LOG_LIMIT = 64 << 10,
    LOG_LINES = 20,
    SESSION_FAULTS_MS = 1000, /* as for a real cluster whose nodes will be killed */
    REPLICATION_MAX = 3,
};

static const char name[] = "embedded";
static const char listening[] = "listening on ";

/** "embedded" or "embedded:transaction-version=N"; embedded:9092 is an address. */
static bool embedded_accepts(const char *spec)
{
    size_t n = strlen(name);
    return strncmp(spec, name, n) == 0 &&
           (!spec[n] || (spec[n] == ':' && (spec[n + 1] < '0' || spec[n + 1] > '9')));
}

/** The transaction version of a spec, 0 = as it comes, -1 = not one. */
static int spec_version(const char *spec)
{
    static const char option[] = "transaction-version=";
    const char *text = strchr(spec, ':');
    if (!text) {
        return 0;
    }
    if (strncmp(++text, option, strlen(option)) != 0) {
        return -1;
    }
    text += strlen(option);
    bool known = *text >= '1' && *text <= '0' + BROKER_TXN_VERSION_MAX && !text[1];
    return known ? *text - '0' : -1;
}

static struct embedded_cluster *of(const struct cluster *c)
{
    return (struct embedded_cluster *)c;
}

static int check_opts(const struct cluster_opts *o, struct err *e)
{
    if (o->brokers < 0 || o->brokers > BROKER_NODES_MAX) {
        return err_set(e, ERR_USAGE, 0, "a cluster of %d brokers: kaos starts 1 to %d", o->brokers,
                       BROKER_NODES_MAX);
    }
    for (size_t i = 0; i < o->nsettings; i++) {
        if (broker_check_setting(o->settings[i].name, o->settings[i].value, e) < 0) {
            e->kind = ERR_REFUSED; /* a real one may know it: nothing is wrong with the scenario */
            return err_wrap(e, "the cluster embedded (a real one: --cluster kafka)");
        }
    }
    return 0;
}

static struct cluster *embedded_open(const char *spec, const struct cluster_opts *o, struct err *e)
{
    int version = spec_version(spec);
    if (version < 0) {
        err_set(e, ERR_USAGE, 0,
                "cluster '%s': behind embedded: stands transaction-version=1 or =2", spec);
        return NULL;
    }
    if (check_opts(o, e) < 0) {
        return NULL;
    }
    struct embedded_cluster *x = xcalloc(1, sizeof *x);
    cluster_base_init(&x->base, &embedded_kind, o);
    x->transaction_version = version;
    char *logs = path_join(o->run_dir, "logs");
    x->log_path = path_join(logs, "broker-1.log");
    free(logs);
    x->base.nodes = x->base.brokers = o->brokers ? o->brokers : 1;
    x->base.caps = CLUSTER_CAP_TRANSACTIONS | CLUSTER_CAP_GROUPS | CLUSTER_CAP_ADMIN |
                   CLUSTER_CAP_KILL_BROKER | CLUSTER_CAP_FRESH |
                   (x->base.nodes > 1 ? CLUSTER_CAP_REPLICATION : 0);
    embedded_nodes_init(x);
    return &x->base;
}

static void fail(struct embedded_cluster *x, const struct err *e)
{
    timer_stop(x->timer);
    ready_cancel(x->probe);
    x->timer = NULL;
    x->probe = NULL;
    free(x->base.failure_log);
    x->base.failure_log = path_tail(x->log_path, LOG_LINES);
    cluster_base_ready(&x->base, e);
}

static void gone(void *arg)
{
    struct embedded_cluster *x = arg;
    x->timer = NULL;
    x->done(x->done_arg);
}

static void exited(void *arg, struct proc *p, struct proc_end end)
{
    struct embedded_cluster *x = arg;
    bool starting = !x->up && !x->asked;
    proc_free(x->p);
    x->p = NULL;
    char *how =
        end.signal ? xasprintf("signal %d", end.signal) : xasprintf("exit code %d", end.code);
    if (x->done) {
        gone(x);
    } else if (starting) {
        struct err e;
        err_set(&e, ERR_PROCESS, 0, "starting the embedded broker: it ended with %s (log: %s)", how,
                x->log_path);
        fail(x, &e);
    } else if (x->base.o.on_node) {
        x->up = false;
        embedded_nodes_end(x);
        x->base.o.on_node(x->base.o.arg, 1, CLUSTER_NODE_DOWN, x->asked, how);
    }
    free(how);
}

static void answered(void *arg, const struct ready_result *r, const struct err *e)
{
    struct embedded_cluster *x = arg;
    x->probe = NULL;
    if (e) {
        struct err copy = *e;
        err_wrap(&copy, "starting the embedded broker: not ready after %d s", READY_LIMIT_S);
        fail(x, &copy);
        return;
    }
    x->up = true;
    embedded_nodes_ready(x);
    cluster_base_ready(&x->base, NULL);
}

static void ask(struct embedded_cluster *x)
{
    const char *addresses[] = {x->base.bootstrap[CLUSTER_DIRECT]};
    struct ready_opts o = {.loop = x->base.o.loop,
                           .addresses = addresses,
                           .naddresses = 1,
                           .coordinators = true,
                           .timeout_ms = READY_LIMIT_S * 1000,
                           .fn = answered,
                           .arg = x};
    x->probe = ready_start(&o);
}

/** Finds the two addresses in the log. @return false while they are not all there. */
static bool read_addresses(struct embedded_cluster *x)
{
    struct buf text = {0};
    struct err e;
    int found = 0;
    char *save = NULL;
    bool whole = path_read(x->log_path, LOG_LIMIT, &text, &e) == 0 && text.len > 0 &&
                 text.data[text.len - 1] == '\n';
    for (char *line = whole ? strtok_r(text.data, "\n", &save) : NULL; line && found < 2;
         line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, listening, strlen(listening)) == 0) {
            free(x->base.bootstrap[found]);
            x->base.bootstrap[found++] = xstrdup(line + strlen(listening));
        }
    }
    buf_free(&text);
    return found == 2;
}

static void look(void *arg)
{
    struct embedded_cluster *x = arg;
    if (read_addresses(x)) {
        timer_stop(x->timer);
        x->timer = NULL;
        ask(x);
    } else if (++x->looks == LOOKS_MAX) {
        struct err e;
        err_set(&e, ERR_TIMEOUT, 0,
                "starting the embedded broker: it does not say where it listens");
        fail(x, &e);
    }
}

/** The command line; argv[0] stays NULL, which is this binary. */
struct args {
    struct {
        char **items;
        size_t n, cap;
    } list;
};

static void add(struct args *a, char *taken)
{
    *VEC_PUSH(&a->list) = taken;
}

static void add_option(struct args *a, const char *option, char *taken)
{
    add(a, xstrdup(option));
    add(a, taken);
}

/** As the nodes of a real cluster are set up, then the scenario's own settings. */
static void add_settings(struct args *a, const struct embedded_cluster *x)
{
    const struct cluster_opts *o = &x->base.o;
    int replicas = x->base.nodes < REPLICATION_MAX ? x->base.nodes : REPLICATION_MAX;
    int in_sync = replicas < REPLICATION_MAX ? 1 : replicas - 1;
    add_option(a, "--config", xstrdup("auto.create.topics.enable=false"));
    add_option(a, "--config", xasprintf("default.replication.factor=%d", replicas));
    add_option(a, "--config", xasprintf("min.insync.replicas=%d", in_sync));
    if (o->broker_faults) {
        add_option(a, "--config", xasprintf("broker.session.timeout.ms=%d", SESSION_FAULTS_MS));
    }
    for (size_t i = 0; i < o->nsettings; i++) {
        add_option(a, "--config", xasprintf("%s=%s", o->settings[i].name, o->settings[i].value));
    }
}

static int spawn(struct embedded_cluster *x, struct err *e)
{
    struct args a = {0};
    add(&a, NULL);
    add(&a, xstrdup("broker"));
    add_option(&a, "--listen", xstrdup("127.0.0.1:0"));
    add_option(&a, "--listen", xstrdup("127.0.0.1:0"));
    add_option(&a, "--control", xstrdup("pipe"));
    add_option(&a, "--nodes", xasprintf("%d", x->base.nodes));
    add_option(&a, "--seed", xasprintf("%" PRIu64, x->base.o.seed));
    if (x->transaction_version) {
        add_option(&a, "--transaction-version", xasprintf("%d", x->transaction_version));
    }
    add_settings(&a, x);
    add(&a, NULL);
    struct proc_opts p = {.argv = (const char *const *)a.list.items,
                          .log_path = x->log_path,
                          .may_outlive = x->base.o.may_keep,
                          .control = true,
                          .on_exit = exited,
                          .arg = x};
    x->p = proc_spawn(x->base.o.guard, &p, e);
    for (size_t i = 0; i < a.list.n; i++) {
        free(a.list.items[i]);
    }
    free(a.list.items);
    return x->p ? 0 : err_wrap(e, "starting the embedded broker");
}

static void begin(void *arg)
{
    struct embedded_cluster *x = arg;
    struct err e;
    x->timer = NULL;
    char *logs = path_join(x->base.o.run_dir, "logs");
    int rc = path_mkdirs(logs, 0700, &e);
    free(logs);
    if (rc < 0 || spawn(x, &e) < 0) {
        fail(x, &e);
        return;
    }
    x->timer = timer_start(x->base.o.loop, LOOK_MS, LOOK_MS, look, x);
}

static void embedded_start(struct cluster *c)
{
    of(c)->timer = timer_start(c->o.loop, 0, 0, begin, of(c));
}

static void embedded_stop(struct cluster *c, cluster_done_fn done, void *arg)
{
    struct embedded_cluster *x = of(c);
    timer_stop(x->timer);
    ready_cancel(x->probe);
    embedded_nodes_end(x);
    x->timer = NULL;
    x->probe = NULL;
    x->done = done;
    x->done_arg = arg;
    x->asked = true;
    if (x->p && !x->kept) {
        proc_signal(x->p, SIGKILL, false);
    } else {
        x->timer = timer_start(c->o.loop, 0, 0, gone, x);
    }
}

static void embedded_free(struct cluster *c)
{
    struct embedded_cluster *x = of(c);
    timer_stop(x->timer);
    ready_cancel(x->probe);
    embedded_nodes_fini(x);
    if (x->p) {
        proc_free(x->p);
    }
    free(x->log_path);
    cluster_base_fini(c);
    free(x);
}

static pid_t embedded_pid(const struct cluster *c, int node)
{
    const struct embedded_cluster *x = (const struct embedded_cluster *)c;
    return x->p && x->nodes[node - 1].state != EMBEDDED_DOWN ? proc_pid(x->p) : 0;
}

static void embedded_keep(struct cluster *c, struct buf *out)
{
    struct embedded_cluster *x = of(c);
    buf_printf(out, "bootstrap: %s\n", c->bootstrap[CLUSTER_DIRECT]);
    if (x->p) {
        guard_release(c->o.guard, x->p);
        buf_printf(out, "to end it: kill %d\n", (int)proc_pid(x->p));
    }
    x->kept = true;
}

const struct cluster_kind embedded_kind = {
    .name = name,
    .syntax = "embedded[:transaction-version=1]",
    .doc = "kaos's own broker, in memory, started in milliseconds",
    .accepts = embedded_accepts,
    .open = embedded_open,
    .start = embedded_start,
    .stop = embedded_stop,
    .free = embedded_free,
    .node = embedded_node_act,
    .pid = embedded_pid,
    .up = embedded_node_up,
    .keep = embedded_keep,
};
