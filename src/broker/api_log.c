/* SPDX-License-Identifier: Apache-2.0 */
/* ListOffsets, OffsetForLeaderEpoch, DeleteRecords and DescribeProducers: what the leader of a
 * partition is asked about its log. */
#include <string.h>

#include "broker/call.h"
#include "broker/leaders.h"
#include "broker/part.h"

enum {
    TIME_LATEST = -1,
    TIME_EARLIEST = -2,
    TIME_MAX = -3,
    TIME_EARLIEST_LOCAL = -4,
    TIME_LATEST_TIERED = -5,
    TIME_EARLIEST_PENDING_UPLOAD = -6,
};

static int find(struct call *c, const char *topic, int64_t index, int64_t epoch,
                struct partition **p)
{
    *p = part_find(c->b, topic, (int32_t)index);
    if (!*p) {
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if ((*p)->leader != c->node->id) {
        return KAFKA_NOT_LEADER_OR_FOLLOWER;
    }
    if (epoch < 0 || epoch == (*p)->leader_epoch) {
        return KAFKA_NONE;
    }
    return epoch < (*p)->leader_epoch ? KAFKA_FENCED_LEADER_EPOCH : KAFKA_UNKNOWN_LEADER_EPOCH;
}

/** Answers for one partition: ask is its element of the request; the answer is added to topic. */
typedef void (*partition_fn)(struct call *c, struct wire_value *topic, const char *name,
                             const struct wire_value *ask);

/** Answers topic by topic and partition by partition; name and partitions: what the fields are
 * called in this request (and name in its answer). */
static void each_partition(struct call *c, const char *name, const char *partitions,
                           partition_fn fn)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "Topics") && !c->resp.over; i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        struct wire_value *out = wire_add(&c->resp, &c->resp.root, "Topics");
        wire_set_str(&c->resp, out, name, wire_str(t, name));
        for (size_t k = 0; k < wire_count(t, partitions) && !c->resp.over; k++) {
            fn(c, out, wire_str(t, name), wire_at(t, partitions, k));
        }
    }
    call_reply(c);
}

/* ---- ListOffsets ------------------------------------------------------------------------------
 */

/** The first version that may ask for this. */
static int first_version(int64_t time)
{
    switch (time) {
    case TIME_MAX:
        return 7;
    case TIME_EARLIEST_LOCAL:
        return 8;
    case TIME_LATEST_TIERED:
        return 9;
    case TIME_EARLIEST_PENDING_UPLOAD:
        return 11;
    default:
        return time < TIME_EARLIEST ? INT16_MAX : 0;
    }
}

struct found {
    int64_t offset, time; /**< -1 = none */
    int32_t epoch;
};

/** Nothing is tiered here: what is asked of remote storage has no answer. */
static void look_up(const struct call *c, const struct partition *p, int64_t time, struct found *f)
{
    bool committed = wire_int(&c->req.root, "IsolationLevel") == 1;
    int64_t upto = committed ? part_lso(p) : p->log.end;
    if (time == TIME_LATEST) {
        *f = (struct found){upto, -1, p->leader_epoch};
        return;
    }
    if (time == TIME_EARLIEST || time == TIME_EARLIEST_LOCAL) {
        f->offset = p->log.start;
    } else if (time == TIME_MAX) {
        plog_find_max_time(&p->log, p->log.end, &f->offset, &f->time);
    } else if (time >= 0) {
        plog_find_time(&p->log, time, p->log.end, &f->offset, &f->time);
    }
    if (f->offset >= upto && time != TIME_EARLIEST && time != TIME_EARLIEST_LOCAL) {
        *f = (struct found){-1, -1, -1}; /* not to be seen yet */
    }
    if (f->offset >= 0) {
        f->epoch = leaders_epoch_at(p, f->offset);
    }
}

static void list_one(struct call *c, struct wire_value *topic, const char *name,
                     const struct wire_value *ask, bool twice)
{
    struct partition *p;
    struct found f = {-1, -1, -1};
    int64_t time = wire_int(ask, "Timestamp");
    int code = twice                              ? KAFKA_INVALID_REQUEST
               : c->version < first_version(time) ? KAFKA_UNSUPPORTED_VERSION
                                                  : find(c, name, wire_int(ask, "PartitionIndex"),
                                                         wire_int(ask, "CurrentLeaderEpoch"), &p);
    if (code == KAFKA_NONE) {
        look_up(c, p, time, &f);
    }
    struct wire_value *out = wire_add(&c->resp, topic, "Partitions");
    wire_set_int(out, "PartitionIndex", wire_int(ask, "PartitionIndex"));
    wire_set_int(out, "ErrorCode", code);
    wire_set_int(out, "Timestamp", f.time);
    wire_set_int(out, "Offset", f.offset);
    wire_set_int(out, "LeaderEpoch", f.epoch);
}

/** How often the request names the partition. */
static struct map_entry *times_asked(struct map *seen, const char *name, int64_t index)
{
    struct buf key = {0};
    buf_append(&key, name, strlen(name) + 1);
    buf_append(&key, &index, sizeof index);
    struct map_entry *at = map_put(seen, key.data, key.len, NULL);
    buf_free(&key);
    return at;
}

static void count_asked(const struct call *c, struct map *seen)
{
    for (size_t i = 0; i < wire_count(&c->req.root, "Topics"); i++) {
        const struct wire_value *t = wire_at(&c->req.root, "Topics", i);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            times_asked(seen, wire_str(t, "Name"),
                        wire_int(wire_at(t, "Partitions", k), "PartitionIndex"))
                ->u++;
        }
    }
}

/** A partition that is asked for twice is refused, once. */
void api_list_offsets(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct map seen = {0};
    count_asked(c, &seen);
    for (size_t i = 0; i < wire_count(req, "Topics") && !c->resp.over; i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        const char *name = wire_str(t, "Name");
        struct wire_value *out = NULL;
        for (size_t k = 0; k < wire_count(t, "Partitions") && !c->resp.over; k++) {
            const struct wire_value *ask = wire_at(t, "Partitions", k);
            struct map_entry *times = times_asked(&seen, name, wire_int(ask, "PartitionIndex"));
            if (times->u == 0) {
                continue;
            }
            if (!out) {
                out = wire_add(&c->resp, &c->resp.root, "Topics");
                wire_set_str(&c->resp, out, "Name", name);
            }
            list_one(c, out, name, ask, times->u > 1);
            times->u = 0;
        }
    }
    map_free(&seen);
    call_reply(c);
}

/* ---- OffsetForLeaderEpoch ---------------------------------------------------------------------
 */

static void end_of(struct call *c, struct wire_value *topic, const char *name,
                   const struct wire_value *ask)
{
    struct partition *p;
    struct wire_value *out = wire_add(&c->resp, topic, "Partitions");
    int code = find(c, name, wire_int(ask, "Partition"), wire_int(ask, "CurrentLeaderEpoch"), &p);
    wire_set_int(out, "Partition", wire_int(ask, "Partition"));
    wire_set_int(out, "ErrorCode", code);
    if (code == KAFKA_NONE) {
        int32_t epoch;
        int64_t end;
        leaders_epoch_end(p, (int32_t)wire_int(ask, "LeaderEpoch"), &epoch, &end);
        wire_set_int(out, "LeaderEpoch", epoch);
        wire_set_int(out, "EndOffset", end);
    }
}

void api_epoch_end(struct call *c)
{
    each_partition(c, "Topic", "Partitions", end_of);
}

/* ---- DeleteRecords ----------------------------------------------------------------------------
 */

static void trim_one(struct call *c, struct wire_value *topic, const char *name,
                     const struct wire_value *ask)
{
    struct partition *p;
    struct wire_value *out = wire_add(&c->resp, topic, "Partitions");
    int code = find(c, name, wire_int(ask, "PartitionIndex"), -1, &p);
    if (code == KAFKA_NONE) {
        code = p->topic->internal ? KAFKA_INVALID_TOPIC_EXCEPTION
                                  : part_trim(c->b, p, wire_int(ask, "Offset"));
    }
    wire_set_int(out, "PartitionIndex", wire_int(ask, "PartitionIndex"));
    wire_set_int(out, "ErrorCode", code);
    wire_set_int(out, "LowWatermark", code == KAFKA_NONE ? p->log.start : -1);
}

void api_delete_records(struct call *c)
{
    each_partition(c, "Name", "Partitions", trim_one);
}

/* ---- DescribeProducers ------------------------------------------------------------------------
 */

static void put_producer(struct call *c, struct wire_value *out, const struct pstate_producer *x)
{
    struct wire_value *v = wire_add(&c->resp, out, "ActiveProducers");
    wire_set_int(v, "ProducerId", x->id);
    wire_set_int(v, "ProducerEpoch", x->epoch);
    wire_set_int(v, "LastSequence", x->nbatches ? x->batches[x->nbatches - 1].last_seq : -1);
    wire_set_int(v, "LastTimestamp", x->last_time);
    wire_set_int(v, "CoordinatorEpoch", x->coordinator_epoch);
    wire_set_int(v, "CurrentTxnStartOffset", x->txn_start);
}

static void describe_one(struct call *c, struct wire_value *topic, const char *name,
                         const struct wire_value *ask)
{
    struct partition *p;
    int64_t index = ask->i;
    struct wire_value *out = wire_add(&c->resp, topic, "Partitions");
    int code = find(c, name, index, -1, &p);
    wire_set_int(out, "PartitionIndex", index);
    wire_set_int(out, "ErrorCode", code);
    for (size_t i = 0; code == KAFKA_NONE && i < p->producers.producers.n; i++) {
        const struct pstate_producer *x = p->producers.producers.items[i].p;
        if (x && x->epoch >= 0) {
            put_producer(c, out, x);
        }
    }
}

void api_describe_producers(struct call *c)
{
    each_partition(c, "Name", "PartitionIndexes", describe_one);
}
