/* SPDX-License-Identifier: Apache-2.0 */
/* kaos cluster up, down, ls: managed clusters that stay up between runs (cluster/registry.h). */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cluster/cluster.h"
#include "cluster/registry.h"
#include "command/command.h"
#include "plan/plan.h"

struct up {
    struct loop *loop;
    struct cluster *cluster;
    bool ready, stopped;
    int signum;
    struct err e;
};

static const char *store_of(const struct cli *c)
{
    const char *store = cli_get(c, "store");
    return store ? store : ".kaos";
}

/* ---- up ---- */

static void on_stopped(void *arg)
{
    struct up *u = arg;
    loop_stop(u->loop);
}

static void stop(struct up *u)
{
    if (!u->stopped) {
        u->stopped = true;
        cluster_stop(u->cluster, on_stopped, u);
    }
}

static void on_ready(void *arg, const struct err *e)
{
    struct up *u = arg;
    u->ready = e == NULL;
    if (e) {
        u->e = *e;
    }
    stop(u);
}

static void on_sigint(void *arg)
{
    ((struct up *)arg)->signum = SIGINT;
    stop(arg);
}

static void on_sigterm(void *arg)
{
    ((struct up *)arg)->signum = SIGTERM;
    stop(arg);
}

static void print_up(const struct up *u, const char *name)
{
    bool plain = strcmp(name, "default") == 0;
    printf("%s: Kafka %s, %d broker%s at %s\n", name, cluster_version(u->cluster),
           cluster_brokers(u->cluster), cluster_brokers(u->cluster) == 1 ? "" : "s",
           cluster_bootstrap(u->cluster, CLUSTER_DIRECT));
    printf("use it: kaos run --cluster reuse%s%s\n", plain ? "" : ":", plain ? "" : name);
    printf("end it: kaos cluster down%s%s\n", plain ? "" : " --name ", plain ? "" : name);
}

static int run_up(struct up *u, const char *name, const char *spec, struct cluster_opts *o)
{
    struct signals *sigint = signals_start(u->loop, SIGINT, on_sigint, u);
    struct signals *sigterm = signals_start(u->loop, SIGTERM, on_sigterm, u);
    int rc = EXIT_PASS;
    u->cluster = cluster_open(spec, o, &u->e);
    if (u->cluster) {
        cluster_start(u->cluster);
        loop_run(u->loop);
    }
    if (u->signum) {
        rc = 128 + u->signum;
    } else if (!u->ready) {
        const char *log = u->cluster ? cluster_failure_log(u->cluster) : "";
        rc = cli_fail(u->e.kind == ERR_USAGE ? EXIT_USAGE : EXIT_ENVIRONMENT, "cluster up: %s%s%s",
                      u->e.msg, *log ? "\n" : "", log);
    } else {
        print_up(u, name);
    }
    signals_stop(sigint);
    signals_stop(sigterm);
    return rc;
}

static int up(const struct cli *c, const char *name)
{
    struct up u = {.loop = loop_new()};
    long long brokers = 0;
    const char *kafka = cli_get(c, "cluster");
    char *spec = xasprintf("reuse:%s", name);
    int rc = EXIT_USAGE;
    if (kafka && strcmp(kafka, "kafka") != 0 && strncmp(kafka, "kafka:", 6) != 0) {
        cli_fail(0, "cluster up: --cluster %s: kafka or kafka:VERSION can be started", kafka);
    } else if (cli_int(c, "brokers", 1, CLUSTER_NODES_MAX, &brokers) == 0) {
        struct guard *guard = guard_start(u.loop, &u.e);
        char *dir = registry_dir(store_of(c), name);
        struct cluster_opts o = {.loop = u.loop,
                                 .guard = guard,
                                 .run_dir = dir,
                                 .brokers = (int)brokers,
                                 .store = store_of(c),
                                 .kafka = kafka,
                                 .user = "kaos cluster up",
                                 .on_ready = on_ready,
                                 .arg = &u};
        rc = guard ? run_up(&u, name, spec, &o) : cli_fail(EXIT_ENVIRONMENT, "%s", u.e.msg);
        if (guard) {
            guard_stop(guard);
        }
        cluster_free(u.cluster);
        free(dir);
    }
    loop_free(u.loop);
    free(spec);
    return rc;
}

/* ---- all that are registered ---- */

static void names_of(const char *store, struct plan_strings *names)
{
    char *path = path_join(store, "clusters");
    DIR *d = opendir(path);
    for (struct dirent *ent; d && (ent = readdir(d));) {
        if (registry_is_name(ent->d_name)) {
            plan_strings_add(names, ent->d_name);
        }
    }
    if (d) {
        closedir(d);
    }
    free(path);
}

static int down_one(const char *store, const char *name, bool force)
{
    struct registry r;
    struct err e;
    int known = registry_read(store, name, &r, &e), rc = EXIT_PASS, lock = -1;
    if (known < 0) {
        rc = cli_fail(EXIT_ENVIRONMENT, "cluster down: %s", e.msg);
    } else if (known == 0) {
        rc = cli_fail(EXIT_USAGE, "cluster down: there is no cluster %s; see `kaos cluster ls`",
                      name);
    } else if (!force && (lock = registry_lock(r.dir, name, "kaos cluster down", &e)) < 0) {
        rc = cli_fail(EXIT_ENVIRONMENT, "cluster down: %s (--force ends it nevertheless)", e.msg);
    } else {
        int alive = registry_alive(&r);
        if (registry_end(&r, &e) < 0) {
            rc = cli_fail(EXIT_ENVIRONMENT, "cluster down: %s", e.msg);
        } else {
            printf("%s: %d process%s ended, its data is removed\n", name, alive,
                   alive == 1 ? "" : "es");
        }
    }
    if (lock >= 0) {
        close(lock);
    }
    registry_free(&r);
    return rc;
}

static int down_all(const char *store, bool force)
{
    struct plan_strings names = {0};
    int rc = EXIT_PASS;
    names_of(store, &names);
    for (size_t i = 0; i < names.n; i++) {
        int one = down_one(store, names.items[i], force);
        rc = one ? one : rc;
    }
    plan_strings_free(&names);
    return rc;
}

static void print_one(const struct registry *r)
{
    char since[32] = "";
    time_t t = (time_t)(r->since_ms / 1000);
    struct tm tm;
    if (localtime_r(&t, &tm)) {
        strftime(since, sizeof since, "%Y-%m-%d %H:%M", &tm);
    }
    int alive = registry_alive(r);
    char *holder = registry_holder(r->dir);
    printf("%-12s Kafka %-8s %d broker%s  %s  since %s  ", r->name, r->version, r->nodes,
           r->nodes == 1 ? " " : "s", r->direct, since);
    if (alive < r->nodes) {
        printf("%d of %d processes are gone: kaos cluster down --name %s\n", r->nodes - alive,
               r->nodes, r->name);
    } else {
        printf("%s%s\n", holder ? "in use by " : "free", holder ? holder : "");
    }
    free(holder);
}

static int list(const char *store)
{
    struct plan_strings names = {0};
    size_t shown = 0;
    names_of(store, &names);
    for (size_t i = 0; i < names.n; i++) {
        struct registry r;
        struct err e;
        int known = registry_read(store, names.items[i], &r, &e);
        if (known < 0) {
            cli_fail(0, "%s", e.msg);
        } else if (known > 0) {
            print_one(&r);
            shown++;
        }
        registry_free(&r);
    }
    if (shown == 0) {
        printf("no cluster is registered; start one with `kaos cluster up`\n");
    }
    plan_strings_free(&names);
    return EXIT_PASS;
}

int command_cluster(const struct cli *c)
{
    const char *what = cli_arg(c, 0), *name = cli_get(c, "name") ? cli_get(c, "name") : "default";
    if (!what || cli_nargs(c) != 1) {
        return cli_fail(EXIT_USAGE, "cluster: say one of up, down, ls");
    }
    if (!registry_is_name(name)) {
        return cli_fail(EXIT_USAGE,
                        "cluster: --name %s: a name begins with a letter and has letters, digits, "
                        "'-', '_' and '.'",
                        name);
    }
    if (strcmp(what, "up") == 0) {
        return up(c, name);
    }
    if (strcmp(what, "down") == 0) {
        return cli_has(c, "all") ? down_all(store_of(c), cli_has(c, "force"))
                                 : down_one(store_of(c), name, cli_has(c, "force"));
    }
    if (strcmp(what, "ls") == 0) {
        return list(store_of(c));
    }
    return cli_fail(EXIT_USAGE, "cluster: %s is none of up, down, ls", what);
}
