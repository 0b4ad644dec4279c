/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the proof that a transaction hangs: a partition that shows it open while its coordinator
 * does not know it as Ongoing there nor as Prepare*, and that twice, some time apart. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/scan.h"
#include "audit/watch_priv.h"
#include "base/clock.h"
#include "base/mem.h"

enum { BOUND_MS = 4500, APART_MS = 2000, LOOK_MS = 1000 };

struct pin { /**< a partition's view of an open transaction */
    const struct watch_part *part;
    int64_t pid, start;
    int32_t epoch;
    char *id, *state; /**< of the coordinator's view; NULL = it knows none */
    int looks;        /**< how many times it was there */
    int unknown;      /**< how many times the coordinator did not know it as open */
};
struct pins {
    struct pin *items;
    size_t n, cap;
    struct watch *w;
    uint64_t deadline_ns;
};

static int ask_ms(const struct pins *s)
{
    return scan_left_ms(s->deadline_ns, LOOK_MS);
}

static struct pin *want_pin(struct pins *s, const struct watch_part *p,
                            const struct admin_producer *x)
{
    for (size_t i = 0; i < s->n; i++) {
        struct pin *it = &s->items[i];
        if (it->part == p && it->pid == x->producer_id && it->epoch == x->epoch &&
            it->start == x->txn_start) {
            return it;
        }
    }
    struct pin *it = VEC_PUSH(s);
    *it = (struct pin){.part = p, .pid = x->producer_id, .epoch = x->epoch, .start = x->txn_start};
    return it;
}

static void look_part(struct pins *s, const struct watch_part *p)
{
    struct admin_producers ps;
    struct err e;
    int rc = admin_describe_producers(s->w->admin, p->topic, p->number, ask_ms(s), &ps, &e);
    for (size_t i = 0; rc == 0 && i < ps.n; i++) {
        if (ps.items[i].txn_start >= 0) {
            want_pin(s, p, &ps.items[i])->looks++;
        }
    }
    admin_producers_free(&ps);
}

static bool lists_part(const struct admin_txn *t, const struct watch_part *p)
{
    for (size_t i = 0; i < t->npartitions; i++) {
        if (t->partitions[i].partition == p->number &&
            strcmp(t->partitions[i].topic, p->topic) == 0) {
            return true;
        }
    }
    return false;
}

/** Whether this view of the coordinator explains that the partition is held. */
static bool explains(const struct admin_txn *t, const struct pin *p)
{
    if (t->error || t->producer_id != p->pid) {
        return false;
    }
    return strncmp(t->state, "Prepare", 7) == 0 ||
           (strcmp(t->state, "Ongoing") == 0 && lists_part(t, p->part));
}

static void note_state(struct pin *p, const struct admin_txn *t)
{
    free(p->id);
    free(p->state);
    p->id = xstrdup(t->id);
    p->state = xstrdup(t->state);
}

/** @return -1 when the coordinators do not answer: nothing is proven. */
static int ask_coordinators(struct pins *s, struct pin *p, const struct admin_txns *all)
{
    bool explained = false;
    struct err e;
    for (size_t i = 0; i < all->n; i++) {
        struct admin_txns one;
        if (all->items[i].producer_id != p->pid) {
            continue;
        }
        int rc =
            admin_describe_transactions(s->w->admin, &all->items[i].id, 1, ask_ms(s), &one, &e);
        if (rc == 0 && one.n == 1 && one.items[0].state) {
            explained = explained || explains(&one.items[0], p);
            if (!p->id || explains(&one.items[0], p)) {
                note_state(p, &one.items[0]);
            }
        }
        admin_txns_free(&one);
        if (rc < 0) {
            return -1;
        }
    }
    p->unknown += !explained;
    return 0;
}

/** A coordinator that is away is not listed, and so are its transactions: nothing would be proven.
 */
static bool coordinators_are_up(const struct pins *s)
{
    static const char *const name = "__transaction_state";
    struct admin_metadata md;
    struct err e;
    bool up = admin_metadata(s->w->admin, &name, 1, ask_ms(s), &md, &e) == 0 && md.ntopics == 1 &&
              md.topics[0].error == 0;
    for (size_t i = 0; up && i < md.topics[0].npartitions; i++) {
        up = md.topics[0].partitions[i].leader >= 0;
    }
    admin_metadata_free(&md);
    return up;
}

/** One look at all partitions that may be held, then at the coordinators. */
static void look(struct pins *s, int number)
{
    struct admin_txns all;
    struct err e;
    for (size_t i = 0; i < s->w->parts.n && clock_mono_ns() < s->deadline_ns; i++) {
        const struct watch_part *p = s->w->parts.items[i];
        if ((p->declared || p->internal) && p->lso < p->hw) {
            look_part(s, p);
        }
    }
    if (s->n == 0) {
        return;
    }
    if (admin_list_transactions(s->w->admin, NULL, 0, ask_ms(s), &all, &e) == 0 &&
        coordinators_are_up(s)) {
        for (size_t i = 0; i < s->n; i++) {
            if (s->items[i].looks == number) {
                ask_coordinators(s, &s->items[i], &all);
            }
        }
    }
    admin_txns_free(&all);
}

/** The ends as they are now; a leader that is away keeps its last ones. */
static void last_samples(struct pins *s)
{
    int32_t away = -2;
    for (size_t i = 0; i < s->w->parts.n && clock_mono_ns() < s->deadline_ns; i++) {
        struct watch_part *p = s->w->parts.items[i];
        bool held = p->internal && p->lso < p->hw;
        if ((p->declared || held) && p->leader != away && !sample_part(s->w, p)) {
            away = p->leader;
        }
    }
}

static void write_pins(const struct pins *s, int looks)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct pin *p = &s->items[i];
        if (p->looks < looks) {
            continue; /* it ended in between */
        }
        hist_add(s->w->h, H_OPEN_TXN, HP_FACT, 0, HS(p->part->topic), HI(p->part->number),
                 HI(p->pid), HI(p->epoch), HI(p->start), HS(p->id), HS(p->state),
                 HI(p->unknown >= 2));
    }
}

void open_write(struct watch *w)
{
    struct pins s = {.w = w, .deadline_ns = w->stop_ns + (uint64_t)BOUND_MS * 1000000};
    int looks = 1;
    last_samples(&s);
    look(&s, 1);
    uint64_t now = clock_mono_ns(), second = now + (uint64_t)APART_MS * 1000000;
    if (s.n > 0 && second < s.deadline_ns) {
        usleep((useconds_t)((second - now) / 1000));
        looks = 2;
        last_samples(&s);
        look(&s, 2);
    }
    write_pins(&s, looks);
    for (size_t i = 0; i < s.n; i++) {
        free(s.items[i].id);
        free(s.items[i].state);
    }
    free(s.items);
}
