/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzzing client knows of the broker: names it may use and what answers have told it. Valid
 * requests of any api and version are made from the protocol table, with values that fit together;
 * then they are spoiled. */
#pragma once
#include "wire/schema.h"
#include "world.h"

enum {
    MODEL_TOPICS = 5,
    MODEL_PARTITIONS = 4,
    MODEL_PRODUCERS = 4,
    MODEL_GROUPS = 3,
    MODEL_MEMBERS = 4,
};
struct model_producer {
    const char *txn_id; /**< NULL = idempotent only */
    int64_t id;
    int16_t epoch;
    int32_t sequence[MODEL_TOPICS][MODEL_PARTITIONS];
};
struct model_member {
    int group;
    char id[160];
    int32_t generation;
};
/** What one request is about. */
struct model_focus {
    int api;
    int topic, partition, producer, group, member;
    bool transactional, wild; /**< wild: values of any kind */
    bool flow;
};
struct model {
    struct dice *dice;
    int64_t now_ms;
    struct model_producer producers[MODEL_PRODUCERS];
    struct model_member members[MODEL_MEMBERS];
    uint8_t topic_ids[MODEL_TOPICS][16];
    struct model_focus at;
};

void model_init(struct model *m, struct dice *d);
/** A request of the api in that version. Free with wire_free. flow: it goes on with what the one
 *  before was about, and nothing in it is odd. */
void model_request(struct model *m, struct wire_msg *req, int16_t api, int16_t version, bool flow);
/** Takes what the answer to the last request about `focus` says. */
void model_learn(struct model *m, const struct model_focus *focus, const struct wire_msg *resp);
/** Spoils a whole frame. @return whether its size still is that of its bytes. */
bool model_spoil(struct dice *d, struct buf *frame);
