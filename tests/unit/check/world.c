/* SPDX-License-Identifier: Apache-2.0 */
/* The world of the checker's tests. */
#include "world.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"

static const char *const topics[TOPICS] = {"input", "output"};

static void add_topic(struct plan *p, const char *name)
{
    struct plan_topic *t = VEC_PUSH(&p->topics);
    t->name = xstrdup(name);
    t->partitions = PARTS;
    t->replicas = 1;
}

static void add_role(struct plan *p, const char *name, int count)
{
    struct plan_role *r = VEC_PUSH(&p->roles);
    r->name = xstrdup(name);
    r->where = xstrdup("eos.lua:1");
    r->count = count;
}

void world_phase(struct world *w, const char *name, const char *detail)
{
    hist_add(w->runner, H_PHASE, HP_FACT, 0, HS(name), HS(detail));
}

struct world *world_new(void)
{
    return world_new_in("history");
}

struct world *world_new_in(const char *name)
{
    struct err e = {0};
    struct world *w = xcalloc(1, sizeof *w);
    w->dir = path_join(test_dir(), name);
    CHECK_INT(path_mkdirs(w->dir, 0700, &e), 0);
    w->next_pid = 1000;
    w->drain_detail = "ok";
    w->plan = plan_new();
    w->plan->name = xstrdup("eos");
    w->plan->where = xstrdup("eos.lua:1");
    add_topic(w->plan, "input");
    add_topic(w->plan, "output");
    add_role(w->plan, "controller", 1);
    add_role(w->plan, "worker", 2);
    w->runner = hist_open(w->dir, &(struct hist_ident){.role = "runner"}, &e);
    CHECK(w->runner);
    world_phase(w, "roles", "");
    world_phase(w, "faults_on", "");
    hist_close(hist_open(w->dir, &(struct hist_ident){.role = "watch"}, &e));
    return w;
}

void world_free(struct world *w)
{
    verdict_free(w->v);
    if (w->es) {
        events_free(w->es);
    }
    hist_close(w->runner);
    for (size_t i = 0; i < w->nprocs; i++) {
        hist_close(w->procs[i]->h);
        free(w->procs[i]);
    }
    for (int t = 0; t < TOPICS; t++) {
        for (int i = 0; i < PARTS; i++) {
            free(w->log[t][i].items);
        }
    }
    free(w->offsets.items);
    plan_free(w->plan);
    free(w->dir);
    free(w);
}

struct plan_pred *world_expect(struct world *w, enum plan_mode mode, const char *name,
                               enum plan_pred_kind kind)
{
    struct plan_prop *prop = VEC_PUSH(&w->plan->expect);
    prop->mode = mode;
    prop->name = xstrdup(name);
    prop->where = xstrdup("eos.lua:57");
    prop->within_ms = -1;
    struct plan_pred *pred = VEC_PUSH(&prop->preds);
    pred->kind = kind;
    pred->fold = -1;
    pred->at_least = 1;
    pred->times = 1;
    return pred;
}

void world_expect_eos(struct world *w, enum plan_id id)
{
    struct plan_pred *p = world_expect(w, MODE_ALWAYS, "exactly once", PRED_EXACTLY_ONCE);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    p->id = id;
    p = world_expect(w, MODE_ALWAYS, "no aborted reads", PRED_COMMITTED_ONLY);
    p->topic = xstrdup("input");
    p = world_expect(w, MODE_EVENTUALLY, "every id arrives", PRED_NO_LOSS);
    p->from = xstrdup("input");
    p->to = xstrdup("output");
    p->id = id;
}

struct proc *proc_start(struct world *w, const char *role, int index, int incarnation)
{
    struct err e = {0};
    struct proc *p = xcalloc(1, sizeof *p);
    *p = (struct proc){.w = w, .role = role, .index = index, .incarnation = incarnation};
    p->txn_id = index == 1 ? "eos-worker-1" : "eos-worker-2";
    p->producer = strcmp(role, "worker") == 0 ? p->txn_id : "p1";
    p->pid = w->next_pid++;
    p->assignment = 1;
    hist_add(w->runner, H_SPAWN, HP_FACT, 0, HS(role), HI(index), HI(incarnation), HI(getpid()),
             HS(incarnation > 1 ? "restart" : "start"));
    p->h = hist_open(
        w->dir, &(struct hist_ident){.role = role, .index = index, .incarnation = incarnation}, &e);
    CHECK(p->h);
    hist_add(p->h, H_READY, HP_FACT, 0, HS("2.0.2"));
    CHECK(w->nprocs < ARRAY_LEN(w->procs));
    w->procs[w->nprocs++] = p;
    return p;
}

static struct entry *append(struct proc *p, int topic, int part, const char *value, bool txn)
{
    struct entry *e = VEC_PUSH(&p->w->log[topic][part]);
    *e = (struct entry){.pid = p->pid,
                        .epoch = p->epoch,
                        .plain = !txn,
                        .seq = p->seq,
                        .sequence = p->sequence[topic][part]++,
                        .role = p->role,
                        .index = p->index,
                        .incarnation = p->incarnation,
                        .txn_id = txn ? p->txn_id : "",
                        .txn_incarnation = p->incarnation,
                        .txn = txn ? p->txn : -1,
                        .outcome = txn ? 3 : 0,
                        .src_offset = -1};
    snprintf(e->value, sizeof e->value, "%s", value);
    p->touched[topic][part] = p->touched[topic][part] || txn;
    return e;
}

static void record_send(struct proc *p, int topic, int part, int src_part, long src, bool txn)
{
    hist_send(p->h, &(struct hist_send){.producer = hist_str(p->h, p->producer),
                                        .topic = hist_str(p->h, topics[topic]),
                                        .partition = part,
                                        .seq = p->seq,
                                        .txn = txn ? p->txn : -1,
                                        .src_topic = src >= 0 ? hist_str(p->h, "input") : 0,
                                        .src_partition = src_part,
                                        .src_offset = src});
}

static void record_ack(struct proc *p, int topic, int part, long offset)
{
    hist_ack(p->h, HP_OK,
             &(struct hist_ack){.producer = hist_str(p->h, p->producer),
                                .topic = hist_str(p->h, topics[topic]),
                                .partition = part,
                                .seq = p->seq,
                                .offset = offset});
}

long proc_send_plain(struct proc *p, int topic, int part, const char *value)
{
    char text[32];
    p->seq++;
    snprintf(text, sizeof text, "%ld", p->seq);
    record_send(p, topic, part, -1, -1, false);
    append(p, topic, part, value ? value : text, false);
    long offset = (long)p->w->log[topic][part].n - 1;
    record_ack(p, topic, part, offset);
    return offset;
}

void proc_deliver(struct proc *p, int topic, int part, long first, long last, const char *group,
                  bool read_committed)
{
    for (long o = first; o <= last; o++) {
        const struct entry *e = &p->w->log[topic][part].items[o];
        if (e->control || (read_committed && e->outcome >= 2)) {
            continue;
        }
        hist_deliver(p->h, &(struct hist_deliver){.consumer = hist_str(p->h, "c1"),
                                                  .group = hist_str(p->h, group),
                                                  .topic = hist_str(p->h, topics[topic]),
                                                  .partition = part,
                                                  .offset = o,
                                                  .assignment = p->assignment,
                                                  .read_committed = read_committed});
    }
}

void proc_assign(struct proc *p, int part, int generation)
{
    hist_add(p->h, H_ASSIGN, HP_FACT, 0, HS("c1"), HS("copy"), HS("input"), HI(part),
             HI(p->assignment), HS("eager"), HI(-1), HS("m"), HI(generation));
}

void proc_revoke(struct proc *p, int part)
{
    hist_add(p->h, H_REVOKE, HP_FACT, 0, HS("c1"), HS("copy"), HS("input"), HI(part),
             HI(p->assignment), HI(0));
    p->assignment++;
}

void proc_begin(struct proc *p)
{
    p->txn++;
    p->open = true;
    p->first_offset = p->w->offsets.n;
    uint64_t op = hist_op(p->h);
    hist_add(p->h, H_TXN_BEGIN, HP_INVOKE, op, HS(p->producer), HI(p->txn), HS(""));
    hist_add(p->h, H_TXN_BEGIN, HP_OK, op, HS(p->producer), HI(p->txn), HS(""));
}

long proc_copy(struct proc *p, int part, int src_part, long src)
{
    const char *value = p->w->log[INPUT][src_part].items[src].value;
    p->seq++;
    record_send(p, OUTPUT, part, src_part, src, p->open);
    struct entry *e = append(p, OUTPUT, part, value, p->open);
    e->src = true;
    e->src_part = src_part;
    e->src_offset = src;
    long offset = (long)p->w->log[OUTPUT][part].n - 1;
    record_ack(p, OUTPUT, part, offset);
    return offset;
}

void proc_offsets(struct proc *p, int part, long offset)
{
    uint64_t op = hist_op(p->h);
    hist_add(p->h, H_TXN_OFFSETS, HP_INVOKE, op, HS(p->producer), HI(p->txn), HS("copy"),
             HS("input"), HI(part), HI(offset), HI(1), HI(p->assignment), HS(""), HS(""));
    hist_add(p->h, H_TXN_OFFSETS, HP_OK, op, HS(p->producer), HI(p->txn), HS("copy"), HS(""),
             HI(-1), HI(-1), HI(1), HI(p->assignment), HS(""), HS(""));
    *VEC_PUSH(&p->w->offsets) = (struct offset_entry){
        .part = part, .epoch = p->epoch, .outcome = 3, .offset = offset, .pid = p->pid};
}

void proc_end_txn(struct proc *p, bool commit)
{
    for (int t = 0; t < TOPICS; t++) {
        for (int i = 0; i < PARTS; i++) {
            struct log *l = &p->w->log[t][i];
            for (size_t k = 0; k < l->n && p->touched[t][i]; k++) {
                struct entry *e = &l->items[k];
                if (e->pid == p->pid && e->outcome == 3) {
                    e->outcome = commit ? 1 : 2;
                }
            }
            if (p->touched[t][i]) {
                *VEC_PUSH(l) = (struct entry){.control = true,
                                              .commit = commit,
                                              .pid = p->pid,
                                              .epoch = p->epoch,
                                              .role = "",
                                              .txn_id = ""};
                p->touched[t][i] = false;
            }
        }
    }
    bool offsets = false;
    for (size_t i = 0; i < p->w->offsets.n; i++) {
        struct offset_entry *o = &p->w->offsets.items[i];
        if (o->pid == p->pid && o->outcome == 3) {
            o->outcome = commit ? 1 : 2;
            offsets = true;
        }
    }
    if (offsets) {
        *VEC_PUSH(&p->w->offsets) = (struct offset_entry){
            .marker = true, .commit = commit, .pid = p->pid, .epoch = p->epoch};
    }
    p->open = false;
}

void proc_commit(struct proc *p)
{
    uint64_t op = hist_op(p->h);
    hist_add(p->h, H_TXN_COMMIT, HP_INVOKE, op, HS(p->producer), HI(p->txn), HS(""), HS(""));
    proc_end_txn(p, true);
    hist_add(p->h, H_TXN_COMMIT, HP_OK, op, HS(p->producer), HI(p->txn), HS(""), HS(""));
}

void proc_abort(struct proc *p, const char *why)
{
    uint64_t op = hist_op(p->h);
    hist_add(p->h, H_TXN_ABORT, HP_INVOKE, op, HS(p->producer), HI(p->txn), HS(why), HS(""),
             HS(""));
    proc_end_txn(p, false);
    hist_add(p->h, H_TXN_ABORT, HP_OK, op, HS(p->producer), HI(p->txn), HS(why), HS(""), HS(""));
}

void proc_seek(struct proc *p, int part, long from, long to)
{
    hist_add(p->h, H_SEEK, HP_FACT, 0, HS("c1"), HS("input"), HI(part), HI(from), HI(to),
             HS("rewind"));
}

void proc_commit_plain(struct proc *p, int part, long offset)
{
    uint64_t op = hist_op(p->h);
    hist_add(p->h, H_COMMIT, HP_INVOKE, op, HS("c1"), HS("copy"), HS("input"), HI(part), HI(offset),
             HS(""));
    hist_add(p->h, H_COMMIT, HP_OK, op, HS("c1"), HS("copy"), HS(""), HI(-1), HI(-1), HS(""));
    *VEC_PUSH(&p->w->offsets) =
        (struct offset_entry){.part = part, .epoch = -1, .outcome = 0, .offset = offset, .pid = -1};
}

void proc_exit(struct proc *p, int code, int signal, const char *why)
{
    p->ended = true;
    hist_add(p->w->runner, H_EXIT, HP_FACT, 0, HS(p->role), HI(p->index), HI(p->incarnation),
             HI(getpid()), HI(code), HI(signal), HI(strcmp(why, "fault") == 0 ? 0 : -1), HS(why));
}

void proc_crash(struct proc *p, const char *point)
{
    hist_add(p->h, H_CRASH, HP_FACT, 0, HI(0), HS(point), HS("input"), HI(0), HI(0), HI(1),
             HS(p->producer), HI(p->txn));
    proc_exit(p, 0, SIGKILL, "fault");
}

void world_fault(struct world *w, int fault, const char *kind, const char *target)
{
    hist_add(w->runner, H_FAULT, HP_FACT, 0, HI(fault), HS(kind), HS("fire"), HI(1), HS(target),
             HS(""));
}

void proc_batch(struct proc *p, int part, long first, long last)
{
    proc_deliver(p, INPUT, part, first, last, "copy", true);
    proc_begin(p);
    for (long o = first; o <= last; o++) {
        proc_copy(p, part, part, o);
    }
    proc_offsets(p, part, last + 1);
    proc_commit(p);
}

void world_work(struct world *w, int n)
{
    struct proc *c = proc_start(w, "controller", 1, 1);
    struct proc *w1 = proc_start(w, "worker", 1, 1), *w2 = proc_start(w, "worker", 2, 1);
    proc_assign(w1, 0, 1);
    proc_assign(w2, 1, 1);
    for (int i = 0; i < n; i++) {
        proc_send_plain(c, INPUT, i % PARTS, NULL);
    }
    for (long o = 0; o + 2 < n / PARTS; o += 3) {
        proc_batch(w1, 0, o, o + 2);
        proc_batch(w2, 1, o, o + 2);
    }
}

/* ---- the end ---- */

static void audit_entry(struct world *w, struct hist *h, int t, int part, long offset)
{
    const struct entry *e = &w->log[t][part].items[offset];
    int64_t now = (int64_t)(clock_real_ns() / 1000000) + e->later_ms;
    int attributes = e->control ? 0x30 : e->plain ? 0 : 0x10;
    hist_add(h, H_LOG_BATCH, HP_FACT, 0, HS(topics[t]), HI(part), HI(offset),
             HI(e->last ? e->last : offset), HI(1), HI(e->pid), HI(e->epoch),
             HI(e->control ? -1 : e->sequence), HI(attributes), HI(0), HI(now), HI(now),
             HI(e->outcome), HS(""));
    if (e->control) {
        hist_add(h, H_LOG_CONTROL, HP_FACT, 0, HS(topics[t]), HI(part), HI(offset), HI(e->pid),
                 HI(e->epoch), HI(e->commit), HI(0), HI(now));
        return;
    }
    hist_add(h, H_LOG_RECORD, HP_FACT, 0, HS(topics[t]), HI(part), HI(offset), HI(now), HI(e->pid),
             HI(e->epoch), HI(e->outcome), HB(NULL, 0), HB(e->value, strlen(e->value)), HB(NULL, 0),
             HS("run"), HS(e->role), HI(*e->role ? e->index : -1),
             HI(*e->role ? e->incarnation : -1), HI(*e->role ? e->seq : -1),
             HS(e->src ? "input" : ""), HI(e->src ? e->src_part : -1), HI(e->src_offset),
             HS(e->txn_id), HI(*e->txn_id ? e->txn_incarnation : -1), HI(*e->txn_id ? e->txn : -1));
}

static void audit_part(struct world *w, struct hist *h, int t, int part, bool probe)
{
    const struct log *l = &w->log[t][part];
    for (size_t k = 0; k < l->n; k++) {
        if (!l->items[k].gone && l->items[k].probe == probe && (long)k >= w->log_start[t][part]) {
            audit_entry(w, h, t, part, (long)k);
        }
    }
}

static long main_end(const struct log *l)
{
    size_t n = 0;
    while (n < l->n && !l->items[n].probe) {
        n++;
    }
    return (long)n;
}

static void audit(struct world *w)
{
    struct err e = {0};
    struct hist *h = hist_open(w->dir, &(struct hist_ident){.role = "audit"}, &e);
    CHECK(h);
    hist_add(h, H_AUDIT, HP_FACT, 0, HS("main"), HS("begin"), HI(0), HS(""));
    for (int t = 0; t < TOPICS; t++) {
        for (int i = 0; i < PARTS; i++) {
            long end = main_end(&w->log[t][i]) + (t == OUTPUT && i == 0 ? w->hw_short : 0);
            audit_part(w, h, t, i, false);
            hist_add(h, H_LOG_PARTITION, HP_FACT, 0, HS(topics[t]), HI(i), HS("id"),
                     HI(w->log_start[t][i]), HI(end), HI(end), HS("declared"),
                     HI(!w->incomplete_audit), HI(w->compacted[t]), HI(w->removed[t][i]));
        }
    }
    hist_add(h, H_LOG_PARTITION, HP_FACT, 0, HS("__consumer_offsets"), HI(0), HS("id"), HI(0),
             HI((long)w->offsets.n), HI((long)w->offsets.n), HS("internal"), HI(1), HI(1), HI(0));
    for (size_t i = 0; i < w->offsets.n; i++) {
        const struct offset_entry *o = &w->offsets.items[i];
        if (o->marker && !o->gone) {
            hist_add(h, H_LOG_CONTROL, HP_FACT, 0, HS("__consumer_offsets"), HI(0), HI((long)i),
                     HI(o->pid), HI(o->epoch), HI(o->commit), HI(0), HI(0));
        } else if (!o->gone) {
            hist_add(h, H_LOG_OFFSET, HP_FACT, 0, HI(0), HI((long)i), HS("copy"), HS("input"),
                     HI(o->part), HI(o->offset), HI(o->pid), HI(o->epoch), HI(o->outcome), HI(0),
                     HS(""));
        }
    }
    hist_add(h, H_AUDIT, HP_FACT, 0, HS("main"), HS("end"), HI(!w->incomplete_audit), HS(""));
    hist_close(h);
}

static void probe_audit(struct world *w)
{
    struct err e = {0};
    long added = 0;
    for (int t = 0; t < TOPICS; t++) {
        for (int i = 0; i < PARTS; i++) {
            added += (long)w->log[t][i].n - main_end(&w->log[t][i]);
        }
    }
    hist_add(w->runner, H_PROBE, HP_FACT, 0, HS("copy"), HS("worker"), HI(added), HS(""));
    if (added == 0) {
        return;
    }
    struct hist *h = hist_open(w->dir, &(struct hist_ident){.role = "audit-probe"}, &e);
    CHECK(h);
    hist_add(h, H_AUDIT, HP_FACT, 0, HS("probe"), HS("begin"), HI(0), HS(""));
    for (int t = 0; t < TOPICS; t++) {
        for (int i = 0; i < PARTS; i++) {
            audit_part(w, h, t, i, false);
            audit_part(w, h, t, i, true);
        }
    }
    hist_add(h, H_AUDIT, HP_FACT, 0, HS("probe"), HS("end"), HI(1), HS(""));
    hist_close(h);
}

void world_finish(struct world *w)
{
    world_phase(w, "faults_off", w->off_detail ? w->off_detail : "work done");
    world_phase(w, "drain", "");
    if (!w->no_drain) {
        world_phase(w, "drained", w->drain_detail);
    }
    world_phase(w, "cut", "");
    for (size_t i = 0; i < w->nprocs; i++) {
        if (!w->procs[i]->ended && !w->stop_early) {
            proc_exit(w->procs[i], 0, 0, "stopped");
        }
        hist_close(w->procs[i]->h);
        w->procs[i]->h = NULL;
    }
    world_phase(w, "audit", "");
    if (!w->no_audit) {
        audit(w);
        probe_audit(w);
    }
    if (!w->no_end) {
        world_phase(w, "end", "");
    }
    hist_close(w->runner);
    w->runner = NULL;
}

void world_check(struct world *w)
{
    struct err e = {0};
    if (w->runner) {
        world_finish(w);
    }
    w->es = events_open(w->dir, &e);
    if (!w->es) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
    if (w->edit) {
        w->edit(w);
    }
    w->v = check_run(w->es, w->plan, NULL, NULL, &e);
    if (!w->v) {
        test_fail(__FILE__, __LINE__, "%s", e.msg);
    }
}

/* ---- what the tests ask ---- */

void world_show(const struct world *w)
{
    fprintf(stderr, "# %s\n", verdict_name(w->v->code));
    for (size_t i = 0; i < w->v->nreasons; i++) {
        fprintf(stderr, "# reason: %s\n", w->v->reasons[i]);
    }
    for (size_t i = 0; i < w->v->nfindings; i++) {
        const struct finding *f = &w->v->findings[i];
        fprintf(stderr, "# %zu %s %s/%s \"%s\" x%zu primary %d blame %s(%d) %s: %s | %s\n", i,
                f->proven ? "proven" : "unproven", f->check, f->kind, f->property, f->ncases,
                f->primary, finding_blame_name(f->blame), f->blame_row, f->cases[0].id,
                f->cases[0].text, f->cause);
    }
}

size_t world_primaries(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->v->nfindings; i++) {
        n += w->v->findings[i].primary < 0 && w->v->findings[i].proven;
    }
    return n;
}

const struct finding *world_find(const struct world *w, const char *kind)
{
    for (size_t i = 0; i < w->v->nfindings; i++) {
        if (strcmp(w->v->findings[i].kind, kind) == 0) {
            return &w->v->findings[i];
        }
    }
    return NULL;
}

void world_must_find(struct world *w, const char *kind)
{
    world_check(w);
    const struct finding *f = world_find(w, kind);
    if (w->v->code != VERDICT_FAIL || !f || f->primary >= 0 || world_primaries(w) != 1) {
        world_show(w);
    }
    CHECK_STR(verdict_name(w->v->code), "FAIL");
    CHECK(f);
    CHECK(f->primary < 0);
    CHECK_INT(world_primaries(w), 1);
}

void world_must_pass(struct world *w)
{
    world_check(w);
    if (w->v->code != VERDICT_PASS) {
        world_show(w);
    }
    CHECK_STR(verdict_name(w->v->code), "PASS");
    CHECK_INT(w->v->exit_code, 0);
    CHECK_INT(w->v->nfindings, 0);
}
