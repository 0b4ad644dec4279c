/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of clusters, one row each, and what all of them share. A new kind is one file and one
 * row in `kinds`; order matters, the first row that accepts a spec takes it. Loop thread only. */
#include "cluster/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cluster/kind.h"

static const struct cluster_kind *const kinds[] = {
    &kafka_kind,
    &embedded_kind,
    &reuse_kind,
    &external_kind,
};

static const struct {
    enum cluster_cap cap;
    const char *name;
} caps[] = {
    {CLUSTER_CAP_TRANSACTIONS, "transactions"},
    {CLUSTER_CAP_GROUPS, "groups"},
    {CLUSTER_CAP_ADMIN, "admin"},
    {CLUSTER_CAP_KILL_BROKER, "kill_broker"},
    {CLUSTER_CAP_REPLICATION, "replication"},
    {CLUSTER_CAP_RETENTION, "retention"},
    {CLUSTER_CAP_FRESH, "fresh"},
    {CLUSTER_CAP_OWN, "own"},
};

static const struct cluster_kind *find_kind(const char *spec, struct err *e)
{
    struct buf known = {0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i]->accepts(spec)) {
            buf_free(&known);
            return kinds[i];
        }
        buf_printf(&known, "%s%s", i ? ", " : "", kinds[i]->syntax);
    }
    err_set(e, ERR_USAGE, 0, "there is no kind of cluster '%s'; known are %s", spec, known.data);
    buf_free(&known);
    return NULL;
}

int cluster_check(const char *spec, struct err *e)
{
    return find_kind(spec, e) ? 0 : -1;
}

struct cluster *cluster_open(const char *spec, const struct cluster_opts *o, struct err *e)
{
    const struct cluster_kind *kind = find_kind(spec, e);
    return kind ? kind->open(spec, o, e) : NULL;
}

void cluster_start(struct cluster *c)
{
    c->start_ns = clock_mono_ns();
    c->start_ms = 0;
    c->kind->start(c);
}

void cluster_stop(struct cluster *c, cluster_done_fn done, void *arg)
{
    c->kind->stop(c, done, arg);
}

void cluster_free(struct cluster *c)
{
    if (c) {
        c->kind->free(c);
    }
}

const char *cluster_bootstrap(const struct cluster *c, enum cluster_listener l)
{
    return c->bootstrap[l];
}

int cluster_nodes(const struct cluster *c)
{
    return c->nodes;
}

int cluster_brokers(const struct cluster *c)
{
    return c->brokers;
}

unsigned cluster_caps(const struct cluster *c)
{
    return c->caps;
}

const char *cluster_cap_name(enum cluster_cap cap)
{
    for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
        if (caps[i].cap == cap) {
            return caps[i].name;
        }
    }
    return NULL;
}

const char *cluster_kind(const struct cluster *c)
{
    return c->kind->name;
}

const char *cluster_version(const struct cluster *c)
{
    return c->version;
}

unsigned cluster_start_ms(const struct cluster *c)
{
    return c->start_ms;
}

const char *cluster_failure_log(const struct cluster *c)
{
    return c->failure_log;
}

static bool has_node(const struct cluster *c, int node)
{
    return node >= 1 && node <= c->nodes;
}

pid_t cluster_node_pid(const struct cluster *c, int node)
{
    return has_node(c, node) ? c->kind->pid(c, node) : 0;
}

bool cluster_node_up(const struct cluster *c, int node)
{
    return has_node(c, node) && c->kind->up(c, node);
}

static int act(struct cluster *c, int node, enum node_action what, struct err *e)
{
    if (!c->kind->node) {
        return err_set(e, ERR_USAGE, 0, "the nodes of a cluster of kind %s are not kaos's to touch",
                       c->kind->name);
    }
    if (!has_node(c, node)) {
        return err_set(e, ERR_USAGE, 0, "there is no node %d: the cluster has nodes 1 to %d", node,
                       c->nodes);
    }
    return c->kind->node(c, node, what, e);
}

int cluster_node_kill(struct cluster *c, int node, struct err *e)
{
    return act(c, node, NODE_KILL, e);
}

int cluster_node_stop(struct cluster *c, int node, struct err *e)
{
    return act(c, node, NODE_STOP, e);
}

int cluster_node_pause(struct cluster *c, int node, struct err *e)
{
    return act(c, node, NODE_PAUSE, e);
}

int cluster_node_resume(struct cluster *c, int node, struct err *e)
{
    return act(c, node, NODE_RESUME, e);
}

int cluster_node_restart(struct cluster *c, int node, struct err *e)
{
    return act(c, node, NODE_RESTART, e);
}

void cluster_keep(struct cluster *c, struct buf *out)
{
    c->kind->keep(c, out);
}

void cluster_base_init(struct cluster *c, const struct cluster_kind *kind,
                       const struct cluster_opts *o)
{
    c->kind = kind;
    c->o = *o;
    c->o.run_dir = xstrdup(o->run_dir);
    struct cluster_setting *copy = xcalloc(o->nsettings + 1, sizeof *copy);
    for (size_t i = 0; i < o->nsettings; i++) {
        copy[i].name = xstrdup(o->settings[i].name);
        copy[i].value = xstrdup(o->settings[i].value);
    }
    c->o.settings = copy;
    c->version = xstrdup("");
    c->failure_log = xstrdup("");
}

void cluster_base_fini(struct cluster *c)
{
    for (size_t i = 0; i < c->o.nsettings; i++) {
        free((char *)c->o.settings[i].name);
        free((char *)c->o.settings[i].value);
    }
    free((void *)c->o.settings);
    free((char *)c->o.run_dir);
    free(c->version);
    free(c->failure_log);
    free(c->bootstrap[CLUSTER_FAULTY]);
    free(c->bootstrap[CLUSTER_DIRECT]);
}

void cluster_base_ready(struct cluster *c, const struct err *e)
{
    if (!e) {
        c->start_ms = (unsigned)((clock_mono_ns() - c->start_ns) / 1000000);
    }
    c->o.on_ready(c->o.arg, e);
}
