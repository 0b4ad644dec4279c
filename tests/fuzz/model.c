/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how requests are filled: by the names of fields, so that a new api of the table needs
 * nothing here; only what must fit together (producers and their sequences, members and their
 * generations) is known by name. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "records.h"
#include "wire/value.h"

static const char *const topic_names[MODEL_TOPICS] = {"t0", "t1", "t2", "__consumer_offsets",
                                                      "__transaction_state"};
static const char *const group_names[MODEL_GROUPS] = {"g0", "g1", ""};
static const char *const odd_names[] = {"", ".", "x", "a b", "\xff\xfe", "t0", "1", "2147483648"};
static const char *const configs[] = {"retention.ms", "max.message.bytes", "message.timestamp.type",
                                      "cleanup.policy", "none"};
static const char *const config_values[] = {"-1",      "3600000", "LogAppendTime",
                                            "compact", "x",       "2147483647"};
static const int64_t odd_numbers[] = {
    0,      1,     2,     -1,      -2,        -3, 127,       128,       255,       32767,
    -32768, 32768, 65536, 1 << 20, INT32_MAX, -5, INT32_MIN, INT64_MAX, INT64_MIN, INT64_MAX - 1};

struct field_rule {
    const char *name;
    int64_t (*number)(struct model *m);
};

void model_init(struct model *m, struct dice *d)
{
    static const char *const ids[MODEL_PRODUCERS] = {"x0", "x1", NULL, NULL};
    *m = (struct model){.dice = d};
    for (int i = 0; i < MODEL_PRODUCERS; i++) {
        m->producers[i].txn_id = ids[i];
        m->producers[i].id = m->producers[i].epoch = -1;
    }
    for (int i = 0; i < MODEL_MEMBERS; i++) {
        m->members[i].group = i % 2;
        m->members[i].generation = -1;
    }
}

static int64_t below(struct model *m, uint64_t n)
{
    return (int64_t)dice_below(m->dice, n);
}

/* ---- numbers ----------------------------------------------------------------------------------
 */

static int64_t odd_number(struct model *m)
{
    return odd_numbers[below(m, ARRAY_LEN(odd_numbers))];
}
static int64_t n_pid(struct model *m)
{
    return m->producers[m->at.producer].id;
}
static int64_t n_epoch(struct model *m)
{
    return m->producers[m->at.producer].epoch;
}
static int64_t n_generation(struct model *m)
{
    return m->members[m->at.member].generation;
}
/** Of a consumer group: 0 joins, -1 leaves. */
static int64_t n_member_epoch(struct model *m)
{
    int64_t last = m->members[m->at.member].generation;
    return last < 0 || dice_one_in(m->dice, 4) ? 0 : dice_one_in(m->dice, 8) ? -1 : last;
}
static int64_t n_partition(struct model *m)
{
    m->at.partition = !m->at.flow && dice_one_in(m->dice, 3) ? (int)below(m, MODEL_PARTITIONS) : 0;
    return m->at.partition;
}
static int64_t n_partitions(struct model *m)
{
    return dice_one_in(m->dice, 4) ? -1 : 1 + below(m, MODEL_PARTITIONS);
}
static int64_t n_replication(struct model *m)
{
    return dice_one_in(m->dice, 2) ? -1 : 1;
}
static int64_t n_count(struct model *m)
{
    return below(m, 2 * MODEL_PARTITIONS);
}
static int64_t n_acks(struct model *m)
{
    return dice_one_in(m->dice, 8) ? 0 : dice_one_in(m->dice, 4) ? 1 : -1;
}
static int64_t n_time_limit(struct model *m)
{
    return 500 + below(m, 10000);
}
static int64_t n_wait(struct model *m)
{
    return dice_one_in(m->dice, 2) ? 0 : below(m, 600);
}
static int64_t n_min_bytes(struct model *m)
{
    return dice_one_in(m->dice, 4) ? 1 << 20 : below(m, 2);
}
static int64_t n_max_bytes(struct model *m)
{
    return dice_one_in(m->dice, 4) ? below(m, 300) : 1 << 20;
}
static int64_t n_offset(struct model *m)
{
    return dice_one_in(m->dice, 2) ? 0 : below(m, 30);
}
static int64_t n_minus_one(struct model *m)
{
    return dice_one_in(m->dice, 4) ? 0 : -1;
}
static int64_t n_timestamp(struct model *m)
{
    return dice_one_in(m->dice, 3) ? m->now_ms - 5 + below(m, 10) : -1 - below(m, 4);
}
static int64_t n_resource(struct model *m)
{
    return dice_one_in(m->dice, 4) ? 4 : 2;
}
static int64_t n_small(struct model *m)
{
    return below(m, 3);
}

static const struct field_rule numbers[] = {
    {"ProducerId", n_pid},
    {"V3AndBelowProducerId", n_pid},
    {"ProducerEpoch", n_epoch},
    {"V3AndBelowProducerEpoch", n_epoch},
    {"GenerationId", n_generation},
    {"GenerationIdOrMemberEpoch", n_generation},
    {"MemberEpoch", n_member_epoch},
    {"Partition", n_partition},
    {"PartitionIndex", n_partition},
    {"Index", n_partition},
    {"Partitions", n_partition},
    {"PartitionIndexes", n_partition},
    {"NumPartitions", n_partitions},
    {"ReplicationFactor", n_replication},
    {"Count", n_count},
    {"Acks", n_acks},
    {"TimeoutMs", n_time_limit},
    {"SessionTimeoutMs", n_time_limit},
    {"RebalanceTimeoutMs", n_time_limit},
    {"TransactionTimeoutMs", n_time_limit},
    {"MaxWaitMs", n_wait},
    {"MinBytes", n_min_bytes},
    {"MaxBytes", n_max_bytes},
    {"PartitionMaxBytes", n_max_bytes},
    {"FetchOffset", n_offset},
    {"CommittedOffset", n_offset},
    {"Offset", n_offset},
    {"CurrentLeaderEpoch", n_minus_one},
    {"LastFetchedEpoch", n_minus_one},
    {"SessionEpoch", n_minus_one},
    {"LeaderEpoch", n_minus_one},
    {"Timestamp", n_timestamp},
    {"ResourceType", n_resource},
    {"IsolationLevel", n_small},
    {"KeyType", n_small},
    {"ConfigOperation", n_small},
    {"SessionId", n_small},
    {"CoordinatorEpoch", n_small},
};

static int64_t number_of(struct model *m, const struct wire_field *f)
{
    if (m->at.wild && dice_one_in(m->dice, 4)) {
        return odd_number(m);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (strcmp(numbers[i].name, f->name) == 0) {
            return numbers[i].number(m);
        }
    }
    return f->type == WIRE_BOOL ? below(m, 2) : dice_one_in(m->dice, 3) ? odd_number(m) : f->def;
}

/* ---- strings ----------------------------------------------------------------------------------
 */

static const char *pick(struct model *m, const char *const *list, size_t n)
{
    return list[below(m, n)];
}

static const char *topic(struct model *m)
{
    if (m->at.flow) {
        return topic_names[m->at.topic = 0];
    }
    m->at.topic =
        dice_one_in(m->dice, 8) ? (int)below(m, MODEL_TOPICS) : (int)below(m, MODEL_TOPICS - 2);
    return topic_names[m->at.topic];
}

static bool is(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

/** What "Name" means where: `in` is the list that the struct is an element of. */
static const char *name_in(struct model *m, const char *in)
{
    if (in && strcmp(in, "Configs") == 0) {
        return pick(m, configs, ARRAY_LEN(configs));
    }
    if (in && strcmp(in, "Protocols") == 0) {
        return dice_one_in(m->dice, 3) ? "roundrobin" : "range";
    }
    return topic(m);
}

/** NULL = null, if that is possible. */
static const char *string_of(struct model *m, const char *name, const char *in)
{
    static const char *const topics[] = {"Topic", "TopicNames", "ResourceName", "TopicName",
                                         "SubscribedTopicNames"};
    static const char *const groups[] = {"GroupId", "GroupsNames", "Groups", "GroupIds"};
    static const char *const keys[] = {"Key", "CoordinatorKeys", "TransactionalIds"};
    static const char *const never[] = {"InstanceId", "RackId", "SubscribedTopicRegex",
                                        "ServerAssignor"};
    static const char *const txns[] = {"TransactionalId", "V3AndBelowTransactionalId"};
    if (is(name, txns, ARRAY_LEN(txns))) {
        bool none = m->at.api == API_PRODUCE && !m->at.transactional;
        return none ? NULL : m->producers[m->at.producer].txn_id;
    }
    if (strcmp(name, "Name") == 0) {
        return name_in(m, in);
    }
    if (is(name, topics, ARRAY_LEN(topics))) {
        return dice_one_in(m->dice, 6) ? "1" : topic(m);
    }
    if (is(name, groups, ARRAY_LEN(groups))) {
        return group_names[m->at.group];
    }
    if (is(name, keys, ARRAY_LEN(keys))) {
        return dice_one_in(m->dice, 2) ? "x0" : "g0";
    }
    if (strcmp(name, "MemberId") == 0 && m->at.api == API_CONSUMER_GROUP_HEARTBEAT) {
        return *m->members[m->at.member].id ? m->members[m->at.member].id : "a-member";
    }
    if (strcmp(name, "MemberId") == 0) {
        return m->members[m->at.member].id;
    }
    if (strcmp(name, "GroupInstanceId") == 0) {
        return !m->at.flow && dice_one_in(m->dice, 4) ? "i0" : NULL;
    }
    if (strcmp(name, "ProtocolType") == 0) {
        return "consumer";
    }
    if (strcmp(name, "ProtocolName") == 0) {
        return dice_one_in(m->dice, 3) ? NULL : "range";
    }
    if (is(name, never, ARRAY_LEN(never)) && !m->at.wild) {
        return NULL;
    }
    if (strcmp(name, "Value") == 0) {
        return pick(m, config_values, ARRAY_LEN(config_values));
    }
    return dice_one_in(m->dice, 2) ? "" : pick(m, odd_names, ARRAY_LEN(odd_names));
}

static bool may_be_null(const struct wire_msg *r, const struct wire_field *f)
{
    return f->nullable && r->version >= f->nullable - 1;
}

static void set_bytes(struct wire_msg *r, struct wire_value *v, const void *p, size_t len)
{
    v->s.p = (const uint8_t *)arena_dup(&r->mem, p, len);
    v->s.len = (int32_t)len;
}

static void fill_string(struct model *m, struct wire_msg *r, struct wire_value *v, const char *in)
{
    const struct wire_field *f = v->field;
    const char *s = string_of(m, f->name, in);
    bool nulls = may_be_null(r, f) && !f->array;
    if (m->at.wild && dice_one_in(m->dice, 6)) {
        s = pick(m, odd_names, ARRAY_LEN(odd_names));
    }
    if (m->at.wild && dice_one_in(m->dice, 200)) {
        static char huge[32768];
        memset(huge, 'h', sizeof huge - 1);
        s = huge + below(m, sizeof huge - 1);
    }
    if (nulls && (!s || (m->at.wild && dice_one_in(m->dice, 6)))) {
        v->s.p = NULL;
        v->s.len = -1;
    } else {
        s = s ? s : "";
        set_bytes(r, v, s, strlen(s));
    }
}

static void fill_bytes(struct model *m, struct wire_msg *r, struct wire_value *v)
{
    struct buf b = {0};
    uint8_t some[64];
    if (v->field->type == WIRE_RECORDS) {
        records_make(m, &b);
        set_bytes(r, v, b.data ? b.data : "", b.len);
        buf_free(&b);
        return;
    }
    size_t n = (size_t)below(m, sizeof some);
    for (size_t i = 0; i < n; i++) {
        some[i] = (uint8_t)dice_next(m->dice);
    }
    set_bytes(r, v, some, n);
}

/* ---- messages ---------------------------------------------------------------------------------
 */

static void fill(struct model *m, struct wire_msg *r, struct wire_value *v, const char *in);

static void fill_one(struct model *m, struct wire_msg *r, struct wire_value *v, const char *in)
{
    switch (v->field->type) {
    case WIRE_STRING:
        fill_string(m, r, v, in);
        break;
    case WIRE_BYTES:
    case WIRE_RECORDS:
        fill_bytes(m, r, v);
        break;
    case WIRE_UUID:
        v->s.p = m->topic_ids[below(m, MODEL_TOPICS)];
        break;
    case WIRE_FLOAT64:
        v->f = (double)odd_number(m);
        break;
    case WIRE_STRUCT:
        for (int32_t i = 0; i < v->a.n; i++) {
            fill(m, r, &v->a.items[i], v->field->array ? v->field->name : NULL);
        }
        break;
    default:
        v->i = number_of(m, v->field);
    }
}

static size_t list_length(struct model *m)
{
    if (m->at.flow) {
        return 1;
    }
    if (m->at.wild && dice_one_in(m->dice, 100)) {
        return (size_t)below(m, 400);
    }
    return dice_one_in(m->dice, 6) ? 0 : 1 + (size_t)(dice_one_in(m->dice, 4) ? below(m, 4) : 0);
}

static void fill(struct model *m, struct wire_msg *r, struct wire_value *v, const char *in)
{
    const struct wire_field *f = v->field;
    if (r->version < f->from || r->version > f->to) {
        return;
    }
    if (f->tag && r->version >= f->tagged_from && !dice_one_in(m->dice, 4)) {
        return; /* its default */
    }
    if (!f->array) {
        if (f->type == WIRE_STRUCT && may_be_null(r, f) && dice_one_in(m->dice, 2)) {
            v->a.n = -1;
        } else {
            fill_one(m, r, v, in);
        }
        return;
    }
    if (!m->at.flow && may_be_null(r, f) && dice_one_in(m->dice, 4)) {
        v->a.n = -1;
        return;
    }
    size_t n = list_length(m);
    if (strcmp(f->name, "TopicPartitions") == 0 && !m->at.wild) {
        n = 0; /* what a member owns: none, when it joins */
    }
    v->a.n = 0;
    for (; n > 0; n--) {
        fill_one(m, r, value_push(r, v), in);
    }
}

void model_request(struct model *m, struct wire_msg *req, int16_t api, int16_t version, bool flow)
{
    struct model_focus last = m->at;
    m->at = (struct model_focus){
        .api = api,
        .producer = flow ? last.producer : (int)below(m, MODEL_PRODUCERS),
        .member = flow ? last.member : (int)below(m, MODEL_MEMBERS),
        .wild = !flow && dice_one_in(m->dice, 5),
        .flow = flow,
    };
    m->at.transactional =
        m->producers[m->at.producer].txn_id && api == API_PRODUCE && !dice_one_in(m->dice, 8);
    m->at.group = dice_one_in(m->dice, 20) ? 2 : m->members[m->at.member].group;
    wire_init(req, wire_schema(api, WIRE_REQUEST), version);
    for (int32_t i = 0; i < req->root.a.n; i++) {
        fill(m, req, &req->root.a.items[i], NULL);
    }
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static const struct wire_value *member_of(const struct wire_value *v, const char *name)
{
    for (int32_t i = 0; v->kind == WIRE_GROUP && i < v->a.n; i++) {
        if (strcmp(v->a.items[i].field->name, name) == 0) {
            return &v->a.items[i];
        }
    }
    return NULL;
}

static void learn_producer(struct model *m, const struct model_focus *at,
                           const struct wire_value *root)
{
    struct model_producer *p = &m->producers[at->producer];
    const struct wire_value *id = member_of(root, "ProducerId");
    const struct wire_value *epoch = member_of(root, "ProducerEpoch");
    if (id && epoch && id->i >= 0 && (p->id != id->i || p->epoch != epoch->i)) {
        p->id = id->i;
        p->epoch = (int16_t)epoch->i;
        memset(p->sequence, 0, sizeof p->sequence);
    }
}

static void learn_member(struct model *m, const struct model_focus *at,
                         const struct wire_value *root)
{
    struct model_member *x = &m->members[at->member];
    const struct wire_value *id = member_of(root, "MemberId");
    const struct wire_value *generation = member_of(root, "GenerationId");
    const struct wire_value *epoch = member_of(root, "MemberEpoch");
    if (id && id->kind == WIRE_BLOB && id->s.len > 0 && (size_t)id->s.len < sizeof x->id) {
        snprintf(x->id, sizeof x->id, "%s", (const char *)id->s.p);
    }
    if (generation) {
        x->generation = (int32_t)generation->i;
    } else if (epoch) {
        x->generation = (int32_t)epoch->i;
    }
}

static void learn_topics(struct model *m, const struct wire_value *root)
{
    const struct wire_value *list = member_of(root, "Topics");
    for (int32_t i = 0; list && list->kind == WIRE_LIST && i < list->a.n; i++) {
        const struct wire_value *id = member_of(&list->a.items[i], "TopicId");
        const struct wire_value *name = member_of(&list->a.items[i], "Name");
        for (int t = 0; id && name && name->s.len > 0 && t < MODEL_TOPICS; t++) {
            if (strcmp((const char *)name->s.p, topic_names[t]) == 0) {
                memcpy(m->topic_ids[t], id->s.p, sizeof m->topic_ids[t]);
            }
        }
    }
}

void model_learn(struct model *m, const struct model_focus *focus, const struct wire_msg *resp)
{
    switch (focus->api) {
    case API_INIT_PRODUCER_ID:
    case API_END_TXN:
        learn_producer(m, focus, &resp->root);
        break;
    case API_METADATA:
        learn_topics(m, &resp->root);
        break;
    default:
        if (member_of(&resp->root, "MemberId")) {
            learn_member(m, focus, &resp->root);
        }
    }
}

/* ---- spoiling ---------------------------------------------------------------------------------
 */

static void overwrite(struct dice *d, struct buf *f, size_t at)
{
    static const uint8_t patterns[][10] = {
        {0xff, 0xff, 0xff, 0xff},
        {0x7f, 0xff, 0xff, 0xff},
        {0x80, 0, 0, 0},
        {0, 0, 0, 0},
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, /* a varint without end */
        {0xff, 0xff, 0xff, 0xff, 0x0f},
        {0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
        {0, 0xff, 0xff},
        {0x7f, 0xff},
    };
    static const size_t lengths[] = {4, 4, 4, 4, 10, 5, 6, 3, 2};
    size_t k = dice_below(d, ARRAY_LEN(patterns));
    size_t n = lengths[k] < f->len - at ? lengths[k] : f->len - at;
    memcpy(f->data + at, patterns[k], n);
}

static void cut_out(struct dice *d, struct buf *f, size_t at)
{
    size_t n = 1 + dice_below(d, dice_one_in(d, 2) ? 4 : f->len - at);
    n = n < f->len - at ? n : f->len - at;
    memmove(f->data + at, f->data + at + n, f->len - at - n);
    f->len -= n;
}

static void double_part(struct dice *d, struct buf *f, size_t at)
{
    size_t n = 1 + dice_below(d, f->len - at);
    char *copy = xmemdup0(f->data + at, n);
    char *tail = xmemdup0(f->data + at, f->len - at);
    size_t left = f->len - at;
    f->len = at;
    buf_append(f, copy, n);
    buf_append(f, tail, left);
    free(copy);
    free(tail);
}

bool model_spoil(struct dice *d, struct buf *f)
{
    enum { SIZE = 4, HEADER = 14 };
    for (uint64_t n = 1 + dice_below(d, 3); n > 0 && f->len > HEADER; n--) {
        size_t first = dice_one_in(d, 6) ? SIZE : HEADER;
        size_t at = first + dice_below(d, f->len - first);
        switch (dice_below(d, 6)) {
        case 0:
            f->data[at] = (char)(f->data[at] ^ (1 << dice_below(d, 8)));
            break;
        case 1:
            f->data[at] = (char)dice_next(d);
            break;
        case 2:
            cut_out(d, f, at);
            break;
        case 3:
            double_part(d, f, at);
            break;
        default:
            overwrite(d, f, at);
        }
    }
    if (dice_one_in(d, 20)) { /* a size that lies */
        overwrite(d, f, 0);
        return false;
    }
    for (unsigned i = 0; i < SIZE; i++) {
        f->data[i] = (char)((f->len - SIZE) >> 8 * (3 - i));
    }
    return true;
}
