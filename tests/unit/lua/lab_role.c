/* SPDX-License-Identifier: Apache-2.0 */
/* A role function in the test's own process. */
#include "lab_role.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "history/hist.h"
#include "lua/load.h"
#include "lua/runtime.h"

struct lab {
    struct lab_role out;
    struct loop *loop;
    struct runtime *rt;
    bool ended;
};

static void no_record(void *arg, const struct runtime_record *r, unsigned abilities)
{
}

static void no_point(void *arg, enum plan_point p, const struct runtime_at *at)
{
}

static bool no_abort(void *arg, const void *consumer)
{
    return false;
}

static void no_settle(void *arg, const void *consumer)
{
}

static void die(void *arg, const struct err *e, const char *code)
{
    test_fail(__FILE__, __LINE__, "died: %s %s", code, e->msg);
}

static const struct runtime_hooks hooks = {.record = no_record,
                                           .begin = no_record,
                                           .point = no_point,
                                           .take_abort = no_abort,
                                           .settle = no_settle,
                                           .die = die};

static void on_end(void *arg, const struct err *e, const char *trace)
{
    struct lab *lab = arg;
    CHECK(!lab->ended);
    lab->ended = true;
    lab->out.e = *e;
    snprintf(lab->out.trace, sizeof lab->out.trace, "%s", trace);
    loop_stop(lab->loop);
}

static void on_drain(void *arg)
{
    runtime_drain(((struct lab *)arg)->rt);
}

static void on_stop(void *arg)
{
    runtime_stop(((struct lab *)arg)->rt);
}

static void on_closed(void *arg)
{
    loop_stop(((struct lab *)arg)->loop);
}

static char *text_of(const char *body, const char *expect)
{
    return xasprintf(
        "scenario \"t\" {\n"
        "params = { n = 7, rate = \"1000/s\" }, topics = { t = {}, j = { value = \"json\" } },\n"
        "roles = { r = function(w)\n%s\nend },\n"
        "expect = { sometimes \"seen\", always \"sane\"%s },\n"
        "}\n",
        body, expect);
}

static struct load *load(const char *body, const char *expect)
{
    struct err e;
    struct load_bundle b = {0};
    struct plan_conf env = {0};
    char *text = text_of(body, expect);
    load_bundle_add(&b, "t.lua", text, strlen(text));
    struct load *l = load_from_bundle(&b, &env, &e);
    if (!l || load_errors(l)) {
        test_fail(__FILE__, __LINE__, "%s", l ? load_errors(l) : e.msg);
    }
    load_bundle_free(&b);
    free(text);
    return l;
}

struct lab_role lab_role_run(const char *body, const char *expect, int drain_ms, int stop_ms)
{
    static int incarnation;
    char dir[256];
    struct lab lab = {.loop = loop_new()};
    snprintf(dir, sizeof dir, "%s/%d", test_dir(), ++incarnation);
    mkdir(dir, 0700);
    struct err e = {0};
    struct load *l = load(body, expect);
    struct plan *plan = load_plan(l, 0, NULL, &e);
    CHECK(plan != NULL);
    struct hist *h = hist_open(dir, &(struct hist_ident){"r", 1, 1}, &e);
    CHECK(h != NULL);
    struct runtime_switches switches = {0};
    struct runtime_setup setup = {.loop = lab.loop,
                                  .hist = h,
                                  .load = l,
                                  .plan = plan,
                                  .role = plan_role(plan, "r"),
                                  .run = "run1",
                                  .bootstrap = "127.0.0.1:1",
                                  .suffix = "",
                                  .index = 1,
                                  .incarnation = 1,
                                  .seed = 42,
                                  .hooks = &hooks,
                                  .switches = &switches,
                                  .arg = &lab,
                                  .on_end = on_end};
    lab.rt = runtime_new(&setup, &e);
    if (!lab.rt) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    struct timer *alive = timer_start(lab.loop, 60000, 60000, on_closed, &lab);
    struct timer *drain =
        drain_ms ? timer_start(lab.loop, (uint64_t)drain_ms, 1000000, on_drain, &lab) : NULL;
    struct timer *stop =
        stop_ms ? timer_start(lab.loop, (uint64_t)stop_ms, 1000000, on_stop, &lab) : NULL;
    runtime_start(lab.rt);
    loop_run(lab.loop);
    timer_stop(drain);
    timer_stop(stop);
    runtime_close(lab.rt, 3000, false, on_closed, &lab);
    loop_run(lab.loop);
    timer_stop(alive);
    runtime_free(lab.rt);
    hist_close(h);
    plan_free(plan);
    load_free(l);
    loop_free(lab.loop);
    lab.out.events = events_open(dir, &e);
    CHECK(lab.out.events != NULL);
    return lab.out;
}

const struct event *lab_role_event(const struct lab_role *r, unsigned kind, size_t n)
{
    for (size_t i = 0; i < r->events->n; i++) {
        if (r->events->items[i].kind == kind && n-- == 0) {
            return &r->events->items[i];
        }
    }
    return NULL;
}
