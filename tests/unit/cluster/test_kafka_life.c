/* SPDX-License-Identifier: Apache-2.0 */
/* The less friendly hours of a managed cluster: a cold cache, a stop in the middle, a port that
 * somebody takes, a death that nobody asked for, a cluster that stays. */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cluster/kafka.h"
#include "fixture.h"
#include "test.h"

/* A home of its own that has the jars and nothing else. Borrowed jars, so the class path differs.
 */
static void use_cold_home(void)
{
    struct kafka_home h;
    struct err e;
    fixture_need("kafka");
    unsetenv("KAFKA_HOME");
    CHECK_INT(kafka_home_find("kafka", &h, &e), 0);
    char *home = path_join(test_dir(), "home"), *kafka = xasprintf("%s/kafka/%s", home, h.version);
    char *from = xasprintf("%.*s", (int)strcspn(h.class_path, ":"), h.class_path);
    *strrchr(from, '/') = '\0';
    char *libs = path_join(kafka, "libs");
    CHECK_INT(path_mkdirs(kafka, 0700, &e), 0);
    CHECK_INT(symlink(from, libs), 0);
    setenv("KAOS_HOME", home, 1);
    free(home);
    free(kafka);
    free(from);
    free(libs);
    kafka_home_free(&h);
}

/* How many names in the cold home's cache end with this. */
static int cached(const char *suffix)
{
    char *dir = xasprintf("%s/home/kafka/" CLUSTER_KAFKA_DEFAULT, test_dir());
    DIR *d = opendir(dir);
    int n = 0;
    for (struct dirent *ent; d && (ent = readdir(d));) {
        size_t len = strlen(ent->d_name), want = strlen(suffix);
        n += len >= want && strcmp(ent->d_name + len - want, suffix) == 0;
    }
    closedir(d);
    free(dir);
    return n;
}

static void open_under(struct fixture *f, struct cluster_opts *o, const char *run)
{
    o->run_dir = path_join(test_dir(), run);
    f->c = cluster_open("kafka", o, &f->e);
    free((char *)o->run_dir);
    CHECK(f->c);
}

static void note_ready(void *arg, const struct err *e)
{
    struct fixture *f = arg;
    f->answered = true;
    f->ready = !e;
    if (e) {
        printf("# %s\n", e->msg);
    }
    loop_stop(f->loop);
}

TEST_LIMIT(two_starts_with_a_cold_cache_prepare_it_once, 120)
{
    struct fixture a, b = {0};
    use_cold_home();
    fixture_setup(&a);
    b.loop = a.loop;
    b.guard = a.guard;
    struct cluster_opts o = {.loop = a.loop, .guard = a.guard, .on_ready = note_ready, .arg = &a};
    open_under(&a, &o, "a");
    o.arg = &b;
    open_under(&b, &o, "b");
    cluster_start(a.c);
    cluster_start(b.c);
    while (!a.answered || !b.answered) {
        loop_run(a.loop);
    }
    CHECK(a.ready && b.ready);
    CHECK_INT(cached("template-1-1"), 1);
    CHECK_INT(cached(".jsa"), 1);
    CHECK_INT(cached(".new"), 0);
    CHECK(strcmp(cluster_bootstrap(a.c, CLUSTER_DIRECT), cluster_bootstrap(b.c, CLUSTER_DIRECT)));
    fixture_stop(&b);
    cluster_free(b.c);
    fixture_teardown(&a);
}

static void stop_loop(void *arg)
{
    loop_stop(((struct fixture *)arg)->loop);
}

TEST_LIMIT(a_stop_while_preparing_leaves_nothing_half_made, 60)
{
    struct fixture f;
    use_cold_home();
    fixture_setup(&f);
    struct cluster_opts o = {.loop = f.loop, .guard = f.guard, .on_ready = note_ready, .arg = &f};
    open_under(&f, &o, "run");
    cluster_start(f.c);
    timer_start(f.loop, 150, 0, stop_loop, &f);
    loop_run(f.loop);
    CHECK(!f.answered);
    fixture_stop(&f);
    CHECK(!f.answered);
    CHECK_INT(cached("template-1-1"), 0);
    CHECK_INT(cached(".new"), 0);
    cluster_free(f.c);
    f.c = NULL;
    fixture_teardown(&f);
}

TEST_LIMIT(a_stop_while_nodes_start_ends_them, 120)
{
    struct fixture f;
    fixture_need("kafka");
    fixture_setup(&f);
    struct cluster_opts o = {.loop = f.loop, .guard = f.guard, .on_ready = note_ready, .arg = &f};
    open_under(&f, &o, "run");
    cluster_start(f.c);
    while (cluster_node_pid(f.c, 1) == 0) {
        timer_start(f.loop, 20, 0, stop_loop, &f);
        loop_run(f.loop);
    }
    CHECK(!f.answered);
    fixture_stop(&f);
    CHECK(!f.answered);
    CHECK_INT(cluster_node_pid(f.c, 1), 0);
    cluster_free(f.c);
    f.c = NULL;
    fixture_teardown(&f);
}

static void count_stop(void *arg)
{
    struct fixture *f = arg;
    CHECK(!f->stopped);
    f->stopped = true;
    timer_start(f->loop, 50, 0, stop_loop, f); /* room for a second, wrong call */
}

static void stop_at_once(void *arg, const struct err *e)
{
    struct fixture *f = arg;
    f->ready = !e;
    cluster_stop(f->c, count_stop, f);
}

TEST_LIMIT(a_stop_inside_the_answer_is_done_once, 120)
{
    struct fixture f;
    struct cluster_setting s = {"num.io.threads", "none"};
    fixture_need("kafka");
    fixture_setup(&f);
    struct cluster_opts o = {.loop = f.loop,
                             .guard = f.guard,
                             .settings = &s,
                             .nsettings = 1,
                             .on_ready = stop_at_once,
                             .arg = &f};
    open_under(&f, &o, "run");
    cluster_start(f.c);
    loop_run(f.loop);
    CHECK(f.stopped && !f.ready);
    cluster_free(f.c);
    f.c = NULL;
    fixture_teardown(&f);
}

struct thief {
    struct fixture *f;
    int fd, port;
};

/* Takes a port of the node as soon as it is chosen, long before the JVM can bind it. */
static void steal(void *arg)
{
    struct thief *t = arg;
    struct kafka *k = (struct kafka *)t->f->c;
    if (t->fd >= 0 || !k || k->phase != KAFKA_STARTING) {
        return;
    }
    t->port = k->ports[0].at[PORT_FAULTY];
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)t->port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(t->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(t->fd, 1) == 0);
}

TEST_LIMIT(a_taken_port_is_replaced, 120)
{
    struct fixture f;
    struct thief t = {.f = &f, .fd = -1};
    struct cluster_opts o = {0};
    fixture_need("kafka");
    fixture_setup(&f);
    struct timer *timer = timer_start(f.loop, 0, 5, steal, &t);
    CHECK(fixture_start(&f, "kafka", &o));
    CHECK(t.fd >= 0);
    CHECK_INT(((struct kafka *)f.c)->attempts, 2);
    char *stolen = xasprintf(":%d", t.port);
    CHECK(!strstr(cluster_bootstrap(f.c, CLUSTER_FAULTY), stolen));
    timer_stop(timer);
    close(t.fd);
    free(stolen);
    fixture_teardown(&f);
}

TEST_LIMIT(a_death_that_nobody_asked_for_is_told_from_a_kill, 120)
{
    struct fixture f;
    struct cluster_opts o = {0};
    fixture_need("kafka");
    fixture_setup(&f);
    CHECK(fixture_start(&f, "kafka", &o));
    CHECK_INT(kill(cluster_node_pid(f.c, 1), SIGKILL), 0);
    fixture_wait_event(&f);
    CHECK_INT(f.event, CLUSTER_NODE_DOWN);
    CHECK(!f.expected);
    fixture_teardown(&f);
}

TEST_LIMIT(a_kept_cluster_outlives_its_runner, 120)
{
    struct fixture f;
    struct cluster_opts o = {.may_keep = true};
    struct buf out = {0};
    fixture_need("kafka");
    fixture_setup(&f);
    CHECK(fixture_start(&f, "kafka", &o));
    pid_t pid = cluster_node_pid(f.c, 1);
    cluster_keep(f.c, &out);
    CHECK_HAS(out.data, cluster_bootstrap(f.c, CLUSTER_DIRECT));
    char *text = xasprintf("kill %d &&", (int)pid);
    CHECK_HAS(out.data, text);
    fixture_teardown(&f);
    CHECK_INT(kill(pid, 0), 0);
    char *data = path_join(test_dir(), "cluster/node-1/data/meta.properties");
    CHECK_INT(access(data, R_OK), 0);
    CHECK_INT(kill(pid, SIGKILL), 0);
    buf_free(&out);
    free(text);
    free(data);
}
