/* SPDX-License-Identifier: Apache-2.0 */
/* Hides which committed offset counts: among plain and transactional ones it is the one whose
 * record in __consumer_offsets stands later, whatever ends first. Loop thread only. */
#include "broker/goffsets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/leaders.h"
#include "broker/part.h"
#include "wire/internal.h"

static size_t find(const struct group_offsets *list, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct group_offset *o = &list->items[i];
        if (o->partition == partition && strcmp(o->topic, topic) == 0) {
            return i;
        }
    }
    return list->n;
}

const struct group_offset *goffsets_find(const struct group_offsets *list, const char *topic,
                                         int32_t partition)
{
    size_t i = find(list, topic, partition);
    return i < list->n ? &list->items[i] : NULL;
}

static void charge(struct group_offsets *list, struct group_offset *o)
{
    state_charge(list->b, &o->cost,
                 sizeof *o + STATE_ENTRY + strlen(o->topic) + strlen(o->metadata));
}

static void remove_at(struct group_offsets *list, size_t i)
{
    state_charge(list->b, &list->items[i].cost, 0);
    free(list->items[i].topic);
    free(list->items[i].metadata);
    list->n--;
    memmove(&list->items[i], &list->items[i + 1], (list->n - i) * sizeof *list->items);
}

void goffsets_free(struct group_offsets *list)
{
    while (list->n > 0) {
        remove_at(list, list->n - 1);
    }
    free(list->items);
    *list = (struct group_offsets){.b = list->b};
}

/** Takes o's strings. */
static void keep(struct group_offsets *list, struct group_offset *o)
{
    size_t i = find(list, o->topic, o->partition);
    if (i == list->n) {
        *VEC_PUSH(list) = *o;
        charge(list, &list->items[i]);
        return;
    }
    struct group_offset *old = &list->items[i];
    if (old->record > o->record) {
        free(o->topic);
        free(o->metadata);
        return;
    }
    free(old->topic);
    free(old->metadata);
    size_t cost = old->cost;
    *old = *o;
    old->cost = cost;
    charge(list, old);
}

/** One record of __consumer_offsets; a tombstone when o is to be deleted. */
static int write_record(struct group *g, const struct group_offset *o, bool tombstone,
                        int64_t producer_id, int16_t epoch, int64_t *at)
{
    struct partition *p = group_home(g->b, g->id);
    struct internal_offset x = {.group = g->id,
                                .topic = o->topic,
                                .partition = o->partition,
                                .offset = o->offset,
                                .leader_epoch = o->leader_epoch,
                                .metadata = o->metadata,
                                .commit_ms = o->commit_ms};
    struct buf key = {0}, value = {0}, blob = {0};
    struct err e;
    internal_write_offset_key(&key, &x);
    if (!tombstone) {
        internal_write_offset(&value, &x);
    }
    struct record r = {.timestamp = state_now_ms(),
                       .key = (uint8_t *)key.data,
                       .key_len = (int32_t)key.len,
                       .value = (uint8_t *)value.data,
                       .value_len = tombstone ? -1 : (int32_t)value.len};
    struct batch_opts how = {.transactional = producer_id >= 0,
                             .producer_id = producer_id,
                             .producer_epoch = epoch,
                             .base_sequence = -1};
    if (batch_write(&blob, &how, &r, 1, &e) < 0) {
        abort();
    }
    struct part_origin from = {.coordinator = true};
    struct part_appended done = {.base = -1};
    int code = leaders_enough(g->b, p) ? part_append(g->b, p, blob.data, blob.len, &from, &done)
                                       : KAFKA_COORDINATOR_NOT_AVAILABLE;
    *at = done.base;
    if (code == KAFKA_STORAGE_ERROR) {
        code = KAFKA_COORDINATOR_NOT_AVAILABLE; /* as Kafka's coordinators: to be tried again */
    }
    buf_free(&key);
    buf_free(&value);
    buf_free(&blob);
    return code;
}

int goffsets_commit(struct group *g, const struct group_offset *o, int64_t producer_id,
                    int16_t epoch)
{
    struct group_offset x = *o;
    x.cost = 0;
    x.commit_ms = state_now_ms();
    x.producer_id = producer_id;
    int code = write_record(g, &x, false, producer_id, epoch, &x.record);
    if (code != KAFKA_NONE) {
        return code;
    }
    x.topic = xstrdup(o->topic);
    x.metadata = xstrdup(o->metadata ? o->metadata : "");
    if (producer_id < 0) {
        keep(&g->committed, &x);
        return KAFKA_NONE;
    }
    for (size_t i = 0; i < g->held.n; i++) {
        struct group_offset *old = &g->held.items[i];
        if (old->producer_id == producer_id && old->partition == x.partition &&
            strcmp(old->topic, x.topic) == 0) {
            remove_at(&g->held, i);
            break;
        }
    }
    *VEC_PUSH(&g->held) = x;
    charge(&g->held, &g->held.items[g->held.n - 1]);
    return KAFKA_NONE;
}

static void end_txn(struct group *g, int64_t producer_id, bool commit)
{
    for (size_t i = 0; i < g->held.n;) {
        if (g->held.items[i].producer_id != producer_id) {
            i++;
            continue;
        }
        if (commit) {
            state_charge(g->b, &g->held.items[i].cost, 0);
            keep(&g->committed, &g->held.items[i]);
            g->held.items[i].topic = g->held.items[i].metadata = NULL;
        }
        remove_at(&g->held, i);
    }
}

void goffsets_marker(struct broker *b, int32_t partition, int64_t producer_id, bool commit)
{
    for (size_t i = 0; i < b->groups.n; i++) {
        struct group *g = b->groups.items[i].p;
        if (g && g->held.n > 0 && group_home(b, g->id)->index == partition) {
            end_txn(g, producer_id, commit);
        }
    }
}

void goffsets_delete(struct group *g, const char *topic, int32_t partition)
{
    size_t i = find(&g->committed, topic, partition), k = find(&g->held, topic, partition);
    struct group_offset o = {.topic = (char *)topic, .partition = partition};
    int64_t at;
    if (i < g->committed.n || k < g->held.n) {
        write_record(g, &o, true, -1, -1, &at);
    }
    for (; k < g->held.n; k = find(&g->held, topic, partition)) {
        remove_at(&g->held, k);
    }
    if (i < g->committed.n) { /* last: the name may be its own */
        remove_at(&g->committed, i);
    }
}

void goffsets_clear(struct group *g)
{
    while (g->committed.n > 0) {
        const struct group_offset *o = &g->committed.items[g->committed.n - 1];
        goffsets_delete(g, o->topic, o->partition);
    }
    goffsets_free(&g->held);
}

static void drop_topic(struct group *g, const char *topic)
{
    for (size_t i = 0; i < g->committed.n;) {
        const struct group_offset *o = &g->committed.items[i];
        if (strcmp(o->topic, topic) == 0) {
            goffsets_delete(g, o->topic, o->partition);
        } else {
            i++;
        }
    }
    for (size_t i = 0; i < g->held.n;) {
        if (strcmp(g->held.items[i].topic, topic) == 0) {
            remove_at(&g->held, i);
        } else {
            i++;
        }
    }
}

void goffsets_topic_deleted(struct broker *b, const char *topic)
{
    for (size_t i = 0; i < b->groups.n; i++) {
        struct group *g = b->groups.items[i].p;
        if (g) {
            drop_topic(g, topic);
        }
    }
}
