/* SPDX-License-Identifier: Apache-2.0 */
/* Hides when records are old enough to leave. */
#include "broker/retention.h"

#include "broker/part.h"

static void apply(struct partition *p, void *arg)
{
    struct broker *b = arg;
    const struct props *t = &p->topic->props;
    int64_t bytes = props_get(&b->props, t, PROP_RETENTION_BYTES);
    int64_t age = props_get(&b->props, t, PROP_RETENTION_MS);
    int64_t old = age < 0 ? INT64_MIN : state_now_ms() - age;
    if (!p->topic->internal && (bytes >= 0 || age >= 0)) {
        part_trim(b, p, plog_retained(&p->log, bytes < 0 ? SIZE_MAX : (size_t)bytes, old));
    }
}

static void apply_all(void *arg)
{
    part_each(arg, apply, arg);
}

void retention_start(struct broker *b)
{
    uint64_t every = (uint64_t)props_get(&b->props, NULL, PROP_RETENTION_CHECK);
    b->retention_timer = timer_start(b->loop, every, every, apply_all, b);
}

void retention_stop(struct broker *b)
{
    timer_stop(b->retention_timer);
}
