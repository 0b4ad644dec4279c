/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>

#include "cluster/kafka_home.h"
#include "test.h"

__attribute__((constructor)) static void dispatch(int argc, char **argv, char **envp)
{
    if (argc > 1 && strcmp(argv[1], "__guard") == 0) {
        exit(guard_main(argc - 1, argv + 1));
    }
}

void fixture_need(const char *spec)
{
    struct kafka_home h;
    struct err e;
    if (kafka_home_find(spec, &h, &e) < 0) {
        test_skip(e.msg);
    }
    kafka_home_free(&h);
}

void fixture_setup(struct fixture *f)
{
    *f = (struct fixture){.loop = loop_new()};
    f->guard = guard_start(f->loop, &f->e);
    CHECK(f->guard);
}

static void on_ready(void *arg, const struct err *e)
{
    struct fixture *f = arg;
    CHECK(!f->answered);
    f->answered = true;
    f->ready = !e;
    if (e) {
        f->e = *e;
    }
    loop_stop(f->loop);
}

static void on_node(void *arg, int node, enum cluster_event ev, bool expected, const char *detail)
{
    struct fixture *f = arg;
    f->node = node;
    f->event = ev;
    f->expected = expected;
    snprintf(f->detail, sizeof f->detail, "%s", detail);
    loop_stop(f->loop);
}

bool fixture_start(struct fixture *f, const char *spec, struct cluster_opts *o)
{
    o->loop = f->loop;
    o->guard = f->guard;
    o->run_dir = o->run_dir ? o->run_dir : test_dir();
    o->on_ready = on_ready;
    o->on_node = on_node;
    o->arg = f;
    f->c = cluster_open(spec, o, &f->e);
    if (!f->c) {
        return false;
    }
    cluster_start(f->c);
    CHECK(!f->answered);
    loop_run(f->loop);
    CHECK(f->answered);
    return f->ready;
}

void fixture_wait_event(struct fixture *f)
{
    f->node = 0;
    loop_run(f->loop);
    CHECK(f->node > 0);
}

static void on_stopped(void *arg)
{
    struct fixture *f = arg;
    f->stopped = true;
    loop_stop(f->loop);
}

void fixture_stop(struct fixture *f)
{
    cluster_stop(f->c, on_stopped, f);
    CHECK(!f->stopped);
    while (!f->stopped) {
        loop_run(f->loop);
    }
}

void fixture_teardown(struct fixture *f)
{
    if (f->c) {
        fixture_stop(f);
        cluster_free(f->c);
    }
    guard_stop(f->guard);
    loop_free(f->loop);
}
