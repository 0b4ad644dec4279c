/* SPDX-License-Identifier: Apache-2.0 */
/* The kind reuse[:NAME]: a managed cluster that stays up between runs, one user at a time. If it is
 * registered and lives it is used as it is; otherwise it is started as kind `kafka`, released from
 * this process and registered. Its nodes are not touched: who uses it next relies on them. Loop
 * thread only. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "cluster/kind.h"
#include "cluster/ready.h"
#include "cluster/registry.h"

enum { READY_LIMIT_S = 15, LOOK_MS = 500 };

struct reuse {
    struct cluster base;
    struct registry r;
    int lock;
    struct cluster *inner; /**< being started, or started, here; else NULL */
    struct ready *probe;
    struct timer *timer;
    cluster_done_fn done;
    void *done_arg;
};

static bool reuse_accepts(const char *spec)
{
    return strcmp(spec, "reuse") == 0 ||
           (strncmp(spec, "reuse:", 6) == 0 && registry_is_name(spec + 6));
}

static void reuse_free(struct cluster *c)
{
    struct reuse *x = (struct reuse *)c;
    ready_cancel(x->probe);
    timer_stop(x->timer);
    cluster_free(x->inner);
    registry_free(&x->r);
    if (x->lock >= 0) {
        close(x->lock);
    }
    cluster_base_fini(c);
    free(x);
}

static void set_base(struct reuse *x)
{
    struct cluster *c = &x->base;
    free(c->version);
    c->version = xstrdup(x->r.version);
    free(c->bootstrap[CLUSTER_DIRECT]);
    free(c->bootstrap[CLUSTER_FAULTY]);
    c->bootstrap[CLUSTER_DIRECT] = xstrdup(x->r.direct);
    c->bootstrap[CLUSTER_FAULTY] = xstrdup(x->r.faulty);
    c->brokers = x->r.nodes;
    c->caps = CLUSTER_CAP_TRANSACTIONS | CLUSTER_CAP_GROUPS | CLUSTER_CAP_ADMIN |
              CLUSTER_CAP_RETENTION | CLUSTER_CAP_OWN |
              (x->r.nodes > 1 ? CLUSTER_CAP_REPLICATION : 0);
}

/* ---- it lives ---- */

static const char *setting_of(const struct registry *r, const char *name)
{
    for (size_t i = 0; i < r->nsettings; i++) {
        if (strcmp(r->settings[i].name, name) == 0) {
            return r->settings[i].value;
        }
    }
    return NULL;
}

static int check_fits(const struct reuse *x, const struct cluster_opts *o, struct err *e)
{
    if (o->brokers > 0 && o->brokers != x->r.nodes) {
        return err_set(e, ERR_PROCESS, 0,
                       "cluster %s has %d broker%s, %d are asked for: start another one with `kaos "
                       "cluster up --name NAME --brokers %d` and use --cluster reuse:NAME",
                       x->r.name, x->r.nodes, x->r.nodes == 1 ? "" : "s", o->brokers, o->brokers);
    }
    if (o->kafka && strchr(o->kafka, ':') && strcmp(strchr(o->kafka, ':') + 1, x->r.version) != 0) {
        return err_set(e, ERR_PROCESS, 0,
                       "cluster %s runs Kafka %s, %s is asked for: use another "
                       "name",
                       x->r.name, x->r.version, o->kafka);
    }
    for (size_t i = 0; i < o->nsettings; i++) {
        const char *there = setting_of(&x->r, o->settings[i].name);
        if (!there || strcmp(there, o->settings[i].value) != 0) {
            return err_set(
                e, ERR_PROCESS, 0,
                "cluster %s was started with %s = %s, the scenario wants %s: end it with "
                "`kaos cluster down --name %s`, or use another name",
                x->r.name, o->settings[i].name, there ? there : "(not set)", o->settings[i].value,
                x->r.name);
        }
    }
    return 0;
}

/** Nobody else tells that a node which is not our child has ended. */
static void look(void *arg)
{
    struct reuse *x = arg;
    for (int i = 0; i < x->r.nodes; i++) {
        if (registry_started(x->r.node[i].pid) != x->r.node[i].started) {
            timer_stop(x->timer);
            x->timer = NULL;
            if (x->base.o.on_node) {
                x->base.o.on_node(x->base.o.arg, i + 1, CLUSTER_NODE_DOWN, false, "it is gone");
            }
            return;
        }
    }
}

static void answered(void *arg, const struct ready_result *r, const struct err *e)
{
    struct reuse *x = arg;
    x->probe = NULL;
    if (e) {
        struct err copy = *e;
        err_wrap(&copy, "cluster %s does not answer (`kaos cluster down --name %s` ends it)",
                 x->r.name, x->r.name);
        cluster_base_ready(&x->base, &copy);
        return;
    }
    x->timer = timer_start(x->base.o.loop, LOOK_MS, LOOK_MS, look, x);
    cluster_base_ready(&x->base, NULL);
}

static void attach(struct reuse *x)
{
    const char *addresses[] = {x->r.direct};
    struct ready_opts o = {.loop = x->base.o.loop,
                           .addresses = addresses,
                           .naddresses = 1,
                           .brokers = x->r.nodes,
                           .coordinators = true,
                           .timeout_ms = READY_LIMIT_S * 1000,
                           .fn = answered,
                           .arg = x};
    x->probe = ready_start(&o);
}

/* ---- it is started ---- */

static void fill_registry(struct reuse *x)
{
    struct registry *r = &x->r;
    const struct cluster *in = x->inner;
    free(r->version);
    free(r->direct);
    free(r->faulty);
    r->version = xstrdup(cluster_version(in));
    r->direct = xstrdup(cluster_bootstrap(in, CLUSTER_DIRECT));
    r->faulty = xstrdup(cluster_bootstrap(in, CLUSTER_FAULTY));
    r->since_ms = (int64_t)(clock_real_ns() / 1000000);
    r->nodes = cluster_nodes(in);
    for (int i = 0; i < r->nodes; i++) {
        r->node[i].pid = cluster_node_pid(in, i + 1);
        r->node[i].started = registry_started(r->node[i].pid);
    }
    r->settings = xcalloc(x->base.o.nsettings + 1, sizeof *r->settings);
    for (size_t i = 0; i < x->base.o.nsettings; i++) {
        r->settings[r->nsettings++] = (struct cluster_setting){
            xstrdup(x->base.o.settings[i].name), xstrdup(x->base.o.settings[i].value)};
    }
}

static void inner_ready(void *arg, const struct err *e)
{
    struct reuse *x = arg;
    struct err we;
    if (e) {
        free(x->base.failure_log);
        x->base.failure_log = xstrdup(cluster_failure_log(x->inner));
        cluster_base_ready(&x->base, e);
        return;
    }
    fill_registry(x);
    if (registry_write(&x->r, &we) < 0) { /* not released: it ends with us */
        cluster_base_ready(&x->base, &we);
        return;
    }
    struct buf unused = {0};
    cluster_keep(x->inner, &unused);
    buf_free(&unused);
    set_base(x);
    cluster_base_ready(&x->base, NULL);
}

static int open_inner(struct reuse *x, const struct cluster_opts *o, struct err *e)
{
    struct cluster_opts in = *o;
    char *data = path_join(x->r.dir, "cluster"), *file = path_join(x->r.dir, "cluster.json");
    unlink(file); /* what it says lives no more */
    int rc = path_remove_all(data, e);
    free(data);
    free(file);
    in.run_dir = x->r.dir;
    in.may_keep = true;
    in.broker_faults = false;
    in.on_ready = inner_ready;
    in.on_node = NULL;
    in.arg = x;
    x->inner = rc < 0 ? NULL : cluster_open(o->kafka ? o->kafka : "kafka", &in, e);
    return x->inner ? 0 : -1;
}

/* ---- the kind ---- */

static int open_registered(struct reuse *x, const char *store, const char *name,
                           const struct cluster_opts *o, struct err *e)
{
    char *dir = registry_dir(store, name);
    x->lock = registry_lock(dir, name, o->user ? o->user : "kaos", e);
    free(dir);
    int known = x->lock < 0 ? -1 : registry_read(store, name, &x->r, e);
    if (known < 0) {
        return -1;
    }
    int alive = known ? registry_alive(&x->r) : 0;
    if (known && alive > 0 && alive < x->r.nodes) {
        return err_set(e, ERR_PROCESS, 0,
                       "cluster %s has lost %d of its %d brokers: `kaos cluster down --name %s`",
                       name, x->r.nodes - alive, x->r.nodes, name);
    }
    if (alive > 0) {
        set_base(x);
        return check_fits(x, o, e);
    }
    registry_free(&x->r);
    x->r = (struct registry){.name = xstrdup(name), .dir = registry_dir(store, name)};
    return open_inner(x, o, e);
}

static struct cluster *reuse_open(const char *spec, const struct cluster_opts *o, struct err *e)
{
    struct reuse *x = xcalloc(1, sizeof *x);
    x->lock = -1;
    cluster_base_init(&x->base, &reuse_kind, o);
    if (open_registered(x, o->store ? o->store : ".kaos", spec[5] ? spec + 6 : "default", o, e) <
        0) {
        reuse_free(&x->base);
        return NULL;
    }
    return &x->base;
}

static void reuse_start(struct cluster *c)
{
    struct reuse *x = (struct reuse *)c;
    if (x->inner) {
        cluster_start(x->inner);
    } else {
        attach(x);
    }
}

static void gone(void *arg)
{
    struct reuse *x = arg;
    x->timer = NULL;
    x->done(x->done_arg);
}

static void reuse_stop(struct cluster *c, cluster_done_fn done, void *arg)
{
    struct reuse *x = (struct reuse *)c;
    ready_cancel(x->probe);
    timer_stop(x->timer);
    x->probe = NULL;
    x->timer = NULL;
    x->done = done;
    x->done_arg = arg;
    if (x->inner) {
        cluster_stop(x->inner, done, arg); /* kept, if it ever was ready */
    } else {
        x->timer = timer_start(c->o.loop, 0, 0, gone, x);
    }
}

static void reuse_keep(struct cluster *c, struct buf *out)
{
    const struct reuse *x = (struct reuse *)c;
    buf_printf(out, "bootstrap: %s\n", c->bootstrap[CLUSTER_DIRECT]);
    buf_printf(out, "to end it: kaos cluster down --name %s\n", x->r.name);
}

const struct cluster_kind reuse_kind = {
    .name = "reuse",
    .syntax = "reuse[:NAME]",
    .doc = "a managed cluster that stays up between runs",
    .accepts = reuse_accepts,
    .open = reuse_open,
    .start = reuse_start,
    .stop = reuse_stop,
    .free = reuse_free,
    .keep = reuse_keep,
};
