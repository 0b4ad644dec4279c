/* SPDX-License-Identifier: Apache-2.0 */
/* Instances that start later than the run: when a role says w:done with a name, or some time after
 * the faults began. Whoever still waits when the work is over is not started any more, and that is
 * said: such a run did not do what its scenario says. */
#include <stdlib.h>

#include "run/internal.h"

static void start(struct slot *s)
{
    s->start = NULL;
    member_spawn(s, "start");
}

static void on_due(void *arg)
{
    struct slot *s = arg;
    s->restart = NULL;
    if (s->start && !s->r->failed && s->r->phase == PH_WORK) {
        start(s);
    }
}

void starts_begin(struct run *r)
{
    for (size_t i = 0; i < r->nslots; i++) {
        struct slot *s = &r->slots[i];
        if (s->start && !s->start->after) {
            s->restart = timer_start(r->loop, (uint64_t)s->start->ms, 0, on_due, s);
        }
    }
}

void starts_poll(struct run *r)
{
    for (size_t i = 0; i < r->nslots && r->phase == PH_WORK && !r->failed; i++) {
        struct slot *s = &r->slots[i];
        if (s->start && s->start->after && map_get_str(&r->done, s->start->after)) {
            start(s);
        }
    }
}

void starts_end(struct run *r)
{
    for (size_t i = 0; i < r->nslots; i++) {
        struct slot *s = &r->slots[i];
        if (!s->start) {
            continue;
        }
        char *who = s->start->after
                        ? xasprintf("%s-%d waited for \"%s\"", s->name, s->index, s->start->after)
                        : xasprintf("%s-%d was due %lld ms after the faults began", s->name,
                                    s->index, (long long)s->start->ms);
        hist_add(r->hist, H_HARNESS, HP_FACT, 0, HS("an instance was never started"), HS(who));
        free(who);
        timer_stop(s->restart);
        s->restart = NULL;
        s->start = NULL;
        s->finished = true;
    }
}
