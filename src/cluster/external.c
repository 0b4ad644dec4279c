/* SPDX-License-Identifier: Apache-2.0 */
/* The kind HOST:PORT: a cluster that somebody else runs. It is asked whether it is there and what
 * it can do, and left alone. Loop thread only. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "cluster/kind.h"
#include "cluster/ready.h"

enum { READY_LIMIT_S = 10, PORT_MAX = 65535 };

struct external {
    struct cluster base;
    struct ready *probe;
    struct timer *timer;
    cluster_done_fn done;
    void *done_arg;
};

static bool is_address(const char *s, size_t len)
{
    const char *colon = NULL;
    for (size_t i = 0; i < len; i++) {
        colon = s[i] == ':' ? s + i : colon;
    }
    if (!colon || colon == s) {
        return false;
    }
    long port = 0;
    for (const char *p = colon + 1; p < s + len; p++) {
        if (*p < '0' || *p > '9' || port > PORT_MAX) {
            return false;
        }
        port = port * 10 + (*p - '0');
    }
    return port >= 1 && port <= PORT_MAX;
}

static bool external_accepts(const char *spec)
{
    for (const char *p = spec;; p++) {
        size_t n = strcspn(p, ",");
        if (!is_address(p, n)) {
            return false;
        }
        p += n;
        if (*p == '\0') {
            return true;
        }
    }
}

static struct cluster *external_open(const char *spec, const struct cluster_opts *o, struct err *e)
{
    if (o->brokers > 0) {
        err_set(e, ERR_USAGE, 0,
                "the number of brokers of the external cluster %s is not kaos's to set", spec);
        return NULL;
    }
    if (o->nsettings > 0) {
        err_set(e, ERR_USAGE, 0,
                "the broker property '%s' cannot be set: %s is a cluster that kaos does not start",
                o->settings[0].name, spec);
        return NULL;
    }
    struct external *x = xcalloc(1, sizeof *x);
    cluster_base_init(&x->base, &external_kind, o);
    x->base.bootstrap[CLUSTER_FAULTY] = xstrdup(spec);
    x->base.bootstrap[CLUSTER_DIRECT] = xstrdup(spec);
    return &x->base;
}

static int limit_s(const struct cluster *c)
{
    return c->o.ready_timeout_s ? c->o.ready_timeout_s : READY_LIMIT_S;
}

static void answered(void *arg, const struct ready_result *r, const struct err *e)
{
    struct external *x = arg;
    x->probe = NULL;
    if (e) {
        struct err copy = *e;
        err_wrap(&copy, "no Kafka cluster answers at %s within %d s",
                 x->base.bootstrap[CLUSTER_DIRECT], limit_s(&x->base));
        cluster_base_ready(&x->base, &copy);
        return;
    }
    x->base.brokers = r->brokers;
    x->base.caps = CLUSTER_CAP_ADMIN | CLUSTER_CAP_RETENTION |
                   (r->groups ? CLUSTER_CAP_GROUPS : 0) | (r->txns ? CLUSTER_CAP_TRANSACTIONS : 0) |
                   (r->brokers > 1 ? CLUSTER_CAP_REPLICATION : 0);
    cluster_base_ready(&x->base, NULL);
}

static void external_start(struct cluster *c)
{
    struct external *x = (struct external *)c;
    const char *addresses[] = {c->bootstrap[CLUSTER_DIRECT]};
    struct ready_opts o = {.loop = c->o.loop,
                           .addresses = addresses,
                           .naddresses = 1,
                           .coordinators = true,
                           .optional = true,
                           .timeout_ms = (unsigned)limit_s(c) * 1000,
                           .fn = answered,
                           .arg = x};
    x->probe = ready_start(&o);
}

static void gone(void *arg)
{
    struct external *x = arg;
    x->timer = NULL;
    x->done(x->done_arg);
}

static void external_stop(struct cluster *c, cluster_done_fn done, void *arg)
{
    struct external *x = (struct external *)c;
    ready_cancel(x->probe);
    x->probe = NULL;
    x->done = done;
    x->done_arg = arg;
    x->timer = timer_start(c->o.loop, 0, 0, gone, x);
}

static void external_free(struct cluster *c)
{
    struct external *x = (struct external *)c;
    ready_cancel(x->probe);
    timer_stop(x->timer);
    cluster_base_fini(c);
    free(x);
}

static void external_keep(struct cluster *c, struct buf *out)
{
    buf_printf(out, "bootstrap: %s (left as it is)\n", c->bootstrap[CLUSTER_DIRECT]);
}

const struct cluster_kind external_kind = {
    .name = "external",
    .syntax = "HOST:PORT[,HOST:PORT]",
    .doc = "a cluster that somebody else runs",
    .accepts = external_accepts,
    .open = external_open,
    .start = external_start,
    .stop = external_stop,
    .free = external_free,
    .keep = external_keep,
};
