/* SPDX-License-Identifier: Apache-2.0 */
/* The broker as a whole: its start and its end. Loop thread only. */
#include "broker/broker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "broker/conn.h"
#include "broker/fetch_session.h"
#include "broker/front.h"
#include "broker/group.h"
#include "broker/nodes.h"
#include "broker/part.h"
#include "broker/retention.h"
#include "broker/tc.h"

enum { NS_PER_MS = 1000000, FIRST_PRODUCER_ID = 0 };

int64_t state_now_ms(void)
{
    return (int64_t)(clock_real_ns() / NS_PER_MS);
}

uint64_t state_mono_ms(void)
{
    return clock_mono_ns() / NS_PER_MS;
}

void state_charge(struct broker *b, size_t *cost, size_t now)
{
    b->used += now - *cost;
    *cost = now;
}

bool state_room(const struct broker *b, size_t bytes)
{
    return b->memory == 0 || (b->used <= b->memory && bytes <= b->memory - b->used);
}

int state_node_of(const struct broker *b, uint32_t number)
{
    return 1 + (int)(number % (uint32_t)b->nnodes);
}

uint32_t state_hash(const char *s)
{
    uint32_t h = 0;
    for (; *s; s++) {
        h = 31 * h + (unsigned char)*s;
    }
    return h & INT32_MAX;
}

static void make_cluster_id(struct broker *b)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[22];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        abort();
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        b->cluster_id[i] = digits[bytes[i] % 64];
    }
}

static void expire_of(struct partition *p, void *arg)
{
    struct broker *b = arg;
    uint64_t age = (uint64_t)props_get(&b->props, NULL, PROP_PID_EXPIRATION);
    uint64_t now = state_mono_ms();
    if (now > age) {
        part_expire_producers(b, p, now - age);
    }
}

static void expire_producers(void *arg)
{
    part_each(arg, expire_of, arg);
}

int broker_check_setting(const char *name, const char *value, struct err *e)
{
    struct props scratch = {0};
    return props_set(&scratch, name, false, value, e);
}

/** Kafka does not start with a value outside of its own limits. */
static int check_range(const struct broker *b, enum props_id id, enum props_id low,
                       enum props_id high, struct err *e)
{
    int64_t v = props_get(&b->props, NULL, id);
    int64_t min = props_get(&b->props, NULL, low), max = props_get(&b->props, NULL, high);
    if (v >= min && v <= max) {
        return 0;
    }
    return err_set(e, ERR_USAGE, 0, "%s=%lld: %s is %lld and %s is %lld", props_row(id)->broker,
                   (long long)v, props_row(low)->broker, (long long)min, props_row(high)->broker,
                   (long long)max);
}

static int take_opts(struct broker *b, const struct broker_opts *o, struct err *e)
{
    if (o->nodes < 1 || o->nodes > BROKER_NODES_MAX || o->listeners < 1 ||
        o->listeners > BROKER_LISTENERS_MAX) {
        return err_set(e, ERR_USAGE, 0, "a broker of %d nodes: possible are 1 to %d", o->nodes,
                       BROKER_NODES_MAX);
    }
    for (size_t i = 0; i < o->nsettings; i++) {
        if (props_set(&b->props, o->settings[i].name, false, o->settings[i].value, e) < 0) {
            return -1;
        }
    }
    if (check_range(b, PROP_CONSUMER_SESSION, PROP_CONSUMER_SESSION_MIN, PROP_CONSUMER_SESSION_MAX,
                    e) < 0 ||
        check_range(b, PROP_CONSUMER_HEARTBEAT, PROP_CONSUMER_HEARTBEAT_MIN,
                    PROP_CONSUMER_HEARTBEAT_MAX, e) < 0) {
        return -1;
    }
    b->loop = o->loop;
    b->nnodes = o->nodes;
    b->nlisteners = o->listeners;
    b->memory = o->memory;
    b->seed = o->seed;
    b->trace = o->trace;
    b->trace_arg = o->trace_arg;
    b->on_node = o->on_node;
    b->node_arg = o->node_arg;
    b->transaction_version =
        o->transaction_version ? o->transaction_version : BROKER_TXN_VERSION_MAX;
    b->next_producer_id = FIRST_PRODUCER_ID;
    for (int i = 0; i < b->nnodes; i++) {
        b->nodes[i].b = b;
        b->nodes[i].id = i + 1;
    }
    return 0;
}

struct broker *broker_start(const struct broker_opts *o, struct err *e)
{
    struct broker *b = xcalloc(1, sizeof *b);
    mem_keep_freed();
    if (take_opts(b, o, e) < 0 || front_open(b, o, e) < 0) {
        broker_free(b);
        return NULL;
    }
    make_cluster_id(b);
    nodes_start(b);
    tc_start(b);
    bounds_start(b);
    retention_start(b);
    uint64_t every = (uint64_t)props_get(&b->props, NULL, PROP_PID_EXPIRATION_CHECK);
    b->pid_timer = timer_start(b->loop, every, every, expire_producers, b);
    return b;
}

/** What was deferred before has run by now. */
static void free_rest(void *arg)
{
    struct broker *b = arg;
    tc_free_all(b);
    part_free_all(b);
    assert(b->used == 0);
    free(b);
}

void broker_free(struct broker *b)
{
    b->closing = true;
    nodes_stop(b);
    front_close(b);
    fetch_session_end_all(b);
    group_free_all(b);
    timer_stop(b->pid_timer);
    bounds_stop(b);
    retention_stop(b);
    if (b->loop) {
        loop_defer(b->loop, free_rest, b);
    } else {
        free_rest(b);
    }
}

const char *broker_bootstrap(const struct broker *b, int listener)
{
    return b->bootstrap[listener];
}
