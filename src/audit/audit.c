/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how the ground truth is read. First a vector of high watermarks and last stable offsets is
 * taken, so that all partitions are read up to one moment; then each partition is read; then topics
 * that nobody declared are searched for what the run's producers wrote. */
#include "audit/audit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_priv.h"
#include "audit/scan.h"
#include "audit/settings.h"
#include "audit/topics.h"
#include "base/clock.h"
#include "base/mem.h"

enum { ASK_MS = 30000, TOPICS_MS = 20000, SETTLE_MS = 5000, FOREIGN_MS = 3000, PROBLEMS_MAX = 20 };

static int ask_ms(const struct audit *a)
{
    return scan_left_ms(a->deadline_ns, ASK_MS);
}

void audit_problem(struct audit *a, const struct err *e)
{
    if (a->nproblems++ == 0) {
        a->first = *e;
    }
    if (a->nproblems <= PROBLEMS_MAX) {
        buf_printf(&a->problems, "%s%s", a->nproblems > 1 ? "; " : "", e->msg);
    }
}

/** Something left out that is not needed for a complete audit. */
static void note(struct audit *a, const struct err *e)
{
    buf_printf(&a->notes, "%s%s", a->notes.len ? "; " : "", e->msg);
}

/* ---- what there is --------------------------------------------------------------------------- */

/** As Kafka's tools print it: URL-safe base64 of 16 bytes without padding; "" for zero. */
static void topic_id(char out[static AUDIT_ID_TEXT], const uint8_t id[static 16])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t zero[16] = {0};
    size_t n = 0;
    for (size_t bit = 0; bit < 128 && memcmp(id, zero, 16) != 0; bit += 6) {
        uint32_t two = (uint32_t)id[bit / 8] << 8 | (bit / 8 + 1 < 16 ? id[bit / 8 + 1] : 0);
        out[n++] = digits[two >> (10 - bit % 8) & 63];
    }
    out[n] = '\0';
}

static void add_topic(struct audit *a, const struct admin_topic *t, const char *what,
                      enum emit_what emit)
{
    const struct plan_topic *p = plan_topic(a->o->plan, t->name);
    for (size_t i = 0; i < t->npartitions; i++) {
        struct audit_target *x = VEC_PUSH(&a->targets);
        *x = (struct audit_target){.topic = xstrdup(t->name),
                                   .partition = t->partitions[i].index,
                                   .what = what,
                                   .emit = emit,
                                   .existing = p && p->existing,
                                   .compacted = emit != EMIT_DATA,
                                   .lso = -1,
                                   .hw = -1};
        topic_id(x->id, t->id);
    }
}

static void add_topics(struct audit *a, const struct admin_metadata *md)
{
    for (size_t i = 0; i < md->ntopics; i++) {
        const struct admin_topic *t = &md->topics[i];
        if (t->error) {
            continue; /* a declared one was said to be missing */
        }
        if (plan_topic(a->o->plan, t->name)) {
            add_topic(a, t, "declared", EMIT_DATA);
        } else if (strcmp(t->name, "__consumer_offsets") == 0) {
            if (a->o->internals) {
                add_topic(a, t, "internal", EMIT_OFFSETS);
            }
        } else if (strcmp(t->name, "__transaction_state") == 0) {
            if (a->o->internals) {
                add_topic(a, t, "internal", EMIT_TXNS);
            }
        } else if (!t->internal && strncmp(t->name, "__", 2) != 0) {
            add_topic(a, t, "undeclared", EMIT_DATA);
        }
    }
}

static bool is_undeclared(const struct audit_target *t)
{
    return strcmp(t->what, "undeclared") == 0;
}

/** A topic of somebody else on a cluster that kaos shares with others. */
static bool is_foreign(const struct audit *a, const struct audit_target *t)
{
    return is_undeclared(t) && !a->o->internals;
}

/** Being refused is no sign of an unread log: it is what a foreign cluster may do. */
static bool is_refusal(const struct err *e)
{
    enum { TOPIC_AUTHORIZATION_FAILED = 29, CLUSTER_AUTHORIZATION_FAILED = 31 };
    return e->kind == ERR_BROKER &&
           (e->code == TOPIC_AUTHORIZATION_FAILED || e->code == CLUSTER_AUTHORIZATION_FAILED);
}

static void read_settings(struct audit *a)
{
    struct err e;
    const char *last = "";
    bool compacted = true;
    if (settings_broker(a->admin, a->h, ask_ms(a), &e) < 0 && !is_refusal(&e)) {
        audit_problem(a, &e);
    }
    for (size_t i = 0; i < a->targets.n; i++) {
        struct audit_target *t = &a->targets.items[i];
        if (is_undeclared(t)) {
            continue;
        }
        if (strcmp(t->topic, last) != 0 &&
            settings_topic(a->admin, a->h, t->topic, ask_ms(a), &compacted, &e) < 0 &&
            !is_refusal(&e)) {
            audit_problem(a, &e);
        }
        t->compacted = compacted;
        last = t->topic;
    }
}

/* ---- the vector of ends ---------------------------------------------------------------------- */

/** A transaction whose markers are on their way ends within moments: the vector is taken behind
 *  them. One that stays is no hindrance; the log shows it as open. */
static void settle(struct audit *a)
{
    static const char *const states[] = {"PrepareCommit", "PrepareAbort"};
    uint64_t until = clock_mono_ns() + (uint64_t)SETTLE_MS * 1000000;
    struct admin_txns txns;
    struct err e;
    bool moving = true;
    while (moving && clock_mono_ns() < until) {
        int rc = admin_list_transactions(a->admin, states, ARRAY_LEN(states),
                                         scan_left_ms(until, SETTLE_MS), &txns, &e);
        moving = rc == 0 && txns.n > 0;
        admin_txns_free(&txns);
        if (moving) {
            usleep(50000);
        }
    }
}

static int list_end(struct audit *a, const struct audit_target *t, int64_t when,
                    enum admin_isolation isolation, int64_t *out, struct err *e)
{
    struct admin_offset at;
    if (admin_list_offsets(a->admin, t->topic, t->partition, when, isolation, ask_ms(a), &at, e) <
        0) {
        return err_wrap(e, "finding the %s of %s-%d", when == ADMIN_LATEST ? "end" : "start",
                        t->topic, (int)t->partition);
    }
    *out = at.offset;
    return 0;
}

static int64_t start_of(const struct audit *a, const struct audit_target *t)
{
    for (size_t i = 0; i < a->o->nstarts; i++) {
        const struct audit_start *s = &a->o->starts[i];
        if (s->partition == t->partition && strcmp(s->topic, t->topic) == 0) {
            return s->offset;
        }
    }
    return 0;
}

static void bound(struct audit *a, struct audit_target *t)
{
    struct err e;
    if (list_end(a, t, ADMIN_LATEST, ADMIN_READ_COMMITTED, &t->lso, &e) < 0 ||
        list_end(a, t, ADMIN_EARLIEST, ADMIN_READ_UNCOMMITTED, &t->log_start, &e) < 0) {
        audit_problem(a, &e);
        return;
    }
    t->since = start_of(a, t);
    t->from = t->since > t->log_start ? t->since : t->log_start;
    t->bounded = true;
    if (t->from > t->hw) {
        err_set(&e, ERR_BROKER, 0, "%s-%d ends at %lld, below offset %lld where the audit begins",
                t->topic, (int)t->partition, (long long)t->hw, (long long)t->from);
        audit_problem(a, &e);
        t->from = t->hw;
    }
}

static void take_vector(struct audit *a)
{
    struct err e;
    for (size_t i = 0; i < a->targets.n; i++) {
        struct audit_target *t = &a->targets.items[i];
        if (!is_foreign(a, t) &&
            list_end(a, t, ADMIN_LATEST, ADMIN_READ_UNCOMMITTED, &t->hw, &e) < 0) {
            audit_problem(a, &e);
        }
    }
    for (size_t i = 0; i < a->targets.n; i++) {
        if (a->targets.items[i].hw >= 0) {
            bound(a, &a->targets.items[i]);
        }
    }
}

/* ---- topics that nobody declared ------------------------------------------------------------- */

struct search {
    struct audit *a;
    const struct audit_target *t;
};

static bool until_ours(void *arg, const struct batch *b)
{
    const struct search *s = arg;
    if (b->corrupt || b->control) {
        return true;
    }
    bool ours = b->producer_id >= 0
                    ? map_get(&s->a->pids, &b->producer_id, sizeof b->producer_id) != NULL
                    : emit_is_ours(s->a->o->run, s->t->topic, b);
    return !ours;
}

/** A fresh cluster holds little else than the run: its foreign topics are read. */
static int search_log(struct audit *a, const struct audit_target *t, bool *ours, struct err *e)
{
    struct search arg = {a, t};
    struct scan s = {.admin = a->admin,
                     .topic = t->topic,
                     .partition = t->partition,
                     .from = t->from,
                     .to = t->hw,
                     .deadline_ns = a->deadline_ns,
                     .batch = until_ours,
                     .arg = &arg};
    int rc = scan_run(&s, e);
    *ours = s.stopped;
    return rc;
}

/** Somebody else's topics may be large: their leaders know who wrote last. */
static int search_producers(struct audit *a, const struct audit_target *t, bool *ours,
                            struct err *e)
{
    struct admin_producers p;
    int rc = admin_describe_producers(a->admin, t->topic, t->partition,
                                      scan_left_ms(a->deadline_ns, FOREIGN_MS), &p, e);
    for (size_t i = 0; rc == 0 && i < p.n; i++) {
        int64_t pid = p.items[i].producer_id;
        *ours = *ours || map_get(&a->pids, &pid, sizeof pid) != NULL;
    }
    admin_producers_free(&p);
    return rc;
}

static void search_undeclared(struct audit *a, const struct audit_target *t)
{
    struct err e;
    bool ours = false;
    if (t->bounded && t->hw > t->log_start && search_log(a, t, &ours, &e) < 0) {
        audit_problem(a, &e);
    } else if (is_foreign(a, t) && search_producers(a, t, &ours, &e) < 0 && !is_refusal(&e)) {
        note(a, &e);
    }
    if (ours) {
        hist_add(a->h, H_LOG_PARTITION, HP_FACT, 0, HS(t->topic), HI(t->partition), HS(t->id),
                 HI(t->from), HI(t->lso), HI(t->hw), HS(t->what), HI(0), HI(1), HI(0));
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int find_targets(struct audit *a, struct err *e)
{
    struct admin_metadata md;
    struct err missing;
    int bound_ms = scan_left_ms(a->deadline_ns, TOPICS_MS);
    bound_ms = a->o->timeout_ms / 4 < bound_ms ? a->o->timeout_ms / 4 : bound_ms;
    if (topics_read(a->admin, a->o->plan, false, bound_ms, &md, &missing, e) < 0) {
        admin_metadata_free(&md);
        return -1;
    }
    if (missing.kind != ERR_NONE) {
        audit_problem(a, &missing);
    }
    add_topics(a, &md);
    admin_metadata_free(&md);
    return 0;
}

static void read_all(struct audit *a)
{
    struct err e;
    a->admin = admin_open(a->o->bootstrap, "kaos-audit", &e);
    if (!a->admin || find_targets(a, &e) < 0) {
        audit_problem(a, &e);
        return;
    }
    read_settings(a);
    settle(a);
    take_vector(a);
    for (size_t i = 0; i < a->targets.n; i++) {
        if (a->targets.items[i].bounded && !is_undeclared(&a->targets.items[i])) {
            audit_part(a, &a->targets.items[i]);
        }
    }
    for (size_t i = 0; i < a->targets.n; i++) {
        if (is_undeclared(&a->targets.items[i])) {
            search_undeclared(a, &a->targets.items[i]);
        }
    }
}

int audit_run(const struct audit_opts *o, struct hist *h, struct err *e)
{
    struct audit a = {
        .o = o, .h = h, .deadline_ns = clock_mono_ns() + (uint64_t)o->timeout_ms * 1000000};
    hist_add(h, H_AUDIT, HP_FACT, 0, HS(o->pass), HS("begin"), HI(0), HS(""));
    read_all(&a);
    if (a.nproblems > PROBLEMS_MAX) {
        buf_printf(&a.problems, "; and %zu more", a.nproblems - PROBLEMS_MAX);
    }
    bool complete = a.nproblems == 0;
    hist_add(h, H_AUDIT, HP_FACT, 0, HS(o->pass), HS("end"), HI(complete),
             HS(!complete ? a.problems.data : a.notes.data));
    if (!complete) {
        err_set(e, a.first.kind, a.first.code, "%s", a.problems.data);
    }
    for (size_t i = 0; i < a.targets.n; i++) {
        free(a.targets.items[i].topic);
    }
    free(a.targets.items);
    map_free(&a.pids);
    buf_free(&a.problems);
    buf_free(&a.notes);
    admin_close(a.admin);
    return complete ? 0 : -1;
}
