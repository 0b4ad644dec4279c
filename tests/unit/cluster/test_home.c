/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cluster/kafka_home.h"
#include "cluster/ports.h"
#include "test.h"

/* An empty file, with the folders above it. */
static void touch(const char *fmt_dir, const char *name, unsigned mode)
{
    struct err e;
    char *path = path_join(fmt_dir, name);
    CHECK_INT(path_mkdirs(fmt_dir, 0700, &e), 0);
    CHECK_INT(path_write(path, "", 0, &e), 0);
    CHECK_INT(chmod(path, mode), 0);
    free(path);
}

static char *in_dir(const char *name)
{
    return path_join(test_dir(), name);
}

static void fake_kafka(const char *libs, const char *version)
{
    char *dir = in_dir(libs), *jar = xasprintf("kafka_2.13-%s.jar", version);
    touch(dir, jar, 0600);
    touch(dir, "zz.jar", 0600);
    touch(dir, "aa.jar", 0600);
    touch(dir, "readme.txt", 0600);
    free(dir);
    free(jar);
}

static void fake_java(void)
{
    char *dir = in_dir("java/bin"), *home = in_dir("java");
    touch(dir, "java", 0700);
    setenv("JAVA_HOME", home, 1);
    free(dir);
    free(home);
}

/* Works in an empty folder with a java and no Kafka. */
static void set_up(void)
{
    unsetenv("KAFKA_HOME");
    unsetenv("KAOS_HOME");
    fake_java();
    CHECK_INT(chdir(test_dir()), 0);
}

static void set_env_dir(const char *var, const char *name)
{
    char *dir = in_dir(name);
    setenv(var, dir, 1);
    free(dir);
}

TEST(versions_are_told_from_other_words)
{
    static const char *const yes[] = {"4.3.1", "3.9", "4.0.2-rc1", "10.20.30"};
    static const char *const no[] = {"", "4", "9092", "4..1", ".4", "4.", "x", "4.3.1/..", "4.3 1"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        CHECK(kafka_home_is_version(yes[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        CHECK(!kafka_home_is_version(no[i]));
    }
    CHECK_INT(kafka_home_major("3.9.2"), 3);
}

TEST(a_missing_version_names_script_kafka)
{
    struct kafka_home h;
    struct err e;
    set_up();
    setenv("KAOS_HOME", test_dir(), 1);
    CHECK_INT(kafka_home_find("kafka:4.0.2", &h, &e), -1);
    CHECK_INT(e.kind, ERR_PROCESS);
    CHECK_HAS(e.msg, "script/kafka 4.0.2");
    CHECK_INT(kafka_home_find("kafka:9092", &h, &e), -1);
    CHECK_INT(e.kind, ERR_USAGE);
    CHECK_HAS(e.msg, "'9092'");
}

TEST(a_missing_java_names_script_setup)
{
    struct kafka_home h;
    struct err e;
    set_up();
    fake_kafka(".kaos/kafka/4.3.1/libs", "4.3.1");
    unsetenv("JAVA_HOME");
    setenv("PATH", test_dir(), 1);
    CHECK_INT(kafka_home_find("kafka", &h, &e), -1);
    CHECK_INT(e.kind, ERR_PROCESS);
    CHECK_HAS(e.msg, "java is missing");
    CHECK_HAS(e.msg, "script/setup");
    set_env_dir("JAVA_HOME", "nothing");
    CHECK_INT(kafka_home_find("kafka", &h, &e), -1);
    CHECK_HAS(e.msg, "JAVA_HOME");
}

TEST(jars_are_found_above_the_working_directory_and_sorted)
{
    struct kafka_home h;
    struct err e;
    set_up();
    fake_kafka(".kaos/kafka/4.3.1/libs", "4.3.1");
    char *deep = in_dir("a/b/c");
    CHECK_INT(path_mkdirs(deep, 0700, &e), 0);
    CHECK_INT(chdir(deep), 0);
    CHECK_INT(kafka_home_find("kafka", &h, &e), 0);
    CHECK_STR(h.version, "4.3.1");
    char *root = realpath(test_dir(), NULL);
    char *want = xasprintf("%s/.kaos/kafka/4.3.1/libs/aa.jar:%s/.kaos/kafka/4.3.1/libs/"
                           "kafka_2.13-4.3.1.jar:%s/.kaos/kafka/4.3.1/libs/zz.jar",
                           root, root, root);
    CHECK_STR(h.class_path, want);
    CHECK_HAS(h.cache, "/.kaos/kafka/4.3.1");
    CHECK_HAS(h.java, "/java/bin/java");
    kafka_home_free(&h);
    free(deep);
    free(root);
    free(want);
}

TEST(kaos_home_comes_before_the_nearest_folder)
{
    struct kafka_home h;
    struct err e;
    set_up();
    fake_kafka(".kaos/kafka/4.3.1/libs", "4.3.1");
    fake_kafka("other/kafka/4.3.1/libs", "4.3.1");
    set_env_dir("KAOS_HOME", "other");
    CHECK_INT(kafka_home_find("kafka:4.3.1", &h, &e), 0);
    CHECK_HAS(h.class_path, "/other/kafka/4.3.1/libs/aa.jar");
    kafka_home_free(&h);
}

TEST(a_distribution_of_the_users_own_is_taken_when_the_version_fits)
{
    struct kafka_home h;
    struct err e;
    set_up();
    fake_kafka(".kaos/kafka/4.3.1/libs", "4.3.1");
    fake_kafka("dist/libs", "3.9.2");
    set_env_dir("KAFKA_HOME", "dist");
    CHECK_INT(kafka_home_find("kafka", &h, &e), 0);
    CHECK_STR(h.version, "3.9.2");
    CHECK_HAS(h.cache, "/.kaos/kafka/home-");
    kafka_home_free(&h);
    CHECK_INT(kafka_home_find("kafka:4.3.1", &h, &e), 0);
    CHECK_STR(h.version, "4.3.1");
    kafka_home_free(&h);
    set_env_dir("KAFKA_HOME", "java");
    CHECK_INT(kafka_home_find("kafka", &h, &e), -1);
    CHECK_HAS(e.msg, "KAFKA_HOME");
}

TEST(another_jar_is_another_key)
{
    struct kafka_home a, b;
    struct err e;
    set_up();
    fake_kafka(".kaos/kafka/4.3.1/libs", "4.3.1");
    CHECK_INT(kafka_home_find("kafka", &a, &e), 0);
    char *libs = in_dir(".kaos/kafka/4.3.1/libs");
    touch(libs, "more.jar", 0600);
    CHECK_INT(kafka_home_find("kafka", &b, &e), 0);
    CHECK(strcmp(a.key, b.key) != 0);
    free(libs);
    kafka_home_free(&a);
    kafka_home_free(&b);
}

TEST(ports_are_different_and_outside_the_ephemeral_range)
{
    int p[20], low = 0, high = 0;
    struct err e;
    CHECK_INT(ports_pick(p, ARRAY_LEN(p), &e), 0);
    FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    CHECK(f && fscanf(f, "%d %d", &low, &high) == 2);
    fclose(f);
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        CHECK(p[i] > 1024 && p[i] <= 65535);
        CHECK(low < 12000 || p[i] < low || p[i] > high);
        for (size_t k = 0; k < i; k++) {
            CHECK(p[i] != p[k]);
        }
    }
}
