/* SPDX-License-Identifier: Apache-2.0 */
/* Hides where topics are and what happens around an append: validation as Kafka's, the producer's
 * state, the log, and those who wait for it. Loop thread only. */
#include "broker/part.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "broker/fetch.h"
#include "broker/leaders.h"
#include "broker/nodes.h"

enum { NAME_MAX_LEN = 249, ATTRIBUTES_AT = 21, MAX_TIME_AT = 35, CRC_AT = 17, TIME_TYPE = 1 << 3 };

/* ---- topics -----------------------------------------------------------------------------------
 */

struct topic *part_topic(const struct broker *b, const char *name)
{
    struct map_entry *at = name ? map_get_str(&b->topics, name) : NULL;
    return at ? at->p : NULL;
}

struct topic *part_topic_by_id(const struct broker *b, const uint8_t id[static TOPIC_ID_BYTES])
{
    struct map_entry *at = map_get(&b->ids, id, TOPIC_ID_BYTES);
    return at ? at->p : NULL;
}

struct partition *part_find(const struct broker *b, const char *topic, int32_t index)
{
    struct topic *t = part_topic(b, topic);
    return t && index >= 0 && index < t->nparts ? t->parts[index] : NULL;
}

bool part_name_ok(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > NAME_MAX_LEN || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

/** Of partition 0, for the choice of its nodes: the internal topics begin apart from each other. */
static uint32_t number_of(const struct broker *b, const struct topic *t)
{
    return t->internal ? strcmp(t->name, TXN_TOPIC) == 0 : b->ntopics;
}

size_t part_cost(int32_t partitions)
{
    return sizeof(struct topic) + 3 * STATE_ENTRY + (size_t)partitions * sizeof(struct partition);
}

/** What is known of producers and aborted transactions. */
static void charge(struct broker *b, struct partition *p)
{
    const struct pstate *s = &p->producers;
    state_charge(b, &p->cost,
                 sizeof *p + sizeof p +
                     s->producers.n * (sizeof(struct pstate_producer) + STATE_ENTRY) +
                     s->aborted.cap * sizeof *s->aborted.items);
}

void part_expire_producers(struct broker *b, struct partition *p, uint64_t before_ms)
{
    pstate_expire(&p->producers, before_ms);
    charge(b, p);
}

bool part_name_internal(const char *name)
{
    return strcmp(name, OFFSETS_TOPIC) == 0 || strcmp(name, TXN_TOPIC) == 0;
}

void part_grow(struct broker *b, struct topic *t, int32_t partitions)
{
    t->parts = xrealloc(t->parts, (size_t)partitions * sizeof(struct partition *));
    for (int32_t i = t->nparts; i < partitions; i++) {
        struct partition *p = t->parts[i] = xcalloc(1, sizeof *p);
        p->topic = t;
        p->index = i;
        leaders_place(b, p, number_of(b, t) + (uint32_t)i);
        charge(b, p);
    }
    t->nparts = partitions;
    b->topics_at++;
}

void part_new_id(const struct broker *b, uint8_t id[static TOPIC_ID_BYTES])
{
    do { /* the first bytes must not look like an id that Kafka reserves */
        if (getrandom(id, TOPIC_ID_BYTES, 0) < 0) {
            abort();
        }
    } while (id[0] == 0 || map_get(&b->ids, id, TOPIC_ID_BYTES));
}

struct topic *part_create(struct broker *b, const char *name, int32_t partitions, int replication,
                          const struct props *props)
{
    struct topic *t = xcalloc(1, sizeof *t);
    t->name = xstrdup(name);
    t->internal = part_name_internal(name);
    t->replication = replication;
    if (props) {
        t->props = *props;
    }
    part_new_id(b, t->id);
    state_charge(b, &t->cost, sizeof *t + 3 * STATE_ENTRY + strlen(name));
    map_sweep(&b->topics);
    map_sweep(&b->ids);
    map_put_str(&b->topics, name)->p = t;
    map_put(&b->ids, t->id, sizeof t->id, NULL)->p = t;
    part_grow(b, t, partitions);
    b->ntopics++;
    return t;
}

static void free_topic(struct broker *b, struct topic *t)
{
    for (int32_t i = 0; i < t->nparts; i++) {
        struct partition *p = t->parts[i];
        b->used -= p->log.bytes;
        plog_free(&p->log);
        pstate_free(&p->producers);
        state_charge(b, &p->cost, 0);
        free(p->epochs.items);
        free(p);
    }
    state_charge(b, &t->cost, 0);
    free(t->parts);
    free(t->name);
    free(t);
}

void part_delete(struct broker *b, struct topic *t)
{
    map_get_str(&b->topics, t->name)->p = NULL;
    map_get(&b->ids, t->id, sizeof t->id)->p = NULL;
    b->topics_at++;
    for (int32_t i = 0; i < t->nparts; i++) {
        fetch_forget(b, t->parts[i]);
    }
    free_topic(b, t);
}

void part_free_all(struct broker *b)
{
    for (size_t i = 0; i < b->topics.n; i++) {
        if (b->topics.items[i].p) {
            free_topic(b, b->topics.items[i].p);
        }
    }
    map_free(&b->topics);
    map_free(&b->ids);
}

void part_each(struct broker *b, void (*fn)(struct partition *p, void *arg), void *arg)
{
    for (size_t i = 0; i < b->topics.n; i++) {
        const struct topic *t = b->topics.items[i].p;
        for (int32_t k = 0; t && k < t->nparts; k++) {
            fn(t->parts[k], arg);
        }
    }
}

struct topic *part_internal(struct broker *b, const char *name)
{
    struct topic *t = part_topic(b, name);
    if (t) {
        return t;
    }
    struct props props = {0};
    bool offsets = strcmp(name, OFFSETS_TOPIC) == 0;
    props_force(&props, PROP_CLEANUP_POLICY, "compact");
    int64_t n = props_get(&b->props, NULL, offsets ? PROP_OFFSETS_PARTITIONS : PROP_TXN_PARTITIONS);
    return part_create(b, name, (int32_t)n, b->nnodes < 3 ? b->nnodes : 3, &props);
}

/* ---- appends ----------------------------------------------------------------------------------
 */

int64_t part_lso(const struct partition *p)
{
    int64_t open = pstate_first_open(&p->producers);
    if (open < 0) {
        return p->log.end;
    }
    return open < p->log.start ? plog_batch_base(&p->log, p->log.start) : open; /* as in Kafka */
}

static int refuse(struct part_appended *out, int code, const char *why)
{
    out->why = why;
    return code;
}

/** What Kafka checks before it looks at the transaction: one whole batch. */
static int check_blob(const void *records, size_t len, struct batch_pass *begun, struct batch *x)
{
    struct batch_iter it;
    batch_iter_init(&it, records, len);
    it.look = true;
    it.begun = begun;
    enum batch_next got = batch_iter_next(&it, x);
    if (got == BATCH_END) {
        return KAFKA_INVALID_RECORD;
    }
    if (x->size < BATCH_HEADER) {
        return KAFKA_CORRUPT_MESSAGE;
    }
    if (x->magic < 0 || x->magic > 2) {
        return KAFKA_CORRUPT_MESSAGE;
    }
    if (x->magic != 2) {
        return KAFKA_INVALID_RECORD;
    }
    if (it.pos != len) {
        return KAFKA_INVALID_RECORD;
    }
    return KAFKA_NONE;
}

/** What Kafka checks behind that and before it looks at the producer: a batch that makes sense. */
static int check_batch(const struct broker *b, const struct partition *p, const struct batch *x)
{
    if (x->size > (size_t)props_get(&b->props, &p->topic->props, PROP_MESSAGE_MAX)) {
        return KAFKA_MESSAGE_TOO_LARGE;
    }
    if (!x->crc_ok) {
        return KAFKA_CORRUPT_MESSAGE;
    }
    if (x->base_offset != 0 || x->count <= 0 || x->last_offset_delta != x->count - 1) {
        return KAFKA_INVALID_RECORD;
    }
    if (x->codec > CODEC_ZSTD) {
        return KAFKA_CORRUPT_MESSAGE;
    }
    return KAFKA_NONE;
}

/** Which records have a time above the limit; none if they cannot be read. */
static void find_late(const struct batch *x, int64_t limit, struct part_appended *out)
{
    struct record_iter it;
    struct record r;
    record_iter_init(&it, x);
    for (int32_t i = 0; record_iter_next(&it, &r) > 0; i++) {
        if (r.timestamp > limit) {
            *VEC_PUSH(&out->late) = i;
        }
    }
    record_iter_free(&it);
}

static int check_records(const struct broker *b, const struct partition *p, const struct batch *x,
                         struct part_appended *out)
{
    const struct props *t = &p->topic->props;
    if (x->control) {
        return KAFKA_INVALID_RECORD;
    }
    if (x->producer_id >= 0 && (x->base_sequence < 0 || x->producer_epoch < 0)) {
        return KAFKA_INVALID_RECORD;
    }
    if (x->codec == CODEC_NONE && !x->dense) {
        return KAFKA_INVALID_RECORD;
    }
    int64_t ahead = x->max_timestamp - state_now_ms();
    int64_t most = props_get(&b->props, t, PROP_TIMESTAMP_AFTER_MAX);
    if (!props_get(&b->props, t, PROP_TIMESTAMP_TYPE) && ahead > most) {
        find_late(x, x->max_timestamp - ahead + most, out);
        return refuse(out, KAFKA_INVALID_TIMESTAMP, "A timestamp lies too far ahead.");
    }
    return KAFKA_NONE;
}

/** A transactional batch must belong to a transaction that knows the partition. */
static int check_transaction(struct broker *b, struct partition *p, const struct batch *x,
                             const struct part_origin *from)
{
    if (!x->transactional || from->coordinator ||
        pstate_in_txn(&p->producers, x->producer_id, x->producer_epoch) ||
        !props_get(&b->props, NULL, PROP_TXN_VERIFY)) {
        return KAFKA_NONE;
    }
    if (!from->txn_id) {
        return KAFKA_INVALID_TXN_STATE;
    }
    const struct pstate_producer *known = pstate_find(&p->producers, x->producer_id);
    if (known && x->producer_epoch < known->epoch) {
        return KAFKA_INVALID_PRODUCER_EPOCH; /* seen here without asking anybody */
    }
    if (!state_room(b, 0)) {
        return KAFKA_STORAGE_ERROR;
    }
    struct tc_owner who = {from->txn_id, x->producer_id, x->producer_epoch};
    pstate_note_attempt(&p->producers, x->producer_id, x->producer_epoch, x->base_sequence,
                        from->support == TC_ADDS);
    charge(b, p);
    int code = tc_admit(b, &who, from->support, p);
    bool again = code == KAFKA_COORDINATOR_NOT_AVAILABLE ||
                 (code == KAFKA_CONCURRENT_TRANSACTIONS && from->support != TC_ADDS);
    return again ? KAFKA_NOT_ENOUGH_REPLICAS : code; /* which clients of every age repeat on */
}

bool part_has_room(const struct broker *b, const struct partition *p, size_t size)
{
    return state_room(b, plog_cost(&p->log, size));
}

static void write_batch(struct broker *b, struct partition *p, const struct batch *x,
                        struct buf *whole)
{
    size_t before = p->log.bytes;
    plog_append(&p->log, x, p->leader_epoch,
                whole && state_room(b, whole->cap + sizeof(struct plog_segment)) ? whole : NULL);
    b->used += p->log.bytes - before;
}

static void put(uint8_t *p, uint64_t u, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        p[i] = (uint8_t)(u >> 8 * (size - 1 - i));
    }
}

/** The batch with the broker's time instead of the client's; freed by the caller. */
static uint8_t *with_append_time(struct batch *x, int64_t now)
{
    uint8_t *copy = (uint8_t *)xmemdup0(x->bytes, x->size);
    x->attributes |= TIME_TYPE;
    x->max_timestamp = now;
    x->log_append_time = true;
    put(copy + ATTRIBUTES_AT, (uint16_t)x->attributes, 2);
    put(copy + MAX_TIME_AT, (uint64_t)now, 8);
    put(copy + CRC_AT, crc32c(copy + ATTRIBUTES_AT, x->size - ATTRIBUTES_AT), 4);
    x->bytes = copy;
    return copy;
}

static void append_checked(struct broker *b, struct partition *p, struct batch *x,
                           const struct part_origin *from, struct part_appended *out)
{
    uint8_t *copy = NULL;
    if (props_get(&b->props, &p->topic->props, PROP_TIMESTAMP_TYPE)) {
        out->log_append_time = state_now_ms();
        copy = with_append_time(x, out->log_append_time);
    }
    out->base = p->log.end;
    write_batch(b, p, x, copy ? NULL : from->whole);
    if (x->producer_id >= 0) {
        pstate_append(&p->producers, x, out->base, state_mono_ms());
        charge(b, p);
    }
    free(copy);
    fetch_wake(b, p);
}

int part_append(struct broker *b, struct partition *p, const void *records, size_t len,
                const struct part_origin *from, struct part_appended *out)
{
    struct batch x;
    *out = (struct part_appended){.base = -1, .log_append_time = -1};
    int code = check_blob(records, len, from->pass, &x);
    if (code == KAFKA_NONE && x.producer_id >= 0) {
        code = check_transaction(b, p, &x, from);
    }
    if (code == KAFKA_NONE) {
        code = check_batch(b, p, &x);
        if (code == KAFKA_NONE && !from->coordinator) {
            code = check_records(b, p, &x, out);
        }
        out->reached = code == KAFKA_INVALID_RECORD || code == KAFKA_INVALID_TIMESTAMP;
    }
    if (code == KAFKA_NONE && x.producer_id >= 0 && !from->coordinator) {
        const struct pstate_batch *twin = pstate_duplicate(&p->producers, &x);
        if (twin) {
            out->base = twin->first_offset;
            out->log_append_time = twin->timestamp;
            out->duplicate = true;
            return KAFKA_NONE;
        }
        code = pstate_check(&p->producers, &x);
        out->reached = code != KAFKA_NONE;
    }
    if (code == KAFKA_NONE && !part_has_room(b, p, x.size)) {
        code = refuse(out, KAFKA_STORAGE_ERROR, "The broker's memory limit is reached.");
    }
    if (code == KAFKA_NONE) {
        append_checked(b, p, &x, from, out);
    }
    return code;
}

static void append_written(struct broker *b, struct partition *p, struct buf *blob)
{
    struct batch_iter it;
    struct batch x;
    batch_iter_init(&it, blob->data, blob->len);
    if (batch_iter_next(&it, &x) != BATCH_OK) {
        abort(); /* our own bytes */
    }
    write_batch(b, p, &x, NULL);
    buf_free(blob);
}

void part_marker(struct broker *b, struct partition *p, int64_t producer_id, int16_t epoch,
                 bool commit, int32_t coordinator_epoch)
{
    uint8_t key[4] = {0}, value[6] = {0};
    struct buf blob = {0};
    struct err e;
    int64_t now = state_now_ms(), offset = p->log.end;
    put(key + 2, commit ? CONTROL_COMMIT : CONTROL_ABORT, 2);
    put(value + 2, (uint32_t)coordinator_epoch, 4);
    struct record r = {.timestamp = now,
                       .key = key,
                       .key_len = sizeof key,
                       .value = value,
                       .value_len = sizeof value};
    struct batch_opts o = {.transactional = true,
                           .control = true,
                           .producer_id = producer_id,
                           .producer_epoch = epoch,
                           .base_sequence = -1};
    if (batch_write(&blob, &o, &r, 1, &e) < 0) {
        abort();
    }
    append_written(b, p, &blob);
    pstate_marker(&p->producers, producer_id, epoch, commit, coordinator_epoch, offset, now,
                  state_mono_ms());
    charge(b, p);
    fetch_wake(b, p);
}

void part_append_own(struct broker *b, struct partition *p, const void *key, size_t key_len,
                     const void *value, size_t value_len)
{
    struct buf blob = {0};
    struct err e;
    struct record r = {.timestamp = state_now_ms(),
                       .key = key,
                       .key_len = (int32_t)key_len,
                       .value = value,
                       .value_len = value ? (int32_t)value_len : -1};
    struct batch_opts o = {.producer_id = -1};
    if (batch_write(&blob, &o, &r, 1, &e) < 0) {
        abort();
    }
    append_written(b, p, &blob);
    fetch_wake(b, p);
}

int part_trim(struct broker *b, struct partition *p, int64_t offset)
{
    int64_t to = offset == -1 ? p->log.end : offset;
    if (to < 0 || to > p->log.end) {
        return KAFKA_OFFSET_OUT_OF_RANGE;
    }
    if (to > p->log.start) {
        size_t before = p->log.bytes;
        plog_trim(&p->log, to);
        pstate_trim(&p->producers, to);
        b->used -= before - p->log.bytes;
    }
    return KAFKA_NONE;
}
