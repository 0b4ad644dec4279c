/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and remembers, event by event, what a person wants to see of a run under way. Everything
 * comes from the history, also what the runner itself did, so the view shows what is recorded. */
#include "run/progress.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 120 };

static struct progress *progress_of(struct run *r)
{
    if (!r->progress) {
        r->progress = xcalloc(1, sizeof *r->progress);
        r->progress->props = xcalloc(r->plan->expect.n + 1, sizeof *r->progress->props);
        r->progress->fired = xcalloc(r->plan->faults.n + 1, sizeof *r->progress->fired);
    }
    struct progress *g = r->progress;
    if (g->nslots != r->nslots) { /* the slots are made once, when roles start */
        g->slots = xrealloc(g->slots, (r->nslots + 1) * sizeof *g->slots);
        memset(g->slots + g->nslots, 0, (r->nslots - g->nslots) * sizeof *g->slots);
        g->nslots = r->nslots;
    }
    return g;
}

static void say(struct progress *g, uint64_t t, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct progress *g, uint64_t t, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t at = g->nevents++ % PROGRESS_EVENTS;
    free(g->events[at].text);
    g->events[at].text = xstrdup(text);
    g->events[at].t = t;
}

static void add(struct map *m, const char *key, uint64_t n)
{
    map_put_str(m, key)->u += n;
}

static struct progress_slot *slot_of(struct run *r, const struct event *ev, int role, int index)
{
    const char *name = event_str(ev, role);
    for (size_t i = 0; i < r->nslots; i++) {
        if (r->slots[i].index == event_int(ev, index) && strcmp(r->slots[i].name, name) == 0) {
            return &r->progress->slots[i];
        }
    }
    return NULL;
}

/* ---- groups ---- */

static struct progress_group *group_of(struct progress *g, const char *name)
{
    for (size_t i = 0; i < g->groups.n; i++) {
        if (strcmp(g->groups.items[i].name, name) == 0) {
            return &g->groups.items[i];
        }
    }
    struct progress_group *fresh = VEC_PUSH(&g->groups);
    *fresh = (struct progress_group){.name = xstrdup(name), .generation = -1};
    return fresh;
}

/** topic NULL: everything that the slot owns. */
static void disown(struct progress_group *u, const char *topic, int partition, size_t slot)
{
    size_t kept = 0;
    for (size_t i = 0; i < u->owners.n; i++) {
        struct progress_owner *o = &u->owners.items[i];
        if (o->slot == slot &&
            (!topic || (o->partition == partition && strcmp(o->topic, topic) == 0))) {
            free(o->topic);
        } else {
            u->owners.items[kept++] = *o;
        }
    }
    u->owners.n = kept;
}

static void on_assign(struct run *r, size_t slot, const struct event *ev)
{
    const char *name = event_str(ev, H_ASSIGN_GROUP), *topic = event_str(ev, H_ASSIGN_TOPIC);
    int64_t generation = event_int(ev, H_ASSIGN_GENERATION);
    if (!*name) {
        return;
    }
    struct progress_group *u = group_of(r->progress, name);
    if (generation > u->generation) {
        if (u->generation >= 0) {
            u->changes++;
            say(r->progress, ev->t, "%s generation %lld>%lld", name, (long long)u->generation,
                (long long)generation);
        }
        u->generation = generation;
    }
    if (*topic && event_int(ev, H_ASSIGN_PARTITION) >= 0) {
        struct progress_owner *o = VEC_PUSH(&u->owners);
        *o = (struct progress_owner){xstrdup(topic), (int)event_int(ev, H_ASSIGN_PARTITION), slot};
    }
}

/* ---- properties ---- */

static bool has_pred(const struct plan_prop *q, enum plan_pred_kind kind)
{
    for (size_t i = 0; i < q->preds.n; i++) {
        if (q->preds.items[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static void count_fault(struct run *r, int64_t fault)
{
    if (fault >= 0 && (size_t)fault < r->plan->faults.n) {
        r->progress->fired[fault]++;
    }
}

static void on_crash(struct run *r, const struct member *m, const struct event *ev)
{
    struct progress *g = r->progress;
    int point = plan_point_find(event_str(ev, H_CRASH_POINT));
    g->count.crashes++;
    count_fault(r, event_int(ev, H_CRASH_FAULT));
    for (size_t i = 0; i < r->plan->expect.n; i++) {
        const struct plan_prop *q = &r->plan->expect.items[i];
        for (size_t k = 0; k < q->preds.n; k++) {
            const struct plan_pred *d = &q->preds.items[k];
            if (d->kind == PRED_CRASHED && plan_strings_has(&d->roles, m->slot->name) &&
                (d->points == 0 || (point >= 0 && d->points & 1u << point))) {
                g->props[i].hits++;
            }
        }
    }
    say(g, ev->t, "crash %s %s %s[%d]@%lld", member_name(m), event_str(ev, H_CRASH_POINT),
        event_str(ev, H_CRASH_TOPIC), (int)event_int(ev, H_CRASH_PARTITION),
        (long long)event_int(ev, H_CRASH_OFFSET));
}

static void on_named(struct run *r, enum plan_pred_kind kind, const char *name, bool ok,
                     const struct event *ev)
{
    struct progress *g = r->progress;
    for (size_t i = 0; i < r->plan->expect.n; i++) {
        const struct plan_prop *q = &r->plan->expect.items[i];
        if (strcmp(q->name, name) == 0 && has_pred(q, kind)) {
            if (!ok && g->props[i].bad == 0) {
                say(g, ev->t, "assertion failed: %s", name);
            } else if (kind == PRED_REACHED && g->props[i].hits == 0) {
                say(g, ev->t, "reached %s", name);
            }
            *(ok ? &g->props[i].hits : &g->props[i].bad) += 1;
        }
    }
}

/* ---- events of the runner ---- */

static void on_spawn(struct run *r, const struct event *ev)
{
    struct progress_slot *s = slot_of(r, ev, H_SPAWN_ROLE, H_SPAWN_INDEX);
    if (s) {
        struct progress_slot old = *s;
        free(old.topic);
        *s = (struct progress_slot){.incarnation = (int)event_int(ev, H_SPAWN_INCARNATION),
                                    .pid = (int)event_int(ev, H_SPAWN_PID),
                                    .born_ns = ev->t,
                                    .deaths = old.deaths};
        memcpy(s->ended, old.ended, sizeof s->ended);
    }
}

static void on_exit_event(struct run *r, const struct event *ev)
{
    struct progress *g = r->progress;
    struct progress_slot *s = slot_of(r, ev, H_EXIT_ROLE, H_EXIT_INDEX);
    const char *why = event_str(ev, H_EXIT_WHY);
    bool death = strcmp(why, "returned") != 0 && strcmp(why, "stopped") != 0;
    if (!s) {
        return;
    }
    if (s->incarnation == event_int(ev, H_EXIT_INCARNATION)) {
        s->died_ns = ev->t;
        s->pid = 0;
        s->txn_ns = 0;
        snprintf(s->ended, sizeof s->ended, "%s", why);
    }
    for (size_t i = 0; i < g->groups.n; i++) {
        disown(&g->groups.items[i], NULL, 0, (size_t)(s - g->slots));
    }
    if (death) {
        s->deaths++;
        g->count.deaths++;
        if (strcmp(why, "fault") != 0) {
            say(g, ev->t, "%s.%lld#%lld ended: %s", event_str(ev, H_EXIT_ROLE),
                (long long)event_int(ev, H_EXIT_INDEX),
                (long long)event_int(ev, H_EXIT_INCARNATION), why);
        }
    }
}

static void on_runner(struct run *r, const struct event *ev)
{
    struct progress *g = r->progress;
    switch ((enum hist_kind)ev->kind) {
    case H_SPAWN:
        on_spawn(r, ev);
        break;
    case H_EXIT:
        on_exit_event(r, ev);
        break;
    case H_FAULT: {
        const char *edge = event_str(ev, H_FAULT_EDGE);
        if (strcmp(edge, "fire") == 0 || strcmp(edge, "begin") == 0) {
            count_fault(r, event_int(ev, H_FAULT_FAULT));
        }
        say(g, ev->t, "%s %s%s", event_str(ev, H_FAULT_KIND), event_str(ev, H_FAULT_TARGET),
            strcmp(edge, "end") == 0   ? " ends"
            : strcmp(edge, "on") == 0  ? " on"
            : strcmp(edge, "off") == 0 ? " off"
                                       : "");
        break;
    }
    case H_NODE:
        say(g, ev->t, "node %lld %s", (long long)event_int(ev, H_NODE_NODE),
            event_str(ev, H_NODE_WHAT));
        break;
    case H_PHASE:
        say(g, ev->t, "%s %s", event_str(ev, H_PHASE_NAME), event_str(ev, H_PHASE_DETAIL));
        break;
    case H_HARNESS:
        say(g, ev->t, "%s %s", event_str(ev, H_HARNESS_WHAT), event_str(ev, H_HARNESS_DETAIL));
        break;
    default:
        break;
    }
}

/* ---- events of roles ---- */

static void on_deliver(struct run *r, const struct member *m, struct progress_slot *s,
                       const struct event *ev)
{
    struct progress *g = r->progress;
    const char *topic = event_str(ev, H_DELIVER_TOPIC);
    uint64_t n = (uint64_t)event_int(ev, H_DELIVER_COUNT);
    if (!s->topic || strcmp(s->topic, topic) != 0) {
        free(s->topic);
        s->topic = xstrdup(topic);
    }
    s->partition = (int)event_int(ev, H_DELIVER_PARTITION);
    s->offset = event_int(ev, H_DELIVER_LAST);
    if (m->slot->role) {
        g->count.delivered += n;
        add(&g->delivered, topic, n);
        add(&g->by_role, m->slot->name, n);
    } else {
        add(&g->read, topic, n);
    }
}

static void on_ack(struct progress *g, const struct event *ev)
{
    uint64_t n = (uint64_t)event_int(ev, H_ACK_COUNT);
    if (ev->phase == HP_OK) {
        g->count.acked += n;
        add(&g->acked, event_str(ev, H_ACK_TOPIC), n);
    } else {
        *(ev->phase == HP_FAIL ? &g->count.failed : &g->count.unknown) += n;
    }
}

static void on_txn(struct progress *g, struct progress_slot *s, const struct event *ev)
{
    if (ev->kind == H_TXN_BEGIN) {
        s->txn = event_int(ev, H_TXN_BEGIN_TXN);
        s->txn_ns = ev->t;
        s->txn_records = 0;
    } else if (ev->phase != HP_INVOKE) {
        s->txn_ns = 0;
        if (ev->phase == HP_OK) {
            *(ev->kind == H_TXN_COMMIT ? &g->count.commits : &g->count.aborts) += 1;
        }
    }
}

static void on_role_rare(struct run *r, const struct member *m, const struct event *ev)
{
    struct progress *g = r->progress;
    size_t len = 0;
    const char *text;
    switch ((enum hist_kind)ev->kind) {
    case H_CRASH:
        on_crash(r, m, ev);
        break;
    case H_FAULT: /* an abort, or a polite exit, that the role carried out itself */
        say(g, ev->t, "%s %s", event_str(ev, H_FAULT_KIND), member_name(m));
        if (strcmp(event_str(ev, H_FAULT_KIND), "abort") == 0) { /* the runner has counted others */
            count_fault(r, event_int(ev, H_FAULT_FAULT));
        }
        break;
    case H_REACHED:
        on_named(r, PRED_REACHED, event_str(ev, H_REACHED_NAME), true, ev);
        break;
    case H_ASSERT:
        on_named(r, PRED_ASSERTED, event_str(ev, H_ASSERT_NAME), event_int(ev, H_ASSERT_OK) != 0,
                 ev);
        break;
    case H_DONE:
        say(g, ev->t, "%s is done with %s", member_name(m), event_str(ev, H_DONE_NAME));
        break;
    case H_ERROR:
        text = event_bytes(ev, H_ERROR_MESSAGE, &len);
        say(g, ev->t, "error in %s: %.*s", member_name(m),
            text ? (int)strcspn(text, "\n") < (int)len ? (int)strcspn(text, "\n") : (int)len : 0,
            text ? text : "");
        break;
    default:
        break;
    }
}

static void on_role(struct run *r, const struct member *m, const struct event *ev)
{
    struct progress *g = r->progress;
    size_t slot = (size_t)(m->slot - r->slots);
    struct progress_slot *s = &g->slots[slot];
    switch ((enum hist_kind)ev->kind) {
    case H_DELIVER:
        on_deliver(r, m, s, ev);
        break;
    case H_SEND:
        g->count.sent += (uint64_t)event_int(ev, H_SEND_COUNT);
        s->txn_records += event_int(ev, H_SEND_COUNT);
        break;
    case H_ACK:
        on_ack(g, ev);
        break;
    case H_TXN_BEGIN:
    case H_TXN_COMMIT:
    case H_TXN_ABORT:
        on_txn(g, s, ev);
        break;
    case H_ASSIGN:
        on_assign(r, slot, ev);
        break;
    case H_REVOKE:
        disown(group_of(g, event_str(ev, H_REVOKE_GROUP)), event_str(ev, H_REVOKE_TOPIC),
               (int)event_int(ev, H_REVOKE_PARTITION), slot);
        break;
    default:
        on_role_rare(r, m, ev);
    }
}

void progress_event(struct run *r, const struct member *m, const struct event *ev)
{
    progress_of(r);
    if (m) {
        on_role(r, m, ev);
    } else if (strcmp(ev->who->role, "runner") == 0) {
        on_runner(r, ev);
    }
}

void progress_free(struct run *r)
{
    struct progress *g = r->progress;
    if (!g) {
        return;
    }
    for (size_t i = 0; i < g->nslots; i++) {
        free(g->slots[i].topic);
    }
    for (size_t i = 0; i < g->groups.n; i++) {
        for (size_t k = 0; k < g->groups.items[i].owners.n; k++) {
            free(g->groups.items[i].owners.items[k].topic);
        }
        free(g->groups.items[i].owners.items);
        free(g->groups.items[i].name);
    }
    for (size_t i = 0; i < PROGRESS_EVENTS; i++) {
        free(g->events[i].text);
    }
    struct map *maps[] = {&g->acked, &g->delivered, &g->read, &g->by_role};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
        map_free(maps[i]);
    }
    free(g->groups.items);
    free(g->slots);
    free(g->props);
    free(g->fired);
    free(g);
    r->progress = NULL;
}
