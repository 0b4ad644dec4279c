/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a role process: frames come in on the control pipe, START loads the bundle and runs
 * the role function, DRAIN and STOP end it, then clients and history are closed and the process
 * exits with a code that says why. Everything runs on the one loop; the hooks of the runtime that
 * end the process (a crash point, a fatal Kafka error, a history that cannot be written) do not
 * return.
 *
 *   FILE* -> START -> running -> (DRAIN) -> (STOP) -> closing -> exit
 *                        | Lua error, exit fault -> frozen -> closing -> exit */
#include "role/role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/client.h"
#include "io/loop.h"
#include "io/pipe.h"
#include "io/proc.h"
#include "lua/load.h"
#include "lua/runtime.h"
#include "role/points.h"
#include "role/proto.h"
#include "role/reader.h"
#include "role/start.h"

enum {
    PRESET_SESSION_MS = 3000, /* client/conf.c */
    CLOSE_MS = 5000,          /* bound for outcomes, leaving the group, ending the transaction */
    PATIENCE_MS = 4000,       /* after STOP: how long tasks may go on before they are cancelled */
    FLUSH_MS = 100,           /* after it the runner sees what a role did last */
    SETTLE_MS = 3000,         /* started in the drain: who has no consumer by then is a source */
};

struct role {
    struct loop *loop;
    struct pipe_reader *pipe;
    struct load_bundle bundle;
    struct start start;
    bool started, ending;
    int code;
    struct hist *hist;
    struct deliveries *deliveries;
    struct load *load;
    struct plan *plan;
    struct runtime_switches switches;
    struct points *points;
    struct runtime *rt;
    struct reader *reader;
    struct timer *patience, *settle;
};

/* ---- the end ---- */

static _Noreturn void leave(struct role *r, int code)
{
    hist_close(r->hist);
    fflush(NULL);
    _exit(code);
}

static void record_error(struct role *r, const char *source, const char *code, const char *message)
{
    fprintf(stderr, "%s\n", message);
    if (r->hist) {
        hist_add(r->hist, H_ERROR, HP_FACT, 0, HS(source), HS(code), HB(message, strlen(message)),
                 HS(runtime_where(message)), HI(1));
    }
}

/* Set-up failed: nothing runs yet. */
static _Noreturn void broken(struct role *r, const char *source, const struct err *e, int code)
{
    record_error(r, source, e->kind == ERR_BROKER ? client_code_name(e->code) : "", e->msg);
    leave(r, code);
}

static void on_hist_fail(void *arg, const struct err *e)
{
    fprintf(stderr, "the history cannot be written: %s\n", e->msg);
    fflush(NULL);
    _exit(ROLE_EXIT_HISTORY);
}

static void on_closed(void *arg)
{
    struct role *r = arg;
    leave(r, r->code);
}

static void close_all(struct role *r, int code, bool abandon)
{
    r->ending = true;
    r->code = code;
    timer_stop(r->patience);
    timer_stop(r->settle);
    r->patience = r->settle = NULL;
    runtime_freeze(r->rt);
    runtime_close(r->rt, CLOSE_MS, abandon, on_closed, r);
}

static void close_later(void *arg)
{
    struct role *r = arg;
    close_all(r, r->code, false);
}

static void on_role_end(void *arg, const struct err *e, const char *trace)
{
    struct role *r = arg;
    if (r->ending) {
        return;
    }
    r->ending = true;
    r->code = ROLE_EXIT_OK;
    if (e->kind != ERR_NONE) {
        r->code = runtime_broken(r->rt) ? ROLE_EXIT_BROKEN : ROLE_EXIT_LUA;
        record_error(r, "lua", "", e->msg);
        fprintf(stderr, "%s\n", trace);
    } else {
        const char *why = runtime_stopping(r->rt) ? "stopped" : "done";
        hist_add(r->hist, H_RETURNED, HP_FACT, 0, HS(why));
    }
    loop_defer(r->loop, close_later, r);
}

/* ---- hooks of the runtime ---- */

static void hook_record(void *arg, const struct runtime_record *rec, unsigned abilities)
{
    points_record(((struct role *)arg)->points, rec, abilities);
}

static void hook_begin(void *arg, const struct runtime_record *rec, unsigned abilities)
{
    points_begin(((struct role *)arg)->points, rec, abilities);
}

static void hook_point(void *arg, enum plan_point p, const struct runtime_at *at)
{
    points_pass(((struct role *)arg)->points, p, at);
}

static bool hook_take_abort(void *arg, const void *consumer)
{
    return points_take_abort(((struct role *)arg)->points, consumer);
}

static void hook_settle(void *arg, const void *consumer)
{
    points_settle(((struct role *)arg)->points, consumer);
}

static void hook_die(void *arg, const struct err *e, const char *code)
{
    bool fenced = e->code == CLIENT_ERR_FENCED || strstr(code, "FENCED") != NULL;
    record_error(arg, "kafka", code, e->msg);
    leave(arg, fenced ? ROLE_EXIT_FENCED : ROLE_EXIT_KAFKA);
}

static const struct runtime_hooks hooks = {.record = hook_record,
                                           .begin = hook_begin,
                                           .point = hook_point,
                                           .take_abort = hook_take_abort,
                                           .settle = hook_settle,
                                           .die = hook_die};

/* ---- start ---- */

static void on_flush(void *arg)
{
    hist_flush(((struct role *)arg)->hist);
}

static void open_history(struct role *r)
{
    struct err e;
    const struct start *s = &r->start;
    const struct hist_ident who = {s->role, s->index, s->incarnation};
    r->hist = hist_open(s->history, &who, &e);
    if (!r->hist) {
        on_hist_fail(r, &e);
    }
    hist_on_fail(r->hist, on_hist_fail, r);
    timer_start(r->loop, FLUSH_MS, FLUSH_MS, on_flush, r);
    if (s->deliveries) {
        r->deliveries = deliveries_open(s->deliveries, 0, &e);
        if (!r->deliveries) {
            broken(r, "lua", &e, ROLE_EXIT_BROKEN);
        }
    }
}

static void load_scenario_file(struct role *r, size_t *index)
{
    struct err e = {0};
    r->load = load_from_bundle(&r->bundle, &r->start.env, &e);
    if (r->load && load_errors(r->load)) {
        err_set(&e, ERR_USAGE, 0, "%s", load_errors(r->load));
        broken(r, "lua", &e, ROLE_EXIT_LUA);
    }
    int i = r->load ? load_find(r->load, r->start.scenario) : -1;
    if (r->load && i < 0) {
        err_set(&e, ERR_USAGE, 0, "the bundle has no scenario \"%s\"", r->start.scenario);
    }
    r->plan = i < 0 ? NULL : load_plan(r->load, (size_t)i, &r->start.params, &e);
    if (r->plan && !plan_role(r->plan, r->start.role)) {
        err_set(&e, ERR_USAGE, 0, "scenario \"%s\" has no role `%s`", r->start.scenario,
                r->start.role);
    }
    if (e.kind != ERR_NONE) {
        broken(r, "lua", &e, ROLE_EXIT_LUA);
    }
    *index = (size_t)i;
}

/** The preset of the clients may be too short for the brokers (run/limits.c). */
static void lengthen_session(struct role *r)
{
    struct plan_role *role = plan_role(r->plan, r->start.role);
    if (r->start.session_least > PRESET_SESSION_MS &&
        !plan_conf_get(&role->conf, "session.timeout.ms")) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)r->start.session_least);
        plan_conf_set(&role->conf, "session.timeout.ms", text);
    }
}

static void on_settled(void *arg)
{
    struct role *r = arg;
    r->settle = NULL;
    runtime_drain(r->rt);
}

static void start_role(struct role *r)
{
    struct err e;
    const struct start *s = &r->start;
    size_t index;
    load_scenario_file(r, &index);
    lengthen_session(r);
    const struct points_setup ps = {.plan = r->plan,
                                    .role = s->role,
                                    .index = s->index,
                                    .seed = s->seed,
                                    .hist = r->hist,
                                    .deliveries = r->deliveries,
                                    .switches = &r->switches};
    r->points = points_new(&ps, s->faults_on);
    points_mix(r->points, s->off, s->noff);
    const struct runtime_setup setup = {.loop = r->loop,
                                        .hist = r->hist,
                                        .load = r->load,
                                        .scenario_index = index,
                                        .plan = r->plan,
                                        .role = plan_role(r->plan, s->role),
                                        .run = s->run,
                                        .bootstrap = s->bootstrap,
                                        .suffix = s->suffix,
                                        .index = s->index,
                                        .incarnation = s->incarnation,
                                        .seed = s->seed,
                                        .hooks = &hooks,
                                        .switches = &r->switches,
                                        .arg = r,
                                        .on_end = on_role_end};
    r->rt = runtime_new(&setup, &e);
    if (!r->rt) {
        broken(r, "lua", &e, ROLE_EXIT_LUA);
    }
    if (s->draining) {
        r->settle = timer_start(r->loop, SETTLE_MS, 0, on_settled, r);
    }
    runtime_start(r->rt);
}

/* ---- kaos's own reader ---- */

static void on_reader_fatal(void *arg, const struct err *e)
{
    hook_die(arg, e, client_code_name(e->code));
}

static void on_reader_end(void *arg)
{
    struct role *r = arg;
    hist_add(r->hist, H_RETURNED, HP_FACT, 0, HS("stopped"));
    r->ending = true;
    r->code = ROLE_EXIT_OK;
    reader_close(r->reader, on_closed, r);
}

static void start_reader(struct role *r)
{
    struct err e;
    const struct reader_setup s = {.loop = r->loop,
                                   .hist = r->hist,
                                   .bootstrap = r->start.bootstrap,
                                   .topic = r->start.topic,
                                   .name = r->start.role,
                                   .on_fatal = on_reader_fatal,
                                   .on_end = on_reader_end,
                                   .arg = r};
    hist_add(r->hist, H_READY, HP_FACT, 0, HS(client_version()));
    r->reader = reader_start(&s, &e);
    if (!r->reader) {
        broken(r, "kafka", &e, ROLE_EXIT_BROKEN);
    }
}

/* ---- frames ---- */

static void on_file(struct role *r, const char *data, size_t len)
{
    const char *nul = memchr(data, '\0', len);
    if (!nul) {
        log_warn("a file of the bundle has no name");
        leave(r, ROLE_EXIT_BROKEN);
    }
    load_bundle_add(&r->bundle, data, nul + 1, len - (size_t)(nul + 1 - data));
}

static void on_patience(void *arg)
{
    struct role *r = arg;
    r->patience = NULL;
    runtime_cancel(r->rt);
}

static void on_stop(struct role *r)
{
    if (r->reader) {
        reader_stop(r->reader);
    } else if (r->rt && !r->ending && !r->patience) {
        r->patience = timer_start(r->loop, PATIENCE_MS, 0, on_patience, r);
        runtime_stop(r->rt);
    }
}

static void on_start(struct role *r, const char *data, size_t len)
{
    struct err e;
    if (r->started) {
        return;
    }
    r->started = true;
    if (start_parse(&r->start, data, len, &e)) {
        broken(r, "lua", &e, ROLE_EXIT_BROKEN);
    }
    open_history(r);
    if (r->start.builtin) {
        start_reader(r);
    } else {
        start_role(r);
    }
}

static void exit_politely(struct role *r, int fault)
{
    char target[300];
    if (r->ending || !r->rt) {
        return;
    }
    snprintf(target, sizeof target, "%s-%d", r->start.role, r->start.index);
    hist_add(r->hist, H_FAULT, HP_FACT, 0, HI(fault), HS(plan_fault_name(FAULT_EXIT)), HS("fire"),
             HI(1), HS(target), HS(""));
    hist_add(r->hist, H_RETURNED, HP_FACT, 0, HS("exit"));
    close_all(r, ROLE_EXIT_OK, true);
}

static void on_fault(struct role *r, const char *data, size_t len)
{
    json_error_t why;
    json_t *j = json_loadb(data, len, 0, &why);
    const char *what = json_string_value(json_object_get(j, "do"));
    const char *group = json_string_value(json_object_get(j, "group"));
    if (!what || !r->rt) {
        log_warn("a fault that cannot be read or came before the start: %s",
                 what ? what : why.text);
    } else if (strcmp(what, "faults") == 0) {
        points_switch(r->points, json_is_true(json_object_get(j, "on")));
    } else if (strcmp(what, "mix") == 0) {
        int *off;
        size_t n = start_numbers(json_object_get(j, "off"), &off);
        points_mix(r->points, off, n);
        free(off);
    } else if (strcmp(what, "rebalance") == 0 && group && !r->ending) {
        runtime_rejoin(r->rt, group);
    } else if (strcmp(what, "exit") == 0) {
        exit_politely(r, (int)json_integer_value(json_object_get(j, "fault")));
    } else if ((strcmp(what, "crash") == 0 || strcmp(what, "abort") == 0) && !r->ending) {
        points_arm(r->points, (int)json_integer_value(json_object_get(j, "fault")), *what == 'a',
                   (uint32_t)json_integer_value(json_object_get(j, "points")));
    } else if (strcmp(what, "disarm") == 0) {
        points_disarm(r->points, (int)json_integer_value(json_object_get(j, "fault")));
    }
    json_decref(j);
}

static void on_frame(void *arg, uint8_t type, const char *data, size_t len)
{
    struct role *r = arg;
    switch (type) {
    case PIPE_EOF: /* the runner has gone; nobody waits for what is still open */
        leave(r, r->ending ? r->code : ROLE_EXIT_BROKEN);
    case ROLE_FILE:
        on_file(r, data, len);
        break;
    case ROLE_START:
        on_start(r, data, len);
        break;
    case ROLE_FAULT:
        on_fault(r, data, len);
        break;
    case ROLE_DRAIN:
        if (r->rt && !r->ending) {
            runtime_drain(r->rt);
        }
        break;
    case ROLE_STOP:
        on_stop(r);
        break;
    default:
        log_warn("an unknown frame: %u", type);
    }
}

int role_main(int argc, char **argv)
{
    struct role *r = xcalloc(1, sizeof *r);
    r->loop = loop_new();
    r->pipe = pipe_reader_new(r->loop, PROC_CONTROL_FD, on_frame, r);
    loop_run(r->loop);
    leave(r, ROLE_EXIT_BROKEN); /* the pipe keeps the loop alive until the process ends */
}
