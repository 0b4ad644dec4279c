/* SPDX-License-Identifier: Apache-2.0 */
/* The declared topics: created on a pool thread through DIRECT before roles start. On a cluster
 * that is not ours a declared topic must not exist, unless it says `existing`; then its partitions
 * must agree. */
#include <stdlib.h>
#include <string.h>

#include "run/internal.h"
#include "wire/admin.h"

enum { TIMEOUT_MS = 60000 };

static const struct admin_topic *find(const struct admin_metadata *md, const char *name)
{
    for (size_t i = 0; i < md->ntopics; i++) {
        if (strcmp(md->topics[i].name, name) == 0 && md->topics[i].error == 0) {
            return &md->topics[i];
        }
    }
    return NULL;
}

/** Notes where a topic that was there before ends now: the audit begins there. */
static int note_ends(struct run *r, struct admin *a, const struct admin_topic *t, struct err *e)
{
    for (size_t i = 0; i < t->npartitions; i++) {
        struct admin_offset end;
        if (admin_list_offsets(a, t->name, t->partitions[i].index, ADMIN_LATEST,
                               ADMIN_READ_UNCOMMITTED, TIMEOUT_MS, &end, e) < 0) {
            return err_wrap(e, "looking for the end of topic %s", t->name);
        }
        *VEC_PUSH(&r->starts) = (struct audit_start){
            .topic = xstrdup(t->name), .partition = t->partitions[i].index, .offset = end.offset};
    }
    return 0;
}

/** Splits declared topics into those to create and those that are there and right. */
static int compare(struct run *r, struct admin *a, struct admin_new_topic *fresh, size_t *n,
                   struct err *e)
{
    struct admin_metadata md;
    if (admin_metadata(a, NULL, 0, TIMEOUT_MS, &md, e) < 0) {
        return err_wrap(e, "listing topics");
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->plan->topics.n; i++) {
        const struct plan_topic *t = &r->plan->topics.items[i];
        const struct admin_topic *there = find(&md, t->name);
        int brokers = cluster_brokers(r->cluster);
        if (!there && t->existing) {
            rc = err_set(e, ERR_USAGE, 3, "topic %s is declared `existing = true` but is not there",
                         t->name);
        } else if (!there) {
            int replicas = t->replicas > 0 && t->replicas < brokers ? t->replicas
                           : t->replicas > 0                        ? brokers
                                                                    : 1;
            fresh[(*n)++] = (struct admin_new_topic){
                .name = t->name, .partitions = t->partitions, .replicas = (int16_t)replicas};
        } else if (!t->existing) {
            rc = err_set(e, ERR_USAGE, 36,
                         "topic %s exists already on this cluster; delete it, or declare it with "
                         "`existing = true`",
                         t->name);
        } else if (there->npartitions != (size_t)t->partitions) {
            rc = err_set(
                e, ERR_USAGE, 0,
                "topic %s has %zu partitions, the scenario declares %d; write `partitions = %zu`",
                t->name, there->npartitions, t->partitions, there->npartitions);
        } else {
            rc = note_ends(r, a, there, e);
        }
    }
    admin_metadata_free(&md);
    return rc;
}

/** What runs before this one have left on a cluster that is reused. */
static int delete_old(struct run *r, struct admin *a, struct err *e)
{
    const char **names = xcalloc(r->plan->topics.n + 1, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < r->plan->topics.n; i++) {
        if (!r->plan->topics.items[i].existing) {
            names[n++] = r->plan->topics.items[i].name;
        }
    }
    int rc = n > 0 ? admin_delete_topics(a, names, n, TIMEOUT_MS, e) : 0;
    free(names);
    return rc < 0 ? err_wrap(e, "deleting the topics of the run before") : 0;
}

static int create(struct run *r, struct admin *a, struct err *e)
{
    size_t n = 0, ntopics = r->plan->topics.n;
    if (ntopics == 0) {
        return 0;
    }
    struct admin_new_topic *fresh = xcalloc(ntopics, sizeof *fresh);
    struct admin_pair **pairs = xcalloc(ntopics, sizeof *pairs);
    int rc = cluster_caps(r->cluster) & CLUSTER_CAP_OWN ? delete_old(r, a, e) : 0;
    rc = rc < 0 ? rc : compare(r, a, fresh, &n, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct plan_conf *c = &plan_topic(r->plan, fresh[i].name)->config;
        pairs[i] = xcalloc(c->n + 1, sizeof *pairs[i]);
        for (size_t k = 0; k < c->n; k++) {
            pairs[i][k] = (struct admin_pair){c->items[k].name, c->items[k].value};
        }
        fresh[i].configs = pairs[i];
        fresh[i].nconfigs = c->n;
    }
    if (rc == 0 && n > 0) {
        rc = admin_create_topics(a, fresh, n, TIMEOUT_MS, e);
    }
    for (size_t i = 0; i < ntopics; i++) {
        free(pairs[i]);
    }
    free(pairs);
    free(fresh);
    return rc;
}

static void work(void *arg)
{
    struct run *r = arg;
    struct err *e = &r->work.err;
    err_clear(e);
    struct admin *a = admin_open(cluster_bootstrap(r->cluster, CLUSTER_DIRECT), NULL, e);
    r->work.complete = a && limits_check(r, a, e) == 0 && create(r, a, e) == 0;
    if (a) {
        admin_close(a);
    }
}

static void done(void *arg)
{
    struct run *r = arg;
    if (!r->work.complete) {
        run_fail(r, RUN_ENVIRONMENT, &r->work.err, NULL);
        return;
    }
    run_topics_ready(r);
}

void topics_create(struct run *r)
{
    run_work(r, work, done);
}
