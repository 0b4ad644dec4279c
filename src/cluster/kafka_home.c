/* SPDX-License-Identifier: Apache-2.0 */
/* Finds jars and java by looking at files only, nothing is started: see kafka_home.h. */
#include "cluster/kafka_home.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "cluster/cluster.h"

bool kafka_home_is_version(const char *s)
{
    size_t dots = 0;
    const char *p = s;
    for (; isdigit((unsigned char)*p) || (*p == '.' && p > s && p[-1] != '.'); p++) {
        dots += *p == '.';
    }
    if (p == s || dots == 0 || p[-1] == '.') {
        return false;
    }
    if (*p == '-') {
        p++;
        for (; isalnum((unsigned char)*p) || *p == '-'; p++) {
        }
    }
    return *p == '\0' && strlen(s) < 64;
}

int kafka_home_major(const char *version)
{
    return (int)strtol(version, NULL, 10);
}

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *env_value(const char *name)
{
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

/* The nearest .kaos at or above dir that has `inside` (NULL: any). Caller frees; NULL if none. */
static char *nearest_home(const char *dir, const char *inside)
{
    char *at = xstrdup(dir);
    for (;;) {
        char *home = path_join(strcmp(at, "/") == 0 ? "" : at, ".kaos");
        char *probe = inside ? path_join(home, inside) : xstrdup(home);
        bool found = is_dir(probe);
        free(probe);
        if (found) {
            free(at);
            return home;
        }
        free(home);
        char *slash = strrchr(at, '/');
        if (!slash || strcmp(at, "/") == 0) {
            free(at);
            return NULL;
        }
        slash[slash == at] = '\0';
    }
}

static char *binary_dir(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) {
        return NULL;
    }
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash) {
        return NULL;
    }
    *slash = '\0';
    return xstrdup(path);
}

char *kafka_home_dir(const char *inside)
{
    const char *env = env_value("KAOS_HOME");
    if (env) {
        char *home = realpath(env, NULL);
        char *probe = home && inside ? path_join(home, inside) : NULL;
        if (probe && !is_dir(probe)) {
            free(home);
            home = NULL;
        }
        free(probe);
        return home;
    }
    char *cwd = realpath(".", NULL), *bin = binary_dir();
    char *home = cwd ? nearest_home(cwd, inside) : NULL;
    if (!home && bin) {
        home = nearest_home(bin, inside);
    }
    free(cwd);
    free(bin);
    return home;
}

static bool is_jar(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".jar") == 0;
}

static int is_jar_entry(const struct dirent *d)
{
    return is_jar(d->d_name);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* "kafka_2.13-4.3.1.jar" -> "4.3.1"; caller frees; NULL for other jars. */
static char *version_of_jar(const char *name)
{
    if (strncmp(name, "kafka_", 6) != 0 || !is_jar(name)) {
        return NULL;
    }
    const char *dash = strchr(name, '-');
    if (!dash) {
        return NULL;
    }
    char *v = xmemdup0(dash + 1, strlen(dash + 1) - 4);
    if (kafka_home_is_version(v)) {
        return v;
    }
    free(v);
    return NULL;
}

static uint64_t hash_file(uint64_t h, const char *path)
{
    struct stat st;
    h = hash_str(h, path);
    if (stat(path, &st) == 0) {
        h = hash_mix(h, (uint64_t)st.st_size);
        h = hash_mix(h, (uint64_t)st.st_mtim.tv_sec);
        h = hash_mix(h, (uint64_t)st.st_mtim.tv_nsec);
    }
    return h;
}

/* Reads libs: class path, version, hash. @return -1 when it is not a Kafka. */
static int read_libs(const char *libs, struct kafka_home *h, uint64_t *hash)
{
    struct dirent **names;
    int n = scandir(libs, &names, is_jar_entry, by_bytes);
    if (n < 0) {
        return -1;
    }
    struct buf cp = {0};
    for (int i = 0; i < n; i++) {
        char *jar = path_join(libs, names[i]->d_name);
        if (!h->version) {
            h->version = version_of_jar(names[i]->d_name);
        }
        buf_printf(&cp, "%s%s", i ? ":" : "", jar);
        *hash = hash_file(*hash, jar);
        free(jar);
        free(names[i]);
    }
    free(names);
    h->class_path = buf_take(&cp);
    return h->version ? 0 : -1;
}

static void forget_libs(struct kafka_home *h)
{
    free(h->version);
    free(h->class_path);
    h->version = h->class_path = NULL;
}

/* A distribution of the user's own. @return 1 = taken, 0 = not asked for, -1 = named but unusable.
 */
static int try_distribution(const char *want, struct kafka_home *h, uint64_t *hash, struct err *e)
{
    const char *env = env_value("KAFKA_HOME");
    if (!env) {
        return 0;
    }
    char *root = realpath(env, NULL);
    char *libs = root ? path_join(root, "libs") : NULL;
    int rc = 1;
    if (!libs || read_libs(libs, h, hash) < 0) {
        rc = err_set(e, ERR_PROCESS, 0,
                     "KAFKA_HOME is %s, but there is no Apache Kafka in its folder libs", env);
    } else if (want && strcmp(want, h->version) != 0) {
        rc = 0;
    }
    if (rc != 1) {
        forget_libs(h);
    }
    free(root);
    free(libs);
    return rc;
}

static int try_own(const char *want, struct kafka_home *h, uint64_t *hash, struct err *e)
{
    char *inside = xasprintf("kafka/%s/libs", want);
    char *home = kafka_home_dir(inside);
    int rc = -1;
    if (home) {
        char *libs = path_join(home, inside);
        rc = read_libs(libs, h, hash);
        free(libs);
    }
    if (rc == 0 && strcmp(h->version, want) != 0) {
        rc = -1;
    }
    if (rc == 0) {
        h->cache = xasprintf("%s/kafka/%s", home, want);
    } else {
        forget_libs(h);
        err_set(e, ERR_PROCESS, 0, "Apache Kafka %s is not here: run script/kafka %s", want, want);
    }
    free(home);
    free(inside);
    return rc;
}

static char *executable(const char *dir, size_t len, const char *name)
{
    char *path = xasprintf("%.*s/%s", (int)len, dir, name);
    struct stat st;
    char *full = NULL;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0) {
        full = realpath(path, NULL);
    }
    free(path);
    return full;
}

static char *find_java(struct err *e)
{
    const char *home = env_value("JAVA_HOME");
    if (home) {
        char *java = executable(home, strlen(home), "bin/java");
        if (!java) {
            err_set(e, ERR_PROCESS, 0, "JAVA_HOME is %s, but there is no bin/java in it", home);
        }
        return java;
    }
    const char *path = getenv("PATH");
    for (const char *p = path ? path : ""; *p;) {
        size_t n = strcspn(p, ":");
        char *java = n ? executable(p, n, "java") : NULL;
        if (java) {
            return java;
        }
        p += n + (p[n] == ':');
    }
    err_set(e, ERR_PROCESS, 0,
            "java is missing, and Apache Kafka runs on it: run script/setup --kafka, or put a java "
            "17 or later on PATH or in JAVA_HOME");
    return NULL;
}

/* Templates of a distribution stand under our own home, never inside it. */
static char *cache_of_distribution(const char *key)
{
    char *home = kafka_home_dir(NULL);
    if (!home) {
        char *cwd = realpath(".", NULL);
        const char *env = env_value("KAOS_HOME");
        home = env ? xstrdup(env) : path_join(cwd ? cwd : ".", ".kaos");
        free(cwd);
    }
    char *cache = xasprintf("%s/kafka/home-%s", home, key);
    free(home);
    return cache;
}

int kafka_home_find(const char *spec, struct kafka_home *h, struct err *e)
{
    *h = (struct kafka_home){0};
    const char *colon = strchr(spec, ':'), *want = colon ? colon + 1 : NULL;
    if (want && !kafka_home_is_version(want)) {
        return err_set(e, ERR_USAGE, 0,
                       "'%s' after kafka: is not a version of Apache Kafka such as %s", want,
                       CLUSTER_KAFKA_DEFAULT);
    }
    uint64_t hash = 0;
    int rc = try_distribution(want, h, &hash, e);
    if (rc == 0) {
        hash = 0;
        rc = try_own(want ? want : CLUSTER_KAFKA_DEFAULT, h, &hash, e);
    }
    h->java = rc < 0 ? NULL : find_java(e);
    if (!h->java) {
        kafka_home_free(h);
        return -1;
    }
    h->key = xasprintf("%016llx", (unsigned long long)hash_file(hash, h->java));
    if (!h->cache) {
        h->cache = cache_of_distribution(h->key);
    }
    return 0;
}

char *kafka_home_java(struct err *e)
{
    return find_java(e);
}

static int is_version_entry(const struct dirent *d)
{
    return kafka_home_is_version(d->d_name);
}

char *kafka_home_versions(void)
{
    char *home = kafka_home_dir("kafka"), *dir = home ? path_join(home, "kafka") : NULL;
    struct dirent **names = NULL;
    struct buf b = {0};
    int n = dir ? scandir(dir, &names, is_version_entry, by_bytes) : 0;
    for (int i = 0; i < n; i++) {
        char *libs = xasprintf("%s/%s/libs", dir, names[i]->d_name);
        if (is_dir(libs)) {
            buf_printf(&b, "%s%s", b.len ? ", " : "", names[i]->d_name);
        }
        free(libs);
        free(names[i]);
    }
    free(names);
    free(dir);
    free(home);
    return b.data ? buf_take(&b) : xstrdup("");
}

void kafka_home_free(struct kafka_home *h)
{
    free(h->version);
    free(h->class_path);
    free(h->java);
    free(h->cache);
    free(h->key);
    *h = (struct kafka_home){0};
}
