/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run: audit on a pool thread, then the restart probe: one fresh instance of each
 * transformer group (reads with a group, and sends) may add nothing to any declared topic; an
 * offset that was left behind shows only so. What the probe added is audited again. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "role/proto.h"
#include "run/exec.h"
#include "run/internal.h"

enum { AUDIT_MS = 120000, PROBE_MS = 20000, POLL_MS = 50, QUIET_MS = 1200 };

static void next_probe(struct run *r);

static struct audit_opts audit_opts(struct run *r, const char *pass)
{
    return (struct audit_opts){.bootstrap = cluster_bootstrap(r->cluster, CLUSTER_DIRECT),
                               .plan = r->plan,
                               .run = r->out->id,
                               .pass = pass,
                               .internals = cluster_caps(r->cluster) & CLUSTER_CAP_FRESH,
                               .starts = r->starts.items,
                               .nstarts = r->starts.n,
                               .timeout_ms = AUDIT_MS};
}

static void audit_work(void *arg)
{
    struct run *r = arg;
    bool probed = r->phase == PH_PROBED;
    struct audit_opts o = audit_opts(r, probed ? "probe" : "main");
    struct hist *h = hist_open(
        r->history, &(struct hist_ident){.role = probed ? "audit-probe" : "audit"}, &r->work.err);
    r->work.complete = h && audit_run(&o, h, &r->work.err) == 0;
    hist_close(h);
    if (r->work.complete && !probed) {
        r->work.complete =
            audit_ends(o.bootstrap, r->plan, AUDIT_MS, &r->probe.before, &r->work.err) == 0;
    }
}

static void audit_done(void *arg)
{
    struct run *r = arg;
    if (!r->work.complete) {
        hist_add(r->hist, H_HARNESS, HP_FACT, 0, HS("the audit is not complete"),
                 HS(r->work.err.msg));
    }
    if (r->phase == PH_PROBED || !r->work.complete) {
        run_end(r);
        return;
    }
    r->phase = PH_PROBE;
    run_phase(r, "probe", "");
    next_probe(r);
}

void finish_audit(struct run *r)
{
    run_work(r, audit_work, audit_done);
}

static void ends_work(void *arg)
{
    struct run *r = arg;
    buf_free(&r->probe.after);
    r->work.complete = audit_ends(cluster_bootstrap(r->cluster, CLUSTER_DIRECT), r->plan, AUDIT_MS,
                                  &r->probe.after, &r->work.err) == 0;
}

/** Sum of the end offsets in the text that audit_ends writes. */
static int64_t total(const struct buf *b)
{
    int64_t sum = 0;
    const char *line = b->data ? b->data : "";
    while (*line) {
        const char *end = strchr(line, '\n');
        const char *at = end ? end : line + strlen(line);
        while (at > line && at[-1] != ' ') {
            at--;
        }
        sum += strtoll(at, NULL, 10);
        line = end ? end + 1 : line + strlen(line);
    }
    return sum;
}

static void probes_done(void *arg)
{
    struct run *r = arg;
    int64_t added = r->work.complete ? total(&r->probe.after) - total(&r->probe.before) : -1;
    for (size_t i = 0; i < r->groups.n; i++) {
        const struct group_use *g = &r->groups.items[i];
        if (g->sends) {
            hist_add(r->hist, H_PROBE, HP_FACT, 0, HS(g->group), HS(g->role->name), HI(added),
                     HS(r->probe.after.data));
        }
    }
    if (added == 0) {
        run_end(r);
        return;
    }
    r->phase = PH_PROBED;
    finish_audit(r);
}

static void on_probe_limit(void *arg)
{
    struct run *r = arg;
    r->limit = NULL;
    members_kill(r);
}

static void on_probe_tick(void *arg)
{
    struct run *r = arg;
    struct member *m = r->probe.member;
    digest_poll(r);
    uint64_t age_ms = (clock_mono_ns() - r->probe.since_ns) / 1000000;
    uint64_t delivered = r->count.delivered;
    if (delivered != r->probe.delivered || !m->endless) {
        r->probe.delivered = delivered;
        r->probe.quiet_ns = clock_mono_ns();
    }
    bool quiet = m->endless && (clock_mono_ns() - r->probe.quiet_ns) / 1000000 >= QUIET_MS;
    if (m->up && !quiet && age_ms < PROBE_MS) {
        return;
    }
    if (!m->endless) {
        hist_add(r->hist, H_HARNESS, HP_FACT, 0,
                 HS("the restart probe was not assigned a partition"), HS(m->slot->name));
    }
    timer_stop(r->tick);
    r->tick = NULL;
    m->stopping = true;
    if (m->up) {
        proc_send(m->proc, ROLE_STOP, "", 0);
        r->limit = timer_start(r->loop, 10000, 0, on_probe_limit, r);
    } else {
        finish_probe_gone(r);
    }
}

void finish_probe_gone(struct run *r)
{
    timer_stop(r->limit);
    timer_stop(r->tick);
    r->limit = r->tick = NULL;
    r->probe.member = NULL;
    next_probe(r);
}

static struct slot *slot_of(struct run *r, const struct plan_role *role)
{
    for (size_t i = 0; i < r->nslots; i++) {
        if (r->slots[i].role == role) {
            return &r->slots[i];
        }
    }
    return NULL;
}

static void next_probe(struct run *r)
{
    while (r->probe.group < r->groups.n) {
        const struct group_use *g = &r->groups.items[r->probe.group++];
        struct slot *s = g->sends ? slot_of(r, g->role) : NULL;
        if (!s) {
            continue;
        }
        r->probe.member = member_spawn(s, "probe");
        if (r->probe.member) {
            r->probe.since_ns = r->probe.quiet_ns = clock_mono_ns();
            r->probe.delivered = r->count.delivered;
            if (exec_is(r->probe.member)) {
                exec_probe(r);
                return;
            }
            r->tick = timer_start(r->loop, POLL_MS, POLL_MS, on_probe_tick, r);
        }
        return;
    }
    run_work(r, ends_work, probes_done);
}
