/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a struct status of a run: states from the supervisor, everything else from progress.c. The
 * strings that are composed here live until the next status_take(). */
#include "run/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "run/progress.h"
#include "run/ui.h"

enum { OWNERS_MAX = 24, SAMPLE_NS = 500000000 };

struct status_store {
    struct {
        char **items;
        size_t n, cap;
    } strings;
    struct {
        struct status_proc *items;
        size_t n, cap;
    } procs;
    struct {
        struct status_group *items;
        size_t n, cap;
    } groups;
    struct {
        struct status_prop *items;
        size_t n, cap;
    } props;
    struct {
        struct status_fault *items;
        size_t n, cap;
    } faults;
    struct {
        struct status_event *items;
        size_t n, cap;
    } events;
    struct {
        uint64_t t, sent, delivered;
    } samples[PROGRESS_SAMPLES];
    size_t nsamples; /**< ever */
};

static const char *keep(struct status_store *st, char *text)
{
    *VEC_PUSH(&st->strings) = text;
    return text;
}

static void clear(struct status_store *st)
{
    for (size_t i = 0; i < st->strings.n; i++) {
        free(st->strings.items[i]);
    }
    st->strings.n = st->procs.n = st->groups.n = st->props.n = st->faults.n = st->events.n = 0;
}

static int64_t ms_since(uint64_t now, uint64_t t)
{
    return t && now > t ? (int64_t)((now - t) / 1000000) : 0;
}

/* ---- processes ---- */

static const char *state_of(const struct slot *s)
{
    const struct member *m = s->current;
    if (!m || (!m->up && !s->finished)) {
        return m ? "dead" : "not started";
    }
    if (!m->up) {
        return m->returned ? "returned" : "ended";
    }
    return m->paused ? "paused" : m->stopping ? "stopping" : m->ready ? "running" : "starting";
}

static void take_procs(struct run *r, struct status_store *st, uint64_t now)
{
    for (size_t i = 0; i < r->nslots; i++) {
        const struct slot *s = &r->slots[i];
        const struct progress_slot *p =
            r->progress && i < r->progress->nslots ? &r->progress->slots[i] : NULL;
        struct status_proc *q = VEC_PUSH(&st->procs);
        bool up = s->current && s->current->up;
        *q = (struct status_proc){.role = s->name,
                                  .index = s->index,
                                  .incarnation = s->incarnations,
                                  .reader = !s->role,
                                  .pid = up ? (int)proc_pid(s->current->proc) : 0,
                                  .state = state_of(s),
                                  .back_ms = -1,
                                  .last_end = p ? p->ended : "",
                                  .log = keep(st, member_log_path(s, s->incarnations))};
        if (!p) {
            continue;
        }
        q->age_ms = ms_since(now, p->born_ns);
        q->deaths = p->deaths;
        q->topic = p->topic;
        q->partition = p->partition;
        q->offset = p->offset;
        q->in_txn = up && p->txn_ns != 0;
        q->txn = p->txn;
        q->txn_records = p->txn_records;
        q->txn_age_ms = ms_since(now, p->txn_ns);
        if (s->restart && s->role) {
            int64_t left = s->role->restart_ms - ms_since(now, p->died_ns);
            q->back_ms = left > 0 ? left : 0;
        }
    }
}

/* ---- groups ---- */

static int by_place(const void *a, const void *b)
{
    const struct progress_owner *x = a, *y = b;
    int topics = strcmp(x->topic, y->topic);
    return topics ? topics : x->partition - y->partition;
}

/** "input: 0>worker.1 1>worker.2". */
static char *owners_text(struct run *r, struct progress_group *u)
{
    struct buf b = {0};
    const char *topic = "";
    if (u->owners.n) {
        qsort(u->owners.items, u->owners.n, sizeof *u->owners.items, by_place);
    }
    for (size_t i = 0; i < u->owners.n && i < OWNERS_MAX; i++) {
        const struct progress_owner *o = &u->owners.items[i];
        if (strcmp(topic, o->topic) != 0) {
            buf_printf(&b, "%s%s:", b.len ? "  " : "", o->topic);
            topic = o->topic;
        }
        buf_printf(&b, " %d>%s.%d", o->partition, r->slots[o->slot].name, r->slots[o->slot].index);
    }
    if (u->owners.n > OWNERS_MAX) {
        buf_printf(&b, " and %zu more", u->owners.n - OWNERS_MAX);
    }
    return b.data ? buf_take(&b) : xstrdup("nobody owns a partition");
}

static void take_groups(struct run *r, struct status_store *st)
{
    for (size_t i = 0; r->progress && i < r->progress->groups.n; i++) {
        struct progress_group *u = &r->progress->groups.items[i];
        if (*u->name) {
            *VEC_PUSH(&st->groups) = (struct status_group){.name = u->name,
                                                           .owners = keep(st, owners_text(r, u)),
                                                           .generation = u->generation,
                                                           .changes = u->changes};
        }
    }
}

/* ---- properties ---- */

static unsigned long long at(const struct map *m, const char *key)
{
    const struct map_entry *e = key ? map_get_str(m, key) : NULL;
    return e ? e->u : 0;
}

/** What arrived at a place: a topic as kaos's own reader sees it, or a role. */
static unsigned long long arrived(const struct run *r, const char *to)
{
    return plan_role(r->plan, to) ? at(&r->progress->by_role, to) : at(&r->progress->read, to);
}

static void preview_counted(const struct run *r, const struct plan_pred *d, struct buf *b)
{
    unsigned long long in =
        plan_role(r->plan, d->from) ? r->progress->count.sent : at(&r->progress->acked, d->from);
    buf_printf(b, "%llu in, %llu out", in, d->to ? arrived(r, d->to) : 0);
}

static enum status_mark preview_hits(uint64_t hits, int64_t least, enum plan_mode mode,
                                     struct buf *b)
{
    bool enough = hits >= (uint64_t)(least > 0 ? least : 1);
    if (hits == 0) {
        buf_puts(b, mode == MODE_NEVER ? "not so far" : "not yet");
        return MARK_WAIT;
    }
    buf_printf(b, "%llu×", (unsigned long long)hits);
    if (least > 1) {
        buf_printf(b, " of at least %lld", (long long)least);
    }
    return mode == MODE_NEVER ? MARK_BAD : enough ? MARK_GOOD : MARK_WAIT;
}

static void preview_group(const struct run *r, const char *group, struct buf *b)
{
    for (size_t i = 0; i < r->progress->groups.n; i++) {
        const struct progress_group *u = &r->progress->groups.items[i];
        if (strcmp(u->name, group) == 0) {
            buf_printf(b, "generation %lld, %u changes", (long long)u->generation, u->changes);
            return;
        }
    }
    buf_puts(b, "nobody has joined yet");
}

static enum status_mark preview(const struct run *r, size_t i, struct buf *b)
{
    const struct plan_prop *q = &r->plan->expect.items[i];
    const struct plan_pred *d = q->preds.n ? &q->preds.items[0] : NULL;
    uint64_t hits = r->progress->props[i].hits, bad = r->progress->props[i].bad;
    switch (d ? d->kind : PRED_N) {
    case PRED_CRASHED:
        return preview_hits(hits, d->at_least, q->mode, b);
    case PRED_REACHED:
        return preview_hits(hits, 1, q->mode, b);
    case PRED_ASSERTED:
        buf_printf(b, "held %llu×, failed %llu×", (unsigned long long)hits,
                   (unsigned long long)bad);
        return bad ? MARK_BAD : MARK_WAIT;
    case PRED_MESSAGES: {
        unsigned long long n = at(&r->progress->acked, d->topic);
        buf_printf(b, "%llu of at least %lld", n, (long long)d->at_least);
        return (int64_t)n >= d->at_least ? MARK_GOOD : MARK_WAIT;
    }
    case PRED_EXACTLY_ONCE:
    case PRED_NO_LOSS:
    case PRED_NO_DUPLICATES:
        preview_counted(r, d, b);
        return MARK_WAIT;
    case PRED_COMMITTED_ONLY:
        buf_printf(b, "%llu read", d->topic ? arrived(r, d->topic) : 0);
        return MARK_WAIT;
    case PRED_STABLE_GROUP:
        preview_group(r, d->group, b);
        return MARK_WAIT;
    default:
        buf_puts(b, "judged at the end");
        return MARK_WAIT;
    }
}

static void take_props(struct run *r, struct status_store *st)
{
    for (size_t i = 0; r->progress && i < r->plan->expect.n; i++) {
        const struct plan_prop *q = &r->plan->expect.items[i];
        struct buf b = {0};
        struct status_prop *p = VEC_PUSH(&st->props);
        *p = (struct status_prop){.mode = plan_mode_name(q->mode), .name = q->name};
        p->mark = preview(r, i, &b);
        p->preview = keep(st, buf_take(&b));
    }
}

/* ---- the rest ---- */

static const char *fault_target(const struct plan_fault *f, struct status_store *st)
{
    return f->group      ? f->group
           : f->roles.n  ? f->roles.items[0]
           : f->node > 0 ? keep(st, xasprintf("node %d", f->node))
                         : "";
}

static void take_faults(struct run *r, struct status_store *st)
{
    for (size_t i = 0; r->progress && i < r->plan->faults.n; i++) {
        const struct plan_fault *f = &r->plan->faults.items[i];
        *VEC_PUSH(&st->faults) = (struct status_fault){.kind = plan_fault_name(f->kind),
                                                       .target = fault_target(f, st),
                                                       .fired = r->progress->fired[i],
                                                       .max = f->max};
    }
}

static void take_events(struct run *r, struct status_store *st)
{
    const struct progress *g = r->progress;
    for (size_t i = 0; g && i < g->nevents && i < PROGRESS_EVENTS; i++) {
        size_t at = (g->nevents - 1 - i) % PROGRESS_EVENTS;
        *VEC_PUSH(&st->events) = (struct status_event){
            .at_ms =
                r->faults_ns ? ((int64_t)g->events[at].t - (int64_t)r->faults_ns) / 1000000 : 0,
            .text = g->events[at].text};
    }
}

/** Rates over the last seconds: between the oldest sample kept and now. */
static void take_rates(struct status_store *st, uint64_t now, struct status *s)
{
    size_t n = st->nsamples < PROGRESS_SAMPLES ? st->nsamples : PROGRESS_SAMPLES;
    size_t oldest = st->nsamples < PROGRESS_SAMPLES ? 0 : st->nsamples % PROGRESS_SAMPLES;
    size_t newest = n ? (st->nsamples - 1) % PROGRESS_SAMPLES : 0;
    if (n && now > st->samples[oldest].t) {
        double seconds = (double)(now - st->samples[oldest].t) / 1e9;
        s->sent_rate = (double)(s->sent - st->samples[oldest].sent) / seconds;
        s->delivered_rate = (double)(s->delivered - st->samples[oldest].delivered) / seconds;
    }
    if (n == 0 || now - st->samples[newest].t >= SAMPLE_NS) {
        size_t k = st->nsamples++ % PROGRESS_SAMPLES;
        st->samples[k].t = now;
        st->samples[k].sent = s->sent;
        st->samples[k].delivered = s->delivered;
    }
}

static const char *params_text(const struct plan *p, struct status_store *st)
{
    struct buf b = {0};
    for (size_t i = 0; i < p->params.n; i++) {
        const struct plan_param *q = &p->params.items[i];
        buf_printf(&b, "%s%s=%s", i ? " " : "", q->name, secret_shown(q->name, q->value));
    }
    return b.data ? keep(st, buf_take(&b)) : "";
}

static const char *phase_text(const struct run *r)
{
    static const char *const names[] = {[PH_CLUSTER] = "starting the cluster",
                                        [PH_TOPICS] = "creating topics",
                                        [PH_ROLES] = "starting roles",
                                        [PH_WORK] = "working",
                                        [PH_DRAIN] = "draining",
                                        [PH_CUT] = "stopping roles",
                                        [PH_AUDIT] = "reading the log",
                                        [PH_PROBE] = "restart probe",
                                        [PH_PROBED] = "reading the log again",
                                        [PH_END] = "ended"};
    return r->settling && r->phase == PH_CUT ? "waiting for transactions to end" : names[r->phase];
}

void status_take(struct run *r, struct status *s)
{
    uint64_t now = clock_mono_ns();
    struct status_store *st = r->status ? r->status : xcalloc(1, sizeof *st);
    const struct progress *g = r->progress;
    r->status = st;
    clear(st);
    int64_t timeout = r->o->timeout_ms >= 0 ? r->o->timeout_ms : r->plan->timeout_ms;
    *s = (struct status){.version = KAOS_VERSION,
                         .file = r->plan->file,
                         .name = r->plan->name,
                         .run = r->out->id,
                         .cluster = r->o->cluster,
                         .cluster_version = r->cluster ? cluster_version(r->cluster) : "",
                         .params = params_text(r->plan, st),
                         .phase = phase_text(r),
                         .nodes = r->cluster ? cluster_nodes(r->cluster) : 0,
                         .node_down = r->node_down,
                         .seed = r->o->seed,
                         .elapsed_ms = r->faults_ns ? ms_since(now, r->faults_ns) : -1,
                         .limit_ms = r->phase == PH_WORK ? timeout : 0,
                         .faults_on = r->faults_on,
                         .interrupted = r->out->signum != 0 || r->out->stopped,
                         .notice = ""};
    if (g) {
        s->sent = g->count.sent;
        s->acked = g->count.acked;
        s->failed = g->count.failed;
        s->unknown = g->count.unknown;
        s->delivered = g->count.delivered;
        s->commits = g->count.commits;
        s->aborts = g->count.aborts;
        s->crashes = g->count.crashes;
        s->deaths = g->count.deaths;
    }
    take_rates(st, now, s);
    take_procs(r, st, now);
    take_groups(r, st);
    take_props(r, st);
    take_faults(r, st);
    take_events(r, st);
    s->procs = st->procs.items;
    s->nprocs = st->procs.n;
    s->groups = st->groups.items;
    s->ngroups = st->groups.n;
    s->props = st->props.items;
    s->nprops = st->props.n;
    s->faults = st->faults.items;
    s->nfaults = st->faults.n;
    s->events = st->events.items;
    s->nevents = st->events.n;
}

void status_free(struct run *r)
{
    struct status_store *st = r->status;
    if (st) {
        clear(st);
        free(st->strings.items);
        free(st->procs.items);
        free(st->groups.items);
        free(st->props.items);
        free(st->faults.items);
        free(st->events.items);
        free(st);
        r->status = NULL;
    }
}
