/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a program that plays a role: what it is told (environment), how it is ended (SIGTERM
 * to all it started, SIGKILL after a grace), and what its end means. It has no history: that it
 * reads is known from its groups at the broker. */
#include "run/exec.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { GRACE_MS = 5000 };

bool exec_is(const struct member *m)
{
    return plan_is_program(m->slot->role);
}

/* ---- environment ---- */

/* What {name} stands for, or NULL. text: room for a number. */
static const char *builtin(const struct member *m, const char *name, size_t len, char text[32])
{
    const struct run *r = m->r;
    struct {
        const char *name, *value;
    } known[] = {{"bootstrap", cluster_bootstrap(r->cluster, CLUSTER_FAULTY)},
                 {"role", m->slot->name},
                 {"index", NULL},
                 {"incarnation", NULL},
                 {"seed", NULL}};
    unsigned long long numbers[] = {0, 0, (unsigned long long)m->slot->index,
                                    (unsigned long long)m->incarnation, r->o->seed};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0) {
            snprintf(text, 32, "%llu", numbers[i]);
            return known[i].value ? known[i].value : text;
        }
    }
    return NULL;
}

/* The text with {name} filled in; caller frees. Params were filled in when the file was loaded. */
static char *fill(const struct member *m, const char *text)
{
    struct buf b = {0};
    char number[32];
    while (*text) {
        size_t plain = strcspn(text, "{");
        buf_append(&b, text, plain);
        text += plain;
        const char *end = *text ? strchr(text, '}') : NULL;
        const char *value = end ? builtin(m, text + 1, (size_t)(end - text - 1), number) : NULL;
        if (value) {
            buf_puts(&b, value);
            text = end + 1;
        } else if (*text) {
            buf_append(&b, text++, 1);
        }
    }
    return buf_take(&b);
}

struct env {
    char **items;
    size_t n, cap;
};

static void add(struct env *v, char *text)
{
    *VEC_PUSH(v) = text; /* NOLINT(bugprone-sizeof-expression): a list of pointers */
}

static void add_contract(struct env *v, const struct member *m)
{
    char *path = exec_path();
    add(v, xasprintf("PATH=%s", path));
    free(path);
    add(v, fill(m, "KAOS_BOOTSTRAP={bootstrap}"));
    add(v, fill(m, "KAOS_ROLE={role}"));
    add(v, fill(m, "KAOS_INDEX={index}"));
    add(v, fill(m, "KAOS_INCARNATION={incarnation}"));
    add(v, fill(m, "KAOS_SEED={seed}"));
}

char **exec_env(const struct member *m)
{
    struct env v = {0};
    const struct plan_role *role = m->slot->role;
    if (exec_is(m)) {
        add_contract(&v, m);
    }
    for (size_t i = 0; role && i < role->env.n; i++) {
        char *value = fill(m, role->env.items[i].value);
        add(&v, xasprintf("%s=%s", role->env.items[i].name, value));
        free(value);
    }
    add(&v, NULL);
    return v.items;
}

void exec_env_free(char **env)
{
    for (char **at = env; *at; at++) {
        free(*at);
    }
    free(env);
}

struct proc *exec_spawn(struct member *m, const char *log, proc_exit_fn on_exit, struct err *e)
{
    const struct plan_role *role = m->slot->role;
    struct env argv = {0};
    for (size_t i = 0; i < role->exec.n; i++) {
        add(&argv, fill(m, role->exec.items[i]));
    }
    add(&argv, NULL);
    char **env = exec_env(m), *folder = exec_folder(m->r);
    struct proc *p = proc_spawn(m->r->guard,
                                &(struct proc_opts){.argv = (const char *const *)argv.items,
                                                    .env = (const char *const *)env,
                                                    .cwd = folder,
                                                    .log_path = log,
                                                    .tree = true,
                                                    .on_exit = on_exit,
                                                    .arg = m},
                                e);
    free(folder);
    exec_env_free(env);
    exec_env_free(argv.items);
    /* one that reads is ready when the broker knows of it; a successor of such a one is so at once
     */
    m->ready = role->groups.n == 0 || m->slot->reads;
    return p;
}

/* ---- what the broker knows ---- */

void exec_watch(struct run *r)
{
    for (size_t i = 0; i < r->plan->roles.n; i++) {
        const struct plan_role *role = &r->plan->roles.items[i];
        for (size_t k = 0; k < role->groups.n; k++) {
            watch_program(r->watch, role->groups.items[k]);
        }
    }
}

/* Each group of the role has been seen to read something. */
static bool role_reads(const struct run *r, const struct plan_role *role)
{
    uint64_t changes;
    for (size_t i = 0; i < role->groups.n; i++) {
        if (!watch_program_reads(r->watch, role->groups.items[i], &changes)) {
            return false;
        }
    }
    return role->groups.n > 0;
}

/* A program may transform what it reads; what it writes shows in the log only. */
static void note_groups(struct run *r, const struct plan_role *role)
{
    for (size_t i = 0; i < role->groups.n; i++) {
        struct group_use *g = VEC_PUSH(&r->groups);
        *g = (struct group_use){
            .group = xstrdup(role->groups.items[i]), .role = role, .sends = true};
    }
}

void exec_tick(struct run *r)
{
    const struct plan_role *noted = NULL;
    for (size_t i = 0; r->watch && i < r->nslots; i++) {
        struct slot *s = &r->slots[i];
        if (!plan_is_program(s->role) || s->reads || !role_reads(r, s->role)) {
            continue;
        }
        if (noted != s->role) {
            noted = s->role;
            note_groups(r, s->role);
        }
        s->reads = true;
        if (s->current) {
            s->current->ready = true;
        }
    }
}

const struct plan_role *exec_role_of(const struct run *r, const char *group)
{
    for (size_t i = 0; i < r->plan->roles.n; i++) {
        if (plan_strings_has(&r->plan->roles.items[i].groups, group)) {
            return &r->plan->roles.items[i];
        }
    }
    return NULL;
}

/* ---- the end ---- */

static void on_grace(void *arg)
{
    struct member *m = arg;
    m->wake = NULL;
    if (m->up && !m->r->failed) {
        member_signal(m, SIGKILL, -1);
    }
}

void exec_stop(struct member *m)
{
    bool asked = m->stopping && m->wake;
    m->stopping = true;
    if (!m->up || asked) {
        return;
    }
    timer_stop(m->wake);
    m->wake = timer_start(m->r->loop, GRACE_MS, 0, on_grace, m);
    member_signal(m, SIGTERM, -1);
}

void exec_drain(struct run *r)
{
    for (struct member *m = r->members; m; m = m->next) {
        if (m->up && exec_is(m) && (m->slot->guest || m->slot->role->groups.n == 0)) {
            exec_stop(m);
        }
    }
    for (size_t i = 0; i < r->nslots; i++) { /* a source is not begun again */
        struct slot *s = &r->slots[i];
        if (plan_is_program(s->role) && s->role->groups.n == 0) {
            timer_stop(s->restart);
            s->restart = NULL;
            s->finished = s->finished || !(s->current && s->current->up);
        }
    }
}

const char *exec_classify(const struct member *m, struct proc_end end)
{
    if (m->fault >= 0 || m->by_hand) {
        return "fault";
    }
    if (m->stopping) {
        return "stopped";
    }
    return end.signal == 0 && end.code == 0 ? "returned" : "died";
}

bool exec_may_die(const struct member *m)
{
    return exec_is(m) && m->slot->reads;
}
