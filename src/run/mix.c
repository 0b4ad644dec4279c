/* SPDX-License-Identifier: Apache-2.0 */
/* Mixes: for each period a part of the faults of a mix is on, by hash (draw_mix). A fault that is
 * turned on draws its times anew; one that is turned off lets go what it holds. crash and abort are
 * drawn in the roles, which are told what is off. */
#include <stdlib.h>
#include <string.h>

#include "plan/draw.h"
#include "role/proto.h"
#include "run/internal.h"

static void begin_period(struct mix_clock *m);

json_t *mixes_off(const struct run *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->plan->faults.n; i++) {
        bool on = i < r->clocks.n ? r->clocks.items[i].on : r->plan->faults.items[i].mix == 0;
        if (!on) {
            json_array_append_new(list, json_integer((json_int_t)i));
        }
    }
    return list;
}

static void tell_roles(struct run *r)
{
    json_t *j = json_pack("{s:s,s:o}", "do", "mix", "off", mixes_off(r));
    char *text = json_dumps(j, JSON_COMPACT);
    members_send(r, ROLE_FAULT, text);
    free(text);
    json_decref(j);
}

static void turn(struct fault_clock *c, bool on)
{
    if (c->on == on) {
        return;
    }
    c->on = on;
    faults_record(c, on ? "on" : "off", "", "");
    if (on) {
        faults_schedule(c);
    } else {
        c->turn++;
        faults_heal(c);
    }
}

static bool belongs(const struct fault_clock *c, const struct mix_clock *m)
{
    return c->f->mix == m->index + 1;
}

static void name_fault(struct buf *b, const struct fault_clock *c)
{
    const struct plan_fault *f = c->f;
    const char *whom = f->node_text ? f->node_text
                       : f->group   ? f->group
                       : f->roles.n ? f->roles.items[0]
                                    : "";
    buf_printf(b, "%s%s%s%s", b->len ? ", " : "", plan_fault_name(f->kind), *whom ? " " : "", whom);
}

static void on_period(void *arg)
{
    struct mix_clock *m = arg;
    m->timer = NULL;
    if (!m->r->failed && m->r->faults_on) {
        m->period++;
        begin_period(m);
    }
}

static void begin_period(struct mix_clock *m)
{
    struct run *r = m->r;
    struct buf names = {0};
    char target[32];
    snprintf(target, sizeof target, "mix %d", m->index + 1);
    for (size_t i = 0; i < r->clocks.n; i++) {
        struct fault_clock *c = &r->clocks.items[i];
        if (belongs(c, m) && draw_mix(r->o->seed, m->index, c->index, m->period)) {
            name_fault(&names, c);
        }
    }
    hist_add(r->hist, H_FAULT, HP_FACT, 0, HI(-1), HS("mix"), HS("period"), HI(m->period + 1),
             HS(target), HS(names.len ? names.data : "none"));
    buf_free(&names);
    for (size_t i = 0; i < r->clocks.n; i++) {
        struct fault_clock *c = &r->clocks.items[i];
        if (belongs(c, m)) {
            turn(c, draw_mix(r->o->seed, m->index, c->index, m->period));
        }
    }
    tell_roles(r);
    m->timer =
        timer_start(r->loop, (uint64_t)r->plan->mixes.items[m->index].stable_ms, 0, on_period, m);
}

void mixes_start(struct run *r)
{
    size_t n = r->clocks.n ? r->plan->mixes.n : 0;
    bool first = !r->mixes;
    r->mixes = r->mixes ? r->mixes : xcalloc(n + 1, sizeof *r->mixes);
    for (size_t i = 0; i < n; i++) {
        struct mix_clock *m = &r->mixes[i];
        uint64_t period = first ? 0 : m->period + 1;
        *m = (struct mix_clock){.r = r, .index = (int)i, .period = period};
        begin_period(m);
    }
}

void mixes_stop(struct run *r)
{
    for (size_t i = 0; r->mixes && i < r->plan->mixes.n; i++) {
        timer_stop(r->mixes[i].timer);
        r->mixes[i].timer = NULL;
    }
    for (size_t i = 0; i < r->clocks.n; i++) {
        if (r->clocks.items[i].f->mix > 0) {
            turn(&r->clocks.items[i], false);
        }
    }
}
