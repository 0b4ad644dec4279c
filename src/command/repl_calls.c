/* SPDX-License-Identifier: Apache-2.0 */
/* What the Lua of the prompt asks for, by name: one table row each. A row that needs the cluster is
 * called only when it is up; calls for it that come earlier wait. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "command/repl_priv.h"

void prompt_fail(struct prompt *p, uint64_t id, const struct err *e)
{
    repl_answer(p->repl, id, NULL, e);
}

void prompt_ok(struct prompt *p, uint64_t id, json_t *result)
{
    repl_answer(p->repl, id, result ? result : json_true(), NULL);
}

static void refuse(struct prompt *p, uint64_t id, const char *why)
{
    struct err e;
    err_set(&e, ERR_USAGE, 0, "%s", why);
    prompt_fail(p, id, &e);
}

/* ---- jobs ---- */

static void job_work(void *arg)
{
    struct prompt_job *j = arg;
    j->rc = j->work(j);
}

static void job_done(void *arg)
{
    struct prompt_job *j = arg;
    if (j->rc < 0) {
        json_decref(j->result);
        prompt_fail(j->p, j->id, &j->err);
    } else {
        prompt_ok(j->p, j->id, j->result);
    }
    json_decref(j->args);
    free(j->bootstrap);
    free(j);
}

void prompt_work(struct prompt *p, uint64_t id, const json_t *args,
                 int (*work)(struct prompt_job *j))
{
    struct prompt_job *j = xcalloc(1, sizeof *j);
    *j = (struct prompt_job){.p = p,
                             .id = id,
                             .args = json_deep_copy(args),
                             .bootstrap = xstrdup(session_place(p->session).bootstrap),
                             .work = work};
    loop_work(p->loop, job_work, job_done, j);
}

/* ---- the cluster ---- */

static void answer_cluster(struct prompt *p, uint64_t id)
{
    if (session_state(p->session) == SESSION_FAILED) {
        prompt_fail(p, id, session_error(p->session));
    } else {
        prompt_ok(p, id, json_pack("{s:s}", "text", session_cluster_text(p->session)));
    }
}

int prompt_move(struct prompt *p, struct err *e)
{
    struct session_place at = session_place(p->session);
    return repl_move(p->repl,
                     &(struct repl_place){.history = at.history,
                                          .run = at.run,
                                          .suffix = at.suffix,
                                          .bootstrap = at.bootstrap,
                                          .seed = session_seed(p->session)},
                     e);
}

void prompt_cluster(struct prompt *p, const struct err *e)
{
    struct err own;
    bool failed = !e && prompt_move(p, &own) < 0;
    for (size_t i = 0; i < p->waiting.n; i++) {
        if (failed) {
            prompt_fail(p, p->waiting.items[i], &own);
        } else {
            answer_cluster(p, p->waiting.items[i]);
        }
    }
    p->waiting.n = 0;
}

static void call_cluster(struct prompt *p, uint64_t id, const json_t *args)
{
    enum session_state state = session_state(p->session);
    if (state == SESSION_IDLE) {
        session_start(p->session);
    }
    if (state == SESSION_READY || state == SESSION_FAILED) {
        answer_cluster(p, id);
    } else {
        *VEC_PUSH(&p->waiting) = id;
    }
}

static void call_topics(struct prompt *p, uint64_t id, const json_t *args)
{
    prompt_work(p, id, args, topics_work_list);
}

static void call_topic(struct prompt *p, uint64_t id, const json_t *args)
{
    prompt_work(p, id, args, topics_work_topic);
}

static void call_tail(struct prompt *p, uint64_t id, const json_t *args)
{
    prompt_work(p, id, args, topics_work_tail);
}

static void call_groups(struct prompt *p, uint64_t id, const json_t *args)
{
    json_t *all = json_deep_copy(args), *names = json_object_get(all, "names");
    json_t *used = session_groups(p->session);
    json_array_extend(names, used);
    json_decref(used);
    prompt_work(p, id, all, topics_work_groups);
    json_decref(all);
}

/* ---- small ones ---- */

struct nap {
    struct prompt *p;
    uint64_t id;
};

static void nap_over(void *arg)
{
    struct nap *n = arg;
    prompt_ok(n->p, n->id, NULL);
    free(n);
}

static void call_sleep(struct prompt *p, uint64_t id, const json_t *args)
{
    struct nap *n = xmalloc(sizeof *n);
    *n = (struct nap){p, id};
    timer_start(p->loop, (uint64_t)json_integer_value(json_object_get(args, "ms")), 0, nap_over, n);
}

static void call_quiet(struct prompt *p, uint64_t id, const json_t *args)
{
    p->quiet = !p->quiet;
    prompt_ok(p, id, json_pack("{s:b}", "quiet", (int)p->quiet));
}

static void answer_text(struct prompt *p, uint64_t id, char *text)
{
    json_t *t = json_bytes(text ? text : "", text ? strlen(text) : 0);
    if (!json_is_string(t)) { /* not UTF-8 */
        json_decref(t);
        t = json_string("(the text cannot be shown)\n");
    }
    prompt_ok(p, id, json_pack("{s:o}", "text", t));
    free(text);
}

static void call_typed(struct prompt *p, uint64_t id, const json_t *args)
{
    struct buf b = {0};
    if (p->line) {
        line_past(p->line, (int)json_integer_value(json_object_get(args, "n")), &b);
    }
    answer_text(p, id, buf_take(&b));
}

static void call_ps(struct prompt *p, uint64_t id, const json_t *args)
{
    prompt_ok(p, id, session_ps(p->session));
}

enum { LOG_LINES = 20 };

static void call_logs(struct prompt *p, uint64_t id, const json_t *args)
{
    struct err e;
    const char *name = json_string_value(json_object_get(args, "name"));
    char *path = session_log_path(p->session, name ? name : "", &e);
    if (!path) {
        prompt_fail(p, id, &e);
        return;
    }
    char *tail = path_tail(path, LOG_LINES);
    answer_text(p, id,
                xasprintf("%s%s%s:\n%s%s", "-- ", path, "", tail,
                          *tail && tail[strlen(tail) - 1] == '\n' ? "" : "\n"));
    free(tail);
    free(path);
}

static void call_write(struct prompt *p, uint64_t id, const json_t *args)
{
    struct err e;
    struct stat st;
    const char *path = json_string_value(json_object_get(args, "path"));
    const char *text = json_string_value(json_object_get(args, "text"));
    if (!path || !text) {
        refuse(p, id, "write needs a path and a text");
    } else if (stat(path, &st) == 0) {
        err_set(&e, ERR_USAGE, 0, "%s is there already; save under another name", path);
        prompt_fail(p, id, &e);
    } else if (path_write(path, text, strlen(text), &e) < 0) {
        prompt_fail(p, id, &e);
    } else {
        prompt_ok(p, id, NULL);
    }
}

static void call_place(struct prompt *p, uint64_t id, const json_t *args)
{
    char *history = NULL;
    if (p->attached) {
        history = path_join(p->stored.dir, "history");
    } else if (session_state(p->session) == SESSION_READY) {
        history = xstrdup(session_place(p->session).history);
    }
    if (history) {
        prompt_ok(p, id, json_pack("{s:s}", "history", history));
    } else {
        refuse(p, id, "there is no history yet");
    }
    free(history);
}

/* ---- the table ---- */

static const struct row {
    const char *verb;
    void (*fn)(struct prompt *p, uint64_t id, const json_t *args);
    bool cluster; /**< only when it is up */
    bool stored;  /**< also for a stored run */
} rows[] = {{"cluster", call_cluster, false, false},
            {"topics", call_topics, true, false},
            {"topic", call_topic, true, false},
            {"tail", call_tail, true, false},
            {"groups", call_groups, true, false},
            {"sleep", call_sleep, false, true},
            {"quiet", call_quiet, false, true},
            {"typed", call_typed, false, true},
            {"ps", call_ps, false, false},
            {"logs", call_logs, false, false},
            {"write", call_write, false, true},
            {"place", call_place, false, true},
            {"load", scenario_load, false, false},
            {"source", scenario_source, false, false},
            {"up", scenario_up, true, false},
            {"down", scenario_down, true, false},
            {"fire", scenario_fire, true, false},
            {"judge", scenario_judge, false, true},
            {"timeline", scenario_timeline, false, true},
            {"why", scenario_why, false, true},
            {"run", scenario_run, false, false}};

void prompt_call(void *arg, uint64_t id, const char *verb, const json_t *args)
{
    struct prompt *p = arg;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        if (strcmp(r->verb, verb) != 0) {
            continue;
        }
        if (p->attached && !r->stored) {
            refuse(p, id, "this prompt is attached to a stored run: it can only be read");
        } else if (r->cluster && session_state(p->session) != SESSION_READY) {
            refuse(p, id, "there is no cluster yet");
        } else {
            r->fn(p, id, args);
        }
        return;
    }
    refuse(p, id, verb);
}

json_t *prompt_names(void *arg)
{
    struct prompt *p = arg;
    json_t *instances = json_array();
    const struct plan *plan = session_plan(p->session);
    for (size_t i = 0; plan && i < plan->roles.n; i++) {
        const struct plan_role *role = &plan->roles.items[i];
        json_array_append_new(instances, json_string(role->name));
        for (int k = 1; role->count > 1 && k <= role->count; k++) {
            json_array_append_new(instances, json_sprintf("%s.%d", role->name, k));
        }
    }
    return json_pack("{s:o,s:o}", "instance", instances, "group", session_groups(p->session));
}
