/* SPDX-License-Identifier: Apache-2.0 */
/* Puts together the command line of a Kafka process. Temporary files (native codec libraries) go to
 * a folder of its own: after a SIGKILL nobody would remove them from /tmp. */
#include "cluster/kafka_jvm.h"

#include <stdlib.h>

#include "base/embed.h"
#include "base/mem.h"
#include "base/path.h"

const char *const kafka_jvm_options[] = {
    "-Xms128m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xshare:auto",
    "-Xlog:cds=off",
    "-Xlog:cds+dynamic=off",
    "-Djava.awt.headless=true",
    NULL,
};

enum { ARGS_MAX = 32 };

struct args {
    const char *at[ARGS_MAX];
    char *owned[ARGS_MAX];
    size_t n, nowned;
};

static void add(struct args *a, const char *s)
{
    if (a->n + 1 < ARGS_MAX) {
        a->at[a->n++] = s;
    }
}

static void add_owned(struct args *a, char *s)
{
    a->owned[a->nowned++] = s;
    add(a, s);
}

static int write_logging(const struct kafka_jvm *j, struct args *a, struct err *e)
{
    bool old = kafka_home_major(j->home->version) < 4;
    const char *name = old ? "log4j1.properties" : "log4j2.properties";
    const struct embedded *file = embed_find(kafka_embedded, name);
    char *path = path_join(j->dir, name);
    int rc = path_write(path, file->data, file->len, e);
    add_owned(a, old ? xasprintf("-Dlog4j.configuration=file:%s", path)
                     : xasprintf("-Dlog4j2.configurationFile=%s", path));
    free(path);
    return rc;
}

static int make_tmp(const struct kafka_jvm *j, struct args *a, struct err *e)
{
    char *tmp = path_join(j->dir, "tmp");
    int rc = path_mkdirs(tmp, 0700, e);
    add_owned(a, xasprintf("-Djava.io.tmpdir=%s", tmp));
    free(tmp);
    return rc;
}

struct proc *kafka_jvm_spawn(const struct kafka_jvm *j, struct err *e)
{
    struct args a = {0};
    struct proc *p = NULL;
    add(&a, j->home->java);
    for (size_t i = 0; kafka_jvm_options[i]; i++) {
        add(&a, kafka_jvm_options[i]);
    }
    if (j->archive) {
        add_owned(&a, xasprintf("-XX:%s=%s", j->dump ? "ArchiveClassesAtExit" : "SharedArchiveFile",
                                j->archive));
    }
    if (write_logging(j, &a, e) == 0 && make_tmp(j, &a, e) == 0) {
        add(&a, "-cp");
        add(&a, j->home->class_path);
        for (size_t i = 0; j->argv[i]; i++) {
            add(&a, j->argv[i]);
        }
        struct proc_opts o = {.argv = a.at,
                              .cwd = j->dir,
                              .log_path = j->log_path,
                              .may_outlive = j->may_outlive,
                              .on_exit = j->on_exit,
                              .arg = j->arg};
        p = proc_spawn(j->guard, &o, e);
    }
    for (size_t i = 0; i < a.nowned; i++) {
        free(a.owned[i]);
    }
    return p;
}
