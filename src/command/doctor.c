/* SPDX-License-Identifier: Apache-2.0 */
/* kaos doctor: looks at what runs need on this machine, one check and one row each. Starts nothing
 * and changes nothing. */
#include "command/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cluster/cluster.h"
#include "cluster/kafka_home.h"
#include "cluster/ports.h"
#include "command/command.h"
#include "command/select.h"

enum {
    PORTS = 20,
    FILES_LEAST = 4096,
    PROCESSES_LEAST = 1024,
    DISK_LEAST_MB = 500,
    DISK_GOOD_MB = 2000,
    MEMORY_LEAST_MB = 600,
    COLUMN = 16,
    JAVA_LEAST = 17
};

void doctor_say(struct doctor *d, enum doctor_state state, const char *what, const char *fix,
                const char *affects, const char *fmt, ...)
{
    static const char *const names[] = {"ok", "warn", "BAD"};
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    printf("%-5s %-*s%s\n", names[state], COLUMN - 6, what, text);
    if (state != DOCTOR_OK && fix) {
        printf("%*sdo this: %s\n", COLUMN, "", fix);
    }
    if (state != DOCTOR_OK && affects) {
        printf("%*sconcerns: %s\n", COLUMN, "", affects);
    }
    d->warnings += state == DOCTOR_WARN;
    d->bad += state == DOCTOR_BAD;
}

/* ---- java and Kafka ---- */

/** The version in the file `release` beside bin/, caller frees; "" if there is none. */
static char *java_version(const char *java)
{
    char *root = xstrdup(java);
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(root, '/');
        if (slash) {
            *slash = '\0';
        }
    }
    char *path = path_join(root, "release"), *version = NULL;
    struct buf b = {0};
    struct err e;
    if (path_read(path, 1 << 16, &b, &e) == 0 && b.data) {
        const char *at = strstr(b.data, "JAVA_VERSION=\"");
        at = at ? at + strlen("JAVA_VERSION=\"") : NULL;
        version = at ? xmemdup0(at, strcspn(at, "\"\n")) : NULL;
    }
    buf_free(&b);
    free(path);
    free(root);
    return version ? version : xstrdup("");
}

static void check_java(struct doctor *d)
{
    static const char affects[] = "every run on --cluster kafka";
    static const char fix[] = "script/setup --kafka, or a java 17 or later on PATH or in JAVA_HOME";
    struct err e;
    char *java = kafka_home_java(&e);
    char *version = java ? java_version(java) : NULL;
    if (!java) {
        doctor_say(d, DOCTOR_WARN, "java", fix, affects, "%s", e.msg);
    } else if (!*version) {
        doctor_say(d, DOCTOR_WARN, "java", "java -version should say 17 or later", affects,
                   "%s does not say its version", java);
    } else if (strtol(version, NULL, 10) < JAVA_LEAST) {
        doctor_say(d, DOCTOR_WARN, "java", fix, affects, "%s at %s is too old", version, java);
    } else {
        doctor_say(d, DOCTOR_OK, "java", NULL, NULL, "%s at %s", version, java);
    }
    free(version);
    free(java);
}

static void check_kafka(struct doctor *d)
{
    struct kafka_home h;
    struct err e;
    char *versions = kafka_home_versions();
    bool found = kafka_home_find("kafka", &h, &e) == 0;
    if (found) {
        doctor_say(d, DOCTOR_OK, "kafka", NULL, NULL, "%s (in .kaos: %s)", h.version,
                   *versions ? versions : "none");
        kafka_home_free(&h);
    } else if (!strstr(e.msg, "java")) { /* that was said already */
        doctor_say(d, DOCTOR_WARN, "kafka", "script/kafka " CLUSTER_KAFKA_DEFAULT,
                   "every run on --cluster kafka", "%s (there are: %s)", e.msg,
                   *versions ? versions : "none");
    }
    free(versions);
}

/* ---- the machine ---- */

static void check_ports(struct doctor *d)
{
    int ports[PORTS];
    struct err e;
    if (ports_pick(ports, PORTS, &e) < 0) {
        doctor_say(d, DOCTOR_BAD, "ports", "end what holds them: ss -ltnp",
                   "every cluster that kaos starts", "%s", e.msg);
    } else {
        doctor_say(d, DOCTOR_OK, "ports", NULL, NULL, "%d free ones found on 127.0.0.1", PORTS);
    }
}

static void check_limit(struct doctor *d, const char *what, int resource, rlim_t least,
                        const char *fix)
{
    struct rlimit r;
    if (getrlimit((__rlimit_resource_t)resource, &r) < 0) {
        return;
    }
    if (r.rlim_cur == RLIM_INFINITY) {
        doctor_say(d, DOCTOR_OK, what, NULL, NULL, "no limit");
    } else {
        doctor_say(d, r.rlim_cur < least ? DOCTOR_WARN : DOCTOR_OK, what, fix,
                   "runs with many roles or brokers", "%llu (at least %llu is good)",
                   (unsigned long long)r.rlim_cur, (unsigned long long)least);
    }
}

static void check_limits(struct doctor *d)
{
    check_limit(d, "files", RLIMIT_NOFILE, FILES_LEAST, "ulimit -n 65536");
    check_limit(d, "processes", RLIMIT_NPROC, PROCESSES_LEAST, "ulimit -u 8192");
}

static void check_disk(struct doctor *d)
{
    struct statvfs v;
    if (statvfs(".", &v) < 0) {
        return;
    }
    unsigned long long mb = (unsigned long long)v.f_bavail * v.f_frsize >> 20;
    doctor_say(d,
               mb < DISK_LEAST_MB  ? DOCTOR_BAD
               : mb < DISK_GOOD_MB ? DOCTOR_WARN
                                   : DOCTOR_OK,
               "disk", "make room, or remove old runs from .kaos/runs",
               "histories and the data of brokers", "%llu MB are free here", mb);
}

static void check_memory(struct doctor *d)
{
    struct buf b = {0};
    struct err e;
    const char *at = path_read("/proc/meminfo", 1 << 16, &b, &e) == 0 && b.data
                         ? strstr(b.data, "MemAvailable:")
                         : NULL;
    if (at) {
        unsigned long long mb = strtoull(at + strlen("MemAvailable:"), NULL, 10) >> 10;
        doctor_say(d, mb < MEMORY_LEAST_MB ? DOCTOR_WARN : DOCTOR_OK, "memory",
                   "end something else; a broker takes about 400 MB", "runs on --cluster kafka",
                   "%llu MB are available, %ld processors", mb, sysconf(_SC_NPROCESSORS_ONLN));
    }
    buf_free(&b);
}

static void check_clock(struct doctor *d)
{
    struct timex t = {0};
    int state = adjtimex(&t);
    bool unknown = state == TIME_ERROR || state < 0;
    doctor_say(d, unknown ? DOCTOR_WARN : DOCTOR_OK, "clock",
               "nothing, for runs on one machine; with several, run chrony or systemd-timesyncd",
               "histories of several hosts, and timestamps",
               unknown ? "not synchronised, as far as the kernel knows" : "synchronised");
}

static void check_docker(struct doctor *d)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const char *host = getenv("DOCKER_HOST");
    const char *path = host && strncmp(host, "unix://", 7) == 0 ? host + 7 : "/var/run/docker.sock";
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
    doctor_say(d, ok ? DOCTOR_OK : DOCTOR_WARN, "docker", "start a Docker daemon",
               "docker-compose.yml alone; no scenario needs it",
               ok ? "a daemon listens at %s" : "no daemon listens at %s", path);
    if (fd >= 0) {
        close(fd);
    }
}

/* ---- scenarios ---- */

static bool executable(const char *dir, size_t n, const char *name)
{
    char *path = xasprintf("%.*s/%s", (int)n, dir, name);
    bool yes = access(path, X_OK) == 0;
    free(path);
    return yes;
}

/** As roles find it: in the venv first, then on PATH; with a slash from the scenario's folder. */
static bool has_program(const char *file, const char *name)
{
    const char *slash = strrchr(file, '/'), *path = getenv("PATH");
    if (strchr(name, '/')) {
        return *name == '/'
                   ? access(name, X_OK) == 0
                   : executable(slash ? file : ".", slash ? (size_t)(slash - file) : 1, name);
    }
    if (executable(".kaos/venv/bin", strlen(".kaos/venv/bin"), name)) {
        return true;
    }
    for (const char *p = path ? path : ""; *p;) {
        size_t n = strcspn(p, ":");
        if (n && executable(p, n, name)) {
            return true;
        }
        p += n + (p[n] == ':');
    }
    return false;
}

static void check_plan(struct doctor *d, const char *file, const struct plan *p, size_t *needs)
{
    for (size_t i = 0; i < p->roles.n; i++) {
        const struct plan_strings *exec = &p->roles.items[i].exec;
        if (exec->n && !has_program(file, exec->items[0])) {
            doctor_say(d, DOCTOR_BAD, "program", "install it, or build it with script/workers",
                       p->where, "role %s runs %s, which is not here", p->roles.items[i].name,
                       exec->items[0]);
            (*needs)++;
        }
    }
}

static void check_file(struct doctor *d, const char *file, size_t *scenarios, size_t *needs)
{
    struct err e;
    struct load *l = load_from_file(file, &e);
    if (!l || load_errors(l)) {
        doctor_say(d, DOCTOR_BAD, "scenario", "kaos lint shows where", file, "%s does not load",
                   file);
    }
    for (size_t i = 0; l && !load_errors(l) && i < load_count(l); i++) {
        struct plan *p = load_plan(l, i, NULL, &e);
        (*scenarios)++;
        if (p) {
            check_plan(d, file, p, needs);
        }
        plan_free(p);
    }
    load_free(l);
}

static int check_scenarios(struct doctor *d, const struct cli *c)
{
    struct plan_strings files = {0}, names = {0};
    struct err e;
    const char *words[64];
    size_t n = cli_nargs(c) < 64 ? cli_nargs(c) : 64, scenarios = 0, needs = 0;
    for (size_t i = 0; i < n; i++) {
        words[i] = cli_arg(c, i);
    }
    int rc = 0;
    if (n > 0 || access("scenarios", F_OK) == 0) {
        rc = select_files(words, n, &files, &names, &e) < 0 ? cli_fail(EXIT_USAGE, "%s", e.msg) : 0;
    }
    for (size_t i = 0; rc == 0 && i < files.n; i++) {
        check_file(d, files.items[i], &scenarios, &needs);
    }
    if (scenarios > 0 && needs == 0) {
        doctor_say(d, DOCTOR_OK, "scenarios", NULL, NULL, "the programs of %zu are all here",
                   scenarios);
    }
    plan_strings_free(&files);
    plan_strings_free(&names);
    return rc;
}

int command_doctor(const struct cli *c)
{
    static void (*const checks[])(struct doctor *) = {check_java,   check_kafka,  check_ports,
                                                      check_limits, check_memory, check_disk,
                                                      check_clock,  check_docker};
    struct doctor d = {0};
    const char *bootstrap = cli_get(c, "bootstrap");
    int rc = 0;
    if (bootstrap) {
        doctor_bootstrap(&d, bootstrap);
    }
    for (size_t i = 0; !bootstrap && i < ARRAY_LEN(checks); i++) {
        checks[i](&d);
    }
    rc = bootstrap ? 0 : check_scenarios(&d, c);
    if (rc == 0) {
        printf("%zu wrong, %zu to know of\n", d.bad, d.warnings);
    }
    return rc ? rc : d.bad ? EXIT_ENVIRONMENT : EXIT_PASS;
}
