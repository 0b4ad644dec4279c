/* SPDX-License-Identifier: Apache-2.0 */
/* ListOffsets, OffsetForLeaderEpoch, DeleteRecords and DescribeProducers: what the leader of a
 * partition is asked about its log. */
#include "broker/call.h"
#include "broker/leaders.h"
#include "broker/part.h"

enum { TIME_LATEST = -1, TIME_EARLIEST = -2, TIME_MAX = -3 };

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

static int look_up(const struct call *c, const struct partition *p, int64_t time, int64_t *offset,
                   int64_t *found)
{
    bool committed = wire_int(&c->req.root, "IsolationLevel") == 1;
    int64_t upto = committed ? part_lso(p) : p->log.end;
    if (time == TIME_LATEST) {
        *offset = upto;
    } else if (time == TIME_EARLIEST) {
        *offset = p->log.start;
    } else if (time == TIME_MAX) {
        plog_find_max_time(&p->log, upto, offset, found);
    } else if (time < 0) {
        return KAFKA_UNSUPPORTED_VERSION;
    } else {
        plog_find_time(&p->log, time, upto, offset, found);
    }
    return KAFKA_NONE;
}

static void list_one(struct call *c, struct wire_value *topic, const char *name,
                     const struct wire_value *ask)
{
    struct partition *p;
    int64_t offset = -1, found = -1;
    int code =
        find(c, name, wire_int(ask, "PartitionIndex"), wire_int(ask, "CurrentLeaderEpoch"), &p);
    if (code == KAFKA_NONE) {
        code = look_up(c, p, wire_int(ask, "Timestamp"), &offset, &found);
    }
    struct wire_value *out = wire_add(&c->resp, topic, "Partitions");
    wire_set_int(out, "PartitionIndex", wire_int(ask, "PartitionIndex"));
    wire_set_int(out, "ErrorCode", code);
    wire_set_int(out, "Timestamp", found);
    wire_set_int(out, "Offset", offset);
    wire_set_int(out, "LeaderEpoch",
                 code == KAFKA_NONE && offset >= 0 ? leaders_epoch_at(p, offset) : -1);
}

void api_list_offsets(struct call *c)
{
    each_partition(c, "Name", "Partitions", list_one);
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
