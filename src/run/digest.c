/* SPDX-License-Identifier: Apache-2.0 */
/* What the runner learns from the roles: it tails their history (nothing is said twice) and keeps
 * what supervision needs: open transactions, who consumes what, names of work that is done. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "run/progress.h"

static void note_group(struct run *r, struct member *m, const char *group, const char *topic)
{
    if (r->watch) {
        watch_group(r->watch, group, topic);
    }
    for (size_t i = 0; i < r->groups.n; i++) {
        if (strcmp(r->groups.items[i].group, group) == 0 &&
            r->groups.items[i].role == m->slot->role) {
            return;
        }
    }
    struct group_use *g = VEC_PUSH(&r->groups);
    *g = (struct group_use){.group = xstrdup(group), .role = m->slot->role};
}

static void on_assign(struct run *r, struct member *m, const struct event *ev)
{
    const char *group = event_str(ev, H_ASSIGN_GROUP), *topic = event_str(ev, H_ASSIGN_TOPIC);
    m->endless = m->slot->reads = true;
    if (!m->slot->role || !*topic) {
        return;
    }
    if (*group) {
        note_group(r, m, group, topic);
    } else if (r->watch) {
        watch_reader(r->watch, member_name(m), topic);
    }
}

static void on_deliver(struct run *r, struct member *m, const struct event *ev)
{
    const char *group = event_str(ev, H_DELIVER_GROUP);
    r->count.delivered += (uint64_t)event_int(ev, H_DELIVER_COUNT);
    m->endless = m->slot->reads = true;
    if (m->slot->role && *group) { /* a consumer without rebalance callback shows here first */
        note_group(r, m, group, event_str(ev, H_DELIVER_TOPIC));
    } else if (m->slot->role && r->watch) {
        watch_position(r->watch, member_name(m), event_str(ev, H_DELIVER_TOPIC),
                       (int32_t)event_int(ev, H_DELIVER_PARTITION),
                       event_int(ev, H_DELIVER_LAST) + 1);
    }
}

static void on_send(struct run *r, struct member *m, const struct event *ev)
{
    r->count.sent += (uint64_t)event_int(ev, H_SEND_COUNT);
    m->unanswered += event_int(ev, H_SEND_COUNT);
    for (size_t i = 0; i < r->groups.n; i++) {
        if (r->groups.items[i].role == m->slot->role) {
            r->groups.items[i].sends = true;
        }
    }
}

static void on_error(struct member *m, const struct event *ev)
{
    size_t len = 0;
    const char *text = event_bytes(ev, H_ERROR_MESSAGE, &len);
    free(m->error);
    free(m->source);
    m->source = xstrdup(event_str(ev, H_ERROR_SOURCE));
    m->error = xmemdup0(text ? text : "", text ? len : 0);
}

static void on_txn_end(struct run *r, struct member *m, const struct event *ev)
{
    if (ev->phase != HP_INVOKE) {
        m->in_txn = false;
        if (ev->phase == HP_OK) {
            *(ev->kind == H_TXN_COMMIT ? &r->count.commits : &r->count.aborts) += 1;
        }
    }
}

static void note_id(struct member *m, const char *id)
{
    if (!m->txn_id || strcmp(m->txn_id, id) != 0) {
        free(m->txn_id);
        m->txn_id = xstrdup(id);
    }
}

static void on_event(void *arg, const struct event *ev)
{
    struct run *r = arg;
    struct member *m = member_find(r, ev->who->role, ev->who->index, ev->who->incarnation);
    progress_event(r, m, ev);
    if (!m) {
        return;
    }
    if (r->course) {
        r->course->event(m, ev);
    }
    switch ((enum hist_kind)ev->kind) {
    case H_READY:
        m->ready = true;
        break;
    case H_ASSIGN:
        on_assign(r, m, ev);
        break;
    case H_DELIVER:
        m->works = true;
        on_deliver(r, m, ev);
        break;
    case H_SEND:
        m->works = true;
        on_send(r, m, ev);
        break;
    case H_ACK:
        m->unanswered -= event_int(ev, H_ACK_COUNT);
        r->count.acked += ev->phase == HP_OK ? (uint64_t)event_int(ev, H_ACK_COUNT) : 0;
        break;
    case H_TXN_BEGIN:
        m->in_txn = m->has_txn = true;
        note_id(m, event_str(ev, H_TXN_BEGIN_PRODUCER));
        break;
    case H_TXN_INIT:
        note_id(m, event_str(ev, H_TXN_INIT_PRODUCER));
        break;
    case H_TXN_COMMIT:
    case H_TXN_ABORT:
        on_txn_end(r, m, ev);
        break;
    case H_CRASH:
        m->crashed = true;
        m->fault = (int)event_int(ev, H_CRASH_FAULT);
        r->count.crashes++;
        faults_done(r, m->fault, m);
        break;
    case H_FAULT:
        faults_done(r, event_int(ev, H_FAULT_FAULT), m);
        break;
    case H_DONE:
        map_put_str(&r->done, event_str(ev, H_DONE_NAME));
        break;
    case H_ERROR:
        on_error(m, ev);
        break;
    case H_RETURNED:
        m->returned = true;
        m->left = strcmp(event_str(ev, H_RETURNED_WHY), "exit") == 0;
        break;
    default:
        break;
    }
}

void digest_poll(struct run *r)
{
    tail_poll(r->tail, on_event, r);
}

void digest_flush(struct member *m)
{
    tail_flush(m->r->tail, m->slot->name, m->slot->index, m->incarnation, on_event, m->r);
}

static bool role_reads(const struct run *r, const struct plan_role *role)
{
    for (size_t i = 0; i < r->nslots; i++) {
        if (r->slots[i].role == role && r->slots[i].reads) {
            return true;
        }
    }
    return false;
}

const char *digest_unknown_reader(const struct run *r)
{
    for (size_t i = 0; i < r->nslots; i++) {
        const struct slot *s = &r->slots[i];
        if (!s->finished && !(s->role ? role_reads(r, s->role) : s->reads)) {
            return s->name;
        }
    }
    return NULL;
}

const char *digest_unanswered(const struct run *r)
{
    for (size_t i = 0; i < r->nslots; i++) {
        const struct slot *s = &r->slots[i];
        const struct member *m = s->current;
        if (s->role && m && m->up && m->unanswered > 0) {
            return s->name;
        }
    }
    return NULL;
}

bool digest_work_done(struct run *r)
{
    const struct plan *p = r->plan;
    if (p->stop_after) {
        return map_get_str(&r->done, p->stop_after) != NULL;
    }
    if (p->stop_after_ms >= 0) {
        return clock_mono_ns() - r->faults_ns >= (uint64_t)p->stop_after_ms * 1000000;
    }
    for (size_t i = 0; i < r->nslots; i++) {
        const struct slot *s = &r->slots[i];
        if (s->role && !s->finished && !s->reads) {
            return false;
        }
    }
    return true;
}
