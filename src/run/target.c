/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the node behind a role of the cluster: raw Metadata, FindCoordinator and DescribeQuorum
 * through the listener that no fault touches, on a pool thread. A coordinator is found for any
 * name, also for one that nobody uses, so that is asked first. */
#include "run/target.h"

#include <stdlib.h>
#include <string.h>

#include "plan/draw.h"
#include "run/internal.h"

enum { ASK_MS = 3000 };

static int leader_of(struct admin *a, const struct target *t, int timeout_ms, struct err *e)
{
    struct admin_metadata md;
    if (admin_metadata(a, &t->of, 1, timeout_ms, &md, e) < 0) {
        return -1;
    }
    int leader = -1;
    bool found = false;
    for (size_t i = 0; i < md.ntopics && strcmp(md.topics[i].name, t->of) == 0; i++) {
        for (size_t k = 0; k < md.topics[i].npartitions; k++) {
            const struct admin_partition *p = &md.topics[i].partitions[k];
            found = found || p->index == t->partition;
            leader = p->index == t->partition ? p->leader : leader;
        }
    }
    admin_metadata_free(&md);
    if (leader < 0) {
        return err_set(e, ERR_BROKER, KAFKA_LEADER_NOT_AVAILABLE, "%s/%d %s", t->of, t->partition,
                       found ? "has no leader" : "does not exist");
    }
    return leader;
}

static int group_coordinator(struct admin *a, const struct target *t, int timeout_ms, struct err *e)
{
    struct admin_group g;
    if (!t->known) {
        if (admin_describe_group(a, t->of, timeout_ms, &g, e) < 0) {
            return -1;
        }
        bool dead = g.error != 0 || !g.state || strcmp(g.state, "Dead") == 0;
        admin_group_free(&g);
        if (dead) {
            return err_set(e, ERR_BROKER, 0, "there is no group %s", t->of);
        }
    }
    return admin_find_coordinator(a, ADMIN_GROUP, t->of, timeout_ms, e);
}

static int txn_coordinator(struct admin *a, const struct target *t, int timeout_ms, struct err *e)
{
    struct admin_txns txns;
    if (!t->known) {
        if (admin_describe_transactions(a, &t->of, 1, timeout_ms, &txns, e) < 0) {
            return -1;
        }
        bool unknown = txns.n != 1 || txns.items[0].error != 0;
        admin_txns_free(&txns);
        if (unknown) {
            return err_set(e, ERR_BROKER, 0, "nobody uses the transactional id %s", t->of);
        }
    }
    return admin_find_coordinator(a, ADMIN_TXN, t->of, timeout_ms, e);
}

int target_resolve(struct admin *a, const struct target *t, int timeout_ms, struct err *e)
{
    switch (t->kind) {
    case TARGET_LEADER:
        return leader_of(a, t, timeout_ms, e);
    case TARGET_GROUP:
        return group_coordinator(a, t, timeout_ms, e);
    case TARGET_TXN:
        return txn_coordinator(a, t, timeout_ms, e);
    case TARGET_CONTROLLER:
        return admin_controller(a, timeout_ms, e);
    default:
        return err_set(e, ERR_INTERNAL, 0, "not a role of the cluster");
    }
}

static bool has(const int32_t *list, size_t n, int node)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == node) {
            return true;
        }
    }
    return false;
}

int target_in_sync(struct admin *a, int node, int timeout_ms, struct err *e)
{
    struct admin_metadata md;
    if (admin_metadata(a, NULL, 0, timeout_ms, &md, e) < 0) {
        return -1;
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < md.ntopics; i++) {
        const struct admin_topic *t = &md.topics[i];
        for (size_t k = 0; rc == 0 && k < t->npartitions; k++) {
            const struct admin_partition *p = &t->partitions[k];
            if (has(p->replicas, p->nreplicas, node) && !has(p->isr, p->nisr, node)) {
                rc = err_set(e, ERR_BROKER, 0, "node %d is not in sync on %s/%d", node, t->name,
                             (int)p->index);
            }
        }
    }
    admin_metadata_free(&md);
    return rc;
}

/* ---- on a pool thread ---- */

struct ask {
    struct run *r;
    struct fault_clock *c;
    target_fn fn;
    char *bootstrap, *of, *meant;
    struct target t;
    int sync; /**< the node that is to be in sync, or 0 */
    int node;
    unsigned turn; /**< of the clock when it asked */
    struct err e;
};

static void ask_work(void *arg)
{
    struct ask *q = arg;
    q->node = -1;
    admin_cancel_by(&q->r->work.unwanted);
    struct admin *a = admin_open(q->bootstrap, NULL, &q->e);
    if (a && q->sync) {
        q->node = target_in_sync(a, q->sync, ASK_MS, &q->e) < 0 ? 0 : q->sync;
    } else if (a) {
        q->node = target_resolve(a, &q->t, ASK_MS, &q->e);
    }
    if (a) {
        admin_close(a);
    }
    admin_cancel_by(NULL);
}

static void ask_done(void *arg)
{
    struct ask *q = arg;
    struct run *r = q->r;
    r->asks--;
    q->c->asking = false;
    if (!r->failed && !r->down && q->turn == q->c->turn) {
        q->fn(q->c, q->node, q->meant, &q->e);
    }
    run_job_ended(r);
    free(q->bootstrap);
    free(q->of);
    free(q->meant);
    free(q);
}

static void start(struct fault_clock *c, struct ask *q)
{
    q->r = c->r;
    q->c = c;
    q->turn = c->turn;
    q->bootstrap = xstrdup(cluster_bootstrap(c->r->cluster, CLUSTER_DIRECT));
    q->t.of = q->of;
    c->asking = true;
    c->r->asks++;
    loop_work(c->r->loop, ask_work, ask_done, q);
}

static bool group_known(const struct run *r, const char *group)
{
    for (size_t i = 0; i < r->groups.n; i++) {
        if (strcmp(r->groups.items[i].group, group) == 0) {
            return true;
        }
    }
    return false;
}

static bool id_known(const struct run *r, const char *id)
{
    for (const struct member *m = r->members; m; m = m->next) {
        if (m->txn_id && strcmp(m->txn_id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool transacts(const struct member *m, const char *role, bool in_txn)
{
    return m && m->up && m->txn_id && m->slot->role && strcmp(m->slot->name, role) == 0 &&
           (!in_txn || m->in_txn);
}

/* An instance of the role that has a transactional id, with an open transaction if there is one; by
 * hash among equals. */
static const char *id_of_role(const struct fault_clock *c, const char *role)
{
    const struct run *r = c->r;
    for (int in_txn = 1; in_txn >= 0; in_txn--) {
        size_t n = 0;
        for (size_t i = 0; i < r->nslots; i++) {
            n += transacts(r->slots[i].current, role, in_txn);
        }
        uint64_t k = n ? draw_index(r->o->seed, c->index, "coordinator", c->fired, n) : 0;
        for (size_t i = 0; n && i < r->nslots; i++) {
            if (transacts(r->slots[i].current, role, in_txn) && k-- == 0) {
                return r->slots[i].current->txn_id;
            }
        }
    }
    return NULL;
}

bool target_ask(struct fault_clock *c, target_fn fn, const char **why)
{
    const struct plan_fault *f = c->f;
    const char *of = f->target == TARGET_GROUP      ? f->group
                     : f->target == TARGET_ROLE_TXN ? id_of_role(c, f->of)
                                                    : f->of;
    if (f->target == TARGET_ROLE_TXN && !of) {
        *why = "no instance of the role has shown a transactional id";
        return false;
    }
    struct ask *q = xcalloc(1, sizeof *q);
    q->fn = fn;
    q->of = of ? xstrdup(of) : NULL;
    q->t = (struct target){.kind = f->target == TARGET_ROLE_TXN ? TARGET_TXN : f->target,
                           .partition = f->partition,
                           .known = f->target == TARGET_GROUP ? group_known(c->r, of)
                                    : of                      ? id_known(c->r, of)
                                                              : true};
    q->meant = f->target == TARGET_ROLE_TXN ? xasprintf("%s (%s)", f->node_text, of)
                                            : xstrdup(f->node_text);
    start(c, q);
    return true;
}

void target_ask_sync(struct fault_clock *c, int node, target_fn fn)
{
    struct ask *q = xcalloc(1, sizeof *q);
    q->fn = fn;
    q->sync = node;
    q->meant = xstrdup("");
    start(c, q);
}
