/* SPDX-License-Identifier: Apache-2.0 */
/* The readiness probe: see ready.h. One attempt is a job on a pool thread (work), its outcome is
 * looked at on the loop (look), which starts the next one after a pause. While an attempt runs, the
 * thread owns everything below `shared`; `cancelled` and the timer belong to the loop alone. */
#include "cluster/ready.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "wire/admin.h"

enum {
    SLICE_MS = 500, /* one question: how long a cancelled probe may still hold a thread */
    PAUSE_MS = 40,
};

struct ready {
    struct ready_opts o;
    uint64_t deadline_ns;
    struct timer *timer;
    bool busy, cancelled;
    /* shared */
    char **addresses, **names;
    struct admin **admins;
    bool ok, hopeless;
    struct ready_result result;
    struct err e;
};

static void begin(struct ready *r);

static char **copy_strings(const char *const *from, size_t n)
{
    char **out = xcalloc(n + 1, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        out[i] = xstrdup(from[i]);
    }
    return out;
}

static void free_strings(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(list[i]);
    }
    free(list);
}

struct ready *ready_start(const struct ready_opts *o)
{
    struct ready *r = xcalloc(1, sizeof *r);
    r->o = *o;
    r->deadline_ns = clock_mono_ns() + (uint64_t)o->timeout_ms * 1000000;
    r->addresses = copy_strings(o->addresses, o->naddresses);
    r->admins = xcalloc(o->naddresses + 1, sizeof(struct admin *));
    r->names = xcalloc(o->nsettings + 1, sizeof *r->names);
    for (size_t i = 0; i < o->nsettings; i++) {
        r->names[i] = xstrdup(o->settings[i].name);
    }
    begin(r);
    return r;
}

struct ready *ready_node(struct loop *l, const char *address, int node, ready_fn fn, void *arg)
{
    struct ready_opts o = {.loop = l,
                           .addresses = &address,
                           .naddresses = 1,
                           .node = node,
                           .timeout_ms = UINT32_MAX,
                           .fn = fn,
                           .arg = arg};
    return ready_start(&o);
}

static void release(struct ready *r)
{
    for (size_t i = 0; i < r->o.naddresses; i++) {
        if (r->admins[i]) {
            admin_close(r->admins[i]);
        }
    }
    free(r->admins);
    free_strings(r->addresses, r->o.naddresses);
    free_strings(r->names, r->o.nsettings);
    free(r);
}

void ready_cancel(struct ready *r)
{
    if (!r) {
        return;
    }
    timer_stop(r->timer);
    r->timer = NULL;
    r->cancelled = true;
    if (!r->busy) {
        release(r);
    }
}

static bool lists_node(const struct admin_metadata *m, int node)
{
    for (size_t i = 0; i < m->nbrokers; i++) {
        if (m->brokers[i].id == node) {
            return true;
        }
    }
    return node == 0;
}

static int ask_metadata(struct ready *r, size_t i, struct err *e)
{
    if (!r->admins[i]) {
        r->admins[i] = admin_open(r->addresses[i], NULL, e);
        if (!r->admins[i]) {
            r->hopeless = true;
            return -1;
        }
    }
    static const char *const none[] = {NULL};
    struct admin_metadata m;
    if (admin_metadata(r->admins[i], none, 0, SLICE_MS, &m, e) < 0) {
        return -1;
    }
    int rc = 0;
    int want = r->o.brokers > 0 ? r->o.brokers : 1;
    if ((int)m.nbrokers < want) {
        rc = err_set(e, ERR_TIMEOUT, 0, "%s lists %zu of %d brokers", r->addresses[i], m.nbrokers,
                     want);
    } else if (m.controller < 0) {
        rc = err_set(e, ERR_TIMEOUT, 0, "%s knows no controller", r->addresses[i]);
    } else if (!lists_node(&m, r->o.node)) {
        rc = err_set(e, ERR_TIMEOUT, 0, "%s does not list node %d", r->addresses[i], r->o.node);
    }
    r->result.brokers = (int)m.nbrokers;
    admin_metadata_free(&m);
    return rc;
}

static int ask_coordinators(struct ready *r, struct err *e)
{
    struct err *first = e, second;
    struct admin *a = r->admins[0];
    r->result.groups = admin_find_coordinator(a, ADMIN_GROUP, "kaos-ready", SLICE_MS, first) >= 0;
    r->result.txns = admin_find_coordinator(a, ADMIN_TXN, "kaos-ready", SLICE_MS, &second) >= 0;
    if (r->o.optional || (r->result.groups && r->result.txns)) {
        return 0;
    }
    if (r->result.groups) {
        *e = second;
    }
    return -1;
}

/* A broker shows a property that it does not know as a secret one. Those of plug-ins look the same,
 * so a cluster with a plug-in class among its settings is not asked. */
static bool unknown_to(const struct admin_configs *configs, const char *name)
{
    if (strstr(name, "password") || strstr(name, "jaas") || strstr(name, ".key") ||
        strncmp(name, "listener.name.", strlen("listener.name.")) == 0) {
        return false;
    }
    for (size_t i = 0; i < configs->n; i++) {
        if (strcmp(configs->items[i].name, name) == 0) {
            return configs->items[i].sensitive && !configs->items[i].value;
        }
    }
    return true;
}

static int ask_settings(struct ready *r, struct err *e)
{
    for (size_t i = 0; i < r->o.nsettings; i++) {
        if (strstr(r->names[i], "class")) {
            return 0;
        }
    }
    struct admin_configs configs;
    if (r->o.nsettings == 0) {
        return 0;
    }
    if (admin_describe_configs(r->admins[0], ADMIN_BROKER, "1", SLICE_MS, &configs, e) < 0) {
        return -1;
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->o.nsettings; i++) {
        if (unknown_to(&configs, r->names[i])) {
            r->hopeless = true;
            rc = err_set(e, ERR_USAGE, 0, "the brokers know no property '%s'", r->names[i]);
        }
    }
    admin_configs_free(&configs);
    return rc;
}

static void work(void *arg)
{
    struct ready *r = arg;
    err_clear(&r->e);
    r->ok = false;
    for (size_t i = 0; i < r->o.naddresses; i++) {
        if (ask_metadata(r, i, &r->e) < 0) {
            return;
        }
    }
    if (ask_settings(r, &r->e) < 0) {
        return;
    }
    r->ok = !r->o.coordinators || ask_coordinators(r, &r->e) == 0;
}

static void again(void *arg)
{
    struct ready *r = arg;
    r->timer = NULL;
    begin(r);
}

/* How long one question may take is ours to know; what went wrong at last is for people. */
static void keep_reason(struct err *e)
{
    static const char mark[] = ", at last ";
    const char *at = strstr(e->msg, mark);
    if (at) {
        at += strlen(mark);
        memmove(e->msg, at, strlen(at) + 1);
    }
}

static void look(void *arg)
{
    struct ready *r = arg;
    r->busy = false;
    if (r->cancelled) {
        release(r);
        return;
    }
    if (!r->ok && !r->hopeless && clock_mono_ns() < r->deadline_ns) {
        r->timer = timer_start(r->o.loop, PAUSE_MS, 0, again, r);
        return;
    }
    keep_reason(&r->e);
    r->o.fn(r->o.arg, &r->result, r->ok ? NULL : &r->e);
    release(r);
}

static void begin(struct ready *r)
{
    r->busy = true;
    loop_work(r->o.loop, work, look, r);
}
